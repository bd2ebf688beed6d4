"""Commands called in a way that makes no sense; exit code 2."""

import pytest

OVERLAP = [
    "overlap", "--cohort", "A=private/A", "--samples", "A=sheet.tsv", "--pairs", "p", "--report", "r",
]  # fmt: skip
CALLS = {
    "an unknown command": (["frequencies"], "frequencies"),
    "an unknown option": (["validate", "config.yaml", "--fast"], "--fast"),
    "an unknown option of the group": (["--fast", "validate", "config.yaml"], "--fast"),
    "no argument": (["validate"], "CONFIG"),
    "an argument too many": (["validate", "config.yaml", "other.yaml"], "other.yaml"),
    "no samples": (["ingest", "cohort.vcf", "--out", "x.vcz.zip"], "--samples"),
    "no out": (["ingest", "cohort.vcf", "--samples", "sheet.tsv"], "--out"),
    "a field that is not kept": (
        ["ingest", "cohort.vcf", "--samples", "sheet.tsv", "--out", "x", "--fields", "GQ,PL"],
        "PL",
    ),
    "partitions without a pattern": (
        ["ingest", "cohort.vcf", "--samples", "sheet.tsv", "--out", "x", "--partitions", "t.tsv"],
        "--partitions",
    ),
    "a chunk of nothing": (
        ["ingest", "cohort.vcf", "--samples", "sheet.tsv", "--out", "x", "--chunk", "0"],
        "--chunk",
    ),
    "no stores": (
        ["harmonize", "--reference", "reference.fa", "--cohort", "C", "--out", "a",
         "--summary", "s"],
        "no input files",
    ),
    "a share above one": (
        ["harmonize", "x", "--reference", "reference.fa", "--cohort", "C", "--out", "a",
         "--summary", "s", "--max-ref-mismatch", "2"],
        "--max-ref-mismatch",
    ),
    "a share that is no number": (
        ["harmonize", "x", "--reference", "reference.fa", "--cohort", "C", "--out", "a",
         "--summary", "s", "--max-ref-mismatch", "nan"],
        "nan is not a number",
    ),
    "a kinship that is no number": ([*OVERLAP, "--kinship", "nan"], "nan is not a number"),
    "a level that is no number": (
        ["discordance", "x", "--reference", "reference.fa", "--build", "GRCh38", "--out", "o",
         "--alpha", "nan"],
        "nan is not a number",
    ),
    "a negative quality": (
        ["count", "x", "--alleles", "a", "--samples", "sheet.tsv", "--cohort", "C",
         "--country", "VN", "--build", "GRCh38", "--out", "o", "--min-gq", "-1"],
        "--min-gq",
    ),
    "half-calls of a third kind": (
        ["count", "x", "--alleles", "a", "--samples", "sheet.tsv", "--cohort", "C",
         "--country", "VN", "--build", "GRCh38", "--out", "o", "--half-calls", "maybe"],
        "maybe",
    ),
    "a BED without its cohort": (
        ["merge", "x", "--contig", "chr1", "--reference", "reference.fa", "--build", "GRCh38",
         "--out", "o", "--callable", "callable.bed"],
        "COHORT=FILE",
    ),
    "a BED given twice": (
        ["merge", "x", "--contig", "chr1", "--reference", "reference.fa", "--build", "GRCh38",
         "--out", "o", "--callable", "C=a.bed", "--callable", "C=b.bed"],
        "names C twice",
    ),
    "a folder without its cohort": ([*OVERLAP, "--cohort", "private/C"], "NAME=FOLDER"),
    "a cohort without a sheet": ([*OVERLAP, "--cohort", "C=private/C"], "different cohorts"),
    "dropping to nowhere": ([*OVERLAP, "--action", "drop"], "--dropped"),
    "lists of dropped people, and nobody to drop": (
        [*OVERLAP, "--dropped", "{cohort}.txt"], "--dropped",
    ),
    "one list for all cohorts": (
        [*OVERLAP, "--action", "drop", "--dropped", "d.txt"], "no {cohort}",
    ),
    "no panel": (["gate", "--policy", "policy.yaml", "--out", "o", "--decision", "d"], "PANELS"),
    "no panel for popgen": (["popgen", "--out", "o"], "PANELS"),
    "an unknown format": (
        ["publish", "x", "--decision", "d", "--harmonization", "h", "--plan", "p",
         "--reference", "reference.fa", "--build", "GRCh38", "--name", "n",
         "--panel-version", "1", "--out", "o", "--summary", "s", "--format", "csv"],
        "csv",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_makes_no_sense_ends_with_2_and_says_why(project, name):
    arguments, fragment = CALLS[name]
    outcome = project.try_out(*arguments)
    assert outcome.code == 2
    assert fragment in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert outcome.changed == ()


@pytest.mark.parametrize("region", ["chr1:", "chr1:5", "chr1:9-3", "chr1:a-b", ""])
def test_what_is_not_a_region_is_refused(project, region):
    outcome = project.ingest("--region", region)
    assert outcome.code in (2, 3)
    assert outcome.changed == ()


def test_a_region_on_a_contig_that_the_file_does_not_have_is_refused(project):
    """A store without records would look as if nobody varied there."""
    outcome = project.ingest("--region", "chr7:1-1000")
    outcome.refuses("cohort.vcf", "chr7")


def test_a_list_of_inputs_that_is_missing_is_bad_input(project):
    project.try_out(
        "harmonize", "--list", "absent.txt", "--reference", "reference.fa", "--cohort", "C",
        "--out", "a", "--summary", "s",
    ).refuses("absent.txt")  # fmt: skip


def test_count_refuses_a_country_that_is_no_code(project):
    """A country goes into the names of figures; what cannot be one is refused where it is given."""
    project.prepare("harmonize")
    command = ["Viet Nam" if word == "VN" else word for word in project.count_command()]
    outcome = project.try_out(*command)
    assert outcome.code in (2, 3)
    assert "Viet Nam" in outcome.err
    assert outcome.changed == ()
