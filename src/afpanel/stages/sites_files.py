"""The files of published counts of one cohort, before any work: whether they can be used, and their parts."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.errors import AfpanelError, BadInputError
from afpanel.io.files import sha256
from afpanel.io.records import RecordBlock
from afpanel.io.scan import IndexedSites, Site
from afpanel.io.sites_form import SitesForm, SitesSource
from afpanel.io.sites_source import open_sites
from afpanel.io.sniff import sniff
from afpanel.io.tables import raise_any
from afpanel.model.cohort import Cohort, GivenCell, Sample
from afpanel.model.region import tile_of
from afpanel.stages.cohort_files import (
    PROBED,
    Grid,
    PlannedPartition,
    described_partitions,
    files_of,
    indexed_partitions,
    panel_contig,
    plan_tiles,
)
from afpanel.stages.fingerprint import digest

logger = logging.getLogger(__name__)

_RECORDS = 10_000


def check_sites_section(section: Mapping[str, Any], cohorts: Sequence[Cohort]) -> None:
    """Refuse what is configured of sites files of cohorts that have none.

    Raises
    ------
    BadInputError
        If a cohort is not in the table or of another kind, or one of AC and AN before the filter is named
        without the other.
    """
    kinds = {cohort.name: cohort.kind for cohort in cohorts}
    faults: list[AfpanelError] = []
    for name, said in section.items():
        if cohorts and kinds.get(name) != "sites":
            found = f"of kind {kinds[name]}" if name in kinds else "not in the table of cohorts"
            faults.append(
                BadInputError(
                    f"{name} is no cohort of kind sites",
                    where=f"sites.{name}",
                    expected=", ".join(n for n, kind in kinds.items() if kind == "sites") or "none",
                    found=found,
                    remedy="correct the name, or leave the section out",
                )
            )
        if len((said or {}).get("raw", {})) == 1:
            faults.append(
                BadInputError(
                    "AC and AN before the filter belong together",
                    where=f"sites.{name}.raw",
                    found=", ".join(said["raw"]),
                )
            )
    raise_any(faults)


def samples_of_cells(given: Sequence[GivenCell]) -> list[Sample]:
    """Give the labels of cells as those of samples, for what compares labels alone."""
    return [Sample("", each.cell.population, each.cell.sex) for each in given]


def plan_sites(
    cohort: Cohort,
    given: Sequence[GivenCell],
    section: Mapping[str, Any],
    grid: Grid,
    limit: float,
    note: Callable[[Path], Path],
) -> dict[str, Any]:
    """Check a cohort's sites files against its cells and the reference, and lay out its work.

    Parameters
    ----------
    cohort, given
        The cohort, and its cells.
    section
        What is configured of its files.
    grid
        How to cut it.
    limit
        Share of REF mismatches at which the cohort is refused.
    note
        Notes a file as an input.

    Returns
    -------
    dict
        What the plan says of it.

    Raises
    ------
    BadInputError
        With all that is wrong with its files.
    """
    faults: list[AfpanelError] = []
    partitions: list[PlannedPartition] = []
    files: list[Path] = []
    used: dict[str, None] = {}
    pvars: dict[str, str] = {}
    for path, contig in files_of(cohort, grid).items():
        logger.info("checking %s: %s", cohort.name, path)
        for suffix in ("", ".csi", ".tbi"):
            note(Path(f"{path}{suffix}"))
        try:
            form = _form(section, path, cohort.path)
            source = open_sites(path, given, form)
            files += [path, *source.further]
            for further in source.further:
                pvars[str(path)] = str(note(further))
            used.update(dict.fromkeys(source.names_used))
            partitions += _partitions(cohort, source, contig, grid, limit)
        except AfpanelError as fault:
            faults.append(fault)
    if not partitions and not faults:
        faults.append(
            BadInputError("no records on the panel's contigs", where=f"cohort {cohort.name}")
        )
    raise_any(faults)
    cells = [each.cell for each in given]
    fields = [
        f"{each.cell.population}\t{each.cell.sex}\t{sorted(each.fields.items())}" for each in given
    ]
    people = [f"{cell.population}\t{cell.sex}\t{cell.people_by_sex}" for cell in cells]
    return {
        "country": cohort.country,
        "kind": cohort.kind,
        "files": [str(path) for path in files],
        "build": cohort.build,
        "samples": str(cohort.samples),
        "callable": None if cohort.callable_file is None else str(cohort.callable_file),
        "metadata": None if cohort.metadata is None else str(cohort.metadata),
        "listed_samples": digest(fields),
        "included_samples": digest([]),
        "counted_people": digest(people),
        "people": sum(cell.people for cell in cells),
        "sites": {
            "columns": dict(section.get("columns", {})),
            "raw": dict(section.get("raw", {})),
            "pvar": pvars,
        },
        "source": {
            "sha256": sorted(sha256(path) for path in files),
            "fields": list(used),
        },
        **described_partitions(partitions),
    }


def _form(section: Mapping[str, Any], path: Path, pattern: str) -> SitesForm:
    """Say what is known of one file; its .pvar is that of the same contig."""
    pvar = section.get("pvar")
    if pvar is not None and "{contig}" in pvar and "{contig}" in pattern:
        before, after = str(Path(pattern)).split("{contig}", 1)
        contig = str(path).removeprefix(before).removesuffix(after.replace("{contig}", ""))
        pvar = pvar.replace("{contig}", contig)
    return SitesForm(
        section.get("columns", {}), section.get("raw", {}), None if pvar is None else Path(pvar)
    )


def _partitions(
    cohort: Cohort, source: SitesSource, contig: str | None, grid: Grid, limit: float
) -> list[PlannedPartition]:
    """Partition one file; one without an index is read through, and every count of it checked."""
    path = source.path
    if source.index is not None:
        return indexed_partitions(
            cohort, path, IndexedSites(path, sniff(path)), contig, grid, limit
        )
    tiles: dict[tuple[str, int], None] = {}
    probe: list[Site] = []
    for block in source.blocks(None, _RECORDS):
        name = panel_contig(block.contig, path, contig, grid)
        if name is None:
            continue
        if len(probe) < PROBED:
            probe += _sites(block, name)
        last = tile_of(grid.lengths[name], grid.size, grid.lengths[name])
        of_record = np.clip((block.position - 1) // grid.size, 0, last)
        tiles.update(dict.fromkeys((block.contig, tile) for tile in np.unique(of_record).tolist()))
    return plan_tiles(cohort, path, tiles, probe, grid, limit)


def _sites(block: RecordBlock, contig: str) -> list[Site]:
    """List the first records of a block."""
    refs: NDArray[np.object_] = block.alleles[:PROBED, 0]
    positions = block.position[:PROBED].tolist()
    return [Site(contig, at, ref) for at, ref in zip(positions, refs, strict=True)]
