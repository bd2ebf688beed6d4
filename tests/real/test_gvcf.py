"""Fifty people's gVCFs, of GATK, on GRCh38, chromosome 22."""

import random
import re

import cyvcf2
import numpy as np
import pysam
import pytest
from tests.builders import vcf_text, write_fasta, write_sheet, write_vcf
from tests.gvcfs import Cohort, Counted, ingest, read_calls, run_stages
from tests.plain_gvcf import holder, read_gvcf, tracks, unite

from afpanel.constants import State
from afpanel.core.counting import GenotypeFilter
from afpanel.io.panel_store import read_head, read_panel_blocks
from afpanel.io.reference import ReferencePaths
from afpanel.model.region import Region
from afpanel.stages.count import CountOptions, count
from afpanel.stages.harmonize import HarmonizeOptions, harmonize
from afpanel.stages.ingest import Target
from afpanel.stages.ingest import ingest as ingest_vcf
from afpanel.stages.merge import MergeOptions, merge

CONTIG = "chr22"
WHOLE = Region(CONTIG, 0, 12_700_000)
DENSE = (10_670_001, 10_760_000)
FILTERS = {
    "no filter": GenotypeFilter(),
    "default": GenotypeFilter(20, 10, 5, 0.2),
    "low": GenotypeFilter(3, 2, 1, 0.3),
    "half calls missing": GenotypeFilter(0, 1, 1, 0, half_calls_missing=True),
}


@pytest.fixture(scope="module")
def cohort(once, test_data):
    """The files with indexes, in turn of either kind; and a reference made of their REF, N elsewhere."""

    def fill(folder):
        files, rows = [], []
        bases = np.full(WHOLE.end, ord("N"), np.uint8)
        for number, source in enumerate(sorted((test_data / "gvcf").glob("*.g.vcf.gz"))):
            path = folder / source.name
            path.write_bytes(source.read_bytes())
            pysam.tabix_index(str(path), preset="vcf", csi=number % 2 == 1)
            files.append(path)
            name = source.name.split(".")[0]
            rows.append((name, "ABC"[number % 3], ("XX", "XY")[number % 2]))
            for record in read_gvcf(path, "", CONTIG).records:
                there = bases[record.start : record.start + len(record.ref)]
                ref = np.frombuffer(record.ref.encode(), np.uint8)
                assert ((there == ref) | (there == ord("N"))).all()
                there[:] = ref
        write_fasta(folder / "reference.fa", {CONTIG: bases.tobytes().decode()})
        rows[7] = (*rows[7], "no")
        sheet = [row if len(row) == 4 else (*row, "yes") for row in rows]
        write_sheet(folder / "sheet.tsv", sheet, include=True)
        (folder / "list.txt").write_text("".join(f"{path}\n" for path in files))

    folder = once("gvcf-source", fill)
    return Cohort(folder / "list.txt", folder / "sheet.tsv", folder / "reference.fa")


@pytest.fixture(scope="module")
def people(cohort):
    """Everybody as a plain reading has them, with their cell; None for who is not included."""
    rows = [line.split("\t") for line in cohort.sheet.read_text().splitlines()[1:]]
    paths = cohort.listed.read_text().splitlines()
    found = []
    for (name, population, sex, include), path in zip(rows, paths, strict=True):
        person = read_gvcf(path, sex, CONTIG)
        assert person.name == name
        found.append((person, (population, sex) if include == "yes" else None))
    return found


@pytest.fixture(scope="module")
def store(cohort, once):
    folder = once("gvcf-whole", lambda folder: ingest(cohort, [WHOLE], folder))
    return sorted(folder.glob("*.vcz.zip"))


@pytest.fixture(scope="module")
def counted(cohort, store, tmp_path_factory) -> dict[str, Counted]:
    found = run_stages(cohort, store, tmp_path_factory.mktemp("counts"), list(FILTERS.values()))
    return dict(zip(FILTERS, found, strict=True))


@pytest.fixture(scope="module")
def bases(people):
    """Two thousand bases: half anywhere, half where somebody's records begin or end."""
    draw = random.Random(22)
    edges = sorted(
        {edge for p, _ in people for r in p.records for edge in (r.start, r.end - 1, r.end)}
    )
    anywhere = [draw.randrange(10_500_000, 12_620_000) for _ in range(1000)]
    return sorted({*anywhere, *draw.sample(edges, 1000)})


@pytest.mark.parametrize("name", FILTERS)
def test_the_track_is_what_a_plain_count_finds_at_two_thousand_bases(name, counted, people, bases):
    found = counted[name].at(bases)
    for column, (population, sex, _) in enumerate(counted[name].cells):
        members = [person for person, cell in people if cell == (population, sex)]
        assert found[:, column].tolist() == tracks(members, CONTIG, "GRCh38", bases, FILTERS[name])
    assert found.sum() > (0 if name == "default" else 5_000)


def test_every_call_is_what_a_plain_reading_makes_of_the_lines(store, people):
    called = read_calls(store)
    sites = unite([person for person, _ in people])
    assert called.position == [site.position for site in sites]
    assert called.alleles == [site.alleles for site in sites]
    assert called.samples == [person.name for person, _ in people]
    expected = np.array([[g for g, *_ in site.calls] for site in sites])
    np.testing.assert_array_equal(called.genotype, expected)
    for number, values in enumerate((called.gq, called.dp, called.het_alt_ad), 1):
        np.testing.assert_array_equal(values, [[c[number] for c in site.calls] for site in sites])


def test_calls_of_own_records_are_those_that_cyvcf2_reads(cohort, store):
    called = read_calls(store)
    keys = zip(called.position, (names[0] for names in called.alleles), strict=True)
    at = {key: row for row, key in enumerate(keys)}
    compared = 0
    for column, path in enumerate(cohort.listed.read_text().splitlines()):
        for record in cyvcf2.VCF(path):
            real = [alt for alt in record.ALT if alt not in ("<NON_REF>", "*")]
            if not real:
                continue
            row = at[record.POS, record.REF]
            names = [record.REF, *record.ALT]
            mine = [called.alleles[row][a] if a >= 0 else "." for a in called.genotype[row, column]]
            theirs = [names[a] if a >= 0 else "." for a in record.genotypes[0][:2]]
            assert mine == ["<NON_REF>" if name == "*" else name for name in theirs]
            assert called.gq[row, column] == max(record.gt_quals[0], -1)
            depth = record.format("DP")
            assert called.dp[row, column] == (-1 if depth is None else depth[0, 0])
            compared += 1
    assert compared > 1000


@pytest.mark.parametrize("name", FILTERS)
def test_an_of_every_snv_is_that_of_the_track(name, counted):
    found = counted[name]
    snvs = [row for row, (_, ref, _) in enumerate(found.variants) if len(ref) == 1]
    assert len(snvs) > 400
    expected = found.at([found.variants[row][0] - 1 for row in snvs])
    np.testing.assert_array_equal(found.tables["allele_number"][snvs], expected)


@pytest.mark.parametrize(
    "sizes", [(45_000, 11_000), pytest.param((10_000, 3_000), marks=pytest.mark.long)]
)
def test_counts_and_track_do_not_depend_on_partitions_chunks_and_windows(cohort, tmp_path, sizes):
    low, high = DENSE
    results = []
    some, many = sizes
    for number, (size, options) in enumerate(
        ((high, {}), (some, {"chunk": 7}), (many, {"window": 1024}))
    ):
        starts = range(low, high + 1, size)
        regions = [Region(CONTIG, start, min(high, start + size - 1)) for start in starts]
        folder = tmp_path / str(number)
        stores = ingest(cohort, regions, folder, **options)
        results += run_stages(cohort, stores, folder, [FILTERS["low"]])
    first, *others = results
    assert len(first.variants) > 100
    assert len(first.start) > 1000
    for other in others:
        assert other.variants == first.variants
        for name, table in first.tables.items():
            assert other.tables[name].tobytes() == table.tobytes()
        for name in ("start", "end", "allele_number"):
            assert getattr(other, name).tobytes() == getattr(first, name).tobytes()


def test_the_files_are_of_the_kind_that_this_tests(people):
    """Blocks, deletions over others' sites, a spanning allele, gaps and calls that are missing."""
    records = [record for person, _ in people for record in person.records]
    assert any("*" in record.alts for record in records)
    assert any(record.end - record.start > 50_000 for record in records)
    assert any(record.genotype == (-1, -1) for record in records)
    sites = unite([person for person, _ in people[:20]])
    assert any("<NON_REF>" in site.alleles for site in sites)
    assert any(holder(person, 11_000_000) is None for person, _ in people)
    assert re.fullmatch(r"[ACGT]+", sites[0].alleles[0])


# What a panel says of the fifty at variants that are another cohort's alone.


@pytest.fixture(scope="module")
def merged(cohort, store, bases, tmp_path_factory):
    """Position, REF, AN by group, of a panel of the fifty and of one person with an SNV at each base."""
    folder = tmp_path_factory.mktemp("merged")
    (letters,) = (
        "".join(line for line in cohort.fasta.read_text().splitlines() if line[0] != ">"),
    )
    fasta = write_fasta(folder / "ref.fa", {CONTIG: letters.replace("N", "A")})
    records = [(CONTIG, base + 1, letters[base].replace("N", "A")) for base in bases]
    text = vcf_text(
        ["Q"], [(*r, "C" if r[2] != "C" else "G", "0/1") for r in records], contigs=[CONTIG]
    )
    vcf = write_vcf(folder / "other.vcf.gz", text)
    sheet = write_sheet(folder / "other.tsv", [("Q", "Q", "XX")])
    low = FILTERS["low"]
    paths = ReferencePaths.find(fasta)
    other = [Target(None, folder / "other.vcz.zip")]
    ingest_vcf(vcf, sheet, other)
    counts = []
    for name, stores, people in (("Fifty", store, cohort.sheet), ("Other", [other[0].path], sheet)):
        alleles = folder / f"{name}.alleles.zip"
        options = HarmonizeOptions(name, filters=(), max_ref_mismatch=0, resolve=())
        harmonize(stores, paths, alleles, folder / f"{name}.json", options)
        for number, part in enumerate(stores):
            counts.append(folder / f"{name}.{number}.zip")
            how = CountOptions(name, "ZF" if name == "Fifty" else "ZO", "GRCh38", low)
            count(part, alleles, people, counts[-1], how)
    merge(counts, paths, folder / "panel.zip", MergeOptions(CONTIG, "GRCh38", {}))
    (block,) = read_panel_blocks(folder / "panel.zip")
    return block, read_head(folder / "panel.zip").groups


def test_where_they_have_no_record_the_fifty_add_what_a_plain_count_finds(merged, people, bases):
    """At 2,000 bases, with low thresholds, so that many calls pass."""
    (variants, counts), groups = merged
    own = {site.position: site for site in unite([person for person, _ in people])}
    spans = [(s.position - 1, s.position - 1 + len(s.alleles[0])) for s in own.values()]
    row = {int(position) - 1: i for i, position in enumerate(variants.position)}
    silent = [base for base in bases if not any(start <= base < end for start, end in spans)]
    assert len(silent) > 1_500
    rows = [row[base] for base in silent]
    for population in "ABC":
        g = groups.index(f"ZF_{population}")
        members = [p for p, cell in people if cell is not None and cell[0] == population]
        expected = np.array(tracks(members, CONTIG, "GRCh38", silent, FILTERS["low"]))
        np.testing.assert_array_equal(counts.allele_number[rows, g], expected)
        state = np.where(expected > 0, State.ABSENT_CALLABLE, State.NOT_CALLABLE)
        np.testing.assert_array_equal(counts.state[rows, g], state)
        assert (expected > 0).sum() > 300
