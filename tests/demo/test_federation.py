"""The demonstration, of contributions alone and of both."""

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.federation import Pooled, differing, merged, receive

COHORTS = ("ID-demo", "JP-demo", "TH-demo", "VN-demo")


@pytest.fixture(scope="module")
def pooled(once: Callable[..., Path], undisturbed: Path, snakemake: Callable[..., Any]) -> Pooled:
    def build(folder: Path) -> None:
        shutil.copytree(undisturbed, folder, symlinks=True, dirs_exist_ok=True)
        snakemake(folder, "contributions", "--cores", "2")

    return Pooled(once("contributed", build), "config/config.yaml")


@pytest.mark.long
def test_two_contributions_and_two_vcfs_give_the_bytes_of_four_vcfs(
    pooled: Pooled, snakemake: Callable[..., Any], tmp_path: Path
) -> None:
    contributed = COHORTS[1:3]
    hub = pooled.write_hub(tmp_path, contributed)
    done = hub.build(snakemake)
    assert differing(hub.results, pooled.results) == []
    for name in contributed:
        assert f"{name}.afc.zip: all that it claims holds" in done.stdout
    again = hub.build(snakemake)
    assert "Nothing to be done" in again.stdout + again.stderr
    # The release says where each cohort came from.
    (path,) = (hub.results / "release").rglob("manifest.json")
    cohorts = {each["cohort"]: each for each in json.loads(path.read_text())["cohorts"]}
    kinds = {name: each["kind"] for name, each in cohorts.items()}
    assert kinds == dict.fromkeys(COHORTS, "vcf") | dict.fromkeys(contributed, "contribution")
    jp = cohorts["JP-demo"]
    assert jp["callable_regions"]
    assert (jp["contribution"]["edition"], jp["contribution"]["signed_by"]) == (1, None)


def test_every_mixture_gives_the_panel_of_the_genotypes(pooled: Pooled, tmp_path: Path) -> None:
    received = {name: receive(pooled, name, tmp_path / name) for name in COHORTS}
    for contig in pooled.plan["contigs"]:
        expected = (pooled.results / f"panel/merged/{contig}.zarr.zip").read_bytes()
        for size in range(len(COHORTS) + 1):
            for contributed in itertools.combinations(COHORTS, size):
                found = merged(pooled, received, contributed, contig, tmp_path / "panel.zip")
                assert found == expected, (contig, contributed)


def test_a_bad_contribution_stops_the_run_and_leaves_what_was_published(
    pooled: Pooled, snakemake: Callable[..., Any], tmp_path: Path
) -> None:
    hub = pooled.write_hub(tmp_path, COHORTS)
    table = tmp_path / "hub.tsv"
    rest = "".join(f"{line}\n" for line in table.read_text().splitlines() if "TH-demo" not in line)
    whole = table.read_text()
    table.write_text(rest)
    hub.build(snakemake)
    before = {
        path: path.read_bytes() for path in (hub.results / "release").rglob("*.*") if path.is_file()
    }
    good = pooled.contribution("TH-demo").read_bytes()
    bad = tmp_path / "TH-demo.afc.zip"
    bad.write_bytes(good[:30_000] + bytes([good[30_000] ^ 1]) + good[30_001:])
    table.write_text(whole.replace(str(pooled.contribution("TH-demo")), str(bad)))
    done = hub.build(snakemake, check=False)
    assert done.returncode
    assert "FATAL" in done.stdout
    assert "is damaged" in done.stdout
    table.write_text(rest)
    hub.build(snakemake)
    after = {
        path: path.read_bytes() for path in (hub.results / "release").rglob("*.*") if path.is_file()
    }
    assert after == before
