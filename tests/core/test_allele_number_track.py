"""AN at every base, against a count base by base."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from afpanel.core.allele_number_track import Sweep, split_at

WINDOW = 32
SPANS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 60), st.integers(0, 2), st.integers(0, 2)),
    max_size=40,
)


def columns(rows, width):
    return [np.array(c, np.int32) for c in zip(*rows, strict=True)] or [
        np.empty(0, np.int32) for _ in range(width)
    ]


def swept(spans, sizes):
    """Sweep spans, cut at windows and handed over in pieces of some sizes; runs as (start, end, AN)."""
    start, length, cell, number = columns(spans, 4)
    row, start, end = split_at(start, start + length, np.arange(0, 400, WINDOW))
    order = np.argsort(start // WINDOW, kind="stable")
    parts = [start[order], end[order], cell[row][order], number[row][order]]
    sweep = Sweep(3, WINDOW)
    tracks = []
    at = 0
    for size in sizes:
        tracks += sweep.add(*(part[at : at + size] for part in parts))
        at += size
    tracks += sweep.add(*(part[at:] for part in parts))
    tracks += sweep.finish()
    return [
        (s, e, tuple(n))
        for track in tracks
        for s, e, n in zip(
            track.start.tolist(),
            track.end.tolist(),
            track.number.tolist(),
            strict=True,
        )
    ]


@given(SPANS, st.lists(st.integers(0, 10), max_size=6))
def test_a_sweep_gives_the_an_of_every_base_in_as_few_runs_as_can_be(spans, sizes):
    expected = np.zeros((300, 3), int)
    for start, length, cell, number in spans:
        expected[start : start + length, cell] += number
    found = np.zeros((300, 3), int)
    runs = swept(spans, sizes)
    for start, end, numbers in runs:
        assert start < end
        assert any(numbers)
        assert not found[start:end].any()
        found[start:end] = numbers
    assert found.tolist() == expected.tolist()
    for (_, end, numbers), (start, _, following) in pairwise(runs):
        assert end <= start
        assert end < start or numbers != following


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30)), max_size=8),
    st.sets(st.integers(0, 90)),
)
def test_spans_are_cut_at_the_borders_inside_of_them(spans, cuts):
    start, length = columns(spans, 2)
    row, begin, end = split_at(start, start + length, np.array(sorted(cuts), np.int64))
    expected = []
    for number, (first, n) in enumerate(spans):
        borders = [first, *sorted(c for c in cuts if first < c < first + n), first + n]
        expected += [(number, *pair) for pair in pairwise(borders)]
    assert list(zip(row.tolist(), begin.tolist(), end.tolist(), strict=True)) == expected
