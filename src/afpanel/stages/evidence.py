"""What a cohort's silence about a variant says, by the evidence that it gives.

A record of the same site tells who was called there; a track of allele numbers how many could be; a BED
that everybody could. Where a record was refused, or nothing is known, silence says nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.core.callability import (
    alone_in_person,
    check_called,
    copies_per_cell,
    record_of_site,
)
from afpanel.core.intervals import Intervals
from afpanel.core.tracks import Track, joined
from afpanel.core.variants import Variants
from afpanel.model.cohort import Cell


class AscendingTrack:
    """A track that is read once, front to back, as spans further and further on are asked for.

    It holds what they need, so its size does not matter where few bases are asked for.

    Parameters
    ----------
    blocks
        The track, in order.
    cells
        Cells that it has numbers of.
    where
        What it is of, for messages.
    """

    def __init__(self, blocks: Iterator[Track], cells: int, where: str) -> None:
        self._blocks = blocks
        self._cells = cells
        self.where = where
        self._held = joined([], cells)
        self._reach = 0

    def rest(self) -> Iterator[Track]:
        """Give what has not been read yet, in order; of a track that was not asked for, all."""
        yield from self._blocks

    def over(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> Track:
        """Give the intervals that some spans touch, with others; what no later one can touch is forgotten.

        Parameters
        ----------
        start, end
            (m,) int64, 0-based and half-open; by start, none before the last of the spans asked for
            before; m > 0.
        """
        parts = [self._held.needed_by(start, end)]
        last = int(end.max())
        while self._reach < last:
            block = next(self._blocks, None)
            if block is None:
                break
            self._reach = int(block.end[-1])
            parts.append(block.needed_by(start, end))
        self._held = joined(parts, self._cells)
        return self._held


@dataclass(frozen=True)
class Silence:
    """What a cohort says of variants that it does not have.

    Parameters
    ----------
    rows
        (k,) int64: the variants that it could have called.
    number, singles
        (k, cells) int32: alleles that it could have called, and those that would be the only one of their
        person.
    raw_number
        (k,) int32: called alleles of everybody before the genotype filter, where a record of the site says
        so; else those of `number`, for nothing is known of what the filter took away.
    """

    rows: NDArray[np.int64]
    number: NDArray[np.int32]
    singles: NDArray[np.int32]
    raw_number: NDArray[np.int32]


@dataclass(frozen=True)
class Evidence:
    """What is known of where a cohort could have called a variant.

    Parameters
    ----------
    callable_regions
        Where everybody could be called, or None where no BED says so.
    track
        How many could be called, or None where no track says so.
    refused
        Where it has records that were refused: there its silence is no evidence.
    """

    callable_regions: Intervals | None
    track: AscendingTrack | None
    refused: Intervals

    def silence(
        self,
        variants: Variants,
        loci: NDArray[np.int8],
        cells: list[Cell],
        rows: NDArray[np.int64],
        number: NDArray[np.int32],
        singles: NDArray[np.int32],
        raw_number: NDArray[np.int32],
    ) -> Silence:
        """Find out what a cohort's silence says.

        Parameters
        ----------
        variants, loci
            n variants of a contig, in order, further on than those asked for before; and (n,) int8,
            `ploidy.Loci` of each.
        cells
            The cohort's cells.
        rows
            (m,) int64: the variants that it has.
        number, singles
            (m, cells) int32: called alleles of these, and those that are the only one of their person.
        raw_number
            (m,) int32: called alleles of these before the genotype filter.
        """
        observed = np.zeros(len(variants), np.bool_)
        observed[rows] = True
        silent = np.flatnonzero(~observed)
        beside = record_of_site(variants, rows, number.sum(axis=1))[silent]
        sites = variants.take(silent)
        copies = copies_per_cell(loci[silent], cells)
        could = self._could_call(sites, copies, cells)
        alone = alone_in_person(could, loci[silent], cells)
        recorded = np.flatnonzero(beside >= 0)
        for target, called in ((could, number), (alone, singles)):
            of_record = called[beside[recorded]]
            target[recorded] = np.where(copies[recorded] > 0, of_record, 0)
        raw = could.sum(axis=1, dtype=np.int32)
        raw[recorded] = raw_number[beside[recorded]]
        speaks = (could > 0).any(axis=1) & ~self.refused.touches(sites.start, sites.end)
        kept = np.flatnonzero(speaks)
        return Silence(silent[kept], could[kept], alone[kept], raw[kept])

    def _could_call(
        self, sites: Variants, copies: NDArray[np.int32], cells: list[Cell]
    ) -> NDArray[np.int32]:
        """Tell how many alleles could be called by track or BED; (n, cells) int32."""
        could = np.zeros_like(copies)
        if self.track is not None and len(sites):
            could = self.track.over(sites.start, sites.end).least(sites.start, sites.end)
            check_called(self.track.where, sites.position, could, copies, cells)
        elif self.callable_regions is not None:
            inside = self.callable_regions.contains(sites.start, sites.end)
            could[inside] = copies[inside]
        return could
