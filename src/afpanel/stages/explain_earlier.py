"""Say of a variant which cells are masked for earlier releases, for which of them, and what they would tell together."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from afpanel.core.earlier_reasons import Asked, Notes, People, Told
from afpanel.core.group_counts import GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.policy import EffectivePolicy
from afpanel.core.suppression_kernel import NOTHING_LEFT, PRIMARY, SECONDARY, SHOWN
from afpanel.core.variants import Variants
from afpanel.stages.explain_words import copies_in_words, name_of_node, rule_in_words
from afpanel.stages.ledger_audit import Audit

Line = tuple[str, str]
"""Why a cell is masked, and by whose rule."""


def explain_earlier(
    audit: Audit,
    rules: EffectivePolicy,
    contig: str,
    variants: Variants,
    counts: GroupCounts,
    row: int,
) -> tuple[NDArray[np.int8], "EarlierReasons"]:
    """Hold the alleles of a position against earlier releases, and keep why.

    Parameters
    ----------
    audit
        What they are held against.
    rules
        What holds.
    contig
        Of the position.
    variants, counts
        All n variants of the position, and their counts in all groups of the panel.
    row
        The variant that is asked for.

    Returns
    -------
    reason
        (n, published groups) int8: which cells are masked beside earlier releases.
    reasons
        Why, of the one variant.
    """
    notes = Notes()
    with audit.on(contig) as beside:
        reason = beside.reason(variants, counts, notes)
    return reason, EarlierReasons(audit, rules, notes, counts, row)


class EarlierReasons:
    """Why cells of a variant are masked for earlier releases."""

    def __init__(
        self, audit: Audit, rules: EffectivePolicy, notes: Notes, counts: GroupCounts, row: int
    ) -> None:
        self._audit, self._rules, self._notes = audit, rules, notes
        self._counts, self._row = counts, row
        self._limits = {
            each.entry.name: int(each.entry.content["limits"]["min_allele_count"])
            for each in audit.held
        }
        self._shown_groups = {
            each.entry.name: {group["group"] for group in each.entry.content["groups"]}
            for each in audit.held
        }

    @property
    def held(self) -> str:
        """Name all that the release is held against."""
        found = [each.entry.name for each in self._audit.held]
        return _listed([*found, *self._elsewhere]) or "the ledger, in which nobody of the panel is"

    @property
    def releases(self) -> str:
        """Name what has a part in how the variant is masked."""
        notes, row = self._notes, self._row
        found = [each.release for each in notes.before if each.cells[row].any()]
        found += [name for each in notes.asked if each.cells[row].any() for name in each.releases]
        return _listed([*dict.fromkeys(found)]) or self._known or self.held

    @property
    def _known(self) -> str:
        """Name what shows cells of the variant."""
        names = [name for name, cells in self._notes.known if cells[self._row].any()]
        return _listed([*filter(None, names), *(self._elsewhere if "" in names else [])])

    @property
    def _elsewhere(self) -> list[str]:
        """Say what was published elsewhere, by country."""
        return [
            f"what {each.described['country']} shows elsewhere" for each in self._audit.external
        ]

    def of_cell(self, place: int, *, alone: bool) -> Iterator[Line]:
        """Say why a cell is masked for earlier releases, once for each reason.

        Parameters
        ----------
        place
            Of the group among those that are published.
        alone
            Whether it is masked for nothing else.
        """
        found = [*self._before(place), *self._asked(place)]
        if not found and alone:
            found.append(self._beside_known(place))
        yield from found

    def _before(self, place: int) -> Iterator[Line]:
        """Say which releases masked it."""
        row, group = self._row, self._audit.allowed[place]
        for each in self._notes.before:
            if not each.cells[row, place]:
                continue
            name, people = (
                each.release,
                f"{each.people[place]:,} of its people are in the group still",
            )
            if group not in self._shown_groups[name]:
                what = f"{name} did not show the group, which may be what hid others"
            elif each.dropped[row]:
                what = f"{name} did not publish the variant"
            else:
                what = f"{name} masked it"
            k = self._limits[name]
            yield (
                f"{what}, and {people}",
                f"the ledger: masked once is masked for ever; {name} had min_allele_count {k:,}",
            )

    def _asked(self, place: int) -> Iterator[Line]:
        """Say what it would tell together with what earlier releases show."""
        for each in self._notes.asked:
            if not each.cells[self._row, place]:
                continue
            shown = f"with what {_listed(each.releases)} " + (
                "shows" if len(each.releases) == 1 else "show"
            )
            if each.people is not None:
                for why, side in self._of_people(place, each, each.people):
                    yield f"{shown}, {why}", self._limit(side)
            elif each.told is Told.OF_THREE:
                yield f"{shown}, few copies of some people could be told", self._limit()
            else:
                few = "few copies of those who joined or left since could be told"
                yield f"{shown}, {few}: every group that changed is masked", self._limit()

    def _of_people(self, place: int, asked: Asked, people: People) -> Iterator[tuple[str, str]]:
        """Say what it would tell of those who joined or left; and which side is few."""
        row, at = self._row, self._audit.groups.index(self._audit.allowed[place])
        verb = "joined" if asked.told is Told.JOINED else "left"
        reason = int(people.masked.reason[row, at])
        if reason == PRIMARY:
            who, told = f"the {people.people[at]:,} who {verb} the group since", False
            for side, what, copies in self._sides(people.counts, at):
                if 0 < copies < self._notes.min_allele_count:
                    told = True
                    of_them = f"{copies:,} {copies_in_words(copies)} of {what}"
                    yield f"it would tell that {who} have {of_them}", side
            if not told:
                yield f"few copies of {who} are left by the alleles that are shown", ""
        elif reason == SECONDARY and (cause := int(people.masked.cause[row, at])) != NOTHING_LEFT:
            node = name_of_node(cause, self._audit.groups, people.tree)
            yield f"else those who {verb} {node} since could be worked out", ""
        else:
            yield (
                f"else few copies of those who {verb} since, or who stayed, could be worked out",
                "",
            )

    def _sides(self, counts: GroupCounts, at: int) -> Iterator[tuple[str, str, int]]:
        alt, number = (
            int(max(0, table[self._row, at]))
            for table in (counts.allele_count, counts.allele_number)
        )
        yield "alt", "ALT", alt
        yield "other", "the other alleles", number - alt

    def _beside_known(self, place: int) -> Line:
        """Say for which other cell it is masked, since what would have hidden that one is known."""
        row, audit = self._row, self._audit
        step = next(each for each in self._notes.steps if each.reason[row, place] != SHOWN)
        k, known = self._notes.min_allele_count, self._known
        beside = f", as {known} {'show' if ' and ' in known else 'shows'} others" if known else ""
        cause = int(step.cause[row, place])
        if step.reason[row, place] == PRIMARY:
            own = self._counts.take(groups=[audit.head.groups.index(g) for g in audit.allowed])
            for side, what, copies in self._sides(own, place):
                if 0 < copies < k:
                    few = f"{copies:,} {copies_in_words(copies)} of {what}, fewer than {k}"
                    return few, self._limit(side)
            return (
                f"the alleles that are shown of the position would leave few copies of all others{beside}",
                self._limit(),
            )
        if cause < 0:
            return (
                f"nothing else was left to mask so that the masked cells cannot be worked out{beside}",
                self._limit(),
            )
        people = dict(zip(audit.head.groups, audit.head.people, strict=True))
        tree = GroupTree.of(audit.allowed, [people[name] for name in audit.allowed])
        node = name_of_node(cause, audit.allowed, tree)
        return f"else {node} could be worked out{beside}", self._limit()

    def _limit(self, side: str = "") -> str:
        """Name the limit; an earlier one where that is stricter, and that both sides count."""
        k = self._notes.min_allele_count
        words = rule_in_words(self._rules, "min_allele_count")
        if k > self._rules.min_allele_count:
            before = [name for name, limit in self._limits.items() if limit == k]
            words = f"min_allele_count {k:,} of {_listed(before)}"
        if side and not self._rules.value(f"sides.{side}"):
            words += "; beside earlier releases both sides count, whatever sides says"
        return words if self._audit.ledger is None else f"the ledger; {words}"


def _listed(names: Sequence[str]) -> str:
    """Write names one after the other."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
