"""VCF Zarr stores as sources of records: genotypes and sites, a block at a time."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import FILL, MISSING
from afpanel.core.calls import CallBlock
from afpanel.errors import BadInputError
from afpanel.io.records import (
    FIELDS,
    MISSING_QUALITY,
    Header,
    RecordBlock,
    Source,
    Wanted,
    WideGenotypeError,
    check_contig,
)
from afpanel.io.sniff import Compression, FileKind
from afpanel.io.vcz_store import REPAIR, VczStore
from afpanel.model.region import Region

_MAX_I2 = 32_767
_KIND = FileKind(Compression.NONE, is_bcf=False, index=None)


class VczSource(Source):
    """A VCF Zarr store, as `records.Source` gives variant files.

    Parameters
    ----------
    path
        Folder or zip file.
    wanted
        What is to be read.
    """

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self._data = VczStore(path)
        store = self._data
        twice = [name for name, n in Counter(store.samples).items() if n > 1]
        if twice:
            raise BadInputError(
                f"{len(twice)} sample names stand in the store more than once",
                where=path,
                found=", ".join(twice[:5]),
                remedy="rename them in the VCF, and write the store again",
            )
        formats = [name for name in FIELDS if f"call_{name}" in store]
        if "call_genotype" in store:
            formats.append("GT")
        # A store may lack a FILTER that no record has.
        filters = [*store.filters, *(["PASS"] if "PASS" not in store.filters else [])]
        header = Header(store.samples, filters, formats, store.lengths(), [])
        super().__init__(path, _KIND, header, wanted)
        self._check_shapes()
        at = {name: i for i, name in enumerate(store.samples)}
        columns = np.array([at[name] for name in self.samples], np.intp)
        first, last = (int(columns.min()), int(columns.max()) + 1) if len(columns) else (0, 0)
        self._span, self._columns = slice(first, last), columns - first

    def empty_block(self) -> RecordBlock:
        """Make a block without records, of the shape that this source's blocks have."""
        return self._block(0, 0)

    def blocks(self, region: Region | None, size: int) -> Iterator[RecordBlock]:
        """Read records in the store's order; see `records.Source`."""
        store = self._data
        if region is None:
            bounds = [0, *(np.flatnonzero(np.diff(store.contig)) + 1).tolist(), len(store)]
            ranges = list(pairwise(bounds))
        else:
            check_contig(self.path, region, store.contigs)
            ranges = [store.rows_of(region.contig, region.start, region.end)]
        rows = store.chunk_rows("call_genotype")
        for first, last in ranges:
            # Each chunk is unpacked once, whatever the size of blocks.
            for start in range(first - first % rows, last, rows):
                begin, stop = max(start, first), min(start + rows, last)
                if begin < stop:
                    whole = self._block(begin, stop)
                    for at in range(0, stop - begin, size):
                        yield whole.rows(at, min(at + size, stop - begin))

    def _check_shapes(self) -> None:
        """Refuse arrays that are not over the store's records and samples."""
        n, people = len(self._data), len(self._data.samples)
        expected = {"variant_allele": (n,), "variant_filter": (n, len(self._data.filters))}
        expected |= {f"call_{name}": (n, people) for name in ("genotype", *FIELDS)}
        for name, shape in expected.items():
            if name in self._data and tuple(self._data.array(name).shape[: len(shape)]) != shape:
                raise BadInputError(
                    f"{name} does not fit the records and samples of the store",
                    where=self.path,
                    expected=f"{shape} …",
                    found=str(tuple(self._data.array(name).shape)),
                    remedy=REPAIR,
                )

    def _block(self, start: int, stop: int) -> RecordBlock:
        """Read some records of one contig."""
        store, n = self._data, stop - start
        alleles = store.read("variant_allele", start, stop).astype(object)
        if alleles.shape[1] < 2:
            alleles = np.column_stack([alleles, np.full(n, "", object)])
        number = (alleles != "").sum(axis=1)
        contig = store.contigs[int(store.contig[start])] if n else ""
        genotype, polyploid = self._genotypes(contig, start, stop, number)
        filters = np.zeros((n, len(self.filters)), np.bool_)
        if "variant_filter" in store:
            filters[:, : len(store.filters)] = store.read("variant_filter", start, stop)
        return RecordBlock(
            contig,
            store.position[start:stop],
            alleles,
            np.array([len(ref) for ref in alleles[:, 0]], np.int32),
            self._identifiers(start, stop),
            self._qualities(start, stop),
            filters,
            polyploid,
            CallBlock(
                genotype,
                self._field("GQ", start, stop),
                self._field("DP", start, stop),
                self._het_alt_depth(genotype, start, stop),
            ),
        )

    def _calls(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """Read an array of calls, of the samples asked for, in their order."""
        return self._data.read(name, start, stop, self._span)[:, self._columns]

    def _genotypes(
        self, contig: str, start: int, stop: int, alleles: NDArray[np.intp]
    ) -> tuple[NDArray[np.integer], NDArray[np.int32]]:
        """Read genotypes, checked; and how many of each record are taken as missing for their ploidy."""
        genotype = self._calls("call_genotype", start, stop)
        polyploid = np.zeros(len(genotype), np.int32)
        if genotype.shape[2] > 2:
            more = (genotype[:, :, 2:] != FILL).any(axis=2)
            if more.any() and not self.polyploid_missing:
                raise self._fault(
                    contig,
                    start,
                    more,
                    "polyploid call",
                    "at most two alleles; genotypes.polyploid: missing takes such calls as missing",
                )
            self._check_alleles(contig, start, genotype, alleles)
            polyploid = more.sum(axis=1).astype(np.int32)
            genotype = genotype[:, :, :2].copy()
            genotype[more] = MISSING
        if genotype.shape[2] < 2:
            pad = ((0, 0), (0, 0), (0, 2 - genotype.shape[2]))
            genotype = np.pad(genotype, pad, constant_values=FILL)
        self._check_alleles(contig, start, genotype, alleles)
        if genotype.max(initial=MISSING) > np.iinfo(self.dtype).max:
            widest = int(np.argmax(genotype.max(axis=(1, 2))))
            position = int(self._data.position[start + widest])
            raise WideGenotypeError(f"{contig}:{position} has {int(alleles[widest])} alleles")
        return np.ascontiguousarray(genotype, self.dtype), polyploid

    def _check_alleles(
        self, contig: str, start: int, genotype: NDArray[np.integer], alleles: NDArray[np.intp]
    ) -> None:
        wrong = ((genotype >= alleles[:, None, None]) | (genotype < FILL)).any(axis=2)
        if wrong.any():
            what = "a call names an allele that the record does not have"
            raise self._fault(contig, start, wrong, what, "a number of one of its alleles")

    def _fault(
        self, contig: str, start: int, wrong: Any, what: str, expected: str
    ) -> BadInputError:
        row, sample = (int(each[0]) for each in np.nonzero(wrong))
        return BadInputError(
            f"{what}, sample number {sample + 1} of those read",
            where=f"{self.path}, {contig}:{int(self._data.position[start + row])}",
            expected=expected,
        )

    def _field(self, name: str, start: int, stop: int) -> NDArray[np.int16] | None:
        """Read a field of one number per call; -1 where missing."""
        if name not in self.fields:
            return None
        return _numbers(self._calls(f"call_{name}", start, stop))

    def _het_alt_depth(
        self, genotype: NDArray[np.integer], start: int, stop: int
    ) -> NDArray[np.int16] | None:
        """Find the reads of the least supported ALT of each heterozygous call; -1 for other calls."""
        if "AD" not in self.fields:
            return None
        depth = self._calls("call_AD", start, stop)
        result = np.full(genotype.shape[:2], MISSING, np.int16)
        het = (genotype >= 0).all(axis=2) & (genotype[:, :, 0] != genotype[:, :, 1])
        at = np.nonzero(het & (genotype.max(axis=2) < depth.shape[2]))
        least = np.full(len(at[0]), _MAX_I2, np.int64)
        for allele in genotype[at].T:
            least = np.where(allele > 0, np.minimum(least, depth[*at, allele]), least)
        result[at] = np.maximum(least, MISSING)
        return result

    def _identifiers(self, start: int, stop: int) -> NDArray[np.object_]:
        if "variant_id" not in self._data:
            return np.full(stop - start, ".", object)
        names = self._data.read("variant_id", start, stop).astype(object)
        names[names == ""] = "."
        return names

    def _qualities(self, start: int, stop: int) -> NDArray[np.float32]:
        if "variant_quality" not in self._data:
            return np.full(stop - start, MISSING_QUALITY, np.float32)
        return self._data.read("variant_quality", start, stop).astype(np.float32)


def _numbers(values: NDArray[Any]) -> NDArray[np.int16]:
    """Give numbers of any kind as int16, the greatest of it for what is greater; -1 where missing."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=MISSING)
    return np.clip(values.astype(np.int64), MISSING, _MAX_I2).astype(np.int16)
