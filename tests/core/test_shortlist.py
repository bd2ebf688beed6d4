"""Finding who is there twice among more people than can be compared pair by pair."""

import numpy as np
import pytest

from afpanel.core.kinship import close_pairs, kinship_of
from afpanel.core.shortlist import likely_pairs

THRESHOLD = 0.354


def people(n: int, sites: int, seed: int) -> np.ndarray:
    """Copies of unrelated people at common sites."""
    rng = np.random.default_rng(seed)
    return rng.binomial(2, rng.uniform(0.1, 0.5, sites), (n, sites)).astype(np.int8)


def again(copies: np.ndarray, wrong: float, missing: float, seed: int) -> np.ndarray:
    """The same people, sequenced again with errors."""
    rng = np.random.default_rng(seed)
    copies = copies.copy()
    errors = rng.random(copies.shape) < wrong
    copies[errors] = rng.integers(0, 3, errors.sum())
    copies[rng.random(copies.shape) < missing] = -1
    return copies


@pytest.mark.parametrize(("wrong", "missing"), [(0, 0), (0.01, 0.01), (0.05, 0.03)])
def test_everybody_who_is_there_twice_is_found_among_two_cohorts_and_within_one(wrong, missing):
    one = people(1_500, 600, 1)
    other = np.concatenate([people(700, 600, 2), again(one[::5], wrong, missing, 3)])
    sites = np.arange(600)
    wanted = [(5 * i, 700 + i) for i in range(300)]
    across = close_pairs(one, other, sites, THRESHOLD, 100, all_pairs=False)
    assert list(zip(across.one.tolist(), across.other.tolist(), strict=True)) == wanted
    both = np.concatenate([one, other])
    within = close_pairs(both, None, sites, THRESHOLD, 100, all_pairs=False)
    expected = [(a, 1_500 + b) for a, b in wanted]
    assert list(zip(within.one.tolist(), within.other.tolist(), strict=True)) == expected


def test_what_is_found_is_what_comparing_all_pairs_finds():
    """Sites that a cohort lacks are left out; of those who are alike thrice every pair is told."""
    one = people(800, 500, 4)
    one[10] = one[11] = one[12]
    one[:, ::9] = -1
    sites = np.flatnonzero((one >= 0).any(axis=0))
    every, some = (
        close_pairs(one, None, sites, THRESHOLD, 100, all_pairs=all_pairs)
        for all_pairs in (True, False)
    )
    assert len(every) == 3
    for name in ("one", "other", "kinship", "sites", "opposite"):
        np.testing.assert_array_equal(getattr(every, name), getattr(some, name))


def test_no_pair_is_listed_that_cannot_reach_the_threshold_or_twice():
    one = again(people(400, 300, 5), 0, 0.02, 6)
    one = np.concatenate([one, again(one[:50], 0.1, 0.05, 7)])
    first, second = likely_pairs(one, None, np.arange(300), 0.2)
    assert (first < second).all()
    assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == len(first)
    het = (one == 1).sum(axis=1)
    found = kinship_of(one, one, first, second)
    bound = (
        0.5 - (0.5 - found.kinship) * 1
    )  # of all called in both, whose heterozygotes are no more
    assert (bound >= 0.2 - 1 + het.min() / het.max()).all()
    assert set(range(50)) <= set(first.tolist())


def test_among_few_people_and_sites_nothing_goes_wrong():
    nobody = np.empty((0, 5), np.int8)
    assert len(close_pairs(nobody, None, np.arange(5), THRESHOLD, 1, all_pairs=False)) == 0
    alone = np.ones((1, 5), np.int8)
    assert len(close_pairs(alone, None, np.arange(5), THRESHOLD, 1, all_pairs=False)) == 0
    assert len(close_pairs(alone, alone, np.arange(5), THRESHOLD, 1, all_pairs=False)) == 1
    uncalled = np.full((3, 5), -1, np.int8)
    assert len(close_pairs(uncalled, None, np.arange(5), THRESHOLD, 1, all_pairs=False)) == 0
