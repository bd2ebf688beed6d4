"""What cohorts say of the variants of a window, laid side by side for the strata in which they meet."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from afpanel.core.callability import copies_per_cell
from afpanel.core.diploid_calls import diploid_count, heterozygote_count
from afpanel.core.discordance import SideBySide
from afpanel.core.group_counts import GROUP_TABLES
from afpanel.core.strata import Strata
from afpanel.stages.cohort_counts import Window


def side_by_side(window: Window, strata: Strata) -> SideBySide:
    """Gather the counts of a window; to be done once, as `Window.said`."""
    n = len(window.variants)
    of_parts = {
        name: np.zeros((n, len(strata.parts)), np.int32)
        for name in ("count", "number", "called", "copies")
    }
    of_units = {
        name: np.zeros((n, len(strata.units)), np.int32)
        for name in ("heterozygotes", "homozygotes", "people")
    }
    for cohort, said in enumerate(window.said()):
        rows, silence, tables = said.rows, said.silence, said.tables
        copies = copies_per_cell(window.loci[rows], said.cohort.cells)
        mine = strata.parts_of(cohort)
        for p in mine:
            cells = strata.parts[p].cells
            number = _sum(tables["allele_number"], cells)
            count, known = _known(tables["allele_count"], cells)
            of_parts["count"][rows, p] = np.where(known, count, 0)
            of_parts["number"][rows, p] = np.where(known, number, 0)
            of_parts["number"][silence.rows, p] = _sum(silence.number, cells)
            of_parts["called"][rows, p] = number
            of_parts["copies"][rows, p] = _sum(copies, cells)
        for u, unit in enumerate(strata.units):
            if unit.part not in mine:
                continue
            totals, whole = {}, np.ones(len(rows), np.bool_)
            for name in GROUP_TABLES:
                totals[name], known = _known(tables[name], unit.cells)
                whole &= known
            ac, an, homozygotes, _, single_count, single_number = totals.values()
            genotypes = {
                "heterozygotes": heterozygote_count(ac, homozygotes, single_count),
                "homozygotes": homozygotes,
                "people": diploid_count(an, single_number),
            }
            for name, total in genotypes.items():
                of_units[name][rows, u] = np.where(whole, total, 0)
    return SideBySide(**of_parts, **of_units)


def _sum(table: NDArray[np.int32], cells: Sequence[int]) -> NDArray[np.int32]:
    """Add up cells; (m,) int32."""
    total: NDArray[np.int32] = table[:, list(cells)].sum(axis=1, dtype=np.int32)
    return total


def _known(
    table: NDArray[np.int32], cells: Sequence[int]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Add up cells, and tell where none is missing."""
    return _sum(table, cells), np.all(table[:, list(cells)] >= 0, axis=1)
