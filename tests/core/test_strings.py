"""Columns of text as bytes."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.core.strings import Strings

SETTINGS = settings(max_examples=100, deadline=None, derandomize=True)
TEXTS = st.lists(st.text("ACGTN<>*.", max_size=9) | st.just("A" * 300), max_size=12)


@SETTINGS
@given(TEXTS)
def test_texts_come_back_as_they_were(values: list[str]) -> None:
    column = Strings.of(values)
    assert len(column) == len(values)
    assert column.objects().tolist() == values
    assert column.lengths.tolist() == [len(value) for value in values]
    assert bytes(column.data) == "".join(values).encode()


@pytest.mark.parametrize("dtype", [object, "U9", np.dtypes.StringDType()])
def test_every_string_dtype_of_numpy_is_read(dtype: object) -> None:
    values = ["", "ACGT", "A", "", "<DEL>"]
    assert Strings.of(np.array(values, dtype)).objects().tolist() == values


@pytest.mark.parametrize(
    "type_", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_every_string_type_of_arrow_is_read(type_: object) -> None:
    array = pa.array(["C", "", "ACGT"], pa.string()).cast(type_)
    assert Strings.of_arrow(array).objects().tolist() == ["C", "", "ACGT"]


@SETTINGS
@given(TEXTS, st.data())
def test_a_slice_of_an_arrow_array_is_read_at_its_place(
    values: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(values)))
    length = data.draw(st.integers(0, len(values) - start))
    cut = Strings.of_arrow(pa.array(values, pa.large_string()).slice(start, length))
    assert len(cut) == length
    assert cut.objects().tolist() == values[start : start + length]
    assert cut.lengths.tolist() == [len(value) for value in values[start : start + length]]


@SETTINGS
@given(TEXTS.filter(len), st.data())
def test_texts_are_taken_in_the_order_asked_for(values: list[str], data: st.DataObject) -> None:
    indices = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=15))
    taken = Strings.of(values).take(np.array(indices, np.int64))
    assert taken.objects().tolist() == [values[i] for i in indices]
