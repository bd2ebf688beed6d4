"""Published counts on another build: what is lifted has the counts of the genotypes that were lifted."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.published import NO_FILTER, cells_of, gnomad_vcf, read_vcf, write_cells
from tests.two_builds import SOURCE, Files, records_of, two_builds, write_files

from afpanel.io.reference import ReferencePaths
from afpanel.io.sites_form import SitesForm
from afpanel.io.store import Store
from afpanel.io.tables import read_samples
from afpanel.model.region import Region
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION, CELL_TABLES
from afpanel.stages.count import CountOptions, count
from afpanel.stages.harmonize import HarmonizeOptions, harmonize
from afpanel.stages.ingest import Target, ingest
from afpanel.stages.ingest_sites import ingest_sites
from afpanel.stages.lifter import LiftPaths

Counted = dict[tuple[str, int, str, str], dict[str, list[int]]]


def counted(
    folder: Path, files: Files, vcf: Path, sheet: Path, *, sites: bool
) -> tuple[Counted, dict[str, int]]:
    targets = [Target(Region.parse(name), folder / f"{name}.vcz.zip") for name in SOURCE]
    if sites:
        ingest_sites(vcf, sheet, targets, SitesForm())
    else:
        ingest(vcf, sheet, targets)
    stores = [target.path for target in targets]
    lift = LiftPaths(files.chain, ReferencePaths.find(files.source))
    options = HarmonizeOptions("T", max_ref_mismatch=1.0, lift=lift)
    alleles, summary = folder / "alleles.zip", folder / "summary.json"
    harmonize(stores, ReferencePaths.find(files.panel), alleles, summary, options)
    found: Counted = {}
    for store in stores:
        out = folder / "counts.zip"
        count(store, alleles, sheet, out, CountOptions("T", "ZZ", "GRCh37", NO_FILTER))
        with Store(out, CELL_COUNTS, CELL_COUNTS_VERSION) as counts:
            contig = np.array(counts.texts("contig_id"))[counts.read("variant_contig")].tolist()
            names = [counts.read(f"variant_{x}").tolist() for x in ("position", "ref", "alt")]
            tables = {name: counts.read(name).tolist() for name in CELL_TABLES}
            for row, variant in enumerate(zip(contig, *names, strict=True)):
                found[variant] = {name: values[row] for name, values in tables.items()}
    return found, json.loads(summary.read_text())["outcomes"]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_lifted_has_the_counts_of_lifted_genotypes(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    builds = two_builds(rng)
    files = write_files(tmp_path, builds, [record for _, _, record in records_of(rng, builds)])
    true, outcomes = counted(tmp_path / "a", files, files.vcf, files.sheet, sites=False)
    names, records = read_vcf(files.vcf)
    label = {s.id: (s.population, str(s.sex)) for s in read_samples(files.sheet)}
    cells = cells_of([(name, *label[name]) for name in names])
    vcf = gnomad_vcf(tmp_path / "sites.vcf.gz", records, cells, contigs=builds.source)
    sheet = write_cells(tmp_path / "cells.tsv", cells)
    found, sites_outcomes = counted(tmp_path / "b", files, vcf, sheet, sites=True)
    assert sites_outcomes == outcomes
    assert sum(n for name, n in outcomes.items() if "swapped" in name) > 3
    assert found.keys() == true.keys()
    n_unknown = 0
    for variant, figures in found.items():
        for name, values in figures.items():
            if name == "homozygote_count" and -1 in values:
                # The REF of a record with several ALTs, or a half-called person.
                n_unknown += 1
                assert all(m in (-1, t) for m, t in zip(values, true[variant][name], strict=True))
            elif "single" not in name or -1 not in values:
                assert values == true[variant][name], (variant, name)
    assert n_unknown < len(found) / 4
