"""References that are missing, cannot be read, or are not those of the cohort."""

import gzip
import random

import pytest


def test_a_missing_fasta_is_refused(project):
    project.prepare("count")
    project.config["reference"]["fasta"] = "absent.fa"
    project.write_config()
    project.validate().refuses("absent.fa", "No such file")
    project.harmonize().refuses("absent.fa", "No such file")
    project.try_out(*project.merge_command()).refuses("absent.fa", "No such file")


def test_a_fasta_compressed_with_gzip_is_refused_with_the_command_that_repairs_it(project):
    project.prepare("ingest")
    text = (project.folder / "reference.fa").read_bytes()
    (project.folder / "packed.fa.gz").write_bytes(gzip.compress(text))
    project.config["reference"]["fasta"] = "packed.fa.gz"
    project.write_config()
    expected = ("packed.fa.gz", "gzip", "BGZF", "bgzip packed.fa")
    project.validate().refuses(*expected)
    project.harmonize().refuses(*expected)


@pytest.mark.parametrize("content", ["", "no FASTA at all\n", "chr1\tACGT\n"])
def test_what_is_not_fasta_is_refused(project, content):
    project.prepare("ingest")
    (project.folder / "reference.fa").write_text(content)
    (project.folder / "reference.fa.fai").unlink()
    project.validate().refuses("reference.fa")
    project.harmonize().refuses("reference.fa")


def test_a_fasta_shorter_than_its_index_is_refused(project):
    project.prepare("ingest")
    path = project.folder / "reference.fa"
    path.write_bytes(path.read_bytes()[:2000])
    project.harmonize().refuses("reference.fa", "shorter than its index", "remove the .fai")
    project.validate().refuses("reference.fa", "shorter than its index", "remove the .fai")


def test_harmonize_without_an_index_says_how_to_make_one(project):
    project.prepare("ingest")
    (project.folder / "reference.fa.fai").unlink()
    outcome = project.harmonize()
    if outcome.code:  # making it is as good
        outcome.refuses("reference.fa", "faidx")


def test_records_on_a_contig_that_the_fasta_does_not_have_are_refused(project):
    project.write_vcf("cohort.vcf", project.text().replace("chr1\t", "chr9\t"))
    expected = ("cohort", "'chr9'", "chr1, chr2", "alias")
    project.validate().refuses("cohort.vcf", *expected)
    project.prepare("ingest")
    project.harmonize().refuses("chr1.vcz.zip", "'chr9'", "chr1, chr2", "alias")


def test_a_contig_asked_for_that_the_fasta_does_not_have_is_refused(project):
    project.config["partitions"] = {"contigs": ["chr1", "chr9"]}
    project.write_config()
    project.validate().refuses("partitions.contigs", "'chr9'", "chr1, chr2")


def test_merge_refuses_a_contig_that_the_fasta_does_not_have(project):
    project.prepare("count")
    command = ["chr9" if word == "chr1" else word for word in project.merge_command()]
    project.try_out(*command).refuses("reference.fa", "'chr9'")


def test_a_cohort_on_another_build_is_refused_by_the_build_it_names(project):
    project.cohort["build"] = "GRCh37"
    project.write_cohorts()
    project.validate().refuses("Tiny", "GRCh37", "GRCh38")


def test_another_name_of_the_same_build_is_no_other_build(project):
    project.cohort["build"] = "hg38"
    project.write_cohorts()
    assert project.run("validate", "config.yaml").code == 0


def test_a_cohort_on_another_build_is_refused_by_its_bases(project):
    """It says it is on the panel's build, but its REF alleles are not those of the reference."""
    draw = random.Random(11)
    other = {name: "".join(draw.choices("ACGT", k=len(s))) for name, s in project.sequences.items()}
    truth, project.sequences = project.sequences, other
    project.write_vcf("cohort.vcf", project.text())
    wrong = [p for p in range(100, 3100, 100) if other["chr1"][p - 1] != truth["chr1"][p - 1]]
    first = f"chr1:{wrong[0]} REF {other['chr1'][wrong[0] - 1]}"
    expected = ("Tiny", f"{len(wrong)} of 30 records", first, "max_ref_mismatch", "build")
    project.validate().refuses(*expected)
    project.prepare("ingest")
    project.harmonize().refuses(*expected)


def test_few_mismatches_are_no_reason_to_refuse_a_cohort_where_the_limit_allows_them(project):
    records = project.records()
    base = project.sequences["chr1"][99]
    records[0] = project.snv(100, ref="A" if base != "A" else "C")
    project.write_vcf("cohort.vcf", project.text(records))
    project.config["harmonize"] = {"max_ref_mismatch": 0.04}
    project.write_config()
    assert project.run("validate", "config.yaml").code == 0
    project.prepare("ingest")
    project.harmonize().refuses("1 of 30 records (3.3%)")
    outcome = project.run(*project.harmonize_command(), "--max-ref-mismatch", 0.04)
    assert outcome.code == 0


def test_positions_past_the_end_of_the_contig_are_mismatches(project):
    records = [("chr1", 6000 + n, "A", "C", "0/0", "0/1", "1/1", "0/0") for n in range(30)]
    project.write_vcf("cohort.vcf", project.text(records))
    project.validate().refuses("Tiny", "30 of 30 records", "chr1:6000")
    project.prepare("ingest")
    project.harmonize().refuses("Tiny", "30 of 30 records", "chr1:6000")


@pytest.mark.parametrize("indexed", [False, True], ids=["without an index", "with an index"])
def test_a_contig_called_by_two_names_is_refused(project, indexed):
    text = project.text([*project.records()[:15]], contigs=("chr1", "1"))
    later = project.text(project.records()[15:]).replace("chr1\t", "1\t")
    text += "".join(line + "\n" for line in later.splitlines() if line.startswith("1\t"))
    project.write_vcf("cohort.bgzf.vcf.gz", text, index=indexed)
    project.validate().refuses("cohort.bgzf.vcf.gz", "'chr1' and '1'", "rename-chrs")


def test_harmonize_refuses_a_store_of_several_contigs(project):
    records = [*project.records(), project.snv(100, contig="chr2")]
    project.write_vcf("cohort.vcf", project.text(records))
    project.prepare("ingest")
    project.harmonize().refuses("chr1.vcz.zip", "several contigs", "--region")


def test_x_on_a_build_without_known_pseudoautosomal_regions_is_refused(project):
    sequences = {"chrX": project.sequences["chr1"]}
    project.sequences |= sequences
    project.builders.write_fasta(project.folder / "reference.fa", project.sequences)
    project.write_vcf("cohort.vcf", project.text([project.snv(100, contig="chrX")]))
    project.config["reference"]["build"] = project.cohort["build"] = "T2T-CHM13"
    project.write_config()
    project.write_cohorts()
    project.validate().refuses("T2T-CHM13", "pseudoautosomal", "GRCh37 or GRCh38")


def test_a_pattern_of_files_of_which_one_is_missing_is_refused(project):
    project.cohort["path"] = "cohort.{contig}.vcf"
    project.write_cohorts()
    project.validate().refuses("Tiny", "no file for any contig")
    project.config["partitions"] = {"contigs": ["chr1"]}
    project.write_config()
    project.validate().refuses("Tiny", "chr1", "cohort.chr1.vcf or cohort.1.vcf")


def test_a_file_of_a_pattern_that_holds_another_contig_is_refused(project):
    (project.folder / "cohort.vcf").rename(project.folder / "cohort.chr2.vcf")
    project.cohort["path"] = "cohort.{contig}.vcf"
    project.write_cohorts()
    project.validate().refuses("cohort.chr2.vcf", "chr1", "chr2 alone")
