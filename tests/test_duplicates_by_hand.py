"""Variants of several records, by hand: what counts together, and what does not."""

import pytest
from tests.builders import vcf_text, write_fasta, write_sheet, write_vcf
from tests.counts import run_stages
from tests.test_duplicates import FIRST, HOMOPOLYMER, IN_THE_MIDDLE, LAST, LONG, by_hand

from afpanel.cli.main import main
from afpanel.io.store import Store
from afpanel.model.region import Region
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION

BOTH_CASES = (6, "GT", "G,g")


def test_of_the_record_that_is_kept_all_alts_that_are_the_variant_count(tmp_path):
    """Not merged (one person would have three copies); kept is the first record, with both its ALTs."""
    lines = [(*BOTH_CASES, "1/2", "0/2"), (*IN_THE_MIDDLE, "0/1", "0/0")]
    figures, outcomes = by_hand(tmp_path, lines)
    assert figures == {FIRST: (3, 4, 1, 0)}
    assert outcomes == {"as_is": 1, "merged": 1, "duplicate": 1}


def test_two_alts_of_one_record_are_not_calls_of_two_records(tmp_path):
    """Spelled alike, but nobody has calls in both records."""
    lines = [(*BOTH_CASES, "1/2", "./."), (*FIRST, "./.", "0/1")]
    assert by_hand(tmp_path, lines)[0] == {FIRST: (3, 4, 1, 0)}


def test_records_that_are_spelled_alike_are_compared_with_one_another_alone(tmp_path):
    """The first two have no person in common; the third, spelled otherwise, has calls of everybody."""
    lines = [(*FIRST, "0/1", "./."), (*FIRST, "./.", "0/1"), (*LAST, "0/1", "0/0")]
    assert by_hand(tmp_path, lines)[0] == {FIRST: (3, 4, 1, 0)}


def test_two_records_are_the_same_if_their_copies_are_whichever_alts_hold_them(tmp_path):
    """Two carriers, the same in both records: said twice."""
    lines = [(*BOTH_CASES, "0/1", "0/2"), (*IN_THE_MIDDLE, "0/1", "0/1")]
    assert by_hand(tmp_path, lines)[0] == {FIRST: (2, 4, 0, 0)}


def test_nobody_has_two_copies_where_there_is_one(tmp_path):
    """Ploidy is taken from the calls, not from the place: 0/0 of an XY person on X is one copy."""
    calls = ("0/0", "1", "1")
    lines = [
        ("X", *form, call, "0/0") for form, call in zip((LONG, FIRST, LAST), calls, strict=True)
    ]
    vcf = write_vcf(tmp_path / "a.vcf", vcf_text(["M", "W"], lines, contigs=["X"]))
    sheet = write_sheet(tmp_path / "sheet.tsv", [("M", "P", "XY"), ("W", "P", "XX")])
    fasta = write_fasta(tmp_path / "ref.fa", {"X": HOMOPOLYMER})
    found = run_stages(vcf, sheet, fasta, [Region.parse("X")], tmp_path)
    cell = [sex for _, sex, _ in found.cells].index("XY")
    assert found.figures["allele_number"][0, cell] <= 1
    assert found.figures["homozygote_count"][0, cell] == 0


def stores_by_hand(folder, first, second, order=(0, 1, 2)):
    """Two files of one contig, each ingested by itself; the samples of the second in another order."""
    names = [f"P{i}" for i in range(3)]
    calls = ["0/1", "0/1", "0/0"]
    one = [("chr1", *FIRST, "0/1", "0/0", "0/0")]
    two = [("chr1", *LAST, *(calls[i] for i in order))]
    write_vcf(folder / "1.vcf", vcf_text(names, one))
    write_vcf(folder / "2.vcf", vcf_text([names[i] for i in order], two))
    write_sheet(folder / "sheet.tsv", zip(names, "ABC", ["XX"] * 3, strict=True))
    write_fasta(folder / "ref.fa", {"chr1": HOMOPOLYMER})
    for vcf, store in (("1.vcf", first), ("2.vcf", second)):
        assert main(["ingest", vcf, "--samples", "sheet.tsv", "--out", store]) == 0
    assert main(["harmonize", first, second, "--reference", "ref.fa", "--cohort", "T",
                 "--out", "al.zip", "--summary", "s.json"]) == 0  # fmt: skip
    code = main(["count", first, "--alleles", "al.zip", "--samples", "sheet.tsv", "--cohort", "T",
                 "--country", "VN", "--build", "GRCh38", "--out", "c.zip"])  # fmt: skip
    if code:
        return code
    with Store(folder / "c.zip", CELL_COUNTS, CELL_COUNTS_VERSION) as store:
        return store.read("allele_count").tolist()


def test_stores_whose_samples_are_in_another_order_are_matched_by_name(tmp_path, monkeypatch):
    """Samples are in the order of each file; the cells are A, B and C, one person each."""
    monkeypatch.chdir(tmp_path)
    found = stores_by_hand(tmp_path, "x.vcz.zip", "y.vcz.zip", (2, 1, 0))
    assert found == [[2, 1, 0]]


@pytest.mark.parametrize("stores", [("x/a.vcz.zip", "y/b.vcz.zip"), ("x.vcz.zip", "y.zip")])
def test_of_a_store_that_lies_elsewhere_the_message_says_why_it_is_needed(
    tmp_path, monkeypatch, capfd, stores
):
    monkeypatch.chdir(tmp_path)
    assert stores_by_hand(tmp_path, *stores) == 3
    assert "beside" in capfd.readouterr().err


def test_a_substitution_cannot_stand_in_two_places(tmp_path):
    """Its only carrier is the same in both records, so it was said twice; an indel may be in both."""
    lines = [
        (2, HOMOPOLYMER[1], "G", "0/1", "0/0"),
        (1, HOMOPOLYMER[:2], HOMOPOLYMER[0] + "G", "0/1", "0/0"),
    ]
    lines.reverse()
    (figures,) = by_hand(tmp_path, lines)[0].values()
    assert figures == (1, 4, 0, 0)
