"""The verifier's own reader of a release's VCF: what it reads, beside Arrow's, and what it refuses."""

import re

import numpy as np
import pyarrow as pa
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afpanel.errors import BadInputError, VerificationError
from afpanel.io.vcf_figures import Key, nearest, read_figures

KEYS = {
    "AC": Key("Integer", "ac", 0),
    "AF": Key("Float", "af", 0),
    "AC_VN": Key("Integer", "ac", 1),
    "grpmax": Key("String", "grpmax"),
    "AF_raw": Key("Float", "raw"),
}
CONTIGS, GROUPS = ["chr1", "chr10", "chrX"], ["total", "VN"]
HEADER = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
LINE = "chr1\t7\tchr1-7-A-CG\tA\tCG\t.\tPASS\tAC=3;AF=0.25;AC_VN=.;grpmax=VN;AF_raw=."


def written(path, lines):
    with pysam.BGZFile(str(path), "wb") as out:
        out.write((HEADER + "".join(f"{line}\n" for line in lines)).encode())
    return path


def read(path, rows=4):
    return list(read_figures(path, KEYS, CONTIGS, GROUPS, rows))


def test_lines_are_read_in_tables_of_the_size_that_is_asked_for(tmp_path):
    more = (
        "chrX\t2147483647\tchrX-2147483647-ACGT-A\tACGT\tA\t.\tAC0\t"
        "AC=0;AF=1e-07;AC_VN=2147483647;grpmax=.;AF_raw=-0.5"
    )
    tables = read(written(tmp_path / "a.vcf.gz", [LINE, LINE, more, LINE, more]), rows=2)
    assert [len(table.position) for table in tables] == [2, 2, 1]
    last = tables[-1]
    assert (last.contig[0], last.position[0], last.filter[0]) == ("chrX", 2**31 - 1, "AC0")
    assert (last.ref.objects()[0], last.alt.objects()[0]) == ("ACGT", "A")
    assert last.values["ac"].tolist() == [[0, 2**31 - 1]]
    assert last.values["grpmax"].tolist() == [""]
    assert last.values["raw"].tolist() == [-0.5]
    assert last.values["af"][0, 0] == np.float32(1e-07)
    assert np.isnan(last.values["af"][0, 1])  # that group has no such figure
    first = tables[0]
    assert first.values["ac"].tolist() == [[3, -1]] * 2
    assert first.values["grpmax"].tolist() == ["VN"] * 2
    assert np.isnan(first.values["raw"]).all()


def of_text(path, texts):
    lines = [LINE.replace("0.25", text) for text in texts]
    return np.concatenate([table.values["af"][:, 0] for table in read(written(path, lines), 1_000)])


def test_fractions_are_the_nearest_numbers_of_32_bits_as_arrow_reads_them(tmp_path):
    """Numbers of every size with few and many digits, and those in the middle of two, or next to it."""
    rng = np.random.default_rng(4)
    bits = rng.integers(0, 0x7F7FFFFF, 3_000).astype(np.uint32).view(np.float32)
    texts = [str(x) for x in bits] + [f"{x:.17g}" for x in rng.random(1_000)]
    below = np.concatenate([bits[:1_000], np.arange(1, 300, dtype=np.uint32).view(np.float32)])
    middle = (
        below.astype(np.float64) + np.nextafter(below, np.float32(1e38)).astype(np.float64)
    ) / 2
    texts += [f"{x:.17g}" for x in middle] + [f"{x:.20e}" for x in middle]
    texts += ["0", "-0", "0.0", "00.5", "1.", "1e0", "1e+02", "123456789012345678901e-20", "0.0e5"]
    expected = pa.array(texts).cast(pa.float32()).to_numpy()
    found = of_text(tmp_path / "a.vcf.gz", texts)
    differ = np.flatnonzero(found.view(np.uint32) != expected.view(np.uint32))
    assert [(texts[i], found[i], expected[i]) for i in differ[:5]] == []


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**38))
def test_exact_reading_is_that_of_arrow(number):
    text = f"{number:e}".lower()
    if len(text) < 40:
        assert nearest(text) == pa.array([text]).cast(pa.float32())[0].as_py()


WRONG = {
    "CHROM": ("chr1\t", "chr2\t"),
    "CHROM is no contig": ("chr1\t", "chr\t"),
    "POS": ("\t7\t", "\t-7\t"),
    "POS is no number": ("\t7\t", "\t2147483648\t"),
    "REF or ALT": ("\tCG\t", "\t\t"),
    "QUAL": (".\tPASS", "30\tPASS"),
    "FILTER": ("PASS", "LowQual"),
    "another key": ("AC=3", "AD=3"),
    "another key than": (";AF=", ";DP=3;AF="),
    "a value of INFO is not of its type": ("AC=3", "AC=-1"),
    "a value of INFO is not of": ("AC=3", "AC="),
    "a value of INFO is not": ("AC=3", "AC=12345678901"),
    "a value of INFO is": ("0.25", "nan"),
    "a value of INFO": ("0.25", "1e39"),
    "a value of": ("0.25", "0.25e1234"),
    "a value": ("grpmax=VN", "grpmax=TH"),
    "goes on after its last key": ("AF_raw=.", "AF_raw=.;X=1"),
    "goes on after": ("AF_raw=.", "AF_raw=.\tGT\t0/1"),
    "POS is": (LINE, "chr1"),
    "REF or ALT is": (LINE, "chr1\t7\t.\tA"),
    "REF or": (LINE, "chr1\t7\tchr1-7-A-CG"),
    "INFO has": (LINE, "chr1\t7\tchr1-7-A-C\tA\tC\t.\tPASS\t"),
    "CHROM is": (LINE, ""),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG)
def test_a_line_that_is_laid_out_otherwise_is_refused_with_its_place(words, tmp_path):
    old, new = WRONG[words]
    assert old in LINE
    path = written(tmp_path / "a.vcf.gz", [LINE] * 6 + [LINE.replace(old, new, 1)] + [LINE])
    with pytest.raises(BadInputError, match=re.escape(words)) as error:
        read(path)
    assert "variant 7 at " in str(error.value)


@pytest.mark.parametrize(
    "other", [".", "", "rs1", "chr1-7-A-C", "chr1-7-A-CGG", "chr1-7-A-CT", "chr1-7-A_CG", "chr1-8-A-CG",
              "chr2-7-A-CG", "chr1-7-T-CG", "chr1:7-A-CG", "1-7-A-CG", "chr1-7-A-CG;rs1"]
)  # fmt: skip
def test_another_id_is_refused_with_the_one_that_is_expected(other, tmp_path):
    path = written(
        tmp_path / "a.vcf.gz", [LINE] * 6 + [LINE.replace("chr1-7-A-CG", other)] + [LINE]
    )
    with pytest.raises(VerificationError, match="the ID of a variant") as error:
        read(path)
    assert "variant 7 at chr1:7" in str(error.value)
    assert "chr1-7-A-CG" in str(error.value)


def test_a_file_of_other_keys_or_cut_short_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="not the INFO"):
        read(written(tmp_path / "a.vcf.gz", [LINE.replace("AC_VN", "AC_TH")]))
    whole = written(tmp_path / "b.vcf.gz", [LINE] * 9)
    with pysam.BGZFile(str(whole), "ab") as out:
        out.write(LINE.encode())
    with pytest.raises(BadInputError, match="has no end"):
        read(whole)
    whole.write_bytes(whole.read_bytes()[:80])
    with pytest.raises(BadInputError, match="truncated"):
        read(whole)


def test_a_file_without_variants_has_no_table(tmp_path):
    assert read(written(tmp_path / "a.vcf.gz", [])) == []
