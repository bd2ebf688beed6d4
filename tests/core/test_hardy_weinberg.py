"""Exact tests of Hardy-Weinberg proportions, beside a count of all ways to deal alleles to people."""

import shutil
import subprocess
from fractions import Fraction
from math import comb, isnan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import vcf_text, write_vcf

from afpanel.core.hardy_weinberg import (
    exact_test,
    expected_rarer_homozygotes,
    inbreeding_coefficient,
)

SETTINGS = settings(max_examples=300, deadline=None, derandomize=True)


def column(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def run(het: int, hom: int, people: int) -> tuple[float, float]:
    found = exact_test(column(het), column(hom), column(people))
    return float(found.p_value[0]), float(found.p_excess[0])


def ways(het: int, copies: int, people: int) -> int:
    """Ways to have so many heterozygotes: who is heterozygous, with either allele first, and who is not."""
    hom = (copies - het) // 2
    return comb(people, het) * comb(people - het, hom) * 2**het


def slow(het: int, hom: int, people: int) -> tuple[Fraction, Fraction]:
    """Both p-values, from every number of heterozygotes that the copies of ALT allow."""
    copies = 2 * hom + het
    minor = min(copies, 2 * people - copies)
    possible = range(minor % 2, minor + 1, 2)
    number = {h: ways(h, copies, people) for h in possible}
    total = sum(number.values())
    assert total == comb(2 * people, copies)
    two_sided = sum(n for n in number.values() if n <= number[het])
    excess = sum(n for h, n in number.items() if h >= het)
    return Fraction(two_sided, total), Fraction(excess, total)


@st.composite
def genotypes(draw: st.DrawFn) -> tuple[int, int, int]:
    people = draw(st.integers(1, 60))
    het = draw(st.integers(0, people))
    return het, draw(st.integers(0, people - het)), people


@SETTINGS
@given(genotypes())
def test_p_values_are_shares_of_all_ways_to_deal_the_alleles(counts: tuple[int, int, int]) -> None:
    for found, expected in zip(run(*counts), slow(*counts), strict=True):
        assert found == pytest.approx(float(expected), rel=1e-12)


@SETTINGS
@given(genotypes())
def test_it_does_not_matter_which_allele_is_counted(counts: tuple[int, int, int]) -> None:
    het, hom, people = counts
    assert run(het, hom, people) == run(het, people - het - hom, people)


@pytest.mark.parametrize("people", [1_000_000, 2**30])
def test_a_million_people_are_no_trouble(people: int) -> None:
    alt = people // 5
    hom = people // 25
    p_value, excess = run(2 * (alt - hom), hom, people)
    assert 0.9 < p_value <= 1
    assert 0.4 < excess < 0.6
    assert run(0, alt, people) == (0.0, 1.0)


def test_who_has_no_diploid_call_is_not_tested() -> None:
    for people in (0, -1):
        assert all(map(isnan, run(people, people, people)))
        assert isnan(inbreeding_coefficient(column(people), column(people), column(people))[0])


def test_a_variant_without_a_second_allele_is_in_proportion_and_has_no_coefficient() -> None:
    for het, hom, people in ((0, 0, 9), (0, 9, 9)):
        assert run(het, hom, people) == (1.0, 1.0)
        assert isnan(inbreeding_coefficient(column(het), column(hom), column(people))[0])


@SETTINGS
@given(genotypes())
def test_the_inbreeding_coefficient_is_the_share_of_heterozygotes_that_is_lacking(
    counts: tuple[int, int, int],
) -> None:
    het, hom, people = counts
    p = Fraction(2 * hom + het, 2 * people)
    found = inbreeding_coefficient(*map(column, counts))[0]
    if 0 < p < 1:
        expected = 1 - Fraction(het) / (2 * p * (1 - p) * people)
        assert found == pytest.approx(float(expected), rel=1e-12, abs=1e-12)
    else:
        assert isnan(found)


def test_counts_come_in_any_shape() -> None:
    counts = [np.arange(12, dtype=np.int32).reshape(3, 4) * k for k in (2, 1, 5)]
    table = exact_test(*counts)
    flat = exact_test(*(each.ravel() for each in counts))
    assert table.p_value.shape == (3, 4)
    np.testing.assert_array_equal(table.p_value.ravel(), flat.p_value)
    transposed = exact_test(*(each.T for each in counts))
    np.testing.assert_array_equal(transposed.p_excess, table.p_excess.T)


def random_genotypes(n: int, seed: int, people: int = 300) -> np.ndarray:
    """(3, n): heterozygotes, homozygotes and people; some out of proportion."""
    rng = np.random.default_rng(seed)
    size, f = rng.integers(1, people, n), rng.beta(0.4, 0.8, n)
    hom = rng.binomial(size, f ** rng.uniform(0.6, 3, n))
    return np.stack([rng.binomial(size - hom, 2 * f / (1 + f)), hom, size]).astype(np.int32)


def test_p_values_are_those_of_bcftools(tmp_path: Path) -> None:
    program = shutil.which("bcftools")
    if program is None:
        pytest.skip("bcftools is not installed, and its library has no plugins")
    three = random_genotypes(60, seed=2, people=120)
    samples = [f"s{i}" for i in range(120)]
    records = []
    for i, (het, hom, n) in enumerate(three.T.tolist()):
        calls = ["0/1"] * het + ["1/1"] * hom + ["0/0"] * (n - het - hom) + ["./."] * (120 - n)
        records.append(("chr1", i + 1, "A", "C", *calls))
    vcf = write_vcf(tmp_path / "a.vcf", vcf_text(samples, records))
    tagged = [
        program,
        "+fill-tags",
        str(vcf),
        "-Ov",
        "-o",
        str(tmp_path / "b.vcf"),
        "--",
        "-t",
        "HWE",
    ]
    done = subprocess.run(tagged, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"bcftools has no +fill-tags: {done.stderr}")
    query = [program, "query", "-f", "%INFO/HWE\n", str(tmp_path / "b.vcf")]
    told = subprocess.run(query, check=True, capture_output=True, text=True).stdout.split()
    np.testing.assert_allclose(exact_test(*three).p_value, np.array(told, float), rtol=1e-4)


def test_homozygotes_of_the_rarer_allele_are_expected_by_its_frequency() -> None:
    three = np.array([[50, 0, 0, 48, 0], [25, 50, 0, 1, 0], [100, 100, 100, 50, 0]], np.int32)
    assert expected_rarer_homozygotes(*three).tolist() == [25, 25, 0, 12.5, 0]


def test_without_the_genotypes_there_is_no_figure() -> None:
    """Published counts may tell AC and AN, and not who is homozygous."""
    het, hom, people = (np.array(x, np.int32) for x in ([-1, 3, 4], [-1, -1, 1], [10, 10, 10]))
    test = exact_test(het, hom, people)
    assert np.isnan(test.p_value).tolist() == [True, True, False]
    assert np.isnan(test.p_excess).tolist() == [True, True, False]
    assert np.isnan(inbreeding_coefficient(het, hom, people)).tolist() == [True, True, False]
