"""Cohorts on GRCh37 in a panel on GRCh38: real sites, a real chain file, and what is lost on the way."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cyvcf2
import liftover
import numpy as np
import pysam
import pytest
from tests.builders import write_cohorts, write_fasta
from tests.real.conftest import COUNTRIES

from afpanel.cli.main import main
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.store import Store
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION
from afpanel.stages.lifter import Lifter, LiftPaths

LAST = 9_500_000
"""A base after the last site of the test's part of chromosome 21."""


@pytest.fixture(scope="session")
def chain(test_data: Path) -> Path:
    return test_data / "liftover/hg19ToHg38.over.chain.gz"


@pytest.fixture(scope="session")
def grch38(test_data: Path) -> Path:
    return test_data / "grch38/grch38.parts.fa.gz"


def sheet_of(test_data: Path, path: Path, populations: tuple[str, ...] = ()) -> Path:
    """The people of some populations, or of all, that have genotypes in phase 3."""
    table = test_data / "integrated_call_samples_v3.20130502.ALL.panel"
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    with gzip.open(test_data / "liftover/1000g.phase3.chr21.grch37.vcf.gz", "rt") as vcf:
        header = next(line for line in vcf if line.startswith("#CHROM")).split()
    wanted = [row for row in rows if row[0] in header and row[1] in (populations or [row[1]])]
    sexes = {"male": "XY", "female": "XX"}
    lines = ["sample\tpopulation\tsex", *(f"{r[0]}\t{r[1]}\t{sexes[r[3]]}" for r in wanted)]
    path.write_text("\n".join(lines) + "\n")
    return path


def run(*arguments: object) -> None:
    assert main(["-q", *map(str, arguments)]) == 0


def harmonize(folder: Path, vcf: Path, sheet: Path, fasta: Path, chain: Path) -> dict[str, int]:
    """Ingest and harmonize a file; gives its source alleles by outcome."""
    run("ingest", vcf, "--samples", sheet, "--out", folder / "g.vcz.zip")
    run("harmonize", folder / "g.vcz.zip", "--reference", fasta, "--cohort", "All", "--chain", chain,
        "--out", folder / "a.zip", "--summary", folder / "s.json")  # fmt: skip
    outcomes: dict[str, int] = json.loads((folder / "s.json").read_text())["outcomes"]
    return outcomes


def test_six_hundred_sites_keep_their_frequencies(
    tmp_path: Path, test_data: Path, chain: Path, grch38: Path
) -> None:
    vcf = test_data / "liftover/1000g.phase3.chr21.grch37.vcf.gz"
    sheet = sheet_of(test_data, tmp_path / "sheet.tsv")
    assert harmonize(tmp_path, vcf, sheet, grch38, chain) == {"lifted": 600}
    run("count", tmp_path / "g.vcz.zip", "--alleles", tmp_path / "a.zip", "--samples", sheet,
        "--cohort", "All", "--country", "ZZ", "--build", "GRCh37", "--out", tmp_path / "c.zip")  # fmt: skip
    run("count", vcf, "--region", "21", "--reference", grch38, "--chain", chain, "--samples", sheet,
        "--cohort", "All", "--country", "ZZ", "--build", "GRCh37", "--out", tmp_path / "d.zip")  # fmt: skip
    assert (tmp_path / "d.zip").read_bytes() == (tmp_path / "c.zip").read_bytes()
    with Store(tmp_path / "c.zip", CELL_COUNTS, CELL_COUNTS_VERSION) as store:
        contigs = np.array(store.texts("contig_id"))[store.read("variant_contig")]
        columns = [store.read(f"variant_{name}").tolist() for name in ("position", "ref", "alt")]
        figures = {
            name: store.read(name).sum(axis=1).tolist()
            for name in ("allele_count", "allele_number", "homozygote_count")
        }
    assert set(contigs) == {"chr21"}
    fasta = pysam.FastaFile(str(grch38))
    for position, ref, _ in zip(*columns, strict=True):
        assert fasta.fetch("chr21", position - 1, position - 1 + len(ref)).upper() == ref
    found = dict(zip(zip(*columns, strict=True), zip(*figures.values(), strict=True), strict=True))
    lifter = liftover.ChainFile(str(chain), one_based=True)
    expected = {}
    for record in cyvcf2.VCF(str(vcf)):
        ((contig, position, strand),) = lifter.query("chr21", record.POS)
        assert (contig, strand) == ("chr21", "+")
        copies = (record.genotype.array()[:, :2] == 1).sum(axis=1)
        (alt,) = record.ALT
        expected[position, record.REF, alt] = (copies.sum(), 5008, (copies == 2).sum())
    assert found == expected
    assert len(found) == 600


def test_what_has_no_reference_is_rejected_and_accounted_for(
    tmp_path: Path, test_data: Path, chain: Path, grch38: Path
) -> None:
    """Of chromosome 22 there is no sequence on GRCh38 here."""
    vcf = test_data / "grch37/1000g.phase3.chr22.vcf.gz"
    sheet = sheet_of(test_data, tmp_path / "sheet.tsv", ("JPT",))
    outcomes = harmonize(tmp_path, vcf, sheet, grch38, chain)
    assert sum(outcomes.values()) == 9_792
    assert outcomes.keys() == {"symbolic", "unmapped"}
    assert outcomes["symbolic"] == 8


def lifted_by_hand(vcf: Path, chain: Path, out: Path) -> None:
    """Write the sites of chromosome 21 on GRCh38, where nothing but their positions changes."""
    lifter = liftover.ChainFile(str(chain), one_based=True)
    with gzip.open(vcf, "rt") as source, pysam.BGZFile(str(out), "wb") as target:
        for line in source:
            fields = line.split("\t")
            if not line.startswith("#"):
                ((fields[0], position, _),) = lifter.query("chr21", int(fields[1]))
                fields[1] = str(position)
            kept = "\t".join(fields).replace("##contig=<ID=21,", "##contig=<ID=chr21,")
            target.write(kept.encode())
    pysam.tabix_index(str(out), preset="vcf", force=True)


@pytest.fixture(scope="session")
def grch37(tmp_path_factory: pytest.TempPathFactory, chain: Path, grch38: Path) -> Path:
    """Chromosome 21 of GRCh37 up to the last site, pieced together from GRCh38."""
    panel = Reference(ReferencePaths.find(grch38))
    bases = Lifter(LiftPaths(chain), panel).sequence("chr21")[:LAST]
    path = tmp_path_factory.mktemp("grch37") / "21.fa"
    return write_fasta(path, {"21": bases.tobytes().decode()})


def without_silent_sites(vcf: Path, sheet: Path, out: Path) -> Path:
    """Write the sites alone at which somebody of the sheet carries ALT, as most programmes do."""
    names = out.with_suffix(".samples")
    people = [line.split("\t")[0] for line in sheet.read_text().splitlines()[1:]]
    names.write_text("\n".join(people) + "\n")
    pysam.bcftools.view(
        "-S", str(names), "-c1", "-Oz", "-o", str(out), str(vcf), catch_stdout=False
    )
    pysam.tabix_index(str(out), preset="vcf", force=True)
    return out


def release(
    folder: Path,
    cohorts: list[dict[str, object]],
    size: int,
    snakemake: Callable[..., Any],
    **config: Any,
) -> dict[str, bytes]:
    """Build a panel of cohorts; gives its data files."""
    policy = "description: none\nmin_group_size: 0\nmin_allele_count: 0\n"
    (folder / "open.yaml").write_text(policy)
    whole = {
        "panel": {"name": "mixed", "version": "1"},
        "cohorts": str(write_cohorts(folder / "cohorts.tsv", cohorts)),
        "partitions": {"size": size},
        "disclosure": {"policy": "open.yaml"},
        **config,
    }
    (folder / "config.json").write_text(json.dumps(whole))
    snakemake(folder, "--cores", "2", "--configfile", "config.json")
    found = folder / "results/release/mixed-1"
    return {
        str(path.relative_to(found)): path.read_bytes()
        for path in sorted(found.rglob("*"))
        if path.is_file() and path.name not in ("manifest.json", "harmonization.tsv", "report.html")
    }


@pytest.mark.long
def test_a_panel_of_two_builds_is_that_of_one(
    tmp_path: Path,
    test_data: Path,
    chain: Path,
    grch38: Path,
    grch37: Path,
    snakemake: Callable[..., Any],
) -> None:
    """Seven countries, on GRCh38 lifted beforehand, half of them on GRCh37, and all on GRCh37.

    Some have no record where nobody carries ALT; that they are callable there is lifted with them.
    """
    files = {"GRCh37": test_data / "liftover/1000g.phase3.chr21.grch37.vcf.gz"}
    files["GRCh38"] = tmp_path / "chr21.grch38.vcf.gz"
    lifted_by_hand(files["GRCh37"], chain, files["GRCh38"])
    beds = {build: tmp_path / f"{build}.bed" for build in files}
    beds["GRCh37"].write_text("21\t9411238\t9425829\n")
    beds["GRCh38"].write_text("chr21\t8522405\t8536996\n")
    sheets = {c: sheet_of(test_data, tmp_path / f"{c}.tsv", p) for c, p in COUNTRIES.items()}
    sparse = {
        (country, build): without_silent_sites(
            files[build], sheets[country], tmp_path / f"{country}.{build}.vcf.gz"
        )
        for country in ("BD", "CN", "PK")
        for build in files
    }
    half = {c: ("GRCh37", "GRCh38")[i % 2] for i, c in enumerate(COUNTRIES)}
    results = []
    for name, on, size in (
        ("new", dict.fromkeys(COUNTRIES, "GRCh38"), 10_000_000),
        ("half", half, 5_000),
        ("old", dict.fromkeys(COUNTRIES, "GRCh37"), 10_000_000),
    ):
        cohorts: list[dict[str, object]] = [
            {
                "cohort": country,
                "country": country,
                "build": build,
                "path": sparse.get((country, build), files[build]),
                "samples": sheets[country],
                "callable": beds[build],
            }
            for country, build in on.items()
        ]
        lift = {"chains": {"hg19": str(chain)}, "source_fastas": {"GRCh37": str(grch37)}}
        reference = {"build": "GRCh38", "fasta": str(grch38)}
        (tmp_path / name).mkdir()
        given = {"reference": reference, "harmonize": lift}
        results.append(release(tmp_path / name, cohorts, size, snakemake, **given))
    assert results[0]
    assert results[0] == results[1] == results[2]
    with gzip.open(tmp_path / "new/results/release/mixed-1/mixed-1.vcf.gz", "rt") as vcf:
        sites = [line for line in vcf if not line.startswith("#")]
    assert len(sites) == 600
    assert all("AN_BD=172;" in line for line in sites)  # silence was evidence everywhere
