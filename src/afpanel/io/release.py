"""What a release consists of, whatever its format: its head, and blocks of figures."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.filtering_frequency import filtering_frequency
from afpanel.core.frequency import allele_frequency
from afpanel.core.group_counts import GroupCounts
from afpanel.core.variants import Variants
from afpanel.model.figures import AF, FAF95, FAF99, Figure


@dataclass(frozen=True)
class ReleaseHead:
    """What the files of a release say about themselves.

    Parameters
    ----------
    name, version
        Of the panel.
    build
        Genome build.
    contigs
        Lengths of the contigs, in order.
    groups
        Names of the published groups, in order.
    people
        People in each group.
    """

    name: str
    version: str
    build: str
    contigs: dict[str, int]
    groups: list[str]
    people: list[int]


@dataclass(frozen=True)
class ReleaseBlock:
    """Consecutive variants of one contig, and all their figures.

    Parameters
    ----------
    contig
        Name of the contig.
    variants
        n variants.
    counts
        Their counts in g groups; the first group is the total.
    frequencies
        Those figures that are fractions, by the name of their array, (n, g) float32.
    """

    contig: str
    variants: Variants
    counts: GroupCounts
    frequencies: dict[str, NDArray[np.float32]]

    @classmethod
    def of(cls, contig: str, variants: Variants, counts: GroupCounts) -> "ReleaseBlock":
        """Derive the frequencies from the counts that are published, so that they tell no more."""
        ac, an = counts.allele_count, counts.allele_number
        frequencies = {
            AF.array: allele_frequency(ac, an),
            FAF95.array: filtering_frequency(ac, an, 0.95).astype(np.float32),
            FAF99.array: filtering_frequency(ac, an, 0.99).astype(np.float32),
        }
        return cls(contig, variants, counts, frequencies)

    @property
    def no_alt_left(self) -> NDArray[np.bool_]:
        """(n,) bool: variants whose FILTER is AC0, since nobody counted carries ALT."""
        nobody: NDArray[np.bool_] = np.equal(self.counts.allele_count[:, 0], 0)
        return nobody

    def values(self, figure: Figure) -> NDArray[np.int32] | NDArray[np.float32]:
        """Get a figure's values, (n, g)."""
        if figure.is_frequency:
            return self.frequencies[figure.array]
        values: NDArray[np.int32] = getattr(self.counts, figure.array)
        return values

    def missing(self, figure: Figure) -> NDArray[np.bool_]:
        """Tell which of a figure's values are missing, (n, g) bool."""
        values = self.values(figure)
        return np.isnan(values) if figure.is_frequency else np.equal(values, MISSING)


class ReleaseWriter(Protocol):
    """A format of the release; blocks come in order of contig and position."""

    def write(self, block: ReleaseBlock) -> None:
        """Write a block."""

    def close(self) -> None:
        """Finish the file."""


FILTERS = {
    "PASS": "At least one ALT allele was counted",
    "AC0": "No ALT allele was counted",
}
"""FILTER values of a release."""
