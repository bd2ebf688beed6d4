"""Lifting the sites of a cohort from its own build to the panel's."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, REFUSED_EVIDENCE, Flag, Outcome
from afpanel.core.alleles import upper
from afpanel.core.intervals import Intervals
from afpanel.core.lifted_alleles import LiftedAlleles, LiftSites, lift_alleles, reach
from afpanel.core.liftover import Blocks, Places, lift, place
from afpanel.core.strand import numbered
from afpanel.core.strings import choose
from afpanel.core.variants import Variants, concatenate
from afpanel.stages.lifter import UNKNOWN_BASE, Lifter
from afpanel.stages.source_alleles import (
    SourceAlleles,
    Spans,
    reference_bases,
    refused_intervals,
    reject_unlisted,
)


def lift_sites(
    lifter: Lifter, contig: str, sequence: NDArray[np.uint8], parts: Sequence[SourceAlleles]
) -> tuple[list[SourceAlleles], list[Spans]]:
    """Lift the alleles of a contig's stores that are kept so far.

    Parameters
    ----------
    lifter
        What the cohort is lifted with.
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
    blocks = lifter.blocks(contig)
    number_of_source = list(lifter.lengths).index(contig)
    jobs = [_Job.of(part, blocks, sequence) for part in parts]
    for number in np.unique(np.concatenate([[], *(job.places.contig for job in jobs)])):
        if number < 0:
            continue
        panel = lifter.panel_sequence(int(number))
        for job in jobs:
            job.lift_to(int(number), sequence, panel)
    lifted = [job.finish(number_of_source) for job in jobs]
    refused = [
        _spans(lift(blocks, job.refused(part))) for job, part in zip(jobs, lifted, strict=True)
    ]
    return lifted, refused


def reject_unknown(part: SourceAlleles, sequence: NDArray[np.uint8]) -> None:
    """Reject alleles, for want of a place, where a sequence that was pieced together says nothing."""
    first = reference_bases(part.sites.position, sequence)
    last = reference_bases(part.sites.position + part.sites.ref.lengths - 1, sequence)
    unknown = (first == UNKNOWN_BASE) | (last == UNKNOWN_BASE)
    unknown &= part.outcome == Outcome.REF_MISMATCH
    part.outcome[unknown] = Outcome.UNMAPPED
    part.mismatched[unknown] = False


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
        ref, alt = (upper(text.take(rows)) for text in (part.sites.ref, part.sites.alt))
        # Single bases may have been turned the right way round; the others are as they were written.
        single = (ref.lengths == 1) & (alt.lengths == 1)
        judged = part.variants.take(rows)
        written = Variants(
            part.sites.position[rows],
            choose(single, judged.ref, ref),
            choose(single, judged.alt, alt),
        )
        sites = LiftSites(numbered(record), written, part.index[rows], part.ref_index[rows])
        spans = reach(written, sites.record, sequence)
        places = place(blocks, written.start, written.end, *spans)
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
        return Intervals.union([early, Intervals.of(start, end)])

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
            sites=part.sites.take(row[order]),
            index=index[order],
            ref_index=ref_index[order],
            outcome=outcome[order],
            flags=flags[order],
            contig=contig[order],
            variants=concatenate(pool).take(source[order]),
            mismatched=mismatched[order],
            locus=locus[row[order]],
        )
        reject_unlisted(part, Outcome.LIFT_REF_MISMATCH)
        return part


_OF_SOURCE = np.uint8(Flag.SWAPPED | Flag.FLIPPED)
"""Flags that are set before an allele is lifted."""
