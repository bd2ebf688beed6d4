"""Checks of what is configured against the panel that it would give."""

import difflib
from collections.abc import Iterable, Iterator, Mapping

from afpanel.constants import Sex
from afpanel.errors import BadInputError
from afpanel.io.tables import check_bed
from afpanel.io.track_text import TrackText, is_track
from afpanel.model.cohort import Cell, Cohort
from afpanel.model.groups import TOTAL
from afpanel.stages.cohort_files import Grid


def faults_of_exclusions(
    excluded: Iterable[str], groups: Iterable[str], where: str
) -> Iterator[BadInputError]:
    """Find names that are to be left out of a maximum, and that no country or population has.

    Parameters
    ----------
    excluded
        Names of groups.
    groups
        Every group of the panel.
    where
        Where they are named.
    """
    known = [group for group in groups if group not in {TOTAL, *map(str, Sex)}]
    for name in excluded:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            yield BadInputError(
                f"the panel has no country or population '{name}'",
                where=where,
                expected=f"some of {', '.join(known[:30])}",
                remedy=f"did you mean '{near[0]}'?" if near else None,
            )


def check_callable(
    cohort: Cohort, cells: list[Cell], grid: Grid, lift: Mapping[str, str | None] | None
) -> None:
    """Refuse what a cohort says of where it could call variants, if it cannot be used.

    Parameters
    ----------
    cohort, cells
        The cohort, and its cells; none where its sample sheet is at fault.
    grid
        The contigs of its build.
    lift
        What it is lifted with, or None.

    Raises
    ------
    BadInputError
        With a remedy.
    """
    path = cohort.callable_file
    assert path is not None
    where = f"cohort {cohort.name}, {path}"
    if cohort.kind == "gvcf":
        raise BadInputError(
            "gVCFs say themselves where people could be called",
            where=where,
            remedy="leave the column callable empty for this cohort",
        )
    if is_track(path):
        if lift is not None:
            raise BadInputError(
                "a track of allele numbers cannot be lifted",
                where=where,
                remedy="give a BED of where everybody could be called, or leave it out",
            )
        if cells:
            TrackText(path, cells).check(grid.names, cohort.build)
        return
    check_bed(path, grid.names, list(grid.lengths))
    if lift is not None and lift["fasta"] is None:
        raise BadInputError(
            "callable regions cannot be lifted without the FASTA of their build",
            where=where,
            remedy=f"name it under harmonize.source_fastas.{cohort.build}, or leave the regions out",
        )
