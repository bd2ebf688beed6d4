"""Counts of groups and of the rests of their sums, as the kinds of person that make them up.

Cells that came masked, which a contributor withheld, have values that nobody here knows. Where a sum tells
them they are worked out; elsewhere they get values that agree with every sum.
"""

from dataclasses import dataclass
from enum import IntEnum

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.compiled import READ_I8, compiled
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


(
    _ALT,
    _OTHER,
    _HETEROZYGOUS,
    _HOMOZYGOUS_OTHER,
    _HOMOZYGOUS_ALT,
    _HEMIZYGOUS_ALT,
    _SINGLE_OTHER,
) = map(int, Kind)


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
        shape = (len(withheld), tree.nodes)
        counts, known = np.empty((len(Kind), *shape), np.int32), np.empty(shape, np.bool_)
        tables = (np.ascontiguousarray(getattr(shown, name), np.int32) for name in GROUP_TABLES)
        sums = (tree.parent, tree.first, tree.part)
        _lay_out(np.ascontiguousarray(withheld), *tables, *sums, counts, known)
        rows = np.flatnonzero(~known.all(axis=1))
        if len(rows):
            some, told = counts[:, rows], known[rows]
            _derive(some, told, tree)
            for parent, parts in reversed(tree.sums()):
                _share(some, told, parent, parts, tree)
            counts[:, rows] = some
        _check(counts, tree)
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
    """Refuse counts that do not add up: what could be worked out of them cannot be known.

    Of others, classes of genotypes that come out below 0 are set to 0.
    """
    wrong = np.empty(counts.shape[1], np.bool_)
    _find_wrong(counts, tree.parent, tree.first, tree.part, wrong)
    if wrong.any():
        raise BadInputError(
            f"the counts of groups do not add up at {int(wrong.sum()):,} variants",
            where=f"variant {int(wrong.argmax()):,} of a block",
            expected="the total as the sum of its countries, and a country of its populations",
            remedy="merge the contig again",
        )


@compiled(
    nb.void(
        nb.types.Array(nb.b1, 2, "C", readonly=True),
        *[nb.types.Array(nb.i4, 2, "C", readonly=True)] * 6,
        *[READ_I8] * 3,
        nb.i4[:, :, ::1],
        nb.b1[:, ::1],
    )
)
def _lay_out(  # type: ignore[no-untyped-def]
    withheld, ac, an, hom, hemi, single_ac, single_an, parent, first, part, counts, known
):
    """Lay out the counts of groups that are known, and of the rests whose sums are known but for them."""
    groups, kinds = withheld.shape[1], counts.shape[0]
    for i in range(len(withheld)):
        for g in range(groups):
            known[i, g] = not withheld[i, g]
            if withheld[i, g]:
                for kind in range(kinds):
                    counts[kind, i, g] = 0
                continue
            alt, homozygous = max(ac[i, g], 0), max(hom[i, g], 0)
            number, single = max(an[i, g], 0), max(single_an[i, g], 0)
            single_alt = max(single_ac[i, g], 0)
            heterozygous = alt - 2 * homozygous - single_alt
            counts[_ALT, i, g] = alt
            counts[_OTHER, i, g] = number - alt
            counts[_HETEROZYGOUS, i, g] = heterozygous
            counts[_HOMOZYGOUS_OTHER, i, g] = (number - single) // 2 - heterozygous - homozygous
            counts[_HOMOZYGOUS_ALT, i, g] = homozygous
            counts[_HEMIZYGOUS_ALT, i, g] = max(hemi[i, g], 0)
            counts[_SINGLE_OTHER, i, g] = single - single_alt
        for node in range(groups, known.shape[1]):
            known[i, node] = False
            for kind in range(kinds):
                counts[kind, i, node] = 0
        for e in range(len(parent)):
            rest, told = (
                part[first[e + 1] - 1],
                known[i, parent[e]],
            )  # a rest is the last of its sum
            for k in range(first[e], first[e + 1] - 1):
                told = told and known[i, part[k]]
            if rest < groups or not told:
                continue
            known[i, rest] = True
            for kind in range(kinds):
                left = np.int64(counts[kind, i, parent[e]])
                for k in range(first[e], first[e + 1] - 1):
                    left -= counts[kind, i, part[k]]
                counts[kind, i, rest] = left


@compiled(nb.void(nb.i4[:, :, ::1], *[READ_I8] * 3, nb.b1[::1]))
def _find_wrong(counts, parent, first, part, wrong):  # type: ignore[no-untyped-def]
    """Find the rows whose alleles do not add up; set all that is below 0 to 0."""
    for i in range(counts.shape[1]):
        wrong[i] = False
        for kind in (_ALT, _OTHER):
            for node in range(counts.shape[2]):
                wrong[i] |= counts[kind, i, node] < 0
            for e in range(len(parent)):
                left = np.int64(counts[kind, i, parent[e]])
                for k in range(first[e], first[e + 1]):
                    left -= counts[kind, i, part[k]]
                wrong[i] |= left != 0
    for kind in range(counts.shape[0]):
        for i in range(counts.shape[1]):
            for node in range(counts.shape[2]):
                counts[kind, i, node] = max(counts[kind, i, node], nb.i4(0))
