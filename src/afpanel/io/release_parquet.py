"""The release as Parquet: a file per contig, a row per variant, columns named as in INFO."""

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from afpanel.core.columns import Columns
from afpanel.io.release import ReleaseBlock, ReleaseHead, is_missing
from afpanel.model.figures import FIGURES, SITE_FIGURES, STATE, Figure, excluding, figures_of

_ROW_GROUP, _VALUES = 98_304, 1 << 26
"""Rows of a row group at most, in whole pages; and values of figures, which are held until it is whole: 256 MB."""

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
    pool
        Not used: Arrow writes a file in one thread.
    """

    def __init__(
        self,
        folder: Path,
        head: ReleaseHead,
        pool: Executor | None = None,  # noqa: ARG002 - as the other formats have it
    ) -> None:
        self._folder = folder
        self._schema = _schema(head)
        self._contig: str | None = None
        self._writer: Any = None
        self._rows = _RowGroup(head.groups)
        folder.mkdir(parents=True)

    def write(self, block: ReleaseBlock) -> None:
        """Write a block."""
        if block.contig != self._contig:
            self._finish_contig()
            self._contig = block.contig
            path = self._folder / f"contig={block.contig}" / "part-0.parquet"
            path.parent.mkdir()
            self._writer = open_parquet(path, self._schema, _SORTED, _PAGE)
        start, n = 0, len(block.variants)
        while start < n:
            stop = min(n, start + self._rows.room)
            self._rows.put(block, slice(start, stop))
            start = stop
            if not self._rows.room:
                self._write_rows()

    def close(self) -> None:
        """Finish the last contig."""
        self._finish_contig()

    def _finish_contig(self) -> None:
        if self._writer is None:
            return
        if self._rows.filled:
            self._write_rows()
        self._writer.close()
        self._writer = None

    def _write_rows(self) -> None:
        table = pa.Table.from_arrays(self._rows.columns(), schema=self._schema)
        self._writer.write_table(table, row_group_size=len(table))
        self._rows.clear()


class _RowGroup:
    """The rows of a row group, column by column, until it is whole.

    Parameters
    ----------
    groups
        Of the release.
    """

    def __init__(self, groups: Sequence[str]) -> None:
        self._groups = groups
        self._chosen = {
            figure: np.array([g for g, name in enumerate(groups) if figure.has(name)], np.int64)
            for figure in FIGURES
        }
        self._size = _rows_of(sum(map(len, self._chosen.values())))
        self._figures = {
            figure: Columns.empty(len(chosen), self._size, is_float=figure.is_frequency)
            for figure, chosen in self._chosen.items()
        }
        self._states = np.empty((len(groups), self._size), np.int8)
        self._others: list[list[Any]] = []
        self.filled = 0

    @property
    def room(self) -> int:
        """How many more rows there is room for."""
        return self._size - self.filled

    def put(self, block: ReleaseBlock, rows: slice) -> None:
        """Add rows of a block."""
        for figure, columns in self._figures.items():
            columns.put(self.filled, block.values(figure)[rows], self._chosen[figure])
        stop = self.filled + rows.stop - rows.start
        self._states[:, self.filled : stop] = block.counts.state[rows].T
        self.filled = stop
        filters = pa.array(block.no_alt_left[rows]).cast(pa.int8())
        names = pa.DictionaryArray.from_arrays(filters, pa.array(["PASS", "AC0"]))
        others = [
            pa.array(block.variants.position[rows]),
            block.variants.ref[rows].arrow().cast(pa.string()),
            block.variants.alt[rows].arrow().cast(pa.string()),
            names.cast(pa.string()),
        ]
        for each in SITE_FIGURES:
            found = block.site_values(each)[rows]
            others.append(pa.array(found, TYPES[each.type], mask=is_missing(found)))
        self._others.append(others)

    def columns(self) -> list[Any]:
        """Give the columns of the rows, in the order of the file; good until rows are added or cleared."""
        others = [pa.concat_arrays(parts) for parts in zip(*self._others, strict=True)]
        columns = others[: -len(SITE_FIGURES)]
        of_figures = {figure: iter(self._arrays(figure)) for figure in FIGURES}
        for g, group in enumerate(self._groups):
            columns += [next(of_figures[figure]) for figure in figures_of(group)]
            columns.append(pa.array(self._states[g, : self.filled]))
        return columns + others[-len(SITE_FIGURES) :]

    def clear(self) -> None:
        """Begin the next row group."""
        for columns in self._figures.values():
            columns.clear()
        self._others.clear()
        self.filled = 0

    def _arrays(self, figure: Figure) -> list[Any]:
        """Give a figure's columns."""
        columns = self._figures[figure]
        kind = pa.from_numpy_dtype(columns.values.dtype)
        return [
            pa.Array.from_buffers(
                kind,
                self.filled,
                [pa.py_buffer(present) if missing else None, pa.py_buffer(column)],
                missing,
            )
            for column, present, missing in zip(
                columns.values, columns.present, columns.missing.tolist(), strict=True
            )
        ]


def _rows_of(columns: int) -> int:
    """Tell how many rows a row group with so many figures has."""
    fitting = _VALUES // max(columns, 1) // _PAGE * _PAGE
    return min(_ROW_GROUP, max(fitting, _PAGE))


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
