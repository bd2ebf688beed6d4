"""A cohort of the demonstration as a VCF Zarr store: planned and counted as the VCF that it was made from."""

import json
from pathlib import Path

import pytest

from afpanel.cli.main import main

bio2zarr = pytest.importorskip("bio2zarr.vcf", reason="bio2zarr is not installed")


@pytest.fixture
def as_store(demo_folder, tmp_path: Path, monkeypatch) -> Path:
    """The demonstration's folder, with Thailand's file as a store."""
    folder = demo_folder(tmp_path / "vcz")
    bio2zarr.convert([folder / "demo/data/th.vcf.gz"], folder / "th.vcz", variants_chunk_size=700)
    table = folder / "config/cohorts.tsv"
    text = table.read_text()
    assert "vcf\tdemo/data/th.vcf.gz" in text
    table.write_text(text.replace("vcf\tdemo/data/th.vcf.gz", "vcz\tth.vcz"))
    monkeypatch.chdir(folder)
    return folder


def run(*words: object) -> None:
    assert main([str(word) for word in words]) == 0


def test_counts_are_byte_for_byte_those_of_the_vcf(as_store, by_commands):
    run("validate", "config/config.yaml", "--plan", "plan.json")
    planned, expected = (
        json.loads(path.read_text())["cohorts"]["TH-demo"]
        for path in (as_store / "plan.json", by_commands / "results/private/plan.json")
    )
    assert planned["kind"] == "vcz"
    for key in ("contig_records", "people", "listed_samples"):
        assert planned[key] == expected[key]
    places = [
        {key: part[key] for key in ("id", "source_contig", "start", "end", "indexed")}
        for part in planned["partitions"]
    ]
    assert places == [{key: part[key] for key in places[0]} for part in expected["partitions"]]
    sheet = ("--samples", planned["samples"])
    stores = []
    for part in planned["partitions"]:
        stores.append(Path(f"genotypes/{part['id']}.vcz.zip"))
        region = f"{part['source_contig']}:{part['start']}-{part['end']}"
        run("ingest", part["path"], *sheet, "--region", region, "--out", stores[-1])
    run(
        "harmonize", *stores, "--reference", "demo/data/reference.fa.gz", *sheet, "--cohort", "TH-demo",
        "--filter", "PASS", "--filter", ".", "--out", "alleles.zarr.zip", "--summary", "harmonization.json",
    )  # fmt: skip
    own = by_commands / "results/private/TH-demo"
    assert Path("harmonization.json").read_bytes() == (own / "harmonization.json").read_bytes()
    for part, store in zip(planned["partitions"], stores, strict=True):
        run(
            "count", store, "--alleles", "alleles.zarr.zip", *sheet, "--cohort", "TH-demo", "--country", "TH",
            "--build", "GRCh38", "--min-gq", 20, "--min-dp", 10, "--min-dp-haploid", 5, "--min-ab", 0.2,
            "--out", f"{part['id']}.zarr.zip",
        )  # fmt: skip
        name = f"{part['id']}.zarr.zip"
        assert Path(name).read_bytes() == (own / "counts" / name).read_bytes()


@pytest.mark.parametrize(
    ("kind", "path", "said"),
    [
        ("vcf", "th.vcz", "if it is a VCF Zarr store, give the cohort as kind vcz"),
        ("vcz", "demo/data/th.vcf.gz", "give the cohort as kind vcf"),
    ],
)
def test_a_store_as_vcf_and_vcf_as_a_store_are_refused(as_store, capsys, kind, path, said):
    table = as_store / "config/cohorts.tsv"
    table.write_text(table.read_text().replace("vcz\tth.vcz", f"{kind}\t{path}"))
    assert main(["validate", "config/config.yaml"]) == 3
    assert said in capsys.readouterr().err
