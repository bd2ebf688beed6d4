"""Zarr stores in one zip file: the only module that knows Zarr.

A store is written once, front to back. Arrays grow as blocks arrive, so that a writer need not know
how many variants will come; their chunks go straight into the zip and their metadata follows at the
end. The same content gives the same bytes: entries carry a fixed date.
"""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import ZipStore

from afpanel.errors import BadInputError
from afpanel.io.files import whole_file
from afpanel.model.arrays import ARRAYS

_METADATA = "zarr.json"
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can state


class _AppendingZipStore(ZipStore):
    """A zip store to write to whose metadata may change until it is closed.

    A zip file cannot replace an entry, and growing an array rewrites its metadata: it is held back
    here and written once.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, mode="w")
        self._pending: dict[str, Buffer] = {}

    def _set(self, key: str, value: Buffer) -> None:
        if key.endswith(_METADATA):
            self._pending[key] = value
        else:
            self._write_entry(key, value)

    def _write_entry(self, key: str, value: Buffer) -> None:
        if not self._is_open:
            self._sync_open()
        entry = zipfile.ZipInfo(key, date_time=_DATE)
        entry.external_attr = 0o644 << 16
        self._zf.writestr(entry, value.to_bytes())

    def _get(self, key: str, prototype: BufferPrototype, byte_range: Any = None) -> Buffer | None:
        if key in self._pending and byte_range is None:
            return self._pending[key]
        return super()._get(key, prototype, byte_range)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        if key not in self._pending:
            await super().set_if_not_exists(key, value)

    def close(self) -> None:
        for key in sorted(self._pending):
            self._write_entry(key, self._pending[key])
        self._pending.clear()
        super().close()


class StoreWriter:
    """Writes the arrays of one store; made by `create_store`.

    Parameters
    ----------
    root
        Group to write to.
    chunk
        Rows in a chunk of the arrays that grow.
    """

    def __init__(self, root: zarr.Group, chunk: int) -> None:
        self._root = root
        self._chunk = chunk
        self._tables: dict[str, _GrowingTable] = {}

    def attributes(self, values: Mapping[str, Any]) -> None:
        """Set attributes of the store."""
        self._root.update_attributes(dict(values))

    def array(self, name: str, values: Any, *, dims: tuple[str, ...] | None = None) -> None:
        """Write an array whole, as one chunk."""
        data = _typed(name, values)
        target = _create(self._root, name, data, data.shape, data.shape, dims)
        if data.size:
            target[...] = data

    def append(self, rows: Mapping[str, Any], *, dims: tuple[str, ...] | None = None) -> None:
        """Add as many rows to each of several arrays, always the same ones together.

        Parameters
        ----------
        rows
            Rows by array name; a second dimension may be wider than before.
        dims
            Names of the dimensions of two-dimensional arrays, where not those of the registry.
        """
        data = {name: _typed(name, values) for name, values in rows.items()}
        key = next(iter(data))
        if key not in self._tables:
            arrays = {name: self._grow(name, values, dims) for name, values in data.items()}
            self._tables[key] = _GrowingTable(arrays, self._chunk)
        self._tables[key].append(data)

    def finish(self) -> None:
        """Write the rows that still wait for their chunk to be full."""
        for table in self._tables.values():
            table.flush()

    def _grow(
        self, name: str, values: NDArray[Any], dims: tuple[str, ...] | None
    ) -> zarr.Array[Any]:
        chunks = (self._chunk, *values.shape[1:])
        if name in _WIDTHS:
            chunks = (self._chunk, _WIDTHS[name])
        shape = (0, *values.shape[1:])
        wanted = dims if values.ndim == len(dims or ()) else None
        return _create(self._root, name, values, shape, chunks, wanted)


_WIDTHS = {"variant_allele": 4, "variant_filter": 16}
"""Columns in a chunk of arrays whose second dimension is not known beforehand.

A chunk that holds nothing but fill is not stored, so one record of many alleles widens only its own.
"""


class _GrowingTable:
    """Gathers rows of several arrays until a chunk is full, and writes chunk by chunk.

    So each chunk is compressed and written once, and the order of chunks in the file does not depend
    on how the rows came.
    """

    def __init__(self, arrays: dict[str, zarr.Array[Any]], chunk: int) -> None:
        self._arrays = arrays
        self._chunk = chunk
        self._waiting: dict[str, list[NDArray[Any]]] = {name: [] for name in arrays}
        self._n_waiting = 0

    def append(self, data: dict[str, NDArray[Any]]) -> None:
        if data.keys() != self._arrays.keys() or len({len(rows) for rows in data.values()}) != 1:
            raise ValueError(f"rows of {sorted(self._arrays)} belong together")
        self._n_waiting += len(next(iter(data.values())))
        for name, rows in data.items():
            self._waiting[name].append(rows)
        whole = self._n_waiting - self._n_waiting % self._chunk
        if whole:
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
            array = self._arrays[name]
            shape = array.shape
            trailing = tuple(max(pair) for pair in zip(shape[1:], rows.shape[1:], strict=True))
            new_shape = (shape[0] + len(rows), *trailing)
            array.resize(new_shape)
            if rows.size:
                array[(slice(shape[0], new_shape[0]), *map(slice, rows.shape[1:]))] = rows


def _stack(blocks: list[NDArray[Any]]) -> NDArray[Any]:
    """Lay blocks of rows end to end, filling narrow ones with empty text or zeros."""
    if len(blocks) == 1:
        return blocks[0]
    if blocks[0].ndim == 2 and len({block.shape[1] for block in blocks}) > 1:
        width = max(block.shape[1] for block in blocks)
        fill: Any = "" if blocks[0].dtype.kind in "OTU" else 0
        blocks = [
            np.pad(b, ((0, 0), (0, width - b.shape[1])), constant_values=fill) for b in blocks
        ]
    return np.concatenate(blocks)


def _typed(name: str, values: Any) -> NDArray[Any]:
    """Give values the dtype that the registry names; genotypes may be wider."""
    spec = ARRAYS[name]
    if spec.dtype == "str":
        return np.asarray(values, dtype=object)
    data = np.asarray(values)
    if name == "call_genotype" and data.dtype == np.int16:
        return data
    return data.astype(spec.dtype, copy=False)


def _create(
    root: zarr.Group,
    name: str,
    data: NDArray[Any],
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dims: tuple[str, ...] | None,
) -> zarr.Array[Any]:
    spec = ARRAYS[name]
    is_text = spec.dtype == "str"
    # Calls are the bulk of what is written and read: lz4 does both at the speed of the disk, and
    # they shrink enough. The rest is small, and some of it is published. Shuffling bytes helps wide
    # integers; genotypes are single bytes and do as well without.
    is_call = "samples" in spec.dims and "variants" in spec.dims
    shuffle: Literal["shuffle", "noshuffle"]
    shuffle = "shuffle" if not is_text and data.itemsize > 1 else "noshuffle"
    return root.create_array(
        name,
        shape=shape,
        chunks=tuple(max(1, size) for size in chunks),
        dtype=str if is_text else data.dtype,
        compressors=BloscCodec(
            cname="lz4" if is_call else "zstd",
            clevel=5 if is_call else 3,
            shuffle=shuffle,
            typesize=max(1, data.itemsize),
        ),
        dimension_names=dims or spec.dims,
        attributes={"description": spec.doc},
    )


@contextmanager
def create_store(
    path: Path, kind: str, version: int, *, chunk: int, attributes: Mapping[str, Any] | None = None
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
    """
    # One write at a time: entries of the zip file are to come in a fixed order. The setting stays,
    # for stores may be closed in another order than they were opened in.
    zarr.config.set({"async.concurrency": 1})
    with whole_file(path) as partial, closing(_AppendingZipStore(partial)) as store:
        root = zarr.create_group(store, zarr_format=3)
        root.update_attributes(
            {"afpanel_kind": kind, "afpanel_format_version": version, **(attributes or {})}
        )
        writer = StoreWriter(root, chunk)
        yield writer
        writer.finish()


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
        try:
            self._store = ZipStore(path, mode="r")
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
        return np.asarray(array[slice(start, array.shape[0] if stop is None else stop)])

    def texts(self, name: str) -> list[str]:
        """Read a short array of text as a list."""
        return [str(text) for text in self.read(name)]

    def _array(self, name: str) -> zarr.Array[Any]:
        array = self._root[name]
        if not isinstance(array, zarr.Array):
            raise BadInputError(f"'{name}' is not an array", where=self.path)
        return array


def foreign_blocks(path: Path, name: str, rows: int) -> Iterator[NDArray[Any]]:
    """Read an array of a Zarr store that another program made, some rows at a time."""
    array = zarr.open_group(path, mode="r")[name]
    if not isinstance(array, zarr.Array):
        raise BadInputError(f"'{name}' is not an array", where=path)
    for start in range(0, array.shape[0], rows):
        yield np.asarray(array[start : start + rows])
