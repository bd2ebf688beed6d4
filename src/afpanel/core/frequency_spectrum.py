"""How many variants are how frequent in each group: the folded site frequency spectrum.

It is folded, that is of the rarer allele, because a panel does not know which allele is ancestral.
"""

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.shown_counts import ShownCounts

MOST_COPIES = 10
"""Copies of the rarer allele up to which variants are counted by copies, beyond by frequency."""

FREQUENCIES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Bounds of the classes of frequency: above one bound, up to and with the next."""

STATES = ("masked", "not_callable", "not_called", "monomorphic")
"""Classes without a minor allele: withheld; not callable; callable, with AN below 2; one allele only."""

CLASSES = len(STATES) + MOST_COPIES + len(FREQUENCIES) - 1
"""All classes, in this order; every variant is in one of them."""


class FrequencySpectrum:
    """Counts variants by class, for each of g groups.

    Attributes
    ----------
    variants
        (g, `CLASSES`) int64: `STATES`, then 1 to `MOST_COPIES` copies, then `FREQUENCIES`.
    """

    def __init__(self, groups: int) -> None:
        self.variants: NDArray[np.int64] = np.zeros((groups, CLASSES), np.int64)

    def add(self, shown: ShownCounts, counts: ReleasedCounts) -> None:
        """Add variants."""
        import allel  # noqa: PLC0415 - a second of start-up that other commands do not need

        comparable = shown.comparable
        first, beyond = len(STATES), len(STATES) + MOST_COPIES
        self.variants[:, 0] += (counts.state == State.MASKED).sum(axis=0)
        self.variants[:, 1] += (counts.state == State.NOT_CALLABLE).sum(axis=0)
        self.variants[:, 2] += (shown.shown & ~comparable).sum(axis=1)
        for g in range(len(self.variants)):
            rows = np.flatnonzero(comparable[g])
            if not len(rows):
                continue
            few = allel.sfs_folded(shown.alleles(g, rows))[: MOST_COPIES + 1]
            self.variants[g, 3] += few[0]
            self.variants[g, first : first + len(few) - 1] += few[1:]
            called = shown.called[g, rows]
            copies = np.minimum(shown.alt[g, rows], called - shown.alt[g, rows])
            many = copies > MOST_COPIES
            found = np.searchsorted(FREQUENCIES, copies[many] / called[many], side="left") - 1
            self.variants[g, beyond:] += np.bincount(found, minlength=CLASSES - beyond)
