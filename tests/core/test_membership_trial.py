"""Trials of membership attacks: scores beside plain computations, judgements beside SciPy's."""

import numpy as np
import pytest
from scipy.stats import binomtest, mannwhitneyu, norm

from afpanel.core import membership_trial as module
from afpanel.core.membership import power, separation
from afpanel.core.membership_trial import LEAST_PEOPLE, MembershipTrial, judged


def people_of(variants: int, people: int, seed: int, missing: float = 0.0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    copies = draw.binomial(2, draw.uniform(0.1, 0.9, (variants, 1)), (variants, people))
    copies[draw.random(copies.shape) < missing] = -1
    return copies.astype(np.int8)


def test_the_auc_is_that_of_mann_and_whitney():
    draw = np.random.default_rng(1)
    members, others = draw.integers(0, 9, (4, 30)) + 2.0, draw.integers(0, 9, (4, 50)) + 0.0
    expected = [mannwhitneyu(a, b).statistic / 1500 for a, b in zip(members, others, strict=True)]
    assert judged(members, others, 0.05).auc == pytest.approx(np.mean(expected))


def test_normal_scores_are_judged_as_what_they_are():
    draw = np.random.default_rng(2)
    found = judged(draw.normal(2, 1, (10, 4000)), draw.normal(0, 1, (10, 4000)), 0.001)
    assert found.separation == pytest.approx(2, abs=0.03)
    assert found.auc == pytest.approx(norm.cdf(2 / np.sqrt(2)), abs=0.005)
    assert found.power == pytest.approx(norm.sf(norm.isf(0.001) - 2), abs=0.01)
    assert found.found == pytest.approx(found.power, abs=0.03)


def test_the_error_of_the_auc_is_how_far_it_strays():
    draw = np.random.default_rng(3)
    members, others = draw.normal(1, 1, (400, 1, 40)), draw.normal(0, 1, (400, 1, 40))
    each = [judged(a, b, 0.05) for a, b in zip(members, others, strict=True)]
    strayed = np.std([one.auc for one in each])
    assert np.mean([one.auc_error for one in each]) == pytest.approx(strayed, rel=0.15)
    strayed = np.std([one.separation for one in each])
    assert np.mean([one.separation_error for one in each]) == pytest.approx(strayed, rel=0.15)


def test_the_interval_is_that_of_clopper_and_pearson_for_the_people_of_one_split():
    members = np.tile(np.arange(40.0), (5, 1))
    others = np.tile(np.arange(40.0) - 10, (5, 1))
    found = judged(members, others, 0.05)
    # Of 200 others 10 may be above, as those of 28 and 29 are.
    assert found.found == 12 / 40
    interval = binomtest(12, 40).proportion_ci(0.95, "exact")
    assert (found.found_low, found.found_high) == pytest.approx(tuple(interval))


@pytest.mark.parametrize(("shift", "low", "high"), [(-100, 0, None), (100, None, 1)])
def test_the_interval_ends_where_nobody_or_everybody_is_found(shift, low, high):
    found = judged(np.arange(40.0)[None] + shift, np.arange(40.0)[None], 0.05)
    interval = binomtest(0 if high is None else 40, 40).proportion_ci(0.95, "exact")
    assert (found.found_low, found.found_high) == pytest.approx(tuple(interval))
    assert found.found_low == 0 if low == 0 else found.found_high == 1


def test_a_rate_that_the_others_are_too_few_to_show_is_not_told():
    draw = np.random.default_rng(4)
    found = judged(draw.normal(1, 1, (10, 30)), draw.normal(0, 1, (10, 30)), 0.001)
    assert np.isnan([found.found, found.found_low, found.found_high]).all()
    assert 0 < found.power < 1


def test_pool_others_and_reference_share_nobody_and_differ_between_splits():
    parts = MembershipTrial(100)._parts
    assert parts.shape == (10, 3, 33)
    assert all(len(np.unique(split)) == 99 for split in parts)
    assert len({tuple(np.sort(split[0])) for split in parts}) == 10
    assert (parts == MembershipTrial(100)._parts).all()


def test_scores_are_those_of_plain_sums_also_where_calls_are_missing(monkeypatch):
    monkeypatch.setattr(module, "RIDGES", (0.3,))
    people, n = 63, 21
    copies = people_of(25, people, seed=5, missing=0.1)
    trial = MembershipTrial(people, splits=2)
    trial.add(copies[:10])
    trial.add(copies[10:])
    for split, (pool, _, reference) in enumerate(trial._parts):
        called = np.where(copies >= 0, copies, np.nan)
        p, q = (np.nanmean(called[:, who], axis=1) / 2 for who in (pool, reference))
        low, high = 1 / (4 * n), 1 - 1 / (4 * n)
        a, b = p.clip(low, high), q.clip(low, high)
        ratio = called.T * np.log(a / b) + (2 - called.T) * np.log((1 - a) / (1 - b))
        assert trial._ratio[:, split] == pytest.approx(np.nansum(ratio, axis=1))
        known = np.zeros(people)
        step = n // 2
        blocks = [(0, 10), (10, 20), (20, 25)]
        assert step == 10
        for start, stop in blocks:
            own = called[start:stop]
            theirs = own[:, reference]
            mean = np.nanmean(theirs, axis=1, keepdims=True)
            filled = np.where(np.isnan(theirs), mean, theirs)
            deviation = filled.std(axis=1, keepdims=True)
            scaled = np.nan_to_num((own - mean) / deviation)
            lead = 2 * (p - q)[start:stop] / deviation[:, 0]
            weights = np.corrcoef(filled) + 0.3 * np.eye(stop - start)
            known += scaled.T @ np.linalg.solve(weights, lead)
        assert trial._known[0, :, split] == pytest.approx(known)


def test_variants_of_which_nobody_has_a_call_change_nothing():
    copies = people_of(40, LEAST_PEOPLE, seed=6)
    one, other = MembershipTrial(LEAST_PEOPLE), MembershipTrial(LEAST_PEOPLE)
    one.add(copies)
    other.add(np.concatenate([copies, np.full((5, LEAST_PEOPLE), -1, np.int8)]))
    assert one.result(0.01) == other.result(0.01)


def test_independent_variants_are_found_to_be_as_many_as_they_are():
    variants, people = 3000, 600
    trial = MembershipTrial(people)
    for start in range(0, variants, 500):
        trial.add(people_of(variants, people, seed=7)[start : start + 500])
    found = trial.result(0.01)
    n = trial.each
    ratio = found["likelihood_ratio"]
    assert ratio.independent_variants(n, n) == pytest.approx(variants, rel=0.05)
    expected = power(separation(variants, n, n), 0.01)
    assert ratio.power == pytest.approx(expected, abs=0.03)
    assert ratio.found == pytest.approx(expected, abs=0.03)
    assert found["homer"].separation < ratio.separation
