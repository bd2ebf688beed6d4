"""The configuration and the tables and files that users write by hand."""

import pytest
import yaml


def test_an_unknown_key_at_the_top_is_refused_with_the_nearest_known_one(project):
    project.config["cohort"] = "cohorts.tsv"
    project.write_config()
    project.validate().refuses("config.yaml", "unknown key 'cohort'", "did you mean 'cohorts'?")


@pytest.mark.parametrize(
    ("section", "key", "nearest"),
    [
        ("genotypes", "min_gc", "min_gq"),
        ("genotypes", "halfcalls", "half_calls"),
        ("partitions", "contig", "contigs"),
        ("reference", "genome_build", "build"),
        ("disclosure", "polices", "policy"),
    ],
)
def test_an_unknown_key_in_a_section_is_refused_with_the_nearest_known_one(
    project, section, key, nearest
):
    project.config.setdefault(section, {})[key] = 1
    project.write_config()
    project.validate().refuses(
        "config.yaml", section, f"unknown key '{key}'", f"did you mean '{nearest}'?"
    )


@pytest.mark.parametrize(
    ("section", "key", "value", "shown"),
    [
        ("partitions", "size", "big", "'big'"),
        ("partitions", "size", 10, "10"),
        ("partitions", "contigs", "chr1", "'chr1'"),
        ("genotypes", "min_gq", -1, "-1"),
        ("genotypes", "min_ab", 2, "2"),
        ("genotypes", "min_ab", float("nan"), "nan"),
        ("genotypes", "min_gq", 20.0, "20.0"),
        ("overlap", "kinship", float("nan"), "nan"),
        ("genotypes", "half_calls", "maybe", "'maybe'"),
        ("genotypes", "filters", "PASS", "'PASS'"),
        ("harmonize", "max_ref_mismatch", "1%", "'1%'"),
        ("panel", "version", 2026.1, "2026.1"),
        ("panel", "name", "my panel/1", "'my panel/1'"),
        ("reference", "fasta", None, "None"),
    ],
)
def test_a_wrong_value_in_the_configuration_is_refused_with_its_key_and_meaning(
    project, section, key, value, shown
):
    project.config.setdefault(section, {})[key] = value
    project.write_config()
    project.validate().refuses("config.yaml", f"{section}.{key}", "expected", "found", shown)


def test_an_unknown_format_is_refused_with_the_known_ones(project):
    project.config["publish"] = {"formats": ["vcf", "csv"]}
    project.write_config()
    project.validate().refuses("config.yaml", "publish.formats", "'csv'", "parquet", "zarr")


@pytest.mark.parametrize("key", ["panel", "reference", "cohorts", "disclosure"])
def test_a_missing_key_is_named_with_what_it_is_for(project, key):
    del project.config[key]
    project.write_config()
    project.validate().refuses("config.yaml", f"'{key}' is missing", "expected")


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("", "holds no keys"),
        ("- a\n- b\n", "holds no keys"),
        ("panel: {name: a\n", "not YAML"),
        ("panel: [\x00]\n", "not YAML"),
    ],
)
def test_what_is_no_configuration_is_refused(project, text, fragment):
    (project.folder / "config.yaml").write_text(text)
    project.validate().refuses("config.yaml", fragment)


def test_a_key_that_is_given_twice_is_refused(project):
    """YAML would take the last one without a word."""
    text = yaml.safe_dump(project.config) + "results: one\nresults: two\n"
    (project.folder / "config.yaml").write_text(text)
    project.validate().refuses("config.yaml", "results")


def test_a_missing_configuration_is_refused(project):
    project.try_out("validate", "absent.yaml").refuses("absent.yaml", "does not exist")


def test_several_faults_of_the_configuration_are_listed_together(project):
    project.config["genotypes"] = {"min_gc": 1, "min_dp": "ten"}
    project.config["result"] = "x"
    project.write_config()
    project.validate().refuses("3 faults", "'min_gc'", "genotypes.min_dp", "'result'")


def write_cohorts(project, text: str) -> None:
    (project.folder / "cohorts.tsv").write_text(text)


GOOD_ROW = {
    "cohort": "Tiny", "country": "VN", "kind": "vcf", "path": "cohort.vcf", "build": "GRCh38",
    "samples": "sheet.tsv",
}  # fmt: skip


def table(*rows: dict[str, str]) -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    return "".join("\t".join(line) + "\n" for line in lines)


def test_a_missing_cohorts_table_is_refused(project):
    (project.folder / "cohorts.tsv").unlink()
    project.validate().refuses("cohorts.tsv", "No such file")


@pytest.mark.parametrize(
    ("changes", "fragments"),
    [
        ({"cohort": "my cohort"}, ("line 2", "cohort", "my cohort")),
        ({"cohort": "../x"}, ("line 2", "cohort")),
        ({"country": "VNM"}, ("line 2", "country", "VNM", "ISO 3166-1")),
        ({"country": "XX"}, ("line 2", "XX")),
        ({"kind": "plink"}, ("line 2", "kind", "plink", "vcf")),
        ({"path": ""}, ("line 2", "path")),
        ({"samples": ""}, ("line 2", "samples")),
        ({"callabel": "x.bed"}, ("line 1", "callabel", "did you mean 'callable'?")),
    ],
)
def test_a_bad_row_of_the_cohorts_table_is_refused_with_its_line(project, changes, fragments):
    write_cohorts(project, table(GOOD_ROW | changes))
    project.validate().refuses("cohorts.tsv", *fragments)


def test_a_missing_column_of_the_cohorts_table_is_named(project):
    write_cohorts(project, table({k: v for k, v in GOOD_ROW.items() if k != "build"}))
    project.validate().refuses("cohorts.tsv", "line 1", "'build' is missing")


def test_a_cohort_that_is_listed_twice_is_refused(project):
    write_cohorts(project, table(GOOD_ROW, GOOD_ROW))
    project.validate().refuses("cohorts.tsv", "Tiny", "2 times")


def test_a_cohorts_table_with_commas_is_refused(project):
    write_cohorts(project, table(GOOD_ROW).replace("\t", ","))
    project.validate().refuses("cohorts.tsv", "line 1")


def test_a_cohorts_table_without_rows_is_refused(project):
    write_cohorts(project, table(GOOD_ROW).splitlines()[0] + "\n")
    project.validate().refuses("cohorts.tsv", "no rows")


def test_a_missing_metadata_file_is_refused(project):
    project.cohort["metadata"] = "about.yaml"
    project.write_cohorts()
    project.validate().refuses("about.yaml", "does not exist")


def test_a_sheet_that_names_absent_samples_is_refused_with_their_names(project):
    project.write_sheet([("P1", "AAA", "XX"), ("Q7", "AAA", "XY"), ("Q8", "AAA", "XY")])
    expected = ("cohort.vcf", "2 of the 3 samples", "Q7, Q8", "sample sheet")
    project.validate().refuses(*expected)
    project.ingest().refuses(*expected)


def test_count_refuses_a_sheet_with_people_whom_the_store_does_not_have(project):
    project.prepare("harmonize")
    project.write_sheet([("P1", "AAA", "XX"), ("Q7", "AAA", "XY")])
    project.try_out(*project.count_command()).refuses("chr1.vcz.zip", "Q7", "ingest")


SHEETS = {
    "a sample twice": ("sample\tpopulation\tsex\nP1\tA\tXX\nP1\tB\tXX\n", ("P1", "2 times")),
    "a sex of another spelling": ("sample\tpopulation\tsex\nP1\tA\tXX\nP2\tA\tmale\n",
                                  ("line 3", "sex", "male", "XX", "XY", "unknown")),
    "no sex": ("sample\tpopulation\tsex\nP1\tA\t\n", ("line 2", "sex")),
    "a population with an underscore": ("sample\tpopulation\tsex\nP1\tA_B\tXX\n",
                                        ("line 2", "population", "A_B")),
    "a population called XY": ("sample\tpopulation\tsex\nP1\tXY\tXX\n", ("population 'XY'",)),
    "an unknown column": ("sample\tpopulation\tgender\tsex\nP1\tA\tF\tXX\n",
                          ("line 1", "unknown key 'gender'", "did you mean")),
    "no column of sex": ("sample\tpopulation\nP1\tA\n", ("line 1", "'sex' is missing")),
    "no header": ("P1\tA\tXX\nP2\tA\tXY\n", ("line 1",)),
    "a column too many": ("sample\tpopulation\tsex\nP1\tA\tXX\textra\n",
                          ("line 2", "more columns")),
    "include of another kind": ("sample\tpopulation\tsex\tinclude\nP1\tA\tXX\tTRUE\n",
                                ("line 2", "include", "TRUE")),
    "nobody included": ("sample\tpopulation\tsex\tinclude\nP1\tA\tXX\tno\n",
                        ("no sample is included",)),
    "nothing": ("", ("empty",)),
    "a header alone": ("sample\tpopulation\tsex\n", ("no rows",)),
    "not text": ("sample\tpopulation\tsex\nP\xe9\tA\tXX\n".encode("latin-1"), ("UTF-8",)),
    "a column twice": ("sample\tsex\tpopulation\tsex\nP1\tXX\tA\tXY\n", ("sex",)),
}  # fmt: skip


@pytest.mark.parametrize("name", SHEETS)
def test_a_bad_sample_sheet_is_refused_by_every_command_that_reads_it(project, name):
    content, fragments = SHEETS[name]
    project.prepare("harmonize")
    sheet = project.folder / "sheet.tsv"
    sheet.write_bytes(content if isinstance(content, bytes) else content.encode())
    project.validate().refuses("sheet.tsv", *fragments)
    project.ingest().refuses("sheet.tsv", *fragments)
    project.try_out(*project.count_command()).refuses("sheet.tsv", *fragments)


def test_a_missing_sheet_is_refused(project):
    project.prepare("harmonize")
    (project.folder / "sheet.tsv").unlink()
    project.validate().refuses("sheet.tsv", "No such file")
    project.ingest().refuses("sheet.tsv", "No such file")
    project.try_out(*project.count_command()).refuses("sheet.tsv", "No such file")


def test_a_sheet_from_a_spreadsheet_is_read(project):
    """With a byte order mark, Windows line ends, blank lines and spaces around values."""
    rows = "sample\tpopulation\tsex\r\nP1 \tAAA\tXX\r\n\r\n P2\tAAA\tXY\r\n"
    (project.folder / "sheet.tsv").write_bytes(b"\xef\xbb\xbf" + rows.encode())
    assert project.run("validate", "config.yaml").code == 0
    project.prepare("count")


BEDS = {
    "two columns": "chr1\t0\n",
    "spaces": "chr1 0 100\n",
    "words": "chr1\tzero\t100\n",
    "an end before its start": "chr1\t200\t100\n",
    "a negative start": "chr1\t-5\t100\n",
    "a header": "chrom\tstart\tend\nchr1\t0\t100\n",
    "a VCF": "##fileformat=VCFv4.2\nchr1\t100\t.\tA\tC\n",
}


@pytest.mark.parametrize("name", BEDS)
def test_what_is_not_bed_is_refused_with_its_line(project, name):
    project.prepare("count")
    (project.folder / "callable.bed").write_text(BEDS[name])
    expected = ("callable.bed, line ", "not a line of BED", "contig<tab>start<tab>end", "found")
    project.validate().refuses(*expected)
    project.try_out(*project.merge_command()).refuses(*expected)


def test_a_missing_bed_is_refused(project):
    project.prepare("count")
    (project.folder / "callable.bed").unlink()
    project.validate().refuses("callable.bed", "No such file")
    project.try_out(*project.merge_command()).refuses("callable.bed", "No such file")


def test_a_bed_of_which_no_contig_is_known_is_refused(project):
    """Else every silence of the cohort would read as not-callable, without a word."""
    (project.folder / "callable.bed").write_text("NW_003315905.1\t0\t5000\n")
    project.validate().refuses("callable.bed", "NW_003315905.1")


def test_merge_refuses_a_bed_of_a_cohort_that_it_has_no_counts_of(project):
    project.prepare("count")
    command = [*project.merge_command(), "--callable", "Other=callable.bed"]
    project.try_out(*command).refuses("Other", "no counts")


POLICIES = {
    "a missing field": ({"min_group_size": 5}, ("'min_allele_count' is missing",)),
    "an unknown field": (
        {"min_group_size": 5, "min_allele_count": 3, "min_alele_number": 1},
        ("unknown key 'min_alele_number'", "did you mean 'min_allele_count'?"),
    ),
    "a negative number": ({"min_group_size": -5, "min_allele_count": 3}, ("min_group_size", "-5")),
    "words": ({"min_group_size": "few", "min_allele_count": 3}, ("min_group_size", "few")),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_bad_policy_is_refused_before_the_work_and_at_the_gate(project, name):
    fields, fragments = POLICIES[name]
    project.prepare("merge")
    project.write_policy(**fields)
    project.validate().refuses("policy.yaml", *fragments)
    project.try_out(*project.gate_command()).refuses("policy.yaml", *fragments)


def test_a_missing_policy_is_refused(project):
    project.prepare("merge")
    (project.folder / "policy.yaml").unlink()
    project.validate().refuses("policy.yaml", "does not exist")
    project.try_out(*project.gate_command()).refuses("policy.yaml", "does not exist")


def test_a_bad_table_of_contig_names_is_refused(project):
    project.prepare("ingest")
    (project.folder / "aliases.tsv").write_text("alias\tcontig\none chr1\n")
    project.config["harmonize"] = {"aliases": "aliases.tsv"}
    project.write_config()
    project.validate().refuses("aliases.tsv, line 2", "alias<tab>contig")
    project.harmonize("--aliases", "aliases.tsv").refuses("aliases.tsv, line 2")


def test_an_alias_of_a_contig_that_the_reference_does_not_have_is_refused(project):
    (project.folder / "aliases.tsv").write_text("one\tchr77\n")
    project.config["harmonize"] = {"aliases": "aliases.tsv"}
    project.write_config()
    project.write_vcf("cohort.vcf", project.text().replace("chr1", "one"))
    project.validate().refuses("one", "alias")


@pytest.mark.parametrize("command", ["harmonize", "count", "merge", "gate"])
def test_a_stage_refuses_a_file_that_is_not_the_store_it_reads(project, command):
    project.prepare("merge")
    spoilt = {"harmonize": "chr1.vcz.zip", "count": "alleles.zarr.zip",
              "merge": "counts.zarr.zip", "gate": "panel.zarr.zip"}[command]  # fmt: skip
    arguments = getattr(project, f"{command}_command")()
    path = project.folder / spoilt
    whole = path.read_bytes()
    other = "policy.yaml" if command == "harmonize" else "chr1.vcz.zip"
    for content in (
        b"",
        b"not a zip",
        whole[: len(whole) // 2],
        (project.folder / other).read_bytes(),
    ):
        path.write_bytes(content)
        project.try_out(*arguments).refuses(spoilt)
    path.unlink()
    project.try_out(*arguments).refuses(spoilt, "does not exist")


def test_stores_made_from_another_sheet_are_not_merged(project):
    project.prepare("count")
    (project.folder / "counts.zarr.zip").rename(project.folder / "before.zarr.zip")
    project.write_sheet([("P1", "AAA", "XX"), ("P2", "AAA", "XY")])
    assert project.run(*project.count_command()).code == 0
    project.try_out(*project.merge_command(), "before.zarr.zip").refuses(
        "Tiny", "different sample sheets"
    )


def test_publish_refuses_a_decision_that_is_not_json(project):
    project.prepare("merge")
    assert project.run(*project.gate_command()).code == 0
    assert project.run("validate", "config.yaml", "--plan", "plan.json").code == 0
    (project.folder / "decision.json").write_text("{")
    project.try_out(
        "publish", "releasable/panel.zarr.zip", "--decision", "decision.json",
        "--harmonization", "harmonization.json", "--plan", "plan.json",
        "--reference", "reference.fa", "--build", "GRCh38", "--name", "tiny",
        "--panel-version", "1", "--out", "release", "--summary", "summary.txt",
    ).refuses("decision.json", "not JSON")  # fmt: skip


@pytest.mark.parametrize("name", ["VN_KVH", "KHV", "XX", "total"])
def test_a_group_that_the_panel_will_not_have_cannot_be_left_out_of_a_maximum(project, name):
    project.config["groups"] = {"grpmax_exclude": [name]}
    project.write_config()
    project.validate().refuses("groups.grpmax_exclude", f"'{name}'", "did you mean '")
