"""What every reader of variant files gives: headers, and blocks of records as arrays."""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from afpanel.core.calls import CallBlock
from afpanel.core.published_counts import PublishedCounts
from afpanel.core.strings import Strings
from afpanel.errors import BadInputError
from afpanel.io.sniff import FileKind
from afpanel.model.region import Region

FIELDS = ("GQ", "DP", "AD")
"""FORMAT fields that can be read beside GT."""

BLOCKS_IN_USE = 3
"""Blocks that may be in use at a time: one being read, one waiting, one being written."""

MISSING_QUALITY = np.array([0x7F800001], np.uint32).view(np.float32)[0]
"""The NaN that VCF Zarr takes for a missing value."""

Dtype = type[np.int8] | type[np.int16]


class WideGenotypeError(Exception):
    """A record has more alleles than the dtype of genotypes can number."""


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
        (n, alleles) str: REF, then ALTs; '' is fill.
    ref_length
        (n,) int32: bases of REF.
    identifier
        (n,) str: IDs; '.' where missing.
    quality
        (n,) float32, NaN where missing.
    filters
        (n, filters) bool, by the source's `filters`.
    polyploid
        (n,) int32: calls of more than two alleles that were taken as missing.
    calls
        Genotypes of the samples asked for, in the file's order. A reader may use the arrays again
        once it has given `BLOCKS_IN_USE` - 1 further blocks.
    end
        (n,) int32: last base of each record, by INFO's END, or else by REF; None unless asked for.
    info
        n INFOs as they stand in the file; None unless asked for.
    counts
        What a sites file says of the records, beside which there are no calls; None of other files.
    """

    contig: str
    position: NDArray[np.int32]
    alleles: NDArray[np.object_]
    ref_length: NDArray[np.int32]
    identifier: NDArray[np.object_]
    quality: NDArray[np.float32]
    filters: NDArray[np.bool_]
    polyploid: NDArray[np.int32]
    calls: CallBlock
    end: NDArray[np.int32] | None = None
    info: Strings | None = None
    counts: PublishedCounts | None = None

    def __len__(self) -> int:
        return len(self.position)

    def rows(self, start: int, end: int) -> "RecordBlock":
        """Take the records from `start` to `end`, without copying genotypes."""
        if (start, end) == (0, len(self)):
            return self
        return self._of(slice(start, end))

    def take(self, records: NDArray[np.integer]) -> "RecordBlock":
        """Copy some records, in their order."""
        return self._of(records)

    def _of(self, part: slice | NDArray[np.integer]) -> "RecordBlock":
        calls, rows = self.calls, np.arange(len(self))[part]
        fields = (None if f is None else f[part] for f in (calls.gq, calls.dp, calls.het_alt_ad))
        return RecordBlock(
            self.contig,
            self.position[part],
            self.alleles[part],
            self.ref_length[part],
            self.identifier[part],
            self.quality[part],
            self.filters[part],
            self.polyploid[part],
            CallBlock(calls.genotype[part], *fields),
            None if self.end is None else self.end[part],
            None if self.info is None else self.info.take(rows),
            None if self.counts is None else self.counts.take(rows),
        )


def check_contig(path: Path, region: Region, known: list[str]) -> None:
    """Refuse a region on a contig that a file does not have, as far as it says which it has."""
    if known and region.contig not in known:
        raise BadInputError(
            f"the file has no contig '{region.contig}'",
            where=path,
            expected=f"one of {', '.join(dict.fromkeys(known[:30]))}",
            remedy="give the region by the file's own name of the contig",
        )


@dataclass(frozen=True)
class Header:
    """What a VCF header says.

    Parameters
    ----------
    samples
        Sample IDs, in the order of columns.
    filters
        Declared FILTER values, PASS among them.
    formats
        Declared FORMAT fields.
    contigs
        Declared contigs, with their lengths where given.
    infos
        Declared INFO fields.
    """

    samples: list[str]
    filters: list[str]
    formats: list[str]
    contigs: dict[str, int | None]
    infos: list[str]

    @classmethod
    def parse(cls, path: Path, text: str) -> "Header":
        """Read a header, from ``##fileformat`` to the line of column names.

        Raises
        ------
        BadInputError
            If the line of column names is missing or wrong, or names a sample twice.
        """
        columns = text.rstrip("\r\n").rsplit("\n", 1)[-1].rstrip("\r").split("\t")
        fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
        if columns[:8] != fixed or columns[8:9] not in ([], ["FORMAT"]):
            raise BadInputError(
                "the header has no line of column names",
                where=path,
                expected="\\t".join([*fixed, "FORMAT", "…"]),
                found=repr("\t".join(columns)[:80]),
            )
        samples = columns[9:]
        if len(set(samples)) < len(samples):
            twice = [name for name, n in Counter(samples).items() if n > 1]
            raise BadInputError(
                f"{len(twice)} sample names stand in the header more than once",
                where=path,
                found=", ".join(twice[:5]),
                remedy="rename them: bcftools reheader --samples",
            )
        said = _declared("\n".join(_DECLARATION.findall(text)))
        return cls(
            samples, list(said.filters), list(said.formats), dict(said.contigs), list(said.infos)
        )

    def select(self, path: Path, wanted: list[str] | None) -> list[str]:
        """List the samples asked for, in the file's order; None is all of them.

        Raises
        ------
        BadInputError
            If one is not in the file.
        """
        if wanted is None:
            return self.samples
        if wanted == self.samples:  # soon told, and what most files are read with
            return self.samples
        known, asked = set(self.samples), set(wanted)
        absent = [sample for sample in wanted if sample not in known]
        if absent:
            raise BadInputError(
                f"{len(absent)} of the {len(wanted)} samples asked for are not in the file",
                where=path,
                found=f"no {', '.join(absent[:5])}{' …' if len(absent) > 5 else ''}",
                remedy="take them out of the sample sheet, or correct their names",
            )
        return [sample for sample in self.samples if sample in asked]

    def fields_among(self, wanted: tuple[str, ...], *, is_gvcf: bool) -> tuple[str, ...]:
        """List the fields asked for that the file declares, in the order of `FIELDS`."""
        declared = set(self.formats)
        if is_gvcf and "MIN_DP" in declared:
            declared.add("DP")
        return tuple(name for name in FIELDS if name in wanted and name in declared)


@dataclass(frozen=True)
class Wanted:
    """What is to be read of a file.

    Parameters
    ----------
    samples
        IDs of samples, in any order; None is all of them.
    fields
        Which of `FIELDS`, where the file has them.
    dtype
        Of genotypes: int8 for up to 128 alleles in a record, int16 for more.
    polyploid_missing
        Whether calls of more than two alleles are taken as missing, and not refused.
    is_gvcf
        Whether records may be blocks of bases: then their ends are read, MIN_DP stands for DP where
        a record has no DP, and a region has the records too that begin before it and reach into it.
    keep_info
        Whether INFO is read too, as text.
    """

    samples: list[str] | None = None
    fields: tuple[str, ...] = ()
    dtype: Dtype = np.int8
    polyploid_missing: bool = False
    is_gvcf: bool = False
    keep_info: bool = False


class Source(ABC):
    """A variant file that is read through, or by region where it has an index.

    Parameters
    ----------
    path, kind
        The file, and what it is.
    header
        Its header.
    wanted
        What is to be read.

    Attributes
    ----------
    samples
        The samples that are read, in the file's order.
    n_people
        Samples that the file has.
    filters
        FILTER values, by their number in blocks; a record may add one that is not declared.
    contigs
        Declared contigs, with their lengths where given.
    fields
        FORMAT fields that are read beside GT.
    has_genotypes
        Whether the file has samples, and declares GT.
    dtype
        Of genotypes.
    polyploid_missing
        Whether calls of more than two alleles are taken as missing, and not refused.
    is_gvcf
        Whether records may be blocks of bases; see `Wanted`.
    infos
        Declared INFO fields.
    keep_info
        Whether INFO is read too.
    """

    def __init__(self, path: Path, kind: FileKind, header: Header, wanted: Wanted) -> None:
        self.path = path
        self.kind = kind
        self.samples = header.select(path, wanted.samples)
        self.n_people = len(header.samples)
        self.filters = header.filters
        self.contigs = header.contigs
        self.fields = header.fields_among(wanted.fields, is_gvcf=wanted.is_gvcf)
        self.has_genotypes = "GT" in header.formats and bool(header.samples)
        self.dtype = wanted.dtype
        self.polyploid_missing = wanted.polyploid_missing
        self.is_gvcf = wanted.is_gvcf
        self.infos = header.infos
        self.keep_info = wanted.keep_info

    def filter_number(self, name: str) -> int:
        """Find the number of a FILTER value, which a record may have without a declaration."""
        if name not in self.filters:
            self.filters.append(name)
        return self.filters.index(name)

    @abstractmethod
    def blocks(self, region: Region | None, size: int) -> Iterator[RecordBlock]:
        """Read records in file order, `size` at a time; the last block of a contig may be smaller.

        Parameters
        ----------
        region
            Only records whose POS lies in it, by the file's own contig name, and of a gVCF those that
            reach into it; None is everything. A file without an index is read from its beginning.
        size
            Records in a block.

        Raises
        ------
        BadInputError
            At a record that is damaged or out of order, or whose genotypes cannot be used.
        """

    @abstractmethod
    def empty_block(self) -> RecordBlock:
        """Make a block without records, of the shape that this source's blocks have."""


_DECLARATION = re.compile(r"^##(?:FILTER|FORMAT|INFO|contig)=<.*", re.MULTILINE)


class _Declared(NamedTuple):
    """What a header declares; see `Header`."""

    filters: list[str]
    formats: list[str]
    contigs: dict[str, int | None]
    infos: list[str]


@lru_cache(maxsize=16)
def _declared(lines: str) -> _Declared:
    """Read declarations. Those of ten thousand gVCFs are the same thousands of contigs, again for each partition."""
    filters = _ids(lines, "FILTER")
    if "PASS" not in filters:
        filters.insert(0, "PASS")
    return _Declared(filters, _ids(lines, "FORMAT"), _contigs(lines), _ids(lines, "INFO"))


def _ids(header: str, kind: str) -> list[str]:
    return re.findall(rf"^##{kind}=<.*?\bID=([^,>]+)", header, flags=re.MULTILINE)


def _contigs(header: str) -> dict[str, int | None]:
    lengths: dict[str, int | None] = {}
    for line in re.findall(r"^##contig=<(.+)>\s*$", header, flags=re.MULTILINE):
        name = re.search(r"(?:^|,)ID=([^,]+)", line)
        length = re.search(r"(?:^|,)length=(\d+)", line)
        if name is not None:
            lengths[name[1]] = int(length[1]) if length is not None else None
    return lengths
