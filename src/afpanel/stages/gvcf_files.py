"""The gVCFs of a cohort, before any work: whether they can be used, and where they have records."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from afpanel.core.intervals import Intervals
from afpanel.errors import AfpanelError, BadInputError
from afpanel.io.gvcf import read_list
from afpanel.io.scan import IndexedSites, Site
from afpanel.io.tables import raise_any
from afpanel.model.cohort import Cohort, Sample
from afpanel.model.region import Partition
from afpanel.stages.cohort_files import (
    PROBED,
    Grid,
    PlannedPartition,
    check_reference,
    panel_contig,
    tiles_of,
)
from afpanel.stages.gvcf_people import Person, open_people

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlannedGvcfs:
    """What is planned of a cohort of gVCFs.

    Parameters
    ----------
    files
        The gVCFs of the people of the sheet, and their indexes.
    partitions
        Where they may have records.
    """

    files: list[str]
    partitions: list[PlannedPartition]


def input_paths(cohort: Cohort) -> list[Path]:
    """List what a cohort is read from: the list, and the files it names with their indexes."""
    files = read_list(Path(cohort.path))
    return [Path(cohort.path), *(Path(f"{f}{end}") for f in files for end in ("", ".csi", ".tbi"))]


def check_build(cohort: Cohort, panel: str) -> None:
    """Refuse gVCFs on another build than the panel's: their blocks cannot be lifted."""
    if cohort.build != panel:
        raise BadInputError(
            f"gVCFs on build {cohort.build} cannot be lifted",
            where=f"cohort {cohort.name}",
            expected=f"gVCFs on {panel}, as the panel is",
            remedy=f"call the samples on {panel}, or call them together on {cohort.build} and give the"
            " VCF as kind vcf, which is lifted",
        )


def gvcf_partitions(
    cohort: Cohort, samples: list[Sample], fields: tuple[str, ...], grid: Grid, limit: float
) -> PlannedGvcfs:
    """Check a cohort's gVCFs against its sample sheet and the reference, and partition it.

    Parameters
    ----------
    cohort, samples
        The cohort, and its sample sheet.
    fields
        FORMAT fields that the genotype filter looks at.
    grid
        How to cut it.
    limit
        Share of REF mismatches at which the cohort is refused.

    Raises
    ------
    BadInputError
        With all that is wrong with the list or its files.
    """
    listed = Path(cohort.path)
    people, others = open_people(read_list(listed), [sample.id for sample in samples], fields)
    if others:
        logger.info(
            "%s: %d of the gVCFs listed are of nobody in the sample sheet, and passed over",
            cohort.name, len(others),
        )  # fmt: skip
    covered = _covered(people, grid)
    tiles: dict[tuple[str, int], None] = {}
    for source_contig, where in covered.items():
        name = grid.names.resolve(source_contig) or source_contig
        for tile, part in tiles_of(name, grid):
            start, end = max(part.region.start - 1, 0), part.region.end
            if where.touches(np.array([start]), np.array([end]))[0]:
                tiles[source_contig, tile] = None
    check_reference(cohort, _probe(people, list(tiles), grid), grid, limit)
    planned = []
    for source_contig, tile in tiles:
        name = grid.names.resolve(source_contig) or source_contig
        partition = Partition.of_tile(name, tile, grid.size, grid.lengths[name])
        planned.append(PlannedPartition(partition, str(listed), source_contig, True, None))
    files = [str(path) for person in people for path in (person.source.path, person.index)]
    return PlannedGvcfs(files, planned)


def _covered(people: Sequence[Person], grid: Grid) -> dict[str, Intervals]:
    """Find where any of the files may have records, by the files' contig names."""
    faults: list[AfpanelError] = []
    found: dict[str, list[Intervals]] = {}
    spelled: dict[str, tuple[str, Path]] = {}
    names: dict[str, str | None] = {}
    for person in people:
        path = person.source.path
        for source_contig in person.source.indexed_contigs:
            if source_contig not in names:
                names[source_contig] = None  # what is wrong with it is said of the first file alone
                try:
                    names[source_contig] = panel_contig(source_contig, path, None, grid)
                except BadInputError as fault:
                    faults.append(fault)
            name = names[source_contig]
            if name is None:
                continue
            spelling, first = spelled.setdefault(name, (source_contig, path))
            if spelling != source_contig:
                faults.append(
                    BadInputError(
                        f"calls '{source_contig}' what another gVCF of the cohort calls '{spelling}'",
                        where=path,
                        expected=f"'{spelling}', as in {first}",
                        remedy="rename it: bcftools annotate --rename-chrs, and index the file again",
                    )
                )
            found.setdefault(source_contig, []).append(person.source.covered(source_contig))
    raise_any(faults)
    return {contig: Intervals.union(parts) for contig, parts in found.items()}


def _probe(people: Sequence[Person], tiles: Sequence[tuple[str, int]], grid: Grid) -> list[Site]:
    """Look at some records here and there, of all files or of as many as there are records to look at."""
    found: list[Site] = []
    if not tiles or grid.bases is None:
        return found
    step = max(1, len(people) // PROBED)
    chosen = people[::step][:PROBED]
    each = max(1, PROBED // len(chosen))
    for number, person in enumerate(chosen):
        sites = IndexedSites(person.source.path, person.source.kind)
        # Every file is looked at in other tiles, so that all of the genome is.
        n_tiles = min(each, len(tiles))
        for k in range(n_tiles):
            contig, tile = tiles[(number + k * len(tiles) // n_tiles) % len(tiles)]
            name = grid.names.resolve(contig) or contig
            region = Partition.of_tile(name, tile, grid.size, grid.lengths[name]).region
            some = islice(sites.starting_in(contig, region.start, region.end), each // n_tiles)
            found.extend(site._replace(contig=name) for site in some)
    return found
