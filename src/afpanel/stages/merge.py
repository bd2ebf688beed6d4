"""Merge the counts of all cohorts on one contig: the union of variants, and each group's sums.

A cohort that has no record of a variant speaks for it only where there is evidence that it could have
seen it. Works through the contig in windows, so memory does not grow with its length.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, Sex, State
from afpanel.core.callability import (
    absent_callable,
    cell_states,
    copies_per_cell,
    record_of_site,
)
from afpanel.core.contigs import ContigNames, contig_kind
from afpanel.core.intervals import Intervals
from afpanel.core.masking import GroupCounts
from afpanel.core.ploidy import loci_of
from afpanel.core.variants import Variants, concatenate, union
from afpanel.errors import BadInputError
from afpanel.io.panel_store import PanelHead, create_panel, write_panel_block
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.store import Store
from afpanel.io.tables import read_aliases, read_bed
from afpanel.model.arrays import COUNTS
from afpanel.model.cohort import Cell
from afpanel.model.groups import Group, groups_of
from afpanel.stages.count import CELL_COUNTS, CELL_COUNTS_VERSION
from afpanel.stages.progress import Progress

logger = logging.getLogger(__name__)

_WINDOW_ROWS = 500_000


@dataclass(frozen=True)
class MergeOptions:
    """What `merge` needs to know besides its files.

    Parameters
    ----------
    contig
        Contig to merge, by the reference's name.
    build
        Genome build of the panel.
    callable_beds
        BED of each cohort that has one.
    aliases
        Table of contig names, or None.
    window_rows
        Rows of all cohorts to hold at a time.
    """

    contig: str
    build: str
    callable_beds: Mapping[str, Path]
    aliases: Path | None = None
    window_rows: int = _WINDOW_ROWS


@dataclass(frozen=True)
class _CountsFile:
    """One store of counts: its rows of the contig begin at `first`, and have these positions."""

    path: Path
    first: int
    position: NDArray[np.int32]


@dataclass(frozen=True)
class _CohortCounts:
    """Everything a cohort brings to the merge of a contig."""

    name: str
    country: str
    cells: list[Cell]
    files: list[_CountsFile]
    callable_regions: Intervals | None
    refused: Intervals


@dataclass(frozen=True)
class _CohortFiles:
    """What has been found of a cohort while its stores are looked at."""

    country: str
    cells: list[Cell]
    files: list[_CountsFile] = field(default_factory=list)
    refused_start: list[NDArray[np.int32]] = field(default_factory=list)
    refused_end: list[NDArray[np.int32]] = field(default_factory=list)


def merge(
    counts: Sequence[Path], reference_paths: ReferencePaths, out: Path, options: MergeOptions
) -> None:
    """Merge one contig.

    Parameters
    ----------
    counts
        Stores of counts, in any order. Of every cohort of the panel at least one must be given, be it
        of another contig: it tells which people are silent here.
    reference_paths
        The panel's reference.
    out
        Panel store to write.
    options
        See `MergeOptions`.
    """
    reference = Reference(reference_paths)
    if options.contig not in reference.lengths:
        raise BadInputError(f"no contig '{options.contig}'", where=reference.path)
    aliases = read_aliases(options.aliases)
    names = ContigNames(reference.lengths, aliases)
    cohorts = _read_cohorts(counts, names, options)
    groups = groups_of((cohort.country, cell) for cohort in cohorts for cell in cohort.cells)
    head = PanelHead(
        contig=options.contig,
        contig_length=reference.lengths[options.contig],
        groups=[group.name for group in groups],
        people=[
            sum(c.people for cohort in cohorts for c in cohort.cells if g.holds(cohort.country, c))
            for g in groups
        ],
    )
    progress = Progress(logger, f"merge {options.contig}", "variants")
    with create_panel(out, head) as writer:
        for start, stop in _windows(cohorts, options.window_rows):
            variants, sums = _merge_window(cohorts, groups, start, stop, options)
            write_panel_block(writer, variants, sums)
            progress.advance(len(variants), f"{len(cohorts)} cohorts, {len(groups)} groups")
    logger.info("merge %s: done, %s variants", options.contig, f"{progress.done:,}")


def _read_cohorts(
    paths: Sequence[Path], names: ContigNames, options: MergeOptions
) -> list[_CohortCounts]:
    """Look at every store of counts, and gather what belongs to each cohort, by name."""
    found: dict[str, _CohortFiles] = {}
    for path in sorted(paths):
        with Store(path, CELL_COUNTS, CELL_COUNTS_VERSION) as store:
            about = store.attributes
            cells = [Cell(label, Sex(sex), people) for label, sex, people in about["cells"]]
            cohort = found.setdefault(about["cohort"], _CohortFiles(about["country"], cells))
            people = [cell.people for cell in cohort.cells]
            if (cohort.country, cohort.cells, people) != (
                about["country"],
                cells,
                [cell.people for cell in cells],
            ):
                raise BadInputError(
                    f"counts of cohort {about['cohort']} were made from different sample sheets",
                    where=path,
                    remedy="count every partition of the cohort again",
                )
            contigs = store.texts("contig_id")
            number = contigs.index(options.contig) if options.contig in contigs else MISSING
            found_at = store.read("variant_contig")
            first, last = np.searchsorted(found_at, (number, number + 1)).tolist()
            if first < last:
                position = store.read("variant_position", first, last)
                cohort.files.append(_CountsFile(path, first, position))
            refused = store.read("refused_contig") == number
            cohort.refused_start.append(store.read("refused_start")[refused])
            cohort.refused_end.append(store.read("refused_end")[refused])
    unknown = sorted(set(options.callable_beds) - set(found))
    if unknown:
        raise BadInputError(f"callable regions of {unknown[0]}, but no counts of that cohort")
    cohorts = []
    nothing = np.empty(0, np.int32)
    for name, cohort in sorted(found.items()):
        bed = options.callable_beds.get(name)
        cohorts.append(
            _CohortCounts(
                name=name,
                country=cohort.country,
                cells=cohort.cells,
                files=cohort.files,
                callable_regions=None if bed is None else read_bed(bed, names, options.contig),
                refused=Intervals.of(
                    np.concatenate([nothing, *cohort.refused_start]),
                    np.concatenate([nothing, *cohort.refused_end]),
                ),
            )
        )
    return cohorts


def _windows(cohorts: list[_CohortCounts], rows: int) -> Iterator[tuple[int, int]]:
    """Cut the contig into half-open ranges of positions that hold about `rows` rows each."""
    positions = [file.position for cohort in cohorts for file in cohort.files]
    if not positions:
        return
    everything = np.sort(np.concatenate(positions))
    if not len(everything):
        return
    # A window begins at a position, so that all variants of one position are in one window.
    starts = np.unique(everything[::rows]).tolist()
    yield from zip(starts, [*starts[1:], int(everything[-1]) + 1], strict=True)


def _merge_window(
    cohorts: list[_CohortCounts], groups: list[Group], start: int, stop: int, options: MergeOptions
) -> tuple[Variants, GroupCounts]:
    """Merge the variants of one range of positions."""
    read = [_read_window(cohort, start, stop) for cohort in cohorts]
    variants, rows = union([variants for variants, _ in read])
    n = len(variants)
    sums = [np.zeros((n, len(groups)), np.int64) for _ in COUNTS]
    state = np.full((n, len(groups)), State.NOT_CALLABLE, np.int8)
    loci = loci_of(contig_kind(options.contig), options.build, variants.position)
    for cohort, (_, counts), at in zip(cohorts, read, rows, strict=True):
        copies = copies_per_cell(loci, cohort.cells)
        observed = np.zeros(n, np.bool_)
        observed[at] = True
        number = counts[COUNTS.index("allele_number")]
        beside = record_of_site(variants, at, number.sum(axis=1))
        by_record = ~observed & (beside >= 0)
        by_record &= ~cohort.refused.touches(variants.start, variants.end)
        # What a record of the site says goes before what holds for the region.
        copies[by_record] = np.where(copies[by_record] > 0, number[beside[by_record]], 0)
        in_region = absent_callable(variants, cohort.callable_regions, cohort.refused)
        absent = by_record | (~observed & in_region)
        states = cell_states(observed, absent, copies)
        expanded = [np.zeros((n, len(cohort.cells)), np.int32) for _ in COUNTS]
        for target, of_cohort in zip(expanded, counts, strict=True):
            target[at] = of_cohort
        expanded[COUNTS.index("allele_number")][absent] = copies[absent]
        for g, group in enumerate(groups):
            members = [i for i, c in enumerate(cohort.cells) if group.holds(cohort.country, c)]
            if members:
                for total, of_cells in zip(sums, expanded, strict=True):
                    total[:, g] += of_cells[:, members].sum(axis=1)
                np.maximum(state[:, g], states[:, members].max(axis=1), out=state[:, g])
    unknown = state == State.NOT_CALLABLE
    ac, an, hom, hemi = sums
    for values in (ac, hom, hemi):
        values[unknown] = MISSING
    return variants, GroupCounts(
        ac.astype(np.int32),
        an.astype(np.int32),
        hom.astype(np.int32),
        hemi.astype(np.int32),
        state,
    )


def _read_window(
    cohort: _CohortCounts, start: int, stop: int
) -> tuple[Variants, list[NDArray[np.int32]]]:
    """Read a cohort's variants in a range of positions, with their counts in order of `COUNTS`."""
    tables: list[Variants] = []
    counts: list[list[NDArray[np.int32]]] = [[] for _ in COUNTS]
    for file in cohort.files:
        first, last = np.searchsorted(file.position, (start, stop)).tolist()
        if first == last:
            continue
        with Store(file.path, CELL_COUNTS, CELL_COUNTS_VERSION) as store:
            rows = (file.first + first, file.first + last)
            ref, alt = (store.strings(f"variant_{x}", *rows) for x in ("ref", "alt"))
            tables.append(Variants(file.position[first:last], ref, alt))
            for values, name in zip(counts, COUNTS, strict=True):
                values.append(store.read(name, *rows))
    shape = (0, len(cohort.cells))
    return concatenate(tables), [
        np.concatenate(values) if values else np.empty(shape, np.int32) for values in counts
    ]
