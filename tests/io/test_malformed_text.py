"""Text that is no VCF: ``afpanel ingest`` refuses it, says where, and leaves nothing behind."""

import gzip
import itertools
import re
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pysam
import pytest
from tests.builders import BGZF_END, RICH_HEADERS, bgzf, bgzf_block, vcf_text, write_sheet

from afpanel.cli.main import main
from afpanel.io import text_buffer
from afpanel.io.inflate import pieces
from afpanel.io.sniff import Compression
from afpanel.io.source import open_source

LONG = 130
PLACES = (1, 2, 8, 9, 16, 17, 32, 33, 63, 64, 65, 66, 127, 128, 129, 130)
"""Samples, from 1, at and beside the edges of what a scanner may take at once."""

BAD_LINE = 3
"""Which record is spoilt; the others are good."""

Ingest = Callable[..., str]


@pytest.fixture
def refusal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Ingest:
    """Ingest a file, which must be refused and leave nothing behind; the message."""

    def ingest(data: bytes, name: str = "a.vcf", *options: str, samples: int = LONG) -> str:
        path = tmp_path / name
        path.write_bytes(data)
        if name.startswith("indexed"):
            pysam.tabix_index(str(path), preset="vcf", force=True)
        sheet = write_sheet(tmp_path / "sheet.tsv", [(f"s{i}", "K", "XX") for i in range(samples)])
        before = sorted(path for path in tmp_path.rglob("*"))
        store = tmp_path / "a.vcz.zip"
        command = ["ingest", path, "--samples", sheet, "--out", store, *options]
        capfd.readouterr()
        assert main([str(word) for word in command]) == 3
        said = capfd.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        message = said.err.partition("afpanel: error: ")[2]
        assert message.startswith(f"{path}"), said.err
        assert sorted(path for path in tmp_path.rglob("*")) == before
        return message.removeprefix(str(path))  # whose folder is named by what is tested

    return ingest


def lines_of(n_samples: int = LONG, call: str = "0|0", form: str = "GT") -> list[str]:
    """Make the lines of a good file, in which `BAD_LINE` stands for the one to be spoilt."""
    samples = [f"s{i}" for i in range(n_samples)]
    records = [
        ("1", 10 * number, "A", "C", "PASS", form, *[call] * n_samples) for number in range(1, 6)
    ]
    return vcf_text(samples, records, contigs=("1",), headers=RICH_HEADERS).splitlines()


def spoilt(lines: Sequence[str], column: int, value: str | None) -> tuple[bytes, int]:
    """Change a column of the bad line, or cut the line after it; the text, and the line's number."""
    at = next(i for i, line in enumerate(lines) if not line.startswith("#")) + BAD_LINE - 1
    columns = lines[at].split("\t")
    columns[column - 1 :] = (
        [value, *columns[column:]] if value is not None else [columns[column - 1]]
    )
    changed = [*lines[:at], "\t".join(columns), *lines[at + 1 :]]
    return ("\n".join(changed) + "\n").encode(), at + 1


def assert_names(message: str, line: int, column: int, *words: str) -> None:
    """Hold a message against the place it must name; the record is known but for its POS."""
    place = f", line {line}, column {column}"
    if column > 2:
        place += f", 1:{10 * BAD_LINE}"
    assert re.search(re.escape(place) + r"\b", message.splitlines()[0]), message
    if column > 9:
        assert f"sample number {column - 9}\n" in message
    for word in words:
        assert word in message


JUNK = ("", "x", "|", "-", "0|", "|0", "0x", "0|x", "x|0", "0-0", "0\\0", "|||", "./x", "0|/",
        "a b", "0.0", ".0.", "0|0|", "0|0x", "\xe9|0", "0/-1", "-1|0")  # fmt: skip


@pytest.mark.parametrize("junk", JUNK)
def test_junk_in_a_long_row_is_refused_wherever_it_stands(refusal: Ingest, junk: str) -> None:
    lines = lines_of()
    for sample in PLACES:
        text, line = spoilt(lines, 9 + sample, junk)
        # What has two bars may be called polyploid.
        words = ("not a genotype",) if len(re.findall(r"[|/]", junk)) < 2 else ()
        assert_names(refusal(text), line, 9 + sample, *words)


@pytest.mark.parametrize(
    "call", ["0|2", "2/0", "9|9", "2", "0|12", "300|0", "2|.", "99999999999|0"]
)
@pytest.mark.parametrize("fill", ["0|0", "0/0"])
def test_an_allele_past_the_alts_is_refused_wherever_it_stands(
    refusal: Ingest, call: str, fill: str
) -> None:
    lines = lines_of(call=fill)
    for sample in PLACES:
        text, line = spoilt(lines, 9 + sample, call)
        message = refusal(text)
        assert_names(message, line, 9 + sample, "allele that the record does not have", "most 1")


@pytest.mark.parametrize("call", ["0|0|0", "0/0/1", ".|.|.", "0|1/."])
def test_a_polyploid_call_is_refused_wherever_it_stands(refusal: Ingest, call: str) -> None:
    lines = lines_of()
    for sample in PLACES:
        text, line = spoilt(lines, 9 + sample, call)
        assert_names(refusal(text), line, 9 + sample, "polyploid")


RICH = "GT:AD:DP:GQ"
BAD_FIELDS = {
    "POS": (2, "ten"),
    "a POS below zero": (2, "-5"),
    "a POS with decimals": (2, "1e3"),
    "a POS past what VCF can hold": (2, "2147483648"),
    "no POS": (2, ""),
    "no CHROM": (1, ""),
    "no REF": (4, ""),
    "no ALT": (5, ""),
    "an ALT without a letter": (5, "C,,G"),
    "a missing ALT among others": (5, ".,C"),
    "GT that is not first": (9, "DP:GT"),
    "GT twice": (9, "GT:GT"),
    "a field twice": (9, "GT:AD:GQ:GQ"),
    "letters in AD": (9 + 65, "0/1:3,x:7:30"),
    "decimals in AD": (9 + 65, "0/1:3,1.5:7:30"),
    "AD below zero": (9 + 65, "0/1:3,-4:7:30"),
    "letters in DP": (9 + 64, "0/1:3,4:many:30"),
    "letters in GQ": (9 + 1, "0/1:3,4:7:high"),
    "two points in GQ": (9 + 1, "0/1:3,4:7:1.2.3"),
    "a difference in GQ": (9 + LONG, "0/1:3,4:7:12-3"),
    "a sign alone in GQ": (9 + 1, "0/1:3,4:7:-"),
}


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_a_column_that_says_nothing_is_refused(refusal: Ingest, name: str) -> None:
    column, value = BAD_FIELDS[name]
    text, line = spoilt(lines_of(call="0/1:3,4:7:30", form=RICH), column, value)
    assert_names(refusal(text), line, column)


@pytest.mark.parametrize("name", ["QUAL", "ID", "REF", "FILTER", "CHROM"])
def test_a_site_that_cannot_be_read_is_refused(refusal: Ingest, name: str) -> None:
    """These columns are read for many records at once."""
    column = {"CHROM": 1, "ID": 3, "REF": 4, "QUAL": 6, "FILTER": 7}[name]
    text, _ = spoilt(lines_of(), column, "high" if name == "QUAL" else "A@C")
    refusal(text.replace(b"@", b"\xff"))


@pytest.mark.parametrize("name", [b"", b"\xff", b"1\xfe"], ids=str)
def test_a_contig_whose_name_cannot_be_read_is_refused_from_its_first_record(
    refusal: Ingest, name: bytes
) -> None:
    """To read it as some other name would make one contig of two."""
    refusal("\n".join([*lines_of(), ""]).encode().replace(b"\n1\t", b"\n" + name + b"\t"))


def test_a_gq_or_dp_below_zero_is_missing(tmp_path: Path) -> None:
    """As htslib's readers of BCF have it: some callers write -1 where there is no value."""
    text, _ = spoilt(lines_of(3, "0/1:3,4:7:30", RICH), 10, "0/1:3,4:-7:-1")
    path = tmp_path / "a.vcf"
    path.write_bytes(text)
    (block,) = open_source(path, None, ("GQ", "DP")).blocks(None, 9)
    assert block.calls.gq[BAD_LINE - 1].tolist() == [-1, 30, 30]
    assert block.calls.dp[BAD_LINE - 1].tolist() == [-1, 7, 7]


@pytest.mark.parametrize("kept", [1, 2, 4, 8, 9, 10, 9 + 63, 9 + 64, 9 + 65, 9 + 128, 9 + 129])
def test_a_line_of_fewer_columns_is_refused_at_its_last(refusal: Ingest, kept: int) -> None:
    text, line = spoilt(lines_of(), kept, None)
    message = refusal(text)
    assert f", line {line}, column {kept}" in message
    assert "too few columns" in message
    assert f"{9 + LONG}" in message


@pytest.mark.parametrize("more", [1, 2, 64, 65, 200])
@pytest.mark.parametrize("samples", [1, 63, 64, 65, LONG])
def test_a_line_of_more_columns_is_refused_at_the_first_of_them(
    refusal: Ingest, samples: int, more: int
) -> None:
    last = "\t".join(["0|0"] * (1 + more))
    text, line = spoilt(lines_of(samples), 9 + samples, last)
    message = refusal(text, samples=samples)
    assert f", line {line}, column {10 + samples}" in message
    assert "too many columns" in message


@pytest.mark.parametrize("column", [*range(1, 10), *(9 + sample for sample in PLACES)])
def test_a_nul_byte_is_refused_in_every_column(refusal: Ingest, column: int) -> None:
    lines = lines_of()
    good = lines[-1].split("\t")[column - 1]
    for value in {"\0" + good[1:], good[:-1] + "\0", good + "\0", "\0" + good, "0\0" + "0"}:
        text, line = spoilt(lines, column, value)
        message = refusal(text)
        assert f", line {line}, column {column}" in message
        assert "NUL" in message or column > 9


@pytest.mark.parametrize("where", ["fileformat", "Description", "s64", "##contig", "POS"])
def test_a_nul_byte_in_the_header_is_refused(refusal: Ingest, where: str) -> None:
    text = "\n".join([*lines_of(), ""]).encode()
    at = text.index(where.encode()) + 2
    refusal(text[:at] + b"\0" + text[at:])
    refusal(text[:at] + b"\0" + text[at + 1 :])


def test_a_nul_byte_between_records_is_refused(refusal: Ingest) -> None:
    lines = lines_of()
    for nothing in ("\0", "\0\0\0\0", "\0" * 300):
        text = "\n".join([*lines[:-1], nothing, lines[-1], ""]).encode()
        assert f", line {len(lines)}, column 1" in refusal(text)
        # A disk that was full leaves zeros at the end.
        refusal("\n".join([*lines, nothing]).encode())


# ---------------------------------------------------------------------------------------------
# The same place, however the file is kept

CONTAINERS = {
    "a.vcf": lambda text: text,
    "a.vcf.gz": gzip.compress,
    "a.bgzf.vcf.gz": lambda text: bgzf(text, [300, 77]),
    "indexed.vcf.gz": lambda text: bgzf(text, [300, 77]),
}


@pytest.mark.parametrize("bad", [0, 1, 101])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("name", CONTAINERS)
def test_lines_are_counted_from_the_beginning_of_the_file(
    refusal: Ingest, name: str, newline: bytes, bad: int
) -> None:
    """Also where an index leads straight to a region, far behind many lines of another contig."""
    samples = [f"s{i}" for i in range(LONG)]
    records = [(contig, at, "A", "C", *["0|0"] * LONG) for contig in "12" for at in range(200)]
    records[200 + bad] = ("2", bad, "A", "C", *["0|0"] * 70, "0|3", *["0|0"] * 59)
    lines = vcf_text(samples, records, contigs=("1", "2")).splitlines()
    number = 1 + next(i for i, line in enumerate(lines) if "0|3" in line)
    data = CONTAINERS[name]("\n".join([*lines, ""]).encode().replace(b"\n", newline))
    for options in ((), ("--region", f"2:{bad}-110"), ("--region", "2:0-300")):
        message = refusal(data, name, *options)
        assert f", line {number}, column {9 + 71}, {f'2:{bad}' if bad else ''}" in message
        assert "sample number 71" in message


def test_only_samples_of_the_sheet_are_judged_and_they_are_numbered_as_in_the_file(
    refusal: Ingest,
) -> None:
    lines = lines_of()
    text, line = spoilt(lines, 9 + 40, "0|7")
    assert_names(refusal(text, samples=40), line, 9 + 40, "most 1")


# ---------------------------------------------------------------------------------------------
# A line that does not end

ENDLESS = 3 << 30
"""Bytes of text that the file holds, packed into little; nobody should want to see them all."""

LIMIT = 24 << 20


def endless(name: str, head: bytes, filling: bytes) -> bytes:
    """Pack a head and then a line that goes on and on."""
    if name.startswith("a.bgzf"):
        unit = filling * (65_280 // len(filling))
        blocks = bgzf_block(unit) * (ENDLESS // len(unit))
        return bgzf_block(head) + blocks + BGZF_END
    unit = filling * ((64 << 20) // len(filling))
    return gzip.compress(head, mtime=0) + gzip.compress(unit, mtime=0) * (ENDLESS // len(unit))


@pytest.mark.parametrize("name", ["a.bgzf.vcf.gz", "a.vcf.gz"])
@pytest.mark.parametrize("filling", [b"0|0\t", b"A", b"\t"], ids=["calls", "letters", "tabs"])
def test_a_line_that_does_not_end_is_refused_before_it_fills_the_memory(
    refusal: Ingest, monkeypatch: pytest.MonkeyPatch, name: str, filling: bytes
) -> None:
    monkeypatch.setattr(text_buffer, "LONGEST_LINE", LIMIT)
    lines = lines_of()
    head = "\n".join([*lines, "1\t90\t.\tA\tC\t.\tPASS\t.\tGT\t0|0\t"]).encode()
    data = endless(name, head, filling)
    tracemalloc.start()
    try:
        message = refusal(data, name)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert f", line {len(lines) + 1}, column " in message
    assert peak < ENDLESS // 4


@pytest.mark.parametrize("name", ["a.bgzf.vcf.gz", "a.vcf.gz"])
def test_a_header_that_does_not_end_is_refused_in_bounded_time_and_memory(
    tmp_path: Path, name: str
) -> None:
    """In a process of its own, which may be stopped."""
    path, sheet = tmp_path / name, write_sheet(tmp_path / "sheet.tsv", [("s0", "K", "XX")])
    path.write_bytes(endless(name, b"##fileformat=VCFv4.2\n##source=", b"x"))
    done = subprocess.run(
        [sys.executable, "-m", "afpanel", "ingest", path, "--samples", sheet, "--out", "a.vcz.zip"],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=30,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30)),
    )  # fmt: skip
    assert done.returncode == 3, done.stderr[-500:]
    assert str(path) in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "sheet.tsv"])


@pytest.mark.parametrize("compression", [Compression.GZIP, Compression.BGZF])
def test_what_compresses_well_is_still_given_out_in_pieces(
    tmp_path: Path, compression: Compression
) -> None:
    """Several pieces are held at a time: one of them must not be a thousand times the packed bytes."""
    name = "a.vcf.gz" if compression is Compression.GZIP else "a.bgzf"
    path = tmp_path / name
    path.write_bytes(endless(name, b"", b"0|0\t"))
    some = itertools.islice(pieces(path, compression), 4)
    assert max(map(len, some)) <= 16 << 20


def test_a_line_as_long_as_is_allowed_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_buffer, "LONGEST_LINE", 1 << 20)
    lines = lines_of(2)
    info = "x" * ((1 << 20) - 200)
    path = tmp_path / "a.vcf"
    path.write_text("\n".join([*lines, f"1\t90\t.\tA\tC\t.\tPASS\t{info}\tGT\t0|1\t1|1", ""]))
    (block,) = open_source(path).blocks(None, 9)
    np.testing.assert_array_equal(block.calls.genotype[-1], [[0, 1], [1, 1]])
