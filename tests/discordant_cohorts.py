"""Simulated cohorts of shared populations, as stores of counts, with batch effects where asked for.

Genotypes are drawn in Hardy-Weinberg proportions from frequencies that every cohort of a label shares.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tests.builders import write_fasta

from afpanel.constants import Sex
from afpanel.io.reference import ReferencePaths
from afpanel.io.store_writer import create_store
from afpanel.model.cohort import Cell
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION, CountsHead
from afpanel.stages.discordance import DiscordanceOptions, discordance

CONTIGS = {"chr1": 6_000_000, "chrX": 12_000_000}
BOTH = (Sex.XX, Sex.XY)


@dataclass
class Genotypes:
    """Genotypes of the cells of a cohort at the variants of a contig, (variants, cells) each."""

    diploid: np.ndarray
    het: np.ndarray
    hom: np.ndarray
    haploid: np.ndarray
    hemi: np.ndarray

    def swap(self, rows: np.ndarray) -> None:
        """Exchange REF and ALT."""
        self.hom[rows] = (self.diploid - self.het - self.hom)[rows]
        self.hemi[rows] = (self.haploid - self.hemi)[rows]

    def drop_alleles(self, rows: np.ndarray, share: float, rng: np.random.Generator) -> None:
        """Call heterozygotes homozygous, for one allele or the other."""
        lost = rng.binomial(self.het[rows], share)
        self.het[rows] -= lost
        self.hom[rows] += rng.binomial(lost, 0.5)

    def add_alt(self, rows: np.ndarray, share: float, rng: np.random.Generator) -> None:
        """Call some of those who are homozygous for REF heterozygous."""
        self.het[rows] += rng.binomial((self.diploid - self.het - self.hom)[rows], share)

    def lose_calls(self, rows: np.ndarray, kept: float, rng: np.random.Generator) -> None:
        """Leave most genotypes uncalled, whatever they are."""
        ref = rng.binomial((self.diploid - self.het - self.hom)[rows], kept)
        for table in (self.het, self.hom):
            table[rows] = rng.binomial(table[rows], kept)
        self.diploid[rows] = ref + self.het[rows] + self.hom[rows]


@dataclass
class Simulated:
    """A cohort: its cells as (label, sex, people), and its genotypes by contig."""

    name: str
    country: str
    cells: Sequence[tuple[str, Sex, int]]
    callable_everywhere: bool = False
    genotypes: dict[str, Genotypes] = field(default_factory=dict)


@dataclass
class Study:
    """Cohorts, and the variants that they were looked at for.

    Parameters
    ----------
    positions
        By contig, (variants,).
    frequency
        By contig and label, (variants,).
    """

    cohorts: list[Simulated]
    positions: dict[str, np.ndarray]
    frequency: dict[str, dict[str, np.ndarray]]
    rng: np.random.Generator

    def cohort(self, name: str) -> Simulated:
        return next(cohort for cohort in self.cohorts if cohort.name == name)


def simulate(
    seed: int,
    cohorts: Sequence[Simulated],
    variants: Mapping[str, int],
    *,
    frequencies: tuple[float, float] = (0.3, 1.5),
    called: float = 0.97,
) -> Study:
    """Draw the genotypes of cohorts."""
    rng = np.random.default_rng(seed)
    positions, frequency = {}, {}
    for contig, n in variants.items():
        # Past the first pseudoautosomal region of X, and in it.
        positions[contig] = np.sort(
            rng.choice(np.arange(20_000, CONTIGS[contig]), n, replace=False)
        )
        ancestral = rng.beta(*frequencies, n)
        labels = sorted({label for cohort in cohorts for label, _, _ in cohort.cells})
        drift = {
            label: rng.normal(0, 0.1, n) * np.sqrt(ancestral * (1 - ancestral)) for label in labels
        }
        frequency[contig] = {label: np.clip(ancestral + d, 0, 1) for label, d in drift.items()}
    study = Study(list(cohorts), positions, frequency, rng)
    for cohort in cohorts:
        for contig, n in variants.items():
            people = np.array([people for _, _, people in cohort.cells])
            present = rng.binomial(people, called, (n, len(people)))
            outside = (positions[contig] > 2_781_479)[:, None] & (contig == "chrX")
            haploid = outside & np.array([sex is Sex.XY for _, sex, _ in cohort.cells])
            f = np.stack([frequency[contig][label] for label, _, _ in cohort.cells], axis=1)
            diploid, single = np.where(haploid, 0, present), np.where(haploid, present, 0)
            hom = rng.binomial(diploid, f**2)
            het = rng.binomial(diploid - hom, 2 * f / (1 + f))
            hemi = rng.binomial(single, f)
            cohort.genotypes[contig] = Genotypes(diploid, het, hom, single, hemi)
    return study


def write_counts(
    study: Study, folder: Path, cut: Callable[[np.ndarray], np.ndarray] = np.zeros_like
) -> tuple[list[Path], dict[str, Path]]:
    """Write stores of counts, and BEDs of the cohorts that are callable everywhere.

    A cohort has records where it has a carrier. `cut` gives the partition of each position.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths, beds = [], {}
    for cohort in study.cohorts:
        for contig, position in study.positions.items():
            parts = cut(position)
            for part in np.unique(parts):
                path = folder / f"{cohort.name}.{contig}.{part}.zarr.zip"
                write_store(path, cohort, contig, position, parts == part)
                paths.append(path)
        if cohort.callable_everywhere:
            bed = folder / f"{cohort.name}.bed"
            bed.write_text("".join(f"{name}\t0\t{end}\n" for name, end in CONTIGS.items()))
            beds[cohort.name] = bed
    return paths, beds


def write_store(
    path: Path, cohort: Simulated, contig: str, position: np.ndarray, chosen: np.ndarray
) -> None:
    """Write some of a cohort's variants of a contig as `afpanel count` does."""
    g = cohort.genotypes[contig]
    count = 2 * g.hom + g.het + g.hemi
    rows = np.flatnonzero(chosen & (count.sum(axis=1) > 0))
    tables = {
        "allele_count": count,
        "allele_number": 2 * g.diploid + g.haploid,
        "homozygote_count": g.hom,
        "hemizygote_count": g.hemi,
        "single_allele_count": g.hemi,
        "single_allele_number": g.haploid,
    }
    raw = {f"raw_{name}": tables[name].sum(axis=1) for name in ("allele_count", "allele_number")}
    cells = [Cell(label, Sex(sex), people) for label, sex, people in cohort.cells]
    attributes = CountsHead(cohort.name, cohort.country, cells).attributes()
    with create_store(
        path, CELL_COUNTS, CELL_COUNTS_VERSION, chunk=16_384, attributes=attributes
    ) as writer:
        writer.array("contig_id", list(CONTIGS))
        writer.append(
            {
                "variant_contig": np.full(len(rows), list(CONTIGS).index(contig)),
                "variant_position": position[rows],
                "variant_ref": np.full(len(rows), "A", object),
                "variant_alt": np.full(len(rows), "G", object),
                **{name: table[rows] for name, table in (tables | raw).items()},
            },
            dims=("variants", "cells"),
        )
        writer.append({f"refused_{x}": np.empty(0, int) for x in ("contig", "start", "end")})


def write_reference(folder: Path) -> Path:
    """Write a reference that has the contigs; what its bases are does not matter."""
    return write_fasta(folder / "ref.fa", {name: "A" * n for name, n in CONTIGS.items()})


def find(
    study: Study, fasta: Path, folder: Path, **options: object
) -> dict[str, list[dict[str, str]]]:
    """Write the counts of a study, compare its cohorts, and read the tables."""
    paths, beds = write_counts(study, folder / "counts")
    return run(paths, beds, fasta, folder / "out", **options)


def run(
    paths: Sequence[Path], beds: dict[str, Path], fasta: Path, out: Path, **options: object
) -> dict[str, list[dict[str, str]]]:
    """Compare cohorts, and read the tables."""
    how = DiscordanceOptions(build="GRCh38", callable_files=beds, **options)
    discordance(paths, ReferencePaths.find(fasta), out, how)
    return read_tables(out)


def read_tables(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Read all tables of a folder, by name."""
    tables = {}
    for path in folder.glob("*.tsv"):
        with path.open(newline="") as text:
            tables[path.stem] = list(csv.DictReader(text, delimiter="\t"))
    return tables
