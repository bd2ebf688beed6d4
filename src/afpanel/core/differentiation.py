"""How far groups have drifted apart: Hudson's FST of pairs, with the error of a block jackknife.

Hudson's estimator and the ratio of averages are those of Bhatia, Patterson, Sankararaman and Price,
Genome Research 23:1514 (2013), equation 10; scikit-allel works out its numerator and denominator.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.core.shown_counts import ShownCounts, from_units, to_units

BLOCK_BASES = (
    5_000_000, 2_000_000, 1_000_000, 500_000, 200_000, 100_000, 50_000, 20_000, 10_000
)  # fmt: skip
"""Lengths that blocks of the jackknife may have; each is a multiple of the last."""

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

    Parameters
    ----------
    pairs
        The groups of each pair.
    block_bases
        Length of a block; block i of a contig begins at base ``i * block_bases + 1``.
    """

    def __init__(self, pairs: Sequence[tuple[int, int]], block_bases: int) -> None:
        self._pairs = list(pairs)
        self._bases = block_bases
        self._blocks: list[tuple[str, int]] = []
        self._sums: list[NDArray[np.int64]] = []

    def add(self, contig: str, position: NDArray[np.int32], counts: ShownCounts) -> None:
        """Add variants of a contig, which must follow those already added.

        Parameters
        ----------
        position
            (n,) int32, 1-based, in order.
        counts
            Of n variants.
        """
        import allel  # noqa: PLC0415 - a second of start-up that other commands do not need

        if not len(position) or not self._pairs:
            return
        numbers, block = np.unique((position - 1) // self._bases, return_inverse=True)
        sums = np.zeros((3, len(numbers), len(self._pairs)), np.int64)
        comparable, has_alt = counts.comparable, counts.alt > 0
        has_other = counts.called > counts.alt
        for p, (one, other) in enumerate(self._pairs):
            # Where all alleles are the same both averages are 0.
            varies = (has_alt[one] | has_alt[other]) & (has_other[one] | has_other[other])
            rows = np.flatnonzero(varies & comparable[one] & comparable[other])
            averages = allel.hudson_fst(counts.alleles(one, rows), counts.alleles(other, rows))
            at = block[rows]
            for target, values in zip(sums[:2], averages, strict=True):
                added = np.bincount(at, to_units(values), len(numbers))
                target[:, p] = added.astype(np.int64)
            sums[2, :, p] = np.bincount(at, minlength=len(numbers))
        for b, number in enumerate(numbers.tolist()):
            if self._blocks[-1:] == [(contig, number)]:
                self._sums[-1] += sums[:, b]
            else:
                self._blocks.append((contig, number))
                self._sums.append(sums[:, b].copy())

    def result(self) -> Differentiation:
        """Work out FST and its error from what was added."""
        empty = np.zeros((0, 3, len(self._pairs)), np.int64)
        sums = np.stack(self._sums) if self._sums else empty
        variants = sums[:, 2]
        numerator, denominator = from_units(sums[:, 0]), from_units(sums[:, 1])
        results = [
            ratio_jackknife(*(part[variants[:, p] > 0, p] for part in (numerator, denominator)))
            for p in range(len(self._pairs))
        ]
        fst, error = np.array(results, np.float64).reshape(-1, 2).T
        return Differentiation(fst, error, variants.sum(axis=0), (variants > 0).sum(axis=0))


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
