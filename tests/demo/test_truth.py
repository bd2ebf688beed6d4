"""The demonstration's figures against the simulated truth, and against counts of the files."""

import csv
import gzip
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pysam
import pysam.bcftools
import pytest

PAR1_END = 2_781_479
COUNTRIES = {"ID": "id.vcf.gz", "JP": "jp.bcf", "TH": "th.vcf.gz", "VN": "vn.vcf"}
NOT_CALLABLE, ABSENT, OBSERVED = 0, 1, 2


@pytest.fixture(scope="session")
def truth(root):
    """The true counts: variant to group to (AC, AN)."""
    with gzip.open(root / "demo/data/truth.tsv.gz", "rt") as source:
        rows = list(csv.DictReader(source, delimiter="\t"))
    groups = [key.removeprefix("ac_") for key in rows[0] if key.startswith("ac_")]
    return {
        (row["contig"], int(row["pos"]), row["ref"], row["alt"]): {
            group: (int(row[f"ac_{group}"]), int(row[f"an_{group}"])) for group in groups
        }
        for row in rows
    }


def count_file(root, tmp, country: str) -> SimpleNamespace:
    """Count a country's file after ``bcftools norm -m -``: variant to group to figures."""
    path = root / "demo/data" / COUNTRIES[country]
    names = tmp / f"{country}.names"
    names.write_text("21 chr21\nX chrX\n")
    renamed = tmp / f"{country}.vcf"
    pysam.bcftools.annotate(
        "--rename-chrs", str(names), "-o", str(renamed), str(path), catch_stdout=False
    )
    with (root / "demo/data" / f"{country.lower()}.samples.tsv").open() as source:
        sheet = {row["sample"]: row for row in csv.DictReader(source, delimiter="\t")}
    people = {s: row for s, row in sheet.items() if row.get("include", "yes") != "no"}
    fasta = str(root / "demo/data/reference.fa.gz")
    text = pysam.bcftools.norm("-m", "-", "-f", fasta, str(renamed))
    counts, refused = {}, []
    columns = []
    for line in text.splitlines():
        if line.startswith("#CHROM"):
            samples = line.split("\t")[9:]
            columns = [(9 + at, people[s]) for at, s in enumerate(samples) if s in people]
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        contig, position, ref, alt = fields[0], int(fields[1]), fields[3].upper(), fields[4].upper()
        if not set(alt) <= set("ACGT") or fields[6] not in ("PASS", "."):
            continue
        variant = (contig, position, ref, alt)
        assert variant not in counts
        counts[variant] = count_calls(country, fields, columns)
    assert len(columns) == len(people)
    with pysam.VariantFile(str(renamed)) as source:
        for record in source:
            filtered = set(record.filter) - {"PASS"}
            if filtered or any(set(alt.upper()) == {"N"} for alt in record.alts):
                refused.append((record.chrom, record.start, record.start + len(record.ref)))
    bed = root / "demo/data" / f"{country.lower()}.callable.bed"
    lines = bed.read_text().splitlines() if bed.exists() else []
    spans = [line.split("\t") for line in lines]
    prefix = "" if country == "JP" else "chr"
    callable_spans = [(prefix + c, int(s), int(e)) for c, s, e in spans]
    return SimpleNamespace(counts=counts, refused=refused, callable_spans=callable_spans)


def count_calls(country: str, fields: list[str], columns: list) -> dict[str, Counter]:
    """Count the calls of a record of one ALT, a person at a time."""
    outside_par = fields[0] == "chrX" and int(fields[1]) > PAR1_END
    sums: dict[str, Counter] = {}
    for at, person in columns:
        call = fields[at].split(":", 1)[0].replace("|", "/").split("/")
        alleles = [int(allele) for allele in call if allele != "."]
        haploid = len(call) == 1
        if outside_par and person["sex"] == "unknown":
            alleles = []
        elif outside_par and person["sex"] == "XY":
            haploid = True
            alleles = alleles[:1] if len(set(alleles)) == 1 else []
        figures = {
            "AC": sum(alleles),
            "AN": len(alleles),
            "homozygotes": int(not haploid and alleles == [1, 1]),
            "hemizygotes": int(haploid and alleles == [1]),
        }
        for group in (country, f"{country}_{person['population']}"):
            sums.setdefault(group, Counter()).update(figures)
    return sums


@pytest.fixture(scope="session")
def counted(root, tmp_path_factory):
    """Independent counts of every country's file."""
    tmp = tmp_path_factory.mktemp("counted")
    return {country: count_file(root, tmp, country) for country in COUNTRIES}


def column(panel, group: str) -> int:
    return panel.groups.index(group)


def test_the_panel_has_the_variants_of_the_files_after_bcftools_norm_and_no_other(
    open_panel, counted
):
    assert set(open_panel.variants) == {v for each in counted.values() for v in each.counts}


def test_every_variant_of_the_panel_is_a_true_one(open_panel, truth):
    assert set(open_panel.variants) <= set(truth)


@pytest.mark.parametrize("country", COUNTRIES)
def test_counts_of_observed_variants_are_those_of_an_independent_count(
    open_panel, counted, country
):
    counts = counted[country].counts
    groups = [g for g in open_panel.groups if g == country or g.startswith(f"{country}_")]
    for group in groups:
        g = column(open_panel, group)
        for variant, row in open_panel.row.items():
            if variant in counts:
                expected = counts[variant][group]
                found = {
                    "AC": open_panel.allele_count[row, g],
                    "AN": open_panel.allele_number[row, g],
                    "homozygotes": open_panel.homozygote_count[row, g],
                    "hemizygotes": open_panel.hemizygote_count[row, g],
                }
                assert found == dict(expected), (group, variant)


def called_beside(counts: dict, country: str) -> dict[tuple, dict]:
    """The counts of the variant with most calls of each site: of one REF, or any indel of a position."""
    found: dict[tuple, dict] = {}
    for variant, figures in sorted(counts.items(), key=lambda each: -each[1][country]["AN"]):
        found.setdefault(site_of(variant), figures)
    return found


def site_of(variant: tuple) -> tuple:
    contig, position, ref, alt = variant
    return contig, position, "" if len(ref) != len(alt) else ref


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_country_is_callable_exactly_where_its_record_or_its_bed_says_so(
    open_panel, counted, country
):
    own = counted[country]
    g = column(open_panel, country)
    found = {v: int(open_panel.state[row, g]) for v, row in open_panel.row.items()}
    expected = {}
    sites = called_beside(own.counts, country)
    for variant in open_panel.variants:
        contig, position, ref, _ = variant
        start, end = position - 1, position - 1 + len(ref)
        beside = sites.get(site_of(variant), {country: {"AN": 0}})[country]["AN"] > 0
        covered = any(c == contig and s <= start and end <= e for c, s, e in own.callable_spans)
        refused = any(c == contig and s < end and start < e for c, s, e in own.refused)
        expected[variant] = (
            OBSERVED
            if variant in own.counts
            else ABSENT
            if (covered or beside) and not refused
            else NOT_CALLABLE
        )
    different = {v: (found[v], expected[v]) for v in found if found[v] != expected[v]}
    assert different == {}


def test_japan_which_writes_every_call_is_exact_wherever_it_states_anything(open_panel, truth):
    compared = Counter()
    for group in ("JP", "JP_JPT"):
        g = column(open_panel, group)
        for variant, row in open_panel.row.items():
            state = int(open_panel.state[row, g])
            if state != NOT_CALLABLE:
                compared[state] += 1
                figures = (open_panel.allele_count[row, g], open_panel.allele_number[row, g])
                assert figures == truth[variant]["JP"], variant
    assert min(compared[OBSERVED], compared[ABSENT]) > 500


@pytest.mark.parametrize("country", ["ID", "JP", "VN"])
def test_silence_where_a_country_could_call_is_the_truth(open_panel, truth, counted, country):
    """Where it has a record of the site, of those that this record has calls of."""
    sites = called_beside(counted[country].counts, country)
    groups = [g for g in truth[open_panel.variants[0]] if g.split("_")[0] == country]
    for group in groups:
        g = column(open_panel, group)
        rows = np.flatnonzero(open_panel.state[:, g] == ABSENT)
        assert len(rows) > 300
        for row in rows.tolist():
            figures = (open_panel.allele_count[row, g], open_panel.allele_number[row, g])
            variant = open_panel.variants[row]
            beside = sites.get(site_of(variant))
            expected = truth[variant][group] if beside is None else (0, beside[group]["AN"])
            assert figures == expected
            assert truth[variant][group][0] == 0


@pytest.mark.parametrize("country", ["ID", "TH", "VN"])
def test_missing_calls_never_add_alleles_that_are_not_there(open_panel, truth, country):
    g = column(open_panel, country)
    for variant, row in open_panel.row.items():
        if open_panel.state[row, g] == OBSERVED:
            ac, an = truth[variant][country]
            assert open_panel.allele_count[row, g] <= ac
            assert open_panel.allele_number[row, g] <= an


def test_a_country_that_could_not_call_adds_nothing(open_panel):
    unknown = open_panel.state == NOT_CALLABLE
    assert unknown.any()
    assert (open_panel.allele_number[unknown] == 0).all()
    assert (open_panel.allele_count[unknown] == -1).all()


def test_the_total_is_the_sum_of_the_countries(open_panel):
    countries = [column(open_panel, country) for country in COUNTRIES]
    for values in (open_panel.allele_count, open_panel.allele_number, open_panel.homozygote_count,
                   open_panel.hemizygote_count):  # fmt: skip
        assert (np.maximum(values[:, countries], 0).sum(axis=1) == values[:, 0]).all()


def test_people_of_unknown_sex_are_counted_in_par1_and_not_beyond(open_panel):
    """Thailand has three of them; without them and with all its calls, AN would be all the rest."""
    inside = [r for v, r in open_panel.row.items() if v[0] == "chrX" and v[1] <= PAR1_END]
    beyond = [r for v, r in open_panel.row.items() if v[0] == "chrX" and v[1] > PAR1_END]
    th = column(open_panel, "TH")
    sexes = [column(open_panel, sex) for sex in ("XX", "XY")]
    rest = open_panel.allele_number[:, 0] - open_panel.allele_number[:, sexes].sum(axis=1)
    seen = open_panel.state[:, th] == OBSERVED
    assert all(0 < rest[r] <= 6 for r in inside if seen[r])
    assert all(rest[r] == 0 for r in beyond)


def test_the_genotype_filter_takes_calls_away_and_leaves_japan_as_it_is(open_panel, unmasked):
    """Japan and Viet Nam have GT alone, to which no threshold applies."""
    common = [(row, unmasked.row[v]) for v, row in open_panel.row.items() if v in unmasked.row]
    before, after = (list(rows) for rows in zip(*common, strict=True))
    for country in ("JP", "VN"):
        g = column(open_panel, country)
        assert (open_panel.allele_number[before, g] == unmasked.allele_number[after, g]).all()
        assert (open_panel.allele_count[before, g] == unmasked.allele_count[after, g]).all()
    for country in ("ID", "TH"):
        g = column(open_panel, country)
        assert (open_panel.allele_number[before, g] >= unmasked.allele_number[after, g]).all()
        assert (open_panel.allele_number[before, g] > unmasked.allele_number[after, g]).any()
