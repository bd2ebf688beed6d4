"""Writing Zarr stores in one zip file.

A store is written once, front to back. Arrays grow as blocks arrive, so that a writer need not know
how many variants will come: their chunks go straight into the zip, and their metadata follows at the
end. The same content gives the same bytes: entries carry a fixed date.
"""

import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.buffer import Buffer
from zarr.storage import ZipStore

from afpanel.io.chunks import LEVEL, Packing
from afpanel.io.files import whole_file
from afpanel.io.prefetch import InOrder
from afpanel.model.arrays import ARRAYS, ArraySpec

_CHUNKS_AHEAD = 8

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can state

_WIDTHS = {"variant_allele": 4, "variant_filter": 16}
"""Columns in a chunk of arrays whose second dimension is not known beforehand.

A chunk that holds nothing but fill is not stored, so one record of many alleles widens only its own.
"""


class _DatedZipStore(ZipStore):
    """A zip store whose entries carry a fixed date."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, mode="w")
        self._sync_open()

    def _set(self, key: str, value: Buffer) -> None:
        self.write_entry(key, value.to_bytes())

    def write_entry(self, key: str, value: bytes) -> None:
        """Add an entry to the zip file."""
        entry = zipfile.ZipInfo(key, date_time=_DATE)
        entry.external_attr = 0o644 << 16
        self._zf.writestr(entry, value)

    def write_chunk(self, entry: tuple[str, bytes | None]) -> None:
        """Add a chunk, unless it is not stored."""
        name, packed = entry
        if packed is not None:
            self.write_entry(name, packed)

    def give_up(self) -> None:
        """Close a file that will not be whole, without writing more of it: the disk may be full."""
        self._zf._didModify = False  # type: ignore[attr-defined] # noqa: SLF001
        with suppress(OSError, ValueError):
            self.close()


class StoreWriter:
    """Writes the arrays of one store; made by `create_store`.

    Parameters
    ----------
    store
        Zip file to write to.
    chunk
        Rows in a chunk of the arrays that grow.
    attributes
        Attributes of the store.
    quick, level
        Whether to pack for speed and not for size; if not, how hard.
    pool
        Whose threads pack; without one each chunk is packed when it comes.
    """

    def __init__(
        self,
        store: _DatedZipStore,
        chunk: int,
        attributes: Mapping[str, Any],
        *,
        quick: bool,
        level: int,
        pool: Executor | None = None,
    ) -> None:
        self._store = store
        self._packed = InOrder(store.write_chunk, pool, _CHUNKS_AHEAD)
        self._chunk = chunk
        self._quick = quick
        self._level = level
        self._attributes = dict(attributes)
        self._tables: dict[str, _GrowingTable] = {}
        self._whole: list[_ChunkedArray] = []

    def attributes(self, values: Mapping[str, Any]) -> None:
        """Set attributes of the store."""
        self._attributes.update(values)

    def array(self, name: str, values: Any, *, dims: tuple[str, ...] | None = None) -> None:
        """Write an array whole, as one chunk."""
        data = _typed(name, values)
        spec, packing = ARRAYS[name], Packing.of(data.dtype, quick=False)
        array = _ChunkedArray(
            self._packed,
            spec,
            dims or spec.dims,
            data.dtype,
            data.shape,
            packing,
            width=_width(data),
        )
        if len(data):
            array.write(data)
        self._whole.append(array)

    def append(
        self,
        rows: Mapping[str, Any],
        *,
        dims: tuple[str, ...] | None = None,
        chunk: int | None = None,
    ) -> None:
        """Add as many rows to each of several arrays, always the same ones together.

        Parameters
        ----------
        rows
            Rows by array name; a second dimension may be wider than before.
        dims
            Names of the dimensions of two-dimensional arrays, where not those of the registry.
        chunk
            Rows in a chunk of these arrays, where not those of the store.
        """
        data = {name: _typed(name, values) for name, values in rows.items()}
        key = next(iter(data))
        if key not in self._tables:
            size = chunk or self._chunk
            arrays = {name: self._grow(name, values, dims, size) for name, values in data.items()}
            self._tables[key] = _GrowingTable(arrays, size)
        self._tables[key].append(data)

    def finish(self) -> None:
        """Write the rows that still wait for their chunk to be full, and all metadata."""
        for table in self._tables.values():
            table.flush()
        self._packed.finish()
        root = zarr.create_group(self._store, zarr_format=3, attributes=self._attributes)
        for table in self._tables.values():
            for array in table.arrays.values():
                array.create(root)
        for array in self._whole:
            array.create(root)

    def _grow(
        self, name: str, values: NDArray[Any], dims: tuple[str, ...] | None, chunk: int
    ) -> "_ChunkedArray":
        spec = ARRAYS[name]
        trailing = (_WIDTHS[name],) if name in _WIDTHS else values.shape[1:]
        is_call = "samples" in spec.dims and "variants" in spec.dims
        return _ChunkedArray(
            self._packed,
            spec,
            dims if dims is not None and values.ndim == len(dims) else spec.dims,
            values.dtype,
            (chunk, *trailing),
            Packing.of(values.dtype, quick=is_call or self._quick, level=self._level),
            keep_empty=is_call,
            width=_width(values),
        )


@dataclass
class _ChunkedArray:
    """An array whose chunks are written as they come, and its metadata at last.

    Parameters
    ----------
    packed, spec, dims, dtype, chunks, packing
        Where its chunks go, and what it is.
    keep_empty
        Whether chunks of fill alone are stored too: to look for them takes longer, for calls, than
        to write them.
    rows, width
        Rows written, and columns of the widest.
    """

    packed: InOrder[tuple[str, bytes | None]]
    spec: ArraySpec
    dims: tuple[str, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...]
    packing: Packing
    keep_empty: bool = False
    rows: int = 0
    width: int = 0

    def write(self, data: NDArray[Any]) -> None:
        """Write the next chunk of rows; only the last may have fewer than a chunk has."""
        number = self.rows // self.chunks[0]
        self.rows += len(data)
        if data.ndim == 1:
            self.packed.give(self._pack, f"{number}", data)
            return
        self.width = max(self.width, data.shape[1])
        places = "/0" * (data.ndim - 2)
        step = max(1, self.chunks[1])
        for column, start in enumerate(range(0, data.shape[1], step)):
            part = data[:, start : start + step]
            self.packed.give(self._pack, f"{number}/{column}{places}", part)

    def _pack(self, place: str, data: NDArray[Any]) -> tuple[str, bytes | None]:
        """Give a chunk's entry: its name and bytes, None of a chunk that is not stored."""
        name = f"{self.spec.name}/c/{place}"
        fill = "" if self.packing.is_text else self.dtype.type(0)
        # Most chunks that are not empty are so in their first row already.
        if not (self.keep_empty or (data[:1] != fill).any() or (data != fill).any()):
            return name, None
        shape = tuple(max(1, size) for size in self.chunks)
        if data.shape != shape:
            whole = np.full(shape, fill, self.dtype)
            whole[tuple(map(slice, data.shape))] = data
            data = whole
        return name, self.packing.pack(data)

    def create(self, root: zarr.Group) -> None:
        """Write the array's metadata."""
        trailing = (self.width, *self.chunks[2:]) if len(self.chunks) > 1 else ()
        shape = (self.rows, *trailing)
        root.create_array(
            self.spec.name,
            shape=shape,
            chunks=tuple(max(1, size) for size in self.chunks),
            dtype=str if self.packing.is_text else self.dtype,
            compressors=self.packing.codec(),
            dimension_names=self.dims,
            attributes={"description": self.spec.doc},
        )


class _GrowingTable:
    """Gathers rows of several arrays until a chunk is full, and writes chunk by chunk.

    So each chunk is compressed and written once, and the order of chunks in the file does not depend
    on how the rows came.
    """

    def __init__(self, arrays: dict[str, _ChunkedArray], chunk: int) -> None:
        self.arrays = arrays
        self._chunk = chunk
        self._waiting: dict[str, list[NDArray[Any]]] = {name: [] for name in arrays}
        self._n_waiting = 0

    def append(self, data: dict[str, NDArray[Any]]) -> None:
        if data.keys() != self.arrays.keys() or len({len(rows) for rows in data.values()}) != 1:
            raise ValueError(f"rows of {sorted(self.arrays)} belong together")
        self._n_waiting += len(next(iter(data.values())))
        for name, rows in data.items():
            self._waiting[name].append(rows)
        whole = self._n_waiting - self._n_waiting % self._chunk
        if whole == self._chunk:
            # One array after the other, so that of one alone its blocks and its chunk exist at a time.
            for name, blocks in self._waiting.items():
                rows = _stack(blocks)
                self.arrays[name].write(rows[:whole])
                blocks[:] = [rows[whole:].copy()] if self._n_waiting > whole else []
            self._n_waiting -= whole
        elif whole:
            stacked = {name: _stack(blocks) for name, blocks in self._waiting.items()}
            for start in range(0, whole, self._chunk):
                self._write({name: r[start : start + self._chunk] for name, r in stacked.items()})
            self._n_waiting -= whole
            self._waiting = {
                name: [rows[whole:].copy()] if self._n_waiting else []
                for name, rows in stacked.items()
            }
        else:
            # The caller may use its arrays again before the chunk is full.
            for blocks in self._waiting.values():
                blocks[-1] = blocks[-1].copy()

    def flush(self) -> None:
        if self._n_waiting:
            self._write({name: _stack(blocks) for name, blocks in self._waiting.items()})

    def _write(self, data: dict[str, NDArray[Any]]) -> None:
        for name, rows in data.items():
            self.arrays[name].write(rows)


def _stack(blocks: list[NDArray[Any]]) -> NDArray[Any]:
    """Lay blocks of rows end to end, filling narrow ones with empty text or zeros."""
    if len(blocks) == 1:
        return blocks[0]
    if blocks[0].ndim == 2 and len({block.shape[1] for block in blocks}) > 1:
        width = max(block.shape[1] for block in blocks)
        wide = np.zeros((sum(map(len, blocks)), width), blocks[0].dtype)
        if wide.dtype.kind == "O":
            wide[:] = ""
        at = 0
        for block in blocks:
            wide[at : at + len(block), : block.shape[1]] = block
            at += len(block)
        return wide
    return np.concatenate(blocks)


def _width(data: NDArray[Any]) -> int:
    return data.shape[1] if data.ndim > 1 else 0


def _typed(name: str, values: Any) -> NDArray[Any]:
    """Give values the dtype that the registry names; genotypes may be wider."""
    spec = ARRAYS[name]
    if spec.dtype == "str":
        return np.asarray(values, dtype=object)
    data = np.asarray(values)
    if name == "call_genotype" and data.dtype == np.int16:
        return data
    return data.astype(spec.dtype, copy=False)


@contextmanager
def create_store(
    path: Path,
    kind: str,
    version: int,
    *,
    chunk: int,
    attributes: Mapping[str, Any] | None = None,
    quick: bool = False,
    level: int = LEVEL,
    pool: Executor | None = None,
) -> Iterator[StoreWriter]:
    """Write a store that appears under its name when the block ends without an error.

    Parameters
    ----------
    path
        Zip file to write.
    kind, version
        What the store holds, and the version of that format; readers ask for both.
    chunk
        Rows in a chunk of the arrays that grow.
    attributes
        Further attributes of the store.
    quick
        Whether to pack for speed and not for size: what other steps of the run read, and nobody else.
    level
        How hard to pack what is not packed for speed (`io.chunks.LEVEL`).
    pool
        Whose threads pack chunks; rows that are given must stay as they are then.
    """
    with whole_file(path) as partial:
        store = _DatedZipStore(partial)
        try:
            named = {"afpanel_kind": kind, "afpanel_format_version": version}
            writer = StoreWriter(
                store,
                chunk,
                {**named, **(attributes or {})},
                quick=quick,
                level=level,
                pool=pool,
            )
            yield writer
            writer.finish()
        except BaseException:
            store.give_up()
            raise
        store.close()
