"""Sets of intervals on one contig, and which spans lie inside or touch them.

An interval is 0-based and half-open, as in BED.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Intervals:
    """Disjoint, sorted, non-touching intervals.

    Parameters
    ----------
    start, end
        (n,) int64.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]

    @classmethod
    def of(cls, start: NDArray[np.integer], end: NDArray[np.integer]) -> "Intervals":
        """Make the union of intervals in any order; they may touch, overlap, or be empty."""
        kept = np.flatnonzero(start < end)
        order = kept[np.argsort(start[kept], kind="stable")]
        starts, ends = start[order].astype(np.int64), end[order].astype(np.int64)
        if len(starts) == 0:
            return cls(starts, ends)
        reach = np.maximum.accumulate(ends)
        opens = np.concatenate([[True], starts[1:] > reach[:-1]])
        closes = np.concatenate([opens[1:], [True]])
        return cls(starts[opens], reach[closes])

    @classmethod
    def none(cls) -> "Intervals":
        """Make the empty set."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def union(cls, parts: Sequence["Intervals"]) -> "Intervals":
        """Make the union of several sets, of one at least."""
        return cls.of(
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.end for part in parts]),
        )

    def without(self, other: "Intervals") -> "Intervals":
        """Take away what another set covers."""
        bounds = np.unique(np.concatenate([self.start, self.end, other.start, other.end]))
        inside, taken = (
            np.searchsorted(each.start, bounds, side="right")
            - np.searchsorted(each.end, bounds, side="right")
            for each in (self, other)
        )
        kept = np.flatnonzero((inside > 0) & (taken == 0))
        return Intervals.of(bounds[kept], bounds[np.minimum(kept + 1, len(bounds) - 1)])

    def contains(self, start: NDArray[np.integer], end: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Tell which spans lie whole in one interval. ``start`` and ``end`` are (m,), end > start."""
        if len(self.start) == 0:
            return np.zeros(len(start), np.bool_)
        at = np.searchsorted(self.start, start, side="right") - 1
        return (at >= 0) & (np.asarray(end) <= self.end[np.maximum(at, 0)])

    def touches(self, start: NDArray[np.integer], end: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Tell which spans share at least one base with an interval."""
        if len(self.start) == 0:
            return np.zeros(len(start), np.bool_)
        at = np.searchsorted(self.start, end, side="left") - 1
        return (at >= 0) & (self.end[np.maximum(at, 0)] > np.asarray(start))
