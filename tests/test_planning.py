"""How many jobs and files there are, and what each job asks for: known before anything runs."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.whole_genomes import GRCH38, ROOT, lay_out, plan

from afpanel.core.cost import CohortWork, PanelWork, cost_of

CONTIGS = {"chr1": 40_000_000, "chr2": 20_000_000}
COHORTS = 2


@pytest.fixture(scope="session")
def laid_out(once) -> Path:
    return once("planning", lambda folder: lay_out(folder, COHORTS, CONTIGS))


def test_a_partition_of_a_cohort_is_two_jobs_and_six_files(laid_out):
    """A store and counts, a log of each, and what Snakemake keeps of each: no job for a block of variants."""
    coarse, fine = (plan(laid_out, partitions) for partitions in (20_000_000, 10_000_000))
    more = COHORTS * (6 - 3)  # tiles of 40 and 20 megabases
    assert fine.jobs - coarse.jobs == 2 * more
    assert fine.files - coarse.files == 6 * more
    # Beside these: harmonize of each cohort, merge of each contig, and overlap, discordance, gate, risk, popgen, publish, all, and linkage of each cohort.
    assert coarse.jobs == 2 * COHORTS * 3 + 2 * COHORTS + len(CONTIGS) + 7


def asked(folder: Path, *arguments: str) -> dict[str, dict[str, int]]:
    """What a dry run says that the first job of each rule asks for."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "-n"]
    said = subprocess.run(
        [*command, *arguments, "--configfile", "config.yaml"],
        cwd=folder, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found: dict[str, dict[str, int]] = {}
    for name, line in re.findall(r"rule (\w+):\n(?:    .+\n)*?    resources: (.+)\n", said):
        found.setdefault(name, {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)(?:,|$)", line)})
    return found


def test_every_job_that_is_submitted_asks_for_memory_and_wall_time(laid_out):
    for arguments in ((), ("contributions",)):
        jobs = asked(laid_out, *arguments)
        assert {"ingest", "harmonize", "count"} <= jobs.keys()
        for rule, resources in jobs.items():
            if rule not in {"all", "contributions"}:
                assert 1000 <= resources["mem_mb"] <= 4000, rule
                assert 30 <= resources["runtime"] <= 120, rule


PER_CONTIG = 13
ATTEMPTS = 3
"""Of the profile for Slurm: each asks for as much again."""

RULE = {"gate": "panel", "risk": "panel", "popgen": "panel", "publish": "panel"}
"""Stages that ask for what others do."""


@pytest.mark.parametrize(
    ("cohorts", "cells", "people", "records"),
    [
        (1, 20, 100_000, 20_000), (1, 20, 1_000_000, 1_000), (20, 12, 1_000, 10_000_000),
        (20, 10, 5_000, 30_000_000), (20, 10, 50_000, 95_000_000),
    ],
)  # fmt: skip
def test_jobs_of_any_size_ask_for_what_they_are_to_take_and_for_no_more_than_there_is(
    cohorts: int, cells: int, people: int, records: int
):
    """Memory at once, wall time by the last attempt; a week and 16 GB are what many queues have."""
    names = [f"C{number}" for number in range(cohorts)]
    each = dict.fromkeys(GRCH38, records // len(GRCH38))
    parts = {f"{contig}.{n}": {"contig": contig} for contig in GRCH38 for n in range(PER_CONTIG)}
    known = {
        "contig_records": each, "partitions": [*parts.values()], "people": people,
        "cells": [{}] * cells, "files": [],
    }  # fmt: skip
    rules = {
        "COHORTS": dict.fromkeys(names, known), "PEOPLE": people * cohorts, "OVERLAPPING": names,
        "PARTITIONS": {(name, part): at for name in names for part, at in parts.items()},
        "ADDED": names, "LIFTED": set(), "Path": Path,
    }  # fmt: skip
    exec((ROOT / "workflow/rules/resources.smk").read_text(), rules)
    job = SimpleNamespace(cohort="C0", partition="chr1.0", contig="chr1")
    work = [CohortWork(n, "vcf", people, cells, True, len(parts), 0, each, 0) for n in names]
    groups = 3 + cohorts + cohorts * cells // 2
    panel = PanelWork(work, groups, GRCH38, 30_000, rules["OVERLAP_SITES"])
    stages = [stage for stage in cost_of(panel).stages if stage.stage != "all"]
    assert len(stages) == 11
    for stage in stages:
        rule = RULE.get(stage.stage, stage.stage)
        memory, minutes = (rules[f"{rule}_{what}"](job) for what in ("memory", "runtime"))
        assert stage.peak_mb <= memory < 16_000, stage.stage
        assert stage.longest_seconds / 60 <= minutes * ATTEMPTS, stage.stage
        assert minutes <= 7 * 24 * 60, stage.stage


def test_no_rule_says_how_often_it_is_tried_again():
    for path in (ROOT / "workflow").rglob("*.smk"):
        assert "retries:" not in path.read_text()
