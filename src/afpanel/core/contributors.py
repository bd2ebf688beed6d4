"""Those whose figures a panel is made of, held against a policy: who may not be in it, which groups stay behind."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from afpanel.constants import Sex
from afpanel.core.data_use import letters_of_term
from afpanel.core.group_tree import kept_back
from afpanel.core.policy import (
    TIERS,
    Approval,
    CountryRules,
    DisclosurePolicy,
    EffectivePolicy,
    effective,
)
from afpanel.errors import PolicyRefusalError
from afpanel.model.cohort import Cell
from afpanel.model.groups import TOTAL, GroupKind, country_of, groups_of, kind_of

_MORATORIUM = "DUO:0000024"

_NEVER = "populations_never_shown"

_KEPT_BACK = "so that what withheld people are left of a sum are not too few, or of too few cohorts"


@dataclass(frozen=True)
class Permission:
    """What a cohort's metadata say of who may see its figures, and from when.

    Parameters
    ----------
    widest_release
        Widest tier, or ``none``.
    terms
        Identifier and value of each term of DUO.
    embargo_until
        First day that figures may be published, or empty.
    approvals
        See `Approval`.
    """

    widest_release: str
    terms: tuple[tuple[str, str], ...]
    embargo_until: str
    approvals: tuple[Approval, ...]

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> "Permission":
        """Take it from a cohort's metadata, with their defaults."""
        legal = metadata["legal"]
        return cls(
            metadata["consent"]["widest_release"],
            tuple((each["term"], each["value"]) for each in metadata["data_use"]),
            legal["embargo_until"],
            tuple(Approval.of(each) for each in legal["approvals"]),
        )


@dataclass(frozen=True)
class Contributor:
    """A cohort of the panel.

    Parameters
    ----------
    cohort, country
        Its name and country.
    cells
        Its populations, and the sexes in them.
    permission
        See `Permission`; None where the cohort has no metadata.
    """

    cohort: str
    country: str
    cells: tuple[tuple[str, Sex], ...]
    permission: Permission | None

    @property
    def groups(self) -> set[str]:
        """Names of the groups of the panel that hold people of the cohort."""
        return {TOTAL}.union(*self.groups_of_cells)

    @property
    def groups_of_cells(self) -> list[set[str]]:
        """Names of the groups that hold each of its cells."""
        return [
            {group.name for group in groups_of([(self.country, Cell(population, sex, 1))])}
            for population, sex in self.cells
        ]


def refusals(
    policy: DisclosurePolicy, contributors: Sequence[Contributor], as_of: str | None, where: str
) -> Iterator[PolicyRefusalError]:
    """Find every reason for which these cohorts may not be released together under a policy.

    Parameters
    ----------
    policy
        The policy; one of two limits refuses nobody here.
    contributors
        The cohorts.
    as_of
        Day that approvals, embargoes and reviews are judged at, ``YYYY-MM-DD``.
    where
        What the policy is called in messages.
    """
    if not policy.tier:
        return
    if as_of is None:
        yield PolicyRefusalError(
            "nothing says at which day approvals and embargoes are judged",
            where=where,
            expected="the day of the release, as YYYY-MM-DD",
            remedy="give it as disclosure.as_of in the configuration, or to afpanel gate as --as-of",
        )
    countries = {each.country for each in contributors}
    lacking = policy.without_rules(countries)
    rules = effective(policy, countries.difference(lacking))
    for country in sorted(countries):
        cohorts = sorted(each.cohort for each in contributors if each.country == country)
        if country in lacking:
            yield _unknown(policy, country, cohorts, where)
        else:
            yield from _of_country(country, policy.countries[country], rules, as_of, where)
    for each in sorted(contributors, key=lambda each: each.cohort):
        yield from _of_cohort(each, policy.tier, rules, as_of)


def _unknown(
    policy: DisclosurePolicy, country: str, cohorts: Sequence[str], where: str
) -> PolicyRefusalError:
    if country in policy.countries:
        what = f"country {country} has no rules for tier {policy.tier}"
    else:
        what = f"nothing is said of country {country}"
    return PolicyRefusalError(
        f"{what}, which cohort {', '.join(cohorts)} is of",
        where=where,
        expected=f"countries.{country}.tiers.{policy.tier}",
        remedy="add what the country asks for, or leave its cohorts out (docs/policies.md)",
    )


def _of_country(
    country: str, asked: CountryRules, rules: EffectivePolicy, as_of: str | None, where: str
) -> Iterator[PolicyRefusalError]:
    key = f"{where}, countries.{country}"
    verified_only = rules.ruling("verified_only")
    if verified_only.value and not asked.verified:
        yield PolicyRefusalError(
            f"nobody has verified the rules of country {country}",
            where=f"{key}.verified",
            expected=f"true (verified_only, {', '.join(verified_only.by)})",
            remedy="have somebody who answers for the country confirm them",
        )
    if as_of is None:
        return
    if asked.review_by < as_of:
        yield PolicyRefusalError(
            f"the rules of country {country} were to be reviewed by {asked.review_by}",
            where=f"{key}.review_by",
            expected=f"{as_of} or later",
            found=asked.review_by,
            remedy="review them, and give the day by which they are to be reviewed again",
        )
    yield from _of_approvals(asked.approvals, f"country {country}", f"{key}.approvals", as_of)


def _of_approvals(
    approvals: Iterable[Approval], whose: str, where: str, as_of: str
) -> Iterator[PolicyRefusalError]:
    """Find approvals that do not hold. Each of them is needed: one that was replaced is to be taken out."""
    for each in approvals:
        held = f"approval {each.reference} of {whose}, by {each.body},"
        if each.expires and each.expires < as_of:
            yield PolicyRefusalError(
                f"{held} has expired",
                where=where,
                expected=f"{as_of} or later",
                found=each.expires,
                remedy="have it renewed; if another came in its place, take it out",
            )
        elif each.approved > as_of:
            yield PolicyRefusalError(
                f"{held} is not given yet",
                where=where,
                expected=f"{as_of} or earlier",
                found=each.approved,
                remedy="wait for it",
            )


def _of_cohort(
    contributor: Contributor, tier: str, rules: EffectivePolicy, as_of: str | None
) -> Iterator[PolicyRefusalError]:
    cohort, permission = contributor.cohort, contributor.permission
    key = f"cohort {cohort}, metadata"
    if permission is None:
        yield PolicyRefusalError(
            f"cohort {cohort} has no metadata, so nothing says what its people agreed to",
            where=key,
            expected="consent, terms of use and approvals",
            remedy="fill in the form (afpanel metadata init), and name it in the table of cohorts",
        )
        return
    widest = permission.widest_release
    if widest not in TIERS or TIERS.index(tier) < TIERS.index(widest):
        yield PolicyRefusalError(
            f"figures of cohort {cohort} may not be in a release of tier {tier}",
            where=f"{key}, consent.widest_release",
            expected=f"{tier}, or a wider one",
            found=widest,
            remedy="leave the cohort out, or release in a narrower tier",
        )
    terms = dict(permission.terms)
    for ruling in rules.listed("refused_terms"):
        name = ruling.line.partition(".")[2]
        if name in terms:
            yield PolicyRefusalError(
                f"cohort {cohort} is under {letters_of_term(name)}, which tier {tier} cannot keep to",
                where=f"{key}, data_use",
                expected=f"none of refused_terms ({', '.join(ruling.by)})",
                remedy="leave the cohort out, or release in a narrower tier",
            )
    if as_of is None:
        return
    first_day = permission.embargo_until
    if first_day > as_of:
        yield PolicyRefusalError(
            f"figures of cohort {cohort} may not be published before {first_day}",
            where=f"{key}, legal.embargo_until",
            expected=f"{as_of} or earlier",
            found=first_day,
            remedy="wait, or leave the cohort out",
        )
    for name, last_day in permission.terms:
        if name == _MORATORIUM and last_day >= as_of:
            yield PolicyRefusalError(
                f"figures of cohort {cohort} may not be published up to {last_day}",
                where=f"{key}, data_use ({letters_of_term(name)})",
                expected=f"a day before {as_of}",
                found=last_day,
                remedy="wait, or leave the cohort out",
            )
    yield from _of_approvals(
        permission.approvals, f"cohort {cohort}", f"{key}, legal.approvals", as_of
    )


def withheld_groups(
    rules: EffectivePolicy,
    contributors: Sequence[Contributor],
    groups: Sequence[str],
    people: Sequence[int],
) -> dict[str, str]:
    """Find the groups that stay behind.

    Parameters
    ----------
    rules
        What holds.
    contributors
        The cohorts; may be empty where `rules` asks nothing of them.
    groups, people
        Names of the panel's groups, and how many people each has.

    Returns
    -------
    dict
        Why, by name of the group.
    """
    never = _never_shown(rules, groups, people)
    reasons: dict[str, str] = {}
    for name, n in zip(groups, people, strict=True):
        found = never.get(name) or _why_withheld(rules, contributors, name, n)
        if found:
            reasons[name] = found
    for name in groups:
        # What its populations add up to would be the country all the same.
        of_country = kind_of(name) is GroupKind.POPULATION and country_of(name) in reasons
        if of_country and name not in reasons:
            reasons[name] = f"{country_of(name)} is withheld"
    withheld = {g for g, name in enumerate(groups) if name in reasons}

    def risky(parent: int, shown: Sequence[int], rest: int) -> bool:
        fewest = rules.value(f"min_group_size.{kind_of(groups[shown[0]])}")
        cohorts = _cohorts_left(contributors, groups[parent], {groups[g] for g in shown})
        if 0 < rest < fewest or 1 < cohorts < rules.value("min_contributors"):
            return True
        left = [
            name
            for g, name in enumerate(groups)
            if g not in shown
            and people[g]
            and kind_of(name) is kind_of(groups[shown[0]])
            and (parent == 0 or country_of(name) == groups[parent])
        ]
        return len(left) == 1 and left[0] in never

    for g in kept_back(groups, people, withheld, risky):
        reasons[groups[g]] = _KEPT_BACK
    return {name: reasons[name] for name in groups if name in reasons}


def _never_shown(
    rules: EffectivePolicy, groups: Sequence[str], people: Sequence[int]
) -> dict[str, str]:
    """Find the populations that are never shown, and the countries that consist of such a one alone, with why."""
    asked = {each.line.partition(".")[2]: each.by for each in rules.listed(_NEVER)}
    never = {name: f"never shown ({', '.join(asked[name])})" for name in groups if name in asked}
    for country in groups:
        parts = [
            name
            for name, n in zip(groups, people, strict=True)
            if n and kind_of(name) is GroupKind.POPULATION and country_of(name) == country
        ]
        if len(parts) == 1 and parts[0] in never:
            never[country] = f"its people are {parts[0]} alone, {never[parts[0]]}"
    return never


def never_shown_elsewhere(rules: EffectivePolicy, groups: Sequence[str]) -> list[str]:
    """List the populations that are never shown of which the panel has nobody; one may be misspelt."""
    asked = (each.line.partition(".")[2] for each in rules.listed(_NEVER))
    return [name for name in asked if name not in groups]


def _cohorts_left(contributors: Sequence[Contributor], parent: str, shown: AbstractSet[str]) -> int:
    """Count the cohorts of the people who are in a group and in none of its shown parts."""
    return sum(
        any(parent in held and not held & shown for held in each.groups_of_cells)
        for each in contributors
    )


def _why_withheld(
    rules: EffectivePolicy, contributors: Sequence[Contributor], name: str, people: int
) -> str:
    kind = kind_of(name)
    shown = rules.ruling(f"groups.{kind}")
    if not shown.value:
        return f"no group of this kind is shown ({', '.join(shown.by)})"
    insiders = rules.ruling("insider_protection")
    if kind is GroupKind.SEX and insiders.value:
        # The panel does not know the sexes of each country, and so not what is left once it takes its own away.
        return f"XX and XY are not shown with insider_protection ({', '.join(insiders.by)})"
    fewest = rules.value(f"min_group_size.{kind}")
    if people < fewest:
        return f"fewer than {fewest} people"
    members = [each for each in contributors if name in each.groups]
    # Each of two can take its own figures away, and is left with those of the other.
    if 1 < len(members) < rules.value("min_contributors"):
        return f"fewer than {rules.value('min_contributors')} cohorts together"
    if kind is GroupKind.POPULATION:
        return _forbidden_by_terms(rules, contributors, country_of(name))
    return ""


def _forbidden_by_terms(
    rules: EffectivePolicy, contributors: Sequence[Contributor], country: str
) -> str:
    """Say under which terms no population of a country may be shown.

    It is those of all its cohorts: the populations of one are the country less those of the others.
    """
    barred = {each.line.partition(".")[2] for each in rules.listed("no_populations_under")}
    found = [
        f"{letters_of_term(term)} of cohort {each.cohort}"
        for each in sorted(contributors, key=lambda each: each.cohort)
        if each.country == country and each.permission is not None
        for term, _ in each.permission.terms
        if term in barred
    ]
    return ", ".join(dict.fromkeys(found))
