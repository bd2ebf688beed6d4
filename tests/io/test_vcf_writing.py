"""Writing the lines of a sites VCF: fractions as text, packing, and indexes made on the way."""

import gzip
import random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pysam
import pysam.bcftools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.core.shortest_float import LONGEST, put_floats
from afpanel.core.strings import Strings
from afpanel.io.bgzf_writer import BgzfWriter, Packed, room_after
from afpanel.io.deflate_kernel import MOST_TEXT
from afpanel.io.sniff import BGZF_END
from afpanel.io.tabix_index import LineIndex


def as_text(bits: np.ndarray) -> list[str]:
    ends, text = np.empty(len(bits), np.int64), np.empty(len(bits) * LONGEST, np.uint8)
    put_floats(bits, ends, text)
    offsets = np.concatenate([[0], ends])
    return Strings(offsets, text[: offsets[-1]]).objects().tolist()


def test_fractions_have_the_text_that_arrow_gives_them():
    """Arrow has double-conversion: the shortest digits that read back, and of these the nearest."""
    rng = np.random.default_rng(1)
    bits = np.concatenate(
        [
            rng.integers(0, 2**32, 60_000, dtype=np.uint32),
            rng.random(20_000, np.float32).view(np.uint32),
            (rng.integers(0, 99, 20_000) / rng.integers(1, 9_999, 20_000)).astype("f4").view("u4"),
            np.float32(10.0 ** np.arange(-45, 39)).view(np.uint32),
            np.uint32(1) << np.arange(31, dtype=np.uint32),
            np.arange(1, 3_000, dtype=np.uint32),
            np.float32([0, -0.0, 1, -1, 0.5, 1e-5, 9.9e-6, 1e-6, 9.9e-7, 1e9, 1e10, 123456]).view(
                "u4"
            ),
        ]
    )
    bits = bits[np.isfinite(bits.view(np.float32))]
    expected = pc.cast(pa.array(bits.view(np.float32)), pa.string()).to_pylist()
    found = as_text(bits)
    assert found == expected
    back = np.array(found, "U20").astype(np.float64).astype(np.float32)
    assert (back.view(np.uint32) == bits).all()


def pack(lines: list[list[bytes]], repeats: list[int] | None = None) -> tuple[bytes, Packed]:
    """Pack lines of (key, value, key, value …) each; the keys are those of the first."""
    keys = [len(key) for key in lines[0][::2]]
    columns, at = [], 0
    for line in lines:
        starts = []
        for key, value in zip(line[::2], line[1::2], strict=True):
            starts.append(at)
            at += len(key) + len(value)
        columns.append(starts)
    columns.append([at] * len(keys))
    text = b"".join(part for line in lines for part in line)
    sizes = np.array(keys, np.int32)
    again = None if repeats is None else np.array(repeats, np.int32)
    held = np.frombuffer(text + bytes(room_after(sizes)), np.uint8)
    return text, Packed.of_lines(held, np.array(columns, np.int32), sizes, again)


VALUES = st.sampled_from([b"0", b".", b"1", b"0.12345678", b"17", b"1e-09", b"A" * 300, b"VN_KHV"])


@given(
    n_keys=st.integers(1, 6),
    rows=st.lists(st.lists(VALUES | st.binary(max_size=12), min_size=6, max_size=6), min_size=1, max_size=60),
    key=st.sampled_from([b";AC=", b"=", b";faf95_VN_KHV="]),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_packed_lines_unpack_to_their_text(n_keys, rows, key):
    """Oracle: zlib."""
    lines = [[part for value in row[:n_keys] for part in (key, value)] for row in rows]
    text, packed = pack(lines)
    assert gzip.decompress(packed.data + BGZF_END) == text


@given(
    rows=st.lists(st.tuples(*[VALUES | st.binary(max_size=40)] * 3), min_size=1, max_size=60),
    key=st.sampled_from([b"\t", b"\tchr1-"]),
    as_said=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_columns_that_repeat_others_unpack_to_their_text_whether_or_not_they_do(rows, key, as_said):
    """Oracle: zlib."""
    lines = [
        [b"chr1\t", a, key, a if as_said else c, b"-", b, b"\t", b + c, b";AC=", c + b"\n"]
        for a, b, c in rows
    ]
    text, packed = pack(lines, [-1, 0, -1, 2, -1])
    assert gzip.decompress(packed.data + BGZF_END) == text


def test_long_lines_and_bytes_that_do_not_repeat_are_packed_too():
    draw = random.Random(4)
    long = draw.randbytes(2 * MOST_TEXT + 5)
    lines = [
        [b";A=", long],
        [b";A=", b"1"],
        [b";A=", draw.randbytes(MOST_TEXT - 3)],
        [b";A=", long],
    ]
    text, packed = pack(lines)
    assert gzip.decompress(packed.data + BGZF_END) == text
    assert np.diff([0, *packed.plain_ends]).max() <= MOST_TEXT
    assert np.diff([0, *packed.packed_ends]).max() <= 1 << 16


def test_lines_of_a_release_are_packed_as_small_as_zlib_does():
    draw = random.Random(2)
    lines = []
    for _ in range(300):
        values = [str(round(draw.choice([0, 0, draw.random()]), 6)).encode() for _ in range(60)]
        keys = [b";AN_GROUP%d=" % k for k in range(60)]
        lines.append([part for pair in zip(keys, values, strict=True) for part in pair])
    text, packed = pack(lines)
    assert len(packed.data) < 1.15 * len(gzip.compress(text, 6))


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """A VCF of two contigs, written in blocks: spans of up to 200 kb, many at one place."""
    folder = tmp_path_factory.mktemp("indexed")
    draw = random.Random(8)
    index = LineIndex({"chr1": 300_000_000, "chrM": 16_569})
    rows = []
    with BgzfWriter(folder / "a.vcf.gz") as file:
        file.write_text(b"##fileformat=VCFv4.3\n##contig=<ID=chr1>\n##contig=<ID=chrM>\n"
                        b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")  # fmt: skip
        for contig, longest, n in (("chr1", 299_000_000, 4_000), ("chrM", 16_000, 50)):
            centres = [draw.randint(1, longest) for _ in range(20)]
            places = sorted(
                min(longest, draw.choice(centres) + draw.randint(0, 40_000)) for _ in range(n)
            )
            sizes = [
                draw.choice([1, 1, 1, 2, 30, 16_384, 200_000 if contig == "chr1" else 5])
                for _ in places
            ]
            rows += [(contig, at, size) for at, size in zip(places, sizes, strict=True)]
            for start in range(0, n, 700):
                some = list(zip(places, sizes, strict=True))[start : start + 700]
                lines = [[f"{contig}\t".encode(), f"{at}\t.\t{'A' * size}\tC\t.\t.\t.\n".encode()] for at, size in some]  # fmt: skip
                _, packed = pack(lines)
                ends = np.cumsum([sum(map(len, line)) for line in lines])
                offsets = file.write(packed, np.concatenate([[0], ends]))
                at, size = (np.array(each) for each in zip(*some, strict=True))
                index.add(contig, at.astype(np.int32), size, offsets)
    index.write(folder / "a.vcf.gz.tbi", folder / "a.vcf.gz.csi")
    return folder / "a.vcf.gz", rows


@pytest.mark.parametrize("kind", ["tbi", "csi"])
def test_an_index_finds_the_lines_that_reach_into_a_window(indexed, kind):
    """Oracle: a look at all lines."""
    path, rows = indexed
    draw = random.Random(3)
    starts = np.array([row[1] - 1 for row in rows])
    ends = starts + np.array([row[2] for row in rows])
    of_chr1 = np.array([row[0] == "chr1" for row in rows])
    with pysam.TabixFile(str(path), index=f"{path}.{kind}") as file:
        assert file.contigs == ["chr1", "chrM"]
        for _ in range(300):
            middle = draw.choice(rows)[1] if draw.random() < 0.8 else draw.randint(1, 299_000_000)
            start = max(0, middle - draw.choice([0, 1, 20_000]))
            end = start + draw.choice([1, 2, 16_384, 100_000])
            expected = np.flatnonzero(of_chr1 & (starts < end) & (ends > start))
            found = [line.split("\t", 2)[1] for line in file.fetch("chr1", start, end)]
            assert found == [str(starts[i] + 1) for i in expected]
        assert sum(1 for _ in file.fetch("chrM")) == 50


@pytest.mark.parametrize("kind", ["tbi", "csi"])
def test_an_index_tells_bcftools_how_many_lines_each_contig_has(indexed, kind, tmp_path):
    path, _ = indexed
    for end in ("", f".{kind}"):
        (tmp_path / f"a.vcf.gz{end}").symlink_to(f"{path}{end}")
    said = pysam.bcftools.index("-s", str(tmp_path / "a.vcf.gz"))
    counts = {line.split("\t")[0]: int(line.split("\t")[2]) for line in said.splitlines()}
    assert counts == {"chr1": 4_000, "chrM": 50}
