"""Membership inference: how surely a person's genome tells whether they are among the people counted.

Someone who holds a person's genotypes compares them with the frequencies of a group, and with those of
a reference of other people. The formulas are those of Sankararaman, Obozinski, Jordan and Halperin
(Nature Genetics 41:965, 2009) for the likelihood ratio, which no other test exceeds where variants are
independent, and of Homer et al. (PLoS Genetics 4:e1000167, 2008) for the older statistic. The group has
n people, the reference n_r, and m variants are shown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from afpanel.constants import MISSING

_LEAST_MASK = 2
"""Limit from which a count can be masked: below 1 there is nothing that is not none."""


def floored(frequency: NDArray[np.float64], people: int) -> NDArray[np.float64]:
    """Keep frequencies off 0 and 1, which would decide by themselves: at 1/(4n) for n people."""
    least = 1 / (4 * people)
    return np.clip(frequency, least, 1 - least)


def log_ratio_weights(
    pool: NDArray[np.float64], reference: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weigh copies for "in the group" against "not in it", as if variants were independent.

    ``L = sum over variants of x ln(p_pool / p_ref) + (2 - x) ln((1 - p_pool) / (1 - p_ref))``

    Parameters
    ----------
    pool, reference
        (variants, splits) float64: frequencies of the group and of the reference, off 0 and 1; see
        `floored`. Every column is another group and reference.

    Returns
    -------
    (3, variants, splits) float64
        What x = 0, 1 and 2 copies add; see `add_up`.
    """
    alt, other = np.log(pool / reference), np.log((1 - pool) / (1 - reference))
    return np.stack([2 * other, alt + other, 2 * alt])


def homer_weights(pool: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give ``D = |x/2 - p_ref| - |x/2 - p_pool|`` of x = 0, 1 and 2 copies: (3, …) float64.

    Parameters
    ----------
    pool, reference
        Frequencies, of any shape.
    """
    return np.stack([np.abs(own - reference) - np.abs(own - pool) for own in (0, 0.5, 1)])


def add_up(copies: NDArray[np.int8], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up, for each person, what their copies weigh.

    Parameters
    ----------
    copies
        (variants, people) int8: 0, 1 or 2; -1 where there is no call, which adds nothing.
    weights
        (3, variants, columns) float64: what 0, 1 and 2 copies weigh.

    Returns
    -------
    (people, columns) float64
    """
    none, one, two = weights
    carried = np.concatenate([copies == 1, copies == 2]).astype(np.float64)
    sums: NDArray[np.float64] = none.sum(axis=0) + carried.T @ np.concatenate(
        [one - none, two - none]
    )
    missing = copies == MISSING
    rows = np.flatnonzero(missing.any(axis=1))
    return sums - missing[rows].T.astype(np.float64) @ none[rows] if len(rows) else sums


def homer_statistic(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn sums of `homer_weights` into ``T = sqrt(m) mean(D) / sd(D)``.

    Parameters
    ----------
    sums
        (3, …) float64: variants called, their sum of D, and of its square.

    Returns
    -------
    (…) float64
        NaN where fewer than two variants are called, or all distances are alike.
    """
    called, total, squares = sums
    statistic = np.full(total.shape, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / called
        variance = (squares - called * mean**2) / (called - 1)
        np.divide(np.sqrt(called) * mean, np.sqrt(variance), out=statistic, where=variance > 0)
    return statistic


@dataclass(frozen=True)
class Moments:
    """Means of the likelihood ratio in members and others, and the variance that both have."""

    member: float
    other: float
    variance: float


def moments(variants: float, people: float, reference_people: float) -> Moments:
    """Give the moments of `log_ratio_weights` over m independent variants.

    Members have the mean ``m/2n + m/2n_r`` and others ``-m/2n + m/2n_r``, with the variance
    ``m (1/n + 1/n_r)``. They hold where a variant has some copies in both, as frequent ones have.

    Parameters
    ----------
    variants, people, reference_people
        m, n and n_r; n_r may be infinite.
    """
    own, of_reference = variants / (2 * people), variants / (2 * reference_people)
    return Moments(own + of_reference, of_reference - own, 2 * (own + of_reference))


def separation(variants: float, people: float, reference_people: float) -> float:
    """Tell how many standard deviations members are above others: ``s² = m / (n (1 + n/n_r))``.

    Parameters
    ----------
    variants
        Independent variants, or the effective number of linked ones.
    people, reference_people
        n and n_r; n_r may be infinite.
    """
    return float(np.sqrt(variants / (people * (1 + people / reference_people))))


def power(separation: float, false_positive_rate: float, exclusion: float = 0.0) -> float:
    """Give the share of members whom a test finds: ``Φ(s - z)``, z the 1 - alpha quantile.

    Parameters
    ----------
    separation
        s; see there.
    false_positive_rate
        alpha, the share of others whom the test takes for members.
    exclusion
        Copies Λ that somebody who is not in the group is expected to carry of variants that the group
        is shown not to have. No member carries one, and of others only exp(-Λ) carry none, so that the
        rest of the test may be wrong about ``alpha exp(Λ)`` of these.
    """
    # In logarithms: exp of the thousands of copies of a whole genome is beyond a number.
    allowed = np.log(false_positive_rate) + exclusion
    if allowed >= 0:
        return 1.0
    return float(ndtr(separation + ndtri(np.exp(allowed))))


def most_variants(
    limit: float, false_positive_rate: float, people: float, reference_people: float
) -> float:
    """Give the most independent variants at which the power is no more than a limit.

    ``m <= (z + Φ⁻¹(limit))² n (1 + n/n_r)``, z the 1 - alpha quantile; 0 where alpha is above the limit.
    """
    reach = max(0.0, float(ndtri(limit) - ndtri(false_positive_rate)))
    return reach**2 * people * (1 + people / reference_people)


def information(
    frequency: NDArray[np.float64] | float,
    deviation: NDArray[np.float64] | float,
    people: float,
    reference_people: float,
) -> NDArray[np.float64]:
    """Tell how much of a variant is left when its frequency is given roughly.

    With an error of standard deviation sigma a variant adds ``1 / (n (1 + n/n_r + 2nsigma²/(pq)))`` to s²; this
    is its ratio to what an exact one adds.

    Parameters
    ----------
    frequency
        p, of any shape; neither 0 nor 1.
    deviation
        sigma; of a frequency rounded to steps of Δ, ``Δ/√12``.
    people, reference_people
        n and n_r; n_r may be infinite.
    """
    exact = 1 + people / reference_people
    noise = (
        2 * people * np.square(deviation) / (np.asarray(frequency) * (1 - np.asarray(frequency)))
    )
    return np.asarray(exact / (exact + noise))


def masked_information(fewest: int, people: float, reference_people: float) -> float:
    """Tell how much of a variant is left when its count is masked as less than `fewest`, but not none.

    A masked cell says "1 to k - 1 copies", any of them as likely: ``k / 2`` copies, with the variance
    ``k (k - 2) / 12``. Of k = 2 nothing is hidden, and of k = 11 a third or more of the variant is left.
    """
    if fewest < _LEAST_MASK:
        return 0.0
    alleles = 2 * people
    deviation = np.sqrt(fewest * (fewest - 2) / 12) / alleles
    return float(information(min(fewest / (2 * alleles), 0.5), deviation, people, reference_people))
