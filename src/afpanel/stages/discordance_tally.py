"""Sums of flags: how many each cohort has, and where."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.core.discordance import Flags, Kind

REGION_BASES = 1_000_000
"""Bases of a region; the first of a contig begins at its first base."""


@dataclass(frozen=True)
class RegionTally:
    """What was found of a cohort in a region.

    Parameters
    ----------
    contig, start, end
        Where it is; 1-based, inclusive.
    variants
        Variants that some cohort has there.
    flagged
        Those at which the cohort is flagged.
    kinds
        Flags by `Kind`.
    """

    contig: str
    start: int
    end: int
    variants: int
    flagged: int
    kinds: list[int]


class Tally:
    """Adds up tests and flags by cohort, and flags by region.

    `allele_tests` and `genotype_tests`, (cohorts,) int64, are for the caller to add to. `compared` has the
    call rates that were compared; `backed`, (cohorts, kinds), the flags that cannot be the other one's fault:
    of genotypes and call rates all, of frequencies those that two other cohorts or more speak for.
    """

    def __init__(self, n_cohorts: int) -> None:
        self.allele_tests = np.zeros(n_cohorts, np.int64)
        self.genotype_tests = np.zeros(n_cohorts, np.int64)
        self.compared = np.zeros(n_cohorts, np.int64)
        self.backed = np.zeros((n_cohorts, len(Kind)), np.int64)
        self.variants = 0
        self._of_contig: dict[str, NDArray[np.int64]] = {}
        self._in_region: dict[str, NDArray[np.int64]] = {}

    def add(
        self,
        contig: str,
        position: NDArray[np.int32],
        flags: Flags,
        compared: NDArray[np.bool_],
    ) -> None:
        """Take in the flags of a window.

        Parameters
        ----------
        contig, position
            Its variants, (n,).
        flags
            Their flags.
        compared
            (n, cohorts) bool: where call rates were compared.
        """
        n_cohorts = compared.shape[1]
        self.variants += len(position)
        self.compared += compared.sum(axis=0)
        region = np.maximum(position - 1, 0) // REGION_BASES
        in_region = np.bincount(region)
        regions = len(in_region)
        self._in_region[contig] = _sum(self._in_region.get(contig), in_region)
        # Flags by kind, and last the variants with any: two labels of a variant are one flag.
        tally = np.zeros((regions, n_cohorts, len(Kind) + 1), np.int64)
        for column, key in enumerate((*Kind, None)):
            chosen = flags.kind == key if key is not None else np.ones(len(flags), np.bool_)
            pairs = np.unique(flags.row[chosen] * n_cohorts + flags.cohort[chosen])
            np.add.at(tally, (region[pairs // n_cohorts], pairs % n_cohorts, column), 1)
        two_sided = np.isin(flags.kind, (Kind.FREQUENCY, Kind.SWAPPED))
        sure = flags.take(~two_sided | (flags.others > 1))
        keys = np.unique((sure.row * n_cohorts + sure.cohort) * len(Kind) + sure.kind)
        self.backed += np.bincount(
            keys % (n_cohorts * len(Kind)), minlength=n_cohorts * len(Kind)
        ).reshape(n_cohorts, len(Kind))
        self._of_contig[contig] = _sum(self._of_contig.get(contig), tally)

    def flags(self, cohort: int) -> list[int]:
        """Variants at which a cohort is flagged, by `Kind`, and last of any kind."""
        total = np.zeros(len(Kind) + 1, np.int64)
        for tally in self._of_contig.values():
            total += tally[:, cohort].sum(axis=0)
        return [int(n) for n in total]

    def worst(self, cohort: int, most: int) -> list[RegionTally]:
        """List the regions in which a cohort has most flagged variants, in order of contigs among equals."""
        regions = list(self._regions(cohort))
        return sorted(regions, key=lambda region: -region.flagged)[:most]

    def _regions(self, cohort: int) -> Iterator[RegionTally]:
        for contig, tally in self._of_contig.items():
            for number in np.flatnonzero(tally[:, cohort, -1]).tolist():
                *kinds, flagged = tally[number, cohort].tolist()
                start = number * REGION_BASES
                variants = int(self._in_region[contig][number])
                yield RegionTally(contig, start + 1, start + REGION_BASES, variants, flagged, kinds)


def _sum(one: NDArray[np.int64] | None, other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add two tallies, of which one may be of fewer regions than the other."""
    if one is None:
        return other
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    total = longer.copy()
    total[: len(shorter)] += shorter
    return total
