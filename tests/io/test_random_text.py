"""Random legal text, in every container and cut anywhere, against cyvcf2 and a slow reading of it."""

import functools
import gzip
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, zip_longest
from pathlib import Path

import cyvcf2
import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.builders import GT_HEADER, bgzf
from tests.plain_reading import Record, check_blocks, read_text

from afpanel.io import text_source
from afpanel.io.records import WideGenotypeError
from afpanel.io.source import open_source
from afpanel.model.region import Region

SETTINGS = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FIELDS = ("GQ", "DP", "AD")
SAMPLES = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, *range(63, 71), 127, 128, 129, 130, 200)
EDGES = sorted({max(0, at + by) for at in (0, 8, 16, 32, 64, 128, 192) for by in (-2, -1, 0, 1, 2)})
"""Places of samples near which a scanner that takes many calls at once might go wrong."""

CONTAINERS = ((".vcf", ""), (".gz", ""), (".bgz", ""), (".bgz", "tbi"), (".bgz", "csi"))
CONTIGS = ("1", "chr2", "HLA-A*01:01", "M")
ALTS = (0, 1, 1, 1, 1, 2, 3, 9, 10, 12, 127, 128, 150)
FLOATS = ("19.9", "20.0", "0.5", ".25", "1.5e-05", "1e+02", "3.", "7E1")
QUALITIES = (".", "0", "29.5", "100", "1e3", "1.5e-05", "-10", "3070.25")
DECLARED = {
    "AD": '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads of each allele">',
    "DP": '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads">',
    "GQ": '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">',
    "PL": '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">',
    "XQ": '##FORMAT=<ID=XQ,Number=1,Type=String,Description="Unknown here">',
}


@dataclass(frozen=True)
class Case:
    """A file and how it is read."""

    text: bytes
    samples: list[str]
    asked: list[str] | None
    declared: set[str]
    suffix: str
    index: str
    sizes: list[int]
    joined_at: int
    region: Region | None
    size: int
    capacity: int
    pieces: list[int]


def genotypes(n_alleles: int) -> st.SearchStrategy[str]:
    """Draw GT: most often one of three bytes, which is where a scanner may hurry."""
    last = str(n_alleles - 1)
    allele = st.sampled_from(["0", "0", last, ".", str(min(1, n_alleles - 1)), str(n_alleles // 2)])
    pair = st.tuples(allele, st.sampled_from("|/"), allele).map("".join)
    return st.sampled_from(["0|0", "0/0", f"0/{last}", f"{last}|0"]) | pair | pair | allele


@st.composite
def calls(draw: st.DrawFn, keys: Sequence[str], n_alleles: int, *, gq_is_float: bool) -> str:
    """Draw a call, whose fields may be missing, short or left off at the end."""
    number = st.sampled_from([".", "0", "9", "20", "99", "32767", "40000"])
    most = min(n_alleles, 12)
    values = {
        "GT": genotypes(n_alleles),
        "GQ": number | st.sampled_from(FLOATS) if gq_is_float else number,
        "DP": number,
        "AD": st.lists(number, min_size=draw(st.sampled_from([1, most, most])), max_size=most).map(
            ",".join
        ),
        "PL": st.sampled_from([".", "0,3,30"]),
        "XQ": st.sampled_from([".", "GT", "0|1", "x;y=z", "-"]),
    }
    parts = [draw(values[key]) for key in keys]
    kept = draw(st.sampled_from([len(keys), len(keys), len(keys), len(keys), 1, 2]))
    return "." if draw(st.integers(0, 9)) == 7 else ":".join(parts[:kept])


@st.composite
def rows(draw: st.DrawFn, n_samples: int, n_alleles: int, *, gq_is_float: bool) -> list[str]:
    """Draw FORMAT and the calls: a pattern over all samples, and odd calls here and there."""
    others = draw(st.permutations(["GQ", "DP", "AD", "PL", "XQ"]))
    others = others[: draw(st.sampled_from([0, 0, 0, 1, 3, 5]))]
    keys = ["GT", *others] if not others or draw(st.integers(0, 5)) != 5 else others
    call = calls(keys, n_alleles, gq_is_float=gq_is_float)
    plain = st.sampled_from(["0|0", "0/0"]) if keys == ["GT"] else call
    pattern = draw(st.lists(plain, min_size=1, max_size=2) | st.lists(call, min_size=1, max_size=3))
    row = [call for call, _ in zip(cycle(pattern), range(n_samples), strict=False)]
    if n_samples:
        place = st.sampled_from([at for at in EDGES if at < n_samples])
        place = place | st.integers(0, n_samples - 1)
        for at, odd in draw(st.lists(st.tuples(place, call), max_size=6)):
            row[at] = odd
    return [":".join(keys), *row]


@st.composite
def bodies(draw: st.DrawFn, n_samples: int, index: str, *, gq_is_float: bool) -> list[str]:
    """Draw the lines of records."""
    lines = []
    farthest = 500_000_000 if index == "tbi" else 2_000_000_000  # tabix ends at 2**29
    for contig in draw(st.permutations(CONTIGS))[: draw(st.sampled_from([2, 1, 3]))]:
        position = draw(st.sampled_from([0, 1, 16_384, farthest]))
        for _ in range(draw(st.sampled_from([3, 2, 1, 4, 0]))):
            position += draw(st.sampled_from([0, 0, 1, 1, 5, 20_000]))
            n_alts = draw(st.sampled_from(ALTS))
            first = draw(st.sampled_from(["C", "*", "<DEL>", "AT", "g"]))
            alts = ",".join([first, *("A" * n for n in range(2, n_alts + 1))]) if n_alts else "."
            site = [
                contig,
                str(position),
                draw(st.sampled_from([".", "rs1", "rs1;rs2", "a b"])),
                draw(st.sampled_from(["A", "N", "acgt", "AC" * 40])),
                alts,
                draw(st.sampled_from(QUALITIES)),
                draw(st.sampled_from([".", "PASS", "q10", "q10;LowQual"])),
                draw(st.sampled_from([".", "END=5", "DP=3;X=a,b"])),
            ]
            row = draw(rows(n_samples, n_alts + 1, gq_is_float=gq_is_float))
            lines.append("\t".join([*site, *(row if n_samples else [])]))
    return lines


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a file, its container, and how it is read."""
    samples = [f"s{i}" for i in range(draw(st.sampled_from(SAMPLES)))]
    gq_is_float = draw(st.booleans())
    declared = set(draw(st.lists(st.sampled_from(FIELDS), unique=True)) if samples else [])
    declared |= set(FIELDS) if draw(st.booleans()) else set()
    headers = [line for name, line in DECLARED.items() if name in declared | {"PL", "XQ"}]
    header = ["##fileformat=VCFv4.2", GT_HEADER, *headers]
    header += [f'##FILTER=<ID={name},Description="test">' for name in ("LowQual", "q10")]
    header += [f"##contig=<ID={name}>" for name in CONTIGS]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
    header.append("\t".join([*columns, *(["FORMAT", *samples] if samples else [])]))
    container, index = draw(st.sampled_from(CONTAINERS))
    body = draw(bodies(len(samples), index, gq_is_float=gq_is_float))
    lines = [*header, *body]
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    plain = newline.join(lines) + draw(st.sampled_from([newline, newline, ""]))
    if gq_is_float:
        plain = plain.replace("ID=GQ,Number=1,Type=Integer", "ID=GQ,Number=1,Type=Float")
    text = plain.encode()
    asked = None
    if samples and draw(st.booleans()):
        asked = draw(st.permutations(samples))[: draw(st.sampled_from([0, 1, 2, 64, 200]))]
    region = None
    if body and draw(st.booleans()):
        contig, position = draw(st.sampled_from(body)).split("\t")[:2]
        start = max(0, int(position) + draw(st.sampled_from([0, 1, -1, -20_000])))
        region = Region(contig, start, start + draw(st.sampled_from([0, 1, 20_000, 140_000_000])))
    return Case(
        text,
        samples,
        asked,
        declared,
        container,
        index,
        sizes=draw(st.lists(st.integers(1, 300), min_size=1, max_size=4)),
        joined_at=draw(st.sampled_from([0, 0, 1, 50])),
        region=region,
        size=draw(st.sampled_from([1, 2, 3, 5, 100])),
        capacity=draw(st.sampled_from([1, 2, 64, 1000, 1 << 20])),
        pieces=draw(st.lists(st.integers(1, 9) | st.integers(10, 2000), min_size=1, max_size=5)),
    )


def packed(case: Case) -> bytes:
    """Pack the text, in blocks or members of odd sizes, as one file or as two that were joined."""
    if case.suffix == ".vcf":
        return case.text
    middle = len(case.text) * case.joined_at // 100
    parts = [case.text[:middle], case.text[middle:]] if middle else [case.text]
    if case.suffix == ".bgz":
        # Longer text has larger blocks, so that they do not become too many.
        sizes = [(1 + len(case.text) // 4000) * size for size in case.sizes]
        return b"".join(bgzf(part, sizes) for part in parts)
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


@contextmanager
def cut_text(case: Case) -> Iterator[None]:
    """Hand text to the scanner in a buffer of this capacity, and in pieces of these lengths."""
    whole = text_source.pieces

    def cut(*arguments: object, **options: object) -> Iterator[bytes]:
        lengths = cycle(case.pieces)
        for piece in whole(*arguments, **options):
            at = 0
            while at < len(piece):
                length = next(lengths)
                yield piece[at : at + length]
                at += length

    buffer = functools.partial(text_source.TextBuffer, capacity=case.capacity)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_source, "pieces", cut)
        patch.setattr(text_source, "TextBuffer", buffer)
        yield


@SETTINGS
@given(cases())
def test_legal_text_is_read_as_it_is_written_wherever_it_is_cut(case: Case) -> None:
    expected = read_text(case.text, case.declared, case.asked)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{case.suffix}"
        path.write_bytes(packed(case))
        if case.index:
            pysam.tabix_index(str(path), preset="vcf", force=True, csi=case.index == "csi")
        check_against_cyvcf2(path, case, expected)
        if case.region is not None:
            expected = [record for record in expected if inside(record, case.region)]
        wide = max((max(map(max, r.genotype), default=0) for r in expected), default=0) > 127
        event(f"{case.suffix} {case.index}, {'wide' if wide else 'narrow'}")
        with cut_text(case):
            if wide:
                with pytest.raises(WideGenotypeError):
                    read(path, case, expected, np.int8)
            read(path, case, expected, np.int16 if wide else np.int8)


def read(path: Path, case: Case, expected: list[Record], dtype: type) -> None:
    source = open_source(path, case.asked, FIELDS, dtype)
    asked = case.samples if case.asked is None else case.asked
    assert source.samples == [name for name in case.samples if name in asked]
    assert set(source.fields) == case.declared
    check_blocks(source.blocks(case.region, case.size), source.filters, source.fields, expected)


def inside(record: Record, region: Region) -> bool:
    return record.contig == region.contig and region.start <= record.position <= region.end


def check_against_cyvcf2(path: Path, case: Case, expected: list[Record]) -> None:
    """Hold the slow reading against htslib's."""
    if case.asked == []:
        return  # to cyvcf2, no names are all samples
    for record, found in zip_longest(expected, cyvcf2.VCF(str(path), samples=case.asked)):
        assert (found.CHROM, found.POS, found.ID or ".") == record[:3]
        assert (found.REF, *found.ALT) == record.alleles
        quality = np.nan if found.QUAL is None else found.QUAL
        np.testing.assert_array_equal(np.float32(quality), np.float32(record.quality))
        assert set(found.FILTERS) == record.filters
        # A record without GT has no calls to filter: its other fields are not read here.
        if case.samples and record.has_gt:
            alleles = found.genotype.array()[:, :-1].tolist()
            assert [tuple((*call, -2)[:2]) for call in alleles] == list(record.genotype)
            for name, values in (("GQ", record.gq), ("DP", record.dp)):
                if name in case.declared:
                    assert one_value(found.format(name), len(values)) == values


def one_value(values: np.ndarray | None, samples: int) -> tuple[int, ...]:
    """Show what cyvcf2 gives for a field as the arrays here have it."""
    if values is None:
        return (-1,) * samples
    numbers = np.nan_to_num(values[:, 0].astype(np.float64), nan=-1)
    return tuple(np.where(numbers < 0, -1, np.minimum(numbers, 32_767)).astype(int).tolist())


# ---------------------------------------------------------------------------------------------
# Long rows of genotypes alone, in which one call is unlike the others

ODD = ("./.", ".|.", ".|1", "0|.", "9|9", "0|1", "1|0", "0/1", ".", "0", "7", "10", "127",
       "10|0", "0|10", "127|127")  # fmt: skip
LENGTH = 196


def long_text(rows_: Sequence[Sequence[str]], headers: Sequence[str] = ()) -> bytes:
    """Write records of 128 alleles, whose calls begin at every place of a word."""
    samples = [f"s{i}" for i in range(len(rows_[0]))]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    alts = ",".join("A" * n for n in range(2, 129))
    lines = ["##fileformat=VCFv4.2", GT_HEADER, *headers, "\t".join(columns)]
    for number, row in enumerate(rows_, 1):
        site = ["1", str(number), "x" * (1 + number % 16), "A", alts, ".", ".", ".", "GT"]
        lines.append("\t".join([*site, *row]))
    return "\n".join(lines).encode()


def check_text(
    path: Path,
    text: bytes,
    fields: Sequence[str] = (),
    size: int = 50,
    samples: list[str] | None = None,
    dtype: type = np.int8,
) -> None:
    path.write_bytes(text)
    source = open_source(path, samples, tuple(fields), dtype)
    expected = read_text(text, fields, samples)
    check_blocks(source.blocks(None, size), source.filters, fields, expected)


@pytest.mark.parametrize("fill", ["0|0", "0/0", "1|0"])
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_call_is_read_wherever_it_stands_in_a_long_row(
    tmp_path: Path, odd: str, fill: str
) -> None:
    rows_ = [[odd if i == at else fill for i in range(LENGTH)] for at in range(LENGTH)]
    path, text = tmp_path / "a.vcf", long_text(rows_)
    some = [f"s{i}" for i in range(LENGTH) if i % 3]
    check_text(path, text)
    check_text(path, text, samples=some)
    check_text(path, text, samples=some, dtype=np.int16)


def test_rows_of_every_length_are_read_to_their_last_call(tmp_path: Path) -> None:
    for n in range(1, LENGTH):
        rows_ = [["0|0"] * n, ["0/0"] * n, ["0|1", "1|0"] * (n // 2) + ["1|1"] * (n % 2)]
        rows_ += [["0|0"] * (n - 1) + [last] for last in ("0|1", ".", "./.", "12")]
        check_text(tmp_path / "a.vcf", long_text(rows_))
        check_text(tmp_path / "a.vcf", long_text(rows_).replace(b"\n", b"\r\n") + b"\r\n")


@pytest.mark.parametrize("size", [1, 2, 3, 50])
@pytest.mark.parametrize("n", [1, 2, 9, 64, 65, LENGTH])
def test_genotypes_alone_have_no_fields_of_the_records_before_them(
    tmp_path: Path, n: int, size: int
) -> None:
    """Arrays are used again: what a record does not write must not stay."""
    lines = long_text(
        [["0|0"] * n, ["0/0"] * n, ["0|1"] * n] * 4, [DECLARED[name] for name in FIELDS]
    )
    for at in range(1, 4):
        start = lines.index(b"\n1\t%d\t" % at)
        line = lines[start + 1 : lines.index(b"\n", start + 1)]
        site = line.split(b"\t")[:8]
        rich = b"\t".join([*site, b"GT:GQ:DP:AD", *[b"0|1:40:30:20,10"] * n])
        lines = lines.replace(line, rich)
    check_text(tmp_path / "a.vcf", lines, FIELDS, size)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("19.9", 19), ("0.5", 0), (".5", 0), ("20.", 20), ("1e+02", 100), ("4.2e-05", 0), ("1E1", 10)],
)
def test_decimals_of_gq_are_cut_whatever_the_header_says_it_is(
    tmp_path: Path, written: str, expected: int
) -> None:
    """htslib refuses decimals under an Integer header; callers write them, and what they mean is clear."""
    lines = long_text([["0|1"]], [DECLARED["GQ"]]).decode().replace("\tGT\t0|1", "\tGT:GQ\t0|1:")
    for kind in ("Integer", "Float"):
        text = (lines + written).replace(
            "ID=GQ,Number=1,Type=Integer", f"ID=GQ,Number=1,Type={kind}"
        )
        check_text(tmp_path / "a.vcf", text.encode(), ("GQ",))
        block = next(open_source(tmp_path / "a.vcf", None, ("GQ",)).blocks(None, 1))
        assert block.calls.gq.tolist() == [[expected]]
