"""Counting the variants of one partition from published counts."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from afpanel.core.callability import copies_per_cell
from afpanel.core.contigs import contig_kind
from afpanel.core.ploidy import loci_of
from afpanel.core.published_counts import count_published
from afpanel.core.site_fields import called
from afpanel.errors import BadInputError
from afpanel.io.store import Store
from afpanel.model.cohort import Cell
from afpanel.stages.allele_map import PartitionAlleles
from afpanel.stages.published_store import read_published

logger = logging.getLogger(__name__)


def count_sites(
    store: Store, alleles: PartitionAlleles, cells: Sequence[Cell], build: str
) -> dict[str, NDArray[np.int32]]:
    """Give the counts of every variant of a partition.

    Parameters
    ----------
    store
        Store of published counts.
    alleles
        The partition's rows of the allele map.
    cells
        The cells, in the order of the store's columns.
    build
        Genome build of the cohort.

    Returns
    -------
    dict
        Of each of `cell_counts.CELL_TABLES`: (variants, cells) int32, or (variants,) of everybody.

    Raises
    ------
    BadInputError
        If the store is of other cells, or more alleles were called than people have copies.
    """
    names = [called(cell) for cell in cells]
    if store.attributes["cells"] != names:
        raise BadInputError(
            "the store is of other cells than the table of cells",
            where=store.path,
            expected=", ".join(names),
            found=", ".join(store.attributes["cells"]),
            remedy="ingest the cohort again with this table",
        )
    counts = read_published(store)
    position = store.read("variant_position")
    kind = contig_kind(alleles.source_contig or "")
    loci = loci_of(kind, build, position)
    copies = copies_per_cell(loci, cells)
    _check_called(store, position, counts.allele_number, copies, cells)
    made = count_published(counts, loci, cells, alleles.record, alleles.index)
    return {
        "allele_count": made.allele_count,
        "allele_number": made.allele_number,
        "homozygote_count": made.homozygotes,
        "hemizygote_count": made.hemizygotes,
        "single_allele_count": made.single_allele_count,
        "single_allele_number": made.single_allele_number,
        "raw_allele_count": made.raw_allele_count,
        "raw_allele_number": made.raw_allele_number,
    }


def _check_called(
    store: Store,
    position: NDArray[np.int32],
    number: NDArray[np.int32],
    copies: NDArray[np.int32],
    cells: Sequence[Cell],
) -> None:
    """Refuse more called alleles than there are copies; say which cells are not counted for want of one."""
    wrong = np.argwhere((number > copies) & (copies > 0))
    if len(wrong):
        row, c = wrong[0].tolist()
        raise BadInputError(
            "more called alleles than people can have",
            where=f"{store.path.name}, position {position[row]}, {called(cells[c])}",
            expected=f"AN of at most {copies[row, c]}, of {cells[c].people} people",
            found=int(number[row, c]),
            remedy="correct the number of people, or name the AN of this cell, in the table of cells; on X"
            " and Y outside the pseudoautosomal regions XY people have one copy",
        )
    for c, cell in enumerate(cells):
        n = int(np.count_nonzero((number[:, c] > 0) & (copies[:, c] == 0)))
        if n:
            logger.warning(
                "count %s: at %s records %s is not counted, for nobody is known to have a copy there",
                store.path.name, f"{n:,}", called(cell),
            )  # fmt: skip
