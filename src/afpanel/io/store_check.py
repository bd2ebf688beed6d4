"""Whether a store that came from elsewhere is laid out as this project's writer lays it out, and no other way.

Nothing is unpacked that could take more memory than its array's shape says, and there is no array,
attribute or byte that is not expected.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from afpanel.core.strings import Strings
from afpanel.errors import VerificationError
from afpanel.io.chunk_layout import has_spare_bytes
from afpanel.io.chunks import BLOSC_HEADER, Packing, plain_size, unpack, unpack_text
from afpanel.io.stored_zip import StoredZip
from afpanel.model.arrays import ARRAYS

_META = "zarr.json"
_MAX_META = 1 << 20
_MAX_TEXT_CHUNK = 1 << 26
_MAX_ROWS = 1 << 31
_PACKING = 1 << 16  # bytes that a chunk may be longer than what it holds
_LENGTH = 4  # bytes of a number in a chunk of text


@dataclass(frozen=True)
class Layout:
    """What a store must be.

    Parameters
    ----------
    attributes
        Attributes of the store, all of them.
    dims
        For each array that must be there the names of its dimensions.
    optional
        Sets of arrays of which each may be there, whole.
    sizes
        Length of dimensions that is known.
    chunk
        Rows in a chunk of the arrays that grow.
    always_stored
        For a dimension the array of which every chunk is stored, for it is never nothing but zeros.
    whole
        Arrays that are one chunk.
    """

    attributes: Mapping[str, Any]
    dims: Mapping[str, tuple[str, ...]]
    optional: tuple[Mapping[str, tuple[str, ...]], ...]
    sizes: Mapping[str, int]
    chunk: int
    always_stored: Mapping[str, str]
    whole: frozenset[str]


def check_store(path: Path, layout: Layout, max_entries: int) -> dict[str, int]:
    """Hold a store against its layout.

    Parameters
    ----------
    path
        The store.
    layout
        What it must be.
    max_entries
        Most entries that it may have.

    Returns
    -------
    dict
        Length of each dimension.

    Raises
    ------
    VerificationError
        At the first thing that is otherwise.
    """
    with StoredZip(path, max_entries) as archive:
        return _StoreCheck(archive, layout).check()


class _StoreCheck:
    def __init__(self, archive: StoredZip, layout: Layout) -> None:
        self._archive = archive
        self._layout = layout
        self._sizes = dict(layout.sizes)

    def check(self) -> dict[str, int]:
        """Check all metadata, then that there are the chunks they speak of and none besides."""
        layout = self._layout
        root = self._metadata(_META)
        expected = {"attributes": dict(layout.attributes), "zarr_format": 3, "node_type": "group"}
        if not _same(root, expected):
            found = root.get("attributes", {}) if isinstance(root, dict) else root
            raise self._fault("the attributes are not those expected", _META, expected, found)
        self._check_text(_META, root)
        arrays = {name.partition("/")[0] for name in self._archive.entries} - {_META}
        wanted = dict(layout.dims)
        for dims in layout.optional:
            if arrays & set(dims):
                wanted |= dims
        for name in sorted(set(wanted) - arrays):
            raise self._fault(f"array {name} is missing", name)
        for name in sorted(arrays - set(wanted)):
            raise self._fault(f"there is an array that does not belong here, {name[:80]!r}", name)
        stored: dict[str, set[int]] = {name: set() for name in wanted}
        places = {name: self._array(name, dims) for name, dims in wanted.items()}
        documents = {_META, *(f"{name}/{_META}" for name in wanted)}
        for key in self._archive.entries:
            if key not in documents:
                name, number = self._chunk(key, places)
                stored[name].add(number)
        for dim, name in layout.always_stored.items():
            n = -(-self._sizes.get(dim, 0) // layout.chunk)
            if len(stored.get(name, set())) < n:
                raise self._fault(f"array {name} lacks some of {n:,} chunks", name)
        for name, of_array in places.items():
            if of_array.chunks - 1 in stored[name]:
                self._end(name, of_array)
        return self._sizes

    def _end(self, name: str, of_array: "_Places") -> None:
        """Check that the last chunk of an array has nothing in the rows that come after the array's end."""
        used = of_array.rows - (of_array.chunks - 1) * of_array.grid[0]
        if used == of_array.grid[0]:
            return
        key = f"{name}/c/{of_array.chunks - 1}{of_array.columns}"
        packed = self._archive.read(key, self._archive.entries[key].size)
        try:
            if of_array.is_text:
                text = Strings.of_lengths_and_bytes(unpack_text(packed, of_array.size))
                more = len(text) != of_array.grid[0] or bool(text.lengths[used:].any())
            else:
                values = np.empty(of_array.grid, _dtype(name))
                unpack(packed, values)
                more = bool(values[used:].any())
        except (ValueError, RuntimeError) as error:
            raise self._fault(f"array {name} cannot be read: {error}", name) from error
        if more:
            raise self._fault(f"array {name} goes on after its end", name)

    def _array(self, name: str, dims: tuple[str, ...]) -> "_Places":
        """Check an array's metadata; gives where its chunks are."""
        found = self._metadata(f"{name}/{_META}")
        shape = found.get("shape") if isinstance(found, dict) else None
        if (
            not isinstance(shape, list)
            or len(shape) != len(dims)
            or not all(type(size) is int and 0 <= size < _MAX_ROWS for size in shape)
        ):
            raise self._fault(f"array {name} has no such shape", name, dims, shape)
        for dim, size in zip(dims, shape, strict=True):
            if self._sizes.setdefault(dim, size) != size:
                raise self._fault(
                    f"array {name} is of another length than others", name, self._sizes[dim], size
                )
        rows = max(1, shape[0]) if name in self._layout.whole else self._layout.chunk
        grid = [rows, *(max(1, size) for size in shape[1:])]
        expected = _expected(name, dims, shape, grid)
        if not _same({"storage_transformers": []} | found, expected):
            wrong = [key for key in expected if not _same(found.get(key), expected[key])]
            wrong += sorted(key[:80] for key in set(found) - set(expected))
            raise self._fault(
                f"array {name} is not as afpanel writes it ({', '.join(wrong[:9])})", name
            )
        self._check_text(f"{name}/{_META}", found)
        packing = Packing.of(_dtype(name), quick=False)
        size = _MAX_TEXT_CHUNK if packing.is_text else int(np.prod(grid)) * _dtype(name).itemsize
        chunks = -(-shape[0] // rows)
        columns = "/0" * (len(dims) - 1)
        return _Places(shape[0], tuple(grid), chunks, columns, size, packing.is_text)

    def _chunk(self, key: str, places: Mapping[str, "_Places"]) -> tuple[str, int]:
        """Check a chunk's name and how much it holds; gives the array and its number."""
        name, _, place = key.partition("/c/")
        of_array = places.get(name)
        number = place.removesuffix(of_array.columns) if of_array is not None else ""
        if (
            of_array is None
            or not (number.isdecimal() and len(number) < len(str(_MAX_ROWS)))
            or int(number) >= of_array.chunks
            or key != f"{name}/c/{int(number)}{of_array.columns}"
        ):
            raise self._fault(f"there is a chunk that no array has, {key[:80]!r}", name)
        packed = self._archive.start_of(key, BLOSC_HEADER)
        plain = plain_size(packed, self._archive.entries[key].size)
        least = _LENGTH * (of_array.grid[0] + 1) if of_array.is_text else of_array.size
        if not least <= plain <= of_array.size:
            raise self._fault(
                f"chunk {key} does not hold what it should", name, f"{of_array.size:,} bytes", plain
            )
        if has_spare_bytes(self._archive.read(key, plain + _PACKING)):
            raise self._fault(f"chunk {key} has bytes that nothing is made of", name)
        return name, int(number)

    def _metadata(self, name: str) -> Any:
        """Read a metadata document."""
        if name not in self._archive.entries:
            raise self._fault("there is no metadata", name)
        try:
            return json.loads(self._archive.read(name, _MAX_META))
        except (ValueError, RecursionError) as error:
            raise self._fault(f"not JSON: {error}", name) from error

    def _check_text(self, name: str, content: Any) -> None:
        """Check that a document is laid out as Zarr does it, with every key once and nothing between them."""
        if json.dumps(content, indent=2).encode() != self._archive.read(name, _MAX_META):
            raise self._fault("the metadata are not laid out as Zarr lays them out", name)

    def _fault(
        self, what: str, place: str, expected: object = None, found: object = None
    ) -> VerificationError:
        shown = None if found is None else str(found)[:200]
        return VerificationError(
            what, where=f"{self._archive.path.name}, {place[:80]}", expected=expected, found=shown
        )


@dataclass(frozen=True)
class _Places:
    """Where an array's rows are.

    Parameters
    ----------
    rows, grid
        Rows of the array, and the shape of a chunk.
    chunks, columns
        How many chunks there are, and what follows their number in a name.
    size
        Bytes in a chunk; of text, at most.
    is_text
        Whether the array holds strings.
    """

    rows: int
    grid: tuple[int, ...]
    chunks: int
    columns: str
    size: int
    is_text: bool


def _same(one: Any, other: Any) -> bool:
    """Tell whether two documents are the same; to Python 1, 1.0 and true would be."""
    texts = (json.dumps(each, sort_keys=True) for each in (one, other))
    return next(texts) == next(texts)


def _dtype(name: str) -> np.dtype[Any]:
    dtype = ARRAYS[name].dtype
    return np.dtype(object if dtype == "str" else dtype)


def _expected(
    name: str, dims: tuple[str, ...], shape: list[int], grid: list[int]
) -> dict[str, Any]:
    """Lay out the metadata that an array must have, as Zarr's specification (version 3) names things."""
    dtype = _dtype(name)
    packing = Packing.of(dtype, quick=False)
    if packing.is_text:
        first: dict[str, Any] = {"name": "vlen-utf8", "configuration": {}}
    elif dtype.itemsize == 1:
        first = {"name": "bytes"}
    else:
        first = {"name": "bytes", "configuration": {"endian": "little"}}
    blosc = {
        "typesize": packing.typesize,
        "cname": packing.compressor,
        "clevel": packing.level,
        "shuffle": packing.shuffle,
        "blocksize": 0,
    }
    return {
        "shape": shape,
        "data_type": "string" if packing.is_text else dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": grid}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": "" if packing.is_text else 0,
        "codecs": [first, {"name": "blosc", "configuration": blosc}],
        "attributes": {"description": ARRAYS[name].doc},
        "storage_transformers": [],
        "dimension_names": list(dims),
        "zarr_format": 3,
        "node_type": "array",
    }
