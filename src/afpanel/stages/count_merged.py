"""Counting a variant that several records of a cohort speak of: person by person."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.core.contigs import contig_kind
from afpanel.core.counting import GenotypeFilter, count_block
from afpanel.core.ploidy import PLOIDY, loci_of
from afpanel.errors import BadInputError
from afpanel.io.store import Store
from afpanel.model.arrays import COUNTS
from afpanel.stages.allele_map import MergedAllele, PartitionAlleles
from afpanel.stages.count_records import TABLES, People, of_alleles, read_calls
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION, partition_of, people_as_in

_CALLS_AT_A_TIME = 2_000_000


def count_merged(
    store_path: Path,
    alleles: PartitionAlleles,
    people: People,
    n_cells: int,
    build: str,
    genotype_filter: GenotypeFilter,
    tables: Sequence[NDArray[np.int32]],
) -> None:
    """Count anew the variants of a partition that other source alleles belong to as well.

    Copies add up for each person; the alleles that somebody has are those of the record with most.

    Parameters
    ----------
    store_path
        Genotype store of the partition; those of the cohort's other partitions lie beside it.
    alleles, people, n_cells, build, genotype_filter
        As for `count_records`.
    tables
        For each of `TABLES`, (variants, cells) int32, in which the rows are replaced.
    """
    own = partition_of(store_path)
    members = alleles.merged + [
        MergedAllele(leader, own, int(alleles.record[leader]), int(alleles.index[leader]))
        for leader in sorted({m.leader for m in alleles.merged})
    ]
    members.sort(key=lambda m: m.leader)
    assert not members or alleles.source_contig is not None
    kind = contig_kind(alleles.source_contig or "")
    cell = np.where(people.cell >= 0, np.arange(len(people)), -1).astype(np.int32)
    for batch in _batches(members, len(people)):
        values = np.zeros((len(TABLES), len(batch), len(people)), np.int32)
        copies = np.zeros((len(batch), len(people)), np.int32)
        for partition, chunk, at in _chunks(batch, store_path):
            path = _beside(store_path, partition)
            with Store(path, GENOTYPES, GENOTYPES_VERSION) as store:
                step = store.chunk_rows("call_genotype")
                start = chunk * step
                stop = min(start + step, store.rows("call_genotype"))
                block = read_calls(store, genotype_filter, (start, stop))
                same_people = people_as_in(store_path, store)
            local = np.array([batch[i].record - start for i in at])
            index = np.array([batch[i].index for i in at])
            calls = block.calls.take(local)
            if same_people is not None:
                calls = calls.of_people(same_people)
            calls = replace(calls, genotype=_renumbered(calls.genotype, index))
            row_offsets = 3 * np.arange(len(at) + 1)
            loci = loci_of(kind, build, block.position[local])
            counts = count_block(
                calls, row_offsets, loci, people.sex, cell, len(people), genotype_filter
            )
            rows = row_offsets[:-1] + 1
            copies[at] = PLOIDY[loci][:, people.sex]
            values[:, at] = of_alleles(counts, rows, np.arange(len(at), dtype=np.int32))
        leaders = np.array([member.leader for member in batch])
        starts = np.flatnonzero(np.diff(leaders, prepend=-1))
        for table, total in zip(tables, _merged(values, copies, starts), strict=True):
            table[leaders[starts]] = _per_cell(total, people.cell, n_cells)


def _batches(members: list[MergedAllele], people: int) -> Iterator[list[MergedAllele]]:
    """Cut members, all of a variant together, so that the counts of each batch fit into memory."""
    batch: list[MergedAllele] = []
    for member in members:
        full = len(batch) * people >= _CALLS_AT_A_TIME
        if full and member.leader != batch[-1].leader:
            yield batch
            batch = []
        batch.append(member)
    if batch:
        yield batch


def _chunks(batch: list[MergedAllele], store_path: Path) -> Iterator[tuple[str, int, list[int]]]:
    """List the chunks that hold the calls of a batch: partition, number, and places in the batch."""
    steps: dict[str, int] = {}
    found: dict[tuple[str, int], list[int]] = {}
    for place, member in enumerate(batch):
        if member.partition not in steps:
            path = _beside(store_path, member.partition)
            with Store(path, GENOTYPES, GENOTYPES_VERSION) as store:
                steps[member.partition] = store.chunk_rows("call_genotype")
        chunk = member.record // steps[member.partition]
        found.setdefault((member.partition, chunk), []).append(place)
    for (partition, chunk), at in found.items():
        yield partition, chunk, at


def _beside(store_path: Path, partition: str) -> Path:
    """Find the store of another partition of the cohort."""
    path = store_path.with_name(store_path.name.replace(partition_of(store_path), partition, 1))
    if not path.is_file():
        raise BadInputError(
            "file does not exist",
            where=path,
            expected=f"the store of partition {partition} beside {store_path.name}: a variant has"
            " records in both",
            remedy="keep the stores of a cohort in one folder",
        )
    return path


def _renumbered(genotype: NDArray[np.integer], index: NDArray[np.integer]) -> NDArray[np.integer]:
    """Call one allele of each record 1 and all others 0, or 2 beside a 0: few, whatever ALTs there are."""
    own = genotype == index[:, None, None]
    result = np.where(genotype < 0, genotype, own.astype(np.int8)).astype(np.int8)
    if genotype.shape[2] > 1:
        first, second = genotype[..., 0], genotype[..., 1]
        differ = (first != second) & (first >= 0) & (second >= 0) & ~own.any(axis=2)
        result[..., 1][differ] = 2
    return result


def _merged(
    values: NDArray[np.int32], copies: NDArray[np.int32], starts: NDArray[np.int64]
) -> tuple[NDArray[np.int32], ...]:
    """Put the records of each variant together; for each of `TABLES`, (variants, people)."""
    named = dict(zip(TABLES, values, strict=True))
    total = {}
    most = np.maximum.reduceat(copies, starts, axis=0)
    for prefix in ("", "raw_"):
        count = np.add.reduceat(named[f"{prefix}allele_count"], starts, axis=0)
        number = np.maximum.reduceat(named[f"{prefix}allele_number"], starts, axis=0)
        # Where only half-calls of somebody pass the filter, each may speak of another copy.
        number = np.maximum(number, np.minimum(count, most))
        total[f"{prefix}allele_number"] = number
        total[f"{prefix}allele_count"] = np.minimum(count, number)
    count, number = (total[name] for name in COUNTS[:2])
    hemizygous = np.maximum.reduceat(named["hemizygote_count"], starts, axis=0)
    total["hemizygote_count"] = hemizygous * (number == 1)
    single = number == 1
    total["homozygote_count"] = ((count == 2) & (number == 2)).astype(np.int32)
    total["single_allele_count"] = count * single
    total["single_allele_number"] = single.astype(np.int32)
    return tuple(total[name] for name in TABLES)


def _per_cell(
    values: NDArray[np.int32], cell: NDArray[np.int32], n_cells: int
) -> NDArray[np.int32]:
    """Sum the people of each cell; (variants, cells) int32."""
    result = np.zeros((n_cells, len(values)), np.int32)
    counted = np.flatnonzero(cell >= 0)
    np.add.at(result, cell[counted], values[:, counted].T)
    return result.T
