"""The power of membership inference, beside published figures, plain loops and simulated attacks."""

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from afpanel.core.membership import (
    add_up,
    floored,
    homer_statistic,
    homer_weights,
    information,
    log_ratio_weights,
    masked_information,
    moments,
    most_variants,
    power,
    separation,
)


@pytest.mark.parametrize(
    ("reference_people", "expected"), [(math.inf, 0.798), (2000, 0.692), (500, 0.464)]
)
def test_power_is_that_of_the_formula_worked_out_elsewhere(reference_people, expected):
    found = power(separation(5000, 500, reference_people), 0.01)
    assert found == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("people", "reference_people", "expected"),
    [(1000, 100, 0.73), (5000, math.inf, 0.99), (5000, 500, 0.075), (5000, 100, 0.01)],
)
def test_power_of_whole_genomes_is_that_of_the_table(people, reference_people, expected):
    found = power(separation(150_000, people, reference_people), 1e-3)
    assert found == pytest.approx(expected, abs=5e-3)


def test_whole_genomes_of_a_thousand_people_are_all_recognized():
    assert power(separation(150_000, 1000, 500), 1e-3) > 0.9999


def test_the_bound_on_variants_has_the_published_factor_and_gives_back_the_power():
    assert most_variants(0.05, 1e-3, 1, math.inf) == pytest.approx(2.09, abs=1e-3)
    most = most_variants(0.2, 1e-2, 700, 300)
    assert power(separation(most, 700, 300), 1e-2) == pytest.approx(0.2, abs=1e-12)


def test_no_variant_at_all_may_be_shown_where_the_limit_is_the_false_positive_rate():
    assert most_variants(1e-3, 1e-3, 5000, 500) == 0
    assert power(separation(0, 5000, 500), 1e-3) == pytest.approx(1e-3)


def test_the_likelihood_ratio_is_that_of_a_plain_sum_over_called_variants():
    draw = np.random.default_rng(1)
    copies = draw.integers(-1, 3, (7, 40)).astype(np.int8)
    pool, reference = draw.uniform(0.05, 0.95, (2, 40, 3))
    for person in range(7):
        for split in range(3):
            expected = sum(
                x * math.log(p / q) + (2 - x) * math.log((1 - p) / (1 - q))
                for x, p, q in zip(
                    copies[person].tolist(), pool[:, split], reference[:, split], strict=True
                )
                if x >= 0
            )
            found = add_up(copies.T, log_ratio_weights(pool, reference))[person, split]
            assert found == pytest.approx(expected, abs=1e-9)


def homer_sums(copies, pool, reference):
    """Variants called, distances and their squares, added up for each person."""
    distance = homer_weights(pool, reference)[:, :, None]
    weights = np.concatenate([np.ones_like(distance), distance, distance**2], axis=2)
    return add_up(copies.T, weights).T


def test_homers_statistic_is_that_of_a_plain_computation():
    draw = np.random.default_rng(2)
    copies = draw.integers(-1, 3, (5, 60)).astype(np.int8)
    pool, reference = draw.uniform(0, 1, (2, 60))
    found = homer_statistic(homer_sums(copies, pool, reference))
    for person in range(5):
        called = copies[person] >= 0
        y = copies[person, called] / 2
        d = np.abs(y - reference[called]) - np.abs(y - pool[called])
        expected = math.sqrt(len(d)) * d.mean() / d.std(ddof=1)
        assert found[person] == pytest.approx(expected)


def test_homers_statistic_of_somebody_without_calls_is_missing():
    sums = homer_sums(np.full((1, 9), -1, np.int8), np.full(9, 0.3), np.full(9, 0.2))
    assert np.isnan(homer_statistic(sums)).all()


def test_frequencies_of_none_and_of_all_are_kept_off_the_ends():
    assert floored(np.array([0.0, 0.5, 1.0]), 50).tolist() == [0.005, 0.5, 0.995]


def everybody(draw, frequency, people):
    """Genotypes of the people of a pool, and of as many others: (2, people, variants)."""
    return draw.binomial(2, frequency, (2, people, len(frequency))).astype(np.int8)


def share_found(scores, alpha):
    """The share of members above all but a share alpha of the others; (2, …) scores."""
    return (scores[0] > np.quantile(scores[1], 1 - alpha)).mean()


@pytest.mark.parametrize("reference_people", [100_000, 800, 200])
def test_moments_and_power_are_those_of_simulated_attacks(reference_people):
    n, m, alpha, pools = 200, 2000, 0.01, 60
    draw = np.random.default_rng(reference_people)
    frequency = draw.uniform(0.05, 0.5, m)
    scores = np.empty((2, pools, n))
    for i in range(pools):
        people = everybody(draw, frequency, n)
        pool = floored(people[0].sum(axis=0) / (2 * n), n)
        reference = draw.binomial(2 * reference_people, frequency) / (2 * reference_people)
        reference = floored(reference, reference_people)
        for j in range(2):
            weights = log_ratio_weights(pool[:, None], reference[:, None])
            scores[j, i] = add_up(people[j].T, weights)[:, 0]
    expected = moments(m, n, reference_people)
    deviation = math.sqrt(expected.variance)
    for found, mean in zip(scores, (expected.member, expected.other), strict=True):
        assert found.mean() == pytest.approx(mean, abs=0.06 * deviation)
        assert found.var() == pytest.approx(expected.variance, rel=0.15)
    measured = share_found(scores, alpha)
    assert power(separation(m, n, reference_people), alpha) == pytest.approx(measured, abs=0.03)


def test_the_means_and_the_variance_give_the_separation():
    found = moments(700, 300, 90)
    lead = (found.member - found.other) / math.sqrt(found.variance)
    assert lead == pytest.approx(separation(700, 300, 90))


def test_rounded_frequencies_leave_what_the_formula_says():
    n, n_r, m, step, pools = 400, 20_000, 4000, 0.1, 15
    draw = np.random.default_rng(5)
    p = draw.uniform(0.05, 0.5, m)
    left = information(p, step / math.sqrt(12), n, n_r)
    assert left.sum() < 0.75 * m
    scores = np.empty((2, pools, n))
    for i in range(pools):
        people = everybody(draw, p, n)
        pool = people[0].sum(axis=0) / (2 * n) + draw.uniform(-step / 2, step / 2, m)
        reference = draw.binomial(2 * n_r, p) / (2 * n_r)
        # Who knows of the error weighs each variant by what is left of it.
        scores[:, i] = (people - 2 * p) @ (left / (p * (1 - p)) * (pool - reference))
    expected = power(separation(left.sum(), n, n_r), 0.01)
    assert expected == pytest.approx(share_found(scores, 0.01), abs=0.03)


class RareAlleles:
    """Alleles of known, neutral frequencies; the pool shows counts of k or more, 0, or "masked".

    Scores are the exact likelihood ratio, which no attack exceeds, by kind of cell.
    """

    def __init__(self, people, fewest, variants, pools, seed):
        draw = np.random.default_rng(seed)
        n, k = people, fewest
        p = np.exp(draw.uniform(math.log(1 / (20 * n)), math.log(0.5), variants))
        self.scores = np.zeros((3, 2, pools, n))
        cells = np.zeros((pools, 4))
        for i in range(pools):
            who = everybody(draw, p, n)
            ac = who[0].sum(axis=0, dtype=int)
            kinds = (ac >= k, ac == 0, (ac > 0) & (ac < k))
            cells[i] = [*(kind.sum() for kind in kinds), (ac == 1).sum()]
            ratio = np.zeros((3, len(p)))
            for x in range(3):
                shown = binom.logpmf(ac - x, 2 * n - 2, p) - binom.logpmf(ac, 2 * n, p)
                least = 1 if x == 0 else 0
                found = binom.cdf(k - 1 - x, 2 * n - 2, p) - binom.cdf(least - 1, 2 * n - 2, p)
                expected = binom.cdf(k - 1, 2 * n, p) - binom.cdf(0, 2 * n, p)
                hidden = np.log(np.maximum(found, 1e-12) / np.maximum(expected, 1e-12))
                ratio[x] = np.where(kinds[2], hidden, np.maximum(shown, -30))
            for j in range(2):
                own = np.take_along_axis(ratio, who[j].astype(int), axis=0)
                for part, kind in enumerate(kinds):
                    self.scores[part, j, i] = own[:, kind].sum(axis=1)
        self.shown, self.absent, self.masked, self.single = cells.mean(axis=0)

    def measured(self, parts, alpha):
        return share_found(self.scores[:parts].sum(axis=0), alpha)


@pytest.mark.parametrize("fewest", [3, 11])
def test_absent_and_masked_cells_tell_what_the_formulas_say(fewest):
    n, alpha = 200, 0.01
    rare = RareAlleles(n, fewest, 3000, 30, seed=fewest)
    exclusion = rare.single / n
    told = rare.shown + masked_information(fewest, n, math.inf) * rare.masked
    expected = (
        power(separation(rare.shown, n, math.inf), alpha),
        power(separation(rare.shown, n, math.inf), alpha, exclusion),
        power(separation(told, n, math.inf), alpha, exclusion),
    )
    measured = [rare.measured(parts, alpha) for parts in (1, 2, 3)]
    assert np.diff(measured).min() > 0.03
    assert measured == pytest.approx(expected, abs=0.04)


def test_a_mask_of_nothing_tells_nothing_and_of_one_value_everything():
    assert masked_information(0, 500, math.inf) == masked_information(1, 500, math.inf) == 0
    assert masked_information(2, 500, math.inf) == 1
    several = [masked_information(k, 500, 500) for k in range(2, 40)]
    assert several == sorted(several, reverse=True)


def test_who_carries_many_absent_alleles_is_excluded_with_certainty():
    assert power(0.0, 1e-3, exclusion=1e6) == 1
    assert power(1.2, 1e-3, exclusion=2.0) == pytest.approx(
        norm.sf(norm.isf(1e-3 * math.e**2) - 1.2)
    )
