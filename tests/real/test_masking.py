"""The seven countries under a policy with limits: what is withheld, and what is left as it was."""

import json
import re

import numpy as np
import pytest
import yaml
from tests.primary_only import gate_without_secondary_masking
from tests.published_files import release as write_release

from afpanel.stages.gate import gate
from afpanel.stages.verify_release import attack_release

OBSERVED, MASKED = 2, 3
MIN_ALLELE_COUNT, MIN_GROUP_SIZE = 11, 90
FORMATS = ("vcf", "parquet", "zarr")
FIGURES = ("AC", "AN", "AF", "nhomalt", "nhemialt", "faf95", "faf99")
WITHHELD = {"BD", "BD_BEB"}
"""Groups of fewer than 90 people: BD has 86, all of BEB."""

KEPT_BACK = {"PK", "PK_PJL"}
"""The next smallest country: were it shown, BD would be the total less all the others."""


@pytest.fixture(scope="module")
def manifest(masked_panel):
    return json.loads((masked_panel.release / "manifest.json").read_text())


@pytest.fixture(scope="module")
def original(seven_countries, masked_panel, read_figures):
    """Figures without limits, of the groups that are still published: (key -> row), figures."""
    figures = read_figures(seven_countries, "parquet")
    shown = read_figures(masked_panel, "parquet").groups
    at = [figures.groups.index(group) for group in shown]
    rows = {key: row for row, key in enumerate(figures.keys)}
    return rows, {name: np.asarray(values[:, at]) for name, values in figures.values.items()}


def sensitive(ac, an):
    """Tell which cells show few, but some, copies of ALT or of everything else."""
    rest = an - ac
    return ((ac > 0) & (ac < MIN_ALLELE_COUNT)) | ((rest > 0) & (rest < MIN_ALLELE_COUNT))


def test_the_policy_has_the_limits_that_these_tests_expect(masked_panel):
    policy = yaml.safe_load((masked_panel.folder / "my/policy.yaml").read_text())
    assert policy["min_group_size"] == MIN_GROUP_SIZE
    assert policy["min_allele_count"] == MIN_ALLELE_COUNT


def test_another_policy_costs_no_recount(masked_panel, jobs_of):
    jobs = jobs_of((masked_panel.folder / "said.txt").read_text())
    jobs.pop("all", None)
    jobs.pop("report", None)
    assert jobs == {"gate": 1, "risk": 1, "publish": 1, "popgen": 1}


@pytest.mark.parametrize("name", FORMATS)
def test_no_cell_shows_few_copies(name, masked_panel, read_figures):
    figures = read_figures(masked_panel, name)
    ac, an = figures.values["AC"], figures.values["AN"]
    shown = ~np.ma.getmaskarray(ac)
    assert shown.sum() > 10_000
    assert not sensitive(ac.filled(0), an.filled(0))[shown].any()
    # What is shown of the frequency and the homozygotes is no way round it.
    assert (figures.values["nhomalt"].filled(0) * 2 <= ac.filled(0)).all()


@pytest.mark.parametrize("name", FORMATS)
def test_a_masked_cell_has_no_figure_at_all(name, masked_panel, read_figures):
    figures = read_figures(masked_panel, name)
    state = read_figures(masked_panel, "zarr").state
    masked = state == MASKED
    assert masked.sum() > 1_000
    assert set(np.unique(state).tolist()) == {OBSERVED, MASKED}
    if figures.state is not None:
        np.testing.assert_array_equal(figures.state, state)
    for figure in FIGURES:
        np.testing.assert_array_equal(np.ma.getmaskarray(figures.values[figure]), masked)


def test_formats_still_hold_the_same_figures(masked_panel, read_figures):
    vcf, *others = (read_figures(masked_panel, name) for name in FORMATS)
    for other in others:
        assert other.keys == vcf.keys
        assert other.filters == vcf.filters
        for figure in FIGURES:
            np.testing.assert_array_equal(
                other.values[figure].filled(0), vcf.values[figure].filled(0)
            )


def test_all_that_is_sensitive_is_masked_and_all_that_is_shown_is_as_it_was(
    masked_panel, original, read_figures
):
    """Oracle: the figures of the panel without limits, which are compared with bcftools elsewhere."""
    rows, values = original
    figures = read_figures(masked_panel, "parquet")
    at = [rows[key] for key in figures.keys]
    few = sensitive(values["AC"][at], values["AN"][at])
    masked = figures.state == MASKED
    assert few.any()
    assert not (few & ~masked).any()
    for figure in FIGURES:
        np.testing.assert_array_equal(
            figures.values[figure].filled(0), np.where(masked, 0, values[figure][at])
        )


def test_a_variant_is_dropped_only_where_something_is_withheld(
    masked_panel, original, read_figures
):
    """Such a row would say no more than that somebody carries the allele."""
    rows, values = original
    left = set(read_figures(masked_panel, "vcf").keys)
    assert left <= set(rows)
    dropped = [row for key, row in rows.items() if key not in left]
    assert 0 < len(dropped) < len(rows)
    few = sensitive(values["AC"][dropped], values["AN"][dropped])
    assert few.any(axis=1).all()
    nobody = {key for key, row in rows.items() if not values["AC"][row, 0]}
    assert nobody
    assert nobody <= left


def test_a_small_group_is_in_no_data_file(masked_panel, seven_countries, decoded):
    """Not in headers, schemas, names of columns, lists of groups or text; it was there before."""
    name = re.compile(rb"(?<![A-Za-z0-9-])BD(_BEB)?(?![A-Za-z0-9-])|BEB")

    def found_in(panel):
        paths = [*panel.release.glob("*.vcf.gz"), *panel.release.glob("*.zarr.zip")]
        paths += panel.release.rglob("*.parquet/*/*.parquet")
        assert len(paths) == 3
        readable = ("inflated", "schema", "metadata", "attributes", "column", "array group_id")
        readable += ("attributes of", "entry zarr.json", "entry name")
        return [
            (path.name, label)
            for path in paths
            for label, content in decoded(path)
            if label.startswith(readable) and name.search(content)
        ]

    assert len({path for path, _ in found_in(seven_countries)}) == 3
    assert found_in(masked_panel) == []


def test_the_manifest_names_a_small_group_only_as_withheld(manifest, seven_countries):
    reasons = {e["group"]: e["reason"] for e in manifest["decision"]["withheld_groups"]}
    assert set(reasons) == WITHHELD | KEPT_BACK
    assert {group for group, why in reasons.items() if why == "fewer than 90 people"} == WITHHELD
    shown = {each["group"]: each["people"] for each in manifest["groups"]}
    sizes = {group: len(samples) for group, samples in seven_countries.groups.items()}
    assert {group for group, n in sizes.items() if n < MIN_GROUP_SIZE} == WITHHELD
    assert shown == {g: n for g, n in sizes.items() if g not in WITHHELD | KEPT_BACK}
    countries = [group for group in shown if len(group) == 2 and group not in ("XX", "XY")]
    assert shown["total"] - sum(shown[country] for country in countries) >= MIN_GROUP_SIZE
    del manifest["decision"]["withheld_groups"]
    # Who took part, by cohort and country, is no figure of a group; nor whom a cohort was held against.
    del manifest["cohorts"], manifest["discordance"]["cohorts"]
    assert not re.search(r"(?<![A-Za-z0-9])BD|BEB", json.dumps(manifest))


def test_the_manifest_says_what_the_policy_did(manifest, masked_panel, read_figures):
    figures = read_figures(masked_panel, "zarr")
    assert manifest["policy"]["min_allele_count"] == MIN_ALLELE_COUNT
    assert manifest["policy"]["min_group_size"] == MIN_GROUP_SIZE
    assert manifest["decision"]["variants"] == len(figures.keys)
    decision = manifest["decision"]
    assert decision["masked_cells"] == (figures.state == MASKED).sum()
    assert decision["masked_primary"] + decision["masked_secondary"] == decision["masked_cells"]
    assert decision["masked_secondary"] > 100
    assert decision["masked_by_contributors"] == 0
    assert decision["disclosure_control"] == "primary and secondary masking"


@pytest.fixture(scope="module")
def two_maskings(seven_countries, tmp_path_factory):
    """The seven countries with k = 11 and n_min = 50: as the gate lets them through, and with primary masking alone."""
    folder = tmp_path_factory.mktemp("two-maskings")
    merged = sorted((seven_countries.results / "panel/merged").glob("*.zarr.zip"))
    policy = folder / "policy.yaml"
    policy.write_text("min_group_size: 50\nmin_allele_count: 11\n")
    gate(merged, policy, folder / "both", folder / "both.json")
    gate_without_secondary_masking(
        merged, folder / "both.json", folder / "one", folder / "one.json"
    )
    return {
        name: write_release(
            [folder / name / path.name for path in merged],
            folder / f"{name}.json",
            folder / f"{name}-release",
            build="GRCh37",
        )
        for name in ("one", "both")
    }


def test_nothing_that_is_masked_can_be_worked_out_in_any_format(two_maskings):
    one, both = (attack_release(two_maskings[name], 10_000) for name in ("one", "both"))
    assert list(both) == list(FORMATS)
    for name in FORMATS:
        found = one[name].derivable, both[name].derivable
        print(
            f"{name}: {found[0]} cells can be worked out with primary masking alone, {found[1]} with both"
        )
        assert both[name].found == {}
        assert both[name].solved >= both[name].masked > 5_000
        assert found[0] > 400
    # What it costs: few cells besides those of few copies, and hardly a variant.
    assert both["vcf"].masked - one["vcf"].masked < 500
    assert 0 <= one["vcf"].variants - both["vcf"].variants < 10
