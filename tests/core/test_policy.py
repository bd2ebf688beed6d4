"""The strictest of many rules, line by line, and who asked for it."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.core.data_use import TERMS
from afpanel.core.policy import (
    RULES,
    CountryRules,
    DisclosurePolicy,
    Rules,
    Side,
    Statistic,
    effective,
    missing_rules,
    strictest,
)
from afpanel.errors import PolicyRefusalError
from afpanel.io.policy import read_disclosure_policy
from afpanel.model.groups import GroupKind

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True)
POLICIES = Path(__file__).parents[2] / "config" / "policies"

NUMBERS = st.integers(0, 40)
SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "min_group_size": st.fixed_dictionaries(dict.fromkeys(GroupKind, NUMBERS)),
        "min_allele_count": NUMBERS,
        "sides": st.lists(st.sampled_from(list(Side)), unique=True, min_size=1),
        "zeros": st.sampled_from(["shown", "masked"]),
        "min_genotype_count": NUMBERS,
        "min_contributors": st.integers(0, 4),
        "insider_protection": st.booleans(),
        "groups": st.lists(st.sampled_from(list(GroupKind)), unique=True),
        "statistics": st.lists(st.sampled_from(list(Statistic)), unique=True),
        "populations_never_shown": st.lists(st.sampled_from(["VN_A", "TH_B"]), unique=True),
        "no_populations_under": st.lists(st.sampled_from(sorted(TERMS)), unique=True),
        "refused_terms": st.lists(st.sampled_from(sorted(TERMS)), unique=True),
        "verified_only": st.booleans(),
    },
)
MANY = st.lists(SECTIONS, min_size=1, max_size=5)


def rules_of(sections):
    return [Rules.of(f"country {chr(65 + i)}", section) for i, section in enumerate(sections)]


def allows(section, release):
    """Whether one party's section allows a release, said without lines: the oracle of what is looser."""
    sizes = section.get("min_group_size", {})
    return (
        all(release["people"][kind] >= n for kind, n in sizes.items() if kind in release["groups"])
        and release["copies"] >= section.get("min_allele_count", 0)
        and release["other"] >= (40 if "other" in section.get("sides", ()) else 0)
        and not (release["zeros"] and section.get("zeros") == "masked")
        and release["homozygotes"] >= section.get("min_genotype_count", 0)
        and release["contributors"] >= section.get("min_contributors", 0)
        and not (release["subtracts"] and section.get("insider_protection"))
        and not {*release["populations"]} & {*section.get("populations_never_shown", ())}
        and set(release["groups"]) <= set(section.get("groups", GroupKind))
        and set(release["statistics"]) <= set(section.get("statistics", Statistic))
        and not set(release["population_terms"]) & set(section.get("no_populations_under", ()))
        and not set(release["terms"]) & set(section.get("refused_terms", ()))
        and (release["verified"] or not section.get("verified_only", False))
    )


def allowed(policy, release):
    """The same of what holds, by its lines."""
    said = {ruling.line: ruling.value for ruling in policy.rulings}
    return (
        all(release["people"][k] >= said.get(f"min_group_size.{k}", 0) for k in release["groups"])
        and release["copies"] >= said.get("min_allele_count", 0)
        and release["other"] >= (40 if said.get("sides.other") else 0)
        and not (release["zeros"] and said.get("zeros.masked"))
        and release["homozygotes"] >= said.get("min_genotype_count", 0)
        and release["contributors"] >= said.get("min_contributors", 0)
        and not (release["subtracts"] and said.get("insider_protection"))
        and not any(said.get(f"populations_never_shown.{p}") for p in release["populations"])
        and all(said.get(f"groups.{kind}", True) for kind in release["groups"])
        and all(said.get(f"statistics.{each}", True) for each in release["statistics"])
        and not any(said.get(f"no_populations_under.{t}") for t in release["population_terms"])
        and not any(said.get(f"refused_terms.{term}") for term in release["terms"])
        and (release["verified"] or not said.get("verified_only", False))
    )


RELEASES = st.fixed_dictionaries(
    {
        "people": st.fixed_dictionaries(dict.fromkeys(GroupKind, st.integers(0, 60))),
        "copies": st.integers(0, 60),
        "other": st.integers(0, 60),
        "zeros": st.booleans(),
        "homozygotes": st.integers(0, 60),
        "contributors": st.integers(0, 5),
        "subtracts": st.booleans(),
        "populations": st.lists(st.sampled_from(["VN_A", "TH_B"]), max_size=1),
        "groups": st.lists(st.sampled_from(list(GroupKind)), unique=True, max_size=2),
        "statistics": st.lists(st.sampled_from(list(Statistic)), unique=True, max_size=2),
        "population_terms": st.lists(st.sampled_from(sorted(TERMS)), max_size=1),
        "terms": st.lists(st.sampled_from(sorted(TERMS)), max_size=1),
        "verified": st.booleans(),
    }
)


@settings(SETTINGS, max_examples=600)
@given(MANY, RELEASES)
def test_what_holds_allows_a_release_exactly_if_everybody_does(sections, release):
    """So it is never looser than any of them, and no stricter than all of them together."""
    expected = all(allows(section, release) for section in sections)
    assert allowed(strictest(rules_of(sections)), release) == expected


@SETTINGS
@given(MANY, st.randoms(use_true_random=False))
def test_the_order_makes_no_difference(sections, rng):
    rules = rules_of(sections)
    mixed = list(rules)
    rng.shuffle(mixed)
    assert strictest(mixed) == strictest(rules)


@SETTINGS
@given(MANY)
def test_who_comes_twice_is_counted_once(sections):
    rules = rules_of(sections)
    assert strictest([*rules, *rules]) == strictest(rules)


@SETTINGS
@given(MANY, SECTIONS, RELEASES)
def test_one_more_contributor_never_loosens(sections, further, release):
    before = strictest(rules_of(sections))
    after = strictest(rules_of([*sections, further]))
    assert allowed(before, release) or not allowed(after, release)


@SETTINGS
@given(MANY)
def test_every_line_names_exactly_those_who_ask_for_its_value(sections):
    rules = rules_of(sections)
    for ruling in strictest(rules).rulings:
        asked = {each.asked_by for each in rules if each.lines.get(ruling.line) == ruling.value}
        assert set(ruling.by) == asked
        assert asked


@SETTINGS
@given(SECTIONS)
def test_a_rule_is_missing_unless_it_is_given_or_left_to_the_tier(section):
    assert missing_rules(section) == [rule for rule in RULES if rule not in section]
    assert missing_rules(section, [rule for rule in RULES if rule not in section]) == []


def test_a_size_of_which_one_kind_is_left_out_is_missing():
    section = {"min_group_size": {"total": 5, "country": 5, "population": 5}}
    assert "min_group_size.sex" in missing_rules(section, list(RULES))


def country(asked_by, **section):
    rules = Rules.of(f"country {asked_by}", section)
    return CountryRules(verified=True, review_by="2030-01-01", approvals=(), tiers={"open": rules})


POLICY = DisclosurePolicy(
    Rules.of("tier open", {"min_allele_count": 5, "groups": ["total", "country", "population"]}),
    "open",
    {
        "TH": country("TH"),
        "VN": country("VN", min_allele_count=11, groups=["total", "country"]),
        "ID": country("ID", min_allele_count=3),
    },
)


def test_a_country_tightens_the_tier_and_cannot_loosen_it():
    limits = [effective(POLICY, names).min_allele_count for names in (["TH"], ["ID"], ["VN", "ID"])]
    assert limits == [5, 5, 11]
    assert effective(POLICY, ["VN"]).ruling("groups.population").by == ("country VN",)
    assert effective(POLICY, ["TH"]).ruling("groups.population").by == ("tier open",)


def test_a_country_without_rules_for_the_tier_is_refused_by_name():
    with pytest.raises(PolicyRefusalError, match="no rules of JP, MY for tier open"):
        effective(POLICY, ["VN", "MY", "JP"])


def test_a_policy_of_two_limits_asks_the_countries_nothing():
    rules = effective(DisclosurePolicy(Rules.simple(30, 3)), ["VN", "JP"])
    assert (rules.min_group_size, rules.min_allele_count) == (30, 3)
    said = {ruling.line: ruling.value for ruling in rules.rulings}
    assert all(said[f"groups.{kind}"] for kind in GroupKind)
    assert all(said[f"statistics.{each}"] for each in Statistic)
    assert said["sides.alt"]
    assert said["sides.other"]
    assert not said["zeros.masked"]
    assert not said["insider_protection"]
    assert said["min_contributors"] == said["min_genotype_count"] == 0
    assert {ruling.by for ruling in rules.rulings} == {("policy",)}


@pytest.mark.parametrize(
    ("tier", "people", "copies", "groups", "cohorts"),
    [
        ("open", 1000, 11, {"total", "country"}, 3),
        ("registered", 200, 5, {"total", "country", "population"}, 3),
        ("controlled", 50, 3, {"total", "country", "population", "sex"}, 2),
    ],
)
def test_the_shipped_policies_have_the_limits_of_their_tiers(tier, people, copies, groups, cohorts):
    policy = read_disclosure_policy(POLICIES / f"{tier}.yaml")
    said = policy.rules.lines
    assert policy.tier == tier
    assert {said[f"min_group_size.{kind}"] for kind in GroupKind} == {people}
    assert (said["min_allele_count"], said["min_contributors"]) == (copies, cohorts)
    assert {kind for kind in GroupKind if said[f"groups.{kind}"]} == groups
    shown = {each for each in Statistic if said[f"statistics.{each}"]}
    assert shown == ({"nhomalt", "nhemialt"} if tier == "controlled" else set())
    assert said["min_genotype_count"] == copies
    assert said["sides.alt"]
    assert said["sides.other"]
    assert said["insider_protection"] is (tier != "controlled")
    assert said["no_populations_under.DUO:0000006"]
    assert said["no_populations_under.DUO:0000044"]
    assert said["verified_only"] is True
    assert policy.countries == {}  # so that each is refused until somebody has asked it


def test_the_shipped_tiers_are_the_stricter_the_wider_they_are():
    tiers = [read_disclosure_policy(POLICIES / f"{name}.yaml").rules
             for name in ("controlled", "registered", "open")]  # fmt: skip
    for narrower, wider in itertools.pairwise(tiers):
        both = {ruling.line: ruling.value for ruling in strictest([narrower, wider]).rulings}
        assert both == wider.lines


def test_nobody_has_verified_the_countries_of_the_example():
    policy = read_disclosure_policy(POLICIES / "countries.example.yaml")
    assert set(policy.countries) == {"XA", "XB"}
    assert not any(each.verified for each in policy.countries.values())
