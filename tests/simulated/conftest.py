"""A simulated hub of genotypes, of which contributions are made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import whole_hub
from tests.federation import Pooled

FOUR_EACH = {
    "Bed": {"KHV": 9, "CDX": 7, "TAY": 5, "MUO": 5},
    "Gvcf": {"JPT": 6, "RYU": 4, "AIN": 4, "OKI": 4},
    "Lift": {"MAL": 6, "IBA": 5, "KAD": 5, "BID": 4},
    "Plain": {"KHV": 6, "TAY": 5, "NUN": 4, "ONE": 1},
    "Track": {"TAI": 6, "MON": 5, "LAO": 5, "KAR": 5},
}


@pytest.fixture(scope="session")
def populations() -> dict[str, dict[str, int]]:
    """People of each population of each cohort of `pooled`."""
    return FOUR_EACH


@pytest.fixture(scope="session")
def pooled(once: Callable[..., Path], snakemake: Callable[..., Any]) -> Pooled:
    """A hub of genotypes: X, Y and MT, sexes, BED, track, gVCFs, a lifted cohort; four populations each."""

    def build(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(whole_hub, "POPULATIONS", FOUR_EACH)
            whole_hub.Hub().write(folder, overlap="report")
        targets = ("all", "contributions")
        snakemake(folder, *targets, "--configfile", "config.yaml", "--cores", "2")

    return Pooled(once("federation", build), "config.yaml")
