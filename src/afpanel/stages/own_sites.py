"""The variants that a cohort has, by how many copies each population has, and windows of them.

They are chosen by the cohort's own counts, so that the choice is the same at home and at a hub, and does
not depend on what a panel shows in the end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.core.intervals import Intervals
from afpanel.core.linkage import WINDOW
from afpanel.core.site_choice import WINDOW as KINSHIP_WINDOW
from afpanel.core.site_choice import site_keys
from afpanel.io.store import Store
from afpanel.stages.cell_counts import CHUNK, contigs_in, open_cell_counts
from afpanel.stages.overlap_sites import ComparableSites, Places

_BLOCK = 8 * CHUNK


@dataclass(frozen=True)
class SitesInWindow:
    """Consecutive sites of a cohort.

    Parameters
    ----------
    places
        Where its calls are.
    level
        (sites, populations) uint8: of how many classes each site is, in each population. Classes are
        those of `OwnSites.thresholds`, and who has more copies is in more of them.
    """

    places: Places
    level: NDArray[np.uint8]

    def take(self, rows: NDArray[np.integer]) -> "SitesInWindow":
        """Copy some sites."""
        return SitesInWindow(self.places.take(rows), self.level[rows])


@dataclass(frozen=True)
class OwnSites:
    """The sites of a cohort, with the copies that its populations have of either allele.

    Parameters
    ----------
    sites
        Sites of the cohort at which people can be compared.
    counts
        All its stores of counts.
    population_of
        (cells,) int64: population of each cell of the counts, or -1 for cells that are not looked at.
    populations
        How many populations there are.
    thresholds
        Least copies of each class, the fewest first.
    min_variant_count
        Variants with fewer copies of ALT in these cells together are not looked at.
    left_out
        By contig, regions that are not looked at.
    """

    sites: ComparableSites
    counts: Sequence[Path]
    population_of: NDArray[np.int64]
    populations: int
    thresholds: Sequence[int]
    min_variant_count: int = 0
    left_out: Mapping[str, Intervals] = field(default_factory=dict)

    def survey(self, most: int) -> "Survey":
        """Go over all sites: how many there are, which windows to look at, and one of so many bases.

        Parameters
        ----------
        most
            Most windows of each class.
        """
        contigs = sorted(self.sites.contigs)
        sizes = np.zeros((len(contigs), len(self.thresholds)), np.int64)
        variants = np.zeros((len(self.thresholds), self.populations), np.int64)
        spread = []
        for number, contig in enumerate(contigs):
            own = self._on(contig)
            for c in range(len(self.thresholds)):
                is_of = own.level > c
                sizes[number, c] = is_of.any(axis=1).sum()
                variants[c] += is_of.sum(axis=0)
            common = own.level.max(axis=1, initial=0) == len(self.thresholds)
            spread.append(_first_of_each(own.places.take(np.flatnonzero(common)), KINSHIP_WINDOW))
        windows = -(-sizes // WINDOW)
        chosen = []
        for total in windows.sum(axis=0).tolist():
            n = min(most, total)
            chosen.append(np.unique(np.arange(n) * total // max(n, 1)))
        return Survey(self, contigs, windows, chosen, variants, spread)

    def windows(
        self, contig: str, chosen: Sequence[NDArray[np.int64]]
    ) -> Iterator[tuple[int, SitesInWindow]]:
        """Go through windows of a contig, class by class, by their numbers in it."""
        if not sum(map(len, chosen)):
            return
        own = self._on(contig)
        for c, numbers in enumerate(chosen):
            rows = np.flatnonzero((own.level > c).any(axis=1))
            for number in numbers.tolist():
                yield c, own.take(rows[number * WINDOW : (number + 1) * WINDOW])

    def _on(self, contig: str) -> SitesInWindow:
        """Lay out a contig: 20 bytes for each SNV of the cohort, and one for each population."""
        own = self.sites.on(contig)
        level = np.zeros((len(own.key), self.populations), np.uint8)
        for path in self.counts:
            with open_cell_counts(path) as store:
                if contig not in contigs_in(store):
                    continue
                number = store.texts("contig_id").index(contig)
                for start in range(0, store.rows("variant_position"), _BLOCK):
                    self._add(store, number, start, own, level)
        regions = self.left_out.get(contig)
        if regions is not None:
            position = own.key >> 16
            level[regions.touches(position - 1, position)] = 0
        kept = np.flatnonzero(level.any(axis=1))
        return SitesInWindow(own.take(kept), level[kept])

    def _add(
        self, store: Store, contig: int, start: int, own: Places, level: NDArray[np.uint8]
    ) -> None:
        """Enter the counts of a block of variants."""
        block = (start, min(start + _BLOCK, store.rows("variant_position")))
        ref, alt = (store.strings(f"variant_{name}", *block).only for name in ("ref", "alt"))
        is_snv = (store.read("variant_contig", *block) == contig) & (ref > 0) & (alt > 0)
        keys = site_keys(store.read("variant_position", *block), ref, alt)
        at = np.minimum(np.searchsorted(own.key, keys), max(len(own.key) - 1, 0))
        found = np.flatnonzero(is_snv & (own.key[at] == keys)) if len(own.key) else at[:0]
        if not len(found):
            return
        cells = np.flatnonzero(self.population_of >= 0)
        ac, an = (
            np.maximum(store.read(name, *block)[found][:, cells], 0)
            for name in ("allele_count", "allele_number")
        )
        of = np.eye(self.populations, dtype=np.int64)[self.population_of[cells]]
        copies = ac @ of
        rarer = np.minimum(copies, an @ of - copies)
        listed = ac.sum(axis=1) >= self.min_variant_count
        reached = np.searchsorted(np.asarray(self.thresholds), rarer, side="right")
        level[at[found]] = np.where(listed[:, None], reached, 0)


@dataclass(frozen=True)
class Survey:
    """What is known of all sites of a cohort; made by `OwnSites.survey`.

    Parameters
    ----------
    sites
        The sites.
    contigs
        In order of their names.
    windows_on
        (contigs, classes) int64: windows that there are.
    chosen
        Of each class the numbers of the windows to look at, evenly over the genome.
    variants
        (classes, populations) int64: variants of each class.
    spread
        Of each contig one site of every so many bases, of those of the last class.
    """

    sites: OwnSites
    contigs: Sequence[str]
    windows_on: NDArray[np.int64]
    chosen: Sequence[NDArray[np.int64]]
    variants: NDArray[np.int64]
    spread: Sequence[Places]

    def windows(self) -> Iterator[tuple[int, SitesInWindow]]:
        """Go through the chosen windows by contig and class; gives the number of the class with each."""
        starts = np.concatenate([np.zeros_like(self.windows_on[:1]), self.windows_on]).cumsum(
            axis=0
        )
        for number, contig in enumerate(self.contigs):
            own = []
            for c, chosen in enumerate(self.chosen):
                first, last = np.searchsorted(chosen, starts[number : number + 2, c])
                own.append(chosen[first:last] - starts[number, c])
            yield from self.sites.windows(contig, own)

    def thinned(self, most: int) -> Iterator[Places]:
        """Choose at most so many of the spread sites, evenly, contig by contig."""
        stride = max(-(-sum(len(each.key) for each in self.spread) // most), 1)
        for places in self.spread:
            yield places.take(np.arange(0, len(places.key), stride))


def _first_of_each(places: Places, bases: int) -> Places:
    """Take the first site of every so many bases."""
    window = (places.key >> 16) // bases
    return places.take(np.flatnonzero(np.diff(window, prepend=-1)))
