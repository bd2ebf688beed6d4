"""The risk of a group: what is counted, which figures come of it, and what would pass a limit."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from afpanel.constants import State
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.linkage import RIDGES, Linkage
from afpanel.core.membership import power, separation
from afpanel.core.membership_risk import Attacker, Known, Members, exclusion, group_risk, remedy
from afpanel.core.released_cells import FEWEST, CellTally, ShownCells

NOTHING = Known()
REALISTIC = Attacker(1e-3, 500, 100)


def cells_of(varying, absent=0, masked=0, single=0):
    at_least = tuple(int(varying * min(1, 2 / k)) for k in FEWEST)
    return ShownCells(varying, absent, masked, single, at_least)


def linkage(within, between, share):
    """Linkage of 1,000 variants, of which a share is left to who knows it."""
    sums = tuple((1000 * share, 1000 * share) for _ in RIDGES)
    return Linkage(100, 1000, within, 0.1, between, sums)


def known_by(*linkages, variants=1000, measured=None, measured_known=None):
    """What is known of groups of which so many variants are as linked as that, and all are shown."""
    members = [Members(variants, each, measured, measured_known, 1000) for each in linkages]
    return Known(members, complete=True)


def test_cells_are_counted_by_what_they_show():
    draw = np.random.default_rng(1)
    shape = (500, 4)
    an = draw.integers(0, 40, shape)
    ac = np.minimum(draw.integers(0, 12, shape), an)
    state = draw.choice(list(State), shape)
    ac[:40], state[:40] = 0, State.ABSENT_CALLABLE  # rows at which nobody varies
    hidden = (state == State.MASKED) | (state == State.NOT_CALLABLE)
    ac[hidden], an[state == State.MASKED] = -1, -1
    nothing = np.zeros(shape, np.int32)
    tables = (ac.astype(np.int32), an.astype(np.int32), nothing, nothing, state.astype(np.int8))
    counts = ReleasedCounts(*tables)
    tally = CellTally(4)
    tally.add(counts.take(slice(0, 123)))
    tally.add(counts.take(slice(123, 500)))
    rows = [list(zip(*(t.tolist() for t in (a, b, s)), strict=True))
            for a, b, s in zip(ac, an, state, strict=True)]  # fmt: skip

    def varies(cell):
        return cell[2] in (State.OBSERVED, State.ABSENT_CALLABLE) and 0 < cell[0] < cell[1]

    for group in range(4):
        own = [row[group] for row in rows]
        rarer = [min(a, n - a) for a, n, s in own if varies((a, n, s))]
        absent = sum(
            cell[2] in (State.OBSERVED, State.ABSENT_CALLABLE)
            and cell[1] > 0
            and not varies(cell)
            and any(varies(other) or other[2] == State.MASKED for other in row)
            for cell, row in zip(own, rows, strict=True)
        )
        assert tally.of(group) == ShownCells(
            varying=len(rarer),
            absent=absent,
            masked=sum(s == State.MASKED for _, _, s in own),
            single=rarer.count(1),
            at_least=tuple(sum(r >= k for r in rarer) for k in FEWEST),
        )
        assert absent > 30


def test_without_linkage_every_variant_counts_and_knowing_it_gains_nothing():
    found = group_risk(1000, cells_of(3000), NOTHING, REALISTIC, 0)
    assert found.effective == found.effective_if_known == 3000
    assert found.realistic == found.realistic_known
    assert found.worst == found.worst_known
    assert found.measured is found.measured_known is None
    assert found.judged == found.realistic < found.worst


def test_of_several_populations_the_least_linked_counts():
    loose, tight = linkage(4, 0, 0.7), linkage(30, 0.01, 0.9)
    found = group_risk(500, cells_of(2000), known_by(tight, loose), REALISTIC, 0)
    assert found.effective == 500
    assert found.effective_if_known == 1800


def test_an_attacker_with_more_genomes_than_linkage_is_known_from_may_gain_from_every_variant():
    known = known_by(linkage(4, 0, 0.7))
    assert known.effective_if_known(2000, 100) == 1400
    assert known.effective_if_known(2000, 101) == 2000
    found = group_risk(500, cells_of(2000), known, REALISTIC, 0)
    assert found.effective_if_known == 1400
    assert found.worst_known == power(separation(2000, 500, math.inf), 1e-3)
    assert found.worst == power(separation(500, 500, math.inf), 1e-3)


def test_masked_and_absent_cells_raise_the_worst_figure_that_knows_linkage_and_no_other():
    plain = group_risk(500, cells_of(2000), NOTHING, REALISTIC, 5)
    masked = group_risk(500, cells_of(2000, masked=800), NOTHING, REALISTIC, 5)
    absent = group_risk(500, cells_of(2000, 900, 800), NOTHING, REALISTIC, 5)
    assert plain.worst_known < masked.worst_known < absent.worst_known
    assert plain.realistic == absent.realistic
    assert plain.realistic_known == absent.realistic_known
    assert plain.worst == absent.worst


def test_no_more_alleles_can_be_absent_than_cells_say_so_nor_than_could_be_singletons():
    assert exclusion(100, cells_of(50, absent=30, masked=70, single=10)) == 0.3
    assert exclusion(100, cells_of(50, absent=300, masked=70, single=10)) == 0.8


def test_what_was_measured_is_judged_where_it_is_more():
    cells, tight = cells_of(20_000), [linkage(40, 0, 0.8)]
    low, high = (
        group_risk(1000, cells, known_by(*tight, measured=share, measured_known=0.1), REALISTIC, 0)
        for share in (0.02, 0.05)
    )
    assert low.measured < low.realistic == low.judged
    assert high.judged == high.measured > high.realistic
    assert high.measured_known == low.measured_known > high.measured


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    people=st.integers(30, 20_000),
    varying=st.integers(1, 2_000_000),
    had=st.integers(0, 2_000_000),
    within=st.floats(1, 60),
    between=st.sampled_from([0.0, 1e-5, 1e-3, 0.02]),
    measured=st.one_of(st.none(), st.floats(0.001, 1)),
    has_linkage=st.booleans(),
    limit=st.floats(0.01, 0.9),
    reference=st.integers(1, 10_000),
)
def test_what_would_pass_does_and_one_variant_more_does_not(
    people, varying, had, within, between, measured, has_linkage, limit, reference
):
    linked = linkage(within, between, 0.9) if has_linkage else None
    members = Members(had, linked, measured, tried_with=1000)
    known = Known([members], complete=has_linkage)
    attacker = Attacker(1e-3, reference, reference)
    cells = cells_of(varying)

    def judged(variants):
        return group_risk(people, cells_of(variants), known, attacker, 0).judged

    assume(judged(varying) > limit)
    found = remedy(limit, people, cells, known, attacker)
    assert found.variants < varying
    assert judged(found.variants) <= limit + 1e-9
    assert judged(found.variants + 1) >= limit - 1e-9
    if found.min_allele_count is None:
        assert min(cells.at_least) > found.variants
    else:
        at = FEWEST.index(found.min_allele_count)
        assert cells.at_least[at] <= found.variants
        assert at == 0 or cells.at_least[at - 1] > found.variants


def test_where_linkage_alone_keeps_the_effective_number_down_every_number_passes():
    known = known_by(linkage(2, 0.02, 0.9))
    assert known.effective(10**9) == pytest.approx(50)
    assert known.most(60) == math.inf
    assert known.effective(known.most(40)) == pytest.approx(40)


def test_few_of_many_variants_are_less_linked_and_one_alone_is_independent():
    """Of 1,000 variants in tens that repeat each other, some are taken by lot."""
    tens = linkage(10, 0, 0.1)
    draw = np.random.default_rng(2)
    for shown in (50, 200, 700):
        # Σ r² counts pairs of one ten; of how many there are, sampling tells.
        sums = []
        for _ in range(200):
            sizes = np.bincount(draw.choice(1000, shown, replace=False) // 10)
            sums.append((sizes**2).sum())
        expected = shown**2 / np.mean(sums)
        assert known_by(tens).effective(shown) == pytest.approx(expected, rel=0.03)
    assert known_by(tens).effective(1) == pytest.approx(1, rel=0.01)
    assert known_by(tens).effective(1000) == pytest.approx(100)


def test_more_variants_than_a_population_has_are_as_linked_as_its_own():
    assert known_by(linkage(10, 0, 0.1)).effective(5000) == pytest.approx(500)


def test_some_of_the_variants_are_worth_no_more_than_all_to_who_knows_the_linkage():
    known = known_by(linkage(10, 0, 0.1), measured=0.02, measured_known=0.3)
    assert known.effective_if_known(200, 50) == known.effective_if_known(1000, 50) == 100
    assert known.effective_if_known(60, 50) == 60
    assert known.tried_if_known(400) == known.tried_if_known(1000) == 300
    # What was tried on all variants is a fifth of what the formula says of them.
    assert known.tried(1000) == pytest.approx(20)
    assert known.tried(100) == pytest.approx(known.effective(100) / 5)


def test_attacks_that_had_a_few_of_the_variants_carry_over_by_what_they_came_to_beside_the_formula():
    of = linkage(10, 0.001, 0.9)
    for tried_with in (100, 1000):
        formula = of.effective(tried_with) / tried_with
        for share in (0.5, 1, 1.5):
            members = Members(50_000, of, share * formula, tried_with=tried_with)
            expected = share * members.effective(50_000)
            assert members.tried(50_000) == pytest.approx(expected)


def test_where_not_all_people_are_known_every_variant_counts_but_what_was_tried_is_told():
    members = Members(1000, linkage(10, 0, 0.1), 0.02, tried_with=1000)
    known = Known([members], complete=False)
    assert known.effective(300) == known.effective_if_known(300, 10) == 300
    assert 0 < known.tried(300) < 60
