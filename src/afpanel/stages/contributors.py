"""Who contributes to a panel and what they agreed to, as the plan has it and the gate reads it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from afpanel.constants import Sex
from afpanel.core.contributors import Contributor, Permission
from afpanel.core.policy import Approval
from afpanel.errors import BadInputError
from afpanel.io.files import json_text, read_json
from afpanel.model.cohort import Cell

CONTRIBUTORS = "contributors.json"
"""Name of the file, beside the plan."""

_VERSION = 1


def described_contributor(
    country: str, cells: Iterable[Cell], metadata: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Say what a plan says of a cohort's groups and of its permission.

    Parameters
    ----------
    country, cells
        Its country and cells.
    metadata
        As `read_metadata` gives them, or None.
    """
    permission = None if metadata is None else Permission.of(metadata)
    return {
        "country": country,
        "cells": [{"population": cell.population, "sex": str(cell.sex)} for cell in cells],
        "permission": None if permission is None else asdict(permission),
    }


def contributors_of(
    cohorts: Mapping[str, Mapping[str, Any]], without: Collection[str] = ()
) -> list[Contributor]:
    """Take the contributors from the cohorts of a plan, in order of name, but for some."""
    return [
        Contributor(
            name,
            cohort["country"],
            tuple((cell["population"], Sex(cell["sex"])) for cell in cohort["cells"]),
            _permission(cohort["permission"]),
        )
        for name, cohort in sorted(cohorts.items())
        if name not in without
    ]


def _permission(told: Mapping[str, Any] | None) -> Permission | None:
    if told is None:
        return None
    return Permission(
        told["widest_release"],
        tuple((term, value) for term, value in told["terms"]),
        told["embargo_until"],
        tuple(Approval(**each) for each in told["approvals"]),
    )


def contributors_text(plan: Mapping[str, Any]) -> str:
    """Lay out the file that the gate reads, of a plan; cohorts that are not added to the panel are not in it."""
    keys = ("country", "cells", "permission")
    added = sorted(plan["cohorts"].keys() - plan["left_out"].keys())
    told = {name: {key: plan["cohorts"][name][key] for key in keys} for name in added}
    return json_text({"contributors_version": _VERSION, "cohorts": told})


def read_contributors(path: Path) -> Sequence[Contributor]:
    """Read that file."""
    if not path.is_file():
        raise BadInputError(
            "file does not exist", where=path, remedy="make it: afpanel validate CONFIG --plan PLAN"
        )
    content = read_json(path)
    found = content.get("contributors_version") if isinstance(content, dict) else None
    if found != _VERSION:
        raise BadInputError(
            "not a list of contributors of this version",
            where=path,
            expected=_VERSION,
            found=found,
            remedy="make it again: afpanel validate CONFIG --plan PLAN",
        )
    return contributors_of(content["cohorts"])
