"""The workflow with published counts among its cohorts: the release is that of the genotypes."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.builders import write_cohorts
from tests.published import (
    Record,
    cells_of,
    genotype_vcf,
    gnomad_vcf,
    people_of,
    plink2,
    reference,
    sheet_of,
    simulate,
    table,
    table_columns,
    write_cells,
)

POPULATIONS = {
    "Geno": ("VN", {"KHV": 9, "CDX": 5}),
    "Gnom": ("TH", {"TAI": 8, "MON": 6}),
    "Tab": ("MY", {"MAL": 10}),
    "Plink": ("JP", {"JPT": 7}),
}
FORM = {"columns": {"contig": "CHR", "position": "BP", "ref": "A2", "alt": "A1"}}


@dataclass(frozen=True)
class Inputs:
    """Files of cohorts, of each as genotypes and as counts; rows of the table of cohorts."""

    folder: Path
    genotypes: dict[str, dict[str, object]]
    counts: dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("sites-inputs")
    _, sequences = reference(folder)
    (folder / "policy.yaml").write_text("{min_group_size: 0, min_allele_count: 0}\n")
    rng = random.Random(12)
    genotypes, counts = {}, {}
    for name, (country, populations) in POPULATIONS.items():
        sexes = ("XX",) if name == "Plink" else ("XX", "XY", "XX")
        people = people_of(name, populations, sexes)
        records = [
            r for r in simulate(rng, sequences, people)
            if name != "Plink" or r.contig == "chr1"
        ]  # fmt: skip
        row = {"cohort": name, "country": country}
        vcf = genotype_vcf(folder / f"{name}.vcf.gz", records, people)
        sheet = sheet_of(folder / f"{name}.sheet.tsv", people)
        genotypes[name] = row | {"path": vcf, "samples": sheet}
        counts[name] = row | {"kind": "sites", **_counted(folder, name, records, people)}
    counts["Geno"] = genotypes["Geno"]
    return Inputs(folder, genotypes, counts)


def _counted(
    folder: Path, name: str, records: list[Record], people: list[tuple[str, str, str]]
) -> dict[str, object]:
    cells = cells_of(people)
    sheet = folder / f"{name}.cells.tsv"
    if name == "Tab":
        path = table(folder / "Tab.tsv", records, cells)
        return {"path": path, "samples": write_cells(sheet, cells, table_columns(cells))}
    write_cells(sheet, cells)
    if name != "Plink":
        path = gnomad_vcf(folder / f"{name}.sites.vcf.gz", records, cells)
        return {"path": path, "samples": sheet}
    own = folder / "plink"
    own.mkdir()
    out = plink2(own, folder / "Plink.vcf.gz", people, "--geno-counts")
    return {"path": out.with_suffix(".gcount"), "samples": sheet}


@dataclass(frozen=True)
class Release:
    folder: Path
    said: str

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "manifest.json").read_text())

    def data(self) -> dict[str, bytes]:
        telling = ("manifest.json", "report.html")  # where each cohort came from
        files = (p for p in self.folder.rglob("*") if p.is_file() and p.name not in telling)
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}


Run = Callable[..., Release]


@pytest.fixture
def run(tmp_path: Path, snakemake: Callable[..., Any], inputs: Inputs) -> Run:
    def build(name: str, rows: list[dict[str, object]], **config: object) -> Release:
        folder = tmp_path / name
        folder.mkdir()
        write_cohorts(folder / "cohorts.tsv", rows)
        whole = {
            "panel": {"name": "p", "version": "1"},
            "reference": {"build": "GRCh38", "fasta": str(inputs.folder / "ref.fa")},
            "cohorts": "cohorts.tsv",
            "disclosure": {"policy": str(inputs.folder / "policy.yaml")},
            "overlap": "report",
            **config,
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(whole))
        done = snakemake(
            folder, "--configfile", "config.yaml", "--cores", "2", "--quiet", "progress"
        )
        return Release(folder / "results/release/p-1", done.stdout + done.stderr)

    return build


@pytest.mark.long
def test_a_hub_of_genotypes_and_published_counts_releases_what_genotypes_alone_would(
    run: Run, inputs: Inputs
) -> None:
    expected = run("genotypes", [*inputs.genotypes.values()])
    sites = {"Tab": FORM}
    found = run("counts", [*inputs.counts.values()], sites=sites, partitions={"size": 9_000})
    assert found.data() == expected.data()
    assert len(found.data()) > 5
    cohorts = {each["cohort"]: each for each in found.manifest["cohorts"]}
    assert {name: each["kind"] for name, each in cohorts.items()} == {
        "Geno": "vcf", "Gnom": "sites", "Plink": "sites", "Tab": "sites",
    }  # fmt: skip
    files = {
        "Gnom": ["Gnom.sites.vcf.gz"],
        "Tab": ["Tab.tsv"],
        "Plink": ["plink/counted.gcount", "plink/counted.pvar"],
    }
    for name, paths in files.items():
        digests = [hashlib.sha256((inputs.folder / p).read_bytes()).hexdigest() for p in paths]
        assert cohorts[name]["source"]["sha256"] == sorted(digests)
    assert {"AC_tai_XX", "AN_mon_XY"} <= set(cohorts["Gnom"]["source"]["fields"])
    assert "HOM_REF_CT" in cohorts["Plink"]["source"]["fields"]
    assert str(inputs.folder) not in json.dumps(found.manifest)


def test_of_cohorts_that_share_people_one_alone_is_in_the_panel_and_all_are_compared(
    run: Run, inputs: Inputs
) -> None:
    others = [inputs.counts["Geno"], inputs.counts["Tab"]]
    again = inputs.genotypes["Gnom"] | {"cohort": "Again"}
    expected = run("one", [inputs.counts["Gnom"], *others], sites={"Tab": FORM})
    lists = [["Absent", "Gnom", "Again"]]
    found = run(
        "two", [again, inputs.counts["Gnom"], *others], sites={"Tab": FORM}, double_count=lists,
        overlap="drop",
    )  # fmt: skip
    mine, true = found.data(), expected.data()
    tally = "harmonization.tsv"
    assert {k: v for k, v in mine.items() if k != tally} == {
        k: v for k, v in true.items() if k != tally
    }
    assert {line.split("\t")[0] for line in mine[tally].decode().splitlines()[1:]} == {
        "Again", "Geno", "Gnom", "Tab",
    }  # fmt: skip
    assert "Again is NOT added to the panel" in found.said
    assert "'Absent' is no cohort of this panel" in found.said
    summary = (found.folder.parents[1] / "private/summary.txt").read_text()
    assert "NOT in the panel    Again, for it shares people with Gnom" in summary
    cohorts = {each["cohort"]: each for each in found.manifest["cohorts"]}
    assert cohorts["Again"]["left_out_for"] == "Gnom"
    assert "left_out_for" not in cohorts["Gnom"]
    compared = (found.folder.parents[1] / "panel/discordance/cohorts.tsv").read_text()
    assert {"Again", "Gnom"} <= {line.split("\t")[0] for line in compared.splitlines()}


def test_a_panel_of_published_counts_alone_is_built(run: Run, inputs: Inputs) -> None:
    found = run("alone", [inputs.counts["Gnom"]])
    assert [each["kind"] for each in found.manifest["cohorts"]] == ["sites"]
    assert not (found.folder.parents[1] / "private/overlap.json").exists()


def test_genotypes_a_contribution_and_published_counts_meet_in_one_hub(
    run: Run, inputs: Inputs, snakemake: Callable[..., Any], tmp_path: Path
) -> None:
    pooled = run("pooled", [inputs.genotypes[name] for name in ("Geno", "Gnom", "Tab")])
    folder = tmp_path / "pooled"
    snakemake(folder, "contributions", "--configfile", "config.yaml", "--cores", "2")
    path = folder / "results/contributions/Geno.afc.zip"
    contributed = {"cohort": "Geno", "country": "VN", "kind": "contribution", "path": path}
    rows = [contributed, inputs.genotypes["Gnom"], inputs.counts["Tab"]]
    mixed = run("mixed", rows, signatures="optional", sites={"Tab": FORM})
    assert mixed.data() == pooled.data()
    kinds = {each["cohort"]: each["kind"] for each in mixed.manifest["cohorts"]}
    assert kinds == {"Geno": "contribution", "Gnom": "vcf", "Tab": "sites"}
