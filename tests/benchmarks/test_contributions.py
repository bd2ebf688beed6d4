"""How fast, and how large, counts are handed over: 10 populations x 2 sexes x a million variants.

Run with ``pytest tests/benchmarks/test_contributions.py -m benchmark -s``. The whole commands are timed,
with the start of Python, on one core. Frequencies are those of a neutral population: as many variants of
k copies as 1 / k says.
"""

import json
import os
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.builders import write_fasta
from tests.contributions import COHORT, defaults_of

from afpanel.constants import Sex
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.io.files import write_json
from afpanel.model.cohort import Cell
from afpanel.stages.bench_launch import Launcher
from afpanel.stages.cell_counts import CountsHead, create_cell_counts
from afpanel.stages.fingerprint import PLAN_VERSION

VARIANTS, POPULATIONS, PEOPLE, CALLED = 1_000_000, 10, 500, 0.98
LENGTH = 24 * VARIANTS
BLOCK = 100_000


def genome_and_variants(rng: np.random.Generator) -> tuple[str, Variants]:
    """Random bases, and canonical variants of them: one in eight is an insertion or a deletion.

    An indel of one base stands as far left as it can if the base before it is another.
    """
    bases = rng.integers(4, size=LENGTH)
    position = np.sort(rng.choice(np.arange(1, LENGTH - 2), VARIANTS, replace=False))
    first, second = bases[position - 1], bases[position]
    other = (first + rng.integers(1, 4, VARIANTS)) % 4
    kind = rng.choice(3, VARIANTS, p=[0.875, 0.075, 0.05])
    kind[(kind == 1) & (first == second)] = 0  # this deletion would roll
    letters = np.array(list("ACGT"))
    one, two, three = (letters[each].astype(object) for each in (first, second, other))
    ref = np.where(kind == 1, one + two, one)
    alt = np.select([kind == 0, kind == 1], [three, one], one + three)
    return "".join(letters[bases]), Variants(
        position.astype(np.int32), Strings.of(ref), Strings.of(alt)
    )


def frequencies(rng: np.random.Generator, n: int) -> np.ndarray:
    """Of each population, (n, populations): a neutral spectrum that has drifted apart, FST about 0.1."""
    copies = 2 * PEOPLE * POPULATIONS
    shared = np.exp(rng.random(n) * np.log(copies))[:, None] / copies
    drift = (1 - 0.1) / 0.1
    apart: np.ndarray = rng.beta(
        np.maximum(shared * drift, 1e-9), np.maximum((1 - shared) * drift, 1e-9),
        (n, POPULATIONS),
    )  # fmt: skip
    return apart


def counts_of(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Counts of people in Hardy-Weinberg proportions, of whom some are not called."""
    f = np.repeat(frequencies(rng, n), 2, axis=1)
    called = rng.binomial(PEOPLE, CALLED, f.shape)
    hom = rng.binomial(called, f**2)
    het = rng.binomial(called - hom, 2 * f / (1 + f))
    nobody = np.zeros_like(hom)
    tables = {
        "allele_count": 2 * hom + het,
        "allele_number": 2 * called,
        "homozygote_count": hom,
        "hemizygote_count": nobody,
        "single_allele_count": nobody,
        "single_allele_number": nobody,
    }
    raw = {f"raw_{name}": tables[name].sum(axis=1) for name in ("allele_count", "allele_number")}
    return {name: table.astype(np.int32) for name, table in (tables | raw).items()}


def make(folder: Path) -> None:
    """What `afpanel package` reads."""
    rng = np.random.default_rng(1)
    genome, variants = genome_and_variants(rng)
    lines = "\n".join(genome[at : at + 80] for at in range(0, LENGTH, 80))
    write_fasta(folder / "ref.fa", {"chr1": lines})
    cells = [Cell(f"P{p}", Sex(s), PEOPLE) for p in range(POPULATIONS) for s in ("XX", "XY")]
    nobody = np.empty(0, int)
    with create_cell_counts(
        folder / "counts.zip", CountsHead(COHORT, "VN", cells), ["chr1"]
    ) as out:
        for first in range(0, VARIANTS, BLOCK):
            some = variants.take(np.arange(first, first + BLOCK))
            out.variants(np.zeros(BLOCK, int), some, counts_of(rng, BLOCK))
        out.refused(nobody, nobody, nobody)
    config = {name: defaults_of(name) for name in ("genotypes", "harmonize", "overlap")}
    sharing = defaults_of("sharing") | {
        "populations": {"merge": {}, "leave_out": []},
        "linkage": False,
    }
    config |= {"reference": {"build": "GRCh38"}, "sharing": sharing}
    config |= {"panel": {"name": "home", "version": "1"}, "results": "results"}
    about = {
        "kind": "vcf",
        "country": "VN",
        "build": "GRCh38",
        "files": [],
        "samples": None,
        "metadata": None,
        "partitions": [{"contig": "chr1"}],
    }
    plan = {"plan_version": PLAN_VERSION, "config": config, "contigs": ["chr1"], "inputs": []}
    write_json(folder / "plan.json", plan | {"cohorts": {COHORT: about}})
    strand = {"verdict": "forward", "records": {}}
    write_json(
        folder / "harmonization.json",
        {"cohort": COHORT, "outcomes": {"as_is": VARIANTS}, "strand": strand, "lift": None,
         "ignored_contigs": {}, "genotypes": {"fields": {}, "polyploid_calls": 0}},
    )  # fmt: skip


@pytest.mark.benchmark
def test_a_million_variants_of_twenty_cells_are_40_mb_and_take_a_minute(tmp_path: Path) -> None:
    make(tmp_path)
    out = tmp_path / f"{COHORT}.afc.zip"
    (tmp_path / "all.bed").write_text(f"chr1\t0\t{LENGTH}\n")
    reference = ["--reference", str(tmp_path / "ref.fa")]
    package = ["package", str(tmp_path / "counts.zip"), "--cohort", COHORT, "--plan"]
    package += [
        str(tmp_path / "plan.json"),
        "--harmonization",
        str(tmp_path / "harmonization.json"),
    ]
    package += ["--callable", str(tmp_path / "all.bed"), "--out", str(out), *reference]
    verify = ["verify", str(out), *reference, "--out", str(tmp_path / "taken")]
    core = str(min(os.sched_getaffinity(0)))
    result: dict[str, float] = {"variants": VARIANTS, "cells": 2 * POPULATIONS}
    with Launcher() as launcher:
        for command in (package, verify):
            line = ["taskset", "-c", core, sys.executable, "-m", "afpanel", "-q", *command]
            run = launcher.run(f"{shlex.join(line)} > {tmp_path / 'said.txt'}")
            result |= {f"{command[0]}_s": run.seconds, f"{command[0]}_mb": run.peak_mb}
    result["size_mb"] = out.stat().st_size / 1e6
    print(json.dumps({key: round(value, 2) for key, value in result.items()}))
    assert (tmp_path / "taken" / "received.json").is_file()
    assert result["size_mb"] <= 40
    assert result["package_s"] <= 60
    assert result["verify_s"] <= 30
    assert max(result["package_mb"], result["verify_mb"]) <= 2_000
