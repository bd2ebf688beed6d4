"""Classes of genotypes of few people: where homozygotes, hemizygotes and what tells them are withheld.

A cell that shows many copies may show that exactly one person is homozygous. What a policy asks of each class
is held against every group, shown or masked, and every rest of a sum; where one has few people in a class, the
figures of genotypes are withheld in all parts of its sum, as they would be differences of each other, and
where the whole of a sum would tell, in it too. AC and AN stay as they are.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.group_counts import GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.masking import few
from afpanel.core.node_counts import Kind, NodeCounts
from afpanel.model.arrays import SINGLE_COUNTS

_Table = NDArray[np.int32]
_Flags = NDArray[np.bool_]

GENOTYPE_TABLES = ("homozygote_count", "hemizygote_count", *SINGLE_COUNTS)
"""The counts from which classes of genotypes can be told."""


def withhold_genotypes(counts: GroupCounts, cells: _Flags) -> GroupCounts:
    """Set what tells classes of genotypes to missing (-1) in some cells; (n, g) bool."""
    if not cells.any():
        return counts
    tables = {
        name: np.where(cells, np.int32(MISSING), getattr(counts, name)) for name in GENOTYPE_TABLES
    }
    return replace(counts, **tables)


def small_classes(
    counts: GroupCounts,
    tree: GroupTree,
    masked: _Flags,
    min_genotype_count: int,
    min_allele_count: int,
    insiders: Sequence[int] = (),
) -> _Flags:
    """Find the cells whose figures of genotypes are withheld.

    Parameters
    ----------
    counts
        n variants in the groups of `tree`.
    masked
        (n, g) bool: cells of the first g groups that are masked altogether; the rest are not shown.
    min_genotype_count
        Fewest people of a class that may be shown, unless there are none; and how many values each smaller
        class must leave possible, or as many as AC and AN leave.
    min_allele_count
        Fewest copies that are shown. A masked cell has as many possible values.
    insiders
        Countries, by their place among the groups, who know their own figures.

    Returns
    -------
    (n, g) bool
    """
    classes = _Classes(NodeCounts.of(counts, tree).counts, tree, min_allele_count)
    small = classes.small(min_genotype_count, min_allele_count)
    withheld = np.zeros(small.shape, np.bool_)
    everything = small[:, 0].copy()
    for place in insiders:
        everything |= classes.small_without(place, min_genotype_count)
    for parent, parts in tree.sums():
        rows = np.flatnonzero(small[:, parts].any(axis=1) & ~everything)
        below = [p for whole, inner in tree.sums() if whole in parts for p in inner]
        withheld[rows[:, None], [*parts, *below]] = True
        known = [None, *(each for each in insiders if each in parts)]
        for own in known:
            told = classes.told(rows, parent, parts, own, min_genotype_count)
            everything[rows] |= told
    withheld[everything] = True
    return withheld[:, : masked.shape[1]] & ~masked


class _Classes:
    """People by class at every node, and what AC and AN leave possible."""

    def __init__(self, counts: NDArray[np.int32], tree: GroupTree, min_allele_count: int) -> None:
        alt, het, hom = (
            counts[kind] for kind in (Kind.ALT, Kind.HETEROZYGOUS, Kind.HOMOZYGOUS_ALT)
        )
        hemi, hom_other = counts[Kind.HEMIZYGOUS_ALT], counts[Kind.HOMOZYGOUS_OTHER]
        self._counts, self._people = counts, tree.people.astype(np.int32)
        self._diploid = het + hom + hom_other
        self._one_copy = alt - 2 * hom - hemi
        of_diploid = het + 2 * hom
        haploid = alt - of_diploid + counts[Kind.SINGLE_OTHER]
        self._boxes = {
            Kind.HOMOZYGOUS_ALT: (
                np.maximum(of_diploid - self._diploid, 0),
                of_diploid // 2,
            ),
            Kind.HEMIZYGOUS_ALT: (
                np.maximum(alt - 2 * self._diploid, 0),
                np.minimum(alt, haploid),
            ),
        }
        # What is few is hidden; what is masked for others, or in no group, may be known all the same.
        self._hidden = few(alt, min_allele_count) | few(counts[Kind.OTHER], min_allele_count)

    def _tables(self) -> dict[str, _Table]:
        """Give the people of each class: with two copies, one of two, and none of two; of haploid calls with one."""
        counts = self._counts
        return {
            "two": counts[Kind.HOMOZYGOUS_ALT],
            "heterozygous": counts[Kind.HETEROZYGOUS],
            "one": self._one_copy,
            "none": counts[Kind.HOMOZYGOUS_OTHER],
            "haploid": counts[Kind.HEMIZYGOUS_ALT],
        }

    def small(self, fewest: int, min_allele_count: int) -> _Flags:
        """Tell which nodes have few people in a class; (n, v) bool."""
        # What hides the few copies of a cell hides its heterozygotes, and calls of one allele alone.
        hidden = self._hidden & (fewest <= min_allele_count)
        small = np.zeros(hidden.shape, np.bool_)
        for name, table in self._tables().items():
            if name == "two":
                small |= few(table, fewest)
            elif name == "haploid":
                small |= few(table, fewest) & ~(hidden & (self._diploid == 0))
            else:
                small |= few(table, fewest) & ~hidden
        return small

    def small_without(self, place: int, fewest: int) -> _Flags:
        """Tell at which variants the total less one country has few people in a class; (n,) bool."""
        small = np.zeros(self._counts.shape[1], np.bool_)
        for table in self._tables().values():
            small |= few(table[:, 0] - table[:, place], fewest)
        return small

    def told(
        self,
        rows: NDArray[np.int64],
        parent: int,
        parts: Sequence[int],
        own: int | None,
        fewest: int,
    ) -> _Flags:
        """Tell in which rows a class of a part follows too well from the whole, where all parts are withheld.

        Parameters
        ----------
        own
            A part that is known, or None.

        Returns
        -------
        (m,) bool
        """
        asked = [part for part in parts if part != own]
        at = (rows[:, None], asked)
        found = np.zeros(len(rows), np.bool_)
        for kind, (low, high) in self._boxes.items():
            count = self._counts[kind]
            whole = count[rows, parent] - (0 if own is None else count[rows, own])
            least, most = low[at], high[at]
            of_others = [each.sum(axis=1, keepdims=True) - each for each in (most, least)]
            lowest, highest = (whole[:, None] - each for each in of_others)
            # Nobody knows AC of what is hidden, which so leaves any number possible.
            hidden, people = self._hidden[at], self._people[asked]
            lowest = np.maximum(lowest, np.where(hidden, 0, least))
            highest = np.minimum(highest, np.where(hidden, people, most))
            alt = self._counts[Kind.ALT][at]
            by_alt = np.minimum(alt // 2 if kind is Kind.HOMOZYGOUS_ALT else alt, people)
            room = np.where(hidden, people, by_alt)
            narrow = highest - lowest < np.minimum(fewest - 1, room)
            found |= (narrow & _may_be_few(lowest, highest, fewest)).any(axis=1)
            if kind is Kind.HOMOZYGOUS_ALT:
                one = self._one_copy[at] + 2 * count[at]
                may_be = _may_be_few(one - 2 * highest, one - 2 * lowest, fewest)
                found |= (narrow & may_be & ~hidden).any(axis=1)
                none = self._counts[Kind.HOMOZYGOUS_OTHER][at] - count[at]
                may_be = _may_be_few(none + lowest, none + highest, fewest)
                narrow &= highest - lowest < most - least
                found |= (narrow & may_be & ~hidden).any(axis=1)
        return found


def _may_be_few(lowest: _Table, highest: _Table, fewest: int) -> _Flags:
    found: _Flags = (highest >= 1) & (lowest < fewest)
    return found
