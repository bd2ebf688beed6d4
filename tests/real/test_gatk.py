"""A messy file: GATK's joint call of 177 people on GRCh37, chromosome 22.

It has unphased and missing calls, records of many ALT alleles, `*` among them, and indels in
homopolymers. Its samples are called like `SRP150637__HG02024.hs37d5`.
"""

import json
from collections import Counter

import numpy as np
import pysam
import pysam.bcftools
import pytest
import yaml

END = 22_000_000
"""Where the reference ends; later records cannot be used."""

COLUMNS = ["cohort", "country", "kind", "path", "build", "samples", "callable", "metadata"]

OFF = {"min_gq": 0, "min_dp": 0, "min_dp_haploid": 0, "min_ab": 0}


@pytest.fixture(scope="module")
def source(once, test_data):
    """The records that the reference covers, as BGZF with an index."""

    def fill(folder):
        path = folder / "gatk.vcf.gz"
        whole = test_data / "grch37/1000g.asia.gatk.chr22.vcf.gz"
        pysam.bcftools.view(
            "--no-version", "-i", f"POS<={END}", "-Oz", "-o", str(path), str(whole),
            catch_stdout=False,
        )  # fmt: skip
        pysam.tabix_index(str(path), preset="vcf")

    return once("gatk-source", fill) / "gatk.vcf.gz"


@pytest.fixture(scope="module")
def spoiled(once, source):
    """The same with GQ, DP, AD or the last AD of some calls removed, by a rule that hits all kinds."""

    def fill(folder):
        blank = {0: ("GQ", "."), 1: ("DP", "."), 2: ("AD", "."), 3: ("AD", None)}
        with (
            pysam.BGZFile(str(source)) as lines,
            pysam.BGZFile(str(folder / "gatk.vcf.gz"), "wb") as out,
        ):
            for number, line in enumerate(lines):
                text = line.decode()
                if not text.startswith("#"):
                    fields = text.split("\t")
                    keys = fields[8].split(":")
                    for column in range(9, len(fields)):
                        field, value = blank.get((7 * number + column) % 29, (None, None))
                        values = fields[column].split(":")
                        if field is None or keys.index(field) >= len(values):
                            continue
                        at = keys.index(field)
                        values[at] = value or values[at].rpartition(",")[0] + ",."
                        fields[column] = ":".join(values)
                    text = "\t".join(fields)
                out.write(text.encode() + b"\n")
        pysam.tabix_index(str(folder / "gatk.vcf.gz"), preset="vcf")

    return once("gatk-spoiled", fill) / "gatk.vcf.gz"


def samples_of(path):
    with pysam.VariantFile(str(path)) as vcf:
        return list(vcf.header.samples)


@pytest.fixture(scope="module")
def make_panel(build, test_data, countries, people_of_1000g, panel_of, groups_of):
    """Build a panel of some countries of a file: make_panel(folder, vcf, countries, genotypes)."""

    def sheets_in(folder, wanted):
        return {country: folder / f"{country}.tsv" for country in wanted}

    def fill(folder, vcf, wanted, genotypes, size):
        (folder / "gatk.vcf.gz").symlink_to(vcf)
        (folder / "gatk.vcf.gz.tbi").symlink_to(f"{vcf}.tbi")
        rows = {country: ["sample\tpopulation\tsex"] for country in wanted}
        for sample in samples_of(vcf):
            name = sample.removeprefix("SRP150637__").removesuffix(".hs37d5")
            population, sex = people_of_1000g.get(name, (None, None))
            for country in wanted:
                if population in countries[country]:
                    rows[country].append(f"{sample}\t{population}\t{sex}")
        lines = ["\t".join(COLUMNS)]
        for country, sheet in sheets_in(folder, wanted).items():
            sheet.write_text("\n".join(rows[country]) + "\n")
            row = [f"GATK-{country}", country, "vcf", "gatk.vcf.gz", "GRCh37", sheet.name, "", ""]
            lines.append("\t".join(row))
        (folder / "cohorts.tsv").write_text("\n".join(lines) + "\n")
        (folder / "policy.yaml").write_text("min_group_size: 0\nmin_allele_count: 0\n")
        config = {
            "panel": {"name": "gatk", "version": "1"},
            "reference": {"build": "GRCh37", "fasta": str(test_data / "grch37/chr22.fa.gz")},
            "cohorts": "cohorts.tsv",
            "partitions": {"size": size},
            "genotypes": genotypes,
            "disclosure": {"policy": "policy.yaml"},
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        build(folder, "--cores", "2", "--configfile", "config.yaml")

    def make(folder, vcf, wanted, genotypes, size=300_000_000, *, made=False):
        if not made:
            fill(folder, vcf, wanted, genotypes, size)
        groups = groups_of(sheets_in(folder, wanted))
        return panel_of(folder, folder / "results", folder / "results/release/gatk-1", groups)

    return make


@pytest.fixture(scope="module")
def unfiltered(once, source, countries, make_panel):
    """All seven countries, every call counted."""
    folder = once("gatk-off", lambda folder: make_panel(folder, source, sorted(countries), OFF))
    return make_panel(folder, source, sorted(countries), OFF, made=True)


@pytest.fixture(scope="module")
def normal(once, source, oracle, test_data):
    """The source, split and left-aligned by bcftools."""
    fasta = test_data / "grch37/chr22.fa.gz"
    folder = once(
        "gatk-normal", lambda folder: oracle.normalize(source, fasta, folder / "normal.bcf")
    )
    return folder / "normal.bcf"


def test_the_file_is_as_messy_as_it_is_said_to_be(source):
    """So that the tests below cannot pass for want of hard cases."""
    found = Counter()
    with pysam.VariantFile(str(source)) as vcf:
        for record in vcf:
            calls = [call["GT"] for call in record.samples.values()]
            found["record"] += 1
            found["star"] += "*" in record.alts
            found["multiallelic"] += len(record.alts) > 1
            found["unfiltered"] += not list(record.filter)
            found["missing"] += any(None in call for call in calls)
            star = record.alleles.index("*") if "*" in record.alts else None
            found["star call"] += sum(star in call for call in calls if star)
            found["1/2"] += sum(0 < min(call) < max(call) for call in calls if None not in call)
    assert found.pop("star call") > 1_000
    assert found.pop("1/2") > 100
    assert found == {
        "record": 948, "star": 66, "multiallelic": 90, "unfiltered": 948, "missing": 464
    }  # fmt: skip


@pytest.mark.parametrize("country", ["total", "BD", "CN", "IN", "JP", "LK", "PK", "VN", "XX", "XY"])
def test_without_a_genotype_filter_figures_are_what_bcftools_counts(
    country, unfiltered, normal, read_figures, oracle, tmp_path
):
    """Oracle: bcftools norm, and view on the country's samples. `*` has no row, but counts in AN."""
    figures = read_figures(unfiltered, "vcf")
    assert figures.groups == list(unfiltered.groups)
    for group in figures.groups:
        if group.split("_")[0] != country:
            continue
        samples = unfiltered.groups[group]
        counted = oracle.counts(normal, samples, tmp_path)
        stars = {key: value for key, value in counted.items() if key[3] == "*"}
        wanted = {key: value for key, value in counted.items() if key[3] != "*"}
        assert len(stars) == 66
        assert sum(ac for ac, _, _ in stars.values()) > 0
        assert min(an for _, an, _ in wanted.values()) < 2 * len(samples)
        assert oracle.differences(wanted, figures.table(group)) == []


def test_a_star_is_a_called_allele(unfiltered, source, read_figures):
    """Oracle: plain counting. At records of two ALTs, one of them `*`, AC + AC of REF < AN."""
    figures = read_figures(unfiltered, "parquet").table("total")
    checked = 0
    with pysam.VariantFile(str(source)) as vcf:
        vcf.subset_samples(unfiltered.groups["total"])
        for record in vcf:
            if len(record.alts) != 2 or record.alts[1] != "*" or len(record.ref) > 1:
                continue
            alleles = Counter(allele for call in record.samples.values() for allele in call["GT"])
            key = (record.contig, record.pos, record.ref, record.alts[0])
            ac, an, _ = figures[key]
            assert ac == alleles[1]
            assert an == alleles[0] + alleles[1] + alleles[2]
            checked += alleles[2] > 0
    assert checked > 10


def test_harmonization_accounts_for_every_source_allele(unfiltered, source, normal, read_figures):
    """Oracle: what bcftools norm changed, besides the splitting, and how."""
    with pysam.VariantFile(str(source)) as vcf:
        split = [(r.pos, r.ref, alt) for r in vcf for alt in r.alts]
    with pysam.VariantFile(str(normal)) as vcf:
        normalized = {(r.pos, r.ref, r.alts[0]) for r in vcf}
    changed = len(normalized - set(split))
    assert len(split) == len(normalized)
    assert changed > 30
    totals: dict[str, Counter] = {}
    text = (unfiltered.release / "harmonization.tsv").read_text()
    for row in text.splitlines()[1:]:
        cohort, outcome, kept, number = row.split("\t")[:4]
        label = {"as_is": "as_is", "star": "star"}.get(outcome, "changed")
        assert (label == "star") == (kept == "no")
        totals.setdefault(cohort, Counter())[label] += int(number)
    for tally in totals.values():
        assert tally == {"star": 66, "changed": changed, "as_is": len(split) - 66 - changed}
    assert len(totals) == 7
    assert len(read_figures(unfiltered, "vcf").keys) == len(split) - 66


@pytest.mark.parametrize("name", ["parquet", "zarr"])
def test_formats_hold_the_same_figures(name, unfiltered, read_figures):
    vcf, other = (read_figures(unfiltered, each) for each in ("vcf", name))
    assert (other.keys, other.filters) == (vcf.keys, vcf.filters)
    for figure, values in vcf.values.items():
        mask = np.ma.getmaskarray(values)
        np.testing.assert_array_equal(np.ma.getmaskarray(other.values[figure]), mask)
        np.testing.assert_array_equal(other.values[figure].filled(0), values.filled(0))


def test_no_file_of_the_release_names_a_sample(unfiltered, source, leaks):
    everybody = samples_of(source)
    assert len(everybody) == 177
    files = [path for path in unfiltered.release.rglob("*") if path.is_file()]
    words = ("SRP150637", "hs37d5", str(unfiltered.folder))
    assert leaks(files, everybody, words) == []


# The genotype filter, with its defaults.

SOME = ("CN", "IN", "VN")


def canonical(position, ref, alt, sequence):
    """Trim and left-align in plain Python, as Tan et al. 2015 put it; positions are 1-based."""
    changed = True
    while changed:
        changed = False
        if ref[-1] == alt[-1] and (len(ref) > 1 or len(alt) > 1):
            ref, alt, changed = ref[:-1], alt[:-1], True
        if not ref or not alt:
            position -= 1
            base = sequence[position - 1]
            ref, alt, changed = base + ref, base + alt, True
    while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
        ref, alt, position = ref[1:], alt[1:], position + 1
    return position, ref, alt


def why_not(call, alleles):
    """Tell why a call does not count, by docs/definitions.md; None if it does."""
    quality, depth, reads = call.get("GQ"), call.get("DP"), call.get("AD") or (None,)
    if quality is None or quality < 20:
        return "no GQ" if quality is None else "GQ"
    if depth is None or depth < 10:
        return "no DP" if depth is None else "DP"
    if alleles[0] != alleles[1]:
        supports = [reads[a] if a < len(reads) else None for a in alleles if a > 0]
        if None in supports:
            return "no AD"
        if any(5 * support < depth for support in supports):  # AD / DP < 0.2, exactly
            return "AB"
    return None


@pytest.fixture(scope="module")
def filtered(once, spoiled, make_panel):
    """Three countries with the default filter, of the file in which some values are missing."""
    folder = once("gatk-filter", lambda folder: make_panel(folder, spoiled, SOME, {}))
    return make_panel(folder, spoiled, SOME, {}, made=True)


@pytest.fixture(scope="module")
def filtered_by_hand(filtered, spoiled, test_data):
    """Figures of every group by plain Python, and how many calls failed, by reason."""
    with pysam.FastaFile(str(test_data / "grch37/chr22.fa.gz")) as fasta:
        sequence = fasta.fetch("22").upper()
    groups_with = {
        sample: [group for group, samples in filtered.groups.items() if sample in samples]
        for sample in filtered.groups["total"]
    }
    tables = {group: {} for group in filtered.groups}
    reasons = Counter()
    with pysam.VariantFile(str(spoiled)) as vcf:
        vcf.subset_samples(list(groups_with))
        for record in vcf:
            copies, homozygotes = Counter(), Counter()
            for sample, call in record.samples.items():
                alleles = call["GT"]
                if None in alleles:
                    assert alleles == (None, None)  # there are no half calls in this file
                    continue
                reason = why_not(call, alleles)
                reasons[reason] += 1
                if reason is None:
                    het = alleles[0] != alleles[1]
                    balanced = [5 * call["AD"][a] == call["DP"] for a in alleles if a and het]
                    reasons["exactly on the AB threshold"] += any(balanced)
                    for group in groups_with[sample]:
                        copies.update((group, allele) for allele in alleles)
                        if not het:
                            homozygotes[group, alleles[0]] += 1
            for index, alt in enumerate(record.alts, 1):
                if alt == "*":
                    continue
                key = (record.contig, *canonical(record.pos, record.ref, alt, sequence))
                for group, table in tables.items():
                    an = sum(copies[group, a] for a in range(len(record.alleles)))
                    assert key not in table
                    table[key] = (copies[group, index], an, homozygotes[group, index])
    return tables, reasons


def test_calls_fail_the_filter_for_every_reason_there_is(filtered_by_hand):
    """So that the test below cannot pass for want of them; what is on the threshold passes."""
    reasons = filtered_by_hand[1]
    assert set(reasons) == {
        None, "GQ", "DP", "AB", "no GQ", "no DP", "no AD", "exactly on the AB threshold"
    }  # fmt: skip
    assert min(reasons.values()) >= 20
    assert reasons[None] > 10_000


def test_the_default_genotype_filter_counts_what_its_definition_says(
    filtered, filtered_by_hand, read_figures, oracle
):
    """Oracle: GQ >= 20, DP >= 10, AD / DP >= 0.2 of each ALT of a heterozygote, in plain Python.

    A file that has the field but not the value fails the call.
    """
    figures = read_figures(filtered, "vcf")
    assert figures.groups == list(filtered_by_hand[0])
    for group, wanted in filtered_by_hand[0].items():
        assert oracle.differences(wanted, figures.table(group)) == []
    none_left = {key for key, (_, an, _) in filtered_by_hand[0]["VN"].items() if an == 0}
    assert none_left
    frequencies = figures.table("VN", ["AF"])
    assert {key for key, (frequency,) in frequencies.items() if frequency is None} == none_left
    assert set(figures.filters) == {"PASS", "AC0"}


def test_the_release_says_which_filter_was_used(filtered):
    manifest = json.loads((filtered.release / "manifest.json").read_text())
    found = manifest["parameters"]["genotypes"]
    wanted = {"min_gq": 20, "min_dp": 10, "min_dp_haploid": 5, "min_ab": 0.2, "half_calls": "count"}
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.long
def test_small_partitions_make_the_same_release(filtered, spoiled, make_panel, tmp_path):
    """The file is indexed: jobs read parts of it, one of which ends inside of a record."""
    with pysam.VariantFile(str(spoiled)) as vcf:
        spans = [(record.start, record.stop - 1) for record in vcf]
    # Partitions end at multiples of their size; of the sizes around 12 kb take one that cuts a record.
    size = next(
        size
        for size in range(12_000, 15_000)
        if any(first // size < last // size for first, last in spans)
    )
    panel = make_panel(tmp_path, spoiled, SOME, {}, size)
    partitions = {path.name for path in tmp_path.rglob("*.vcz.zip")}
    assert len(partitions) == len({first // size for first, _ in spans}) > 2
    found = [path for path in panel.release.rglob("*") if path.is_file()]
    assert len(found) == sum(path.is_file() for path in filtered.release.rglob("*"))
    for path in found:
        once_more = filtered.release / path.relative_to(panel.release)
        assert once_more.read_bytes() == path.read_bytes(), path.name
