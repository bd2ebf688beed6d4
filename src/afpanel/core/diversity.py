"""How diverse each group is: heterozygosity, variants that segregate, and the kind of base changes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.shown_counts import ShownCounts, from_units, to_units
from afpanel.core.variants import Variants

_TRANSITIONS = tuple((ord(a), ord(b)) for a, b in ("AG", "GA", "CT", "TC"))
_BASES = tuple(map(ord, "ACGT"))


class Diversity:
    """Adds up the diversity of g groups over variants at which everybody has two copies.

    Parameters
    ----------
    people
        People in each group.

    Attributes
    ----------
    variants, segregating
        (g,) int64: variants with AN of 2 or more; those of them where ALT is seen, and not alone.
    complete
        (g,) int64: variants at which AN is twice the number of people: all were called in full, so
        that the heterozygous ones are AC minus two for each homozygous one.
    transitions, transversions
        (g,) int64: segregating variants of a single base, by the kind of change.
    """

    def __init__(self, people: Sequence[int]) -> None:
        self._people = np.array(people, np.int64)
        self._expected, self._expected_complete, self._heterozygous = (
            np.zeros(len(people), np.int64) for _ in range(3)
        )
        self.variants, self.segregating, self.complete = (
            np.zeros(len(people), np.int64) for _ in range(3)
        )
        self.transitions, self.transversions = (np.zeros(len(people), np.int64) for _ in range(2))
        self._untold = np.zeros(len(people), np.bool_)

    def add(self, variants: Variants, shown: ShownCounts, counts: ReleasedCounts) -> None:
        """Add variants, and their counts as a panel has them."""
        import allel  # noqa: PLC0415 - a second of start-up that other commands do not need

        comparable, segregating = shown.comparable, shown.segregating
        complete = comparable & (shown.called == 2 * self._people[:, None])
        homozygous = counts.homozygote_count.T.astype(np.int64)
        transition, transversion = base_changes(variants)
        for g in range(len(self._people)):
            # Where all alleles are the same the difference is 0.
            rows = np.flatnonzero(segregating[g])
            # With these counts the mean pairwise difference is the unbiased 2pq AN / (AN - 1).
            expected = to_units(allel.mean_pairwise_difference(shown.alleles(g, rows)))
            self._expected[g] += int(expected.sum())
            self._expected_complete[g] += int(expected[complete[g, rows]].sum())
        untold = complete & (homozygous < 0)
        heterozygous = np.where(complete & ~untold, shown.alt - 2 * homozygous, 0)
        self._heterozygous += heterozygous.sum(axis=1)
        self._untold |= untold.any(axis=1)
        self.variants += comparable.sum(axis=1)
        self.segregating += segregating.sum(axis=1)
        self.complete += complete.sum(axis=1)
        self.transitions += segregating[:, transition].sum(axis=1)
        self.transversions += segregating[:, transversion].sum(axis=1)

    @property
    def expected_heterozygosity(self) -> NDArray[np.float64]:
        """(g,) float64: chance that two alleles of a group differ, mean over variants; NaN of none."""
        return _ratio(from_units(self._expected), self.variants)

    @property
    def expected_heterozygosity_complete(self) -> NDArray[np.float64]:
        """(g,) float64: the same over the complete variants alone."""
        return _ratio(from_units(self._expected_complete), self.complete)

    @property
    def observed_heterozygosity_complete(self) -> NDArray[np.float64]:
        """(g,) float64: share of people who are heterozygous, mean over the complete variants.

        NaN where the homozygous ones of a complete variant are withheld.
        """
        ratio = _ratio(self._heterozygous, self.complete * self._people)
        return np.where(self._untold, np.nan, ratio)

    @property
    def transition_ratio(self) -> NDArray[np.float64]:
        """(g,) float64: transitions for each transversion; NaN without transversions."""
        return _ratio(self.transitions, self.transversions)


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
