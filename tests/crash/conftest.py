"""A tiny panel of two cohorts, the commands that build it, and a process that kills them."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
REFERENCE = ["--reference", "reference.fa.gz"]
COHORTS = {"Viet-1": ("VN", "viet-1"), "Thai-1": ("TH", "thai-1")}


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, or minus the signal; how many steps it took; what it said."""

    pid: int
    stopped: bool
    code: int | None
    steps: int
    said: str


class Server:
    """Runs commands, each in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "fork_server.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(
        self,
        folder: Path,
        command: list[str],
        at: int | None = None,
        *,
        how: int = signal.SIGKILL,
        log: Path | None = None,
        file_limit: int = 0,
    ) -> Ended:
        log = log or folder.parent / f"{folder.name}.log"
        request = {
            "folder": str(folder), "command": command, "at": at, "signal": int(how), "log": str(log),
            "file_limit": file_limit,
        }  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Ended(**answer, said=log.read_text() if log.exists() else "")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="session")
def by_hand() -> ModuleType:
    """What the tests of the command line build by hand."""
    spec = importlib.util.spec_from_file_location("crash_by_hand", HERE.parent / "cli/conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["crash_by_hand"] = module
    spec.loader.exec_module(module)
    return module


def write_inputs(by_hand: ModuleType, folder: Path) -> None:
    """Write the inputs; there are so few people that everything about them is told."""
    by_hand.write_inputs(folder)
    with (folder / "config.yaml").open("a") as config:
        config.write("sharing: {min_cell_size: 1}\n")


@pytest.fixture(scope="session")
def chain(by_hand: ModuleType) -> list[list[str]]:
    """Commands of every stage, in the order of the work."""
    first, *others = by_hand.commands()
    # As the workflow calls it.
    made = [[*first[:-1], "results/private/plan.json", "--clean", "results"]]
    made += [[word.replace("plan.json", "results/private/plan.json") for word in c] for c in others]
    at = next(i for i, command in enumerate(made) if command[0] == "merge")
    every = [
        f"{low}/counts/{contig}.zarr.zip"
        for _, low in COHORTS.values()
        for contig in by_hand.REFERENCE
    ]
    overlap = ["overlap", "--pairs", "overlap.tsv", "--report", "overlap.json"]
    for name, (_, low) in COHORTS.items():
        overlap += ["--cohort", f"{name}={low}", "--samples", f"{name}={low}.samples.tsv"]
    compared = ["discordance", *every, *REFERENCE, "--build", "GRCh38", "--out", "discordance"]
    linked = [
        "linkage", *every[:2], "--cohort", "Viet-1", "--folder", "viet-1",
        "--samples", "viet-1.samples.tsv", "--plan", "results/private/plan.json",
        "--out", "viet-1/linkage.json",
    ]  # fmt: skip
    packaged = [
        "package", *every[:2], "--cohort", "Viet-1", "--plan", "results/private/plan.json",
        "--harmonization", "viet-1/harmonization.json", "--callable", "viet-1.callable.bed",
        "--linkage", "viet-1/linkage.json",
        *REFERENCE, "--out", "contributions/Viet-1.afc.zip", "--preview-out", "preview.txt",
    ]  # fmt: skip
    verified = [
        "verify", "contributions/Viet-1.afc.zip", *REFERENCE, "--register", "editions",
        "--out", "received",
    ]  # fmt: skip
    made[at:at] = [overlap, compared, linked, packaged, verified]
    gate = next(command for command in made if command[0] == "gate")
    decision = gate[gate.index("--decision") + 1]
    panels = [f"{gate[gate.index('--out') + 1]}/{contig}.zarr.zip" for contig in by_hand.REFERENCE]
    at = next(i for i, command in enumerate(made) if command[0] == "publish")
    made.insert(at, ["risk", *panels, "--decision", decision, "--out", "risk"])
    return made


@pytest.fixture(scope="session")
def inputs(by_hand: ModuleType, once: Callable[..., Path]) -> Path:
    return once("crash-inputs", lambda folder: write_inputs(by_hand, folder))


@pytest.fixture(scope="session")
def lay_out(inputs: Path) -> Callable[[Path], Path]:
    """Copy the inputs to a folder, with their dates, which the plan knows."""
    return lambda folder: Path(shutil.copytree(inputs, folder, dirs_exist_ok=True))


@pytest.fixture(scope="session")
def whole(
    lay_out: Callable[[Path], Path],
    server: Server,
    chain: list[list[str]],
    once: Callable[..., Path],
) -> Path:
    """What the commands make undisturbed; beside it how many steps each took."""

    def build(folder: Path) -> None:
        lay_out(folder / "made")
        steps = []
        for command in chain:
            ended = server.run(folder / "made", command)
            assert ended.code == 0, (command, ended.said)
            steps.append(ended.steps)
        (folder / "steps.json").write_text(json.dumps(steps))

    return once("crash-whole", build)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file that might be taken for a result: all that are not in the making, in a folder or themselves."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not is_hidden(path.relative_to(folder))
    }


def is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def hidden_in(folder: Path) -> list[str]:
    """What is in the making, or was."""
    return [path.name for path in folder.rglob(".*") if path.name != ".snakemake_timestamp"]


@pytest.fixture(scope="session")
def look() -> ModuleType:
    """Functions that look at a folder."""
    module = ModuleType("look")
    module.files_of, module.hidden_in = files_of, hidden_in  # type: ignore[attr-defined]
    return module


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system to fill")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
