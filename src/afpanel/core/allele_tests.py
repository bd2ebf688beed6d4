"""Tests of whether a cohort's alleles are those of the rest: Cochran-Mantel-Haenszel, and exact.

Everything is counts of alleles, so sex and missing calls are already in them. In each stratum there is a
table of two by two: ALT and other alleles, of the cohort and of the rest of the stratum. People are not
drawn allele by allele, but where genotypes are in equilibrium it makes no difference.
"""

from collections.abc import Sequence

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, chdtri, gammaincinv, xlogy

from afpanel.core.compiled import I8, READ_I8, compiled, part

LEAST_P = 1e-40
"""What an exact p-value is called that is smaller: nothing depends on how much smaller it is."""

_NEGLIGIBLE = 1e-45  # of the likeliest table: its like cannot add up to `LEAST_P`
_LONGEST = 1_000_000  # steps of a convolution; beyond, the sum of strata is normal enough
_TIES = 1 + 1e-7  # as R's fisher.test and mantelhaen.test: equal but for rounding
_READ_TABLE = nb.types.Array(nb.i4, 2, "C", readonly=True)
_READ_LONG = nb.types.Array(nb.i8, 2, "C", readonly=True)
_F8, _F8_TABLE = nb.f8[::1], nb.f8[:, ::1]


@compiled(
    nb.void(
        _READ_TABLE,
        _READ_TABLE,
        READ_I8,
        READ_I8,
        nb.i8,
        nb.i8[:, ::1],
        _F8_TABLE,
        _F8_TABLE,
        _F8_TABLE,
    )
)
def _mantel_haenszel(count, number, first, stratum, fewest, totals, statistic, folded, least):  # type: ignore[no-untyped-def]
    for i in range(len(count)):
        totals[:] = 0
        for p in range(len(stratum)):
            totals[0, stratum[p]] += count[i, p]
            totals[1, stratum[p]] += number[i, p]
        for c in range(len(first) - 1):
            difference = variance = turned = variance_turned = 0.0
            own_alt = rest_alt = own = rest = 0.0
            for p in range(first[c], first[c + 1]):
                total = float(totals[1, stratum[p]])
                mine = float(number[i, p])
                if mine * (total - mine) == 0.0:
                    continue
                alt = float(totals[0, stratum[p]])
                expected = mine * alt / total
                spread = mine / total * (total - mine) / total / (total - 1.0)
                difference += count[i, p] - expected
                variance += spread * alt * (total - alt)
                # The same with the cohort's REF and ALT exchanged.
                alt_turned = alt + mine - 2.0 * count[i, p]
                turned += mine - count[i, p] - mine * alt_turned / total
                variance_turned += spread * alt_turned * (total - alt_turned)
                own += mine
                rest += total - mine
                own_alt += expected
                rest_alt += alt - expected
            statistic[i, c] = folded[i, c] = -1.0
            least[i, c] = 0.0
            if own >= fewest and rest >= fewest and variance > 0.0:
                statistic[i, c] = folded[i, c] = difference * difference / variance
                if turned * turned < statistic[i, c] * variance_turned:
                    folded[i, c] = turned * turned / variance_turned
                least[i, c] = min(own_alt, own - own_alt, rest_alt, rest - rest_alt)


def mantel_haenszel(
    count: NDArray[np.int32],
    number: NDArray[np.int32],
    first: NDArray[np.int64],
    stratum: NDArray[np.int64],
    fewest: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Compare each cohort with the rest of its strata, without correction for continuity.

    Of strata k with n_k alleles, m_k of them the cohort's and t_k of them ALT, the cohort's number of ALT
    alleles has mean m_k t_k / n_k and variance m_k (n_k - m_k) t_k (n_k - t_k) / (n_k² (n_k - 1)); the
    statistic is the square of the sum of differences over the sum of variances (Mantel and Haenszel 1959).

    Parameters
    ----------
    count, number
        (n, parts) int32: AC and AN; AN is 0 where nothing is known.
    first, stratum
        As in `strata.Strata`.
    fewest
        Alleles that the cohort and the rest must have.

    Returns
    -------
    statistic
        (n, cohorts) float64, chi-square with one degree of freedom; -1 where there is nothing to compare.
    folded
        (n, cohorts) float64: the same, or what it is with REF and ALT of the cohort exchanged, if that is
        less. It tells how far frequencies are apart in a cohort of which any alleles may be exchanged.
    least
        (n, cohorts) float64: the least expected number of the four, over all strata.
    """
    shape = (len(count), len(first) - 1)
    statistic, folded, least = (np.empty(shape) for _ in range(3))
    totals = np.empty((2, max(1, len(stratum))), np.int64)
    _mantel_haenszel(count, number, first, stratum, fewest, totals, statistic, folded, least)
    return statistic, folded, least


@part
def _ratio(x, mine, alts, total):  # type: ignore[no-untyped-def]
    """How much likelier x + 1 ALT alleles are than x, where `mine` of `total` are drawn."""
    up = float(alts - x) * float(mine - x)
    return up / (float(x + 1) * float(total - mine - alts + x + 1))


@part
def _hypergeometric(mine, alts, total, low, high, terms, at, span):  # type: ignore[no-untyped-def]
    """Write how likely `low` to `high` ALT alleles are, from the likeliest outwards.

    What is not negligible goes to `terms`, that of `low` at `at`; `span` gets its first and last.
    """
    mode = int(float(mine + 1) * float(alts + 1) / float(total + 2))
    mode = min(max(mode, low), high)
    terms[at + mode - low] = 1.0
    span[0], span[1] = mode, mode
    while span[0] > low:
        term = terms[at + span[0] - low] / _ratio(span[0] - 1, mine, alts, total)
        if term < _NEGLIGIBLE:
            break
        span[0] -= 1
        terms[at + span[0] - low] = term
    while span[1] < high:
        term = terms[at + span[1] - low] * _ratio(span[1], mine, alts, total)
        if term < _NEGLIGIBLE:
            break
        span[1] += 1
        terms[at + span[1] - low] = term


@part
def _convolve(one, length, terms, start, size, other):  # type: ignore[no-untyped-def]
    """Put the sum of two numbers' distributions in the place of the first one's."""
    for a in range(length + size - 1):
        other[a] = 0.0
    for a in range(length):
        weight = one[a]
        for b in range(size):
            other[a + b] += weight * terms[start + b]
    for a in range(length + size - 1):
        one[a] = other[a]


@compiled(
    nb.void(_READ_LONG, _READ_LONG, _READ_LONG, _READ_LONG, _F8, _F8, _F8, nb.i8[:, ::1], I8, _F8)
)
def _conditional(count, number, alt, total, terms, one, other, spans, span, result):  # type: ignore[no-untyped-def]
    for i in range(len(count)):
        used = lowest = highest = observed = filled = steps = 0
        length = 1
        for k in range(count.shape[1]):
            mine, alts, everybody = number[i, k], alt[i, k], total[i, k]
            if mine * (everybody - mine) == 0:
                continue
            low, high = max(0, mine + alts - everybody), min(mine, alts)
            _hypergeometric(mine, alts, everybody, low, high, terms, filled, span)
            spans[used, 0] = filled + span[0] - low
            spans[used, 1] = span[1] - span[0] + 1
            steps += length * spans[used, 1] if used > 0 else 0
            length += spans[used, 1] - 1
            filled += high - low + 1
            used += 1
            observed += count[i, k]
            lowest += span[0]
            highest += span[1]
        if observed < lowest or observed > highest:
            result[i] = 0.0
        elif steps > _LONGEST:
            result[i] = -1.0
        else:
            one[0], length = 1.0, 1
            for k in range(used):
                _convolve(one, length, terms, spans[k, 0], spans[k, 1], other)
                length += spans[k, 1] - 1
            limit = one[observed - lowest] * _TIES
            everything = extreme = 0.0
            for a in range(length):
                everything += one[a]
                if one[a] <= limit:
                    extreme += one[a]
            result[i] = extreme / everything


def conditional_p(
    count: NDArray[np.int64],
    number: NDArray[np.int64],
    alt: NDArray[np.int64],
    total: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Give the exact two-sided p-value of whether a cohort differs, all margins being given.

    In each stratum the cohort's ALT alleles are hypergeometric; the statistic is their sum. As in Fisher's
    test, all sums that are at most as likely as the one found are added up (R's ``fisher.test`` with one
    stratum, ``mantelhaen.test(exact = TRUE)`` with more).

    Parameters
    ----------
    count, number
        (m, strata) int64: ALT alleles and alleles of the cohort.
    alt, total
        (m, strata) int64: those of the whole stratum. What is not compared is 0.

    Returns
    -------
    (m,) float64
        `LEAST_P` where it is smaller; NaN where several large strata would take too long to convolve, whose
        sum is so nearly normal that the Mantel-Haenszel statistic will do.
    """
    widest = int((np.minimum(number, alt) + 1).sum(axis=1).max(initial=1))
    work = (np.empty(widest) for _ in range(3))
    spans = (np.empty((max(1, count.shape[1]), 2), np.int64), np.empty(2, np.int64))
    result = np.empty(len(count))
    tables = (np.ascontiguousarray(each) for each in (count, number, alt, total))
    _conditional(*tables, *work, *spans, result)
    return np.where(result < 0, np.nan, np.clip(result, LEAST_P, 1))


def chi_square_p(statistic: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the p-value of chi-squares with one degree of freedom."""
    p: NDArray[np.float64] = chdtrc(1, statistic)
    return p


def chi_square_of(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the chi-square with one degree of freedom that has a p-value."""
    statistic: NDArray[np.float64] = chdtri(1, p)
    return statistic


def chi_square_below(
    share: Sequence[float] | float, degrees: NDArray[np.int64] | int
) -> NDArray[np.float64]:
    """Give the chi-square that a share of those with so many degrees of freedom are below."""
    statistic: NDArray[np.float64] = 2 * gammaincinv(np.asarray(degrees) / 2, share)
    return statistic


def deviances(
    count: NDArray[np.int64],
    number: NDArray[np.int64],
    alt: NDArray[np.int64],
    total: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tell how far a cohort is from the rest's frequency, and from what it is with REF and ALT exchanged.

    Twice the difference of log-likelihoods, alleles being binomial, between frequencies of their own for
    cohort and rest in each stratum, and one frequency p for both; or p for the rest and 1 - p for the
    cohort. Half their difference is the log-likelihood ratio of an exchange.

    Parameters
    ----------
    count, number, alt, total
        As for `conditional_p`.

    Returns
    -------
    same, exchanged
        (m,) float64, of as many degrees of freedom as there are strata.
    """
    compared = (number > 0) & (number < total)
    mine, alts, n, whole = (np.where(compared, x, 0) for x in (count, alt, number, total))
    theirs, rest = alts - mine, whole - n

    def best(copies: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.float64]:
        frequency = copies / np.maximum(of, 1)
        likelihood: NDArray[np.float64] = xlogy(copies, frequency)
        likelihood += xlogy(of - copies, 1 - frequency)
        return likelihood

    apart = best(mine, n) + best(theirs, rest)
    same = 2 * (apart - best(mine + theirs, whole)).sum(axis=1)
    exchanged = 2 * (apart - best(n - mine + theirs, whole)).sum(axis=1)
    return same, exchanged
