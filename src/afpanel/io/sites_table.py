"""Tables of published counts: a line for each record, with columns of AC and AN."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from afpanel.core.published_counts import PublishedCounts, check_published
from afpanel.core.site_fields import CellFields
from afpanel.core.strings import Strings
from afpanel.errors import BadInputError
from afpanel.io.records import RecordBlock, check_contig
from afpanel.io.scan import unsorted
from afpanel.io.sites_form import (
    Reader,
    SitesSource,
    counts_of_fields,
    number_fault,
    without_calls,
)
from afpanel.io.sites_numbers import NumberFault, read_lists
from afpanel.io.text_scanner import allele_table, filter_table
from afpanel.io.text_table import TextTable
from afpanel.model.region import OPEN_END, Region

COUNT = "count of "
"""What stands before the name of a column of counts among those that are read."""

_REPAIR = "look at the line in the file, and write it anew"


class SitesTable(SitesSource):
    """A table with a line for each record, and columns of AC and AN.

    Parameters
    ----------
    table
        The table.
    columns
        Its columns by what they hold: contig, position, ref and alt, and maybe id and filter.
    used
        Its columns of counts, by cell.
    cells
        What each cell is called.
    raw
        As in `SitesForm`.
    """

    def __init__(
        self,
        table: TextTable,
        columns: Mapping[str, str],
        used: Sequence[CellFields],
        cells: Sequence[str],
        raw: Mapping[str, str],
    ) -> None:
        self.path = table.path
        self.filters, self.contigs = ["PASS"], {}
        self.used = list(used)
        self._table = table
        self._columns = columns
        self.cells = list(cells)
        self.raw = raw

    def filter_number(self, name: str) -> int:
        """Find the number of a FILTER value."""
        if name not in self.filters:
            self.filters.append(name)
        return self.filters.index(name)

    def blocks(self, region: Region | None, size: int) -> Iterator[RecordBlock]:
        """Read records in file order, from the file's beginning; blocks are of any size."""
        del size
        seen: dict[str, None] = {}
        last = -1
        contig: str | None = None
        for part in self._parts():
            encoded = part["contig"].arrow().dictionary_encode()
            codes = encoded.indices.to_numpy()
            cuts = (np.flatnonzero(np.diff(codes)) + 1).tolist()
            for begin, stop in pairwise([0, *cuts, len(codes)]):
                name = encoded.dictionary[int(codes[begin])].as_py()
                if name != contig:
                    last, contig = -1, name
                    if name in seen:
                        raise unsorted(self.path, name, 0, "contigs one after the other")
                    if not name:
                        raise BadInputError("a contig without a name", where=self.path)
                    seen[name] = None
                rows = {key: column[begin:stop] for key, column in part.items()}
                block = self._block(name, rows, last)
                last = int(block.position[-1])
                yield from _inside(block, region)
        if region is not None:
            check_contig(self.path, region, list(seen))

    def _parts(self) -> Iterator[dict[str, Strings]]:
        """Read some lines at a time: columns of sites by what they hold, and those of counts by name."""
        wanted = [*self._columns.values(), *self.names_used]
        for part in self._table.parts(list(dict.fromkeys(wanted))):
            sites = {key: part[name] for key, name in self._columns.items()}
            yield sites | {COUNT + name: part[name] for name in self.names_used}

    def _block(self, contig: str, rows: dict[str, Strings], last: int) -> RecordBlock:
        position = self._positions(contig, rows["position"])
        before = np.concatenate([[last], position])
        back = np.flatnonzero(np.diff(before) < 0)
        if len(back):
            expected = f"a position of at least {before[back[0]]}"
            raise unsorted(self.path, contig, int(position[back[0]]), expected)
        alleles = allele_table(rows["ref"], rows["alt"])
        n_alts = (alleles[:, 1:] != "").sum(axis=1)
        listed = 1 + pc.count_substring(rows["alt"].arrow(), ",").to_numpy(zero_copy_only=False)
        whole = np.where(rows["alt"].only == ord("."), n_alts == 0, listed == n_alts)
        wrong = np.flatnonzero(
            ~whole | (rows["ref"].lengths == 0) | (alleles[:, 1:] == ".").any(axis=1)
        )
        if len(wrong):
            raise BadInputError(
                "an allele without a letter",
                where=f"{self.path}, {contig}:{position[wrong[0]]}",
                expected="REF, and ALTs joined by commas, or one dot",
                remedy=_REPAIR,
            )
        counts = self._counts(self._reader(contig, position, rows), n_alts)
        check_published(counts, f"{self.path}, {contig}", position, self.cells)
        n = len(position)
        filters = np.zeros((n, len(self.filters)), np.bool_)
        if "filter" in rows:
            filters = filter_table(rows["filter"], self)
        return without_calls(
            contig,
            position,
            alleles,
            rows["ref"].lengths.astype(np.int32),
            rows["id"].objects() if "id" in rows else np.full(n, ".", object),
            filters,
            counts,
        )

    def _positions(self, contig: str, column: Strings) -> NDArray[np.int32]:
        data, offsets = np.ascontiguousarray(column.data), column.offsets
        starts, ends = offsets[:-1], offsets[1:]
        values, row, fault = read_lists(data, starts, ends, np.ones(len(column), np.int64))
        if fault is NumberFault.NONE:
            wrong = np.flatnonzero((values < 0) | (values > OPEN_END))
            row = int(wrong[0]) if len(wrong) else -1
        if row >= 0:
            raise BadInputError(
                "not a position",
                where=f"{self.path}, {contig}",
                expected="a whole number",
                found=repr(column[row : row + 1].objects()[0][:40]),
                remedy=_REPAIR,
            )
        return values.astype(np.int32)

    def _reader(self, contig: str, position: NDArray[np.int32], rows: dict[str, Strings]) -> Reader:
        """Make what reads the columns of counts of some rows."""

        def read(name: str, n_values: NDArray[np.int64]) -> NDArray[np.int64]:
            column = rows[COUNT + name]
            data, offsets = np.ascontiguousarray(column.data), column.offsets
            values, row, fault = read_lists(data, offsets[:-1], offsets[1:], n_values)
            if fault is not NumberFault.NONE:
                where = f"{self.path}, {contig}:{position[row]}"
                found = column[row : row + 1].objects()[0]
                raise number_fault(fault, f"column {name}", where, found, int(n_values[row]))
            return values

        return read

    def _counts(self, read: Reader, n_alts: NDArray[np.int64]) -> PublishedCounts:
        """Put together the counts of some records with so many ALTs each."""
        return counts_of_fields(read, self.used, self.raw, n_alts)


def _inside(block: RecordBlock, region: Region | None) -> Iterator[RecordBlock]:
    """Take the records of a region."""
    if region is None:
        yield block
    elif block.contig == region.contig:
        ends = np.searchsorted(block.position, (region.start, region.end + 1)).tolist()
        if ends[0] < ends[1]:
            yield block.rows(*ends)
