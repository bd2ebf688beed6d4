"""Files damaged at random: read as their text says, or refused as bad input; nothing else ever happens."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.io.fuzz import BASES

ROOT = Path(__file__).parents[2]
# The folder of tests is no package that could be found from outside.
RUN = """
import sys, types
tests = types.ModuleType("tests")
tests.__path__ = [sys.argv.pop(1)]
sys.modules["tests"] = tests
from tests.io.fuzz import main
main(*sys.argv[1:])
"""


def run_apart(folder: Path, seed: int, files: int) -> None:
    """Read damaged files in a process of its own; if it dies, it is the last file that failed."""
    command = [sys.executable, "-c", RUN, ROOT / "tests", folder, str(seed), str(files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    running = folder / "running"
    last = running.read_text() if running.exists() else "before the first file"
    assert done.returncode == 0, f"{last}: exit {done.returncode}\n{done.stderr[-3000:]}"
    outcomes = json.loads(done.stdout)
    failures = outcomes.pop("failures")
    assert not failures, "\n".join(failures)
    for name, base in BASES.items():
        read, refused = (outcomes[name].get(how, 0) for how in ("read", "refused"))
        assert read + refused >= files // len(BASES)
        assert refused > read // 2, f"{name}: the damage must matter"
        assert read > refused // 10 or base.suffix != ".vcf", f"{name}: and not always"


@pytest.mark.parametrize("seed", range(2))
def test_damaged_files_are_read_rightly_or_refused_and_crash_nothing(
    tmp_path: Path, seed: int
) -> None:
    run_apart(tmp_path, seed, 1_000)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(100, 120))
def test_a_hundred_thousand_damaged_files_are_read_rightly_or_refused(
    tmp_path: Path, seed: int
) -> None:
    run_apart(tmp_path, seed, 5_000)
