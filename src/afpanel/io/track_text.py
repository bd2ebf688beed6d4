"""Tracks of allele numbers as text: tab-separated contig, start, end, AN, and AN of each cell."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from afpanel.core.contigs import ContigNames
from afpanel.core.tracks import Track
from afpanel.errors import BadInputError
from afpanel.io.index import Index
from afpanel.io.inflate import DamagedError, pieces
from afpanel.io.sniff import Compression, compression_of
from afpanel.model.cohort import Cell

_FIRST = ["contig", "start", "end", "AN"]
_HEADER_PIECE = 1 << 16
_REMEDY = "see docs/callability.md, 'The AN track'"


def is_track(path: Path) -> bool:
    """Tell a track from a BED file: its first line names its columns.

    Raises
    ------
    BadInputError
        If the file cannot be read.
    """
    return _header(path) is not None


def column_of(cell: Cell) -> str:
    """Name the column of a cell.

    >>> from afpanel.constants import Sex
    >>> column_of(Cell("KHV", Sex.XX, 50))
    'AN_KHV_XX'
    """
    return f"AN_{cell.population}_{cell.sex}"


class TrackText:
    """A track, opened for reading.

    Parameters
    ----------
    path
        The file, plain, gzip or BGZF; with an index beside it only the contig asked for is read.
    cells
        Cells of the cohort, in order. The file has a column for each; that of a cohort of one cell may
        have AN alone.

    Raises
    ------
    BadInputError
        If its columns are not those.
    """

    def __init__(self, path: Path, cells: Sequence[Cell]) -> None:
        header = _header(path)
        if header is None:
            raise BadInputError("not a track of allele numbers", where=path, remedy=_REMEDY)
        self._path = path
        self._columns = header
        wanted = [column_of(cell) for cell in cells]
        if header[4:] or len(cells) > 1:
            self._cells = wanted
        else:
            self._cells = ["AN"]
        if sorted(header[4:]) != sorted(wanted) and self._cells != ["AN"]:
            raise BadInputError(
                "the columns are not those of the cohort's cells",
                where=path,
                expected=", ".join([*_FIRST, *wanted]),
                found=", ".join(header),
                remedy="give a column for each population and sex of the sample sheet; " + _REMEDY,
            )

    def of_contig(self, names: ContigNames, contig: str) -> Iterator[Track]:
        """Read the intervals of one contig, in order.

        Raises
        ------
        BadInputError
            At a line that is not of a track, or out of order.
        """
        offset = self._offset(names, contig)
        if offset is None:
            return
        begun = False
        for name, track in self._runs(offset):
            if names.resolve(name) == contig:
                begun = True
                yield track
            elif begun:
                return

    def check(self, names: ContigNames) -> None:
        """Read the whole file, and refuse one that says nothing of any contig of the reference.

        Raises
        ------
        BadInputError
            At a line that is not of a track, or out of order, too.
        """
        found = dict.fromkeys(name for name, _ in self._runs(0))
        if not any(names.resolve(name) for name in found):
            raise BadInputError(
                "no interval of a contig that the reference has",
                where=self._path,
                expected=f"contigs such as {', '.join(names.panel[:5])}",
                found=", ".join(list(found)[:5]) or "no interval",
                remedy="correct the names, or add them to the table harmonize.aliases",
            )

    def _offset(self, names: ContigNames, contig: str) -> int | None:
        """Find where to begin to read for a contig: at its index's word, or at the beginning."""
        if compression_of(self._path) is not Compression.BGZF:
            return 0
        for suffix in (".tbi", ".csi"):
            path = Path(f"{self._path}{suffix}")
            if path.is_file():
                index = Index(path)
                named = [name for name in index.contigs if names.resolve(name) == contig]
                return index.offset_of(named[0], 1) if named else None
        return 0

    def _runs(self, offset: int) -> Iterator[tuple[str, Track]]:
        """Read on from a place, as consecutive intervals of one contig each."""
        seen: set[str] = set()
        last, reach = "", 0
        for table in self._tables(offset):
            encoded = table["contig"].combine_chunks().dictionary_encode()
            codes = encoded.indices.to_numpy()
            bounds = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
            columns = {
                name: table[name].to_numpy() for name in table.column_names if name != "contig"
            }
            for begin, stop in pairwise(bounds):
                name = encoded.dictionary[int(codes[begin])].as_py()
                if name != last:
                    if name in seen:
                        raise self._error(f"lines of {name} stand in two places", name, 0)
                    seen.add(name)
                    last, reach = name, 0
                part = {key: values[begin:stop] for key, values in columns.items()}
                yield name, self._track(part, name, reach)
                reach = int(part["end"][-1])

    def _track(self, columns: dict[str, Any], contig: str, reach: int) -> Track:
        start, end = columns["start"], columns["end"]
        number = np.column_stack([columns[name] for name in self._cells]).astype(np.int32)
        before = np.concatenate([[reach], end[:-1]])
        wrong = {
            "an interval is empty": start >= end,
            "intervals overlap, or are not sorted": start < before,
            "a number is negative": (number < 0).any(axis=1) | (start < 0),
            "AN is not the sum of its cells": columns["AN"] != number.sum(axis=1),
        }
        for what, where in wrong.items():
            if where.any():
                raise self._error(what, contig, int(start[np.argmax(where)]))
        return Track(start, end, number)

    def _error(self, what: str, contig: str, start: int) -> BadInputError:
        return BadInputError(what, where=f"{self._path}, {contig}:{start}", remedy=_REMEDY)

    def _tables(self, offset: int) -> Iterator[Any]:
        """Read on from a place, as Arrow tables of whole lines."""
        rest = b""
        types = {name: pa.int64() for name in self._columns if name != "contig"}
        try:
            for piece in pieces(self._path, compression_of(self._path), offset):
                lines, newline, rest = (rest + piece).rpartition(b"\n")
                yield from self._parse(lines + newline, types)
            yield from self._parse(rest, types)
        except pa.ArrowInvalid as error:
            raise BadInputError(
                f"not a line of a track: {error}",
                where=self._path,
                expected="contig<tab>start<tab>end<tab>AN…, 0-based and half-open",
                remedy=_REMEDY,
            ) from error

    def _parse(self, lines: bytes, types: dict[str, Any]) -> Iterator[Any]:
        while lines.startswith((b"#", b"contig\t", b"\n")):
            lines = lines.partition(b"\n")[2]
        if not lines.strip():
            return
        yield csv.read_csv(
            pa.BufferReader(lines),
            read_options=csv.ReadOptions(column_names=self._columns, use_threads=False),
            parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=csv.ConvertOptions(
                column_types={"contig": pa.string(), **types}, null_values=[]
            ),
        )


def _header(path: Path) -> list[str] | None:
    """Read the names of a track's columns; None if the file is no track."""
    try:
        compression = compression_of(path)
        start = next(pieces(path, compression, size=_HEADER_PIECE), b"")
    except DamagedError:
        raise
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error
    for line in start.decode(errors="replace").splitlines():
        if line.startswith("##"):
            continue
        columns = line.removeprefix("#").rstrip("\r").split("\t")
        return columns if columns[:4] == _FIRST else None
    return None
