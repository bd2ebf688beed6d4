"""Cohorts on another build, and contigs to leave out: what the configuration says of them."""

import json

import pytest


def identity_chain(project, names=None) -> None:
    """A chain file between two builds that are the same but for the names of their contigs."""
    lines = []
    for number, (name, bases) in enumerate(project.sequences.items()):
        n, source = len(bases), (names or {}).get(name, name)
        lines += [f"chain 1 {source} {n} + 0 {n} {name} {n} + 0 {n} {number}", str(n), ""]
    (project.folder / "to.chain").write_text("\n".join(lines))


@pytest.fixture
def lifted(project):
    """The project with its cohort on GRCh37, and all that it takes to lift it."""
    project.cohort["build"] = "GRCh37"
    project.write_cohorts()
    identity_chain(project)
    project.builders.write_fasta(project.folder / "source.fa", project.sequences)
    project.config["harmonize"] = {
        "chains": {"hg19": "to.chain"},
        "source_fastas": {"GRCh37": "source.fa"},
    }
    project.write_config()
    return project


def test_a_cohort_on_another_build_is_lifted_through_the_workflow(lifted, snakemake):
    snakemake(lifted.folder, "--configfile", "config.yaml", "--cores", "2")
    private = lifted.folder / "results/private/Tiny"
    summary = json.loads((private / "harmonization.json").read_text())
    assert summary["outcomes"] == {"lifted": 30}
    assert summary["lift"]["source_fasta"] is True
    manifest = json.loads((lifted.folder / "results/release/tiny-1/manifest.json").read_text())
    (cohort,) = manifest["cohorts"]
    assert (cohort["build"], cohort["lift"]) == ("GRCh37", summary["lift"])
    # The first and last base of a block may stand beside anything.
    assert (private / "callable.bed").read_text() == "chr1\t1\t4999\n"


def test_a_chain_file_by_other_names_of_the_contigs_is_understood(lifted):
    identity_chain(lifted, {"chr1": "1", "chr2": "CM000664.1"})
    assert lifted.run("validate", "config.yaml").code == 0


def test_no_chain_file_for_a_build_is_said_with_its_cohorts(lifted):
    lifted.config["harmonize"]["chains"] = {"T2T-CHM13v2.0": "to.chain"}
    lifted.write_config()
    lifted.validate().refuses("cohort Tiny", "GRCh37", "harmonize.chains", "source_fastas")


def test_a_missing_chain_file_is_refused(lifted):
    lifted.config["harmonize"]["chains"] = {"GRCh37": "away.chain"}
    lifted.write_config()
    lifted.validate().refuses("away.chain")


def test_regions_of_another_build_need_its_fasta(lifted):
    del lifted.config["harmonize"]["source_fastas"]
    lifted.write_config()
    lifted.validate().refuses("cohort Tiny", "callable.bed", "harmonize.source_fastas.GRCh37")
    lifted.cohort["callable"] = ""
    lifted.write_cohorts()
    assert lifted.run("validate", "config.yaml").code == 0


def test_a_chain_file_that_lifts_from_no_contig_wanted_is_refused(lifted):
    identity_chain(lifted, {"chr1": "chr7", "chr2": "chr8"})
    lifted.config["partitions"] = {"contigs": ["chr1"]}
    lifted.write_config()
    lifted.validate().refuses("to.chain", "chr1", "chr7")


def test_the_wrong_fasta_of_another_build_is_found_before_the_work(lifted):
    turned = {name: bases[::-1] for name, bases in lifted.sequences.items()}
    lifted.builders.write_fasta(lifted.folder / "source.fa", turned)
    lifted.validate().refuses("Tiny", "of 30 records", "REF")


def test_options_of_a_lift_without_a_chain_file_make_no_sense(lifted):
    lifted.prepare("ingest")
    for option in (["--contig", "chr1"], ["--source-reference", "source.fa"],
                   ["--callable", "callable.bed", "--callable-out", "lifted.bed"]):  # fmt: skip
        assert lifted.harmonize(*option).code == 2


@pytest.fixture
def with_decoys(project):
    """A cohort with records of a contig that the reference does not have."""
    decoys = [("hs37d5", position, "A", "C", "0/1", "0/0", "0/0", "0/0") for position in (5, 9)]
    records = [*project.records(), *decoys]
    project.write_vcf("cohort.vcf.gz", project.text(records, contigs=("chr1", "chr2", "hs37d5")))
    return project


def test_a_contig_that_is_listed_to_be_ignored_is_left_out(with_decoys, snakemake):
    with_decoys.validate().refuses("'hs37d5'", "harmonize.ignore_contigs")
    with_decoys.config["harmonize"] = {"ignore_contigs": ["hs37d5", "never seen"]}
    with_decoys.write_config()
    snakemake(with_decoys.folder, "--configfile", "config.yaml", "--cores", "2")
    summary = with_decoys.folder / "results/private/Tiny/harmonization.json"
    assert json.loads(summary.read_text())["outcomes"] == {"as_is": 30}


def test_harmonize_counts_what_it_ignores(with_decoys):
    ingest = ("ingest", "cohort.vcf.gz", "--samples", "sheet.tsv")
    for contig in ("chr1", "hs37d5"):
        done = with_decoys.run(*ingest, "--region", contig, "--out", f"{contig}.vcz.zip")
        assert done.code == 0, done.err
    command = ("harmonize", "chr1.vcz.zip", "hs37d5.vcz.zip", "--reference", "reference.fa",
               "--cohort", "Tiny", "--out", "alleles.zip", "--summary", "s.json")  # fmt: skip
    with_decoys.try_out(*command).refuses("hs37d5.vcz.zip", "contigs to ignore")
    assert with_decoys.run(*command, "--ignore-contig", "hs37d5").code == 0
    summary = json.loads((with_decoys.folder / "s.json").read_text())
    assert summary["ignored_contigs"] == {"hs37d5": 2}
    assert summary["outcomes"] == {"as_is": 30}


def test_both_sides_of_a_duplicate_are_listed(project, snakemake):
    same = project.snv(500, "0/1", "0/0", "0/0", "0/0")
    records = sorted([*project.records(), same], key=lambda record: record[1])
    project.write_vcf("cohort.vcf", project.text(records))
    snakemake(project.folder, "--configfile", "config.yaml", "--cores", "2")
    header, *lines = (
        (project.folder / "results/private/Tiny/duplicates.tsv").read_text().splitlines()
    )
    columns = header.split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]
    assert [row["outcome"] for row in rows] == ["kept", "duplicate"]
    _, position, ref, alt, *_ = same
    for row in rows:
        assert row["contig"] == "chr1"
        assert (row["position"], row["ref"], row["alt"]) == (str(position), ref, alt)
        assert (row["source_position"], row["source_ref"]) == (str(position), ref)
        assert row["partition"] == "chr1.00000"
