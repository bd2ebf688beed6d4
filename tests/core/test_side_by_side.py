"""Sums of cells for strata, and who is compared with whom, beside plain loops over cells."""

import numpy as np
import pytest

from afpanel.constants import Sex
from afpanel.core.discordance import SideBySide, not_called, others_of
from afpanel.core.side_by_side import CellSums
from afpanel.core.strata import strata_of
from afpanel.model.cohort import Cell

LABELS = (("K", "T", "L"), ("K", "T"), ("T", "X"), ("Q",), ("R", "S"), ("Z",))
COUNTRIES = ("VN", "LA", "VN", "JP", "JP", "TH")


@pytest.fixture(scope="module")
def strata():
    """By two labels and by one country; the last cohort meets nobody."""
    cells = [[Cell(label, sex, 9) for label in each for sex in Sex] for each in LABELS]
    found = strata_of(list(zip(COUNTRIES, cells, strict=True)))
    assert found.names == ["population K", "population T", "country JP"]
    return found


@pytest.mark.parametrize("cohort", range(len(LABELS)))
def test_cells_are_added_up_by_parts_and_units_and_nothing_is_made_of_what_is_missing(
    strata, cohort
):
    rng = np.random.default_rng(cohort)
    n, cells = 60, len(LABELS[cohort]) * len(Sex)
    rows = np.sort(rng.choice(n, 40, replace=False))
    silent = np.setdiff1d(np.arange(n), rows)
    tables = [rng.integers(0, 50, (len(rows), cells)).astype(np.int32) for _ in range(6)]
    for table in tables:
        table[rng.random(table.shape) < 0.03] = -1
    copies = rng.integers(0, 99, (4, cells)).astype(np.int32)
    loci = rng.integers(0, 4, n).astype(np.int8)
    could = rng.integers(0, 50, (len(silent), cells)).astype(np.int32)
    of_parts = np.zeros((4, n, len(strata.parts)), np.int32)
    of_units = np.zeros((3, n, len(strata.units)), np.int32)
    sums = CellSums.of(strata, cohort, cells)
    sums.add_records(rows, tables, copies, loci, (*of_parts, *of_units))
    sums.add_silence(silent, could, of_parts[1])
    ac, an, hom, _, single_ac, single_an = tables
    expected_parts, expected_units = np.zeros_like(of_parts), np.zeros_like(of_units)
    for i, row in enumerate(rows.tolist()):
        for p, part in enumerate(strata.parts):
            if part.cohort == cohort:
                inside = list(part.cells)
                number = an[i, inside].sum()
                known = min(ac[i, inside]) >= 0
                expected_parts[:, row, p] = (
                    ac[i, inside].sum() if known else 0, number if known else 0, number,
                    copies[loci[row], inside].sum(),
                )  # fmt: skip
        for u, unit in enumerate(strata.units):
            inside = list(unit.cells)
            if strata.parts[unit.part].cohort == cohort and all(
                min(table[i, inside]) >= 0 for table in tables
            ):
                homozygous = hom[i, inside].sum()
                expected_units[:, row, u] = (
                    ac[i, inside].sum() - 2 * homozygous - single_ac[i, inside].sum(),
                    homozygous,
                    (an[i, inside].sum() - single_an[i, inside].sum()) // 2,
                )
    for i, row in enumerate(silent.tolist()):
        for p, part in enumerate(strata.parts):
            if part.cohort == cohort:
                expected_parts[1, row, p] = could[i, list(part.cells)].sum()
    np.testing.assert_array_equal(of_parts, expected_parts)
    np.testing.assert_array_equal(of_units, expected_units)


def test_call_rates_and_numbers_of_others_are_of_the_cohorts_that_share_a_stratum(strata):
    rng = np.random.default_rng(1)
    n, parts = 400, len(strata.parts)
    copies = (rng.integers(1, 60, (n, parts)) * (rng.random((n, parts)) < 0.6)).astype(np.int32)
    share = rng.choice([0.2, 0.97, 1], (n, parts))
    called = np.rint(copies * share).astype(np.int32)
    none = np.zeros((n, len(strata.units)), np.int32)
    counts = SideBySide(copies, copies, called, copies, none, none, none)
    flags, compared = not_called(counts, strata, 20)
    found = set()
    for row in range(n):
        for cohort in range(strata.n_cohorts):
            mine, rest, others = np.zeros(2, int), np.zeros(2, int), set()
            for p, part in enumerate(strata.parts):
                beside = [
                    q
                    for q, other in enumerate(strata.parts)
                    if other.stratum == part.stratum and other.cohort != cohort
                ]
                theirs = np.array([called[row, beside].sum(), copies[row, beside].sum()])
                if part.cohort == cohort and copies[row, p] > 0 and theirs[1] > 0:
                    mine += called[row, p], copies[row, p]
                    rest += theirs
                    others |= {strata.parts[q].cohort for q in beside if copies[row, q] > 0}
            assert compared[row, cohort] == (mine[1] >= 20 and rest[1] >= 20)
            who = np.array([row]), np.array([cohort])
            assert others_of(copies, strata, *who).tolist() == [len(others)]
            if compared[row, cohort] and 2 * mine[0] < mine[1] and rest[0] >= 0.9 * rest[1]:
                found.add((row, cohort, mine[0], mine[1], len(others)))
    columns = (flags.row, flags.cohort, flags.count, flags.number, flags.others)
    assert set(zip(*(each.tolist() for each in columns), strict=True)) == found
    assert len(found) > 5
