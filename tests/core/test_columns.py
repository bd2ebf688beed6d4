"""Tables of figures turned over, and laid beside each other."""

import numpy as np
import pyarrow as pa
import pytest

from afpanel.core.columns import Columns, put_columns


def drawn(rows: int, kind: str) -> np.ndarray:
    rng = np.random.default_rng(rows)
    table = rng.integers(-1, 3, (rows, 5)).astype(kind)
    if kind == "f4":
        table[table < 0] = np.nan
        table[table == 2] = rng.choice(np.array([np.inf, -np.inf, -0.0, 1e-45], "f4"), 1)[0]
    return table


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 1000])
@pytest.mark.parametrize("kind", ["i4", "f4"])
def test_a_table_turned_over_is_what_arrow_makes_of_its_columns(rows, kind):
    table = drawn(rows, kind)
    missing = np.isnan(table) if kind == "f4" else table == -1
    turned = Columns.of(table)
    for g in range(table.shape[1]):
        buffers = [pa.py_buffer(turned.present[g]), pa.py_buffer(turned.values[g])]
        nulls = int(turned.missing[g])
        found = pa.Array.from_buffers(pa.from_numpy_dtype(table.dtype), rows, buffers, nulls)
        found.validate(full=True)
        assert found.equals(pa.array(table[:, g].copy(), mask=missing[:, g].copy()))


@pytest.mark.parametrize("step", [1, 7, 64, 100, 300])
@pytest.mark.parametrize("kind", ["i4", "f4"])
def test_columns_set_part_by_part_are_those_set_at_once_and_can_be_set_again(step, kind):
    table, chosen = drawn(300, kind), np.array([3, 0])
    whole = Columns.of(np.ascontiguousarray(table[:, chosen]))
    parts = Columns.empty(2, 300, is_float=kind == "f4")
    for _ in range(2):
        for start in range(0, 300, step):
            parts.put(start, table[start : start + step], chosen)
        np.testing.assert_array_equal(parts.values.view("u4"), whole.values.view("u4"))
        np.testing.assert_array_equal(parts.present, whole.present)
        assert parts.missing.tolist() == whole.missing.tolist()
        parts.clear()


def test_columns_are_put_where_they_belong():
    one, other = drawn(9, "i4").view("u4"), drawn(9, "f4").view("u4")
    wide = np.empty((9, 4), np.uint32)
    put_columns(one, np.array([4, 0]), np.array([3, 1]), wide)
    put_columns(other, np.array([2, 3]), np.array([0, 2]), wide)
    assert (wide == np.column_stack([other[:, 2], one[:, 0], other[:, 3], one[:, 4]])).all()
