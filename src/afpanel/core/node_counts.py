"""Counts of groups and of the rests of their sums, as the kinds of person that make them up.

Cells that came masked, which a contributor withheld, have values that nobody here knows. Where a sum tells
them they are worked out; elsewhere they get values that agree with every sum.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.diploid_calls import diploid_count, heterozygote_count
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.errors import BadInputError


class Kind(IntEnum):
    """What is counted: alleles in the first two, people in the others."""

    ALT = 0
    OTHER = 1
    HETEROZYGOUS = 2
    HOMOZYGOUS_OTHER = 3
    HOMOZYGOUS_ALT = 4
    HEMIZYGOUS_ALT = 5
    SINGLE_OTHER = 6


@dataclass(frozen=True)
class NodeCounts:
    """Counts of n variants at the v nodes of a tree.

    Parameters
    ----------
    counts
        (kinds, n, v) int32, in the order of `Kind`; never missing.
    withheld
        (n, g) bool: cells of groups that came masked.
    """

    counts: NDArray[np.int32]
    withheld: NDArray[np.bool_]

    @classmethod
    def of(cls, shown: GroupCounts, tree: GroupTree) -> "NodeCounts":
        """Lay out the counts of groups and work out the rests.

        Raises
        ------
        BadInputError
            If the counts of a group are not the sum of those of its parts.
        """
        withheld: NDArray[np.bool_] = shown.state == State.MASKED
        n, g = withheld.shape
        counts = np.zeros((len(Kind), n, tree.nodes), np.int32)
        alt, number, homozygous, hemizygous, single_alt, single = (
            np.where(withheld, 0, np.maximum(getattr(shown, name), 0)) for name in GROUP_TABLES
        )
        heterozygous = heterozygote_count(alt, homozygous, single_alt)
        other = diploid_count(number, single) - heterozygous - homozygous
        for kind, values in (
            (Kind.ALT, alt),
            (Kind.OTHER, number - alt),
            (Kind.HETEROZYGOUS, heterozygous),
            (Kind.HOMOZYGOUS_OTHER, other),
            (Kind.HOMOZYGOUS_ALT, homozygous),
            (Kind.HEMIZYGOUS_ALT, hemizygous),
            (Kind.SINGLE_OTHER, single - single_alt),
        ):
            counts[kind, :, :g] = values
        known = np.zeros((n, tree.nodes), np.bool_)
        known[:, :g] = ~withheld
        _derive(counts, known, tree)
        rows = np.flatnonzero(~known.all(axis=1))
        if len(rows):
            some, told = counts[:, rows], known[rows]
            for parent, parts in reversed(tree.sums()):
                _share(some, told, parent, parts, tree)
            counts[:, rows] = some
        _check(counts, tree)
        np.maximum(counts, 0, out=counts)
        return cls(counts, withheld)


def _derive(counts: NDArray[np.int32], known: NDArray[np.bool_], tree: GroupTree) -> None:
    """Work out every node that is the only unknown one of a sum, until there is none."""
    before = -1
    while before != (now := int(known.sum())):
        before = now
        for parent, parts in tree.sums():
            members = [parent, *parts]
            unknown = ~known[:, members]
            lone = np.flatnonzero(unknown.sum(axis=1) == 1)
            which = unknown[lone].argmax(axis=1)
            for at in np.unique(which).tolist():
                rows, node = lone[which == at], members[at]
                others = [each for each in parts if each != node]
                total = counts[:, rows][:, :, others].sum(axis=2)
                whole = counts[:, rows, parent]
                counts[:, rows, node] = total if node == parent else whole - total
                known[rows, node] = True


def _share(
    counts: NDArray[np.int32],
    known: NDArray[np.bool_],
    parent: int,
    parts: list[int],
    tree: GroupTree,
) -> None:
    """Give the unknown parts of a sum equal shares of what the known ones leave.

    Each gets at least what is known of its own parts. Nobody can tell more of them, so values like these
    are as good as the true ones to find out how far they can be told.
    """
    least = counts.copy()
    for whole, inner in tree.sums():
        if whole != 0:
            at_least = counts[:, :, inner].sum(axis=2, where=known[:, inner])
            least[:, :, whole] = np.where(known[:, whole], counts[:, :, whole], at_least)
    if not known[:, parent].all():
        of_sums = [
            least[:, :, inner].sum(axis=2) for whole, inner in tree.sums() if whole == parent
        ]
        enough = np.maximum.reduce(of_sums)
        counts[:, :, parent] = np.where(known[:, parent], counts[:, :, parent], enough)
        known[:, parent] = True
    unknown = ~known[:, parts]
    left = counts[:, :, parent] - least[:, :, parts].sum(axis=2)
    number = np.maximum(unknown.sum(axis=1), 1)
    order = np.cumsum(unknown, axis=1)
    share = left // number
    for i, part in enumerate(parts):
        extra = np.where(order[:, i] == number, left - share * (number - 1), share)
        given = least[:, :, part] + extra
        counts[:, :, part] = np.where(unknown[:, i], given, counts[:, :, part])
    known[:, parts] = True


def _check(counts: NDArray[np.int32], tree: GroupTree) -> None:
    """Refuse counts that do not add up: what could be worked out of them cannot be known."""
    alleles = counts[: Kind.OTHER + 1]
    wrong = (alleles < 0).any(axis=(0, 2))
    for parent, parts in tree.sums():
        wrong |= (alleles[:, :, parts].sum(axis=2) != alleles[:, :, parent]).any(axis=0)
    if wrong.any():
        raise BadInputError(
            f"the counts of groups do not add up at {int(wrong.sum()):,} variants",
            where=f"variant {int(wrong.argmax()):,} of a block",
            expected="the total as the sum of its countries, and a country of its populations",
            remedy="merge the contig again",
        )
