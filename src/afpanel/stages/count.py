"""Count alleles per cell: one partition of a cohort, in one pass over its genotypes.

Who is counted, in which cell, and which calls are good enough is decided here, so that a change of
any of these costs a recount, and no file is parsed again.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, REFUSED_EVIDENCE, Outcome, Sex
from afpanel.core.calls import CallBlock
from afpanel.core.contigs import contig_kind
from afpanel.core.counting import Counts, GenotypeFilter, count_block
from afpanel.core.ploidy import loci_of, sex_codes
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants, sort_keys
from afpanel.errors import BadInputError
from afpanel.io.prefetch import map_ahead
from afpanel.io.store import Store
from afpanel.io.store_writer import StoreWriter, create_store
from afpanel.io.tables import read_samples
from afpanel.model.arrays import COUNTS, RAW_COUNTS
from afpanel.model.cohort import Cell, Sample, cell_index, cells_of
from afpanel.stages.harmonize import ALLELES, ALLELES_VERSION, partition_of
from afpanel.stages.ingest import GENOTYPES, GENOTYPES_VERSION
from afpanel.stages.progress import Progress

logger = logging.getLogger(__name__)

CELL_COUNTS = "cell-counts"
CELL_COUNTS_VERSION = 2

_CHUNK = 16_384
_CHUNKS_AHEAD = 2
_CELL_DIMS = ("variants", "cells")
_TABLES = (*COUNTS, *RAW_COUNTS)


@dataclass(frozen=True)
class CountOptions:
    """What `count` needs to know besides its files.

    Parameters
    ----------
    cohort, country
        The cohort, and its country's ISO 3166-1 alpha-2 code.
    build
        Genome build of the panel, which places the pseudoautosomal regions.
    genotype_filter
        Which calls count.
    """

    cohort: str
    country: str
    build: str
    genotype_filter: GenotypeFilter


@dataclass(frozen=True)
class _Alleles:
    """The allele map's rows of one partition, one for each ALT of each record."""

    contig: str | None
    record: NDArray[np.int32]
    index: NDArray[np.int32]
    outcome: NDArray[np.uint8]
    variants: Variants


def count(
    store_path: Path, alleles_path: Path, sheet: Path, out: Path, options: CountOptions
) -> None:
    """Count one partition.

    Parameters
    ----------
    store_path
        Genotype store of the partition.
    alleles_path
        Allele map of the cohort.
    sheet
        Sample sheet of the cohort.
    out
        Store of counts to write: canonical variants in order, and for each its counts per cell.
    options
        See `CountOptions`.
    """
    samples = read_samples(sheet)
    cells = cells_of(samples)
    alleles = _read_alleles(alleles_path, partition_of(store_path))
    with Store(store_path, GENOTYPES, GENOTYPES_VERSION) as store:
        counts = _count_records(store, alleles, samples, cells, options)
        refused = _refused_spans(store, alleles)
    order = np.argsort(sort_keys(alleles.variants), kind="stable")
    variants = alleles.variants.take(order)
    attributes = {
        "cohort": options.cohort,
        "country": options.country,
        "contig": alleles.contig,
        "cells": [[cell.population, str(cell.sex), cell.people] for cell in cells],
    }
    with create_store(
        out, CELL_COUNTS, CELL_COUNTS_VERSION, chunk=_CHUNK, attributes=attributes
    ) as writer:
        _write(writer, variants, [values[order] for values in counts], refused)
    passed, raw = (
        int(counts[_TABLES.index(name)].sum()) for name in ("allele_number", "raw_allele_number")
    )
    logger.info(
        "count %s: done, %s variants in %d cells of %s people; %s of called alleles pass the filter",
        store_path.name, f"{len(variants):,}", len(cells), f"{sum(c.people for c in cells):,}",
        f"{passed / raw:.1%}" if raw else "none",
    )  # fmt: skip


def _read_alleles(path: Path, partition: str) -> _Alleles:
    """Read a partition's rows of the allele map; `variants` and `index` are of the kept alone."""
    with Store(path, ALLELES, ALLELES_VERSION) as store:
        partitions = store.texts("partition_id")
        if partition not in partitions:
            raise BadInputError(
                f"the allele map has no partition '{partition}'",
                where=path,
                found=", ".join(partitions[:10]),
                remedy="harmonize the cohort's stores again",
            )
        number = partitions.index(partition)
        start, stop = store.read("partition_offset", number, number + 2).tolist()
        outcome = store.read("allele_outcome", start, stop)
        kept = outcome == Outcome.KEPT
        contig = int(store.read("partition_contig", number, number + 1)[0])
        return _Alleles(
            contig=store.texts("contig_id")[contig] if contig != MISSING else None,
            record=store.read("allele_record", start, stop),
            index=store.read("allele_index", start, stop)[kept],
            outcome=outcome,
            variants=Variants(
                store.read("allele_position", start, stop)[kept],
                Strings.of(store.read("allele_ref", start, stop)[kept]),
                Strings.of(store.read("allele_alt", start, stop)[kept]),
            ),
        )


def _count_records(
    store: Store,
    alleles: _Alleles,
    samples: list[Sample],
    cells: list[Cell],
    options: CountOptions,
) -> list[NDArray[np.int32]]:
    """Count every kept allele; for each of `_TABLES`, (alleles, cells) int32."""
    ids = store.texts("sample_id")
    absent = sorted({sample.id for sample in samples if sample.include} - set(ids))
    if absent:
        raise BadInputError(
            f"{len(absent)} samples of the sheet are not in the genotype store",
            where=store.path,
            found=f"no {', '.join(absent[:5])}",
            remedy="ingest the cohort again with this sheet",
        )
    sex_of = {sample.id: sample.sex for sample in samples}
    sex = sex_codes([sex_of.get(name, Sex.UNKNOWN) for name in ids])
    cell = cell_index(ids, samples, cells)
    record = alleles.record[alleles.outcome == Outcome.KEPT]
    result = [np.zeros((len(record), len(cells)), np.int32) for _ in _TABLES]
    if alleles.contig is None:
        return result
    kind = contig_kind(alleles.contig)
    progress = Progress(logger, f"count {store.path.name}", "records")
    n_alleles = 1 + np.bincount(alleles.record, minlength=store.rows("variant_position"))
    read = partial(_read_chunk, store, options.genotype_filter)
    for chunk in map_ahead(read, _wanted_chunks(store, record), _CHUNKS_AHEAD):
        start, stop = chunk.start, chunk.stop
        first, last = np.searchsorted(record, (start, stop))
        row_offsets = np.concatenate([[0], np.cumsum(n_alleles[start:stop])])
        counts = count_block(
            chunk.calls,
            row_offsets,
            loci_of(kind, options.build, chunk.position),
            sex,
            cell,
            len(cells),
            options.genotype_filter,
        )
        local = record[first:last] - start
        rows = row_offsets[local] + alleles.index[first:last]
        for target, values in zip(result, _of_alleles(counts, rows, local), strict=True):
            target[first:last] = values
        progress.advance(stop - start, f"{len(ids):,} samples")
    _warn_of_empty_fields(store, options.genotype_filter)
    return result


def _warn_of_empty_fields(store: Store, genotype_filter: GenotypeFilter) -> None:
    """Say so where a field that the header declares has no value in any call: no call passes then."""
    for field in set(genotype_filter.fields) & {"GQ", "DP"}:
        name = f"call_{field}"
        if name not in store or not store.rows(name):
            continue
        step = store.chunk_rows(name)
        blocks = (store.read(name, at, at + step) for at in range(0, store.rows(name), step))
        if not any((block != MISSING).any() for block in blocks):
            logger.warning(
                "%s: the header declares %s, but no call has a value: every call fails the"
                " threshold. If the file has no %s, take it out of the header.",
                store.path.name, field, field,
            )  # fmt: skip


@dataclass(frozen=True)
class _Chunk:
    """Records ``start`` to ``stop`` of a store."""

    start: int
    stop: int
    position: NDArray[np.int32]
    calls: CallBlock


def _wanted_chunks(store: Store, record: NDArray[np.int32]) -> Iterator[tuple[int, int]]:
    """List the chunks of a store that hold records with kept alleles."""
    n, step = store.rows("variant_position"), store.chunk_rows("call_genotype")
    for start in range(0, n, step):
        stop = min(start + step, n)
        first, last = np.searchsorted(record, (start, stop))
        if first < last:
            yield start, stop


def _read_chunk(store: Store, genotype_filter: GenotypeFilter, place: tuple[int, int]) -> _Chunk:
    """Read a chunk's calls, with the fields that the filter needs and the store has."""
    arrays = {"GQ": "call_GQ", "DP": "call_DP", "AD": "call_het_alt_AD"}
    fields = (
        store.read(name, *place) if field in genotype_filter.fields and name in store else None
        for field, name in arrays.items()
    )
    position = store.read("variant_position", *place)
    return _Chunk(*place, position, CallBlock(store.read("call_genotype", *place), *fields))


def _of_alleles(
    counts: Counts, rows: NDArray[np.int64], records: NDArray[np.int32]
) -> tuple[NDArray[np.int32], ...]:
    """Pick the counts of some alleles, in the order of `_TABLES`."""
    return (
        counts.allele_count[rows],
        counts.allele_number[records],
        counts.homozygotes[rows],
        counts.hemizygotes[rows],
        counts.raw_allele_count[rows],
        counts.raw_allele_number[records],
    )


def _refused_spans(store: Store, alleles: _Alleles) -> NDArray[np.int32]:
    """List where the cohort has a record that was refused, as (spans, 2), 0-based half-open.

    There its silence about other variants says nothing: nobody looked in a way that can be used.
    """
    refused = np.unique(alleles.record[np.isin(alleles.outcome, REFUSED_EVIDENCE)])
    if not len(refused):
        return np.empty((0, 2), np.int32)
    start = store.read("variant_position")[refused] - 1
    return np.column_stack([start, start + store.read("variant_length")[refused]])


def _write(
    writer: StoreWriter,
    variants: Variants,
    counts: list[NDArray[np.int32]],
    refused: NDArray[np.int32],
) -> None:
    writer.append(
        {
            "variant_position": variants.position,
            "variant_ref": variants.ref.objects(),
            "variant_alt": variants.alt.objects(),
            **dict(zip(_TABLES, counts, strict=True)),
        },
        dims=_CELL_DIMS,
    )
    writer.append({"refused_start": refused[:, 0], "refused_end": refused[:, 1]})
