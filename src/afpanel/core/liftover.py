"""Where the bases of one build are on another, by the blocks of a chain file.

The build that is lifted from is called the source's, the one that is lifted to the panel's. Positions
are 0-based, spans half-open.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Outcome
from afpanel.core.intervals import Intervals

SEVERAL = -1
"""Chain of a block whose bases several chains claim."""

FARTHEST = 10_000
"""Bases by which a span may be longer or shorter on the panel's build: beyond that its ends lie apart."""


@dataclass(frozen=True)
class Blocks:
    """Ungapped alignments of one contig of the source's build, in order, without overlaps.

    Parameters
    ----------
    start, end
        (n,) int64, on the source's contig.
    chain
        (n,) int32: the chain of each, or `SEVERAL`.
    contig
        (n,) int32: number of the contig of the panel's build.
    first
        (n,) int64: where the base at ``start`` is on that contig.
    reverse
        (n,) bool: whether later bases come earlier there, on the other strand.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    chain: NDArray[np.int32]
    contig: NDArray[np.int32]
    first: NDArray[np.int64]
    reverse: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        start: NDArray[np.int64],
        end: NDArray[np.int64],
        chain: NDArray[np.int32],
        contig: NDArray[np.int32],
        first: NDArray[np.int64],
        reverse: NDArray[np.bool_],
    ) -> "Blocks":
        """Cut blocks, in any order, so that none overlap; see `Blocks` for the parameters."""
        bounds = np.unique(np.concatenate([start, end]))
        at, until = np.searchsorted(bounds, start), np.searchsorted(bounds, end)
        n_claims = _running_sum(at, until, np.ones(len(start), np.int64), len(bounds))
        # Where one block claims a piece, the sum of the numbers of those that do is its number.
        owner = _running_sum(at, until, np.arange(len(start)), len(bounds))
        claimed = np.flatnonzero(n_claims)
        several = n_claims[claimed] > 1
        owner = np.where(several, 0, owner[claimed])
        begin = bounds[claimed]
        step = np.where(reverse[owner], -1, 1)
        return cls(
            start=begin,
            end=bounds[claimed + 1],
            chain=np.where(several, SEVERAL, chain[owner]).astype(np.int32),
            contig=contig[owner],
            first=(first[owner] + step * (begin - start[owner])).astype(np.int64),
            reverse=reverse[owner],
        )

    def __len__(self) -> int:
        return len(self.start)

    def find(self, position: NDArray[np.int64]) -> NDArray[np.int64]:
        """Find the block of each position; -1 where there is none; (m,) int64."""
        if not len(self):
            return np.full(len(position), -1)
        at = np.searchsorted(self.start, position, side="right") - 1
        return np.where((at >= 0) & (position < self.end[np.maximum(at, 0)]), at, -1)

    def to(self, block: NDArray[np.int64], position: NDArray[np.int64]) -> NDArray[np.int64]:
        """Translate positions, each of which lies in its block; (m,) int64."""
        step = np.where(self.reverse[block], -1, 1)
        moved: NDArray[np.int64] = self.first[block] + step * (position - self.start[block])
        return moved

    def span(
        self,
        block: NDArray[np.int64],
        start: NDArray[np.int64],
        other: NDArray[np.int64],
        end: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Translate spans that begin in one block and end in another: (m,) int64 starts and ends."""
        one, last = self.to(block, start), self.to(other, end - 1)
        return np.minimum(one, last), np.maximum(one, last) + 1

    @property
    def spans(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each block lies on the panel's contig: (n,) int64 starts and ends."""
        every = np.arange(len(self))
        return self.span(every, self.start, every, self.end)


def _running_sum(
    at: NDArray[np.int64], until: NDArray[np.int64], value: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    """Sum, for each of n places, the values of the spans that hold it."""
    change = np.zeros(n, np.int64)
    np.add.at(change, at, value)
    np.subtract.at(change, until, value)
    return np.cumsum(change)


@dataclass(frozen=True)
class Places:
    """Where n spans of the source's contig are on the panel's build.

    Parameters
    ----------
    source_start, source_end
        (n,) int64: the spans that were placed, on the source's contig.
    outcome
        (n,) uint8: `Outcome.KEPT`, `Outcome.UNMAPPED` or `Outcome.LIFT_MULTIPLE`.
    contig
        (n,) int32: number of the panel's contig; -1 where not kept.
    start, end
        (n,) int64, on the forward strand.
    reverse
        (n,) bool
    wide
        (n,) bool: whether more was placed than the span itself.
    """

    source_start: NDArray[np.int64]
    source_end: NDArray[np.int64]
    outcome: NDArray[np.uint8]
    contig: NDArray[np.int32]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    reverse: NDArray[np.bool_]
    wide: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> "Places":
        """Copy some places, in their order."""
        return Places(*(getattr(self, each.name)[rows] for each in fields(self)))


def place(
    blocks: Blocks,
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    wide_start: NDArray[np.int64],
    wide_end: NDArray[np.int64],
) -> Places:
    """Find spans on the panel's build, each with all of the wide span around it, by its two ends.

    Parameters
    ----------
    blocks
        Of the source's contig.
    start, end
        (n,) int64: spans of at least one base.
    wide_start, wide_end
        (n,) int64: spans that hold these, or are the same.
    """
    n = len(start)
    if not len(blocks) or not n:
        nothing = np.zeros(n, np.int64)
        unmapped = np.full(n, Outcome.UNMAPPED, np.uint8)
        no = np.zeros(n, np.bool_)
        return Places(start, end, unmapped, np.full(n, -1, np.int32), nothing, nothing, no, no)
    left, right = blocks.find(wide_start), blocks.find(wide_end - 1)
    low, high = blocks.span(left, wide_start, right, wide_end)
    together = (left >= 0) & (right >= 0) & (blocks.chain[left] == blocks.chain[right])
    together &= np.abs((high - low) - (wide_end - wide_start)) <= FARTHEST
    several = (left >= 0) & (blocks.chain[left] == SEVERAL)
    several |= (right >= 0) & (blocks.chain[right] == SEVERAL)
    outcome = np.where(together, Outcome.KEPT, Outcome.UNMAPPED).astype(np.uint8)
    outcome[several] = Outcome.LIFT_MULTIPLE
    contig = np.where(outcome == Outcome.KEPT, blocks.contig[left], -1).astype(np.int32)
    wide = (wide_start < start) | (wide_end > end)
    return Places(wide_start, wide_end, outcome, contig, low, high, blocks.reverse[left], wide)


def pieces(blocks: Blocks, spans: Intervals) -> tuple[NDArray[np.int64], Intervals]:
    """Cut spans of the source's contig at the ends of blocks.

    Returns
    -------
    block
        (m,) int64: the block that holds each piece, of those that one chain alone claims.
    pieces
        The m pieces; those of one block, or of one span, need not be apart.
    """
    first = np.searchsorted(blocks.end, spans.start, side="right")
    last = np.searchsorted(blocks.start, spans.end, side="left")
    n = np.maximum(last - first, 0)
    of_span = np.repeat(np.arange(len(n)), n)
    block = first[of_span] + np.arange(len(of_span)) - np.repeat(np.cumsum(n) - n, n)
    one = blocks.chain[block] != SEVERAL
    block, of_span = block[one], of_span[one]
    start = np.maximum(blocks.start[block], spans.start[of_span])
    return block, Intervals(start, np.minimum(blocks.end[block], spans.end[of_span]))


def lift(blocks: Blocks, spans: Intervals) -> dict[int, Intervals]:
    """Move what can be moved of spans of the source's contig; by number of the panel's contig."""
    block, cut = pieces(blocks, spans)
    low, high = blocks.span(block, cut.start, block, cut.end)
    contig = blocks.contig[block]
    return {int(c): Intervals.of(low[contig == c], high[contig == c]) for c in np.unique(contig)}
