"""Which cohorts can be held against one another: those that have people of one label, or one country.

A label is the programme's own word for people who belong together, so cohorts that use the same one are
compared by it, whatever their countries. Only cohorts that share no label with anybody are compared by
country: their frequencies may differ because their people do, but people of one country are nearer to one
another than to any others. Every cell is in one stratum at most, so that nobody is counted twice.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.model.cohort import Cell


@dataclass(frozen=True)
class Part:
    """The people of one cohort in one stratum.

    Parameters
    ----------
    cohort, stratum
        Their numbers.
    cells
        Cells of the cohort.
    """

    cohort: int
    stratum: int
    cells: tuple[int, ...]


@dataclass(frozen=True)
class Unit:
    """The people of one cohort and label, among whom genotypes should be in equilibrium.

    Parameters
    ----------
    part
        The part they are of.
    population
        Their label.
    cells
        Cells of the cohort.
    """

    part: int
    population: str
    cells: tuple[int, ...]


@dataclass(frozen=True)
class Strata:
    """Strata of c cohorts, in the order of the cohorts' names.

    Parameters
    ----------
    names
        Of each stratum, ``population KHV`` or ``country VN``.
    parts
        By cohort, and then by stratum.
    units
        By part, and then by label.
    """

    names: list[str]
    parts: list[Part]
    units: list[Unit]
    n_cohorts: int

    def parts_of(self, cohort: int) -> list[int]:
        """List the parts of a cohort."""
        return [p for p, part in enumerate(self.parts) if part.cohort == cohort]

    def partners(self, cohort: int) -> list[int]:
        """List the cohorts that a cohort is compared with."""
        mine = {part.stratum for part in self.parts if part.cohort == cohort}
        others = {part.cohort for part in self.parts if part.stratum in mine}
        return sorted(others - {cohort})

    @property
    def first(self) -> NDArray[np.int64]:
        """(c + 1,) int64: first part of each cohort, and the number of parts."""
        return np.searchsorted([part.cohort for part in self.parts], np.arange(self.n_cohorts + 1))

    @property
    def stratum(self) -> NDArray[np.int64]:
        """(parts,) int64: stratum of each part."""
        return np.array([part.stratum for part in self.parts], np.int64)

    @property
    def shares(self) -> NDArray[np.bool_]:
        """(parts, parts) bool: whether two parts are of one stratum, and of different cohorts."""
        cohort = np.array([part.cohort for part in self.parts])
        same = self.stratum[:, None] == self.stratum
        shares: NDArray[np.bool_] = same & (cohort[:, None] != cohort)
        return shares


def strata_of(cohorts: Sequence[tuple[str, Sequence[Cell]]]) -> Strata:
    """Find the strata of cohorts, each given by its country and its cells.

    >>> from afpanel.constants import Sex
    >>> cells = {label: Cell(label, Sex.XX, 9) for label in ("KHV", "TAY", "JPT")}
    >>> one, other = [cells["KHV"], cells["TAY"]], [cells["KHV"]]
    >>> strata_of([("VN", one), ("LA", other), ("JP", [cells["JPT"]])]).names
    ['population KHV']
    >>> strata_of([("VN", one), ("LA", []), ("VN", [cells["JPT"]])]).names
    ['country VN']
    """
    labels = [{cell.population for cell in cells} for _, cells in cohorts]
    having = Counter(label for each in labels for label in each)
    shared = sorted(label for label, n in having.items() if n > 1)
    alone = [c for c, each in enumerate(labels) if each and not each & set(shared)]
    at_home = Counter(cohorts[c][0] for c in alone)
    countries = sorted(country for country, n in at_home.items() if n > 1)
    parts: list[Part] = []
    units: list[Unit] = []
    for c, (country, cells) in enumerate(cohorts):
        found: list[tuple[int, tuple[int, ...]]] = [
            (s, tuple(k for k, cell in enumerate(cells) if cell.population == label))
            for s, label in enumerate(shared)
            if label in labels[c]
        ]
        if c in alone and country in countries:
            found.append((len(shared) + countries.index(country), tuple(range(len(cells)))))
        for stratum, members in found:
            for label in sorted({cells[k].population for k in members}):
                own = tuple(k for k in members if cells[k].population == label)
                units.append(Unit(len(parts), label, own))
            parts.append(Part(c, stratum, members))
    names = [f"population {label}" for label in shared]
    names += [f"country {country}" for country in countries]
    return Strata(names, parts, units, len(cohorts))
