"""Machine code that is kept between runs: it must be of the sources that are there now."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from afpanel.core.code_cache import modules_of
from afpanel.io.vcf_kernel import scan

SUMS = """
import numba as nb
from afpanel.core.compiled import U1, compiled
from parts import one

@compiled(nb.i8(U1))
def total(values):
    result = 0
    for i in range(len(values)):
        result += one(values[i])
    return result
"""

PARTS = """
from afpanel.core.compiled import part

@part
def one(value):
    return value{change}
"""

RUN = "import numpy as np, sums; print(sums.total(np.ones(3, np.uint8)))"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a compiled function, and a part of it in a module of its own."""
    (tmp_path / "sums.py").write_text(SUMS)
    return tmp_path


def total(project: Path, change: str) -> int:
    (project / "parts.py").write_text(PARTS.format(change=change))
    environment = {**os.environ, "PYTHONPATH": str(project)}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=project, env=environment, capture_output=True, check=True
    )
    return int(done.stdout)


def test_a_change_of_a_part_in_another_module_is_noticed(project: Path) -> None:
    assert total(project, "") == 3
    assert total(project, " + 10") == 33
    assert total(project, "") == 3
    kept = [path for path in project.rglob("*.nbc") if "total" in path.name]
    assert len(kept) == 2, "code is kept for each state of the sources, and used again"


def test_the_modules_of_all_parts_are_known() -> None:
    assert {"afpanel.io.vcf_kernel", "afpanel.io.vcf_calls"} <= modules_of(scan.py_func)


NOWHERE = """
import contextlib
from numba.core import caching
def refuse(self, *given):
    raise PermissionError(13, "Permission denied")
caching._CacheLocator.ensure_cache_path = refuse
caching.IndexDataCacheFile._open_for_write = refuse
"""
"""Folders of somebody else's: root, whom tests may run as, could write to any."""

STATS = "; from sums import total; print(sum(total.stats.cache_misses.values()), total.stats.cache_path)"


def run_where_nothing_can_be_written(project: Path, **more: str) -> tuple[list[str], str]:
    environment = {**os.environ, "PYTHONPATH": str(project)}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", NOWHERE + RUN + STATS],
        cwd=project, env=environment | more, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split(), done.stderr


def test_code_is_read_from_folders_that_cannot_be_written_to(project: Path, tmp_path: Path) -> None:
    assert total(project, "") == 3
    beside = project / "__pycache__"
    found, said = run_where_nothing_can_be_written(project)
    assert found == ["3", "0", str(beside)]
    assert said == ""
    # The same of a folder of one's own, beside a package that has no code.
    own = tmp_path / "own"
    environment = {**os.environ, "PYTHONPATH": str(project), "NUMBA_CACHE_DIR": str(own)}
    subprocess.run([sys.executable, "-c", RUN], cwd=project, env=environment, check=True)
    for path in beside.glob("sums*.nb?"):
        path.unlink()
    (result, misses, folder), _ = run_where_nothing_can_be_written(
        project, NUMBA_CACHE_DIR=str(own)
    )
    assert (result, misses) == ("3", "0")
    assert Path(folder).is_relative_to(own)


def test_where_code_can_be_kept_nowhere_it_is_compiled_and_that_is_said_once(project: Path) -> None:
    (project / "parts.py").write_text(PARTS.format(change=""))
    found, said = run_where_nothing_can_be_written(project)
    assert found[:2] == ["3", "1"]
    assert said.count("machine code cannot be kept (Permission denied)") == 1
    assert "afpanel compile" in said
