"""The ledger: who joined and left, what is recorded, and that nothing of it can be changed unnoticed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.builders import write_sheet
from tests.two_releases import CONTIG, Genomes, publish

from afpanel.cli.main import main
from afpanel.constants import Sex
from afpanel.core.people_changes import CohortVersion, Crowd, GroupChanges, numbered
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError, PolicyRefusalError, VerificationError
from afpanel.io.files import sha256
from afpanel.io.ledger import Ledger
from afpanel.io.panel_store import PanelRows
from afpanel.io.release_reader import open_panel
from afpanel.model.cohort import Cell
from afpanel.model.groups import group_named
from afpanel.stages.cell_counts import CountsHead, create_cell_counts
from afpanel.stages.external_releases import ExternalRelease
from afpanel.stages.ledger import check
from afpanel.stages.record import RecordInputs, record
from afpanel.stages.settle import SettleOptions, as_settled, read_settled, settle

XX, XY = Sex.XX, Sex.XY


class Hub:
    """A hub of two cohorts that come with genotypes, of which only sheets and empty counts are there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = folder / "ledger"
        self.people = {"Ba": ["KHV"] * 40, "Ta": ["TAI"] * 30}
        (folder / "policy.yaml").write_text("{min_group_size: 10, min_allele_count: 3}\n")

    def settle(self, name: str, *, reuse: bool = False) -> Path:
        cohorts, counts = {}, []
        for cohort, populations in self.people.items():
            sheet = self.folder / f"{cohort}.tsv"
            rows = [
                (f"{cohort}-{i:03d}", population, "XX") for i, population in enumerate(populations)
            ]
            write_sheet(sheet, rows)
            cells = [Cell(p, XX, populations.count(p)) for p in sorted(set(populations))]
            path = self.folder / f"{cohort}.{len(populations)}.zarr.zip"
            with create_cell_counts(path, CountsHead(cohort, "VN", cells), [CONTIG]):
                pass
            counts.append(path)
            described = [{"population": cell.population, "sex": "XX"} for cell in cells]
            cohorts[cohort] = {
                "kind": "vcf", "country": "VN", "samples": str(sheet), "cells": described,
                "permission": None,
            }  # fmt: skip
        plan = self.folder / "plan.json"
        plan.write_text(json.dumps({"cohorts": cohorts, "left_out": {}}))
        out = self.folder / f"{name}.json"
        options = SettleOptions(name, reuse)
        settle(self.ledger, plan, counts, self.folder / "policy.yaml", out, options)
        return out

    def record(self, version: str, settled: Path) -> None:
        """Record a release without variants."""
        made = publish(Genomes.simulate(3), self.folder / "made", version, k=0, fewest=0)
        parent = made.parent
        merged, releasable = (
            parent / each / f"{CONTIG}.zarr.zip" for each in ("merged", "releasable")
        )
        decision = json.loads((parent / "decision.json").read_text())
        entries = Ledger(self.ledger).before(f"p-{version}")
        decision["ledger"] = {
            "releases": [{"release": e.name, "entry_sha256": e.digest} for e in entries]
        }
        (parent / "decision.json").write_text(json.dumps(decision))
        inputs = RecordInputs(made, [merged], [releasable], parent / "decision.json", settled)
        record(self.ledger, inputs, keep_counts=True)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A hub that has recorded one release."""
    made = Hub(tmp_path)
    made.record("1", made.settle("p-1"))
    return made


def test_a_cohort_that_grew_by_one_is_refused_by_name_with_what_would_pass(hub):
    hub.people["Ba"].append("KHV")
    with pytest.raises(
        PolicyRefusalError, match=r"of cohort Ba 1 people were added and 0 removed"
    ) as e:
        hub.settle("p-2")
    assert "at least 10 people" in str(e.value)
    assert e.value.exit_code == 4


@pytest.mark.parametrize(
    ("change", "passes"),
    [
        (lambda people: people + ["KHV"] * 10, True),
        (lambda people: people + ["KHV"] * 9, False),
        (lambda people: people[:30], True),
        (lambda people: people[:31], False),
        (lambda people: ["CDX", *people[1:]], False),  # somebody was of another population
        (lambda people: people, True),
    ],
)
def test_those_who_join_and_leave_must_be_nobody_or_as_many_as_a_group(hub, change, passes):
    hub.people["Ba"] = change(hub.people["Ba"])
    if passes:
        hub.settle("p-2")
    else:
        with pytest.raises(PolicyRefusalError, match="cohort Ba"):
            hub.settle("p-2")


def test_a_tenth_of_a_large_cohort_is_more_than_a_small_group(hub):
    hub.people["Ba"] = ["KHV"] * 200
    hub.record("2", hub.settle("p-2"))
    hub.people["Ba"] += ["KHV"] * 19
    with pytest.raises(PolicyRefusalError, match="at least 20 people"):
        hub.settle("p-3")


def test_a_withdrawn_cohort_too_small_to_go_unseen_is_refused(hub):
    hub.people["Ta"] = hub.people["Ta"][:20]
    hub.record("2", hub.settle("p-2"))
    (hub.folder / "policy.yaml").write_text("{min_group_size: 25, min_allele_count: 3}\n")
    del hub.people["Ta"]
    with pytest.raises(PolicyRefusalError, match="cohort Ta 0 people were added and 20 removed"):
        hub.settle("p-3")


def test_counts_of_the_last_release_are_taken_again_where_that_is_configured(hub):
    before = {
        each.cohort: each for each in Ledger(hub.ledger).versions(Ledger(hub.ledger).entries[0])
    }
    hub.people["Ba"].append("KHV")
    settled = read_settled(hub.settle("p-2", reuse=True))
    assert settled.frozen == {"Ba": "p-1"}
    assert {each.cohort: each for each in settled.versions} == before
    (frozen,) = settled.counts["Ba"]
    assert hub.ledger in frozen.parents
    assert frozen.read_bytes() == (hub.folder / "Ba.40.zarr.zip").read_bytes()
    now = [hub.folder / "Ba.41.zarr.zip", hub.folder / "Ta.30.zarr.zip"]
    beds = {"Ba": Path("ba.bed"), "Ta": Path("ta.bed")}
    stores, evidence = as_settled(hub.folder / "p-2.json", now, beds)
    assert list(stores) == [now[1], frozen]
    assert evidence == {"Ta": Path("ta.bed")}
    assert as_settled(None, now, beds) == (now, beds)


def test_a_release_that_is_made_again_is_not_held_against_itself(hub):
    hub.people["Ba"].append("KHV")
    hub.settle("p-1")


def test_a_cohort_by_another_name_is_of_the_same_people():
    """Else it would be one that left and one that joined, and nothing that was masked would stay so."""
    cells = (("KHV", XX, ("a", "b")), ("KHV", XY, ("c",)))
    one, other = (Crowd.of([CohortVersion(name, "VN", "", cells)]) for name in ("One", "Other"))
    groups = [group_named(name) for name in ("total", "VN", "VN_KHV", "XX", "XY")]
    changes = GroupChanges.of(one, other, groups)
    assert changes.both.tolist() == [3, 3, 3, 2, 1]
    assert not changes.changed.any()


def test_people_who_change_their_population_leave_one_group_and_join_another():
    before = Crowd.of([CohortVersion("A", "VN", "", (("KHV", XX, ("a", "b", "c")),))])
    cells = (("KHV", XX, ("a", "b")), ("CDX", XX, ("c",)))
    after = Crowd.of([CohortVersion("A", "VN", "", cells)])
    groups = [group_named(name) for name in ("VN", "VN_CDX", "VN_KHV")]
    changes = GroupChanges.of(before, after, groups)
    assert changes.added.tolist() == [0, 1, 0]
    assert changes.removed.tolist() == [0, 0, 1]


def test_no_sample_id_is_anywhere_in_a_ledger(hub):
    text = b"".join(path.read_bytes() for path in hub.ledger.rglob("*") if path.is_file())
    assert len(text) > 1_000
    assert b"Ba-0" not in text
    assert b"Ta-0" not in text


# The chain.


@pytest.fixture(scope="session")
def recorded(once) -> Path:
    """Two releases of the same people, and their ledger."""

    def fill(folder: Path) -> None:
        genomes = Genomes.simulate(120)
        publish(genomes, folder, "1", ledger=folder / "ledger")
        publish(genomes, folder, "2", ledger=folder / "ledger")

    return once("ledger-of-two", fill)


@pytest.fixture
def ledger(recorded, tmp_path) -> Path:
    shutil.copytree(recorded / "ledger", tmp_path / "ledger")
    return tmp_path / "ledger"


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_whole_ledger_passes_and_is_listed(ledger, capsys):
    assert main(["ledger", "check", str(ledger)]) == 0
    assert main(["ledger", "show", str(ledger)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2 entries")
    assert [line.split("\t")[1] for line in lines[2:]] == ["p-1", "p-2"]
    assert check(ledger, Ledger(ledger).entries[0].digest)


def change_first(ledger: Path) -> None:
    path = ledger / "entries/000001.json"
    path.write_text(path.read_text().replace('"min_allele_count": 11', '"min_allele_count": 10'))


def change_last(ledger: Path) -> None:
    path = ledger / "entries/000002.json"
    path.write_text(path.read_text() + "\n")


def change_cells(ledger: Path) -> None:
    path = ledger / f"cells/000001/{CONTIG}.zarr.zip"
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize(
    "harm",
    [
        change_first, change_last, change_cells,
        lambda ledger: (ledger / "entries/000001.json").unlink(),
        lambda ledger: (ledger / "entries/000002.json").unlink(),
        lambda ledger: (ledger / "private/000002.json").unlink(),
        lambda ledger: next((ledger / "private/kept").iterdir()).unlink(),
        lambda ledger: (ledger / "private/000001.json").write_text("{}"),
    ],
)  # fmt: skip
def test_whatever_is_changed_or_taken_out_is_noticed(ledger, harm, capsys):
    harm(ledger)
    assert main(["ledger", "check", str(ledger)]) == 5
    assert "remedy" in capsys.readouterr().err


def test_a_chain_that_was_written_anew_is_noticed_by_a_digest_that_somebody_noted(ledger, tmp_path):
    noted = Ledger(ledger).entries[-1].digest
    publish(Genomes.simulate(50), tmp_path, "1", ledger=tmp_path / "other")
    with pytest.raises(VerificationError, match="not the ledger that it was"):
        check(tmp_path / "other", noted)


def test_an_entry_whose_run_was_killed_before_the_head_was_written_counts(ledger):
    whole = contents(ledger)
    head = json.loads((ledger / "head.json").read_text())
    first = Ledger(ledger).entries[0].digest
    (ledger / "head.json").write_text(json.dumps(head | {"entries": 1, "sha256": first}))
    assert [entry.name for entry in Ledger(ledger).entries] == ["p-1", "p-2"]
    Ledger(ledger).seal()
    assert contents(ledger) == whole


def test_without_its_key_a_ledger_makes_no_other(ledger):
    (ledger / "private/key").unlink()
    with pytest.raises(VerificationError, match="key of the ledger is gone"):
        Ledger(ledger).key()


def test_the_same_release_again_changes_nothing(recorded, tmp_path):
    shutil.copytree(recorded, tmp_path / "again")
    folder = tmp_path / "again"
    before = contents(folder)
    for version in ("1", "2"):
        shutil.rmtree(folder / version)
        publish(Genomes.simulate(120), folder, version, ledger=folder / "ledger")
    assert contents(folder) == before


def test_another_release_of_the_same_name_is_refused(ledger, tmp_path):
    before = contents(ledger)
    with pytest.raises(PolicyRefusalError, match="p-2 was recorded before, with other content"):
        publish(Genomes.simulate(120), tmp_path, "2", k=12, ledger=ledger)
    assert contents(ledger) == before


def test_a_release_that_was_not_held_against_all_is_not_recorded(recorded, tmp_path):
    shutil.copytree(recorded, tmp_path / "again")
    folder = tmp_path / "again"
    genomes = Genomes.simulate(120)
    publish(genomes, folder, "3", ledger=folder / "ledger")
    shutil.copytree(recorded / "ledger", tmp_path / "third")
    publish(genomes, tmp_path / "third-made", "other", ledger=tmp_path / "third")
    made = folder / "3"
    inputs = RecordInputs(
        made / "release", [made / f"merged/{CONTIG}.zarr.zip"],
        [made / f"releasable/{CONTIG}.zarr.zip"], made / "decision.json", made / "settled.json",
    )  # fmt: skip
    with pytest.raises(VerificationError, match="not held against all releases"):
        record(tmp_path / "third", inputs)


def test_variants_that_were_dropped_are_recorded_as_masked(recorded):
    ledger = Ledger(recorded / "ledger")
    with (
        PanelRows(ledger.cells(ledger.entries[0], CONTIG)) as cells,
        PanelRows(recorded / f"1/merged/{CONTIG}.zarr.zip") as merged,
        PanelRows(recorded / f"1/releasable/{CONTIG}.zarr.zip") as releasable,
    ):
        variants, shown = cells.window(0, 1 << 30)
        everything, _ = merged.window(0, 1 << 30)
        published, told = releasable.window(0, 1 << 30)
    assert variants.position.tolist() == everything.position.tolist()
    rows = np.isin(variants.position, published.position)
    assert 0 < rows.sum() < len(rows)
    assert (shown.allele_count[rows] == told.allele_count).all()
    assert (shown.state[rows] == told.state).all()
    assert (shown.state[~rows] == 3).all()
    assert (shown.allele_count[~rows] == -1).all()


def test_the_decision_says_which_releases_were_looked_at_and_how_many_cells_are_masked_for_them(
    recorded,
):
    said = [json.loads((recorded / v / "decision.json").read_text())["ledger"] for v in ("1", "2")]
    (first, _) = Ledger(recorded / "ledger").entries
    assert said[0] == {"releases": [], "external_releases": [], "masked_cells": 0}
    assert said[1]["releases"] == [{"release": "p-1", "entry_sha256": first.digest}]
    assert said[1]["masked_cells"] == 0  # the same people, the same limit


def test_a_release_on_another_build_is_refused_by_name(ledger, tmp_path):
    first = ledger / "entries/000001.json"
    first.write_text(first.read_text().replace('"build": "GRCh38"', '"build": "GRCh37"'))
    (ledger / "entries/000002.json").unlink()
    head = {"ledger_version": 1, "entries": 1, "sha256": sha256(first)}
    (ledger / "head.json").write_text(json.dumps(head))
    with pytest.raises(PolicyRefusalError, match=r"p-1, of the same people, is on build GRCh37"):
        publish(Genomes.simulate(120), tmp_path, "3", ledger=ledger)


# People of cohorts that come as counts.


def test_people_who_stay_keep_their_numbers():
    first = numbered("A", "VN", "1", [("K", XX, 3), ("L", XY, 2)], None, None)
    assert [members for _, _, members in first.cells] == [("1", "2", "3"), ("4", "5")]
    assert numbered("A", "VN", "1", [("K", XX, 9)], first, None) is first
    second = numbered("A", "VN", "2", [("K", XX, 5), ("L", XY, 1)], first, None)
    assert [members for _, _, members in second.cells] == [("1", "2", "3", "6", "7"), ("4",)]


def test_declared_changes_count_those_who_were_replaced():
    first = numbered("A", "VN", "1", [("K", XX, 10)], None, None)
    second = numbered("A", "VN", "2", [("K", XX, 12)], first, (6, 4))
    assert len(set(second.members) - set(first.members)) == 6
    assert len(set(first.members) - set(second.members)) == 4
    with pytest.raises(BadInputError, match="not what is said of it"):
        numbered("A", "VN", "2", [("K", XX, 12)], first, (6, 5))


# What countries show elsewhere.


def test_cells_of_an_external_release_are_known(tmp_path, recorded):
    vcf = tmp_path / "aa.vcf"
    vcf.write_text(
        "##fileformat=VCFv4.3\n"
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="x">\n'
        '##INFO=<ID=AN,Number=1,Type=Integer,Description="x">\n'
        "##contig=<ID=chr21>\n"
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        "chr21\t1010\t.\tA\tC,G\t.\tPASS\tAC=3,4;AN=260\n"
    )
    variants = Variants(
        np.array([1000, 1010, 1010], np.int32), Strings.of(["A"] * 3), Strings.of(["C", "C", "T"])
    )
    groups = ["total", "AA", "AA_P", "BB"]
    found = ExternalRelease("AA", vcf, groups).known("chr21", variants)
    assert found.tolist() == [[False] * 4, [False, True, False, False], [False] * 4]
    with open_panel(recorded / "1/release") as panel:
        variants = panel.window(CONTIG, 0, 1 << 30).variants
        state = panel.variants(["AA", "AA_P"]).state
    release = ExternalRelease("AA", recorded / "1/release", groups).known("chr21", variants)
    assert not release[:, [0, 3]].any()
    assert (release[:, 1:3] == (state != 3)).all()
    decision = tmp_path / "2/decision.json"
    publish(Genomes.simulate(120), tmp_path, "2", ledger=tmp_path / "l", external=[("AA", vcf)])
    assert json.loads(decision.read_text())["ledger"]["external_releases"][0]["country"] == "AA"


def test_the_configuration_knows_the_ledger(root):
    schema = yaml.safe_load((root / "workflow/schemas/config.schema.yaml").read_text())
    chosen = schema["properties"]["disclosure"]["properties"]
    assert chosen["ledger"]["default"] is None
    assert chosen["small_changes"]["default"] == "refuse"
