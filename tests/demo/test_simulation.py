"""The script that makes the demonstration's data."""

import gzip
import importlib.metadata
import os
import subprocess
import sys

import pysam
import pysam.bcftools
import pytest

MADE_WITH = {"msprime": "1.4", "numpy": "2.4"}


def content(path) -> bytes:
    """What is in a file, whatever compressed it; nothing for an index."""
    if path.suffix in (".fai", ".gzi", ".tbi", ".csi"):
        return b""
    if path.suffix == ".bcf":
        return pysam.bcftools.view("--no-version", str(path)).encode()
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.fixture(scope="module")
def made(root, tmp_path_factory):
    """The data made twice, at one time, by interpreters that hash differently."""
    pytest.importorskip("msprime")
    folders = [tmp_path_factory.mktemp(f"made-{seed}") for seed in (1, 2)]
    runs = [
        subprocess.Popen(
            [sys.executable, str(root / "demo/simulate.py"), "--out", str(folder)],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for seed, folder in enumerate(folders, 1)
    ]  # fmt: skip
    for run in runs:
        _, error = run.communicate(timeout=120)
        assert run.returncode == 0, error
    return folders


def test_the_script_makes_the_same_bytes_every_time(made):
    first, second = made
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_the_script_makes_the_data_of_the_repository(made, root):
    for package, wanted in MADE_WITH.items():
        found = importlib.metadata.version(package)
        if not f"{found}.".startswith(f"{wanted}."):
            pytest.skip(f"made with {package} {wanted}; {found} may draw other numbers")
    data = root / "demo/data"
    assert {path.name for path in made[0].iterdir()} == {path.name for path in data.iterdir()}
    for path in data.iterdir():
        assert content(made[0] / path.name) == content(path), path.name


def test_the_data_are_small_enough_to_ship(root):
    size = sum(path.stat().st_size for path in (root / "demo/data").iterdir())
    assert size < 3_000_000
