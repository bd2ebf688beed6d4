"""Lists of counts, and values of INFO, read as plain Python reads them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from afpanel.core.strings import Strings
from afpanel.io.sites_numbers import NumberFault, find_values, read_lists

KEYS = ["AC", "AN", "AC_x", "nhomalt"]
words = st.text("ACN_x=1.,", max_size=6)
infos = st.lists(st.lists(st.tuples(st.sampled_from([*KEYS, "A", "ACx", "C"]), words), max_size=5))


@given(infos)
def test_the_values_of_keys_are_found_where_they_stand(
    records: list[list[tuple[str, str]]],
) -> None:
    texts = [";".join(f"{key}={value}" for key, value in pairs) for pairs in records]
    column, keys = Strings.of(texts), Strings.of(KEYS)
    starts, ends = np.empty((2, len(KEYS), len(texts)), np.int64)
    data = np.ascontiguousarray(column.data)
    repeated = find_values(data, column.offsets, keys.data, keys.offsets, starts, ends)
    expected = next(
        (
            i for i, pairs in enumerate(records)
            if any(sum(key == k for key, _ in pairs) > 1 for k in KEYS)
        ),
        -1,
    )  # fmt: skip
    assert repeated == expected
    if repeated >= 0:
        return
    for i, pairs in enumerate(records):
        for k, key in enumerate(KEYS):
            value = dict(pairs).get(key)
            at = slice(int(starts[k, i]), int(ends[k, i]))
            found = None if starts[k, i] < 0 else data[at].tobytes().decode()
            assert found == value


def plain(text: str, n: int) -> list[int] | NumberFault:
    if text in ("", ".", "NA") or n == 0:
        return [-1] * n
    numbers: list[int] = []
    for part in text.split(","):
        digits = part.removeprefix("-")
        if part == ".":
            value = -1
        elif not digits or not digits.isdigit():
            # A number is read as far as it goes: one that is too long is too large.
            return (
                NumberFault.LARGE
                if digits[:11].isdigit() and len(digits) > 10
                else NumberFault.NO_NUMBER
            )
        elif len(digits) > 10:
            return NumberFault.LARGE
        elif part != digits:
            return NumberFault.NEGATIVE
        elif int(digits) > 2**31 - 1:
            return NumberFault.LARGE
        else:
            value = int(digits)
        if len(numbers) == n:
            return NumberFault.FEW_OR_MANY
        numbers.append(value)
    return numbers if len(numbers) == n else NumberFault.FEW_OR_MANY


lists = st.one_of(
    st.lists(st.one_of(st.integers(-3, 2**31), st.just("."), st.just("")), max_size=4).map(
        lambda values: ",".join(map(str, values))
    ),
    st.text("0123456789.,-NA", max_size=14),
)


@given(st.lists(st.tuples(lists, st.integers(0, 4)), min_size=1, max_size=5))
def test_lists_of_counts_are_read_or_refused_as_plain_python_does(
    rows: list[tuple[str, int]],
) -> None:
    column = Strings.of([text for text, _ in rows])
    wanted = np.array([n for _, n in rows])
    offsets = column.offsets
    data = np.ascontiguousarray(column.data)
    values, row, fault = read_lists(data, offsets[:-1], offsets[1:], wanted)
    expected = [plain(*each) for each in rows]
    wrong = [i for i, each in enumerate(expected) if isinstance(each, NumberFault)]
    if wrong:
        assert (row, fault) == (wrong[0], expected[wrong[0]])
    else:
        assert (row, fault) == (-1, NumberFault.NONE)
        assert values.tolist() == [x for each in expected for x in each]  # type: ignore[union-attr]
