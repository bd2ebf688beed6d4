"""Published counts that cannot be used are refused, with a place and a reason."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.builders import bgzf, write_fasta

from afpanel.cli.main import main

CELLS = "population\tsex\tpeople\nAA\tXX\t50\n"
GOOD = "AC=3,1;AN=90;nhomalt=1,0"
VCF_HEADER = "\n".join(
    ["##fileformat=VCFv4.2", "##contig=<ID=chr1>"]
    + [f'##INFO=<ID={x},Number=A,Type=Integer,Description="x">' for x in ("AC", "AN", "nhomalt")]
    + ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", ""]
)
TABLE_HEADER = "#CHROM\tPOS\tREF\tALT\tAC\tAN\tnhomalt\n"
ACOUNT = "#CHROM\tID\tREF\tALT\tALT_CTS\tOBS_CT\nchr1\tr1\tA\tC\t3\t90\nchr1\tr2\tA\tG\t4\t90\n"
PVAR = "##x\n#CHROM\tPOS\tID\tREF\tALT\nchr1\t5\tr1\tA\tC\nchr1\t9\tr2\tA\tG\n"


def line(info: str, position: int = 9) -> str:
    return f"chr1\t{position}\t.\tA\tC,G\t.\tPASS\t{info}\n"


Said = tuple[int, str]


@pytest.fixture
def ingest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(name: str, text: str | bytes, cells: str = CELLS, *options: str) -> Said:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        (tmp_path / "cells.tsv").write_text(cells)
        out = tmp_path / "out.vcz.zip"
        out.unlink(missing_ok=True)
        code = main(
            ["-q", "ingest", str(path), "--sites", "--samples", str(tmp_path / "cells.tsv"),
             "--out", str(out), *options]
        )  # fmt: skip
        assert out.exists() == (code == 0)
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ("AC=3,x;AN=90;nhomalt=1,0", "INFO AC is not a whole number"),
        ("AC=3,1.5;AN=90;nhomalt=1,0", "INFO AC is not a whole number"),
        ("AC=3,;AN=90;nhomalt=1,0", "INFO AC is not a whole number"),
        ("AC=3,-1;AN=90;nhomalt=1,0", "INFO AC is negative"),
        ("AC=3,1;AN=-90;nhomalt=1,0", "INFO AN is negative"),
        ("AC=3,1;AN=2147483648;nhomalt=1,0", "INFO AN is too large"),
        ("AC=3,1;AN=99999999999999999999;nhomalt=1,0", "INFO AN is too large"),
        ("AC=3;AN=90;nhomalt=1,0", "INFO AC does not have as many numbers"),
        ("AC=3,1,2;AN=90;nhomalt=1,0", "INFO AC does not have as many numbers"),
        ("AC=3,1;AN=90,90;nhomalt=1,0", "INFO AN does not have as many numbers"),
        ("AC=91,1;AN=90;nhomalt=1,0", "AC is greater than AN"),
        ("AC=60,40;AN=90;nhomalt=1,0", "add up to more than AN"),
        ("AC=3,1;AN=.;nhomalt=1,0", "AC without AN"),
        ("AC=3,1;nhomalt=1,0", "AC without AN"),
        ("AC=3,1;AN=90;nhomalt=2,0", "more alleles in homozygotes"),
        ("AC=3,1;AN=90;AC=3,1", "a field stands in INFO twice"),
    ],
)
def test_a_line_of_vcf_that_cannot_be_is_refused_at_its_place(
    ingest: Callable[..., Said], info: str, reason: str
) -> None:
    assert ingest("good.vcf", VCF_HEADER + line(GOOD))[0] == 0
    code, said = ingest("sites.vcf", VCF_HEADER + line(GOOD, 5) + line(info))
    assert code == 3
    assert reason in said
    assert "chr1:9" in said
    fields = dict(part.split("=") for part in info.split(";"))
    if reason.startswith("a field"):
        return
    row = [fields.get(name, "") for name in ("AC", "AN", "nhomalt")]
    text = TABLE_HEADER + "\t".join(["chr1", "9", "A", "C,G", *row]) + "\n"
    code, said = ingest("sites.tsv", text)
    assert code == 3
    assert reason.replace("INFO", "column") in said
    assert "chr1:9" in said


def test_missing_counts_are_no_fault(ingest: Callable[..., Said]) -> None:
    for info in ("DB", "AC=.,.;AN=.", "AC=.;AN=0", "AC=.,1;AN=90", "AN=90", "."):
        assert ingest("sites.vcf", VCF_HEADER + line(info)) == (0, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TABLE_HEADER.replace("POS", "where"), "no column of position"),
        (TABLE_HEADER.replace("AN", "called"), "no AC and AN of AA XX"),
        (TABLE_HEADER.replace("nhomalt", "AC"), "column 'AC' stands twice"),
        (TABLE_HEADER + "chr1\t9\tA\tC\t3\t90\n", "not as many columns"),
        (TABLE_HEADER + "chr1\t9\tA\tC\t3\t90\t1\t2\n", "not as many columns"),
        (TABLE_HEADER + "chr1\tnine\tA\tC\t3\t90\t1\n", "not a position"),
        (TABLE_HEADER + "chr1\t2147483647\tA\tC\t3\t90\t1\n", "not a position"),
        (TABLE_HEADER + "chr1\t9\t\tC\t3\t90\t1\n", "an allele without a letter"),
        (TABLE_HEADER + "chr1\t9\tA\t\t3\t90\t1\n", "an allele without a letter"),
        (TABLE_HEADER + "chr1\t9\tA\tC,\t3\t90\t1\n", "an allele without a letter"),
        (TABLE_HEADER + "chr1\t9\tA\tC,.\t3,1\t90\t1\n", "an allele without a letter"),
        (TABLE_HEADER + "\t9\tA\tC\t3\t90\t1\n", "a contig without a name"),
        (TABLE_HEADER + "chr1\t9\tA\tC\t3\t90\t1\nchr1\t8\tA\tC\t3\t90\t1\n", "not sorted"),
        (
            TABLE_HEADER + "".join(f"{c}\t9\tA\tC\t3\t90\t1\n" for c in ("a", "b", "a")),
            "not sorted",
        ),
        (TABLE_HEADER + "chr1\t9\tA\tC\0\t3\t90\t1\n", "a NUL byte"),
        ("", "file is empty"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(
    ingest: Callable[..., Said], text: str, reason: str
) -> None:
    code, said = ingest("sites.tsv", text)
    assert code == 3
    assert reason in said


def test_text_that_is_not_utf8_is_refused(ingest: Callable[..., Said]) -> None:
    code, said = ingest("sites.tsv", TABLE_HEADER.encode() + b"chr1\t9\tA\t\xff\t3\t90\t1\n")
    assert code == 3
    assert "not UTF-8" in said


@pytest.mark.parametrize("kind", ["vcf", "tsv"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "no end", "gzip cut"])
def test_a_damaged_compressed_file_is_refused(
    ingest: Callable[..., Said], kind: str, damage: str
) -> None:
    if kind == "vcf":
        text = VCF_HEADER + "".join(line(GOOD, at) for at in range(1, 3000))
    else:
        rows = (f"chr1\t{at}\tA\tC,G\t3,1\t90\t1,0\n" for at in range(1, 3000))
        text = TABLE_HEADER + "".join(rows)
    packed = bytearray(bgzf(text.encode(), [3000]))
    name = f"sites.{kind}.gz"
    assert ingest(name, bytes(packed))[0] == 0
    if damage == "cut":
        packed = packed[: len(packed) // 2]
    elif damage == "flipped":
        packed[len(packed) // 2] ^= 0x10
    elif damage == "no end":
        packed = packed[:-28]
    else:
        packed = bytearray(gzip.compress(text.encode())[:-400])
    code, said = ingest(name, bytes(packed))
    assert code == 3
    assert "truncated" in said or "damaged" in said


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("population\tsex\tpeople\nAA\tXX\t\n", "does not say once how many people"),
        ("population\tsex\tpeople\tXX\nAA\tXX\t5\t5\n", "does not say once how many people"),
        ("population\tXX\nAA\t5\n", "does not say once how many people"),
        ("population\tsex\tpeople\nAA\tXX\t0\n", "nobody is in this cell"),
        ("population\tsex\tpeople\nAA\tXX\tmany\n", "'many' does not match"),
        ("population\tsex\tpeople\nAA\twoman\t5\n", "'woman' is not one of"),
        ("population\tsex\tpeople\nXX\tXX\t5\n", "would be taken for something else"),
        ("population\tpeople\tXX\tXY\nAA\t5\t3\t3\n", "fewer people than XX and XY"),
        ("population\tsex\tpeople\nAA\tXX\t5\nAA\tXX\t6\n", "is listed 2 times"),
        ("population\tsex\tpeople\tac\nAA\tXX\t5\tAC\n", "unknown key 'ac'"),
        ("population\tsex\tpeople\tAC\nAA\tXX\t5\tAC_x\n", "no 'AC_x' of AA XX"),
        ("population\tsex\tpeople\nAA\tXX\t5\nAA\tXY\t5\n", "no AC and AN of AA XX"),
        (
            "population\tsex\tpeople\tAC\tAN\nAA\tXX\t5\tAC\tAN\nBB\tXY\t5\tAC\tAN\n",
            "'AC' would be counted twice",
        ),
    ],
)
def test_a_table_of_cells_that_does_not_fit_is_refused(
    ingest: Callable[..., Said], cells: str, reason: str
) -> None:
    code, said = ingest("sites.vcf", VCF_HEADER + line(GOOD), cells)
    assert code == 3
    assert reason in said


def test_a_refusal_lists_what_the_header_has(ingest: Callable[..., Said]) -> None:
    code, said = ingest("sites.vcf", VCF_HEADER.replace("ID=AC", "ID=AC_eas") + line(GOOD))
    assert code == 3
    assert "found:    AC_eas, AN, nhomalt" in said


@pytest.mark.parametrize(
    ("pvar", "reason"),
    [
        (None, "no .pvar is beside it"),
        (PVAR.replace("r2\tA\tG", "r2\tA\tT"), "the .pvar has 'chr1\\tr2\\tA\\tT' where"),
        (PVAR.replace("chr1\t9\tr2\tA\tG\n", ""), "the .pvar ends before this file"),
        (PVAR + "chr1\t12\tr3\tA\tC\n", "the .pvar has variants after the last"),
        (PVAR.replace("POS", "where"), "no column POS"),
        (PVAR.replace("\t9\t", "\t3\t"), "not sorted"),
    ],
)
def test_a_pvar_that_is_not_that_of_the_counts_is_refused(
    ingest: Callable[..., Said], tmp_path: Path, pvar: str | None, reason: str
) -> None:
    (tmp_path / "x.pvar").write_text(PVAR)
    assert ingest("x.acount", ACOUNT)[0] == 0
    (tmp_path / "x.pvar").unlink()
    if pvar is not None:
        (tmp_path / "x.pvar").write_text(pvar)
    code, said = ingest("x.acount", ACOUNT)
    assert code == 3
    assert reason in said


def test_plink2_counts_of_two_cells_are_refused(
    ingest: Callable[..., Said], tmp_path: Path
) -> None:
    (tmp_path / "x.pvar").write_text(PVAR)
    code, said = ingest("x.acount", ACOUNT, CELLS + "BB\tXX\t5\n")
    assert code == 3
    assert "has counts of one cell" in said


def test_bcf_is_refused_with_a_way_out(ingest: Callable[..., Said]) -> None:
    code, said = ingest("x.bcf", bgzf(b"BCF\2\2" + b"\0" * 50, [100]))
    assert code == 3
    assert "bcftools view -Oz" in said


def test_options_of_sites_files_go_with_them_alone(ingest: Callable[..., Said]) -> None:
    text = VCF_HEADER + line(GOOD)
    assert ingest("x.vcf", text, CELLS, "--column", "place=POS")[0] == 2
    assert ingest("x.vcf", text, CELLS, "--raw", "AC=AC_raw")[0] == 2
    assert ingest("x.vcf", text, CELLS, "--gvcfs", "--region", "chr1")[0] == 2
    assert ingest("x.vcf", text, CELLS, "--column", "alt=A1")[0] == 3
    code, said = ingest("x.tsv", TABLE_HEADER, CELLS, "--column", "alt=A1")
    assert (code, "no column 'A1', which is to hold alt" in said) == (3, True)


@pytest.mark.parametrize(
    ("contig", "people", "number", "refused"),
    [
        ("chr1", "AA\tXX\t45\t\t", 90, False),
        ("chr1", "AA\tXX\t44\t\t", 90, True),
        ("chrX", "AA\tXY\t90\t\t", 90, False),
        ("chrX", "AA\tXY\t89\t\t", 90, True),
        ("chrX", "AA\t\t\t30\t30", 90, False),
        ("chrX", "AA\t\t\t30\t29", 90, True),
        ("chrX", "AA\tunknown\t1\t\t", 90, False),  # not counted, and said so
    ],
)
def test_more_called_alleles_than_people_can_have_are_refused_when_they_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture,
    contig: str, people: str, number: int,
    refused: bool,
) -> None:  # fmt: skip
    position = 2_800_000 if contig == "chrX" else 9
    reference = "A" * (position + 10)
    fasta = write_fasta(tmp_path / "ref.fa", {contig: reference})
    path, cells = tmp_path / "sites.tsv", tmp_path / "cells.tsv"
    path.write_text(f"{TABLE_HEADER}{contig}\t{position}\tA\tC\t3\t{number}\t1\n")
    cells.write_text(f"population\tsex\tpeople\tXX\tXY\n{people}\n")
    store, alleles = tmp_path / "a.vcz.zip", tmp_path / "alleles.zip"
    done = main(
        ["-q", "ingest", str(path), "--sites", "--samples", str(cells), "--out", str(store)]
    )
    assert done == 0
    done = main(
        ["-q", "harmonize", str(store), "--reference", str(fasta), "--cohort", "T", "--out",
         str(alleles), "--summary", str(tmp_path / "s.json")]
    )  # fmt: skip
    assert done == 0
    code = main(
        ["count", str(store), "--alleles", str(alleles), "--samples", str(cells), "--cohort", "T",
         "--country", "ZZ", "--build", "GRCh38", "--out", str(tmp_path / "c.zip")]
    )  # fmt: skip
    said = capsys.readouterr().err + caplog.text
    assert code == (3 if refused else 0)
    assert ("more called alleles than people can have" in said) == refused
    assert ("is not counted" in said) == ("unknown" in people)
