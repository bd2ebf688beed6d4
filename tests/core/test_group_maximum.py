"""The group with the greatest value, beside a plain search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.core.group_maximum import greatest, of_groups
from afpanel.model.groups import candidates_for_maximum

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True)
VALUES = st.sampled_from([0.0, 0.25, 0.5, 1.0, float("nan")])


@SETTINGS
@given(st.lists(st.lists(VALUES, min_size=4, max_size=4), max_size=6), st.sets(st.integers(0, 3)))
def test_the_first_of_the_greatest_above_nothing_is_found(
    rows: list[list[float]], candidates: set[int]
) -> None:
    chosen = sorted(candidates)
    table = np.array(rows, float).reshape(-1, 4)
    found = greatest(table, chosen)
    for row, at in zip(rows, found.tolist(), strict=True):
        above = [(row[g], -g) for g in chosen if row[g] > 0]
        assert at == (-max(above)[1] if above else -1)
    counts = np.arange(table.size, dtype=np.int32).reshape(table.shape)
    taken = of_groups(counts, found, -7)
    expected = [-7 if g == -1 else counts[i, g] for i, g in enumerate(found)]
    assert taken.tolist() == expected
    assert taken.dtype == np.int32


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [
        ([], ["JP", "VN_CHM", "VN_KHV"]),
        (["VN_CHM"], ["JP", "VN_KHV"]),
        (["VN"], ["JP"]),
        (["JP", "VN"], []),
    ],
)
def test_populations_are_candidates_and_countries_that_show_none(
    excluded: list[str], expected: list[str]
) -> None:
    groups = ["total", "JP", "VN", "VN_CHM", "VN_KHV", "XX", "XY"]
    assert [groups[g] for g in candidates_for_maximum(groups, excluded)] == expected
