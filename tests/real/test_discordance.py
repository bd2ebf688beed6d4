"""Cohorts drawn from the same populations of the 1000 Genomes Project, and one with exchanged alleles."""

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import cyvcf2
import pytest
from tests.builders import write_sheet
from tests.discordant_cohorts import read_tables

from afpanel.cli.main import main

POPULATIONS = ("CHB", "CHS", "JPT")
COHORTS = ("A", "B", "C")
EVERY = 50
Tables = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def compared(
    test_data: Path,
    people_of_1000g: dict[str, tuple[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[bool], tuple[Tables, set[int]]]:
    """Deal out people to three cohorts, and compare these; in one some sites may be exchanged."""
    source = test_data / "grch37/1000g.phase3.chr22.vcf.gz"
    fasta = test_data / "grch37/chr22.fa.gz"
    samples = set(cyvcf2.VCF(str(source)).samples)
    known = ((name, *people_of_1000g[name]) for name in samples & set(people_of_1000g))
    people = sorted(person for person in known if person[1] in POPULATIONS)
    random.Random(1).shuffle(people)

    def compare(exchange: bool) -> tuple[Tables, set[int]]:
        folder = tmp_path_factory.mktemp("compared")
        changed, places = folder / "changed.vcf", set()
        counts = []
        for number, cohort in enumerate(COHORTS):
            mine = people[number :: len(COHORTS)]
            sheet = write_sheet(folder / f"{cohort}.tsv", mine)
            vcf = source
            if exchange and cohort == "B":
                vcf, places = changed, _exchange(source, changed)
            counts.append(str(folder / f"{cohort}.zarr.zip"))
            assert main(["-q", "count", str(vcf), "--region", "22", "--reference", str(fasta),
                         "--samples", str(sheet), "--cohort", cohort, "--country", "CN",
                         "--build", "GRCh37", "--out", counts[-1]]) == 0  # fmt: skip
        assert main(["discordance", *counts, "--reference", str(fasta), "--build", "GRCh37",
                     "--out", str(folder / "out")]) == 0  # fmt: skip
        return read_tables(folder / "out"), places

    return compare


def _exchange(source: Path, target: Path) -> set[int]:
    """Exchange 0 and 1 in the genotypes of every fiftieth SNV; returns where."""
    places, seen = set(), 0
    turned = str.maketrans("01", "10")
    with gzip.open(source, "rt") as lines, target.open("w") as out:
        for line in lines:
            fields = [] if line.startswith("#") else line.rstrip("\n").split("\t")
            if fields and len(fields[3]) == len(fields[4]) == 1:
                seen += 1
                if seen % EVERY == 0:
                    places.add(int(fields[1]))
                    fields[9:] = [call.translate(turned) for call in fields[9:]]
                    out.write("\t".join(fields) + "\n")
                    continue
            out.write(line)
    return places


def test_people_dealt_out_at_random_are_of_the_same_populations(compared):
    tables, _ = compared(False)
    assert tables["variants"] == []
    assert {each["verdict"] for each in tables["cohorts"]} == {"passed"}
    assert all(int(each["allele_tests"]) > 1000 for each in tables["cohorts"])


def test_sites_of_which_one_cohort_has_the_alleles_exchanged_are_found(compared):
    tables, places = compared(True)
    found = {int(f["position"]) for f in tables["variants"] if f["kind"] == "swapped"}
    assert {each["cohort"] for each in tables["variants"]} == {"B"}
    assert found <= places
    # All are far from one half here but a few, for most variants are rare in these populations.
    assert len(found) > 0.9 * len(places) > 100
    verdicts = {each["cohort"]: each["verdict"] for each in tables["cohorts"]}
    assert verdicts == {"A": "passed", "B": "flagged", "C": "passed"}
