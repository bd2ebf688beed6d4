"""What `risk` writes: figures as JSON and as a table, a chart, and words."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from afpanel.core.membership import moments
from afpanel.core.membership_risk import exclusion
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.charts import draw_dots
from afpanel.io.files import read_json, write_json, write_text
from afpanel.io.tsv import MISSING_TEXT, Value, write_tsv
from afpanel.stages.assessment import Assessed, Assessment
from afpanel.stages.linkage_summary import Trial, plain
from afpanel.stages.risk_words import words_of

RISK_VERSION = 2

_COLUMNS = (
    "group", "people", "varying", "absent", "masked", "linkage", "effective",
    "effective_if_known", "reference_people", "realistic", "realistic_known", "worst",
    "worst_known", "measured", "measured_known", "most_variants",
)  # fmt: skip
_IN_MANIFEST = (
    "false_positive_rate", "reference_people", "limit_realistic", "limits", "worst_case",
)  # fmt: skip
_OF_GROUP = (
    "group", "linkage", "effective", "realistic", "realistic_known", "worst", "worst_known",
    "measured", "trial",
)  # fmt: skip
_OF_ATTACK = ("auc", "power", "found", "found_low", "found_high")
"""What of it the manifest has."""


def write_risk(out: Path, found: Assessment) -> None:
    """Write everything."""
    write_json(out / "risk.json", _content(found))
    write_tsv(out / "risk.tsv", _COLUMNS, map(_row, found.groups))
    _draw(out / "risk.svg", found)
    write_text(out / "risk.txt", words_of(found))


def _content(found: Assessment) -> dict[str, Any]:
    """Lay out every figure."""
    return {
        "risk_version": RISK_VERSION,
        "false_positive_rate": found.alpha,
        "reference_people": found.limits.reference_people,
        "limit_realistic": found.limits.limit,
        "limits": found.limits.describe(),
        "worst_case": {
            "power": found.worst_case[0],
            "group": found.worst_case[1],
            "signed_off": None if found.sign_off is None else asdict(found.sign_off),
        },
        "variants": found.variants,
        "is_refused": found.is_refused,
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
                "trial": None if each.trial is None else _trial(each.trial),
                "would_pass": None if each.remedy is None else asdict(each.remedy),
            }
            for each in found.groups
        ],
    }


def _trial(trial: Trial) -> dict[str, Any]:
    """Lay out what attacks on people held out came to, at alpha of the trial."""
    return {
        "pool": trial.each,
        "variants": trial.variants,
        "false_positive_rate": trial.false_positive_rate,
        **{
            name: {key: plain(getattr(attack, key)) for key in _OF_ATTACK}
            for name, attack in trial.attacks.items()
        },
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

    >>> _rough(0.12345), _rough({"auc": 1234.5}), _rough("total"), _rough(None)
    (0.123, {'auc': 1230.0}, 'total', None)
    """
    if isinstance(value, dict):
        return {key: _rough(each) for key, each in value.items()}
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
