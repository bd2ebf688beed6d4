"""How many variants are how frequent in each group: the folded site frequency spectrum.

It is folded, that is of the rarer allele, because a panel does not know which allele is ancestral.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.compiled import compiled
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.shown_counts import FEWEST_CALLED, READ_COUNTS, READ_STATES, ShownCounts

MOST_COPIES = 10
"""Copies of the rarer allele up to which variants are counted by copies, beyond by frequency."""

FREQUENCIES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Bounds of the classes of frequency: above one bound, up to and with the next."""

STATES = ("masked", "not_callable", "not_called", "monomorphic")
"""Classes without a minor allele: withheld; not callable; callable, with AN below 2; one allele only."""

CLASSES = len(STATES) + MOST_COPIES + len(FREQUENCIES) - 1
"""All classes, in this order; every variant is in one of them."""

_BOUNDS = np.array(FREQUENCIES)
_MASKED, _NOT_CALLABLE = nb.i1(State.MASKED), nb.i1(State.NOT_CALLABLE)


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
        state = np.ascontiguousarray(counts.state)
        _add(state, shown.alt, shown.called, _BOUNDS, self.variants)

    def include(self, other: "FrequencySpectrum") -> None:
        """Add what another one of the same groups has counted."""
        self.variants += other.variants


@compiled(
    nb.void(
        READ_STATES,
        READ_COUNTS,
        READ_COUNTS,
        nb.types.Array(nb.f8, 1, "C", readonly=True),
        nb.i8[:, ::1],
    )
)
def _add(state, alt, called, bounds, variants):  # type: ignore[no-untyped-def]
    for i in range(state.shape[0]):
        for g in range(state.shape[1]):
            n, copies = called[i, g], min(alt[i, g], called[i, g] - alt[i, g])
            if state[i, g] == _MASKED:
                found = 0
            elif state[i, g] == _NOT_CALLABLE:
                found = 1
            elif n < FEWEST_CALLED:
                found = 2
            elif copies <= MOST_COPIES:
                found = 3 + copies
            else:
                frequency = float(copies) / float(n)
                found = len(STATES) + MOST_COPIES
                while frequency > bounds[found - len(STATES) - MOST_COPIES + 1]:
                    found += 1
            variants[g, found] += 1
