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


ACCESSIONS = {
    # Of each build: the first, one in the middle, the last autosome, X, Y and the mitochondrial genome.
    "GRCh37 RefSeq": "NC_000001.10 NC_000007.13 NC_000022.10 NC_000023.10 NC_000024.9 NC_012920.1",
    "GRCh38 RefSeq": "NC_000001.11 NC_000007.14 NC_000022.11 NC_000023.11 NC_000024.10 NC_012920.1",
    "T2T RefSeq": "NC_060925.1 NC_060931.1 NC_060946.1 NC_060947.1 NC_060948.1",
    "GRCh37 GenBank": "CM000663.1 CM000669.1 CM000684.1 CM000685.1 CM000686.1 J01415.2",
    "GRCh38 GenBank": "CM000663.2 CM000669.2 CM000684.2 CM000685.2 CM000686.2 J01415.2",
    "T2T GenBank": "CP068277.2 CP068271.2 CP068256.2 CP068255.2 CP086569.2 CP068254.1",
}


@pytest.mark.parametrize("style", ACCESSIONS)
def test_accessions_of_the_builds_are_known(style: str) -> None:
    names = ACCESSIONS[style].split()
    panel = ContigNames([*map(str, range(1, 23)), "X", "Y", "MT"])
    assert [panel.resolve(name) for name in names] == ["1", "7", "22", "X", "Y", "MT"][: len(names)]


def test_a_reference_may_be_named_by_accessions() -> None:
    panel = ContigNames(["NC_000001.11", "NC_000023.11", "NC_012920.1"])
    found = [panel.resolve(name) for name in ("chr1", "X", "CM000685.2", "chrM", "2")]
    assert found == ["NC_000001.11", "NC_000023.11", "NC_000023.11", "NC_012920.1", None]
    assert contig_kind("NC_000023.11") is ContigKind.X
    assert contig_kind("CP086569.2") is ContigKind.Y


@pytest.mark.parametrize(
    "name", ["NC_000001.9", "NC_000001", "CM000687.1", "NC_060949.1", "CP068254.2"]
)
def test_an_accession_that_is_none_of_theirs_is_not_guessed(name: str) -> None:
    assert ContigNames([*map(str, range(1, 23)), "X", "Y", "MT"]).resolve(name) is None
