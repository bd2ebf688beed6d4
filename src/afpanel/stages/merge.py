"""Merge the counts of all cohorts on one contig: the union of variants, and each group's sums.

A cohort that has no record of a variant speaks for it only where there is evidence that it could have
seen it. Works through the contig in windows, so memory does not grow with its length.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, Sex, State
from afpanel.core.contigs import ContigNames
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts, Membership
from afpanel.errors import BadInputError
from afpanel.io.panel_store import PanelHead, create_panel, write_panel_block
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.tables import read_aliases
from afpanel.model.arrays import RAW_COUNTS
from afpanel.model.groups import Group, groups_of
from afpanel.stages.cohort_counts import (
    CohortCounts,
    ContigOptions,
    Window,
    read_cohorts,
    windows,
)
from afpanel.stages.progress import Progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MergeOptions:
    """What `merge` needs to know besides its files.

    Parameters
    ----------
    contig
        Contig to merge, by the reference's name.
    build
        Genome build of the panel.
    callable_files
        BED or track of allele numbers of each cohort that has one.
    aliases
        Table of contig names, or None.
    """

    contig: str
    build: str
    callable_files: Mapping[str, Path]
    aliases: Path | None = None


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
    names = ContigNames(reference.lengths, read_aliases(options.aliases))
    on_contig = ContigOptions(options.contig, options.build, options.callable_files)
    cohorts = read_cohorts(counts, names, on_contig)
    groups = groups_of(
        (cohort.country, cell)
        for cohort in cohorts
        for cell in (*cohort.cells, *cohort.head.withheld_cells)
    )
    memberships = [Membership.of(c.country, c.cells, groups) for c in cohorts]
    told = {g for membership in memberships for g in membership.groups.tolist()}
    untold = [g for g in range(len(groups)) if g not in told]
    head = PanelHead(
        contig=options.contig,
        contig_length=reference.lengths[options.contig],
        groups=[group.name for group in groups],
        people_by_sex=[_people(cohorts, group) for group in groups],
    )
    progress = Progress(logger, f"merge {options.contig}", "variants")
    with create_panel(out, head) as writer:
        for window in windows(cohorts, on_contig):
            sums = _sums(window, memberships, len(groups))
            sums.state[:, untold] = State.MASKED
            write_panel_block(writer, window.variants, sums.with_missing())
            at = window.variants.position[-1] if len(window.variants) else 0
            progress.advance(
                len(window.variants),
                f"{len(cohorts)} cohorts, {len(groups)} groups",
                at / head.contig_length,
            )
    logger.info("merge %s: done, %s variants", options.contig, f"{progress.done:,}")


def _people(cohorts: Sequence[CohortCounts], group: Group) -> list[int]:
    """Count the people of each sex in a group."""
    held = (
        cell.people_by_sex
        for cohort in cohorts
        for cell in cohort.cells
        if group.holds(cohort.country, cell)
    )
    nobody = (0,) * len(Sex)
    return [sum(of_sex) for of_sex in zip(nobody, *held, strict=True)]


def _sums(window: Window, memberships: Sequence[Membership], n_groups: int) -> GroupCounts:
    """Add up what the cohorts say of the variants of a window."""
    sums = GroupCounts.zeros(len(window.variants), n_groups)
    unknown = _Unknown()
    for said, membership in zip(window.said(), memberships, strict=True):
        rows, silence = said.rows, said.silence
        for name in GROUP_TABLES:
            values = said.tables[name]
            if said.cohort.head.has_missing:
                unknown.add(name, *membership.find_missing(rows, values))
                values = np.maximum(values, 0)
            membership.add(getattr(sums, name), rows, values)
        membership.add(sums.allele_number, silence.rows, silence.number)
        membership.add(sums.single_allele_number, silence.rows, silence.singles)
        membership.observe(sums.state, rows, window.loci)
        membership.find_absent(sums.state, silence.rows, silence.number)
        raw = [(name, rows, said.tables[name]) for name in RAW_COUNTS]
        for name, at, values in (*raw, ("raw_allele_number", silence.rows, silence.raw_number)):
            unknown.add(name, at[values < 0])
            getattr(sums, name)[at] += values
    unknown.settle(sums)
    return sums


class _Unknown:
    """Sums of a window that are not known, for a cohort's count is missing: by table, their places."""

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[NDArray[np.int64], ...]]] = {}

    def add(self, name: str, *place: NDArray[np.int64]) -> None:
        """Note variants, of tables of groups with the group of each."""
        if len(place[0]):
            self._found.setdefault(name, []).append(place)

    def settle(self, sums: GroupCounts) -> None:
        """Mark them as missing; without AC a group is masked, and so are raw counts without its own."""
        for name, places in self._found.items():
            for place in places:
                getattr(sums, name)[place] = MISSING
                if name == "allele_count":
                    sums.state[place] = State.MASKED
                if name in RAW_COUNTS:
                    for other in RAW_COUNTS:
                        getattr(sums, other)[place] = MISSING
