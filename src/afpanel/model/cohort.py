"""Cohorts, their samples, and the cells that everything published is a sum of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Sex


@dataclass(frozen=True)
class Cohort:
    """One row of the cohorts table.

    Parameters
    ----------
    name
        Unique name of the cohort.
    country
        ISO 3166-1 alpha-2 code.
    kind
        How `path` is to be read: ``vcf`` and so on.
    path
        File, or pattern with ``{contig}``.
    build
        Genome build that the file's positions are on.
    samples
        Sample sheet.
    callable_file
        BED of where the whole cohort could have been called, or track of how many alleles could be, or
        None where nothing is known.
    metadata
        YAML file that describes the cohort, or None.
    """

    name: str
    country: str
    kind: str
    path: str
    build: str
    samples: Path | None
    callable_file: Path | None
    metadata: Path | None


@dataclass(frozen=True)
class Sample:
    """One row of a sample sheet. A sample that is not included is read but never counted."""

    id: str
    population: str
    sex: Sex
    include: bool = True


@dataclass(frozen=True, order=True)
class Cell:
    """The people of one cohort who share population and sex.

    Parameters
    ----------
    population, sex
        What they share. Where a programme tells the sexes of a population together, sex is unknown.
    people
        How many they are.
    by_sex
        How many are XX, XY and of unknown sex, where they are told together; None where all are of `sex`.
    """

    population: str
    sex: Sex
    people: int = field(compare=False)
    by_sex: tuple[int, ...] | None = field(default=None, compare=False)

    @property
    def people_by_sex(self) -> tuple[int, ...]:
        """How many are XX, XY and of unknown sex, in the order of `Sex`."""
        if self.by_sex is not None:
            return self.by_sex
        return tuple(self.people if sex is self.sex else 0 for sex in Sex)


@dataclass(frozen=True)
class GivenCell:
    """A row of a table of cells: people of whom somebody published counts, and where these stand.

    Parameters
    ----------
    cell
        Who they are.
    fields
        Names of INFO fields or columns by what they hold: AC, AN, nhomalt, nhemialt; ``.`` is none. Those
        that are not named are looked for.
    """

    cell: Cell
    fields: Mapping[str, str] = field(default_factory=dict)


def cells_of(samples: list[Sample]) -> list[Cell]:
    """List the cells of a cohort's included samples, in order of population and sex."""
    people = Counter((s.population, s.sex) for s in samples if s.include)
    return sorted(Cell(population, sex, n) for (population, sex), n in people.items())


def cell_index(
    sample_ids: list[str], samples: list[Sample], cells: list[Cell]
) -> NDArray[np.int32]:
    """Give each column of a genotype store the index of its cell.

    Returns
    -------
    (samples,) int32
        Index into `cells`; -1 for a sample that is not included, or not in the sheet (any more).
    """
    cell_at = {(cell.population, cell.sex): i for i, cell in enumerate(cells)}
    cell_of = {s.id: cell_at[s.population, s.sex] for s in samples if s.include}
    return np.array([cell_of.get(sample_id, -1) for sample_id in sample_ids], dtype=np.int32)
