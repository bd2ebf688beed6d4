"""Count alleles per cell: one partition of a cohort, in one pass over its genotypes, or published counts.

Who is counted, in which cell, and which calls are good enough is decided here, so that a change of
any of these costs a recount, and no file is parsed again.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.core.counting import GenotypeFilter
from afpanel.core.variants import sort_keys
from afpanel.io.cell_table import read_cells
from afpanel.io.store import Store
from afpanel.io.tables import read_excluded, read_samples
from afpanel.model.arrays import RAW_COUNTS
from afpanel.model.cohort import cells_of
from afpanel.stages.allele_map import PartitionAlleles, read_partition
from afpanel.stages.cell_counts import CellCountsWriter, CountsHead, create_cell_counts
from afpanel.stages.count_merged import count_merged
from afpanel.stages.count_records import TABLES, count_records, people_of
from afpanel.stages.count_sites import count_sites
from afpanel.stages.count_track import append_track
from afpanel.stages.genotype_stores import (
    GENOTYPES,
    GENOTYPES_VERSION,
    has_published,
    partition_of,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CountOptions:
    """What `count` needs to know besides its files.

    Parameters
    ----------
    cohort, country
        The cohort, and its country's ISO 3166-1 alpha-2 code.
    build
        Genome build of the cohort, which places the pseudoautosomal regions.
    genotype_filter
        Which calls count.
    exclude
        List of samples not to count, be they included in the sheet; or None.
    """

    cohort: str
    country: str
    build: str
    genotype_filter: GenotypeFilter
    exclude: Path | None = None


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
        Sample sheet of the cohort, or of published counts its table of cells.
    out
        Store of counts to write: canonical variants in order, and for each its counts per cell.
    options
        See `CountOptions`.
    """
    with Store(store_path, GENOTYPES, GENOTYPES_VERSION) as store:
        alleles = read_partition(
            alleles_path, partition_of(store_path), store.rows("variant_position")
        )
        if has_published(store):
            cells = [each.cell for each in read_cells(sheet)]
            # What does not follow from what is published is missing, here or in another partition.
            head = CountsHead(options.cohort, options.country, cells, has_missing=True)
            tables = count_sites(store, alleles, cells, options.build)
            _write(out, head, alleles, tables)
            logger.info(
                "count %s: done, %s variants in %d cells of %s people, as they were published",
                store_path.name, f"{len(alleles.variants):,}", len(cells),
                f"{sum(c.people for c in cells):,}",
            )  # fmt: skip
            return
    _count_genotypes(store_path, alleles, sheet, out, options)


def _count_genotypes(
    store_path: Path, alleles: PartitionAlleles, sheet: Path, out: Path, options: CountOptions
) -> None:
    """Count one partition from its genotypes."""
    samples = read_samples(sheet)
    if options.exclude is not None:
        samples = read_excluded(options.exclude, samples)
    cells = cells_of(samples)
    with Store(store_path, GENOTYPES, GENOTYPES_VERSION) as store:
        ids = store.texts("sample_id")
        people = people_of(ids, samples, cells, store_path)
        how = (people, len(cells), options.build, options.genotype_filter)
        counts = count_records(store, alleles, *how)
    count_merged(store_path, alleles, *how, counts)
    tables = {
        # Before the filter everybody is taken together, as it is published.
        name: values.sum(axis=1) if name in RAW_COUNTS else values
        for name, values in zip(TABLES, counts, strict=True)
    }
    head = CountsHead(options.cohort, options.country, cells)

    def add_track(writer: CellCountsWriter) -> None:
        with Store(store_path, GENOTYPES, GENOTYPES_VERSION) as store:
            append_track(writer, store, alleles, *how)

    _write(out, head, alleles, tables, add_track)
    passed, raw = (int(tables[name].sum()) for name in ("allele_number", "raw_allele_number"))
    logger.info(
        "count %s: done, %s variants in %d cells of %s people; %s of called alleles pass the filter",
        store_path.name, f"{len(alleles.variants):,}", len(cells),
        f"{sum(c.people for c in cells):,}", f"{passed / raw:.1%}" if raw else "none",
    )  # fmt: skip


def _write(
    out: Path,
    head: CountsHead,
    alleles: PartitionAlleles,
    tables: Mapping[str, NDArray[np.int32]],
    further: Callable[[CellCountsWriter], None] | None = None,
) -> None:
    """Write the counts of a partition's variants in order, and where it has records that were refused."""
    variants = alleles.variants
    order = np.lexsort((sort_keys(variants), alleles.contig))
    with create_cell_counts(out, head, alleles.panel) as writer:
        in_order = {name: values[order] for name, values in tables.items()}
        writer.variants(alleles.contig[order], variants.take(order), in_order)
        refused = alleles.refused
        writer.refused(refused.contig, refused.start, refused.end)
        if further is not None:
            further(writer)
