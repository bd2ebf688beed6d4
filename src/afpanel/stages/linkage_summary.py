"""The linkage summary of a cohort: what `linkage` writes where the genotypes are, and `risk` reads.

It holds sums over variants and over people. No person's figure is in it, so a programme may send it.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from afpanel.core.linkage import RIDGES, WINDOW, Linkage
from afpanel.core.membership_risk import Members
from afpanel.core.membership_trial import LEAST_PEOPLE, Attack
from afpanel.errors import BadInputError
from afpanel.io.files import read_json, write_json
from afpanel.io.schemas import faults_of
from afpanel.model.groups import Group

SUMMARY_VERSION = 2

FEWEST_PEOPLE = 20
"""People of a population of whom linkage is told."""

ATTACKS = ("likelihood_ratio", "homer", "linkage_known")
_DIGITS = 5
_MOST_FAULTS = 10


@dataclass(frozen=True)
class Trial:
    """What attacks on people held out made of it.

    Parameters
    ----------
    each
        People in the pool, as many as there were others, and in the reference.
    splits
        How often people were split.
    variants
        Variants that the attacker had.
    false_positive_rate
        alpha.
    attacks
        By name; see `MembershipTrial.result`.
    """

    each: int
    splits: int
    variants: int
    false_positive_rate: float
    attacks: Mapping[str, Attack]

    def share(self, attack: str) -> float:
        """Give the independent variants that an attack came to, for each that it had."""
        found = self.attacks[attack].independent_variants(self.each, self.each)
        return found / self.variants if self.variants else 0.0


@dataclass(frozen=True)
class VariantClass:
    """The variants of which a population has so many copies or more, of either allele.

    Parameters
    ----------
    min_allele_count
        So many.
    variants
        How many such variants there are; SNVs of autosomes, each its record's only ALT.
    linkage
        How linked those that were looked at are; None where there are too few people to know.
    trial
        None where there are too few people to split.
    """

    min_allele_count: int
    variants: int
    linkage: Linkage | None
    trial: Trial | None

    @property
    def is_linked(self) -> bool:
        """Whether anything is known of the linkage."""
        return self.linkage is not None and self.linkage.variants > 0

    def known(self) -> Members:
        """Give what is known of the population's people by it."""
        trial = self.trial
        return Members(
            self.variants,
            self.linkage if self.is_linked else None,
            None if trial is None else trial.share("likelihood_ratio"),
            None if trial is None else trial.share("linkage_known"),
            0 if trial is None else trial.variants,
        )


@dataclass(frozen=True)
class PopulationLinkage:
    """The linkage of a population of a cohort.

    Parameters
    ----------
    population
        Its label.
    people
        People of the cohort in it.
    relatives
        People left out because others are close relatives; None where that could not be told.
    classes
        By copies, the fewest first.
    """

    population: str
    people: int
    relatives: int | None
    classes: Sequence[VariantClass]

    def at(self, copies: float) -> VariantClass:
        """Choose the class of variants with so many copies or more: that of no more copies.

        Rarer variants are less linked, so what it takes in beside is on the side of the greater risk.
        """
        reached = [each for each in self.classes if each.min_allele_count <= max(copies, 1)]
        return reached[-1] if reached else self.classes[0]


@dataclass(frozen=True)
class LinkageSummary:
    """The linkage of a cohort's populations.

    Parameters
    ----------
    cohort, country
        Name of the cohort, and the code of its country.
    populations
        In order of their labels.
    """

    cohort: str
    country: str
    populations: Sequence[PopulationLinkage]

    def group_of(self, population: PopulationLinkage) -> str:
        """Name the group of one of its populations, as ``VN_KHV``."""
        return Group(self.country, population.population).name


def write_summary(path: Path, summary: LinkageSummary) -> None:
    """Write a linkage summary."""
    write_json(path, document_of(summary))


def document_of(summary: LinkageSummary) -> dict[str, Any]:
    """Lay a linkage summary out."""
    return {
        "linkage_version": SUMMARY_VERSION,
        "cohort": summary.cohort,
        "country": summary.country,
        "populations": [
            {
                "population": each.population,
                "people": each.people,
                "relatives_left_out": each.relatives,
                "classes": [_described(one) for one in each.classes],
            }
            for each in summary.populations
        ],
    }


def _described(of: VariantClass) -> dict[str, Any]:
    linkage, trial = of.linkage, of.trial
    return {
        "min_allele_count": of.min_allele_count,
        "variants": of.variants,
        "linkage": None
        if linkage is None
        else {
            "people": linkage.people,
            "variants": linkage.variants,
            "within": plain(linkage.within, _DIGITS),
            "within_error": plain(linkage.within_error, _DIGITS),
            "between": plain(linkage.between, _DIGITS),
            "ridges": [
                {
                    "ridge": ridge,
                    "sum": plain(total, _DIGITS),
                    "sum_of_squares": plain(squares, _DIGITS),
                }
                for ridge, (total, squares) in zip(RIDGES, linkage.ridge_sums, strict=True)
            ],
        },
        "trial": None
        if trial is None
        else {
            "pool": trial.each,
            "splits": trial.splits,
            "variants": trial.variants,
            "false_positive_rate": trial.false_positive_rate,
            "attacks": {
                name: {key: plain(value, _DIGITS) for key, value in asdict(attack).items()}
                for name, attack in trial.attacks.items()
            },
        },
    }


def plain(value: float, digits: int = 6) -> float | None:
    """Round to so many digits, which no order of adding up changes; None for a missing value.

    >>> plain(0.12345678), plain(float("nan")), plain(1234.5678, 5)
    (0.123457, None, 1234.6)
    """
    return None if math.isnan(value) else float(f"{value:.{digits}g}")


def read_summary(path: Path) -> LinkageSummary:
    """Read a linkage summary.

    Raises
    ------
    BadInputError
        If the file is none, or one of another version, or says what cannot be.
    """
    content = read_json(path)
    version = content.get("linkage_version") if isinstance(content, dict) else None
    if version != SUMMARY_VERSION:
        raise BadInputError(
            "not a linkage summary that this version reads",
            where=path,
            expected=f"linkage_version {SUMMARY_VERSION}",
            found=version,
            remedy="write it again with afpanel linkage",
        )
    faults = [str(each) for each in faults_of(content, "linkage", str(path), _MOST_FAULTS)]
    faults = faults or list(impossible(content))
    if faults:
        raise BadInputError(
            "this linkage summary cannot be used",
            where=path,
            found="; ".join(faults[:_MOST_FAULTS]),
            remedy="write it again with afpanel linkage",
        )
    return summary_of(content)


def impossible(content: Mapping[str, Any]) -> Iterator[str]:
    """Name what cannot be in a summary that is laid out as its schema says.

    It comes from outside, and lower figures look safer.
    """
    labels = [each["population"] for each in content["populations"]]
    if labels != sorted(set(labels)):
        yield "populations are not in order, or named twice"
    for population in content["populations"]:
        fewest = [each["min_allele_count"] for each in population["classes"]]
        if fewest != sorted(set(fewest)):
            yield f"{population['population']}: classes are not in order, or named twice"
        variants = [each["variants"] for each in population["classes"]]
        if variants != sorted(variants, reverse=True):
            yield f"{population['population']}: more variants have more copies"
        left = population["people"] - (population["relatives_left_out"] or 0)
        for each in population["classes"]:
            where = f"{population['population']}, {each['min_allele_count']} copies"
            for what in _impossible(each, left):
                yield f"{where}: {what}"


def _impossible(of: Mapping[str, Any], people: int) -> Iterator[str]:
    """Name what cannot be of a class of variants, of so many people at most."""
    linkage, trial = of["linkage"], of["trial"]
    if linkage is None:
        if trial is not None:
            yield "people were held out, and their linkage is not told"
        return
    if linkage["people"] > people:
        yield f"linkage from {linkage['people']} of {people} people"
    if linkage["variants"] > of["variants"]:
        yield f"linkage from {linkage['variants']} of {of['variants']} variants"
    if [each["ridge"] for each in linkage["ridges"]] != list(RIDGES):
        yield f"ridges are not {RIDGES}"
    # Sums are rounded, each by itself.
    most = linkage["variants"] * (1 + 1e-4)
    for each in linkage["ridges"]:
        total, squares = each["sum"], each["sum_of_squares"]
        if not squares <= total * (1 + 1e-4) <= most * (1 + 1e-4):
            yield f"sums over eigenvalues {total} and {squares} of {linkage['variants']} variants"
        if squares == 0 < linkage["variants"]:
            yield "eigenvalues that add up to nothing"
    if linkage["within"] > WINDOW:
        yield f"within {linkage['within']}, in windows of {WINDOW} variants"
    if trial is None:
        return
    if trial["pool"] != linkage["people"] // 3 or linkage["people"] < LEAST_PEOPLE:
        yield f"a pool of {trial['pool']} of {linkage['people']} people"
    if trial["variants"] > of["variants"]:
        yield f"a trial with {trial['variants']} of {of['variants']} variants"
    for name, attack in trial["attacks"].items():
        found = [attack[key] for key in ("found_low", "found", "found_high")]
        known = [each for each in found if each is not None]
        if len(known) not in (0, len(found)) or known != sorted(known):
            yield f"{name} found {found}"


def faults_of_linkage(summary: LinkageSummary, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Find what is against what a contribution's manifest says: whose it is, and how many they are."""
    for key, found in (("cohort", summary.cohort), ("country", summary.country)):
        if found != manifest[key]:
            yield f"is of another {key}, {found}"
    told: Counter[str] = Counter()
    for cell in manifest["cells"]:
        told[cell["population"]] += sum(cell["people"].values())
    held = {each.population: each.people for each in summary.populations}
    for population in sorted(told.keys() | held.keys()):
        if told.get(population) != held.get(population):
            yield (
                f"has {held.get(population, 0):,} people of population {population}, and not the"
                f" {told.get(population, 0):,} who are told of"
            )
    fewest = manifest["sharing"]["min_allele_count"]
    for each in summary.populations:
        if min(one.min_allele_count for one in each.classes) < fewest:
            yield f"{each.population} tells of variants with fewer than {fewest} copies"


def summary_of(content: Mapping[str, Any]) -> LinkageSummary:
    """Read a summary from a document that is as it should be."""
    return LinkageSummary(
        content["cohort"],
        content["country"],
        [
            PopulationLinkage(
                each["population"],
                each["people"],
                each["relatives_left_out"],
                [_class(one) for one in each["classes"]],
            )
            for each in content["populations"]
        ],
    )


def _class(content: Mapping[str, Any]) -> VariantClass:
    found, tried = content["linkage"], content["trial"]
    linkage = None
    if found is not None:
        linkage = Linkage(
            people=found["people"],
            variants=found["variants"],
            within=float(found["within"]),
            within_error=_number(found["within_error"]),
            between=float(found["between"]),
            ridge_sums=tuple(
                (float(each["sum"]), float(each["sum_of_squares"])) for each in found["ridges"]
            ),
        )
    trial = None
    if tried is not None:
        attacks = {
            name: Attack(**{key: _number(value) for key, value in attack.items()})
            for name, attack in tried["attacks"].items()
        }
        rate = float(tried["false_positive_rate"])
        trial = Trial(tried["pool"], tried["splits"], tried["variants"], rate, attacks)
    return VariantClass(content["min_allele_count"], content["variants"], linkage, trial)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
