"""Which cohorts' alleles are discordant, and whether they look like exchanged ones."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from afpanel.core.allele_tests import (
    LEAST_P,
    chi_square_below,
    chi_square_of,
    chi_square_p,
    conditional_p,
    deviances,
    mantel_haenszel,
)
from afpanel.core.discordance import Flags, Kind, Limits, SideBySide, others_of
from afpanel.core.strata import Strata

_OFF_HALF = 0.1  # of the rest's AF, for an exchange of REF and ALT to be seen
_AGREES = 0.999  # quantile of the deviance up to which frequencies agree
_ROUNDING = 1e-9  # of statistics that are equal
_CLOSE = 0.05  # or share of what it is without the exchange


@dataclass(frozen=True)
class _Tables:
    """Alleles of m cohorts at variants and of all of their strata, (m, strata) int64; 0 is not compared."""

    count: NDArray[np.int64]
    number: NDArray[np.int64]
    alt: NDArray[np.int64]
    total: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        count: NDArray[np.int32],
        number: NDArray[np.int32],
        strata: Strata,
        row: NDArray[np.int64],
        cohort: NDArray[np.int64],
    ) -> "_Tables":
        """Gather the tables of some cohorts at some rows."""
        parts, real = _padded([strata.parts_of(c) for c in range(strata.n_cohorts)])
        part, used = parts[cohort], real[cohort]
        member = np.eye(len(strata.names), dtype=np.int64)[strata.stratum]
        near = np.unique(row)
        place = np.searchsorted(near, row)
        own, own_number = (
            np.where(used, each[row[:, None], part], 0).astype(np.int64) for each in (count, number)
        )
        alt, total = (
            np.where(used, (each[near] @ member)[place[:, None], strata.stratum[part]], 0)
            for each in (count, number)
        )
        compared = (own_number > 0) & (own_number < total)
        return cls(*(np.where(compared, each, 0) for each in (own, own_number, alt, total)))

    def frequencies(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AF of the cohort, and what it would be with the rest's AF in each stratum."""
        n = self.number.sum(axis=1)
        rest = np.divide(
            self.alt - self.count,
            self.total - self.number,
            out=np.zeros(self.alt.shape),
            where=self.total > 0,
        )
        return self.count.sum(axis=1) / n, (rest * self.number).sum(axis=1) / n


def _padded(lists: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Lay lists of numbers in a table, and tell which of its fields they fill."""
    width = max((len(each) for each in lists), default=0)
    table = np.zeros((len(lists), width), np.int64)
    real = np.zeros(table.shape, np.bool_)
    for i, each in enumerate(lists):
        table[i, : len(each)], real[i, : len(each)] = each, True
    return table, real


def other_alleles(counts: SideBySide, strata: Strata, limits: Limits) -> Flags:
    """Flag cohorts whose frequency is another than the rest's, or the rest's with REF and ALT exchanged.

    Of several that differ at a variant, the one that does so most is flagged and left out, and the others
    are compared again without it, for one wrong cohort makes the rest of every other wrong too. Of two
    that are left, either may be the wrong one, and both are flagged, unless only one looks exchanged.
    """
    count, number = counts.count, counts.number
    rows = np.arange(len(count))
    how = (strata.first, strata.stratum, limits.fewest)
    owner = np.array([part.cohort for part in strata.parts], np.int64)
    found = []
    while True:
        statistic, _, _ = mantel_haenszel(count, number, *how)
        flags = _most_different(count, number, strata, statistic, limits)
        others = others_of(_where_varied(count, number, strata), strata, flags.row, flags.cohort)
        found.append(replace(flags, row=rows[flags.row], others=others))
        if not len(flags):
            return Flags.joined(found)
        out = np.zeros(statistic.shape, np.bool_)
        out[flags.row, flags.cohort] = True
        left = out.any(axis=1)
        rows, out = rows[left], out[left][:, owner]
        count, number = (np.where(out, 0, each[left]) for each in (count, number))


def _judge(
    tables: _Tables,
    row: NDArray[np.int64],
    statistic: NDArray[np.float64],
    cohort: NDArray[np.int64],
    limits: Limits,
) -> Flags:
    """Decide which tables, each of a row and a cohort, are flagged, and as what."""
    four = (tables.count, tables.number, tables.alt, tables.total)
    p = conditional_p(*four)
    p = np.where(np.isnan(p), np.maximum(chi_square_p(statistic), LEAST_P), p)
    same, exchanged = deviances(*four)
    # Of what is too small to tell, the deviance says how small.
    exact = np.where(p > LEAST_P, chi_square_of(p), np.maximum(same, chi_square_of(p)))
    divisor = limits.frequency_divisor[cohort]
    p = np.maximum(chi_square_p(exact / divisor), LEAST_P)
    observed, expected = tables.frequencies()
    ratio = (same - exchanged) / 2
    agrees = chi_square_below(_AGREES, np.maximum((tables.total > 0).sum(axis=1), 1))
    swapped = (
        (ratio >= -np.log(limits.level) * divisor)
        & (exchanged <= np.maximum(agrees * divisor, _CLOSE * same))
        & (np.abs(expected - 0.5) >= _OFF_HALF)
    )
    flags = Flags(
        row=row,
        cohort=cohort,
        kind=np.where(swapped, Kind.SWAPPED, Kind.FREQUENCY).astype(np.int64),
        unit=np.full(len(p), -1),
        count=tables.count.sum(axis=1),
        number=tables.number.sum(axis=1),
        observed=observed,
        expected=np.where(swapped, 1 - expected, expected),
        effect=np.where(swapped, ratio / np.log(10), observed - expected),
        p=p,
        others=np.zeros(len(p), np.int64),
    )
    return flags.take(p <= limits.level)


def _most_different(
    count: NDArray[np.int32],
    number: NDArray[np.int32],
    strata: Strata,
    statistic: NDArray[np.float64],
    limits: Limits,
) -> Flags:
    """Flag of each row the cohort that differs most, if it does so enough, and its equals."""
    divisor = limits.frequency_divisor
    weight = np.where(statistic >= limits.screen(divisor), statistic / divisor, -1.0)
    found = []
    while True:
        rows = np.flatnonzero((weight >= 0).any(axis=1))
        most = statistic[rows, weight[rows].argmax(axis=1)][:, None]
        # Two that are compared with each other alone are equally far apart, but for rounding.
        equal = (weight[rows] >= 0) & (np.abs(statistic[rows] - most) <= _ROUNDING * most)
        near, cohort = np.nonzero(equal)
        row = rows[near]
        tables = _Tables.of(count, number, strata, row, cohort)
        flags = _judge(tables, row, statistic[row, cohort], cohort, limits)
        found.append(_exchanged_first(flags, len(count)))
        if not len(rows):
            return Flags.joined(found)
        weight[row, cohort] = -1.0
        weight[flags.row] = -1.0


def _exchanged_first(flags: Flags, n: int) -> Flags:
    """Leave out those whose equal, of n rows, looks exchanged, if they do not."""
    swapped = flags.kind == Kind.SWAPPED
    explained = np.zeros(n, np.bool_)
    explained[flags.row[swapped]] = True
    return flags.take(swapped | ~explained[flags.row])


def _where_varied(
    count: NDArray[np.int32], number: NDArray[np.int32], strata: Strata
) -> NDArray[np.int32]:
    """Give the AN of parts of strata that have both alleles: in others there is nothing to compare."""
    member = np.eye(len(strata.names), dtype=np.int64)[strata.stratum]
    alt, total = (each @ member for each in (count, number))
    varied = (alt > 0) & (alt < total)
    return np.where(varied[:, strata.stratum], number, 0)
