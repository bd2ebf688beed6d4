"""Tables of variants against Python's own sets and sorting."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.core.strings import Strings
from afpanel.core.variants import Variants, concatenate, sort_keys, union

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True)
Key = tuple[int, str, str]

BASES = st.text("ACGT", min_size=1, max_size=4)
KEYS = st.tuples(st.integers(1, 4) | st.integers(0, 2**31 - 1), BASES, BASES)
TABLES = st.lists(st.lists(KEYS, max_size=8), min_size=1, max_size=5)


def table_of(keys: list[Key]) -> Variants:
    position, ref, alt = zip(*keys, strict=True) if keys else ((), (), ())
    return Variants(np.array(position, np.int32), Strings.of(list(ref)), Strings.of(list(alt)))


def keys_of(table: Variants) -> list[Key]:
    columns = table.position.tolist(), table.ref.objects(), table.alt.objects()
    return list(zip(*columns, strict=True))


@SETTINGS
@given(TABLES)
def test_a_union_lists_every_variant_once_by_position_then_ref_then_alt(
    tables: list[list[Key]],
) -> None:
    everything, rows = union([table_of(keys) for keys in tables])
    listed = keys_of(everything)
    assert listed == sorted({key for keys in tables for key in keys})
    assert len(rows) == len(tables)
    for keys, at in zip(tables, rows, strict=True):
        assert [listed[row] for row in at] == keys


@SETTINGS
@given(st.lists(KEYS, max_size=20))
def test_sort_keys_order_variants_as_tuples_of_plain_text(keys: list[Key]) -> None:
    numbers = sort_keys(table_of(keys)).tolist()
    for i, one in enumerate(keys):
        for j, other in enumerate(keys):
            assert (numbers[i] < numbers[j]) == (one < other)
            assert (numbers[i] == numbers[j]) == (one == other)


def test_a_prefix_sorts_before_what_it_begins() -> None:
    keys = [(5, "A", "T"), (5, "A", "TA"), (5, "AC", "A"), (5, "ACC", "A"), (5, "C", "A")]
    numbers = sort_keys(table_of(keys))
    assert np.argsort(numbers).tolist() == [0, 1, 2, 3, 4]


@SETTINGS
@given(TABLES)
def test_tables_are_laid_end_to_end_without_a_change(tables: list[list[Key]]) -> None:
    joined = concatenate([table_of(keys) for keys in tables])
    assert keys_of(joined) == [key for keys in tables for key in keys]


def test_no_tables_make_an_empty_one() -> None:
    assert keys_of(concatenate([])) == []


def test_a_variant_spans_its_ref_half_open_from_zero() -> None:
    table = table_of([(1, "A", "T"), (10, "ACGT", "A"), (2_147_483_647, "AC", "A")])
    assert table.start.tolist() == [0, 9, 2_147_483_646]
    assert table.end.tolist() == [1, 13, 2_147_483_648]


def test_a_union_of_unions_is_the_union_of_all() -> None:
    tables = [table_of([(3, "A", "C"), (1, "G", "T")]), table_of([(1, "G", "T")]), table_of([])]
    at_once, _ = union(tables)
    in_two, _ = union([union(tables[:2])[0], tables[2]])
    assert keys_of(at_once) == keys_of(in_two) == [(1, "G", "T"), (3, "A", "C")]
