"""Population genetics of the panel of seven countries, beside scikit-allel on the source's genotypes."""

from itertools import combinations, product

import allel
import cyvcf2
import numpy as np
import pytest
from tests.simulated_panel import read_table

EAST_ASIA = ("CN_CDX", "CN_CHB", "CN_CHS", "JP_JPT", "VN_KHV")
SOUTH_ASIA = ("BD_BEB", "IN_GIH", "IN_ITU", "LK_STU", "PK_PJL")
ROUNDING = 0.51e-6


@pytest.fixture(scope="module")
def genotypes(once, oracle, test_data, seven_countries):
    """Position, genotypes, and the columns of each group's people, of the source split by bcftools."""
    source = test_data / "grch37/1000g.phase3.chr22.vcf.gz"
    fasta = test_data / "grch37/chr22.fa.gz"
    folder = once(
        "phase3-normal", lambda folder: oracle.normalize(source, fasta, folder / "normal.bcf")
    )
    people = seven_countries.groups["total"]
    position, calls = [], []
    with cyvcf2.VCF(str(folder / "normal.bcf"), samples=people) as vcf:
        column = {sample: i for i, sample in enumerate(vcf.samples)}
        for record in vcf:
            if not record.ALT[0].startswith("<"):
                position.append(record.POS)
                calls.append(record.genotype.array()[:, :2].astype(np.int8))
    groups = {
        name: sorted(column[sample] for sample in samples)
        for name, samples in seven_countries.groups.items()
    }
    return np.array(position), allel.GenotypeArray(np.array(calls)), groups


@pytest.fixture(scope="module")
def tables(seven_countries):
    folder = seven_countries.results / "panel/popgen"
    return {path.stem: read_table(path) for path in folder.glob("*.tsv")}


@pytest.fixture(scope="module")
def fst(tables):
    """FST and its error, of populations, whichever comes first."""
    found = {}
    for row in tables["fst"]:
        pair = (row["group_1"], row["group_2"])
        found[pair] = found[pair[::-1]] = float(row["fst"]), float(row["standard_error"])
    return found


def test_fst_of_every_pair_is_scikit_allel_s_on_the_genotypes(tables, genotypes):
    _, calls, groups = genotypes
    counts = {name: calls.count_alleles(subpop=p, max_allele=1) for name, p in groups.items()}
    assert len(tables["fst"]) == 21 + 45 + 1
    for row in tables["fst"]:
        numerator, denominator = allel.hudson_fst(counts[row["group_1"]], counts[row["group_2"]])
        expected = np.nansum(numerator) / np.nansum(denominator)
        assert float(row["fst"]) == pytest.approx(expected, abs=ROUNDING)
        assert int(row["variants"]) == (denominator > 0).sum()


def test_the_error_is_that_of_scikit_allel_s_jackknife_on_blocks_of_20_kb(tables, genotypes):
    position, calls, groups = genotypes
    block = (position - 1) // 20_000
    for row in tables["fst"]:
        counts = (calls.count_alleles(subpop=groups[row[g]]) for g in ("group_1", "group_2"))
        numerator, denominator = allel.hudson_fst(*counts)
        sums = tuple(np.bincount(block - block[0], each) for each in (numerator, denominator))
        sums = tuple(each[sums[1] > 0] for each in sums)
        _, error, _ = allel.stats.misc.jackknife(sums, lambda n, d: n.sum() / d.sum())
        assert (int(row["block_bases"]), int(row["blocks"])) == (20_000, len(sums[0]))
        assert float(row["standard_error"]) == pytest.approx(error, abs=ROUNDING)


def test_heterozygosity_is_scikit_allel_s_on_the_genotypes(tables, genotypes):
    _, calls, groups = genotypes
    assert [row["group"] for row in tables["heterozygosity"]] == list(groups)
    for row in tables["heterozygosity"]:
        theirs = calls.take(groups[row["group"]], axis=1)
        counts = theirs.count_alleles(max_allele=1)
        assert int(row["segregating"]) == counts.is_segregating().sum()
        assert int(row["variants"]) == int(row["complete_variants"]) == len(counts)
        expected = allel.mean_pairwise_difference(counts).mean()
        observed = allel.heterozygosity_observed(theirs).mean()
        for figure, value in (
            ("expected_heterozygosity", expected),
            ("expected_heterozygosity_complete", expected),
            ("observed_heterozygosity_complete", observed),
        ):
            assert float(row[figure]) == pytest.approx(value, abs=ROUNDING)


def test_the_spectrum_of_few_copies_is_scikit_allel_s(tables, genotypes):
    _, calls, groups = genotypes
    for name, people in groups.items():
        spectrum = allel.sfs_folded(calls.count_alleles(subpop=people, max_allele=1))
        found = {
            (row["class"], row["up_to"]): int(row["variants"])
            for row in tables["sfs"]
            if row["group"] == name
        }
        assert found["monomorphic", "."] == spectrum[0]
        assert [found["minor_allele_count", str(n)] for n in range(1, 11)] == spectrum[
            1:11
        ].tolist()
        assert sum(found.values()) == 9_784
        assert found["masked", "."] == 0


def test_east_asia_and_south_asia_are_farther_apart_than_their_own_populations(fst):
    """Genome-wide by an order of magnitude; here for each of 25 pairs, beyond three standard errors.

    These 600 kb beside a centromere say less than half of what whole genomes say, and the order of
    pairs within a region is mostly noise: so orders are tested, where they are published and clear.
    """
    within = [fst[pair] for each in (EAST_ASIA, SOUTH_ASIA) for pair in combinations(each, 2)]
    between = [fst[pair] for pair in product(EAST_ASIA, SOUTH_ASIA)]
    assert (len(within), len(between)) == (20, 25)
    mean_within = np.mean([value for value, _ in within])
    for value, error in between:
        assert value - mean_within > 3 * error
    assert min(value for value, _ in between) > max(value for value, _ in within)


def test_northern_and_southern_han_are_closer_than_southern_han_and_japanese(fst):
    """Published, genome-wide: Han among themselves below 0.0025, CHB and JPT 0.0065 (Tian et al., PLoS
    ONE 3:e3862, 2008); Han 0.0014, Han and Japanese up to 0.0090 (Wang et al., Hereditas 155:19, 2018).

    Of CHB and JPT these 600 kb say 0.0014, far below what is published; so that order is not tested.
    """
    (near, error), (far, other_error) = fst["CN_CHB", "CN_CHS"], fst["CN_CHS", "JP_JPT"]
    assert near < 0.0025 < far < 0.0090
    assert far - near > 3 * np.hypot(error, other_error)


def test_the_first_component_parts_east_asia_from_south_asia(tables):
    place = {row["group"]: float(row["coordinate"]) for row in tables["pca"]
             if row["component"] == "PC1"}  # fmt: skip
    # Of a country with one population the country itself is there.
    assert list(place) == [
        "BD",
        "CN_CDX",
        "CN_CHB",
        "CN_CHS",
        "IN_GIH",
        "IN_ITU",
        "JP",
        "LK",
        "PK",
        "VN",
    ]
    east, south = (
        [place.get(name, place.get(name[:2])) for name in region]
        for region in (EAST_ASIA, SOUTH_ASIA)
    )
    assert max(east) < min(south) or max(south) < min(east)
    share = {float(r["explained_variance"]) for r in tables["pca"] if r["component"] == "PC1"}
    assert min(share) > 0.5
