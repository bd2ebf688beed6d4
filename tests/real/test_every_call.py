"""Every genotype of real files as cyvcf2 reads it, and every count as bcftools counts it.

Nothing is thinned out: all records, all samples, all alleles. Here all places count as diploid, as they
do for bcftools; `test_notations_of_x` has the rules of the X chromosome.
"""

from pathlib import Path

import cyvcf2
import numpy as np
import pysam.bcftools
import pytest
from tests.bcftools import Tally, fill_tags, tally
from tests.counts import FIGURES, count_file

from afpanel.io.source import open_source

PHASE3 = "grch37/1000g.phase3.chr22.vcf.gz"
GATK = "grch37/1000g.asia.gatk.chr22.vcf.gz"
CHR_X = "grch37/1000g.phase3.chrX.thinned.vcf.gz"
NYGC = "grch38/1000g.nygc30x.chr1.vcf.gz"
SHAPES = {PHASE3: (9_750, 2_504), GATK: (1_420, 177), CHR_X: (1_069, 1_126), NYGC: (889, 3_202)}
"""Records and samples of each file."""

GVCFS = tuple(f"gvcf/{name}.hg38.g.vcf.gz" for name in ("HG00187", "HG03805", "NA20317", "NA21123"))

FIELDS = ("GQ", "DP", "AD")
CELLS = 3
HIGHEST = 32_767
"""Greatest depth that is kept."""


# Genotypes.


def genotype_of(record: cyvcf2.Variant) -> np.ndarray:
    """Read (samples, 2) allele numbers, -1 missing, -2 where a call has one allele only."""
    alleles = record.genotype.array()[:, :-1]
    assert alleles.shape[1] <= 2
    return np.pad(alleles, ((0, 0), (0, 2 - alleles.shape[1])), constant_values=-2)


def integers(record: cyvcf2.Variant, name: str) -> np.ndarray:
    """Read (samples, values) of a field, -1 missing, which it is throughout where no call has it."""
    values = record.format(name) if name in record.FORMAT else None
    if values is None:
        return np.full((record.genotype.n_samples, 1), -1)
    return np.where(values < 0, -1, np.minimum(values, HIGHEST))


def het_alt_depth(record: cyvcf2.Variant, genotype: np.ndarray) -> np.ndarray:
    """Read (samples,) reads of the least supported ALT of heterozygous calls; -1 of other calls."""
    reads = integers(record, "AD")
    if reads.shape[1] == 1:
        return np.full(len(reads), -1)
    support = [
        np.where(allele > 0, reads[np.arange(len(reads)), np.maximum(allele, 0)], HIGHEST)
        for allele in genotype.T
    ]
    het = (genotype >= 0).all(axis=1) & (genotype[:, 0] != genotype[:, 1])
    return np.where(het, np.minimum(*support), -1)


def compare_calls(path: Path, size: int) -> tuple[int, int, set[str]]:
    """Compare all calls of a file; gives its records, its samples and the fields compared."""
    source = open_source(path, fields=FIELDS)
    records = iter(cyvcf2.VCF(str(path)))
    seen = 0
    for block in source.blocks(None, size):
        calls = block.calls
        for row in range(len(block)):
            record = next(records)
            assert (block.contig, block.position[row]) == (record.CHROM, record.POS)
            assert [a for a in block.alleles[row] if a] == [record.REF, *record.ALT]
            expected = genotype_of(record)
            np.testing.assert_array_equal(calls.genotype[row], expected)
            for name, values in (("GQ", calls.gq), ("DP", calls.dp)):
                if values is not None:
                    np.testing.assert_array_equal(values[row], integers(record, name)[:, 0])
            if calls.het_alt_ad is not None:
                depths = het_alt_depth(record, expected)
                np.testing.assert_array_equal(calls.het_alt_ad[row], depths)
            seen += 1
    assert next(records, None) is None
    return seen, len(source.samples), set(source.fields)


@pytest.mark.parametrize("name", SHAPES)
def test_every_genotype_is_the_one_that_cyvcf2_reads(test_data: Path, name: str) -> None:
    *shape, fields = compare_calls(test_data / name, size=401)
    assert tuple(shape) == SHAPES[name]
    assert fields == (set(FIELDS) if name == GATK else set())


@pytest.mark.parametrize("name", SHAPES)
def test_every_genotype_of_a_copy_in_bcf_is_the_one_that_cyvcf2_reads(
    test_data: Path, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "copy.bcf"
    pysam.bcftools.view("-Ob1", "-o", str(copy), str(test_data / name), catch_stdout=False)
    *shape, fields = compare_calls(copy, size=401)
    assert tuple(shape) == SHAPES[name]
    assert fields == (set(FIELDS) if name == GATK else set())


def test_every_genotype_of_fifty_gvcfs_is_the_one_that_cyvcf2_reads(test_data: Path) -> None:
    found = [compare_calls(path, 137) for path in sorted(test_data.glob("gvcf/*.g.vcf.gz"))]
    assert found == [(1_000, 1, set(FIELDS))] * 50


# Counts.


def cells_of(n: int) -> np.ndarray:
    """Deal samples out to cells, unless there is only one."""
    return np.arange(n) % min(CELLS, n)


def members(path: Path) -> list[list[str]]:
    """List the samples of each cell."""
    samples = np.array(cyvcf2.VCF(str(path)).samples)
    cell = cells_of(len(samples))
    return [samples[cell == c].tolist() for c in range(cell.max() + 1)]


def added(tallies: list[Tally], name: str) -> np.ndarray:
    """Lay a figure of the cells side by side."""
    return np.column_stack([getattr(each, name) for each in tallies])


@pytest.mark.parametrize("name", [*SHAPES, *GVCFS])
def test_every_count_of_every_allele_is_that_of_bcftools(
    test_data: Path, tmp_path: Path, name: str
) -> None:
    """Oracle: AC and AN of `bcftools view`, and the people that its expressions of GT find.

    The file is counted in cells, and as one. Calls that are half missing are neither homozygous,
    heterozygous nor haploid to either; only chromosome X has them.
    """
    path = test_data / name
    people = members(path)
    expected = [tally(path, each, tmp_path) for each in people]
    counts = count_file(path, cells_of(sum(map(len, people)))).figures
    ac, hom, hemi = counts.allele_count, counts.homozygotes, counts.hemizygotes
    het, half = added(expected, "het"), added(expected, "half")
    np.testing.assert_array_equal(counts.allele_number, added(expected, "allele_number"))
    np.testing.assert_array_equal(ac, added(expected, "allele_count"))
    np.testing.assert_array_equal(hom, added(expected, "hom"))
    np.testing.assert_array_equal(hemi, added(expected, "hemi"))
    np.testing.assert_array_equal(ac - 2 * hom - hemi, het + half)
    assert half.sum() == (571_387 if name == CHR_X else 0)
    assert not hemi.any()
    together = count_file(path, np.zeros(sum(map(len, people)))).figures
    for figure in FIGURES:
        total = getattr(counts, figure).sum(axis=1, keepdims=True)
        np.testing.assert_array_equal(getattr(together, figure), total)


@pytest.mark.parametrize("name", [*SHAPES, *GVCFS])
def test_every_count_of_every_alt_is_that_of_fill_tags(
    test_data: Path, tmp_path: Path, name: str
) -> None:
    """Oracle: the plugin. AC_Hom is alleles, ours people; nothing else differs, but for half calls.

    Those of an ALT are in AC_Hemi of the plugin, as if they were haploid, unless it is told to drop
    what is missing; ours are in AC and in no other figure, where there are two copies.
    """
    path = test_data / name
    people = members(path)
    groups = {f"cell{c}": each for c, each in enumerate(people)}
    found = fill_tags(path, groups, tmp_path)
    dropped = fill_tags(path, groups, tmp_path, "--drop-missing")
    counted = count_file(path, cells_of(sum(map(len, people))))
    counts, is_alt = counted.figures, counted.row_allele > 0
    halves = 0
    for c, group in enumerate(groups):
        theirs = found[group]
        ac, hom, hemi = (
            figure[is_alt, c]
            for figure in (counts.allele_count, counts.homozygotes, counts.hemizygotes)
        )
        np.testing.assert_array_equal(counts.allele_number[:, c], theirs["AN"])
        np.testing.assert_array_equal(ac, theirs["AC"])
        np.testing.assert_array_equal(2 * hom, theirs["AC_Hom"])
        np.testing.assert_array_equal(hemi, dropped[group]["AC_Hemi"])
        half = theirs["AC_Hemi"] - hemi
        np.testing.assert_array_equal(ac - 2 * hom - hemi - half, theirs["AC_Het"])
        for tag in ("AN", "AC", "AC_Hom", "AC_Het"):
            np.testing.assert_array_equal(dropped[group][tag], theirs[tag])
        halves += half.sum()
    assert halves == (26_451 if name == CHR_X else 0)
