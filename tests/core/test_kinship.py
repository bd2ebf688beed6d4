"""Kinship of pairs, beside plink2 and a plain computation, and finding the close ones among all."""

import shutil
import subprocess
from pathlib import Path

import msprime
import numpy as np
import pytest
from tests.builders import vcf_text, write_vcf

from afpanel.core import kinship as module
from afpanel.core.kinship import close_pairs, kinship_of

THRESHOLD = 0.354


def meiosis(rng: np.random.Generator, person: np.ndarray) -> np.ndarray:
    """A gamete of a person, whose (sites, 2) alleles cross over at every twentieth site or so."""
    side = (np.cumsum(rng.random(len(person)) < 0.05) + rng.integers(2)) % 2
    return person[np.arange(len(person)), side]


def family(rng: np.random.Generator, n_sites: int) -> list[np.ndarray]:
    """Two parents, two children and the first parent once more."""
    frequency = rng.uniform(0.05, 0.95, (n_sites, 1))
    parents = [(rng.random((n_sites, 2)) < frequency).astype(np.int8) for _ in range(2)]
    children = [np.column_stack([meiosis(rng, p) for p in parents]) for _ in range(2)]
    return [*parents, *children, parents[0]]


def families(seed: int, n: int, n_sites: int, missing: float, errors: float) -> np.ndarray:
    """Copies of everybody of some families, (people, sites), with missing calls and errors."""
    rng = np.random.default_rng(seed)
    people = [person for _ in range(n) for person in family(rng, n_sites)]
    copies = np.array([person.sum(axis=1) for person in people], np.int8)
    wrong = rng.random(copies.shape) < errors
    copies[wrong] = rng.integers(0, 3, wrong.sum())
    copies[rng.random(copies.shape) < missing] = -1
    return copies


def plainly(one: np.ndarray, other: np.ndarray) -> tuple[float, int, int]:
    """The estimator as Manichaikul et al. write it: kinship, sites, and sites without a common allele."""
    pairs = [(a, b) for a, b in zip(one.tolist(), other.tolist(), strict=True) if a >= 0 <= b]
    both_het = sum(a == b == 1 for a, b in pairs)
    opposite = sum({a, b} == {0, 2} for a, b in pairs)
    het, its_het = sum(a == 1 for a, _ in pairs), sum(b == 1 for _, b in pairs)
    fewer = min(het, its_het)
    if not fewer:
        return float("nan"), len(pairs), opposite
    kinship = (both_het - 2 * opposite) / (2 * fewer) + 0.5 - (het + its_het) / (4 * fewer)
    return kinship, len(pairs), opposite


def everybody(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(n, 1)


def test_kinship_is_what_the_published_formula_gives_in_plain_python() -> None:
    copies = families(1, 5, 400, missing=0.1, errors=0.01)
    copies[3] = np.where(copies[3] == 1, 2, copies[3])  # heterozygous nowhere
    one, other = everybody(len(copies))
    found = kinship_of(copies, copies, one, other)
    expected = np.array([plainly(copies[i], copies[j]) for i, j in zip(one, other, strict=True)])
    np.testing.assert_allclose(found.kinship, expected[:, 0], rtol=0, atol=1e-12)
    assert np.isnan(found.kinship).sum() == len(copies) - 1
    np.testing.assert_array_equal(found.sites, expected[:, 1])
    np.testing.assert_array_equal(found.opposite, expected[:, 2])


def test_kinship_is_what_plink2_gives(tmp_path: Path) -> None:
    plink2 = shutil.which("plink2")
    if plink2 is None:
        pytest.skip("plink2 is not installed")
    copies = families(2, 6, 700, missing=0.07, errors=0.005)
    names = [f"p{i:02d}" for i in range(len(copies))]
    text = {-1: "./.", 0: "0/0", 1: "0/1", 2: "1/1"}
    records = [
        ("1", 100 + 50 * site, "A", "G", *(text[c] for c in column))
        for site, column in enumerate(copies.T.tolist())
    ]
    vcf = write_vcf(tmp_path / "people.vcf", vcf_text(names, records, contigs=("1",)))
    command = [plink2, "--vcf", str(vcf), "--make-king-table", "counts", "--out", "king"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    header, *lines = (tmp_path / "king.kin0").read_text().splitlines()
    columns = header.removeprefix("#").split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]
    assert len(rows) == len(names) * (len(names) - 1) // 2
    one, other = (np.array([names.index(row[key]) for row in rows]) for key in ("IID1", "IID2"))
    found = kinship_of(copies, copies, one, other)
    assert found.sites.tolist() == [int(row["NSNP"]) for row in rows]
    assert found.opposite.tolist() == [int(row["IBS0"]) for row in rows]
    # It prints six significant digits.
    expected = [float(row["KINSHIP"]) for row in rows]
    np.testing.assert_allclose(found.kinship, expected, rtol=5.1e-6, atol=1e-9)
    assert max(expected) > 0.45 > 0 > min(expected)


@pytest.mark.parametrize("threshold", [0.1, 0.2, 0.25, THRESHOLD, 0.5])
@pytest.mark.parametrize(("missing", "errors"), [(0, 0), (0.05, 0.005), (0.5, 0.02)])
def test_no_pair_that_reaches_the_threshold_is_lost_by_the_bound(
    monkeypatch: pytest.MonkeyPatch, threshold: float, missing: float, errors: float
) -> None:
    """Every pair is worked out here; there, few are, and blocks and parts are small."""
    for name, size in (("_PEOPLE", 17), ("_SITES", 60), ("_FEW", 5), ("_PAIRS", 7)):
        monkeypatch.setattr(module, name, size)
    copies = families(3, 12, 500, missing, errors)
    copies[:, ::7][:, :20] = -1  # sites that a whole cohort lacks
    some = np.flatnonzero((copies >= 0).any(axis=0))
    every = kinship_of(copies, copies, *everybody(len(copies)))
    wanted = every.take((every.kinship >= threshold) & (every.sites >= 100))
    assert 0 < len(wanted) < len(every) or (threshold == 0.5 and errors)
    found = close_pairs(copies, None, some, threshold, 100)
    assert pairs(found) == pairs(wanted)
    half = len(copies) // 2
    across = close_pairs(copies[:half], copies[half:], some, threshold, 100)
    expected = {(i, j - half, k) for i, j, k in pairs(wanted) if i < half <= j}
    assert pairs(across) == expected


def pairs(found: module.Pairs) -> set[tuple[int, int, float]]:
    columns = (found.one.tolist(), found.other.tolist(), found.kinship.tolist())
    return set(zip(*columns, strict=True))


def test_most_pairs_are_never_worked_out_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    def counted(*args: np.ndarray) -> module.Pairs:
        looked_at.append(len(args[2]))
        return kinship_of(*args)

    monkeypatch.setattr(module, "kinship_of", counted)
    monkeypatch.setattr(module, "_FEW", 0)
    copies = families(4, 60, 3_000, missing=0.02, errors=0.001)
    found = close_pairs(copies, None, np.arange(3_000), THRESHOLD, 500)
    assert len(found) == 60
    assert sum(looked_at) < 0.02 * len(copies) ** 2 / 2


def test_pairs_called_at_too_few_sites_are_not_found() -> None:
    copies = families(5, 1, 400, 0, 0)
    copies[0, 100:] = -1
    everywhere = np.arange(400)
    assert len(close_pairs(copies, None, everywhere, THRESHOLD, 100)) == 1
    assert len(close_pairs(copies, None, everywhere, THRESHOLD, 101)) == 0


def test_parents_and_children_and_siblings_are_not_taken_for_one_person() -> None:
    copies = families(6, 100, 2_000, missing=0.02, errors=0.005)
    found = close_pairs(copies, None, np.arange(2_000), THRESHOLD, 500)
    assert {(i, j) for i, j, _ in pairs(found)} == {(k, k + 4) for k in range(0, 500, 5)}


@pytest.mark.long
def test_nobody_is_found_among_unrelated_people_of_twenty_simulated_genomes() -> None:
    """Sites of one population are in linkage disequilibrium here, and only 600 windows apart."""
    for seed in range(1, 21):
        history = msprime.sim_ancestry(
            60, sequence_length=12e6, recombination_rate=1e-8, population_size=1e4,
            random_seed=seed,
        )  # fmt: skip
        model = msprime.BinaryMutationModel()
        tree = msprime.sim_mutations(history, rate=2e-9, random_seed=seed, model=model)
        copies = tree.genotype_matrix().reshape(-1, 60, 2).sum(axis=2, dtype=np.int8)
        frequency = copies.mean(axis=1) / 2
        common = np.flatnonzero(np.minimum(frequency, 1 - frequency) >= 0.05)
        _, first = np.unique(tree.sites_position[common] // 20_000, return_index=True)
        assert len(first) > 500
        chosen = np.ascontiguousarray(copies[common[first]].T)
        assert len(close_pairs(chosen, None, np.arange(len(first)), THRESHOLD, 500)) == 0
        again = np.concatenate([chosen, chosen[7:8]])
        assert len(close_pairs(again, None, np.arange(len(first)), THRESHOLD, 500)) == 1
