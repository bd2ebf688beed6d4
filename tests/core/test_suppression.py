"""Secondary masking: by every whole number that is possible, and by its own promises."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plain_derivation import Table, Vector, possible
from tests.small_people import People, apart, at, diploid_options, is_published, names_of

from afpanel.constants import State
from afpanel.core.contributors import withheld_groups
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.insiders import countries_of, known_to_insiders
from afpanel.core.masking import BOTH_SIDES, Sides
from afpanel.core.policy import Rules, strictest
from afpanel.core.suppression import Hiding, suppress
from afpanel.core.suppression_kernel import CONTRIBUTOR, PRIMARY, SECONDARY
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
TABLES = 2_000


@dataclass
class Tried:
    """What came of trying every whole number: variants published, and cells masked for others."""

    published: int = 0
    secondary: int = 0


def try_every_number(
    people: People,
    counts: GroupCounts,
    tree: GroupTree,
    reason: np.ndarray,
    k: int,
    known: np.ndarray,
    tried: Tried,
    sides: Sides = BOTH_SIDES,
) -> None:
    """Fail if a masked cell can be worked out by somebody who knows some cells, and who is called in all.

    Parameters
    ----------
    reason, known
        (n, g): why each cell is masked; which are known from elsewhere.
    """
    names = names_of(tree, people.groups)
    sums = [(names[whole], [names[part] for part in parts]) for whole, parts in tree.sums()]
    sizes = dict(zip(names, tree.people.tolist(), strict=True))
    het = counts.heterozygotes

    def options(node: str) -> list[Vector]:
        return diploid_options(sizes[node])

    for row in range(len(reason)):
        if not is_published(counts, reason, row):
            continue
        tried.published += 1
        tried.secondary += int((reason[row] == SECONDARY).sum())
        vectors_of = {
            group: (int(het[row, g]), int(counts.homozygote_count[row, g]))
            for g, group in enumerate(people.groups)
        }
        before = {g: v for g, v in vectors_of.items() if known[row, people.groups.index(g)]}
        told = {
            g: v
            for g, v in vectors_of.items()
            if g in before or reason[row, people.groups.index(g)] == 0
        }
        table = Table(sums, sizes, told)
        beyond_help = {
            node
            for node, vectors in possible(Table(sums, sizes, before), options).items()
            if before and len(vectors) == 1
        }
        for node, vectors in possible(table, options).items():
            if node in told or node in beyond_help:
                continue
            alt = {het + 2 * hom for het, hom in vectors}
            other = {2 * sizes[node] - copies for copies in alt}
            assert vectors
            fewest, needed = 0 if sides.zeros else 1, min(k, sizes[node] + 1)
            # Where there is none of the one kind, the other is AN, which no file tells.
            for matters, values, rest in ((sides.alt, alt, other), (sides.other, other, alt)):
                if matters and rest != {0} and any(fewest <= value < k for value in values):
                    assert len(values) >= needed, (node, table)


def test_no_masked_cell_of_2000_small_tables_can_be_worked_out_by_trying_every_whole_number():
    """Against somebody who knows how many people are called in every cell, which no file tells of a masked one."""
    rng, tried = np.random.default_rng(7), Tried()
    for _ in range(TABLES // 20):
        people, k = People(rng, 20), int(rng.integers(2, 5))
        counts, tree = people.counts(), GroupTree.of(people.groups, people.people)
        reason = suppress(apart(20), counts, tree, k)
        nothing = np.zeros(reason.shape, np.bool_)
        try_every_number(people, counts, tree, reason, k, nothing, tried)
    assert tried.published > 300
    assert tried.secondary > 200


def test_no_masked_cell_of_2000_small_tables_can_be_worked_out_with_cells_that_are_known_already():
    rng, tried, of_known = np.random.default_rng(8), Tried(), 0
    for _ in range(TABLES // 20):
        people, k = People(rng, 20), int(rng.integers(2, 5))
        counts, tree = people.counts(), GroupTree.of(people.groups, people.people)
        known = rng.random(counts.state.shape) < rng.choice([0.1, 0.3])
        reason = suppress(apart(20), counts, tree, k, known)
        try_every_number(people, counts, tree, reason, k, known, tried)
        ac, other = counts.allele_count, counts.allele_number - counts.allele_count
        few = ((ac > 0) & (ac < k)) | ((other > 0) & (other < k))
        assert ((reason == PRIMARY) == few).all()
        published = np.array([is_published(counts, reason, row) for row in range(20)])
        # What is known is masked for itself alone, as long as the variant is there.
        assert not (reason[published] == SECONDARY)[known[published]].any()
        of_known += int(((reason == PRIMARY) & known)[published].sum())
    assert tried.published > 300
    assert tried.secondary > 150
    assert of_known > 100


SIDES = {
    "ALT alone": Sides(other=False),
    "the others alone": Sides(alt=False),
    "zeros too": Sides(zeros=True),
    "zeros of ALT": Sides(other=False, zeros=True),
}


@pytest.mark.parametrize("name", SIDES)
def test_a_side_that_may_not_be_few_and_zeros_cannot_be_worked_out_by_trying_every_number(name):
    rng, tried, sides = np.random.default_rng(9), Tried(), SIDES[name]
    for _ in range(12):
        people, k = People(rng, 20), int(rng.integers(2, 4))
        counts, tree = people.counts(), GroupTree.of(people.groups, people.people)
        reason = suppress(apart(20), counts, tree, k, hiding=Hiding(sides))
        nothing = np.zeros(reason.shape, np.bool_)
        try_every_number(people, counts, tree, reason, k, nothing, tried, sides)
        fewest = 0 if sides.zeros else 1
        few = np.zeros(reason.shape, np.bool_)
        for matters, copies in (
            (sides.alt, counts.allele_count),
            (sides.other, counts.allele_number - counts.allele_count),
        ):
            few |= matters & (copies >= fewest) & (copies < k)
        assert ((reason == PRIMARY) == few).all()
    assert tried.published > 15
    assert tried.secondary > 10


def test_what_is_masked_cannot_be_worked_out_by_a_country_that_knows_its_own_figures():
    rng, tried, more = np.random.default_rng(10), Tried(), 0
    for _ in range(40):
        people, k = People(rng, 20, most=2), int(rng.integers(2, 4))
        kept = [g for g, name in enumerate(people.groups) if name not in ("XX", "XY")]
        counts = people.counts().take(groups=kept)
        people.groups, people.people = (
            [x[g] for g in kept] for x in (people.groups, people.people)
        )
        tree = GroupTree.of(people.groups, people.people)
        insiders = known_to_insiders(people.groups, tree)
        reason = suppress(apart(20), counts, tree, k, hiding=Hiding(insiders=insiders))
        for own in insiders:
            known = np.repeat(own[None, : len(kept)], len(reason), axis=0)
            try_every_number(people, counts, tree, reason, k, known, tried)
        more += int(((reason != 0) & (suppress(apart(20), counts, tree, k) == 0)).sum())
    assert tried.published > 200
    assert more > 50


def test_a_country_that_is_not_shown_knows_its_own_figures_too():
    """AA and BB are what is left of the total: two copies of AA are the total's less those of CC and of BB."""
    groups = ["total", "CC", "AA", "BB"]
    counts, _ = one_variant(CC=90, AA=2, BB=40)
    tree = GroupTree.of(groups, [300, 100, 100, 100])
    reason = suppress(apart(1), counts, tree, 11, hiding=Hiding(groups=2))
    assert reason.tolist() == [[0, 0]]
    insiders = known_to_insiders(groups, tree)
    assert [groups[g] for g in countries_of(groups)] == ["CC", "AA", "BB"]
    reason = suppress(apart(1), counts, tree, 11, hiding=Hiding(insiders=insiders, groups=2))
    assert (reason != 0).sum() == 1


@pytest.mark.parametrize("k", [2, 3, 5])
def test_all_that_is_sensitive_is_masked_as_primary_and_the_rest_as_secondary(k):
    rng = np.random.default_rng(k)
    for _ in range(20):
        people = People(rng, 50, most=9)
        counts, tree = people.counts(), GroupTree.of(people.groups, people.people)
        reason = suppress(apart(50), counts, tree, k)
        ac, other = counts.allele_count, counts.allele_number - counts.allele_count
        few = ((ac > 0) & (ac < k)) | ((other > 0) & (other < k))
        assert ((reason == PRIMARY) == few).all()
        assert set(np.unique(reason).tolist()) <= {0, PRIMARY, SECONDARY}


def test_nothing_is_masked_without_a_limit():
    people = People(np.random.default_rng(1), 100)
    counts, tree = people.counts(), GroupTree.of(people.groups, people.people)
    for k in (0, 1):
        assert not suppress(apart(100), counts, tree, k).any()


def one_variant(**copies: int) -> tuple[GroupCounts, list[str]]:
    """A variant in countries of 100 people each, all heterozygotes; the total is their sum."""
    groups = ["total", *copies]
    counts = GroupCounts.zeros(1, len(groups))
    counts.state[:] = State.OBSERVED
    counts.allele_count[0] = [sum(copies.values()), *copies.values()]
    counts.allele_number[0] = [200 * len(copies), *[200] * len(copies)]
    return counts, groups


def masked_in(counts: GroupCounts, groups: list[str], k: int) -> dict[str, int]:
    people = [100 * (len(groups) - 1), *[100] * (len(groups) - 1)]
    reason = suppress(apart(1), counts, GroupTree.of(groups, people), k)
    return {group: int(why) for group, why in zip(groups, reason[0], strict=True) if why}


def test_the_smallest_count_that_hides_the_cell_is_masked_with_it():
    counts, groups = one_variant(AA=2, BB=0, CC=40, DD=12, EE=90)
    assert masked_in(counts, groups, 11) == {"AA": PRIMARY, "DD": SECONDARY}


def test_two_small_counts_that_hide_each_other_need_no_third():
    counts, groups = one_variant(AA=6, BB=5, CC=40, DD=12)
    assert masked_in(counts, groups, 11) == {"AA": PRIMARY, "BB": PRIMARY}
    counts, groups = one_variant(AA=4, BB=5, CC=40, DD=12)
    assert masked_in(counts, groups, 11) == {"AA": PRIMARY, "BB": PRIMARY, "DD": SECONDARY}


def test_a_country_takes_one_of_its_populations_with_it():
    counts, groups = one_variant(AA=2, BB=40, CC=50)
    counts = counts.take(groups=[0, 1, 2, 2, 3, 3])
    groups = ["total", "AA", "BB", "BB_P", "CC", "CC_P"]
    tree = GroupTree.of(groups, [300, 100, 100, 100, 100, 100])
    reason = suppress(apart(1), counts, tree, 11)[0]
    assert dict(zip(groups, reason.tolist(), strict=True)) == {
        "total": 0, "AA": PRIMARY, "BB": SECONDARY, "BB_P": SECONDARY, "CC": 0, "CC_P": 0,
    }  # fmt: skip


def test_people_in_no_published_part_are_hidden_too():
    """Of unknown sex: total less XX and XY is three copies."""
    counts, groups = one_variant(XX=30, XY=20, unknown=3)
    counts, groups = counts.take(groups=[0, 1, 2]), groups[:3]
    reason = suppress(apart(1), counts, GroupTree.of(groups, [300, 100, 100]), 11)[0]
    assert dict(zip(groups, reason.tolist(), strict=True)) == {"total": 0, "XX": 0, "XY": SECONDARY}


def test_a_cell_that_is_known_already_hides_no_other():
    """BB would be masked for AA; where its count was shown before, DD is, and AA where it was needs nobody."""
    counts, groups = one_variant(AA=2, BB=12, CC=40, DD=13, EE=90)
    tree = GroupTree.of(groups, [500, 100, 100, 100, 100, 100])

    def masked(*known: str) -> dict[str, int]:
        before = np.array([[group in known for group in groups]])
        reason = suppress(apart(1), counts, tree, 11, before)[0]
        return {group: int(why) for group, why in zip(groups, reason, strict=True) if why}

    assert masked() == {"AA": PRIMARY, "BB": SECONDARY}
    assert masked("BB") == {"AA": PRIMARY, "DD": SECONDARY}
    assert masked("AA") == {"AA": PRIMARY}
    assert masked("BB", "CC", "DD", "EE") == {"AA": PRIMARY, "total": SECONDARY}


def test_people_who_are_left_once_known_cells_are_taken_away_are_hidden():
    """Three copies are of people in no group; AA was masked for itself and hid them, but is known."""
    counts, groups = one_variant(AA=9, BB=40, rest=3)
    counts, groups = counts.take(groups=[0, 1, 2]), groups[:3]
    tree = GroupTree.of(groups, [300, 100, 100])
    assert suppress(apart(1), counts, tree, 11).tolist() == [[0, PRIMARY, 0]]
    known = np.array([[False, True, False]])
    assert suppress(apart(1), counts, tree, 11, known).tolist() == [[0, PRIMARY, SECONDARY]]


def test_an_allele_of_a_site_that_is_known_is_not_the_one_that_is_masked_for_the_others():
    """Of 200 called in AA five are neither: one of 95 and 100 copies is masked, and not the known one."""
    groups = ["total", "AA", "BB"]
    counts = GroupCounts.zeros(2, 3)
    counts.state[:] = State.OBSERVED
    counts.allele_number[:] = [400, 200, 200]
    counts.allele_count[:] = [[195, 95, 100], [160, 100, 60]]
    tree = GroupTree.of(groups, [200, 100, 100])
    variants, known = at([5, 5], alts=["C", "T"]), np.zeros((2, 3), np.bool_)
    assert suppress(variants, counts, tree, 11)[:, 1].tolist() == [PRIMARY, 0]
    known[0, 1] = True
    assert suppress(variants, counts, tree, 11, known)[:, 1].tolist() == [0, PRIMARY]


def test_haploid_calls_do_not_hide_heterozygotes():
    """On X the people with one copy of two are XX: AC of the total less its nhemialt is that of XX."""
    counts, groups = one_variant(XX=4, XY=30)
    for name in ("hemizygote_count", "single_allele_count"):
        getattr(counts, name)[0] = [30, 0, 30]
    counts.single_allele_number[0] = [100, 0, 100]
    counts.allele_number[0] = [300, 200, 100]
    reason = suppress(apart(1), counts, GroupTree.of(groups, [200, 100, 100]), 11)
    assert not is_published(counts, reason, 0) or reason[0, 0]


def test_alleles_of_a_site_that_leave_few_copies_of_the_others_are_not_all_shown():
    groups = ["total", "AA", "BB"]
    counts = GroupCounts.zeros(2, 3)
    counts.state[:] = State.OBSERVED
    counts.allele_number[:] = [400, 200, 200]
    counts.allele_count[:] = [[195, 95, 100], [160, 100, 60]]
    tree = GroupTree.of(groups, [200, 100, 100])
    other = counts.allele_number - counts.allele_count
    assert (other.min(), counts.allele_count.min()) > (11, 11)
    together = suppress(at([5, 5], alts=["C", "T"]), counts, tree, 11)
    assert (together[:, 1] != 0).any()
    assert not suppress(at([5, 6]), counts, tree, 11).any()
    of_other_ref = suppress(at([5, 5], refs=["A", "AC"], alts=["C", "A"]), counts, tree, 11)
    assert (of_other_ref[:, 1] != 0).any()


def random_sites(rng: np.random.Generator, n: int) -> Variants:
    """Positions of one to three variants."""
    position = np.cumsum(rng.random(n) < 0.6) + 1
    first = np.searchsorted(position, position)
    alts = [("C", "G", "T", "TT", "TTT", "TTTT", "TTTTT")[min(i, 6)] for i in np.arange(n) - first]
    return at(position.tolist(), alts=alts)


@SETTINGS
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_what_is_masked_does_not_depend_on_what_else_is_in_a_block(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    people = People(rng, 40, most=9)
    counts, tree = people.counts(), GroupTree.of(people.groups, people.people)
    variants = random_sites(rng, 40)
    whole = suppress(variants, counts, tree, k)
    new = np.flatnonzero(np.diff(variants.position)) + 1
    cuts = sorted({0, 40, *rng.choice(new, 4).tolist()})
    parts = [
        suppress(variants.take(np.arange(a, b)), counts.take(np.arange(a, b)), tree, k)
        for a, b in pairwise(cuts)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@SETTINGS
@given(st.integers(0, 10_000))
def test_what_a_contributor_masked_stays_masked_and_is_no_difference_of_what_is_shown(seed):
    """With everything else shown it would be; so something else goes, or the whole row."""
    rng = np.random.default_rng(seed)
    people = People(rng, 30, most=9)
    counts, tree = people.counts(), GroupTree.of(people.groups, people.people)
    given_masked = rng.random(counts.state.shape) < 0.1
    given_masked[:, 0] = False
    for name in GROUP_TABLES:
        getattr(counts, name)[given_masked] = -1
    counts.state[given_masked] = State.MASKED
    reason = suppress(apart(30), counts, tree, 2)
    assert (reason[given_masked] == CONTRIBUTOR).all()
    assert not (reason[~given_masked] == CONTRIBUTOR).any()
    for row in range(30):
        if not is_published(counts, reason, row):
            continue
        for whole, parts in tree.sums():
            members = [whole, *(part for part in parts if part < len(people.groups))]
            hidden = [g for g in members if reason[row, g]]
            has_rest = len(members) <= len(parts)
            if len(hidden) == 1 and not has_rest and reason[row, hidden[0]] == CONTRIBUTOR:
                # The difference is known; it must say that nobody carries ALT.
                values = {g: int(counts.allele_count[row, g]) for g in members if g not in hidden}
                sign = {g: -1 if g == whole else 1 for g in values}
                assert sum(sign[g] * copies for g, copies in values.items()) == 0


def test_counts_that_do_not_add_up_are_refused():
    counts, groups = one_variant(AA=20, BB=30)
    counts.allele_count[0, 0] += 1
    with pytest.raises(BadInputError, match="do not add up"):
        suppress(apart(1), counts, GroupTree.of(groups, [200, 100, 100]), 11)


def withheld(groups, people, fewest):
    """Places of the groups that are not published under a least size alone: too small, and kept back."""
    reasons = withheld_groups(strictest([Rules.simple(fewest, 0)]), [], groups, people)
    places = {name: groups.index(name) for name in reasons}
    kept = {name for name, reason in reasons.items() if reason.startswith("so that")}
    return sorted(places[n] for n in places.keys() - kept), sorted(places[n] for n in kept)


def test_what_is_left_of_a_sum_is_a_group_too():
    groups = ["total", "JP", "TH", "TH_A", "TH_B", "VN"]
    assert withheld(groups, [220, 95, 85, 70, 15, 40], 20) == ([4], [3])
    groups = ["total", "JP", "TH", "VN", "VN_KHV"]
    assert withheld(groups, [150, 60, 80, 10, 10], 20) == ([3, 4], [1])


def test_a_group_that_is_too_small_is_not_what_is_left_of_the_others():
    groups = ["total", "AA", "BB", "BB_P", "BB_Q", "BB_R", "CC", "XX", "XY"]
    people = [300, 60, 180, 15, 75, 90, 60, 140, 155]
    small, kept = withheld(groups, people, 20)
    assert [groups[g] for g in small] == ["BB_P"]
    assert [groups[g] for g in kept] == ["BB_Q", "XX"]
    rest = GroupTree.of(
        *(([x[g] for g in range(9) if g not in small + kept]) for x in (groups, people))
    )
    assert rest.people[7 - 1 :].min() >= 20


@pytest.mark.parametrize("fewest", [0, 1, 5, 20, 70, 150, 400])
def test_no_group_and_no_rest_of_a_sum_has_too_few_people(fewest):
    rng = np.random.default_rng(fewest)
    for _ in range(50):
        people = People(rng, 1, most=40)
        small, kept = withheld(people.groups, people.people, fewest)
        shown = [g for g in range(len(people.groups)) if g not in {*small, *kept}]
        assert {g for g in small if people.people[g] >= fewest} == set()
        if 0 in shown:
            tree = GroupTree.of(
                [people.groups[g] for g in shown], [people.people[g] for g in shown]
            )
            assert tree.people.min() >= fewest
        if fewest <= 1:
            assert len(shown) == len(people.groups)
