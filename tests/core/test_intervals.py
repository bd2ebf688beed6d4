"""Sets of intervals against sets of bases."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.core.intervals import Intervals

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True)
SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 9)).map(lambda span: (span[0], sum(span))),
    max_size=12,
)
"""Intervals as a BED may list them: in any order, touching, overlapping, empty."""

QUERIES = st.lists(
    st.tuples(st.integers(0, 45), st.integers(1, 9)).map(lambda span: (span[0], sum(span))),
    max_size=12,
)
"""Spans of at least one base, as REF has."""


def columns(spans: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(spans, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def bases(spans: list[tuple[int, int]]) -> set[int]:
    return {base for start, end in spans for base in range(start, end)}


@SETTINGS
@given(SPANS)
def test_a_union_holds_the_bases_of_its_intervals_in_the_fewest_pieces(
    spans: list[tuple[int, int]],
) -> None:
    union = Intervals.of(*columns(spans))
    pieces = list(zip(union.start.tolist(), union.end.tolist(), strict=True))
    assert bases(pieces) == bases(spans)
    assert pieces == sorted(pieces)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(pieces))


@SETTINGS
@given(SPANS, QUERIES)
def test_a_span_is_contained_where_each_of_its_bases_is(
    spans: list[tuple[int, int]], queries: list[tuple[int, int]]
) -> None:
    covered = bases(spans)
    expected = [set(range(*query)) <= covered for query in queries]
    assert Intervals.of(*columns(spans)).contains(*columns(queries)).tolist() == expected


@SETTINGS
@given(SPANS, QUERIES)
def test_a_span_touches_where_one_of_its_bases_is_covered(
    spans: list[tuple[int, int]], queries: list[tuple[int, int]]
) -> None:
    covered = bases(spans)
    expected = [bool(set(range(*query)) & covered) for query in queries]
    assert Intervals.of(*columns(spans)).touches(*columns(queries)).tolist() == expected


@SETTINGS
@given(SPANS, SPANS)
def test_what_is_taken_away_is_gone_and_nothing_else(
    spans: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    left = Intervals.of(*columns(spans)).without(Intervals.of(*columns(others)))
    pieces = list(zip(left.start.tolist(), left.end.tolist(), strict=True))
    assert bases(pieces) == bases(spans) - bases(others)
    assert pieces == sorted(pieces)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(pieces))
    assert all(start < end for start, end in pieces)


@SETTINGS
@given(SPANS, st.randoms(use_true_random=False))
def test_a_union_does_not_depend_on_the_order_of_its_intervals(
    spans: list[tuple[int, int]], rng: object
) -> None:
    shuffled = list(spans)
    rng.shuffle(shuffled)
    one, other = Intervals.of(*columns(spans)), Intervals.of(*columns(shuffled))
    assert one.start.tolist() == other.start.tolist()
    assert one.end.tolist() == other.end.tolist()


def test_positions_beyond_32_bits_are_no_trouble() -> None:
    union = Intervals.of(*columns([(2**33, 2**33 + 5)]))
    assert union.contains(*columns([(2**33, 2**33 + 5), (2**33, 2**33 + 6)])).tolist() == [
        True,
        False,
    ]
