"""Variant files that are damaged, or are not what they seem."""

import gzip

import pytest


def test_a_clean_configuration_is_fit_for_use(project):
    outcome = project.run("validate", "config.yaml")
    assert outcome.code == 0
    assert outcome.out == ""


def test_bgzf_without_its_end_block_is_refused_as_truncated(project):
    path = project.write_vcf("cohort.vcf.gz", project.text())
    path.write_bytes(path.read_bytes()[:-28])
    project.validate().refuses("cohort.vcf.gz", "truncated", "end-of-file", "transfer")
    project.ingest().refuses("cohort.vcf.gz", "truncated", "end-of-file", "transfer")


def test_bgzf_cut_within_a_block_is_refused_though_it_has_an_end_block(project, blocks_of):
    blocks = blocks_of(project.text())
    half = len(blocks) // 2
    cut = [*blocks[:half], blocks[half][:100], blocks[-1]]
    project.write_bgzf("cohort.vcf.gz", cut)
    project.validate().refuses("cohort.vcf.gz", "damaged")
    project.ingest().refuses("cohort.vcf.gz", "damaged")


def test_bgzf_cut_between_blocks_in_the_middle_of_a_line_is_refused(project, blocks_of):
    """The last line has all the columns that name the site; only genotypes are missing."""
    text = project.text()
    cut = text.index("0/1", 3 * len(text) // 4) + 1
    project.write_bgzf("cohort.vcf.gz", blocks_of(text[:cut]))
    project.validate().refuses("cohort.vcf.gz")
    project.ingest().refuses("cohort.vcf.gz")


def test_indexed_bgzf_cut_between_blocks_is_refused(project, blocks_of):
    """The index knows of more records than the file has."""
    blocks = blocks_of(project.text())
    path = project.write_bgzf("cohort.vcf.gz", blocks)
    project.index(path)
    path.write_bytes(b"".join([*blocks[: len(blocks) // 2], blocks[-1]]))
    project.validate().refuses("cohort.vcf.gz")
    project.ingest("--region", "chr1:1-5000").refuses("cohort.vcf.gz")
    project.ingest("--region", "chr1:2500-5000").refuses("cohort.vcf.gz")


def test_an_index_of_another_file_is_refused(project):
    """Here the index is that of an older file, which had records of the first half alone."""
    path = project.write_vcf("cohort.bgzf.vcf.gz", project.text(project.records()[:4]), index=True)
    index = path.with_name(path.name + ".tbi").read_bytes()
    project.write_vcf("cohort.bgzf.vcf.gz", project.text())
    path.with_name(path.name + ".tbi").write_bytes(index)
    project.validate().refuses("cohort.bgzf.vcf.gz", "index")


@pytest.mark.parametrize("indexed", [False, True], ids=["without an index", "with an index"])
def test_a_flipped_byte_in_bgzf_is_refused(project, indexed):
    path = project.write_vcf("cohort.bgzf.vcf.gz", project.text(), index=indexed)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    if not indexed:  # with an index, not all of the file is read before the work
        project.validate().refuses("cohort.bgzf.vcf.gz", "damaged")
    project.ingest("--region", "chr1:1-5000").refuses("cohort.bgzf.vcf.gz", "damaged")


def test_a_flipped_byte_in_bcf_is_refused(project):
    path = project.write_vcf("cohort.bcf", project.text())
    data = bytearray(path.read_bytes())
    data[len(data) - 28 - 40] ^= 0x10
    path.write_bytes(data)
    project.ingest().refuses("cohort.bcf")


def test_bcf_without_its_end_is_refused_as_truncated(project):
    path = project.write_vcf("cohort.bcf", project.text())
    path.write_bytes(path.read_bytes()[:-28])
    project.validate().refuses("cohort.bcf", "truncated")
    project.ingest().refuses("cohort.bcf", "truncated")


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.99])
def test_truncated_gzip_is_refused(project, keep):
    path = project.write_vcf("cohort.plain.vcf.gz", project.text())
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])
    project.validate().refuses("cohort.plain.vcf.gz", "remedy")
    project.ingest().refuses("cohort.plain.vcf.gz", "remedy")


def test_long_gzip_that_is_truncated_is_refused_with_the_place_it_is_good_to(project):
    records = [project.snv(position) for position in range(1, 5000)]
    path = project.write_vcf("cohort.plain.vcf.gz", project.text(records))
    data = path.read_bytes()
    path.write_bytes(data[: 9 * len(data) // 10])
    project.validate().refuses("cohort.plain.vcf.gz", "truncated or damaged after line", "remedy")
    project.ingest().refuses("cohort.plain.vcf.gz", "damaged after chr1:", "remedy")


def test_gzip_with_a_wrong_checksum_is_refused(project):
    path = project.write_vcf("cohort.plain.vcf.gz", project.text())
    data = bytearray(path.read_bytes())
    data[-6] ^= 1
    path.write_bytes(data)
    project.validate().refuses("cohort.plain.vcf.gz", "remedy")
    project.ingest().refuses("cohort.plain.vcf.gz", "remedy")


def test_plain_text_that_ends_in_the_middle_of_a_line_is_refused(project):
    text = project.text()
    project.write_vcf("cohort.vcf", text[: text.rindex("0/0") + 1])
    project.validate().refuses("cohort.vcf")
    project.ingest().refuses("cohort.vcf")


def test_text_named_as_compressed_is_refused_with_the_command_that_compresses_it(project):
    project.write_vcf("cohort.vcf.gz", project.text().encode())
    expected = ("cohort.vcf.gz", "not compressed", "bgzip cohort.vcf")
    project.validate().refuses(*expected)
    project.ingest().refuses(*expected)


@pytest.mark.parametrize("pack", ["gzip", "bgzf"])
def test_a_compressed_file_named_as_text_is_read_for_what_it_is(project, blocks_of, pack):
    assert project.run("ingest", "cohort.vcf", "--samples", "sheet.tsv",
                       "--out", "plain.vcz.zip").code == 0  # fmt: skip
    text = project.text()
    packed = gzip.compress(text.encode()) if pack == "gzip" else b"".join(blocks_of(text))
    project.write_vcf("named.vcf", packed)
    assert project.run("validate", "config.yaml").code == 0
    assert project.run("ingest", "named.vcf", "--samples", "sheet.tsv",
                       "--out", "packed.vcz.zip").code == 0  # fmt: skip
    assert (project.folder / "packed.vcz.zip").read_bytes() == (
        project.folder / "plain.vcz.zip"
    ).read_bytes()


@pytest.mark.parametrize("name", ["cohort.vcf", "cohort.vcf.gz", "cohort.bcf"])
def test_an_empty_file_is_refused(project, name):
    project.write_vcf(name, b"")
    project.validate().refuses(name, "empty", "transfer")
    project.ingest().refuses(name, "empty", "transfer")


def test_gzip_of_nothing_is_refused(project):
    project.write_vcf("cohort.vcf.gz", gzip.compress(b""))
    project.validate().refuses("cohort.vcf.gz", "neither VCF nor BCF")
    project.ingest().refuses("cohort.vcf.gz", "neither VCF nor BCF")


@pytest.mark.parametrize("name", ["cohort.vcf", "cohort.plain.vcf.gz", "cohort.vcf.gz"])
def test_a_header_without_records_is_refused(project, name):
    project.write_vcf(name, project.text([]))
    project.validate().refuses("no records", "Tiny")


@pytest.mark.parametrize(
    "content",
    [b"sample\tvalue\nP1\t3\n", b"\x89PNG\r\n\x1a\n" + bytes(200), gzip.compress(b"hello\n")],
    ids=["a table", "a picture", "gzip of other text"],
)
def test_what_is_not_vcf_is_refused_with_its_first_bytes(project, content):
    project.write_vcf("cohort.vcf", content)
    project.validate().refuses("cohort.vcf", "neither VCF nor BCF", "expected", "found")
    project.ingest().refuses("cohort.vcf", "neither VCF nor BCF", "expected", "found")


def test_a_missing_file_is_refused(project):
    (project.folder / "cohort.vcf").unlink()
    project.validate().refuses("cohort.vcf", "No such file")
    project.ingest().refuses("cohort.vcf", "No such file")


def test_a_folder_is_no_variant_file(project):
    (project.folder / "cohort.vcf").unlink()
    (project.folder / "cohort.vcf").mkdir()
    project.validate().refuses("cohort.vcf")
    project.ingest().refuses("cohort.vcf")


def test_a_header_without_column_names_is_refused(project):
    lines = project.text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#CHROM"))
    project.write_vcf("cohort.vcf", text.encode())
    project.validate().refuses("cohort.vcf")
    project.ingest().refuses("cohort.vcf")


def test_a_sample_that_the_header_has_twice_is_refused(project):
    header = project.text(samples=("P1", "P2", "P3", "P3"))
    project.write_vcf("cohort.vcf", header)
    project.write_sheet([("P1", "AAA", "XX"), ("P2", "AAA", "XY"), ("P3", "BBB", "XX")])
    project.validate().refuses("cohort.vcf", "P3")
    project.ingest().refuses("cohort.vcf", "P3")


def test_a_file_without_samples_is_refused(project):
    lines = project.text().splitlines()
    cut = ["\t".join(x.split("\t")[:8]) if not x.startswith("##") else x for x in lines]
    project.write_vcf("cohort.vcf", "\n".join(cut) + "\n")
    project.validate().refuses("cohort.vcf")
    project.ingest().refuses("cohort.vcf")


def test_a_file_whose_header_has_no_gt_is_refused(project):
    depth = '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads">'
    records = [("chr1", 100, project.sequences["chr1"][99], "<NON_REF>", "PASS", "DP", *"1234")]
    project.write_vcf("cohort.vcf", project.text(records, headers=(depth,)))
    project.validate().refuses("cohort.vcf", "no genotypes", "GT")
    project.ingest().refuses("cohort.vcf", "no genotypes", "GT")


@pytest.mark.parametrize("name", ["cohort.vcf", "cohort.plain.vcf.gz", "cohort.bgzf.vcf.gz"])
def test_positions_out_of_order_are_refused_at_the_first(project, name):
    records = project.records()
    records[10], records[11] = records[11], records[10]
    project.write_vcf(name, project.text(records))
    expected = (name, "not sorted", "chr1:1100", "1200", "bcftools sort")
    project.validate().refuses(*expected)
    project.ingest().refuses(*expected)


def test_contigs_that_take_turns_are_refused(project):
    records = [project.snv(100), project.snv(100, contig="chr2"), project.snv(200)]
    project.write_vcf("cohort.vcf", project.text(records))
    project.validate().refuses("cohort.vcf", "not sorted", "chr1:200", "bcftools sort")
    project.ingest().refuses("cohort.vcf", "not sorted", "chr1:200", "bcftools sort")


def test_unsorted_bcf_is_refused(project):
    records = project.records()
    records[10], records[11] = records[11], records[10]
    text = project.text(records)
    import pysam

    (project.folder / "u.vcf").write_text(text)
    pysam.bcftools.view("--no-version", "-Ob", "-o", "cohort.bcf", "u.vcf", catch_stdout=False)
    project.cohort["path"] = "cohort.bcf"
    project.write_cohorts()
    project.validate().refuses("cohort.bcf", "not sorted", "chr1:1100")
    project.ingest().refuses("cohort.bcf", "not sorted", "chr1:1100")


def test_a_failed_ingest_leaves_the_store_of_an_earlier_one_as_it_was(project):
    project.prepare("ingest")
    text = project.text()
    project.write_vcf("cohort.vcf", text.replace("0/0\t0/1\t1/1\t./.", "0/0\t0/7\t1/1\t./."))
    project.ingest().refuses("cohort.vcf")


def test_ingest_of_many_partitions_leaves_none_when_the_last_one_fails(project):
    records = project.records()
    records[-1] = project.snv(3000, "0/0", "0/1", "0/1/1", "0/0")
    project.write_vcf("cohort.vcf", project.text(records))
    rows = [("id", "contig", "source_contig", "start", "end", "path")]
    rows += [
        (f"chr1.{n:05d}", "chr1", "chr1", str(1000 * n + 1), str(1000 * n + 1000), "cohort.vcf")
        for n in range(3)
    ]
    table = "".join("\t".join(row) + "\n" for row in rows)
    (project.folder / "partitions.tsv").write_text(table)
    project.ingest(
        "--partitions", "partitions.tsv", "--chunk", 3, out="{partition}.vcz.zip"
    ).refuses("chr1:3000", "polyploid")
