"""What cohorts say of the variants of a window, laid side by side for the strata in which they meet."""

import numpy as np

from afpanel.core.callability import copies_per_cell
from afpanel.core.discordance import SideBySide
from afpanel.core.group_counts import GROUP_TABLES
from afpanel.core.ploidy import Loci
from afpanel.core.side_by_side import CellSums
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
    every_locus = np.arange(len(Loci), dtype=np.int8)
    for cohort, said in enumerate(window.said()):
        cells, silence = said.cohort.cells, said.silence
        sums = CellSums.of(strata, cohort, len(cells))
        sums.add_records(
            said.rows,
            [said.tables[name] for name in GROUP_TABLES],
            copies_per_cell(every_locus, cells),
            window.loci,
            (*of_parts.values(), *of_units.values()),
        )
        sums.add_silence(silence.rows, silence.number, of_parts["number"])
    return SideBySide(**of_parts, **of_units)
