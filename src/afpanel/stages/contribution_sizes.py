"""How small the counts of a contribution are, and some of them as examples: what its preview shows of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from afpanel.core.variants import Variants
from afpanel.model.arrays import COUNTS

SIZES = ("none", "1", "2", "3-5", "6-10", "more", "masked")
"""Classes of how many copies of ALT somebody has, the last of counts that are missing."""

_UPPER = (0, 1, 2, 5, 10)
_NONE, _MASKED = 0, len(SIZES) - 1


@dataclass(frozen=True)
class Example:
    """A variant as it leaves.

    Parameters
    ----------
    contig, position, ref, alt
        The variant.
    counts
        For each of `COUNTS`: (cells,) int32; -1 is masked.
    """

    contig: str
    position: int
    ref: str
    alt: str
    counts: Mapping[str, NDArray[np.int32]]


@dataclass
class Sizes:
    """What is told of how many copies: what somebody asks first who answers for the data.

    Parameters
    ----------
    cells
        (cells, len(SIZES)) int64: at how many variants each cell has so many copies of ALT.
    one_person
        Variants that one person alone carries, of all who are told of; those with a masked count are
        none of them.
    examples
        The first variant of each class, by its copies in all cells together.
    """

    cells: NDArray[np.int64]
    one_person: int = 0
    examples: dict[int, Example] = field(default_factory=dict)

    @classmethod
    def none(cls, cells: int) -> Self:
        """Start at nothing."""
        return cls(np.zeros((cells, len(SIZES)), np.int64))

    def look_at(
        self, contig: str, variants: Variants, tables: Mapping[str, NDArray[np.int32]]
    ) -> None:
        """Add some variants.

        Parameters
        ----------
        contig, variants
            n variants of a contig.
        tables
            (n, cells) int32 for each of `COUNTS`; -1 is masked.
        """
        copies = tables["allele_count"]
        n_cells = copies.shape[1]
        at = _sizes(copies) + np.arange(n_cells) * len(SIZES)
        found = np.bincount(at.ravel(), minlength=n_cells * len(SIZES))
        self.cells += found.reshape(self.cells.shape)
        masked = (copies < 0).any(axis=1)
        # Who has two copies is one person: carriers are copies less homozygotes.
        carriers = (copies - tables["homozygote_count"]).sum(axis=1)
        self.one_person += int((~masked & (carriers == 1)).sum())
        together = np.where(masked, _MASKED, _sizes(copies.sum(axis=1)))
        for size in range(_NONE + 1, len(SIZES)):
            rows = np.flatnonzero(together == size)
            if size not in self.examples and len(rows):
                self.examples[size] = _example(contig, variants, tables, int(rows[0]))


def _sizes(copies: NDArray[np.int32]) -> NDArray[np.intp]:
    """Find the class of each number of copies."""
    return np.where(copies < 0, _MASKED, np.searchsorted(_UPPER, copies, side="left"))


def _example(
    contig: str, variants: Variants, tables: Mapping[str, NDArray[np.int32]], row: int
) -> Example:
    variant = variants.take(np.array([row]))
    ref, alt = (str(alleles.objects()[0]) for alleles in (variant.ref, variant.alt))
    counts = {name: tables[name][row].copy() for name in COUNTS}
    return Example(contig, int(variant.position[0]), ref, alt, counts)
