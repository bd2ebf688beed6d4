"""How far groups have drifted apart: Hudson's FST of pairs, with the error of a block jackknife.

Hudson's estimator and the ratio of averages are those of Bhatia, Patterson, Sankararaman and Price,
Genome Research 23:1514 (2013), equation 10.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.core.compiled import READ_I8, compiled
from afpanel.core.shown_counts import (
    FEWEST_CALLED,
    READ_COUNTS,
    UNITS,
    ShownCounts,
    difference_in_units,
    from_units,
)

BLOCK_BASES = (
    5_000_000, 2_000_000, 1_000_000, 500_000, 200_000, 100_000, 50_000, 20_000, 10_000
)  # fmt: skip
"""Lengths that blocks of the jackknife may have; each is a multiple of the last."""

_MOST_ROWS = 2**16
"""Variants whose sums in parts of 2^-36 are below 2^53."""

FEWEST_BLOCKS = 20
"""Blocks with variants that a length must leave, or a shorter one is taken."""


class OccupiedBlocks:
    """Finds the length of the jackknife's blocks, from the places of a panel's variants alone.

    The longer the blocks, the less do neighbours share by linkage; but of few blocks there is no
    error to be told. So it is the longest of `BLOCK_BASES` that leaves `FEWEST_BLOCKS` blocks with
    variants, and the shortest where none does.
    """

    def __init__(self) -> None:
        self._occupied: dict[str, set[int]] = {}

    def add(self, contig: str, position: NDArray[np.int32]) -> None:
        """Note the places of variants; (n,) int32, 1-based."""
        blocks = np.unique((position - 1) // BLOCK_BASES[-1])
        self._occupied.setdefault(contig, set()).update(blocks.tolist())

    def bases(self) -> int:
        """Choose the length."""
        for bases in BLOCK_BASES:
            times = bases // BLOCK_BASES[-1]
            blocks = sum(len({b // times for b in each}) for each in self._occupied.values())
            if blocks >= FEWEST_BLOCKS:
                return bases
        return BLOCK_BASES[-1]


@dataclass(frozen=True)
class Differentiation:
    """FST of p pairs of groups.

    Parameters
    ----------
    fst
        (p,) float64; NaN where no variant tells the pair anything.
    standard_error
        (p,) float64; NaN where fewer than two blocks do.
    variants, blocks
        (p,) int64: variants that both alleles are seen at, in the two groups together; blocks that
        hold such variants.
    """

    fst: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    variants: NDArray[np.int64]
    blocks: NDArray[np.int64]


class PairwiseFst:
    """Adds up Hudson's FST of pairs of groups, block by block of the genome.

    Of a variant with frequencies p of ALT and q of all others, the numerator of a pair is
    ``p1 q2 + p2 q1 - (h1 + h2) / 2``, h being the chance that two alleles of a group differ, and the
    denominator ``p1 q2 + p2 q1``. Each term is rounded to a whole number of 2^-36 before it is added,
    so the sums depend on nothing else; a group without ALT adds nothing, and takes no time.

    Parameters
    ----------
    sets
        Groups that are compared with one another, each with every other of its set.
    block_bases
        Length of a block; block i of a contig begins at base ``i * block_bases + 1``.

    Attributes
    ----------
    pairs
        The groups of each pair, set by set.
    """

    def __init__(self, sets: Iterable[Sequence[int]], block_bases: int) -> None:
        self._sets = [np.array(each, np.int64) for each in sets]
        self.pairs = [pair for each in self._sets for pair in combinations(each.tolist(), 2)]
        self._bases = block_bases
        self._sums: dict[tuple[str, int], NDArray[np.int64]] = {}

    def add(self, contig: str, position: NDArray[np.int32], counts: ShownCounts) -> None:
        """Add variants of a contig, which must follow those already added.

        Parameters
        ----------
        position
            (n,) int32, 1-based, in order.
        counts
            Of n variants.
        """
        if not len(position) or not self.pairs:
            return
        block = (position - 1) // self._bases
        starts = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(position)]
        for start, stop in pairwise(starts):
            of_sets = [_sums_of_pairs(counts, members, start, stop) for members in self._sets]
            self._add_block((contig, int(block[start])), np.concatenate(of_sets, axis=1))

    def include(self, other: "PairwiseFst") -> None:
        """Add what another one of the same pairs has added up, of variants that follow."""
        for block, sums in other._sums.items():  # noqa: SLF001 - one of its kind
            self._add_block(block, sums)

    def _add_block(self, block: tuple[str, int], sums: NDArray[np.int64]) -> None:
        if block in self._sums:
            self._sums[block] += sums
        else:
            self._sums[block] = sums

    def result(self) -> Differentiation:
        """Work out FST and its error from what was added."""
        empty = np.zeros((0, 3, len(self.pairs)), np.int64)
        sums = np.stack(list(self._sums.values())) if self._sums else empty
        variants = sums[:, 2]
        numerator, denominator = from_units(sums[:, 0]) / 2, from_units(sums[:, 1])
        results = [
            ratio_jackknife(*(part[variants[:, p] > 0, p] for part in (numerator, denominator)))
            for p in range(len(self.pairs))
        ]
        fst, error = np.array(results, np.float64).reshape(-1, 2).T
        return Differentiation(fst, error, variants.sum(axis=0), (variants > 0).sum(axis=0))


def _sums_of_pairs(
    counts: ShownCounts, members: NDArray[np.int64], start: int, stop: int
) -> NDArray[np.int64]:
    """Add up some rows for each pair of some groups.

    Returns
    -------
    (3, pairs) int64
        Twice the numerators, and the denominators, in parts of 2^-36; variants that both alleles are
        seen at.
    """
    size = len(members)
    between, within, varying = total = np.zeros((3, size, size), np.int64)
    of_variant, added = np.empty((5, size)), np.empty((3, size, size))
    for first in range(start, stop, _MOST_ROWS):
        last = min(first + _MOST_ROWS, stop)
        _add_pairs(counts.alt, counts.called, members, first, last, of_variant, added)
        total += added.astype(np.int64)
    chosen = np.triu_indices(size, 1)
    between, within, varying = ((each + each.T)[chosen] for each in (between, within, varying))
    return np.stack([2 * between - within, between, varying // 2])


@compiled(
    nb.void(
        READ_COUNTS,
        READ_COUNTS,
        READ_I8,
        nb.i8,
        nb.i8,
        nb.f8[:, ::1],
        nb.f8[:, :, ::1],
    )
)
def _add_pairs(alt, called, members, start, stop, of_variant, added):  # type: ignore[no-untyped-def]
    """Add up rows for each group of a row and each of a column; a pair's sums are those of both orders.

    `added` gets ``p1 q2`` and ``h1`` in parts of 2^-36, and counts which add up to twice the variants at
    which both alleles are seen. All are whole numbers below 2^53, which float64 adds without rounding.
    """
    size = len(members)
    added[:] = 0.0
    for i in range(start, stop):
        for k in range(size):
            copies, n = alt[i, members[k]], called[i, members[k]]
            of_variant[0, k] = of_variant[1, k] = of_variant[2, k] = 0.0
            of_variant[3, k] = of_variant[4, k] = 0.0
            if n < FEWEST_CALLED:
                continue
            of_variant[2, k] = 1.0
            if copies == 0:
                of_variant[1, k] = 1.0
                of_variant[3, k] = of_variant[4, k] = 2.0
            elif copies == n:
                of_variant[0, k] = 1.0
                of_variant[3, k] = 2.0
            else:
                of_variant[0, k] = float(copies) / float(n)
                of_variant[1, k] = float(n - copies) / float(n)
                of_variant[3, k] = 1.0
        for k in range(size):
            if of_variant[0, k] == 0.0:
                continue
            frequency = of_variant[0, k] * UNITS
            if of_variant[0, k] == 1.0:
                for j in range(size):
                    added[0, k, j] += np.rint(frequency * of_variant[1, j])
                    added[2, k, j] += of_variant[4, j]
                continue
            differ = difference_in_units(alt[i, members[k]], called[i, members[k]])
            for j in range(size):
                added[0, k, j] += np.rint(frequency * of_variant[1, j])
                added[1, k, j] += differ * of_variant[2, j]
                added[2, k, j] += of_variant[3, j]


def ratio_jackknife(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64]
) -> tuple[float, float]:
    """Give the ratio of two sums, and its standard error by leaving out each block in turn.

    The error is that of ``allel.stats.misc.jackknife``: ``sqrt((n - 1) / n * sum((r_i - mean(r))^2))``,
    r_i being the ratio without block i; blocks have equal weights.

    Parameters
    ----------
    numerator, denominator
        (n,) float64: sums over each block.

    Returns
    -------
    ratio, standard_error : float
        NaN where they cannot be told: nothing to divide by, or fewer than two blocks.
    """
    n, total, divisor = len(numerator), numerator.sum(), denominator.sum()
    if not divisor > 0:
        return np.nan, np.nan
    ratio = float(total / divisor)
    left = divisor - denominator
    if n < 2 or not (left > 0).all():
        return ratio, np.nan
    without = (total - numerator) / left
    return ratio, float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
