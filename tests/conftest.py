"""What all tests share: where the real data are, and how the workflow is run."""

import fcntl
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.prepared import Commands, Prepared

# As the command line does: threads that wait for each other take ten times as long beside other workers.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]


SEEDS = (1, 2)
SERVERS = pytest.StashKey[tuple[tempfile.TemporaryDirectory[str], list[Prepared]]]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers of commands before there are workers, for all of them.

    All loops are compiled before, which each worker would do otherwise.
    """
    config = session.config
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="prepared-")
        subprocess.run([sys.executable, "-m", "afpanel", "-q", "compile"], check=True)
        servers = [Prepared(Path(folder.name) / str(seed), seed) for seed in SEEDS]
        config.stash[SERVERS] = folder, servers


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the servers are."""
    folder, _ = node.config.stash[SERVERS]
    node.workerinput["prepared"] = folder.name


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the servers, when all workers have."""
    folder, servers = session.config.stash.get(SERVERS, (None, []))
    for server in servers:
        server.close()
    if folder:
        folder.cleanup()


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data; the test is skipped where there is none."""
    folder = os.environ.get("AFPANEL_TEST_DATA")
    if not folder:
        pytest.skip("AFPANEL_TEST_DATA is not set: no real data to test on")
    path = Path(folder).resolve()
    if not path.is_dir():
        pytest.fail(f"AFPANEL_TEST_DATA is no folder: {path}")
    return path


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Fill a folder once for all workers, whichever asks first: once(name, fill) -> folder."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = base / f"once-{name}", base / f"once-{name}.done"
        with (base / f"once-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # what failed in another worker
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return make


Snakemake = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest) -> Iterator[Iterator[Commands]]:
    """Commands that start at once, by turns of two servers that hash differently."""
    told = getattr(request.config, "workerinput", {}).get("prepared")
    if told:
        yield itertools.cycle([Commands(Path(told) / str(seed)) for seed in SEEDS])
        return
    with tempfile.TemporaryDirectory(prefix="prepared-") as folder:
        servers = [Prepared(Path(folder) / str(seed), seed) for seed in SEEDS]
        yield itertools.cycle(servers)
        for server in servers:
            server.close()


@pytest.fixture(scope="session")
def snakemake(request: pytest.FixtureRequest) -> Snakemake:
    """Run the workflow: snakemake(working_directory, *arguments).

    With `afresh`, every command is a process that starts as a user's does; otherwise they are forks of one that
    has everything imported, which takes a fifth of the time. Those of one run hash alike, and those of the next
    do not. What many tests compare theirs with, byte by byte, is made afresh.
    """

    def run(
        folder: Path, *arguments: str, check: bool = True, afresh: bool = False
    ) -> subprocess.CompletedProcess[str]:
        if afresh:
            command, environment = [sys.executable, "-m", "snakemake"], dict(os.environ)
        else:
            server: Commands = next(request.getfixturevalue("prepared"))
            command, environment = [str(server.folder / "snakemake")], server.environment()
        done = subprocess.run(
            [*command, "--snakefile", str(ROOT / "Snakefile"), *arguments],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if check and done.returncode:
            pytest.fail(f"snakemake failed:\n{done.stdout}\n{done.stderr}")
        return done

    return run
