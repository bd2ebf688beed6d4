"""How diverse each group is: heterozygosity, variants that segregate, and the kind of base changes."""

from collections.abc import Sequence

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.core.compiled import READ_I8, compiled
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.shown_counts import (
    FEWEST_CALLED,
    READ_COUNTS,
    ShownCounts,
    difference_in_units,
    from_units,
)
from afpanel.core.variants import Variants

_TRANSITIONS = tuple((ord(a), ord(b)) for a, b in ("AG", "GA", "CT", "TC"))
_BASES = tuple(map(ord, "ACGT"))

_SUMS = (
    "variants",
    "segregating",
    "transitions",
    "transversions",
    "complete",
    "expected",
    "expected_complete",
    "heterozygous",
    "untold",
)
"""What is added up for each group; `_add` knows them by their places."""


class Diversity:
    """Adds up the diversity of g groups over variants at which everybody has two copies.

    Parameters
    ----------
    people
        People in each group.
    """

    def __init__(self, people: Sequence[int]) -> None:
        self._people = np.array(people, np.int64)
        self._sums = np.zeros((len(people), len(_SUMS)), np.int64)

    def add(self, variants: Variants, shown: ShownCounts, counts: ReleasedCounts) -> None:
        """Add variants, and their counts as a panel has them."""
        change = np.zeros(len(variants), np.int8)
        for number, chosen in enumerate(base_changes(variants), start=1):
            change[chosen] = number
        homozygous = np.ascontiguousarray(counts.homozygote_count, np.int32)
        _add(shown.alt, shown.called, homozygous, self._people, change, self._sums)

    def include(self, other: "Diversity") -> None:
        """Add what another one of the same groups has added up."""
        self._sums += other._sums  # noqa: SLF001 - one of its kind

    def _sum(self, name: str) -> NDArray[np.int64]:
        return self._sums[:, _SUMS.index(name)]

    @property
    def variants(self) -> NDArray[np.int64]:
        """(g,) int64: variants with AN of 2 or more."""
        return self._sum("variants")

    @property
    def segregating(self) -> NDArray[np.int64]:
        """(g,) int64: those of them where ALT is seen, and not alone."""
        return self._sum("segregating")

    @property
    def transitions(self) -> NDArray[np.int64]:
        """(g,) int64: segregating variants that exchange a purine for the other, or a pyrimidine."""
        return self._sum("transitions")

    @property
    def transversions(self) -> NDArray[np.int64]:
        """(g,) int64: segregating variants of a single base that exchange one for the other."""
        return self._sum("transversions")

    @property
    def complete(self) -> NDArray[np.int64]:
        """(g,) int64: variants at which AN is twice the number of people.

        All were called in full, so that the heterozygous ones are AC minus two for each homozygous one.
        """
        return self._sum("complete")

    @property
    def expected_heterozygosity(self) -> NDArray[np.float64]:
        """(g,) float64: chance that two alleles of a group differ, mean over variants; NaN of none."""
        return _ratio(from_units(self._sum("expected")), self.variants)

    @property
    def expected_heterozygosity_complete(self) -> NDArray[np.float64]:
        """(g,) float64: the same over the complete variants alone."""
        return _ratio(from_units(self._sum("expected_complete")), self.complete)

    @property
    def observed_heterozygosity_complete(self) -> NDArray[np.float64]:
        """(g,) float64: share of people who are heterozygous, mean over the complete variants.

        NaN where the homozygous ones of a complete variant are withheld.
        """
        ratio = _ratio(self._sum("heterozygous"), self.complete * self._people)
        return np.where(self._sum("untold") > 0, np.nan, ratio)

    @property
    def transition_ratio(self) -> NDArray[np.float64]:
        """(g,) float64: transitions for each transversion; NaN without transversions."""
        return _ratio(self.transitions, self.transversions)


@compiled(
    nb.void(
        READ_COUNTS,
        READ_COUNTS,
        READ_COUNTS,
        READ_I8,
        nb.types.Array(nb.i1, 1, "C", readonly=True),
        nb.i8[:, ::1],
    )
)
def _add(alt, called, homozygous, people, change, sums):  # type: ignore[no-untyped-def]
    for i in range(alt.shape[0]):
        for g in range(alt.shape[1]):
            copies, n = np.int64(alt[i, g]), np.int64(called[i, g])
            if n < FEWEST_CALLED:
                continue
            sums[g, 0] += 1
            expected = np.int64(0)  # where all alleles are the same
            if 0 < copies < n:
                expected = np.int64(difference_in_units(copies, n))
                sums[g, 1] += 1
                sums[g, 2] += change[i] == 1
                sums[g, 3] += change[i] == 2
                sums[g, 5] += expected
            if n == 2 * people[g]:
                sums[g, 4] += 1
                sums[g, 6] += expected
                if homozygous[i, g] < 0:
                    sums[g, 8] += 1
                else:
                    sums[g, 7] += copies - 2 * homozygous[i, g]


def base_changes(variants: Variants) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which variants are transitions and which transversions; (n,) bool each."""
    ref, alt = variants.ref.only, variants.alt.only
    single = np.isin(ref, _BASES) & np.isin(alt, _BASES)
    transition = np.zeros(len(variants), np.bool_)
    for one, other in _TRANSITIONS:
        transition |= (ref == one) & (alt == other)
    return transition, single & ~transition


def _ratio(above: NDArray[np.generic], below: NDArray[np.int64]) -> NDArray[np.float64]:
    ratio = np.full(len(below), np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio
