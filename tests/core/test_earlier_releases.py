"""What two releases tell together, by every whole number that is possible: small panels whose people change."""

from itertools import product

import numpy as np
import pytest

from afpanel.constants import Sex, State
from afpanel.core.earlier_releases import Base, Earlier, Panel, mask_beside
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.people_changes import CohortVersion, Crowd, GroupChanges, bases_of
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.model.groups import group_named

ROWS = 3
LEAVES = ("AA_P", "AA_Q", "BB_P", "CC_P")
STAYED, LEFT, JOINED = range(3)
FIRST, SECOND = [STAYED, LEFT], [STAYED, JOINED]


class TwoReleases:
    """People of a few populations who stay, leave or join; their copies of ALT at each variant."""

    def __init__(self, rng: np.random.Generator, how: str) -> None:
        kinds = {
            "same": [STAYED],
            "joined": [STAYED, JOINED],
            "left": [STAYED, LEFT],
            "both": [STAYED, LEFT, JOINED],
        }[how]
        self.leaves = list(LEAVES[: rng.integers(2, 4 if how == "both" else 5)])
        most = 2 if len(self.leaves) > 3 else 3
        self.people = np.zeros((3, len(self.leaves)), int)
        for kind in kinds:
            self.people[kind] = rng.integers(0, most + 1, len(self.leaves))
        if how == "left":  # whole populations, often
            gone = rng.random(len(self.leaves)) < 0.3
            self.people[STAYED, gone] = 0
        if how == "both":  # of one population people join or leave, not both
            keep = rng.integers(0, 2, len(self.leaves)) == 0
            self.people[LEFT, keep] = self.people[JOINED, ~keep] = 0
        self.people[STAYED, 0] = max(1, self.people[STAYED, 0])
        frequency = rng.uniform(0, 1, (ROWS, 1, len(self.leaves))) ** 2
        frequency = frequency * rng.uniform(0, 2, (ROWS, 3, len(self.leaves)))
        self.het = np.zeros((ROWS, 3, len(self.leaves)), int)
        self.hom = self.het.copy()
        for row, kind, leaf in np.ndindex(self.het.shape):
            calls = rng.random((self.people[kind, leaf], 2)) < min(1, frequency[row, kind, leaf])
            self.het[row, kind, leaf] = int((calls.sum(axis=1) == 1).sum())
            self.hom[row, kind, leaf] = int((calls.sum(axis=1) == 2).sum())
        countries = sorted({leaf[:2] for leaf in self.leaves})
        self.groups = ["total"]
        for country in countries:
            self.groups += [country, *(leaf for leaf in self.leaves if leaf[:2] == country)]
        self.holds = np.array(
            [[g in ("total", leaf, leaf[:2]) for leaf in self.leaves] for g in self.groups], int
        )

    def size(self, kinds: list[int]) -> np.ndarray:
        return self.holds @ self.people[kinds].sum(axis=0)

    def counts(self, kinds: list[int]) -> GroupCounts:
        het, hom = ((each[:, kinds].sum(axis=1) @ self.holds.T) for each in (self.het, self.hom))
        number = np.broadcast_to(2 * self.size(kinds), het.shape)
        table = {name: np.zeros(het.shape, np.int32) for name in GROUP_TABLES}
        table["allele_count"][:], table["homozygote_count"][:] = het + 2 * hom, hom
        table["allele_number"][:] = number
        state = np.full(het.shape, State.OBSERVED, np.int8)
        raw = np.zeros(ROWS, np.int32)
        return GroupCounts(**table, state=state, raw_allele_count=raw, raw_allele_number=raw)

    def copies(self, kind: int) -> np.ndarray:
        """(rows, leaves): copies of ALT of those who stayed, left or joined."""
        return (self.het + 2 * self.hom)[:, kind]


def apart() -> Variants:
    return Variants(
        np.arange(1, ROWS + 1, dtype=np.int32), Strings.of(["A"] * ROWS), Strings.of(["C"] * ROWS)
    )


def shown_of(reason: np.ndarray, counts: GroupCounts, places: list[int]) -> np.ndarray:
    """(rows, groups): what a reader sees; nothing of variants that are not published."""
    shown = np.zeros(counts.state.shape, bool)
    shown[:, places] = reason == 0
    alt = (shown & (counts.allele_count > 0)).any(axis=1)
    return shown & (alt | (reason == 0).all(axis=1))[:, None]


def released(two: TwoReleases, kinds: list[int], k: int, earlier=(), bases=(), known=None):
    people, counts = two.size(kinds), two.counts(kinds)
    places = [g for g in range(len(two.groups)) if people[g]]
    panel = Panel(apart(), counts, two.groups, people, places, k)
    known = np.zeros((ROWS, len(places)), bool) if known is None else known[:, places]
    return shown_of(mask_beside(panel, earlier, bases, known), counts, places)


def changes_of(two: TwoReleases) -> GroupChanges:
    return GroupChanges(*(two.size([kind]) for kind in (STAYED, JOINED, LEFT)))


def second_release(two: TwoReleases, k_old: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """What a reader sees of the first release and of the second, which is masked with the first in mind."""
    old = released(two, [STAYED, LEFT], k_old)
    held = two.size([STAYED, LEFT]) > 0
    earlier = Earlier(changes_of(two), ~old & held, old)
    counts, people = two.counts([STAYED, LEFT]), two.size([STAYED, LEFT])
    changes = earlier.changes
    one_way = not (changes.added.any() and changes.removed.any())
    base = Base(earlier, counts, people, one_way, k_old)
    bases = [base] if changes.changed.any() else []
    return old, released(two, [STAYED, JOINED], k, [earlier], bases)


def every_table(two: TwoReleases) -> np.ndarray:
    """Copies that each kind of person of each population could have; (tables, kinds, leaves)."""
    sizes = [(kind, leaf) for kind, leaf in np.ndindex(two.people.shape) if two.people[kind, leaf]]
    values = np.array(list(product(*(range(2 * two.people[at] + 1) for at in sizes))), np.int16)
    tables = np.zeros((len(values), *two.people.shape), np.int16)
    for i, (kind, leaf) in enumerate(sizes):
        tables[:, kind, leaf] = values[:, i]
    return tables


def possible(two, tables, row: int, shown: np.ndarray, kinds: list[int]) -> np.ndarray:
    """Those of some tables that agree with what is shown of a variant."""
    groups = np.flatnonzero(shown[row])
    true = sum(two.copies(kind)[row] for kind in kinds) @ two.holds.T
    for g in groups:
        sums = tables[:, kinds].sum(axis=1) @ two.holds[g]
        tables = tables[sums == true[g]]
    return tables


def too_well_known(two, row, found, before, kinds, k, visible) -> list[str]:
    """Groups of which some people's few copies have too few possible values, and fewer than the first release left."""
    here = sum(two.copies(kind)[row] for kind in kinds) @ two.holds.T
    values, values_before = (each[:, kinds].sum(axis=1) @ two.holds.T for each in (found, before))
    people = two.size(kinds)
    wrong = []
    for g, name in enumerate(two.groups):
        few = 0 < here[g] < k or 0 < 2 * people[g] - here[g] < k
        of_leaves = found[:, kinds].sum(axis=1)[:, two.holds[g] > 0]
        if not here[g] < k and not of_leaves.max(axis=0)[~visible[two.holds[g] > 0]].any():
            continue  # nobody hidden can have ALT, so it is AN that hides how many others there are
        left = len(np.unique(values_before[:, g]))
        if few and len(np.unique(values[:, g])) < min(k, people[g] + 1, left):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("how", ["same", "joined", "left", "both"])
def test_no_few_copies_of_520_pairs_of_small_releases_can_be_worked_out_of_both(how):
    """Neither of those in a release, nor of those who joined or left, by whoever knows AN of every cell."""
    rng = np.random.default_rng(["same", "joined", "left", "both"].index(how))
    shown = 0
    for _ in range(130):
        two = TwoReleases(rng, how)
        k_old, k = int(rng.integers(2, 5)), int(rng.integers(2, 5))
        old, new = second_release(two, k_old, k)
        tables = every_table(two)
        shown += int(new.sum())
        for row in range(ROWS):
            before = possible(two, tables, row, old, FIRST)
            found = possible(two, before, row, new, SECOND)
            visible = new[row][[two.groups.index(leaf) for leaf in two.leaves]]
            assert len(found)
            for kinds, least in (
                (FIRST, k_old),
                (SECOND, min(k_old, k)),
                ([JOINED], k),
                ([LEFT], k),
            ):
                wrong = too_well_known(two, row, found, before, kinds, least, visible)
                assert not wrong, (how, row, kinds)
    assert shown > 100


@pytest.mark.parametrize("how", ["joined", "left", "both"])
def test_they_can_where_the_second_release_is_masked_without_the_first_in_mind(how):
    rng = np.random.default_rng(8)
    broken = 0
    for _ in range(600):
        if broken > 2:
            break
        two, k = TwoReleases(rng, how), 3
        old, new = released(two, FIRST, k), released(two, SECOND, k)
        tables = every_table(two)
        for row in range(ROWS):
            before = possible(two, tables, row, old, FIRST)
            found = possible(two, before, row, new, SECOND)
            visible = new[row][[two.groups.index(leaf) for leaf in two.leaves]]
            for kinds in (FIRST, SECOND, [JOINED], [LEFT]):
                broken += bool(too_well_known(two, row, found, before, kinds, k, visible))
    assert broken > 2


PATTERNS = ("011", "001", "110", "101", "100", "010", "111")
"""In which of three releases people are."""


class Three(TwoReleases):
    """People who are in some of three releases; a kind of person for each of up to three patterns."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__(rng, "joined")
        self.leaves = self.leaves[:2] if rng.random() < 0.5 else self.leaves[:3]
        n = len(self.leaves)
        chosen = rng.choice(len(PATTERNS), 3 if n == 2 else 2, replace=False)
        self.patterns = [PATTERNS[i] for i in chosen]
        self.people = np.zeros((3, n), int)
        self.people[: len(chosen)] = rng.integers(0, 3, (len(chosen), n))
        self.people[0, 0] = max(1, self.people[0, 0])
        self.draw(rng)

    def draw(self, rng: np.random.Generator) -> None:
        """Draw everybody's calls."""
        shape = (ROWS, 3, len(self.leaves))
        frequency = rng.uniform(0, 1, (ROWS, 1, 1)) ** 2
        self.het, self.hom = np.zeros(shape, int), np.zeros(shape, int)
        for row, kind, leaf in np.ndindex(shape):
            calls = (rng.random((self.people[kind, leaf], 2)) < frequency[row, 0, 0]).sum(axis=1)
            self.het[row, kind, leaf] = (calls == 1).sum()
            self.hom[row, kind, leaf] = (calls == 2).sum()
        self.groups = ["total"]
        for country in sorted({leaf[:2] for leaf in self.leaves}):
            self.groups += [country, *(leaf for leaf in self.leaves if leaf[:2] == country)]
        self.holds = np.array(
            [[g in ("total", leaf, leaf[:2]) for leaf in self.leaves] for g in self.groups], int
        )

    def kinds_in(self, *releases: int, without: tuple[int, ...] = ()) -> list[int]:
        """Kinds of person who are in all of some releases, and in none of others."""
        return [
            kind
            for kind, pattern in enumerate(self.patterns)
            if all(pattern[r] == "1" for r in releases) and all(pattern[r] == "0" for r in without)
        ]

    def changes(self, old: int, new: int) -> GroupChanges:
        return GroupChanges(
            self.size(self.kinds_in(old, new)),
            self.size(self.kinds_in(new, without=(old,))),
            self.size(self.kinds_in(old, without=(new,))),
        )

    def shown(self, release: int, before: list[np.ndarray], k: int) -> np.ndarray:
        """What a reader sees of a release that is held against those before it."""
        earlier, held = [], []
        for old, shown in enumerate(before):
            there = self.size(self.kinds_in(old)) > 0
            changes = self.changes(old, release)
            if changes.both[0]:
                held.append(old)
                earlier.append(Earlier(changes, ~shown & there, shown))
        crowds = [self.crowd(old) for old in range(len(before))]
        related = [
            crowd for crowd in crowds if any(np.isin(crowd.name, crowds[old].name).any() for old in held)
        ]  # fmt: skip
        groups = [group_named(name) for name in self.groups]
        chosen = bases_of(
            [e.changes for e in earlier], [crowds[old] for old in held], related, groups
        )
        bases = [
            Base(earlier[i], self.counts(kinds), self.size(kinds), plain, k)
            for i, plain in chosen
            for kinds in [self.kinds_in(held[i])]
        ]
        return released(self, self.kinds_in(release), k, earlier, bases)

    def crowd(self, release: int) -> Crowd:
        """The people of a release."""
        cells = [
            (leaf[3:], Sex.XX, tuple(
                f"{kind}.{i}" for kind in self.kinds_in(release) for i in range(self.people[kind, at])
            ))
            for at, leaf in enumerate(self.leaves)
        ]  # fmt: skip
        return Crowd.of(
            [
                CohortVersion(leaf, leaf[:2], "", ((p, sex, tuple(f"{leaf}.{name}" for name in people)),))
                for leaf, (p, sex, people) in zip(self.leaves, cells, strict=True)
            ]
        )  # fmt: skip


def test_no_few_copies_of_200_sets_of_three_small_releases_can_be_worked_out_of_all():
    """Of a release, or of those who are in one and not in another, whoever joined, left or came back."""
    rng = np.random.default_rng(17)
    for _ in range(200):
        three, k = Three(rng), int(rng.integers(2, 5))
        there = [r for r in range(3) if three.size(three.kinds_in(r))[0]]
        if len(there) < 3:
            continue
        shown: list[np.ndarray] = []
        for release in range(3):
            shown.append(three.shown(release, shown, k))
        tables = every_table(three)
        for row in range(ROWS):
            before = tables
            for release in (0, 1):
                before = possible(three, before, row, shown[release], three.kinds_in(release))
            found = possible(three, before, row, shown[2], three.kinds_in(2))
            visible = shown[2][row][[three.groups.index(leaf) for leaf in three.leaves]]
            sets = [three.kinds_in(r) for r in range(3)]
            sets += [
                three.kinds_in(a, without=(b,))
                for a in range(3)
                for b in range(3)
                # Where some joined and others left, the difference is of no people.
                if a != b and not three.kinds_in(b, without=(a,))
            ]
            for kinds in filter(None, sets):
                wrong = too_well_known(three, row, found, before, kinds, k, visible)
                assert not wrong, (three.patterns, row, kinds, wrong)


@pytest.mark.parametrize("how", ["joined", "left"])
def test_where_calls_changed_and_a_contributor_masked_some_no_group_that_changed_is_shown(how):
    """What is known of the masked cell fits no counts of those who joined or left."""
    rng = np.random.default_rng(5)
    looked_at = 0
    for _ in range(40):
        two = TwoReleases(rng, how)
        old, people = released(two, FIRST, 3), [two.size(each) for each in (FIRST, SECOND)]
        counts, leaf = two.counts(FIRST), two.groups.index("AA_P")
        # The earlier caller found far more copies in the country than there can be now; in one population who knows.
        counts.allele_count[:, :2] += (1 if how == "joined" else -1) * 500
        counts.state[:, leaf] = State.MASKED
        changes = changes_of(two)
        earlier = Earlier(changes, ~old & (people[0] > 0), old)
        base = Base(earlier, counts, people[0], True, 3)
        places = [g for g in range(len(two.groups)) if people[1][g]]
        panel = Panel(apart(), two.counts(SECOND), two.groups, people[1], places, 3)
        known = np.zeros((ROWS, len(places)), bool)
        reason = mask_beside(panel, [earlier], [base] if changes.changed.any() else [], known)
        hidden = ~shown_of(reason, two.counts(SECOND), places)
        there = (people[0] > 0) & (people[1] > 0) & changes.changed
        rows = (
            two.counts(SECOND).allele_count[:, 0] > 0
        )  # elsewhere nothing tells the callers apart
        assert hidden[np.ix_(rows, there)].all()
        looked_at += int(rows.sum() * there.sum())
    assert looked_at > 50
