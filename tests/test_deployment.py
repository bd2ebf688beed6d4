"""Profiles, the container's recipe and conda: what can be said of them without a cluster, a container or conda."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
RECIPE = (ROOT / "Containerfile").read_text("utf-8")
SITE = {"account", "partition", "qos", "constraint", "reservation"}
"""What is a site's own, and is not in a profile for everybody."""


@pytest.fixture(scope="module")
def profiles() -> dict[str, dict[str, object]]:
    folder = ROOT / "workflow" / "profiles"
    return {p.parent.name: yaml.safe_load(p.read_text()) for p in folder.glob("*/config.yaml")}


def test_the_profile_of_slurm_has_all_that_the_default_one_has(profiles):
    """For it is taken instead of it."""
    slurm, default = profiles["slurm"], profiles["default"]
    assert {key: slurm.get(key) for key in default if key != "retries"} == {
        key: value for key, value in default.items() if key != "retries"
    }
    assert (default["retries"], slurm["retries"]) == (0, 2)


def test_no_profile_names_an_account_or_a_queue(profiles):
    for name, profile in profiles.items():
        words = set(re.findall(r"[a-z]+", yaml.safe_dump(profile)))
        assert not words & SITE, name


def test_the_recipe_fetches_from_registries_of_packages_alone():
    assert not re.search(r"https?://|\bgit\b|\bcurl\b|\bwget\b|^ADD", RECIPE, re.MULTILINE)
    commands = re.findall(r"^RUN (.+)$", RECIPE, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["apt-get", "pip", "afpanel"]


def test_what_the_recipe_installs_exists_here():
    (extra,) = re.findall(r"pip install .*'/opt/afpanel\[(\w+)\]'", RECIPE)
    assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text()


def test_machine_code_can_be_kept_in_a_folder_of_ones_own(tmp_path):
    """Only one module's, for all take a minute: the folder is what is told."""
    command = "from afpanel.cli.main import main; from afpanel.stages import compiling; "
    command += "compiling.modules_with_loops = lambda: ['afpanel.io.sites_numbers']; "
    command += f"main(['-q', 'compile', '--to', {str(tmp_path)!r}])"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=False
    )
    said, folder = done.stdout.splitlines()
    assert re.fullmatch(r"(\d) loops of 1 modules are compiled, \1 of them anew", said), said
    assert Path(folder.strip()).is_relative_to(tmp_path)
    assert list(tmp_path.rglob("sites_numbers.*.nbi"))


EXTRAS = "ga4gh polars bio2zarr bioutils duckdb hypothesis liftover msprime pandas pyshacl pytest vcztools xarray"
WITHOUT_EXTRAS = f"""
import sys
class Refused:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in {EXTRAS.split()}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refused)
"""


def test_all_machine_code_is_compiled_beforehand_and_then_only_read(tmp_path):
    """The one command of the recipe and of docs/hpc.md, where none of the optional packages is installed."""
    assert "\nRUN afpanel compile\n" in RECIPE
    assert "\nafpanel compile\n" in (ROOT / "docs" / "hpc.md").read_text()
    command = "from afpanel.cli.main import main; main(['-q', 'compile'])"
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS + command],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    said, *folders = done.stdout.splitlines()
    modules = sum(
        "\n@compiled(" in path.read_text() for path in (ROOT / "src/afpanel").rglob("*.py")
    )
    assert re.fullmatch(rf"\d+ loops of {modules} modules are compiled, \d+ of them anew", said), (
        said
    )
    assert folders
    assert all(list(Path(folder.strip()).glob("*.nbi")) for folder in folders)


CONDA = """#!/bin/sh
case "$1" in
info) echo '{"conda_prefix": "/opt/conda", "root_prefix": "/opt/conda", "platform": "linux-64"}' ;;
config) echo '{"get": {"channel_priority": "strict"}}' ;;
*) echo 'conda 24.11.1' ;;
esac
"""


def test_a_dry_run_with_conda_would_create_one_environment_for_all_rules(tmp_path):
    """With a stand-in that tells Snakemake its version and no more: no conda is at hand."""
    conda = tmp_path / "bin" / "conda"
    conda.parent.mkdir()
    conda.write_text(CONDA)
    conda.chmod(0o755)
    for name in ("demo", "config"):
        (tmp_path / name).symlink_to(ROOT / name)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "-n"]
    environment = os.environ | {"PATH": f"{conda.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*command, "--sdm", "conda"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert len(re.findall(r"Conda environment .*envs/afpanel.yaml.* will be created", said)) == 1
    rules = "".join(p.read_text() for p in (ROOT / "workflow" / "rules").glob("*.smk"))
    assert rules.count("shell:\n") == rules.count('"../../envs/afpanel.yaml"\n')
