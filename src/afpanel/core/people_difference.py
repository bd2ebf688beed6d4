"""Two releases taken apart into people: those who are in one alone, as a panel of their own.

Counts of the same variants and groups are subtracted, and the sums among groups are laid out for the difference.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.node_counts import NodeCounts
from afpanel.errors import BadInputError

Flags = NDArray[np.bool_]

ALT_AND_NUMBER = ("allele_count", "allele_number")


def signed(new: GroupCounts, old: GroupCounts, table: str, sign: int) -> NDArray[np.int32]:
    """Subtract a table of an earlier release from that of a new one, with a sign; (n, u) int32, missing as none."""
    change: NDArray[np.int32] = np.maximum(getattr(new, table), 0) - np.maximum(getattr(old, table), 0)  # fmt: skip
    return sign * change


def tree_like(
    groups: Sequence[str], everybody: NDArray[np.int64], some: NDArray[np.int64]
) -> GroupTree:
    """Lay out the sums of some people as those of everybody, with the same rests."""
    tree = GroupTree.of(groups, everybody.tolist())
    people = tree.people.copy()
    people[: len(groups)] = some
    for parent, parts in tree.sums():
        for rest in [part for part in parts if part >= len(groups)]:
            people[rest] = people[parent] - sum(people[part] for part in parts if part != rest)
    return replace(tree, people=people)


def difference(
    more: GroupCounts, less: GroupCounts, tree: GroupTree, people: NDArray[np.int64], there: Flags
) -> tuple[GroupCounts, Flags]:
    """Subtract counts of the same variants and groups, and tell where what is left is of nobody.

    Returns
    -------
    counts
        (n, u): of those who are in one alone; none at variants that are not `there`, or wrong.
    wrong
        (n,) bool: variants where people who are in both were called otherwise.
    """
    tables = {
        name: np.maximum(getattr(more, name), 0) - np.maximum(getattr(less, name), 0)
        for name in GROUP_TABLES
    }
    unknown = (more.state == State.MASKED) | (less.state == State.MASKED)
    nobody = people == 0
    state = np.where(unknown & ~nobody, np.int8(State.MASKED), np.int8(State.OBSERVED))
    raw = np.zeros(len(more), np.int32)
    found = GroupCounts(**tables, state=state, raw_allele_count=raw, raw_allele_number=raw)
    kinds = np.where(unknown, 0, _kinds(found))
    wrong = ((kinds < 0).any(axis=0) | ((kinds != 0).any(axis=0) & nobody)).any(axis=1)
    groups = len(people)
    for parent, parts in tree.sums():
        named = [part for part in parts if part < groups]
        rest = kinds[:, :, parent] - kinds[:, :, named].sum(axis=2)
        has_rest = sum(int(tree.people[part]) for part in parts if part >= groups) > 0
        told = ~(unknown & ~nobody)[:, [parent, *named]].any(axis=1)
        wrong |= ((rest < 0) if has_rest else (rest != 0)).any(axis=0) & told
    found = replace(found, **{name: np.where(nobody, 0, tables[name]) for name in GROUP_TABLES})
    withheld = (unknown & ~nobody).any(axis=1)
    if withheld.any():
        try:
            NodeCounts.of(whole(found, there & ~wrong), tree)
        except BadInputError:
            # What is known of a cell that a contributor masked does not fit: other calls, again.
            wrong |= withheld
    return whole(found, there & ~wrong), wrong


def _kinds(counts: GroupCounts) -> NDArray[np.int32]:
    """Count the kinds of person that make up the counts; (kinds, n, u)."""
    alt, number, homozygous, hemizygous, single_alt, single = (
        getattr(counts, name) for name in GROUP_TABLES
    )
    heterozygous = alt - 2 * homozygous - single_alt
    diploid = (number - single) // 2
    return np.stack(
        [
            heterozygous, homozygous, diploid - heterozygous - homozygous,
            single_alt, single - single_alt, hemizygous, single_alt - hemizygous,
        ]
    )  # fmt: skip


def whole(counts: GroupCounts, rows: Flags) -> GroupCounts:
    """Take counts as they are in some rows, and as none in the others; nothing is missing."""
    at = rows[:, None]
    tables = {name: np.where(at, np.maximum(getattr(counts, name), 0), 0) for name in GROUP_TABLES}
    state = np.where(at, counts.state, np.int8(State.OBSERVED))
    return replace(counts, **tables, state=state)
