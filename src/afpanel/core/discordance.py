"""Where one cohort does not say what the others of its strata say.

Four kinds of flag: a frequency that is another; one that is another's with REF and ALT exchanged;
genotypes out of Hardy-Weinberg proportions that elsewhere are in them; and people who were not called
where others were. docs/discordance.md has the tests and their thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.core.allele_tests import (
    LEAST_P,
    chi_square_of,
    chi_square_p,
    mantel_haenszel,
)
from afpanel.core.compiled import I8, READ_I8, compiled
from afpanel.core.hardy_weinberg import (
    exact_test,
    expected_rarer_homozygotes,
    inbreeding_coefficient,
)
from afpanel.core.strata import Strata

_READ_TABLE = nb.types.Array(nb.i4, 2, "C", readonly=True)
_ENOUGH = 5.0  # expected number from which a chi-square is taken into the inflation factor
_SLACK = 5.0  # by which an exact -ln(p) may be above the chi-square
_FINE = 0.05  # over their number: p of Hardy-Weinberg proportions above which others are in them
_SEEN = 5  # copies of the rarer allele that one of the others has, for that to mean something
_NOT_CALLED, _CALLED = 0.5, 0.9  # call rates


class Kind(IntEnum):
    """What is odd about a cohort at a variant."""

    FREQUENCY = 0
    SWAPPED = 1
    HWE = 2
    CALLABILITY = 3


@dataclass(frozen=True)
class SideBySide:
    """What c cohorts say of n variants, for the parts and units of their strata.

    Parameters
    ----------
    count, number
        (n, parts) int32: AC and AN, with the AN of silent cohorts that could have called the variant.
    called, copies
        (n, parts) int32: AN, and copies that people have, where the cohort has a record; else 0.
    heterozygotes, homozygotes, people
        (n, units) int32: genotypes of people with two called alleles; 0 where there is no record.
    """

    count: NDArray[np.int32]
    number: NDArray[np.int32]
    called: NDArray[np.int32]
    copies: NDArray[np.int32]
    heterozygotes: NDArray[np.int32]
    homozygotes: NDArray[np.int32]
    people: NDArray[np.int32]


@dataclass(frozen=True)
class Limits:
    """From where on something is flagged.

    Parameters
    ----------
    level
        Greatest p-value of a single test.
    fewest
        Alleles that a cohort and the rest must have to be compared.
    frequency_divisor, genotype_divisor
        (cohorts,) inflation that chi-squares are divided by, of alleles and of genotypes; 1 or more.
    """

    level: float
    fewest: int
    frequency_divisor: NDArray[np.float64]
    genotype_divisor: NDArray[np.float64]

    def screen(self, divisor: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the chi-square below which no exact p-value is flagged, for each inflation.

        What was found has a probability of about exp(-G/2), and the deviance G is at most twice the
        chi-square; where numbers are so large that "about" is much, the chi-square is as good as exact.
        """
        least = chi_square_of(np.array(self.level)) / 2
        return np.maximum(least * divisor - _SLACK, 0.0)


@dataclass(frozen=True)
class Flags:
    """Flags of m variants and cohorts.

    Parameters
    ----------
    row, cohort, kind
        (m,) int64: the variant, the cohort, and `Kind`.
    unit
        (m,) int64: the unit whose genotypes are odd; else -1.
    count, number
        (m,) int64: AC and AN of what was compared.
    observed, expected, effect, p
        (m,) float64, by kind as docs/discordance.md says.
    others
        (m,) int64: cohorts that it was compared with.
    """

    row: NDArray[np.int64]
    cohort: NDArray[np.int64]
    kind: NDArray[np.int64]
    unit: NDArray[np.int64]
    count: NDArray[np.int64]
    number: NDArray[np.int64]
    observed: NDArray[np.float64]
    expected: NDArray[np.float64]
    effect: NDArray[np.float64]
    p: NDArray[np.float64]
    others: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def joined(cls, parts: Sequence["Flags"]) -> "Flags":
        """Put flags together, in order of variant, cohort, kind and unit."""
        names = [field.name for field in fields(cls)]
        whole = cls(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})
        return whole.take(np.lexsort((whole.unit, whole.kind, whole.cohort, whole.row)))

    def take(self, which: NDArray[np.integer] | NDArray[np.bool_]) -> Self:
        """Take some of the flags."""
        columns = {field.name: getattr(self, field.name)[which] for field in fields(self)}
        return type(self)(**columns)


def allele_statistics(
    counts: SideBySide, strata: Strata, fewest: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Measure how far the alleles of every cohort are from the rest's, an exchange being none.

    Returns
    -------
    statistic
        (n, cohorts) folded chi-square; -1 where it is not tested.
    enough
        (n, cohorts) bool: whether there are so many alleles that it is a chi-square.
    """
    how = (strata.first, strata.stratum, fewest)
    _, folded, least = mantel_haenszel(counts.count, counts.number, *how)
    return folded, least >= _ENOUGH


def genotype_statistics(
    counts: SideBySide, fewest: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Compare genotypes with Hardy-Weinberg proportions; as `allele_statistics`, but (n, units)."""
    genotypes = (counts.heterozygotes, counts.homozygotes, counts.people)
    coefficient = inbreeding_coefficient(*genotypes)
    least = expected_rarer_homozygotes(*genotypes)
    tested = ~np.isnan(coefficient) & (2 * counts.people >= fewest)
    statistic = np.where(tested, counts.people * np.nan_to_num(coefficient) ** 2, -1.0)
    return statistic, tested & (least >= _ENOUGH)


def others_of(
    number: NDArray[np.int32],
    strata: Strata,
    row: NDArray[np.int64],
    cohort: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Count the cohorts that others are compared with; all (m,)."""
    n = np.empty(len(row), np.int64)
    found = np.empty(strata.n_cohorts, np.bool_)
    owner = np.array([part.cohort for part in strata.parts], np.int64)
    table, *where = (np.ascontiguousarray(each) for each in (number, row, cohort))
    _count_others(table, strata.first, strata.stratum, owner, *where, found, n)
    return n


@compiled(
    nb.void(_READ_TABLE, *[READ_I8] * 5, nb.b1[::1], I8),
)
def _count_others(number, first, stratum, owner, row, cohort, found, n):  # type: ignore[no-untyped-def]
    for i in range(len(row)):
        found[:] = False
        for p in range(first[cohort[i]], first[cohort[i] + 1]):
            if number[row[i], p] <= 0:
                continue
            for q in range(len(stratum)):
                if stratum[q] == stratum[p] and number[row[i], q] > 0:
                    found[owner[q]] = True
        found[cohort[i]] = False
        n[i] = found.sum()


def other_genotypes(counts: SideBySide, strata: Strata, limits: Limits) -> Flags:
    """Flag people of one cohort and label whose genotypes are out of proportion, and no others' are."""
    statistic, _ = genotype_statistics(counts, limits.fewest)
    part = np.array([u.part for u in strata.units], np.int64)
    cohort = np.array([p.cohort for p in strata.parts], np.int64)[part]
    row, unit = np.nonzero(statistic >= limits.screen(limits.genotype_divisor[cohort]))
    p = _genotype_p(counts, row, unit)
    deflated = chi_square_p(chi_square_of(p) / limits.genotype_divisor[cohort[unit]])
    odd = np.flatnonzero(deflated <= limits.level)
    row, unit, deflated = row[odd], unit[odd], np.maximum(deflated[odd], LEAST_P)
    beside = strata.shares[part][:, part][unit] & (statistic[row] >= 0)
    at, other = np.nonzero(beside)
    fine = np.ones(beside.shape, np.bool_)
    # Of many others one has a small p by chance.
    least = _FINE / np.maximum(beside.sum(axis=1), 1)
    fine[at, other] = _genotype_p(counts, row[at], other) > least[at]
    copies = 2 * counts.homozygotes[row].astype(np.int64) + counts.heterozygotes[row]
    rarer = np.minimum(copies, 2 * counts.people[row].astype(np.int64) - copies)
    kept = np.flatnonzero(fine.all(axis=1) & (beside & (rarer >= _SEEN)).any(axis=1))
    row, unit, beside, copies = row[kept], unit[kept], beside[kept], copies[kept, unit[kept]]
    people = counts.people[row, unit].astype(np.int64)
    coefficient = inbreeding_coefficient(
        counts.heterozygotes[row, unit], counts.homozygotes[row, unit], counts.people[row, unit]
    )
    observed = counts.heterozygotes[row, unit] / np.maximum(people, 1)
    frequency = copies / np.maximum(2 * people, 1)
    having = [(beside & (cohort == c)).any(axis=1) for c in range(strata.n_cohorts)]
    return Flags(
        row, cohort[unit], np.full(len(row), Kind.HWE, np.int64), unit, copies, 2 * people, observed,
        2 * frequency * (1 - frequency), coefficient, deflated[kept],
        np.sum(having, axis=0, dtype=np.int64).reshape(len(row)),
    )  # fmt: skip


def _genotype_p(
    counts: SideBySide, row: NDArray[np.integer], unit: NDArray[np.integer]
) -> NDArray[np.float64]:
    tables = (counts.heterozygotes, counts.homozygotes, counts.people)
    test = exact_test(*(table[row, unit] for table in tables))
    return np.clip(test.p_value, LEAST_P, 1)


def not_called(counts: SideBySide, strata: Strata, fewest: int) -> tuple[Flags, NDArray[np.bool_]]:
    """Flag cohorts that have a record in which few are called, where nearly all of the others' people are.

    Returns
    -------
    flags
        Of `Kind.CALLABILITY`.
    compared
        (n, cohorts) bool: where a cohort and others of its strata have records.
    """
    shape = (len(counts.called), strata.n_cohorts)
    own_called, own_copies, called, copies = (np.zeros(shape, np.int64) for _ in range(4))
    # A cohort has one part of a stratum at most, so that the rest is the stratum without it.
    member = np.eye(len(strata.names), dtype=np.int64)[strata.stratum]
    of_strata = [table @ member for table in (counts.called, counts.copies)]
    for p, part in enumerate(strata.parts):
        mine = [table[:, p].astype(np.int64) for table in (counts.called, counts.copies)]
        stratum = strata.stratum[p]
        rest_called, rest = (
            table[:, stratum] - own for table, own in zip(of_strata, mine, strict=True)
        )
        both = (mine[1] > 0) & (rest > 0)
        for total, value in (
            (own_called, mine[0]),
            (own_copies, mine[1]),
            (called, rest_called),
            (copies, rest),
        ):
            total[:, part.cohort] += np.where(both, value, 0)
    compared = (own_copies >= fewest) & (copies >= fewest)
    odd = compared & (own_called < _NOT_CALLED * own_copies) & (called >= _CALLED * copies)
    row, cohort = np.nonzero(odd)
    rate = own_called[odd] / own_copies[odd]
    usual = called[odd] / copies[odd]
    ones = np.ones(len(row), np.int64)
    flags = Flags(
        row, cohort, ones * Kind.CALLABILITY, -ones, own_called[odd], own_copies[odd], rate, usual,
        rate - usual, np.full(len(row), np.nan), others_of(counts.copies, strata, row, cohort),
    )  # fmt: skip
    return flags, compared
