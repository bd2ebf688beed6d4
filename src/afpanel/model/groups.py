"""Groups: the sums of cells that a panel publishes, and how they are named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

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


class GroupKind(StrEnum):
    """What a group is a sum over. No two groups of one kind share a cell."""

    TOTAL = "total"
    COUNTRY = "country"
    POPULATION = "population"
    SEX = "sex"


def kind_of(name: str) -> GroupKind:
    """Tell what a group is by its name.

    >>> [kind_of(name).value for name in ("total", "VN", "VN_KHV", "XX")]
    ['total', 'country', 'population', 'sex']
    """
    if name == TOTAL:
        return GroupKind.TOTAL
    if name in (Sex.XX, Sex.XY):
        return GroupKind.SEX
    return GroupKind.POPULATION if "_" in name else GroupKind.COUNTRY


def group_named(name: str) -> Group:
    """Make the group of a name.

    >>> group_named("VN_KHV") == Group(country="VN", population="KHV")
    True
    """
    kind = kind_of(name)
    if kind is GroupKind.TOTAL:
        return Group()
    if kind is GroupKind.SEX:
        return Group(sex=Sex(name))
    country, _, population = name.partition("_")
    return Group(country=country, population=population or None)


def in_order(names: Iterable[str]) -> list[str]:
    """Put names of groups in the order of a panel, each once.

    >>> in_order(["XX", "VN_KHV", "total", "VN", "TH"])
    ['total', 'TH', 'VN', 'VN_KHV', 'XX']
    """
    kinds = [GroupKind.TOTAL, GroupKind.COUNTRY, GroupKind.POPULATION, GroupKind.SEX]
    last = kinds.index(GroupKind.SEX)

    def place(name: str) -> tuple[int, str, str]:
        of_sex = kinds.index(kind_of(name)) == last
        country, _, population = name.partition("_")
        return (0, "", "") if name == TOTAL else (1 + of_sex, country, population)

    return sorted(set(names), key=place)


def country_of(name: str) -> str:
    """Give the country of a country or population."""
    return name.partition("_")[0]


def disjoint_groups(names: Sequence[str]) -> dict[GroupKind, list[int]]:
    """List the groups that may be compared with each other: those of one kind share nobody.

    Returns
    -------
    dict
        For countries, populations and sexes, in this order, where the groups are in `names`; a kind
        of which there are not two is left out.
    """
    found = {
        kind: [g for g, name in enumerate(names) if kind_of(name) is kind]
        for kind in (GroupKind.COUNTRY, GroupKind.POPULATION, GroupKind.SEX)
    }
    return {kind: groups for kind, groups in found.items() if len(groups) > 1}


def finest_groups(names: Sequence[str]) -> list[int]:
    """Choose groups that share nobody, as fine as there are: populations, or their country.

    A country is divided where two or more of its populations are there.

    >>> finest_groups(["total", "CN", "CN_CDX", "CN_CHB", "VN", "VN_KHV", "XX", "XY"])
    [2, 3, 4]
    """
    chosen = []
    for g, name in enumerate(names):
        if kind_of(name) is GroupKind.COUNTRY:
            populations = [i for i, other in enumerate(names) if other.startswith(f"{name}_")]
            chosen += populations if len(populations) > 1 else [g]
    return chosen
