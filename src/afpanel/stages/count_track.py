"""AN at every base of a partition of gVCFs: the spans of its store counted, cell by cell."""

import logging
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import PSEUDOAUTOSOMAL
from afpanel.core.allele_number_track import Sweep, split_at
from afpanel.core.calls import CallBlock
from afpanel.core.contigs import contig_kind
from afpanel.core.counting import GenotypeFilter, count_block
from afpanel.core.ploidy import loci_of
from afpanel.core.tracks import Track
from afpanel.io.store import Store
from afpanel.stages.allele_map import PartitionAlleles
from afpanel.stages.cell_counts import CellCountsWriter
from afpanel.stages.count_records import People

logger = logging.getLogger(__name__)

_ALLELES = 3  # of a span: REF, another, and a second other


def append_track(
    writer: CellCountsWriter,
    store: Store,
    alleles: PartitionAlleles,
    people: People,
    n_cells: int,
    build: str,
    genotype_filter: GenotypeFilter,
) -> None:
    """Write the AN track of a partition beside its counts, if its store has spans.

    Parameters
    ----------
    writer
        The store of counts.
    store
        The genotype store.
    alleles
        The partition's rows of the allele map.
    people, n_cells
        Its samples, and the number of cells they are in.
    build
        Genome build of the cohort.
    genotype_filter
        Which calls count.
    """
    if "span_start" not in store:
        return
    contig = alleles.source_contig
    number = -1 if contig is None else alleles.panel.index(contig)
    sweep = Sweep(n_cells)
    _append(writer, sweep.empty(), number)
    runs = bases = 0
    if contig is not None:
        for track in _tracks(sweep, store, contig, people, build, genotype_filter):
            _append(writer, track, number)
            runs += len(track)
            bases += int((track.end - track.start).sum())
    logger.info("count %s: AN at %s bases, in %s runs", store.path.name, f"{bases:,}", f"{runs:,}")


def _append(writer: CellCountsWriter, track: Track, contig: int) -> None:
    contigs = np.full(len(track), contig, np.int16)
    writer.track(contigs, track.start, track.end, track.number)


def _tracks(
    sweep: Sweep,
    store: Store,
    contig: str,
    people: People,
    build: str,
    genotype_filter: GenotypeFilter,
) -> Iterator[Track]:
    """Go through the spans of a store, and give the runs as they come."""
    kind = contig_kind(contig)
    borders = PSEUDOAUTOSOMAL.get(build, {}).get(kind.value, ())
    cuts = np.array([cut for first, last in borders for cut in (first - 1, last)], np.int64)
    step = store.chunk_rows("span_start")
    for at in range(0, store.rows("span_start"), step):
        place = (at, min(at + step, store.rows("span_start")))
        row, start, end = split_at(
            store.read("span_start", *place), store.read("span_end", *place), cuts
        )
        sample = store.read("span_sample", *place)[row]
        loci = loci_of(kind, build, start + np.int32(1))
        calls = _calls_of(store, genotype_filter, place).take(row)
        number = _allele_number(calls, loci, people.sex[sample], genotype_filter)
        counted = np.flatnonzero((people.cell[sample] >= 0) & (number > 0))
        yield from sweep.add(
            start[counted], end[counted], people.cell[sample[counted]], number[counted]
        )
    yield from sweep.finish()


def _calls_of(store: Store, genotype_filter: GenotypeFilter, place: tuple[int, int]) -> CallBlock:
    """Read the calls of some spans, as records of one sample."""
    arrays = {"GQ": "span_GQ", "DP": "span_DP", "AD": "span_het_alt_AD"}
    fields = (
        store.read(name, *place)[:, None]
        if field in genotype_filter.fields and name in store
        else None
        for field, name in arrays.items()
    )
    return CallBlock(store.read("span_genotype", *place)[:, None], *fields)


def _allele_number(
    calls: CallBlock,
    loci: NDArray[np.int8],
    sex: NDArray[np.int8],
    genotype_filter: GenotypeFilter,
) -> NDArray[np.int32]:
    """Count the called alleles of each span, as those of a record of one person are; (n,) int32."""
    result = np.zeros(len(sex), np.int32)
    for code in np.unique(sex):
        rows = np.flatnonzero(sex == code)
        counts = count_block(
            calls.take(rows),
            np.arange(len(rows) + 1, dtype=np.int64) * _ALLELES,
            loci[rows],
            np.array([code], np.int8),
            np.zeros(1, np.int32),
            1,
            genotype_filter,
        )
        result[rows] = counts.allele_number[:, 0]
    return result
