"""VCF text read into arrays by compiled code: no Python object per sample.

Every byte is looked at: columns are counted, calls are checked, compressed blocks are held against
their digests. So a file that is damaged in any way that shows is refused, at the record.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from afpanel.core.intervals import Intervals
from afpanel.errors import BadInputError
from afpanel.io.index import Index
from afpanel.io.inflate import DamagedError, check_end, pieces
from afpanel.io.prefetch import prefetch
from afpanel.io.records import (
    Header,
    RecordBlock,
    Source,
    Wanted,
    check_contig,
)
from afpanel.io.sniff import FileKind
from afpanel.io.text_buffer import TextBuffer
from afpanel.io.text_faults import REPAIR, line_fault, lines_before
from afpanel.io.text_scanner import LineError, Scanner
from afpanel.model.region import Region

_PIECES_AHEAD = 8
_REGION_PIECE = 1 << 18
_HEADER_PIECE = 1 << 16
_HEADER_LIMIT = 256 << 20
_NO_HEADER_LINE = re.compile(rb"^[^#]", flags=re.MULTILINE)


class TextSource(Source):
    """A VCF file."""

    def __init__(self, path: Path, kind: FileKind, wanted: Wanted) -> None:
        header = Header.parse(path, _read_header(path, kind))
        super().__init__(path, kind, header, wanted)
        self.column = np.arange(len(header.samples), dtype=np.int32)
        if self.samples is not header.samples:
            at = {name: i for i, name in enumerate(self.samples)}
            self.column = np.array([at.get(name, -1) for name in header.samples], np.int32)
        self._index: Index | None = None
        if kind.index is not None:
            self._index = Index(kind.index)
            check_end(path, self._index.end)

    def blocks(self, region: Region | None, size: int) -> Iterator[RecordBlock]:
        """Read records in file order; see `records.Source`."""
        offset: int | None = 0
        if region is not None and self._index is not None:
            check_contig(self.path, region, [*self.contigs, *self._index.contigs])
            if region.contig not in self._index.contigs:
                return
            offset = self._index.offset_of(region.contig, region.start)
        if self.is_gvcf and region is not None:
            # Regions are short, and read of many files: to read far ahead would be for nothing.
            few = pieces(self.path, self.kind.compression, offset or 0, size=_REGION_PIECE)
            text = TextBuffer(few, _REGION_PIECE)
        else:
            inflated = pieces(self.path, self.kind.compression, offset or 0)
            text = TextBuffer(prefetch(inflated, _PIECES_AHEAD))
        scanner = Scanner(self, self.column, text, size)
        try:
            for block in scanner.blocks(region):
                yield from _reaching(block, region)
        except LineError as error:
            lines = lines_before(self.path, self.kind.compression, offset or 0) + error.line
            raise line_fault(
                error.fault,
                error.text,
                error.at,
                len(self.column),
                f"{self.path}, line {lines + 1}",
                scanner.last,
            ) from None
        except DamagedError as error:
            raise error.after(scanner.last) from error
        if (
            region is not None
            and self._index is None
            and region.contig.encode() not in scanner.seen
        ):
            check_contig(
                self.path,
                region,
                [*self.contigs, *(name.decode(errors="replace") for name in scanner.seen)],
            )

    def narrow(self, contig: str) -> None:
        """Forget all contigs but one, where many files are to be held open at a time."""
        assert self._index is not None
        self._index.narrow(contig)
        self.contigs = {name: length for name, length in self.contigs.items() if name == contig}

    @property
    def indexed_contigs(self) -> list[str]:
        """Contigs of an indexed file that have records."""
        assert self._index is not None
        return list(self._index.contigs)

    def covered(self, contig: str) -> Intervals:
        """Find where an indexed file may have records of a contig; see `Index.covered`."""
        assert self._index is not None
        return self._index.covered(contig)

    def empty_block(self) -> RecordBlock:
        """Make a block without records, of the shape that this source's blocks have."""
        return Scanner(self, self.column, TextBuffer(iter(())), 0).take("")


def _reaching(block: RecordBlock, region: Region | None) -> Iterator[RecordBlock]:
    """Leave out the records of a gVCF that end before a region."""
    if region is None or block.end is None or (block.end >= region.start).all():
        yield block
        return
    kept = np.flatnonzero(block.end >= region.start)
    if len(kept):
        yield block.take(kept)


def _read_header(path: Path, kind: FileKind) -> str:
    """Read the text up to the end of the line of column names, or of what stands in its place."""
    text = bytearray()
    for piece in pieces(path, kind.compression, size=_HEADER_PIECE):
        seen = max(0, len(text) - 1)
        text += piece
        body = _NO_HEADER_LINE.search(text, seen)
        if body is not None:
            text = text[: body.start()]
            break
        if len(text) > _HEADER_LIMIT:
            raise BadInputError(
                "the header does not end",
                where=path,
                expected=f"column names after at most {_HEADER_LIMIT >> 20} MB",
                remedy=REPAIR,
            )
    if b"\0" in text:
        line = text.count(b"\n", 0, text.index(b"\0")) + 1
        raise BadInputError("a NUL byte in the header", where=f"{path}, line {line}", remedy=REPAIR)
    return text.decode(errors="replace").rstrip("\n")
