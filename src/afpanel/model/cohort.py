"""Cohorts, their samples, and the cells that everything published is a sum of."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import SEXES, Sex


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


@dataclass(frozen=True, eq=False)
class Samples(Sequence[Sample]):
    """The rows of a sample sheet as columns: a million people are a few arrays, and no objects.

    Parameters
    ----------
    ids
        Sample IDs, each once.
    labels
        The populations, each once.
    population
        (samples,) int32: index into `labels`.
    sex
        (samples,) int8: index into `SEXES`.
    include
        (samples,) bool: who is counted.
    """

    ids: list[str]
    labels: tuple[str, ...]
    population: NDArray[np.int32]
    sex: NDArray[np.int8]
    include: NDArray[np.bool_]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> "Samples":
        """Lay out samples as columns."""
        if isinstance(samples, Samples):
            return samples
        number = {name: i for i, name in enumerate(dict.fromkeys(s.population for s in samples))}
        return cls(
            [sample.id for sample in samples],
            tuple(number),
            np.array([number[sample.population] for sample in samples], np.int32),
            np.array([SEXES.index(sample.sex) for sample in samples], np.int8),
            np.array([sample.include for sample in samples], bool),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> Sample: ...
    @overload
    def __getitem__(self, at: slice) -> list[Sample]: ...
    def __getitem__(self, at: int | slice) -> Sample | list[Sample]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        population, sex = self.labels[self.population[at]], SEXES[self.sex[at]]
        return Sample(self.ids[at], population, sex, bool(self.include[at]))

    def __iter__(self) -> Iterator[Sample]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    @property
    def included(self) -> list[str]:
        """IDs of who is counted, in the sheet's order."""
        if self.include.all():
            return self.ids
        return [
            name for name, counted in zip(self.ids, self.include.tolist(), strict=True) if counted
        ]

    def without(self, excluded: Collection[str]) -> "Samples":
        """Give all samples, and those who are excluded as not included."""
        stays = np.fromiter((name not in excluded for name in self.ids), bool, len(self))
        return replace(self, include=self.include & stays)

    def rows_of(self, ids: list[str]) -> NDArray[np.int64]:
        """Find samples by their IDs; -1 where a sample is not among these."""
        if ids == self.ids:
            return np.arange(len(ids))
        row = {name: i for i, name in enumerate(self.ids)}
        return np.fromiter((row.get(name, -1) for name in ids), np.int64, len(ids))


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


def cells_of(samples: Sequence[Sample]) -> list[Cell]:
    """List the cells of a cohort's included samples, in order of population and sex."""
    all_of = Samples.of(samples)
    code = all_of.population[all_of.include] * len(SEXES) + all_of.sex[all_of.include]
    people = np.bincount(code, minlength=len(all_of.labels) * len(SEXES)).tolist()
    places = ((label, sex) for label in all_of.labels for sex in SEXES)
    return sorted(Cell(*place, n) for place, n in zip(places, people, strict=True) if n)


def cell_index(
    sample_ids: list[str], samples: Sequence[Sample], cells: list[Cell]
) -> NDArray[np.int32]:
    """Give each column of a genotype store the index of its cell.

    Returns
    -------
    (samples,) int32
        Index into `cells`; -1 for a sample that is not included, or not in the sheet (any more).
    """
    all_of = Samples.of(samples)
    at = {(cell.population, cell.sex): i for i, cell in enumerate(cells)}
    places = [at.get((label, sex), -1) for label in all_of.labels for sex in SEXES]
    cell = np.array(places, np.int32)[all_of.population * len(SEXES) + all_of.sex]
    # A last one for those who are not in the sheet, to whom row -1 leads.
    return np.append(np.where(all_of.include, cell, -1), -1)[all_of.rows_of(sample_ids)].astype(
        np.int32
    )
