"""National sizes through the whole workflow: memory, work per genotype, and correct counts.

Run with ``pytest tests/benchmarks/test_scale.py -m benchmark -s``; a quarter of an hour of two quiet cores, and
5 GB of disk. Every process of a run is measured whole: seconds of processors, which other work on the machine
changes little, and peak memory. docs/scale.md has the figures. SCALE_JSONL names a file to append them to.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.benchmarks import national, test_merging
from tests.benchmarks.national import Step

from afpanel.io.store import Store
from afpanel.stages.bench_launch import Launcher
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION
from afpanel.stages.cost import predict

REPORT = {"overlap": {"action": "report", "min_sites": 100}}
PER_PERSON = ("ingest", "count")
"""What grows with genotypes."""

MOST_MB = 2_000


def said(what: str, **figures: object) -> None:
    line = json.dumps({"what": what} | figures)
    print(line)
    if "SCALE_JSONL" in os.environ:
        with Path(os.environ["SCALE_JSONL"]).open("a") as lines:
            lines.write(line + "\n")


def run_one(folder: Path, samples: int, sites: int) -> dict[str, Step]:
    """Make a cohort, build its panel, check every count, and give what each command took."""
    folder.mkdir()
    bases = national.write_reference(folder)
    _, carried, people = national.write_cohort(folder, "A", bases, samples, sites, seed=1)
    config = national.write_config(folder, {"A": "VN"}, **REPORT)
    os.chdir(folder)
    foreseen = {each.stage: each for each in predict(config).stages}
    steps = national.run_workflow(folder)
    check_counts(folder, carried, people)
    for name, step in steps.items():
        expected = foreseen[name]
        said(
            "step", samples=samples, sites=sites, step=name, jobs=step.jobs, cpu=round(step.cpu, 2),
            foreseen_cpu=round(expected.core_seconds, 2), peak_mb=round(step.peak_mb),
            foreseen_mb=round(expected.peak_mb),
        )  # fmt: skip
    disk = sum(f.stat().st_size for f in (folder / "results").rglob("*") if f.is_file())
    total = sum(each.disk_bytes for each in foreseen.values())
    said("disk", samples=samples, sites=sites, mb=disk // 10**6, foreseen_mb=round(total / 1e6))
    shutil.rmtree(folder)
    return steps


def check_counts(folder: Path, carried: np.ndarray, people: np.ndarray) -> None:
    """Copies and called alleles of every site and cell are those that were written; cells in order of labels."""
    tables = []
    for path in sorted((folder / "results/private/A/counts").glob("*.zarr.zip")):
        with Store(path, CELL_COUNTS, CELL_COUNTS_VERSION) as store:
            tables.append((store.read("allele_count"), store.read("allele_number")))
    count, number = (np.concatenate(each) for each in zip(*tables, strict=True))
    np.testing.assert_array_equal(count, carried)
    np.testing.assert_array_equal(number, np.broadcast_to(2 * people, number.shape))


@pytest.mark.benchmark
def test_throughput_and_memory_hold_from_nine_thousand_people_to_a_million(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of as many genotypes in all: a billion of 9,000 and of a million people, two billion of 100,000."""
    monkeypatch.chdir(tmp_path)
    rates = {}
    for samples, sites in ((9_000, 111_111), (100_000, 20_000), (1_000_000, 1_000)):
        steps = run_one(tmp_path / f"of{samples}", samples, sites)
        assert max(step.peak_mb for step in steps.values()) <= MOST_MB
        work = {
            "reading and counting": sum(steps[name].cpu for name in PER_PERSON),
            "all": sum(step.cpu for step in steps.values()),
            # Which looks at so many people and windows at most, and takes most of the time where there are as many.
            "all but linkage": sum(step.cpu for name, step in steps.items() if name != "linkage"),
        }
        rates[samples] = {name: samples * sites / seconds for name, seconds in work.items()}
        rounded = {name: round(rate / 1e6) for name, rate in rates[samples].items()}
        said("rate", samples=samples, sites=sites, million_genotypes_per_core_second=rounded)
    for samples in (100_000, 1_000_000):
        for name in rates[samples]:
            assert rates[samples][name] >= 0.75 * rates[9_000][name], (samples, name)


@pytest.mark.benchmark
def test_twenty_cohorts_of_two_hundred_thousand_sites_are_merged(tmp_path: Path) -> None:
    paths = test_merging.make(tmp_path, 20, 200_000)
    seconds, peak = test_merging.merge(tmp_path, paths)
    test_merging.check(tmp_path, paths)
    (tmp_path / "policy.yaml").write_text(national.POLICY)
    panel = tmp_path / "panel" / "chr1.zarr.zip"
    panel.parent.mkdir()
    (tmp_path / "out.zip").rename(panel)
    afpanel = f"{sys.executable} -m afpanel -q"
    with Launcher() as launcher:
        gate = launcher.run(
            f"{afpanel} gate {panel} --policy {tmp_path / 'policy.yaml'} --out {tmp_path / 'gated'}"
            f" --decision {tmp_path / 'decision.json'}"
        )
        popgen = launcher.run(
            f"{afpanel} popgen {tmp_path / 'gated'}/chr1.zarr.zip --out {tmp_path / 'popgen'}"
        )
    said("merge", cohorts=20, sites=200_000, seconds=round(seconds, 2), peak_mb=round(peak))
    for name, run in (("gate", gate), ("popgen", popgen)):
        said(name, cohorts=20, sites=200_000, cpu=round(run.cpu, 2), peak_mb=round(run.peak_mb))
    assert max(peak, gate.peak_mb, popgen.peak_mb) <= MOST_MB


def many_cohorts(folder: Path, cohorts: int) -> None:
    """Write so many cohorts of 20 people, two to a country."""
    folder.mkdir()
    bases = national.write_reference(folder)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    names = {f"C{i}": letters[i // 2 % 26] + letters[i // 52 % 26] for i in range(cohorts)}
    for i, name in enumerate(names):
        national.write_cohort(folder, name, bases, 20, 40, seed=i)
    national.write_config(folder, names, partitions={"size": 20_000_000})


def planning(folder: Path) -> dict[str, float]:
    """Seconds of processors of checking the inputs, and of a dry run when they are checked."""
    snakemake = f"{sys.executable} -m snakemake --snakefile {national.ROOT / 'Snakefile'}"
    os.chdir(folder)
    with Launcher() as launcher:
        checked = launcher.run(f"{sys.executable} -m afpanel -q validate config.yaml")
        dry = f"{snakemake} --configfile config.yaml -n --quiet > dry.txt 2>&1"
        launcher.run(dry)
        return {"validate": checked.cpu, "dry run": launcher.run(dry).cpu}


@pytest.mark.benchmark
def test_planning_two_hundred_cohorts_takes_little_more_for_each_than_fifty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    taken = {}
    for cohorts in (50, 200):
        many_cohorts(tmp_path / f"of{cohorts}", cohorts)
        taken[cohorts] = planning(tmp_path / f"of{cohorts}")
        each = {name: round(seconds / cohorts, 4) for name, seconds in taken[cohorts].items()}
        said("planning", cohorts=cohorts, seconds=taken[cohorts], per_cohort=each)
    for name in taken[50]:
        assert taken[200][name] <= 1.25 * 4 * taken[50][name], name


@pytest.mark.benchmark
def test_two_cores_take_little_more_than_half_the_time_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four cohorts in 64 partitions each, by the clock: only a quiet machine tells."""
    monkeypatch.chdir(tmp_path)
    bases = national.write_reference(tmp_path)
    names = {"ID": "ID", "JP": "JP", "TH": "TH", "VN": "VN"}
    for i, name in enumerate(names):
        national.write_cohort(tmp_path, name, bases, 1_000, 12_800, seed=i)
    national.write_config(
        tmp_path, names, partitions={"size": national.LENGTH // 64}, overlap={"min_sites": 10_000}
    )
    seconds = {}
    cores = sorted(os.sched_getaffinity(0))[:2]
    for n in (1, 2):
        for left in ("results", ".snakemake"):
            shutil.rmtree(tmp_path / left, ignore_errors=True)
        os.sched_setaffinity(0, cores[:n])
        began = time.monotonic()
        national.run_workflow(tmp_path, cores=n)
        seconds[n] = time.monotonic() - began
    said("cores", seconds=seconds, speed_up=round(seconds[1] / seconds[2], 2))
    assert seconds[1] / seconds[2] >= 1.8
