"""A small panel project whose inputs are good, for tests that spoil one of them."""

import hashlib
import importlib.util
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pysam.bcftools  # noqa: F401  # what the builders use
import pytest
import yaml

from afpanel.cli.main import main

_BUILDERS = Path(__file__).parents[1] / "builders.py"
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")

SAMPLES = ("P1", "P2", "P3", "P4")
SHEET = (("P1", "AAA", "XX"), ("P2", "AAA", "XY"), ("P3", "BBB", "XX"), ("P4", "BBB", "XY"))


def _load_builders() -> ModuleType:
    spec = importlib.util.spec_from_file_location("input_builders", _BUILDERS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bgzf_blocks(text: str, size: int = 500) -> list[bytes]:
    """Compress text into BGZF blocks of `size` bytes each, the block that ends a file being last."""
    blocks = []
    data = text.encode()
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        deflated = packer.compress(piece) + packer.flush()
        head = bytes.fromhex("1f8b08040000000000ff0600424302") + b"\x00"
        length = struct.pack("<H", len(head) + 2 + len(deflated) + 8 - 1)
        blocks.append(head + length + deflated + struct.pack("<II", zlib.crc32(piece), len(piece)))
    return [*blocks, _BGZF_END]


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str
    changed: tuple[str, ...] = ()

    def message(self) -> str:
        """The one message of a command that refused its inputs."""
        assert "Traceback" not in self.err, self.err
        assert self.err.count("afpanel: error: ") == 1, self.err
        return self.err.partition("afpanel: error: ")[2]

    def refuses(self, *fragments: str, code: int = 3) -> None:
        """Assert that the command refused, said all of `fragments`, and left the disk as it was."""
        assert self.code == code, self.err or f"accepted; wrote {self.changed}"
        message = self.message()
        for fragment in fragments:
            assert fragment.lower() in message.lower()
        assert self.out == ""
        assert self.changed == ()


class Project:
    """A folder with a reference, one cohort and a configuration, all of them good at first."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capfd = capfd
        self.builders = _load_builders()
        draw = random.Random(7)
        self.sequences = {
            name: "".join(draw.choices("ACGT", k=length))
            for name, length in (("chr1", 5000), ("chr2", 3000))
        }
        self.builders.write_fasta(folder / "reference.fa", self.sequences)
        self.config = {
            "panel": {"name": "tiny", "version": "1"},
            "reference": {"build": "GRCh38", "fasta": "reference.fa"},
            "cohorts": "cohorts.tsv",
            "disclosure": {"policy": "policy.yaml"},
        }
        self.cohort = {
            "cohort": "Tiny",
            "country": "VN",
            "path": "cohort.vcf",
            "samples": "sheet.tsv",
            "callable": "callable.bed",
        }
        self.write_config()
        self.write_cohorts()
        self.write_sheet(SHEET)
        self.write_vcf("cohort.vcf", self.text())
        (folder / "callable.bed").write_text("chr1\t0\t5000\n")
        self.write_policy(min_group_size=0, min_allele_count=0)

    def snv(self, position: int, *calls: str, contig: str = "chr1", **other: str) -> tuple:
        """Make a record of a true SNV; `other` may replace ref and alt."""
        ref = other.get("ref") or self.sequences[contig][position - 1]
        alt = other.get("alt") or {"A": "C", "C": "G", "G": "T", "T": "A"}[ref]
        return (contig, position, ref, alt, *(calls or ("0/0", "0/1", "1/1", "./.")))

    def records(self) -> list[tuple]:
        """Thirty good records."""
        return [self.snv(position) for position in range(100, 3100, 100)]

    def text(self, records: Iterable[tuple] | None = None, **options: object) -> str:
        """VCF text of the records, by default the good ones."""
        options.setdefault("contigs", tuple(self.sequences))
        samples = options.pop("samples", SAMPLES)
        return self.builders.vcf_text(
            samples, self.records() if records is None else records, **options
        )

    def write_vcf(self, name: str, content: str | bytes, *, index: bool = False) -> Path:
        """Write a variant file and name it in the cohorts table; bytes are written as they are."""
        path = self.folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif name.endswith(".bgzf.vcf.gz"):
            path.write_bytes(b"".join(bgzf_blocks(content)))
        else:
            self.builders.write_vcf(path, content)
        if index:
            self.index(path)
        self.cohort["path"] = name
        self.write_cohorts()
        return path

    def index(self, path: Path) -> None:
        """Index a BGZF file."""
        import pysam

        pysam.tabix_index(str(path), preset="vcf", force=True)

    def write_bgzf(self, name: str, blocks: list[bytes]) -> Path:
        """Write blocks as a variant file of the cohort."""
        return self.write_vcf(name, b"".join(blocks))

    def write_sheet(self, rows: Iterable[tuple], **options: object) -> None:
        self.builders.write_sheet(self.folder / "sheet.tsv", rows, **options)

    def write_cohorts(self) -> None:
        self.builders.write_cohorts(self.folder / "cohorts.tsv", [self.cohort])

    def write_config(self) -> None:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))

    def write_policy(self, **fields: object) -> None:
        (self.folder / "policy.yaml").write_text(yaml.safe_dump(fields))

    def run(self, *arguments: object) -> Outcome:
        """Run a command in this process."""
        self._capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        said = self._capfd.readouterr()
        return Outcome(code, said.out, said.err)

    def run_apart(self, *arguments: object) -> Outcome:
        """Run a command in a process of its own, which may crash."""
        done = subprocess.run(
            [sys.executable, "-m", "afpanel", *map(str, arguments)],
            capture_output=True, text=True, check=False, cwd=self.folder,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    def files(self) -> dict[str, str]:
        """Digest of every file in the folder, by name; hidden folders are listed with none."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file()
            else ""
            for path in self.folder.rglob("*")
            if path.is_file() or path.name.startswith(".")
        }

    def try_out(self, *arguments: object, apart: bool = False) -> Outcome:
        """Run a command that is to fail, and note what it changed on the disk."""
        before = self.files()
        outcome = self.run_apart(*arguments) if apart else self.run(*arguments)
        after = self.files()
        names = sorted(before.keys() | after.keys())
        changed = tuple(name for name in names if before.get(name) != after.get(name))
        return replace(outcome, changed=changed)

    def validate(self) -> Outcome:
        return self.try_out("validate", "config.yaml", "--plan", "plan.json")

    def ingest(self, *options: object, out: str = "chr1.vcz.zip", apart: bool = False) -> Outcome:
        command = ("ingest", self.cohort["path"], "--samples", "sheet.tsv", "--out", out)
        return self.try_out(*command, *options, apart=apart)

    def harmonize(self, *options: object) -> Outcome:
        return self.try_out(*self.harmonize_command(), *options)

    def harmonize_command(self) -> list[object]:
        return [
            "harmonize", "chr1.vcz.zip", "--reference", self.config["reference"]["fasta"],
            "--cohort", "Tiny", "--out", "alleles.zarr.zip", "--summary", "harmonization.json",
        ]  # fmt: skip

    def count_command(self) -> list[object]:
        return [
            "count", "chr1.vcz.zip", "--alleles", "alleles.zarr.zip", "--samples", "sheet.tsv",
            "--cohort", "Tiny", "--country", "VN", "--build", "GRCh38", "--out", "counts.zarr.zip",
        ]  # fmt: skip

    def merge_command(self) -> list[object]:
        return [
            "merge", "counts.zarr.zip", "--contig", "chr1", "--build", "GRCh38",
            "--reference", self.config["reference"]["fasta"],
            "--callable", "Tiny=callable.bed", "--out", "panel.zarr.zip",
        ]  # fmt: skip

    def gate_command(self) -> list[object]:
        return [
            "gate", "panel.zarr.zip", "--policy", "policy.yaml", "--out", "releasable",
            "--decision", "decision.json",
        ]  # fmt: skip

    def prepare(self, last: str) -> "Project":
        """Run the stages up to and with `last`, all on good inputs."""
        stages = {
            "ingest": ["ingest", self.cohort["path"], "--samples", "sheet.tsv",
                       "--out", "chr1.vcz.zip"],
            "harmonize": self.harmonize_command(),
            "count": self.count_command(),
            "merge": self.merge_command(),
        }  # fmt: skip
        for stage, command in stages.items():
            outcome = self.run(*command)
            assert outcome.code == 0, outcome.err
            if stage == last:
                break
        return self


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Project:
    """A project with good inputs, in the working directory."""
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, capfd)


@pytest.fixture
def blocks_of():
    """Compress text into BGZF blocks, so that a test can break them."""
    return bgzf_blocks
