"""Releases under a policy of tiers and countries, of the simulated panel of `published_files`."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml
from tests.published_files import POPULATIONS, release

from afpanel.stages.gate import gate

AS_OF = "2026-06-01"
RULES = {
    "min_group_size": dict.fromkeys(("total", "country", "population", "sex"), 50),
    "min_allele_count": 11,
    "sides": ["alt", "other"],
    "zeros": "shown",
    "min_genotype_count": 0,
    "min_contributors": 0,
    "insider_protection": False,
    "groups": ["total", "country", "population", "sex"],
    "statistics": ["nhomalt", "nhemialt", "hardy_weinberg", "raw"],
    "populations_never_shown": [],
    "no_populations_under": [],
    "refused_terms": [],
    "verified_only": False,
}


def write_policy(
    folder: Path, populations: Iterable[str] = tuple(POPULATIONS), **rules: object
) -> tuple[Path, Path]:
    """Write a policy with some rules of the tier changed, and one cohort of each country; gives both paths."""
    populations = list(populations)
    countries = sorted({name[:2] for name in populations})
    # The last one asks for the limits itself too, so that two are named.
    asks = {
        "min_allele_count": 11,
        "as_tier": [name for name in RULES if name != "min_allele_count"],
    }
    about = {"verified": False, "review_by": "2027-01-01", "approvals": []}
    policy = {
        "tier": "open",
        "tiers": {"open": RULES | rules},
        "countries": {
            name: about
            | {"tiers": {"open": asks if name == countries[-1] else {"as_tier": [*RULES]}}}
            for name in countries
        },
    }
    permission = {"widest_release": "open", "terms": [], "embargo_until": "", "approvals": []}
    cohorts = {
        f"{name}-a": {
            "country": name,
            "cells": [
                {"population": population.split("_")[1], "sex": sex}
                for population in populations
                if population.startswith(name)
                for sex in ("XX", "XY", "unknown")
            ],
            "permission": permission,
        }
        for name in countries
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "policy.yaml", folder / "contributors.json"
    paths[0].write_text(yaml.safe_dump(policy))
    paths[1].write_text(json.dumps({"contributors_version": 1, "cohorts": cohorts}))
    return paths


def release_under(panels: Sequence[Path], folder: Path, **rules: object) -> Path:
    """Gate a panel under such a policy, and write the release."""
    policy, contributors = write_policy(folder, **rules)
    out, decision = folder / "out", folder / "decision.json"
    gate(panels, policy, out, decision, contributors, AS_OF)
    return release([out / path.name for path in panels], decision, folder / "release")
