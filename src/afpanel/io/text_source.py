"""VCF text read into arrays by compiled code: no Python object per sample.

Every byte is looked at: columns are counted, calls are checked, compressed blocks are held against
their digests. So a file that is damaged in any way that shows is refused, at the record.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from afpanel.core.calls import CallBlock
from afpanel.core.strings import Strings, gather
from afpanel.errors import BadInputError
from afpanel.io.index import Index
from afpanel.io.inflate import DamagedError, check_end, pieces
from afpanel.io.prefetch import prefetch
from afpanel.io.records import (
    BLOCKS_IN_USE,
    FIELDS,
    MISSING_QUALITY,
    Header,
    RecordBlock,
    Source,
    Wanted,
    WideGenotypeError,
    check_contig,
)
from afpanel.io.scan import unsorted
from afpanel.io.sniff import FileKind
from afpanel.io.text_buffer import LongLineError, TextBuffer
from afpanel.io.text_faults import REPAIR, line_fault, lines_before, place_of
from afpanel.io.vcf_calls import FIELDS_AT_ONCE, PLAIN_CALLS, Fault
from afpanel.io.vcf_kernel import COLUMNS, scan
from afpanel.model.region import OPEN_END, Region

_PIECES_AHEAD = 8
_HEADER_PIECE = 1 << 16
_HEADER_LIMIT = 256 << 20
_NO_HEADER_LINE = re.compile(rb"^[^#]", flags=re.MULTILINE)
_CHROM, _POS, _ID, _REF, _ALT, _QUAL, _FILTER = range(7)
_LINES = 3  # place in the report of a scan


class TextSource(Source):
    """A VCF file."""

    def __init__(self, path: Path, kind: FileKind, wanted: Wanted) -> None:
        header = Header.parse(path, _read_header(path, kind))
        super().__init__(path, kind, header, wanted)
        at = {name: i for i, name in enumerate(self.samples)}
        self.column = np.array([at.get(name, -1) for name in header.samples], np.int32)
        self._index = None
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
        inflated = pieces(self.path, self.kind.compression, offset or 0)
        text = TextBuffer(prefetch(inflated, _PIECES_AHEAD))
        scanner = _Scanner(self, text, size)
        try:
            yield from scanner.blocks(region)
        except _LineError as error:
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

    def empty_block(self) -> RecordBlock:
        """Make a block without records, of the shape that this source's blocks have."""
        return _Scanner(self, TextBuffer(iter(())), 0).take("")


class _CallArrays:
    """Arrays that a block of calls is scanned into."""

    def __init__(self, shape: tuple[int, int], source: TextSource) -> None:
        self._genotype = np.zeros((*shape, 2), source.dtype)
        self._fields = {
            name: np.zeros(shape if name in source.fields else (0, 0), np.int16) for name in FIELDS
        }
        self._read = source.fields

    @property
    def arrays(self) -> tuple[NDArray[np.integer], ...]:
        """Genotypes, GQ, DP and AD; empty for a field that is not read."""
        return (self._genotype, *(self._fields[name] for name in FIELDS))

    def block(self, n: int) -> CallBlock:
        """Show the first `n` rows."""
        fields = (self._fields[name][:n] if name in self._read else None for name in FIELDS)
        return CallBlock(self._genotype[:n], *fields)


class _Scanner:
    """Fills the arrays of one block after another from the text.

    The arrays of calls are made once and used in turn: fresh memory costs more than filling it.
    """

    def __init__(self, source: TextSource, text: TextBuffer, size: int) -> None:
        self._source = source
        self._text = text
        self._size = size
        shape = (size, len(source.samples))
        self._calls = [_CallArrays(shape, source) for _ in range(BLOCKS_IN_USE)]
        self._position = np.zeros(size, np.int32)
        self._bounds = np.zeros((size, COLUMNS), np.int64)
        self._report = np.zeros(4, np.int64)
        self._polyploid = np.zeros(size, np.int32)
        self._scratch = np.empty(2 * PLAIN_CALLS, np.int8)
        self._ends = np.empty(FIELDS_AT_ONCE, np.int64)
        self.last = "the header"
        self.seen: set[bytes] = set()
        self._start()

    def _start(self) -> None:
        self._row = 0
        self._columns: dict[int, list[Strings]] = {c: [] for c in range(_ID, _FILTER + 1)}

    def blocks(self, region: Region | None) -> Iterator[RecordBlock]:
        """Read blocks until the text, or the region, ends."""
        first, last = (-1, OPEN_END + 1) if region is None else (region.start, region.end)
        most_alleles = int(np.iinfo(self._source.dtype).max) + 1
        column = self._source.column
        everyone = len(self._source.samples) == len(column)
        contig = b""
        previous, at = -1, 0
        more = self._advance(0)
        while more:
            wanted = region is None or contig == region.contig.encode()
            begin = self._row
            self._row = scan(
                self._text.data, at, self._text.stop, column, np.array(list(contig), np.uint8),
                everyone, first if wanted else OPEN_END + 1, last if wanted else OPEN_END + 1,
                most_alleles, self._source.polyploid_missing,
                begin, self._size, self._position, self._bounds, self._polyploid,
                *self._calls[0].arrays, self._report, self._scratch, self._ends,
            )  # fmt: skip
            at = int(self._report[0])
            previous = self._check_order(begin, previous, contig)
            self._keep_columns(begin)
            fault = Fault(int(self._report[1]))
            if fault is Fault.CONTIG:
                following = self._contig_at(at)
                if not following:
                    raise self._error(Fault.NO_CONTIG, at, at)
                if self._row:
                    yield self.take(contig.decode(errors="replace"))
                if region is not None and contig == region.contig.encode():
                    return  # the region's contig has ended
                contig, previous = following, -1
                if contig in self.seen:
                    place = place_of(self._text.data[at:])
                    raise unsorted(self._source.path, *place, "contigs one after the other")
                self.seen.add(contig)
            elif fault is Fault.PAST:
                break
            elif fault is Fault.WIDE:
                contig_name, position = place_of(self._text.data[at:])
                raise WideGenotypeError(
                    f"{contig_name}:{position} has a call of a high allele number"
                )
            elif fault is not Fault.NONE:
                raise self._error(fault, at, int(self._report[2]))
            if self._row == self._size:
                yield self.take(contig.decode(errors="replace"))
            elif fault is Fault.NONE:
                more = self._advance(at)
                at = 0
        if self._row:
            yield self.take(contig.decode(errors="replace"))

    def _contig_at(self, at: int) -> bytes:
        end = int(self._bounds[self._row, _POS]) - 1
        return self._text.data[at:end].tobytes()

    def _check_order(self, begin: int, previous: int, contig: bytes) -> int:
        """Refuse positions that go back; returns the last one."""
        found = self._position[begin : self._row]
        if not len(found):
            return previous
        positions = np.concatenate([[previous], found])
        back = np.flatnonzero(np.diff(positions) < 0)
        if len(back):
            before, position = positions[back[0] : back[0] + 2].tolist()
            expected = f"a position of at least {before}"
            raise unsorted(self._source.path, contig.decode(errors="replace"), position, expected)
        self.last = f"{contig.decode(errors='replace')}:{found[-1]}"
        return int(found[-1])

    def _keep_columns(self, begin: int) -> None:
        """Copy the site columns of the rows just filled, before the text moves on."""
        if begin == self._row:
            return
        bounds = self._bounds[begin : self._row]
        for number, kept in self._columns.items():
            kept.append(gather(self._text.data, bounds[:, number], bounds[:, number + 1] - 1))

    def take(self, contig: str) -> RecordBlock:
        """Hand over the rows filled so far, and begin the next block."""
        n = self._row
        columns = {c: _joined(kept) for c, kept in self._columns.items()}
        try:
            alleles = _allele_table(columns[_REF], columns[_ALT])
            block = RecordBlock(
                contig,
                self._position[:n].copy(),
                alleles,
                columns[_REF].lengths.astype(np.int32),
                columns[_ID].objects(),
                _qualities(columns[_QUAL]),
                self._filter_table(columns[_FILTER]),
                self._polyploid[:n].copy(),
                self._calls[0].block(n),
            )
        except (UnicodeDecodeError, pa.ArrowException) as error:
            raise BadInputError(
                "a column cannot be read: text that is not UTF-8, or QUAL that is no number",
                where=f"{self._source.path}, {contig}:{self._position[0]}-{self._position[n - 1]}",
                remedy=REPAIR,
            ) from error
        self._calls = [*self._calls[1:], self._calls[0]]
        self._start()
        return block

    def _filter_table(self, column: Strings) -> NDArray[np.bool_]:
        """Tell which FILTERs each record has; every distinct value is taken apart once."""
        encoded = column.arrow().dictionary_encode()
        sets = [
            [self._source.filter_number(name) for name in value.split(";") if name not in ("", ".")]
            for value in encoded.dictionary.to_pylist()
        ]
        distinct = np.zeros((len(sets), len(self._source.filters)), np.bool_)
        for row, numbers in enumerate(sets):
            distinct[row, numbers] = True
        table: NDArray[np.bool_] = distinct[encoded.indices.to_numpy(zero_copy_only=False)]
        return table

    def _advance(self, at: int) -> bool:
        try:
            return self._text.advance(at)
        except LongLineError:
            raise self._error(Fault.LONG_LINE, 0, 0) from None

    def _error(self, fault: Fault, line: int, at: int) -> "_LineError":
        text = self._text.data[line : max(self._text.stop, at)]
        return _LineError(fault, text, at - line, int(self._report[_LINES]))


class _LineError(Exception):
    """A line cannot be used; it is for the source to say so, which knows where reading began.

    Parameters
    ----------
    fault, text, at
        What is wrong, the text from the line on, and the byte of it that is wrong.
    line
        Lines before it, from where reading began.
    """

    def __init__(self, fault: Fault, text: NDArray[np.uint8], at: int, line: int) -> None:
        super().__init__(fault)
        self.fault, self.text, self.at, self.line = fault, text, at, line


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


def _joined(parts: list[Strings]) -> Strings:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Strings.of([])
    return Strings.of_arrow(pa.concat_arrays([part.arrow() for part in parts]))


def _allele_table(ref: Strings, alt: Strings) -> NDArray[np.object_]:
    """Lay out alleles as VCF Zarr does: a row per record, REF first, filled with empty text."""
    lists = pc.split_pattern(alt.arrow(), ",")
    counts = np.diff(lists.offsets.to_numpy())
    table = np.full((len(ref), 1 + int(counts.max(initial=1))), "", object)
    table[:, 0] = ref.objects()
    rows = np.repeat(np.arange(len(counts)), counts)
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    values = lists.flatten().to_numpy(zero_copy_only=False)
    table[rows, columns] = values
    table[table[:, 1] == ".", 1] = ""  # ALT is a dot where there is none
    return table


def _qualities(column: Strings) -> NDArray[np.float32]:
    texts = column.arrow()
    known = pc.if_else(pc.equal(texts, pa.scalar(".", pa.large_string())), None, texts)
    values = pc.cast(known, pa.float32())
    result: NDArray[np.float32] = values.to_numpy(zero_copy_only=False).astype(np.float32)
    result[values.is_null().to_numpy(zero_copy_only=False)] = MISSING_QUALITY
    return result
