"""Which variants groups have in common, and which one group has alone."""

from collections.abc import Mapping, Sequence

import numba as nb
import numpy as np

from afpanel.core.compiled import I8, READ_I8, compiled, count_ones
from afpanel.core.shown_counts import READ_COUNTS, ShownCounts
from afpanel.model.groups import GroupKind

_WORD = 64


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
        rows, groups = shown.alt.shape
        bits = np.empty((2, groups, -(-rows // _WORD)), np.uint64)
        _pack(shown.called, shown.alt, bits)
        _count_both(bits, self.both_shown, self.alt_here, self.alt_in_both)
        for kind, members in self._kinds.items():
            here = np.array(members, np.int64)
            _find_alone(shown.called, shown.alt, here, self.private[kind], self.undetermined[kind])

    def include(self, other: "Sharing") -> None:
        """Add what another one of the same groups has counted."""
        self.both_shown += other.both_shown
        self.alt_here += other.alt_here
        self.alt_in_both += other.alt_in_both
        for kind in self._kinds:
            self.private[kind] += other.private[kind]
            self.undetermined[kind] += other.undetermined[kind]


@compiled(nb.void(READ_COUNTS, READ_COUNTS, nb.u8[:, :, ::1]))
def _pack(called, alt, bits):  # type: ignore[no-untyped-def]
    """Write which variants have called alleles in each group, and which have ALT, a bit each."""
    for word in range(bits.shape[2]):
        first = word * _WORD
        for g in range(bits.shape[1]):
            known = seen = np.uint64(0)
            for i in range(min(_WORD, len(called) - first)):
                known |= np.uint64(called[first + i, g] > 0) << np.uint64(i)
                seen |= np.uint64(alt[first + i, g] > 0) << np.uint64(i)
            bits[0, g, word], bits[1, g, word] = known, seen


@compiled(nb.void(nb.u8[:, :, ::1], nb.i8[:, ::1], nb.i8[:, ::1], nb.i8[:, ::1]))
def _count_both(bits, both_shown, alt_here, alt_in_both):  # type: ignore[no-untyped-def]
    """Count, for each group of a row and each of a column, the variants that are known or seen in both."""
    words = bits.shape[2]
    for one in range(bits.shape[1]):
        for other in range(bits.shape[1]):
            shown = here = both = np.int64(0)
            for word in range(words):
                here += count_ones(bits[1, one, word] & bits[0, other, word])
            alt_here[one, other] += here
            if other < one:
                continue
            for word in range(words):
                shown += count_ones(bits[0, one, word] & bits[0, other, word])
                both += count_ones(bits[1, one, word] & bits[1, other, word])
            both_shown[one, other] += shown
            alt_in_both[one, other] += both
            if other > one:
                both_shown[other, one] += shown
                alt_in_both[other, one] += both


@compiled(nb.void(READ_COUNTS, READ_COUNTS, READ_I8, I8, I8))
def _find_alone(called, alt, members, private, undetermined):  # type: ignore[no-untyped-def]
    """Count the variants that one group alone has, by whether all others are known not to have it."""
    for i in range(len(called)):
        seen, certain, last = 0, True, 0
        for k in range(len(members)):
            if called[i, members[k]] <= 0:
                certain = False
            elif alt[i, members[k]] > 0:
                seen += 1
                last = k
                if seen > 1:
                    break
        if seen == 1:
            private[last] += certain
            undetermined[last] += not certain
