"""BCF read into arrays through htslib, a block of records at a time."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cyvcf2
import numpy as np
from numpy.typing import NDArray

from afpanel.constants import FILL, MISSING
from afpanel.core.calls import CallBlock
from afpanel.errors import BadInputError
from afpanel.io.index import Index
from afpanel.io.records import (
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
from afpanel.model.region import OPEN_END, Region

_MAX_I2 = 32_767
_REPAIR = "check the file with: bcftools view FILE > /dev/null"


class HtslibSource(Source):
    """A BCF file."""

    def __init__(self, path: Path, kind: FileKind, wanted: Wanted) -> None:
        try:
            self._file = cyvcf2.VCF(str(path))
        except Exception as error:  # cyvcf2 and htslib raise bare Exception here
            raise BadInputError(f"the header cannot be read: {error}", where=path) from error
        header = Header.parse(path, self._file.raw_header)
        super().__init__(path, kind, header, wanted)
        self._file.set_samples(self.samples)

    def empty_block(self) -> RecordBlock:
        """Make a block without records, of the shape that this source's blocks have."""
        return _Block(self).take()

    def blocks(self, region: Region | None, size: int) -> Iterator[RecordBlock]:
        """Read records in file order; see `records.Source`."""
        if region is not None:
            check_contig(self.path, region, list(self.contigs))
        block = _Block(self)
        n_read = 0
        done: set[str] = set()
        contig, last = None, -1
        for record in self._records(region):
            position = record.POS
            if region is not None and not (
                region.contig == record.CHROM and region.start <= position <= region.end
            ):
                continue
            if contig != record.CHROM:
                if len(block):
                    yield block.take()
                if contig is not None:
                    done.add(contig)
                contig, last = record.CHROM, -1
                if contig in done:
                    raise unsorted(self.path, record.CHROM, position, "contigs one after the other")
            if position < last:
                raise unsorted(self.path, record.CHROM, position, f"a position of at least {last}")
            last = position
            n_read += 1
            block.add(record)
            if len(block) == size:
                yield block.take()
        self._check_whole(region, n_read)
        if len(block):
            yield block.take()

    def _check_whole(self, region: Region | None, n_read: int) -> None:
        """Hold the number of records of a whole contig against the index, which counts those at POS 0."""
        if region is None or self.kind.index is None:
            return
        counted = Index(self.kind.index, list(self.contigs)).contigs.get(region.contig)
        whole = region.start <= 1 and region.end == OPEN_END
        if whole and counted is not None and counted != n_read:
            raise BadInputError(
                "records are missing, perhaps those at POS 0, which cannot be read by region",
                where=f"{self.path}, {region.contig}",
                expected=f"{counted:,} records, as the index counts",
                found=f"{n_read:,}",
                remedy="read the file whole, without its index",
            )

    def _records(self, region: Region | None) -> Iterator[Any]:
        last = None
        try:
            if region is None or self.kind.index is None:
                records = iter(self._file)
            else:
                # htslib takes 1 as the first position; POS 0 overlaps it.
                records = self._file(f"{region.contig}:{max(1, region.start)}-{region.end}")
            with warnings.catch_warnings():
                # A contig that the index does not know has no records; that is no cause for alarm.
                warnings.filterwarnings("ignore", message="no intervals found")
                for record in records:
                    last = record
                    yield record
        except Exception as error:  # what cyvcf2 raises for damaged text or compression
            after = "before the first record" if last is None else f"after {last.CHROM}:{last.POS}"
            raise BadInputError(
                f"damaged {after}: {error}", where=self.path, remedy=_REPAIR
            ) from error


class _Block:
    """Gathers records until there are enough for a block."""

    def __init__(self, source: HtslibSource) -> None:
        self._source = source
        self._start()

    def _start(self) -> None:
        self._contig = ""
        self._position: list[int] = []
        self._alleles: list[tuple[str, ...]] = []
        self._identifier: list[str] = []
        self._quality: list[np.float32] = []
        self._filters: list[list[int]] = []
        self._polyploid: list[int] = []
        self._genotype: list[NDArray[np.int16]] = []
        self._fields: dict[str, list[NDArray[np.int16]]] = {
            name: [] for name in self._source.fields
        }

    def __len__(self) -> int:
        return len(self._position)

    def add(self, record: Any) -> None:
        """Take a record's columns, and the genotypes of the samples asked for."""
        self._contig = record.CHROM
        self._position.append(record.POS)
        try:
            alleles = (record.REF, *record.ALT)
        except UnicodeDecodeError as error:
            raise BadInputError(
                f"an allele that is no text: {error}",
                where=f"{self._source.path}, {record.CHROM}:{record.POS}",
                remedy=_REPAIR,
            ) from error
        if "" in alleles:
            raise BadInputError(
                "an allele without a letter",
                where=f"{self._source.path}, {record.CHROM}:{record.POS}",
                found=",".join(alleles),
            )
        self._alleles.append(alleles)
        self._identifier.append(record.ID or ".")
        self._quality.append(MISSING_QUALITY if record.QUAL is None else np.float32(record.QUAL))
        self._filters.append([self._source.filter_number(name) for name in record.FILTERS])
        self._polyploid.append(0)
        genotype = self._read_genotype(record, len(alleles))
        self._genotype.append(genotype)
        for name, rows in self._fields.items():
            values = record.format(name)
            if name == "AD":
                rows.append(_het_alt_depth(genotype, values))
            else:
                rows.append(_one_value(values, len(genotype)))

    def _read_genotype(self, record: Any, n_alleles: int) -> NDArray[np.int16]:
        if "GT" not in record.FORMAT:
            return np.full((len(self._source.samples), 2), MISSING, np.int16)
        if n_alleles > _MAX_I2 + 1:  # cyvcf2 would give calls of the last ones as others
            raise WideGenotypeError(f"{record.CHROM}:{record.POS} has {n_alleles} alleles")
        genotype: NDArray[np.int16] = record.genotype.array()[:, :-1]
        ploidy = genotype.shape[1]
        if ploidy > 2:
            polyploid = np.flatnonzero((genotype[:, 2:] != FILL).any(axis=1))
            if not self._source.polyploid_missing:
                raise self._fault(
                    record,
                    polyploid,
                    "polyploid call",
                    "at most two alleles; genotypes.polyploid: missing takes such calls as missing",
                    f"{ploidy}",
                )
            self._check_alleles(record, genotype, n_alleles)
            genotype = genotype[:, :2].copy()
            genotype[polyploid] = MISSING
            self._polyploid[-1] = len(polyploid)
        if ploidy < 2:
            genotype = np.pad(genotype, ((0, 0), (0, 2 - ploidy)), constant_values=FILL)
        self._check_alleles(record, genotype, n_alleles)
        if genotype.max(initial=MISSING) > np.iinfo(self._source.dtype).max:
            raise WideGenotypeError(f"{record.CHROM}:{record.POS} has {n_alleles} alleles")
        return genotype

    def _check_alleles(self, record: Any, genotype: NDArray[np.int16], n_alleles: int) -> None:
        highest = int(genotype.max(initial=MISSING))
        if highest >= n_alleles:
            raise self._fault(
                record,
                np.flatnonzero((genotype >= n_alleles).any(axis=1)),
                "a call names an allele that the record does not have",
                f"an allele number of at most {n_alleles - 1}",
                str(highest),
            )

    def _fault(
        self, record: Any, samples: NDArray[np.intp], what: str, expected: str, found: str
    ) -> BadInputError:
        return BadInputError(
            f"{what}, sample number {int(samples[0]) + 1} of those read",
            where=f"{self._source.path}, {record.CHROM}:{record.POS}",
            expected=expected,
            found=found,
        )

    def take(self) -> RecordBlock:
        """Hand over the block, and begin the next."""
        n, samples = len(self), len(self._source.samples)
        filters = np.zeros((n, len(self._source.filters)), np.bool_)
        for row, numbers in enumerate(self._filters):
            filters[row, numbers] = True
        dtype = self._source.dtype
        genotype = np.empty((n, samples, 2), dtype)
        for row, values in enumerate(self._genotype):
            genotype[row] = values
        fields = {
            name: np.array(rows, np.int16).reshape(n, samples)
            for name, rows in self._fields.items()
        }
        calls = CallBlock(genotype, fields.get("GQ"), fields.get("DP"), fields.get("AD"))
        block = RecordBlock(
            self._contig,
            np.array(self._position, np.int32),
            _allele_table(self._alleles),
            np.array([len(alleles[0]) for alleles in self._alleles], np.int32),
            np.array(self._identifier, object),
            np.array(self._quality, np.float32),
            filters,
            np.array(self._polyploid, np.int32),
            calls,
        )
        self._start()
        return block


def _one_value(values: NDArray[Any] | None, n: int) -> NDArray[np.int16]:
    """Read an integer FORMAT field of one value per sample; -1 where missing."""
    if values is None:
        return np.full(n, MISSING, np.int16)
    numbers = np.nan_to_num(values[:, 0], nan=MISSING) if values.dtype.kind == "f" else values[:, 0]
    return np.where(numbers < 0, MISSING, np.minimum(numbers, _MAX_I2)).astype(np.int16)


def _het_alt_depth(genotype: NDArray[np.int16], depth: NDArray[Any] | None) -> NDArray[np.int16]:
    """Find the reads of the least supported ALT of each heterozygous call; -1 for other calls."""
    result = np.full(len(genotype), MISSING, np.int16)
    if depth is None:
        return result
    het = (genotype >= 0).all(axis=1) & (genotype[:, 0] != genotype[:, 1])
    rows = np.flatnonzero(het & (genotype.max(axis=1) < depth.shape[1]))
    least = np.full(len(rows), _MAX_I2, np.int64)
    for allele in genotype[rows].T:
        reads = depth[rows, allele]
        least = np.where(allele > 0, np.minimum(least, reads), least)
    result[rows] = np.maximum(least, MISSING)
    return result


def _allele_table(alleles: list[tuple[str, ...]]) -> NDArray[np.object_]:
    """Lay out alleles as VCF Zarr does: a row per record, filled with empty text."""
    width = max(map(len, alleles), default=2)
    table = np.full((len(alleles), width), "", object)
    for row, record in zip(table, alleles, strict=True):
        row[: len(record)] = record
    return table
