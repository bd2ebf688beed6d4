"""Columns of short strings as flat bytes, so that compiled code can work on alleles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from afpanel.core.compiled import I8, READ_I8, READ_U1, U1, compiled

_SIZE = 4  # bytes of a length before a string


@dataclass(frozen=True)
class Strings:
    """A column of byte strings, laid end to end.

    Parameters
    ----------
    offsets
        (n + 1,) int64; string i is ``data[offsets[i]:offsets[i + 1]]``.
    data
        (bytes,) uint8.
    """

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]

    @classmethod
    def of(cls, values: Any) -> "Strings":
        """Pack a sequence or NumPy array of strings (any of NumPy's string dtypes)."""
        if isinstance(values, np.ndarray) and values.dtype.kind != "O":
            values = values.astype(object)
        return cls.of_arrow(pa.array(values, type=pa.large_string()))

    @classmethod
    def of_arrow(cls, array: Any) -> "Strings":
        """View an Arrow array of strings without copying its bytes."""
        array = array.cast(pa.large_string())
        _, offset_buffer, data_buffer = array.buffers()
        offsets = np.frombuffer(offset_buffer, dtype=np.int64)[array.offset :][: len(array) + 1]
        data = np.frombuffer(data_buffer or b"", dtype=np.uint8)
        return cls(offsets, data[: offsets[-1]])

    @classmethod
    def of_lengths_and_bytes(cls, packed: NDArray[np.uint8]) -> "Strings":
        """Read strings each of which comes after its length, as the codec vlen-utf8 lays them out.

        Parameters
        ----------
        packed
            (bytes,) uint8: how many strings, then each one's bytes and the string; little-endian uint32.

        Raises
        ------
        ValueError
            If the bytes are not laid out so.
        """
        n = int(packed[:4].view("<u4")[0]) if len(packed) >= _SIZE else len(packed)
        if _SIZE * (n + 1) > len(packed):
            raise ValueError("damaged text")
        offsets = np.empty(n + 1, np.int64)
        data = np.empty(len(packed) - _SIZE * (n + 1), np.uint8)
        if not _unpack(packed, offsets, data):
            raise ValueError("damaged text")
        return cls(offsets, data)

    @classmethod
    def empty(cls, n: int) -> "Strings":
        """Make a column of n strings without a letter."""
        return cls(np.zeros(n + 1, np.int64), np.empty(0, np.uint8))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: slice) -> "Strings":
        """View consecutive strings, without copying them."""
        start, stop, _ = rows.indices(len(self))
        return Strings(self.offsets[start : max(start, stop) + 1], self.data)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) int64: bytes of each string."""
        return np.diff(self.offsets)

    @property
    def only(self) -> NDArray[np.uint8]:
        """(n,) uint8: the byte of each string that has one alone; 0 for the others."""
        result = np.zeros(len(self), np.uint8)
        single = self.lengths == 1
        result[single] = self.data[self.offsets[:-1][single]]
        return result

    def arrow(self) -> Any:
        """Show the column as an Arrow ``large_string`` array, without copying."""
        buffers = [None, pa.py_buffer(self.offsets), pa.py_buffer(self.data)]
        return pa.Array.from_buffers(pa.large_string(), len(self), buffers)

    def objects(self) -> NDArray[np.object_]:
        """Copy the column to a NumPy array of Python strings."""
        result: NDArray[np.object_] = self.arrow().to_numpy(zero_copy_only=False)
        return result

    def take(self, indices: NDArray[np.int64]) -> "Strings":
        """Copy the strings at `indices`, in that order."""
        return Strings.of_arrow(self.arrow().take(pa.array(indices)))


@compiled(nb.b1(READ_U1, I8, U1))
def _unpack(packed, offsets, data):  # type: ignore[no-untyped-def]
    """Fill in a column, and say whether the bytes are laid out as they should be."""
    at, offset = np.int64(4), np.int64(0)
    for i in range(len(offsets) - 1):
        offsets[i] = offset
        if at + 4 > len(packed):
            return False
        size = np.int64(0)
        for j in range(4):
            size |= np.int64(packed[at + j]) << (8 * j)
        at += 4
        if size > len(data) - offset or size > len(packed) - at:
            return False
        for j in range(size):
            data[offset + j] = packed[at + j]
        at += size
        offset += size
    offsets[-1] = offset
    return offset == len(data)


@compiled(nb.b1(READ_U1))
def is_packed(packed) -> bool:  # type: ignore[no-untyped-def]
    """Tell whether bytes are strings after their lengths, as `Strings.of_lengths_and_bytes` takes them, and no more.

    Parameters
    ----------
    packed
        (bytes,) uint8.
    """
    n = len(packed)
    if n < 4:
        return False
    count, at = np.int64(0), np.int64(4)
    for j in range(4):
        count |= np.int64(packed[j]) << (8 * j)
    for _ in range(count):
        if at + 4 > n:
            return False
        size = np.int64(0)
        for j in range(4):
            size |= np.int64(packed[at + j]) << (8 * j)
        at += 4 + size
        if at > n:
            return False
    return bool(at == n)


def choose(where: NDArray[np.bool_], one: Strings, other: Strings) -> Strings:
    """Take each string from one column where a condition holds, and from another where not."""
    return Strings.of_arrow(pc.if_else(pa.array(where), one.arrow(), other.arrow()))


def joined(columns: Sequence[Strings]) -> Strings:
    """Lay columns end to end."""
    chunks = [column.arrow() for column in columns]
    return Strings.of_arrow(pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_string()))


@compiled(nb.void(READ_U1, READ_I8, READ_I8, READ_I8, U1))
def _copy_slices(data, starts, ends, offsets, target):  # type: ignore[no-untyped-def]
    for i in range(len(starts)):
        for j in range(ends[i] - starts[i]):
            target[offsets[i] + j] = data[starts[i] + j]


def gather(data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Strings:
    """Copy slices of a text to a column of strings.

    Parameters
    ----------
    data
        (bytes,) uint8.
    starts, ends
        (n,) int64: where each string is in the text.
    """
    offsets = np.concatenate([[0], np.cumsum(ends - starts)])
    target = np.empty(offsets[-1], np.uint8)
    _copy_slices(data, np.ascontiguousarray(starts), np.ascontiguousarray(ends), offsets, target)
    return Strings(offsets, target)
