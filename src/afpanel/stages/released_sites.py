"""The variants that a panel shows of each group, as sites of SNVs, and windows of them in a cohort."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.core.linkage import WINDOW
from afpanel.core.shown_counts import ShownCounts
from afpanel.core.site_choice import site_keys
from afpanel.io.panel_store import read_head, read_heads, read_panel_blocks
from afpanel.stages.overlap_sites import ComparableSites, Places


@dataclass(frozen=True)
class Window:
    """Consecutive sites of a cohort.

    Parameters
    ----------
    places
        Where its calls are.
    shown
        (sites, groups) bool: which groups show that the site varies.
    """

    places: Places
    shown: NDArray[np.bool_]


class ReleasedSites:
    """The sites of a cohort at which a panel shows variation, in windows.

    Parameters
    ----------
    cohort
        Sites of the cohort.
    panels
        Releasable store of each contig; None takes all sites of the cohort.
    groups
        Groups that are asked for, all of the panel.
    """

    def __init__(
        self, cohort: ComparableSites, panels: Sequence[Path] | None, groups: Sequence[str]
    ) -> None:
        self._cohort = cohort
        self._groups = list(groups)
        self._panel_of: Mapping[str, Path] | None = None
        if panels is not None:
            heads = read_heads(panels)
            self._panel_of = {head.contig: path for head, path in zip(heads, panels, strict=True)}
        self._contigs = sorted(
            name for name in cohort.contigs if self._panel_of is None or name in self._panel_of
        )

    def windows(self, most: int) -> tuple[int, Iterator[Window]]:
        """Choose at most `most` windows, evenly over the genome.

        Returns
        -------
        int
            Windows that there are.
        iterator
            The chosen ones, in order of contig and place.
        """
        sizes = [len(self._on(contig).places.key) for contig in self._contigs]
        counts = [-(-size // WINDOW) for size in sizes]
        total = sum(counts)
        chosen = np.unique(np.arange(min(most, total)) * total // max(min(most, total), 1))
        return total, self._chosen(chosen, np.cumsum([0, *counts]))

    def _chosen(self, chosen: NDArray[np.int64], starts: NDArray[np.int64]) -> Iterator[Window]:
        for number, contig in enumerate(self._contigs):
            first, last = np.searchsorted(chosen, starts[number : number + 2])
            if first == last:
                continue
            whole = self._on(contig)
            for window in (chosen[first:last] - starts[number]).tolist():
                rows = np.arange(window * WINDOW, min((window + 1) * WINDOW, len(whole.shown)))
                yield Window(whole.places.take(rows), whole.shown[rows])

    def spread(self, bases: int, most: int) -> Iterator[Places]:
        """Choose one site of every so many bases, at most so many in all, contig by contig."""
        firsts = [_first_of_each(self._on(contig).places, bases) for contig in self._contigs]
        total = sum(len(each.key) for each in firsts)
        stride = max(-(-total // most), 1)
        for places in firsts:
            yield places.take(np.arange(0, len(places.key), stride))

    def _on(self, contig: str) -> Window:
        """Lay out a contig: 20 bytes for each SNV of the cohort, and one for each group."""
        own = self._cohort.on(contig)
        if self._panel_of is None:
            return Window(own, np.ones((len(own.key), len(self._groups)), bool))
        path = self._panel_of[contig]
        names = read_head(path).groups
        columns = [names.index(group) for group in self._groups]
        keys, shown = [np.empty(0, np.int64)], [np.empty((0, len(columns)), bool)]
        for variants, counts in read_panel_blocks(path):
            ref, alt = variants.ref.only, variants.alt.only
            varies = ShownCounts.of(counts).segregating[columns].T
            rows = np.flatnonzero((ref > 0) & (alt > 0) & varies.any(axis=1))
            keys.append(site_keys(variants.position[rows], ref[rows], alt[rows]))
            shown.append(varies[rows])
        _, here, there = np.intersect1d(
            own.key, np.concatenate(keys), assume_unique=True, return_indices=True
        )
        return Window(own.take(here), np.concatenate(shown)[there])


def _first_of_each(places: Places, bases: int) -> Places:
    """Take the first site of every so many bases."""
    window = (places.key >> 16) // bases
    return places.take(np.flatnonzero(np.diff(window, prepend=-1)))
