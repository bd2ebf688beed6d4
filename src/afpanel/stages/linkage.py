"""Tell from a cohort's genotypes how linked its variants are, and try membership attacks out.

This runs where the genotypes are. What it writes holds sums over variants and people, of the cohort alone:
it is the same at home and at a hub, and whatever panel the cohort is to be part of.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.contigs import ContigNames
from afpanel.core.intervals import Intervals
from afpanel.core.kinship import close_pairs
from afpanel.core.linkage import LinkageSums
from afpanel.core.membership_trial import LEAST_PEOPLE, SEED, SPLITS, MembershipTrial
from afpanel.core.site_choice import MIN_MAF
from afpanel.core.withholding import Sharing, told_cells
from afpanel.errors import BadInputError
from afpanel.io.files import read_json
from afpanel.io.tables import read_aliases, read_beds, read_excluded, read_samples
from afpanel.model.cohort import Sample
from afpanel.stages.cell_counts import CountsHead, open_cell_counts
from afpanel.stages.linkage_summary import (
    FEWEST_PEOPLE,
    LinkageSummary,
    PopulationLinkage,
    Trial,
    VariantClass,
    write_summary,
)
from afpanel.stages.overlap import ALLELE_MAP, GENOTYPES_FOLDER
from afpanel.stages.overlap_calls import CohortCalls
from afpanel.stages.overlap_sites import ComparableSites, Places
from afpanel.stages.own_sites import OwnSites, Survey

logger = logging.getLogger(__name__)

THRESHOLDS = (1, 3, 5, 11)
"""Copies of either allele from which variants are a class: limits that policies have."""

FALSE_POSITIVE_RATE = 1e-3
"""alpha of the attacks that are tried."""

_MOST_WINDOWS = 100
"""Windows of a class whose linkage is worked out."""

_MOST_TRIED = 25
"""Windows of these with which attacks are tried: how surely they tell hangs on people from there on."""

_MOST_PEOPLE = 1_000
"""People of a population that are looked at; linkage takes their number squared in memory."""

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
    cohort
        Its name.
    counts
        All its stores of counts, which also tell its cells.
    folder
        Folder with its allele map and, in a folder of their own, its genotype stores.
    sheet
        Its sample sheet.
    exclude
        List of samples that are not counted though the sheet includes them, or None.
    plan
        Plan of the run, for a summary of what the cohort shares, as `package` needs it; None tells of
        everybody.
    """

    cohort: str
    counts: Sequence[Path]
    folder: Path
    sheet: Path
    exclude: Path | None = None
    plan: Path | None = None


def linkage(inputs: LinkageInputs, out: Path) -> None:
    """Tell how linked the variants of each population are, and how well attacks do.

    Parameters
    ----------
    inputs
        See `LinkageInputs`.
    out
        Linkage summary to write (JSON).

    Raises
    ------
    BadInputError
        If a sample of the sheet is not in the genotype stores, or the counts are of another cohort.
    """
    samples = read_samples(inputs.sheet)
    if inputs.exclude is not None:
        samples = read_excluded(inputs.exclude, samples)
    head = _head(inputs)
    config = None if inputs.plan is None else read_json(inputs.plan)["config"]
    sharing = Sharing() if config is None else Sharing.of(config["sharing"])
    told = told_cells(head.cells, sharing)
    names = sorted({cell.population for cell in told.cells})
    # A cell is told, by itself or as part of another, or it is of no population here.
    population_of = np.full(len(head.cells), -1)
    for cell, of in zip(told.cells, told.sums.T, strict=True):
        population_of[of > 0] = names.index(cell.population)
    fewest = max(sharing.min_allele_count, 1)
    thresholds = sorted({max(each, fewest) for each in THRESHOLDS})
    populations = _populations(names, head, population_of, samples, len(thresholds))
    sites = ComparableSites(inputs.folder / ALLELE_MAP)
    calls = CohortCalls(
        inputs.folder / GENOTYPES_FOLDER,
        sites.partitions,
        [name for each in populations for name in each.chosen],
    )
    survey = OwnSites(
        sites,
        inputs.counts,
        population_of,
        len(names),
        thresholds,
        sharing.min_variant_count,
        _left_out(config, sorted(sites.contigs)),
    ).survey(_MOST_WINDOWS)
    _leave_out_relatives(populations, calls, survey)
    # One of so many windows of each class has attacks tried with it.
    stride = [-(-len(chosen) // _MOST_TRIED) for chosen in survey.chosen]
    looked_at = [0] * len(thresholds)
    for number, window in survey.windows():
        is_tried = looked_at[number] % stride[number] == 0
        looked_at[number] += 1
        copies = _read(calls, window.places)
        for each, level in zip(populations, window.level.T, strict=True):
            each.add(number, copies, level > number, is_tried=is_tried)
    logger.info(
        "linkage: %s, %d populations, %s of %s windows of variants",
        inputs.cohort, len(populations), f"{sum(looked_at):,}", f"{int(survey.windows_on.sum()):,}",
    )  # fmt: skip
    found = [
        each.result(thresholds, survey.variants[:, at].tolist())
        for at, each in enumerate(populations)
    ]
    write_summary(out, LinkageSummary(inputs.cohort, head.country, found))


def _head(inputs: LinkageInputs) -> CountsHead:
    """Read whose counts they are."""
    if not inputs.counts:
        raise BadInputError(f"no counts of cohort {inputs.cohort} are given")
    head = None
    for path in inputs.counts:
        with open_cell_counts(path) as store:
            head = CountsHead.of(store)
        if head.cohort != inputs.cohort:
            raise BadInputError(
                f"counts of another cohort, {head.cohort}",
                where=path,
                expected=f"counts of {inputs.cohort}",
            )
    assert head is not None
    return head


class _Population:
    """A population of the cohort, and what is known of it so far."""

    def __init__(self, label: str, names: list[str], first: int, classes: int) -> None:
        self.label = label
        self.people = len(names)
        lot = np.random.default_rng(SEED).permutation(self.people)[:_MOST_PEOPLE]
        self.chosen = [names[i] for i in np.sort(lot).tolist()]
        self.columns = first + np.arange(len(self.chosen))
        self.relatives: int | None = None
        self._classes = classes
        self._sums: list[LinkageSums] = []
        self._trials: list[MembershipTrial] = []

    def start(self, related: NDArray[np.int64] | None) -> None:
        """Leave relatives out, by their places among the chosen; None where nobody could tell."""
        if related is not None:
            self.relatives = len(related)
            self.columns = np.delete(self.columns, related)
        n = len(self.columns)
        if n >= FEWEST_PEOPLE:
            self._sums = [LinkageSums(n) for _ in range(self._classes)]
        if n >= LEAST_PEOPLE:
            self._trials = [MembershipTrial(n) for _ in range(self._classes)]

    def add(
        self, number: int, copies: NDArray[np.int8], is_of: NDArray[np.bool_], *, is_tried: bool
    ) -> None:
        """Add a window: everybody's copies, and which of its sites are of a class in this population."""
        if not self._sums:
            return
        own = copies[:, self.columns]
        called = own != MISSING
        alt = np.where(called, own, 0).sum(axis=1)
        varies = (alt > 0) & (alt < 2 * called.sum(axis=1))
        rows = np.flatnonzero(is_of & varies)
        self._sums[number].add(own[rows])
        if self._trials and is_tried:
            self._trials[number].add(own[rows])

    def result(self, thresholds: Sequence[int], variants: Sequence[int]) -> PopulationLinkage:
        """Give what was found, by class."""
        classes = [
            VariantClass(
                fewest,
                variants[number],
                self._sums[number].result() if self._sums else None,
                self._tried(number),
            )
            for number, fewest in enumerate(thresholds)
        ]
        return PopulationLinkage(self.label, self.people, self.relatives, classes)

    def _tried(self, number: int) -> Trial | None:
        if not self._trials or not self._trials[number].variants:
            return None
        trial = self._trials[number]
        attacks = trial.result(FALSE_POSITIVE_RATE)
        return Trial(trial.each, SPLITS, trial.variants, FALSE_POSITIVE_RATE, attacks)


def _populations(
    labels: Sequence[str],
    head: CountsHead,
    population_of: NDArray[np.int64],
    samples: Sequence[Sample],
    classes: int,
) -> list[_Population]:
    """List the populations that are told of, with their people, by name."""
    told = {
        (cell.population, cell.sex): int(at)
        for cell, at in zip(head.cells, population_of, strict=True)
    }
    included = sorted(
        (told.get((each.population, each.sex), -1), each.id) for each in samples if each.include
    )
    found: list[_Population] = []
    first = 0
    for number, label in enumerate(labels):
        names = [name for home, name in included if home == number]
        found.append(_Population(label, names, first, classes))
        first += len(found[-1].chosen)
    return found


def _left_out(config: dict[str, Any] | None, contigs: Sequence[str]) -> dict[str, Intervals]:
    """Read the regions of which nothing is told."""
    path = None if config is None else config["sharing"]["leave_out_regions"]
    if config is None or path is None:
        return {}
    aliases = config["harmonize"]["aliases"]
    names = ContigNames(contigs, read_aliases(Path(aliases) if aliases else None))
    return read_beds(Path(path), names, contigs)


def _read(calls: CohortCalls, places: Places) -> NDArray[np.int8]:
    """Read everybody's copies at some places; (places, people) int8, the same however work is cut."""
    copies = np.full((len(places.key), len(calls.people)), MISSING, np.int8)
    for which, found in calls.at(places):
        copies[which] = found
    return copies


def _leave_out_relatives(
    populations: Sequence[_Population], calls: CohortCalls, survey: Survey
) -> None:
    """Leave out the later of any two close relatives, where there are enough sites to tell."""
    nothing = np.empty((0, len(calls.people)), np.int8)
    chosen = survey.thinned(_KINSHIP_WINDOWS)
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
