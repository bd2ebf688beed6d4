"""Counts of swapped alleles without genotypes, held against those with genotypes."""

import numpy as np
import pytest

from afpanel.constants import MISSING
from afpanel.core.site_counts import SiteCounts, of_alleles, of_ref

PEOPLE = 40


def figures(calls: np.ndarray, allele: int) -> tuple[int, int, int, int]:
    """AC, AN, homozygotes and hemizygotes of an allele, from (people, 2) calls; -1 missing, -2 haploid."""
    copies = (calls == allele).sum(axis=1)
    haploid = calls[:, 1] == -2
    hom, hemi = (copies == 2).sum(), (haploid & (copies == 1)).sum()
    return int(copies.sum()), int((calls >= 0).sum()), int(hom), int(hemi)


def record_of(rng: np.random.Generator, n_alleles: int, ploidy: int) -> np.ndarray:
    calls = rng.choice(n_alleles, (PEOPLE, 2), p=rng.dirichlet(np.ones(n_alleles)))
    calls[rng.random(PEOPLE) < 0.1] = -1
    if ploidy == 1:
        calls[:, 1] = -2
    if ploidy == 0:
        calls[: PEOPLE // 2, 1] = -2
    return calls


def table(rows: list[tuple[int, int, int, int]]) -> SiteCounts:
    return SiteCounts(*np.array(rows, np.int32).reshape(-1, 4).T)


def rows_of(counts: SiteCounts) -> list[tuple[int, ...]]:
    columns = (counts.allele_count, counts.allele_number, counts.homozygotes, counts.hemizygotes)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_what_follows_from_the_alts_is_what_genotypes_say() -> None:
    rng = np.random.default_rng(8)
    rows, record, ploidies, wanted, expected, kinds = [], [], [], [], [], []
    for number in range(2_000):
        n_alts, ploidy = int(rng.integers(1, 4)), int(rng.integers(0, 3))
        calls = record_of(rng, n_alts + 1, ploidy)
        for allele in range(n_alts + 1):
            truth = figures(calls, allele)
            wanted.append((number, allele))
            expected.append(truth)
            kinds.append((n_alts, ploidy))
            if allele:
                rows.append(truth)
                record.append(number)
                ploidies.append(ploidy)
    asked = np.array(wanted)
    found = rows_of(
        of_alleles(table(rows), np.array(record), np.array(ploidies), asked[:, 0], asked[:, 1])
    )
    for (_, allele), (n_alts, ploidy), truth, row in zip(
        wanted, kinds, expected, found, strict=True
    ):
        ac, an, hom, hemi = truth
        if allele == 0 and not (n_alts == 1 and ploidy == 2):
            hom = 0 if ploidy == 1 else MISSING
        if allele == 0 and ploidy == 0:
            hemi = MISSING
        assert row == (ac, an, hom, hemi)


@pytest.mark.parametrize(
    ("alts", "expected"),
    [
        ([(MISSING, 10, 0, 0)], (MISSING, 10, MISSING, MISSING)),
        ([(3, MISSING, 0, 0)], (MISSING, MISSING, MISSING, MISSING)),
        ([(3, 10, MISSING, 0)], (7, 10, MISSING, 0)),
        ([(3, 9, 1, 0)], (6, 9, MISSING, 0)),  # a half-call: (6 - 1) is odd
        ([(11, 10, 1, 0)], (MISSING, 10, MISSING, MISSING)),  # more copies than alleles
        ([(3, 10, 2, 0)], (7, 10, MISSING, 0)),  # more copies in homozygotes than there are
        ([(3, 10, 1, 0), (MISSING, 10, 0, 0)], (MISSING, 10, MISSING, MISSING)),
        ([(3, 10, 1, 0), (2, 10, 0, 0)], (5, 10, MISSING, 0)),
    ],
)
def test_what_does_not_follow_is_missing(
    alts: list[tuple[int, int, int, int]], expected: tuple[int, ...]
) -> None:
    record, ploidy = np.zeros(len(alts), int), np.full(len(alts), 2)
    assert rows_of(of_ref(table(alts), record, ploidy)) == [expected]


def test_no_record_is_no_error() -> None:
    nothing = np.empty(0, int)
    assert rows_of(of_ref(table([]), nothing, nothing)) == []
