"""Zarr stores in zip files: listed arrays over listed dimensions, and every chunk unpacked and searched.

**Whether an array is one of people** is told by its dimensions, and not by its size alone, which may be that of a
cohort by chance: a contig may well have as many variants as a cohort has people. Every dimension of a listed
array is one of variants, groups, cells, contigs and the like, and all arrays over one dimension must be of one
length; that of `groups` is the number of names in `group_id`, and so on. So an axis of people has no place in a listed
array, whatever its length. An array that is not listed is a leak in any case; if one of its axes is as long as a
cohort, that is said too.
"""

import math
from typing import Any, BinaryIO

import numpy as np
from numcodecs import blosc
from numcodecs.gzip import GZip
from numcodecs.zlib import Zlib
from numcodecs.zstd import Zstd

from afpanel.core.leaks import Home
from afpanel.core.strings import Strings, is_packed
from afpanel.io.leak_lists import (
    BASES_ARRAYS,
    FILTER_VALUES,
    FIXED_LENGTHS,
    GROUP,
    GROUP_ARRAYS,
    STORES,
    StoreList,
)
from afpanel.io.leak_report import Spot, short
from afpanel.io.leak_text import json_object
from afpanel.io.leak_zip import Entry, entries
from afpanel.model.arrays import ARRAYS

_MOST_METADATA = 16 << 20
_MOST_CHUNK = 1 << 30
_BLOSC_HEAD = 16

_GROUP_KEYS = frozenset({"attributes", "zarr_format", "node_type"})
_ARRAY_KEYS = _GROUP_KEYS | frozenset(
    [
        "shape",
        "data_type",
        "chunk_grid",
        "chunk_key_encoding",
        "fill_value",
        "codecs",
        "dimension_names",
        "storage_transformers",
    ]
)
_DTYPES = {
    "string": "str", "bool": "bool", "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8",
    "uint8": "u1", "float32": "f4",
}  # fmt: skip
_CODECS = {
    "bytes": frozenset({"endian"}),
    "vlen-utf8": frozenset(),
    "blosc": frozenset({"typesize", "cname", "clevel", "shuffle", "blocksize"}),
}
_ALLELE_LETTERS = np.isin(np.arange(256), np.frombuffer(b"ACGTN", np.uint8))


def scan_store(spot: Spot, source: BinaryIO, size: int) -> None:
    """Scan a Zarr store in a zip file."""
    listed = list(entries(spot, source, size))
    described = {}
    for entry in listed:
        name, _, last = entry.name.rpartition("/")
        if last == "zarr.json":
            content = _described(spot.inside(entry.name), entry)
            if content is not None:
                described[name] = content
    root = described.pop("", {})
    store = _scan_root(spot.inside("zarr.json"), root)
    lengths = {name: (length, "every store") for name, length in FIXED_LENGTHS.items()}
    good = {
        name: about
        for name, about in described.items()
        if _scan_array(spot.inside(f"{name}/zarr.json"), name, about, store, lengths)
    }
    for entry in listed:
        name, _, place = entry.name.partition("/c/")
        inside = spot.inside(entry.name)
        if entry.name.endswith("zarr.json") and "/c/" not in entry.name:
            continue
        if name in good and _is_in_grid(place, good[name]):
            _scan_chunk(inside, name, place, good[name], entry)
        else:
            inside.leak("an entry that is no chunk of a listed array")
            _search_anyhow(inside, entry.source.read(_MOST_METADATA))


def _described(spot: Spot, entry: Entry) -> dict[str, Any] | None:
    """Read the metadata of a group or an array."""
    data = entry.source.read(_MOST_METADATA)
    try:
        return json_object(spot, data.decode("utf-8"))
    except UnicodeDecodeError:
        spot.leak("not a text in UTF-8")
        spot.search(data, "bytes")
        return None


def _scan_root(spot: Spot, root: dict[str, Any]) -> StoreList:
    """Hold what the store says of itself against what its kind may say."""
    attributes = _attributes(root)
    kind = attributes.get("afpanel_kind")
    store = STORES.get(kind) if isinstance(kind, str) else None
    if store is None:
        spot.leak("a kind of store that must not leave", "attribute", " afpanel_kind")
        store = StoreList(frozenset(), frozenset())
    else:
        spot.names(
            attributes, store.attributes, "attribute", "an attribute that is not one of its kind"
        )
    if set(root) - _GROUP_KEYS:
        spot.leak("a key that is not of a group", f"key {short(min(set(root) - _GROUP_KEYS))}")
    return store


def _attributes(about: dict[str, Any]) -> dict[str, Any]:
    attributes = about.get("attributes", {})
    return attributes if isinstance(attributes, dict) else {"attributes": attributes}


def _scan_array(
    spot: Spot,
    name: str,
    about: dict[str, Any],
    store: StoreList,
    lengths: dict[str, tuple[int, str]],
) -> bool:
    """Hold an array's metadata against the registry; tells whether its chunks can be read by it."""
    shape = about.get("shape", [])
    if name not in store.arrays or name not in ARRAYS:
        spot.leak("an array that is not one of its kind of store", f"array {short(name)}")
        for cohort, people in spot.report.people.items():
            if isinstance(shape, list) and not people.isdisjoint(shape):
                spot.leak(f"an axis as long as cohort {cohort} has people", f"array {short(name)}")
        return False
    spec = ARRAYS[name]
    dims = [store.over.get(dim, dim) for dim in spec.dims]
    if set(about) - _ARRAY_KEYS or set(_attributes(about)) - {"description"}:
        spot.leak("a key or an attribute that is not of an array")
    is_array = (
        about.get("dimension_names") == dims
        and _DTYPES.get(str(about.get("data_type"))) == spec.dtype
        and _is_shape(shape, len(dims))
        and _is_shape(_chunk_shape(about), len(dims))
        and about.get("storage_transformers") == []
        and about.get("fill_value") in (0, "", False)
        and _are_codecs(about.get("codecs"))
    )
    if not is_array:
        spot.leak("an array with other dimensions, type or codecs than the registry has")
        return False
    for dim, length in zip(dims, shape, strict=True):
        expected, other = lengths.setdefault(dim, (length, name))
        if length != expected:
            spot.leak(f"{length:,} {dim}, where {other} has {expected:,}")
    return True


def _chunk_shape(about: dict[str, Any]) -> Any:
    grid = about.get("chunk_grid")
    configuration = grid.get("configuration") if isinstance(grid, dict) else None
    if not isinstance(configuration, dict) or set(configuration) != {"chunk_shape"}:
        return None
    return configuration["chunk_shape"]


def _is_shape(shape: Any, dims: int) -> bool:
    return (
        isinstance(shape, list)
        and len(shape) == dims
        and all(type(size) is int and size >= 0 for size in shape)
        and math.prod(shape) < 1 << 62
    )


def _are_codecs(codecs: Any) -> bool:
    if not isinstance(codecs, list) or len(codecs) != 2:
        return False
    for codec, expected in zip(codecs, (("bytes", "vlen-utf8"), ("blosc",)), strict=True):
        if not isinstance(codec, dict) or set(codec) - {"name", "configuration"}:
            return False
        if codec.get("name") not in expected:
            return False
        if set(codec.get("configuration", {})) - _CODECS[codec["name"]]:
            return False
    return True


def _is_in_grid(place: str, about: dict[str, Any]) -> bool:
    parts = place.split("/")
    if len(parts) != len(about["shape"]) or not all(
        part.isdecimal() and part.isascii() for part in parts
    ):
        return False
    if place != "/".join(str(int(part)) for part in parts):
        return False
    grid = zip(parts, about["shape"], _chunk_shape(about), strict=True)
    return all(size > 0 and int(part) * size < length for part, length, size in grid)


def _scan_chunk(spot: Spot, name: str, place: str, about: dict[str, Any], entry: Entry) -> None:
    """Unpack a chunk, and look at all of it: what is past the array's end too."""
    spot.report.looked["chunks"] += 1
    shape = _chunk_shape(about)
    dtype = ARRAYS[name].dtype
    data = entry.source.read(_MOST_CHUNK)
    plain = None
    if len(data) >= _BLOSC_HEAD:
        length, size = (int.from_bytes(data[at : at + 4], "little") for at in (4, 12))
        if size < len(data):
            spot.leak("bytes after the end of the chunk")
            spot.search(data[size:], "bytes after the end of the chunk")
        if length <= _MOST_CHUNK and _BLOSC_HEAD <= size <= len(data):
            plain = _unpacked(data[:size])
    if plain is None:
        spot.leak("a chunk that cannot be unpacked")
        _search_anyhow(spot, data)
        return
    spot.report.looked["bytes"] += len(plain)
    firsts = [int(part) * size for part, size in zip(place.split("/"), shape, strict=True)]
    inside = tuple(
        slice(0, max(0, length - first))
        for first, length in zip(firsts, about["shape"], strict=True)
    )
    past = np.ones(shape, bool)
    past[inside] = False
    packed = np.frombuffer(plain, np.uint8)
    if dtype == "str":
        if not is_packed(packed) or int(packed[:4].view("<u4")[0]) != math.prod(shape):
            spot.leak("a chunk of text that is not one for each cell")
            spot.search(plain, "bytes")
            return
        _scan_strings(spot, name, Strings.of_lengths_and_bytes(packed), past.ravel())
        return
    itemsize = np.dtype(dtype).itemsize
    if len(plain) != math.prod(shape) * itemsize:
        spot.leak("a chunk that is not of its size")
        spot.search(plain, "bytes")
        return
    if np.frombuffer(plain, f"V{itemsize}").reshape(shape)[past].tobytes().strip(b"\0"):
        spot.leak("values past the end of the array")
    spot.search(plain, "values", Home.BINARY)


def _unpacked(data: bytes) -> bytes | None:
    try:
        plain: bytes = blosc.decompress(data)
    except (RuntimeError, ValueError):
        return None
    return plain


def _scan_strings(
    spot: Spot, name: str, strings: Strings, past: np.ndarray[Any, np.dtype[np.bool_]]
) -> None:
    """Look at text, of which each array has its own kind."""
    if np.any(strings.lengths[past] > 0):
        spot.leak("values past the end of the array")
    if name in BASES_ARRAYS and _ALLELE_LETTERS[strings.data].all():
        return
    said = strings.arrow().unique().to_pylist()
    home = Home.VARIANTS if name in BASES_ARRAYS else Home.PROSE
    spot.search("\n".join(said), "values", home)
    if name in BASES_ARRAYS:
        spot.leak("a value that is not of bases", "values")
    for text in said:
        is_known = (
            text in FILTER_VALUES if name == "filter_id"
            else GROUP.fullmatch(text) is not None if name in GROUP_ARRAYS | {"group_id"}
            else True
        )  # fmt: skip
        if text and not is_known:
            spot.leak("a value that is not a name of the release", "values")


def _search_anyhow(spot: Spot, data: bytes) -> None:
    """Search bytes of which it is not known how they are packed, if they are."""
    spot.search(data, "bytes")
    for codec in (blosc.Blosc(), Zstd(), Zlib(), GZip()):
        try:
            plain = bytes(codec.decode(data))
        except Exception:  # noqa: BLE001, S112 - each codec has errors of its own, and one may fit
            continue
        spot.search(plain, "bytes, unpacked")
        return
