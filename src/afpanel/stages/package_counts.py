"""The counts of a contribution: what a cohort says of a contig, less what its programme keeps to itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.core.intervals import Intervals
from afpanel.core.strings import Strings
from afpanel.core.tracks import Track
from afpanel.core.variants import Variants
from afpanel.core.withholding import Sharing, ToldCells, told_tables
from afpanel.model.arrays import RAW_COUNTS
from afpanel.stages.cell_counts import CELL_TABLES, CellCountsWriter, CountsHead, create_cell_counts
from afpanel.stages.cohort_counts import CohortCounts, ContigOptions, windows
from afpanel.stages.contribution import Totals
from afpanel.stages.contribution_sizes import Sizes


@dataclass(frozen=True)
class ToldContig:
    """What was written of a contig.

    Parameters
    ----------
    totals
        Its sums.
    dropped
        Variants that were left out.
    """

    totals: Totals
    dropped: int


def package_contig(
    cohort: CohortCounts,
    told: ToldCells,
    sharing: Sharing,
    left_out: Intervals,
    options: ContigOptions,
    out: Path,
    sizes: Sizes,
) -> ToldContig:
    """Write a contig's counts as they are handed over.

    Parameters
    ----------
    cohort
        What the cohort says of the contig; its track is read to the end.
    told, sharing, left_out
        What is told: cells, limits, and regions of which nothing is.
    options
        How the contig is read.
    out
        Store to write.
    sizes
        Is told of what is written.
    """
    head = told_head(cohort.head, told, sharing)
    tally = _Tally(len(told.cells))
    contig = options.contig
    with create_cell_counts(out, head, [contig]) as writer:
        _write_no_variants(writer, len(told.cells))
        refused = [cohort.evidence.refused, left_out]
        for variants, own in _rows(cohort, options):
            copies = np.maximum(told.add(own["allele_count"]), 0).sum(axis=1)
            hidden = copies < sharing.min_variant_count
            hidden |= left_out.touches(variants.start, variants.end)
            # Else the cohort's silence would say that nobody has them.
            refused.append(Intervals.of(variants.start[hidden], variants.end[hidden]))
            tally.dropped += int(hidden.sum())
            tables = told_tables(own, told, sharing.min_allele_count)
            if hidden.any():
                tables = {name: table[~hidden] for name, table in tables.items()}
                variants = variants.take(np.flatnonzero(~hidden))  # noqa: PLW2901 - less the hidden
            _write(writer, variants, tables, tally)
            sizes.look_at(contig, variants, tables)
        places = Intervals.union(refused)
        tally.refused = int((places.end - places.start).sum())
        writer.refused(_zeros(len(places.start)), places.start, places.end)
        regions = cohort.evidence.callable_regions
        if regions is not None:
            tally.callable = int((regions.end - regions.start).sum())
            writer.callable(_zeros(len(regions.start)), regions.start, regions.end)
        if cohort.evidence.track is not None:
            nobody = np.empty(0, np.int64)
            _write_track(writer, Track(nobody, nobody, np.empty((0, len(told.cells)), np.int32)))
            for track in cohort.evidence.track.rest():
                number = told.add(track.number)
                tally.runs += _write_track(writer, Track(track.start, track.end, number))
    return ToldContig(tally.totals(), tally.dropped)


def told_head(head: CountsHead, told: ToldCells, sharing: Sharing) -> CountsHead:
    """Say whose counts are told."""
    lacking = head.has_missing or not told.whole or sharing.min_allele_count > 1
    return CountsHead(head.cohort, head.country, told.cells, told.withheld, lacking)


class _Tally:
    """Adds up what is written."""

    def __init__(self, cells: int) -> None:
        self._count = np.zeros(cells, np.int64)
        self._number = np.zeros(cells, np.int64)
        self._variants = self._masked = 0
        self.dropped = self.refused = self.callable = self.runs = 0

    def add(self, variants: Variants, tables: dict[str, NDArray[np.int32]]) -> None:
        count = tables["allele_count"]
        self._variants += len(variants)
        self._masked += int((count < 0).sum())
        self._count += np.maximum(count, 0).sum(axis=0)
        self._number += tables["allele_number"].sum(axis=0)

    def totals(self) -> Totals:
        return Totals(
            self._variants,
            self._masked,
            self._count.tolist(),
            self._number.tolist(),
            self.refused,
            self.callable,
            self.runs,
        )


def _rows(
    cohort: CohortCounts, options: ContigOptions
) -> Iterator[tuple[Variants, dict[str, NDArray[np.int32]]]]:
    """Read the cohort's variants in order, with their counts."""
    for window in windows([cohort], options):
        said = next(window.said())
        order = np.argsort(said.rows)  # its stores need not be of consecutive places
        yield window.variants, {name: said.tables[name][order] for name in CELL_TABLES}


def _write(
    writer: CellCountsWriter,
    variants: Variants,
    tables: dict[str, NDArray[np.int32]],
    tally: _Tally,
) -> None:
    writer.variants(_zeros(len(variants)), variants, tables)
    tally.add(variants, tables)


def _write_no_variants(writer: CellCountsWriter, cells: int) -> None:
    """Make the tables, which a contig without variants has too."""
    nothing = Variants(np.empty(0, np.int32), Strings.empty(0), Strings.empty(0))
    shapes = {name: (0,) if name in RAW_COUNTS else (0, cells) for name in CELL_TABLES}
    tables = {name: np.empty(shape, np.int32) for name, shape in shapes.items()}
    writer.variants(_zeros(0), nothing, tables)


def _zeros(n: int) -> NDArray[np.int16]:
    return np.zeros(n, np.int16)


def _write_track(writer: CellCountsWriter, track: Track) -> int:
    """Write part of a track; bases of which nobody was called say no more than those between runs."""
    some = np.flatnonzero(track.number.any(axis=1))
    writer.track(_zeros(len(some)), track.start[some], track.end[some], track.number[some])
    return len(some)
