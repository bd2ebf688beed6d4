"""What the rows of a panel tell by being there, beside simulated panels."""

import numpy as np
import pytest
from scipy.stats import norm

from afpanel.core.existence import Answers, chance_of_row, existence_power


@pytest.mark.parametrize(("people", "fewest"), [(50, 1), (300, 5), (300, 1)])
def test_the_chance_of_a_row_is_that_of_simulated_panels(people, fewest):
    draw = np.random.default_rng(people + fewest)
    frequency = draw.uniform(0, 0.01, 400_000)
    other = draw.binomial(2 * people, frequency) >= fewest
    member = draw.binomial(2 * people - 2, frequency) + 1 >= fewest
    answers = chance_of_row(people, fewest)
    assert answers.other == pytest.approx(other.mean(), abs=0.003)
    assert answers.member == pytest.approx(member.mean(), abs=0.003)


def test_every_row_is_there_for_a_member_unless_an_allele_was_missed():
    assert chance_of_row(100, 0, errors=0).member == 1
    missing = 1 - chance_of_row(100, 0).member
    assert 0 < missing < 1e-6


def test_the_test_has_its_false_positive_rate():
    for queries in (1, 10, 1000):
        assert existence_power(Answers(0.3, 0.3), queries, 0.05) == pytest.approx(0.05)


def test_many_answers_have_the_power_of_the_normal_approximation():
    answers, queries = Answers(0.55, 0.5), 2000
    means = queries * np.array([answers.member, answers.other])
    deviations = np.sqrt(means * (1 - np.array([answers.member, answers.other])))
    expected = norm.sf((means[1] + norm.isf(0.001) * deviations[1] - means[0]) / deviations[0])
    assert existence_power(answers, queries, 0.001) == pytest.approx(expected, abs=0.01)


def test_a_beacon_of_a_thousand_people_gives_its_people_away():
    answers = chance_of_row(1000, 1, most_frequent=0.002)
    assert existence_power(answers, 100, 0.001) > 0.99
    assert existence_power(chance_of_row(1000, 11, most_frequent=0.002), 100, 0.001) < 0.05
