"""Calls of XY people on X in every notation that files have, on the real file rewritten in each."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cyvcf2
import numpy as np
import pytest
from tests.bcftools import fill_tags
from tests.counts import FIGURES, Counted, count_file

from afpanel.constants import Sex

CHR_X = "grch37/1000g.phase3.chrX.thinned.vcf.gz"
PAR = ((60_001, 2_699_520), (154_931_044, 155_260_560))
NOTATIONS = {"haploid": "{0}", "padded": "{0}/.", "phased": "{0}|{0}", "unphased": "{0}/{0}"}
"""How one allele is written."""


def in_par(position: int) -> bool:
    return any(start <= position <= end for start, end in PAR)


@dataclass(frozen=True)
class People:
    """The samples of the file: sexes by the pedigree, and a cell for each population and sex."""

    sexes: list[Sex]
    cell: np.ndarray
    groups: dict[str, list[str]]


@pytest.fixture(scope="module")
def people(test_data: Path, people_of_1000g: Mapping[str, tuple[str, str]]) -> People:
    samples = cyvcf2.VCF(str(test_data / CHR_X)).samples
    names = ["_".join(people_of_1000g[sample]) for sample in samples]
    cells = sorted(set(names))
    groups = {name: [s for s, n in zip(samples, names, strict=True) if n == name] for name in cells}
    sexes = [Sex(people_of_1000g[sample][1]) for sample in samples]
    return People(sexes, np.array([cells.index(name) for name in names]), groups)


@dataclass(frozen=True)
class Expected:
    """Counts by NumPy alone, as `Counts` has them, and the XY calls outside of the PAR."""

    figures: dict[str, np.ndarray]
    one_copy: np.ndarray


@pytest.fixture(scope="module")
def expected(test_data: Path, people: People) -> Expected:
    """Count what cyvcf2 reads: one allele of XY people outside of the PAR, else every allele."""
    is_xy = np.array([sex is Sex.XY for sex in people.sexes])
    in_cell = (people.cell[:, None] == np.arange(len(people.groups))).astype(int)
    rows: dict[str, list[np.ndarray]] = {name: [] for name in FIGURES}
    one_copy = []
    for record in cyvcf2.VCF(str(test_data / CHR_X)):
        alleles = record.genotype.array()[:, :2]
        single = is_xy & (not in_par(record.POS))
        # As the file has it: a whole number and a dot where there is one copy, else two numbers.
        assert (alleles[:, 0] >= 0).all()
        assert (alleles[single, 1] == -1).all()
        assert (alleles[~single, 1] >= 0).all()
        for allele in range(1 + len(record.ALT)):
            is_allele = alleles == allele
            rows["allele_count"].append(is_allele.sum(axis=1) @ in_cell)
            rows["homozygotes"].append((is_allele.all(axis=1) & ~single) @ in_cell)
            rows["hemizygotes"].append((is_allele.any(axis=1) & single) @ in_cell)
        rows["allele_number"].append(np.where(single, 1, 2) @ in_cell)
        one_copy.append(single @ in_cell)
    figures = {name: np.array(values) for name, values in rows.items()}
    return Expected(figures, np.array(one_copy))


@dataclass(frozen=True)
class Rewritten:
    """A copy of the file, and what of it was made heterozygous: copies by (alleles, cells)."""

    path: Path
    copies: np.ndarray


def rewrite(
    source: Path, out: Path, people: People, notation: str, *, het_every: int = 0
) -> Rewritten:
    """Write XY calls outside of the PAR in a notation, or every so many of them as ``0/1``."""
    columns = [c for c, sex in enumerate(people.sexes) if sex is Sex.XY]
    turned = []
    with gzip.open(source, "rt") as lines, out.open("w") as target:
        records = 0
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if line.startswith("#"):
                target.write(line)
                continue
            copies = np.zeros((fields[4].count(",") + 2, len(people.groups)), int)
            for column in () if in_par(int(fields[1])) else columns:
                allele, missing = fields[9 + column].split("/")
                assert missing == "."
                fields[9 + column] = notation.format(allele)
                if het_every and (records + 3 * column) % het_every == 0:
                    fields[9 + column] = "0/1"
                    copies[int(allele), people.cell[column]] += 1
            turned.append(copies)
            records += 1
            target.write("\t".join(fields) + "\n")
    return Rewritten(out, np.concatenate(turned))


def assert_counts(found: Counted, figures: Mapping[str, np.ndarray]) -> None:
    for name in FIGURES:
        np.testing.assert_array_equal(getattr(found.figures, name), figures[name], err_msg=name)


def test_the_file_has_what_these_tests_need(people: People, expected: Expected) -> None:
    assert {sex: people.sexes.count(sex) for sex in Sex} == {"XX": 575, "XY": 551, "unknown": 0}
    assert len(people.groups) > 3
    assert expected.one_copy.sum() == 544_936 + 26_056 + 395  # 0/., 1/. and 2/. of the text
    assert (expected.one_copy.sum(axis=1) > 0).sum() == 1_037
    assert len(expected.one_copy) == 1_069
    assert expected.figures["hemizygotes"].sum() == expected.one_copy.sum()


def test_the_file_as_it_is_counts_as_numpy_counts_it(
    test_data: Path, people: People, expected: Expected
) -> None:
    found = count_file(test_data / CHR_X, people.cell, people.sexes)
    assert_counts(found, expected.figures)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_an_xy_call_outside_the_par_is_one_allele_however_it_is_written(
    test_data: Path, tmp_path: Path, people: People, expected: Expected, notation: str
) -> None:
    copy = rewrite(test_data / CHR_X, tmp_path / "x.vcf", people, NOTATIONS[notation])
    assert not copy.copies.any()
    assert_counts(count_file(copy.path, people.cell, people.sexes), expected.figures)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_heterozygous_xy_call_outside_the_par_vanishes_and_nothing_else_does(
    test_data: Path, tmp_path: Path, people: People, expected: Expected, notation: str
) -> None:
    text = NOTATIONS[notation]
    copy = rewrite(test_data / CHR_X, tmp_path / "x.vcf", people, text, het_every=7)
    found = count_file(copy.path, people.cell, people.sexes)
    lost = np.zeros_like(expected.one_copy)
    np.add.at(lost, found.row_record, copy.copies)
    figures = {
        "allele_number": expected.figures["allele_number"] - lost,
        "allele_count": expected.figures["allele_count"] - copy.copies,
        "hemizygotes": expected.figures["hemizygotes"] - copy.copies,
        "homozygotes": expected.figures["homozygotes"],
    }
    assert_counts(found, figures)
    assert 70_000 < lost.sum() < 90_000
    is_alt = found.row_allele > 0
    assert copy.copies[is_alt].sum() > 3_000
    assert not lost[[in_par(position) for position in found.position]].any()
    xx = [c for c, name in enumerate(people.groups) if name.endswith("XX")]
    assert not lost[:, xx].any()


def test_without_a_sex_only_the_par_is_counted(
    test_data: Path, people: People, expected: Expected
) -> None:
    unknown = [Sex.UNKNOWN if sex is Sex.XY else sex for sex in people.sexes]
    found = count_file(test_data / CHR_X, people.cell, unknown)
    xy = [c for c, name in enumerate(people.groups) if name.endswith("XY")]
    figures = {name: values.copy() for name, values in expected.figures.items()}
    outside = ~np.array([in_par(position) for position in found.position])
    figures["allele_number"][np.ix_(outside, xy)] = 0
    for name in ("allele_count", "homozygotes", "hemizygotes"):
        figures[name][np.ix_(outside[found.row_record], xy)] = 0
    assert_counts(found, figures)
    assert found.figures.allele_number[~outside][:, xy].min() > 0


@pytest.mark.parametrize("notation", NOTATIONS)
def test_fill_tags_counts_an_allele_for_each_one_that_is_written(
    test_data: Path, tmp_path: Path, people: People, expected: Expected, notation: str
) -> None:
    """Written once, its figures are ours; written twice, it counts two alleles of a homozygote."""
    copy = rewrite(test_data / CHR_X, tmp_path / "x.vcf", people, NOTATIONS[notation])
    theirs = fill_tags(copy.path, people.groups, tmp_path)
    found = count_file(copy.path, people.cell, people.sexes)
    is_alt = found.row_allele > 0
    twice = notation in ("phased", "unphased")
    for c, group in enumerate(people.groups):
        ac, hom, hemi = (
            getattr(found.figures, name)[is_alt, c]
            for name in ("allele_count", "homozygotes", "hemizygotes")
        )
        an, one_copy = found.figures.allele_number[:, c], expected.one_copy[:, c]
        extra = hemi if twice else 0
        np.testing.assert_array_equal(theirs[group]["AN"], an + (one_copy if twice else 0))
        np.testing.assert_array_equal(theirs[group]["AC"], ac + extra)
        np.testing.assert_array_equal(theirs[group]["AC_Hom"], 2 * (hom + extra))
        np.testing.assert_array_equal(theirs[group]["AC_Hemi"], hemi - extra)
        np.testing.assert_array_equal(theirs[group]["AC_Het"], ac - 2 * hom - hemi)
