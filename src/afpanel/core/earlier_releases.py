"""Which cells are masked so that a release and all earlier ones tell no more together than each may alone.

Three things are seen to. What was masked of people stays masked as long as any of them are in the group. What
was shown is known, so it hides nothing. And where people joined or left, the difference of two releases is a
panel of these people: it is masked as any other. `docs/ledger.md` gives the reasoning.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.masking import few, sensitive
from afpanel.core.node_counts import Kind, NodeCounts
from afpanel.core.people_changes import GroupChanges
from afpanel.core.suppression import Beside, known_nodes, suppress
from afpanel.core.suppression_kernel import SHOWN
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Earlier:
    """What an earlier release says of n variants; u groups, those of either release.

    Parameters
    ----------
    changes
        How each group changed since.
    masked, shown
        (n, u) bool: cells that were masked, in variants that were dropped too, and cells that were shown. A
        variant that nobody had then is neither.
    """

    changes: GroupChanges
    masked: Flags
    shown: Flags


@dataclass(frozen=True)
class Base:
    """An earlier release that has people of the new one: what changed since is a panel of its own.

    Parameters
    ----------
    earlier
        What it says.
    counts
        What it counted, masked cells too: n variants in u groups. Nobody's where it had no such variant.
    people
        (u,) int64: people of each group then.
    plain
        Whether those who joined or left can be looked at by themselves: some joined and nobody left, and of any
        two releases one has all people of the other, in groups that changed; or some left, and no release has
        yet other people of these groups.
    min_allele_count
        Its limit.
    """

    earlier: Earlier
    counts: GroupCounts
    people: NDArray[np.int64]
    plain: bool
    min_allele_count: int


@dataclass(frozen=True)
class Panel:
    """The new release before it is masked: n variants in u groups.

    Parameters
    ----------
    variants, counts
        The variants, and all that is counted.
    groups
        Names of the groups, those of the base among them; the first is the total.
    people
        (u,) int64: people of each.
    released
        Places of the groups that may be shown, in order; the first is the total.
    min_allele_count
        k.
    """

    variants: Variants
    counts: GroupCounts
    groups: list[str]
    people: NDArray[np.int64]
    released: list[int]
    min_allele_count: int


def mask_beside(
    panel: Panel, earlier: Sequence[Earlier], bases: Sequence[Base], known: Flags
) -> NDArray[np.int8]:
    """Decide which cells are masked, given earlier releases.

    Parameters
    ----------
    panel
        The new release.
    earlier
        Every earlier release that has people of it.
    bases
        Those of them whose differences from it are looked at.
    known
        (n, released groups) bool: cells that are known from elsewhere.

    Returns
    -------
    (n, released groups) int8
        As `suppression.suppress` gives it.
    """
    return _Audit(panel, earlier, bases, known).settle()


class _Audit:
    def __init__(
        self, panel: Panel, earlier: Sequence[Earlier], bases: Sequence[Base], known: Flags
    ) -> None:
        self._panel, self._bases = panel, bases
        own = panel.released
        self._own = panel.counts.take(groups=own)
        people = panel.people[own].tolist()
        self._tree = GroupTree.of([panel.groups[g] for g in own], people)
        shrinking = [base for base in bases if base.earlier.changes.removed.any()]
        shrinks = bool(shrinking)
        # What was masked is hidden anew, by the people who stayed: as well as it was.
        self._k = max([panel.min_allele_count, *(base.min_allele_count for base in shrinking)])
        masked = np.zeros(known.shape, np.bool_)
        known = known.copy()
        for each in earlier:
            of_both = each.changes.both[own] > 0
            masked |= each.masked[:, own] & of_both
            known |= each.shown[:, own] & of_both & (shrinks | ~each.changes.changed[own])
        self._masked, self._known = masked, known

    def settle(self) -> NDArray[np.int8]:
        """Mask until no difference asks for more."""
        panel = self._panel
        while True:
            reason = suppress(
                panel.variants,
                self._own,
                self._tree,
                self._k,
                self._known,
                beside=Beside(self._masked),
            )
            hidden = self._hidden(reason)
            wanted = self._asked_by_differences(hidden) & ~hidden
            if not wanted.any():
                return reason
            self._masked = self._masked | (reason != SHOWN) | wanted

    def _hidden(self, reason: NDArray[np.int8]) -> Flags:
        """Tell which cells do not appear: those that are masked, and all of a variant that is not published."""
        shown = reason == SHOWN
        worth = (shown & (self._own.allele_count > 0)).any(axis=1) | shown.all(axis=1)
        hidden: Flags = np.logical_not(shown & worth[:, None])
        return hidden

    def _asked_by_differences(self, hidden: Flags) -> Flags:
        """Find the cells that must be masked for what a base and this release show together."""
        asked = np.zeros_like(hidden)
        for base in self._bases:
            asked |= self._asked_by_difference(base, hidden)
        if not all(base.plain for base in self._bases):
            lost = self._few_of_three()
            for base in self._bases:
                changes = base.earlier.changes
                of_both = (changes.changed & (changes.both > 0))[self._panel.released]
                asked |= lost[:, None] & of_both
        return asked

    def _asked_by_difference(self, base: Base, hidden: Flags) -> Flags:
        changes, own = base.earlier.changes, self._panel.released
        there: Flags = np.any(base.earlier.masked | base.earlier.shown, axis=1)
        everywhere = np.ones((len(hidden), len(self._panel.groups)), np.bool_)
        everywhere[:, own] = hidden
        if base.plain and not changes.removed.any():
            asked, lost = self._of_newcomers(base, everywhere, there)
        elif base.plain:
            asked, lost = self._of_leavers(base, everywhere, there)
        else:
            asked, lost = everywhere & False, self._not_plain(base, everywhere)
        asked[lost & there] |= changes.changed & (changes.both > 0)
        asked &= changes.changed
        found: Flags = asked[:, own]
        return found

    def _of_newcomers(self, base: Base, hidden: Flags, there: Flags) -> tuple[Flags, Flags]:
        """Mask the panel of those who joined, which is known wherever both releases are shown.

        Returns
        -------
        asked
            (n, u) bool: cells to mask.
        lost
            (n,) bool: variants of which no group that changed may be shown.
        """
        added = base.earlier.changes.added
        tree = _tree_like(self._panel.groups, self._panel.people, added)
        joined, wrong = _difference(self._panel.counts, base.counts, tree, added, there)
        reason = suppress(
            self._panel.variants, joined, tree, self._k, beside=Beside(hidden, every_row=True)
        )
        return reason != SHOWN, wrong

    def _of_leavers(self, base: Base, hidden: Flags, there: Flags) -> tuple[Flags, Flags]:
        """Mask the panel of those who left; returns as `_of_newcomers` does."""
        panel, removed = self._panel, base.earlier.changes.removed
        tree = _tree_like(panel.groups, base.people, removed)
        left, wrong = _difference(base.counts, panel.counts, tree, removed, there)
        gone = (panel.people == 0) & (removed > 0)
        free = np.where(gone, base.earlier.masked, hidden)
        seen = np.where(gone, base.earlier.shown, False)
        stayed = _whole(panel.counts, there & ~wrong)
        delicate = self._few_who_stayed(stayed, tree, base.earlier.shown)
        reason = suppress(
            panel.variants,
            left,
            tree,
            self._k,
            seen,
            beside=Beside(free, stayed, delicate, every_row=True),
        )
        # Where all who carry an allele left, those who stayed cannot hide them any more.
        alt, number = (np.maximum(getattr(base.counts, x), 0) for x in _ALT_AND_NUMBER)
        still, still_number = (np.maximum(getattr(panel.counts, x), 0) for x in _ALT_AND_NUMBER)
        all_left = few(alt, self._k) & (still == 0)
        all_left |= few(number - alt, self._k) & (still_number - still == 0)
        all_left |= (base.counts.state == State.MASKED) | (panel.counts.state == State.MASKED)
        lost = wrong | (all_left & base.earlier.masked & (removed > 0)).any(axis=1)
        return reason != SHOWN, lost | self._hidden_by_leavers()

    def _hidden_by_leavers(self) -> Flags:
        """Find variants of which few copies were hidden by those who left: the sums that are left tell them; (n,)."""
        counts = NodeCounts.of(self._own, self._tree).counts
        delicate = sensitive(counts[Kind.ALT], counts[Kind.OTHER], self._k)
        told = known_nodes(self._known, self._tree, len(self._known))
        told[:, : self._known.shape[1]] &= ~self._known
        found: Flags = np.any(told & delicate, axis=1)
        return found

    def _few_who_stayed(self, stayed: GroupCounts, tree: GroupTree, seen: Flags) -> Flags:
        """Find few copies of people who stayed, where all were shown: who knows those of the leavers knows them; (n, v)."""
        counts = NodeCounts.of(stayed, tree).counts
        found = sensitive(counts[Kind.ALT], counts[Kind.OTHER], self._k) & (tree.people > 0)
        known = np.zeros_like(found)
        known[:, : seen.shape[1]] = seen
        for parent, parts in tree.sums():
            groups = [part for part in parts if part < seen.shape[1]]
            for rest in [part for part in parts if part not in groups]:
                known[:, rest] = known[:, [parent, *groups]].all(axis=1)
        both: Flags = np.logical_and(found, known)
        return both

    def _few_of_three(self) -> Flags:
        """Find variants at which two earlier releases and this one tell few copies of some people; (n,) bool."""
        found = np.zeros(len(self._panel.variants), np.bool_)
        new = self._panel.counts
        for one, other in permutations(self._bases, 2):
            told = [
                np.maximum(getattr(new, x), 0)
                + np.maximum(getattr(one.counts, x), 0)
                - np.maximum(getattr(other.counts, x), 0)
                for x in _ALT_AND_NUMBER
            ]
            for sign in (1, -1):
                alt, other_alleles = sign * told[0], sign * (told[1] - told[0])
                found |= sensitive(alt, other_alleles, self._k).any(axis=1)
            less = [
                np.maximum(getattr(new, x), 0)
                - np.maximum(getattr(one.counts, x), 0)
                - np.maximum(getattr(other.counts, x), 0)
                for x in _ALT_AND_NUMBER
            ]
            for sign in (1, -1):
                alt, other_alleles = sign * less[0], sign * (less[1] - less[0])
                found |= sensitive(alt, other_alleles, self._k).any(axis=1)
        return found

    def _not_plain(self, base: Base, hidden: Flags) -> Flags:
        """Find variants of which all is not plain to see: something is, or was, masked, or a difference is small; (n,)."""
        panel, changes = self._panel, base.earlier.changes
        found = base.earlier.masked.any(axis=1) | hidden[:, panel.released].any(axis=1)
        one_way = changes.changed & ((changes.added == 0) | (changes.removed == 0))
        tree = _tree_like(panel.groups, panel.people + base.people, panel.people)
        for sign in (1, -1):
            tables = [_signed(panel.counts, base.counts, x, sign) for x in _ALT_AND_NUMBER]
            alt, other = tables[0], tables[1] - tables[0]
            way = one_way & ((changes.added > 0) if sign > 0 else (changes.removed > 0))
            found |= (sensitive(alt, other, self._k) & way).any(axis=1)
            found |= (((alt < 0) | (other < 0)) & way).any(axis=1)
            found |= (((alt != 0) | (other != 0)) & ~changes.changed).any(axis=1)
            for parent, parts in tree.sums():
                groups = [part for part in parts if part < len(panel.groups)]
                for copies in (alt, other):
                    found |= few(copies[:, parent] - copies[:, groups].sum(axis=1), self._k)
        return np.asarray(found)


_ALT_AND_NUMBER = ("allele_count", "allele_number")


def _signed(
    new: GroupCounts, old: GroupCounts, table: str, sign: int
) -> NDArray[np.int32]:  # fmt: skip
    change: NDArray[np.int32] = np.maximum(getattr(new, table), 0) - np.maximum(getattr(old, table), 0)  # fmt: skip
    return sign * change


def _tree_like(
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


def _difference(
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
            NodeCounts.of(_whole(found, there & ~wrong), tree)
        except BadInputError:
            # What is known of a cell that a contributor masked does not fit: other calls, again.
            wrong |= withheld
    return _whole(found, there & ~wrong), wrong


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


def _whole(counts: GroupCounts, rows: Flags) -> GroupCounts:
    """Take counts as they are in some rows, and as none in the others; nothing is missing."""
    at = rows[:, None]
    tables = {name: np.where(at, np.maximum(getattr(counts, name), 0), 0) for name in GROUP_TABLES}
    state = np.where(at, counts.state, np.int8(State.OBSERVED))
    return replace(counts, **tables, state=state)
