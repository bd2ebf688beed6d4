"""Variant files read into arrays, a block of records at a time.

This is the only module that knows how genotypes are written in VCF and BCF.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cyvcf2
import numpy as np
from numpy.typing import NDArray

from afpanel.constants import FILL, MISSING
from afpanel.core.counting import CallBlock
from afpanel.errors import BadInputError
from afpanel.io.scan import unsorted
from afpanel.io.sniff import FileKind, sniff
from afpanel.model.region import Region

_MAX_I2 = 32_767
_FIELDS = ("GQ", "DP", "AD")
_REPAIR = "check the file with: bcftools view FILE > /dev/null"


@dataclass(frozen=True)
class RecordBlock:
    """Consecutive records of one contig.

    Parameters
    ----------
    contig
        Its name in the file.
    position
        (n,) int32, POS.
    alleles
        n tuples: REF, then ALTs.
    identifier
        n IDs; '.' where missing.
    quality
        (n,) float32, NaN where missing.
    filters
        (n, filters) bool, by the source's `filters`.
    calls
        Genotypes of the samples asked for, in the file's order.
    """

    contig: str
    position: NDArray[np.int32]
    alleles: list[tuple[str, ...]]
    identifier: list[str]
    quality: NDArray[np.float32]
    filters: NDArray[np.bool_]
    calls: CallBlock

    def __len__(self) -> int:
        return len(self.position)

    def rows(self, start: int, end: int) -> "RecordBlock":
        """Take the records from `start` to `end`, without copying genotypes."""
        if (start, end) == (0, len(self)):
            return self
        part = slice(start, end)
        calls = self.calls
        fields = (None if f is None else f[part] for f in (calls.gq, calls.dp, calls.het_alt_ad))
        return RecordBlock(
            self.contig,
            self.position[part],
            self.alleles[part],
            self.identifier[part],
            self.quality[part],
            self.filters[part],
            CallBlock(calls.genotype[part], *fields),
        )


class VcfSource:
    """A VCF or BCF file, plain or compressed, indexed or not.

    Parameters
    ----------
    path
        The file.
    samples
        IDs of the samples to read, in any order; None is all of them.
    fields
        Which of GQ, DP and AD to read, where the file has them.
    dtype
        Of genotypes: int8 for up to 127 alleles in a record, int16 for more.

    Raises
    ------
    BadInputError
        If the file is damaged or its header cannot be read, or a sample is not in it.
    """

    def __init__(
        self,
        path: Path,
        samples: list[str] | None = None,
        fields: tuple[str, ...] = (),
        dtype: type[np.int8] | type[np.int16] = np.int8,
    ) -> None:
        self.path = path
        self.dtype = dtype
        self.kind: FileKind = sniff(path)
        try:
            self._vcf = cyvcf2.VCF(str(path))
        except Exception as error:  # cyvcf2 and htslib raise bare Exception here
            raise BadInputError(f"the header cannot be read: {error}", where=path) from error
        self.all_samples: list[str] = list(self._vcf.samples)
        self.samples = self._select(samples)
        header: str = self._vcf.raw_header
        self.filters: list[str] = _header_ids(header, "FILTER")
        if "PASS" not in self.filters:
            self.filters.insert(0, "PASS")
        self.contigs: dict[str, int | None] = _contig_lengths(header)
        self.has_genotypes = "GT" in _header_ids(header, "FORMAT") and bool(self.all_samples)
        formats = set(_header_ids(header, "FORMAT"))
        self.fields = tuple(name for name in _FIELDS if name in fields and name in formats)

    def empty_block(self) -> RecordBlock:
        """Make a block without records, of the shape that this source's blocks have."""
        return _Block(self).take()

    def _select(self, wanted: list[str] | None) -> list[str]:
        if wanted is None:
            return self.all_samples
        known, asked = set(self.all_samples), set(wanted)
        absent = [sample for sample in wanted if sample not in known]
        if absent:
            raise BadInputError(
                f"{len(absent)} of the {len(wanted)} samples asked for are not in the file",
                where=self.path,
                found=f"no {', '.join(absent[:5])}{' …' if len(absent) > 5 else ''}",
                remedy="take them out of the sample sheet, or correct their names",
            )
        selected = [sample for sample in self.all_samples if sample in asked]
        self._vcf.set_samples(selected)
        return selected

    def blocks(self, region: Region | None, size: int) -> Iterator[RecordBlock]:
        """Read records in file order.

        Parameters
        ----------
        region
            Only records whose POS lies in it, by the file's own contig name; None is everything.
            A file without an index is read from its beginning.
        size
            Records in a block; the last of a contig may be smaller.

        Raises
        ------
        BadInputError
            At a record that is damaged or out of order, or whose genotypes cannot be used.
        """
        block = _Block(self)
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
            block.add(record)
            if len(block) == size:
                yield block.take()
        if len(block):
            yield block.take()

    def _records(self, region: Region | None) -> Iterator[Any]:
        last = None
        try:
            if region is None or self.kind.index is None:
                records = iter(self._vcf)
            else:
                # htslib takes 1 as the first position; POS 0 overlaps it.
                records = self._vcf(f"{region.contig}:{max(1, region.start)}-{region.end}")
            for record in records:
                last = record
                yield record
        except Exception as error:  # what cyvcf2 raises for damaged text or compression
            after = "before the first record" if last is None else f"after {last.CHROM}:{last.POS}"
            raise BadInputError(
                f"damaged {after}: {error}", where=self.path, remedy=_REPAIR
            ) from error


class WideGenotypeError(Exception):
    """A genotype names an allele whose number does not fit the dtype asked for."""


class _Block:
    """Gathers records until there are enough for a block."""

    def __init__(self, source: VcfSource) -> None:
        self._source = source
        self._filter_at = {name: i for i, name in enumerate(source.filters)}
        self._start()

    def _start(self) -> None:
        self._contig = ""
        self._position: list[int] = []
        self._alleles: list[tuple[str, ...]] = []
        self._identifier: list[str] = []
        self._quality: list[float] = []
        self._filters: list[list[int]] = []
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
        alleles = (record.REF, *record.ALT)
        self._alleles.append(alleles)
        self._identifier.append(record.ID or ".")
        self._quality.append(np.nan if record.QUAL is None else record.QUAL)
        self._filters.append([self._filter_number(name) for name in record.FILTERS])
        genotype = self._read_genotype(record, len(alleles))
        self._genotype.append(genotype)
        for name, rows in self._fields.items():
            values = record.format(name)
            if name == "AD":
                rows.append(_het_alt_depth(genotype, values))
            else:
                rows.append(_one_value(values, len(genotype)))

    def _filter_number(self, name: str) -> int:
        if name not in self._filter_at:  # used in a record, not declared in the header
            self._filter_at[name] = len(self._source.filters)
            self._source.filters.append(name)
        return self._filter_at[name]

    def _read_genotype(self, record: Any, n_alleles: int) -> NDArray[np.int16]:
        if "GT" not in record.FORMAT:
            return np.full((len(self._source.samples), 2), MISSING, np.int16)
        genotype: NDArray[np.int16] = record.genotype.array()[:, :-1]
        ploidy = genotype.shape[1]
        if ploidy > 2:
            raise self._fault(
                record,
                np.flatnonzero((genotype[:, 2:] != FILL).any(axis=1)),
                "polyploid call",
                "at most two alleles",
                f"{ploidy}",
            )
        if ploidy < 2:
            genotype = np.pad(genotype, ((0, 0), (0, 2 - ploidy)), constant_values=FILL)
        highest = int(genotype.max(initial=MISSING))
        if highest > np.iinfo(self._source.dtype).max:
            raise WideGenotypeError(f"{record.CHROM}:{record.POS} has {n_alleles} alleles")
        if highest >= n_alleles:
            raise self._fault(
                record,
                np.flatnonzero((genotype >= n_alleles).any(axis=1)),
                "a call names an allele that the record does not have",
                f"an allele number of at most {n_alleles - 1}",
                str(highest),
            )
        return genotype

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
            self._alleles,
            self._identifier,
            np.array(self._quality, np.float32),
            filters,
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


def _header_ids(header: str, kind: str) -> list[str]:
    return re.findall(rf"^##{kind}=<.*?ID=([^,>]+)", header, flags=re.MULTILINE)


def _contig_lengths(header: str) -> dict[str, int | None]:
    lengths: dict[str, int | None] = {}
    for line in re.findall(r"^##contig=<(.+)>\s*$", header, flags=re.MULTILINE):
        name = re.search(r"(?:^|,)ID=([^,]+)", line)
        length = re.search(r"(?:^|,)length=(\d+)", line)
        if name is not None:
            lengths[name[1]] = int(length[1]) if length is not None else None
    return lengths
