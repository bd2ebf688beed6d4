"""Membership risk of the panel of seven countries: attacks on real people beside the formulas."""

import json

import pytest

CONFIG = ("--configfile", "config/1000g/config.yaml", "--cores", "2")


@pytest.fixture(scope="module")
def groups(once, seven_countries, build):
    def fill(folder):
        build(seven_countries.moved(folder).folder, "risk", *CONFIG)

    folder = once("seven-risk", fill)
    risk = folder / seven_countries.results.relative_to(seven_countries.folder) / "panel/risk"
    return json.loads((risk / "risk.json").read_text())["groups"]


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
