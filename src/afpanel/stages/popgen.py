"""Population genetics of a panel, from the counts that passed the gate and nothing else.

So whoever has a release can work out every figure again. Statistics are of autosomes: on X and Y
groups differ by how many of their people are XX and XY.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import ContigKind
from afpanel.core.contigs import contig_kind
from afpanel.core.differentiation import OccupiedBlocks, PairwiseFst
from afpanel.core.diversity import Diversity
from afpanel.core.frequency_spectrum import FrequencySpectrum
from afpanel.core.group_components import CommonVariants, principal_components
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.sharing import Sharing
from afpanel.core.shown_counts import ShownCounts
from afpanel.core.variants import Variants
from afpanel.io.prefetch import map_ahead
from afpanel.model.groups import GroupKind, disjoint_groups, finest_groups
from afpanel.stages.panel_source import PanelSource, StoresOfPanel
from afpanel.stages.popgen_figures import draw_figures
from afpanel.stages.popgen_results import PopulationGenetics
from afpanel.stages.popgen_tables import write_tables
from afpanel.stages.progress import Progress

logger = logging.getLogger(__name__)

_Part = tuple[str, Variants, ReleasedCounts]
"""Consecutive variants of a contig, and their counts."""


def popgen(panels: Sequence[Path], out: Path, threads: int = 1) -> None:
    """Work out the population genetics of a panel, and write it as tables and figures.

    Parameters
    ----------
    panels
        Releasable panel store of each contig, in order.
    out
        Folder for the tables (``.tsv``) and figures (``.svg``).
    threads
        Cores to use; what is written does not depend on it.

    Raises
    ------
    BadInputError
        If a contig is given twice, or the contigs do not have the same groups.
    """
    results = work_out(StoresOfPanel.of(panels), threads)
    write_tables(results, out)
    draw_figures(results, out)
    logger.info("popgen: done, %s", _words(results))


@dataclass(frozen=True)
class _Sums:
    """What is added up over variants, in whole numbers, so that it may be done part by part."""

    fst: PairwiseFst
    diversity: Diversity
    spectrum: FrequencySpectrum
    sharing: Sharing

    def include(self, other: "_Sums") -> None:
        """Add what was added up of a part that follows."""
        self.fst.include(other.fst)
        self.diversity.include(other.diversity)
        self.spectrum.include(other.spectrum)
        self.sharing.include(other.sharing)


def work_out(source: PanelSource, threads: int = 1) -> PopulationGenetics:
    """Go through the panel twice: for the places of its variants, and for their counts.

    With more than one thread, one reads, and the others add up parts of the panel; these are put together
    in their order.
    """
    groups, people = source.groups, source.people
    kinds = disjoint_groups(groups)
    finest = finest_groups(groups)
    autosomes = [name for name in source.contigs if contig_kind(name) is ContigKind.AUTOSOME]
    occupied = OccupiedBlocks()
    for contig in autosomes:
        for position in source.positions(contig):
            occupied.add(contig, position)
    common = CommonVariants(finest)

    def nothing() -> _Sums:
        return _Sums(
            PairwiseFst(kinds.values(), occupied.bases()),
            Diversity(people),
            FrequencySpectrum(len(groups)),
            Sharing(len(groups), kinds),
        )

    def added_up(part: _Part) -> tuple[_Part, _Sums, NDArray[np.float64]]:
        contig, variants, counts = part
        shown, sums = ShownCounts.of(counts), nothing()
        sums.fst.add(contig, variants.position, shown)
        sums.diversity.add(variants, shown, counts)
        sums.spectrum.add(shown, counts)
        sums.sharing.add(shown)
        return part, sums, common.find(shown)

    total = nothing()
    progress = Progress(logger, "popgen", "variants")
    parts = ((contig, *block) for contig in autosomes for block in source.blocks(contig))
    done = map(added_up, parts) if threads < 2 else map_ahead(added_up, parts, threads - 1)
    for (contig, variants, _), sums, frequency in done:
        total.include(sums)
        common.keep(frequency)
        progress.advance(len(variants), contig)
    return PopulationGenetics(
        groups=groups,
        people=people,
        kinds=kinds,
        pairs=total.fst.pairs,
        pair_kinds=[kind for kind, each in kinds.items() for _ in combinations(each, 2)],
        variants=progress.done,
        block_bases=occupied.bases(),
        differentiation=total.fst.result(),
        diversity=total.diversity,
        spectrum=total.spectrum,
        sharing=total.sharing,
        component_groups=finest,
        component_variants=len(common.frequency),
        components=principal_components(common.frequency),
    )


def _words(results: PopulationGenetics) -> str:
    """Sum up in a line: how much there was, and how far countries or populations are apart."""
    words = f"{results.variants:,} variants of autosomes, {len(results.groups)} groups"
    for kind in (GroupKind.COUNTRY, GroupKind.POPULATION):
        found = [
            (fst, pair)
            for fst, pair, of in zip(
                results.differentiation.fst.tolist(), results.pairs, results.pair_kinds, strict=True
            )
            if of is kind and not math.isnan(fst)
        ]
        if found:
            ends = (
                f"{fst:.4f} ({' and '.join(results.groups[g] for g in pair)})"
                for fst, pair in (min(found), max(found))
            )
            words += f"; FST of {kind} pairs from {' to '.join(ends)}"
    return words
