"""The least number of callable alleles over spans, base by base."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.core.tracks import Track, joined

SETTINGS = settings(max_examples=300, deadline=None, derandomize=True)
CELLS = 3


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    """Intervals that touch, or leave gaps."""
    steps = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=8))
    end = np.cumsum([gap + size for gap, size in steps], dtype=np.int64)
    start = end - np.array([size for _, size in steps], np.int64)
    cells = st.lists(st.integers(0, 5), min_size=CELLS, max_size=CELLS)
    number = [draw(cells) for _ in steps]
    return Track(start, end, np.array(number, np.int32).reshape(-1, CELLS))


@SETTINGS
@given(tracks(), st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=12))
def test_a_span_has_the_number_of_its_worst_base(
    track: Track, spans: list[tuple[int, int]]
) -> None:
    bases = np.zeros((60, CELLS), np.int32)
    for begin, stop, number in zip(track.start, track.end, track.number, strict=True):
        bases[begin:stop] = number
    start = np.array([begin for begin, _ in spans], np.int64)
    end = start + np.array([size for _, size in spans], np.int64)
    found = track.least(start, end)
    expected = [bases[b:e].min(axis=0).tolist() for b, e in zip(start, end, strict=True)]
    assert found.tolist() == expected


@SETTINGS
@given(tracks(), st.integers(0, 8))
def test_a_track_is_put_together(track: Track, row: int) -> None:
    parts = [
        Track(track.start[part], track.end[part], track.number[part])
        for part in (slice(0, row), slice(row, None))
    ]
    whole = joined(parts, CELLS)
    assert whole.number.tolist() == track.number.tolist()
    assert whole.start.tolist() == track.start.tolist()


@SETTINGS
@given(
    tracks(), st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), min_size=1, max_size=12)
)
def test_what_spans_need_is_what_they_or_later_ones_touch(
    track: Track, spans: list[tuple[int, int]]
) -> None:
    spans.sort()
    start = np.array([begin for begin, _ in spans], np.int64)
    end = start + np.array([size for _, size in spans], np.int64)
    wanted = [
        (b, e, number)
        for b, e, number in zip(
            track.start.tolist(), track.end.tolist(), track.number.tolist(), strict=True
        )
        if e > start[-1] or any(b < y and x < e for x, y in zip(start, end, strict=True))
    ]
    rest = track.needed_by(start, end)
    columns = (rest.start.tolist(), rest.end.tolist(), rest.number.tolist())
    assert list(zip(*columns, strict=True)) == wanted
