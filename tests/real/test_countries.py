"""The panel of seven countries, from phase 3 of the 1000 Genomes Project, against independent figures.

Unless a test says otherwise its oracle is bcftools, run on the same file and the same sample sheets.
"""

import base64
import gzip
import hashlib
import json
from collections import Counter

import numpy as np
import pysam
import pytest
from scipy import stats

FORMATS = ("vcf", "parquet", "zarr")
FIGURES = ("AC", "AN", "AF", "nhomalt", "nhemialt", "faf95", "faf99")
SYMBOLIC = 8
"""Symbolic source alleles of the file: <CN0>, <CN2>, <CN3> and <CN4> at one record, <CN0> at four."""


@pytest.fixture(scope="module")
def normal(once, oracle, test_data):
    """The source, split, trimmed and left-aligned by bcftools."""
    source = test_data / "grch37/1000g.phase3.chr22.vcf.gz"
    fasta = test_data / "grch37/chr22.fa.gz"
    return (
        once("phase3-normal", lambda folder: oracle.normalize(source, fasta, folder / "normal.bcf"))
        / "normal.bcf"
    )


@pytest.fixture(scope="module")
def expected(normal, oracle, seven_countries, tmp_path_factory):
    """By group what bcftools counts: AC, AN, nhomalt of every allele, symbolic ones too."""
    folder = tmp_path_factory.mktemp("counts")
    return {
        group: oracle.counts(normal, samples, folder)
        for group, samples in seven_countries.groups.items()
    }


@pytest.fixture(scope="module")
def source_alleles(test_data):
    """REF and ALT of every source allele, from the text of the source."""
    alleles = []
    with gzip.open(test_data / "grch37/1000g.phase3.chr22.vcf.gz", "rt") as lines:
        for line in lines:
            if not line.startswith("#"):
                position, _, ref, alts = line[:20_000].split("\t", 5)[1:5]
                alleles += [(int(position), ref, alt) for alt in alts.split(",")]
    return alleles


def without_symbolic(table):
    return {key: value[:3] for key, value in table.items() if not key[3].startswith("<")}


def manifest_of(panel):
    return json.loads((panel.release / "manifest.json").read_text())


def test_the_sheets_hold_the_known_numbers_of_people(seven_countries, countries):
    """Oracle: the numbers of people that the data's README gives for each country."""
    people = {"CN": 301, "JP": 104, "VN": 99, "IN": 205, "PK": 96, "BD": 86, "LK": 102}
    sizes = {group: len(samples) for group, samples in seven_countries.groups.items()}
    assert {country: sizes[country] for country in countries} == people
    assert sizes["total"] == sum(people.values()) == sizes["XX"] + sizes["XY"]
    listed = {each["group"]: each["people"] for each in manifest_of(seven_countries)["groups"]}
    assert listed == sizes
    assert list(listed) == list(sizes)


@pytest.mark.parametrize("country", ["total", "BD", "CN", "IN", "JP", "LK", "PK", "VN", "XX", "XY"])
def test_every_figure_of_a_country_and_its_populations_is_what_bcftools_counts(
    country, seven_countries, expected, read_figures, oracle
):
    """Both ways: no allele of the source is missing but the symbolic ones, and none was added."""
    figures = read_figures(seven_countries, "vcf")
    groups = [group for group in figures.groups if group.split("_")[0] == country]
    assert groups
    for group in groups:
        wanted = without_symbolic(expected[group])
        assert len(expected[group]) - len(wanted) == SYMBOLIC
        assert oracle.differences(wanted, figures.table(group)) == []
        frequencies = {
            key: (np.float32(ac / an) if an else None,) for key, (ac, an, _) in wanted.items()
        }
        assert oracle.differences(frequencies, figures.table(group, ["AF"])) == []
        assert set(figures.table(group, ["nhemialt"]).values()) == {(0,)}  # all are diploid


def test_the_filter_tells_whether_anybody_counted_carries_alt(
    seven_countries, expected, read_figures
):
    figures = read_figures(seven_countries, "vcf")
    wanted = {
        key: "PASS" if ac else "AC0"
        for key, (ac, *_) in without_symbolic(expected["total"]).items()
    }
    assert dict(zip(figures.keys, figures.filters, strict=True)) == wanted
    assert set(wanted.values()) == {"PASS", "AC0"}


def test_countries_add_up_to_the_frequencies_that_the_project_published(
    normal, seven_countries, oracle, read_figures, tmp_path
):
    """Oracle: INFO EAS_AF and SAS_AF of the source, which the project rounded to four decimals."""
    figures = read_figures(seven_countries, "vcf")
    source = oracle.counts(normal, seven_countries.groups["total"], tmp_path, "EAS_AF", "SAS_AF")
    for column, members in (3, ("CN", "JP", "VN")), (4, ("IN", "PK", "BD", "LK")):
        at = [figures.groups.index(country) for country in members]
        ac, an = (figures.values[name][:, at].sum(axis=1) for name in ("AC", "AN"))
        ours = np.round(np.asarray(ac / an, np.float64), 4)
        published = np.array([float(source[key][column]) for key in figures.keys])
        assert (published > 0).sum() > 1000
        np.testing.assert_allclose(ours, published, rtol=0, atol=1e-6)


def test_each_country_has_the_known_number_of_polymorphic_alleles(
    seven_countries, expected, read_figures
):
    """Oracle: the data's README, whose numbers are of all alleles with AC > 0, symbolic ones too.

    Those are not published. bcftools says how many of them a country has: with what is published they
    make up the known number. CN, for one, has 1,892 and three (CN2, CN3 and CN4 of one record).
    """
    readme = {
        "CN": 1895, "JP": 1307, "VN": 1403, "IN": 2004, "PK": 1497, "BD": 1455, "LK": 1547
    }  # fmt: skip
    figures = read_figures(seven_countries, "vcf")
    for country, known in readme.items():
        symbolic = sum(
            value[0] > 0 for key, value in expected[country].items() if key[3].startswith("<")
        )
        published = (figures.values["AC"][:, figures.groups.index(country)] > 0).sum()
        assert symbolic > 0
        assert published + symbolic == known


def test_harmonization_accounts_for_every_source_allele(
    seven_countries, source_alleles, read_figures
):
    """Oracle: the alleles in the source's text; what can be trimmed is told in plain Python."""
    assert len(source_alleles) == 9_792
    outcomes = Counter()
    for _, ref, alt in source_alleles:
        if alt.startswith("<"):
            outcomes["symbolic", "no"] += 1
        elif min(len(ref), len(alt)) > 1:
            assert ref[-1] == alt[-1]  # else it would be a substitution of several bases
            outcomes["trimmed", "yes"] += 1
        else:
            outcomes["as_is", "yes"] += 1
    header, *rows = (seven_countries.release / "harmonization.tsv").read_text().splitlines()
    assert header.split("\t")[:4] == ["cohort", "outcome", "kept", "source_alleles"]
    found: dict[str, Counter] = {}
    for row in rows:
        cohort, outcome, kept, number = row.split("\t")[:4]
        found.setdefault(cohort, Counter())[outcome, kept] += int(number)
    cohorts = [f"G1K-{country}" for country in ("BD", "CN", "IN", "JP", "LK", "PK", "VN")]
    assert found == dict.fromkeys(cohorts, outcomes)
    assert outcomes["trimmed", "yes"] > 0
    kept = sum(n for (_, is_kept), n in outcomes.items() if is_kept == "yes")
    assert kept == len(read_figures(seven_countries, "vcf").keys) == 9_784


@pytest.mark.parametrize("other", ["parquet", "zarr"])
def test_formats_hold_the_same_figures_cell_for_cell(other, seven_countries, read_figures):
    """Read by pysam, pyarrow and zarr, in their own right."""
    vcf, also = (read_figures(seven_countries, name) for name in ("vcf", other))
    assert also.keys == vcf.keys
    assert also.filters == vcf.filters
    assert also.groups == vcf.groups
    for figure in FIGURES:
        assert vcf.values[figure].shape == (9_784, 20)
        np.testing.assert_array_equal(
            np.ma.getmaskarray(also.values[figure]), np.ma.getmaskarray(vcf.values[figure])
        )
        np.testing.assert_array_equal(also.values[figure].filled(0), vcf.values[figure].filled(0))
    assert (also.state == 2).all()  # all cohorts have all records


def test_the_filtering_frequency_of_every_cell_is_scipy_s(seven_countries, read_figures):
    """The quantile of the gamma distribution, in single precision; 0 of a single copy."""
    values = read_figures(seven_countries, "parquet").values
    count, number = (values[name].filled(0).astype(float) for name in ("AC", "AN"))
    for figure, tail in (("faf95", 0.05), ("faf99", 0.01)):
        expected = np.where(count > 1, stats.gamma.ppf(tail, np.maximum(count, 1)) / number, 0)
        np.testing.assert_array_equal(values[figure].filled(-1), expected.astype(np.float32))


def test_the_manifest_lists_every_file_with_its_checksum(seven_countries):
    release = seven_countries.release
    there = {path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file()}
    listed = {each["path"]: each for each in manifest_of(seven_countries)["files"]}
    assert set(listed) == there - {"manifest.json"}
    for name, each in listed.items():
        content = (release / name).read_bytes()
        assert each["sha256"] == hashlib.sha256(content).hexdigest()
        assert each.get("bytes", len(content)) == len(content)


def test_the_manifest_gives_the_refget_digest_of_the_contig(seven_countries, test_data):
    """Oracle: sha512t24u of the upper-case sequence, as GA4GH refget defines it."""
    with pysam.FastaFile(str(test_data / "grch37/chr22.fa.gz")) as fasta:
        sequence = fasta.fetch("22").upper().encode()
    digest = base64.urlsafe_b64encode(hashlib.sha512(sequence).digest()[:24]).decode()
    reference = manifest_of(seven_countries)["reference"]
    assert reference["build"] == "GRCh37"
    assert reference["contigs"] == [{"name": "22", "length": 22_000_000, "refget": f"SQ.{digest}"}]


def test_a_dry_run_on_fresh_inputs_lists_all_jobs_and_makes_nothing(
    workspace, build, jobs_of, tmp_path
):
    workspace(tmp_path)
    said = build(tmp_path, "-n", "--configfile", "config/1000g/config.yaml")
    jobs = jobs_of(said)
    jobs.pop("all", None)
    assert {rule: jobs.get(rule) for rule in ("ingest", "harmonize", "count")} == {
        "ingest": 7, "harmonize": 7, "count": 7,
    }  # fmt: skip
    assert {rule: jobs.get(rule) for rule in ("merge", "gate", "publish", "popgen")} == {
        "merge": 1, "gate": 1, "publish": 1, "popgen": 1,
    }  # fmt: skip
    assert not list(tmp_path.rglob("*.zarr.zip"))
    assert not list(tmp_path.rglob("*.vcz.zip"))
    assert not (tmp_path / "results/1000g/release").exists()


def test_a_second_run_has_nothing_to_do(seven_countries, build, tmp_path):
    panel = seven_countries.moved(tmp_path / "again")
    before = {path: path.stat().st_mtime_ns for path in panel.release.rglob("*")}
    said = build(panel.folder, "--cores", "2", "--configfile", "config/1000g/config.yaml")
    assert "Nothing to be done" in said
    assert {path: path.stat().st_mtime_ns for path in panel.release.rglob("*")} == before


def test_a_new_label_and_a_withdrawal_cost_a_recount_but_no_reading(
    seven_countries, normal, build, jobs_of, read_figures, oracle, tmp_path
):
    """One person of CN moves from CHS to CHB, and one of CDX withdraws; ingest must not run again.

    What comes out is compared with bcftools on the groups as they are now.
    """
    panel = seven_countries.moved(tmp_path / "relabelled")
    sheet = panel.folder / "resources/1000g/samples/CN.tsv"
    header, *rows = (line.split("\t") for line in sheet.read_text().splitlines())
    mover = next(row[0] for row in rows if row[1] == "CHS")
    leaver = next(row for row in rows if row[1] == "CDX")
    lines = [[*header, "include"]]
    for sample, population, sex in rows:
        label = "CHB" if sample == mover else population
        lines.append([sample, label, sex, "no" if sample == leaver[0] else "yes"])
    sheet.write_text("".join("\t".join(line) + "\n" for line in lines))
    arguments = ("--cores", "2", "--configfile", "config/1000g/config.yaml")

    jobs = jobs_of(build(panel.folder, "-n", *arguments))
    assert "ingest" not in jobs
    assert (
        jobs["harmonize"] == 1
    )  # somebody's calls may have told what two records of a variant are
    assert jobs["count"] == 1  # of CN; the other cohorts are as they were

    assert jobs_of(build(panel.folder, *arguments)) == jobs
    figures = read_figures(panel, "vcf")
    groups = {name: list(samples) for name, samples in panel.groups.items()}
    groups["CN_CHS"].remove(mover)
    groups["CN_CHB"].append(mover)
    for name in ("total", "CN", "CN_CDX", leaver[2]):
        groups[name].remove(leaver[0])
    for group in ("total", "CN", "CN_CDX", "CN_CHB", "CN_CHS", leaver[2], "JP"):
        wanted = without_symbolic(oracle.counts(normal, groups[group], tmp_path))
        assert oracle.differences(wanted, figures.table(group)) == []


def test_whether_people_are_in_two_countries_cannot_be_told_from_600_kb(seven_countries):
    report = json.loads((seven_countries.results / "private/overlap.json").read_text())
    assert len(report["cohorts"]) == 7
    assert len(report["comparisons"]) == 7 * 8 // 2
    assert 10 <= report["sites"] <= 600_000 // 20_000 + 1
    assert not any(each["told"] for each in report["comparisons"])
    assert "28 of 28 comparisons" in (seven_countries.results / "private/summary.txt").read_text()
