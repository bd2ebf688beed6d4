"""Figures of the same variants and groups in two releases: what changed, and by how much."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.frequency import allele_frequency
from afpanel.core.group_counts import ReleasedCounts
from afpanel.model.arrays import COUNTS

_STEPS = 2.0**40
"""Changes of AF are added up in whole steps of 1/_STEPS, so that a sum does not depend on its order."""


def frequency_changes(old: ReleasedCounts, new: ReleasedCounts) -> NDArray[np.float64]:
    """Subtract the published AF of n variants and g groups.

    Returns
    -------
    (n, g) float64
        AF of `new` less that of `old`; NaN where either is missing.
    """
    before, after = (
        allele_frequency(each.allele_count, each.allele_number).astype(np.float64)
        for each in (old, new)
    )
    return after - before


def largest(change: NDArray[np.float64], top: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the cells whose AF changed most.

    Parameters
    ----------
    change
        (n, g) float64, NaN is missing.
    top
        How many to find.

    Returns
    -------
    rows, groups
        (k,) each, k at most `top`: by size of the change, and where it is the same by row and group.
        Cells without a change are not among them.
    """
    size = np.nan_to_num(np.abs(change)).ravel()
    found = np.flatnonzero(size)
    if len(found) > top > 0:
        least = np.partition(size[found], -top)[-top]
        found = found[size[found] >= least]
    found = found[np.argsort(-size[found], kind="stable")][:top]
    rows, groups = np.divmod(found, change.shape[1])
    return rows, groups


def _zeros(*shape: int) -> NDArray[np.int64]:
    return np.zeros(shape, np.int64)


@dataclass
class CellTally:
    """Counts of cells, a group at a variant, that two releases have in common; g groups.

    Parameters
    ----------
    n_groups
        g.
    small
        Changes of AC by fewer copies than this are counted as small.
    cells
        How many cells have been compared.
    changed
        (g,) int64: cells of which the state or a count is not the same.
    by_count
        (4,) int64: cells whose AC, AN, nhomalt, nhemialt are not the same, missing ones included.
    n_small
        (g,) int64: cells shown in both whose AC changed, by fewer copies than `small`.
    states
        (4, 4) int64: cells by their old state and their new one.
    compared
        (g,) int64: cells that have an AF in both.
    greatest
        (g,) float64: the greatest absolute change of AF; 0 if there is none.
    """

    n_groups: int
    small: int
    cells: int = 0
    changed: NDArray[np.int64] = field(init=False)
    by_count: NDArray[np.int64] = field(default_factory=lambda: _zeros(len(COUNTS)))
    n_small: NDArray[np.int64] = field(init=False)
    states: NDArray[np.int64] = field(default_factory=lambda: _zeros(len(State), len(State)))
    compared: NDArray[np.int64] = field(init=False)
    greatest: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.changed, self.n_small, self.compared, self._steps = (
            _zeros(self.n_groups) for _ in range(4)
        )
        self.greatest = np.zeros(self.n_groups)

    @property
    def state_changed(self) -> int:
        """Cells whose state is not the same."""
        return int(self.states.sum() - np.trace(self.states))

    @property
    def mean(self) -> NDArray[np.float64]:
        """(g,) float64: mean absolute change of AF; NaN where no cell has an AF in both."""
        result = np.full(self.n_groups, np.nan)
        np.divide(self._steps / _STEPS, self.compared, out=result, where=self.compared > 0)
        return result

    def add(self, old: ReleasedCounts, new: ReleasedCounts, change: NDArray[np.float64]) -> None:
        """Compare n variants; `change` is that of their AF, as `frequency_changes` gives it."""
        differs = old.state != new.state
        for i, name in enumerate(COUNTS):
            of_count = getattr(old, name) != getattr(new, name)
            self.by_count[i] += np.count_nonzero(of_count)
            differs |= of_count
        self.cells += differs.size
        self.changed += differs.sum(axis=0)
        pairs = old.state.astype(np.int64) * len(State) + new.state
        self.states += np.bincount(pairs.ravel(), minlength=self.states.size).reshape(
            self.states.shape
        )
        copies = np.abs(new.allele_count.astype(np.int64) - old.allele_count)
        shown = (old.allele_count >= 0) & (new.allele_count >= 0)
        self.n_small += (shown & (copies > 0) & (copies < self.small)).sum(axis=0)
        has_both = ~np.isnan(change)
        size = np.where(has_both, np.abs(change), 0.0)
        self.compared += has_both.sum(axis=0)
        self.greatest = np.maximum(self.greatest, size.max(axis=0, initial=0.0))
        self._steps += np.rint(size * _STEPS).astype(np.int64).sum(axis=0)
