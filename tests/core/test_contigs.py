"""Names of contigs."""

import pytest

from afpanel.constants import ContigKind
from afpanel.core.contigs import ContigNames, contig_kind

UCSC = ["chr1", "chr2", "chrX", "chrY", "chrM", "chrUn_KI270302v1"]
ENSEMBL = ["1", "2", "X", "Y", "MT", "GL000191.1"]


@pytest.mark.parametrize(
    ("name", "ucsc", "ensembl"),
    [
        ("chr1", "chr1", "1"),
        ("1", "chr1", "1"),
        ("Chr2", "chr2", "2"),
        ("CHRX", "chrX", "X"),
        ("x", "chrX", "X"),
        ("23", "chrX", "X"),
        ("chr23", "chrX", "X"),
        ("24", "chrY", "Y"),
        ("26", "chrM", "MT"),
        ("M", "chrM", "MT"),
        ("MT", "chrM", "MT"),
        ("chrM", "chrM", "MT"),
        ("chrMT", "chrM", "MT"),
        ("GL000191.1", None, "GL000191.1"),
        ("chrUn_KI270302v1", "chrUn_KI270302v1", None),
        ("3", None, None),
        ("chr", None, None),
        ("", None, None),
        ("11", None, None),
        ("chr1_random", None, None),
    ],
)
def test_a_name_finds_the_same_contig_in_either_style(
    name: str, ucsc: str | None, ensembl: str | None
) -> None:
    assert ContigNames(UCSC).resolve(name) == ucsc
    assert ContigNames(ENSEMBL).resolve(name) == ensembl


def test_an_alias_comes_before_the_rules_and_before_equal_names() -> None:
    names = ContigNames(UCSC, {"NC_000001.11": "chr1", "2": "chr1", "chrX": "chrY"})
    found = [names.resolve(name) for name in ("NC_000001.11", "2", "chr2", "chrX", "X")]
    assert found == ["chr1", "chr1", "chr2", "chrY", "chrX"]


def test_an_alias_of_a_contig_that_the_panel_lacks_maps_nothing() -> None:
    names = ContigNames(UCSC, {"1": "chr99"})
    assert names.resolve("1") is None
    assert names.resolve("chr99") is None


def test_where_two_contigs_have_one_bare_name_only_exact_names_map() -> None:
    names = ContigNames(["chr1", "1", "chrM", "MT", "chr2"])
    exact = ("chr1", "1", "chrM", "MT", "chr2", "2")
    assert [names.resolve(name) for name in exact] == ["chr1", "1", "chrM", "MT", "chr2", "chr2"]
    assert [names.resolve(name) for name in ("CHR1", "M", "26", "chrMT")] == [None] * 4


def test_a_panel_without_contigs_maps_nothing() -> None:
    assert ContigNames([]).resolve("chr1") is None


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (ContigKind.X, ("X", "chrX", "x", "23", "chr23")),
        (ContigKind.Y, ("Y", "chrY", "24")),
        (ContigKind.MT, ("M", "MT", "chrM", "chrMT", "26")),
        (ContigKind.AUTOSOME, ("1", "chr22", "chrX_KI270880v1_alt", "chrUn_1", "XY", "3")),
    ],
)
def test_the_kind_of_a_contig_follows_from_its_name(
    kind: ContigKind, names: tuple[str, ...]
) -> None:
    assert {contig_kind(name) for name in names} == {kind}
