"""Chain files: how two builds are aligned, as UCSC and Ensembl give it."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from afpanel.core.liftover import Blocks
from afpanel.errors import BadInputError
from afpanel.io.sniff import Compression, compression_of

_FORMAT = "https://genome.ucsc.edu/goldenPath/help/chain.html"
_DIGITS = 10  # no genome is longer, and more would not fit into the integers of an array


@dataclass(frozen=True)
class ChainFile:
    """A chain file.

    Parameters
    ----------
    source_lengths
        Length of each contig that is lifted from, in order of appearance.
    panel_lengths
        Length of each contig that is lifted to; the numbers in `Blocks.contig` are places in it.
    blocks
        Blocks of each contig of the source.
    """

    source_lengths: dict[str, int]
    panel_lengths: dict[str, int]
    blocks: dict[str, Blocks]


@dataclass
class _Columns:
    """The blocks of one contig while they are read: start, end, chain, contig, first, reverse."""

    columns: tuple[list[int], ...] = field(default_factory=lambda: tuple([] for _ in range(6)))

    def add(self, *values: int) -> None:
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)

    def blocks(self) -> Blocks:
        start, end, chain, contig, first, reverse = (np.array(c, np.int64) for c in self.columns)
        return Blocks.of(
            start, end, chain.astype(np.int32), contig.astype(np.int32), first, reverse != 0
        )


def read_chain(path: Path) -> ChainFile:
    """Read a chain file, plain or compressed.

    Raises
    ------
    BadInputError
        At a line that is not of the format, or blocks that do not add up to what their chain says.
    """
    reader = _Reader(path)
    for number, line in _lines(path):
        reader.take(number, line)
    reader.end_chain()
    if not reader.columns:
        raise BadInputError("holds no chain", where=path, expected=f"a chain file, see {_FORMAT}")
    blocks = {name: columns.blocks() for name, columns in reader.columns.items()}
    return ChainFile(reader.source_lengths, reader.panel_lengths, blocks)


def _lines(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """Split the lines that say something into fields."""
    try:
        compressed = compression_of(path) is not Compression.NONE
        with gzip.open(path, "rt") if compressed else path.open("rt") as source:
            for number, line in enumerate(source, 1):
                fields = line.split()
                if fields and not fields[0].startswith("#"):
                    yield number, fields
    except OSError as error:
        said = error.strerror or error
        raise BadInputError(f"cannot be read: {said}", where=path) from error
    except (EOFError, UnicodeDecodeError, zlib.error) as error:
        raise BadInputError(f"cannot be read: {error}", where=path) from error


class _Reader:
    """Takes in a chain file line by line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.source_lengths: dict[str, int] = {}
        self.panel_lengths: dict[str, int] = {}
        self.columns: dict[str, _Columns] = {}
        self._numbers: dict[str, int] = {}
        self._open: _Columns | None = None
        self._line = 0
        self._chain = -1

    def take(self, number: int, fields: Sequence[str]) -> None:
        self._line = number
        if fields[0] == "chain":
            self.end_chain()
            self._begin(fields)
            return
        if self._open is None:
            raise self._fault("a block that belongs to no chain", "a line that begins with 'chain'")
        self._block(fields)

    def _begin(self, fields: Sequence[str]) -> None:
        if len(fields) not in (12, 13):
            raise self._fault(f"a chain of {len(fields)} fields", "12, and perhaps an id")
        source, source_strand, panel, panel_strand = (fields[i] for i in (2, 4, 7, 9))
        length, start, end, panel_length, panel_start, panel_end = self._numbers_of(
            [fields[i] for i in (3, 5, 6, 8, 10, 11)]
        )
        if source_strand != "+" or panel_strand not in ("+", "-"):
            raise self._fault(f"strands {source_strand} and {panel_strand}", "+ and then + or -")
        for name, size, begin, stop, lengths in (
            (source, length, start, end, self.source_lengths),
            (panel, panel_length, panel_start, panel_end, self.panel_lengths),
        ):
            if not begin <= stop <= size:
                raise self._fault(f"a chain from {begin} to {stop} of {name}", f"within {size}")
            if lengths.setdefault(name, size) != size:
                raise self._fault(f"{name} of {size} bases", f"{lengths[name]}, as further up")
        self._chain += 1
        self._open = self.columns.setdefault(source, _Columns())
        self._contig = self._numbers.setdefault(panel, len(self._numbers))
        self._reverse = panel_strand == "-"
        # On the other strand the format counts from the contig's end.
        self._at, self._until = start, end
        self._panel_at, self._panel_until = panel_start, panel_end
        self._panel_length = panel_length
        self._whole = False

    def _block(self, fields: Sequence[str]) -> None:
        if len(fields) not in (1, 3) or self._whole:
            raise self._fault(
                f"'{' '.join(fields)[:40]}'", "size and two gaps, or at the end of a chain its size"
            )
        size, *gaps = self._numbers_of(fields)
        last = self._panel_at
        first = self._panel_length - 1 - last if self._reverse else last
        assert self._open is not None
        if size:
            self._open.add(
                self._at, self._at + size, self._chain, self._contig, first, int(self._reverse)
            )
        self._at += size + (gaps[0] if gaps else 0)
        self._panel_at += size + (gaps[1] if gaps else 0)
        self._whole = not gaps

    def end_chain(self) -> None:
        """Hold the blocks of the chain that has ended against its first line."""
        if self._open is None:
            return
        found = (self._at, self._panel_at, self._whole)
        if found != (self._until, self._panel_until, True):
            raise self._fault(
                f"a chain that ends before this line at {self._at} and {self._panel_at}"
                + ("" if self._whole else ", without its last block"),
                f"its blocks to end at {self._until} and {self._panel_until}, as its first line says",
            )
        self._open = None

    def _numbers_of(self, fields: Sequence[str]) -> list[int]:
        if not all(f.isascii() and f.isdigit() and len(f) <= _DIGITS for f in fields):
            raise self._fault(
                f"'{' '.join(fields)[:40]}'",
                f"whole numbers, none below 0 or of more than {_DIGITS} digits",
            )
        return [int(field) for field in fields]

    def _fault(self, what: str, expected: str) -> BadInputError:
        return BadInputError(
            what,
            where=f"{self._path}, line {self._line}",
            expected=expected,
            remedy=f"get the chain file again; its format is described at {_FORMAT}",
        )
