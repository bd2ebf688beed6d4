"""Stores of counts: what one cohort says, cell by cell, of some of its variants.

Counting genotypes makes them, so do contributions and other people's published counts; the hub's stages
read them all as the same thing.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Sex
from afpanel.core.group_counts import GROUP_TABLES
from afpanel.core.variants import Variants
from afpanel.io.store import Store
from afpanel.io.store_writer import StoreWriter, create_store
from afpanel.model.arrays import RAW_COUNTS
from afpanel.model.cohort import Cell

CELL_COUNTS = "cell-counts"
CELL_COUNTS_VERSION = 5

CELL_TABLES = (*GROUP_TABLES, *RAW_COUNTS)
"""Every table of counts: those of `GROUP_TABLES` by cell, those of `RAW_COUNTS` of everybody together."""

CHUNK = 16_384
"""Variants, intervals or runs in a chunk."""

_CELL_DIMS = ("variants", "cells")
_RUN_DIMS = ("runs", "cells")


@dataclass(frozen=True)
class CountsHead:
    """Whose counts a store holds.

    Parameters
    ----------
    cohort, country
        The cohort, and its country's ISO 3166-1 alpha-2 code.
    cells
        Its cells, in the order of the tables' columns.
    withheld
        Population and sex of cells that the cohort has and tells nothing of: they are in no table.
    has_missing
        Whether counts may be missing, which is -1: so are those that a programme masks, and those that
        do not follow from what somebody published.
    """

    cohort: str
    country: str
    cells: list[Cell]
    withheld: tuple[tuple[str, Sex], ...] = ()
    has_missing: bool = False

    @property
    def withheld_cells(self) -> list[Cell]:
        """The cells that nothing is told of, as cells of nobody."""
        return [Cell(population, sex, 0) for population, sex in self.withheld]

    @classmethod
    def of(cls, store: Store) -> Self:
        """Read it from a store's attributes."""
        about = store.attributes
        return cls(
            about["cohort"],
            about["country"],
            [
                Cell(population, Sex(sex), sum(people), tuple(people))
                for population, sex, people in about["cells"]
            ],
            tuple((population, Sex(sex)) for population, sex in about["withheld_cells"]),
            about["has_missing"],
        )

    def attributes(self) -> dict[str, Any]:
        """Lay it out as a store's attributes."""
        return {
            "cohort": self.cohort,
            "country": self.country,
            "cells": [[c.population, str(c.sex), list(c.people_by_sex)] for c in self.cells],
            "withheld_cells": [[population, str(sex)] for population, sex in self.withheld],
            "has_missing": self.has_missing,
        }


class CellCountsWriter:
    """Writes a store of counts, front to back; made by `create_cell_counts`."""

    def __init__(self, writer: StoreWriter) -> None:
        self._writer = writer

    def variants(
        self,
        contig: NDArray[np.integer],
        variants: Variants,
        tables: Mapping[str, NDArray[np.integer]],
    ) -> None:
        """Add variants, by contig and then as `sort_keys` has them, and their counts.

        Parameters
        ----------
        contig
            (n,) int: index into the store's contigs.
        variants
            n canonical variants.
        tables
            Of each of `CELL_TABLES`: (n, cells) int32, or (n,) of everybody; -1 is missing.
        """
        self._writer.append(
            {
                "variant_contig": contig,
                "variant_position": variants.position,
                "variant_ref": variants.ref.objects(),
                "variant_alt": variants.alt.objects(),
                **{name: tables[name] for name in CELL_TABLES},
            },
            dims=_CELL_DIMS,
        )

    def refused(
        self, contig: NDArray[np.integer], start: NDArray[np.integer], end: NDArray[np.integer]
    ) -> None:
        """Add places, 0-based and half-open, where the cohort's silence says nothing."""
        rows = {"refused_contig": contig, "refused_start": start, "refused_end": end}
        self._writer.append(rows)

    def callable(
        self, contig: NDArray[np.integer], start: NDArray[np.integer], end: NDArray[np.integer]
    ) -> None:
        """Add intervals, by contig and start, where everybody of the cohort could be called."""
        rows = {"callable_contig": contig, "callable_start": start, "callable_end": end}
        self._writer.append(rows)

    def track(
        self,
        contig: NDArray[np.integer],
        start: NDArray[np.integer],
        end: NDArray[np.integer],
        number: NDArray[np.integer],
    ) -> None:
        """Add runs of bases, by contig and start, at each of which as many alleles could be called.

        Parameters
        ----------
        contig, start, end
            (r,) int.
        number
            (r, cells) int.
        """
        self._writer.append(
            {
                "track_contig": contig,
                "track_start": start,
                "track_end": end,
                "track_allele_number": number,
            },
            dims=_RUN_DIMS,
        )


@contextmanager
def create_cell_counts(
    path: Path, head: CountsHead, contigs: Sequence[str]
) -> Iterator[CellCountsWriter]:
    """Write a store of counts.

    Parameters
    ----------
    path
        Store to write.
    head
        Whose counts they are.
    contigs
        Names of contigs; those of the panel's reference, in its order, where they are known.
    """
    attributes = head.attributes()
    with create_store(
        path, CELL_COUNTS, CELL_COUNTS_VERSION, chunk=CHUNK, attributes=attributes
    ) as writer:
        writer.array("contig_id", list(contigs))
        yield CellCountsWriter(writer)


def open_cell_counts(path: Path) -> Store:
    """Open a store of counts."""
    return Store(path, CELL_COUNTS, CELL_COUNTS_VERSION)


def contigs_in(store: Store) -> set[str]:
    """Name the contigs that a store of counts says anything of."""
    names = store.texts("contig_id")
    kinds = ("variant", "refused", "callable", "track")
    held = [f"{kind}_contig" for kind in kinds if f"{kind}_contig" in store]
    numbers = {int(number) for name in held for number in np.unique(store.read(name))}
    return {names[number] for number in numbers if number >= 0}
