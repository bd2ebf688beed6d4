"""All that is wrong is said in one go, and before any work."""

import yaml


def spoil_in_five_ways(project) -> tuple[str, ...]:
    """Plant five faults of five kinds; returns what the message has to say of each."""
    project.cohort["build"] = "GRCh37"
    project.write_cohorts()
    project.write_sheet([("P1", "AAA", "XX"), ("P2", "AAA", "male")])
    (project.folder / "callable.bed").write_text("chr1 0 5000\n")
    project.write_policy(min_group_size=5)
    records = project.records()
    records[10], records[11] = records[11], records[10]
    project.write_vcf("cohort.vcf", project.text(records))
    return ("on build GRCh37", "'male'", "not a line of BED", "'min_allele_count' is missing",
            "not sorted")  # fmt: skip


def test_validate_lists_five_faults_of_five_kinds_each_with_its_place(project):
    says = spoil_in_five_ways(project)
    outcome = project.validate()
    places = ("cohort Tiny", "sheet.tsv, line 3", "callable.bed, line 1", "policy.yaml",
              "cohort.vcf, chr1:1100")  # fmt: skip
    outcome.refuses("5 faults", *(f"[{n}] " for n in range(1, 6)), *says, *places)
    assert "[6]" not in outcome.err


def test_faults_of_every_cohort_are_listed(project):
    rows = [project.cohort | {"cohort": f"C{n}", "samples": f"absent{n}.tsv"} for n in range(3)]
    project.builders.write_cohorts(project.folder / "cohorts.tsv", rows)
    project.validate().refuses("3 faults", "absent0.tsv", "absent1.tsv", "absent2.tsv")


def test_a_sheet_with_several_faults_lists_them_all(project):
    rows = [("P1", "A", "female"), ("P2", "B_C", "XY"), ("P2", "B", "XX"), ("", "B", "XX")]
    project.write_sheet(rows)
    project.validate().refuses(
        "line 2", "line 3", "line 5", "female", "B_C", "'sample'", "'P2' is listed 2 times"
    )


def test_a_fault_is_not_told_again_by_those_that_follow_from_it(project):
    (project.folder / "sheet.tsv").unlink()
    outcome = project.validate()
    outcome.refuses("sheet.tsv")
    assert "faults" not in outcome.err


def test_the_workflow_stops_before_any_job_with_the_faults_on_stderr(project, snakemake):
    says = spoil_in_five_ways(project)
    done = snakemake(
        project.folder, "--configfile", "config.yaml", "--cores", "1", check=False
    )  # fmt: skip
    assert done.returncode != 0
    for fragment in (*says, "5 faults"):
        assert fragment in done.stderr
    assert "Traceback" not in done.stderr
    assert "rule ingest" not in done.stdout + done.stderr
    results = project.folder / "results"
    assert not [p for p in results.rglob("*") if "genotypes" in p.name or p.suffix == ".zip"]
    assert not (results / "private" / "plan.json").exists()


def test_the_workflow_names_the_nearest_key_of_an_unknown_one(project, snakemake):
    project.config["genotype"] = {"min_gq": 0}
    (project.folder / "config.yaml").write_text(yaml.safe_dump(project.config))
    done = snakemake(
        project.folder, "--configfile", "config.yaml", "--cores", "1", check=False
    )  # fmt: skip
    assert done.returncode != 0
    assert "unknown key 'genotype'" in done.stderr
    assert "did you mean 'genotypes'?" in done.stderr


def test_a_job_that_refuses_its_input_ends_the_workflow_and_its_message_is_shown(
    project, snakemake
):
    """A polyploid call is found only when genotypes are read."""
    records = project.records()
    records[14] = project.snv(1500, "0/0", "0/1", "0/0/1", "0/0")
    project.write_vcf("cohort.vcf", project.text(records))
    done = snakemake(
        project.folder, "--configfile", "config.yaml", "--cores", "1", check=False
    )  # fmt: skip
    assert done.returncode != 0
    logs = list((project.folder / "results" / "private" / "Tiny" / "logs").glob("ingest*"))
    assert any("chr1:1500" in log.read_text() for log in logs)
    assert any(str(log.relative_to(project.folder)) in done.stderr for log in logs)
    assert "polyploid call" in done.stderr
    assert not list(project.folder.rglob("*.vcz.zip"))
    assert not list(project.folder.rglob(".*.ingest"))
