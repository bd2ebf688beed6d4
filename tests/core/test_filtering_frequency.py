"""faf95 and faf99, held against SciPy's distributions and published figures."""

import numpy as np
import pytest
from scipy import special, stats

from afpanel.core.filtering_frequency import filtering_frequency

COUNTS = [2, 3, 7, 36, 100, 1_234, 99_999, 1_999_999]


def faf(count: int, number: int, confidence: float) -> float:
    counts = (np.array([[each]], np.int32) for each in (count, number))
    return float(filtering_frequency(*counts, confidence)[0, 0])


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_it_is_the_quantile_of_the_gamma_distribution(confidence: float) -> None:
    rng = np.random.default_rng(2)
    count = np.concatenate([COUNTS, rng.integers(2, 2_000_000, 3_000)]).astype(np.int32)
    number = count + rng.integers(0, 1_000_000, len(count)).astype(np.int32)
    expected = stats.gamma.ppf(1 - confidence, count) / number
    found = filtering_frequency(count, number, confidence)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_what_was_asked_before_changes_nothing() -> None:
    """Quantiles are kept from call to call, of small counts alone, for each confidence."""
    counts = np.array([0, 1, 2, 7, 131_071, 131_072, 500_000], np.int32)
    number = np.full(counts.shape, 1_000_000, np.int32)
    for confidence in (0.95, 0.9, 0.95):
        for order in (slice(None), slice(None, None, -1), slice(2, 5), slice(None)):
            quantiles = special.gammaincinv(counts.astype(float), 1 - confidence)
            expected = np.where(counts < 2, 0, quantiles) / number
            found = filtering_frequency(counts[order], number[order], confidence)
            assert (found == expected[order]).all()


@pytest.mark.parametrize("count", COUNTS)
def test_at_this_frequency_as_many_copies_are_as_rare_as_was_asked(count: int) -> None:
    """The definition: of so many expected copies, fewer than AC are seen with 95 %."""
    frequency = faf(count, 3_000_000, 0.95)
    assert stats.poisson.cdf(count - 1, frequency * 3_000_000) == pytest.approx(0.95, abs=1e-9)


@pytest.mark.parametrize(
    ("count", "number", "confidence", "of_hail"),
    [
        (36, 109_192, 0.95, 2.4476e-4),
        (36, 109_192, 0.99, 2.1545e-4),
        (7, 132_472, 0.95, 2.393e-5),
        (7, 132_472, 0.99, 1.709e-5),
    ],
)
def test_hail_which_steps_by_a_millionth_is_less_than_a_step_below(
    count: int, number: int, confidence: float, of_hail: float
) -> None:
    assert 0 <= faf(count, number, confidence) - of_hail < 1e-6


def test_the_exact_figure_of_a_published_check() -> None:
    assert faf(7, 132_472, 0.95) == pytest.approx(2.480e-5, abs=5e-9)


@pytest.mark.parametrize(("count", "number"), [(0, 10), (1, 10)])
def test_one_copy_bounds_nothing(count: int, number: int) -> None:
    assert faf(count, number, 0.95) == 0


@pytest.mark.parametrize(("count", "number"), [(0, 0), (-1, -1), (-1, 10), (2, -1), (-1, 0)])
def test_it_is_missing_where_a_count_is_or_nobody_was_called(count: int, number: int) -> None:
    assert np.isnan(faf(count, number, 0.95))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (5, 0), (2, 3)])
def test_the_shape_is_that_of_the_counts(shape: tuple[int, ...]) -> None:
    counts = np.full(shape, 4, np.int32)
    assert filtering_frequency(counts, counts, 0.95).shape == shape
