"""Attacks that read indexes and footers alone, and none of the figures.

An index written of more rows than are published, or statistics of values before they were masked, would tell
what the figures do not. Nothing of the project reads the files here: an index is taken apart by hand.
"""

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
from tests.attacks.conftest import K, Published

_PSEUDO_BIN = 37_450
_FIRST_WINDOW = 4_681
_WINDOW = 1 << 14


def indexed(path: Path) -> Iterator[tuple[str, int, list[int]]]:
    """Read a tabix index: of each contig its name, how many records it counts, and its windows with records."""
    data = gzip.decompress(path.read_bytes())
    contigs, *_, length = struct.unpack_from("<8i", data, 4)
    names = data[36 : 36 + length].split(b"\0")
    at = 36 + length
    for name in names[:contigs]:
        (bins,) = struct.unpack_from("<i", data, at)
        at += 4
        records, windows = 0, []
        for _ in range(bins):
            number, chunks = struct.unpack_from("<Ii", data, at)
            if number == _PSEUDO_BIN:
                (records,) = struct.unpack_from("<Q", data, at + 8 + 16)
            elif number >= _FIRST_WINDOW:
                windows.append(number - _FIRST_WINDOW)
            at += 8 + 16 * chunks
        (offsets,) = struct.unpack_from("<i", data, at)
        yield name.decode(), records, windows
        at += 4 + 8 * offsets


def rows_by_index(published: Published) -> dict[str, int]:
    """Count a release's rows by its index alone."""
    (path,) = published.folder.glob("*.tbi")
    return {name: records for name, records, _ in indexed(path)}


def hidden_rows(attacked, published: Published) -> int:
    """Count the rare variants of whose existence the index tells: its records less those that may be known."""
    rare = {key for key, copies in attacked.truth.items() if 0 < copies["total"] < attacked.k}
    others = [key for key in attacked.released.keys if key not in rare]
    told = rows_by_index(published)
    return sum(told[name] - sum(key[0] == name for key in others) for name in told)


def test_the_index_counts_rows_that_only_few_carry_in_a_release_without_a_gate_and_none_else(
    attacked, unprotected
):
    assert hidden_rows(attacked, unprotected) > 100
    assert hidden_rows(attacked, attacked.released) == 0


def test_the_index_names_no_place_where_there_is_no_row(attacked):
    def places(published: Published) -> set[tuple[str, int]]:
        (path,) = published.folder.glob("*.tbi")
        return {(name, window) for name, _, windows in indexed(path) for window in windows}

    windows = {(key[0], (key[1] - 1) // _WINDOW) for key in attacked.released.keys}
    assert places(attacked.released) == windows


def small_extremes(published: Published) -> int:
    """Count the footers of Parquet whose least or greatest AC, but for 0, is of few copies."""
    found = 0
    for path in published.folder.glob("*.parquet/*/*.parquet"):
        footer = pq.read_metadata(path)
        for group in range(footer.num_row_groups):
            for i in range(footer.num_columns):
                column = footer.row_group(group).column(i)
                if column.path_in_schema.split("_")[0] != "AC" or column.statistics is None:
                    continue
                extremes = column.statistics.min, column.statistics.max
                found += any(0 < value < K for value in extremes if value is not None)
    return found


def test_footers_of_parquet_have_no_statistics_of_what_is_masked(attacked, unprotected):
    """Each column's extremes and count of missing values are those of what can be read."""
    for path in attacked.released.folder.glob("*.parquet/*/*.parquet"):
        footer, table = pq.read_metadata(path), pq.ParquetFile(path).read()
        start = 0
        for group in range(footer.num_row_groups):
            rows = footer.row_group(group).num_rows
            for i in range(footer.num_columns):
                column = footer.row_group(group).column(i)
                statistics = column.statistics
                name = column.path_in_schema
                if statistics is None or not name.startswith(("AC", "AN", "nhom", "nhemi")):
                    continue
                values = table[name].slice(start, rows).drop_null().to_pylist()
                assert statistics.null_count == rows - len(values)
                if values and statistics.has_min_max:
                    assert (statistics.min, statistics.max) == (min(values), max(values))
            start += rows
    assert small_extremes(unprotected) > 0
    assert small_extremes(attacked.released) == 0
