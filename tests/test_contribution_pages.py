"""What the preview of a contribution makes of counts, and how it says it."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from afpanel.constants import Sex
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.model.arrays import COUNTS
from afpanel.model.cohort import Cell
from afpanel.stages.cell_counts import CountsHead
from afpanel.stages.contribution import described_cells
from afpanel.stages.contribution_pages import preview_of
from afpanel.stages.contribution_sizes import SIZES, Sizes

CELLS = [Cell("KHV", Sex.UNKNOWN, 30, (12, 18, 0)), Cell("TAY", Sex.XY, 4)]


def counts(*rows: tuple) -> dict[str, np.ndarray]:
    """Tables of variants, of each a (AC, AN, homozygotes, hemizygotes) for each cell."""
    table = np.array(rows, np.int32)
    return {name: np.ascontiguousarray(table[:, :, at]) for at, name in enumerate(COUNTS)}


def variants(*alleles: tuple[int, str, str]) -> Variants:
    position, ref, alt = zip(*alleles, strict=True)
    return Variants(np.array(position, np.int32), Strings.of(ref), Strings.of(alt))


def preview(sizes: Sizes | None, **sharing: object) -> str:
    head = CountsHead("VN-1", "VN", CELLS, (("TAY", Sex.XX),), has_missing=True)
    told = {"populations_merged": False, "everybody": False, "regions_left_out": False}
    told["linkage"] = False
    limits = {"sexes": False, "min_cell_size": 3, "min_allele_count": 0, "min_variant_count": 0}
    part = {
        "contig": "chr1", "variants": 2, "masked_cells": 1, "allele_count": [3, 0],
        "allele_number": [100, 0], "refused_bases": 5, "callable_bases": 0, "track_runs": 0,
    }  # fmt: skip
    manifest = {
        "cohort": "VN-1",
        "country": "VN",
        "edition": 4,
        "people": 34,
        **described_cells(head),
        "has_missing": True,
        "reference": {"build": "GRCh38", "seqcol": "x" * 32},
        "evidence": "none",
        "sharing": told | limits | sharing,
        "parts": [part],
    }
    return preview_of(manifest, {"outcomes": {"as_is": 2, "star": 1}}, sizes, 7, None)


@pytest.fixture
def some() -> SimpleNamespace:
    """Variants that are masked, long, haploid, homozygous, and of nobody."""
    sizes = Sizes.none(2)
    alleles = variants((5, "A", "C"), (9, "A" * 25, "A"), (12, "G", "T"), (13, "G", "T"))
    tables = counts(
        [(-1, 58, -1, -1), (0, 8, 0, 0)],
        [(2, 60, 1, 0), (0, 0, 0, 0)],
        [(0, 60, 0, 0), (1, 4, 0, 1)],
        [(0, 60, 0, 0), (0, 8, 0, 0)],
    )
    sizes.look_at("chr1", alleles, tables)
    return SimpleNamespace(sizes=sizes, page=preview(sizes))


def test_one_person_with_two_copies_is_one_person_and_a_masked_count_is_none(
    some: SimpleNamespace,
) -> None:
    assert some.sizes.one_person == 2
    assert "one person alone carries, of all who are told of: 2." in some.page


def test_a_variant_is_said_in_words_group_by_group(some: SimpleNamespace) -> None:
    start = some.page.index("chr1:12 G to T")
    assert some.page[start:].splitlines()[:9] == [
        "chr1:12 G to T, 1 copy in all",
        "  KHV 12 XX+18 XY, 30 people: none of 60 copies read",
        "  TAY XY, 4 people: 1 of 4 copies read, in 1 person, 1 of whom on a single chromosome",
        "chr1:9 AAAAAAAAAAAAAAAAAAAA... (25 letters) to A, 2 copies in all",
        "  KHV 12 XX+18 XY, 30 people: 2 of 60 copies read, in 1 person, 1 of whom twice",
        "  TAY XY, 4 people: nobody could be read",
        "chr1:5 A to C, some of it masked",
        "  KHV 12 XX+18 XY, 30 people: masked, 58 copies read",
        "  TAY XY, 4 people: none of 8 copies read",
    ]
    assert "chr1:13" not in some.page  # nobody has it


def test_what_is_kept_back_is_said(some: SimpleNamespace) -> None:
    lines = [line.split() for line in some.page.splitlines()]
    assert ["smallest", "group", "4", "(TAY", "XY)"] in lines
    assert "Named, and nothing told of them, for they have too few people: TAY XX" in some.page
    assert "No metadata: the cohort is not described." in some.page
    masked = preview(some.sizes, min_allele_count=5, min_variant_count=3, regions_left_out=True)
    assert "(fewer than 5 copies of an allele)" in masked
    assert "(fewer than 3 copies in all or in regions left out)" in masked


def test_a_page_of_a_received_file_leaves_out_what_nobody_looked_at() -> None:
    page = preview(None)
    assert "How small the counts are" not in page
    assert "Variants as they leave" not in page
    assert "People, and all copies" in page


def test_sizes_are_those_of_a_plain_count_however_the_variants_come() -> None:
    rng = np.random.default_rng(11)
    n, cells = 700, 3
    copies = np.where(rng.random((n, cells)) < 0.1, -1, rng.geometric(0.2, (n, cells)) - 1)
    twice = np.where(copies < 0, -1, rng.binomial(np.maximum(copies, 0) // 2, 0.3))
    tables = {
        "allele_count": copies.astype(np.int32),
        "allele_number": np.full((n, cells), 80, np.int32),
        "homozygote_count": twice.astype(np.int32),
        "hemizygote_count": np.zeros((n, cells), np.int32),
    }
    alleles = variants(*((at + 1, "A", "C") for at in range(n)))
    sizes = Sizes.none(cells)
    bounds = [0, 1, 2, 50, 333, n]
    for first, last in itertools.pairwise(bounds):
        rows = np.arange(first, last)
        sizes.look_at("chr1", alleles.take(rows), {k: v[rows] for k, v in tables.items()})
    ranges = [(0, 0), (1, 1), (2, 2), (3, 5), (6, 10), (11, 10**9), (-1, -1)]
    assert len(ranges) == len(SIZES)
    for cell in range(cells):
        column = copies[:, cell].tolist()
        expected = [sum(low <= c <= high for c in column) for low, high in ranges]
        assert sizes.cells[cell].tolist() == expected
    whole = [at for at in range(n) if min(copies[at]) >= 0]
    alone = [at for at in whole if sum(copies[at]) - sum(twice[at]) == 1]
    assert sizes.one_person == len(alone) > 0
    for size, (low, high) in enumerate(ranges[1:-1], 1):
        first = next(at for at in whole if low <= sum(copies[at]) <= high)
        assert sizes.examples[size].position == first + 1
    assert sizes.examples[len(SIZES) - 1].position == 1 + next(
        at for at in range(n) if min(copies[at]) < 0
    )
