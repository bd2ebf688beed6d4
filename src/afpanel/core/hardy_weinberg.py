"""Hardy-Weinberg proportions: exact tests, and the inbreeding coefficient.

All take genotypes of diploid calls alone: who has one copy of a place, or one called allele, has no say.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.compiled import READ_I4, compiled, part

_HELD = 512
_SAME = 1 + 1e-9  # probabilities that differ by rounding alone are one


@dataclass(frozen=True)
class HardyWeinberg:
    """Results of the exact tests; each float64, of the shape of the counts, NaN where nobody is diploid.

    Parameters
    ----------
    p_value
        Two-sided: how likely numbers of heterozygotes are that are no likelier than the one observed.
    p_excess
        One-sided: how likely as many heterozygotes or more are.
    """

    p_value: NDArray[np.float64]
    p_excess: NDArray[np.float64]


def exact_test(
    heterozygotes: NDArray[np.int32], homozygotes: NDArray[np.int32], people: NDArray[np.int32]
) -> HardyWeinberg:
    """Test whether genotypes are as random mating would make them.

    The exact test of Wigginton, Cutler and Abecasis (2005), plain and not mid-p, as bcftools has it: given
    the copies of ALT, all ways to deal them to people are equally likely.

    Parameters
    ----------
    heterozygotes, homozygotes
        People with one copy of ALT, and with two.
    people
        People with two called alleles. Where one of these is missing (negative) so are the results.
    """
    people = _where_known(heterozygotes, homozygotes, people)
    p_value, p_excess = (np.full(people.size, np.nan) for _ in range(2))
    columns = (np.ascontiguousarray(each).ravel() for each in (heterozygotes, homozygotes, people))
    _test(*columns, np.empty(_HELD), np.empty(_HELD), p_value, p_excess)
    return HardyWeinberg(p_value.reshape(people.shape), p_excess.reshape(people.shape))


def _where_known(
    heterozygotes: NDArray[np.int32], homozygotes: NDArray[np.int32], people: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Set people to missing where their genotypes are: counts that others published may lack these."""
    unknown = (heterozygotes < 0) | (homozygotes < 0)
    return np.where(unknown, np.int32(MISSING), people)


def inbreeding_coefficient(
    heterozygotes: NDArray[np.int32], homozygotes: NDArray[np.int32], people: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Tell by what share heterozygotes fall short of Hardy-Weinberg proportions.

    ``1 - observed / expected``, with ``2 p q people`` expected; p is the frequency of ALT in diploid calls.

    Returns
    -------
    float64, of the shape of the counts
        NaN where nobody is diploid, everybody has one and the same allele, or a count is missing.
    """
    people = _where_known(heterozygotes, homozygotes, people)
    known = people > 0
    frequency = np.full(people.shape, np.nan)
    copies = 2 * homozygotes.astype(np.int64) + heterozygotes
    np.divide(copies, 2 * people.astype(np.int64), out=frequency, where=known)
    expected = 2 * frequency * (1 - frequency) * people
    coefficient = np.full(people.shape, np.nan)
    np.divide(heterozygotes, expected, out=coefficient, where=known & (expected > 0))
    return 1 - coefficient


def expected_rarer_homozygotes(
    heterozygotes: NDArray[np.int32], homozygotes: NDArray[np.int32], people: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Give the homozygotes of the rarer allele that Hardy-Weinberg proportions would make; 0 of nobody."""
    n = people.astype(np.float64)
    copies = 2.0 * homozygotes + heterozygotes
    frequency = np.divide(copies, 2 * n, out=np.zeros_like(n), where=n > 0)
    expected: NDArray[np.float64] = n * np.minimum(frequency, 1 - frequency) ** 2
    return expected


@part
def _fewer(probability, het, rare, common):  # type: ignore[no-untyped-def]
    """Go from so many heterozygotes to two fewer; `rare` and `common` are homozygotes of each allele."""
    return probability * het * (het - 1) / (4.0 * (rare + 1) * (common + 1))


@part
def _more(probability, het, rare, common):  # type: ignore[no-untyped-def]
    """Go from so many heterozygotes to two more."""
    return probability * 4.0 * rare * common / ((het + 2.0) * (het + 1.0))


@part
def _test_one(het, hom, people, fewer, more):  # type: ignore[no-untyped-def]
    """Test one variant; probabilities are relative to that of the likeliest number of heterozygotes.

    Each is worked out of the one before. As far as there is room for them in `fewer` and `more`, those of
    fewer and of more heterozygotes are worked out side by side: the processor does two divisions at a time.
    They are added up in one order all the same.
    """
    copies = 2 * hom + het
    minor = min(copies, 2 * people - copies)
    start = minor * (2 * people - minor) // (2 * people)
    start += (start ^ minor) & 1
    observed = 1.0
    at = start
    while at > het and observed > 0:
        rare = (minor - at) >> 1
        observed = _fewer(observed, at, rare, people - at - rare)
        at -= 2
    while at < het and observed > 0:
        rare = (minor - at) >> 1
        observed = _more(observed, at, rare, people - at - rare)
        at += 2
    limit = observed * _SAME
    least = observed * 1e-20  # what is below adds nothing that shows
    total = tail = excess = 0.0
    low, below = start, 1.0
    rare = (minor - start) >> 1
    high, above = start + 2, _more(1.0, start, rare, people - start - rare)
    held = 0
    while held < len(fewer) and low >= 0 and below > least and high <= minor and above > least:
        fewer[held], more[held] = below, above
        rare = (minor - low) >> 1
        below = _fewer(below, low, rare, people - low - rare)
        rare = (minor - high) >> 1
        above = _more(above, high, rare, people - high - rare)
        low, high, held = low - 2, high + 2, held + 1
    for i in range(held):
        total += fewer[i]
        tail += fewer[i] if fewer[i] <= limit else 0.0
        excess += fewer[i] if start - 2 * i >= het else 0.0
    while low >= 0 and below > least:
        total += below
        tail += below if below <= limit else 0.0
        excess += below if low >= het else 0.0
        rare = (minor - low) >> 1
        below = _fewer(below, low, rare, people - low - rare)
        low -= 2
    for i in range(held):
        total += more[i]
        tail += more[i] if more[i] <= limit else 0.0
        excess += more[i] if start + 2 + 2 * i >= het else 0.0
    while high <= minor and above > least:
        total += above
        tail += above if above <= limit else 0.0
        excess += above if high >= het else 0.0
        rare = (minor - high) >> 1
        above = _more(above, high, rare, people - high - rare)
        high += 2
    return min(1.0, tail / total), min(1.0, excess / total)


@compiled(nb.void(READ_I4, READ_I4, READ_I4, *[nb.f8[::1]] * 4))
def _test(heterozygotes, homozygotes, people, fewer, more, p_value, p_excess):  # type: ignore[no-untyped-def]
    for i in range(len(people)):
        if people[i] > 0:
            p_value[i], p_excess[i] = _test_one(
                nb.i8(heterozygotes[i]), nb.i8(homozygotes[i]), nb.i8(people[i]), fewer, more
            )
