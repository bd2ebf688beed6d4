"""Running the workflow through a scheduler, with commands that misbehave where a test wants them to."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "workflow" / "profiles" / "slurm"
SITE = (
    "--default-resources", "slurm_partition=tests", "--slurm-no-account",
    "--slurm-status-command", "squeue",  # this Slurm keeps no accounts
    "--seconds-between-status-checks", "2", "--slurm-init-seconds-before-status-checks", "2",
    "--latency-wait", "10",
)  # fmt: skip
"""What is this site's, beside the profile: its queue, and not to wait half a minute for tiny jobs."""


@dataclass(frozen=True)
class Submitted:
    """One submission: its job's state in the end, and the memory and minutes it asked for."""

    state: str
    memory: str
    minutes: str
    comment: str


def lay_out(folder: Path) -> None:
    """Make a working directory with the demonstration's configuration and data."""
    shutil.copytree(ROOT / "config", folder / "config")
    (folder / "demo").symlink_to(ROOT / "demo", target_is_directory=True)


def misbehaving(folder: Path, when: str, do: str) -> None:
    """Put an `afpanel` into a folder that does something first, in a job whose command line has some words."""
    command = folder / "bin" / "afpanel"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/bash\ncase "$*" in {when})\n{do}\n;; esac\nexec {sys.executable} -m afpanel "$@"\n'
    )
    command.chmod(0o755)


def submit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the workflow, its jobs with the commands of the folder's `bin` before those installed."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(ROOT / "Snakefile"),
        *arguments,
    ]
    environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    (folder / "said").write_text(done.stdout + done.stderr)
    return done


def submissions() -> list[Submitted]:
    """List all that this Slurm was ever given, in order."""
    said = subprocess.run(
        ["squeue", "--states=all", "--noheader", "--sort=i", "--format=%T|%m|%l|%k"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [Submitted(*line.split("|", 3)) for line in said.splitlines()]
