"""Cohorts that share people: one as it is, one whose alleles are swapped in part, one on another build."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.builders import vcf_text, write_fasta, write_sheet, write_vcf

from afpanel.cli.main import main

CONTIGS = ("chr1", "chr2")
WINDOWS, WINDOW = 320, 20_000
LENGTH = WINDOWS * WINDOW
INSERTED = 1_000
"""Bases that the other build has at the front of every contig."""

PER_WINDOW = 3
Person = np.ndarray
"""(sites, 2) alleles."""


@dataclass(frozen=True)
class Cohort:
    """Who is in a cohort, and how its file says it.

    Parameters
    ----------
    people
        Alleles of each, by sample ID; -1 is missing.
    left_out
        Of these, who is not included by the sheet.
    swapped
        Share of records with REF and ALT the wrong way round.
    lifted
        Whether it is on the other build.
    common_only
        Whether the file has no record where nobody carries ALT.
    sites
        The sites that it has; all, if None.
    """

    people: Mapping[str, Person]
    left_out: tuple[str, ...] = ()
    swapped: float = 0
    lifted: bool = False
    common_only: bool = False
    sites: np.ndarray | None = None


class World:
    """A genome with sites at which people differ, and the people on it.

    Of the three sites of each window, which lie near its middle, one is rare.
    """

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder
        self.rng = np.random.default_rng(seed)
        draw = np.frombuffer(b"ACGT", np.uint8)
        self.bases = {name: self.rng.choice(draw, LENGTH) for name in CONTIGS}
        middles = np.arange(WINDOWS) * WINDOW + WINDOW // 2
        position = middles[:, None] + [-700, 0, 600] + self.rng.integers(-200, 200, (WINDOWS, 3))
        self.position = np.tile(position.ravel(), len(CONTIGS))
        self.contig = np.repeat(np.arange(len(CONTIGS)), position.size)
        n = len(self.position)
        self.frequency = self.rng.uniform(0.15, 0.85, n)
        self.frequency[self.rng.permutation(n)[: n // 3]] = 0.01
        self.ref = [
            chr(self.bases[CONTIGS[c]][p - 1])
            for c, p in zip(self.contig, self.position, strict=True)
        ]
        # Transitions alone: a palindromic SNV among swapped ones cannot be told, and is rejected.
        self.alt = [base.translate(str.maketrans("ACGT", "GTAC")) for base in self.ref]
        self.fasta = self._write_fasta("panel.fa", b"")
        self.source_fasta = self._write_fasta("source.fa", b"N" * INSERTED)
        lines = []
        for number, name in enumerate(CONTIGS):
            whole = LENGTH + INSERTED
            lines.append(
                f"chain 1 {name} {whole} + {INSERTED} {whole} {name} {LENGTH} + 0 {LENGTH} {number}\n"
                f"{LENGTH}\n\n"
            )
        self.chain = folder / "chain.gz"
        self.chain.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))

    def _write_fasta(self, name: str, front: bytes) -> Path:
        contigs = {key: (front + value.tobytes()).decode() for key, value in self.bases.items()}
        return write_fasta(self.folder / name, contigs)

    def people(self, names: Sequence[str]) -> dict[str, Person]:
        """Make unrelated people."""
        chance = np.column_stack([self.frequency, self.frequency])
        return {name: (self.rng.random(chance.shape) < chance).astype(np.int8) for name in names}

    def child(self, *parents: Person) -> Person:
        """Make a child of two people; gametes cross over often, as in a genome of this many sites."""
        gametes = []
        for parent in parents:
            crossed = self.rng.random(len(parent)) < 0.05
            side = (np.cumsum(crossed) + self.rng.integers(2)) % 2
            gametes.append(parent[np.arange(len(parent)), side])
        return np.column_stack(gametes)

    def again(self, person: Person, errors: float = 0, missing: float = 0) -> Person:
        """Genotype a person once more, phase unknown."""
        found = np.sort(person, axis=1)
        wrong = self.rng.random(len(found)) < errors
        found[wrong, self.rng.integers(2)] ^= 1
        found[self.rng.random(len(found)) < missing] = -1
        return found

    def write(self, name: str, cohort: Cohort) -> tuple[Path, Path]:
        """Write a cohort's file and sheet."""
        alleles = np.array(list(cohort.people.values()))
        swapped = np.random.default_rng(len(name)).random(len(self.position)) < cohort.swapped
        shift = INSERTED if cohort.lifted else 0
        texts = {-1: "."}
        records = []
        for site in range(len(self.position)) if cohort.sites is None else cohort.sites.tolist():
            calls = alleles[:, site]
            if cohort.common_only and not (calls == 1).any():
                continue
            ref, alt = self.ref[site], self.alt[site]
            texts |= {0: "1", 1: "0"} if swapped[site] else {0: "0", 1: "1"}
            said = (f"{texts[a]}/{texts[b]}" for a, b in calls.tolist())
            pair = (alt, ref) if swapped[site] else (ref, alt)
            place = (CONTIGS[self.contig[site]], int(self.position[site]) + shift)
            records.append((*place, *pair, *said))
        vcf = write_vcf(
            self.folder / f"{name}.vcf.gz", vcf_text(list(cohort.people), records, contigs=CONTIGS)
        )
        return vcf, self.write_sheet(name, cohort)

    def write_sheet(self, name: str, cohort: Cohort, leave_out: Sequence[str] = ()) -> Path:
        """Write a cohort's sheet; more people may be left out."""
        rows = [
            (sample, "PQ"[i % 2], ("XX", "XY")[i % 3 == 0], "no" if out else "yes")
            for i, sample in enumerate(cohort.people)
            for out in (sample in (*cohort.left_out, *leave_out),)
        ]
        return write_sheet(self.folder / f"{name}.tsv", rows, include=True)

    def prepare(self, name: str, cohort: Cohort, private: Path, tile: int = LENGTH) -> None:
        """Ingest and harmonize a cohort to `private`, in partitions of `tile` bases."""
        vcf, sheet = self.write(name, cohort)
        folder = private / name
        stores = []
        end = LENGTH + INSERTED
        for contig in CONTIGS:
            for number, start in enumerate(range(1, end, tile)):
                store = folder / "genotypes" / f"{contig}.{number:05d}.vcz.zip"
                region = f"{contig}:{start}-{min(start + tile - 1, end)}"
                run("ingest", vcf, "--samples", sheet, "--region", region, "--out", store)
                stores.append(store)
        lift = ("--chain", self.chain, "--source-reference", self.source_fasta)
        run(
            "harmonize", *stores, "--reference", self.fasta, "--cohort", name, "--max-ref-mismatch",
            0.6, *(lift if cohort.lifted else ()), "--out", folder / "alleles.zarr.zip",
            "--summary", folder / "harmonization.json",
        )  # fmt: skip


def run(*words: object, code: int = 0) -> None:
    """Run a command in this process."""
    assert main(["--quiet", *map(str, words)]) == code, words


def compared(
    private: Path, sheets: Mapping[str, Path], *more: object, out: Path | None = None, code: int = 0
) -> Path:
    """Run overlap; gives the folder that it wrote to."""
    out = out or private
    words = [w for name in sheets for w in ("--cohort", f"{name}={private / name}")]
    words += [w for name in sheets for w in ("--samples", f"{name}={sheets[name]}")]
    report = ("--pairs", out / "overlap.tsv", "--report", out / "overlap.json")
    run("overlap", *words, *report, *more, code=code)
    return out


def dropping(out: Path) -> tuple[object, ...]:
    """Give the options that drop people, with the lists in `out`."""
    return ("--action", "drop", "--dropped", out / "{cohort}/dropped.txt")


def pairs_of(out: Path) -> list[tuple[str, str]]:
    """Read the samples of each pair."""
    rows = [line.split("\t") for line in (out / "overlap.tsv").read_text().splitlines()]
    assert rows[0] == ["cohort1", "sample1", "cohort2", "sample2", "kinship", "sites", "ibs0"]
    return [(row[1], row[3]) for row in rows[1:]]
