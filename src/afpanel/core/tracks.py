"""Tracks of allele numbers: how many alleles could be called at each base, cell by cell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Track:
    """Part of a track of one contig: disjoint intervals in order. Between them nobody can be called.

    Parameters
    ----------
    start, end
        (r,) int, 0-based and half-open.
    number
        (r, cells) int32: called alleles of each cell at each base of the interval.
    """

    start: NDArray[np.integer]
    end: NDArray[np.integer]
    number: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.start)

    def needed_by(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> "Track":
        """Leave out what none of some spans touches, nor any that begins after the last of them.

        Parameters
        ----------
        start, end
            (m,) int64, 0-based and half-open; by start, m > 0.
        """
        begun = np.searchsorted(start, self.end)  # spans that begin before an interval ends
        reach = np.maximum.accumulate(end)[np.maximum(begun - 1, 0)]
        needed = ((begun > 0) & (reach > self.start)) | (self.end > start[-1])
        return Track(self.start[needed], self.end[needed], self.number[needed])

    def least(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int32]:
        """Find the least number over all bases of some spans.

        Whoever is called at every base of a span is called at the base with the fewest calls.

        Parameters
        ----------
        start, end
            (m,) int64, 0-based and half-open; end > start.

        Returns
        -------
        (m, cells) int32
            0 where a base of the span is in no interval.
        """
        least = np.zeros((len(start), self.number.shape[1]), np.int32)
        if not len(self):
            return least
        first = np.searchsorted(self.end, start, side="right")
        last = np.searchsorted(self.start, end, side="left")
        # Disjoint intervals cover a span if their bases in it are as many as it has.
        bases = np.concatenate([[0], np.cumsum(self.end - self.start)])
        outer = np.minimum(first, len(self) - 1), np.maximum(last - 1, 0)
        outside = np.maximum(start - self.start[outer[0]], 0) + np.maximum(
            self.end[outer[1]] - end, 0
        )
        covered = (first < last) & (bases[last] - bases[first] - outside == end - start)
        single = np.flatnonzero(covered & (last - first == 1))
        least[single] = self.number[first[single]]
        several = np.flatnonzero(covered & (last - first > 1))
        if len(several):
            length = (last - first)[several]
            offsets = np.cumsum(length) - length
            within = np.arange(int(length.sum())) - np.repeat(offsets, length)
            rows = np.repeat(first[several], length) + within
            least[several] = np.minimum.reduceat(self.number[rows], offsets, axis=0)
        return least


def joined(parts: list[Track], cells: int) -> Track:
    """Lay parts of a track end to end; they come in order."""
    return Track(
        np.concatenate([np.empty(0, np.int64), *(part.start for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.end for part in parts)]),
        np.concatenate([np.empty((0, cells), np.int32), *(part.number for part in parts)]),
    )
