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
    def empty(cls, columns: int, rows: int, *, is_float: bool) -> "Columns":
        """Make room for so many columns of so many values."""
        bits = np.empty((columns, rows), np.uint32)
        values = bits.view(np.float32) if is_float else bits.view(np.int32)
        present = np.zeros((columns, -(-rows // _WORD)), np.uint64)
        return cls(values, present, np.zeros(columns, np.int64))

    @classmethod
    def of(cls, table: NDArray[np.int32] | NDArray[np.float32]) -> "Columns":
        """Turn over a table, (n, g) int32 or float32; -1 and NaN are missing."""
        columns = cls.empty(table.shape[1], len(table), is_float=table.dtype.kind == "f")
        columns.put(0, table, np.arange(table.shape[1]))
        return columns

    def put(
        self,
        start: int,
        table: NDArray[np.int32] | NDArray[np.float32],
        chosen: NDArray[np.int64],
    ) -> None:
        """Set values from one on, which nobody has set, to those of some columns of a table, (n, g)."""
        bits = np.ascontiguousarray(table, self.values.dtype).view(np.uint32)
        is_float = self.values.dtype.kind == "f"
        columns = self.values.view(np.uint32)
        _turn(bits, chosen, start, is_float, columns, self.present, self.missing)

    def clear(self) -> None:
        """Make all values ones that nobody has set."""
        self.present[:] = 0
        self.missing[:] = 0


@compiled(nb.void(_READ_TABLE, READ_I8, nb.i8, nb.b1, nb.u4[:, ::1], nb.u8[:, ::1], I8))
def _turn(table, chosen, start, is_float, columns, present, missing):  # type: ignore[no-untyped-def]
    # A float is NaN if its bits, without the sign, are above those of infinity; an integer is missing if
    # all of its bits are set.
    mask = np.uint32(0x7FFFFFFF) if is_float else np.uint32(0xFFFFFFFF)
    most = np.uint32(0x7F800000) if is_float else np.uint32(0xFFFFFFFE)
    end = start + len(table)
    first = start
    while first < end:
        word = first // _WORD
        rows = min(end, (word + 1) * _WORD) - first
        row, bit = first - start, np.uint64(first - word * _WORD)
        for k in range(len(chosen)):
            g = chosen[k]
            bits = np.uint64(0)
            for i in range(rows):
                value = table[row + i, g]
                columns[k, first + i] = value
                there = np.uint64((value & mask) <= most)
                missing[k] += np.int64(np.uint64(1) - there)
                bits |= there << (bit + np.uint64(i))
            present[k, word] |= bits
        first += rows


@compiled(nb.void(_READ_TABLE, READ_I8, READ_I8, nb.u4[:, ::1]))
def put_columns(table, columns, places, wide):  # type: ignore[no-untyped-def]
    """Copy some columns of a table, (n, g) uint32, to places of a wider one, (n, k) uint32."""
    for i in range(len(table)):
        for j in range(len(columns)):
            wide[i, places[j]] = table[i, columns[j]]
