"""Tracks of allele numbers that cannot be used, at the check of all inputs and at the merge."""

import gzip

import pytest

HEADER = "#contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_XX\tAN_BBB_XY\n"
FIRST = "chr1\t0\t1000\t8\t2\t2\t2\t2\n"
SECOND = "chr1\t1000\t2000\t4\t2\t0\t2\t0\n"
OTHER = "chr2\t0\t500\t7\t2\t2\t2\t1\n"
GOOD = HEADER + FIRST + SECOND + OTHER

FAULTS = {
    "a column is missing": (HEADER.replace("\tAN_BBB_XY", "") + "chr1\t0\t1000\t6\t2\t2\t2\n",
                            ("not those of the cohort's cells", "AN_BBB_XY", "found")),
    "columns of another cohort": (GOOD.replace("BBB", "CCC"), ("AN_CCC_XX", "expected", "AN_BBB_XX")),
    "AN alone, of several cells": ("#contig\tstart\tend\tAN\nchr1\t0\t1000\t8\n", ("AN_AAA_XX",)),
    "columns of a BED that knows AN": (GOOD.replace("#contig", "#chrom"), ("#chrom"[1:], "contig, start, end")),
    "intervals overlap": (HEADER + FIRST + SECOND.replace("1000", "999", 1),
                          ("chr1:999", "intervals overlap, or are not sorted")),
    "intervals are not sorted": (HEADER + SECOND + FIRST, ("chr1:0", "intervals overlap, or are not")),
    "an interval is empty": (HEADER + FIRST + "chr1\t1500\t1500\t8\t2\t2\t2\t2\n",
                             ("chr1:1500", "an interval is empty")),
    "an interval ends before it begins": (HEADER + FIRST + "chr1\t1500\t1400\t8\t2\t2\t2\t2\n",
                                          ("chr1:1500", "an interval is empty")),
    "a negative start": (HEADER + FIRST.replace("\t0\t", "\t-1\t"), ("chr1:-1",)),
    "a negative number": (HEADER + "chr1\t0\t1000\t4\t2\t2\t2\t-2\n", ("chr1:0", "negative")),
    "AN is not the sum": (HEADER + FIRST + SECOND.replace("\t4\t", "\t5\t"),
                          ("chr1:1000", "AN is not the sum of its cells")),
    "a contig in two places": (HEADER + FIRST + OTHER + SECOND,
                               ("chr1:0", "lines of chr1 stand in two places")),
    "a contig under two names": (HEADER + FIRST + SECOND.replace("chr1", "1"),
                                 ("lines of chr1 stand under two names", "chr1, 1")),
    "words": (HEADER + FIRST + SECOND.replace("2000", "many"),
              ("not a line of a track", r"chr1\t1000\tmany")),
    "a number with a point": (HEADER + FIRST.replace("\t8\t", "\t8.0\t"), (r"chr1\t0\t1000\t8.0",)),
    "an empty number": (HEADER + FIRST.replace("\t8\t", "\t\t"), (r"chr1\t0\t1000\t\t2",)),
    "too few columns": (HEADER + FIRST + "chr1\t1000\t2000\t4\t2\t0\t2\n",
                        ("8 columns", r"chr1\t1000\t2000\t4\t2\t0\t2'")),
    "too many columns": (HEADER + FIRST + SECOND.replace("\n", "\t9\n"), ("8 columns", r"\t0\t9'")),
    "spaces": (HEADER + FIRST.replace("\t", " "), ("8 columns", "chr1 0 1000")),
    "a number beyond all": (HEADER + FIRST.replace("\t8\t", "\t80000000000000000000\t"),
                            ("8000000000",)),
    "no text": (HEADER.encode() + b"chr1\xff\xfe\t0\t100\t8\t2\t2\t2\t2\n", ("not a line of a track",)),
    "truncated gzip": (gzip.compress(GOOD.encode())[:-12], ("truncated or damaged",)),
}  # fmt: skip


@pytest.fixture
def with_track(project):
    """The project with a track, and counts of another cohort whose variants the first does not have."""
    project.write_vcf("other.vcf", project.text([project.snv(at) for at in range(150, 4000, 100)]))
    project.prepare("count")
    command = ["Other" if word == "Tiny" else word for word in project.count_command()]
    assert project.run(*command[:-1], "other.zarr.zip").code == 0
    project.write_vcf("cohort.vcf", project.text())
    project.prepare("count")
    project.cohort["callable"] = "track.tsv"
    project.write_cohorts()
    (project.folder / "track.tsv").write_text(GOOD)
    return project


def merging(project):
    words = [str(word).replace("callable.bed", "track.tsv") for word in project.merge_command()]
    return [*words, "other.zarr.zip"]


def test_a_good_track_is_accepted(with_track):
    assert with_track.run("validate", "config.yaml").code == 0
    assert with_track.run(*merging(with_track)).code == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_track_is_refused_with_its_place_before_the_work_and_at_the_merge(with_track, fault):
    content, fragments = FAULTS[fault]
    path = with_track.folder / "track.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with_track.validate().refuses("track.tsv", *fragments, "remedy")
    with_track.try_out(*merging(with_track)).refuses("track.tsv", *fragments, "remedy")


@pytest.mark.parametrize("content", ["", HEADER, HEADER + FIRST.replace("chr1", "scaffold_7")])
def test_a_track_that_says_nothing_of_the_panel_is_refused(with_track, content):
    """At the merge it is not: nobody may have been called on this contig, and on another somebody."""
    (with_track.folder / "track.tsv").write_text(content)
    with_track.validate().refuses("track.tsv", "of a contig that the reference has", "remedy")
    assert with_track.run(*merging(with_track)).code == 0


def test_a_missing_track_is_refused(with_track):
    (with_track.folder / "track.tsv").unlink()
    with_track.validate().refuses("track.tsv", "No such file")
    with_track.try_out(*merging(with_track)).refuses("track.tsv", "No such file")


def test_more_called_alleles_than_people_have_are_refused(with_track):
    text = HEADER + FIRST + SECOND.replace("\t4\t2", "\t5\t3")
    (with_track.folder / "track.tsv").write_text(text)
    told = ("AAA XX", "at most 2 of 1 people", "3", "remedy")
    with_track.validate().refuses("track.tsv, chr1:1001", *told)
    with_track.try_out(*merging(with_track)).refuses("track.tsv, chr1:1050", *told)
