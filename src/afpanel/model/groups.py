"""Groups: the sums of cells that a panel publishes, and how they are named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from afpanel.constants import Sex
from afpanel.model.cohort import Cell

TOTAL = "total"
"""Name of the group of everybody, which has no suffix in INFO."""

RESERVED_NAMES = frozenset({"XX", "XY", "RAW", "GRPMAX", "TOTAL", "UNKNOWN"})
"""Upper-case names that no country or population may have: INFO keys would be ambiguous."""


@dataclass(frozen=True)
class Group:
    """A published sum of cells.

    Exactly one of these holds: it is the total; a country; a population of a country; a sex.
    """

    country: str | None = None
    population: str | None = None
    sex: Sex | None = None

    @property
    def name(self) -> str:
        """Name of the group in `group_id` and in the manifest.

        >>> Group(country="VN", population="KHV").name
        'VN_KHV'
        """
        return self.suffix.removeprefix("_") or TOTAL

    @property
    def suffix(self) -> str:
        """What follows ``AC`` in the name of an INFO key; empty for the total."""
        parts = (self.country, self.population, self.sex)
        return "".join(f"_{part}" for part in parts if part is not None)

    def holds(self, country: str, cell: Cell) -> bool:
        """Whether the people of a cell of a cohort of `country` belong to this group."""
        return (
            self.country in (None, country)
            and self.population in (None, cell.population)
            and self.sex in (None, cell.sex)
        )


def is_population(group: str) -> bool:
    """Whether a group, by its name, is a population of a country.

    >>> is_population("VN_KHV"), is_population("VN"), is_population("XX")
    (True, False, False)
    """
    return "_" in group


def candidates_for_maximum(groups: Sequence[str], excluded: Sequence[str]) -> list[int]:
    """List the groups that may have the greatest frequency: populations, by their places.

    A country is one too where none of its populations is published, and a country that is excluded
    takes its populations with it. Neither everybody nor a sex is a fair maximum.

    >>> candidates_for_maximum(["total", "TH", "VN", "VN_KHV", "VN_CHM", "XX"], ["VN_CHM"])
    [1, 3]
    """
    countries = {group.partition("_")[0] for group in groups if is_population(group)}
    whole = {TOTAL, Sex.XX, Sex.XY} | countries
    return [
        at
        for at, group in enumerate(groups)
        if (is_population(group) or group not in whole)
        and not {group, group.partition("_")[0]} & set(excluded)
    ]


def groups_of(cells: Iterable[tuple[str, Cell]]) -> list[Group]:
    """List every group of a panel, from the (country, cell) pairs of all its cohorts.

    The order is fixed by names alone: total, then each country followed by its populations, then
    XX and XY. People of unknown sex are in the total and in their country, not in a group of sex.
    """
    pairs = list(cells)
    groups = [Group()]
    for country in sorted({country for country, _ in pairs}):
        groups.append(Group(country=country))
        populations = sorted({cell.population for home, cell in pairs if home == country})
        groups.extend(Group(country=country, population=population) for population in populations)
    sexes = {cell.sex for _, cell in pairs}
    groups.extend(Group(sex=sex) for sex in (Sex.XX, Sex.XY) if sex in sexes)
    return groups
