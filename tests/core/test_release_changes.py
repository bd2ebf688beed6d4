"""Which changes are the largest, whatever way the cells are cut; and what differs between nested values."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from afpanel.core.changed_values import changed_values
from afpanel.core.release_changes import largest

CHANGES = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=12),
    elements=st.sampled_from([0.0, 0.25, -0.25, 0.5, -1.0, np.nan]),
)


@given(CHANGES, st.integers(0, 20))
def test_the_largest_changes_are_those_that_sorting_all_of_them_gives(change, top):
    cells = [
        (-abs(value), row, group)
        for row, of_row in enumerate(change.tolist())
        for group, value in enumerate(of_row)
        if value and value == value
    ]
    rows, groups = largest(change, top)
    expected = [(row, group) for _, row, group in sorted(cells)[:top]]
    assert list(zip(rows.tolist(), groups.tolist(), strict=True)) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_values_differ_where_their_json_does_and_nowhere_else(old, new):
    found = list(changed_values(old, new, "all"))
    same = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert (found == []) == same
    for _, one, other in found:
        assert one != other


def test_items_of_a_list_are_told_apart_by_their_names_and_not_by_their_places():
    one = [{"group": "VN", "people": 3}, {"group": "TH", "people": 4}]
    assert list(changed_values(one, one[::-1])) == []
    twice = [{"group": "VN", "people": 3}] * 2
    assert list(changed_values(twice, twice[:1], "g")) == [
        ("g", json.dumps(twice), json.dumps(twice[:1]))
    ]
