"""Secondary disclosure control: which further cells are withheld so that no masked one can be worked out.

An attacker adds and subtracts: the total is the sum of its countries and of its sexes, a country of its
populations, for every kind of genotype; people in no published part are a part all the same; and alleles of
a site share their AN. What is decided here protects even against somebody who knows AN of every cell.
`docs/privacy.md` gives the reasoning.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.core.group_counts import GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.masking import BOTH_SIDES, Sides, sensitive
from afpanel.core.node_counts import Kind, NodeCounts
from afpanel.core.suppression_kernel import (
    ALT_SIDE,
    CONTRIBUTOR,
    EARLIER,
    MODELS,
    NO_CAUSE,
    OTHER_SIDE,
    PRIMARY,
    SECONDARY,
    SHOWN,
    suppress_rows,
)
from afpanel.core.variants import Variants

_NEVER = np.iinfo(np.int32).max

_FEWEST_VALUES = 2
"""What a contributor withheld must have two possible values even where the policy has no limit."""


@dataclass(frozen=True)
class Hiding:
    """What is hidden, and from whom, besides the limit itself.

    Parameters
    ----------
    sides
        Of which copies few are too few.
    insiders
        (a, v) bool: nodes that each insider knows. A cell of none of them is hidden from all; None where
        nobody is an insider.
    groups
        Groups that may be shown, the first ones of the tree; None where all may be.
    """

    sides: Sides = BOTH_SIDES
    insiders: NDArray[np.bool_] | None = None
    groups: int | None = None


@dataclass(frozen=True)
class Beside:
    """What else is published, or was, beside the counts that are masked.

    Parameters
    ----------
    masked
        (n, g) bool: cells that are masked in any case. They keep their counts, unlike those that came masked.
    against
        Counts of other people that move the other way when these do, since the sum of both is known; None
        where there are no such. They are in the groups of a tree of the same nodes.
    delicate
        (n, v) bool: nodes that must be hidden whatever they count, for what these others count; None where
        there are no such.
    every_row
        Whether a variant that shows ALT in no group tells something all the same.
    """

    masked: NDArray[np.bool_]
    against: GroupCounts | None = None
    delicate: NDArray[np.bool_] | None = None
    every_row: bool = False


@dataclass(frozen=True)
class Masked:
    """Which cells of n variants are masked, and why.

    Parameters
    ----------
    reason
        (n, g) int8: `SHOWN` is 0, then `PRIMARY`, `SECONDARY`, `CONTRIBUTOR`.
    cause, against
        (n, v) int16: the node that a cell was masked for, or `NO_CAUSE`, or `NOTHING_LEFT` where every cell
        of the variant was; and from whom to hide it: 0 is everybody, then insiders in their order.
    """

    reason: NDArray[np.int8]
    cause: NDArray[np.int16]
    against: NDArray[np.int16]


def suppress(
    variants: Variants,
    counts: GroupCounts,
    tree: GroupTree,
    min_allele_count: int,
    known: NDArray[np.bool_] | None = None,
    hiding: Hiding | None = None,
    beside: Beside | None = None,
) -> NDArray[np.int8]:
    """Decide which cells are masked: the `reason` of `choose_masked`, which says what is what."""
    return choose_masked(variants, counts, tree, min_allele_count, known, hiding, beside).reason


def choose_masked(
    variants: Variants,
    counts: GroupCounts,
    tree: GroupTree,
    min_allele_count: int,
    known: NDArray[np.bool_] | None = None,
    hiding: Hiding | None = None,
    beside: Beside | None = None,
) -> Masked:
    """Decide which cells are masked, and keep what each was masked for.

    Parameters
    ----------
    variants
        n variants of one contig, in order; all that have a position, or none of it.
    counts
        Their counts in the groups of `tree`. Cells that came masked stay so.
    min_allele_count
        k: fewest copies that may be shown or worked out, and how many values each masked cell must leave
        possible.
    known
        (n, g) bool: cells whose counts the attacker knows already, from an earlier release say. They are
        masked if they show few copies themselves, and for no other cell, as that would hide nothing; nor
        are they hidden. A cell that came masked is taken for what its sums tell of it.
    hiding
        See `Hiding`.
    beside
        See `Beside`; None where these counts are all there is.

    Raises
    ------
    BadInputError
        If the counts of a group are not the sum of those of its parts.
    """
    hiding = hiding or Hiding()
    of_tree = counts.state.shape[1]
    groups = of_tree if hiding.groups is None else hiding.groups
    nodes = NodeCounts.of(counts, tree)
    k = min_allele_count
    few = sensitive(nodes.counts[Kind.ALT], nodes.counts[Kind.OTHER], k, hiding.sides)
    reason = np.where(few, np.int8(PRIMARY), np.int8(SHOWN))
    reason[:, :of_tree][nodes.withheld] = CONTRIBUTOR
    if beside is not None:
        shown = reason[:, : beside.masked.shape[1]] == SHOWN
        reason[:, : beside.masked.shape[1]][beside.masked & shown] = EARLIER
    beyond_help = known_nodes(known, tree, len(reason))
    # Nobody shows a rest, and few people of it are as much in need of hiding as those of a group.
    risky = ((reason != SHOWN) & ~beyond_help).any(axis=1)
    unseen = reason[:, groups:]
    unseen[unseen != CONTRIBUTOR] = SECONDARY
    if beside is not None and beside.delicate is not None:
        reason[beside.delicate] = CONTRIBUTOR
        risky |= beside.delicate.any(axis=1)
    search = _Search(nodes, tree, _Sites.of(variants), beyond_help, groups, k, hiding, beside)
    cause, against = np.full((2, *reason.shape), NO_CAUSE, np.int16)
    masked = Masked(reason, cause, against)
    rows = np.flatnonzero(risky)
    while True:
        search.hide(masked, rows)
        rows = search.mask_few_others(reason)
        if not len(rows):
            return Masked(np.ascontiguousarray(reason[:, :groups]), cause, against)


def known_nodes(known: NDArray[np.bool_] | None, tree: GroupTree, n: int) -> NDArray[np.bool_]:
    """Find the nodes that the attacker knows whatever is masked: those given, and what follows from them; (n, v)."""
    nodes = np.zeros((n, tree.nodes), np.bool_)
    if known is None or not known.any():
        return nodes
    nodes[:, : known.shape[1]] = known
    before = -1
    while before != (now := int(nodes.sum())):
        before = now
        for parent, parts in tree.sums():
            members = [parent, *parts]
            lone = (~nodes[:, members]).sum(axis=1) == 1
            nodes[np.ix_(lone, members)] = True
    return nodes


@dataclass(frozen=True)
class _Sites:
    """Rows that may be alleles of one record.

    Parameters
    ----------
    place
        (n,) int64: position on the contig.
    position
        (n,) int64: which of the positions each row has, counted from 0.
    rows, start
        Sets of several rows, of one position, or of one position and REF: the rows set by set, and where
        each set begins in them.
    """

    place: NDArray[np.int64]
    position: NDArray[np.int64]
    rows: NDArray[np.int64]
    start: NDArray[np.int64]

    @classmethod
    def of(cls, variants: Variants) -> "_Sites":
        """Find the sets of sorted variants."""
        n = len(variants)
        new = np.diff(variants.position, prepend=-1) != 0
        again = np.flatnonzero(~new)
        new_ref = new.copy()
        before, after = variants.ref.take(again - 1), variants.ref.take(again)
        new_ref[again] = before.objects() != after.objects()
        starts = [np.flatnonzero(each) for each in (new, new_ref)]
        pairs = [np.column_stack([each, np.diff(np.append(each, n))]) for each in starts]
        sets = np.unique(np.concatenate([each[each[:, 1] > 1] for each in pairs]), axis=0)
        first, size = sets.T
        start = np.cumsum(size) - size
        rows = np.repeat(first - start, size) + np.arange(size.sum())
        return cls(variants.position.astype(np.int64), np.cumsum(new) - 1, rows, start)


class _Search:
    """Looks for cells to mask, in the rows that need it."""

    def __init__(
        self,
        nodes: NodeCounts,
        tree: GroupTree,
        sites: _Sites,
        known: NDArray[np.bool_],
        groups: int,
        k: int,
        hiding: Hiding,
        beside: Beside | None = None,
    ) -> None:
        self._counts, self._tree, self._sites = nodes.counts, tree, sites
        self._known = known
        self._groups, self._k, self._sides = groups, k, hiding.sides
        everybody = np.zeros((1, tree.nodes), np.bool_)
        insiders = everybody[:0] if hiding.insiders is None else hiding.insiders
        self._attackers = np.concatenate([everybody, insiders])
        self._every_row = beside is not None and beside.every_row
        self._against = None
        if beside is not None and beside.against is not None:
            others = NodeCounts.of(beside.against, tree)
            self._against = _Search(others, tree, sites, known, groups, k, hiding)

    def worth_a_row(self, reason: NDArray[np.int8], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Leave out rows that hide something and show ALT in no group: they are not published."""
        if self._every_row:
            return rows
        shown = reason[rows, : self._groups] == SHOWN
        shows_alt = (shown & (self._counts[Kind.ALT, rows, : self._groups] > 0)).any(axis=1)
        worth: NDArray[np.int64] = rows[shows_alt | shown.all(axis=1)]
        return worth

    def hide(self, masked: Masked, rows: NDArray[np.int64]) -> None:
        """Mask further cells of some rows until those that are masked are hidden."""
        rows = self.worth_a_row(masked.reason, rows)
        if not len(rows):
            return
        true, low, high = self._boxes(rows)
        written: tuple[NDArray[Any], ...] = (masked.reason, masked.cause, masked.against)
        chosen, tree = [table[rows] for table in written], self._tree
        room = [np.empty((MODELS, tree.nodes), np.int64) for _ in range(2)]
        stamps = np.empty(tree.nodes, np.int32)
        flags = (np.empty(tree.nodes, np.int64) for _ in range(3))
        k = max(self._k, _FEWEST_VALUES)
        sides = ALT_SIDE * self._sides.alt + OTHER_SIDE * self._sides.other
        suppress_rows(
            true, low, high, self._known[rows], self._attackers, self._keys(rows), tree.people, tree.parent,
            tree.first, tree.part, tree.sum_of, self._groups, k, sides, 0 if self._hides_zeros else 1,
            *chosen, *room, stamps, *flags,
        )  # fmt: skip
        for table, values in zip(written, chosen, strict=True):
            table[rows] = values

    @property
    def _hides_zeros(self) -> bool:
        return self._sides.zeros and self._k > 0

    def _keys(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give each row a number that does not depend on how a contig is cut into blocks."""
        position = self._sites.position
        rank = rows - np.searchsorted(position, position[rows])
        keys: NDArray[np.int64] = (self._sites.place[rows] << 16) + rank
        return keys

    def _boxes(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int32], ...]:
        """Give each model's counts, and how few and how many a node could have; (m, models, v) int32.

        Another allele of the site stays as it is. Who has one copy of it can lose or take a copy of this
        one; who has two cannot, nor can who has two different others.
        """
        counts = self._counts[:, rows]
        hets, homs, singles = self._of_other_alleles(rows)
        het, hom = counts[Kind.HETEROZYGOUS], counts[Kind.HOMOZYGOUS_ALT]
        haploid, alt, other = (counts[kind] for kind in (Kind.HEMIZYGOUS_ALT, Kind.ALT, Kind.OTHER))
        nothing = np.zeros_like(het)
        free = np.maximum(counts[Kind.HOMOZYGOUS_OTHER] - homs - hets // 2, 0)
        single = np.maximum(counts[Kind.SINGLE_OTHER] - singles, 0)
        copies = np.maximum(2 * self._tree.people, alt + other)
        true = [het, het, haploid, alt, other]
        low = [nothing, np.minimum(het, hets), nothing, nothing, nothing]
        high = [het + free, het + hom, haploid + single, copies, copies]
        tables = [np.stack(each, axis=1) for each in (true, low, high)]
        if self._against is not None:
            theirs, least, most = self._against._boxes(rows)  # noqa: SLF001 - another of this class
            tables[1] = np.maximum(tables[1], tables[0] - (most - theirs))
            tables[2] = np.minimum(tables[2], tables[0] + (theirs - least))
        return tuple(np.ascontiguousarray(table, np.int32) for table in tables)

    def _of_other_alleles(self, rows: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        """Add up heterozygotes, homozygotes and haploid calls of the other alleles; (m, v) each."""
        kinds = (Kind.HETEROZYGOUS, Kind.HOMOZYGOUS_ALT, Kind.HEMIZYGOUS_ALT)
        sums = [np.zeros((len(rows), self._tree.nodes), np.int32) for _ in kinds]
        position = self._sites.position
        first, last = (
            np.searchsorted(position, position[rows], side) for side in ("left", "right")
        )
        several = np.flatnonzero(last - first > 1)
        if len(several):
            start, which = np.unique(first[several], return_index=True)
            size = last[several][which] - start
            before = np.cumsum(size) - size
            alleles = np.repeat(start - before, size) + np.arange(size.sum())
            for kind, into in zip(kinds, sums, strict=True):
                whole = np.add.reduceat(self._counts[kind, alleles], before, axis=0)
                of_row = whole[np.searchsorted(start, first[several])]
                into[several] = of_row - self._counts[kind, rows[several]]
        return sums

    def mask_few_others(self, reason: NDArray[np.int8]) -> NDArray[np.int64]:
        """Mask an allele where all that are shown of a site leave few copies of the others.

        Returns
        -------
        (m,) int64
            The rows that were changed.
        """
        sites, g = self._sites, self._groups
        if not len(sites.rows):
            return np.empty(0, np.int64)
        alt = self._counts[Kind.ALT, sites.rows, :g]
        number = alt + self._counts[Kind.OTHER, sites.rows, :g]
        shown = reason[sites.rows, :g] == SHOWN
        published = self._every_row | (shown & (alt > 0)).any(axis=1) | shown.all(axis=1)
        shown &= published[:, None]
        known = self._known[sites.rows, :g]
        told = shown | known
        least = np.minimum.reduceat(np.where(told, number, _NEVER), sites.start)
        most = np.maximum.reduceat(np.where(told, number, 0), sites.start)
        others = most - np.add.reduceat(np.where(told, alt, 0), sites.start)
        fewest = 0 if self._hides_zeros and self._sides.other else 1
        few = (least == most) & (others >= fewest) & (others < self._k)
        # One of the alleles that have copies, the one with the fewest; the first of several.
        size = np.diff(np.append(sites.start, len(sites.rows)))
        candidate = shown & ~known & (alt > 0) & np.repeat(few, size, axis=0)
        copies = np.where(candidate, alt, _NEVER)
        rarest = np.repeat(np.minimum.reduceat(copies, sites.start), size, axis=0)
        rank = np.where(candidate & (copies == rarest), np.arange(len(copies))[:, None], _NEVER)
        first = np.repeat(np.minimum.reduceat(rank, sites.start), size, axis=0)
        at, group = np.nonzero((rank == first) & candidate)
        reason[sites.rows[at], group] = PRIMARY
        return np.unique(sites.rows[at])
