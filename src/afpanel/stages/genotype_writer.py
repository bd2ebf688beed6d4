"""Writing one genotype store: blocks of records, and what is known of them when all are written."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.core.calls import CallBlock
from afpanel.core.published_counts import PublishedCounts
from afpanel.io.records import RecordBlock
from afpanel.io.store_writer import StoreWriter, create_store
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION

_CHUNK_BYTES = 16 << 20
_MAX_CHUNK = 10_000


def chunk_rows(n_samples: int, n_fields: int) -> int:
    """Choose how many records make a chunk of about 16 MB."""
    per_record = 2 * n_samples * (1 + n_fields)
    return int(np.clip(_CHUNK_BYTES // max(1, per_record), 1, _MAX_CHUNK))


class GenotypeWriter:
    """Writes one store.

    Parameters
    ----------
    writer
        The store.
    chunk
        Records in a chunk of it.
    """

    def __init__(self, writer: StoreWriter, chunk: int) -> None:
        self.store = writer
        self._chunk = chunk
        self._sites: list[NDArray[np.int32]] = []
        self._n_filters = 0
        self.polyploid_calls = 0

    def append(self, block: RecordBlock, contig: int) -> None:
        """Add records of one contig, given by its number."""
        contigs = np.full(len(block), contig, np.int16)
        self._sites.append(np.column_stack([contigs, block.position, block.ref_length]))
        self.polyploid_calls += int(block.polyploid.sum())
        self._n_filters = max(self._n_filters, block.filters.shape[1])
        self.store.append(
            {
                "variant_contig": contigs,
                "variant_position": block.position,
                "variant_length": block.ref_length,
                "variant_allele": _without_fill(block.alleles),
                "variant_id": block.identifier,
                "variant_quality": block.quality,
                "variant_filter": block.filters,
                **(_calls(block.calls) if block.counts is None else _by_record(block.counts)),
            }
        )
        if block.counts is not None:
            self.store.append(_by_alt(block.counts))

    def finish(
        self, contigs: Mapping[str, int | None], filters: Sequence[str], samples: Sequence[str]
    ) -> None:
        """Write what is known at the end: contigs with their lengths, FILTERs and samples."""
        self.store.array("contig_id", list(contigs))
        self.store.array("contig_length", [length or 0 for length in contigs.values()])
        # The source reads ahead, and may know more FILTERs by now than these records have.
        self.store.array("filter_id", filters[: self._n_filters])
        self.store.array("sample_id", samples)
        self.store.attributes({"polyploid_calls": self.polyploid_calls})
        self.store.array("region_index", _region_index(self._sites, self._chunk))


@contextmanager
def create_genotypes(path: Path, fields: Sequence[str], chunk: int) -> Iterator[GenotypeWriter]:
    """Write a genotype store that appears under its name when the block ends without an error.

    Parameters
    ----------
    path
        Zip file to write.
    fields
        FORMAT fields that it has beside GT.
    chunk
        Records in a chunk.
    """
    attributes = {"vcf_zarr_version": "0.4", "fields": list(fields)}
    with create_store(
        path, GENOTYPES, GENOTYPES_VERSION, chunk=chunk, attributes=attributes
    ) as writer:
        yield GenotypeWriter(writer, chunk)


def _calls(calls: CallBlock) -> dict[str, NDArray[Any]]:
    """Lay out calls by the names of their arrays."""
    fields = {"GQ": calls.gq, "DP": calls.dp, "het_alt_AD": calls.het_alt_ad}
    read = {f"call_{name}": values for name, values in fields.items() if values is not None}
    return {"call_genotype": calls.genotype, **read}


def _by_record(counts: PublishedCounts) -> dict[str, NDArray[Any]]:
    """Lay out published numbers of records likewise."""
    return {
        "published_allele_number": counts.allele_number,
        "published_haploid_number": counts.haploid_number,
        "published_raw_allele_number": counts.raw_allele_number,
    }


def _by_alt(counts: PublishedCounts) -> dict[str, NDArray[Any]]:
    """Lay out published counts of ALTs likewise."""
    return {
        "published_allele_count": counts.allele_count,
        "published_homozygote_count": counts.homozygotes,
        "published_hemizygote_count": counts.hemizygotes,
        "published_raw_allele_count": counts.raw_allele_count,
    }


def _without_fill(alleles: NDArray[np.object_]) -> NDArray[np.object_]:
    """Leave out the columns that no record of these fills, beyond REF and one ALT."""
    filled = np.flatnonzero((alleles != "").any(axis=0))
    width = max(2, int(filled[-1]) + 1) if len(filled) else 2
    if alleles.shape[1] >= width:
        return alleles[:, :width]
    wide = np.full((len(alleles), width), "", object)
    wide[:, : alleles.shape[1]] = alleles
    return wide


def _region_index(sites: list[NDArray[np.int32]], chunk: int) -> NDArray[np.int32]:
    """Make VCF Zarr's index of the regions that chunks cover.

    Parameters
    ----------
    sites
        Blocks of (records, 3): contig, position, bases of REF.
    chunk
        Records in a chunk.
    """
    table = np.concatenate(sites)
    rows = []
    for start in range(0, len(table), chunk):
        part = table[start : start + chunk]
        for contig in np.unique(part[:, 0]):
            of_contig = part[part[:, 0] == contig]
            position = of_contig[:, 1]
            end = int((position + of_contig[:, 2] - 1).max())
            rows.append((start // chunk, contig, position[0], position[-1], end, len(position)))
    return np.array(rows, np.int32).reshape(-1, 6)
