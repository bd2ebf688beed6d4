"""Single records and calls that cannot be used, deep in an otherwise good file."""

import pytest

WRITTEN = ["cohort.vcf", "cohort.plain.vcf.gz", "cohort.bgzf.vcf.gz", "indexed.bgzf.vcf.gz"]


@pytest.fixture(params=WRITTEN)
def spoil(project, request):
    """Write the good file with one line replaced, in each way a file may be kept."""

    def write(position: int, line: str) -> str:
        lines = project.text().splitlines()
        at = next(i for i, x in enumerate(lines) if x.startswith(f"chr1\t{position}\t"))
        lines[at] = line
        indexed = request.param.startswith("indexed")
        project.write_vcf(request.param, "\n".join(lines) + "\n", index=indexed)
        return request.param

    return write


def line_of(project, position: int, *calls: str, **fields: str) -> str:
    ref = project.sequences["chr1"][position - 1]
    alt = "T" if ref != "T" else "A"
    columns = {"chrom": "chr1", "pos": str(position), "id": ".", "ref": ref, "alt": alt,
               "qual": ".", "filter": "PASS", "info": ".", "format": "GT", **fields}  # fmt: skip
    return "\t".join([*columns.values(), *calls])


def ingest(project):
    """Ingest; where htslib would read by an index, in a process of its own, as it has crashed there."""
    indexed = project.cohort["path"].startswith("indexed")
    return project.ingest("--region", "chr1:1-5000", apart=indexed)


def test_a_polyploid_call_is_refused_with_its_record_and_sample(project, spoil):
    name = spoil(1500, line_of(project, 1500, "0/0", "0/1", "0/0/1", "0/0"))
    ingest(project).refuses(name, "chr1:1500", "polyploid", "sample number 3", "at most two")


def test_an_allele_that_the_record_does_not_have_is_refused(project, spoil):
    name = spoil(1500, line_of(project, 1500, "0/0", "0/2", "0/1", "0/0"))
    ingest(project).refuses(name, "chr1:1500", "allele", "sample number 2", "at most 1", "2")


def test_an_allele_number_past_127_is_refused_where_the_record_has_few(project, spoil):
    name = spoil(1500, line_of(project, 1500, "0/0", "0/200", "0/1", "0/0"))
    ingest(project).refuses(name, "chr1:1500", "allele", "sample number 2", "200")


@pytest.mark.parametrize("junk", ["A/B", "0/x", "yes", "0;1"])
def test_junk_in_gt_is_refused_near_its_record(project, spoil, junk):
    name = spoil(1500, line_of(project, 1500, "0/0", "0/1", junk, "0/0"))
    ingest(project).refuses(name, "chr1:1")


def test_an_empty_call_is_refused_near_its_record(project, spoil):
    name = spoil(1500, line_of(project, 1500, "0/0", "0/1", "", "0/0"))
    ingest(project).refuses(name, "chr1:1")


@pytest.mark.parametrize("calls", [("0/0", "0/1"), ("0/0", "0/1", "1/1")])
def test_fewer_calls_than_samples_are_refused(project, spoil, calls):
    name = spoil(1500, line_of(project, 1500, *calls))
    ingest(project).refuses(name, "chr1:1")


def test_a_number_of_calls_other_than_of_samples_is_found_before_the_work(project):
    """Of a file that is read whole for its sites, the columns can be counted too."""
    for calls in (["0/0", "0/1", "1/1"], ["0/0", "0/1", "1/1", "0/0", "0/1"]):
        lines = project.text().splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("chr1\t1500\t"))
        lines[at] = line_of(project, 1500, *calls)
        project.write_vcf("cohort.vcf", "\n".join(lines) + "\n")
        project.validate().refuses("cohort.vcf", f"line {at + 1}")


def test_a_line_of_five_columns_is_refused(project, spoil):
    name = spoil(1500, "\t".join(line_of(project, 1500).split("\t")[:5]))
    ingest(project).refuses(name, "chr1:1")


def test_a_position_that_is_no_number_is_refused(project):
    lines = project.text().splitlines()
    bad = [line.replace("\t1500\t", "\t15oo\t") for line in lines]
    project.write_vcf("cohort.vcf", "\n".join(bad) + "\n")
    number = next(i for i, line in enumerate(bad, 1) if "15oo" in line)
    project.validate().refuses("cohort.vcf", f"line {number}", "not a line of VCF")
    project.ingest().refuses("cohort.vcf", "chr1:1400")


def test_a_line_with_too_few_columns_is_found_before_the_work(project):
    lines = project.text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("chr1\t1500\t"))
    lines[at] = "chr1\t1500\t."
    project.write_vcf("cohort.vcf", "\n".join(lines) + "\n")
    project.validate().refuses("cohort.vcf", f"line {at + 1}", "not a line of VCF")


def test_words_instead_of_tabs_are_refused(project):
    lines = project.text().splitlines()
    lines[-1] = lines[-1].replace("\t", " ")
    project.write_vcf("cohort.vcf", "\n".join(lines) + "\n")
    project.validate().refuses("cohort.vcf", f"line {len(lines)}")
    project.ingest(apart=True).refuses("cohort.vcf")


def test_a_record_without_gt_has_no_calls_and_is_not_refused(project):
    lines = project.text(headers=project.builders.RICH_HEADERS).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("chr1\t1500\t"))
    lines[at] = line_of(project, 1500, "9", "9", "9", "9", format="DP")
    project.write_vcf("cohort.vcf", "\n".join(lines) + "\n")
    project.prepare("count")


def test_contigs_that_the_header_does_not_name_are_read(project):
    """Many files have no contig lines; htslib reads them all the same."""
    project.write_vcf("cohort.vcf", project.text(contigs=()))
    assert project.run("validate", "config.yaml").code == 0
    project.prepare("count")
