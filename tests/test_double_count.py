"""Which of cohorts that share people is added to the panel."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afpanel.errors import BadInputError
from afpanel.stages.double_count import left_out_of_panel

NAMES = "ABCDEF"


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([], {}),
        ([["A", "B"]], {"B": "A"}),
        ([["B", "A"]], {"A": "B"}),
        ([["Z", "A", "B"]], {"B": "A"}),
        ([["A", "B"], ["B", "C"]], {"B": "A"}),
        ([["A", "B", "C"], ["D", "B"]], {"B": "A", "C": "A"}),
        ([["A", "B"], ["B", "C"], ["C", "D"]], {"B": "A", "D": "C"}),
        ([["A", "B"], ["C", "B"], ["D", "C"]], {"B": "A", "C": "D"}),
    ],
)
def test_a_cohort_is_left_out_for_one_that_stands_before_it_and_is_added(
    lists: list[list[str]], expected: dict[str, str]
) -> None:
    assert left_out_of_panel(lists, NAMES) == expected


def test_lists_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(BadInputError, match="each is better than the next"):
        left_out_of_panel([["A", "B"], ["B", "C"], ["C", "A"]], NAMES)


@given(
    st.lists(st.lists(st.sampled_from(NAMES), min_size=2, unique=True), max_size=6), st.randoms()
)
def test_no_two_of_a_list_are_added_and_nobody_is_left_out_for_nothing(
    lists: list[list[str]], rng
) -> None:
    try:
        left_out = left_out_of_panel(lists, NAMES)
    except BadInputError:
        return
    added = set(NAMES) - left_out.keys()
    for names in lists:
        assert len(added & set(names)) <= 1
    for name, instead in left_out.items():
        assert instead in added
        assert any({name, instead} <= set(x) and x.index(instead) < x.index(name) for x in lists)
    # The answer is the only one of which that is true.
    for size in range(len(NAMES) + 1):
        for other in map(set, itertools.combinations(NAMES, size)):
            fits = all(
                (name in other)
                == (not any(set(x[: x.index(name)]) & other for x in lists if name in x))
                for name in NAMES
            )
            assert fits == (other == added)
    shuffled = lists[:]
    rng.shuffle(shuffled)
    assert left_out_of_panel(shuffled, NAMES).keys() == left_out.keys()
