"""Who joined and who left between two releases: of a cohort, and of each group.

People are told apart by names that say nothing of them: keyed digests of sample IDs, or numbers where a cohort
came as counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Sex
from afpanel.errors import BadInputError
from afpanel.model.cohort import Cell
from afpanel.model.groups import Group

CellMembers = tuple[str, Sex, tuple[str, ...]]
"""Population and sex of a cell, and the names of its people in order."""


@dataclass(frozen=True)
class CohortVersion:
    """A cohort as it is in one release.

    Parameters
    ----------
    cohort, country
        Its name and country.
    content
        What tells this version of a cohort that came as counts from another; empty where its people have names.
    cells
        Who is in each cell.
    """

    cohort: str
    country: str
    content: str
    cells: tuple[CellMembers, ...]

    @property
    def people(self) -> int:
        """How many people there are."""
        return sum(len(members) for _, _, members in self.cells)

    @property
    def members(self) -> list[str]:
        """The names of all of them."""
        return [name for _, _, members in self.cells for name in members]


def numbered(
    cohort: str,
    country: str,
    content: str,
    sizes: Sequence[tuple[str, Sex, int]],
    before: CohortVersion | None,
    declared: tuple[int, int] | None,
) -> CohortVersion:
    """Give the people of a cohort that came as counts numbers, those who stayed the ones that they had.

    Parameters
    ----------
    cohort, country, content
        See `CohortVersion`.
    sizes
        Population, sex and people of each cell.
    before
        The version that was recorded last, or None. Where its content is the same, it is given back.
    declared
        How many people were added and removed since; None is as few as the sizes allow.

    Raises
    ------
    BadInputError
        If what is declared does not lead from one number of people to the other.
    """
    if before is not None and content and before.content == content:
        return before
    old = {} if before is None else {(p, s): members for p, s, members in before.cells}
    kept = {(p, s): min(n, len(old.get((p, s), ()))) for p, s, n in sizes}
    people, was = sum(n for _, _, n in sizes), 0 if before is None else before.people
    swapped = 0
    if declared is not None and before is not None:
        swapped = declared[1] - (was - sum(kept.values()))
        if declared[0] - declared[1] != people - was or swapped < 0:
            raise BadInputError(
                f"cohort {cohort} had {was} people and has {people}, which is not what is said of it",
                where=f"disclosure.declared_changes.{cohort}",
                found=f"{declared[0]} added, {declared[1]} removed",
                remedy="say how many joined and left since the release that the ledger recorded last",
            )
    staying = max(1, sum(kept.values()))
    cells, number = [], _next_number(before)
    for population, sex, n in sizes:
        # Nobody says of which cell those are who were replaced: of each, as many as it could be.
        share = -(-swapped * kept[population, sex] // staying)
        stay = old.get((population, sex), ())[: kept[population, sex] - share]
        new = tuple(f"{i}" for i in range(number, number + n - len(stay)))
        number += len(new)
        cells.append((population, sex, (*stay, *new)))
    return CohortVersion(cohort, country, content, tuple(cells))


def _next_number(before: CohortVersion | None) -> int:
    numbers = [] if before is None else [int(n) for n in before.members if n.isdecimal()]
    return max(numbers, default=0) + 1


@dataclass(frozen=True)
class Crowd:
    """All people of a release, for comparing.

    Parameters
    ----------
    name
        (p,) text: who each is, in order, without repeats.
    cell
        (p,) int64: the cell of each.
    cells
        Country, population and sex by number of the cell.
    """

    name: NDArray[np.str_]
    cell: NDArray[np.int64]
    cells: list[tuple[str, str, Sex]]

    @classmethod
    def of(cls, versions: Sequence[CohortVersion]) -> "Crowd":
        """Gather the people of all cohorts.

        Who has an ID is looked for in all cohorts of the country, so that it does not matter if a cohort is
        called otherwise; several of one ID are told apart by the order of their cohorts.
        """
        cells: list[tuple[str, str, Sex]] = []
        names: list[str] = []
        of_cell: list[int] = []
        for version in sorted(versions, key=lambda each: each.cohort):
            for population, sex, members in version.cells:
                place = f"{version.cohort}/{population}/{sex}/" if version.content else ""
                names += [f"{version.country}/{place}{name}" for name in members]
                of_cell += [len(cells)] * len(members)
                cells.append((version.country, population, sex))
        name, cell = np.array(names, np.str_), np.array(of_cell, np.int64)
        order = np.argsort(name, kind="stable")
        name, cell = name[order], cell[order]
        first = np.searchsorted(name, name)
        again = np.flatnonzero(np.arange(len(name)) != first)
        if len(again):
            suffix = np.array([f"#{i}" for i in again - first[again]], np.str_)
            width = name.dtype.itemsize // 4 + suffix.dtype.itemsize // 4
            name = name.astype(f"<U{width}")
            name[again] = np.strings.add(name[again], suffix)
            order = np.argsort(name, kind="stable")
            name, cell = name[order], cell[order]
        return cls(name, cell, cells)

    def holds(self, groups: Sequence[Group], everybody: NDArray[np.str_]) -> NDArray[np.bool_]:
        """Tell which of some people, in order of name, are in which groups; (groups, people) bool."""
        table = np.array(
            [
                [group.holds(country, Cell(population, sex, 1)) for country, population, sex in self.cells]
                for group in groups
            ],
            np.bool_,
        ).reshape(len(groups), len(self.cells))  # fmt: skip
        held = np.zeros((len(groups), len(everybody)), np.bool_)
        held[:, np.searchsorted(everybody, self.name)] = table[:, self.cell]
        return held


@dataclass(frozen=True)
class GroupChanges:
    """How g groups changed from an earlier release to a later one.

    Parameters
    ----------
    both, added, removed
        (g,) int64: people who are in a group in both, in the later alone, in the earlier alone.
    """

    both: NDArray[np.int64]
    added: NDArray[np.int64]
    removed: NDArray[np.int64]

    @classmethod
    def of(cls, old: Crowd, new: Crowd, groups: Sequence[Group]) -> "GroupChanges":
        """Compare two crowds, group by group."""
        everybody = np.union1d(old.name, new.name)
        was, is_now = old.holds(groups, everybody), new.holds(groups, everybody)
        both, added, removed = was & is_now, is_now & ~was, was & ~is_now
        return cls(*(each.sum(axis=1, dtype=np.int64) for each in (both, added, removed)))

    @property
    def changed(self) -> NDArray[np.bool_]:
        """(g,) bool: groups whose people are not the same."""
        return np.asarray((self.added > 0) | (self.removed > 0))


def bases_of(
    since: Sequence[GroupChanges],
    crowds: Sequence[Crowd],
    related: Sequence[Crowd],
    groups: Sequence[Group],
) -> list[tuple[int, bool]]:
    """Choose the earlier releases whose differences from a new one are to be looked at.

    Parameters
    ----------
    since
        How the groups changed since each earlier release that has people of the new one, to it.
    crowds
        The people of each of these.
    related
        The people of every earlier release that shares some with these.
    groups
        The groups.

    Returns
    -------
    list of (int, bool)
        Places in `since`, and whether those who joined or left can be looked at by themselves (see
        `earlier_releases.Base`). None where an earlier release has the very people of the new one: then the
        new one shows nothing that this one did not.
    """
    if not since or any(not each.changed.any() for each in since):
        return []
    changed = np.any([each.changed for each in since], axis=0)
    pairs = [GroupChanges.of(one, other, groups) for one in related for other in related]
    nested = not any(((p.added > 0) & (p.removed > 0) & changed).any() for p in [*pairs, *since])
    same = not any((p.changed & changed).any() for p in pairs)
    joined = [i for i, each in enumerate(since) if not each.removed.any()]
    if nested and len(joined) == len(since) == len(related):
        # The largest has all people of the others, which have hidden what they masked from it already.
        return [(max(joined, key=lambda i: len(crowds[i].name)), True)]
    left = [i for i, each in enumerate(since) if not each.added.any()]
    if same and len(left) == len(since) == len(related):
        return [(left[-1], True)]
    return [(i, False) for i in range(len(since))]


@dataclass(frozen=True)
class SmallChange:
    """A cohort that changed by fewer people than may be seen.

    Parameters
    ----------
    cohort
        Its name.
    added, removed
        How many people joined and left.
    fewest
        How many it must be, unless it is nobody.
    """

    cohort: str
    added: int
    removed: int
    fewest: int


def small_changes(
    old: Sequence[CohortVersion], new: Sequence[CohortVersion], fewest: int, share: float
) -> list[SmallChange]:
    """Find the cohorts that changed by some, but few people.

    Parameters
    ----------
    old, new
        The cohorts of an earlier and of a later release.
    fewest
        People who must have joined, or left, if anybody has.
    share
        Share of the earlier people of a cohort that it must be at least, too.
    """
    was, is_now = ({each.cohort: each for each in versions} for versions in (old, new))
    found = []
    for cohort in sorted(was.keys() | is_now.keys()):
        earlier, later = (
            set(_named(side[cohort])) if cohort in side else set() for side in (was, is_now)
        )
        added, removed = len(later - earlier), len(earlier - later)
        needed = max(fewest, -int(-share * len(earlier) // 1))
        if 0 < added < needed or 0 < removed < needed:
            found.append(SmallChange(cohort, added, removed, needed))
    return found


def _named(version: CohortVersion) -> list[str]:
    """Name the people of a cohort by their cell too: who changes it leaves one group and joins another."""
    return [
        f"{population}/{sex}/{name}"
        for population, sex, members in version.cells
        for name in members
    ]
