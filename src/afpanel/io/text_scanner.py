"""Lines of VCF text scanned into blocks of records."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from afpanel.core.calls import CallBlock
from afpanel.core.strings import Strings, gather
from afpanel.errors import BadInputError
from afpanel.io.records import (
    BLOCKS_IN_USE,
    FIELDS,
    MISSING_QUALITY,
    RecordBlock,
    Source,
    WideGenotypeError,
)
from afpanel.io.scan import unsorted
from afpanel.io.text_buffer import LongLineError, TextBuffer
from afpanel.io.text_faults import REPAIR, place_of
from afpanel.io.vcf_calls import FIELDS_AT_ONCE, PLAIN_CALLS, Fault
from afpanel.io.vcf_info import NO_END, read_ends
from afpanel.io.vcf_kernel import COLUMNS, scan
from afpanel.model.region import OPEN_END, Region

_LINES = 3  # place in the report of a scan
_CHROM, _POS, _ID, _REF, _ALT, _QUAL, _FILTER, _INFO = range(8)


class _CallArrays:
    """Arrays that a block of calls is scanned into."""

    def __init__(self, shape: tuple[int, int], source: Source) -> None:
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


class Scanner:
    """Fills the arrays of one block after another from the text.

    The arrays of calls are made once and used in turn: fresh memory costs more than filling it.

    Parameters
    ----------
    source
        What is read: its samples, fields and FILTERs.
    column
        (columns,) int32: for each sample column of the file, the sample's place in the arrays, or -1.
    text
        The text.
    size
        Records in a block.

    Attributes
    ----------
    last
        Place of the last record that was good.
    seen
        Contigs met so far.
    """

    def __init__(
        self, source: Source, column: NDArray[np.int32], text: TextBuffer, size: int
    ) -> None:
        self._source = source
        self._column = column
        self._text = text
        self._size = size
        shape = (size, len(source.samples))
        self._calls = [_CallArrays(shape, source) for _ in range(BLOCKS_IN_USE)]
        self._position = np.zeros(size, np.int32)
        self._bounds = np.zeros((size, COLUMNS), np.int64)
        self._polyploid = np.zeros(size, np.int32)
        self._report = np.zeros(4, np.int64)
        self._scratch = np.empty(2 * PLAIN_CALLS, np.int8)
        self._ends = np.empty(FIELDS_AT_ONCE, np.int64)
        self.last = "the header"
        self.seen: set[bytes] = set()
        self._start()

    def _start(self) -> None:
        self._row = 0
        last = _INFO if self._source.is_gvcf or self._source.keep_info else _FILTER
        self._columns: dict[int, list[Strings]] = {c: [] for c in range(_ID, last + 1)}

    def blocks(self, region: Region | None) -> Iterator[RecordBlock]:
        """Read blocks until the text, or the region, ends."""
        contig = b"\n"  # which no contig is named
        previous, at = -1, 0
        more = self._advance(0)
        while more:
            begin = self._row
            self._scan(at, contig, region)
            report = self._report
            at = int(report[0])
            previous = self._check_order(begin, previous, contig)
            self._keep_columns(begin)
            fault = Fault(int(report[1]))
            if fault is Fault.CONTIG:
                following = self._contig_at(at)
                if not following or not _is_text(following):
                    raise self._error(Fault.NO_CONTIG, at, at)
                if self._row:
                    yield self.take(contig.decode())
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
                raise self._error(fault, at, int(report[2]))
            if self._row == self._size:
                yield self.take(contig.decode())
            elif at == self._text.stop:
                more = self._advance(at)
                at = 0
        if self._row:
            yield self.take(contig.decode())

    def _scan(self, at: int, contig: bytes, region: Region | None) -> None:
        """Scan the text at hand from a byte on, into the rows that are free."""
        source = self._source
        first, last = -1, OPEN_END + 1
        if region is not None:
            wanted = contig == region.contig.encode()
            first, last = (region.start, region.end) if wanted else (OPEN_END + 1, OPEN_END + 1)
            if wanted and source.is_gvcf:
                first = -1  # what is too far before is found by its end
        self._row = scan(
            self._text.data, at, self._text.stop, self._column, np.frombuffer(contig, np.uint8),
            len(source.samples) == len(self._column), first, last,
            int(np.iinfo(source.dtype).max) + 1, source.polyploid_missing, source.is_gvcf,
            self._row, self._size, self._position, self._bounds, self._polyploid,
            *self._calls[0].arrays, self._report, self._scratch, self._ends,
        )  # fmt: skip

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
            raise unsorted(self._source.path, contig.decode(), position, expected)
        self.last = f"{contig.decode()}:{found[-1]}"
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
            alleles = allele_table(columns[_REF], columns[_ALT])
            block = RecordBlock(
                contig,
                self._position[:n].copy(),
                alleles,
                columns[_REF].lengths.astype(np.int32),
                columns[_ID].objects(),
                _qualities(columns[_QUAL]),
                filter_table(columns[_FILTER], self._source),
                self._polyploid[:n].copy(),
                self._calls[0].block(n),
                self._ends_of(contig, columns) if self._source.is_gvcf else None,
                columns[_INFO] if self._source.keep_info else None,
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

    def _ends_of(self, contig: str, columns: dict[int, Strings]) -> NDArray[np.int32]:
        """Find the last base of each record: where INFO says END, or where REF ends."""
        position = self._position[: self._row].astype(np.int64)
        by_ref = position + np.maximum(columns[_REF].lengths, 1) - 1
        found = np.empty(len(position), np.int64)
        read_ends(columns[_INFO].data, columns[_INFO].offsets, found)
        known = found != NO_END
        wrong = np.flatnonzero(known & ((found < position) | (found > OPEN_END)))
        if len(wrong):
            raise BadInputError(
                "END in INFO is no position at or after POS",
                where=f"{self._source.path}, {contig}:{position[wrong[0]]}",
                found=columns[_INFO][wrong[0] : wrong[0] + 1].objects()[0],
                remedy=REPAIR,
            )
        return np.where(known, found, by_ref).astype(np.int32)

    def _advance(self, at: int) -> bool:
        try:
            return self._text.advance(at)
        except LongLineError:
            raise self._error(Fault.LONG_LINE, 0, 0) from None

    def _error(self, fault: Fault, line: int, at: int) -> "LineError":
        text = self._text.data[line : max(self._text.stop, at)]
        return LineError(fault, text, at - line, int(self._report[_LINES]))


def _is_text(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


class LineError(Exception):
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


def _joined(parts: list[Strings]) -> Strings:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Strings.of([])
    return Strings.of_arrow(pa.concat_arrays([part.arrow() for part in parts]))


class HasFilters(Protocol):
    """What knows FILTER values by their numbers, as a `records.Source` does."""

    filters: list[str]

    def filter_number(self, name: str) -> int:
        """Find the number of a FILTER value, which may be a new one."""
        ...


def filter_table(column: Strings, source: HasFilters) -> NDArray[np.bool_]:
    """Tell which FILTERs each record has; every distinct value is taken apart once."""
    encoded = column.arrow().dictionary_encode()
    sets = [
        [source.filter_number(name) for name in value.split(";") if name not in ("", ".")]
        for value in encoded.dictionary.to_pylist()
    ]
    distinct = np.zeros((len(sets), len(source.filters)), np.bool_)
    for row, numbers in enumerate(sets):
        distinct[row, numbers] = True
    table: NDArray[np.bool_] = distinct[encoded.indices.to_numpy(zero_copy_only=False)]
    return table


def allele_table(ref: Strings, alt: Strings) -> NDArray[np.object_]:
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
