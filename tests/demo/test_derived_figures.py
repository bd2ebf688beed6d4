"""Figures that are worked out of others: the same in every format, and what plain arithmetic gives."""

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pysam
import pytest
from scipy.stats import gamma

import afpanel
from afpanel.cli.main import main
from afpanel.model.figures import FIGURES, SITE_FIGURES, figures_of

POPULATIONS = ("ID_JAV", "ID_SUN", "JP_JPT", "TH_THA", "VN_KHV", "VN_TAY")
PAR1_END = 2_781_479


@pytest.fixture(scope="module", params=["masked", "open"])
def release(request, by_commands, once, open_panel, tools) -> Path:
    """The demonstration as configured, with masked cells, and with nothing masked."""
    if request.param == "masked":
        return tools.release_of(by_commands)
    return tools.release_of(once("open", lambda _: None))


@pytest.fixture(scope="module")
def panel(release):
    with afpanel.open_panel(release) as opened:
        yield opened.variants(), opened


def same(found, expected) -> bool:
    """Whether two figures are one; None is missing."""
    if found is None or expected is None:
        return found is expected
    return found == expected


def plain(value):
    """A figure of a Zarr array as other formats have it."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, (float, np.floating)):
        return None if math.isnan(value) else float(value)
    return None if value == -1 else int(value)


def test_every_figure_is_the_same_in_all_formats(release, panel):
    frequencies, opened = panel
    rows = {
        (c, p, r, a): row
        for row, (c, p, r, a) in enumerate(
            zip(frequencies.contig, frequencies.position.tolist(), frequencies.ref, frequencies.alt,
                strict=True)
        )
    }  # fmt: skip
    named = {
        figure.name(group): [plain(v) for v in getattr(frequencies, figure.array)[:, g]]
        for g, group in enumerate(opened.groups)
        for figure in figures_of(group)
    }
    named |= {f.key: [plain(v) for v in getattr(frequencies, f.array)] for f in SITE_FIGURES}
    seen = 0
    (vcf,) = release.glob("*.vcf.gz")
    with pysam.VariantFile(str(vcf)) as source:
        assert set(source.header.info) == set(named)
        for record in source:
            row = rows[record.chrom, record.pos, record.ref, record.alts[0]]
            for name, values in named.items():
                found = record.info.get(name)
                found = found[0] if isinstance(found, tuple) else found
                found = None if found == "." else found  # which pysam takes for text
                assert same(found, values[row]), (record.pos, name)
            seen += 1
    assert seen == len(frequencies)
    (parquet,) = release.glob("*.parquet")
    seen = 0
    for part in sorted(parquet.glob("contig=*/*.parquet")):
        contig = part.parent.name.removeprefix("contig=")
        table = pq.ParquetFile(part).read().to_pydict()
        assert set(named) <= set(table)
        keys = zip(table["pos"], table["ref"], table["alt"], strict=True)
        at = [rows[contig, *key] for key in keys]
        for name, values in named.items():
            different = [
                row for row, found in zip(at, table[name], strict=True)
                if not same(found, values[row])
            ]  # fmt: skip
            assert different == [], name
        seen += len(at)
    assert seen == len(frequencies)


def shown(frequencies, g: int) -> np.ndarray:
    return np.isin(frequencies.state[:, g], (1, 2))


def test_the_maxima_are_those_of_the_populations_that_are_shown(panel):
    frequencies, opened = panel
    masked = 0
    candidates = [opened.groups.index(name) for name in POPULATIONS]
    for row in range(len(frequencies)):
        best, faf = (-1.0, None), {95: (0.0, None), 99: (0.0, None)}
        for g in candidates:
            ac, an = (int(t[row, g]) for t in (frequencies.allele_count, frequencies.allele_number))
            masked += frequencies.state[row, g] == 3
            if ac <= 0 or an <= 0:
                continue
            if ac / an > best[0]:
                best = ac / an, g
            for level in (95, 99):
                value = gamma.ppf(1 - level / 100, ac) / an if ac > 1 else 0.0
                if value > faf[level][0]:
                    faf[level] = value, g
        name = "" if best[1] is None else opened.groups[best[1]]
        assert frequencies.grpmax_group[row] == name
        figures = {
            "grpmax_allele_count": "allele_count",
            "grpmax_allele_number": "allele_number",
            "grpmax_homozygote_count": "homozygote_count",
            "grpmax_allele_frequency": "allele_frequency",
        }
        for array, of_group in figures.items():
            found = plain(getattr(frequencies, array)[row])
            expected = (
                None if best[1] is None else plain(getattr(frequencies, of_group)[row, best[1]])
            )
            assert same(found, expected)
        for level in (95, 99):
            value, g = faf[level]
            assert getattr(frequencies, f"fafmax_{level}_group")[row] == (
                "" if g is None else opened.groups[g]
            )
            found = plain(getattr(frequencies, f"fafmax_{level}")[row])
            assert found == (None if g is None else pytest.approx(value, rel=1e-6))
    assert (frequencies.grpmax_group != "").sum() > 1_000


def test_the_call_rate_is_the_share_of_the_copies_that_people_have(panel, root):
    frequencies, opened = panel
    people = {name: {"XX": 0, "XY": 0, "unknown": 0} for name in opened.groups}
    for sheet in (root / "demo/data").glob("*.samples.tsv"):
        country = sheet.name.split(".")[0].upper()
        header, *lines = [line.split("\t") for line in sheet.read_text().splitlines()]
        for line in lines:
            row = dict(zip(header, line, strict=False))
            if row.get("include", "yes") == "no":
                continue
            for name in ("total", country, f"{country}_{row['population']}", row["sex"]):
                if name in people:
                    people[name][row["sex"]] += 1
    for g, name in enumerate(opened.groups):
        of = people[name]
        assert sum(of.values()) == opened.people[name]
        autosomal = 2 * sum(of.values())
        beyond_par = 2 * of["XX"] + of["XY"]
        for row in range(len(frequencies)):
            on_x = frequencies.contig[row] == "chrX"
            outside = on_x and frequencies.position[row] > PAR1_END
            copies = beyond_par if outside else autosomal
            an, found = int(frequencies.allele_number[row, g]), frequencies.called_fraction[row, g]
            if an == -1:
                assert math.isnan(found)
            else:
                assert found == np.float32(an / copies)
                assert 0 <= found <= 1


def test_raw_counts_are_no_less_than_those_that_passed_the_filter(panel):
    frequencies, _ = panel
    known = (frequencies.raw_allele_number >= 0) & shown(frequencies, 0)
    assert known.sum() > 1_000
    ac, an = frequencies.allele_count[known, 0], frequencies.allele_number[known, 0]
    raw_ac, raw_an = (getattr(frequencies, f"raw_allele_{x}")[known] for x in ("count", "number"))
    assert (raw_ac >= ac).all()
    assert (raw_an >= an).all()
    expected = np.where(raw_an > 0, raw_ac / np.maximum(raw_an, 1), np.nan).astype(np.float32)
    np.testing.assert_array_equal(frequencies.raw_allele_frequency[known], expected)


def test_raw_counts_are_those_of_the_panel_that_no_call_is_filtered_from(
    open_panel, once, tools, unmasked
):
    """Of the same panel with the genotype filter; both with nothing masked."""
    with (
        afpanel.open_panel(tools.release_of(once("open", lambda _: None))) as unfiltered,
        afpanel.open_panel(tools.release_of(once("unmasked", lambda _: None))) as filtered,
    ):
        one, other = unfiltered.variants(), filtered.variants()
    keys = [
        list(zip(f.contig, f.position.tolist(), f.ref, f.alt, strict=True)) for f in (one, other)
    ]
    at = {key: row for row, key in enumerate(keys[0])}
    assert set(keys[1]) <= set(at)
    rows = [at[key] for key in keys[1]]
    assert (other.raw_allele_count > other.allele_count[:, 0]).any()
    observed = (other.state[:, [other.groups.index(c) for c in ("ID", "JP", "TH", "VN")]] == 2).all(
        axis=1
    )
    assert observed.sum() > 100
    for raw, name in (("raw_allele_count", "allele_count"), ("raw_allele_number", "allele_number")):
        expected = getattr(one, name)[rows, 0]
        # Where a cohort is silent, or speaks by another record of the site, what was filtered is not known.
        np.testing.assert_array_equal(getattr(other, raw)[observed], expected[observed])
        if name == "allele_count":
            np.testing.assert_array_equal(getattr(other, raw), expected)


def test_figures_of_diploid_calls_are_of_populations_alone(panel):
    frequencies, opened = panel
    for g, name in enumerate(opened.groups):
        has = {figure.array for figure in FIGURES if figure.has(name)}
        is_population = name in POPULATIONS
        assert ("hwe_p_value" in has) == is_population
        assert ("inbreeding_coefficient" in has) == (is_population or name == "total")
        for array in ("hwe_p_value", "excess_heterozygosity_p_value", "inbreeding_coefficient"):
            values = getattr(frequencies, array)[:, g]
            if array not in has:
                assert np.isnan(values).all()
            elif array != "inbreeding_coefficient":
                calls = shown(frequencies, g) & (frequencies.allele_number[:, g] > 1)
                assert (~np.isnan(values[calls])).sum() > 1_000
                assert np.isnan(values[~shown(frequencies, g)]).all()


@pytest.mark.parametrize(("name", "near"), [("VN_KVH", "VN_KHV"), ("XX", ""), ("total", "")])
def test_publish_leaves_out_of_a_maximum_only_groups_that_there_are(
    by_commands, tmp_path, capsys, monkeypatch, name, near
):
    monkeypatch.chdir(by_commands)
    results = by_commands / "results"
    summaries = sorted((results / "private").glob("*/harmonization.json"))
    words = [
        "publish", *sorted((results / "panel/releasable").glob("*.zip")),
        "--decision", results / "panel/decision.json", "--plan", results / "private/plan.json",
        *(word for path in summaries for word in ("--harmonization", path)),
        "--reference", "demo/data/reference.fa.gz", "--build", "GRCh38", "--name", "demo",
        "--panel-version", "1", "--out", tmp_path / "out", "--summary", tmp_path / "summary.txt",
        "--grpmax-exclude", name,
    ]  # fmt: skip
    assert main([str(word) for word in words]) == 3
    said = capsys.readouterr().err
    assert f"no country or population '{name}'" in said
    assert f"did you mean '{near}" in said
    assert not (tmp_path / "out").exists()
