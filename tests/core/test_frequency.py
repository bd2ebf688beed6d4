"""AF = AC / AN."""

import allel
import numpy as np
import pytest

from afpanel.core.frequency import allele_frequency


def test_frequencies_are_those_of_scikit_allel() -> None:
    rng = np.random.default_rng(3)
    number = rng.integers(0, 300_001, 4_999)
    number[::97] = 0
    alt = rng.binomial(number, rng.random(len(number)) ** 3)
    array = allel.AlleleCountsArray(np.column_stack([number - alt, alt]))
    expected = array.to_frequencies(fill=np.nan)[:, 1].astype(np.float32)
    found = allele_frequency(alt.astype(np.int32), number.astype(np.int32))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    assert np.isnan(found[::97]).all()


@pytest.mark.parametrize(("count", "number"), [(0, 0), (-1, -1), (-1, 10), (0, -1)])
def test_a_frequency_is_missing_never_zero_where_a_count_is_missing_or_nobody_was_called(
    count: int, number: int
) -> None:
    found = allele_frequency(np.array([[count]], np.int32), np.array([[number]], np.int32))
    assert np.isnan(found).all()


def test_absent_and_fixed_alleles_are_exactly_zero_and_one() -> None:
    found = allele_frequency(np.array([[0, 7]], np.int32), np.array([[7, 7]], np.int32))
    assert found.tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (5, 0), (2, 3)])
def test_the_shape_is_that_of_the_counts(shape: tuple[int, ...]) -> None:
    counts = np.ones(shape, np.int32)
    assert allele_frequency(counts, counts).shape == shape


def test_large_counts_keep_single_precision() -> None:
    number = np.array([2_147_483_647], np.int32)
    found = allele_frequency(np.array([1_431_655_765], np.int32), number)
    assert found[0] == np.float32(1_431_655_765 / 2_147_483_647)
