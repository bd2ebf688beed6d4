"""Tables of cells: who the people are of whom a sites file has counts."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from afpanel.constants import Sex
from afpanel.core.site_fields import COUNT_FIELDS, called
from afpanel.errors import BadInputError
from afpanel.io.tables import Table, raise_any, read_table
from afpanel.model.cohort import Cell, GivenCell
from afpanel.model.groups import RESERVED_NAMES


def read_cells(path: Path) -> list[GivenCell]:
    """Read a table of cells, in order of population and sex; all its faults are raised together.

    Raises
    ------
    BadInputError
        If it cannot be read, a row does not say how many people there are, or a cell stands twice.
    """
    table = read_table(path, "cells", _faults)
    rows = zip(table.lines, table.rows(), strict=True)
    given = [
        GivenCell(_cell(row), {key: row[key] for key in COUNT_FIELDS if row[key]})
        for _, row in rows
    ]
    raise_any(list(_repeated(given, path)))
    return sorted(given, key=lambda each: each.cell)


def _cell(row: dict[str, str]) -> Cell:
    if row["sex"]:
        return Cell(row["population"], Sex(row["sex"]), int(row["people"]))
    of_sex = {Sex.XX: int(row["XX"]), Sex.XY: int(row["XY"])}
    both = sum(of_sex.values())
    people = int(row["people"] or both)
    by_sex = tuple(of_sex.get(sex, people - both) for sex in Sex)
    return Cell(row["population"], Sex.UNKNOWN, people, by_sex)


def _repeated(given: list[GivenCell], path: Path) -> Iterator[BadInputError]:
    names = Counter(called(each.cell) for each in given)
    for name, n in names.items():
        if n > 1:
            yield BadInputError(
                f"cell '{name}' is listed {n} times",
                where=path,
                remedy="list every population and sex once; people of both sexes count as unknown",
            )


def _faults(table: Table) -> Iterator[BadInputError]:
    for line, row in zip(table.lines, table.rows(), strict=True):
        where = f"{table.path}, line {line}"
        apart, together = bool(row["sex"]), bool(row["XX"] and row["XY"])
        numbers = [row[key] for key in ("people", "XX", "XY") if row[key]]
        if not all(number.isdecimal() and number.isascii() for number in numbers):
            continue  # the schema's fault
        if row["population"].upper() in RESERVED_NAMES:
            yield BadInputError(
                f"population '{row['population']}' would be taken for something else in the names of"
                " figures",
                where=where,
                expected=f"none of {', '.join(sorted(RESERVED_NAMES))}",
                remedy="rename the population",
            )
        if apart == together or (apart and (row["XX"] or row["XY"] or not row["people"])):
            yield BadInputError(
                "does not say once how many people of which sex there are",
                where=where,
                expected="sex and people; or XX and XY, with people if there are others",
                remedy="give sex where the file has counts of each sex, else XX and XY",
            )
        elif together and row["people"] and int(row["people"]) < int(row["XX"]) + int(row["XY"]):
            yield BadInputError(
                "fewer people than XX and XY together",
                where=where,
                expected=f"at least {int(row['XX']) + int(row['XY'])}",
                found=row["people"],
            )
        elif sum(map(int, numbers)) == 0:
            yield BadInputError("nobody is in this cell", where=where, remedy="leave the row out")
