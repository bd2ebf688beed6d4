"""`afpanel count` on a variant file: what the three commands give, by one."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.builders import RICH_HEADERS, vcf_text, write_fasta, write_vcf

from afpanel.cli.main import main
from afpanel.io.store import Store
from afpanel.model.arrays import COUNTS, RAW_COUNTS
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION

SAMPLES = ("a", "b", "c", "d")
SHEET = "sample\tpopulation\tsex\na\tP\tXX\nb\tP\tXY\nc\tQ\tXX\nd\tQ\tXY\n"
RECORDS = [
    ("chr1", 2, "C", "A", "PASS", "GT:AD:DP:GQ", "0/1:9,1:10:50", "0/1:5,5:10:50", "1/1:0,9:9:50", "0/0:9,0:12:."),
    ("chr1", 5, "A", "G,T", "PASS", "GT:AD:DP:GQ", "1/2:0,9,9:18:99", "0/2:9,0,9:18:19", "./.", "0/.:9,0,0:20:40"),
    ("chr1", 7, "G", "C", "LowQual", "GT", "0/1", "0/1", "0/1", "0/1"),
]  # fmt: skip
POLYPLOID = [
    ("chr1", 2, "C", "A", "0/1", "0/1/1", "1|1|.", "0/0"),
    ("chr1", 5, "A", "G", "0/0/0/0", "1", "0/1", "./."),
]
OF_COHORT = ["--cohort", "T", "--country", "VN", "--build", "GRCh38"]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a reference, a sheet and a VCF."""
    write_fasta(tmp_path / "ref.fa", {"chr1": "ACGTACGTACGT"})
    (tmp_path / "sheet.tsv").write_text(SHEET)
    text = vcf_text(SAMPLES, RECORDS, headers=RICH_HEADERS)
    write_vcf(tmp_path / "a.vcf.gz", text)
    return tmp_path


def counts_of(path: Path) -> dict[str, np.ndarray]:
    with Store(path, CELL_COUNTS, CELL_COUNTS_VERSION) as store:
        return {name: store.read(name) for name in (*COUNTS, *RAW_COUNTS)}


def run(folder: Path, vcf: str, *more: str) -> int:
    sources = [str(folder / vcf), "--reference", str(folder / "ref.fa")]
    sheet, out = str(folder / "sheet.tsv"), str(folder / "out.zip")
    return main(["-q", "count", *sources, "--samples", sheet, "--out", out, *OF_COHORT, *more])


def test_a_file_is_counted_as_by_the_three_commands(files: Path) -> None:
    assert run(files, "a.vcf.gz", "--region", "chr1:1-12") == 0
    sheet = ["--samples", str(files / "sheet.tsv")]
    store, alleles, out = files / "p.vcz.zip", files / "alleles.zip", files / "three.zip"
    harmonize = ["--reference", str(files / "ref.fa"), "--cohort", "T", "--out", str(alleles)]
    assert main(["-q", "ingest", str(files / "a.vcf.gz"), *sheet, "--out", str(store)]) == 0
    summary = ["--summary", str(files / "s.json")]
    assert main(["-q", "harmonize", str(store), *harmonize, *summary]) == 0
    count = ["count", str(store), "--alleles", str(alleles), *sheet, "--out", str(out)]
    assert main(["-q", *count, *OF_COHORT]) == 0
    assert (files / "out.zip").read_bytes() == out.read_bytes()
    assert sorted(path.name for path in files.iterdir() if path.name.startswith(".")) == []


def test_the_store_is_kept_where_that_is_asked_for(files: Path) -> None:
    assert run(files, "a.vcf.gz", "--keep", str(files / "kept")) == 0
    kept = files / "kept"
    assert sorted(path.name for path in kept.iterdir()) == [
        "alleles.zarr.zip",
        "genotypes.vcz.zip",
        "harmonization.json",
    ]
    sources = [str(kept / "genotypes.vcz.zip"), "--alleles", str(kept / "alleles.zarr.zip")]
    sheet, out = str(files / "sheet.tsv"), str(files / "again.zip")
    assert main(["-q", "count", *sources, "--samples", sheet, "--out", out, *OF_COHORT]) == 0
    assert (files / "again.zip").read_bytes() == (files / "out.zip").read_bytes()


def test_counts_stand_before_the_genotype_filter_and_after_it(files: Path) -> None:
    assert run(files, "a.vcf.gz") == 0
    counts = counts_of(files / "out.zip")
    # Variants in order: 2 C>A, 5 A>G, 5 A>T; cells in order: P XX, P XY, Q XX, Q XY.
    # a fails its allele balance, c its depth, d its missing GQ, and b of the second its GQ.
    assert counts["allele_number"].tolist() == [[0, 2, 0, 0], [2, 0, 0, 1], [2, 0, 0, 1]]
    assert counts["allele_count"].tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    assert counts["raw_allele_number"].tolist() == [8, 5, 5]
    assert counts["raw_allele_count"].tolist() == [4, 1, 2]
    none = ("--min-gq", "0", "--min-dp", "0", "--min-dp-haploid", "0", "--min-ab", "0")
    assert run(files, "a.vcf.gz", *none) == 0
    unfiltered = counts_of(files / "out.zip")
    for name in ("allele_count", "allele_number"):
        np.testing.assert_array_equal(unfiltered[name].sum(axis=1), counts[f"raw_{name}"])
        np.testing.assert_array_equal(unfiltered[f"raw_{name}"], counts[f"raw_{name}"])


@pytest.mark.parametrize("name", ["p.vcf", "p.vcf.gz", "p.bcf"])
def test_polyploid_calls_are_refused_or_missing_as_configured(
    files: Path,
    name: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_vcf(files / name, vcf_text(SAMPLES, POLYPLOID))
    assert run(files, name) == 3
    error = capsys.readouterr().err
    assert "polyploid call" in error
    assert "genotypes.polyploid: missing" in error
    assert not (files / "out.zip").exists()
    assert run(files, name, "--polyploid", "missing", "--keep", str(files / "kept")) == 0
    assert "3 calls of more than two alleles are taken as missing" in caplog.text
    counts = counts_of(files / "out.zip")
    assert counts["allele_number"].tolist() == [[2, 0, 0, 2], [0, 1, 2, 0]]
    assert counts["allele_count"].tolist() == [[1, 0, 0, 0], [0, 1, 1, 0]]
    summary = json.loads((files / "kept" / "harmonization.json").read_text())
    assert summary["genotypes"] == {"fields": {}, "polyploid_calls": 3}


def test_an_allele_that_is_not_there_is_an_error_in_a_polyploid_call_too(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [("chr1", 2, "C", "A", "0/1", "0/1/2", "0/0", "0/0")]
    (files / "p.vcf").write_text(vcf_text(SAMPLES, records))
    assert run(files, "p.vcf", "--polyploid", "missing") == 3
    assert "allele that the record does not have" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--alleles", "x.zip"], "without --alleles"),
        (["--region", "chr1"], None),
        (["--region", "chr9"], "chr9"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    files: Path, more: list[str], said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(files, "a.vcf.gz", *more)
    error = capsys.readouterr().err
    assert code == (0 if said is None else 2 if "--alleles" in more else 3)
    assert said is None or said in error


def test_a_store_is_not_counted_as_a_file(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(files, "a.vcz.zip") == 2
    assert "--alleles" in capsys.readouterr().err


def test_a_file_of_two_contigs_needs_a_region(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_fasta(files / "ref.fa", {"chr1": "ACGTACGTACGT", "chr2": "ACGTACGT"})
    records = [("chr1", 2, "C", "A", *["0/1"] * 4), ("chr2", 2, "C", "A", *["1/1"] * 4)]
    write_vcf(files / "b.vcf.gz", vcf_text(SAMPLES, records, contigs=("chr1", "chr2")))
    assert run(files, "b.vcf.gz") == 3
    assert "--region" in capsys.readouterr().err
    assert run(files, "b.vcf.gz", "--region", "chr2") == 0
    assert counts_of(files / "out.zip")["allele_count"].tolist() == [[2, 2, 2, 2]]
