"""Tracks of allele numbers as text: tab-separated contig, start, end, AN, and AN of each cell."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from afpanel.constants import PSEUDOAUTOSOMAL, ContigKind
from afpanel.core.callability import check_called, copies_per_cell
from afpanel.core.contigs import ContigNames, contig_kind
from afpanel.core.ploidy import loci_of
from afpanel.core.tracks import Track
from afpanel.errors import BadInputError
from afpanel.io.index import Index
from afpanel.io.inflate import check_end, pieces
from afpanel.io.sniff import Compression, check_bgzf_end, compression_of
from afpanel.model.cohort import Cell

_FIRST = ["contig", "start", "end", "AN"]
_HEADER_PIECE = 1 << 16
_LINE = re.compile(rb"[^\t]*(\t-?[0-9]{1,18})+")
_MOST = np.iinfo(np.int32).max
_REMEDY = "see docs/callability.md, 'The AN track'"


def is_track(path: Path) -> bool:
    """Tell a track from a BED file: a line before the others names columns, AN among them.

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
        If its columns are not those, or it was cut short.
    """

    def __init__(self, path: Path, cells: Sequence[Cell]) -> None:
        header = _header(path)
        if header is None:
            raise BadInputError("not a track of allele numbers", where=path, remedy=_REMEDY)
        self._path = path
        self._columns = header
        self._of_cells = cells
        wanted = [column_of(cell) for cell in cells]
        self._cells = ["AN"] if header == _FIRST and len(cells) == 1 else wanted
        fits = self._cells == ["AN"] or sorted(header[4:]) == sorted(wanted)
        if header[:4] != _FIRST or not fits:
            raise BadInputError(
                "the columns are not those of the cohort's cells",
                where=path,
                expected=", ".join([*_FIRST, *wanted]),
                found=", ".join(header),
                remedy="give a column for each population and sex of the sample sheet; " + _REMEDY,
            )
        self._compression = compression_of(path)
        if self._compression is Compression.BGZF:
            check_bgzf_end(path)

    def of_contig(self, names: ContigNames, contig: str) -> Iterator[Track]:
        """Read the intervals of one contig, in order.

        Raises
        ------
        BadInputError
            At a line that is not of a track, or out of order.
        """
        index = self._index()
        offset = 0
        if index is not None:
            named = [name for name in index.contigs if names.resolve(name) == contig]
            if not named:
                return
            self._check_names(named, names)
            offset = index.offset_of(named[0], 1) or 0
        found: dict[str, None] = {}
        for name, track in self._runs(offset):
            if names.resolve(name) == contig:
                found[name] = None
                self._check_names(found, names)
                yield track
            elif found and index is not None:
                return  # without an index nothing tells that no more of them follow

    def contigs(self, names: ContigNames) -> set[str]:
        """List the reference's contigs that it says something of."""
        index = self._index()
        found = index.contigs if index is not None else {name: None for name, _ in self._runs(0)}
        return {contig for name in found if (contig := names.resolve(name)) is not None}

    def check(self, names: ContigNames, build: str) -> None:
        """Read the whole file, and refuse one that says nothing of any contig of the reference.

        Raises
        ------
        BadInputError
            At a line that is not of a track, or out of order, or of more alleles than people have
            copies on that build, too.
        """
        self._index()
        found: dict[str, None] = {}
        for name, track in self._runs(0):
            found[name] = None
            contig = names.resolve(name)
            if contig is not None:
                self._check_called(contig, build, track)
        self._check_names(found, names)
        if not any(names.resolve(name) for name in found):
            raise BadInputError(
                "no interval of a contig that the reference has",
                where=self._path,
                expected=f"contigs such as {', '.join(names.panel[:5])}",
                found=", ".join(list(found)[:5]) or "no interval",
                remedy="correct the names, or add them to the table harmonize.aliases",
            )

    def _index(self) -> Index | None:
        """Open the index, if there is one, and hold the file against it."""
        if self._compression is not Compression.BGZF:
            return None
        for suffix in (".tbi", ".csi"):
            path = Path(f"{self._path}{suffix}")
            if path.is_file():
                index = Index(path)
                check_end(self._path, index.end)
                return index
        return None

    def _check_called(self, contig: str, build: str, track: Track) -> None:
        """Refuse more called alleles than there are copies at both ends of an interval."""
        kind = contig_kind(contig)
        if kind in (ContigKind.X, ContigKind.Y) and build not in PSEUDOAUTOSOMAL:
            return  # nor can the panel have that contig
        first, last = (
            copies_per_cell(loci_of(kind, build, at.astype(np.int32)), self._of_cells)
            for at in (track.start + 1, track.end)
        )
        copies, called = np.minimum(first, last), track.number
        check_called(f"{self._path}, {contig}", track.start + 1, called, copies, self._of_cells)

    def _check_names(self, found: Iterable[str], names: ContigNames) -> None:
        """Refuse lines of one contig under two names: none of them would be in order."""
        first: dict[str, str] = {}
        for name in found:
            contig = names.resolve(name)
            if contig is not None and first.setdefault(contig, name) != name:
                raise BadInputError(
                    f"lines of {contig} stand under two names",
                    where=self._path,
                    found=f"{first[contig]}, {name}",
                    remedy=_REMEDY,
                )

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
        number = np.column_stack([columns[name] for name in self._cells])
        before = np.concatenate([[reach], end[:-1]])
        wrong = {
            "an interval is empty": start >= end,
            "intervals overlap, or are not sorted": start < before,
            "a number is negative": (number < 0).any(axis=1) | (start < 0),
            "a number is too large": (number > _MOST).any(axis=1) | (end > _MOST),
            "AN is not the sum of its cells": columns["AN"] != number.sum(axis=1),
        }
        for what, where in wrong.items():
            if where.any():
                raise self._error(what, contig, int(start[np.argmax(where)]))
        return Track(start, end, number.astype(np.int32))

    def _error(self, what: str, contig: str, start: int) -> BadInputError:
        return BadInputError(what, where=f"{self._path}, {contig}:{start}", remedy=_REMEDY)

    def _tables(self, offset: int) -> Iterator[Any]:
        """Read on from a place, as Arrow tables of whole lines."""
        rest = b""
        for piece in pieces(self._path, self._compression, offset):
            lines, newline, rest = (rest + piece).rpartition(b"\n")
            yield from self._parse(lines + newline)
        yield from self._parse(rest)

    def _parse(self, lines: bytes) -> Iterator[Any]:
        while lines.startswith((b"#", b"contig\t", b"\n", b"\r\n")):
            lines = lines.partition(b"\n")[2]
        if not lines.strip():
            return
        types = {name: pa.int64() for name in self._columns} | {"contig": pa.string()}
        try:
            yield csv.read_csv(
                pa.BufferReader(lines),
                read_options=csv.ReadOptions(column_names=self._columns, use_threads=False),
                parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
                convert_options=csv.ConvertOptions(column_types=types, null_values=[]),
            )
        except pa.ArrowInvalid as error:
            raise self._fault(lines) from error

    def _fault(self, lines: bytes) -> BadInputError:
        """Find the first line that is not of a track, among some of which one is not."""
        tabs = len(self._columns) - 1
        line = next(
            (x for x in lines.splitlines() if x.count(b"\t") != tabs or not _LINE.fullmatch(x)), b""
        )
        return BadInputError(
            "not a line of a track",
            where=self._path,
            expected=f"{len(self._columns)} columns: {', '.join(self._columns)}",
            found=repr(line[:60].decode(errors="replace")),
            remedy=_REMEDY,
        )


def _header(path: Path) -> list[str] | None:
    """Read the names of a track's columns; None if the file is no track."""
    try:
        compression = compression_of(path)
        start = next(pieces(path, compression, size=_HEADER_PIECE), b"")
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error
    for line in start.decode(errors="replace").splitlines():
        columns = line.removeprefix("#").split("\t")
        # A name spelt otherwise is a fault to report: read as BED, AN would be that of everybody.
        named = [column.strip().upper() for column in columns[1:]]
        if any(name == "AN" or name.startswith("AN_") for name in named) and not named[0].isdigit():
            return columns
        if line.strip() and not line.startswith("#"):
            return None
    return None
