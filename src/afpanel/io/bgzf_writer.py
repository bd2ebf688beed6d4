"""Writing BGZF: text of any kind, and lines with the same columns, which are packed as such."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from afpanel.io import deflate_kernel as kernel
from afpanel.io.files import naming
from afpanel.io.sniff import BGZF_END

_HEAD = bytes.fromhex("1f8b08040000000000ff060042430200")
_RAW_DEFLATE = -15
_LEVEL = 3
_SLACK = 16


@dataclass(frozen=True)
class Packed:
    """Text as blocks of BGZF.

    Parameters
    ----------
    data
        The blocks.
    plain_ends, packed_ends
        Where each ends, in the text and in `data`.
    """

    data: bytes
    plain_ends: list[int]
    packed_ends: list[int]

    @classmethod
    def of_blocks(cls, blocks: list[tuple[Any, Any]]) -> "Packed":
        """Lay out blocks: of each its text, and what it was deflated to."""
        pieces: list[Any] = []
        plain_ends, packed_ends = [], []
        plain = packed = 0
        for text, deflated in blocks:
            size = len(_HEAD) + 2 + len(deflated) + 8
            checks = struct.pack("<II", isal_zlib.crc32(text), len(text))
            pieces += [_HEAD, struct.pack("<H", size - 1), deflated, checks]
            plain, packed = plain + len(text), packed + size
            plain_ends.append(plain)
            packed_ends.append(packed)
        return cls(b"".join(pieces), plain_ends, packed_ends)

    @classmethod
    def of(cls, text: bytes) -> "Packed":
        """Pack text of any kind."""
        return cls.of_blocks(_deflated(text))

    @classmethod
    def of_lines(
        cls,
        text: NDArray[np.uint8],
        columns: NDArray[np.int32],
        key_sizes: NDArray[np.int32],
        repeats: NDArray[np.int32] | None = None,
    ) -> "Packed":
        """Pack lines that have the same columns.

        Parameters
        ----------
        text
            (bytes,) uint8, with `room_after` bytes more than `columns` tell of.
        columns
            (lines + 1, columns) int32: where each column of each line begins, the end in the last row.
        key_sizes
            (columns,) int32: bytes of a column that are the same in every line, before its value.
        repeats
            (columns,) int32: the column before it in its line whose value each has again, or much of it; -1 is none.
        """
        lines, end = len(columns) - 1, int(columns[-1, 0])
        if not lines:
            return cls.of_blocks([])
        if repeats is None:
            repeats = np.full(len(key_sizes), -1, np.int32)
        out = np.empty(2 * end + 1024, np.uint8)
        ends = np.empty((lines, 2), np.int64)
        n = kernel.pack_lines(
            text,
            columns,
            key_sizes,
            repeats,
            np.empty(columns.shape[1] * kernel.SLOTS, np.int32),
            np.empty(kernel.WORDS, np.int32),
            np.empty(kernel.MOST_TEXT + 1, np.int32),
            np.empty(kernel.SCRATCH, np.int64),
            out,
            ends,
        )
        blocks: list[tuple[Any, Any]] = []
        start = packed_start = 0
        for stop, packed_stop in ends[:n].tolist():
            if packed_stop > packed_start:
                blocks.append((text[start:stop], out[packed_start:packed_stop]))
            else:
                blocks += _deflated(text[start:stop].tobytes())
            start, packed_start = stop, packed_stop
        return cls.of_blocks(blocks)


def room_after(key_sizes: NDArray[np.int32]) -> int:
    """Tell how many bytes an array must have after the lines that it holds."""
    return int(key_sizes.max()) + _SLACK


def _deflated(text: bytes) -> list[tuple[Any, Any]]:
    blocks = []
    for start in range(0, len(text), kernel.MOST_TEXT):
        packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW_DEFLATE)
        block = text[start : start + kernel.MOST_TEXT]
        blocks.append((block, packer.compress(block) + packer.flush()))
    return blocks


class BgzfWriter:
    """Writes a BGZF file.

    Parameters
    ----------
    path
        File to write.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, path.open("wb")
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, packed: Packed, places: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
        """Write blocks.

        Parameters
        ----------
        packed
            The blocks.
        places
            Places in their text, in order.

        Returns
        -------
        uint64, as many
            Their virtual offsets: of the block in the file, in the upper 48 bits, and in the block's text.
        """
        starts = np.array([0, *packed.plain_ends], np.int64)
        offsets = np.array([0, *packed.packed_ends], np.int64) + self._size
        block = np.searchsorted(starts, places, "right") - 1
        virtual = (offsets[block].astype(np.uint64) << np.uint64(16)) | (
            places - starts[block]
        ).astype(np.uint64)
        with self._writing():
            self._file.write(packed.data)
        self._size += len(packed.data)
        return virtual

    def write_text(self, text: bytes) -> None:
        """Write text of any kind, in blocks of its own."""
        self.write(Packed.of(text), np.empty(0, np.int64))

    def close(self) -> None:
        """End the file."""
        if not self._file.closed:
            with self._writing():
                self._file.write(BGZF_END)
                self._file.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Name the file where it cannot be written, and give it up: what waits would be tried again."""
        try:
            with naming(self._path):
                yield
        except OSError:
            with suppress(OSError):
                os.truncate(self._path, 0)
                self._file.close()
            raise
