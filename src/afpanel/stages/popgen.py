"""Population genetics of a panel, from the counts that passed the gate and nothing else.

So whoever has a release can work out every figure again. Statistics are of autosomes: on X and Y
groups differ by how many of their people are XX and XY.
"""

import logging
import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from afpanel.constants import ContigKind
from afpanel.core.contigs import contig_kind
from afpanel.core.differentiation import OccupiedBlocks, PairwiseFst
from afpanel.core.diversity import Diversity
from afpanel.core.frequency_spectrum import FrequencySpectrum
from afpanel.core.group_components import CommonVariants, principal_components
from afpanel.core.sharing import Sharing
from afpanel.core.shown_counts import ShownCounts
from afpanel.model.groups import GroupKind, disjoint_groups, finest_groups
from afpanel.stages.panel_source import PanelSource, StoresOfPanel
from afpanel.stages.popgen_figures import draw_figures
from afpanel.stages.popgen_results import PopulationGenetics
from afpanel.stages.popgen_tables import write_tables
from afpanel.stages.progress import Progress

logger = logging.getLogger(__name__)


def popgen(panels: Sequence[Path], out: Path) -> None:
    """Work out the population genetics of a panel, and write it as tables and figures.

    Parameters
    ----------
    panels
        Releasable panel store of each contig, in order.
    out
        Folder for the tables (``.tsv``) and figures (``.svg``).

    Raises
    ------
    BadInputError
        If a contig is given twice, or the contigs do not have the same groups.
    """
    results = work_out(StoresOfPanel.of(panels))
    write_tables(results, out)
    draw_figures(results, out)
    logger.info("popgen: done, %s", _words(results))


def work_out(source: PanelSource) -> PopulationGenetics:
    """Go through the panel twice: for the places of its variants, and for their counts."""
    groups, people = source.groups, source.people
    kinds = disjoint_groups(groups)
    pairs = [(kind, pair) for kind, members in kinds.items() for pair in combinations(members, 2)]
    finest = finest_groups(groups)
    autosomes = [name for name in source.contigs if contig_kind(name) is ContigKind.AUTOSOME]
    occupied = OccupiedBlocks()
    for contig in autosomes:
        for position in source.positions(contig):
            occupied.add(contig, position)
    fst = PairwiseFst([pair for _, pair in pairs], occupied.bases())
    diversity, spectrum = Diversity(people), FrequencySpectrum(len(groups))
    sharing, common = Sharing(len(groups), kinds), CommonVariants(finest)
    progress = Progress(logger, "popgen", "variants")
    for contig in autosomes:
        for variants, counts in source.blocks(contig):
            shown = ShownCounts.of(counts)
            fst.add(contig, variants.position, shown)
            diversity.add(variants, shown, counts)
            spectrum.add(shown, counts)
            sharing.add(shown)
            common.add(shown)
            progress.advance(len(variants), contig)
    return PopulationGenetics(
        groups=groups,
        people=people,
        kinds=kinds,
        pairs=[pair for _, pair in pairs],
        pair_kinds=[kind for kind, _ in pairs],
        variants=progress.done,
        block_bases=occupied.bases(),
        differentiation=fst.result(),
        diversity=diversity,
        spectrum=spectrum,
        sharing=sharing,
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
