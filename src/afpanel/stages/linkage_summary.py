"""The linkage summary of a cohort: what `linkage` writes where the genotypes are, and `risk` reads.

It holds sums over variants and over people. No person's figure is in it, so a programme may send it.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from afpanel.core.linkage import RIDGES, Linkage
from afpanel.core.membership_trial import Attack
from afpanel.errors import BadInputError
from afpanel.io.files import read_json, write_json

SUMMARY_VERSION = 1


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
    attacks: dict[str, Attack]

    def share(self, attack: str) -> float:
        """Give the independent variants that an attack came to, for each that it had."""
        found = self.attacks[attack].independent_variants(self.each, self.each)
        return found / self.variants if self.variants else 0.0


@dataclass(frozen=True)
class PopulationLinkage:
    """The linkage of a population of a cohort.

    Parameters
    ----------
    group
        Name of the population's group, as ``VN_KHV``.
    people
        People of the cohort in it.
    relatives
        People left out because others are close relatives; None where that could not be told.
    linkage
        None where there are too few people to know.
    trial
        None where there are too few people to split.
    """

    group: str
    people: int
    relatives: int | None
    linkage: Linkage | None
    trial: Trial | None


@dataclass(frozen=True)
class LinkageSummary:
    """The linkage of a cohort's populations.

    Parameters
    ----------
    cohort
        Name of the cohort.
    windows, windows_looked_at
        Windows of variants that there are, and how many of them it is from.
    populations
        In order of their names.
    """

    cohort: str
    windows: int
    windows_looked_at: int
    populations: Sequence[PopulationLinkage]


def write_summary(path: Path, summary: LinkageSummary) -> None:
    """Write a linkage summary."""
    write_json(
        path,
        {
            "linkage_version": SUMMARY_VERSION,
            "cohort": summary.cohort,
            "windows": summary.windows,
            "windows_looked_at": summary.windows_looked_at,
            "populations": [_described(each) for each in summary.populations],
        },
    )


def _described(of: PopulationLinkage) -> dict[str, Any]:
    linkage, trial = of.linkage, of.trial
    return {
        "group": of.group,
        "people": of.people,
        "relatives_left_out": of.relatives,
        "linkage": None
        if linkage is None
        else {
            "people": linkage.people,
            "variants": linkage.variants,
            "within": plain(linkage.within),
            "within_error": plain(linkage.within_error),
            "between": plain(linkage.between),
            "effective": plain(linkage.effective(linkage.variants)),
            "effective_if_linkage_known": plain(linkage.effective_if_known(linkage.variants)),
            "ridges": [
                {"ridge": ridge, "sum": plain(total), "sum_of_squares": plain(squares)}
                for ridge, (total, squares) in zip(RIDGES, linkage.ridge_sums, strict=True)
            ],
        },
        "trial": None
        if trial is None
        else {
            "pool": trial.each,
            "others": trial.each,
            "reference": trial.each,
            "splits": trial.splits,
            "variants": trial.variants,
            "false_positive_rate": trial.false_positive_rate,
            "attacks": {
                name: {key: plain(value) for key, value in asdict(attack).items()}
                for name, attack in trial.attacks.items()
            },
        },
    }


def plain(value: float) -> float | None:
    """Round to six digits, which no order of adding up changes; None for a missing value.

    >>> plain(0.12345678), plain(float("nan"))
    (0.123457, None)
    """
    return None if math.isnan(value) else float(f"{value:.6g}")


def read_summary(path: Path) -> LinkageSummary:
    """Read a linkage summary.

    Raises
    ------
    BadInputError
        If the file is none, or one of another version.
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
    try:
        summary = LinkageSummary(
            cohort=str(content["cohort"]),
            windows=int(content["windows"]),
            windows_looked_at=int(content["windows_looked_at"]),
            populations=[_population(each) for each in content["populations"]],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    for each in summary.populations:
        fault = _fault(each)
        if fault:
            raise _damaged(path, f"{each.group}: {fault}")
    return summary


def _damaged(path: Path, found: str) -> BadInputError:
    return BadInputError(
        "this linkage summary cannot be used",
        where=path,
        found=found,
        remedy="write it again with afpanel linkage",
    )


def _fault(of: PopulationLinkage) -> str | None:
    """Name what is impossible: a summary comes from outside, and lower figures look safer."""
    if of.people < 0:
        return f"people {of.people}"
    linkage = of.linkage
    if linkage is None:
        return None
    least = 1.0
    if not (linkage.within >= least and 0 <= linkage.between <= 1):
        return f"within {linkage.within}, between {linkage.between}"
    if linkage.variants < 0 or not 0 < linkage.people <= of.people:
        return f"variants {linkage.variants}, from {linkage.people} of {of.people} people"
    for total, squares in linkage.ridge_sums:
        if not 0 <= squares <= total <= linkage.variants:
            return f"sums over eigenvalues {total} and {squares} of {linkage.variants} variants"
    return None


def _population(content: dict[str, Any]) -> PopulationLinkage:
    relatives = content["relatives_left_out"]
    found, tried = content["linkage"], content["trial"]
    linkage = None
    if found is not None:
        if [each["ridge"] for each in found["ridges"]] != list(RIDGES):
            raise ValueError(f"ridges are not {RIDGES}")
        linkage = Linkage(
            people=int(found["people"]),
            variants=int(found["variants"]),
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
        trial = Trial(
            int(tried["pool"]),
            int(tried["splits"]),
            int(tried["variants"]),
            float(tried["false_positive_rate"]),
            attacks,
        )
    return PopulationLinkage(
        str(content["group"]),
        int(content["people"]),
        None if relatives is None else int(relatives),
        linkage,
        trial,
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
