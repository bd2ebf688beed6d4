"""What a panel shows of each group that a test of membership can use: kinds of cells, counted."""

from dataclasses import dataclass

import numpy as np

from afpanel.constants import State
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.shown_counts import ShownCounts

FEWEST = (2, 3, 5, 11, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
"""Limits of copies for which it is counted how many variants would be left."""


@dataclass(frozen=True)
class ShownCells:
    """What a panel shows of a group.

    Parameters
    ----------
    varying
        Cells that show ALT and something else.
    absent
        Cells that show one allele alone, where another group varies or is masked.
    masked
        Cells that are withheld.
    single
        Of `varying`, those in which the rarer allele has one copy.
    at_least
        Of `varying`, those in which it has as many copies as each of `FEWEST`, or more.
    """

    varying: int
    absent: int
    masked: int
    single: int
    at_least: tuple[int, ...]


class CellTally:
    """Counts the cells of each group, block by block.

    Rows at which no group varies, and none is masked, are left out: everybody is alike there.

    Parameters
    ----------
    groups
        How many groups there are.
    """

    def __init__(self, groups: int) -> None:
        self._varying, self._absent, self._masked, self._single = np.zeros((4, groups), np.int64)
        self._at_least = np.zeros((len(FEWEST), groups), np.int64)

    def add(self, counts: ReleasedCounts) -> None:
        """Add variants."""
        shown = ShownCounts.of(counts)
        varies = shown.segregating
        masked = counts.state == State.MASKED
        matters = varies.any(axis=1) | masked.any(axis=1)
        rarer = np.where(varies, np.minimum(shown.alt, shown.called - shown.alt), 0)
        self._varying += varies.sum(axis=0)
        self._absent += ((shown.called > 0) & ~varies & matters[:, None]).sum(axis=0)
        self._masked += masked.sum(axis=0)
        self._single += (rarer == 1).sum(axis=0)
        self._at_least += np.array([(rarer >= fewest).sum(axis=0) for fewest in FEWEST])

    def of(self, group: int) -> ShownCells:
        """Give what was counted of a group."""
        counted = (self._varying, self._absent, self._masked, self._single)
        varying, absent, masked, single = (int(each[group]) for each in counted)
        at_least = tuple(self._at_least[:, group].tolist())
        return ShownCells(varying, absent, masked, single, at_least)
