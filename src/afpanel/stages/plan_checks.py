"""Checks of what is configured against the panel that it would give."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from afpanel.constants import Sex
from afpanel.core.withholding import Sharing
from afpanel.errors import AfpanelError, BadInputError, FaultsError
from afpanel.io.allowed_signers import read_allowed_signers, read_revoked_keys
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


def faults_of_signatures(
    config: Mapping[str, Any], cohorts: Iterable[Cohort]
) -> Iterator[AfpanelError]:
    """Find what is missing or wrong in what signatures of contributions are held against.

    Whether a key is valid today is not asked here: that is judged when a contribution is read.

    Parameters
    ----------
    config
        The configuration, with its defaults.
    cohorts
        The cohorts of the panel, of every kind.
    """
    required = config["signatures"] == "required"
    names = sorted(cohort.name for cohort in cohorts if cohort.kind == "contribution")
    signers, revoked = config["allowed_signers"], config["revoked_keys"]
    if signers is None:
        if required and names:
            yield BadInputError(
                f"nothing says whose keys sign contributions, and there are some: {', '.join(names)}",
                where="allowed_signers",
                expected="a file such as config/allowed_signers.example",
                remedy="list each cohort's key (docs/signatures.md), or set signatures: optional",
            )
        if revoked is not None:
            yield BadInputError(
                "revoked keys are held against nothing without allowed_signers",
                where="revoked_keys",
                remedy="name the file of allowed signers too",
            )
        return
    try:
        listed = read_allowed_signers(Path(signers)).cohorts
        for name in names if required else ():
            if name not in listed:
                yield BadInputError(
                    f"no key of cohort {name}, which hands over a contribution",
                    where=signers,
                    expected=f"a line that begins with {name}",
                    remedy="ask the programme for its public key, by a second channel",
                )
    except BadInputError as fault:
        yield from _single(fault)
    if revoked is not None:
        try:
            read_revoked_keys(Path(revoked))
        except BadInputError as fault:
            yield from _single(fault)


def _single(fault: BadInputError) -> Iterable[AfpanelError]:
    return fault.faults if isinstance(fault, FaultsError) else [fault]


_MOST_PEOPLE = (1 << 30) - 1


def check_people(cells: Iterable[tuple[str, Cell]]) -> None:
    """Refuse more people than allele numbers of 32 bits can count; a contribution may say it has as many.

    Parameters
    ----------
    cells
        Every cell of the panel, with its country.
    """
    people = sum(cell.people for _, cell in cells)
    if people > _MOST_PEOPLE:
        raise BadInputError(
            "the cohorts have more people than a panel can count",
            where="cohorts",
            expected=f"at most {_MOST_PEOPLE:,}",
            found=f"{people:,}",
        )


def check_sharing(section: Mapping[str, Any], cells: Iterable[tuple[str, Cell]]) -> None:
    """Refuse what is to be shared, if it names populations or files that there are not.

    Parameters
    ----------
    section
        The section `sharing` of a configuration.
    cells
        Every cell of the panel, with its country.
    """
    populations = {cell.population for _, cell in cells}
    Sharing.of(section).check_names(populations, "sharing.populations")
    for key in ("leave_out_regions", "signing_key"):
        if section[key] is not None and not Path(section[key]).is_file():
            raise BadInputError(f"file does not exist: {section[key]}", where=f"sharing.{key}")


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
