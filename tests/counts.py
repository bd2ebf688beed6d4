"""Counting whole files: with the reader and the counter alone, and through the stages."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from afpanel.constants import Sex
from afpanel.core.contigs import contig_kind
from afpanel.core.counting import Counts, GenotypeFilter, count_block
from afpanel.core.ploidy import Loci, loci_of, sex_codes
from afpanel.io.reference import ReferencePaths
from afpanel.io.source import open_source
from afpanel.io.store import Store
from afpanel.model.arrays import COUNTS, RAW_COUNTS, SINGLE_COUNTS
from afpanel.model.region import Region
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION, CountsHead
from afpanel.stages.count import CountOptions, count
from afpanel.stages.harmonize import HarmonizeOptions, harmonize
from afpanel.stages.ingest import Target, ingest

FIGURES = ("allele_count", "homozygotes", "hemizygotes", "allele_number")


@dataclass(frozen=True)
class Counted:
    """The counts of a file.

    Parameters
    ----------
    position
        (records,) POS.
    row_record, row_allele
        (alleles,) the record that a row is of, and the number of its allele, REF being 0.
    figures
        As `Counts` has them, of all records.
    """

    position: np.ndarray
    row_record: np.ndarray
    row_allele: np.ndarray
    figures: Counts


def count_file(
    path: Path, cell: np.ndarray, sexes: Sequence[Sex] | None = None, build: str = "GRCh37"
) -> Counted:
    """Count all records in the cells of all samples, without a genotype filter.

    Without sexes everybody has two copies of every place.
    """
    codes = np.zeros(len(cell), np.int8) if sexes is None else sex_codes(list(sexes))
    positions, widths, parts = [], [], []
    for block in open_source(path).blocks(None, 997):
        diploid = np.full(len(block), Loci.EVERYBODY_DIPLOID, np.int8)
        loci = loci_of(contig_kind(block.contig), build, block.position) if sexes else diploid
        positions.append(block.position)
        widths.append((block.alleles != "").sum(axis=1))
        offsets = np.concatenate([[0], np.cumsum(widths[-1])])
        cells = cell.astype(np.int32)
        n_cells = int(cells.max()) + 1
        parts.append(
            count_block(block.calls, offsets, loci, codes, cells, n_cells, GenotypeFilter())
        )
    width = np.concatenate(widths)
    record = np.repeat(np.arange(len(width)), width)
    allele = np.arange(len(record)) - np.repeat(np.cumsum(width) - width, width)
    names = [field.name for field in fields(Counts)]
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Counted(np.concatenate(positions), record, allele, Counts(**whole))


@dataclass(frozen=True)
class Staged:
    """What the stages make of a file.

    Parameters
    ----------
    variants
        Contig, position, REF and ALT of each kept allele.
    cells
        Population, sex and people of each cell.
    figures, single
        For each of `COUNTS`, and of `SINGLE_COUNTS`, (variants, cells).
    raw
        For each of `RAW_COUNTS`, (variants,).
    outcomes
        Source alleles by outcome.
    """

    variants: list[tuple[str, int, str, str]]
    cells: list[tuple[str, str, int]]
    figures: dict[str, np.ndarray]
    single: dict[str, np.ndarray]
    raw: dict[str, np.ndarray]
    outcomes: Counter[str]


def run_stages(
    vcf: Path,
    sheet: Path,
    fasta: Path,
    regions: Sequence[Region],
    folder: Path,
    *,
    build: str = "GRCh38",
    genotype_filter: GenotypeFilter | None = None,
    filters: tuple[str, ...] = ("PASS", "."),
    chunk: int | None = None,
    **harmonizing: Any,
) -> Staged:
    """Ingest, harmonize and count regions of a file, each to a store of its own."""
    wanted = genotype_filter or GenotypeFilter()
    targets = [
        Target(region, folder / f"{region.contig}.{number:05d}.vcz.zip")
        for number, region in enumerate(regions)
    ]
    alleles, summary, out = (folder / name for name in ("alleles.zip", "summary.json", "out.zip"))
    ingest(vcf, sheet, targets, fields=wanted.fields, chunk=chunk)
    stores = [target.path for target in targets]
    options = HarmonizeOptions("Test", filters=filters, samples=sheet, **harmonizing)
    harmonize(stores, ReferencePaths.find(fasta), alleles, summary, options)
    variants, parts, cells = [], [], []
    for region, store in zip(regions, stores, strict=True):
        count(store, alleles, sheet, out, CountOptions("Test", "ZZ", build, wanted))
        with Store(out, CELL_COUNTS, CELL_COUNTS_VERSION) as counts:
            sites = [counts.read(f"variant_{part}").tolist() for part in ("position", "ref", "alt")]
            variants += [(region.contig, *site) for site in zip(*sites, strict=True)]
            parts.append(
                {name: counts.read(name) for name in (*COUNTS, *SINGLE_COUNTS, *RAW_COUNTS)}
            )
            cells = [(c.population, str(c.sex), c.people) for c in CountsHead.of(counts).cells]
    figures, single, raw = (
        {name: np.concatenate([part[name] for part in parts]) for name in names}
        for names in (COUNTS, SINGLE_COUNTS, RAW_COUNTS)
    )
    assert len(set(variants)) == len(variants)
    outcomes = Counter(json.loads(summary.read_text())["outcomes"])
    return Staged(variants, cells, figures, single, raw, outcomes)
