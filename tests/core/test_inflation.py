"""Genomic inflation beside NumPy's median of all statistics."""

import numpy as np
import pytest
from scipy.stats import chi2

from afpanel.core.inflation import Inflation


def test_the_factor_is_the_median_over_that_of_chance():
    statistics = 1.7 * chi2(1).rvs(20_001, random_state=1)
    inflation = Inflation(2)
    for part in np.array_split(statistics, 7):
        inflation.add(1, part)
    factors = inflation.factors()
    assert np.isnan(factors[0])
    assert factors[1] == pytest.approx(np.median(statistics) / chi2(1).median(), rel=1e-3)
    assert inflation.divisors().tolist() == [1, factors[1]]


def test_statistics_smaller_than_chance_makes_them_are_not_made_larger():
    inflation = Inflation(1)
    inflation.add(0, chi2(1).rvs(1000, random_state=2) / 2)
    assert inflation.factors()[0] < 0.7
    assert inflation.divisors()[0] == 1


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_quantiles_are_those_of_all_statistics(share):
    statistics = chi2(1).rvs(50_000, random_state=3)
    inflation = Inflation(1)
    inflation.add(0, statistics)
    root = np.sqrt(inflation.quantile(0, share))
    assert root == pytest.approx(np.sqrt(np.quantile(statistics, share)), abs=0.002)


def test_however_large_a_statistic_is_it_has_a_place():
    inflation = Inflation(1)
    inflation.add(0, np.full(200, 1e9))
    assert inflation.quantile(0, 0.5) > 9_000


def test_few_statistics_say_nothing():
    inflation = Inflation(1)
    inflation.add(0, np.full(99, 5.0))
    assert np.isnan(inflation.factors()[0])
    assert inflation.divisors()[0] == 1
