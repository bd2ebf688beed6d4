"""How the groups of a panel add up: the total is its countries, and its sexes; a country its populations.

People who are in a group but in none of its published parts are the *rest* of that sum: groups that are
withheld, and people of unknown sex. Whoever subtracts knows what the rest counts.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.model.groups import GroupKind, country_of, kind_of

_NONE = -1


@dataclass(frozen=True)
class GroupTree:
    """The sums of g published groups, as a tree of v nodes: the groups, and the rests that hold people.

    Parameters
    ----------
    parent
        (e,) int64: the group that each sum makes up. Sums of populations come first, those of the total last.
    first
        (e + 1,) int64: where the parts of each sum begin in `part`.
    part
        int64: nodes.
    sum_of
        (v,) int64: the sum that a node is a part of, or -1.
    people
        (v,) int64: people of each node.
    """

    parent: NDArray[np.int64]
    first: NDArray[np.int64]
    part: NDArray[np.int64]
    sum_of: NDArray[np.int64]
    people: NDArray[np.int64]

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.people)

    @classmethod
    def of(cls, groups: Sequence[str], people: Sequence[int]) -> "GroupTree":
        """Lay out the sums of groups, given by their names and sizes; the first is the total."""
        parents, parts, sizes = [], [], list(people)
        for parent, children in _sums(groups):
            rest = people[parent] - sum(people[child] for child in children)
            parents.append(parent)
            parts.append([*children, *([len(sizes)] if rest else [])])
            if rest:
                sizes.append(rest)
        sum_of = np.full(len(sizes), _NONE)
        for e, members in enumerate(parts):
            sum_of[members] = e
        return cls(
            np.array(parents, np.int64),
            np.cumsum([0, *map(len, parts)], dtype=np.int64),
            np.array([node for members in parts for node in members], np.int64),
            sum_of,
            np.array(sizes, np.int64),
        )

    def sums(self) -> list[tuple[int, list[int]]]:
        """List each sum as its parent and its parts."""
        bounds = zip(self.first[:-1].tolist(), self.first[1:].tolist(), strict=True)
        parts = [self.part[start:stop].tolist() for start, stop in bounds]
        return list(zip(self.parent.tolist(), parts, strict=True))


def kept_back(
    groups: Sequence[str],
    people: Sequence[int],
    withheld: AbstractSet[int],
    risky: Callable[[int, Sequence[int], int], bool],
) -> list[int]:
    """Choose the groups that are not published so that what is left of a sum may be known.

    Parameters
    ----------
    groups, people
        Names of the groups, and their sizes.
    withheld
        Places of those that are not published anyhow.
    risky
        Whether what is left may not be known, by the place of a sum, those of its published parts, of which
        there are some, and how many people are left. Where it is so, the smallest published part is kept
        back too, the first of several, and with a country its populations.

    Returns
    -------
    list of int
        Places in `groups`, in order.
    """
    kept: set[int] = set()

    def narrow(parent: int, children: list[int]) -> None:
        shown = [g for g in children if g not in withheld | kept]
        rest = people[parent] - sum(people[g] for g in shown)
        while shown and risky(parent, shown, rest):
            smallest = min(shown, key=lambda g: people[g])
            shown.remove(smallest)
            rest += people[smallest]
            kept.add(smallest)
            kept.update(
                g for g, name in enumerate(groups) if name.startswith(f"{groups[smallest]}_")
            )

    for parent, children in reversed(_sums(groups)):
        if parent not in withheld | kept:
            narrow(parent, children)
    return sorted(kept - withheld)


def _sums(groups: Sequence[str]) -> list[tuple[int, list[int]]]:
    """List the sums among groups: each one's parent and its parts."""
    kinds = [kind_of(name) for name in groups]
    found: list[tuple[int, list[int]]] = [
        (
            parent,
            [
                g
                for g, name in enumerate(groups)
                if kinds[g] is GroupKind.POPULATION and country_of(name) == groups[parent]
            ],
        )
        for parent, kind in enumerate(kinds)
        if kind is GroupKind.COUNTRY
    ]
    found += [
        (0, [g for g, kind in enumerate(kinds) if kind is wanted])
        for wanted in (GroupKind.COUNTRY, GroupKind.SEX)
    ]
    return [(parent, children) for parent, children in found if children]
