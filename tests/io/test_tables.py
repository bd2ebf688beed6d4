"""The tables and files that users write, and what is said of them when they are wrong."""

import gzip
from pathlib import Path

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import write_cohorts, write_sheet

from afpanel.constants import Sex
from afpanel.core.contigs import ContigNames
from afpanel.errors import AfpanelError, BadInputError, FaultsError
from afpanel.io.tables import (
    canonical_build,
    raise_any,
    read_aliases,
    read_bed,
    read_cohorts,
    read_config,
    read_policy,
    read_samples,
)
from afpanel.model.cohort import Sample

SETTINGS = settings(max_examples=50, deadline=None, derandomize=True)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# ---------------------------------------------------------------------------------------------
# Cohorts

VN = {"cohort": "vn-wgs", "country": "VN", "path": "data/vn.vcf.gz", "samples": "vn.tsv"}
CN = {"cohort": "cn", "country": "CN", "path": "cn/{contig}.bcf", "samples": "cn.tsv"}


def test_a_cohorts_table_is_read_row_by_row(tmp_path: Path) -> None:
    rows = [{**VN, "callable": "vn.bed", "metadata": "vn.yaml", "build": "hg38"}, CN]
    vn, cn = read_cohorts(write_cohorts(tmp_path / "cohorts.tsv", rows))
    assert (vn.name, vn.country, vn.kind, vn.build) == ("vn-wgs", "VN", "vcf", "GRCh38")
    assert (vn.path, vn.samples) == ("data/vn.vcf.gz", Path("vn.tsv"))
    assert (vn.callable_file, vn.metadata) == (Path("vn.bed"), Path("vn.yaml"))
    assert (cn.path, cn.callable_file, cn.metadata) == ("cn/{contig}.bcf", None, None)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff", "#"])
def test_a_table_may_come_from_a_spreadsheet(tmp_path: Path, start: str, ending: str) -> None:
    """With a byte order mark, Windows line ends, short rows, blank lines, columns in any order."""
    lines = [
        f"{start}samples\tbuild\tpath\tkind\tcountry\tcohort\tcallable",
        "vn.tsv\tGRCh38\t vn.vcf \tvcf\tVN\tvn",
        "",
        "\t\t",
        "cn.tsv\tb38\tcn.vcf\tvcf\tCN\tcn\tcn.bed",
    ]
    path = tmp_path / "cohorts.tsv"
    path.write_bytes(ending.join(lines).encode())
    vn, cn = read_cohorts(path)
    assert (vn.name, vn.path, vn.callable_file) == ("vn", "vn.vcf", None)
    assert (cn.name, cn.build, cn.callable_file) == ("cn", "GRCh38", Path("cn.bed"))


def test_all_faults_of_a_cohorts_table_are_listed_together(tmp_path: Path) -> None:
    rows = [
        {**VN, "cohort": "vn_wgs"},
        {**CN, "country": "China"},
        {**VN, "cohort": "b", "kind": "vcff"},
        {**CN, "cohort": "c", "samples": ""},
    ]
    path = write_cohorts(tmp_path / "cohorts.tsv", rows)
    with pytest.raises(FaultsError) as refused:
        read_cohorts(path)
    assert len(refused.value.faults) == 4
    message = str(refused.value)
    for line, part in ((2, "vn_wgs"), (3, "China"), (4, "vcff"), (5, "samples")):
        (fault,) = (f for f in refused.value.faults if f"line {line}" in str(f))
        assert part in str(fault)
        assert str(path) in str(fault)
        assert str(fault) in message


def test_the_same_cohort_twice_is_refused_by_name(tmp_path: Path) -> None:
    path = write_cohorts(tmp_path / "cohorts.tsv", [VN, CN, VN])
    with pytest.raises(BadInputError, match="'vn-wgs' is listed 2 times"):
        read_cohorts(path)


@pytest.mark.parametrize("country", ["XX", "XY"])
def test_a_country_that_would_read_as_a_sex_is_refused(tmp_path: Path, country: str) -> None:
    path = write_cohorts(tmp_path / "cohorts.tsv", [{**VN, "country": country}])
    with pytest.raises(BadInputError, match=rf"line 2.*'{country}'"):
        read_cohorts(path)


def test_an_unknown_column_names_the_nearest_known_one(tmp_path: Path) -> None:
    text = "cohort\tcuntry\tkind\tpath\tbuild\tsamples\nvn\tVN\tvcf\tp\tb\ts\n"
    with pytest.raises(AfpanelError) as refused:
        read_cohorts(write(tmp_path / "cohorts.tsv", text))
    assert "unknown key 'cuntry'" in str(refused.value)
    assert "did you mean 'country'?" in str(refused.value)
    assert "'country' is missing" in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"", b"cohort\tcountry\tkind\tpath\tbuild\tsamples\n", b"\n\n", b"\xff\xfe\x00c"]
)
def test_a_table_without_rows_or_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cohorts.tsv"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"cohorts\.tsv"):
        read_cohorts(path)


@pytest.mark.parametrize(
    "reader", [read_cohorts, read_samples, read_aliases, read_config, read_policy]
)
def test_a_missing_file_is_refused_by_name(tmp_path: Path, reader: object) -> None:
    with pytest.raises(BadInputError, match="no-such-file"):
        reader(tmp_path / "no-such-file")


def test_a_row_with_more_fields_than_columns_is_refused_with_its_line(tmp_path: Path) -> None:
    text = "sample\tpopulation\tsex\ns1\tP\tXX\ns2\tP\tXX\tyes\n"
    with pytest.raises(BadInputError, match="line 3") as refused:
        read_samples(write(tmp_path / "s.tsv", text))
    assert "more columns" in str(refused.value)


# ---------------------------------------------------------------------------------------------
# Samples

SHEETS = st.lists(
    st.builds(
        Sample,
        st.text("abcABC019_.-'\"é ", min_size=1).map(str.strip).filter(len),
        st.sampled_from(["KHV", "1000GCHB", "p2"]),
        st.sampled_from(list(Sex)),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda sample: sample.id,
).filter(lambda samples: any(sample.include for sample in samples))


@SETTINGS
@given(SHEETS)
def test_a_sheet_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]
) -> None:
    """Quotation marks in IDs among it: this is no CSV."""
    path = tmp_path_factory.mktemp("sheet") / "s.tsv"
    rows = [(s.id, s.population, s.sex.value, "yes" if s.include else "no") for s in samples]
    assert read_samples(write_sheet(path, rows, include=True)) == samples


def test_samples_are_included_unless_the_sheet_says_no(tmp_path: Path) -> None:
    rows = [("s1", "P", "XX", "yes"), ("s2", "P", "XY", ""), ("s3", "P", "unknown", "no")]
    samples = read_samples(write_sheet(tmp_path / "s.tsv", rows, include=True))
    assert [sample.include for sample in samples] == [True, True, False]
    without = read_samples(write_sheet(tmp_path / "t.tsv", [row[:3] for row in rows]))
    assert [sample.include for sample in without] == [True, True, True]


def test_all_faults_of_a_sheet_are_listed_together(tmp_path: Path) -> None:
    rows = [
        ("s1", "P", "female", "yes"),
        ("s2", "P_1", "XX", "yes"),
        ("s3", "P", "XX", "maybe"),
        ("s4", "", "XX", "yes"),
        ("s5", "P", "male", "yes"),
    ]
    with pytest.raises(FaultsError) as refused:
        read_samples(write_sheet(tmp_path / "s.tsv", rows, include=True))
    message = str(refused.value)
    assert len(refused.value.faults) == 5
    for part in ("line 2", "'female'", "'P_1'", "'maybe'", "line 5", "'male'"):
        assert part in message


def test_a_fault_of_a_thousand_rows_is_listed_once(tmp_path: Path) -> None:
    rows = [(f"s{i}", "P", "F") for i in range(1_000)]
    with pytest.raises(BadInputError) as refused:
        read_samples(write_sheet(tmp_path / "s.tsv", rows))
    assert "line 2" in str(refused.value)
    assert len(str(refused.value)) < 1_000


def test_samples_and_populations_that_would_be_ambiguous_are_refused(tmp_path: Path) -> None:
    rows = [("s1", "P", "XX"), ("s1", "Q", "XX"), ("s2", "raw", "XX"), ("s3", "XX", "XX")]
    with pytest.raises(FaultsError) as refused:
        read_samples(write_sheet(tmp_path / "s.tsv", rows))
    for part in ("'s1' is listed 2 times", "population 'raw'", "population 'XX'"):
        assert part in str(refused.value)


def test_a_sheet_that_includes_nobody_is_refused(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "s.tsv", [("s1", "P", "XX", "no")], include=True)
    with pytest.raises(BadInputError, match="no sample is included"):
        read_samples(path)


# ---------------------------------------------------------------------------------------------
# BED and aliases

NAMES = ContigNames(["chr1", "chr2"], {"one": "chr1"})
BED = "track name=x\n#c\nbrowser position\n1\t5\t9\textra\nchr1\t0\t3\n\nchr2\t1\t2\none\t7\t20\nzz\t1\t9\n"


@pytest.mark.parametrize("form", ["plain", "gzip", "bgzf", "crlf", "cut"])
def test_a_bed_is_read_in_every_form_by_every_name_of_its_contigs(
    tmp_path: Path, form: str
) -> None:
    path = tmp_path / "callable.bed"
    match form:
        case "gzip":
            path.write_bytes(gzip.compress(BED.encode()))
        case "bgzf":
            with pysam.BGZFile(str(path), "wb") as out:
                out.write(BED.encode())
        case "crlf":
            path.write_bytes(BED.replace("\n", "\r\n").encode())
        case _:
            path.write_text(BED.removesuffix("\n") if form == "cut" else BED)
    found = read_bed(path, NAMES, "chr1")
    assert list(zip(found.start.tolist(), found.end.tolist(), strict=True)) == [(0, 3), (5, 20)]
    assert read_bed(path, NAMES, "chr2").end.tolist() == [2]


@pytest.mark.parametrize(
    "line",
    ["chr1\t5", "chr1 5 9", "chr1\t9\t5", "chr1\tx\t5", "chr1\t-1\t5", "chr1\t1.0\t5", "chr1"],
)
def test_a_line_that_is_no_bed_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "a.bed", f"chr1\t0\t3\n{line}\n")
    with pytest.raises(BadInputError, match=r"a\.bed, line 2"):
        read_bed(path, NAMES, "chr1")


def test_a_bed_of_other_contigs_or_of_nothing_is_empty(tmp_path: Path) -> None:
    for text in ("", "chr2\t0\t5\n"):
        assert len(read_bed(write(tmp_path / "a.bed", text), NAMES, "chr1").start) == 0


def test_a_bed_that_is_cut_short_or_missing_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(b"chr1\t0\t3\n" * 9_999)
    (tmp_path / "half.bed.gz").write_bytes(packed[: len(packed) // 2])
    for name in ("half.bed.gz", "missing.bed"):
        with pytest.raises(BadInputError, match=name):
            read_bed(tmp_path / name, NAMES, "chr1")


@pytest.mark.parametrize("damage", [8, 20, 30])
def test_a_compressed_bed_with_damaged_bytes_is_refused(tmp_path: Path, damage: int) -> None:
    packed = bytearray(gzip.compress("".join(f"chr1\t{i}\t{i + 1}\n" for i in range(999)).encode()))
    packed[damage:-8] = bytes(byte ^ 0x5A for byte in packed[damage:-8])
    (tmp_path / "a.bed.gz").write_bytes(packed)
    with pytest.raises(BadInputError, match=r"a\.bed\.gz"):
        read_bed(tmp_path / "a.bed.gz", NAMES, "chr1")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_aliases_are_read_with_or_without_a_header(tmp_path: Path, ending: str) -> None:
    lines = ["alias\tcontig", "# RefSeq", "NC_000001.11\tchr1", "", "one\tchr1"]
    expected = {"NC_000001.11": "chr1", "one": "chr1"}
    for number, part in enumerate((lines, lines[1:])):
        path = tmp_path / f"{number}.tsv"
        path.write_bytes((ending.join(part) + ending).encode())
        assert read_aliases(path) == expected


@pytest.mark.parametrize("line", ["one", "one chr1", "one\tchr1\tmore"])
def test_a_line_that_is_no_alias_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInputError, match="line 2"):
        read_aliases(write(tmp_path / "a.tsv", f"alias\tcontig\n{line}\n"))


# ---------------------------------------------------------------------------------------------
# Configuration and policy

CONFIG = """
panel: {name: demo, version: "2026.1"}
reference: {build: GRCh38, fasta: ref.fa}
cohorts: cohorts.tsv
disclosure: {policy: policy.yaml}
"""


def test_a_configuration_of_the_required_keys_has_the_defaults_of_the_contract(
    tmp_path: Path,
) -> None:
    config = read_config(write(tmp_path / "config.yaml", CONFIG))
    assert config["results"] == "results"
    assert config["partitions"] == {"size": 10_000_000, "contigs": []}
    assert config["genotypes"] == {
        "min_gq": 20,
        "min_dp": 10,
        "min_dp_haploid": 5,
        "min_ab": 0.2,
        "half_calls": "count",
        "polyploid": "error",
        "filters": ["PASS", "."],
    }
    assert config["harmonize"]["max_ref_mismatch"] == 0.01
    assert config["harmonize"]["aliases"] is None
    assert config["groups"] == {"grpmax_exclude": []}
    assert config["publish"] == {"formats": ["vcf", "parquet", "zarr"]}
    assert config["signatures"] == "required"


def test_given_values_stand_beside_the_defaults_of_their_section(tmp_path: Path) -> None:
    config = read_config(write(tmp_path / "c.yaml", CONFIG + "genotypes: {min_gq: 0}\n"))
    assert config["genotypes"]["min_gq"] == 0
    assert config["genotypes"]["min_dp"] == 10


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("partition: {size: 5000}", "partition", "partitions"),
        ("genotypes: {min_gp: 3}", "min_gp", "min_gq"),
        ("genotypes: {half_call: count}", "half_call", "half_calls"),
        ("publish: {format: [vcf]}", "format", "formats"),
        ("harmonise: {}", "harmonise", "harmonize"),
        ("zzz: 1", "zzz", ""),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(
    tmp_path: Path, text: str, key: str, nearest: str
) -> None:
    with pytest.raises(BadInputError) as refused:
        read_config(write(tmp_path / "c.yaml", CONFIG + text))
    assert f"unknown key '{key}'" in str(refused.value)
    assert f"did you mean '{nearest}" in str(refused.value)


def test_all_faults_of_a_configuration_are_listed_together(tmp_path: Path) -> None:
    text = """
panel: {name: "my panel"}
reference: {build: GRCh38}
cohorts: 7
disclosure: {policy: p.yaml}
partitions: {size: 10}
genotypes: {min_ab: 2, half_calls: ignore, min_gq: high}
publish: {formats: [vcf, bgen]}
extra: 1
"""
    with pytest.raises(FaultsError) as refused:
        read_config(write(tmp_path / "c.yaml", text))
    message = str(refused.value)
    for part in (
        "panel.name", "'version' is missing", "'fasta' is missing", "cohorts", "partitions.size",
        "genotypes.min_ab", "genotypes.half_calls", "genotypes.min_gq", "publish.formats",
        "unknown key 'extra'",
    ):  # fmt: skip
        assert part in message
    assert len(refused.value.faults) == 10


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "text", "a: [1", "\t"])
def test_what_is_no_mapping_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInputError, match=r"c\.yaml"):
        read_config(write(tmp_path / "c.yaml", text))


def test_a_configuration_may_be_json(tmp_path: Path) -> None:
    text = """{"panel": {"name": "d", "version": "1"}, "reference": {"build": "b37", "fasta": "f"},
               "cohorts": "c", "disclosure": {"policy": "p"}}"""
    assert read_config(write(tmp_path / "c.json", text))["panel"]["name"] == "d"


def test_a_policy_holds_its_limits(tmp_path: Path) -> None:
    text = "min_group_size: 20\nmin_allele_count: 5\ndescription: |\n  Of the consortium.\n"
    policy = read_policy(write(tmp_path / "p.yaml", text))
    assert (policy.min_group_size, policy.min_allele_count) == (20, 5)
    assert policy.description == "Of the consortium."


@pytest.mark.parametrize(
    "text",
    [
        "min_group_size: 20",
        "min_group_size: -1\nmin_allele_count: 0",
        "min_group_size: 1.5\nmin_allele_count: 0",
    ],
)
def test_a_policy_without_its_limits_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInputError, match=r"p\.yaml"):
        read_policy(write(tmp_path / "p.yaml", text))


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("hg19", "GRCh37"), ("b37", "GRCh37"), ("hs37d5", "GRCh37"), ("grch37", "GRCh37"),
        ("HG38", "GRCh38"), ("GRCh38", "GRCh38"), ("T2T-CHM13", "T2T-CHM13"),
    ],
)  # fmt: skip
def test_a_build_has_one_name(name: str, canonical: str) -> None:
    assert canonical_build(name) == canonical


def test_one_fault_is_raised_as_itself_and_several_together() -> None:
    raise_any([])
    first, second = BadInputError("one"), BadInputError("two")
    with pytest.raises(BadInputError) as single:
        raise_any([first])
    assert single.value is first
    with pytest.raises(FaultsError) as both:
        raise_any([first, second])
    assert both.value.faults == [first, second]
    assert both.value.exit_code == 3
