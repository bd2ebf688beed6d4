"""Rules that counts of people keep: those of any genotypes keep all, and each is broken by some edit."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.constants import Sex
from afpanel.core.callability import copies_per_cell, people_by_copies
from afpanel.core.calls import CallBlock
from afpanel.core.count_checks import Promise, impossible, unkept
from afpanel.core.counting import GenotypeFilter, count_block
from afpanel.core.group_counts import GROUP_TABLES
from afpanel.core.ploidy import Loci, sex_codes
from afpanel.core.withholding import Sharing, told_cells, told_tables
from afpanel.model.cohort import Cell, Sample, cells_of

Tables = dict[str, np.ndarray]
NOTHING_KEPT = Promise(0, 0, everybody=True)


def counted(seed: int) -> tuple[Tables, np.ndarray, list[Cell]]:
    """Counts of random genotypes at random kinds of place, with what each place is."""
    rng = np.random.default_rng(seed)
    records, people = int(rng.integers(1, 12)), int(rng.integers(1, 40))
    samples = [
        Sample(f"S{k}", str(rng.choice(["A", "B"])), Sex(str(rng.choice(["XX", "XY", "unknown"]))))
        for k in range(people)
    ]
    cells = cells_of(samples)
    order = [(cell.population, cell.sex) for cell in cells]
    cell = np.array([order.index((s.population, s.sex)) for s in samples], np.int32)
    genotype = rng.integers(0, 4, (records, people, 2)).astype(np.int8)
    genotype[rng.random(genotype.shape) < rng.choice([0, 0.1, 0.6])] = -1
    genotype[rng.random((records, people)) < rng.choice([0, 0.2]), 1] = -2
    fields = (rng.integers(-1, 60, (records, people)).astype(np.int16) for _ in range(3))
    loci = rng.integers(len(Loci), size=records).astype(np.int8)
    limits = GenotypeFilter(*(rng.choice([(0, 0, 0, 0), (20, 10, 5, 0.2)])))
    offsets = 4 * np.arange(records + 1, dtype=np.int64)
    sexes = sex_codes([sample.sex for sample in samples])
    counts = count_block(
        CallBlock(genotype, *fields), offsets, loci, sexes, cell, len(cells), limits
    )
    record = np.repeat(np.arange(records), 4)
    tables = {
        "allele_count": counts.allele_count,
        "allele_number": counts.allele_number[record],
        "homozygote_count": counts.homozygotes,
        "hemizygote_count": counts.hemizygotes,
        "single_allele_count": counts.single_allele_count,
        "single_allele_number": counts.single_allele_number[record],
        "raw_allele_count": counts.raw_allele_count.sum(axis=1, dtype=np.int32),
        "raw_allele_number": counts.raw_allele_number.sum(axis=1, dtype=np.int32)[record],
    }
    assert set(GROUP_TABLES) < set(tables)
    return tables, loci[record], cells


def broken(
    tables: Mapping[str, np.ndarray], loci: np.ndarray, cells: list[Cell], *, missing: bool = False
) -> list[str]:
    """The rules that some row breaks."""
    people = people_by_copies(loci, cells)
    return [rule for rule, rows in impossible(tables, *people, has_missing=missing) if rows.any()]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_counts_of_any_genotypes_keep_all_rules(seed: int) -> None:
    tables, loci, cells = counted(seed)
    assert broken(tables, loci, cells) == []
    assert [rule for rule, rows in unkept(tables, NOTHING_KEPT) if rows.any()] == []


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    sharing=st.builds(
        Sharing,
        merge=st.sampled_from([{}, {"C": ["A", "B"]}]),
        leave_out=st.just(()),
        sexes=st.booleans(),
        min_cell_size=st.integers(0, 6),
        min_allele_count=st.integers(0, 6),
        min_variant_count=st.integers(0, 4),
    ),
)
def test_what_is_told_of_any_genotypes_keeps_all_rules_and_promises(
    seed: int, sharing: Sharing
) -> None:
    """As `afpanel package` merges, masks and leaves out."""
    tables, loci, own = counted(seed)
    told = told_cells(own, sharing)
    if not told.cells:
        return
    shown = told_tables(tables, told, sharing.min_allele_count)
    copies = np.maximum(told.add(tables["allele_count"]), 0).sum(axis=1)
    listed = copies >= sharing.min_variant_count
    shown = {name: table[listed] for name, table in shown.items()}
    missing = not told.whole or sharing.min_allele_count > 1
    assert broken(shown, loci[listed], told.cells, missing=missing) == []
    promise = Promise(sharing.min_allele_count, sharing.min_variant_count, told.whole)
    assert [rule for rule, rows in unkept(shown, promise) if rows.any()] == []


@pytest.mark.parametrize("loci", list(Loci))
def test_people_by_copies_add_up_to_the_copies(loci: Loci) -> None:
    cells = [Cell("A", Sex.XX, 3), Cell("A", Sex.XY, 5), Cell("B", Sex.UNKNOWN, 10, (2, 7, 1))]
    place = np.array([loci], np.int8)
    present, diploid = people_by_copies(place, cells)
    np.testing.assert_array_equal(present + diploid, copies_per_cell(place, cells))
    assert (diploid <= present).all()


GOOD = {
    "allele_count": 5, "allele_number": 19, "homozygote_count": 1, "hemizygote_count": 0,
    "single_allele_count": 1, "single_allele_number": 3, "raw_allele_count": 6,
    "raw_allele_number": 20,
}  # fmt: skip
MASKED = dict.fromkeys(
    ("allele_count", "homozygote_count", "hemizygote_count", "single_allele_count",
     "raw_allele_count", "raw_allele_number"), -1,
)  # fmt: skip
INT32 = 2**31 - 1


def one_row(edit: Mapping[str, int]) -> Tables:
    """Counts of one cell at one place, with some of them altered."""
    return {
        name: np.array([value] if name.startswith("raw") else [[value]], np.int32)
        for name, value in (GOOD | edit).items()
    }


def rules_of(edit: Mapping[str, int], cell: Cell, *, missing: bool = False, place: Loci) -> str:
    return "; ".join(broken(one_row(edit), np.array([place], np.int8), [cell], missing=missing))


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        ({"allele_number": -1}, "a count is negative"),
        ({"single_allele_number": -1}, "a count is negative"),
        ({"hemizygote_count": -5}, "a count is negative"),
        ({"raw_allele_count": -2}, "a count is negative"),
        ({"allele_number": 23}, "more alleles are called than the people have copies"),
        ({"allele_number": 21, "single_allele_number": 5}, "more alleles are called than the people"),
        ({"allele_number": INT32}, "more alleles are called than the people have copies"),
        ({"allele_count": 20}, "AC is more than AN"),
        ({"homozygote_count": 3}, "more people are homozygous than AC allows"),
        ({"homozygote_count": INT32}, "more people are homozygous than AC allows"),
        ({"single_allele_count": 4}, "AC of people with one called allele is more than"),
        ({"single_allele_number": 0}, "AC of people with one called allele is more than"),
        ({"single_allele_number": 20}, "more alleles are alone in their person than are called"),
        ({"allele_number": 18}, "do not come in pairs"),
        ({"allele_count": 19}, "do not add up to AC and AN"),
        ({"hemizygote_count": 2}, "more haploid calls of ALT than calls of one allele"),
        ({"raw_allele_count": 4}, "are less than those after it"),
        ({"raw_allele_number": 18}, "are less than those after it"),
        ({"raw_allele_number": 23}, "cannot be those of the people"),
        ({"raw_allele_count": 21}, "cannot be those of the people"),
    ],
)  # fmt: skip
def test_each_rule_is_broken_by_some_edit(edit: dict[str, int], rule: str) -> None:
    cell = Cell("A", Sex.XX, 11)
    assert rules_of({}, cell, place=Loci.EVERYBODY_DIPLOID) == ""
    assert rule in rules_of(edit, cell, place=Loci.EVERYBODY_DIPLOID)


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        ({"homozygote_count": 1}, "AC is missing in a cell, and not all that follows from it"),
        ({"allele_count": 5}, "AC is told in a cell, and what goes with it is missing"),
        ({"raw_allele_count": 6}, "cannot be those of the people"),
        ({"raw_allele_count": 6, "raw_allele_number": 20}, "tell what a cell masks"),
    ],
)
def test_each_rule_of_masks_is_broken_by_some_edit(edit: dict[str, int], rule: str) -> None:
    cell, place = Cell("A", Sex.XX, 11), Loci.EVERYBODY_DIPLOID
    assert rules_of(MASKED, cell, missing=True, place=place) == ""
    assert "a count is negative" in rules_of(MASKED, cell, place=place)
    assert rule in rules_of(MASKED | edit, cell, missing=True, place=place)


@pytest.mark.parametrize(
    ("sex", "place"),
    [
        (Sex.XY, Loci.X_OUTSIDE_PAR),
        (Sex.XY, Loci.Y_OUTSIDE_PAR),
        (Sex.XX, Loci.Y_OUTSIDE_PAR),
        (Sex.XX, Loci.Y_IN_PAR),
        (Sex.UNKNOWN, Loci.X_OUTSIDE_PAR),
        (Sex.XX, Loci.MITOCHONDRIAL),
    ],
)
def test_pairs_of_alleles_are_refused_where_nobody_has_two(sex: Sex, place: Loci) -> None:
    """However many people there are."""
    found = rules_of({}, Cell("A", sex, 1000), place=place)
    assert "more alleles are called than the people have copies" in found


@pytest.mark.parametrize(
    ("edit", "promise", "rule"),
    [
        ({}, Promise(6, 0, everybody=True), "fewer copies of an allele"),
        (
            {"allele_count": 15, "raw_allele_count": 15},
            Promise(5, 0, everybody=True),
            "of an allele",
        ),
        ({}, Promise(2, 0, everybody=True), "before the genotype filter tell of fewer"),
        ({}, Promise(0, 6, everybody=True), "min_variant_count"),
        ({}, Promise(0, 0, everybody=False), "though not everybody is told of"),
    ],
)
def test_each_promise_is_broken_by_some_counts(
    edit: dict[str, int], promise: Promise, rule: str
) -> None:
    found = [rule for rule, rows in unkept(one_row(edit), promise) if rows.any()]
    assert any(rule in each for each in found)
    assert not any(rows.any() for _, rows in unkept(one_row(edit), NOTHING_KEPT))
