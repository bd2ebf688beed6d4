"""Seven real countries, as contributions, alone and mixed with genotypes."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.federation import Pooled, differing, merged, receive

CONFIG = "config/1000g/config.yaml"


@pytest.fixture(scope="module")
def pooled(seven_contributed: Path) -> Pooled:
    return Pooled(seven_contributed, CONFIG)


def test_seven_contributions_give_the_bytes_of_seven_vcfs(
    pooled: Pooled, snakemake: Callable[..., Any], tmp_path: Path
) -> None:
    hub = pooled.write_hub(tmp_path, pooled.rows)
    hub.build(snakemake)
    assert differing(hub.results, pooled.results) == []


def test_mixtures_give_the_same_panel(pooled: Pooled, tmp_path: Path) -> None:
    names = sorted(pooled.rows)
    received = {name: receive(pooled, name, tmp_path / name) for name in names}
    (contig,) = pooled.plan["contigs"]
    expected = (pooled.results / f"panel/merged/{contig}.zarr.zip").read_bytes()
    draw = random.Random(6)
    some = [tuple(draw.sample(names, draw.randint(2, 5))) for _ in range(10)]
    for contributed in [*((name,) for name in names), tuple(names), *some]:
        found = merged(pooled, received, contributed, contig, tmp_path / "panel.zip")
        assert found == expected, contributed
