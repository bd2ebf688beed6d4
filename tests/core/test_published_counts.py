"""What follows from published counts: of every allele of a record, and where something is missing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from afpanel.constants import Sex
from afpanel.core.ploidy import PLOIDY, SEXES, Loci
from afpanel.core.published_counts import PublishedCounts, count_published
from afpanel.model.cohort import Cell

LOCI = [Loci.EVERYBODY_DIPLOID, Loci.X_OUTSIDE_PAR, Loci.Y_OUTSIDE_PAR, Loci.MITOCHONDRIAL]
Calls = list[tuple[int, list[int]]]
"""Sex, as its place in `SEXES`, and called alleles of each person."""


@st.composite
def records(draw: st.DrawFn) -> tuple[list[tuple[Loci, int, Calls]], tuple[int, int]]:
    """Places, ALTs and calls of the people of one cell."""
    n = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: sum(pair) > 0))
    made = []
    for _ in range(draw(st.integers(1, 4))):
        locus, n_alts = draw(st.sampled_from(LOCI)), draw(st.integers(1, 3))
        calls: Calls = []
        for sex, people in enumerate(n):
            for _ in range(people):
                copies = int(PLOIDY[locus, sex]) * draw(st.booleans())
                alleles = st.lists(st.integers(0, n_alts), min_size=copies, max_size=copies)
                calls.append((sex, draw(alleles)))
        made.append((locus, n_alts, calls))
    return made, n


def column(values: list[int]) -> np.ndarray:
    return np.array(values, np.int32).reshape(-1, 1)


def published(made: list[tuple[Loci, int, Calls]], *, haploid: bool) -> PublishedCounts:
    ac, hom, hemi, an, single = [], [], [], [], []
    for _, n_alts, calls in made:
        an.append(sum(len(call) for _, call in calls))
        single.append(sum(len(call) == 1 for _, call in calls))
        for alt in range(1, n_alts + 1):
            ac.append(sum(call.count(alt) for _, call in calls))
            hom.append(sum(call == [alt, alt] for _, call in calls))
            hemi.append(sum(call == [alt] for _, call in calls))
    missing = [-1] * len(ac)
    return PublishedCounts(
        np.array([n for _, n, _ in made]),
        allele_count=column(ac),
        homozygotes=column(hom),
        hemizygotes=column(hemi if haploid else missing),
        allele_number=column(an),
        haploid_number=column(single if haploid else [-1] * len(made)),
        raw_allele_count=np.array(missing, np.int32),
        raw_allele_number=np.full(len(made), -1, np.int32),
    )


@given(records(), st.booleans())
def test_the_figures_of_every_allele_are_those_of_its_calls_or_missing(
    drawn: tuple[list[tuple[Loci, int, Calls]], tuple[int, int]], haploid: bool
) -> None:
    made, n = drawn
    cell = Cell("P", Sex.UNKNOWN, sum(n), (*n, 0))
    wanted = [(r, a) for r, (_, n_alts, _) in enumerate(made) for a in range(n_alts + 1)]
    record, index = (np.array(values) for values in zip(*wanted, strict=True))
    loci = np.array([locus for locus, _, _ in made], np.int8)
    found = count_published(published(made, haploid=haploid), loci, [cell], record, index)
    for row, (r, allele) in enumerate(wanted):
        locus, n_alts, calls = made[r]
        copies = {int(PLOIDY[locus, sex]) for sex in range(len(SEXES)) if (*n, 0)[sex]} - {0}
        figures = {
            "allele_count": sum(call.count(allele) for _, call in calls),
            "allele_number": sum(len(call) for _, call in calls),
            "homozygotes": sum(call == [allele, allele] for _, call in calls),
            "hemizygotes": sum(call == [allele] for _, call in calls),
            "single_allele_count": sum(call == [allele] for _, call in calls),
            "single_allele_number": sum(len(call) == 1 for _, call in calls),
        }
        told = haploid or len(copies) < 2
        for name, true in figures.items():
            value = int(getattr(found, name)[row, 0])
            of_ref = name == "homozygotes" and allele == 0 and (n_alts > 1 or not told)
            of_haploid = name in ("hemizygotes", "single_allele_count") and not told
            if name == "single_allele_number" and not told:
                continue  # as callability has it, of who is called
            assert value == true or (value == -1 and (of_ref or of_haploid)), (name, row)


def test_a_missing_count_is_missing_where_somebody_was_called_and_else_nobody_has_it() -> None:
    counts = PublishedCounts(
        np.array([1, 1, 2]),
        allele_count=column([-1, -1, -1, 4]),
        homozygotes=column([-1, -1, -1, 1]),
        hemizygotes=column([-1] * 4),
        allele_number=column([80, 0, 80]),
        haploid_number=column([-1] * 3),
        raw_allele_count=np.full(4, -1, np.int32),
        raw_allele_number=np.full(3, -1, np.int32),
    )
    cells = [Cell("P", Sex.XX, 50)]
    loci = np.zeros(3, np.int8)
    record, index = np.array([0, 1, 2, 2, 2]), np.array([1, 1, 0, 1, 2])
    found = count_published(counts, loci, cells, record, index)
    assert found.allele_count[:, 0].tolist() == [-1, 0, -1, -1, 4]
    assert found.allele_number[:, 0].tolist() == [80, 0, 80, 80, 80]
    assert found.raw_allele_count.tolist() == [-1, 0, -1, -1, 4]
    assert found.raw_allele_number.tolist() == [80, 0, 80, 80, 80]


def test_counts_before_the_filter_are_those_given() -> None:
    counts = PublishedCounts(
        np.array([1]),
        allele_count=column([4]),
        homozygotes=column([1]),
        hemizygotes=column([-1]),
        allele_number=column([80]),
        haploid_number=column([-1]),
        raw_allele_count=np.array([6], np.int32),
        raw_allele_number=np.array([90], np.int32),
    )
    cells = [Cell("P", Sex.XX, 50)]
    record, index = np.array([0, 0]), np.array([0, 1])
    found = count_published(counts, np.zeros(1, np.int8), cells, record, index)
    assert found.raw_allele_count.tolist() == [84, 6]
    assert found.raw_allele_number.tolist() == [90, 90]
