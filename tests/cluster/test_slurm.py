"""The workflow on a real Slurm of one node, with the shipped profile.

`pytest -m cluster` runs the whole demonstration, which takes minutes, for the most part of waiting; one cohort of
it, in two jobs of Slurm, is always run.
"""

import dataclasses
import importlib.util
import json
from pathlib import Path

import pytest
import yaml
from tests.cluster import slurm
from tests.cluster.submitting import (
    PROFILE,
    SITE,
    Submitted,
    lay_out,
    misbehaving,
    submissions,
    submit,
)

AT_HOME = ("ingest", "harmonize", "count", "linkage")
AT_THE_HUB = ("overlap", "merge", "discordance", "gate", "risk", "popgen", "publish")


def needs_slurm(plugin: str) -> None:
    """Skip a test, and say why, where it cannot be run."""
    reason = slurm.why_not()
    if reason is None and importlib.util.find_spec(plugin) is None:
        reason = f"{plugin.replace('_', '-')} is not installed: pip install '.[test]'"
    if reason is not None:
        pytest.skip(reason)


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def small(folder: Path) -> None:
    """Lay out one cohort of the demonstration on one contig, so that there are few jobs."""
    lay_out(folder)
    table, config = (folder / "config" / name for name in ("cohorts.tsv", "config.yaml"))
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *(ln for ln in lines if ln.startswith("TH"))]) + "\n")
    settings = yaml.safe_load(config.read_text())
    settings["partitions"] = {"contigs": ["chr21"]}
    config.write_text(yaml.safe_dump(settings))


@pytest.fixture(scope="session")
def killed_once(once) -> Path:
    """One cohort in two jobs of Slurm: one for the cohort, which takes too much memory, and one for the hub."""
    needs_slurm("snakemake_executor_plugin_slurm")

    def build(folder: Path) -> None:
        small(folder)
        # Harmonize may take 1,001 MB at first, and twice that when it is done again.
        hog = "python3 -c 'import time; held = b\"x\" * 1_400_000_000; time.sleep(4)'"
        misbehaving(folder, "harmonize*", hog)
        with slurm.running():
            groups = [f"{rule}=home" for rule in AT_HOME] + [f"{rule}=hub" for rule in AT_THE_HUB]
            done = submit(folder, "--workflow-profile", str(PROFILE), *SITE, "--groups", *groups)
            assert done.returncode == 0, (folder / "said").read_text()
            listed = [dataclasses.asdict(each) for each in submissions()]
        (folder / "submissions.json").write_text(json.dumps(listed))

    return once("killed-once", build)


def test_the_release_from_slurm_is_byte_for_byte_the_local_one(killed_once, tools, tmp_path):
    small(tmp_path)
    tools.build(tmp_path)
    assert differing(tools.bytes_of(killed_once), tools.bytes_of(tmp_path)) == []


def test_a_job_over_its_memory_was_killed_and_done_again_with_more(killed_once):
    said = (killed_once / "submissions.json").read_text()
    first, again, hub = (Submitted(**each) for each in json.loads(said))
    assert [first.state, again.state, hub.state] == ["FAILED", "COMPLETED", "COMPLETED"]
    assert first.comment == again.comment != hub.comment
    megabytes = [int(each.memory.strip("M")) for each in (first, again)]
    assert 1000 <= megabytes[0] < 1600 < megabytes[1]
    assert 2 * megabytes[0] - megabytes[1] in {0, 1}  # each is rounded up
    logs = killed_once.glob(".snakemake/slurm_logs/**/*.log")
    assert any("exceeded memory limit" in path.read_text() for path in logs)


@pytest.mark.cluster
def test_the_demonstration_with_a_job_over_its_wall_time_is_the_local_one(
    tmp_path, by_commands, tools
):
    needs_slurm("snakemake_executor_plugin_slurm")
    lay_out(tmp_path)
    marker = tmp_path / "hung"
    hang = f"[ -e {marker} ] || {{ touch {marker}; sleep 600; }}"
    misbehaving(tmp_path, "harmonize*TH-demo*", hang)
    with slurm.running():
        minutes = ("--set-resources", "harmonize:runtime=attempt*2-1")
        done = submit(tmp_path, "--workflow-profile", str(PROFILE), *SITE, *minutes)
        assert done.returncode == 0, (tmp_path / "said").read_text()
        attempts = [each for each in submissions() if "TH-demo" in each.comment]
    attempts = [each for each in attempts if "harmonize" in each.comment]
    assert [each.state for each in attempts] == ["TIMEOUT", "COMPLETED"]
    assert [each.minutes for each in attempts] == ["1:00", "3:00"]
    assert differing(tools.bytes_of(tmp_path), tools.bytes_of(by_commands)) == []


@pytest.mark.cluster
def test_cluster_generic_with_sbatch_gives_the_same_release(tmp_path, by_commands, tools):
    """What PBS, LSF and SGE are used by, here with Slurm's commands; docs/hpc.md has it."""
    needs_slurm("snakemake_executor_plugin_cluster_generic")
    lay_out(tmp_path)
    command = "sbatch --parsable --mem={resources.mem_mb} --time={resources.runtime} --cpus-per-task={threads}"
    with slurm.running():
        done = submit(
            tmp_path, "--executor", "cluster-generic", "--jobs", "8", "--retries", "2",
            "--cluster-generic-submit-cmd", f"{command} --output=/dev/null",
            "--cluster-generic-cancel-cmd", "scancel",
        )  # fmt: skip
        assert done.returncode == 0, (tmp_path / "said").read_text()
        assert {each.state for each in submissions()} == {"COMPLETED"}
    assert differing(tools.bytes_of(tmp_path), tools.bytes_of(by_commands)) == []
