"""People who are in two cohorts are found, and counted once; nobody else is, and nobody is named."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tests.overlapping import Cohort, World, compared, dropping, pairs_of, run

NAMES = ("Alpha", "Beta", "Gamma")
PLANTED = [("SYN10000", "SYN20003"), ("SYN10004", "SYN30000"), ("SYN20004", "SYN30001")]


class Hub:
    """Three cohorts with three people in two of them, and with relatives across them."""

    def __init__(self, folder: Path) -> None:
        self.world = world = World(folder)
        alpha = world.people([f"SYN1{i:04d}" for i in range(24)])
        beta = world.people([f"SYN2{i:04d}" for i in range(22)])
        gamma = world.people([f"SYN3{i:04d}" for i in range(26)])
        beta["SYN20003"] = world.again(alpha["SYN10000"], errors=0.005, missing=0.03)
        gamma["SYN30000"] = world.again(alpha["SYN10004"])
        gamma["SYN30001"] = world.again(beta["SYN20004"])
        parents = (alpha["SYN10001"], alpha["SYN10002"])
        beta["SYN20000"], beta["SYN20001"] = (world.child(*parents) for _ in range(2))
        gamma["SYN30005"] = world.child(*parents)
        gamma["SYN30006"] = world.again(alpha["SYN10007"])  # but the sheet leaves it out
        self.cohorts = {
            "Alpha": Cohort(alpha),
            "Beta": Cohort(beta, swapped=0.3, common_only=True),
            "Gamma": Cohort(gamma, lifted=True, left_out=("SYN30006",)),
        }
        self.private = folder / "private"
        for name, cohort in self.cohorts.items():
            world.prepare(name, cohort, self.private)
        self.sheets = {name: folder / f"{name}.tsv" for name in self.cohorts}

    def ids(self) -> list[str]:
        return [sample for cohort in self.cohorts.values() for sample in cohort.people]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return Hub(tmp_path_factory.mktemp("hub"))


def report_of(out: Path) -> dict:
    return json.loads((out / "overlap.json").read_text())


def test_three_people_are_found_across_a_swapped_and_a_lifted_cohort_and_no_relative(hub, tmp_path):
    out = compared(hub.private, hub.sheets, "--action", "report", out=tmp_path)
    assert pairs_of(out) == PLANTED
    report = report_of(out)
    assert report["pairs"] == 3
    told = {tuple(each["cohorts"]): each for each in report["comparisons"]}
    assert len(told) == 6
    assert all(each["told"] and each["sites"] > 500 for each in told.values())
    assert {key for key, each in told.items() if each["pairs"]} == {
        ("Alpha", "Beta"), ("Alpha", "Gamma"), ("Beta", "Gamma"),
    }  # fmt: skip
    assert told["Alpha", "Gamma"]["people"] == [24, 25]


def test_relatives_are_found_when_the_threshold_is_theirs(hub, tmp_path):
    """So they are there to be found: two children of one couple, and each with each parent."""
    found = pairs_of(
        compared(hub.private, hub.sheets, "--action", "report", "--kinship", 0.18, out=tmp_path)
    )
    parents, children = ("SYN10001", "SYN10002"), ("SYN20000", "SYN20001", "SYN30005")
    family = {(p, c) for p in parents for c in children}
    family |= {(a, b) for i, a in enumerate(children) for b in children[i + 1 :]}
    assert set(found) == family | set(PLANTED)


def test_kinship_sites_and_ibs0_are_what_the_genotypes_say(hub, tmp_path):
    """Gamma's person of Alpha is genotyped without an error there."""
    out = compared(hub.private, hub.sheets, "--action", "report", out=tmp_path)
    rows = [line.split("\t") for line in (out / "overlap.tsv").read_text().splitlines()[1:]]
    assert rows[1][4:] == ["0.500000", str(report_of(out)["comparisons"][2]["sites"]), "0"]
    assert 0.47 < float(rows[0][4]) < 0.5
    assert int(rows[0][5]) < report_of(out)["comparisons"][1]["sites"]


def test_fail_refuses_with_cohorts_and_numbers_and_names_nobody(hub, tmp_path, capfd):
    out = compared(hub.private, hub.sheets, out=tmp_path, code=4)
    said = capfd.readouterr()
    assert "pairs of samples that are of one person: 3" in said.err
    assert "Alpha and Beta: 1, Alpha and Gamma: 1, Beta and Gamma: 1" in said.err
    assert "remedy" in said.err
    assert "overlap: drop" in said.err
    assert "SYN" not in said.err + said.out
    assert pairs_of(out) == PLANTED
    assert "SYN" not in (out / "overlap.json").read_text()


def test_nothing_is_refused_where_nobody_is_twice(hub, tmp_path):
    hub_sheets = {name: hub.sheets[name] for name in ("Alpha",)}
    out = compared(hub.private, hub_sheets, out=tmp_path)
    assert pairs_of(out) == []
    (own,) = report_of(out)["comparisons"]
    assert own["cohorts"] == ["Alpha", "Alpha"]
    assert own["told"]


def counted(hub: Hub, out: Path, sheets: Mapping[str, Path], exclude: Path | None) -> list[Path]:
    """Count all cohorts, and merge chr1."""
    counts = []
    for name, cohort in hub.cohorts.items():
        for store in sorted((hub.private / name / "genotypes").iterdir()):
            counts.append(out / name / store.name.replace(".vcz", ""))
            run("count", store, "--alleles", hub.private / name / "alleles.zarr.zip", "--samples",
                sheets[name], "--cohort", name, "--country", "ZZ", "--build",
                "GRCh37" if cohort.lifted else "GRCh38", "--out", counts[-1],
                *(() if exclude is None else ("--exclude", exclude / name / "dropped.txt")))  # fmt: skip
    panel = out / "chr1.zarr.zip"
    run("merge", *counts, "--contig", "chr1", "--reference", hub.world.fasta, "--build", "GRCh38",
        "--out", panel)  # fmt: skip
    return [*counts, panel]


def test_drop_gives_the_bytes_of_sheets_that_include_each_person_once(hub, tmp_path):
    out = compared(hub.private, hub.sheets, *dropping(tmp_path), out=tmp_path)
    dropped = {name: (out / name / "dropped.txt").read_text().split() for name in NAMES}
    assert dropped == {"Alpha": [], "Beta": ["SYN20003"], "Gamma": ["SYN30000", "SYN30001"]}
    assert {name: each["dropped"] for name, each in report_of(out)["cohorts"].items()} == {
        "Alpha": 0, "Beta": 1, "Gamma": 2,
    }  # fmt: skip
    found = counted(hub, tmp_path / "dropped", hub.sheets, out)
    other = World.__new__(World)
    other.folder = tmp_path
    sheets = {
        name: other.write_sheet(name, cohort, dropped[name]) for name, cohort in hub.cohorts.items()
    }
    expected = counted(hub, tmp_path / "left-out", sheets, None)
    assert [path.read_bytes() for path in found] == [path.read_bytes() for path in expected]
    everybody = counted(hub, tmp_path / "everybody", hub.sheets, None)
    assert everybody[-1].read_bytes() != expected[-1].read_bytes()
    assert pairs_of(compared(hub.private, sheets, out=tmp_path)) == []


@pytest.mark.parametrize("tile", [700_000, 3_000_001])
def test_the_order_of_cohorts_and_samples_and_the_partitions_change_no_byte(hub, tmp_path, tile):
    once = compared(hub.private, hub.sheets, *dropping(tmp_path / "a"), out=tmp_path / "a")
    other = World.__new__(World)
    other.__dict__ |= hub.world.__dict__ | {"folder": tmp_path}
    for name, cohort in hub.cohorts.items():
        people = dict(reversed(cohort.people.items()))
        turned = Cohort(**{**cohort.__dict__, "people": people})
        other.prepare(name, turned, tmp_path / "private", tile)
    sheets = {name: tmp_path / f"{name}.tsv" for name in reversed(hub.sheets)}
    again = compared(tmp_path / "private", sheets, *dropping(tmp_path / "b"), out=tmp_path / "b")
    files = ["overlap.tsv", "overlap.json", *(f"{name}/dropped.txt" for name in NAMES)]
    assert [(once / f).read_bytes() for f in files] == [(again / f).read_bytes() for f in files]


def test_with_too_few_sites_it_cannot_be_told_and_nobody_is_found(hub, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        out = compared(hub.private, hub.sheets, "--min-sites", 20_000, out=tmp_path)
    assert pairs_of(out) == []
    assert all(
        each["told"] is False and each["pairs"] is None for each in report_of(out)["comparisons"]
    )
    (said,) = (record.getMessage() for record in caplog.records)
    assert "cannot be told where cohorts share fewer than 20,000 common sites" in said
    assert "Alpha and Beta" in said
    assert "SYN" not in said


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("odd"), seed=2)


def test_a_chain_over_three_cohorts_and_repeats_in_one_are_each_one_person(odd, tmp_path):
    people = {
        name: odd.people([f"SYN{i}{k:04d}" for k in range(20)]) for i, name in enumerate("XYZ")
    }
    first = people["X"]["SYN00007"]
    people["Y"]["SYN10001"] = odd.again(first, missing=0.02)
    people["Z"]["SYN20002"] = odd.again(first, missing=0.02)
    people["Z"]["SYN20019"] = odd.again(people["Z"]["SYN20018"])
    for name, each in people.items():
        odd.prepare(name, Cohort(each), tmp_path)
    sheets = {name: odd.folder / f"{name}.tsv" for name in people}
    compared(tmp_path, sheets, *dropping(tmp_path))
    lists = {name: (tmp_path / name / "dropped.txt").read_text().split() for name in people}
    assert lists == {"X": [], "Y": ["SYN10001"], "Z": ["SYN20002", "SYN20019"]}
    assert len(pairs_of(tmp_path)) == 4


def test_cohorts_with_few_sites_in_common_are_told_apart_from_those_with_many(odd, tmp_path):
    """An array that shares 300 sites with one cohort, and a cohort that shares all with another."""
    n = len(odd.position)
    people = {
        name: odd.people([f"SYN{i}{k:04d}" for k in range(20)]) for i, name in enumerate("PQR")
    }
    people["Q"]["SYN10000"] = odd.again(people["P"]["SYN00000"])
    people["R"]["SYN20000"] = odd.again(people["P"]["SYN00001"])
    some = np.sort(odd.rng.permutation(n)[:400])
    for name, sites in (("P", None), ("Q", None), ("R", some)):
        odd.prepare(name, Cohort(people[name], sites=sites), tmp_path)
    sheets = {name: odd.folder / f"{name}.tsv" for name in people}
    compared(tmp_path, sheets, "--action", "report")
    assert pairs_of(tmp_path) == [("SYN00000", "SYN10000")]
    told = {"".join(each["cohorts"]): each["told"] for each in report_of(tmp_path)["comparisons"]}
    assert told == {"PP": True, "PQ": True, "PR": False, "QQ": True, "QR": False, "RR": False}
    compared(tmp_path, sheets, "--action", "report", "--min-sites", 100)
    assert pairs_of(tmp_path) == [("SYN00000", "SYN10000"), ("SYN00001", "SYN20000")]


def test_a_cohort_all_of_whose_people_are_in_others_is_refused(odd, tmp_path, capfd):
    people = odd.people([f"SYN0{k:04d}" for k in range(12)])
    again = {name.replace("SYN0", "SYN1"): odd.again(person) for name, person in people.items()}
    odd.prepare("M", Cohort(people), tmp_path)
    odd.prepare("N", Cohort(again), tmp_path)
    sheets = {name: odd.folder / f"{name}.tsv" for name in "MN"}
    compared(tmp_path, sheets, *dropping(tmp_path), code=4)
    assert "all 12 people of cohort N are in other cohorts too" in capfd.readouterr().err


def test_nobody_is_dropped_from_a_cohort_whose_track_counts_everybody(hub, tmp_path, capfd):
    track = tmp_path / "track.txt"
    track.write_text("#contig\tstart\tend\tAN\n")
    given = ("--callable", f"Beta={track}")
    compared(hub.private, hub.sheets, *dropping(tmp_path), *given, out=tmp_path, code=4)
    said = capfd.readouterr().err
    assert "of cohort Beta 1 samples would be dropped, and its track" in said
    assert "take them out of the track" in said
    assert "SYN" not in said
    assert not list(tmp_path.glob("*/dropped.txt"))
    # Nobody of Alpha is dropped, and a BED speaks of everybody who is counted, whoever that is.
    bed = tmp_path / "callable.bed"
    bed.write_text("chr1\t0\t100\n")
    given = ("--callable", f"Alpha={track}", "--callable", f"Beta={bed}")
    compared(hub.private, hub.sheets, *dropping(tmp_path), *given, out=tmp_path)
    assert (tmp_path / "Beta/dropped.txt").read_text() == "SYN20003\n"


def test_people_with_hardly_any_call_are_counted_as_not_told(odd, tmp_path, caplog):
    people = odd.people([f"SYN0{k:04d}" for k in range(20)])
    people["SYN00003"] = odd.again(people["SYN00004"], missing=0.9)
    odd.prepare("L", Cohort(people), tmp_path)
    with caplog.at_level(logging.WARNING):
        compared(tmp_path, {"L": odd.folder / "L.tsv"})
    (own,) = report_of(tmp_path)["comparisons"]
    assert (own["told"], own["pairs"], own["people_with_too_few_calls"]) == (True, 0, 1)
    assert "people with too few calls to be told: within L (1)" in caplog.text


def test_a_list_to_exclude_must_fit_its_sheet(hub, tmp_path, capfd):
    listed = tmp_path / "dropped.txt"
    own = hub.private / "Alpha"
    words = ("count", own / "genotypes/chr1.00000.vcz.zip", "--alleles", own / "alleles.zarr.zip",
             "--samples", hub.sheets["Alpha"], "--cohort", "Alpha", "--country", "ZZ", "--build",
             "GRCh38", "--exclude", listed, "--out", tmp_path / "out.zip")  # fmt: skip
    for text, said in (
        ("SYN10001\nnobody\n", "1 of the 2 samples to exclude are not in the sample sheet"),
        (
            "".join(f"{name}\n" for name in hub.cohorts["Alpha"].people),
            "no sample is left to count",
        ),
    ):
        listed.write_text(text)
        run(*words, code=3)
        err = capfd.readouterr().err
        assert said in err
        assert "SYN" not in err.replace("SYN1/", "")
    listed.unlink()
    run(*words, code=3)
    assert not (tmp_path / "out.zip").exists()
