"""Reading of variant files against their text, against cyvcf2, and where they are broken."""

import copy
import gzip
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cyvcf2
import numpy as np
import pytest
from tests.builders import GT_HEADER, RICH_HEADERS, vcf_text, write_vcf

from afpanel.core.calls import CallBlock
from afpanel.errors import BadInputError
from afpanel.io.records import RecordBlock, Source, WideGenotypeError
from afpanel.io.sniff import Compression, compression_of, sniff
from afpanel.io.source import open_source
from afpanel.model.region import Region

FIELDS = ("GQ", "DP", "AD")


@dataclass(frozen=True)
class Whole:
    """The blocks of a file, laid end to end."""

    contig: list[str]
    position: list[int]
    alleles: list[tuple[str, ...]]
    identifier: list[str]
    quality: np.ndarray
    filters: list[set[str]]
    calls: CallBlock


def read(source: Source, region: Region | None = None, size: int = 61) -> Whole:
    """Read a file in blocks, checking that they are as promised."""
    # A source may fill the arrays of calls again for the next block.
    blocks = [copy.deepcopy(block) for block in source.blocks(region, size)]
    assert all(0 < len(block) <= size for block in blocks)
    for block, following in pairwise(blocks):
        assert len(block) == size or following.contig != block.contig
    return lay_out(source, blocks or [source.empty_block()])


def lay_out(source: Source, blocks: Sequence[RecordBlock]) -> Whole:
    def column(name: str) -> np.ndarray | None:
        parts = [getattr(block.calls, name) for block in blocks]
        return None if parts[0] is None else np.concatenate(parts)

    return Whole(
        [block.contig for block in blocks for _ in range(len(block))],
        np.concatenate([block.position for block in blocks]).tolist(),
        [tuple(filter(None, alleles)) for block in blocks for alleles in block.alleles],
        [identifier for block in blocks for identifier in block.identifier],
        np.concatenate([block.quality for block in blocks]),
        [{source.filters[i] for i in np.flatnonzero(row)} for b in blocks for row in b.filters],
        CallBlock(*(column(name) for name in ("genotype", "gq", "dp", "het_alt_ad"))),
    )


def assert_same(one: Whole, other: Whole) -> None:
    assert one.contig == other.contig
    assert one.position == other.position
    assert one.alleles == other.alleles
    assert one.identifier == other.identifier
    assert one.filters == other.filters
    np.testing.assert_array_equal(one.quality, other.quality)
    for name in ("genotype", "gq", "dp", "het_alt_ad"):
        np.testing.assert_array_equal(getattr(one.calls, name), getattr(other.calls, name), name)


# ---------------------------------------------------------------------------------------------
# Real files, against their text


@dataclass(frozen=True)
class TextRecord:
    """A line of a VCF as text."""

    columns: list[str]
    calls: list[dict[str, str]]


def text_records(path: Path, *, every: int) -> Iterator[tuple[int, TextRecord]]:
    """Read every so many lines of a VCF, with nothing but text handling."""
    with gzip.open(path, "rt") as source:
        lines = (line.rstrip("\n") for line in source if not line.startswith("#"))
        for number, line in enumerate(lines):
            if number % every == 0:
                columns = line.split("\t")
                keys = columns[8].split(":")
                calls = [dict(zip(keys, c.split(":"), strict=False)) for c in columns[9:]]
                yield number, TextRecord(columns[:9], calls)


def text_genotype(call: dict[str, str]) -> tuple[int, int]:
    parts = call.get("GT", ".").replace("|", "/").split("/")
    first, second = [-1 if part == "." else int(part) for part in parts] + [-2] * (2 - len(parts))
    return first, second


def text_integer(call: dict[str, str], name: str) -> int:
    value = call.get(name, ".")
    return -1 if value == "." else min(int(value), 32_767)


def text_het_alt_depth(call: dict[str, str]) -> int:
    """Reads of the least supported ALT of a heterozygous call."""
    alleles = text_genotype(call)
    reads = call.get("AD", ".").split(",")
    if min(alleles) < 0 or alleles[0] == alleles[1] or len(reads) <= max(alleles):
        return -1
    return min(text_integer({"AD": reads[allele]}, "AD") for allele in alleles if allele)


REAL = [
    ("grch37/1000g.phase3.chr22.vcf.gz", 197),
    ("grch37/1000g.asia.gatk.chr22.vcf.gz", 3),
    ("grch37/1000g.phase3.chrX.thinned.vcf.gz", 11),
    ("grch38/1000g.nygc30x.chr1.vcf.gz", 23),
    ("gvcf/HG00187.hg38.g.vcf.gz", 1),
]


@pytest.mark.parametrize(("name", "every"), REAL)
def test_a_real_file_is_read_as_its_text_says(test_data: Path, name: str, every: int) -> None:
    path = test_data / name
    source = open_source(path, fields=FIELDS)
    whole = read(source, size=257)
    seen = 0
    for row, record in text_records(path, every=every):
        contig, position, identifier, ref, alt, quality, filters, *_ = record.columns
        seen += 1
        assert whole.contig[row] == contig
        assert whole.position[row] == int(position)
        assert whole.identifier[row] == identifier
        assert whole.alleles[row] == (ref, *(() if alt == "." else alt.split(",")))
        assert whole.filters[row] == (set() if filters == "." else set(filters.split(";")))
        expected = np.float32(np.nan if quality == "." else quality)
        np.testing.assert_array_equal(whole.quality[row], expected)
        found = whole.calls.genotype[row].tolist()
        assert found == [list(text_genotype(call)) for call in record.calls]
        for key, values in (("GQ", whole.calls.gq), ("DP", whole.calls.dp)):
            if values is not None:
                assert values[row].tolist() == [text_integer(call, key) for call in record.calls]
        if whole.calls.het_alt_ad is not None:
            depths = [text_het_alt_depth(call) for call in record.calls]
            assert whole.calls.het_alt_ad[row].tolist() == depths
    assert seen == -(-len(whole.position) // every)


def test_the_fields_that_a_real_file_lacks_are_none(test_data: Path) -> None:
    gatk = open_source(test_data / "grch37/1000g.asia.gatk.chr22.vcf.gz", fields=FIELDS)
    phase3 = open_source(test_data / "grch37/1000g.phase3.chr22.vcf.gz", fields=FIELDS)
    assert gatk.fields == FIELDS
    assert phase3.fields == ()
    calls = phase3.empty_block().calls
    assert (calls.gq, calls.dp, calls.het_alt_ad) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "size", "step"),
    [
        ("grch37/1000g.phase3.chr22.vcf.gz", 1_009, 13),
        ("grch37/1000g.phase3.chrX.thinned.vcf.gz", 1, 2),
        ("grch38/1000g.nygc30x.chr1.vcf.gz", 889, 401),
    ],
)
def test_every_record_of_chosen_samples_is_read_as_cyvcf2_reads_it(
    test_data: Path, name: str, size: int, step: int
) -> None:
    path = test_data / name
    chosen = cyvcf2.VCF(str(path)).samples[::step]
    asked = sorted(chosen, reverse=True)  # an order that is not the file's
    source = open_source(path, asked)
    assert source.samples == chosen
    whole = read(source, size=size)
    row = -1
    for row, record in enumerate(cyvcf2.VCF(str(path), samples=chosen)):
        assert whole.position[row] == record.POS
        assert whole.alleles[row] == (record.REF, *record.ALT)
        expected = np.array([call[:-1] + [-2] * (3 - len(call)) for call in record.genotypes])
        np.testing.assert_array_equal(whole.calls.genotype[row], expected)
    assert row + 1 == len(whole.position)


@pytest.mark.parametrize("suffix", [".vcf", ".plain.vcf.gz", ".vcf.gz", ".bcf"])
def test_a_real_file_says_the_same_in_every_format(
    test_data: Path, tmp_path: Path, suffix: str
) -> None:
    original = test_data / "grch37/1000g.asia.gatk.chr22.vcf.gz"
    expected = read(open_source(original, fields=FIELDS))
    with gzip.open(original, "rt") as lines:
        path = write_vcf(tmp_path / f"copy{suffix}", lines.read())
    assert_same(read(open_source(path, fields=FIELDS), size=100), expected)


@pytest.fixture(scope="module")
def indexed(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The messy real file, with an index and without."""
    folder = tmp_path_factory.mktemp("indexed")
    with gzip.open(test_data / "grch37/1000g.asia.gatk.chr22.vcf.gz", "rt") as lines:
        copied = lines.read()
    names = ("a.vcf.gz", "b.bcf", "c.plain.vcf.gz")
    return [write_vcf(folder / name, copied) for name in names]


REGIONS = [
    Region("22", 0, 16_254_892),
    Region("22", 16_254_893, 17_000_000),
    Region("22", 17_000_001, 24_514_735),
    Region("22", 24_514_736, 2**31 - 2),
    Region("22", 30_000_000, 40_000_000),
]


@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_a_region_has_the_records_whose_position_is_in_it_with_an_index_or_without(
    test_data: Path, indexed: list[Path], region: Region
) -> None:
    text = text_records(test_data / "grch37/1000g.asia.gatk.chr22.vcf.gz", every=1)
    positions = [int(record.columns[1]) for _, record in text]
    expected = [at for at in positions if region.start <= at <= region.end]
    wholes = [read(open_source(path, fields=FIELDS), region, 37) for path in indexed]
    for path, whole in zip(indexed, wholes, strict=True):
        assert (sniff(path).index is None) == path.name.startswith("c")
        assert whole.position == expected
        assert_same(whole, wholes[0])


def test_a_deletion_that_reaches_into_a_region_is_not_in_it(indexed: list[Path]) -> None:
    whole = read(open_source(indexed[0]))
    spanning = [
        (position, len(alleles[0]))
        for position, alleles in zip(whole.position, whole.alleles, strict=True)
        if len(alleles[0]) > 3
    ]
    assert len(spanning) > 10
    for position, length in spanning[:10]:
        region = Region("22", position + 1, position + length)
        inside = [at for at in whole.position if region.start <= at <= region.end]
        for path in indexed:
            assert read(open_source(path), region).position == inside


# ---------------------------------------------------------------------------------------------
# Built files

SAMPLES = ("s1", "s2", "s3")
RECORDS = [
    ("chr1", 0, "N", "A", "0/0", "0/1", "./."),
    ("chr1", 10, "A", "C,G", "0|1", "1/2", "2"),
    ("chr1", 10, "A", "T", ".", "0/.", "./1"),
    ("chr1", 12, "at", "<DEL>,*", "LowQual", "GT", "1/2", "1", "./."),
    ("chr2", 1, "G", ".", "q10;LowQual", "GT", "0/0", "0", "."),
    ("chr2", 7, "G", "A", ".", "GT", "0/0", "1/1", "0|0"),
]
GENOTYPES = [
    [[0, 0], [0, 1], [-1, -1]],
    [[0, 1], [1, 2], [2, -2]],
    [[-1, -2], [0, -1], [-1, 1]],
    [[1, 2], [1, -2], [-1, -1]],
    [[0, 0], [0, -2], [-1, -2]],
    [[0, 0], [1, 1], [0, 0]],
]


def text(records: Sequence[Sequence[object]] = RECORDS, **options: object) -> str:
    return vcf_text(
        SAMPLES,
        records,
        **{"contigs": ("chr1", "chr2", "chr9"), "filters": ("LowQual", "q10"), **options},
    )


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("name", ["a.vcf", "a.plain.vcf.gz", "a.vcf.gz", "a.bcf"])
def test_every_kind_of_call_is_read_in_every_format_and_block_size(
    tmp_path: Path, name: str, size: int
) -> None:
    source = open_source(write_vcf(tmp_path / name, text()))
    whole = read(source, size=size)
    assert source.contigs == {"chr1": None, "chr2": None, "chr9": None}
    assert whole.contig == [record[0] for record in RECORDS]
    assert whole.position == [record[1] for record in RECORDS]
    alleles = [(ref, *(() if alt == "." else alt.split(","))) for _, _, ref, alt, *_ in RECORDS]
    if not name.endswith(".bcf"):
        assert whole.alleles == alleles
    assert whole.calls.genotype.tolist() == GENOTYPES
    assert whole.filters == [{"PASS"}, {"PASS"}, {"PASS"}, {"LowQual"}, {"q10", "LowQual"}, set()]
    assert np.isnan(whole.quality).all()
    assert whole.identifier == ["."] * len(RECORDS)


def test_crlf_and_a_missing_last_newline_change_nothing(tmp_path: Path) -> None:
    expected = read(open_source(write_vcf(tmp_path / "a.vcf", text())))
    for name, changed in {
        "crlf.vcf": text().replace("\n", "\r\n"),
        "crlf.plain.vcf.gz": text().replace("\n", "\r\n"),
        "cut.vcf": text().removesuffix("\n"),
        "cut.plain.vcf.gz": text().removesuffix("\n"),
    }.items():
        path = tmp_path / name
        data = changed.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        assert_same(read(open_source(path)), expected)


def test_wide_genotypes_are_asked_for_where_a_byte_does_not_do(tmp_path: Path) -> None:
    alts = ",".join("A" * n for n in range(2, 202))
    narrow = write_vcf(tmp_path / "n.vcf", text([("chr1", 5, "A", alts, "0/127", "127", "./.")]))
    assert read(open_source(narrow)).calls.genotype[0].tolist() == [[0, 127], [127, -2], [-1, -1]]
    wide = write_vcf(tmp_path / "w.vcf", text([("chr1", 5, "A", alts, "0/128", "200", "./.")]))
    with pytest.raises(WideGenotypeError, match="chr1:5"):
        read(open_source(wide))
    found = read(open_source(wide, dtype=np.int16)).calls.genotype
    assert found.dtype == np.int16
    assert found[0].tolist() == [[0, 128], [200, -2], [-1, -1]]


def test_fields_are_read_as_written_capped_and_missing(tmp_path: Path) -> None:
    form = "GT:AD:DP:GQ"
    records = [
        ("chr1", 1, "A", "C", "PASS", form, "0/1:9,3:12:40", "0/1:9,40000:70000:99", "1/1:0,9:9:9"),
        ("chr1", 2, "A", "C,G", "PASS", form, "1/2:1,5,7:13:40", "0/2:9,1,0:10:.", "0/1:.:.:3"),
        ("chr1", 3, "A", "C,G", "PASS", form, "0/2:4,1,.:5:1", "0/1", "./1:0,3,0:3:0"),
        ("chr1", 4, "A", "C", "PASS", "GT:GQ", "0/1:7", "0/0:8", "1:9"),
        ("chr1", 5, "A", "C", "PASS", "GT", "0/1", "0/0", "1"),
    ]
    path = write_vcf(tmp_path / "a.vcf", text(records, headers=RICH_HEADERS))
    calls = read(open_source(path, fields=FIELDS)).calls
    assert calls.gq.tolist() == [[40, 99, 9], [40, -1, 3], [1, -1, 0], [7, 8, 9], [-1] * 3]
    assert calls.dp.tolist() == [[12, 32_767, 9], [13, 10, -1], [5, -1, 3], [-1] * 3, [-1] * 3]
    least = [[3, 32_767, -1], [5, 0, -1], [-1, -1, -1], [-1] * 3, [-1] * 3]
    assert calls.het_alt_ad.tolist() == least


def test_a_quality_with_decimals_is_cut_not_rounded(tmp_path: Path) -> None:
    """19.9 must not reach a threshold of 20."""
    headers = (GT_HEADER, '##FORMAT=<ID=GQ,Number=1,Type=Float,Description="x">')
    record = ("chr1", 1, "A", "C", "PASS", "GT:GQ", "0/1:19.9", "0/1:.", "0/1:20")
    path = write_vcf(tmp_path / "a.vcf", text([record], headers=headers))
    assert read(open_source(path, fields=("GQ",))).calls.gq.tolist() == [[19, -1, 20]]


def test_only_the_fields_asked_for_are_read(tmp_path: Path) -> None:
    record = ("chr1", 1, "A", "C", "PASS", "GT:AD:DP:GQ", *["0/1:9,3:12:40"] * 3)
    path = write_vcf(tmp_path / "a.vcf", text([record], headers=RICH_HEADERS))
    calls = read(open_source(path, fields=("DP",))).calls
    assert calls.dp.tolist() == [[12, 12, 12]]
    assert (calls.gq, calls.het_alt_ad) == (None, None)


def test_records_without_genotypes_among_others_are_missing(tmp_path: Path) -> None:
    headers = (GT_HEADER, '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">')
    records = [
        ("chr1", 1, "A", "C", "PASS", "DP", "3", "4", "5"),
        ("chr1", 2, "A", "C", "PASS", "GT", "1", "0", "1"),
    ]
    whole = read(open_source(write_vcf(tmp_path / "a.vcf", text(records, headers=headers))))
    assert whole.calls.genotype.tolist() == [[[-1, -1]] * 3, [[1, -2], [0, -2], [1, -2]]]


def test_a_file_without_records_has_no_blocks(tmp_path: Path) -> None:
    for name in ("a.vcf", "a.vcf.gz", "a.plain.vcf.gz", "a.bcf"):
        source = open_source(write_vcf(tmp_path / name, text([])), ["s3"])
        assert list(source.blocks(None, 10)) == []
        assert list(source.blocks(Region("chr1", 0, 100), 10)) == []
        assert source.empty_block().calls.genotype.shape == (0, 1, 2)


def test_a_file_of_sites_has_no_genotypes(tmp_path: Path) -> None:
    path = tmp_path / "a.vcf"
    lines = ("##fileformat=VCFv4.2", GT_HEADER, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    path.write_text("\n".join((*lines, "chr1\t1\t.\tA\tC\t.\t.\t.", "")))
    assert not open_source(path).has_genotypes
    whole = read(open_source(path))
    assert whole.alleles == [("A", "C")]
    assert whole.calls.genotype.shape == (1, 0, 2)
    assert open_source(write_vcf(tmp_path / "b.vcf", text())).has_genotypes


def test_a_contig_that_the_index_does_not_know_has_no_records(tmp_path: Path) -> None:
    for name in ("a.vcf.gz", "a.bcf", "a.vcf"):
        source = open_source(write_vcf(tmp_path / name, text()))
        assert list(source.blocks(Region("chr9", 0, 100), 10)) == []


def test_a_cut_block_is_the_rows_asked_for(tmp_path: Path) -> None:
    source = open_source(write_vcf(tmp_path / "a.vcf", text()), fields=())
    first = next(source.blocks(None, 100))
    cut = first.rows(1, 3)
    assert cut.position.tolist() == [10, 10]
    assert cut.alleles.tolist() == first.alleles[1:3].tolist()
    assert cut.calls.genotype.tolist() == GENOTYPES[1:3]
    assert first.rows(0, len(first)) is first


# ---------------------------------------------------------------------------------------------
# Broken files


def refusal(path: Path, samples: list[str] | None = None) -> str:
    """Read a file to its end, which must fail as bad input; the message."""
    with pytest.raises(BadInputError) as refused:
        read(open_source(path, samples, fields=FIELDS))
    message = str(refused.value)
    assert str(path) in message, "the message must name the file"
    return message


BROKEN_RECORDS = {
    "an allele that the record does not have": (
        [("chr1", 5, "A", "C", "0/0", "0/2", "0/0")],
        ["chr1:5", "sample number 2", "at most 1"],
    ),
    "a polyploid call": (
        [("chr1", 5, "A", "C", "0/0", "0/0", "0/0/1")],
        ["chr1:5", "sample number 3", "polyploid"],
    ),
    "a position that goes back": (
        [("chr1", 5, "A", "C", *["0/0"] * 3), ("chr1", 4, "A", "C", *["0/0"] * 3)],
        ["chr1:4", "not sorted", "bcftools sort"],
    ),
    "a contig that comes back": (
        [(contig, 5, "A", "C", *["0/0"] * 3) for contig in ("chr1", "chr2", "chr1")],
        ["chr1:5", "not sorted"],
    ),
}


@pytest.mark.parametrize("name", BROKEN_RECORDS)
@pytest.mark.parametrize("suffix", [".vcf", ".plain.vcf.gz"])
def test_a_record_that_cannot_be_used_is_named(tmp_path: Path, name: str, suffix: str) -> None:
    records, expected = BROKEN_RECORDS[name]
    good = [("chr1", 1, "A", "C", "0/0", "0/1", "1/1")]
    message = refusal(write_vcf(tmp_path / f"a{suffix}", text([*good, *records])))
    for part in expected:
        assert part in message


BROKEN_LINES = {
    "position is no number": "chr1\tten\t.\tA\tC\t.\t.\t.\tGT\t0/0\t0/0\t0/0\n",
    "position is negative": "chr1\t-5\t.\tA\tC\t.\t.\t.\tGT\t0/0\t0/0\t0/0\n",
    "too few columns": "chr1\t10\t.\tA\n",
    "too few samples": "chr1\t10\t.\tA\tC\t.\t.\t.\tGT\t0/0\n",
    "genotype is no genotype": "chr1\t10\t.\tA\tC\t.\t.\t.\tGT\t0/0\tx/y\t0/0\n",
    "separated by blanks": "chr1 10 . A C . . . GT 0/0 0/0 0/0\n",
    "binary": "\x00\x01\x02\x7f\x00\n",
    "cut in its first column": "ch",
    "cut after its first column": "chr1\t",
}

READ_TO_THE_END = """
import sys
from pathlib import Path
from afpanel.errors import AfpanelError
from afpanel.io.source import open_source
try:
    print(sum(map(len, open_source(Path(sys.argv[1])).blocks(None, 10))))
except AfpanelError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def read_apart(path: Path) -> subprocess.CompletedProcess[str]:
    """Read a file to its end in a process of its own, which damaged text may crash."""
    command = [sys.executable, "-c", READ_TO_THE_END, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", BROKEN_LINES)
def test_a_damaged_line_is_refused_with_the_place_of_the_last_good_one(
    tmp_path: Path, name: str
) -> None:
    good = text([("chr1", 7, "A", "C", "0/0", "0/1", "1/1")])
    path = tmp_path / "a.vcf"
    path.write_text(good + BROKEN_LINES[name])
    done = read_apart(path)
    assert (done.returncode, done.stderr.count("Traceback")) == (3, 0), done
    assert str(path) in done.stdout
    assert "chr1:7" in done.stdout


def test_an_empty_line_at_the_end_is_passed_over_or_refused_but_crashes_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.vcf"
    path.write_text(text() + "\n")
    done = read_apart(path)
    assert done.returncode in (0, 3), done
    if done.returncode == 0:
        assert done.stdout == f"{len(RECORDS)}\n"


def truncations() -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    calls = np.array(["0/0", "0/1", "1/1"])[rng.integers(0, 3, (3_000, 3))]
    records = [("chr1", row + 1, "A", "C", *call) for row, call in enumerate(calls)]
    plain = text(records).encode()
    packed = gzip.compress(plain)
    return {
        "empty.vcf": b"",
        "empty.vcf.gz": b"",
        "half.plain.vcf.gz": packed[: len(packed) // 2],
        "half-header.plain.vcf.gz": packed[:30],
        "no-checksum.plain.vcf.gz": packed[:-6],
        "plain.vcf.gz": plain,
        "plain.bcf": plain,
        "table.vcf": b"sample\tpopulation\tsex\n",
        "columns-only.vcf": b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n",
        "half-header.vcf": plain[:100],
        "noise.vcf.gz": b"\x1f\x8b" + bytes(range(256)),
    }


@pytest.mark.parametrize("name", truncations())
def test_a_file_that_is_not_whole_or_not_what_its_name_says_is_refused(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(truncations()[name])
    refusal(path)


@pytest.mark.parametrize("name", ["a.vcf.gz", "a.bcf"])
@pytest.mark.parametrize("lost", [1, 27, 28, 29, 2_000])
def test_a_bgzf_file_without_its_end_is_refused_before_it_is_read(
    tmp_path: Path, name: str, lost: int
) -> None:
    records = [("chr1", row + 1, "A", "C", "0/0", "0/1", "1/1") for row in range(40_000)]
    path = write_vcf(tmp_path / name, text(records))
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(BadInputError, match="end-of-file") as refused:
        open_source(path)
    assert str(path) in str(refused.value)


def test_a_damaged_block_in_the_middle_of_a_bgzf_file_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    calls = np.array(["0/0", "0/1", "1/1"])[rng.integers(0, 3, (30_000, 3))]
    records = [("chr1", row + 1, "A", "C", *call) for row, call in enumerate(calls)]
    path = write_vcf(tmp_path / "a.vcf.gz", text(records))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    path.write_bytes(data)
    refusal(path)


@pytest.mark.parametrize("name", ["missing.vcf", "missing.vcf.gz", "folder.vcf"])
def test_a_path_that_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.vcf").mkdir()
    refusal(tmp_path / name)


def test_samples_that_the_file_lacks_are_listed(tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "a.vcf", text())
    message = refusal(path, ["s1", "nobody", "s3", "no-one"])
    assert "2 of the 4 samples" in message
    assert "nobody" in message
    assert "no-one" in message
    assert "s3" not in message


@pytest.mark.parametrize(
    ("name", "compression"),
    [
        ("a.vcf", Compression.NONE),
        ("a.plain.vcf.gz", Compression.GZIP),
        ("a.vcf.gz", Compression.BGZF),
        ("a.bcf", Compression.BGZF),
    ],
)
def test_a_file_is_known_by_its_bytes_not_by_its_name(
    tmp_path: Path, name: str, compression: Compression
) -> None:
    path = write_vcf(tmp_path / name, text())
    other = tmp_path / "without-a-suffix"
    other.write_bytes(path.read_bytes())
    assert compression_of(other) == compression
    assert sniff(other).is_bcf == name.endswith(".bcf")
    assert sniff(other).index is None
    expected = compression == Compression.BGZF
    assert (sniff(path).index is not None) == expected
    assert_same(read(open_source(other)), read(open_source(path)))
