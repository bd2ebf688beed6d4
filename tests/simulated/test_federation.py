"""Federated is pooled: a panel of contributions is the panel of the genotypes that they were made of."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.federation import Pooled, differing, merged, receive
from tests.whole_hub import LENGTHS

SHORT = ("chrX", "chrM")
"""What is always tried: what has most rules, and what has fewest."""

Populations = dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def received(
    pooled: Pooled, populations: Populations, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("received")
    return {name: receive(pooled, name, folder / name) for name in populations}


def test_a_hub_of_contributions_publishes_what_a_hub_of_genotypes_does(
    pooled: Pooled, populations: Populations, snakemake: Callable[..., Any], tmp_path: Path
) -> None:
    hub = pooled.write_hub(tmp_path, populations)
    hub.build(snakemake)
    assert differing(hub.results, pooled.results) == []


@pytest.mark.parametrize(
    "contig", [pytest.param(c, marks=[pytest.mark.long] * (c not in SHORT)) for c in LENGTHS]
)
def test_every_mixture_of_both_gives_the_same_panel(
    pooled: Pooled,
    populations: Populations,
    received: dict[str, Path],
    contig: str,
    tmp_path: Path,
) -> None:
    expected = (pooled.results / f"panel/merged/{contig}.zarr.zip").read_bytes()
    for size in range(len(populations) + 1):
        for contributed in itertools.combinations(populations, size):
            found = merged(pooled, received, contributed, contig, tmp_path / "panel.zip")
            assert found == expected, contributed


def test_a_lifted_cohort_packaged_alone_and_in_other_partitions_contributes_the_same(
    pooled: Pooled, snakemake: Callable[..., Any], tmp_path: Path
) -> None:
    home = pooled.write_hub(tmp_path, [])
    rows = (tmp_path / "hub.tsv").read_text().splitlines()
    table = [line for line in rows if line.split("\t")[0] in ("cohort", "Lift")]
    (tmp_path / "hub.tsv").write_text("\n".join(table) + "\n")
    settings = home.settings | {"partitions": {"size": 300_000}, "groups": {}}
    (tmp_path / "hub.yaml").write_text(yaml.safe_dump(settings))
    home.build(snakemake, "contributions")
    assert home.contribution("Lift").read_bytes() == pooled.contribution("Lift").read_bytes()
    made = sorted(path.name for path in (home.results / "contributions").iterdir())
    assert made == ["Lift.afc.zip", "Lift.preview.txt"]
