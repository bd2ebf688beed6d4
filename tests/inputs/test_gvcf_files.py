"""Cohorts of gVCFs that cannot be used, each refused before any work."""

import gzip
import json

import pysam
import pytest
from tests.builders import RICH_HEADERS, write_cohorts

PEOPLE = ("P1", "P2", "P3", "P4")


class Gvcfs:
    """A project whose cohort is of gVCFs, all of them good at first."""

    def __init__(self, project):
        self.project, self.folder = project, project.folder
        for name in PEOPLE:
            self.write(name)
        self.list([self.name(name) for name in PEOPLE])
        project.cohort |= {"kind": "gvcf", "path": "list.txt", "callable": ""}
        project.write_cohorts()

    @staticmethod
    def name(person):
        return f"{person}.g.vcf.gz"

    def records(self, contig="chr1"):
        """A block every twenty bases, and a variant after each."""
        bases = self.project.sequences[contig.removeprefix("x")]
        for start in range(1, 2000, 20):
            yield (contig, start, bases[start - 1], "<NON_REF>", f"END={start + 18}",
                   "GT:GQ:MIN_DP", "0/0:40:20")  # fmt: skip
            ref = bases[start + 18]
            alt = "ACGT"[("ACGT".index(ref) + 1) % 4]
            yield (contig, start + 19, ref, f"{alt},<NON_REF>", ".", "GT:AD:DP:GQ",
                   "0/1:10,10,0:20:50")  # fmt: skip

    def text(self, samples, records=None, headers=RICH_HEADERS):
        lines = ["##fileformat=VCFv4.2", *headers]
        lines += ['##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="Least reads">']
        lines += ['##INFO=<ID=END,Number=1,Type=Integer,Description="Last base">']
        lines += [f"##contig=<ID={name}>" for name in ("chr1", "chr2", "xchr1")]
        fixed = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
        lines.append("\t".join((*fixed, *samples)))
        for contig, position, ref, alt, info, form, call in records or self.records():
            calls = [call] * len(samples)
            row = (contig, position, ".", ref, alt, ".", ".", info, form, *calls)
            lines.append("\t".join(map(str, row)))
        return "\n".join(lines) + "\n"

    def write(self, person, *, samples=None, **options):
        path = self.folder / self.name(person)
        with pysam.BGZFile(str(path), "wb") as out:
            out.write(self.text([person] if samples is None else samples, **options).encode())
        pysam.tabix_index(str(path), preset="vcf", force=True)
        return path

    def list(self, names):
        (self.folder / "list.txt").write_text("# gVCFs\n\n" + "".join(f"{n}\n" for n in names))

    def refuses(self, *fragments):
        self.project.validate().refuses(*fragments)


@pytest.fixture
def gvcfs(project):
    return Gvcfs(project)


def test_a_clean_cohort_is_fit_for_use_and_its_plan_names_all_it_is_read_from(gvcfs):
    outcome = gvcfs.project.run("validate", "config.yaml", "--plan", "plan.json")
    assert outcome.code == 0, outcome.err
    plan = json.loads((gvcfs.folder / "plan.json").read_text())
    cohort = plan["cohorts"]["Tiny"]
    assert cohort["kind"] == "gvcf"
    expected = [f for p in PEOPLE for f in (f"{p}.g.vcf.gz", f"{p}.g.vcf.gz.tbi")]
    assert cohort["files"] == expected
    assert {"list.txt", *expected, "P1.g.vcf.gz.csi"} <= set(plan["inputs"])
    (part,) = cohort["partitions"]
    assert (part["path"], part["source_contig"]) == ("list.txt", "chr1")
    assert cohort["contig_records"] == {}


def test_partitions_are_the_tiles_that_some_file_has_records_in(gvcfs):
    gvcfs.project.config["partitions"] = {"size": 1000}
    gvcfs.project.write_config()
    assert gvcfs.project.run("validate", "config.yaml", "--plan", "plan.json").code == 0
    cohort = json.loads((gvcfs.folder / "plan.json").read_text())["cohorts"]["Tiny"]
    assert [part["id"] for part in cohort["partitions"]][:2] == ["chr1.00000", "chr1.00001"]
    assert {part["contig"] for part in cohort["partitions"]} == {"chr1"}


def test_a_file_of_nobody_in_the_sheet_is_passed_over_and_said_to_be(gvcfs, caplog):
    gvcfs.write("P9")
    gvcfs.list([gvcfs.name(p) for p in (*PEOPLE, "P9")])
    caplog.set_level("INFO")
    outcome = gvcfs.project.run("validate", "config.yaml", "--plan", "plan.json")
    assert outcome.code == 0
    assert "1 of the gVCFs listed are of nobody in the sample sheet" in caplog.text
    files = json.loads((gvcfs.folder / "plan.json").read_text())["cohorts"]["Tiny"]["files"]
    assert "P9.g.vcf.gz" not in files


def test_a_missing_list_is_refused(gvcfs):
    (gvcfs.folder / "list.txt").unlink()
    gvcfs.refuses("list.txt", "cannot be read")


def test_a_list_without_a_file_is_refused(gvcfs):
    gvcfs.list([])
    gvcfs.refuses("list.txt", "lists no file")


def test_a_gvcf_in_the_place_of_the_list_is_refused(gvcfs):
    gvcfs.project.cohort["path"] = "P1.g.vcf.gz"
    gvcfs.project.write_cohorts()
    gvcfs.refuses("P1.g.vcf.gz", "not a list of files", "in a text file")


def test_a_file_listed_twice_is_refused(gvcfs):
    gvcfs.list([gvcfs.name(p) for p in (*PEOPLE, "P2")])
    gvcfs.refuses("list.txt", "more than once", "P2.g.vcf.gz")


def test_a_listed_file_that_is_missing_is_refused(gvcfs):
    (gvcfs.folder / "P2.g.vcf.gz").unlink()
    gvcfs.refuses("P2.g.vcf.gz", "cannot be read")


def test_a_plain_file_is_refused(gvcfs):
    (gvcfs.folder / "P2.g.vcf").write_text(gvcfs.text(["P2"]))
    gvcfs.list([gvcfs.name("P1"), "P2.g.vcf", *map(gvcfs.name, ("P3", "P4"))])
    gvcfs.refuses("P2.g.vcf", "BGZF", "plain", "bgzip P2.g.vcf && tabix -p vcf P2.g.vcf.gz")


def test_a_gzip_file_that_is_not_bgzf_is_refused(gvcfs):
    (gvcfs.folder / "P2.g.vcf.gz").write_bytes(gzip.compress(gvcfs.text(["P2"]).encode()))
    gvcfs.refuses("P2.g.vcf.gz", "BGZF", "gunzip P2.g.vcf.gz && bgzip P2.g.vcf && tabix")


def test_a_file_without_an_index_is_refused(gvcfs):
    (gvcfs.folder / "P2.g.vcf.gz.tbi").unlink()
    gvcfs.refuses("P2.g.vcf.gz", "no index", "tabix -p vcf P2.g.vcf.gz")


def test_a_gvcf_in_bcf_is_refused(gvcfs):
    path = gvcfs.folder / "P2.g.bcf"
    pysam.bcftools.view(
        "-Ob", "-o", str(path), str(gvcfs.folder / "P2.g.vcf.gz"), catch_stdout=False
    )
    gvcfs.list([gvcfs.name("P1"), "P2.g.bcf", *map(gvcfs.name, ("P3", "P4"))])
    gvcfs.refuses("P2.g.bcf", "BCF", "bcftools view -Oz")


@pytest.mark.parametrize("samples", [(), ("P2", "P8")], ids=["none", "two"])
def test_a_file_that_is_not_of_one_person_is_refused(gvcfs, samples):
    gvcfs.write("P2", samples=list(samples))
    gvcfs.refuses("P2.g.vcf.gz", "not a gVCF of one person", "kind vcf")


def test_two_files_of_one_person_are_refused(gvcfs):
    gvcfs.write("P9", samples=["P2"])
    gvcfs.list([gvcfs.name(p) for p in (*PEOPLE, "P9")])
    gvcfs.refuses("P9.g.vcf.gz", "a second gVCF of sample 'P2'", "P2.g.vcf.gz")


def test_a_person_of_the_sheet_without_a_file_is_refused(gvcfs):
    gvcfs.list([gvcfs.name(p) for p in PEOPLE[:2]])
    gvcfs.refuses("2 of the 4 samples", "no gVCF", "P3, P4")


def test_a_file_that_lacks_a_field_that_others_have_is_refused(gvcfs):
    headers = [line for line in RICH_HEADERS if "ID=GQ" not in line]
    gvcfs.write("P2", headers=headers)
    gvcfs.refuses("P2.g.vcf.gz", "declares no FORMAT GQ")


def test_a_contig_by_two_names_is_refused(gvcfs):
    aliases = gvcfs.folder / "aliases.tsv"
    aliases.write_text("alias\tcontig\nxchr1\tchr1\n")
    gvcfs.project.config["harmonize"] = {"aliases": "aliases.tsv"}
    gvcfs.project.write_config()
    gvcfs.write("P3", records=gvcfs.records("xchr1"))
    gvcfs.refuses("P3.g.vcf.gz", "xchr1", "bcftools annotate --rename-chrs")


def test_a_contig_that_the_reference_does_not_have_is_refused(gvcfs):
    for person in ("P3", "P4"):
        gvcfs.write(person, records=gvcfs.records("xchr1"))
    outcome = gvcfs.project.validate()
    outcome.refuses("P3.g.vcf.gz", "no contig for 'xchr1'")
    assert "P4.g.vcf.gz" not in outcome.err  # it is said once


def test_a_cohort_on_another_build_is_refused(gvcfs):
    gvcfs.project.cohort["build"] = "GRCh37"
    gvcfs.project.write_cohorts()
    gvcfs.refuses("cohort Tiny", "gVCFs on build GRCh37", "GRCh38", "kind vcf")


def test_refs_that_are_not_those_of_the_reference_are_refused(gvcfs):
    bases = gvcfs.project.sequences["chr1"]
    gvcfs.project.sequences["chr1"] = bases[7:] + bases[:7]
    for person in PEOPLE:
        gvcfs.write(person)
    gvcfs.refuses("cohort Tiny", "REF", "reference")


def test_all_faults_are_said_at_once(gvcfs):
    (gvcfs.folder / "P1.g.vcf.gz").unlink()
    (gvcfs.folder / "P2.g.vcf.gz.tbi").unlink()
    gvcfs.write("P3", samples=["P4"])
    gvcfs.refuses("3 faults", "P1.g.vcf.gz", "P2.g.vcf.gz", "P4.g.vcf.gz: a second gVCF")


def test_a_block_that_ends_before_it_begins_is_refused_by_ingest(gvcfs):
    records = [(*row[:4], "END=3", *row[5:]) for row in gvcfs.records()]
    gvcfs.write("P2", records=records)
    outcome = gvcfs.project.ingest("--gvcfs", "--region", "chr1:1-5000")
    outcome.refuses("P2.g.vcf.gz", "chr1:20", "END")


@pytest.mark.parametrize(
    "options",
    [("--gvcfs",), ("--gvcfs", "--partitions", "partitions.tsv")],
    ids=["without a region", "with partitions"],
)
def test_a_list_goes_with_a_region_and_without_partitions(gvcfs, options):
    outcome = gvcfs.project.ingest(*options)
    assert outcome.code == 2
    assert "--gvcfs goes with --region" in outcome.err


def test_filters_that_are_not_accepted_are_counted_and_said(gvcfs, caplog):
    records = list(gvcfs.records())
    text = gvcfs.text(["P2"], records).replace("\t.\t.\tEND=39\t", "\t.\tLowQ\tEND=39\t")
    path = gvcfs.folder / "P2.g.vcf.gz"
    with pysam.BGZFile(str(path), "wb") as out:
        out.write(text.encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    outcome = gvcfs.project.run(
        "ingest", "list.txt", "--gvcfs", "--samples", "sheet.tsv", "--region", "chr1",
        "--out", "chr1.vcz.zip",
    )  # fmt: skip
    assert outcome.code == 0
    assert "1 calls in records of FILTERs that are not accepted are taken as missing" in caplog.text


def test_the_workflow_builds_a_panel_from_gvcfs_and_beside_it_a_cohort_of_a_vcf(gvcfs, snakemake):
    """Two cohorts of the same people: of their gVCFs, and of one file of all."""
    project = gvcfs.project
    records = [
        (contig, position, ref, alt.split(",")[0], "PASS", form, *[call.replace(",0:", ":")] * 4)
        for contig, position, ref, alt, _, form, call in gvcfs.records()
        if alt != "<NON_REF>"
    ]
    project.builders.write_vcf(
        gvcfs.folder / "cohort.vcf", project.text(records, headers=RICH_HEADERS)
    )
    other = project.cohort | {
        "cohort": "Other",
        "country": "TH",
        "kind": "vcf",
        "path": "cohort.vcf",
    }
    write_cohorts(gvcfs.folder / "cohorts.tsv", [project.cohort, other])
    project.config["partitions"] = {"size": 1000}
    project.write_config()
    snakemake(gvcfs.folder, "--configfile", "config.yaml", "--cores", "2")
    from afpanel import open_panel

    panel = open_panel(gvcfs.folder / "results" / "release" / "tiny-1")
    found = panel.region("chr1:1-5000", groups=["VN", "TH", "total"])
    assert len(found.position) == 100
    assert found.allele_count.tolist() == [[4, 4, 8]] * 100
    assert found.allele_number.tolist() == [[8, 8, 16]] * 100


def test_gvcfs_take_no_callable_regions_beside_what_they_say(gvcfs):
    (gvcfs.folder / "all.bed").write_text("chr1\t0\t2000\n")
    gvcfs.project.cohort["callable"] = "all.bed"
    gvcfs.project.write_cohorts()
    gvcfs.refuses("all.bed", "gVCFs say themselves", "leave the column callable empty")
