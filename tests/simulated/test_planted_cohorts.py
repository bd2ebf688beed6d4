"""A cohort whose alleles are exchanged, and one of the same people as another, planted among clean ones."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from tests.overlapping import CONTIGS, LENGTH, Cohort, World, compared, pairs_of, run

PEOPLE = 60
COUNTRIES = {"Alpha": "AA", "Beta": "BB", "Gamma": "CC", "Delta": "DD"}


class Hub:
    """Cohorts of the same two populations, from their VCFs to counts."""

    def __init__(self, folder: Path, seed: int, *, planted: bool) -> None:
        world = World(folder, seed)
        made = {name: world.people([f"{name}{i:03d}" for i in range(PEOPLE)]) for name in COUNTRIES}
        if planted:
            # REF and ALT are as in the others' files, and every call is of the other allele.
            made["Gamma"] = {name: 1 - alleles for name, alleles in made["Gamma"].items()}
            again = [
                world.again(alleles, errors=0.002, missing=0.01)
                for alleles in made["Alpha"].values()
            ]
            made["Delta"] = dict(zip(made["Delta"], again, strict=True))
        self.folder, self.private = folder, folder / "private"
        self.sheets = {name: folder / f"{name}.tsv" for name in made}
        counts = []
        for name, people in made.items():
            world.prepare(name, Cohort(people), self.private)
            for store in sorted((self.private / name / "genotypes").glob("*.zip")):
                counts.append(self.private / name / "counts" / store.name)
                run("count", store, "--alleles", self.private / name / "alleles.zarr.zip",
                    "--samples", self.sheets[name], "--cohort", name, "--country", COUNTRIES[name],
                    "--build", "GRCh38", "--out", counts[-1])  # fmt: skip
        run("discordance", *counts, "--reference", world.fasta, "--build", "GRCh38",
            "--out", folder / "discordance")  # fmt: skip

    def table(self, name: str) -> list[dict[str, str]]:
        with (self.folder / "discordance" / f"{name}.tsv").open() as source:
            return list(csv.DictReader(source, delimiter="\t"))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return Hub(tmp_path_factory.mktemp("planted"), seed=3, planted=True)


def test_the_cohort_of_the_same_people_is_found_person_by_person_and_refused(planted, tmp_path):
    out = compared(planted.private, planted.sheets, out=tmp_path, code=4)
    assert pairs_of(out) == [(f"Alpha{i:03d}", f"Delta{i:03d}") for i in range(PEOPLE)]


def test_the_cohort_whose_alleles_are_exchanged_is_found_and_no_other(planted):
    cohorts = {row["cohort"]: row for row in planted.table("cohorts")}
    verdicts = {name: row["verdict"] for name, row in cohorts.items()}
    assert verdicts == dict.fromkeys(COUNTRIES, "passed") | {"Gamma": "flagged"}
    assert "swapped" in cohorts["Gamma"]["reasons"].split(";")
    kinds = Counter((row["cohort"], row["kind"]) for row in planted.table("variants"))
    assert kinds["Gamma", "swapped"] > 1_000
    # Nobody else; near AF 0.5 an exchange is a difference of frequencies.
    assert {cohort for cohort, _ in kinds} == {"Gamma"}


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_nothing_is_found_where_nothing_is_planted(seed, tmp_path):
    """Twenty seeds of each check by itself are in their own tests."""
    clean = Hub(tmp_path, seed, planted=False)
    assert clean.table("variants") == []
    assert {row["verdict"] for row in clean.table("cohorts")} == {"passed"}
    assert pairs_of(compared(clean.private, clean.sheets)) == []
    assert len(CONTIGS) * LENGTH > 10_000_000  # enough sites to tell
