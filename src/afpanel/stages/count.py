"""Count alleles per cell: one partition of a cohort, in one pass over its genotypes.

Who is counted, in which cell, and which calls are good enough is decided here, so that a change of
any of these costs a recount, and no file is parsed again.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from afpanel.core.counting import GenotypeFilter
from afpanel.core.variants import sort_keys
from afpanel.io.store import Store
from afpanel.io.tables import read_excluded, read_samples
from afpanel.model.arrays import RAW_COUNTS
from afpanel.model.cohort import cells_of
from afpanel.stages.allele_map import read_partition
from afpanel.stages.cell_counts import CountsHead, create_cell_counts
from afpanel.stages.count_merged import count_merged
from afpanel.stages.count_records import TABLES, count_records, people_of
from afpanel.stages.count_track import append_track
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION, partition_of

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
        Sample sheet of the cohort.
    out
        Store of counts to write: canonical variants in order, and for each its counts per cell.
    options
        See `CountOptions`.
    """
    samples = read_samples(sheet)
    if options.exclude is not None:
        samples = read_excluded(options.exclude, samples)
    cells = cells_of(samples)
    with Store(store_path, GENOTYPES, GENOTYPES_VERSION) as store:
        n_records = store.rows("variant_position")
        alleles = read_partition(alleles_path, partition_of(store_path), n_records)
        ids = store.texts("sample_id")
        people = people_of(ids, samples, cells, store_path)
        how = (people, len(cells), options.build, options.genotype_filter)
        counts = count_records(store, alleles, *how)
    count_merged(store_path, alleles, *how, counts)
    variants = alleles.variants
    order = np.lexsort((sort_keys(variants), alleles.contig))
    tables = {
        # Before the filter everybody is taken together, as it is published.
        name: (values.sum(axis=1) if name in RAW_COUNTS else values)[order]
        for name, values in zip(TABLES, counts, strict=True)
    }
    head = CountsHead(options.cohort, options.country, cells)
    with create_cell_counts(out, head, alleles.panel) as writer:
        writer.variants(alleles.contig[order], variants.take(order), tables)
        refused = alleles.refused
        writer.refused(refused.contig, refused.start, refused.end)
        with Store(store_path, GENOTYPES, GENOTYPES_VERSION) as store:
            append_track(writer, store, alleles, *how)
    passed, raw = (int(tables[name].sum()) for name in ("allele_number", "raw_allele_number"))
    logger.info(
        "count %s: done, %s variants in %d cells of %s people; %s of called alleles pass the filter",
        store_path.name, f"{len(variants):,}", len(cells), f"{sum(c.people for c in cells):,}",
        f"{passed / raw:.1%}" if raw else "none",
    )  # fmt: skip
