"""Which variants groups have in common, and which one group has alone."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from afpanel.core.shown_counts import ShownCounts
from afpanel.model.groups import GroupKind


class Sharing:
    """Counts shared and private variants of g groups.

    Parameters
    ----------
    groups
        Number of groups.
    kinds
        Groups that are compared with each other, by kind: a variant is private among them.

    Attributes
    ----------
    both_shown
        (g, g) int64: variants at which row and column are shown with AN above 0.
    alt_here
        (g, g) int64: those of them where ALT is seen in the group of the row.
    alt_in_both
        (g, g) int64: where it is seen in both.
    private, undetermined
        For each kind (groups of the kind,) int64: variants with ALT in one group, and with AC 0 and
        AN above 0 in all others; variants with ALT in one group, and in no other that is shown, while
        one or more are masked or not callable, so that nobody can tell.
    """

    def __init__(self, groups: int, kinds: Mapping[GroupKind, Sequence[int]]) -> None:
        self._kinds = {kind: list(members) for kind, members in kinds.items()}
        self.both_shown, self.alt_here, self.alt_in_both = (
            np.zeros((groups, groups), np.int64) for _ in range(3)
        )
        self.private, self.undetermined = (
            {kind: np.zeros(len(members), np.int64) for kind, members in self._kinds.items()}
            for _ in range(2)
        )

    def add(self, shown: ShownCounts) -> None:
        """Add variants."""
        known, seen = shown.called > 0, shown.alt > 0
        self.both_shown += _in_both(known, known)
        self.alt_here += _in_both(seen, known)
        self.alt_in_both += _in_both(seen, seen)
        for kind, members in self._kinds.items():
            seen_here, known_here = seen[members], known[members]
            alone = seen_here.sum(axis=0) == 1
            certain = known_here.all(axis=0)
            self.private[kind] += (seen_here & (alone & certain)).sum(axis=1)
            self.undetermined[kind] += (seen_here & (alone & ~certain)).sum(axis=1)


def _in_both(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count, for each row of the one and each of the other, where both are true; (g, g) int64."""
    bits, other_bits = np.packbits(one, axis=1), np.packbits(other, axis=1)
    counts = [np.bitwise_count(row & other_bits).sum(axis=1, dtype=np.int64) for row in bits]
    return np.stack(counts)
