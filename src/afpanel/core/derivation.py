"""What a reader can work out of the cells that a release hides: an attack, for the verifier.

It starts from what is written alone, and shares nothing with what decided to mask it. Every sum that holds
among groups is a constraint, for each kind of count; what is hidden lies between bounds, and these are
tightened until nothing changes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SWEEPS = 50
"""Where bounds still move by one after so many, they are left as they are: too wide, never too narrow."""


class Count(IntEnum):
    """What is bounded: copies in the first three, people or copies in the others."""

    ALT = 0
    OTHER = 1
    CALLED = 2
    HOMOZYGOUS = 3
    HEMIZYGOUS = 4
    SINGLE = 5


LINKS: tuple[tuple[Count, tuple[tuple[int, Count], ...]], ...] = (
    (Count.CALLED, ((1, Count.ALT), (1, Count.OTHER))),
    (Count.ALT, ((2, Count.HOMOZYGOUS), (1, Count.HEMIZYGOUS), (1, Count.SINGLE))),
)
"""Counts of a cell that are sums of others: AN = AC + the rest, AC = 2 nhomalt + nhemialt + people with one copy."""


@dataclass(frozen=True)
class Sum:
    """A group and the parts that make it up; nodes are numbers."""

    whole: int
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Equations:
    """The sums that a reader of a release knows.

    Parameters
    ----------
    sums
        Those of the total and of each country that is published with parts of it.
    names, people
        Of every node: the groups, then for each sum that has people in no published part their rest.
    groups
        How many nodes are groups.
    """

    sums: list[Sum]
    names: list[str]
    people: NDArray[np.int64]
    groups: int

    @classmethod
    def of(cls, groups: Sequence[str], people: Sequence[int]) -> "Equations":
        """Find them by the groups' names and sizes."""
        place = {name: g for g, name in enumerate(groups)}
        parts_of: dict[tuple[str, str], list[int]] = {}
        for name, g in place.items():
            if name in ("XX", "XY"):
                parts_of.setdefault(("total", "sexes"), []).append(g)
            elif match := re.fullmatch(r"([A-Z]{2})_.+", name):
                parts_of.setdefault((match[1], "populations"), []).append(g)
            elif name != "total":
                parts_of.setdefault(("total", "countries"), []).append(g)
        names, sizes, sums = list(groups), list(people), []
        for (whole, what), parts in parts_of.items():
            if whole not in place:
                continue
            rest = people[place[whole]] - sum(people[part] for part in parts)
            if rest:
                parts.append(len(names))
                names.append(f"{whole} without its published {what}")
                sizes.append(rest)
            sums.append(Sum(place[whole], tuple(parts)))
        return cls(sums, names, np.array(sizes, np.int64), len(groups))


@dataclass
class Bounds:
    """Least and greatest value of each count at each node of n variants; changed in place.

    Parameters
    ----------
    low, high
        (counts, nodes, n) int32.
    """

    low: NDArray[np.int32]
    high: NDArray[np.int32]

    @classmethod
    def of(
        cls,
        figures: Mapping[Count, NDArray[np.int32]],
        hidden: NDArray[np.bool_],
        known: Equations,
        ploidy: NDArray[np.int8],
    ) -> "Bounds":
        """Start with what is shown, and with what people can have at most.

        Parameters
        ----------
        figures
            AC, AN, nhomalt and nhemialt, each (n, groups); what is hidden counts for nothing, and of the last
            two what is below 0 is not told.
        hidden
            (n, groups) bool.
        known
            The equations.
        ploidy
            (nodes, n) copies of the place that a person of each node has at most.
        """
        n, groups = hidden.shape
        low = np.zeros((len(Count), len(known.names), n), np.int32)
        people = known.people[:, None].astype(np.int32)
        high = np.repeat((people * ploidy)[None], len(Count), axis=0)
        # One copy of two, or both: that takes two copies of the place.
        high[Count.HOMOZYGOUS] = high[Count.SINGLE] = people * (ploidy // 2)
        high[Count.HEMIZYGOUS] = people * np.minimum(ploidy, 1)
        alt, called = figures[Count.ALT], figures[Count.CALLED]
        homozygous, hemizygous = figures[Count.HOMOZYGOUS], figures[Count.HEMIZYGOUS]
        two, haploid = hidden | (homozygous < 0), hidden | (hemizygous < 0)
        values = {
            Count.ALT: (alt, hidden),
            Count.OTHER: (called - alt, hidden),
            Count.CALLED: (called, hidden),
            Count.HOMOZYGOUS: (homozygous, two),
            Count.HEMIZYGOUS: (hemizygous, haploid),
            Count.SINGLE: (alt - 2 * homozygous - hemizygous, two | haploid),
        }
        for count, (table, untold) in values.items():
            low[count, :groups] = np.where(untold, 0, table).T
            high[count, :groups] = np.where(untold, high[count, :groups].T, table).T
        return cls(low, high)

    def take(self, rows: NDArray[np.intp]) -> "Bounds":
        """Copy those of some variants."""
        return Bounds(self.low[:, :, rows], self.high[:, :, rows])

    def put(self, rows: NDArray[np.intp], other: "Bounds") -> None:
        """Replace those of some variants."""
        self.low[:, :, rows], self.high[:, :, rows] = other.low, other.high

    @property
    def impossible(self) -> NDArray[np.bool_]:
        """(n,) bool: variants of which nothing satisfies every equation."""
        contradicted: NDArray[np.bool_] = np.any(self.low > self.high, axis=(0, 1))
        return contradicted

    def tighten(self, known: Equations, sites: NDArray[np.int64] | None = None) -> None:
        """Narrow the bounds as far as the equations, one at a time, tell.

        Parameters
        ----------
        known
            The equations.
        sites
            (n,) int64: which site each variant is of, in order, if all are alleles of records that have
            one AN; None if variants have nothing to do with one another.
        """
        for _ in range(_SWEEPS):
            before = self.low.copy(), self.high.copy()
            for each in known.sums:
                parts = list(each.parts)
                self._add_up(np.s_[:, each.whole], [(1, np.s_[:, part]) for part in parts])
            for whole, terms in LINKS:
                self._add_up(np.s_[whole], [(weight, np.s_[term]) for weight, term in terms])
            if sites is not None:
                self._share_number(sites)
            if (before[0] == self.low).all() and (before[1] == self.high).all():
                return

    def _add_up(self, whole: Any, terms: Sequence[tuple[int, Any]]) -> None:
        """Narrow a sum by its terms, and each term by the sum and the other terms."""
        low: Any = self.low
        high: Any = self.high
        least = sum(weight * low[at] for weight, at in terms)
        most = sum(weight * high[at] for weight, at in terms)
        np.maximum(low[whole], least, out=low[whole])
        np.minimum(high[whole], most, out=high[whole])
        for weight, at in terms:
            own_low, own_high = low[at].copy(), high[at].copy()
            from_below = -(-(low[whole] - (most - weight * own_high)) // weight)
            from_above = (high[whole] - (least - weight * own_low)) // weight
            low[at] = np.maximum(own_low, from_below)
            high[at] = np.minimum(own_high, from_above)

    def _share_number(self, sites: NDArray[np.int64]) -> None:
        """Give alleles of a site one AN, of which all of them together have no more copies."""
        start = np.flatnonzero(np.diff(sites, prepend=-1))
        size = np.diff(np.append(start, len(sites)))
        low, high = self.low, self.high
        number_low = np.maximum.reduceat(low[Count.CALLED], start, axis=1)
        number_high = np.minimum.reduceat(high[Count.CALLED], start, axis=1)
        low[Count.CALLED] = np.repeat(number_low, size, axis=1)
        high[Count.CALLED] = np.repeat(number_high, size, axis=1)
        alt_low = np.repeat(np.add.reduceat(low[Count.ALT], start, axis=1), size, axis=1)
        room = high[Count.CALLED] - (alt_low - low[Count.ALT])
        high[Count.ALT] = np.minimum(high[Count.ALT], room)

    def binding(self, sites: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell at which sites alleles could have more copies than are called, by their bounds; (n,) bool.

        There the bounds of one allele may depend on those of another in ways that they do not tell.
        """
        start = np.flatnonzero(np.diff(sites, prepend=-1))
        size = np.diff(np.append(start, len(sites)))
        most = np.add.reduceat(self.high[Count.ALT], start, axis=1)
        number = np.minimum.reduceat(self.low[Count.CALLED], start, axis=1)
        return np.repeat((most > number).any(axis=0), size)

    def values(self, count: Count) -> NDArray[np.int32]:
        """Count the values that AC, or the copies of everything else, can have; (nodes, n)."""
        width: NDArray[np.int32] = self.high[count] - self.low[count]
        if count is Count.ALT:
            # With nobody who has one copy, there is an even number of copies.
            odd = self.high[Count.SINGLE] + self.high[Count.HEMIZYGOUS]
            odd -= self.low[Count.SINGLE] + self.low[Count.HEMIZYGOUS]
            pairs = self.high[Count.HOMOZYGOUS] - self.low[Count.HOMOZYGOUS]
            width = np.where(odd == 0, np.minimum(width, pairs), width)
        return width + 1


def too_well_known(
    low: NDArray[np.int32],
    high: NDArray[np.int32],
    values: NDArray[np.int32],
    people: NDArray[np.int64],
    k: int,
    fewest: int = 1,
) -> NDArray[np.bool_]:
    """Tell which counts may be few, more than none, and have fewer than k possible values.

    A group of fewer people than that needs one value more than it has people.

    Parameters
    ----------
    low, high, values
        Bounds, and how many values there are; of any shape.
    people
        People of each, of a shape that fits.
    fewest
        What counts as few: 1, or 0 where none is not to be known either.
    """
    needed = np.minimum(k, people + 1)
    found: NDArray[np.bool_] = (values < needed) & (high >= fewest) & (low <= k - 1)
    return found
