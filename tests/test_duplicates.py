"""One variant in several records: counted together or once, as an independent reading of the calls says."""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.builders import RICH_HEADERS, vcf_text, write_fasta, write_sheet, write_vcf
from tests.counts import Staged, run_stages
from tests.plain_duplicates import RAW, Cell, Figures, Plain, Variant, plain_results
from tests.repeated_variants import Cohort, cohort, write

from afpanel.constants import Flag, Outcome
from afpanel.core.counting import GenotypeFilter
from afpanel.io.reference import ReferencePaths
from afpanel.io.store import Store
from afpanel.model.arrays import COUNTS
from afpanel.model.region import OPEN_END, Region
from afpanel.stages import count_merged, duplicates
from afpanel.stages.allele_map import ALLELES, ALLELES_VERSION
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION
from afpanel.stages.count import CountOptions, count
from afpanel.stages.harmonize import HarmonizeOptions, harmonize
from afpanel.stages.ingest import Target, ingest

WHOLE = [Region("chr1", 0, OPEN_END), Region("X", 0, OPEN_END)]
NO_FILTER = GenotypeFilter()
FILTERS = {
    "none": NO_FILTER,
    "as in gnomAD": GenotypeFilter(min_gq=20, min_dp=10, min_dp_haploid=5, min_ab=0.2),
    "quality alone": GenotypeFilter(min_gq=20),
    "no half calls": GenotypeFilter(min_dp=9, min_dp_haploid=20, half_calls_missing=True),
}


def stage(
    made: Cohort,
    folder: Path,
    regions: Sequence[Region] = WHOLE,
    wanted: GenotypeFilter = NO_FILTER,
    chunk: int | None = None,
) -> Staged:
    folder.mkdir()
    vcf, sheet, fasta = write(made, folder)
    return run_stages(
        vcf, sheet, fasta, regions, folder, genotype_filter=wanted, chunk=chunk, max_ref_mismatch=1
    )


def figures(found: Staged) -> dict[Variant, dict[Cell, Figures]]:
    """The counts of every variant by cell, and those of everybody before the filter."""
    tables = np.array([*found.figures.values(), *found.single.values()])
    raw = np.array([*found.raw.values()])
    cells = [(population, sex) for population, sex, _ in found.cells]
    return {
        variant: dict(zip(cells, map(tuple, tables[:, row].T.tolist()), strict=True))
        | {RAW: tuple(raw[:, row].tolist())}
        for row, variant in enumerate(found.variants)
    }


def fates(folder: Path) -> list[tuple[int, str]]:
    """What the allele map says of every source allele, in the order of the file."""
    with Store(folder / "alleles.zip", ALLELES, ALLELES_VERSION) as store:
        names = ("index", "outcome", "flags")
        columns = [store.read(f"allele_{name}").tolist() for name in names]
    return [
        (index, "merged" if flags & Flag.MERGED else Outcome(code).name.lower())
        for index, code, flags in zip(*columns, strict=True)
    ]


def check(found: Staged, folder: Path, expected: Plain) -> None:
    assert fates(folder) == expected.fates
    assert figures(found) == expected.figures
    became = Counter(fate for _, fate in expected.fates)
    assert found.outcomes.total() == became.total()
    merged = sum(n for label, n in found.outcomes.items() if "merged" in label.split("+"))
    assert merged == became["merged"]
    for reason in ("duplicate", "star", "symbolic"):
        assert found.outcomes[reason] == became[reason]


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("seed", range(2))
def test_every_variant_of_several_records_has_the_figures_of_a_plain_reading(
    tmp_path: Path, seed: int, wanted: GenotypeFilter
) -> None:
    made = cohort(seed, sites=60)
    expected = plain_results(made.lines, made.bases, made.people, wanted)
    assert len(expected.reasons) == 4
    assert min(expected.reasons.values()) > 1
    check(stage(made, tmp_path / "a", wanted=wanted), tmp_path / "a", expected)


def cut(draw: random.Random, made: Cohort, n: int) -> list[Region]:
    """Cut each contig into `n` regions, between records that may be of one variant."""
    regions = []
    for contig in made.bases:
        places = sorted({line.position for line in made.lines if line.contig == contig})
        near = [p for p, following in pairwise(places) if following - p <= 12]
        ends = [*sorted(draw.sample(near, n - 1)), OPEN_END]
        starts = [0, *(end + 1 for end in ends[:-1])]
        regions += [Region(contig, *span) for span in zip(starts, ends, strict=True)]
    return regions


@pytest.mark.parametrize(("n_parts", "chunk"), [(1, 1), (1, 5), (2, None), (4, 1), (10, 2)])
def test_neither_partitions_nor_chunks_change_what_becomes_of_duplicates(
    tmp_path: Path, n_parts: int, chunk: int | None
) -> None:
    made = cohort(seed=7, sites=25)
    wanted = FILTERS["as in gnomAD"]
    expected = plain_results(made.lines, made.bases, made.people, wanted)
    regions = cut(random.Random(2), made, n_parts)
    check(stage(made, tmp_path / "a", regions, wanted, chunk), tmp_path / "a", expected)
    with Store(tmp_path / "a/alleles.zip", ALLELES, ALLELES_VERSION) as store:
        offsets, leader, partition = (
            store.read(name) for name in ("partition_offset", "merged_into", "merged_partition")
        )
    elsewhere = np.searchsorted(offsets, leader, side="right") - 1 != partition
    assert elsewhere.any() or n_parts <= 2


@pytest.mark.parametrize("calls", [1, 200])
def test_the_size_of_batches_changes_nothing(
    tmp_path: Path, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "_CALLS_AT_A_TIME", calls)
    monkeypatch.setattr(count_merged, "_CALLS_AT_A_TIME", calls)
    made = cohort(seed=9, sites=30)
    wanted = FILTERS["as in gnomAD"]
    expected = plain_results(made.lines, made.bases, made.people, wanted)
    regions = cut(random.Random(1), made, 4)
    check(stage(made, tmp_path / "a", regions, wanted, 3), tmp_path / "a", expected)


#                0        1
#                12345678901234567890
HOMOPOLYMER = "ACGTCGTTTTTTCAGCATGCA"
FIRST = (6, "GT", "G")
"""A deletion of T, in its canonical form and in others."""
IN_THE_MIDDLE, LAST, LONG = (9, "TT", "T"), (12, "TC", "C"), (5, "CGT", "CG")


def by_hand(
    folder: Path, lines: Sequence[tuple], *, bases: str = HOMOPOLYMER, **options: object
) -> tuple[dict, dict[str, int]]:
    """Counts of a few records, everybody in one cell, and the outcomes."""
    names = [f"P{i}" for i in range(len(lines[0]) - 3)]
    records = [("chr1", *line) for line in sorted(lines, key=lambda line: line[0])]
    fasta = write_fasta(folder / "ref.fa", {"chr1": bases})
    vcf = write_vcf(folder / "a.vcf", vcf_text(names, records))
    sheet = write_sheet(folder / "sheet.tsv", [(name, "P", "XX") for name in names])
    found = run_stages(vcf, sheet, fasta, [Region.parse("chr1")], folder, **options)
    columns = [found.figures[name][:, 0].tolist() for name in COUNTS]
    rows = zip(*columns, strict=True)
    return dict(zip([v[1:] for v in found.variants], rows, strict=True)), dict(found.outcomes)


MERGED, TWICE = {"as_is": 1, "left_aligned+merged": 1}, {"as_is": 1, "duplicate": 1}


@pytest.mark.parametrize(
    ("lines", "figures", "outcomes"),
    [
        pytest.param(
            [(*FIRST, "0/1", "0/0", "0/0"), (*IN_THE_MIDDLE, "0/1", "0/1", "0/0")],
            (3, 6, 1, 0), MERGED, id="somebody has one copy in each",
        ),
        pytest.param(
            [(*FIRST, "0/1", "0/0", "0/0"), (*IN_THE_MIDDLE, "1/0", "0/0", "0/0")],
            (2, 6, 1, 0), MERGED, id="the only carrier has one in each",
        ),
        pytest.param(
            [(*FIRST, "0/1", "1/1", "0/0"), (*IN_THE_MIDDLE, "0/0", "0/0", "1/1")],
            (5, 6, 2, 0), MERGED, id="carriers of each alone",
        ),
        pytest.param(
            [(*FIRST, "0/1", "./.", "0/0"), (*IN_THE_MIDDLE, "./.", "0/1", "0/.")],
            (2, 6, 0, 0), MERGED, id="one record has the calls that the other lacks",
        ),
        pytest.param(
            [(*FIRST, "0/1", "0/.", "1"), (*IN_THE_MIDDLE, "0/0", "1", "0")],
            (3, 4, 0, 2), MERGED, id="half calls, and calls of one allele",
        ),
        pytest.param(
            [(*FIRST, "0/1", "0/0", "0/0"), (*FIRST, "0/1", "0/0", "0/0")],
            (1, 6, 0, 0), TWICE, id="a line twice",
        ),
        pytest.param(
            [(*FIRST, "0/1", "0/0", "0/0"), (*FIRST, "0/0", "0/1", "0/1")],
            (1, 6, 0, 0), TWICE, id="one spelling, and calls that differ: the first of equal ones",
        ),
        pytest.param(
            [(*FIRST, "0/1", "./.", "0/0"), (*FIRST, "0/0", "0/1", "0/1")],
            (2, 6, 0, 0), TWICE, id="one spelling: the record with more calls",
        ),
        pytest.param(
            [(*FIRST, "0/1", "0/.", "0/0"), (*FIRST, "0/0", "0", "0/1")],
            (1, 5, 0, 0), TWICE, id="one spelling, and equally many alleles called",
        ),
        pytest.param(
            [(*FIRST, "0/1", "./.", "./."), (*FIRST, "./.", "1/1", "0/0")],
            (3, 6, 1, 0), {"as_is": 1, "merged": 1}, id="one spelling, of other people each",
        ),
        pytest.param(
            [(*FIRST, "0/1", "1/0", "0/0"), (*IN_THE_MIDDLE, "1/0", "0/1", "./.")],
            (2, 6, 0, 0), TWICE, id="the same two carriers",
        ),
        pytest.param(
            [(*FIRST, "1/1", "0/0", "./."), (*IN_THE_MIDDLE, "0/1", "0/0", "0/1")],
            (2, 6, 0, 0), {"left_aligned": 1, "duplicate": 1}, id="three copies of somebody",
        ),
        pytest.param(
            [(*FIRST, "1/.", "0/0", "0/0"), (*IN_THE_MIDDLE, "./1", "0/1", "0/0")],
            (1, 5, 0, 0), TWICE, id="two half calls of one allele each",
        ),
        pytest.param(
            [(*FIRST, "0/1", "0/0", "0/0"), (*IN_THE_MIDDLE, "0/0", "0/1", "0/0"),
             (*LAST, "0/1", "0/0", "./."), (*LONG, "0/0", "0/0", "1/1")],
            (5, 6, 2, 0), {"trimmed": 1, "merged": 1, "left_aligned+merged": 2},
            id="four spellings",
        ),
        pytest.param(
            [(*FIRST, "0/1", "0/0", "0/0"), (*FIRST, "0/1", "0/0", "0/0"),
             (*LAST, "0/0", "0/1", "0/0")],
            (1, 6, 0, 0), {"as_is": 1, "duplicate": 2}, id="a line twice beside another spelling",
        ),
    ],
)  # fmt: skip
def test_a_deletion_in_several_records_is_counted_once_for_every_copy(
    tmp_path: Path, lines: list, figures: tuple, outcomes: dict
) -> None:
    assert by_hand(tmp_path, lines) == ({FIRST: figures}, outcomes)


@pytest.mark.parametrize(
    ("swapped", "straight", "ac", "an", "hom", "outcomes"),
    [
        (("0/1", "1/1", "1/1"), ("0/0", "0/1", "0/0"), 2, 6, 0, {"swapped": 1, "merged": 1}),
        (("0/1", "1/1", "1/1"), ("0/1", "0/0", "0/1"), 3, 6, 1, {"swapped": 1, "merged": 1}),
        (("0/0", "1/1", "1/."), ("0/0", "./.", "0/1"), 3, 6, 1, {"swapped": 1, "merged": 1}),
        (("0/0", "1/1", "1/1"), ("0/1", "0/0", "0/1"), 2, 6, 1, {"swapped": 1, "duplicate": 1}),
        (("0/1", "0/1", "1/1"), ("0/1", "0/1", "0/0"), 2, 6, 0, {"swapped": 1, "duplicate": 1}),
        (("0/1", "0/1", "./."), ("0/1", "0/1", "0/0"), 2, 6, 0, {"as_is": 1, "duplicate": 1}),
    ],
)
def test_a_swapped_record_and_a_straight_one_of_one_site_are_one_variant(
    tmp_path: Path, swapped: tuple, straight: tuple, ac: int, an: int, hom: int, outcomes: dict
) -> None:
    """Of the swapped one, the copies of its REF are the variant's."""
    lines = [(14, "G", "A", *swapped), (14, "A", "G", *straight)]
    found = by_hand(tmp_path, lines, max_ref_mismatch=1, resolve=("swap",))
    assert found == ({(14, "A", "G"): (ac, an, hom, 0)}, outcomes)


def test_of_two_calls_of_somebody_each_must_pass_the_filter_by_itself(tmp_path: Path) -> None:
    people = ("one", "other", "neither", "both", "carrier", "lacking", "halves")
    first = ("0/1:50", "0/1:5", "0/1:5", "0/1:20", "1/1:50", "0/1:.", "0/0:5")
    second = ("0/1:5", "0/1:50", "0/1:19", "0/1:99", "0/0:5", "0/0:50", "1/.:50")
    third = ("./.:50", "0/0:5", "0/0:5", "0/0:50", "0/0:50", "0/0:5", "./1:50")
    forms = (LONG, FIRST, LAST)
    lines = [
        ("chr1", *form, "PASS", "GT:GQ", *calls)
        for form, calls in zip(forms, (third, first, second), strict=True)
    ]
    vcf = write_vcf(tmp_path / "a.vcf", vcf_text(people, lines, headers=RICH_HEADERS))
    sheet = write_sheet(tmp_path / "sheet.tsv", [(who, who, "XX") for who in people])
    fasta = write_fasta(tmp_path / "ref.fa", {"chr1": HOMOPOLYMER})
    wanted = FILTERS["quality alone"]
    found = run_stages(vcf, sheet, fasta, WHOLE[:1], tmp_path, genotype_filter=wanted)
    expected = {
        "one": (1, 2, 0, 0, 0, 0),
        "other": (1, 2, 0, 0, 0, 0),
        "neither": (0, 0, 0, 0, 0, 0),
        "both": (2, 2, 1, 0, 0, 0),
        "carrier": (2, 2, 1, 0, 0, 0),
        "lacking": (0, 2, 0, 0, 0, 0),
        "halves": (2, 2, 1, 0, 0, 0),  # each half call that passes may be of another copy
    }
    rows = {(p, "XX"): row for p, row in expected.items()}
    assert figures(found) == {("chr1", *FIRST): rows | {RAW: (13, 14)}}


@pytest.mark.parametrize("names", [("v", "c"), ("z.00000", "z"), ("p", "zip")])
def test_the_store_of_another_partition_is_found_whatever_its_name(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    """Each name is also part of the ending that stores have."""
    records = [("chr1", *FIRST, "0/1", "0/0", "0/0"), ("chr1", *LAST, "0/1", "0/1", "0/0")]
    vcf = write_vcf(tmp_path / "a.vcf", vcf_text(["P0", "P1", "P2"], records))
    sheet = write_sheet(tmp_path / "sheet.tsv", [(f"P{i}", "P", "XX") for i in range(3)])
    fasta = write_fasta(tmp_path / "ref.fa", {"chr1": HOMOPOLYMER})
    regions = [Region("chr1", 0, 10), Region("chr1", 11, OPEN_END)]
    stores = [tmp_path / f"{name}.vcz.zip" for name in names]
    alleles, out = tmp_path / "alleles.zip", tmp_path / "out.zip"
    ingest(vcf, sheet, [Target(*each) for each in zip(regions, stores, strict=True)])
    options = HarmonizeOptions("Test")
    harmonize(stores, ReferencePaths.find(fasta), alleles, tmp_path / "summary.json", options)
    count(stores[0], alleles, sheet, out, CountOptions("Test", "ZZ", "GRCh38", NO_FILTER))
    with Store(out, CELL_COUNTS, CELL_COUNTS_VERSION) as counts:
        assert counts.read("allele_count").tolist() == [[3]]


def test_hundreds_of_duplicates_of_thousands_of_people_are_counted_cell_by_cell(
    tmp_path: Path,
) -> None:
    """Every deletion has two records: which hold other carriers, or say the same twice."""
    n, sites, pad = 3_000, 120, 20
    rng = np.random.default_rng(5)
    bases = "".join("".join(rng.choice(list("ACG"), pad)) + "TTTTTT" for _ in range(sites))
    places = pad + (pad + 6) * np.arange(sites)  # POS of the base before each homopolymer
    copies = rng.choice(3, (sites, n), p=[0.9, 0.07, 0.03])
    in_first = rng.binomial(copies, 0.5)
    twice = np.arange(sites) % 4 == 3
    in_first[twice] = copies[twice]
    in_second = np.where(twice[:, None], copies, copies - in_first)
    gt = np.array(["0/0", "0/1", "1/1"])
    records = []
    for site, place in enumerate(places.tolist()):
        before = bases[place - 1]
        records.append(("chr1", place, f"{before}T", before, *gt[in_first[site]]))
        records.append(("chr1", place + 3, "TT", "T", *gt[in_second[site]]))
    names = [f"P{i}" for i in range(n)]
    populations = rng.choice(list("ABCDE"), n)
    vcf = write_vcf(tmp_path / "a.vcf", vcf_text(names, records))
    rows = [(name, population, "XX") for name, population in zip(names, populations, strict=True)]
    sheet = write_sheet(tmp_path / "sheet.tsv", rows)
    fasta = write_fasta(tmp_path / "ref.fa", {"chr1": bases})
    found = run_stages(vcf, sheet, fasta, WHOLE[:1], tmp_path)
    assert found.outcomes == {
        "as_is": sites, "left_aligned+merged": sites * 3 // 4, "duplicate": sites // 4,
    }  # fmt: skip
    for column, (population, _, people) in enumerate(found.cells):
        own = copies[:, populations == population]
        assert own.shape[1] == people
        assert (found.figures["allele_count"][:, column] == own.sum(axis=1)).all()
        assert (found.figures["homozygote_count"][:, column] == (own == 2).sum(axis=1)).all()
        assert (found.figures["allele_number"][:, column] == 2 * people).all()
