"""Principal components of groups, from the frequencies of common variants."""

from collections.abc import Sequence
from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.core.compiled import I8, READ_I8, compiled
from afpanel.core.shown_counts import READ_COUNTS, ShownCounts

MOST_VARIANTS = 20_000
"""Common variants that components are worked out from, at most."""

MOST_COMPONENTS = 10

LEAST_FREQUENCY = 0.05
"""Frequency of the rarer allele, mean over the groups, from which a variant is common."""

_NOTHING = 1e-9
"""Share of variance below which a component is what rounding left."""


class CommonVariants:
    """Keeps the frequencies of common variants at which every group is shown, evenly thinned.

    Of the variants that qualify every first, second, fourth … is kept, whichever leaves no more than
    `MOST_VARIANTS`; so the choice depends on their order alone.

    Parameters
    ----------
    groups
        The groups, as columns of the counts.
    most
        Variants to keep at most.
    """

    def __init__(self, groups: Sequence[int], most: int = MOST_VARIANTS) -> None:
        self._groups = list(groups)
        self._most = most
        self._stride = 1
        self._found = 0
        self._number = np.empty(0, np.int64)
        self.frequency: NDArray[np.float64] = np.empty((0, len(self._groups)))
        """(variants, groups) float64: frequencies of ALT."""

    def add(self, shown: ShownCounts) -> None:
        """Add variants, which must follow those already added."""
        self.keep(self.find(shown))

    def find(self, shown: ShownCounts) -> NDArray[np.float64]:
        """Find the common ones among some variants; their frequencies, (common, groups) float64."""
        common = np.empty(len(shown.alt), np.int64)
        members = np.array(self._groups, np.int64)
        found = _find_common(shown.called, shown.alt, members, common) if len(members) else 0
        rows = common[:found, None]
        frequency: NDArray[np.float64] = shown.alt[rows, members] / shown.called[rows, members]
        return frequency

    def keep(self, frequency: NDArray[np.float64]) -> None:
        """Add common variants that follow those already added, as `find` gives them."""
        number = self._found + np.arange(len(frequency))
        self._found += len(number)
        self._number = np.concatenate([self._number, number])
        self.frequency = np.concatenate([self.frequency, frequency])
        while -(-self._found // self._stride) > self._most:
            self._stride *= 2
        kept = self._number % self._stride == 0
        self._number, self.frequency = self._number[kept], self.frequency[kept]


@compiled(nb.i8(READ_COUNTS, READ_COUNTS, READ_I8, I8))
def _find_common(called, alt, members, common):  # type: ignore[no-untyped-def]
    """List the variants that all groups show, and that are common in their mean; how many they are."""
    found = 0
    for i in range(len(called)):
        total = 0.0
        for k in range(len(members)):
            n = called[i, members[k]]
            if n <= 0:
                total = -1.0
                break
            copies = alt[i, members[k]]
            if copies > 0:
                total += float(copies) / float(n)
        mean = total / float(len(members))
        if mean >= LEAST_FREQUENCY and mean <= 1.0 - LEAST_FREQUENCY:
            common[found] = i
            found += 1
    return found


@dataclass(frozen=True)
class Components:
    """Principal components of g groups.

    Parameters
    ----------
    coordinates
        (g, c) float64: place of each group on each component. The squares of the differences between
        two groups add up to those of their scaled frequencies, over all variants.
    explained
        (c,) float64: share of the variance that each component explains.
    """

    coordinates: NDArray[np.float64]
    explained: NDArray[np.float64]


def principal_components(frequency: NDArray[np.float64]) -> Components:
    """Find the axes along which groups differ most.

    Each variant is centred on its mean p over the groups and divided by ``sqrt(p (1 - p))``, in which
    drift moves all variants alike (Patterson, Price and Reich, PLoS Genetics 2:e190, 2006, for people
    in place of groups). Of each component the first group that is farthest from 0, to a millionth,
    has a positive coordinate.

    Parameters
    ----------
    frequency
        (variants, groups) float64: as `CommonVariants` has them.

    Returns
    -------
    Components
        At most `MOST_COMPONENTS`; none where there are fewer than two groups, or none differ.
    """
    import allel  # noqa: PLC0415 - a second of start-up that other commands do not need

    n, groups = frequency.shape
    nothing = Components(np.empty((groups, 0)), np.empty(0))
    if groups < 2 or not n:
        return nothing
    mean = frequency.mean(axis=1, keepdims=True)
    scaled = (frequency - mean) / np.sqrt(mean * (1 - mean))
    if not np.abs(scaled).max() > _NOTHING:
        return nothing
    coordinates, model = allel.pca(scaled, n_components=min(MOST_COMPONENTS, groups), scaler=None)
    explained = model.explained_variance_ratio_
    real = explained > _NOTHING
    coordinates, explained = coordinates[:, real], explained[real]
    distance = np.abs(coordinates)
    farthest = np.argmax(distance >= distance.max(axis=0) * (1 - 1e-6), axis=0)
    signs = np.sign(coordinates[farthest, np.arange(len(explained))])
    return Components(coordinates * signs, explained)
