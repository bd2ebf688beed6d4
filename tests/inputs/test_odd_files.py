"""Files that are extreme as a whole, or whose errors are hard to show: read rightly or refused."""

import itertools

import pysam.bcftools
import pytest
from tests.odd_alleles import (
    COMMAND,
    FORMATS,
    alt_of,
    counts,
    fates_of_all,
    outcomes,
    record_at,
)


@pytest.mark.parametrize("name", [*FORMATS, "indexed.vcf.gz"])
def test_a_file_without_records_is_counted_and_has_no_variant(project, name):
    project.write_vcf(name, project.text([]))
    outcome = project.run_apart("count", name, "--keep", "kept", *COMMAND)
    assert outcome.code == 0, outcome.err
    assert (counts(project), fates_of_all(project), outcomes(project)) == ({}, [], {})


@pytest.mark.parametrize("name", ["odd.vcf", "odd.vcf.gz", "odd.bcf"])
def test_position_zero_is_in_a_whole_contig_or_the_file_is_refused(project, name):
    """htslib finds no record at POS 0 of an indexed BCF; the number of records tells."""
    first = project.sequences["chr1"][0]
    records = [record_at(0, "N", "A"), record_at(1, first, alt_of(first))]
    project.write_vcf(name, project.text(records))
    command = ("count", name, "--region", "chr1", "--keep", "kept", *COMMAND)
    if name == "odd.bcf":
        said = ("odd.bcf, chr1", "POS 0", "2 records, as the index counts", "without its index")
        project.try_out(*command).refuses(*said)
        return
    assert project.run(*command).code == 0
    assert [fate for *_, fate in fates_of_all(project)] == ["iupac", (1, first, alt_of(first))]


@pytest.mark.parametrize("calls", [("32768/0", "0/0"), ("0/0", "1|32769"), ("1/2", "32769")])
@pytest.mark.parametrize("name", FORMATS)
def test_an_allele_number_that_sixteen_bits_do_not_hold_is_refused(project, name, calls):
    """Cut to its bits it would be another allele, or a missing one."""
    base = project.sequences["chr1"][99]
    forms = itertools.islice(itertools.product("ACGT", repeat=8), 32_770)
    record = record_at(100, base, ",".join(map("".join, forms)), [*calls, "0/0", "./."])
    project.write_vcf(name, project.text([record]))
    project.try_out("count", name, "--keep", "kept", *COMMAND).refuses(
        name, "chr1:100", "at most 32,767 ALT alleles", "bcftools norm -m -"
    )


@pytest.mark.parametrize("column", ["REF", "ALT"])
@pytest.mark.parametrize("name", FORMATS)
def test_an_allele_that_is_no_text_is_refused(project, name, column):
    ref = project.sequences["chr1"][99]
    record = record_at(100, "@", "A") if column == "REF" else record_at(100, ref, "@")
    content = project.text([record]).encode().replace(b"@", b"A\xff")
    project.write_vcf("plain.vcf", content)
    if name in FORMATS[1:]:
        kind = "-Ob" if name.endswith(".bcf") else "-Oz"
        pysam.bcftools.view(kind, "-o", name, "plain.vcf", catch_stdout=False)
    else:
        project.write_vcf(name, content)
    project.try_out("count", name, *COMMAND, apart=True).refuses(name, "chr1:100")


@pytest.mark.parametrize(
    ("position", "ref", "shown"),
    [
        (0, "{first}", "REF {first}, reference has nothing there"),
        (0, "{first}{first}", "REF {first}{first}, reference has nothing there"),
        (1, "{bases}ACGT", "REF ...{end}ACGT, reference ...{end}"),
        (4_999, "{end}A", "REF {end}A, reference {end}"),
        (5_001, "A", "REF A, reference has nothing there"),
        (1, "{others}", "REF {other}"),
    ],
)
def test_an_example_of_a_mismatch_shows_the_difference(project, position, ref, shown):
    bases = project.sequences["chr1"]
    words = {"first": bases[0], "bases": bases, "end": bases[-2:], "other": alt_of(bases[0])}
    words["others"] = words["other"] + bases[1:50]
    record = record_at(position, ref.format(**words), alt_of(bases[0]) * 3)
    project.write_vcf("odd.vcf", project.text([record]))
    project.try_out("count", "odd.vcf", *COMMAND).refuses(
        f"chr1:{position} {shown.format(**words)}"
    )
