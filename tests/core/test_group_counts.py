"""Cells added up to groups, and what is known of each group."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.constants import Sex, State
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts, Membership
from afpanel.core.ploidy import PLOIDY, Loci, sex_codes
from afpanel.model.cohort import Cell
from afpanel.model.groups import groups_of

SETTINGS = settings(max_examples=100, deadline=None, derandomize=True)
CELLS = st.lists(
    st.builds(Cell, st.sampled_from("ABCDEFGHIJ"), st.sampled_from(Sex), st.integers(1, 9)),
    min_size=1,
    max_size=14,
    unique_by=lambda cell: (cell.population, cell.sex),
)


@SETTINGS
@given(st.lists(CELLS, min_size=1, max_size=4), st.integers(0, 2**32), st.integers(0, 6))
def test_every_group_is_the_sum_of_its_cells(cohorts: list[list[Cell]], seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    countries = [("AA", "BB")[i % 2] for i in range(len(cohorts))]
    pairs = [(c, cell) for c, cells in zip(countries, cohorts, strict=True) for cell in cells]
    groups = groups_of(pairs)
    total = np.zeros((n, len(groups)), np.int32)
    state = np.zeros((n, len(groups)), np.int8)
    loci = rng.choice([int(place) for place in Loci], n).astype(np.int8)
    expected, known = total.copy(), state.copy()
    for country, cells in zip(countries, cohorts, strict=True):
        membership = Membership.of(country, cells, groups)
        observed = rng.random(n) < 0.5
        rows = np.flatnonzero(observed)
        absent = np.flatnonzero(~observed & (rng.random(n) < 0.7))
        values = rng.integers(0, 2, (n, len(cells))) * rng.integers(0, 2**26, (n, len(cells)))
        values = values.astype(np.int32)
        membership.add(total, rows, values[rows])
        membership.observe(state, rows, loci)
        membership.find_absent(state, absent, values[absent])
        for g, group in enumerate(groups):
            for c, cell in enumerate(cells):
                if group.holds(country, cell):
                    expected[rows, g] += values[rows, c]
                    copies = PLOIDY[loci, sex_codes([cell.sex])[0]] > 0
                    seen = np.where(observed & copies, State.OBSERVED, State.NOT_CALLABLE)
                    could = np.zeros(n, np.int8)
                    could[absent] = (values[absent, c] > 0) * State.ABSENT_CALLABLE
                    known[:, g] = np.maximum(known[:, g], np.maximum(seen, could))
    np.testing.assert_array_equal(total, expected)
    np.testing.assert_array_equal(state, known)


def test_where_nobody_could_be_called_all_but_an_is_missing() -> None:
    counts = GroupCounts.zeros(2, 2)
    counts.state[0, 1] = State.ABSENT_CALLABLE
    result = counts.with_missing()
    for name in GROUP_TABLES:
        missing = 0 if name == "allele_number" else -1
        assert getattr(result, name).tolist() == [[missing, 0], [missing, missing]]
