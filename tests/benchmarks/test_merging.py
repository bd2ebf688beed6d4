"""How fast counts of many cohorts are merged: 10 cohorts of a million variants and 12 cells each.

Run with ``pytest tests/benchmarks/test_merging.py -m benchmark -s``. The whole command is timed, with
the start of Python, on one core. Lines of the sweeps go to the file that ``MERGING_JSONL`` names, for
`plot_growth.py`.
"""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.builders import write_fasta

from afpanel.constants import Sex
from afpanel.core.group_counts import GROUP_TABLES
from afpanel.io.panel_store import PANEL, PANEL_VERSION
from afpanel.io.store import Store
from afpanel.io.store_writer import create_store
from afpanel.model.arrays import RAW_COUNTS
from afpanel.model.cohort import Cell
from afpanel.stages.bench_launch import Launcher
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION, CountsHead

CONTIG_LENGTH = 40_000_000
POPULATIONS, SEXES = ("P1", "P2", "P3", "P4"), ("XX", "XY", "unknown")
PEOPLE = 250


def pool(n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Distinct variants of one contig, in order: nine in ten SNVs."""
    position = np.sort(rng.choice(CONTIG_LENGTH - 100, n, replace=False)).astype(np.int32) + 1
    ref = np.array(list("ACGT"))[rng.integers(4, size=n)].astype(object)
    alt = np.array([{"A": "C", "C": "T", "G": "A", "T": "G"}[base] for base in ref], object)
    longer = rng.random(n) < 0.1
    alt[longer] = ref[longer] + "TT"
    return position, ref, alt, rng.beta(0.1, 2.0, n)


def write_cohort(
    path: Path, cohort: int, variants: tuple[np.ndarray, ...], n: int, rng: np.random.Generator
) -> None:
    """A store of counts as `afpanel count` writes it, of some of the variants."""
    position, ref, alt, frequency = variants
    rows = np.sort(rng.choice(len(position), n, replace=False))
    cells = [Cell(p, Sex(s), PEOPLE) for p in POPULATIONS for s in SEXES]
    people = rng.binomial(PEOPLE, 0.98, (n, len(cells))).astype(np.int32)
    f = frequency[rows][:, None]
    hom = rng.binomial(people, f**2).astype(np.int32)
    het = rng.binomial(people - hom, np.minimum(1, 2 * f * (1 - f) / (1 - f**2))).astype(np.int32)
    tables = {
        "allele_count": 2 * hom + het,
        "allele_number": 2 * people,
        "homozygote_count": hom,
        "hemizygote_count": np.zeros_like(hom),
        "single_allele_count": np.zeros_like(hom),
        "single_allele_number": np.zeros_like(hom),
    }
    raw = {f"raw_{name}": tables[name].sum(axis=1) for name in ("allele_count", "allele_number")}
    assert set(tables) | set(raw) == {*GROUP_TABLES, *RAW_COUNTS}
    head = CountsHead(f"C{cohort}", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[cohort] + "A", cells)
    with create_store(
        path, CELL_COUNTS, CELL_COUNTS_VERSION, chunk=16_384, attributes=head.attributes()
    ) as writer:
        writer.array("contig_id", ["chr1"])
        writer.append(
            {
                "variant_contig": np.zeros(n),
                "variant_position": position[rows],
                "variant_ref": ref[rows],
                "variant_alt": alt[rows],
                **tables,
                **raw,
            },
            dims=("variants", "cells"),
        )
        writer.append({f"refused_{x}": np.empty(0, int) for x in ("contig", "start", "end")})


def make(folder: Path, cohorts: int, n: int) -> list[Path]:
    """Stores of counts of so many cohorts, each with `n` of 1.5 times as many variants."""
    rng = np.random.default_rng(cohorts)
    variants = pool(n * 3 // 2, rng)
    bed = folder / "all.bed"
    bed.write_text(f"chr1\t0\t{CONTIG_LENGTH}\n")
    write_fasta(folder / "ref.fa", {"chr1": "A" * CONTIG_LENGTH})
    paths = [folder / f"C{c}.zarr.zip" for c in range(cohorts)]
    for c, path in enumerate(paths):
        write_cohort(path, c, variants, n, rng)
    return paths


def merge(folder: Path, paths: list[Path]) -> tuple[float, float]:
    """Merge on one core; returns seconds and the peak of memory in MB."""
    command = [sys.executable, "-m", "afpanel", "-q", "merge", *map(str, paths), "--contig", "chr1"]
    command += ["--reference", str(folder / "ref.fa"), "--build", "GRCh38"]
    for path in paths[1::2]:  # half of the cohorts have a BED
        command += ["--callable", f"{path.name.split('.')[0]}={folder / 'all.bed'}"]
    core = str(min(os.sched_getaffinity(0)))
    command += ["--out", str(folder / "out.zip")]
    with Launcher() as launcher:
        run = launcher.run(shlex.join(["taskset", "-c", core, *command]))
    return run.seconds, run.peak_mb


def measure(folder: Path, cohorts: int, n: int, repeats: int) -> dict[str, float]:
    """Merge counts that are made for it, the best of some times."""
    folder.mkdir()
    paths = make(folder, cohorts, n)
    seconds, peak = min(merge(folder, paths) for _ in range(repeats))
    check(folder, paths)
    shutil.rmtree(folder)
    cells = len(POPULATIONS) * len(SEXES)
    result = {"cohorts": cohorts, "variants": n, "cells": cells}
    result |= {"seconds": seconds, "peak_mb": peak, "per_second": cohorts * n / seconds}
    line = json.dumps({key: round(value, 2) for key, value in result.items()})
    print(line)
    if "MERGING_JSONL" in os.environ:
        with Path(os.environ["MERGING_JSONL"]).open("a") as lines:
            lines.write(line + "\n")
    return result


def check(folder: Path, paths: list[Path]) -> None:
    """All copies of the cohorts are in the panel, and all called alleles are in that of everybody."""
    with Store(folder / "out.zip", PANEL, PANEL_VERSION) as panel:
        total = panel.read("allele_count")[:, 0].sum(dtype=np.int64)
    expected = 0
    for path in paths:
        with Store(path, CELL_COUNTS, CELL_COUNTS_VERSION) as store:
            expected += int(store.read("allele_count").sum(dtype=np.int64))
    assert total == expected


@pytest.mark.benchmark
def test_a_million_variants_of_a_cohort_are_merged_each_second(tmp_path: Path) -> None:
    result = measure(tmp_path / "ten", cohorts=10, n=1_000_000, repeats=3)
    assert result["per_second"] >= 1_000_000
    assert result["peak_mb"] <= 2_000


@pytest.mark.benchmark
def test_time_is_linear_in_variants_and_in_cohorts(tmp_path: Path) -> None:
    """Of variants eight times as many, and of cohorts four times."""
    sweeps = {
        "variants": [(5, n) for n in (125_000, 250_000, 500_000, 1_000_000)],
        "cohorts": [(cohorts, 250_000) for cohorts in (5, 10, 15, 20)],
    }
    for name, sizes in sweeps.items():
        found = [measure(tmp_path / f"{c}.{n}", c, n, repeats=2) for c, n in sizes]
        work = np.array([result["cohorts"] * result["variants"] for result in found])
        seconds = np.array([result["seconds"] for result in found])
        slope, start = np.polyfit(work, seconds, 1)
        assert np.abs(start + slope * work - seconds).max() <= 0.15 * seconds.max(), name
