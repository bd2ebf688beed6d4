"""Tell from a cohort's genotypes how linked the released variants are, and try membership attacks out.

This runs where the genotypes are. What it writes holds sums over variants and people.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.kinship import close_pairs
from afpanel.core.linkage import LinkageSums
from afpanel.core.membership_trial import LEAST_PEOPLE, SEED, SPLITS, MembershipTrial
from afpanel.core.site_choice import MIN_MAF
from afpanel.core.site_choice import WINDOW as KINSHIP_WINDOW
from afpanel.io.panel_store import read_heads
from afpanel.io.tables import read_excluded, read_samples
from afpanel.model.cohort import Sample
from afpanel.model.groups import TOTAL, Group
from afpanel.stages.linkage_summary import (
    LinkageSummary,
    PopulationLinkage,
    Trial,
    write_summary,
)
from afpanel.stages.overlap import ALLELE_MAP, GENOTYPES_FOLDER
from afpanel.stages.overlap_calls import CohortCalls
from afpanel.stages.overlap_sites import ComparableSites, Places
from afpanel.stages.released_sites import ReleasedSites

logger = logging.getLogger(__name__)

_MOST_WINDOWS = 200
_MOST_PEOPLE = 1_000
"""People of a population that are looked at; linkage takes their number squared in memory."""

_FEWEST_PEOPLE = 20
_KINSHIP_WINDOWS = 10_000
_KINSHIPS = ((2_000, 0.0884), (500, 0.177))
"""Sites from which relatives are told, and their least kinship: of the second degree, or of the first.

Limits are those of Manichaikul et al. (2010). With fewer sites strangers would come near the first.
"""


@dataclass(frozen=True)
class LinkageInputs:
    """A cohort whose linkage is told.

    Parameters
    ----------
    cohort, country
        Its name, and the code of its country.
    folder
        Folder with its allele map and, in a folder of their own, its genotype stores.
    sheet
        Its sample sheet.
    panels
        Releasable panel store of each contig, or None where there is no panel yet.
    exclude
        List of samples that are not counted though the sheet includes them, or None.
    """

    cohort: str
    country: str
    folder: Path
    sheet: Path
    panels: Sequence[Path] | None = None
    exclude: Path | None = None


@dataclass(frozen=True)
class LinkageOptions:
    """What `linkage` needs to know besides its files.

    Parameters
    ----------
    min_allele_count
        Without a panel: copies, of ALT and of other alleles, that a population must have of a variant.
    false_positive_rate
        alpha of the attacks that are tried.
    """

    min_allele_count: int = 1
    false_positive_rate: float = 1e-3


def linkage(inputs: LinkageInputs, out: Path, options: LinkageOptions) -> None:
    """Tell how linked the variants of each population are, and how well attacks do.

    Parameters
    ----------
    inputs, options
        See `LinkageInputs` and `LinkageOptions`.
    out
        Linkage summary to write (JSON).

    Raises
    ------
    BadInputError
        If a sample of the sheet is not in the genotype stores.
    """
    samples = read_samples(inputs.sheet)
    if inputs.exclude is not None:
        samples = read_excluded(inputs.exclude, samples)
    populations = _populations(inputs, samples)
    sites = ComparableSites(inputs.folder / ALLELE_MAP)
    calls = CohortCalls(
        inputs.folder / GENOTYPES_FOLDER,
        sites.partitions,
        [name for each in populations for name in each.chosen],
    )
    shown_in = [each.shown_in for each in populations]
    released = ReleasedSites(sites, inputs.panels, shown_in)
    _leave_out_relatives(populations, calls, released)
    least = options.min_allele_count if inputs.panels is None else 1
    total, windows = released.windows(_MOST_WINDOWS)
    looked_at = 0
    for window in windows:
        looked_at += 1
        copies = _read(calls, window.places)
        for each, shown in zip(populations, window.shown.T, strict=True):
            each.add(copies, shown, least)
    logger.info(
        "linkage: %s, %d populations, %s of %s windows of variants",
        inputs.cohort, len(populations), f"{looked_at:,}", f"{total:,}",
    )  # fmt: skip
    found = [each.result(options.false_positive_rate) for each in populations]
    write_summary(out, LinkageSummary(inputs.cohort, total, looked_at, found))


class _Population:
    """A population of the cohort, and what is known of it so far."""

    def __init__(self, group: str, shown_in: str, names: list[str], first: int) -> None:
        self.group = group
        self.shown_in = shown_in
        self.people = len(names)
        lot = np.random.default_rng(SEED).permutation(self.people)[:_MOST_PEOPLE]
        self.chosen = [names[i] for i in np.sort(lot).tolist()]
        self.columns = first + np.arange(len(self.chosen))
        self.relatives: int | None = None
        self._sums: LinkageSums | None = None
        self._trial: MembershipTrial | None = None

    def start(self, related: NDArray[np.int64] | None) -> None:
        """Leave relatives out, by their places among the chosen; None where nobody could tell."""
        if related is not None:
            self.relatives = len(related)
            self.columns = np.delete(self.columns, related)
        n = len(self.columns)
        if n >= _FEWEST_PEOPLE:
            self._sums = LinkageSums(n)
        if n >= LEAST_PEOPLE:
            self._trial = MembershipTrial(n)

    def add(self, copies: NDArray[np.int8], shown: NDArray[np.bool_], least: int) -> None:
        """Add a window of everybody's copies, and which of its sites the group shows to vary."""
        if self._sums is None:
            return
        own = copies[:, self.columns]
        called = own != MISSING
        alt = np.where(called, own, 0).sum(axis=1)
        rarer = np.minimum(alt, 2 * called.sum(axis=1) - alt)
        rows = np.flatnonzero(shown & (rarer >= max(least, 1)))
        self._sums.add(own[rows])
        if self._trial is not None:
            self._trial.add(own[rows])

    def result(self, false_positive_rate: float) -> PopulationLinkage:
        """Give what was found."""
        trial = None
        if self._trial is not None and self._trial.variants:
            trial = Trial(
                self._trial.each,
                SPLITS,
                self._trial.variants,
                false_positive_rate,
                self._trial.result(false_positive_rate),
            )
        found = None if self._sums is None else self._sums.result()
        return PopulationLinkage(self.group, self.people, self.relatives, found, trial)


def _populations(inputs: LinkageInputs, samples: Sequence[Sample]) -> list[_Population]:
    """List the populations, by name, and the group of the panel that shows each best."""
    included = sorted((each.population, each.id) for each in samples if each.include)
    sizes = Counter(population for population, _ in included)
    groups = None if inputs.panels is None else read_heads(inputs.panels)[0].groups
    found: list[_Population] = []
    first = 0
    for population in sizes:
        group = Group(inputs.country, population).name
        names = [name for home, name in included if home == population]
        published = [
            each for each in (group, inputs.country, TOTAL) if groups is None or each in groups
        ]
        found.append(_Population(group, published[0], names, first))
        first += len(found[-1].chosen)
    return found


def _read(calls: CohortCalls, places: Places) -> NDArray[np.int8]:
    """Read everybody's copies at some places; (places, people) int8, the same however work is cut."""
    copies = np.full((len(places.key), len(calls.people)), MISSING, np.int8)
    for which, found in calls.at(places):
        copies[which] = found
    return copies


def _leave_out_relatives(
    populations: Sequence[_Population], calls: CohortCalls, released: ReleasedSites
) -> None:
    """Leave out the later of any two close relatives, where there are enough sites to tell."""
    chosen = released.spread(KINSHIP_WINDOW, _KINSHIP_WINDOWS)
    nothing = np.empty((0, len(calls.people)), np.int8)
    copies = np.concatenate([nothing, *(_read(calls, places) for places in chosen)])
    for each in populations:
        own = copies[:, each.columns]
        called = own != MISSING
        alt = np.where(called, own, 0).sum(axis=1)
        rarer = np.minimum(alt, 2 * called.sum(axis=1) - alt)
        common = np.flatnonzero(rarer >= MIN_MAF * 2 * np.maximum(called.sum(axis=1), 1))
        told = [limits for limits in _KINSHIPS if limits[0] <= len(common)]
        if not told:
            each.start(None)
            continue
        least, kinship = told[0]
        # Somebody with calls at half of the sites is told yet.
        pairs = close_pairs(np.ascontiguousarray(own.T), None, common, kinship, least // 2)
        each.start(np.unique(pairs.other))
