"""Machine code that is kept between runs: it must be of the sources that are there now."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from afpanel.core.compiled import modules_of
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
