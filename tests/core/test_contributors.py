"""Which cohorts may be in a release, at which day, and which groups stay behind."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.constants import Sex
from afpanel.core.contributors import Contributor, Permission, refusals, withheld_groups
from afpanel.core.policy import (
    Approval,
    CountryRules,
    DisclosurePolicy,
    Rules,
    effective,
    strictest,
)
from afpanel.model.groups import GroupKind

GROUPS = ["total", "TH", "TH_BKK", "TH_CNX", "VN", "VN_KHV", "VN_TAY", "XX", "XY"]
PEOPLE = [400, 200, 150, 50, 200, 100, 100, 210, 190]
DAY = "2026-06-01"
ALLOWED = {
    "min_group_size": dict.fromkeys(GroupKind, 0),
    "min_allele_count": 0,
    "sides": ["alt", "other"],
    "zeros": "shown",
    "min_genotype_count": 0,
    "min_contributors": 0,
    "insider_protection": False,
    "groups": list(GroupKind),
    "statistics": [],
    "populations_never_shown": [],
    "no_populations_under": ["DUO:0000006", "DUO:0000044"],
    "refused_terms": ["DUO:0000046"],
    "verified_only": True,
}
APPROVAL = Approval("A committee", "17", "2025-01-01", "2027-01-01")
GOOD = Permission("open", (("DUO:0000042", ""),), "", (APPROVAL,))
AGREED = CountryRules(
    verified=True,
    review_by="2026-12-31",
    approvals=(),
    tiers={"registered": Rules("country", {})},
)


def policy_of(countries=None, **changed):
    rules = Rules.of("tier registered", ALLOWED | changed)
    return DisclosurePolicy(rules, "registered", countries or {"TH": AGREED, "VN": AGREED})


def cohort(name, country, *populations, sexes=(Sex.XX, Sex.XY), permission=GOOD):
    cells = tuple((population, sex) for population in populations for sex in sexes)
    return Contributor(name, country, cells, permission)


TH_A = cohort("TH-a", "TH", "BKK", "CNX")
VN_A = cohort("VN-a", "VN", "KHV")
VN_B = cohort("VN-b", "VN", "TAY")
ALL = [TH_A, VN_A, VN_B]


def messages(contributors, policy=None, day=DAY):
    return [str(each) for each in refusals(policy or policy_of(), contributors, day, "p.yaml")]


def withheld(contributors, **changed):
    rules = effective(policy_of(**changed), {each.country for each in contributors})
    return withheld_groups(rules, contributors, GROUPS, PEOPLE)


def test_cohorts_that_agree_are_refused_nothing():
    assert messages(ALL) == []
    assert withheld(ALL) == {}


def test_a_policy_of_two_limits_looks_at_no_cohort():
    spoilt = [replace(each, permission=None) for each in ALL]
    assert messages(spoilt, DisclosurePolicy(Rules.simple(5, 3)), None) == []


REFUSED = {
    "no metadata": (None, ("cohort VN-a has no metadata",)),
    "a narrower tier": (
        replace(GOOD, widest_release="controlled"),
        ("cohort VN-a", "tier registered", "widest_release", "found:    controlled"),
    ),
    "no release at all": (replace(GOOD, widest_release="none"), ("widest_release", "none")),
    "a term that cannot be kept to": (
        replace(GOOD, terms=(("DUO:0000042", ""), ("DUO:0000046", ""))),
        ("cohort VN-a", "DUO:0000046 (NCU)", "tier registered"),
    ),
    "an embargo": (
        replace(GOOD, embargo_until="2026-06-02"),
        ("cohort VN-a may not be published before 2026-06-02", "embargo_until"),
    ),
    "a moratorium up to that day": (
        replace(GOOD, terms=(("DUO:0000042", ""), ("DUO:0000024", DAY))),
        ("cohort VN-a", "up to 2026-06-01", "MOR"),
    ),
    "an approval that has expired": (
        replace(GOOD, approvals=(APPROVAL, replace(APPROVAL, reference="9", expires="2026-05-31"))),
        ("approval 9 of cohort VN-a, by A committee, has expired", "found:    2026-05-31"),
    ),
    "an approval to come": (
        replace(GOOD, approvals=(replace(APPROVAL, approved="2026-06-02"),)),
        ("approval 17 of cohort VN-a", "not given yet"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_cohort_that_may_not_be_in_it_is_refused_by_name(name):
    permission, fragments = REFUSED[name]
    (said,) = messages([TH_A, replace(VN_A, permission=permission), VN_B])
    for fragment in fragments:
        assert fragment in said


LAST_DAYS = {
    "the first day after an embargo": replace(GOOD, embargo_until=DAY),
    "the day after a moratorium": replace(
        GOOD, terms=(("DUO:0000042", ""), ("DUO:0000024", "2026-05-31"))
    ),
    "the last day of an approval": replace(GOOD, approvals=(replace(APPROVAL, expires=DAY),)),
    "the day of an approval": replace(GOOD, approvals=(replace(APPROVAL, approved=DAY),)),
    "an approval without an end": replace(GOOD, approvals=(replace(APPROVAL, expires=""),)),
    "the tier itself": replace(GOOD, widest_release="registered"),
}


@pytest.mark.parametrize("name", LAST_DAYS)
def test_a_cohort_is_let_in_on(name):
    assert messages([TH_A, replace(VN_A, permission=LAST_DAYS[name])]) == []


COUNTRIES = {
    "unknown": ({"TH": AGREED}, "nothing is said of country VN, which cohort VN-a, VN-b is of"),
    "without the tier": (
        {"TH": AGREED, "VN": replace(AGREED, tiers={"controlled": Rules("country VN", {})})},
        "country VN has no rules for tier registered",
    ),
    "not verified": (
        {"TH": AGREED, "VN": replace(AGREED, verified=False)},
        "nobody has verified the rules of country VN",
    ),
    "past its review": (
        {"TH": AGREED, "VN": replace(AGREED, review_by="2026-05-31")},
        "the rules of country VN were to be reviewed by 2026-05-31",
    ),
    "without a valid approval": (
        {"TH": AGREED, "VN": replace(AGREED, approvals=(replace(APPROVAL, expires="2026-05-31"),))},
        "approval 17 of country VN, by A committee, has expired",
    ),
}


@pytest.mark.parametrize("name", COUNTRIES)
def test_a_country_is_refused_by_name_if_it_is(name):
    countries, fragment = COUNTRIES[name]
    (said,) = messages(ALL, policy_of(countries))
    assert fragment in said


def test_countries_that_nobody_verified_pass_where_the_policy_lets_them():
    countries = {name: replace(AGREED, verified=False) for name in ("TH", "VN")}
    assert messages(ALL, policy_of(countries, verified_only=False)) == []


def test_a_country_that_wants_verified_ones_alone_is_heard():
    wants = replace(AGREED, tiers={"registered": Rules.of("country TH", {"verified_only": True})})
    countries = {"TH": wants, "VN": replace(AGREED, verified=False)}
    (said,) = messages(ALL, policy_of(countries, verified_only=False))
    assert "country VN" in said
    assert "(verified_only, country TH)" in said


def test_without_a_day_nothing_can_be_judged():
    (said,) = messages(ALL, day=None)
    assert "disclosure.as_of" in said


def test_all_reasons_are_given_at_once():
    spoilt = [replace(TH_A, permission=None), replace(VN_A, permission=REFUSED["an embargo"][0])]
    said = messages(spoilt, policy_of({"TH": replace(AGREED, verified=False)}))
    assert len(said) == 4
    for fragment in ("country TH", "country VN", "cohort TH-a", "cohort VN-a"):
        assert any(fragment in each for each in said)


# ---------------------------------------------------------------------------------------------
# Groups


def test_kinds_of_groups_that_nobody_may_see_stay_behind():
    found = withheld(ALL, groups=["total", "country"])
    assert set(found) == {"TH_BKK", "TH_CNX", "VN_KHV", "VN_TAY", "XX", "XY"}
    assert "tier registered" in found["XX"]


def test_the_size_of_a_group_is_held_against_the_limit_of_its_kind():
    sizes = {"total": 400, "country": 200, "population": 100, "sex": 200}
    found = withheld(ALL, min_group_size=sizes)
    small = {"TH_CNX": "fewer than 100 people", "XY": "fewer than 200 people"}
    assert {name: found.pop(name) for name in small} == small
    # Without these two the small ones would be what is left of Thailand, and of everybody.
    assert set(found) == {"TH_BKK", "XX"}


def test_a_population_stays_behind_with_its_country():
    """Else the populations would add up to what is withheld."""
    found = withheld(ALL, min_group_size={"total": 0, "country": 201, "population": 0, "sex": 0})
    assert found["VN_KHV"] == "VN is withheld"
    assert set(found) == {"TH", "TH_BKK", "TH_CNX", "VN", "VN_KHV", "VN_TAY"}


def test_a_group_of_two_cohorts_stays_behind_where_three_are_asked_for_and_one_of_one_does_not():
    found = withheld(ALL, min_contributors=3)
    assert found["VN"] == "fewer than 3 cohorts together"
    assert found["VN_KHV"] == "VN is withheld"
    # Viet Nam is not to be what is left of everybody without Thailand either.
    assert set(found) == {"VN", "VN_KHV", "VN_TAY", "TH", "TH_BKK", "TH_CNX"}
    assert withheld(ALL, min_contributors=2) == {}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ID", "TH", "VN"]),
            st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(list(Sex))), min_size=1),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 4),
    st.integers(0, 6),
)
def test_nobody_can_subtract_to_few_people_or_to_few_cohorts(drawn, fewest, size):
    """Held against the cells themselves: one person of each cohort in each."""
    cohorts = [
        Contributor(f"c{i}", country, tuple(dict.fromkeys(cells)), GOOD)
        for i, (country, cells) in enumerate(drawn)
    ]
    cells = [(c.cohort, c.country, *cell) for c in cohorts for cell in c.cells]

    def members(group):
        return {
            cell
            for cell in cells
            if group in ("total", cell[1], f"{cell[1]}_{cell[2]}", str(cell[3]))
        }

    countries = sorted({c.country for c in cohorts})
    populations = sorted({f"{country}_{label}" for _, country, label, _ in cells})
    sexes = [sex for sex in ("XX", "XY") if members(sex)]
    groups = ["total", *countries, *populations, *sexes]
    rules = Rules.of("tier", ALLOWED | {"min_contributors": fewest,
                                        "min_group_size": dict.fromkeys(GroupKind, size)})  # fmt: skip
    people = [len(members(group)) for group in groups]
    reasons = withheld_groups(strictest([rules]), cohorts, groups, people)
    shown = [group for group in groups if group not in reasons]
    sums = [("total", countries), ("total", sexes)]
    sums += [(c, [p for p in populations if p.startswith(f"{c}_")]) for c in countries]
    known = [members(group) for group in shown]
    for parent, parts in sums:
        published = [part for part in parts if part in shown]
        if parent in shown and published:
            known.append(members(parent).difference(*map(members, published)))
    for held in filter(None, known):
        assert len(held) >= size
        assert not 1 < len({cohort for cohort, *_ in held}) < fewest
    assert all(group.partition("_")[0] in shown for group in shown if "_" in group)


def test_a_total_of_two_cohorts_stays_behind_too():
    assert "total" in withheld([TH_A, VN_A], min_contributors=3)


def test_only_cohorts_that_have_people_of_a_sex_are_counted_for_it():
    without = replace(VN_B, cells=(("TAY", Sex.UNKNOWN),))
    found = withheld([TH_A, VN_A, without], min_contributors=3)
    assert {"XX", "XY"} <= set(found)
    assert "total" not in found


@pytest.mark.parametrize(("term", "letters"), [("DUO:0000006", "HMB"), ("DUO:0000044", "NPOA")])
def test_a_cohort_under_terms_against_it_keeps_all_populations_of_its_country_behind(term, letters):
    """Those of the other cohort too, which the country less them would tell."""
    under = replace(GOOD, terms=((term, ""),))
    found = withheld([TH_A, replace(VN_A, permission=under), VN_B])
    assert found == dict.fromkeys(["VN_KHV", "VN_TAY"], f"{term} ({letters}) of cohort VN-a")


def test_other_terms_keep_no_population_behind():
    under = replace(GOOD, terms=(("DUO:0000042", ""), ("DUO:0000021", "")))
    assert withheld([TH_A, replace(VN_A, permission=under), VN_B]) == {}


def test_a_population_that_is_never_shown_is_no_difference_either():
    """With the only other population shown it would be Viet Nam less that."""
    found = withheld(ALL, populations_never_shown=["VN_KHV"])
    assert found.pop("VN_KHV") == "never shown (tier registered)"
    assert set(found) == {"VN_TAY"}
    assert withheld(ALL, populations_never_shown=["JP_AINU"]) == {}


def test_a_country_that_is_one_such_population_goes_with_it_and_another_country_too():
    groups = ["total", "ID", "ID_X", "TH", "TH_A", "TH_B", "VN", "VN_KHV"]
    people = [400, 120, 120, 200, 150, 50, 80, 80]
    rules = strictest([Rules.of("tier", ALLOWED | {"populations_never_shown": ["VN_KHV"]})])
    found = withheld_groups(rules, [], groups, people)
    assert found["VN"] == "its people are VN_KHV alone, never shown (tier)"
    assert set(found) == {"VN", "VN_KHV", "ID", "ID_X"}
    # With a second small one withheld anyhow, neither is what is left.
    sizes = {"total": 0, "country": 100, "population": 100, "sex": 0}
    people[1:3] = [90, 90]
    rules = strictest([Rules.of("tier", ALLOWED | {"populations_never_shown": ["VN_KHV"], "min_group_size": sizes})])  # fmt: skip
    assert "TH" not in withheld_groups(rules, [], groups, people)


def test_sexes_stay_behind_with_insider_protection():
    found = withheld(ALL, insider_protection=True)
    assert set(found) == {"XX", "XY"}
    assert found["XX"].endswith("insider_protection (tier registered)")
