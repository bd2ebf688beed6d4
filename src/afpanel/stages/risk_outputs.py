"""What `risk` writes: figures as JSON and as a table, a chart, and words."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from afpanel.core.existence import chance_of_row, existence_power
from afpanel.core.membership import moments
from afpanel.core.membership_risk import Attacker, GroupRisk, Remedy, exclusion
from afpanel.core.released_cells import ShownCells
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.charts import draw_dots
from afpanel.io.files import read_json, write_json, write_text
from afpanel.io.tsv import MISSING_TEXT, Value, write_tsv
from afpanel.stages.linkage_summary import plain

RISK_VERSION = 1

_QUERIES = (100, 1_000, 10_000)
"""Rare alleles of a person that are asked for."""

_COLUMNS = (
    "group", "people", "varying", "absent", "masked", "linkage", "effective",
    "effective_if_known", "reference_people", "realistic", "realistic_known", "worst",
    "worst_known", "measured", "measured_known", "most_variants",
)  # fmt: skip
_IN_MANIFEST = ("false_positive_rate", "reference_people", "limit_realistic")
_OF_GROUP = (
    "group", "linkage", "effective", "realistic", "realistic_known", "worst", "worst_known",
    "measured",
)  # fmt: skip
"""What of it the manifest has."""

_SURE = 0.5
_WIDTH = 100


@dataclass(frozen=True)
class Assessed:
    """What was found of a group.

    Parameters
    ----------
    group, people
        Its name, and its people.
    cells
        What is shown of it.
    has_linkage
        Whether the linkage of all its people is known.
    attacker
        The realistic attacker.
    risk
        The figures.
    remedy
        What would bring it below the limit, where it is above.
    """

    group: str
    people: int
    cells: ShownCells
    has_linkage: bool
    attacker: Attacker
    risk: GroupRisk
    remedy: Remedy | None


@dataclass(frozen=True)
class Assessment:
    """What was found of a release.

    Parameters
    ----------
    alpha, limit, reference_people
        As asked for.
    min_allele_count
        Of the policy.
    variants
        Variants of the release.
    groups
        Every group, the total first.
    """

    alpha: float
    limit: float | None
    reference_people: int
    min_allele_count: int
    variants: int
    groups: Sequence[Assessed]

    def existence(self) -> Iterator[tuple[int, float]]:
        """Give the power of asking which of so many rare alleles have a row, member by total."""
        answers = chance_of_row(self.groups[0].people, self.min_allele_count)
        for queries in _QUERIES:
            yield queries, existence_power(answers, queries, self.alpha)


def write_risk(out: Path, found: Assessment) -> None:
    """Write everything."""
    write_json(out / "risk.json", _content(found))
    write_tsv(out / "risk.tsv", _COLUMNS, map(_row, found.groups))
    _draw(out / "risk.svg", found)
    write_text(out / "risk.txt", _words(found))


def _content(found: Assessment) -> dict[str, Any]:
    """Lay out every figure."""
    return {
        "risk_version": RISK_VERSION,
        "false_positive_rate": found.alpha,
        "reference_people": found.reference_people,
        "limit_realistic": found.limit,
        "variants": found.variants,
        "is_refused": any(each.remedy is not None for each in found.groups),
        "existence": [
            {"rare_alleles": queries, "power": plain(power)} for queries, power in found.existence()
        ],
        "groups": [
            {
                "group": each.group,
                "people": each.people,
                "cells": {key: getattr(each.cells, key) for key in ("varying", "absent", "masked")},
                "linkage": "genotypes" if each.has_linkage else "bound",
                "reference_people": int(each.attacker.reference_people),
                "likelihood_ratio": {
                    key: plain(value) for key, value in asdict(_moments(each)).items()
                },
                "absent_alleles_carried": plain(exclusion(each.people, each.cells)),
                **{
                    key: None if value is None else plain(value)
                    for key, value in asdict(each.risk).items()
                },
                "would_pass": None if each.remedy is None else asdict(each.remedy),
            }
            for each in found.groups
        ],
    }


def read_risk(path: Path, decision: dict[str, Any]) -> dict[str, Any]:
    """Read what `risk` found of a panel, for the manifest, and hold it against the gate's decision.

    Raises
    ------
    BadInputError
        If it is of another version, or of other groups or variants.
    PolicyRefusalError
        If it was refused.
    """
    content = read_json(path)
    found = content.get("risk_version") if isinstance(content, dict) else None
    again = "run afpanel risk again, on what passed the gate"
    if found != RISK_VERSION:
        raise BadInputError(
            "not a membership risk that this version reads",
            where=path,
            expected=f"risk_version {RISK_VERSION}",
            found=found,
            remedy=again,
        )
    groups = [{key: each[key] for key in ("group", "people")} for each in content["groups"]]
    of_panel = (decision["groups"], decision["totals"]["variants_out"])
    if (groups, content["variants"]) != of_panel:
        raise BadInputError(
            "the membership risk is that of another panel",
            where=path,
            expected=f"{len(of_panel[0])} groups and {of_panel[1]:,} variants, as the gate decided",
            found=f"{len(groups)} groups and {content['variants']:,} variants",
            remedy=again,
        )
    if content["is_refused"]:
        raise PolicyRefusalError(
            "the membership risk is above its limit",
            where=path,
            remedy="see risk.txt beside it for what would pass",
        )
    return {
        **{key: content[key] for key in _IN_MANIFEST},
        "groups": [{key: _rough(each[key]) for key in _OF_GROUP} for each in content["groups"]],
    }


def _rough(value: Any) -> Any:
    """Round to three digits: of figures from genotypes a release needs no more.

    >>> _rough(0.12345), _rough(1234.5), _rough("total"), _rough(None)
    (0.123, 1230.0, 'total', None)
    """
    return float(f"{value:.3g}") if isinstance(value, float) else value


def _moments(each: Assessed) -> Any:
    return moments(each.risk.effective, each.people, each.attacker.reference_people)


def _row(each: Assessed) -> Sequence[Value]:
    risk, cells = each.risk, each.cells
    figures = (
        risk.realistic, risk.realistic_known, risk.worst, risk.worst_known, risk.measured,
        risk.measured_known,
    )  # fmt: skip
    return (
        each.group,
        each.people,
        cells.varying,
        cells.absent,
        cells.masked,
        "genotypes" if each.has_linkage else "bound",
        round(risk.effective, 1),
        round(risk.effective_if_known, 1),
        int(each.attacker.reference_people),
        *(np.nan if figure is None else figure for figure in figures),
        MISSING_TEXT if each.remedy is None else each.remedy.variants,
    )


def _draw(path: Path, found: Assessment) -> None:
    series = {
        "realistic": [each.risk.realistic for each in found.groups],
        "realistic, linkage known": [each.risk.realistic_known for each in found.groups],
        "worst case": [each.risk.worst for each in found.groups],
        "worst case, linkage known": [each.risk.worst_known for each in found.groups],
        "measured": [
            np.nan if each.risk.measured is None else each.risk.measured for each in found.groups
        ],
    }
    draw_dots(
        path,
        "Membership risk: share of a group's people whom an attacker recognizes",
        [f"{each.group} ({each.people:,})" for each in found.groups],
        {name: np.array(values) for name, values in series.items()},
        f"power at a false positive rate of {found.alpha:g}",
    )


def _words(found: Assessment) -> str:
    """Say in words what the figures mean."""
    question = (
        "Somebody who holds the genome of a person wants to know whether the person is in a group."
        " They compare it with the group's frequencies and with those of other people, and may be wrong"
        f" about {_one_in(found.alpha)} of those who are not in it. The power is the share of the"
        " group's people whom they recognize."
    )
    paragraphs = ["Membership risk", question, *map(_of_group, found.groups)]
    asked = "; ".join(f"{queries:,}: {power:.3f}" for queries, power in found.existence())
    paragraphs.append(
        "The rows themselves: power of asking which rare alleles of a person (below 1 %) have a row, by"
        f" how many independent ones are asked for: {asked}."
    )
    if found.limit is None:
        paragraphs.append("No limit was set; these figures are for those who decide.")
    else:
        above = [each.group for each in found.groups if each.remedy is not None]
        paragraphs.append(
            f"The limit of realistic power is {found.limit}. "
            + (f"Above it: {', '.join(above)}." if above else "No group is above it.")
        )
    return "\n\n".join(textwrap.fill(each, _WIDTH) for each in paragraphs) + "\n"


def _of_group(each: Assessed) -> str:
    risk, cells = each.risk, each.cells
    text = (
        f"{each.group}: {each.people:,} people, {cells.varying:,} variants that vary,"
        f" {cells.absent:,} shown not to, {cells.masked:,} masked."
    )
    if each.has_linkage:
        text += (
            f" By their linkage the variants are worth {risk.effective:,.0f} independent ones,"
            f" and {risk.effective_if_known:,.0f} to who knows the linkage."
        )
    else:
        text += (
            " Their linkage is not known of all people, so every variant is taken for independent,"
            " which is the most there can be."
        )
    text += (
        f" With a reference of {each.attacker.reference_people:,.0f} people an attacker recognizes"
        f" {_share(risk.realistic)} of the group ({_share(risk.realistic_known)} knowing the linkage);"
        f" with a perfect one {_share(risk.worst)} ({_share(risk.worst_known)} knowing the linkage, and"
        " using what is masked or absent)."
    )
    if risk.measured is not None:
        text += f" From attacks tried on people held out it would be {_share(risk.measured)}."
    if each.remedy is not None:
        fewest = each.remedy.min_allele_count
        text += f" ABOVE THE LIMIT: at most {each.remedy.variants:,} variants would pass" + (
            f", as with min_allele_count {fewest}." if fewest else "."
        )
    elif risk.worst_known > _SURE:
        text += (
            " In the worst case nearly everybody can be recognized; whoever releases it signs that."
        )
    return text


def _share(power: float) -> str:
    return f"{power:.1%}" if power < 0.9995 else "all"


def _one_in(alpha: float) -> str:
    return f"one in {1 / alpha:,.0f}"
