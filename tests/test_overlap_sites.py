"""At which sites people are compared: of a file's records, and of all that cohorts have."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.builders import vcf_text, write_fasta, write_sheet, write_vcf
from tests.overlapping import CONTIGS, WINDOW, Cohort, World, compared, run

from afpanel.stages.overlap_calls import CohortCalls, copies_of, counts_of
from afpanel.stages.overlap_sites import ComparableSites


def test_copies_are_counted_of_calls_of_two_alleles_alone() -> None:
    calls = [(0, 0), (0, 1), (1, 1), (1, 0), (0, -1), (-1, 1), (-1, -1), (0, -2), (1, -2), (-1, -2)]
    genotype = np.array([calls, calls], np.int8)
    expected = [0, 1, 2, 1, -1, -1, -1, -1, -1, -1]
    swapped = [2, 1, 0, 1, -1, -1, -1, -1, -1, -1]
    rows, everybody = np.arange(2), np.arange(len(calls))
    assert copies_of(genotype, rows, np.array([1, 0]), everybody).tolist() == [expected, swapped]
    haploid = np.array([[[0], [1], [-1]]], np.int8)
    assert copies_of(haploid, rows[:1], np.array([1]), np.arange(3)).tolist() == [[-1, -1, -1]]
    for read in (copies_of, counts_of):
        assert not np.any(np.maximum(read(haploid, rows[:1], np.array([1]), np.arange(3)), 0))
    # Of some records, in any order, and of some people.
    some, people = np.array([1, 0, 1]), np.array([7, 2, 0])
    which = np.array([1, 1, 0])
    assert copies_of(genotype, some, which, people).tolist() == [[-1, 2, 0], [-1, 2, 0], [-1, 0, 2]]
    copies, called = counts_of(genotype, some, which, people)
    assert copies.tolist() == [2, 2, 2]
    assert called.tolist() == [2, 2, 2]


def test_sites_are_kept_snvs_on_autosomes_that_one_record_alone_speaks_of(tmp_path: Path) -> None:
    bases = "ACGT" * 100
    fasta = write_fasta(tmp_path / "ref.fa", {"chr1": bases, "chrX": bases, "chrM": bases})
    calls = ("0/1", "1/1", "./.")
    rows = [
        ("chr1", 1, "A", "G", *calls),  # used
        ("chr1", 6, "C", "T,G", "0/1", "1/2", "0/0"),  # two ALTs
        ("chr1", 11, "G", "A", *calls),  # two records of one place
        ("chr1", 11, "G", "C", *calls),
        ("chr1", 20, "T", "C", *calls),  # the same line twice: used once
        ("chr1", 20, "T", "C", *calls),
        ("chr1", 25, "A", "AT", *calls),  # no SNV
        ("chr1", 30, "C", "*", *calls),  # rejected
        ("chr1", 35, "GT", "GC", *calls),  # used: T>C at 36
        ("chr1", 41, "A", "C", "LowQual", "GT", *calls),  # filtered
        ("chr1", 45, "G", "A", *calls),  # swapped: used, as A>G
        ("chr1", 50, "C", "T,<NON_REF>", *calls),  # two ALTs, though one is no variant
        ("chr1", 59, "GT", "GA", "0/1", "0/0", "0/0"),  # two spellings that are counted together
        ("chr1", 60, "T", "A", "0/0", "0/1", "0/0"),
        ("chrX", 9, "A", "G", *calls),
        ("chrM", 9, "A", "G", *calls),
    ]
    people = ("p1", "p2", "p3")
    vcf = write_vcf(tmp_path / "a.vcf", vcf_text(people, rows, contigs=("chr1", "chrX", "chrM")))
    sheet = write_sheet(tmp_path / "sheet.tsv", [(name, "P", "XX") for name in people])
    stores = []
    for contig in ("chr1", "chrX", "chrM"):
        stores.append(tmp_path / "genotypes" / f"{contig}.00000.vcz.zip")
        run("ingest", vcf, "--samples", sheet, "--region", contig, "--out", stores[-1])
    run("harmonize", *stores, "--reference", fasta, "--cohort", "C", "--max-ref-mismatch", 1,
        "--out", tmp_path / "alleles.zip", "--summary", tmp_path / "summary.json")  # fmt: skip
    sites = ComparableSites(tmp_path / "alleles.zip")
    assert sites.contigs == ["chr1"]
    places = sites.on("chr1")
    found = [(k >> 16, chr(k >> 8 & 255), chr(k & 255)) for k in places.key.tolist()]
    assert found == [(1, "A", "G"), (20, "T", "C"), (36, "T", "C"), (45, "A", "G")]
    read = CohortCalls(tmp_path / "genotypes", sites.partitions, ["p3", "p1", "p2"])
    copies = np.full((len(found), 3), -9)
    for which, block in read.at(places):
        copies[which] = block
    assert copies.tolist() == [[-1, 1, 2], [-1, 1, 2], [-1, 1, 2], [-1, 1, 0]]


def chosen_plainly(world: World, calls: dict[str, np.ndarray]) -> dict[str, set[int]]:
    """The sites that each cohort is compared at, a window at a time; calls are (people, sites, 2)."""
    has, pooled = {}, {}
    for site in range(len(world.position)):
        for name, alleles in calls.items():
            called = (alleles[:, site] >= 0).all(axis=1)
            if called.sum() >= 0.9 * len(called):
                has.setdefault(site, set()).add(name)
                pooled.setdefault(site, []).extend(alleles[called, site].ravel().tolist())
    best: dict[tuple[int, int], tuple] = {}
    for site, alleles in pooled.items():
        frequency = sum(alleles) / len(alleles)
        if min(frequency, 1 - frequency) >= 0.05:
            position = int(world.position[site])
            window = (int(world.contig[site]), position // WINDOW)
            rank = (-len(has[site]), abs(position % WINDOW - WINDOW // 2), position, site)
            best[window] = min(best.get(window, rank), rank)
    kept = {
        window: rank[-1]
        for window, rank in best.items()
        if window[1] % 2 == 0
        or all(
            abs(best[near][2] - rank[2]) >= WINDOW / 2
            for near in ((window[0], window[1] - 1), (window[0], window[1] + 1))
            if near in best
        )
    }
    return {name: {site for site in kept.values() if name in has[site]} for name in calls}


@pytest.mark.parametrize("seed", [4, 5])
def test_the_sites_chosen_are_those_that_plain_python_chooses(tmp_path: Path, seed: int) -> None:
    """Two of three cohorts have other sites, some places are hardly called, and some sites are near."""
    world = World(tmp_path, seed)
    n = len(world.position)
    order = np.argsort(world.contig * 10**9 + world.position)
    near = world.rng.random(n) < 0.3
    world.position[near] += world.rng.integers(-9_000, 9_000, near.sum())
    world.position[:] = world.position[order]
    # Places are drawn anew, so that alleles fit them; one site to a place, in order.
    for number in range(len(CONTIGS)):
        mine = np.flatnonzero(world.contig == number)
        world.position[mine] = np.sort(world.position[mine])
        assert (np.diff(world.position[mine]) > 0).all()
    world.ref = [
        chr(world.bases[CONTIGS[c]][p - 1])
        for c, p in zip(world.contig, world.position, strict=True)
    ]
    world.alt = [base.translate(str.maketrans("ACGT", "GTAC")) for base in world.ref]
    cohorts, calls = {}, {}
    for k, name in enumerate("ABC"):
        people = world.people([f"SYN{k}{i:04d}" for i in range(15)])
        rare = world.rng.random(n) < 0.2
        for person in people.values():
            person[rare & (world.rng.random(n) < 0.15)] = -1
        sites = None if name == "A" else np.sort(world.rng.permutation(n)[: n * 2 // 3])
        cohorts[name] = Cohort(people, swapped=0.2, sites=sites)
        calls[name] = np.array(list(people.values()))
        if sites is not None:
            calls[name][:, np.setdiff1d(np.arange(n), sites)] = -1
        world.prepare(name, cohorts[name], tmp_path, 1_000_000)
    sheets = {name: tmp_path / f"{name}.tsv" for name in cohorts}
    report = json.loads(
        (compared(tmp_path, sheets, "--min-sites", 100) / "overlap.json").read_text()
    )
    expected = chosen_plainly(world, calls)
    assert report["sites"] == len(set().union(*expected.values()))
    assert {name: each["sites"] for name, each in report["cohorts"].items()} == {
        name: len(sites) for name, sites in expected.items()
    }
    for each in report["comparisons"]:
        one, other = each["cohorts"]
        assert each["sites"] == len(expected[one] & expected[other])
    assert len(expected["A"]) > len(expected["B"]) > 300
