"""Metadata of cohorts: the commands, and validation beside the tables."""

import json
from pathlib import Path

import pytest
import yaml

from afpanel.cli.main import main

ROOT = Path(__file__).parents[2]
LABELS = [
    {"label": "AAA", "name": "Those of AAA", "assignment": "self-reported"},
    {"label": "BBB", "name": "Those of BBB", "assignment": "registry"},
]


@pytest.fixture
def about(project):
    """Metadata that fits the project, named in its table; the function writes changed ones."""
    good = yaml.safe_load((ROOT / "config/metadata.example.yaml").read_text("utf-8"))
    good["populations"] = LABELS

    def write(**sections: object) -> None:
        changed = {key: good[key] | each if isinstance(each, dict) else each
                   for key, each in sections.items()}  # fmt: skip
        (project.folder / "about.yaml").write_text(yaml.safe_dump(good | changed))

    write()
    project.cohort["metadata"] = "about.yaml"
    project.write_cohorts()
    return write


def test_a_cohort_with_metadata_that_fits_is_accepted_and_its_file_is_an_input(project, about):
    assert project.run("validate", "config.yaml", "--plan", "plan.json").code == 0
    assert "about.yaml" in json.loads((project.folder / "plan.json").read_text())["inputs"]


def test_the_plan_is_made_anew_when_metadata_change(project, about):
    assert project.run("validate", "config.yaml", "--plan", "plan.json").code == 0
    about(cohort={"country": "TH"})
    project.validate().refuses("about.yaml, cohort.country", "expected: VN", "found:    TH")


def test_metadata_with_faults_are_refused_together_with_other_faults(project, about):
    about(cohort={"country": "Viet Nam"}, contact={"role": ""})
    project.write_policy(min_group_size=5)
    project.validate().refuses(
        "3 faults", "about.yaml, cohort.country", "'role' is missing", "policy.yaml"
    )


def test_what_is_not_as_in_the_tables_is_told_with_what_is_wrong_by_itself(project, about):
    about(
        cohort={"country": "TH"},
        calling={"build": "hg19"},
        consent={"kind": "oral"},
        populations=LABELS[:1],
    )
    project.validate().refuses(
        "4 faults",
        "cohort.country",
        "calling.build",
        "'oral' is not one of",
        "does not describe BBB",
    )


def test_a_key_at_fault_is_not_held_against_the_tables_too(project, about):
    about(
        cohort={"country": "Viet Nam"},
        calling={"build": "GRCh83"},
        populations=[LABELS[0], LABELS[1] | {"label": "B-B"}],
    )
    outcome = project.validate()
    outcome.refuses("3 faults", "'Viet Nam'", "unknown genome build 'GRCh83'", "'B-B'")


def test_metadata_of_another_build_are_refused(project, about):
    about(calling={"build": "hg19"})
    project.validate().refuses(
        "about.yaml, calling.build", "cohort Tiny", "expected: GRCh38", "found:    GRCh37"
    )


def test_labels_that_are_not_those_of_the_sheet_are_refused(project, about):
    about(populations=[LABELS[0], LABELS[1] | {"label": "CCC"}])
    project.validate().refuses("does not describe BBB", "describes CCC")


def test_a_label_of_people_who_are_not_counted_may_be_described(project, about):
    rows = [("P1", "AAA", "XX", "yes"), ("P2", "BBB", "XY", "no")]
    project.write_sheet(rows, include=True)
    assert project.run("metadata", "check", "about.yaml", "--samples", "sheet.tsv").code == 0
    about(populations=LABELS[:1])
    assert project.run("metadata", "check", "about.yaml", "--samples", "sheet.tsv").code == 0


def test_no_metadata_are_needed(project):
    assert project.cohort.get("metadata", "") == ""
    assert project.run("validate", "config.yaml").code == 0


def test_check_lists_the_faults_of_all_files_and_of_the_sheet(project, about):
    about(contact={"role": "Prof. Example"})
    (project.folder / "other.yaml").write_text("cohort: {}\n")
    outcome = project.try_out("metadata", "check", "about.yaml", "other.yaml", "absent.yaml")
    outcome.refuses("about.yaml, contact.role", "other.yaml: 'legal' is missing", "absent.yaml")
    project.write_sheet([("P1", "AAA", "neither")])
    outcome = project.try_out("metadata", "check", "about.yaml", "--samples", "sheet.tsv")
    outcome.refuses("2 faults", "sheet.tsv, line 2", "contact.role", "remedy:")


def test_check_accepts_good_files_and_prints_nothing(project, about):
    outcome = project.run("metadata", "check", "about.yaml", "about.yaml")
    assert (outcome.code, outcome.out) == (0, "")


def test_a_sheet_goes_with_one_file(project, about):
    command = ("metadata", "check", "about.yaml", "about.yaml", "--samples", "sheet.tsv")
    assert project.try_out(*command).code == 2


def test_show_refuses_metadata_with_faults(project, about):
    about(cohort={"country": ""})
    project.try_out("metadata", "show", "about.yaml").refuses("'country' is missing")
    project.try_out("metadata", "show", "--json", "about.yaml").refuses("'country' is missing")


def test_show_prints_the_same_whatever_the_order_of_keys(project, about):
    document = yaml.safe_load((project.folder / "about.yaml").read_text())
    turned = {
        key: dict(reversed(each.items())) if isinstance(each, dict) else each
        for key, each in reversed(document.items())
    }
    (project.folder / "turned.yaml").write_text(yaml.safe_dump(turned, sort_keys=False))
    for options in ((), ("--json",)):
        first = project.run("metadata", "show", "about.yaml", *options)
        assert first.code == 0
        assert first.out == project.run("metadata", "show", "turned.yaml", *options).out
    said = json.loads(first.out)
    assert list(said) == sorted(said)
    assert said["populations"][0] == LABELS[0] | {"method": ""}


def test_init_writes_the_form_alike_each_time_and_over_no_file(project):
    printed = project.run("metadata", "init")
    assert printed.code == 0
    assert project.run("metadata", "init", "--out", "new/form.yaml").code == 0
    form = project.folder / "new" / "form.yaml"
    assert form.read_text() == printed.out
    form.write_text("filled in\n")
    assert project.try_out("metadata", "init", "--out", "new/form.yaml").code == 2
    assert form.read_text() == "filled in\n"
    project.try_out("metadata", "check", "new/form.yaml").refuses(
        "holds no keys", "afpanel metadata init"
    )


def test_the_filled_form_of_init_passes_check(project):
    assert project.run("metadata", "init", "--example", "--out", "form.yaml").code == 0
    assert project.run("metadata", "check", "form.yaml").code == 0


@pytest.mark.parametrize("name", ["init", "check", "show"])
def test_the_help_of_each_part_teaches_by_an_example(name, capsys):
    assert main(["metadata", name, "--help"]) == 0
    assert f"afpanel metadata {name} " in capsys.readouterr().out.split("Example:", 1)[1]
