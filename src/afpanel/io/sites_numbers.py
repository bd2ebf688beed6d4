"""Compiled loops over text that holds counts: values of INFO, and lists of whole numbers."""

from enum import IntEnum

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.compiled import I8, READ_I8, READ_U1, compiled
from afpanel.io.vcf_fields import COMMA, DOT, MINUS, NINE, ZERO

_EQUALS, _SEMICOLON = 61, 59
_NA = (78, 65)
_MOST = 2**31 - 1
_DIGITS = 10
_ABSENT = -1


class NumberFault(IntEnum):
    """What is wrong with a list of counts."""

    NONE = 0
    NO_NUMBER = 1
    NEGATIVE = 2
    LARGE = 3
    FEW_OR_MANY = 4


_NONE, _NO_NUMBER, _NEGATIVE, _LARGE, _FEW_OR_MANY = (fault.value for fault in NumberFault)


@compiled(nb.i8(READ_U1, READ_I8, READ_U1, READ_I8, nb.i8[:, ::1], nb.i8[:, ::1]))
def find_values(data, offsets, keys, key_offsets, starts, ends):  # type: ignore[no-untyped-def]
    """Find the values of some keys in each INFO.

    Parameters
    ----------
    data, offsets
        The column of n INFOs, as `core.strings.Strings` has it.
    keys, key_offsets
        The k keys, likewise.
    starts, ends
        (k, n) int64, receive where in `data` each value is; -1 where there is none.

    Returns
    -------
    int
        The first record that has one of the keys twice; -1 if none has.
    """
    n_keys = len(key_offsets) - 1
    for i in range(len(offsets) - 1):
        for k in range(n_keys):
            starts[k, i] = _ABSENT
            ends[k, i] = _ABSENT
        at, stop = offsets[i], offsets[i + 1]
        while at < stop:
            first = at
            while at < stop and data[at] != _EQUALS and data[at] != _SEMICOLON:
                at += 1
            length = at - first
            if at < stop and data[at] == _EQUALS:
                begin = at + 1
                while at < stop and data[at] != _SEMICOLON:
                    at += 1
                for k in range(n_keys):
                    key = key_offsets[k]
                    if key_offsets[k + 1] - key != length:
                        continue
                    same = True
                    for j in range(length):
                        if data[first + j] != keys[key + j]:
                            same = False
                            break
                    if same:
                        if starts[k, i] != _ABSENT:
                            return i
                        starts[k, i] = begin
                        ends[k, i] = at
            at += 1
    return _ABSENT


@compiled(nb.i8(READ_U1, READ_I8, READ_I8, READ_I8, I8, I8))
def _read_lists(data, starts, ends, first, values, report):  # type: ignore[no-untyped-def]
    """Read comma-separated counts; returns the first row that cannot be read, or -1."""
    for i in range(len(starts)):
        row, last = first[i], first[i + 1]
        at, stop = starts[i], ends[i]
        length = stop - at
        absent = at < 0 or length == 0 or (length == 1 and data[at] == DOT)
        absent |= length == len(_NA) and data[at] == _NA[0] and data[at + 1] == _NA[1]
        if absent or row == last:
            for j in range(row, last):
                values[j] = MISSING
            continue
        while True:
            begin = at
            value = nb.i8(0)
            minus = at < stop and data[at] == MINUS
            if minus:
                at += 1
            digits = at
            while at < stop and ZERO <= data[at] <= NINE and at - digits < _DIGITS:
                value = value * 10 + nb.i8(data[at]) - ZERO
                at += 1
            if at == digits and not minus and at < stop and data[at] == DOT:
                value = nb.i8(MISSING)
                at += 1
            elif at == digits or (at < stop and data[at] != COMMA):
                more = at > digits and ZERO <= data[at] <= NINE
                report[0] = _LARGE if more else _NO_NUMBER
                return i
            elif minus:
                report[0] = _NEGATIVE
                return i
            if at < stop and data[at] != COMMA:
                report[0] = _NO_NUMBER
                return i
            if value > _MOST:
                report[0] = _LARGE
                return i
            if row == last or at == begin:
                report[0] = _FEW_OR_MANY
                return i
            values[row] = value
            row += 1
            if at >= stop:
                break
            at += 1
        if row != last:
            report[0] = _FEW_OR_MANY
            return i
    return _ABSENT


def read_lists(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    n_values: NDArray[np.integer],
) -> tuple[NDArray[np.int64], int, NumberFault]:
    """Read lists of counts joined by commas.

    Parameters
    ----------
    data
        (bytes,) uint8: the text.
    starts, ends
        (n,) int64: where each list is in it; -1 where there is none.
    n_values
        (n,) int: numbers that each list must have; a list that is not there, empty, a dot or NA stands
        for as many that are missing.

    Returns
    -------
    values
        (n_values.sum(),) int64; -1 where missing.
    row, fault
        The first list that cannot be used, and why; -1 and `NumberFault.NONE` if all can.
    """
    first = np.concatenate([[0], np.cumsum(n_values)]).astype(np.int64)
    values = np.empty(int(first[-1]), np.int64)
    report = np.zeros(1, np.int64)
    starts, ends = np.ascontiguousarray(starts), np.ascontiguousarray(ends)
    row = int(_read_lists(data, starts, ends, first, values, report))
    return values, row, NumberFault(int(report[0]))
