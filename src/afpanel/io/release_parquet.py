"""The release as Parquet: a file per contig, a row per variant, columns named as in INFO."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from afpanel.core.columns import Columns
from afpanel.io.release import ReleaseBlock, ReleaseHead, is_missing
from afpanel.model.figures import FIGURES, SITE_FIGURES, STATE, excluding, figures_of

_ROW_GROUP = 100_000
_PAGE = 8_192
"""Rows of a page: what a reader unpacks at least of each column, if it asks for a position."""

_SORTED = ("pos", "ref", "alt")
TYPES = {"Integer": pa.int32(), "Float": pa.float32(), "String": pa.string()}
"""Types of columns by those of VCF headers."""


class ParquetReleaseWriter:
    """Writes ``contig=NAME/part-0.parquet`` for each contig.

    Parameters
    ----------
    folder
        Folder to write to.
    head
        What the release is.
    """

    def __init__(self, folder: Path, head: ReleaseHead) -> None:
        self._folder = folder
        self._groups = head.groups
        self._schema = _schema(head)
        self._contig: str | None = None
        self._writer: Any = None
        self._waiting: list[Any] = []
        folder.mkdir(parents=True)

    def write(self, block: ReleaseBlock) -> None:
        """Write a block."""
        if block.contig != self._contig:
            self._finish_contig()
            self._contig = block.contig
            path = self._folder / f"contig={block.contig}" / "part-0.parquet"
            path.parent.mkdir()
            self._writer = open_parquet(path, self._schema, _SORTED, _PAGE)
        self._waiting.append(self._table(block))
        while sum(table.num_rows for table in self._waiting) >= _ROW_GROUP:
            rows = pa.concat_tables(self._waiting)
            self._writer.write_table(rows.slice(0, _ROW_GROUP), row_group_size=_ROW_GROUP)
            self._waiting = [rows.slice(_ROW_GROUP)]

    def close(self) -> None:
        """Finish the last contig."""
        self._finish_contig()

    def _finish_contig(self) -> None:
        if self._writer is None:
            return
        rows = pa.concat_tables(self._waiting)
        if rows.num_rows:
            self._writer.write_table(rows.combine_chunks(), row_group_size=_ROW_GROUP)
        self._writer.close()
        self._writer, self._waiting = None, []

    def _table(self, block: ReleaseBlock) -> Any:
        filters = pa.array(block.no_alt_left).cast(pa.int8())
        names = pa.DictionaryArray.from_arrays(filters, pa.array(["PASS", "AC0"]))
        columns: list[Any] = [
            pa.array(block.variants.position),
            block.variants.ref.arrow().cast(pa.string()),
            block.variants.alt.arrow().cast(pa.string()),
            names.cast(pa.string()),
        ]
        by_group = {figure: _columns(block.values(figure)) for figure in FIGURES}
        for g, group in enumerate(self._groups):
            columns += [by_group[figure][g] for figure in figures_of(group)]
            columns.append(pa.array(block.counts.state[:, g]))
        for each in SITE_FIGURES:
            found = block.site_values(each)
            columns.append(pa.array(found, TYPES[each.type], mask=is_missing(found)))
        return pa.Table.from_arrays(columns, schema=self._schema)


def _columns(values: NDArray[np.int32] | NDArray[np.float32]) -> list[Any]:
    """Make a column of each group of a figure's values, (n, g)."""
    turned, kind = Columns.of(values), pa.from_numpy_dtype(values.dtype)
    return [
        pa.Array.from_buffers(
            kind,
            len(values),
            [pa.py_buffer(present) if missing else None, pa.py_buffer(column)],
            missing,
        )
        for column, present, missing in zip(
            turned.values, turned.present, turned.missing.tolist(), strict=True
        )
    ]


def open_parquet(path: Path, schema: Any, by: Sequence[str], page: int) -> Any:
    """Open a Parquet file to write rows to that come sorted.

    Counts and names are few, and are written as places in a dictionary; fractions hardly ever come twice. An
    index of pages lets a reader go to those alone that it needs.

    Parameters
    ----------
    path, schema
        The file, and its columns.
    by
        Columns that the rows are sorted by.
    page
        Rows of a page.
    """
    first, names = by[0], schema.names
    few = [f.name for f in schema if f.name != first and not pa.types.is_floating(f.type)]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=few,
        column_encoding={first: "DELTA_BINARY_PACKED"},
        write_page_index=True,
        # A page ends with the batch in which it has grown to its size: so that every batch is one.
        write_batch_size=page,
        data_page_size=1,
        sorting_columns=[pq.SortingColumn(names.index(name)) for name in by],
    )


def _schema(head: ReleaseHead) -> Any:
    def field(name: str, dtype: Any, doc: str, *, nullable: bool = False) -> Any:
        return pa.field(name, dtype, nullable=nullable, metadata={"description": doc})

    fields = [
        field("pos", pa.int32(), "Position, 1-based"),
        field("ref", pa.string(), "Reference allele"),
        field("alt", pa.string(), "Alternative allele"),
        field("filter", pa.string(), "PASS, or AC0 where no ALT allele was counted"),
    ]
    for group in head.groups:
        for figure in figures_of(group):
            name, doc = figure.name(group), figure.describe(group)
            fields.append(field(name, TYPES[figure.type], doc, nullable=True))
        fields.append(field(STATE.name(group), pa.int8(), STATE.describe(group)))
    for each in SITE_FIGURES:
        doc = excluding(each.doc, head.excluded)
        fields.append(field(each.key, TYPES[each.type], doc, nullable=True))
    about = {
        "panel": head.name,
        "version": head.version,
        "build": head.build,
        "people": ", ".join(f"{g} {n}" for g, n in zip(head.groups, head.people, strict=True)),
        "contigs": ", ".join(f"{name} {length}" for name, length in head.contigs.items()),
    }
    return pa.schema(fields, metadata=about)
