"""Cohorts of gVCFs for tests: run through the stages, and what comes out of each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from afpanel.core.counting import GenotypeFilter
from afpanel.io.reference import ReferencePaths
from afpanel.io.store import Store
from afpanel.model.arrays import COUNTS, RAW_COUNTS
from afpanel.model.region import Region
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION, CountsHead
from afpanel.stages.count import CountOptions, count
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION
from afpanel.stages.harmonize import HarmonizeOptions, harmonize
from afpanel.stages.ingest_gvcf import GvcfOptions, ingest_gvcf

FIELDS = ("GQ", "DP", "AD")


@dataclass(frozen=True)
class Cohort:
    """The files that a cohort of gVCFs is read from."""

    listed: Path
    sheet: Path
    fasta: Path
    build: str = "GRCh38"


@dataclass(frozen=True)
class Counted:
    """What the stages make of a cohort.

    Parameters
    ----------
    variants
        Position, REF and ALT of each kept allele.
    cells
        Population, sex and people of each cell.
    tables
        For each count, (variants, cells).
    start, end, allele_number
        The AN track, runs that touch and are equal being one.
    """

    variants: list[tuple[int, str, str]]
    cells: list[tuple[str, str, int]]
    tables: dict[str, np.ndarray]
    start: np.ndarray
    end: np.ndarray
    allele_number: np.ndarray

    def at(self, bases: Sequence[int]) -> np.ndarray:
        """AN of each cell at some bases, 0-based; (bases, cells)."""
        run = np.searchsorted(self.start, bases, side="right") - 1
        inside = (run >= 0) & (np.asarray(bases) < self.end[np.maximum(run, 0)])
        result = np.zeros((len(run), len(self.cells)), np.int32)
        result[inside] = self.allele_number[run[inside]]
        return result


def ingest(cohort: Cohort, regions: Sequence[Region], folder: Path, **options: Any) -> list[Path]:
    """Read regions of a cohort, each to a store of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    stores = []
    for number, region in enumerate(regions):
        stores.append(folder / f"{region.contig}.{number:05d}.vcz.zip")
        chosen = replace(GvcfOptions(FIELDS), **options)
        ingest_gvcf(cohort.listed, cohort.sheet, region, stores[-1], chosen)
    return stores


def run_stages(
    cohort: Cohort, stores: Sequence[Path], folder: Path, filters: Sequence[GenotypeFilter]
) -> list[Counted]:
    """Harmonize the stores of a cohort, and count them by several filters."""
    alleles, summary = folder / "alleles.zip", folder / "summary.json"
    options = HarmonizeOptions("Test", filters=(), max_ref_mismatch=0, resolve=())
    harmonize(stores, ReferencePaths.find(cohort.fasta), alleles, summary, options)
    return [_count(cohort, stores, alleles, each) for each in filters]


def _count(
    cohort: Cohort, stores: Sequence[Path], alleles: Path, genotype_filter: GenotypeFilter
) -> Counted:
    how = CountOptions("Test", "ZZ", cohort.build, genotype_filter)
    out = alleles.with_name("out.zip")
    parts = []
    for store in stores:
        count(store, alleles, cohort.sheet, out, how)
        with Store(out, CELL_COUNTS, CELL_COUNTS_VERSION) as counts:
            names = [*COUNTS, *RAW_COUNTS, "track_start", "track_end", "track_allele_number"]
            part = {name: counts.read(name) for name in names}
            sites = (counts.read(f"variant_{part}").tolist() for part in ("position", "ref", "alt"))
            cells = [(c.population, str(c.sex), c.people) for c in CountsHead.of(counts).cells]
            contigs = counts.texts("contig_id")
            track_contigs = set(counts.read("track_contig").tolist())
            assert {contigs[number] for number in track_contigs} <= {store.name.split(".")[0]}
        assert (part["track_start"][1:] >= part["track_end"][:-1]).all()
        assert (part["track_start"] < part["track_end"]).all()
        assert (part["track_allele_number"].sum(axis=1) > 0).all()
        parts.append((list(zip(*sites, strict=True)), part))
    whole = {name: np.concatenate([part[name] for _, part in parts]) for name in names}
    variants = [site for sites, _ in parts for site in sites]
    tables = {name: whole[name] for name in (*COUNTS, *RAW_COUNTS)}
    return Counted(variants, cells, tables, *_runs_joined(*(whole[name] for name in names[-3:])))


def _runs_joined(
    start: np.ndarray, end: np.ndarray, allele_number: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make one of runs that touch and are equal, as at the borders of partitions."""
    if not len(start):
        return start, end, allele_number
    same = (start[1:] == end[:-1]) & (allele_number[1:] == allele_number[:-1]).all(axis=1)
    first = np.concatenate([[True], ~same])
    last = np.concatenate([~same, [True]])
    return start[first], end[last], allele_number[first]


@dataclass(frozen=True)
class Called:
    """The records of a genotype store, and its calls."""

    position: list[int]
    alleles: list[tuple[str, ...]]
    genotype: np.ndarray
    gq: np.ndarray
    dp: np.ndarray
    het_alt_ad: np.ndarray
    samples: list[str]


def read_calls(stores: Sequence[Path]) -> Called:
    """Read all that some stores have."""
    position, alleles, arrays, samples = [], [], [], []
    for path in stores:
        with Store(path, GENOTYPES, GENOTYPES_VERSION) as store:
            position += store.read("variant_position").tolist()
            table = store.read("variant_allele")
            alleles += [tuple(str(name) for name in row if name) for row in table]
            names = ("genotype", "GQ", "DP", "het_alt_AD")
            arrays.append([store.read(f"call_{name}") for name in names])
            samples = store.texts("sample_id")
    return Called(
        position, alleles, *(np.concatenate(each) for each in zip(*arrays, strict=True)), samples
    )
