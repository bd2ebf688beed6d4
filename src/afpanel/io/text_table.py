"""Tables of tab-separated text, read part by part as columns."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from afpanel.core.strings import Strings
from afpanel.errors import BadInputError
from afpanel.io.inflate import LONGEST_LINE, DamagedError, pieces
from afpanel.io.sniff import Compression, check_bgzf_end, compression_of

_HEADER_PIECE = 1 << 16
_HEADER_LIMIT = 16 << 20
_PIECE = 2 << 20
_REPAIR = "look at the line in the file, and write it anew"


class TextTable:
    """A tab-separated table with a header, plain, gzip or BGZF; read as columns of text, part by part.

    Parameters
    ----------
    path
        The file. Lines that begin with ``##`` before the header are passed over.

    Attributes
    ----------
    header
        Names of the columns, without the ``#`` of the first.

    Raises
    ------
    BadInputError
        If it cannot be read, has no header, or names a column twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if path.stat().st_size == 0:
                raise BadInputError("file is empty", where=path)
            self._compression = compression_of(path)
        except OSError as error:
            raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error
        if self._compression is Compression.BGZF:
            check_bgzf_end(path)
        self._n_before, line = self._find_header()
        self.header = line.removeprefix("#").split("\t")
        twice = sorted({name for name in self.header if self.header.count(name) > 1})
        if twice:
            raise BadInputError(f"column '{twice[0]}' stands twice", where=path)

    def _find_header(self) -> tuple[int, str]:
        """Find the first line that is no comment: how many are before it, and what it says."""
        text = b""
        for piece in pieces(self.path, self._compression, size=_HEADER_PIECE):
            text += piece
            lines = text.split(b"\n")
            for number, line in enumerate(lines[:-1]):
                if not line.startswith(b"##"):
                    return number, line.decode(errors="replace").rstrip("\r")
            if len(text) > _HEADER_LIMIT:
                break
        last = text.rsplit(b"\n", 1)[-1]
        if last and not last.startswith(b"##") and len(text) <= _HEADER_LIMIT:
            return text.count(b"\n"), last.decode(errors="replace").rstrip("\r")
        raise BadInputError("the table has no line of column names", where=self.path)

    def parts(self, columns: Sequence[str]) -> Iterator[dict[str, Strings]]:
        """Read on, some lines at a time: those columns of them."""
        skipped, number = 0, 1
        rest: list[bytes] = []
        held = 0
        try:
            for piece in pieces(self.path, self._compression, size=_PIECE):
                at = piece.rfind(b"\n") + 1
                if at == 0:
                    rest.append(piece)
                    held += len(piece)
                    if held > LONGEST_LINE:
                        raise BadInputError("the line does not end", where=self.path)
                    continue
                lines = b"".join([*rest, piece[:at]])
                rest, held = [piece[at:]], len(piece) - at
                while skipped <= self._n_before and lines:
                    lines = lines[lines.index(b"\n") + 1 :]
                    skipped += 1
                    number += 1
                if lines:
                    yield from self._parse(lines, columns, number)
                    number += lines.count(b"\n")
            last = b"".join(rest)
            if last and skipped > self._n_before:
                yield from self._parse(last, columns, number)
        except DamagedError as error:
            raise error.after(f"line {number - 1}") from error

    def _parse(
        self, lines: bytes, columns: Sequence[str], number: int
    ) -> Iterator[dict[str, Strings]]:
        if b"\0" in lines:
            line = number + lines.count(b"\n", 0, lines.index(b"\0"))
            raise BadInputError("a NUL byte", where=f"{self.path}, line {line}", remedy=_REPAIR)
        if not lines.strip():
            return
        try:
            table = csv.read_csv(
                pa.BufferReader(lines),
                read_options=csv.ReadOptions(
                    column_names=self.header, use_threads=False, block_size=len(lines) + 1
                ),
                parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.large_string()),
                    include_columns=list(columns),
                    null_values=[],
                ),
            )
        except pa.ArrowInvalid as error:
            raise self._fault(lines, number) from error
        if table.num_rows:
            yield {name: Strings.of_arrow(pa.concat_arrays(table[name].chunks)) for name in columns}

    def _fault(self, lines: bytes, number: int) -> BadInputError:
        """Say which of some lines cannot be read."""
        tabs = len(self.header) - 1
        for at, line in enumerate(lines.splitlines()):
            if line and line.count(b"\t") != tabs:
                return BadInputError(
                    "not as many columns as the header names",
                    where=f"{self.path}, line {number + at}",
                    expected=tabs + 1,
                    found=line.count(b"\t") + 1,
                    remedy=_REPAIR,
                )
        where = f"{self.path}, line {number} or after"
        return BadInputError("text that is not UTF-8", where=where, remedy=_REPAIR)
