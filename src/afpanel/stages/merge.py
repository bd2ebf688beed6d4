"""Merge the counts of all cohorts on one contig: the union of variants, and each group's sums.

A cohort that has no record of a variant speaks for it only where there is evidence that it could have
seen it. Works through the contig in windows, so memory does not grow with its length.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from afpanel.constants import Sex
from afpanel.core.contigs import ContigNames
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts, Membership
from afpanel.core.ploidy import SEXES
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
    groups = groups_of((cohort.country, cell) for cohort in cohorts for cell in cohort.cells)
    memberships = [Membership.of(c.country, c.cells, groups) for c in cohorts]
    head = PanelHead(
        contig=options.contig,
        contig_length=reference.lengths[options.contig],
        groups=[group.name for group in groups],
        people_by_sex=[[_people(cohorts, group, sex) for sex in SEXES] for group in groups],
    )
    progress = Progress(logger, f"merge {options.contig}", "variants")
    with create_panel(out, head) as writer:
        for window in windows(cohorts, on_contig):
            write_panel_block(writer, window.variants, _sums(window, memberships, len(groups)))
            progress.advance(len(window.variants), f"{len(cohorts)} cohorts, {len(groups)} groups")
    logger.info("merge %s: done, %s variants", options.contig, f"{progress.done:,}")


def _people(cohorts: Sequence[CohortCounts], group: Group, sex: Sex) -> int:
    return sum(
        cell.people
        for cohort in cohorts
        for cell in cohort.cells
        if cell.sex is sex and group.holds(cohort.country, cell)
    )


def _sums(window: Window, memberships: Sequence[Membership], n_groups: int) -> GroupCounts:
    """Add up what the cohorts say of the variants of a window."""
    sums = GroupCounts.zeros(len(window.variants), n_groups)
    for said, membership in zip(window.said(), memberships, strict=True):
        for name in GROUP_TABLES:
            membership.add(getattr(sums, name), said.rows, said.tables[name])
        silence = said.silence
        membership.add(sums.allele_number, silence.rows, silence.number)
        membership.add(sums.single_allele_number, silence.rows, silence.singles)
        membership.observe(sums.state, said.rows, window.loci)
        membership.find_absent(sums.state, silence.rows, silence.number)
        for name in RAW_COUNTS:
            getattr(sums, name)[said.rows] += said.tables[name]
        sums.raw_allele_number[silence.rows] += silence.raw_number
    return sums.with_missing()
