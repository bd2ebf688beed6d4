"""Tests of alleles beside SciPy's, and beside the textbook's formulas in plain Python."""

from math import comb, log

import numpy as np
import pytest
from scipy.special import xlogy
from scipy.stats import chi2, chi2_contingency, fisher_exact, hypergeom

from afpanel.core.allele_tests import (
    LEAST_P,
    chi_square_of,
    chi_square_p,
    conditional_p,
    deviances,
    mantel_haenszel,
)
from afpanel.core.discordance import Limits


def tables(n: int, strata: int, seed: int, largest: int = 400) -> np.ndarray:
    """(4, n, strata): ALT and alleles of a cohort, ALT and alleles of all; some strata have one side."""
    rng = np.random.default_rng(seed)
    mine, rest = rng.integers(1, largest, (2, n, strata))
    rest[rng.random((n, strata)) < 0.1] = 0
    mine[rng.random((n, strata)) < 0.1] = 0
    frequency = rng.beta(0.4, 1.5, (n, strata))
    other = np.clip(frequency * rng.uniform(0.4, 1.6, (n, 1)), 0, 1)
    count = rng.binomial(mine, frequency)
    return np.stack([count, mine, count + rng.binomial(rest, other), mine + rest])


def statistics_of(four: np.ndarray) -> np.ndarray:
    """The statistic of the first of two cohorts, laid out as the panel has them."""
    count, mine, alt, total = four
    strata = count.shape[1]
    both = [np.concatenate(pair, axis=1).astype(np.int32)
            for pair in ((count, alt - count), (mine, total - mine))]  # fmt: skip
    first = np.array([0, strata, 2 * strata])
    stratum = np.tile(np.arange(strata), 2)
    return mantel_haenszel(*both, first, stratum, 1)[0]


def test_one_stratum_gives_the_p_value_of_fishers_test():
    four = tables(1500, 1, seed=1)
    expected = [
        fisher_exact([[a, n - a], [t - a, total - n - t + a]]).pvalue
        for a, n, t, total in four[:, :, 0].T.tolist()
    ]
    np.testing.assert_allclose(conditional_p(*four), np.clip(expected, LEAST_P, 1), rtol=1e-6)


def test_several_strata_give_the_probability_of_all_sums_no_likelier_than_the_one_found():
    four = tables(150, 3, seed=2, largest=40)
    for found, table in zip(conditional_p(*four), four.transpose(1, 2, 0).tolist(), strict=True):
        chances, observed = np.ones(1), 0
        for a, n, t, total in table:
            if 0 < n < total:
                chances = np.convolve(chances, hypergeom(total, t, n).pmf(np.arange(n + 1)))
                observed += a
        expected = chances[chances <= chances[observed] * (1 + 1e-7)].sum()
        assert found == pytest.approx(max(expected, LEAST_P), rel=1e-6)


def test_a_worked_example_of_two_strata():
    """All 2 ALT of 2 drawn from 4, twice: 1 / 6 each, so the sums 0 and 4 have 1 / 36."""
    four = np.array([[2, 2], [2, 2], [2, 2], [4, 4]])[:, None, :]
    assert comb(4, 2) == 6
    assert conditional_p(*four)[0] == pytest.approx(2 / 36)


def test_what_is_nowhere_near_is_given_the_least_p():
    four = np.array([[4000], [4000], [4000], [9000]])[:, None, :]
    assert conditional_p(*four)[0] == LEAST_P


def test_strata_too_large_to_convolve_are_left_to_the_chi_square():
    four = np.array([[50_000] * 2, [100_000] * 2, [100_000] * 2, [200_000] * 2])[:, None, :]
    assert np.isnan(conditional_p(*four)[0])


def test_no_table_gives_no_p_value():
    assert conditional_p(*np.zeros((4, 0, 2), np.int64)).shape == (0,)


def test_one_stratum_gives_pearsons_chi_square_but_for_one_allele():
    four = tables(500, 1, seed=3)
    statistic = statistics_of(four)[:, 0]
    assert (statistic >= 0).sum() > 300
    for found, (a, n, t, total) in zip(statistic, four[:, :, 0].T.tolist(), strict=True):
        table = [[a, n - a], [t - a, total - n - t + a]]
        if 0 < t < total and 0 < n < total:
            pearson = chi2_contingency(table, correction=False).statistic
            assert found == pytest.approx(pearson * (total - 1) / total, abs=1e-9)
        else:
            assert found == -1


def test_several_strata_give_the_statistic_of_the_textbook():
    four = tables(300, 4, seed=4)
    statistic = statistics_of(four)
    np.testing.assert_allclose(statistic[:, 0], statistic[:, 1], rtol=1e-9)
    for found, table in zip(statistic[:, 0], four.transpose(1, 2, 0).tolist(), strict=True):
        difference = variance = 0.0
        for a, row, column, n in table:
            if n > 1:
                difference += a - row * column / n
                variance += row * (n - row) * column * (n - column) / (n**2 * (n - 1))
        assert found == (pytest.approx(difference**2 / variance) if variance else -1)


def test_the_least_expected_number_is_that_of_the_table_of_expected_numbers():
    four = tables(200, 1, seed=5)
    count, mine, alt, total = four
    both = [
        np.hstack(pair).astype(np.int32) for pair in ((count, alt - count), (mine, total - mine))
    ]
    _, _, least = mantel_haenszel(*both, np.arange(3), np.zeros(2, np.int64), 1)
    for found, (a, n, t, everything) in zip(least[:, 0], four[:, :, 0].T.tolist(), strict=True):
        if 0 < t < everything and 0 < n < everything:
            table = [[a, n - a], [t - a, everything - n - t + a]]
            expected = chi2_contingency(table, correction=False).expected_freq.min()
            assert found == pytest.approx(expected)


def test_the_folded_statistic_is_the_lesser_of_both_ways_to_read_a_cohorts_alleles():
    four = tables(300, 2, seed=8)
    count, mine, alt, total = four
    turned = np.stack([mine - count, mine, alt + mine - 2 * count, total])
    both = [
        np.hstack(pair).astype(np.int32) for pair in ((count, alt - count), (mine, total - mine))
    ]
    _, folded, _ = mantel_haenszel(*both, np.array([0, 2, 4]), np.tile(np.arange(2), 2), 1)
    one, other = statistics_of(four)[:, 0], statistics_of(turned)[:, 0]
    expected = np.where((other >= 0) & (one >= 0), np.minimum(one, other), one)
    np.testing.assert_allclose(folded[:, 0], expected, rtol=1e-9, atol=1e-12)
    assert 0 < (other < one).sum() < len(one)


def test_too_few_alleles_on_either_side_are_not_compared():
    number = np.array([[40, 39], [40, 40], [39, 40]], np.int32)
    statistic, _, _ = mantel_haenszel(number // 2, number, np.arange(3), np.zeros(2, np.int64), 40)
    assert (statistic >= 0).tolist() == [[False] * 2, [True] * 2, [False] * 2]


@pytest.mark.parametrize("level", [1e-4, 1e-6, 1e-9, 1e-12])
def test_no_table_below_the_screen_has_an_exact_p_that_would_be_flagged(level):
    """Also not where little is expected of one side, and none is found."""
    one = np.ones(1)
    screen = float(Limits(level, 1, one, one).screen(one)[0])
    assert screen > 0
    rng = np.random.default_rng(6)
    parts = [tables(4000, strata, seed=6 + strata, largest=big)
             for strata, big in ((1, 60), (1, 400), (1, 20_000), (2, 300), (3, 60))]  # fmt: skip
    n = 4000
    mine, rest = rng.integers(1, 60, n), rng.integers(1_000, 100_000, n)
    for f, g in ((0.001, 0.02), (0.3, 0.1), (0.0, 0.2), (0.5, 0.02)):
        count = rng.binomial(mine, f)
        parts.append(
            np.stack([count, mine, count + rng.binomial(rest, g), mine + rest])[:, :, None]
        )
    near = 0
    for four in parts:
        statistic, p = statistics_of(four)[:, 0], conditional_p(*four)
        assert not np.isnan(p).any()
        near += ((statistic >= 0) & (p <= level)).sum()
        assert statistic[(statistic >= 0) & (p <= level)].min(initial=np.inf) >= screen
    assert near > 100


def test_deviances_are_those_of_binomial_likelihoods():
    four = tables(200, 2, seed=9)
    same, exchanged = deviances(*four)
    for i, table in enumerate(four.transpose(1, 2, 0).tolist()):
        expected = [0.0, 0.0]
        for a, n, t, total in table:
            if not 0 < n < total:
                continue
            b, m = t - a, total - n
            apart = likelihood(a, n, a / n) + likelihood(b, m, b / m)
            p = t / total
            q = (n - a + b) / total
            expected[0] += 2 * (apart - likelihood(a, n, p) - likelihood(b, m, p))
            expected[1] += 2 * (apart - likelihood(a, n, 1 - q) - likelihood(b, m, q))
        assert (same[i], exchanged[i]) == pytest.approx(tuple(expected), abs=1e-8)


def likelihood(copies: int, n: int, p: float) -> float:
    return float(xlogy(copies, p) + xlogy(n - copies, 1 - p))


def test_chi_squares_and_p_values_are_one_anothers_inverse():
    p = np.array([1.0, 0.5, 1e-3, 1e-12, LEAST_P])
    np.testing.assert_allclose(chi_square_p(chi_square_of(p)), p, rtol=1e-9)
    assert chi_square_of(np.array([0.05]))[0] == pytest.approx(chi2(1).isf(0.05))
    assert log(1 / LEAST_P) < chi_square_of(np.array([LEAST_P]))[0]
