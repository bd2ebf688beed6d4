"""The form of a cohort's metadata, and what is found wrong with a filled one."""

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from afpanel.core.data_use import TERMS
from afpanel.errors import BadInputError, FaultsError
from afpanel.io.metadata import read_metadata
from afpanel.io.metadata_form import metadata_form
from afpanel.stages.metadata import page_of

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/metadata.schema.yaml").read_text("utf-8"))
GOOD = yaml.safe_load((ROOT / "config/metadata.example.yaml").read_text("utf-8"))
GUIDE = (ROOT / "docs/metadata.md").read_text("utf-8")


def leaves(schema: dict, place: str = "") -> Iterator[tuple[str, bool, dict]]:
    """Every key that holds a value: its place, whether it is required, what is said of it."""
    for key, described in schema["properties"].items():
        inner = described if "properties" in described else described.get("items", {})
        if "properties" in inner:
            yield from leaves(inner, f"{place}{key}.")
        else:
            yield f"{place}{key}", key in schema["required"], described


LEAVES = list(leaves(SCHEMA))


def faults_of(document: object, folder: Path) -> list[BadInputError]:
    """Read a document, and give what is wrong with it."""
    path = folder / "about.yaml"
    text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    try:
        read_metadata(path)
    except FaultsError as several:
        return several.faults
    except BadInputError as fault:
        return [fault]
    return []


def spoiled(place: str, value: object) -> dict:
    """The good example with another value; None takes the key out."""
    document = deepcopy(GOOD)
    *above, key = [int(part) if part.isdigit() else part for part in place.split(".")]
    inner = document
    for part in above:
        inner = inner[part]
    if value is None:
        del inner[key]
    else:
        inner[key] = value
    return document


def test_the_example_in_the_repository_is_the_form_filled_by_the_examples_of_the_schema():
    said = (ROOT / "config/metadata.example.yaml").read_text("utf-8")
    assert said == metadata_form(filled=True)
    assert "SYNTHETIC" in said.splitlines()[0]


def test_the_filled_form_has_no_fault_and_is_read_as_the_schema_says(tmp_path):
    assert faults_of(metadata_form(filled=True), tmp_path) == []
    read = read_metadata(tmp_path / "about.yaml")
    assert list(read) == list(SCHEMA["properties"])
    assert read["cohort"] == GOOD["cohort"]
    assert read["data_use"][1] == {"term": "DUO:0000042", "value": ""}
    for section in ("people", "consent", "calling", "sequencing"):
        described = SCHEMA["properties"][section]["properties"]
        assert read[section] == {key: d["examples"][0] for key, d in described.items()}


def test_the_form_as_it_is_written_names_every_required_key(tmp_path):
    missing = set()
    for fault in faults_of(metadata_form(), tmp_path):
        key = re.fullmatch(r"'(\w+)' is missing", fault.what)[1]
        section = fault.where.rpartition(", ")[2].replace(".0", "")
        missing.add(f"{section}.{key}")
        assert fault.remedy.startswith("write, for example, ")
    required = {place for place, needed, _ in LEAVES if needed} - {"metadata_version"}
    assert missing == required


def test_the_form_has_every_key_once_with_what_the_schema_says_of_it():
    lines = [line.strip(" #-") for line in metadata_form().splitlines()]
    text = " ".join(" ".join(lines).split())
    for place, needed, described in LEAVES:
        comment = f"{'Required' if needed else 'Optional'}. {described['description']}"
        assert comment in text, place
    keys = [line.partition(":")[0] for line in lines if re.fullmatch(r"\w+:( 1)?", line)]
    sections = [key for key, d in SCHEMA["properties"].items() if key != "metadata_version"]
    assert sorted(keys) == sorted(
        [place.rpartition(".")[2] for place, _, _ in LEAVES] + sections + ["approvals"]
    )


def test_the_guide_has_a_row_for_every_key_and_no_other():
    rows = re.findall(r"^\| `([a-z_.]+)` \| (●?) *\|", GUIDE, flags=re.MULTILINE)
    assert rows == [(place, "●" if needed else "") for place, needed, _ in LEAVES]


def test_the_guide_lists_every_term_of_use_as_it_is_checked():
    rows = re.findall(
        r"^\| (DUO:\d{7}) \| (.+?) \((\w+)\).*? \| (●?) *\| *(.*?) *\|$", GUIDE, flags=re.MULTILINE
    )
    assert {row[0]: (row[1], row[2], row[3] == "●", row[4] != "") for row in rows} == {
        name: (term.label, term.shorthand, term.permission, term.needs != "")
        for name, term in TERMS.items()
    }


@pytest.mark.parametrize(
    "place", [place for place, needed, d in LEAVES if not needed and "." in place]
)
def test_an_optional_key_may_be_left_out_or_left_empty(place, tmp_path):
    *above, key = place.split(".")
    for absent in (True, False):
        document = deepcopy(GOOD)
        document["relatedness"]["handling"] = "kept"
        document["sequencing"]["assay"] = "array"
        document["data_use"] = [{"term": "DUO:0000042", "value": ""}]
        del document["populations"][1]
        inner = document
        for part in above:
            inner = inner[part]
            inner = inner[0] if isinstance(inner, list) else inner
        inner.pop(key, None)
        if not absent:
            inner[key] = None
        assert faults_of(document, tmp_path) == []


@pytest.mark.parametrize("place", [place for place, needed, d in LEAVES if needed])
def test_a_required_key_that_is_left_empty_is_missing(place, tmp_path):
    *above, key = place.split(".")
    document = deepcopy(GOOD)
    inner = document
    for part in above:
        inner = inner[part]
        inner = inner[0] if isinstance(inner, list) else inner
    inner[key] = "  "
    (fault,) = faults_of(document, tmp_path)
    assert fault.what == f"'{key}' is missing"
    if above:
        assert fault.where.replace(".0", "").endswith(f"about.yaml, {'.'.join(above)}")


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("metadata_version", 2, "not one of [1]"),
        ("cohort.country", "Viet Nam", "does not match"),
        ("cohort.country", False, "not of type 'string'"),
        ("cohort.country", "XX", "does not match"),
        ("cohort.version", 2026.1, "not of type 'string'"),
        ("cohort.issued", "2026-02-30", "not a 'date'"),
        ("cohort.issued", "15 January 2026", "not a 'date'"),
        ("cohort.url", "genomics.example.org", "does not match"),
        ("contact.role", "Dr Example", "does not match"),
        ("contact.role", "mrs. Example", "does not match"),
        ("contact.address", "ask at the desk", "does not match"),
        ("people.design.0", "Convenience", "not one of"),
        ("people.inclusion", ["Health status", "Health status"], "non-unique"),
        ("people.recruited_from", 2019, "not of type 'string'"),
        ("people.recruited_from", "2019-13", "does not match"),
        ("consent.widest_release", "everybody", "not one of"),
        ("data_use.1.term", "GRU", "does not match"),
        ("data_use.1.term", "DUO:0000099", "no term of DUO"),
        ("data_use.0.value", "", "needs a value"),
        ("sequencing.depth", 0, "minimum of 0"),
        ("sequencing.depth", "deep", "not of type 'number'"),
        ("sequencing.depth", None, "missing, though the assay is WGS"),
        ("calling.build", "GRCh83", "unknown genome build"),
        ("people.recruited_to", "2018-05", "before recruited_from"),
        ("legal.embargo_until", "2025-12-31", "before cohort.issued"),
        ("legal.approvals.0.expires", "2025-03-09", "before approved"),
        ("legal.approvals.0.approved", "last year", "not a 'date'"),
        ("relatedness.method", None, "missing, though relatives were removed"),
        ("populations.0.label", "K-H", "does not match"),
        ("populations.0.label", "TAY", "described twice"),
        ("populations.0.label", "raw", "taken for something else"),
        ("populations.1.method", None, "missing, though assignment is genetic"),
        ("populations.1.name", "ask someone@example.org", "a mail address"),
        ("legal", "GDPR", "not of type 'object'"),
    ],
)
def test_a_fault_is_found_alone_with_its_key_and_a_remedy(place, value, says, tmp_path):
    (fault,) = faults_of(spoiled(place, value), tmp_path)
    assert says in fault.what
    key = fault.where.rpartition(", ")[2]
    assert fault.where == f"{tmp_path}/about.yaml, {key}"
    assert place.startswith(key), key
    assert fault.remedy


def test_an_unknown_key_is_told_with_the_nearest_known_one_even_without_a_value(tmp_path):
    for value in ("text", "", None):
        document = deepcopy(GOOD)
        document["cohort"]["titel"] = value
        (fault,) = faults_of(document, tmp_path)
        assert fault.what == "unknown key 'titel'"
        assert fault.remedy == "did you mean 'title'?"


def test_faults_of_single_keys_and_of_several_together_are_told_at_once(tmp_path):
    document = spoiled("cohort.country", "Viet Nam")
    document["legal"]["embargo_until"] = "2025-01-01"
    document["data_use"] = [{"term": "DUO:0000021"}]
    document["cohort"]["programme"] = None
    said = " ".join(fault.what for fault in faults_of(document, tmp_path))
    for fragment in ("does not match", "before cohort.issued", "no permission", "'programme' is"):
        assert fragment in said


@pytest.mark.parametrize("junk", [[], "text", 3, None, {}, [[{}]], [None, "x"]])
@pytest.mark.parametrize("section", [key for key in GOOD if key != "metadata_version"])
def test_a_section_of_another_form_is_a_fault_and_no_crash(section, junk, tmp_path):
    assert faults_of(GOOD | {section: junk}, tmp_path)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "words", "a: [", "cohort: {}\ncohort: {}\n"])
def test_a_file_that_is_no_mapping_is_refused(text, tmp_path):
    (fault,) = faults_of(text, tmp_path)
    assert "about.yaml" in fault.where


def test_days_and_builds_are_understood_as_people_write_them(tmp_path):
    text = metadata_form(filled=True)
    text = text.replace('"2026-01-15"', "2026-01-15").replace('build: "GRCh38"', "build: hg38")
    assert faults_of(text, tmp_path) == []
    read = read_metadata(tmp_path / "about.yaml")
    assert read["cohort"]["issued"] == "2026-01-15"
    assert read["calling"]["build"] == "GRCh38"


def test_an_embargo_that_ends_on_the_day_of_issue_is_in_order(tmp_path):
    assert faults_of(spoiled("legal.embargo_until", GOOD["cohort"]["issued"]), tmp_path) == []


def test_a_month_is_not_before_the_year_that_it_is_in(tmp_path):
    document = spoiled("people.recruited_from", "2019-06")
    document["people"]["recruited_to"] = "2019"
    assert faults_of(document, tmp_path) == []


def values_of(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        for each in document.values():
            yield from values_of(each)
    elif isinstance(document, list):
        for each in document:
            yield from values_of(each)
    else:
        yield str(document)


def test_the_page_holds_everything_that_was_given_and_fits_a_screen(tmp_path):
    page = page_of(read_metadata(ROOT / "config/metadata.example.yaml"))
    flat = " ".join(page.split())
    for value in values_of({key: each for key, each in GOOD.items() if key != "metadata_version"}):
        assert value in flat, value
    for given in GOOD["data_use"]:
        assert TERMS[given["term"]].label in flat
    assert max(map(len, page.splitlines())) <= 100


def test_the_page_says_what_was_not_given(tmp_path):
    faults_of(spoiled("consent.withdrawal", None), tmp_path)
    page = page_of(read_metadata(tmp_path / "about.yaml"))
    assert re.search(r"^withdrawal +not given$", page, flags=re.MULTILINE)
