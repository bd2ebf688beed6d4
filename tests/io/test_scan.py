"""Sites found without genotypes, by index and by reading."""

import gzip
from pathlib import Path

import pytest
from tests.builders import vcf_text, write_vcf

from afpanel.errors import BadInputError
from afpanel.io import scan
from afpanel.io.scan import IndexedSites, all_sites
from afpanel.io.sniff import sniff

SITES = [
    ("chr1", 0, "N"), ("chr1", 5, "ACGT"), ("chr1", 7, "G"), ("chr1", 7, "G"), ("chr2", 1, "A"),
]  # fmt: skip
FORMATS = ["a.vcf", "a.plain.vcf.gz", "a.vcf.gz", "a.bcf"]


def build(path: Path, sites: list[tuple[str, int, str]]) -> Path:
    records = [(*site, "T", "0/0") for site in sites]
    return write_vcf(path, vcf_text(["s"], records, contigs=("chr1", "chr2", "chr3")))


@pytest.mark.parametrize("name", FORMATS)
def test_every_site_is_listed_in_order_in_every_format(tmp_path: Path, name: str) -> None:
    path = build(tmp_path / name, SITES)
    assert [tuple(site) for site in all_sites(path, sniff(path))] == SITES


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_without_records_has_no_sites(tmp_path: Path, name: str) -> None:
    path = build(tmp_path / name, [])
    assert list(all_sites(path, sniff(path))) == []


@pytest.mark.parametrize("name", ["a.vcf.gz", "a.bcf"])
@pytest.mark.parametrize(
    ("contig", "start", "end"),
    [("chr1", 0, 100), ("chr1", 6, 7), ("chr1", 8, 99), ("chr2", 1, 1)],
)
def test_an_index_finds_the_sites_that_start_in_a_region(
    tmp_path: Path, name: str, contig: str, start: int, end: int
) -> None:
    path = build(tmp_path / name, SITES)
    indexed = IndexedSites(path, sniff(path))
    found = [tuple(site) for site in indexed.starting_in(contig, start, end)]
    # htslib finds no record at POS 0 of a BCF; the number of records that the index gives tells.
    lowest = max(start, 1) if name == "a.bcf" else start
    assert found == [site for site in SITES if site[0] == contig and lowest <= site[1] <= end]
    assert indexed.records[contig] == sum(site[0] == contig for site in SITES)


def test_a_real_file_has_the_sites_of_its_text(test_data: Path, tmp_path: Path) -> None:
    original = test_data / "grch37/1000g.asia.gatk.chr22.vcf.gz"
    with gzip.open(original, "rt") as source:
        text = source.read()
    lines = [line.split("\t", 4) for line in text.splitlines() if not line.startswith("#")]
    expected = [(fields[0], int(fields[1]), fields[3]) for fields in lines]
    assert [tuple(site) for site in all_sites(original, sniff(original))] == expected
    for name in ("a.vcf.gz", "a.bcf"):
        path = write_vcf(tmp_path / name, text)
        assert [tuple(site) for site in all_sites(path, sniff(path))] == expected
        indexed = IndexedSites(path, sniff(path))
        assert indexed.records == {"22": len(expected)}
        tiles = [(1, 17_000_000), (17_000_001, 20_000_000), (20_000_001, 51_304_566)]
        found = [site for tile in tiles for site in indexed.starting_in("22", *tile)]
        assert [tuple(site) for site in found] == expected


@pytest.mark.parametrize(
    ("sites", "where"),
    [
        ([("chr1", 9, "A"), ("chr1", 8, "A")], "chr1:8"),
        ([("chr1", 9, "A"), ("chr2", 8, "A"), ("chr1", 10, "A")], "chr1:10"),
    ],
)
@pytest.mark.parametrize("name", ["a.vcf", "a.plain.vcf.gz"])
def test_sites_out_of_order_are_refused_with_their_place_and_a_remedy(
    tmp_path: Path, name: str, sites: list[tuple[str, int, str]], where: str
) -> None:
    path = build(tmp_path / name, sites)
    with pytest.raises(BadInputError, match="not sorted") as refused:
        list(all_sites(path, sniff(path)))
    assert f"{path}, {where}" in str(refused.value)
    assert "bcftools sort" in str(refused.value)


@pytest.mark.parametrize("line", ["chr1\tx\t.\tA\tC", "chr1", "chr1\t5", "chr1 5 . A C"])
def test_a_line_that_is_no_vcf_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = build(tmp_path / "a.vcf", [("chr1", 1, "A")])
    number = len(path.read_text().splitlines()) + 1
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(BadInputError, match=f"line {number}"):
        list(all_sites(path, sniff(path)))


@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_a_gzip_file_cut_short_is_refused_by_name(tmp_path: Path, keep: float) -> None:
    sites = [
        ("chr1", position * 7919 % 100_000 + position * 100_000, "A") for position in range(3_000)
    ]
    path = build(tmp_path / "a.plain.vcf.gz", sites)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(BadInputError, match=r"truncated|decompressed") as refused:
        list(all_sites(path, sniff(path)))
    assert str(path) in str(refused.value)


def test_a_line_that_does_not_end_is_refused_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "LONGEST_LINE", 1 << 20)
    path = tmp_path / "a.vcf"
    path.write_text(
        vcf_text(("a",), [("chr1", 5, "A", "C", "0/1")]) + "chr1\t9\t" + "x" * (3 << 20)
    )
    with pytest.raises(BadInputError, match="does not end"):
        list(all_sites(path, sniff(path)))
