"""Membership risk of the panel of seven countries: attacks on real people beside the formulas."""

import json

import pytest


@pytest.fixture(scope="module")
def groups(seven_countries):
    return json.loads((seven_countries.results / "panel/risk/risk.json").read_text())["groups"]


def test_power_by_the_formula_is_that_of_attacks_tried_on_the_people(groups):
    tried = [each for each in groups if each["measured"] is not None]
    assert len(tried) == len(groups) >= 17
    for each in tried:
        assert each["linkage"] == "genotypes"
        assert each["realistic"] == pytest.approx(each["measured"], abs=0.03)


def test_no_attack_exceeds_the_figures_that_know_the_linkage(groups):
    for each in groups:
        measured = max(each["measured"], each["measured_known"])
        assert measured <= each["realistic_known"] <= each["worst_known"]


def test_linked_variants_of_a_short_piece_are_worth_few_independent_ones(groups):
    """600 kb hold a dozen blocks of linkage or so in Asia; all countries together have the most."""
    worth = {each["group"]: each["effective"] for each in groups}
    assert max(worth, key=worth.get) == "total"
    for each in groups:
        assert 10 < each["effective"] < 0.05 * each["cells"]["varying"]


def test_the_manifest_has_the_figures_of_every_group(seven_countries, groups):
    told = json.loads((seven_countries.release / "manifest.json").read_text())["risk"]["groups"]
    assert [each["group"] for each in told] == [each["group"] for each in groups]
    for mine, each in zip(told, groups, strict=True):
        assert mine["realistic"] == pytest.approx(each["realistic"], rel=0.006)
