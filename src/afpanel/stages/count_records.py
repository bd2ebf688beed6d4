"""Counting the variants of one partition from its genotypes, chunk by chunk."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, SEXES, Sex
from afpanel.core.calls import CallBlock
from afpanel.core.contigs import contig_kind
from afpanel.core.counting import Counts, GenotypeFilter, cell_words, count_block
from afpanel.core.ploidy import loci_of
from afpanel.errors import BadInputError
from afpanel.io.prefetch import map_ahead
from afpanel.io.store import Store
from afpanel.model.arrays import COUNTS, RAW_COUNTS, SINGLE_COUNTS
from afpanel.model.cohort import Cell, Samples, cell_index
from afpanel.stages.allele_map import PartitionAlleles
from afpanel.stages.progress import Progress

logger = logging.getLogger(__name__)

TABLES = (*COUNTS, *SINGLE_COUNTS, *RAW_COUNTS)
"""What is counted of every variant and cell, in this order."""

_CHUNKS_AHEAD = 2


@dataclass(frozen=True)
class People:
    """The samples of a store.

    Parameters
    ----------
    sex
        (samples,) int8, index into `constants.SEXES`.
    cell
        (samples,) int32: cell of each; -1 is not counted.
    """

    sex: NDArray[np.int8]
    cell: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.sex)


def people_of(ids: list[str], samples: Samples, cells: list[Cell], store: Path) -> People:
    """Find the cell of each sample of a store."""
    row = samples.rows_of(ids)
    is_here = np.zeros(len(samples), bool)
    is_here[row[row >= 0]] = True
    if not is_here[samples.include].all():
        away = np.flatnonzero(samples.include & ~is_here)
        absent = sorted(samples.ids[i] for i in away.tolist())
        raise BadInputError(
            f"{len(absent)} samples of the sheet are not in the genotype store",
            where=store,
            found=f"no {', '.join(absent[:5])}",
            remedy="ingest the cohort again with this sheet",
        )
    sex = np.append(samples.sex, np.int8(SEXES.index(Sex.UNKNOWN)))[row]
    return People(sex, cell_index(ids, samples, cells))


def count_records(
    store: Store,
    alleles: PartitionAlleles,
    people: People,
    n_cells: int,
    build: str,
    genotype_filter: GenotypeFilter,
) -> list[NDArray[np.int32]]:
    """Count every variant of a partition from its record.

    Parameters
    ----------
    store
        Genotype store.
    alleles
        The partition's rows of the allele map.
    people, n_cells
        Its samples, and the number of cells they are in.
    build
        Genome build of the cohort.
    genotype_filter
        Which calls count.

    Returns
    -------
    list
        For each of `TABLES`, (variants, cells) int32.
    """
    record = alleles.record
    result = [np.zeros((len(record), n_cells), np.int32) for _ in TABLES]
    if alleles.source_contig is None:
        return result
    kind = contig_kind(alleles.source_contig)
    progress = Progress(logger, f"count {store.path.name}", "records")
    # A chunk of a million people is few records, of which it would take most of the time.
    words = cell_words(people.cell, n_cells)
    read = partial(read_calls, store, genotype_filter)
    for chunk in map_ahead(read, _wanted_chunks(store, record), _CHUNKS_AHEAD):
        start, stop = chunk.start, chunk.stop
        first, last = np.searchsorted(record, (start, stop))
        row_offsets = np.concatenate([[0], np.cumsum(alleles.n_alleles[start:stop])])
        counts = count_block(
            chunk.calls,
            row_offsets,
            loci_of(kind, build, chunk.position),
            people.sex,
            people.cell,
            n_cells,
            genotype_filter,
            words,
        )
        local = record[first:last] - start
        rows = row_offsets[local] + alleles.index[first:last]
        for target, values in zip(result, of_alleles(counts, rows, local), strict=True):
            target[first:last] = values
        progress.advance(stop - start, f"{len(people):,} samples", stop / len(alleles.n_alleles))
    _warn_of_empty_fields(store, genotype_filter)
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
class Chunk:
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


def read_calls(store: Store, genotype_filter: GenotypeFilter, place: tuple[int, int]) -> Chunk:
    """Read a chunk's calls, with the fields that the filter needs and the store has."""
    arrays = {"GQ": "call_GQ", "DP": "call_DP", "AD": "call_het_alt_AD"}
    fields = (
        store.read(name, *place) if field in genotype_filter.fields and name in store else None
        for field, name in arrays.items()
    )
    position = store.read("variant_position", *place)
    return Chunk(*place, position, CallBlock(store.read("call_genotype", *place), *fields))


def of_alleles(
    counts: Counts, rows: NDArray[np.integer], records: NDArray[np.integer]
) -> tuple[NDArray[np.int32], ...]:
    """Pick the counts of some alleles, in the order of `TABLES`."""
    return (
        counts.allele_count[rows],
        counts.allele_number[records],
        counts.homozygotes[rows],
        counts.hemizygotes[rows],
        counts.single_allele_count[rows],
        counts.single_allele_number[records],
        counts.raw_allele_count[rows],
        counts.raw_allele_number[records],
    )
