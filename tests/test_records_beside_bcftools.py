"""What becomes of whole records here and with bcftools, as the second table in docs/definitions.md says."""

import subprocess
import sys
from pathlib import Path

import pysam.bcftools
import pytest
from tests.bcftools import fill_tags, tally
from tests.builders import GT_HEADER, RICH_HEADERS, vcf_text, write_fasta, write_sheet, write_vcf
from tests.counts import Staged, run_stages

from afpanel.core.counting import GenotypeFilter
from afpanel.errors import BadInputError
from afpanel.model.region import OPEN_END, Region

SEQUENCE = "A" * 60 + "CACACACACATG" + "A" * 60
"""From position 60 on, copies of AC, in which an indel can be shifted; the first base is at 1."""

SAMPLES = ["one", "two", "three"]
INFO = [
    f'##INFO=<ID={n},Number={k},Type=Integer,Description="x">' for n, k in (("AC", "A"), ("AN", 1))
]

Figures = dict[tuple[int, str, str], tuple[int, int, int]]
"""AC, AN and homozygous people, by position, REF and ALT."""

RECORDS = {
    "`*` among the ALTs": [("chr1", 10, "A", "C,*", "0/1", "1/2", "2/2")],
    "a symbolic ALT: `<DEL>`, `<NON_REF>`": [
        ("chr1", 12, "A", "C,<DEL>", "0/1", "1/2", "2/2"),
        ("chr1", 14, "A", "<NON_REF>", "0/0", "0/0", "0/1"),
    ],
    "several ALTs": [("chr1", 20, "A", "C,G", "0/1", "1/2", "2/2")],
    "the same variant twice": [
        ("chr1", 22, "A", "C", "0/1", "1/1", "0/0"),
        ("chr1", 22, "A", "C", "0/0", "0/1", "./."),
    ],
    "FILTER other than `PASS` or `.`": [("chr1", 26, "A", "C", "LowQual", "GT", "0/1", "1/1", "0/0")],
    "no GT in FORMAT": [("chr1", 30, "A", "C", "PASS", "DP", "11", "12", "13")],
    "no ALT": [("chr1", 32, "A", ".", "0/0", "0/0", "./.")],
    "AC and AN in INFO": [("chr1", 34, "A", "C", "0/0", "0/1", "0/0")],
    "an indel that is not left-aligned or trimmed": [
        ("chr1", 68, "ACATG", "ATG", "0/1", "1/1", "0/0")
    ],
}  # fmt: skip
"""Records by the words of the table."""

OTHERS = {
    "several ALTs, split with `--multi-overlaps .`",
    "GQ, DP or AD below a threshold",
    "a polyploid call",
    "a call of an allele that the record does not have",
}
"""Rows of the table whose records need a file of their own."""

HERE: Figures = {
    (10, "A", "C"): (2, 6, 0),
    (12, "A", "C"): (2, 6, 0),
    (20, "A", "C"): (2, 6, 0),
    (20, "A", "G"): (3, 6, 1),
    (22, "A", "C"): (3, 6, 1),
    (30, "A", "C"): (0, 0, 0),
    (34, "A", "C"): (1, 6, 0),
    (59, "AAC", "A"): (3, 6, 1),
}

THEIRS = [
    # Position, AN, AC of each ALT, people homozygous for it.
    (10, 6, [2, 3], [0, 1]),
    (12, 6, [2, 3], [0, 1]),
    (14, 6, [1], [0]),
    (20, 6, [2, 3], [0, 1]),
    (22, 6, [3], [1]),
    (22, 4, [1], [0]),
    (26, 6, [3], [1]),
    (32, 4, [], []),
    (34, 6, [1], [0]),
    (68, 6, [3], [1]),
]
"""The record at 30 has neither AN nor AC."""


@pytest.fixture
def handmade(tmp_path: Path) -> Path:
    records = sorted((r for each in RECORDS.values() for r in each), key=lambda record: record[1])
    headers = [GT_HEADER, RICH_HEADERS[2], *INFO, '##ALT=<ID=DEL,Description="x">']
    text = vcf_text(SAMPLES, records, headers=headers)
    stale = text.replace("34\t.\tA\tC\t.\tPASS\t.", "34\t.\tA\tC\t.\tPASS\tAC=3;AN=8")
    assert stale != text
    return write_vcf(tmp_path / "records.vcf", stale)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return write_fasta(tmp_path / "reference.fa", {"chr1": SEQUENCE})


def staged(vcf: Path, reference: Path, **options: object) -> Staged:
    """Run the stages, everybody in one cell."""
    folder = reference.parent
    sheet = write_sheet(folder / "sheet.tsv", [(name, "P", "XX") for name in SAMPLES])
    return run_stages(vcf, sheet, reference, [Region("chr1", 0, OPEN_END)], folder, **options)


def figures_of(found: Staged) -> Figures:
    ac, an, hom, _ = (values[:, 0].tolist() for values in found.figures.values())
    keys = [variant[1:] for variant in found.variants]
    return dict(zip(keys, zip(ac, an, hom, strict=True), strict=True))


def test_the_table_has_a_row_for_each_kind_of_record_that_is_tried_here(root: Path) -> None:
    text = (root / "docs/definitions.md").read_text().split("\n## Beside bcftools\n")[1]
    rows = text.split("\n| record | here | bcftools |\n")[1].split("\n\n")[0].splitlines()
    assert {row.split(" | ")[0].removeprefix("| ") for row in rows[1:]} == RECORDS.keys() | OTHERS


def test_records_become_the_rows_that_the_table_says(handmade: Path, reference: Path) -> None:
    found = staged(handmade, reference)
    assert figures_of(found) == HERE
    outcomes = {"as_is": 7, "star": 1, "symbolic": 2, "duplicate": 1, "filtered": 1}
    assert found.outcomes == {**outcomes, "trimmed+left_aligned": 1}
    listed = staged(handmade, reference, filters=("PASS", ".", "LowQual"))
    assert figures_of(listed) == {**HERE, (26, "A", "C"): (3, 6, 1)}


def test_bcftools_counts_records_as_the_table_says(handmade: Path, tmp_path: Path) -> None:
    with_gt = tmp_path / "gt.vcf"
    lines = handmade.read_text().splitlines(keepends=True)
    with_gt.write_text("".join(line for line in lines if "\tDP\t" not in line))
    counted = tally(with_gt, SAMPLES, tmp_path)
    found, at = [], 0
    for (_, position, alleles), an in zip(counted.sites, counted.allele_number, strict=True):
        alts = slice(at + 1, at + len(alleles))
        at = alts.stop
        found.append(
            (position, an, counted.allele_count[alts].tolist(), counted.hom[alts].tolist())
        )
    assert found == THEIRS


@pytest.mark.parametrize(
    ("options", "said"), [((), "8 3"), (("-s", ",".join(SAMPLES)), "6 1")], ids=["as is", "subset"]
)
def test_bcftools_view_counts_afresh_when_it_chooses_samples_alone(
    handmade: Path, options: tuple[str, ...], said: str
) -> None:
    lines = pysam.bcftools.view("-H", *options, str(handmade)).splitlines()
    info = {line.split("\t")[1]: line.split("\t")[7] for line in lines}
    values = dict(field.split("=") for field in info["34"].split(";"))
    assert f"{values['AN']} {values['AC']}" == said
    assert info["30"] == "."  # no GT, no counts


def test_bcftools_norm_makes_rows_with_our_figures(
    handmade: Path, reference: Path, tmp_path: Path
) -> None:
    normal, subset = tmp_path / "normal.bcf", tmp_path / "subset.bcf"
    pysam.bcftools.norm(
        "-m", "-any", "-f", str(reference), "-Ob", "-o", str(normal), str(handmade),
        catch_stdout=False,
    )  # fmt: skip
    pysam.bcftools.view(
        "-s", ",".join(SAMPLES), "-f", "PASS", "-Ob", "-o", str(subset), str(normal),
        catch_stdout=False,
    )  # fmt: skip
    columns = '%POS\\t%REF\\t%ALT\\t%AC\\t%AN\\t%N_PASS(GT="AA")\\n'
    found: Figures = {}
    lines = pysam.bcftools.query("-f", columns, "-i", "N_ALT=1 & AN>0", str(subset)).splitlines()
    for line in lines:
        position, ref, alt, *figures = line.split("\t")
        if alt not in ("*", "<DEL>", "<NON_REF>"):
            found.setdefault((int(position), ref, alt), tuple(map(int, figures)))
    assert found == {key: value for key, value in HERE.items() if key[0] != 30}


def test_fill_tags_has_a_value_for_each_alt_whatever_it_is(handmade: Path, tmp_path: Path) -> None:
    found = fill_tags(handmade, {"all": SAMPLES}, tmp_path)["all"]
    assert found["AN"].tolist() == [an for _, an, _, _ in THEIRS]
    assert found["AC"].tolist() == [n for _, _, ac, _ in THEIRS for n in ac]
    assert found["AC_Hom"].tolist() == [2 * n for _, _, _, hom in THEIRS for n in hom]


def test_a_file_split_with_half_calls_has_a_smaller_an_in_both(
    reference: Path, tmp_path: Path
) -> None:
    whole = write_vcf(tmp_path / "whole.vcf", vcf_text(SAMPLES, RECORDS["several ALTs"]))
    split = tmp_path / "split.vcf"
    split.write_text(pysam.bcftools.norm("-m", "-any", "--multi-overlaps", ".", str(whole)))
    calls = [line.split("\t")[9:] for line in split.read_text().splitlines() if line[0] != "#"]
    assert calls == [["0/1", "1/.", "./."], ["0/.", "./1", "1/1"]]
    assert figures_of(staged(split, reference)) == {
        (20, "A", "C"): (2, 3, 0),
        (20, "A", "G"): (3, 4, 1),
    }
    counted = tally(split, SAMPLES, tmp_path)
    assert counted.allele_number.tolist() == [3, 4]
    assert counted.allele_count.tolist() == [1, 2, 1, 3]
    assert counted.hom.tolist() == [0, 0, 0, 1]


def test_calls_below_a_threshold_are_counted_by_bcftools_alone(
    reference: Path, tmp_path: Path
) -> None:
    fields = ("PASS", "GT:AD:DP:GQ")
    records = [
        ("chr1", 10, "A", "C", *fields, "0/1:9,9:18:19", "0/1:9,9:18:20", "1/1:0,9:9:99"),
        ("chr1", 12, "A", "C", *fields, "0/1:81,19:100:99", "0/1:80,20:100:99", "0/0:10,0:10:20"),
    ]
    path = write_vcf(tmp_path / "rich.vcf", vcf_text(SAMPLES, records, headers=RICH_HEADERS))
    gnomad = GenotypeFilter(min_gq=20, min_dp=10, min_dp_haploid=5, min_ab=0.2)
    found = figures_of(staged(path, reference, genotype_filter=gnomad))
    assert found == {(10, "A", "C"): (1, 2, 0), (12, "A", "C"): (1, 4, 0)}
    counted = tally(path, SAMPLES, tmp_path)
    assert counted.allele_number.tolist() == [6, 6]
    assert counted.allele_count.tolist() == [2, 4, 4, 2]


@pytest.fixture
def polyploid(tmp_path: Path) -> Path:
    calls = ("0/0/1", "1/1/1", "0/1/2")
    text = vcf_text(SAMPLES, [("chr1", 10, "A", "C,G", *calls)])
    return write_vcf(tmp_path / "polyploid.vcf", text)


def test_a_polyploid_call_is_refused_here_and_counted_by_bcftools(
    polyploid: Path, reference: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match="polyploid") as refused:
        staged(polyploid, reference)
    assert "chr1:10" in str(refused.value)
    counted = [tally(polyploid, [name], tmp_path) for name in SAMPLES]
    found = [(each.allele_number[0], *each.allele_count[1:]) for each in counted]
    assert found == [(3, 1, 0), (3, 3, 0), (3, 1, 1)]


def test_fill_tags_counts_fewer_copies_of_a_polyploid_call(polyploid: Path, tmp_path: Path) -> None:
    tags = fill_tags(polyploid, {name: [name] for name in SAMPLES}, tmp_path)
    found = [(*tags[name]["AN"], *tags[name]["AC"]) for name in SAMPLES]
    assert found == [(2, 1, 0), (2, 2, 0), (3, 1, 1)]


def test_an_allele_that_the_record_does_not_have_is_refused_by_both(
    reference: Path, tmp_path: Path
) -> None:
    path = write_vcf(
        tmp_path / "beyond.vcf", vcf_text(SAMPLES, [("chr1", 10, "A", "C", "0/3", "0/1", "0/0")])
    )
    with pytest.raises(BadInputError, match="does not have") as refused:
        staged(path, reference)
    assert "chr1:10" in str(refused.value)
    # There bcftools ends the process, whoever's it is.
    code = "import sys, pysam.bcftools; pysam.bcftools.view('-s', 'one', sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert "Incorrect allele" in done.stderr
