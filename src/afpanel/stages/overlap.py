"""Find people who are in two cohorts, or twice in one, before they are counted twice.

Sample IDs go into the table of pairs and the lists of who is dropped, which are private. What is logged,
or said in an error, and the report name cohorts and numbers alone.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.core.kinship import Pairs, call_counts, close_pairs
from afpanel.core.site_choice import MIN_CALL_RATE, MIN_MAF, Sites, most_sites
from afpanel.errors import PolicyRefusalError
from afpanel.io.files import write_json, write_text
from afpanel.io.tables import read_samples
from afpanel.io.track_text import is_track
from afpanel.stages.overlap_calls import CohortCalls
from afpanel.stages.overlap_sites import ComparableSites, Places, candidate_sites, places_of

logger = logging.getLogger(__name__)

ALLELE_MAP = "alleles.zarr.zip"
GENOTYPES_FOLDER = "genotypes"

_COLUMNS = ("cohort1", "sample1", "cohort2", "sample2", "kinship", "sites", "ibs0")
ALL_PAIRS = 30_000
"""People of whom every pair is looked at, unless told otherwise: two minutes of two cores."""

_NAMED = 10


@dataclass(frozen=True)
class OverlapCohort:
    """A cohort to compare.

    Parameters
    ----------
    name
        Its name.
    folder
        Folder with its allele map and, in a folder of their own, its genotype stores.
    sheet
        Its sample sheet.
    callable_file
        Its BED or track of allele numbers; a track counts the people whom the sheet includes.
    """

    name: str
    folder: Path
    sheet: Path
    callable_file: Path | None = None


@dataclass(frozen=True)
class OverlapOptions:
    """What `overlap` needs to know besides its files.

    Parameters
    ----------
    action
        What becomes of people who are found twice: ``fail``, ``drop`` or ``report``.
    kinship
        Least kinship of two samples that are taken for one person.
    min_sites
        Least sites to tell by.
    all_pairs_up_to
        Most people of whom every pair is looked at; of more, those who are alike at sites drawn by lot.
    """

    action: str = "fail"
    kinship: float = 0.354
    min_sites: int = 500
    all_pairs_up_to: int = ALL_PAIRS


@dataclass(frozen=True)
class OverlapOutputs:
    """What is written.

    Parameters
    ----------
    pairs
        Table of the pairs, with sample IDs.
    report
        What was compared and how much was found (JSON), without sample IDs.
    dropped
        Pattern with ``{cohort}`` of the lists of samples not to count; with ``drop`` alone.
    """

    pairs: Path
    report: Path
    dropped: str | None = None


def overlap(
    cohorts: Sequence[OverlapCohort], outputs: OverlapOutputs, options: OverlapOptions
) -> None:
    """Compare everybody with everybody, and act on those who are found twice.

    Parameters
    ----------
    cohorts
        In any order.
    outputs, options
        See `OverlapOutputs` and `OverlapOptions`.

    Raises
    ------
    PolicyRefusalError
        If somebody is found twice and the action is ``fail``, if a cohort has nobody left, or if
        somebody would be dropped whom a track of allele numbers counts. The table and the report are
        written before.
    """
    compared = _People([_Cohort(each) for each in sorted(cohorts, key=lambda each: each.name)])
    logger.info(
        "overlap: %s people of %d cohorts at %s sites",
        f"{compared.starts[-1]:,}", len(cohorts), f"{compared.n_sites:,}",
    )  # fmt: skip
    comparisons = [
        compared.compare(i, j, options) for i in range(len(cohorts)) for j in range(i, len(cohorts))
    ]
    _warn(comparisons, options)
    write_text(outputs.pairs, compared.table(comparisons))
    is_dropped = compared.repeated(comparisons)
    if options.action != "drop":
        is_dropped[:] = False
    dropped = [cohort.pick(is_dropped[rows]) for cohort, rows in compared.rows()]
    report = {
        "action": options.action,
        "kinship": options.kinship,
        "min_sites": options.min_sites,
        "sites": compared.n_sites,
        "all_pairs": compared.all_pairs(options),
        "pairs": sum(each.n_pairs for each in comparisons),
        "cohorts": {
            cohort.name: {
                "people": len(cohort.people),
                "sites": int(np.count_nonzero(cohort.has)),
                "dropped": len(names),
            }
            for (cohort, _), names in zip(compared.rows(), dropped, strict=True)
        },
        "comparisons": [each.described() for each in comparisons],
    }
    write_json(outputs.report, report)
    _refuse(comparisons, outputs, options)
    of_cohorts = [
        (cohort, names) for (cohort, _), names in zip(compared.rows(), dropped, strict=True)
    ]
    _refuse_to_drop(of_cohorts, outputs)
    if outputs.dropped is not None:
        for cohort, names in of_cohorts:
            path = Path(outputs.dropped.replace("{cohort}", cohort.name))
            write_text(path, "".join(f"{name}\n" for name in names))


@dataclass(frozen=True)
class _Comparison:
    """What came of comparing two cohorts, or one with itself.

    Parameters
    ----------
    names, people
        Of both.
    sites
        Sites that both have.
    uncalled
        People of them with calls at too few of these to be told.
    pairs
        People found twice; None where it cannot be told.
    """

    names: tuple[str, str]
    people: tuple[int, int]
    sites: int
    uncalled: int
    pairs: Pairs | None

    @property
    def n_pairs(self) -> int:
        return 0 if self.pairs is None else len(self.pairs)

    def __str__(self) -> str:
        one, other = self.names
        return f"within {one}" if one == other else f"{one} and {other}"

    def described(self) -> dict[str, Any]:
        return {
            "cohorts": list(self.names),
            "people": list(self.people),
            "sites": self.sites,
            "told": self.pairs is not None,
            "people_with_too_few_calls": self.uncalled,
            "pairs": None if self.pairs is None else len(self.pairs),
        }


class _Cohort:
    """A cohort, its included people in order of their IDs, and what they carry."""

    def __init__(self, given: OverlapCohort) -> None:
        self.name = given.name
        self.callable_file = given.callable_file
        self.people = sorted(read_samples(given.sheet).included)
        self.sites = ComparableSites(given.folder / ALLELE_MAP)
        self._calls = CohortCalls(
            given.folder / GENOTYPES_FOLDER, self.sites.partitions, self.people
        )
        self.has: NDArray[np.bool_]
        self.copies: NDArray[np.int8]

    @property
    def has_track(self) -> bool:
        """Whether numbers of who could be called are given from outside."""
        return self.callable_file is not None and is_track(self.callable_file)

    def pick(self, chosen: NDArray[np.bool_]) -> list[str]:
        """Name the people who are chosen."""
        return [self.people[row] for row in np.flatnonzero(chosen).tolist()]

    def frequencies(
        self, contigs: Sequence[str], sites: Sites
    ) -> tuple[NDArray[np.int64], Places, NDArray[np.int64], NDArray[np.int64]]:
        """Count, at the sites that the cohort has: their rows, places, ALT alleles and people called."""
        rows, places = places_of(self.sites, contigs, sites)
        return rows, places, *self._calls.counts(places)

    def read(self, n_sites: int, column: NDArray[np.int64], places: Places) -> None:
        """Read everybody's copies at the chosen sites; `column` says which each of the places is."""
        self.has = np.zeros(n_sites, bool)
        self.has[column] = True
        self.copies = self._calls.by_person(places, column, n_sites)


class _People:
    """Everybody of all cohorts, cohort by cohort, at the sites that were chosen."""

    def __init__(self, cohorts: list[_Cohort]) -> None:
        self.cohorts = cohorts
        self.starts = np.cumsum([0, *(len(cohort.people) for cohort in cohorts)])
        contigs, sites = candidate_sites(
            [cohort.sites for cohort in cohorts], most_sites(int(self.starts[-1]))
        )
        n_cohorts, alt, called = np.zeros((3, len(sites)), np.int64)
        at = []
        for cohort in cohorts:
            rows, places, its_alt, its_called = cohort.frequencies(contigs, sites)
            good = its_called >= MIN_CALL_RATE * len(cohort.people)
            n_cohorts[rows[good]] += 1
            alt[rows[good]] += its_alt[good]
            called[rows[good]] += its_called[good]
            at.append((rows[good], places.take(good)))
        is_common = np.minimum(alt, 2 * called - alt) >= MIN_MAF * 2 * np.maximum(called, 1)
        chosen = sites.one_of_each_window(is_common, n_cohorts)
        self.n_sites = len(chosen)
        for cohort, (rows, places) in zip(cohorts, at, strict=True):
            _, column, mine = np.intersect1d(chosen, rows, assume_unique=True, return_indices=True)
            cohort.read(self.n_sites, column, places.take(mine))

    def rows(self) -> list[tuple[_Cohort, slice]]:
        """List the cohorts, and where each one's people are."""
        starts = self.starts.tolist()
        return [(c, slice(*starts[i : i + 2])) for i, c in enumerate(self.cohorts)]

    def all_pairs(self, options: OverlapOptions) -> bool:
        """Whether every pair is looked at."""
        return int(self.starts[-1]) <= options.all_pairs_up_to

    def compare(self, i: int, j: int, options: OverlapOptions) -> _Comparison:
        """Compare everybody of one cohort with everybody of another, or of the same."""
        one, other = self.cohorts[i], self.cohorts[j]
        shared = np.flatnonzero(one.has & other.has)
        names, people = (one.name, other.name), (len(one.people), len(other.people))
        if len(shared) < options.min_sites:
            return _Comparison(names, people, len(shared), 0, None)
        both = (one,) if i == j else (one, other)
        called = (call_counts(each.copies, shared)[0] for each in both)
        uncalled = sum(int((of_cohort < options.min_sites).sum()) for of_cohort in called)
        others = None if i == j else other.copies
        pairs = close_pairs(
            one.copies, others, shared, options.kinship, options.min_sites,
            all_pairs=self.all_pairs(options),
        )  # fmt: skip
        return _Comparison(names, people, len(shared), uncalled, pairs)

    def table(self, comparisons: Sequence[_Comparison]) -> str:
        """Lay out all pairs, with sample IDs."""
        cohorts = {cohort.name: cohort for cohort in self.cohorts}
        lines = ["\t".join(_COLUMNS)]
        for each in comparisons:
            if each.pairs is None:
                continue
            first, second = (cohorts[name] for name in each.names)
            found = each.pairs
            columns = (found.one, found.other, found.kinship, found.sites, found.opposite)
            for one, other, kinship, sites, opposite in zip(
                *(column.tolist() for column in columns), strict=True
            ):
                people = (first.name, first.people[one], second.name, second.people[other])
                lines.append("\t".join([*people, f"{kinship:.6f}", str(sites), str(opposite)]))
        return "".join(f"{line}\n" for line in lines)

    def repeated(self, comparisons: Sequence[_Comparison]) -> NDArray[np.bool_]:
        """Tell who is in a pair and does not stay.

        Samples that are joined by pairs, be it through others, are one person, of whom the first stays:
        in order of cohorts' names and, in a cohort, of sample IDs.
        """
        from scipy.sparse import coo_array  # noqa: PLC0415 - start-up that other runs do not need
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - as above

        start = {cohort.name: rows.start for cohort, rows in self.rows()}
        ends = [np.empty((2, 0), np.int64)]
        for each in comparisons:
            if each.pairs is not None:
                one, other = (start[name] for name in each.names)
                ends.append(np.stack([each.pairs.one + one, each.pairs.other + other]))
        joined = np.concatenate(ends, axis=1)
        n = int(self.starts[-1])
        graph = coo_array((np.ones(joined.shape[1], np.int8), tuple(joined)), shape=(n, n))
        _, person = connected_components(graph, directed=False)
        _, stays = np.unique(person, return_index=True)
        result = np.ones(n, bool)
        result[stays] = False
        return result


def _warn(comparisons: Sequence[_Comparison], options: OverlapOptions) -> None:
    """Say what cannot be told, and what was found."""
    untold = [each for each in comparisons if each.pairs is None]
    if untold:
        logger.warning(
            "overlap: whether people are in two cohorts cannot be told where cohorts share fewer than"
            " %s common sites: %s",
            f"{options.min_sites:,}",
            _listed([f"{each} ({each.sites:,} sites)" for each in untold]),
        )
    uncalled = [f"{each} ({each.uncalled:,})" for each in comparisons if each.uncalled]
    if uncalled:
        logger.warning("overlap: people with too few calls to be told: %s", _listed(uncalled))
    found = [f"{each} ({each.n_pairs:,} pairs)" for each in comparisons if each.n_pairs]
    if found:
        logger.warning("overlap: people who are there twice: %s", _listed(found))


def _refuse_to_drop(
    of_cohorts: Sequence[tuple[_Cohort, list[str]]], outputs: OverlapOutputs
) -> None:
    """Refuse to leave nobody in a cohort, or out of one whose track counts them."""
    for cohort, names in of_cohorts:
        if len(names) == len(cohort.people):
            raise PolicyRefusalError(
                f"all {len(names):,} people of cohort {cohort.name} are in other cohorts too",
                where="overlap: drop",
                remedy="take the cohort out of the table of cohorts",
            )
        if names and cohort.has_track:
            raise PolicyRefusalError(
                f"of cohort {cohort.name} {len(names):,} samples would be dropped, and its track of allele"
                " numbers counts them",
                where=cohort.callable_file,
                remedy=f"look at {outputs.pairs}; write no under include for them in the cohort's sample"
                " sheet, and take them out of the track",
            )


def _refuse(
    comparisons: Sequence[_Comparison], outputs: OverlapOutputs, options: OverlapOptions
) -> None:
    found = [each for each in comparisons if each.n_pairs]
    if found and options.action == "fail":
        raise PolicyRefusalError(
            "people would be counted twice; pairs of samples that are of one person:"
            f" {sum(each.n_pairs for each in found):,}",
            where="overlap",
            expected=f"every person once: no kinship of {options.kinship} or more",
            found=_listed([f"{each}: {each.n_pairs:,}" for each in found]),
            remedy=f"see who they are in {outputs.pairs}, which is private; then write 'no' under"
            " include for one of each pair in the sample sheets, or configure 'overlap: drop' to count"
            " each person once, or 'overlap: report' where they are twins",
        )


def _listed(items: Sequence[str]) -> str:
    """Join items, the first few of many."""
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
