"""Lifting the sites of a cohort from its own build to the panel's."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, REFUSED_EVIDENCE, Flag, Outcome
from afpanel.core.alleles import UPPER
from afpanel.core.contigs import ContigNames, contig_kind
from afpanel.core.intervals import Intervals
from afpanel.core.lifted_alleles import LiftedAlleles, LiftSites, lift_alleles, reach
from afpanel.core.liftover import SEVERAL, Blocks, Places, lift, place
from afpanel.core.strand import COMPLEMENT
from afpanel.core.strings import Strings, choose, joined
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError
from afpanel.io.chain import ChainFile, read_chain
from afpanel.io.files import sha256
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.stages.source_alleles import (
    SourceAlleles,
    SourceSites,
    Spans,
    reference_bases,
    refused_intervals,
    reject_unlisted,
)

logger = logging.getLogger(__name__)

_UNKNOWN_BASE = ord("N")
_COMPLEMENT = np.where(COMPLEMENT > 0, COMPLEMENT, np.uint8(_UNKNOWN_BASE))
_MUCH = 0.2
"""Share of a contig from which it is read whole."""


@dataclass(frozen=True)
class LiftPaths:
    """What a cohort on another build is lifted with.

    Parameters
    ----------
    chain
        Chain file from the cohort's build to the panel's.
    fasta
        The reference of the cohort's build, or None: then its sequence is taken to be the panel's
        wherever the chain aligns the two.
    callable_bed, callable_out
        Where the cohort is callable on its own build, and the BED to write for the panel's, if any.
    """

    chain: Path
    fasta: ReferencePaths | None = None
    callable_bed: Path | None = None
    callable_out: Path | None = None

    def described(self) -> dict[str, Any]:
        """Say what may be said of it where its paths may not."""
        return {"chain_sha256": sha256(self.chain), "source_fasta": self.fasta is not None}


class Lifter:
    """Lifts source alleles by a chain file.

    Parameters
    ----------
    paths
        See `LiftPaths`.
    panel
        The panel's reference.
    contigs
        Its contigs that alleles may be lifted to; empty is all.
    aliases
        The user's table of contig names.

    Attributes
    ----------
    lengths, names
        Contigs of the cohort's build: their lengths, and how the cohort's names are resolved.
    panel_names
        Contigs of the panel, in the order of their numbers.
    """

    def __init__(
        self,
        paths: LiftPaths,
        panel: Reference,
        contigs: Sequence[str] = (),
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self._chain: ChainFile = read_chain(paths.chain)
        self._panel = panel
        self._source = None if paths.fasta is None else Reference(paths.fasta)
        self.lengths = self._chain.source_lengths
        self.names = ContigNames(self.lengths, aliases)
        self._numbers = {name: number for number, name in enumerate(panel.lengths)}
        self.panel_names = list(panel.lengths)
        names = ContigNames(panel.lengths)
        wanted = set(contigs or panel.lengths)
        resolved = [names.resolve(name) for name in self._chain.panel_lengths]
        # From numbers of the chain file's contigs to those of the panel's.
        self._to_panel = np.array(
            [self._numbers[n] if n is not None and n in wanted else MISSING for n in resolved],
            np.int32,
        )
        if not (self._to_panel >= 0).any():
            raise BadInputError(
                "leads to no contig of the panel's reference",
                where=paths.chain,
                expected=f"contigs such as {', '.join(self.panel_names[:5])}",
                found=", ".join(list(self._chain.panel_lengths)[:5]),
                remedy="take the chain file that goes from the cohort's build to the panel's, and not"
                " the one that goes back",
            )

    @property
    def knows_source(self) -> bool:
        """Whether the FASTA of the cohort's build was given."""
        return self._source is not None

    def sequence(self, contig: str) -> NDArray[np.uint8]:
        """Read a contig of the source's build; (bases,) uint8.

        Without its FASTA it is pieced together from the panel's, with N where not one chain alone leads.
        """
        if self._source is not None:
            return self._source.sequence(self._source_name(self._source, contig))
        blocks = self.blocks(contig)
        bases = np.full(self.lengths[contig], _UNKNOWN_BASE, np.uint8)
        for number in np.unique(blocks.contig[blocks.contig >= 0]):
            self._copy_blocks(blocks, int(number), bases)
        return bases

    def _copy_blocks(self, blocks: Blocks, number: int, bases: NDArray[np.uint8]) -> None:
        """Copy what a contig of the panel has in each block, by complements where it is reversed."""
        name = self.panel_names[number]
        # A base that several chains claim could be either of theirs.
        mine = np.flatnonzero((blocks.contig == number) & (blocks.chain != SEVERAL))
        size = int((blocks.end - blocks.start)[mine].sum())
        # Of most contigs a few blocks are needed; those are not read whole.
        whole = self._panel.sequence(name) if size > _MUCH * self._panel.lengths[name] else None
        for i in mine.tolist():
            start, end, first = int(blocks.start[i]), int(blocks.end[i]), int(blocks.first[i])
            low = first - (end - start) + 1 if blocks.reverse[i] else first
            high = low + end - start
            if whole is not None:
                there = whole[low:high]
            else:
                text = self._panel.bases(name, low, high)
                there = np.frombuffer(text.encode(), np.uint8)
            if blocks.reverse[i]:
                bases[end - len(there) : end] = _COMPLEMENT[there[::-1]]
            else:
                bases[start : start + len(there)] = there

    def set_unmapped(self, part: SourceAlleles, sequence: NDArray[np.uint8]) -> None:
        """Reject, for want of a place, what nothing is known of where the source's FASTA is not given."""
        if self._source is not None:
            return
        first = reference_bases(part.sites.position, sequence)
        last = reference_bases(part.sites.position + part.sites.ref.lengths - 1, sequence)
        unknown = (first == _UNKNOWN_BASE) | (last == _UNKNOWN_BASE)
        unknown &= part.outcome == Outcome.REF_MISMATCH
        part.outcome[unknown] = Outcome.UNMAPPED
        part.mismatched[unknown] = False

    def bases(self, contig: str, start: int, end: int) -> str:
        """Read a few bases of the source's build, as `Reference.bases` does, where its FASTA is known."""
        assert self._source is not None
        return self._source.bases(self._source_name(self._source, contig), start, end)

    def _source_name(self, source: Reference, contig: str) -> str:
        name = ContigNames(source.lengths).resolve(contig)
        if name is None:
            raise BadInputError(
                f"the FASTA of the cohort's build has no contig for '{contig}'",
                where=source.path,
                remedy="give the FASTA that the cohort's variants were called against",
            )
        return name

    def blocks(self, contig: str) -> Blocks:
        """Give the blocks of a contig of the source, with the panel's numbers for its contigs.

        Those that lead to no contig of the panel, or to one that has other copies, have -1.
        """
        found = self._chain.blocks[contig]
        number = self._to_panel[found.contig]
        kinds = np.array([contig_kind(name) for name in self.panel_names] + [""])
        number = np.where(kinds[number] == contig_kind(contig), number, MISSING).astype(np.int32)
        return Blocks(found.start, found.end, found.chain, number, found.first, found.reverse)

    def lift(
        self, contig: str, sequence: NDArray[np.uint8], parts: Sequence[SourceAlleles]
    ) -> tuple[list[SourceAlleles], list[Spans]]:
        """Lift the alleles of a contig's stores that are kept so far.

        Parameters
        ----------
        contig, sequence
            The contig of the source's build.
        parts
            Alleles of each store, as `judge` has held them against it.

        Returns
        -------
        parts
            The same alleles with their places on the panel's build, or the reason for none; rows that
            are new reference alleles' stand at the end of their record. `mismatched` tells now where
            the two references differ, or the panel's has ended.
        refused
            Where each store has records that were refused, on the panel's build.
        """
        blocks = self.blocks(contig)
        number_of_source = list(self.lengths).index(contig)
        jobs = [_Job.of(part, blocks, sequence) for part in parts]
        for number in np.unique(np.concatenate([[], *(job.places.contig for job in jobs)])):
            if number < 0:
                continue
            panel = self._panel.sequence(self.panel_names[int(number)])
            for job in jobs:
                job.lift_to(int(number), sequence, panel)
        lifted = [job.finish(number_of_source) for job in jobs]
        refused = [
            _spans(lift(blocks, job.refused(part))) for job, part in zip(jobs, lifted, strict=True)
        ]
        return lifted, refused


def _spans(found: dict[int, Intervals]) -> Spans:
    """Lay out intervals by number of contig, those of the panel's."""
    mine = {number: spans for number, spans in found.items() if number >= 0}
    numbers = [np.full(len(spans.start), number) for number, spans in mine.items()]
    return Spans(
        np.concatenate([[], *numbers]).astype(np.int32),
        np.concatenate([[], *(spans.start for spans in mine.values())]).astype(np.int64),
        np.concatenate([[], *(spans.end for spans in mine.values())]).astype(np.int64),
    )


class _Job:
    """The alleles of one store on their way to the panel's build."""

    def __init__(
        self, part: SourceAlleles, rows: NDArray[np.int64], sites: LiftSites, places: Places
    ) -> None:
        self._part, self._rows, self._sites, self.places = part, rows, sites, places
        self._done: list[tuple[NDArray[np.int64], int, LiftedAlleles]] = []

    @classmethod
    def of(cls, part: SourceAlleles, blocks: Blocks, sequence: NDArray[np.uint8]) -> "_Job":
        rows = np.flatnonzero(part.outcome == Outcome.KEPT)
        record = part.sites.record[rows]
        written_ref, written_alt = (
            _upper(text.take(rows)) for text in (part.sites.ref, part.sites.alt)
        )
        # Single bases may have been turned the right way round; the others are as they were written.
        single = (written_ref.lengths == 1) & (written_alt.lengths == 1)
        variants = part.variants.take(rows)
        sites = LiftSites(
            np.cumsum(np.diff(record, prepend=record[:1]) != 0),
            part.sites.position[rows],
            choose(single, variants.ref, written_ref),
            choose(single, variants.alt, written_alt),
            part.index[rows],
            part.ref_index[rows],
        )
        places = place(blocks, sites.start, sites.end, *reach(sites, sequence))
        return cls(part, rows, sites, places)

    def lift_to(self, number: int, source: NDArray[np.uint8], panel: NDArray[np.uint8]) -> None:
        rows = np.flatnonzero(self.places.contig == number)
        if len(rows):
            lifted = lift_alleles(self._sites.take(rows), self.places.take(rows), source, panel)
            self._done.append((rows, number, lifted))

    def refused(self, lifted: SourceAlleles) -> Intervals:
        """Find where the source has records that were refused, with all that their indels could be moved over."""
        early = refused_intervals(lifted)
        late = np.isin(lifted.sites.record, self._part.sites.record[self._rows])
        late &= np.isin(lifted.outcome, REFUSED_EVIDENCE)
        records = lifted.sites.record[late]
        rows = np.isin(self._part.sites.record[self._rows], records)
        start, end = self.places.source_start[rows], self.places.source_end[rows]
        return Intervals.of(np.concatenate([early.start, start]), np.concatenate([early.end, end]))

    def finish(self, source_contig: int) -> SourceAlleles:
        """Put all together, in the order of the store; `source_contig` is the number of its contig."""
        part, n = self._part, len(self._part.outcome)
        outcome, flags = part.outcome.copy(), np.where(part.outcome, 0, part.flags).astype(np.uint8)
        outcome[self._rows] = np.where(
            self.places.contig < 0,
            np.where(self.places.outcome == Outcome.KEPT, Outcome.UNMAPPED, self.places.outcome),
            Outcome.KEPT,
        )
        row = np.concatenate(
            [np.arange(n), *(self._rows[r][x.row[x.is_ref]] for r, _, x in self._done)]
        )
        outcome, flags, index, ref_index, contig = (
            column[row] for column in (outcome, flags, part.index, part.ref_index, part.contig)
        )
        contig[:] = MISSING
        mismatched = np.zeros(len(row), np.bool_)
        source = row.copy()  # where in `pool` the form of each row is
        pool = [Variants(part.sites.position, part.sites.ref, part.sites.alt)]
        written, further = n, n
        for rows, number, lifted in self._done:
            n_further = int(lifted.is_ref.sum())
            at = np.empty(len(lifted.row), np.int64)
            at[~lifted.is_ref] = self._rows[rows]
            at[lifted.is_ref] = further + np.arange(n_further)
            further += n_further
            kept = lifted.outcome == Outcome.KEPT
            outcome[at], index[at] = lifted.outcome, lifted.index
            # An allele that is swapped twice is the right way round.
            flags[at] = np.where(
                kept, lifted.flags ^ (flags[at] & _OF_SOURCE), lifted.flags & Flag.NEW_REFERENCE
            )
            contig[at] = np.where(kept, number, MISSING)
            mismatched[at] = lifted.differs & part.sites.used[row[at]]
            source[at[kept]] = written + np.flatnonzero(kept)
            written += len(kept)
            pool.append(Variants(lifted.position, lifted.ref, lifted.alt))
        order = np.argsort(row, kind="stable")
        locus = (source_contig << 32) | part.variants.position.astype(np.int64)
        part = SourceAlleles(
            sites=_take(part.sites, row[order]),
            index=index[order],
            ref_index=ref_index[order],
            outcome=outcome[order],
            flags=flags[order],
            contig=contig[order],
            variants=_pooled(pool).take(source[order]),
            mismatched=mismatched[order],
            locus=locus[row[order]],
        )
        reject_unlisted(part, Outcome.LIFT_REF_MISMATCH)
        return part


_OF_SOURCE = np.uint8(Flag.SWAPPED | Flag.FLIPPED)
"""Flags that are set before an allele is lifted."""


def _upper(text: Strings) -> Strings:
    return Strings(text.offsets, UPPER[text.data])


def _take(sites: SourceSites, rows: NDArray[np.int64]) -> SourceSites:
    return SourceSites(
        sites.record[rows],
        sites.column[rows],
        sites.position[rows],
        sites.ref.take(rows),
        sites.alt.take(rows),
        sites.used[rows],
    )


def _pooled(tables: Sequence[Variants]) -> Variants:
    return Variants(
        np.concatenate([table.position for table in tables]),
        joined([table.ref for table in tables]),
        joined([table.alt for table in tables]),
    )
