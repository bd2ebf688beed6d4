"""Reading Zarr stores in one zip file."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.storage import ZipStore

from afpanel.core.strings import Strings, joined
from afpanel.errors import BadInputError
from afpanel.io.chunks import unpack, unpack_text

_Chunk = TypeVar("_Chunk", NDArray[Any], Strings)


class _Entries(ZipStore):
    """A zip store whose entries can be had as bytes."""

    def entry(self, key: str) -> bytes:
        """Read an entry; a KeyError if there is none."""
        return self._zf.read(key)


class Store:
    """A store opened for reading; use it in a ``with`` block.

    Parameters
    ----------
    path
        Zip file.
    kind, version
        What it must hold.

    Raises
    ------
    BadInputError
        If the file is no such store, or one of another format version.
    """

    def __init__(self, path: Path, kind: str, version: int) -> None:
        self.path = path
        self._arrays: dict[str, zarr.Array[Any]] = {}
        self._held: dict[str, tuple[int, Any]] = {}
        try:
            self._store = _Entries(path, mode="r")
            self._root = zarr.open_group(self._store, mode="r", zarr_format=3)
        except FileNotFoundError:
            raise BadInputError("file does not exist", where=path) from None
        except OSError as error:
            raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error
        except (zipfile.BadZipFile, ValueError, KeyError) as error:
            raise BadInputError(f"not a store of this project: {error}", where=path) from error
        self.attributes: dict[str, Any] = dict(self._root.attrs)
        found = (self.attributes.get("afpanel_kind"), self.attributes.get("afpanel_format_version"))
        if found != (kind, version):
            raise BadInputError(
                "not the kind of store that this step reads",
                where=path,
                expected=f"{kind}, format version {version}",
                found=f"{found[0]}, format version {found[1]}",
                remedy="rebuild it with this version of afpanel",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def __contains__(self, name: str) -> bool:
        return name in self._root

    def names(self) -> set[str]:
        """Names of everything in the store."""
        return set(self._root.keys())

    def rows(self, name: str) -> int:
        """Length of an array's first dimension."""
        return int(self._array(name).shape[0])

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of an array."""
        return tuple(self._array(name).shape)

    def chunk_rows(self, name: str) -> int:
        """Rows in a chunk of an array."""
        return int(self._array(name).chunks[0])

    def read(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Read rows ``start`` to ``stop`` of an array; text comes as NumPy's StringDType."""
        array = self._array(name)
        stop = array.shape[0] if stop is None else stop
        size = array.chunks[0]
        whole_rows = array.chunks[1:] == array.shape[1:]
        if array.dtype.kind not in "biuf" or not whole_rows or start >= stop:
            return np.asarray(array[start:stop])
        if start % size == 0 and stop <= start + size:
            return self._chunk(array, start // size)[: stop - start]
        rows = np.empty((stop - start, *array.shape[1:]), array.dtype)
        for number in range(start // size, -(-stop // size)):
            first, last = max(start, number * size), min(stop, (number + 1) * size)
            chunk = self._last(name, number, lambda n: self._chunk(array, n))
            rows[first - start : last - start] = chunk[first - number * size : last - number * size]
        return rows

    def _last(self, name: str, number: int, unpacked: Callable[[int], _Chunk]) -> _Chunk:
        """Get a chunk, which may be the one that was read of the array last: rows are read in order."""
        held = self._held.get(name)
        if held is None or held[0] != number:
            held = self._held[name] = (number, unpacked(number))
        chunk: _Chunk = held[1]
        return chunk

    def _chunk(self, array: zarr.Array[Any], number: int) -> NDArray[Any]:
        """Read a chunk of numbers, of an array that has one for all columns."""
        key = "/".join([array.basename, "c", str(number), *["0"] * (array.ndim - 1)])
        chunk = np.empty(array.chunks, array.dtype)
        with self._damage(array):
            try:
                packed = self._store.entry(key)
            except KeyError:
                return np.zeros(array.chunks, array.dtype)  # nothing but fill
            unpack(packed, chunk)
        return chunk

    def strings(self, name: str, start: int = 0, stop: int | None = None) -> Strings:
        """Read rows ``start`` to ``stop`` of an array of text."""
        array = self._array(name)
        stop = array.shape[0] if stop is None else stop
        size = array.chunks[0]
        parts = []
        for number in range(start // size, -(-stop // size)):
            first = number * size
            chunk = self._last(name, number, lambda n: self._text_chunk(array, f"{n}"))
            parts.append(chunk[max(start - first, 0) : stop - first])
        return joined(parts)

    def table_of_strings(self, name: str, start: int, stop: int) -> list[Strings]:
        """Read rows ``start`` to ``stop`` of a table of text whose columns are in one chunk; its columns."""
        array = self._array(name)
        size, width = array.chunks
        parts: list[list[Strings]] = [[] for _ in range(array.shape[1])]
        for number in range(start // size, -(-stop // size)):
            chunk = self._last(name, number, lambda n: self._text_chunk(array, f"{n}/0"))
            rows = np.arange(max(start - number * size, 0), min(stop - number * size, size))
            for column, part in enumerate(parts):
                part.append(chunk.take(rows * width + column))
        return [joined(part) for part in parts]

    def columns_of_strings(self, name: str) -> Iterator[tuple[int, int, Strings]]:
        """Read a table of text, some columns at a time: the first, how many, and their cells by row."""
        array = self._array(name)
        (rows, _), (size, width) = array.shape, array.chunks
        for column, first in enumerate(range(0, array.shape[1], width)):
            chunks = [self._text_chunk(array, f"{i}/{column}") for i in range(-(-rows // size))]
            yield first, width, joined(chunks)[: rows * width]

    def _text_chunk(self, array: zarr.Array[Any], place: str) -> Strings:
        rows = int(np.prod(array.chunks))
        with self._damage(array):
            try:
                packed = self._store.entry(f"{array.basename}/c/{place}")
            except KeyError:
                return Strings.empty(rows)  # nothing but fill
            text = Strings.of_lengths_and_bytes(unpack_text(packed))
            if len(text) != rows:
                raise ValueError("a damaged chunk")
        return text

    @contextmanager
    def _damage(self, array: zarr.Array[Any]) -> Iterator[None]:
        """Say where it is that a chunk is damaged."""
        try:
            yield
        except (ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise BadInputError(
                f"array {array.basename} cannot be read: {error}",
                where=self.path,
                remedy="the store is damaged; make it again",
            ) from error

    def texts(self, name: str) -> list[str]:
        """Read a short array of text as a list."""
        return [str(text) for text in self.read(name)]

    def _array(self, name: str) -> zarr.Array[Any]:
        if name not in self._arrays:
            array = self._root[name]
            if not isinstance(array, zarr.Array):
                raise BadInputError(f"'{name}' is not an array", where=self.path)
            self._arrays[name] = array
        return self._arrays[name]


def foreign_blocks(path: Path, name: str, rows: int) -> Iterator[NDArray[Any]]:
    """Read an array of a Zarr store that another program made, some rows at a time."""
    array = zarr.open_group(path, mode="r")[name]
    if not isinstance(array, zarr.Array):
        raise BadInputError(f"'{name}' is not an array", where=path)
    for start in range(0, array.shape[0], rows):
        yield np.asarray(array[start : start + rows])
