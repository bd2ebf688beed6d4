"""What a cohort on another build is lifted with: the chain file, and the two builds' sequences."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import (
    MISSING,
    REVISED_CAMBRIDGE_LENGTH,
    ContigKind,
)
from afpanel.core.contigs import ContigNames, contig_kind
from afpanel.core.liftover import SEVERAL, Blocks
from afpanel.core.strand import COMPLEMENT
from afpanel.errors import BadInputError
from afpanel.io.chain import ChainFile, read_chain
from afpanel.io.files import sha256
from afpanel.io.reference import Reference, ReferencePaths

logger = logging.getLogger(__name__)

UNKNOWN_BASE = ord("N")
"""What a sequence that was pieced together has where nothing is known."""
_COMPLEMENT = np.where(COMPLEMENT > 0, COMPLEMENT, np.uint8(UNKNOWN_BASE))
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
        self._path = paths.chain
        self._panel = panel
        self._source = None if paths.fasta is None else Reference(paths.fasta)
        self.lengths = self._chain.source_lengths
        self.names = ContigNames(self.lengths, aliases)
        self._source_names = ContigNames([] if self._source is None else self._source.lengths)
        self._blocks: dict[str, Blocks] = {}
        self.panel_names = list(panel.lengths)
        names = ContigNames(panel.lengths)
        wanted = set(contigs or panel.lengths)
        numbers = {name: i for i, name in enumerate(self.panel_names) if name in wanted}
        resolved = [names.resolve(name) for name in self._chain.panel_lengths]
        # From numbers of the chain file's contigs to those of the panel's.
        self._to_panel = np.array(
            [numbers.get(name or "", MISSING) for name in resolved],
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
        _check_lengths(paths.chain, self._chain.panel_lengths, panel)
        if self._source is not None:
            _check_lengths(paths.chain, self._chain.source_lengths, self._source)

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
        bases = np.full(self.lengths[contig], UNKNOWN_BASE, np.uint8)
        for number in np.unique(blocks.contig[blocks.contig >= 0]):
            self._copy_blocks(blocks, int(number), bases)
        return bases

    def _copy_blocks(self, blocks: Blocks, number: int, bases: NDArray[np.uint8]) -> None:
        """Copy what a contig of the panel has in each block, by complements where it is reversed."""
        name = self.panel_names[number]
        low, high = (each.tolist() for each in blocks.spans)
        # A base that several chains claim could be either of theirs.
        mine = np.flatnonzero((blocks.contig == number) & (blocks.chain != SEVERAL))
        size = int((blocks.end - blocks.start)[mine].sum())
        # Of most contigs a few blocks are needed; those are not read whole.
        whole = self._panel.sequence(name) if size > _MUCH * self._panel.lengths[name] else None
        for i in mine.tolist():
            start, end = int(blocks.start[i]), int(blocks.end[i])
            if whole is not None:
                there = whole[low[i] : high[i]]
            else:
                text = self._panel.bases(name, low[i], high[i])
                there = np.frombuffer(text.encode(), np.uint8)
            if blocks.reverse[i]:
                bases[end - len(there) : end] = _COMPLEMENT[there[::-1]]
            else:
                bases[start : start + len(there)] = there

    def panel_sequence(self, number: int) -> NDArray[np.uint8]:
        """Read a contig of the panel, by its number; (bases,) uint8."""
        return self._panel.sequence(self.panel_names[number])

    def bases(self, contig: str, start: int, end: int) -> str:
        """Read a few bases of the source's build, as `Reference.bases` does, where its FASTA is known."""
        assert self._source is not None
        return self._source.bases(self._source_name(self._source, contig), start, end)

    def _source_name(self, source: Reference, contig: str) -> str:
        name = self._source_names.resolve(contig)
        if name is None:
            raise BadInputError(
                f"the FASTA of the cohort's build has no contig for '{contig}'",
                where=source.path,
                remedy="give the FASTA that the cohort's variants were called against",
            )
        return name

    def blocks(self, contig: str) -> Blocks:
        """Give the blocks of a contig of the source, with the panel's numbers for its contigs.

        Those that lead to no contig of the panel, or to one that has other copies, have -1. So have all
        of a mitochondrial genome that is another sequence than the cohort's, for all its names are alike.
        """
        if contig not in self._blocks:
            self._blocks[contig] = self._blocks_of(contig)
        return self._blocks[contig]

    def _blocks_of(self, contig: str) -> Blocks:
        found = self._chain.blocks[contig]
        number = self._to_panel[found.contig]
        kinds = np.array([contig_kind(name) for name in self.panel_names] + [""])
        number = np.where(kinds[number] == contig_kind(contig), number, MISSING).astype(np.int32)
        if contig_kind(contig) is ContigKind.MT and not self._is_same_length(contig):
            logger.warning(
                "%s: %s has %s bases there, and is another sequence than the cohort's; none of it is lifted",
                self._path, contig, f"{self.lengths[contig]:,}",
            )  # fmt: skip
            number[:] = MISSING
        return Blocks(found.start, found.end, found.chain, number, found.first, found.reverse)

    def _is_same_length(self, contig: str) -> bool:
        """Tell whether a contig is as long in the chain file as in the cohort's reference."""
        length = REVISED_CAMBRIDGE_LENGTH
        if self._source is not None:
            length = self._source.lengths[self._source_name(self._source, contig)]
        return self.lengths[contig] == length


def _check_lengths(chain: Path, lengths: Mapping[str, int], reference: Reference) -> None:
    """Refuse a FASTA that has a contig longer than the chain file's; a part of one may be enough."""
    names = ContigNames(reference.lengths)
    for contig, length in lengths.items():
        name = names.resolve(contig)
        if name is not None and reference.lengths[name] > length and contig_kind(name) != "MT":
            raise BadInputError(
                f"{name} has {reference.lengths[name]:,} bases, and {length:,} in the chain file",
                where=reference.path,
                expected=f"the build that {chain} is of",
                remedy="take the chain file and the FASTAs of the same two builds",
            )
