"""Columns of tables of figures: each on its own, with what is missing marked as Arrow does, or beside those of others."""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.core.compiled import I8, READ_I8, compiled

_WORD = 64
_READ_TABLE = nb.types.Array(nb.u4, 2, "C", readonly=True)


@dataclass(frozen=True)
class Columns:
    """A table turned over.

    Parameters
    ----------
    values
        (g, n), int32 or float32.
    present
        (g, words) uint64: bit i of a row tells whether its value i is there.
    missing
        (g,) int64: how many are not.
    """

    values: NDArray[np.int32] | NDArray[np.float32]
    present: NDArray[np.uint64]
    missing: NDArray[np.int64]

    @classmethod
    def of(cls, table: NDArray[np.int32] | NDArray[np.float32]) -> "Columns":
        """Turn over a table, (n, g) int32 or float32; -1 and NaN are missing."""
        n, g = table.shape
        columns = np.empty((g, n), np.uint32)
        present = np.empty((g, -(-n // _WORD)), np.uint64)
        missing = np.zeros(g, np.int64)
        is_float = table.dtype.kind == "f"
        _turn(np.ascontiguousarray(table).view(np.uint32), is_float, columns, present, missing)
        values = columns.view(np.float32) if is_float else columns.view(np.int32)
        return cls(values, present, missing)


@compiled(nb.void(_READ_TABLE, nb.b1, nb.u4[:, ::1], nb.u8[:, ::1], I8))
def _turn(table, is_float, columns, present, missing):  # type: ignore[no-untyped-def]
    # A float is NaN if its bits, without the sign, are above those of infinity; an integer is missing if
    # all of its bits are set.
    mask = np.uint32(0x7FFFFFFF) if is_float else np.uint32(0xFFFFFFFF)
    most = np.uint32(0x7F800000) if is_float else np.uint32(0xFFFFFFFE)
    n = len(table)
    for word in range(present.shape[1]):
        first = word * _WORD
        rows = min(_WORD, n - first)
        for g in range(len(columns)):
            bits = np.uint64(0)
            for i in range(rows):
                value = table[first + i, g]
                columns[g, first + i] = value
                there = np.uint64((value & mask) <= most)
                missing[g] += np.int64(np.uint64(1) - there)
                bits |= there << np.uint64(i)
            present[g, word] = bits


@compiled(nb.void(_READ_TABLE, READ_I8, READ_I8, nb.u4[:, ::1]))
def put_columns(table, columns, places, wide):  # type: ignore[no-untyped-def]
    """Copy some columns of a table, (n, g) uint32, to places of a wider one, (n, k) uint32."""
    for i in range(len(table)):
        for j in range(len(columns)):
            wide[i, places[j]] = table[i, columns[j]]
