"""What a programme keeps to itself of its counts, before they leave: people, cells and small counts.

What is not told may not follow from what is: the counts of everybody before the genotype filter go where
some of the people are not told of, or some of the counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, Sex
from afpanel.core.group_counts import GROUP_TABLES
from afpanel.errors import BadInputError
from afpanel.model.arrays import RAW_COUNTS
from afpanel.model.cohort import Cell

MASKED_TABLES = tuple(
    name for name in GROUP_TABLES if name not in ("allele_number", "single_allele_number")
)
"""The tables that are missing where a cell is masked. How many were called is no secret of the allele's."""


@dataclass(frozen=True)
class Sharing:
    """What a programme shares.

    Parameters
    ----------
    merge
        For a new population, those that are told together under its name.
    leave_out
        Populations that are not told of at all.
    sexes
        Whether counts are told by sex.
    min_cell_size
        Cells of fewer people are named, and nothing is told of them.
    min_allele_count
        Fewest copies of an allele, ALT or not, that a cell tells of unless it has none; 0 and 1 are no
        limit.
    min_variant_count
        Fewest copies of ALT in all cells for a variant to be listed.
    """

    merge: Mapping[str, Sequence[str]] = field(default_factory=dict)
    leave_out: Sequence[str] = ()
    sexes: bool = True
    min_cell_size: int = 0
    min_allele_count: int = 0
    min_variant_count: int = 0

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> "Sharing":
        """Take it from the section `sharing` of a configuration."""
        return cls(
            merge=section["populations"]["merge"],
            leave_out=section["populations"]["leave_out"],
            sexes=section["sexes"],
            min_cell_size=section["min_cell_size"],
            min_allele_count=section["min_allele_count"],
            min_variant_count=section["min_variant_count"],
        )

    @property
    def _merged(self) -> list[str]:
        return [name for names in self.merge.values() for name in names]

    def check_names(self, populations: Collection[str], where: str) -> None:
        """Refuse names that no population of any cohort has.

        Raises
        ------
        BadInputError
            At the first.
        """
        for name in (*self._merged, *self.leave_out):
            if name not in populations:
                raise BadInputError(
                    f"no population is called '{name}'",
                    where=where,
                    expected=f"some of {', '.join(sorted(populations))}",
                )

    def check_labels(self, populations: Collection[str], where: str) -> None:
        """Refuse names that would be those of two populations of a cohort, or that say two things.

        Raises
        ------
        BadInputError
            At the first.
        """
        merged = self._merged
        twice = sorted({n for n in merged if merged.count(n) > 1 or n in self.leave_out})
        if twice:
            raise BadInputError(
                f"population '{twice[0]}' is named more than once",
                where=where,
                remedy="merge it into one other, or leave it out",
            )
        kept = set(populations) - set(merged) - set(self.leave_out)
        for name in self.merge:
            if name in kept:
                raise BadInputError(
                    f"populations are to be merged as '{name}', which another is called",
                    where=where,
                    remedy="take another name, or merge that one too",
                )


@dataclass(frozen=True)
class ToldCells:
    """The cells that a programme tells of.

    Parameters
    ----------
    cells
        The cells.
    withheld
        Population and sex of those that are named alone.
    sums
        (own cells, told cells) int32: 1 where a cell of the programme's own is part of a told one.
    whole
        Whether everybody is told of.
    """

    cells: list[Cell]
    withheld: tuple[tuple[str, Sex], ...]
    sums: NDArray[np.int32]
    whole: bool

    def add(self, table: NDArray[np.int32]) -> NDArray[np.int32]:
        """Add up a table by told cell; a sum of which a part is missing is missing.

        Parameters
        ----------
        table
            (n, own cells) int32; -1 is missing.

        Returns
        -------
        (n, told cells) int32
        """
        if self.sums.shape[0] == self.sums.shape[1] and (self.sums == np.eye(len(self.sums))).all():
            return table
        lacking = (table < 0).astype(np.int32) @ self.sums > 0
        return np.where(lacking, np.int32(MISSING), np.maximum(table, 0) @ self.sums)


def told_cells(cells: Sequence[Cell], sharing: Sharing) -> ToldCells:
    """Work out which cells are told of, and of what they are sums."""
    renamed = {old: new for new, names in sharing.merge.items() for old in names}
    parts: dict[tuple[str, Sex], list[int]] = {}
    for at, cell in enumerate(cells):
        if cell.population in sharing.leave_out:
            continue
        sex = cell.sex if sharing.sexes else Sex.UNKNOWN
        parts.setdefault((renamed.get(cell.population, cell.population), sex), []).append(at)
    told: dict[Cell, list[int]] = {}
    withheld = []
    for (population, sex), members in sorted(parts.items()):
        held = (cells[at].people_by_sex for at in members)
        by_sex = tuple(sum(people) for people in zip(*held, strict=True))
        if sum(by_sex) < sharing.min_cell_size:
            withheld.append((population, sex))
        else:
            told[Cell(population, sex, sum(by_sex), by_sex)] = members
    sums = np.zeros((len(cells), len(told)), np.int32)
    for column, members in enumerate(told.values()):
        sums[members, column] = 1
    return ToldCells(list(told), tuple(withheld), sums, bool(sums.any(axis=1).all()))


def told_tables(
    tables: Mapping[str, NDArray[np.int32]], told: ToldCells, min_allele_count: int
) -> dict[str, NDArray[np.int32]]:
    """Add up counts by told cell, and mask the small ones.

    Parameters
    ----------
    tables
        (n, own cells) int32 for each of `GROUP_TABLES`, and (n,) for each of `RAW_COUNTS`.
    told
        See `ToldCells`.
    min_allele_count
        See `Sharing`.

    Returns
    -------
    dict
        The same tables of the told cells; -1 is missing.
    """
    result = {name: told.add(tables[name]) for name in GROUP_TABLES}
    ac, an = result["allele_count"], result["allele_number"]
    masked = ac < 0
    for copies in (ac, an - ac):
        masked |= (copies > 0) & (copies < min_allele_count)
    for name in MASKED_TABLES:
        result[name] = np.where(masked, np.int32(MISSING), result[name])
    raw_ac, raw_an = (tables[name] for name in RAW_COUNTS)
    hidden = masked.any(axis=1) | (raw_ac < 0) | (not told.whole)
    for copies in (raw_ac, raw_an - raw_ac, raw_ac - ac.sum(axis=1)):
        # People whose calls failed are a group like any other.
        hidden |= (copies > 0) & (copies < min_allele_count)
    return result | {name: np.where(hidden, np.int32(MISSING), tables[name]) for name in RAW_COUNTS}
