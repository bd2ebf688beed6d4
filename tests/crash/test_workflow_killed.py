"""The workflow on a tiny panel, through kills of its processes, and started twice at once."""

import contextlib
import fcntl
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CORES = ("--configfile", "config.yaml", "--cores", "2")
JOBS = 19
"""Three partitions or files are read, two cohorts harmonized, four partitions counted; seven jobs are of all."""


def start(root, folder, log, *arguments):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile"), *CORES]
    with log.open("a") as sink:
        return subprocess.Popen(
            [*command, *arguments], cwd=folder, stdout=sink, stderr=sink, start_new_session=True
        )


def processes_of(session: int) -> list[int]:
    """All processes that a run began, its own among them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(after_name[3]) == session and after_name[0] != "Z":
                    found.append(int(entry.name))
    return sorted(found)


def status(folder):
    done = subprocess.run(
        [sys.executable, "-m", "afpanel", "status", "--json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.returncode < 2 else done.stderr


def outputs_of(folder: Path, look) -> dict[str, bytes]:
    """What a run makes, but for the logs, and for what Snakemake and the lock of a run leave."""
    found = look.files_of(folder / "results")
    return {
        name: data
        for name, data in found.items()
        if "/logs/" not in name and name != "private/run.lock"
    }


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill_at_random(root, folder, log, rng, done_before_kill, look):
    """Run until some number of jobs has begun, kill a random process of the run, and see it end."""
    running = start(root, folder, log, "--rerun-incomplete")
    begun = lambda: len(list(folder.glob("results/private/**/logs/*.log")))  # noqa: E731
    wait_for(lambda: begun() >= done_before_kill or running.poll() is not None)
    time.sleep(rng.random() * 1.5)
    everyone = processes_of(running.pid)
    victim = rng.choice(everyone) if everyone else None
    if victim is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    running.wait(120)
    return victim == running.pid


def see_that_nothing_half_is_there(folder, whole, look):
    found = outputs_of(folder, look)
    assert [name for name, data in found.items() if whole.get(name) != data] == []


@pytest.fixture(scope="module")
def twice(root, lay_out, once, look):
    """The workflow started twice at once in one folder, and what each said."""

    def build(folder):
        lay_out(folder / "made")
        logs = [folder / "first.txt", folder / "second.txt"]
        runs = [start(root, folder / "made", log) for log in logs]
        codes = [run.wait(300) for run in runs]
        (folder / "codes.json").write_text(json.dumps(codes))

    return once("crash-twice", build)


@pytest.mark.slow
def test_of_two_runs_started_at_once_one_proceeds_and_the_other_says_so(twice, look):
    codes = json.loads((twice / "codes.json").read_text())
    said = [(twice / name).read_text() for name in ("first.txt", "second.txt")]
    assert sorted(codes) == [0, 1], said
    loser = said[codes.index(1)]
    assert "Another run is going in results" in loser or "cannot be locked" in loser
    assert "afpanel status" in loser or "--unlock" in loser
    assert look.hidden_in(twice / "made/results") == []


def test_the_run_that_went_on_beside_another_gives_the_bytes_of_the_commands(twice, whole, look):
    ours, theirs = twice / "made/results", whole / "made"
    release = look.files_of(ours / "release/tiny-1")
    expected = look.files_of(theirs / "release")
    # The manifest and the report name what differs between the two: how records are cut, and who was compared.
    for each in (release, expected):
        del each["manifest.json"], each["report.html"]
    assert release == expected


def test_when_all_is_done_status_says_so(twice):
    log = "".join((twice / name).read_text() for name in ("first.txt", "second.txt"))
    (planned,) = re.findall(r"^total +(\d+)$", log, re.MULTILINE)
    assert int(planned) == JOBS + 1  # "all" has no command
    code, said = status(twice / "made")
    assert code == 0
    assert said["jobs"] == {"done": JOBS, "running": 0, "failed": 0, "stopped": 0, "waiting": 0}
    assert said["run"] is False
    assert said["trouble"] == []


def test_the_logs_of_a_run_are_those_of_the_jobs_that_status_knows(twice):
    from afpanel.stages.jobs import jobs_of

    results = twice / "made/results"
    plan = json.loads((results / "private/plan.json").read_text())
    known = {job.log for job in jobs_of(plan, results) if job.asked}
    assert known == set(results.glob("private/**/logs/*.log"))
    assert len(known) == JOBS


def test_a_run_with_another_configuration_is_refused_before_it_changes_the_plan_of_one_that_goes(
    root, lay_out, tmp_path
):
    folder = lay_out(tmp_path / "a")
    private = folder / "results/private"
    private.mkdir(parents=True)
    for name in ("config.json", "plan.json"):
        (private / name).write_text("of the run that goes")
    with (private / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert start(root, folder, tmp_path / "log", "--dry-run").wait(120) == 1
    said = (tmp_path / "log").read_text()
    assert "Another run is going in results, with another configuration" in said
    assert "afpanel status" in said
    for name in ("config.json", "plan.json"):
        assert (private / name).read_text() == "of the run that goes"


@pytest.mark.long
def test_a_run_that_fills_the_disk_goes_on_when_there_is_room(
    root, lay_out, look, twice, tmp_path, disk
):
    whole = outputs_of(twice / "made", look)
    folder, filler = lay_out(tmp_path / "a"), disk / "filler"
    (disk / "results").mkdir()
    (folder / "results").symlink_to(disk / "results")
    for free in (30_000, 120_000, 220_000):
        with filler.open("wb", buffering=0) as sink, contextlib.suppress(OSError):
            while True:
                sink.write(bytes(4096))
        os.truncate(filler, filler.stat().st_size - free)
        log = tmp_path / f"log.{free}"
        assert start(root, folder, log, "--rerun-incomplete").wait(300) == 1
        assert "room" in log.read_text() or "No space left" in log.read_text()
        found = look.files_of(folder / "results")
        assert {name for name, data in found.items() if whole.get(name, data) != data} == set()
        filler.unlink()
    assert start(root, folder, tmp_path / "log", "--rerun-incomplete").wait(300) == 0
    assert outputs_of(folder, look) == whole


def kill_many(root, lay_out, look, twice, folder, log, moments, seed):
    rng = random.Random(seed)
    whole = outputs_of(twice / "made", look)
    lay_out(folder)
    for moment in moments:
        killed_all = kill_at_random(root, folder, log, rng, moment, look)
        see_that_nothing_half_is_there(folder, whole, look)
        code, _ = status(folder)
        assert code in (0, 1, 3)
        if killed_all or (folder / ".snakemake/locks").is_dir():
            start(root, folder, log, "--unlock").wait(120)
    running = start(root, folder, log, "--rerun-incomplete")
    assert running.wait(300) == 0, log.read_text()
    assert outputs_of(folder, look) == whole
    assert look.hidden_in(folder / "results") == []
    code, said = status(folder)
    assert (code, said["jobs"]["done"]) == (0, JOBS)


@pytest.mark.slow
def test_a_run_whose_processes_are_killed_at_random_goes_on_to_the_same_bytes(
    root, lay_out, look, twice, tmp_path
):
    kill_many(root, lay_out, look, twice, tmp_path / "a", tmp_path / "log", (3, 10), 3)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_30_random_processes_killed_through_all_stages_change_no_byte(
    root, lay_out, look, twice, tmp_path, seed
):
    moments = [1 + round(k * (JOBS - 1) / 9) for k in range(10)]
    kill_many(root, lay_out, look, twice, tmp_path / "a", tmp_path / "log", moments, seed)
