"""Genotype stores as another program sees them: vcztools, against bcftools on the source."""

import gzip
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools
import pytest
from tests.builders import RICH_HEADERS, vcf_text, write_fasta, write_sheet, write_vcf

from afpanel.errors import BadInputError
from afpanel.io.reference import ReferencePaths
from afpanel.io.scan import IndexedSites
from afpanel.io.sniff import sniff
from afpanel.io.store import Store
from afpanel.model.region import Region
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION
from afpanel.stages.harmonize import HarmonizeOptions, harmonize
from afpanel.stages.ingest import Target, ingest

Line = tuple[str, ...]
"""CHROM, POS, ID, REF, ALT, FILTER, and the genotypes."""


def sheet_of(path: Path, samples: Sequence[str]) -> Path:
    return write_sheet(path, [(sample, "P1", "unknown") for sample in samples])


def lines_of(text: str, samples: Sequence[str]) -> list[Line]:
    """Read VCF text: fixed columns, and GT of the samples asked for, without phase."""
    lines, columns = [], []
    for line in text.splitlines():
        fields = line.split("\t")
        if line.startswith("#CHROM"):
            columns = [fields.index(sample) for sample in samples]
        elif not line.startswith("#"):
            keys = fields[8].split(":")
            calls = ["./."] * len(columns)  # vcztools leaves out a key that nobody has a value of
            if "GT" in keys:
                values = (fields[column].split(":")[keys.index("GT")] for column in columns)
                calls = [value.replace("|", "/") for value in values]
            filters = ";".join(sorted(fields[6].split(";")))  # a set, whatever its order
            lines.append((*fields[:5], filters, *calls))
    return lines


def qualities_of(text: str) -> list[str]:
    return [line.split("\t")[5] for line in text.splitlines() if not line.startswith("#")]


def vcztools_view(store: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "vcztools", "view", *arguments, str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def header_samples(text: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.startswith("#CHROM"))
    return line.split("\t")[9:]


SAMPLES = ("s1", "s2", "s3")
RECORDS = [
    ("chr1", 0, "N", "A", "0/0", "0/1", "./."),
    ("chr1", 10, "A", "C,G", "0|1", "1/2", "2"),
    ("chr1", 10, "A", "T", ".", "0/.", "./1"),
    ("chr1", 12, "AT", "<DEL>,*,A", "LowQual", "GT", "1/2", "3", "./."),
    ("chr1", 5000, "G", "A", "q10;LowQual", "GT", "0/0", "0", "."),
    ("chr1", 5001, "GAC", "G", ".", "GT", "0/0", "1/1", "0|0"),
    ("chr2", 7, "G", "A", ".", "GT", "0/0", "1/1", "0|0"),
]


def text(records: Sequence[Sequence[object]] = RECORDS, **options: object) -> str:
    return vcf_text(
        SAMPLES,
        records,
        **{"contigs": ("chr1", "chr2", "chr9"), "filters": ("LowQual", "q10"), **options},
    )


@pytest.mark.parametrize(("name", "chunk"), [("a.vcf", 1), ("a.vcf", 1_000), ("a.vcf.gz", 3)])
def test_vcztools_reads_from_a_store_what_bcftools_reads_from_the_source(
    tmp_path: Path, name: str, chunk: int
) -> None:
    source = write_vcf(tmp_path / name, text())
    store = tmp_path / "a.vcz.zip"
    sheet = sheet_of(tmp_path / "sheet.tsv", ["s3", "s1"])
    ingest(source, sheet, [Target(None, store)], chunk=chunk)
    seen = vcztools_view(store)
    assert header_samples(seen) == ["s1", "s3"], "the file's order"
    expected = lines_of(pysam.bcftools.view(str(source)), ["s1", "s3"])
    assert lines_of(seen, ["s1", "s3"]) == expected


@pytest.mark.parametrize("region", ["chr1:10-12", "chr1:5002-5003", "chr2", "chr1:6000-7000"])
def test_vcztools_finds_regions_as_bcftools_does(tmp_path: Path, region: str) -> None:
    """By the region index, also a deletion that reaches into the region."""
    source = write_vcf(tmp_path / "a.vcf.gz", text(RECORDS[1:]))
    store = tmp_path / "a.vcz.zip"
    ingest(source, sheet_of(tmp_path / "sheet.tsv", SAMPLES), [Target(None, store)], chunk=2)
    expected = lines_of(pysam.bcftools.view("-r", region, str(source)), SAMPLES)
    assert lines_of(vcztools_view(store, "-r", region), SAMPLES) == expected


def test_qualities_and_identifiers_are_read_back_or_missing(tmp_path: Path) -> None:
    lines = text([("chr1", p, "A", "C", "0/0", "0/1", "1/1") for p in (1, 2, 3)]).splitlines()
    for row, (identifier, quality) in enumerate([("rs1", "30"), (".", "."), ("a;b", "0.5")], -3):
        fields = lines[row].split("\t")
        fields[2], fields[5] = identifier, quality
        lines[row] = "\t".join(fields)
    source = write_vcf(tmp_path / "a.vcf", "\n".join(lines) + "\n")
    store = tmp_path / "a.vcz.zip"
    ingest(source, sheet_of(tmp_path / "sheet.tsv", SAMPLES), [Target(None, store)])
    expected, seen = pysam.bcftools.view(str(source)), vcztools_view(store)
    assert lines_of(seen, SAMPLES) == lines_of(expected, SAMPLES)
    assert qualities_of(seen) == qualities_of(expected)


def test_a_real_messy_file_is_the_same_through_vcztools(test_data: Path, tmp_path: Path) -> None:
    original = test_data / "grch37/1000g.asia.gatk.chr22.vcf.gz"
    with gzip.open(original, "rt") as lines:
        expected = lines.read()
    samples = header_samples(expected)[::17]
    store = tmp_path / "a.vcz.zip"
    sheet = sheet_of(tmp_path / "sheet.tsv", samples)
    ingest(original, sheet, [Target(None, store)], fields=("GQ", "DP", "AD"), chunk=211)
    seen = vcztools_view(store)
    assert header_samples(seen) == samples
    assert lines_of(seen, samples) == lines_of(expected, samples)
    found, wanted = (list(map(float, qualities_of(each))) for each in (seen, expected))
    np.testing.assert_allclose(found, wanted, rtol=1e-3)


# ---------------------------------------------------------------------------------------------
# Several stores in one pass

FIELDS = ("GQ", "DP", "AD")


def long_text(rng: np.random.Generator) -> str:
    """A file of two contigs with all the fields, some records on one position."""
    form, records = "GT:AD:DP:GQ", []
    for contig, count in (("chr1", 83), ("chr2", 19)):
        for position in np.sort(rng.integers(0, 400, count)):
            calls = [
                f"{rng.choice(['0/0', '0/1', '1/1', './.', '1'])}:9,{rng.integers(9)}:12:40"
                for _ in SAMPLES
            ]
            alt = rng.choice(["C", "G", "T", "AC", "C,T,G"])
            records.append((contig, position, "A", alt, "PASS", form, *calls))
    return text(records, headers=RICH_HEADERS)


TILES = [
    Region("chr1", 0, 100),
    Region("chr1", 101, 101),
    Region("chr1", 102, 350),
    Region("chr1", 351, 2**31 - 2),
    Region("chr2", 0, 2),
    Region("chr2", 3, 2**31 - 2),
    Region("chr9", 0, 2**31 - 2),
]


def store_content(path: Path) -> dict[str, object]:
    with Store(path, GENOTYPES, GENOTYPES_VERSION) as store:
        return {
            "attributes": store.attributes,
            **{name: store.read(name).tolist() for name in sorted(store.names())},
        }


@pytest.mark.parametrize(
    ("name", "chunk"), [("a.vcf", 7), ("a.plain.vcf.gz", 64), ("a.vcf.gz", 5), ("a.bcf", 102)]
)
def test_stores_made_in_one_pass_are_those_made_one_by_one(
    tmp_path: Path, name: str, chunk: int
) -> None:
    source = write_vcf(tmp_path / name, long_text(np.random.default_rng(4)))
    sheet = sheet_of(tmp_path / "sheet.tsv", SAMPLES[:2])
    together = [Target(region, tmp_path / f"t{i}.zip") for i, region in enumerate(TILES)]
    ingest(source, sheet, together, fields=FIELDS, chunk=chunk)
    rows = 0
    for number, target in enumerate(together):
        alone = Target(target.region, tmp_path / f"a{number}.zip")
        ingest(source, sheet, [alone], fields=FIELDS, chunk=chunk)
        ours, theirs = store_content(target.path), store_content(alone.path)
        assert ours.keys() == theirs.keys()
        rows += len(ours["variant_position"])
        for key, value in ours.items():
            assert value == theirs[key] or key in ("variant_quality", "contig_id", "contig_length")
    assert rows == 102
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_store_has_the_same_bytes_every_time(tmp_path: Path) -> None:
    source = write_vcf(tmp_path / "a.vcf.gz", long_text(np.random.default_rng(5)))
    sheet = sheet_of(tmp_path / "sheet.tsv", SAMPLES)
    for number in range(6):
        ingest(source, sheet, [Target(None, tmp_path / f"{number}.zip")], fields=FIELDS, chunk=7)
    assert len({(tmp_path / f"{number}.zip").read_bytes() for number in range(6)}) == 1


def test_a_region_without_records_makes_a_store_without_rows(tmp_path: Path) -> None:
    source = write_vcf(tmp_path / "a.vcf", text())
    sheet = sheet_of(tmp_path / "sheet.tsv", SAMPLES)
    empty = Target(Region("chr1", 100, 200), tmp_path / "empty.zip")
    ingest(source, sheet, [empty])
    found = store_content(empty.path)
    assert found["variant_position"] == found["call_genotype"] == found["region_index"] == []
    assert found["sample_id"] == list(SAMPLES)
    with Store(empty.path, GENOTYPES, GENOTYPES_VERSION) as store:
        assert store.shape("call_genotype") == (0, 3, 2)


@pytest.mark.parametrize("name", ["crlf", "cut", "both"])
def test_crlf_and_a_missing_last_newline_give_the_same_store(tmp_path: Path, name: str) -> None:
    plain = text()
    changed = plain.removesuffix("\n") if name in ("cut", "both") else plain
    changed = changed.replace("\n", "\r\n") if name in ("crlf", "both") else changed
    sheet = sheet_of(tmp_path / "sheet.tsv", SAMPLES)
    contents = []
    for number, written in enumerate((plain, changed)):
        source = tmp_path / f"{number}.vcf"
        source.write_bytes(written.encode())
        ingest(source, sheet, [Target(None, tmp_path / f"{number}.zip")], chunk=2)
        contents.append(store_content(tmp_path / f"{number}.zip"))
        contents[-1].pop("variant_quality")
    assert contents[0] == contents[1]


@pytest.mark.parametrize("name", ["a.vcf", "a.plain.vcf.gz", "a.vcf.gz"])
def test_position_zero_is_in_the_first_region_of_its_contig(tmp_path: Path, name: str) -> None:
    sheet = sheet_of(tmp_path / "sheet.tsv", SAMPLES)
    source = write_vcf(tmp_path / name, text())
    target = Target(Region("chr1", 0, 10), tmp_path / "a.zip")
    ingest(source, sheet, [target])
    assert store_content(target.path)["variant_position"] == [0, 10, 10]


def test_a_record_that_htslib_cannot_find_by_region_is_missed_by_its_count(tmp_path: Path) -> None:
    """BCF at POS 0 is in no region that htslib searches, but the index counts it: a loud loss."""
    source = write_vcf(tmp_path / "a.bcf", text())
    store = tmp_path / "chr1.00000.vcz.zip"
    ingest(
        source, sheet_of(tmp_path / "sheet.tsv", SAMPLES), [Target(Region("chr1", 0, 10), store)]
    )
    counted = IndexedSites(source, sniff(source)).records["chr1"]
    fasta = write_fasta(tmp_path / "ref.fa", {"chr1": "A" * 50})
    with pytest.raises(BadInputError, match=f"{counted} records"):
        harmonize(
            [store],
            ReferencePaths.find(fasta),
            tmp_path / "alleles.zarr.zip",
            tmp_path / "summary.json",
            HarmonizeOptions("C", max_ref_mismatch=1, contig_records={"chr1": counted or 0}),
        )
    assert not (tmp_path / "alleles.zarr.zip").exists()


def test_a_contig_of_which_nothing_was_read_is_missed_by_its_count(tmp_path: Path) -> None:
    source = write_vcf(tmp_path / "a.vcf", text())
    store = tmp_path / "chr1.00000.vcz.zip"
    ingest(
        source, sheet_of(tmp_path / "sheet.tsv", SAMPLES), [Target(Region("chr9", 0, 10), store)]
    )
    fasta = write_fasta(tmp_path / "ref.fa", {"chr9": "A" * 50})
    with pytest.raises(BadInputError, match=r"chr9(.|\n)*0 records"):
        harmonize(
            [store],
            ReferencePaths.find(fasta),
            tmp_path / "alleles.zarr.zip",
            tmp_path / "summary.json",
            HarmonizeOptions("C", contig_records={"chr9": 7}),
        )


def test_many_alleles_make_a_store_of_wide_genotypes(tmp_path: Path) -> None:
    alts = ",".join("A" * n for n in range(2, 302))
    records = [
        ("chr1", 1, "A", "C", "0/0", "0/1", "1"),
        ("chr1", 9, "A", alts, "0/300", "200", "."),
    ]
    source = write_vcf(tmp_path / "a.vcf", text(records))
    sheet = sheet_of(tmp_path / "sheet.tsv", SAMPLES)
    ingest(source, sheet, [Target(None, tmp_path / "a.zip")], chunk=1)
    with Store(tmp_path / "a.zip", GENOTYPES, GENOTYPES_VERSION) as store:
        genotype = store.read("call_genotype")
        assert genotype.dtype == np.int16
        expected = [[[0, 0], [0, 1], [1, -2]], [[0, 300], [200, -2], [-1, -2]]]
        assert genotype.tolist() == expected
        assert store.read("variant_allele")[1].tolist() == ["A", *alts.split(",")]
        assert store.read("variant_allele")[0].tolist() == ["A", "C", *[""] * 299]


def test_a_file_without_genotypes_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.vcf"
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1"
    source.write_text(f"##fileformat=VCFv4.2\n##contig=<ID=chr1>\n{columns}\n")
    sheet = sheet_of(tmp_path / "sheet.tsv", ["s1"])
    with pytest.raises(BadInputError, match="no genotypes"):
        ingest(source, sheet, [Target(None, tmp_path / "a.zip")])


def test_after_an_error_there_is_no_store_and_nothing_else(tmp_path: Path) -> None:
    bad = [("chr1", 1, "A", "C", *["0/0"] * 3), ("chr2", 5, "A", "C", "0/0", "0/0", "0/7")]
    source = write_vcf(tmp_path / "a.vcf", text(bad))
    sheet = sheet_of(tmp_path / "sheet.tsv", SAMPLES)
    out = tmp_path / "out"
    targets = [Target(Region(c, 0, 2**31 - 2), out / f"{c}.zip") for c in ("chr1", "chr2")]
    with pytest.raises(BadInputError, match="chr2:5"):
        ingest(source, sheet, targets)
    assert list(out.rglob("*")) == []
