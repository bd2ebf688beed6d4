"""VCF files whose INFO has AC and AN, as gnomAD publishes them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.core.published_counts import check_published
from afpanel.core.site_fields import called, fields_of_cells
from afpanel.core.strings import Strings
from afpanel.errors import BadInputError
from afpanel.io.records import RecordBlock, Wanted
from afpanel.io.sites_form import SitesForm, SitesSource, counts_of_fields, number_fault
from afpanel.io.sites_numbers import NumberFault, find_values, read_lists
from afpanel.io.sniff import FileKind
from afpanel.io.text_source import TextSource
from afpanel.model.cohort import GivenCell
from afpanel.model.region import Region


class SitesVcf(SitesSource):
    """A VCF file, with or without samples, of which INFO is read and no call.

    Parameters
    ----------
    path, kind
        The file, and what it is.
    cells
        The cells that it has counts of.
    form
        See `SitesForm`.

    Raises
    ------
    BadInputError
        If its header does not have their fields.
    """

    def __init__(
        self, path: Path, kind: FileKind, cells: Sequence[GivenCell], form: SitesForm
    ) -> None:
        if kind.is_bcf:
            raise BadInputError(
                "published counts are not read from BCF",
                where=path,
                expected="VCF, plain or compressed",
                remedy=f"bcftools view -Oz -o {path.with_suffix('.vcf.gz').name} {path.name}, and"
                " index it",
            )
        for key in form.columns:
            raise BadInputError(
                f"a VCF file has its own column for {key}",
                where=path,
                remedy="leave out sites.columns, which is for tables",
            )
        self._source = TextSource(path, kind, Wanted(samples=[], keep_info=True))
        self.path, self.index = path, kind.index
        self.filters, self.contigs = self._source.filters, self._source.contigs
        where = f"{path}, INFO in the header"
        self.used = fields_of_cells(cells, self._source.infos, where)
        self.raw = form.raw
        for name in form.raw.values():
            if name not in self._source.infos:
                raise BadInputError(f"no field '{name}'", where=where, remedy="correct sites.raw")
        self.cells = [called(each.cell) for each in cells]
        self._names = self.names_used
        self._keys = Strings.of(self._names)

    def blocks(self, region: Region | None, size: int) -> Iterator[RecordBlock]:
        """Read records in file order; see `records.Source.blocks`."""
        for block in self._source.blocks(region, size):
            yield self._with_counts(block)

    def _with_counts(self, block: RecordBlock) -> RecordBlock:
        info = block.info
        assert info is not None
        where = f"{self.path}, {block.contig}"
        n_alts = (block.alleles[:, 1:] != "").sum(axis=1)
        starts, ends = np.empty((2, len(self._names), len(block)), np.int64)
        data, keys = (np.ascontiguousarray(text.data) for text in (info, self._keys))
        repeated = int(find_values(data, info.offsets, keys, self._keys.offsets, starts, ends))
        if repeated >= 0:
            raise BadInputError(
                "a field stands in INFO twice",
                where=f"{where}:{block.position[repeated]}",
                expected=f"each of {', '.join(self._names)} once",
            )

        def read(name: str, n_values: NDArray[np.int64]) -> NDArray[np.int64]:
            at = self._names.index(name)
            values, row, fault = read_lists(data, starts[at], ends[at], n_values)
            if fault is not NumberFault.NONE:
                found = data[starts[at, row] : ends[at, row]].tobytes().decode(errors="replace")
                place = f"{where}:{block.position[row]}"
                raise number_fault(fault, f"INFO {name}", place, found, int(n_values[row]))
            return values

        counts = counts_of_fields(read, self.used, self.raw, n_alts)
        check_published(counts, where, block.position, self.cells)
        return replace(block, info=None, counts=counts)
