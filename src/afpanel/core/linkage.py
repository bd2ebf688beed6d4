"""How many independent variants linked ones are worth, from the genotypes of some people.

An attacker who takes linked variants for independent ones gains no more than from ``m² / Σ r²`` of them,
the sum being over all pairs, each variant with itself among them. One who knows the linkage can weigh it
down: with λ the eigenvalues of the variants' correlations, and a ridge κ, as from
``[Σ λ/(λ+κ)]² / Σ [λ/(λ+κ)]²``. That grows as κ falls, and reaches the number of eigenvalues above 0:
the variants themselves, but for those that others tell. So no attacker gains more than from m.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING

WINDOW = 512
"""Consecutive variants that are looked at together."""

RIDGES = (1e-3, 1e-2, 0.1, 1.0, 10.0)
"""Ridges κ; below the first, a tenth of a percent of a variant's variance, is less than errors of calls."""

_BLOCK = 256


@dataclass(frozen=True)
class Scaled:
    """Copies of variants, centred and scaled to a variance of 1.

    Parameters
    ----------
    values
        (variants, people) float64: 0, the mean, where there is no call, and for everybody where all are alike.
    mean, deviation
        (variants,) float64: mean copies of who has a call, and the deviation of everybody from it.
    """

    values: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @property
    def varies(self) -> NDArray[np.bool_]:
        """(variants,) bool: at which these people differ."""
        return self.deviation > 0


def scaled(copies: NDArray[np.int8]) -> Scaled:
    """Centre the copies of each variant, and scale them to a variance of 1.

    Parameters
    ----------
    copies
        (variants, people) int8; -1 where there is no call.
    """
    values = copies.astype(np.float64)
    missing = copies == MISSING
    values[missing] = 0
    mean = values.sum(axis=1) / np.maximum(copies.shape[1] - missing.sum(axis=1), 1)
    values -= mean[:, None]
    values[missing] = 0
    deviation = np.sqrt(np.einsum("vp,vp->v", values, values) / max(copies.shape[1], 1))
    values /= np.where(deviation > 0, deviation, 1)[:, None]
    return Scaled(values, mean, deviation)


def block_size(people: int) -> int:
    """Choose how many variants have their linkage worked out from so many people: at most half."""
    return max(1, min(_BLOCK, people // 2))


@dataclass(frozen=True)
class Linkage:
    """How linked the variants of a group are; sums over variants, from which nobody can be told.

    Parameters
    ----------
    people
        People whose genotypes it is from.
    variants
        m, variants at which they differ.
    within
        Sum of r² of a variant with itself and those of its window, mean over variants.
    within_error
        Standard error of it, from the differences between windows; NaN of fewer than two.
    between
        r² of two variants of different windows, mean over pairs.
    ridge_sums
        Of each of `RIDGES`, Σ λ/(λ+κ) and Σ [λ/(λ+κ)]².
    """

    people: int
    variants: int
    within: float
    within_error: float
    between: float
    ridge_sums: tuple[tuple[float, float], ...]

    def effective(self, variants: float) -> float:
        """Give ``m² / Σ r²`` of so many variants that are as linked as these."""
        return variants / (self.within + variants * self.between) if variants else 0.0

    def effective_if_known(self, variants: float) -> float:
        """Give the effective number for an attacker who knows the linkage, the ridge being the best.

        That is what these people's genomes tell of it. It is never below `effective`, nor above the
        number of variants.
        """
        if not self.variants:
            return variants
        shares = [total**2 / squares / self.variants for total, squares in self.ridge_sums]
        return max(self.effective(variants), variants * min(max(shares), 1.0))


class LinkageSums:
    """Adds up linkage, window by window.

    Memory is people squared, besides a window.

    Parameters
    ----------
    people
        N, how many there are; three or more.
    """

    def __init__(self, people: int) -> None:
        self._people = people
        self._block = block_size(people)
        self._similarity = np.zeros((people, people))
        self._windows: list[tuple[int, float]] = []
        self._ridge_sums = np.zeros((len(RIDGES), 2))

    def add(self, copies: NDArray[np.int8]) -> None:
        """Add a window: (variants, people) int8, consecutive variants."""
        of = scaled(copies)
        values = of.values if of.varies.all() else of.values[of.varies]
        n = len(values)
        if not n:
            return
        similarity = values.T @ values
        # People by people or variants by variants, the squares add up to the same.
        squares = float(np.vdot(similarity, similarity)) / self._people**2
        self._windows.append((n, self._unbiased(squares - n, n * (n - 1))))
        self._similarity += similarity
        for start in range(0, n, self._block):
            block = values[start : start + self._block]
            eigenvalues = np.linalg.eigvalsh(block @ block.T / self._people)
            kept = np.maximum(eigenvalues, 0)[None, :]
            share = kept / (kept + np.array(RIDGES)[:, None])
            self._ridge_sums += np.stack([share.sum(axis=1), (share**2).sum(axis=1)], axis=1)

    def result(self) -> Linkage:
        """Give what the windows add up to."""
        sizes, sums = np.array(self._windows or [(0, 0.0)]).T
        m = int(sizes.sum())
        if not m:
            return Linkage(self._people, 0, 1.0, np.nan, 0.0, tuple((0.0, 0.0) for _ in RIDGES))
        linked = sums.sum() / m
        pairs = m * (m - 1) - float((sizes * (sizes - 1)).sum())
        squares = float(np.vdot(self._similarity, self._similarity)) / self._people**2
        all_pairs = self._unbiased(squares - m, m * (m - 1))
        between = (all_pairs - sums.sum()) / pairs if pairs else 0.0
        n = len(sizes)
        spread = ((sums - linked * sizes) ** 2).sum()
        error = np.sqrt(spread * n / (n - 1)) / m if n > 1 else np.nan
        return Linkage(
            people=self._people,
            variants=m,
            within=1 + max(float(linked), 0.0),
            within_error=float(error),
            between=max(float(between), 0.0),
            ridge_sums=tuple((float(one), float(two)) for one, two in self._ridge_sums),
        )

    def _unbiased(self, squares: float, pairs: int) -> float:
        """Take from the sum of r² over pairs what it is among so few people by chance, 1/N each."""
        return squares - (pairs - squares) / (self._people - 2)
