"""Which sites to compare people at: common ones, even over the genome, the same however work is cut.

The genome is divided into windows. From each, a run of candidates is taken whose calls are then looked
at, for only calls tell which are common; and of these at most one site. All choices depend on places,
alleles and counts alone, so not on partitions, chunks or the order of cohorts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW = 20_000
"""Bases in a window."""

SPACING = 10_000
"""Least bases between two sites."""

MAX_SITES = 10_000
"""Most sites, and windows of which calls are read."""

MIN_SITES = 1_000
"""What these are limited to where there are very many people."""

CALLS = 1 << 30
"""Calls that are held, a byte each: of a million people at a tenth of the sites."""

RUN = 64
"""Most candidates of a window. They lie side by side, so that few chunks of calls are read."""

MIN_MAF = 0.05
"""Least frequency of the rarer allele, over all people."""

MIN_CALL_RATE = 0.9
"""Least share of a cohort's people with a call; where fewer have one it goes without the site."""


def site_keys(
    position: NDArray[np.integer], ref: NDArray[np.uint8], alt: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Give SNVs of one contig numbers that order them by position, REF and ALT.

    Parameters
    ----------
    position
        (n,) 1-based.
    ref, alt
        (n,) uint8: the letters.
    """
    return position.astype(np.int64) << 16 | ref.astype(np.int64) << 8 | alt


def most_sites(people: int) -> int:
    """Tell at how many sites people can be compared.

    >>> most_sites(50_000), most_sites(500_000), most_sites(5_000_000)
    (10000, 2147, 1000)
    """
    return min(max(CALLS // max(people, 1), MIN_SITES), MAX_SITES)


@dataclass(frozen=True)
class Sites:
    """SNVs of the panel, in order.

    Parameters
    ----------
    contig
        (n,) int32: number of the contig.
    key
        (n,) int64: see `site_keys`.
    level
        (n,) int32: cohorts that have it.
    """

    contig: NDArray[np.int32]
    key: NDArray[np.int64]
    level: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.key)

    @property
    def position(self) -> NDArray[np.int64]:
        """(n,) int64, 1-based."""
        return self.key >> 16

    @property
    def window(self) -> NDArray[np.int64]:
        """(n,) int64: number of the window on its contig."""
        return self.position // WINDOW

    def take(self, which: NDArray[np.integer] | NDArray[np.bool_]) -> "Sites":
        """Copy some sites."""
        return Sites(self.contig[which], self.key[which], self.level[which])

    @classmethod
    def joined(cls, parts: "list[Sites]") -> "Sites":
        """Lay tables of sites end to end."""
        if not parts:
            return cls(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int32))
        columns = ([getattr(part, name) for part in parts] for name in ("contig", "key", "level"))
        return cls(*map(np.concatenate, columns))

    def candidates(self) -> "Sites":
        """Take a run of each window: what most cohorts have, from the window's middle outwards."""
        order = _best_first(self, self.level)
        return self.take(np.sort(order[_rank(self, order) < RUN]))

    def of_spread_windows(self, limit: int) -> "Sites":
        """Keep at most `limit` windows, evenly among those that have candidates.

        Of neighbours the one is kept that has a site of more cohorts.
        """
        order = _best_first(self, self.level)
        first = order[_rank(self, order) == 0]
        n = len(first)
        group = np.arange(n) * limit // max(n, limit)
        by_group = np.lexsort((np.arange(n), -self.level[first], group))
        leads = np.ones(n, bool)
        leads[1:] = np.diff(group[by_group]) != 0
        chosen = np.zeros(n, bool)
        chosen[by_group[leads]] = True
        window_of = np.zeros(len(self), np.int64)
        window_of[order] = np.cumsum(_rank(self, order) == 0) - 1
        return self.take(chosen[window_of])

    def one_of_each_window(
        self, is_common: NDArray[np.bool_], n_cohorts: NDArray[np.integer]
    ) -> NDArray[np.int64]:
        """Choose the sites to compare at.

        Parameters
        ----------
        is_common
            (n,) bool: which may be chosen.
        n_cohorts
            (n,) cohorts that call it.

        Returns
        -------
        (sites,) int64
            Rows of this table, in order, no two nearer to each other than `SPACING`.
        """
        common = np.flatnonzero(is_common)
        among = self.take(common)
        order = _best_first(among, n_cohorts[common])
        chosen = np.sort(order[_rank(among, order) == 0])
        picked = among.take(chosen)
        close = (np.diff(picked.position) < SPACING) & (np.diff(picked.contig) == 0)
        is_close = np.zeros(len(picked), bool)
        is_close[1:] |= close
        is_close[:-1] |= close
        # Sites of two even windows have a whole window between them.
        kept: NDArray[np.int64] = common[chosen[~(is_close & (picked.window % 2 == 1))]]
        return kept


def _best_first(sites: Sites, level: NDArray[np.integer]) -> NDArray[np.int64]:
    """Order sites by window, and in it by level, then from its middle outwards."""
    off_centre = np.abs(sites.position % WINDOW - WINDOW // 2)
    return np.lexsort((sites.key, off_centre, -level, sites.window, sites.contig))


def _rank(sites: Sites, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give sites their number within their window, in an order that goes window by window."""
    contig, window = sites.contig[order], sites.window[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (np.diff(contig) != 0) | (np.diff(window) != 0)
    places = np.arange(len(order))
    return places - np.maximum.accumulate(np.where(is_first, places, 0))
