"""Parquet files of a release: listed columns and keys, no byte outside of pages, and every page searched."""

import base64
import binascii
import io
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from afpanel.core.leaks import Home
from afpanel.io.leak_lists import (
    FIELD_KEYS,
    FILTER_VALUES,
    GDI_COLUMNS,
    GDI_VALUES,
    GROUP,
    PARQUET_COLUMNS,
    PARQUET_KEYS,
    TEXT_FIGURES,
    is_figure,
)
from afpanel.io.leak_page_index import index_places, scan_index
from afpanel.io.leak_pages import key_values, scan_pages
from afpanel.io.leak_report import Spot, short
from afpanel.io.leak_zip import Window
from afpanel.model.figures import STATE

_ROWS = 65_536
_MOST_GAP = 4 << 20
_ALLELES = "^[ACGTN]+$"
_ALLELE_COLUMNS = frozenset({"ref", "alt", "REF", "ALT"})
_LISTED = {"filter": FILTER_VALUES, "VT": GDI_VALUES}
"""Values of those columns that have a few."""


def scan_parquet(spot: Spot, source: BinaryIO, size: int) -> None:
    """Scan a Parquet file."""
    try:
        file = _opened(source, size)
    except (pa.ArrowException, OSError) as error:
        spot.leak(f"no Parquet file that can be read ({type(error).__name__})")
        return
    metadata = file.metadata
    source.seek(size - 8 - metadata.serialized_size)
    footer = source.read(metadata.serialized_size)
    spot.search(footer, "footer", Home.BINARY)
    _scan_keys(spot, metadata.created_by or "", key_values(spot, footer))
    _scan_schema(spot, file)
    _check_layout(spot, metadata, source, size, footer)
    spot.report.looked["variants in Parquet"] += metadata.num_rows
    texts = [f.name for f in file.schema_arrow if not pa.types.is_primitive(f.type)]
    try:
        for batch in _opened(source, size, texts).iter_batches(_ROWS, columns=texts):
            _scan_batch(spot, batch)
    except (pa.ArrowException, OSError) as error:
        spot.leak(f"columns that cannot be read ({type(error).__name__})")


def _opened(source: BinaryIO, size: int, dictionaries: Sequence[str] = ()) -> Any:
    # Arrow closes what it is given.
    window = io.BufferedReader(Window(source, 0, size), 1 << 20)
    return pq.ParquetFile(window, read_dictionary=list(dictionaries), pre_buffer=False)


def _scan_keys(spot: Spot, program: str, pairs: Iterable[tuple[bytes, bytes]]) -> None:
    spot.search(program, "name of the program")
    if not program.startswith("parquet-cpp-arrow version "):
        spot.leak("made by another program than this one", "name of the program")
    for key, value in pairs:
        name = key.decode("utf-8", "replace")
        spot.search(key, f"metadata key {short(name)}")
        if key not in PARQUET_KEYS:
            spot.leak(
                "a metadata key that is not one of a release's", f"metadata key {short(name)}"
            )
        if key == b"ARROW:schema":
            _scan_arrow_schema(spot, value)
        else:
            spot.search(value, f"metadata {short(name)}", Home.NUMBERS)


def _scan_arrow_schema(spot: Spot, value: bytes) -> None:
    """Search the schema as Arrow keeps it, which must be nothing but a schema."""
    try:
        message = base64.b64decode(value, validate=True)
        schema = pa.ipc.read_schema(pa.py_buffer(message))
    except (binascii.Error, pa.ArrowException, OSError):
        spot.leak("no schema", "metadata ARROW:schema")
        spot.search(value, "metadata ARROW:schema")
        return
    spot.search(message, "metadata ARROW:schema", Home.BINARY)
    _scan_fields(spot, schema)


def _scan_schema(spot: Spot, file: Any) -> None:
    found = file.schema_arrow.names
    if _is_gdi(found):
        names, known = found, frozenset(GDI_COLUMNS)
    else:
        names, known = [name for name in found if not is_figure(name)], PARQUET_COLUMNS
    spot.names(names, known, "column", "a column that is not one of a release's")
    for name in file.schema_arrow.names:
        spot.search(name, f"column {short(name)}")
    for field in file.schema_arrow:
        if field.type not in _types_of(field.name, gdi=_is_gdi(found)):
            spot.leak("a column of another type than a release's", f"column {short(field.name)}")
    _scan_fields(spot, file.schema_arrow)


def _is_gdi(names: Iterable[str]) -> bool:
    """Tell a file for GDI's mini-node, by a name that no other file has."""
    return "POS" in names


def _types_of(name: str, *, gdi: bool) -> tuple[Any, ...]:
    if gdi:
        return (pa.type_for_alias(GDI_COLUMNS.get(name, "null")),)
    if name in TEXT_FIGURES | PARQUET_COLUMNS - {"pos"}:
        return (pa.string(),)
    return (pa.int8(),) if name.partition("_")[0] == STATE.key else (pa.int32(), pa.float32())


def _scan_fields(spot: Spot, schema: Any) -> None:
    about = {b"": schema.metadata or {}, **{f.name.encode(): f.metadata or {} for f in schema}}
    for column, pairs in about.items():
        where = f" {short(column.decode('utf-8', 'replace'))}"
        known = FIELD_KEYS | {b"PARQUET:field_id"} if column else PARQUET_KEYS
        for key, value in pairs.items():
            if key not in known:
                spot.leak("metadata that is not of a release", f"metadata of column{where}")
                spot.search(key, f"metadata of column{where}")
            spot.search(value, f"metadata of column{where}", Home.NUMBERS)


def _check_layout(spot: Spot, metadata: Any, source: BinaryIO, size: int, footer: bytes) -> None:
    """Account for every byte of the file: pages of columns, their indexes, and the footer."""
    used = [(0, 4), (size - 8 - metadata.serialized_size, size)]
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            start = chunk.data_page_offset
            if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                start = min(start, chunk.dictionary_page_offset)
            length = chunk.total_compressed_size
            used.append((start, start + length))
            name = short(chunk.path_in_schema)
            scan_pages(spot, source, start, length, chunk.compression, name)
            _scan_statistics(spot, chunk)
    for place in index_places(footer):
        scan_index(spot, source, place)
        used.append((place.start, place.start + place.size))
    at = 0
    for start, stop in sorted(used):
        if start > at:
            source.seek(at)
            spot.leak("bytes that belong to no page", "byte", f" {at:,}")
            spot.search(source.read(min(start - at, _MOST_GAP)), "bytes between pages")
        at = max(at, stop)


def _scan_statistics(spot: Spot, chunk: Any) -> None:
    statistics = chunk.statistics
    if statistics is None or not statistics.has_min_max or chunk.physical_type != "BYTE_ARRAY":
        return
    home = Home.VARIANTS if chunk.path_in_schema in _ALLELE_COLUMNS else Home.NUMBERS
    for value in (statistics.min, statistics.max):
        text = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
        spot.search(text, f"statistics of column {short(chunk.path_in_schema)}", home)


def _scan_batch(spot: Spot, batch: Any) -> None:
    """Look at the text of some rows, and at words of dictionaries that no row has."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        values = column.dictionary if pa.types.is_dictionary(column.type) else column
        if pa.types.is_string(values.type):
            _scan_texts(spot, name, values.drop_null())
        else:
            spot.search("\n".join(map(str, values.to_pylist())), f"values of column {short(name)}")


def _scan_texts(spot: Spot, name: str, values: Any) -> None:
    where = f" {short(name)}"
    if name in _ALLELE_COLUMNS:
        good = pc.match_substring_regex(values, _ALLELES)
    elif name in _LISTED:
        good = pc.is_in(values, value_set=pa.array(sorted(_LISTED[name])))
    else:
        good = pc.match_substring_regex(values, f"^(?:{GROUP.pattern})$")
        if name not in TEXT_FIGURES | {"POPULATION"}:
            good = pa.array(np.zeros(len(values), bool))
    wrong = len(values) - (pc.sum(good).as_py() or 0)
    if wrong:
        said = "a value that is neither an allele nor a name of the release"
        spot.leak(said, f"values of column{where}", times=wrong)
    if name not in _ALLELE_COLUMNS:
        spot.search("\n".join(values.unique().to_pylist()), f"values of column{where}")
    elif wrong:
        spot.search("\n".join(values.to_pylist()), f"values of column{where}", Home.VARIANTS)
