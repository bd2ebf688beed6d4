"""Published alleles that turn out to be one variant: one of them is kept, or none.

Nobody knows whose copies they are. Two lines that say the same thing in the same words are one statement.
Of others the copies may be those of the same people or of different ones: neither is counted, and the
cohort says nothing of their place.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Outcome
from afpanel.core.site_counts import SiteCounts, of_alleles
from afpanel.io.store import Store
from afpanel.stages.duplicates import Settled, groups_of_alleles, lie_apart, spellings
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION
from afpanel.stages.published_store import read_published
from afpanel.stages.source_alleles import SourceAlleles, Spans


def settle_published(parts: Sequence[SourceAlleles], stores: Sequence[Path]) -> Settled:
    """Find kept alleles that are one variant; keep one or none, and reject the others as duplicates.

    Parameters
    ----------
    parts
        Source alleles of each store, of which `outcome` is changed.
    stores
        The stores, in the same order.
    """
    bounds = np.concatenate([[0], np.cumsum([len(part.outcome) for part in parts])])
    group, row = groups_of_alleles(parts, bounds)
    if not len(row):
        return Settled(row, row, row)
    part_of = np.searchsorted(bounds, row, side="right") - 1
    place = row - bounds[part_of]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    of_row = np.cumsum(np.diff(group, prepend=-1) != 0) - 1
    apart = lie_apart(parts, part_of, place, starts)[of_row]
    statement = np.column_stack(
        [spellings(parts, part_of, place), _said(parts, stores, part_of, place)]
    )
    first = starts[of_row]
    alike = (statement == statement[first]).all(axis=1)
    same = np.logical_and.reduceat(alike, starts)[of_row]
    leader = row[first]
    for number in np.unique(part_of):
        mine = part_of == number
        outcome = parts[number].outcome
        outcome[place[mine & ~(same & (row == leader))]] = Outcome.DUPLICATE
        outcome[place[mine & apart]] = Outcome.LIFT_MULTIPLE
    order = np.lexsort((row, row != leader, group))
    return Settled(row[order], leader[order], part_of[order])


def with_contradictions(
    refused: Sequence[Spans], parts: Sequence[SourceAlleles], settled: Settled
) -> list[Spans]:
    """Add to the refused spans of each store its variants of which no allele is kept.

    Parameters
    ----------
    refused
        Spans of each store, on the panel's build.
    parts
        Source alleles of each.
    settled
        What `settle_published` gave of them.
    """
    bounds = np.concatenate([[0], np.cumsum([len(part.outcome) for part in parts])])
    lead_of = np.searchsorted(bounds, settled.leader, side="right") - 1
    lost = np.zeros(len(settled), np.bool_)
    for number in np.unique(lead_of):
        mine = lead_of == number
        outcome = parts[number].outcome[settled.leader[mine] - bounds[number]]
        lost[mine] = outcome == Outcome.DUPLICATE
    result = []
    for number, (spans, part) in enumerate(zip(refused, parts, strict=True)):
        rows = settled.row[lost & (settled.part == number)] - bounds[number]
        variants = part.variants.take(rows)
        result.append(
            Spans(
                np.concatenate([spans.contig, part.contig[rows]]).astype(np.int32),
                np.concatenate([spans.start, variants.start]),
                np.concatenate([spans.end, variants.end]),
            )
        )
    return result


def _said(
    parts: Sequence[SourceAlleles],
    stores: Sequence[Path],
    part_of: NDArray[np.int64],
    place: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Lay out what is said of each row: AC, AN, nhomalt and nhemialt of every cell; (n, 4 * cells)."""
    said: NDArray[np.int64] | None = None
    for number in np.unique(part_of):
        at = np.flatnonzero(part_of == number)
        part = parts[number]
        with Store(stores[number], GENOTYPES, GENOTYPES_VERSION) as store:
            counts = read_published(store)
        record, index = part.sites.record[place[at]], part.index[place[at]]
        n_cells = counts.allele_number.shape[1]
        if said is None:
            said = np.empty((len(place), 4 * n_cells), np.int64)
        for c in range(n_cells):
            alts = SiteCounts(
                counts.allele_count[:, c],
                counts.allele_number[counts.record, c],
                counts.homozygotes[:, c],
                counts.hemizygotes[:, c],
            )
            unknown = np.zeros(len(counts.record), np.int8)
            of_rows = of_alleles(alts, counts.record, unknown, record, index)
            figures = (of_rows.allele_count, of_rows.allele_number, of_rows.homozygotes)
            for k, values in enumerate((*figures, of_rows.hemizygotes)):
                said[at, 4 * c + k] = values
    assert said is not None
    return said
