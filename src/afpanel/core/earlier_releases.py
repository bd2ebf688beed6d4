"""Which cells are masked so that a release and all earlier ones tell no more together than each may alone.

Three things are seen to. What was masked of people stays masked as long as any of them are in the group. What
was shown is known, so it hides nothing. And where people joined or left, the difference of two releases is a
panel of these people: it is masked as any other. `docs/ledger.md` gives the reasoning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.earlier_reasons import Asked, Before, Notes, People, Told
from afpanel.core.group_counts import GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.masking import few, sensitive
from afpanel.core.node_counts import Kind, NodeCounts
from afpanel.core.people_changes import GroupChanges
from afpanel.core.people_difference import (
    ALT_AND_NUMBER,
    Flags,
    difference,
    signed,
    tree_like,
    whole,
)
from afpanel.core.suppression import Beside, choose_masked, known_nodes
from afpanel.core.suppression_kernel import SHOWN
from afpanel.core.variants import Variants


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
    release
        Its name, for those who ask why.
    """

    changes: GroupChanges
    masked: Flags
    shown: Flags
    release: str = ""


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
    panel: Panel,
    earlier: Sequence[Earlier],
    bases: Sequence[Base],
    known: Flags,
    notes: Notes | None = None,
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
    notes
        Where to note why; None where nobody asks.

    Returns
    -------
    (n, released groups) int8
        As `suppression.suppress` gives it.
    """
    return _Audit(panel, earlier, bases, known, notes).settle()


class _Audit:
    def __init__(
        self,
        panel: Panel,
        earlier: Sequence[Earlier],
        bases: Sequence[Base],
        known: Flags,
        notes: Notes | None,
    ) -> None:
        self._panel, self._bases, self._notes = panel, bases, notes
        own = panel.released
        self._own = panel.counts.take(groups=own)
        people = panel.people[own].tolist()
        self._tree = GroupTree.of([panel.groups[g] for g in own], people)
        shrinking = [base for base in bases if base.earlier.changes.removed.any()]
        shrinks = bool(shrinking)
        # What was masked is hidden anew, by the people who stayed: as well as it was.
        self._k = max([panel.min_allele_count, *(base.min_allele_count for base in shrinking)])
        masked = np.zeros(known.shape, np.bool_)
        if notes is not None:
            notes.min_allele_count = self._k
            notes.known.append(("", known))
        known = known.copy()
        for each in earlier:
            of_both = each.changes.both[own] > 0
            before = each.masked[:, own] & of_both
            told = each.shown[:, own] & of_both & (shrinks | ~each.changes.changed[own])
            masked |= before
            known |= told
            if notes is not None:
                dropped = np.logical_not(np.any(each.shown, axis=1, keepdims=True))[:, 0]
                notes.before.append(Before(each.release, each.changes.both[own], before, dropped))
                notes.known.append((each.release, told))
        self._masked, self._known = masked, known

    def settle(self) -> NDArray[np.int8]:
        """Mask until no difference asks for more."""
        panel = self._panel
        while True:
            chosen = choose_masked(
                panel.variants,
                self._own,
                self._tree,
                self._k,
                self._known,
                beside=Beside(self._masked),
            )
            if self._notes is not None:
                self._notes.steps.append(chosen)
            reason = chosen.reason
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
                releases = tuple(each.earlier.release for each in self._bases)
                self._note(releases, Told.OF_THREE, lost[:, None] & of_both)
        return asked

    def _note(
        self, releases: tuple[str, ...], told: Told, cells: Flags, people: People | None = None
    ) -> None:
        if self._notes is not None and cells.any():
            self._notes.asked.append(Asked(releases, told, cells, people))

    def _asked_by_difference(self, base: Base, hidden: Flags) -> Flags:
        changes, own = base.earlier.changes, self._panel.released
        there: Flags = np.any(base.earlier.masked | base.earlier.shown, axis=1)
        everywhere = np.ones((len(hidden), len(self._panel.groups)), np.bool_)
        everywhere[:, own] = hidden
        told, people = Told.EITHER, None
        if not base.plain:
            asked, lost = everywhere & False, self._not_plain(base, everywhere)
        else:
            told = Told.LEFT if changes.removed.any() else Told.JOINED
            look = self._of_leavers if changes.removed.any() else self._of_newcomers
            people, lost = look(base, everywhere, there)
            asked = people.masked.reason != SHOWN
        of_people: Flags = (asked & changes.changed)[:, own]
        of_rows = (lost & there)[:, None] & (changes.changed & (changes.both > 0))[own]
        self._note((base.earlier.release,), told, of_people & ~hidden, people)
        self._note((base.earlier.release,), Told.EITHER, of_rows & ~hidden)
        found: Flags = of_people | of_rows
        return found

    def _of_newcomers(self, base: Base, hidden: Flags, there: Flags) -> tuple[People, Flags]:
        """Mask the panel of those who joined, which is known wherever both releases are shown.

        Returns
        -------
        people
            Those who joined; what of them must not be known is to be masked.
        lost
            (n,) bool: variants of which no group that changed may be shown.
        """
        added = base.earlier.changes.added
        tree = tree_like(self._panel.groups, self._panel.people, added)
        joined, wrong = difference(self._panel.counts, base.counts, tree, added, there)
        beside = Beside(hidden, every_row=True)
        masked = choose_masked(self._panel.variants, joined, tree, self._k, beside=beside)
        return People(added, joined, tree, masked), wrong

    def _of_leavers(self, base: Base, hidden: Flags, there: Flags) -> tuple[People, Flags]:
        """Mask the panel of those who left; returns as `_of_newcomers` does."""
        panel, removed = self._panel, base.earlier.changes.removed
        tree = tree_like(panel.groups, base.people, removed)
        left, wrong = difference(base.counts, panel.counts, tree, removed, there)
        gone = (panel.people == 0) & (removed > 0)
        free = np.where(gone, base.earlier.masked, hidden)
        seen = np.where(gone, base.earlier.shown, False)
        stayed = whole(panel.counts, there & ~wrong)
        delicate = self._few_who_stayed(stayed, tree, base.earlier.shown)
        masked = choose_masked(
            panel.variants,
            left,
            tree,
            self._k,
            seen,
            beside=Beside(free, stayed, delicate, every_row=True),
        )
        # Where all who carry an allele left, those who stayed cannot hide them any more.
        alt, number = (np.maximum(getattr(base.counts, x), 0) for x in ALT_AND_NUMBER)
        still, still_number = (np.maximum(getattr(panel.counts, x), 0) for x in ALT_AND_NUMBER)
        all_left = few(alt, self._k) & (still == 0)
        all_left |= few(number - alt, self._k) & (still_number - still == 0)
        all_left |= (base.counts.state == State.MASKED) | (panel.counts.state == State.MASKED)
        lost = wrong | (all_left & base.earlier.masked & (removed > 0)).any(axis=1)
        return People(removed, left, tree, masked), lost | self._hidden_by_leavers()

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
                for x in ALT_AND_NUMBER
            ]
            for sign in (1, -1):
                alt, other_alleles = sign * told[0], sign * (told[1] - told[0])
                found |= sensitive(alt, other_alleles, self._k).any(axis=1)
            less = [
                np.maximum(getattr(new, x), 0)
                - np.maximum(getattr(one.counts, x), 0)
                - np.maximum(getattr(other.counts, x), 0)
                for x in ALT_AND_NUMBER
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
        tree = tree_like(panel.groups, panel.people + base.people, panel.people)
        for sign in (1, -1):
            tables = [signed(panel.counts, base.counts, x, sign) for x in ALT_AND_NUMBER]
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
