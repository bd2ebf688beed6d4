"""What a panel shows of its groups: the allele counts that statistics of populations may use."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.group_counts import ReleasedCounts

_FEWEST_CALLED = 2
"""Alleles of which two can differ; of fewer there is no diversity."""

_UNITS = 2.0**36
"""Parts of 1 that statistics are added in: a sum of whole numbers does not depend on its order."""


@dataclass(frozen=True)
class ShownCounts:
    """Allele counts of n variants in g groups, without what is masked or not callable.

    Groups come first, unlike in a store: statistics go along the variants of a group.

    Parameters
    ----------
    alt, called
        (g, n) int64: AC and AN; both 0 where a cell is not shown. 64 bits because pairs are counted:
        AN squared.
    shown
        (g, n) bool: absent-callable or observed.
    """

    alt: NDArray[np.int64]
    called: NDArray[np.int64]
    shown: NDArray[np.bool_]

    @classmethod
    def of(cls, counts: ReleasedCounts) -> "ShownCounts":
        """Take what is shown of a panel's counts."""
        state = np.ascontiguousarray(counts.state.T)
        shown = (state == State.ABSENT_CALLABLE) | (state == State.OBSERVED)
        alt, called = (
            np.where(shown, values.T, 0).astype(np.int64, order="C")
            for values in (counts.allele_count, counts.allele_number)
        )
        return cls(alt, called, shown)

    @property
    def comparable(self) -> NDArray[np.bool_]:
        """(g, n) bool: where two alleles or more are called."""
        return self.called >= _FEWEST_CALLED

    @property
    def segregating(self) -> NDArray[np.bool_]:
        """(g, n) bool: where the called alleles are ALT and others."""
        return (self.alt > 0) & (self.alt < self.called)

    def alleles(self, group: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give scikit-allel the counts of a group.

        Returns
        -------
        (rows, 2) int64
            Copies of every other allele, and of ALT; each column is contiguous, since scikit-allel
            adds columns up.
        """
        alt = self.alt[group, rows]
        return np.stack([self.called[group, rows] - alt, alt]).T


def to_units(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round statistics, of which none is beyond 1, to whole numbers of 2^-36.

    Up to 2^17 of them add up to less than 2^53, and so without rounding.
    """
    return np.rint(values * _UNITS)


def from_units(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn sums of `to_units` back; float64."""
    return sums / _UNITS
