"""How many jobs and files there are, and what each job asks for: known before anything runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.whole_genomes import ROOT, lay_out, plan

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


def test_no_rule_says_how_often_it_is_tried_again():
    for path in (ROOT / "workflow").rglob("*.smk"):
        assert "retries:" not in path.read_text()
