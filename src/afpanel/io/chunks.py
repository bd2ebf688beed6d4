"""How the chunks of arrays are packed: what Zarr's codecs do, without a thread for each chunk.

Handing a chunk to Zarr and waiting for it takes longer than packing it. The bytes are the same: Zarr
writes the arrays' metadata, and reads all of it.
"""

import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numcodecs import blosc
from numcodecs.vlen import VLenUTF8
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

_SHUFFLE = {"noshuffle": blosc.NOSHUFFLE, "shuffle": blosc.SHUFFLE}


class _Blosc:
    """Keeps Blosc from starting threads while anybody packs: these lay blocks down as they are done, in any order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._packing = 0
        self._used: bool | None = None

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """Pack with the calling thread alone; others may pack at the same time."""
        with self._lock:
            if not self._packing:
                self._used, blosc.use_threads = blosc.use_threads, False
            self._packing += 1
        try:
            yield
        finally:
            with self._lock:
                self._packing -= 1
                if not self._packing:
                    blosc.use_threads = self._used


_BLOSC = _Blosc()

LEVEL = 3
"""How hard Blosc packs what is not packed for speed, if nothing else is said."""

BLOSC_HEADER = 16
"""Bytes before what Blosc packed, which tell its sizes."""

_MOST_TEXT = 1 << 31


@dataclass(frozen=True)
class Packing:
    """How the chunks of an array are packed.

    Parameters
    ----------
    is_text
        Whether the array holds strings.
    compressor, level, shuffle, typesize
        What Blosc is told.
    """

    is_text: bool
    compressor: Literal["lz4", "zstd"]
    level: int
    shuffle: Literal["noshuffle", "shuffle"]
    typesize: int

    @classmethod
    def of(cls, dtype: np.dtype[np.generic], *, quick: bool, level: int = LEVEL) -> "Packing":
        """Choose for an array.

        Calls and the sums of groups are the bulk of what is written and read within a run: lz4 does both
        at the speed of the disk, and they shrink enough. The rest is small, or is published: Zstandard
        packs it, as hard as `level` says. Shuffling bytes helps wide integers; genotypes are single bytes
        and do as well without.
        """
        is_text = dtype.kind in "OTU"
        shuffled = not is_text and dtype.itemsize > 1
        return cls(
            is_text,
            "lz4" if quick else "zstd",
            5 if quick else level,
            "shuffle" if shuffled else "noshuffle",
            max(1, dtype.itemsize),
        )

    def codec(self) -> BloscCodec:
        """Give the codec that Zarr's metadata names."""
        return BloscCodec(
            cname=self.compressor, clevel=self.level, shuffle=self.shuffle, typesize=self.typesize
        )

    def pack(self, chunk: NDArray[np.generic]) -> bytes:
        """Pack a whole chunk."""
        plain: Any = VLenUTF8().encode(chunk) if self.is_text else np.ascontiguousarray(chunk)
        with _BLOSC.one_thread():
            packed: bytes = blosc.compress(
                plain,
                self.compressor.encode(),
                self.level,
                _SHUFFLE[self.shuffle],
                blosc.AUTOBLOCKS,
                self.typesize,
            )
        return packed


def unpack_text(packed: bytes, limit: int = _MOST_TEXT) -> NDArray[np.uint8]:
    """Unpack a chunk of text to its lengths and bytes; (bytes,) uint8.

    Raises
    ------
    ValueError
        If it is damaged, or says that it holds more than `limit` bytes.
    """
    _check(packed, limit, exact=False)
    return np.frombuffer(blosc.decompress(packed), np.uint8)


def unpack(packed: bytes, chunk: NDArray[np.generic]) -> None:
    """Unpack a chunk of numbers into an array of its shape and dtype.

    Raises
    ------
    ValueError
        If it is damaged, or does not hold as many bytes.
    """
    _check(packed, chunk.nbytes, exact=True)
    blosc.decompress(packed, chunk)


def plain_size(header: bytes, stored: int) -> int:
    """Tell how many bytes a chunk says that it holds; -1 if it is none, or not as long as it says.

    Parameters
    ----------
    header
        Its first `BLOSC_HEADER` bytes, or more.
    stored
        Its bytes.
    """
    if len(header) < BLOSC_HEADER:
        return -1
    plain, _, held = struct.unpack_from("<3I", header, 4)
    return int(plain) if held == stored else -1


def _check(packed: bytes, size: int, *, exact: bool) -> None:
    """Refuse a chunk that was cut short, or is not of the size that it should be."""
    plain = plain_size(packed, len(packed))
    if plain < 0 or plain > size or (exact and plain != size):
        raise ValueError("a damaged chunk")
