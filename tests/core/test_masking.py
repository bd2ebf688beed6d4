"""Primary suppression, cell by cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.constants import State
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.masking import mask, sensitive, sensitive_raw

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True)
FIELDS = (*GROUP_TABLES, "state")
RAW = ("raw_allele_count", "raw_allele_number")


@st.composite
def tables(draw: st.DrawFn) -> GroupCounts:
    """Counts that can be: AC of AN, homozygotes and hemizygotes of AC, by state."""
    shape = draw(st.integers(0, 5)), draw(st.integers(1, 4))
    cells = []
    for _ in range(shape[0] * shape[1]):
        state = draw(st.sampled_from([State.NOT_CALLABLE, State.ABSENT_CALLABLE, State.OBSERVED]))
        number = 0 if state == State.NOT_CALLABLE else draw(st.integers(0, 40))
        count = draw(st.integers(0, number)) if state == State.OBSERVED else 0
        homozygotes = draw(st.integers(0, count // 2))
        hemizygotes = draw(st.integers(0, count - 2 * homozygotes))
        alone = draw(st.integers(hemizygotes, count - 2 * homozygotes))
        cells.append((count, number, homozygotes, hemizygotes, alone, alone, state))
    table = np.array(cells, np.int32).reshape(*shape, 7)
    *counts, state = np.moveaxis(table, 2, 0)
    failed = [
        (f, draw(st.integers(0, f)))
        for f in draw(st.lists(st.integers(0, 20), min_size=shape[0], max_size=shape[0]))
    ]
    more = np.array(failed, np.int32).reshape(-1, 2)
    raw = {
        "raw_allele_count": counts[0][:, 0] + more[:, 1],
        "raw_allele_number": counts[1][:, 0] + more[:, 0],
    }
    named = dict(zip(GROUP_TABLES, counts, strict=True))
    return GroupCounts(**named, **raw, state=state.astype(np.int8))


@SETTINGS
@given(tables(), st.integers(0, 12))
def test_a_cell_is_sensitive_if_it_shows_few_but_some_of_alt_or_of_the_rest(
    counts: GroupCounts, limit: int
) -> None:
    other = counts.allele_number - counts.allele_count
    found = sensitive(counts.allele_count, other, limit)
    for at in np.ndindex(found.shape):
        few = range(1, limit)
        assert found[at] == (int(counts.allele_count[at]) in few or int(other[at]) in few)


@SETTINGS
@given(tables())
def test_a_limit_of_zero_or_one_withholds_nothing(counts: GroupCounts) -> None:
    for limit in (0, 1):
        assert not sensitive(counts.allele_count, counts.allele_number, limit).any()


@pytest.mark.parametrize(
    ("count", "number", "expected"),
    [(0, 40, False), (4, 40, True), (5, 40, False), (36, 40, True), (40, 40, False), (0, 0, False)],
)
def test_five_copies_may_be_shown_where_five_is_the_limit(
    count: int, number: int, expected: bool
) -> None:
    alt, other = np.array([[count]], np.int32), np.array([[number - count]], np.int32)
    assert sensitive(alt, other, 5).tolist() == [[expected]]


@SETTINGS
@given(tables(), st.integers(0, 12))
def test_raw_counts_are_sensitive_for_themselves_and_for_what_the_filter_took_away(
    counts: GroupCounts, limit: int
) -> None:
    found = sensitive_raw(counts, limit)
    for row in range(len(counts)):
        alt, number = (int(getattr(counts, name)[row]) for name in RAW)
        failed = alt - int(counts.allele_count[row, 0])
        assert found[row] == any(n in range(1, limit) for n in (alt, number - alt, failed))


@SETTINGS
@given(tables(), st.randoms(use_true_random=False))
def test_masking_withholds_every_figure_of_a_cell_and_no_figure_of_another(
    counts: GroupCounts, rng: object
) -> None:
    shape = counts.state.shape
    masked = np.array([rng.random() < 0.4 for _ in range(counts.state.size)], np.bool_)
    raw = np.array([rng.random() < 0.4 for _ in range(shape[0])], np.bool_)
    result = mask(counts, masked.reshape(shape), raw)
    for name in RAW:
        hidden = raw | masked.reshape(shape)[:, 0]
        assert (getattr(result, name) == np.where(hidden, -1, getattr(counts, name))).all()
    for name in FIELDS:
        before, after = getattr(counts, name), getattr(result, name)
        withheld = State.MASKED if name == "state" else -1
        assert (after[masked.reshape(shape)] == withheld).all()
        assert (after[~masked.reshape(shape)] == before[~masked.reshape(shape)]).all()
        assert after.dtype == before.dtype
        assert after is not before
