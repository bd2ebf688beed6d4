"""What a panel shows of its groups: the allele counts that statistics of populations may use."""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.compiled import compiled, part
from afpanel.core.group_counts import ReleasedCounts

READ_COUNTS = nb.types.Array(nb.i4, 2, "C", readonly=True)
"""Type of `alt` and `called` for compiled loops."""

READ_STATES = nb.types.Array(nb.i1, 2, "C", readonly=True)
"""Type of states for them."""

FEWEST_CALLED = 2
"""Alleles of which two can differ; of fewer there is no diversity."""

UNITS = 2.0**36
"""Parts of 1 that statistics are added in: a sum of whole numbers does not depend on its order."""

_ABSENT, _OBSERVED = nb.i1(State.ABSENT_CALLABLE), nb.i1(State.OBSERVED)


@dataclass(frozen=True)
class ShownCounts:
    """Allele counts of n variants in g groups, without what is masked or not callable.

    Parameters
    ----------
    alt, called
        (n, g) int32: AC and AN; both 0 where a cell is not shown.
    shown
        (n, g) bool: absent-callable or observed.
    """

    alt: NDArray[np.int32]
    called: NDArray[np.int32]
    shown: NDArray[np.bool_]

    @classmethod
    def of(cls, counts: ReleasedCounts) -> "ShownCounts":
        """Take what is shown of a panel's counts."""
        state = np.ascontiguousarray(counts.state)
        tables = (counts.allele_count, counts.allele_number)
        alt, called = (np.empty(state.shape, np.int32) for _ in tables)
        shown = np.empty(state.shape, np.bool_)
        _take_shown(state, *(np.ascontiguousarray(t, np.int32) for t in tables), alt, called, shown)
        return cls(alt, called, shown)

    @property
    def segregating(self) -> NDArray[np.bool_]:
        """(n, g) bool: where the called alleles are ALT and others."""
        return (self.alt > 0) & (self.alt < self.called)


@compiled(
    nb.void(READ_STATES, READ_COUNTS, READ_COUNTS, nb.i4[:, ::1], nb.i4[:, ::1], nb.b1[:, ::1])
)
def _take_shown(state, count, number, alt, called, shown):  # type: ignore[no-untyped-def]
    for i in range(state.shape[0]):
        for g in range(state.shape[1]):
            is_shown = state[i, g] == _ABSENT or state[i, g] == _OBSERVED
            shown[i, g] = is_shown
            alt[i, g] = count[i, g] if is_shown else nb.i4(0)
            called[i, g] = number[i, g] if is_shown else nb.i4(0)


@part
def difference_in_units(alt, called):  # type: ignore[no-untyped-def]
    """Give the chance that two alleles of a group differ, rounded to a whole number of 2^-36.

    It is 2pq AN / (AN - 1), without bias; copies of all AN alleles are whole numbers below 2^53, so that
    only their ratio is rounded.
    """
    copies, n = float(alt), float(called)
    return np.rint(copies * (n - copies) / (n * (n - 1.0) / 2.0) * UNITS)


def from_units(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn sums of whole numbers of 2^-36 back; float64."""
    return sums / UNITS
