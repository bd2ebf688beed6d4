"""Counting against scikit-allel, against a slow oracle written from the definitions, and by property."""

import itertools
from dataclasses import dataclass, fields, replace

import allel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from afpanel.constants import ContigKind, Sex
from afpanel.core.calls import CallBlock
from afpanel.core.counting import Counts, GenotypeFilter, count_block
from afpanel.core.ploidy import loci_of, sex_codes

SETTINGS = settings(max_examples=120, deadline=None, derandomize=True)
OFF = GenotypeFilter()
GNOMAD = GenotypeFilter(min_gq=20, min_dp=10, min_dp_haploid=5, min_ab=0.2)

AUTOSOME = (ContigKind.AUTOSOME, 1)
X_IN_PAR = (ContigKind.X, 2_781_479)
X = (ContigKind.X, 2_781_480)
Y_IN_PAR = (ContigKind.Y, 10_001)
Y = (ContigKind.Y, 10_000)
MT = (ContigKind.MT, 16_000)
PLACES = (AUTOSOME, X_IN_PAR, X, Y_IN_PAR, Y, MT)
SEXES = (Sex.XX, Sex.XY, Sex.UNKNOWN)

Place = tuple[ContigKind, int]


@dataclass(frozen=True)
class Case:
    """Everything that a count depends on, in the terms of the definitions."""

    calls: list[list[tuple[int, ...]]]
    n_alleles: list[int]
    places: list[Place]
    sexes: list[Sex]
    cells: list[int]
    gq: list[list[int]] | None = None
    dp: list[list[int]] | None = None
    het_alt_ad: list[list[int]] | None = None

    @property
    def n_cells(self) -> int:
        return max([*self.cells, 0]) + 1


def count(
    case: Case, genotype_filter: GenotypeFilter = OFF, dtype: type[np.integer] = np.int8
) -> Counts:
    """Run the code under test on a case."""
    samples = len(case.sexes)

    def field(values: list[list[int]] | None) -> NDArray[np.int16] | None:
        return (
            None if values is None else np.array(values, np.int16).reshape(len(case.calls), samples)
        )

    width = len(case.calls[0][0]) if case.calls and case.calls[0] else 2
    genotype = np.array(case.calls, dtype).reshape(len(case.calls), samples, width)
    loci = [loci_of(kind, "GRCh38", np.array([at], np.int32)) for kind, at in case.places]
    return count_block(
        CallBlock(genotype, field(case.gq), field(case.dp), field(case.het_alt_ad)),
        np.cumsum([0, *case.n_alleles], dtype=np.int64),
        np.concatenate([np.empty(0, np.int8), *loci]).astype(np.int8),
        sex_codes(case.sexes),
        np.array(case.cells, np.int32),
        case.n_cells,
        genotype_filter,
    )


# ---------------------------------------------------------------------------------------------
# The slow oracle, a sentence of the definitions at a time


def in_par(place: Place) -> bool:
    """GRCh38 X 10001-2781479 and 155701383-156030895, Y 10001-2781479 and 56887903-57217415."""
    kind, at = place
    regions = {
        ContigKind.X: ((10_001, 2_781_479), (155_701_383, 156_030_895)),
        ContigKind.Y: ((10_001, 2_781_479), (56_887_903, 57_217_415)),
    }
    return any(start <= at <= end for start, end in regions[kind])


def copies_of(place: Place, sex: Sex) -> int:
    """How many copies of the place somebody has, or 0 where their calls are not counted."""
    kind, _ = place
    if kind == ContigKind.AUTOSOME:
        return 2
    if kind == ContigKind.MT:
        return 1
    if kind == ContigKind.X and in_par(place):
        return 2
    if kind == ContigKind.X:
        return {Sex.XX: 2, Sex.XY: 1, Sex.UNKNOWN: 0}[sex]
    if sex != Sex.XY:  # XX on Y: missing, PAR or not
        return 0
    return 2 if in_par(place) else 1


def alleles_of(
    call: tuple[int, ...], copies: int, *, half_calls_missing: bool
) -> tuple[list[int], str]:
    """The alleles that a call counts for, and whether they make a homozygote or a hemizygote."""
    named = [allele for allele in call if allele >= 0]
    written_haploid = len(call) == 1 or call[1] == -2
    if copies == 0 or not named:
        return [], ""
    if copies == 1 or written_haploid:
        # 1 as it is; 1/1 and a padded 1/. are haploid; a heterozygote is missing.
        return (named[:1], "hemi") if len(set(named)) == 1 else ([], "")
    if len(named) == 1:
        return ([], "") if half_calls_missing else (named, "")
    return named, "hom" if named[0] == named[1] else "het"


def passes(
    kind: str, gq: int | None, dp: int | None, alt_ad: int | None, wanted: GenotypeFilter
) -> bool:
    """The genotype filter; None is a field that the file lacks, -1 a value that the call lacks."""
    if gq is not None and wanted.min_gq and (gq == -1 or gq < wanted.min_gq):
        return False
    least = wanted.min_dp_haploid if kind == "hemi" else wanted.min_dp
    if dp is not None and least and (dp == -1 or dp < least):
        return False
    if kind == "het" and wanted.min_ab and dp is not None and alt_ad is not None:
        return dp > 0 and alt_ad >= 0 and alt_ad / dp >= wanted.min_ab
    return True


def slow_count(case: Case, wanted: GenotypeFilter) -> Counts:
    """Count call by call, with the filter and, for the raw counts, without its thresholds."""
    ac, hom, hemi, alone, an, single = slow_tables(case, wanted)
    raw = GenotypeFilter(half_calls_missing=wanted.half_calls_missing)
    raw_ac, _, _, _, raw_an, _ = slow_tables(case, raw)
    return Counts(ac, hom, hemi, alone, an, single, raw_ac, raw_an)


def slow_tables(case: Case, wanted: GenotypeFilter) -> tuple[NDArray[np.int32], ...]:
    offsets = [sum(case.n_alleles[:record]) for record in range(len(case.calls))]
    shape = (sum(case.n_alleles), case.n_cells)
    ac, hom, hemi, alone = (np.zeros(shape, np.int32) for _ in range(4))
    an, single = (np.zeros((len(case.calls), case.n_cells), np.int32) for _ in range(2))

    def value(field: list[list[int]] | None, record: int, sample: int) -> int | None:
        return None if field is None else field[record][sample]

    for record, calls in enumerate(case.calls):
        for sample, call in enumerate(calls):
            cell = case.cells[sample]
            copies = copies_of(case.places[record], case.sexes[sample])
            alleles, kind = alleles_of(call, copies, half_calls_missing=wanted.half_calls_missing)
            quality = (value(f, record, sample) for f in (case.gq, case.dp, case.het_alt_ad))
            if cell < 0 or not alleles or not passes(kind, *quality, wanted):
                continue
            for allele in alleles:
                ac[offsets[record] + allele, cell] += 1
                an[record, cell] += 1
            if kind == "hom":
                hom[offsets[record] + alleles[0], cell] += 1
            if kind == "hemi":
                hemi[offsets[record] + alleles[0], cell] += 1
            if len(alleles) == 1:
                alone[offsets[record] + alleles[0], cell] += 1
            single[record, cell] += len(alleles) == 1
    return ac, hom, hemi, alone, an, single


TABLES = [field.name for field in fields(Counts)]


def assert_equal(ours: Counts, theirs: Counts) -> None:
    for name in TABLES:
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


@st.composite
def cases(draw: st.DrawFn, *, widths: tuple[int, ...] = (2, 2, 2, 1)) -> Case:
    """Any block: every kind of call, of place and of sex, with any of the fields."""
    records, samples = draw(st.integers(0, 5)), draw(st.integers(0, 7))
    width = draw(st.sampled_from(widths))
    n_alleles = draw(st.lists(st.integers(1, 12), min_size=records, max_size=records))

    def call(highest: int) -> st.SearchStrategy[tuple[int, ...]]:
        allele = st.integers(0, min(2, highest)) | st.integers(0, highest) | st.just(-1)
        if width == 1:
            return st.tuples(allele)
        return st.tuples(allele, allele | st.just(-2))

    def table(value: st.SearchStrategy[int]) -> list[list[int]]:
        row = st.lists(value, min_size=samples, max_size=samples)
        return draw(st.lists(row, min_size=records, max_size=records))

    def maybe(value: st.SearchStrategy[int]) -> list[list[int]] | None:
        return table(value) if draw(st.booleans()) else None

    calls = [draw(st.lists(call(n - 1), min_size=samples, max_size=samples)) for n in n_alleles]
    per_sample = {"min_size": samples, "max_size": samples}
    return Case(
        calls,
        n_alleles,
        draw(st.lists(st.sampled_from(PLACES), min_size=records, max_size=records)),
        draw(st.lists(st.sampled_from(SEXES), **per_sample)),
        draw(st.lists(st.integers(-1, 3), **per_sample)),
        gq=maybe(st.sampled_from([-1, 0, 19, 20, 21, 99, 32_767])),
        dp=maybe(st.sampled_from([-1, 0, 1, 4, 5, 9, 10, 11, 32_767])),
        het_alt_ad=maybe(st.sampled_from([-1, 0, 1, 2, 3, 6_553, 6_554])),
    )


FILTERS = st.builds(
    GenotypeFilter,
    min_gq=st.sampled_from([0, 1, 20]),
    min_dp=st.sampled_from([0, 10]),
    min_dp_haploid=st.sampled_from([0, 5]),
    min_ab=st.sampled_from([0.0, 0.2, 0.25, 1.0]),
    half_calls_missing=st.booleans(),
)


@SETTINGS
@given(cases(), FILTERS)
def test_every_kind_of_call_counts_as_the_definitions_say(
    case: Case, genotype_filter: GenotypeFilter
) -> None:
    assert_equal(count(case, genotype_filter), slow_count(case, genotype_filter))


@pytest.mark.parametrize("samples", [31, 32, 33, 63, 64, 65, 96, 130])
@pytest.mark.parametrize("n_cells", [1, 3, 40])
def test_many_people_with_mostly_plain_calls_count_as_the_definitions_say(
    samples: int, n_cells: int
) -> None:
    """Counting goes by words of 32 people, and by single calls at what is not plain."""
    rng = np.random.default_rng(samples * n_cells)
    records = 40
    n_alleles = rng.integers(1, 4, records)
    frequency = rng.choice([0.0, 0.01, 0.1, 0.5], records)[:, None, None]
    shape = (records, samples, 2)
    alt = rng.integers(1, np.maximum(2, n_alleles)[:, None, None], shape)
    calls = np.where(rng.random(shape) < frequency, alt, 0) * (n_alleles > 1)[:, None, None]
    odd = rng.random(shape) < rng.choice([0.0, 0.02, 0.3], records)[:, None, None]
    calls = np.where(odd, rng.choice([-1, -2], shape) * [1, 1], calls)
    calls[..., 0] = np.maximum(calls[..., 0], -1)  # -2 comes after an allele only
    case = Case(
        [[tuple(call) for call in row] for row in calls.tolist()],
        n_alleles.tolist(),
        [PLACES[i] for i in rng.choice(len(PLACES), records, p=[0.5, *[0.1] * 5])],
        [SEXES[i] for i in rng.integers(0, 3, samples)],
        rng.integers(-1, n_cells, samples).tolist(),
        gq=rng.choice([-1, 0, 19, 20, 99, 99, 99], shape[:2]).tolist(),
        dp=rng.choice([-1, 0, 4, 9, 10, 30, 30, 30], shape[:2]).tolist(),
        het_alt_ad=rng.choice([-1, 0, 1, 2, 5, 6, 15, 15], shape[:2]).tolist(),
    )
    wide = GenotypeFilter(min_gq=40_000, min_dp=40_000, min_dp_haploid=5)
    for wanted in (OFF, GNOMAD, replace(GNOMAD, half_calls_missing=True), wide):
        assert_equal(count(case, wanted), slow_count(case, wanted))
    for gone in ("gq", "dp", "het_alt_ad"):
        part = replace(case, **{gone: None})
        assert_equal(count(part, GNOMAD), slow_count(part, GNOMAD))


def test_an_allele_that_the_record_does_not_have_is_an_error() -> None:
    for sample in (0, 5, 33, 64):
        for allele in (1, 2):
            calls = [[(0, 0)] * 70, [(0, 0)] * 70]
            calls[1][sample] = (0, allele)
            case = Case(calls, [2, allele], [AUTOSOME] * 2, [Sex.XX] * 70, [0] * 70)
            with pytest.raises(ValueError, match="record 1 names an allele"):
                count(case)


@pytest.mark.parametrize("half_calls_missing", [False, True])
def test_every_combination_of_call_place_and_sex_counts_as_the_definitions_say(
    half_calls_missing: bool,
) -> None:
    calls = [(a, b) for a in (-1, 0, 1, 2) for b in (-2, -1, 0, 1, 2)]
    people = [(call, sex) for sex in SEXES for call in calls]
    case = Case(
        calls=[[call for call, _ in people] for _ in PLACES],
        n_alleles=[3] * len(PLACES),
        places=list(PLACES),
        sexes=[sex for _, sex in people],
        cells=list(range(len(people))),  # each alone, so that nothing can cancel out
    )
    wanted = replace(OFF, half_calls_missing=half_calls_missing)
    assert_equal(count(case, wanted), slow_count(case, wanted))


# ---------------------------------------------------------------------------------------------
# Worked examples: what the table of the definitions says, in figures

AN, AC1, HOM1, HEMI1 = "AN", "AC of allele 1", "homozygotes", "hemizygotes"


@pytest.mark.parametrize(
    ("call", "place", "sex", "figures"),
    [
        ((0, 0), AUTOSOME, Sex.XX, (2, 0, 0, 0)),
        ((0, 1), AUTOSOME, Sex.XX, (2, 1, 0, 0)),
        ((1, 1), AUTOSOME, Sex.UNKNOWN, (2, 2, 1, 0)),
        ((1, 2), AUTOSOME, Sex.XX, (2, 1, 0, 0)),
        ((2, 2), AUTOSOME, Sex.XX, (2, 0, 0, 0)),
        ((1, -1), AUTOSOME, Sex.XX, (1, 1, 0, 0)),
        ((-1, 0), AUTOSOME, Sex.XX, (1, 0, 0, 0)),
        ((-1, -1), AUTOSOME, Sex.XX, (0, 0, 0, 0)),
        ((-1, -2), AUTOSOME, Sex.XX, (0, 0, 0, 0)),
        ((1, -2), AUTOSOME, Sex.XX, (1, 1, 0, 1)),
        ((1,), AUTOSOME, Sex.XX, (1, 1, 0, 1)),
        ((0, 1), X, Sex.XY, (0, 0, 0, 0)),
        ((1, 1), X, Sex.XY, (1, 1, 0, 1)),
        ((0, 0), X, Sex.XY, (1, 0, 0, 0)),
        ((1, -1), X, Sex.XY, (1, 1, 0, 1)),
        ((1, -2), X, Sex.XY, (1, 1, 0, 1)),
        ((1,), X, Sex.XY, (1, 1, 0, 1)),
        ((0, 1), X, Sex.XX, (2, 1, 0, 0)),
        ((1, 1), X, Sex.XX, (2, 2, 1, 0)),
        ((1, 1), X, Sex.UNKNOWN, (0, 0, 0, 0)),
        ((1, -2), X, Sex.UNKNOWN, (0, 0, 0, 0)),
        ((0, 1), X_IN_PAR, Sex.XY, (2, 1, 0, 0)),
        ((1, 1), X_IN_PAR, Sex.XY, (2, 2, 1, 0)),
        ((0, 1), X_IN_PAR, Sex.UNKNOWN, (2, 1, 0, 0)),
        ((1, 1), Y, Sex.XY, (1, 1, 0, 1)),
        ((0, 1), Y, Sex.XY, (0, 0, 0, 0)),
        ((1, 1), Y, Sex.XX, (0, 0, 0, 0)),
        ((1, -2), Y, Sex.UNKNOWN, (0, 0, 0, 0)),
        ((1, 1), Y_IN_PAR, Sex.XX, (0, 0, 0, 0)),
        ((1, 1), Y_IN_PAR, Sex.XY, (2, 2, 1, 0)),
        ((1, 1), MT, Sex.XX, (1, 1, 0, 1)),
        ((0, 1), MT, Sex.XY, (0, 0, 0, 0)),
        ((1, -2), MT, Sex.UNKNOWN, (1, 1, 0, 1)),
    ],
)
def test_a_call_gives_the_figures_of_the_definitions(
    call: tuple[int, ...], place: Place, sex: Sex, figures: tuple[int, ...]
) -> None:
    counts = count(Case([[call]], [3], [place], [sex], [0]))
    found = {
        AN: counts.allele_number[0, 0],
        AC1: counts.allele_count[1, 0],
        HOM1: counts.homozygotes[1, 0],
        HEMI1: counts.hemizygotes[1, 0],
    }
    assert found == dict(zip((AN, AC1, HOM1, HEMI1), figures, strict=True))


@pytest.mark.parametrize(
    ("call", "place", "gq", "dp", "het_alt_ad", "alleles"),
    [
        ((0, 0), AUTOSOME, 20, 10, -1, 2),
        ((0, 0), AUTOSOME, 19, 10, -1, 0),
        ((0, 0), AUTOSOME, -1, 10, -1, 0),
        ((0, 0), AUTOSOME, 20, 9, -1, 0),
        ((0, 0), AUTOSOME, 20, -1, -1, 0),
        ((0, 0), AUTOSOME, None, 10, None, 2),
        ((0, 0), AUTOSOME, 20, None, None, 2),
        ((0, 0), AUTOSOME, None, None, None, 2),
        ((0, 1), AUTOSOME, 20, 10, 2, 2),
        ((0, 1), AUTOSOME, 20, 10, 1, 0),
        ((0, 1), AUTOSOME, 20, 10, -1, 0),
        ((0, 1), AUTOSOME, 20, None, 0, 2),  # the share of reads needs both AD and DP
        ((0, 1), AUTOSOME, 20, 10, None, 2),
        ((1, 2), AUTOSOME, 20, 10, 1, 0),
        ((1, 2), AUTOSOME, 20, 10, 2, 2),
        ((1, 1), AUTOSOME, 20, 10, 0, 2),  # of a homozygote nobody asks
        ((0, -1), AUTOSOME, 20, 10, -1, 1),
        ((0, -1), AUTOSOME, 20, 9, -1, 0),
        ((1, -2), X, 20, 5, -1, 1),
        ((1, -2), X, 20, 4, -1, 0),
        ((1, 1), X, 20, 5, -1, 1),
        ((1, -1), X, 20, 5, -1, 1),
        ((1, -2), AUTOSOME, 20, 5, -1, 1),
        ((1, 1), X, 19, 5, -1, 0),
    ],
)
def test_a_call_below_a_threshold_of_gnomad_gives_no_allele(
    call: tuple[int, ...],
    place: Place,
    gq: int | None,
    dp: int | None,
    het_alt_ad: int | None,
    alleles: int,
) -> None:
    fields = {
        name: None if value is None else [[value]]
        for name, value in (("gq", gq), ("dp", dp), ("het_alt_ad", het_alt_ad))
    }
    counts = count(Case([[call]], [3], [place], [Sex.XY], [0], **fields), GNOMAD)
    assert counts.allele_number[0, 0] == alleles
    assert counts.allele_count.sum() == alleles


def test_a_filter_asks_for_the_fields_that_its_thresholds_look_at() -> None:
    assert OFF.fields == ()
    assert GenotypeFilter(min_gq=1).fields == ("GQ",)
    assert GenotypeFilter(min_dp=1).fields == ("DP",)
    assert GenotypeFilter(min_dp_haploid=1).fields == ("DP",)
    assert set(GenotypeFilter(min_ab=0.1).fields) == {"DP", "AD"}
    assert set(GNOMAD.fields) == {"GQ", "DP", "AD"}


def test_a_record_may_have_more_than_nine_alleles() -> None:
    calls = [[(allele, 13 - allele) for allele in range(14)]]
    counts = count(Case(calls, [14], [AUTOSOME], [Sex.XX] * 14, [0] * 14))
    assert counts.allele_count[:, 0].tolist() == [2] * 14
    assert counts.allele_number.tolist() == [[28]]


def test_a_record_may_have_more_alleles_than_a_byte_can_number() -> None:
    n = 301
    calls = [[(allele, allele) for allele in range(n)], [(0, -2)] * n]
    case = Case(calls, [n, 2], [AUTOSOME, AUTOSOME], [Sex.XX] * n, [i % 2 for i in range(n)])
    counts = count(case, OFF, np.int16)
    assert_equal(counts, slow_count(case, OFF))
    assert counts.homozygotes[300].tolist() == [1, 0]
    assert counts.hemizygotes[n].tolist() == [151, 150]


@SETTINGS
@given(cases(), FILTERS)
def test_wide_genotypes_count_as_narrow_ones(case: Case, genotype_filter: GenotypeFilter) -> None:
    assert_equal(count(case, genotype_filter, np.int16), count(case, genotype_filter))


def test_a_block_need_not_be_contiguous_in_memory() -> None:
    rng = np.random.default_rng(5)
    genotype = rng.integers(-1, 3, (20, 31, 2)).astype(np.int8)
    arguments = (
        np.arange(0, 33, 3),
        np.zeros(10, np.int8),
        np.zeros(31, np.int8),
        np.zeros(31, np.int32),
        1,
        OFF,
    )
    cut = count_block(CallBlock(genotype[::2]), *arguments)
    whole = count_block(CallBlock(genotype[::2].copy()), *arguments)
    assert_equal(cut, whole)


# ---------------------------------------------------------------------------------------------
# Invariants


@SETTINGS
@given(cases(), FILTERS)
def test_the_copies_of_all_alleles_add_up_to_the_called_alleles(
    case: Case, genotype_filter: GenotypeFilter
) -> None:
    counts = count(case, genotype_filter)
    edges = np.cumsum([0, *case.n_alleles])
    for record, (start, end) in enumerate(itertools.pairwise(edges)):
        total = counts.allele_count[start:end].sum(axis=0)
        np.testing.assert_array_equal(total, counts.allele_number[record])
    assert (2 * counts.homozygotes + counts.hemizygotes <= counts.allele_count).all()


@SETTINGS
@given(cases(), FILTERS)
def test_cells_add_up_to_everybody_together(case: Case, genotype_filter: GenotypeFilter) -> None:
    by_cell = count(case, genotype_filter)
    together = count(replace(case, cells=[min(c, 0) for c in case.cells]), genotype_filter)
    by_sex = count(
        replace(
            case,
            cells=[
                -1 if c < 0 else SEXES.index(s) for c, s in zip(case.cells, case.sexes, strict=True)
            ],
        ),
        genotype_filter,
    )
    for name in TABLES:
        total = getattr(together, name).sum(axis=1)
        np.testing.assert_array_equal(getattr(by_cell, name).sum(axis=1), total)
        np.testing.assert_array_equal(getattr(by_sex, name).sum(axis=1), total)


@SETTINGS
@given(cases(), FILTERS, st.randoms(use_true_random=False))
def test_the_order_of_samples_changes_nothing(
    case: Case, genotype_filter: GenotypeFilter, rng: object
) -> None:
    order = list(range(len(case.sexes)))
    rng.shuffle(order)

    def reorder(table: list[list[int]] | None) -> list[list[int]] | None:
        return table and [[row[i] for i in order] for row in table]

    shuffled = replace(
        case,
        calls=[[row[i] for i in order] for row in case.calls],
        sexes=[case.sexes[i] for i in order],
        cells=[case.cells[i] for i in order],
        gq=reorder(case.gq),
        dp=reorder(case.dp),
        het_alt_ad=reorder(case.het_alt_ad),
    )
    assert_equal(count(shuffled, genotype_filter), count(case, genotype_filter))


@SETTINGS
@given(cases(widths=(2,)), FILTERS)
def test_the_order_of_alleles_in_a_call_changes_nothing(
    case: Case, genotype_filter: GenotypeFilter
) -> None:
    turned = [[call if -2 in call else call[::-1] for call in row] for row in case.calls]
    assert_equal(count(replace(case, calls=turned), genotype_filter), count(case, genotype_filter))


# ---------------------------------------------------------------------------------------------
# scikit-allel


@pytest.mark.parametrize(("records", "samples"), [(1, 1), (211, 1), (1, 997), (307, 503)])
def test_diploid_calls_of_an_autosome_are_counted_as_scikit_allel_does(
    records: int, samples: int
) -> None:
    rng = np.random.default_rng(records)
    n_alleles = rng.integers(1, 6, records)
    called = rng.integers(0, n_alleles[:, None, None], (records, samples, 2))
    genotype = np.where(rng.random((records, samples, 1)) < 0.1, -1, called).astype(np.int8)
    cell = rng.integers(0, 4, samples).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(n_alleles)])
    counts = count_block(
        CallBlock(genotype),
        offsets,
        np.zeros(records, np.int8),
        rng.integers(0, 3, samples).astype(np.int8),
        cell,
        4,
        OFF,
    )
    array = allel.GenotypeArray(genotype)
    members = {c: np.flatnonzero(cell == c).tolist() for c in range(4)}
    by_cell = array.count_alleles_subpops(members, max_allele=4)
    for c in range(4):
        expected = np.asarray(by_cell[c])
        of_cell = array.take(members[c], axis=1) if members[c] else None
        np.testing.assert_array_equal(counts.allele_number[:, c], expected.sum(axis=1))
        for allele in range(5):
            has = n_alleles > allele
            rows = offsets[:-1][has] + allele
            np.testing.assert_array_equal(counts.allele_count[rows, c], expected[has, allele])
            hom = of_cell.count_hom(allele, axis=1)[has] if members[c] else 0
            np.testing.assert_array_equal(counts.homozygotes[rows, c], hom)
    assert not counts.hemizygotes.any()


def test_haploid_calls_are_counted_as_scikit_allel_does() -> None:
    rng = np.random.default_rng(11)
    haplotypes = rng.integers(-1, 3, (101, 67)).astype(np.int8)
    counts = count_block(
        CallBlock(haplotypes[:, :, None]),
        np.arange(0, 304, 3),
        loci_of(ContigKind.MT, "GRCh38", np.arange(1, 102, dtype=np.int32)),
        np.zeros(67, np.int8),
        np.zeros(67, np.int32),
        1,
        OFF,
    )
    expected = np.asarray(allel.HaplotypeArray(haplotypes).count_alleles(max_allele=2))
    np.testing.assert_array_equal(counts.allele_count.reshape(101, 3), expected)
    np.testing.assert_array_equal(counts.hemizygotes.reshape(101, 3), expected)
    np.testing.assert_array_equal(counts.allele_number[:, 0], expected.sum(axis=1))
