"""Rules of disclosure as data: a tier's, a country's, and the strictest of both for a release.

A rule is taken apart into lines, each of which has one value: a limit, or whether something is so. Of every
line it is known which way is stricter, so that the rules of many countries come together line by line, and
each line of the outcome can name those who asked for it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from afpanel.errors import PolicyRefusalError
from afpanel.model.groups import GroupKind

TIERS = ("open", "registered", "controlled")
"""Kinds of access to a release, the widest first."""


class Statistic(StrEnum):
    """What a policy can withhold of every group, beside AC, AN and what follows from these two."""

    NHOMALT = "nhomalt"
    NHEMIALT = "nhemialt"
    HARDY_WEINBERG = "hardy_weinberg"
    RAW = "raw"


Lines = Mapping[str, int]
"""Values by the name of the line, as ``min_group_size.country``; those of yes or no are bool."""


def _number(rule: str, value: int) -> dict[str, int]:
    return {rule: value}


def _by_kind(rule: str, value: Mapping[str, int]) -> dict[str, int]:
    return {f"{rule}.{kind}": value[kind] for kind in GroupKind if kind in value}


def _among(all_of: Iterable[str]) -> Callable[[str, Sequence[str]], dict[str, int]]:
    names = tuple(all_of)
    return lambda rule, value: {f"{rule}.{name}": name in value for name in names}


def _among_two(stricter: str) -> Callable[[str, str], dict[str, int]]:
    return lambda rule, value: {f"{rule}.{stricter}": value == stricter}


def _listed(rule: str, value: Sequence[str]) -> dict[str, int]:
    return {f"{rule}.{name}": True for name in value}


class Side(StrEnum):
    """Copies that may not be few."""

    ALT = "alt"
    OTHER = "other"


RULES: Mapping[str, Callable[[str, Any], dict[str, int]]] = {
    "min_group_size": _by_kind,
    "min_allele_count": _number,
    "sides": _among(Side),
    "zeros": _among_two("masked"),
    "min_genotype_count": _number,
    "min_contributors": _number,
    "insider_protection": _number,
    "groups": _among(GroupKind),
    "statistics": _among(Statistic),
    "populations_never_shown": _listed,
    "no_populations_under": _listed,
    "refused_terms": _listed,
    "verified_only": _number,
}
"""Every rule, and how its value is taken apart into lines."""

_FALSE_IS_STRICTER = ("groups.", "statistics.")


def stricter(line: str, values: Iterable[int]) -> int:
    """Choose the strictest of some values of a line.

    A limit is stricter the higher it is. What is allowed is stricter if it is not; what is forbidden, if it is.

    >>> stricter("min_allele_count", [5, 11]), stricter("groups.population", [True, False])
    (11, False)
    """
    return min(values) if line.startswith(_FALSE_IS_STRICTER) else max(values)


@dataclass(frozen=True)
class Rules:
    """What one party asks for.

    Parameters
    ----------
    asked_by
        Whose rules they are, as ``country VN``.
    lines
        Their values, by line.
    """

    asked_by: str
    lines: Lines

    @classmethod
    def of(cls, asked_by: str, section: Mapping[str, Any]) -> "Rules":
        """Take them from a section of a policy file; keys that are no rules are passed over."""
        lines: dict[str, int] = {}
        for rule, take_apart in RULES.items():
            if rule in section:
                lines |= take_apart(rule, section[rule])
        return cls(asked_by, lines)

    @classmethod
    def simple(cls, min_group_size: int, min_allele_count: int) -> "Rules":
        """Make those of a policy of two limits, which forbids nothing else."""
        return cls.of(
            "policy",
            {
                "min_group_size": dict.fromkeys(GroupKind, min_group_size),
                "min_allele_count": min_allele_count,
                "sides": tuple(Side),
                "zeros": "shown",
                "min_genotype_count": 0,
                "min_contributors": 0,
                "insider_protection": False,
                "groups": tuple(GroupKind),
                "statistics": tuple(Statistic),
                "verified_only": False,
            },
        )


@dataclass(frozen=True)
class Approval:
    """Approval by a committee or an authority; days are ``YYYY-MM-DD``, and `expires` may be empty."""

    body: str
    reference: str
    approved: str
    expires: str = ""

    @classmethod
    def of(cls, entry: Mapping[str, str]) -> "Approval":
        """Take it from an entry of a list of approvals."""
        return cls(entry["body"], entry["reference"], entry["approved"], entry.get("expires", ""))


@dataclass(frozen=True)
class CountryRules:
    """What a country asks for.

    Parameters
    ----------
    verified
        Whether somebody who answers for the country has confirmed its rules.
    review_by
        Last day on which they hold without being looked at again, ``YYYY-MM-DD``.
    approvals
        Those that the country needs for its figures to be in a release.
    tiers
        Its rules for each tier that it agrees to.
    """

    verified: bool
    review_by: str
    approvals: tuple[Approval, ...]
    tiers: Mapping[str, Rules]


@dataclass(frozen=True)
class DisclosurePolicy:
    """What a policy file says.

    Parameters
    ----------
    rules
        Those of the tier, or of a policy of two limits.
    tier
        Tier of the release; empty for a policy of two limits, which asks nothing of countries or cohorts.
    countries
        What each country asks for.
    description
        What the policy is for, in words.
    """

    rules: Rules
    tier: str = ""
    countries: Mapping[str, CountryRules] = field(default_factory=dict)
    description: str = ""

    def without_rules(self, countries: Iterable[str]) -> list[str]:
        """List the countries, among some, that have no rules for the tier."""
        return sorted(
            country
            for country in {*countries}
            if self.tier
            and (country not in self.countries or self.tier not in self.countries[country].tiers)
        )


@dataclass(frozen=True)
class Ruling:
    """A line of the policy that holds: its value, and those who asked for it."""

    line: str
    value: int
    by: tuple[str, ...]


@dataclass(frozen=True)
class EffectivePolicy:
    """What holds for a release.

    Parameters
    ----------
    rulings
        Every line, in order of name.
    """

    rulings: tuple[Ruling, ...]

    @cached_property
    def _by_line(self) -> dict[str, Ruling]:
        return {ruling.line: ruling for ruling in self.rulings}

    def ruling(self, line: str) -> Ruling:
        """Look up a line."""
        return self._by_line[line]

    def value(self, line: str) -> int:
        """Look up the value of a line."""
        return self._by_line[line].value

    def listed(self, rule: str) -> Iterator[Ruling]:
        """Go through the lines of a rule that lists terms."""
        yield from (each for each in self.rulings if each.line.startswith(f"{rule}."))

    @property
    def min_allele_count(self) -> int:
        """Fewest copies of an allele, ALT or not, that a cell may show unless it shows none."""
        return self.value("min_allele_count")

    @property
    def min_group_size(self) -> int:
        """Fewest people that a group of whatever kind may have."""
        shown = [kind for kind in GroupKind if self.value(f"groups.{kind}")]
        return min((self.value(f"min_group_size.{kind}") for kind in shown), default=0)

    def describe(self) -> list[dict[str, Any]]:
        """Lay the lines out for a decision: rule, value, by whom."""
        return [{"rule": r.line, "value": r.value, "by": list(r.by)} for r in self.rulings]


def strictest(asked: Sequence[Rules]) -> EffectivePolicy:
    """Take the strictest value of every line of some rules.

    Who comes twice is counted once, and the order makes no difference.
    """
    names = sorted({line for rules in asked for line in rules.lines})
    rulings = []
    for line in names:
        given = [(rules.asked_by, rules.lines[line]) for rules in asked if line in rules.lines]
        value = stricter(line, (each for _, each in given))
        by = sorted({name for name, each in given if each == value})
        rulings.append(Ruling(line, value, tuple(by)))
    return EffectivePolicy(tuple(rulings))


def effective(policy: DisclosurePolicy, countries: Iterable[str]) -> EffectivePolicy:
    """Work out what holds for a release with figures of some countries.

    The rules of a country hold for the whole release, and not for its own groups alone: what is shown of
    the others, and of the total, is what its figures could be worked out from.

    Raises
    ------
    PolicyRefusalError
        If a country has no rules for the tier.
    """
    names = sorted({*countries})
    lacking = policy.without_rules(names)
    if lacking:
        raise PolicyRefusalError(f"no rules of {', '.join(lacking)} for tier {policy.tier}")
    asked = [policy.countries[name].tiers[policy.tier] for name in names] if policy.tier else []
    return strictest([policy.rules, *asked])


def missing_rules(section: Mapping[str, Any], as_tier: Sequence[str] = ()) -> list[str]:
    """List the rules of which a section of a policy file says nothing.

    Parameters
    ----------
    section
        Rules of a tier, or of a country for a tier.
    as_tier
        Rules for which a country goes with the tier.

    Returns
    -------
    list of str
        Rules; of sizes of groups each kind by itself, as ``min_group_size.sex``.
    """
    missing = [rule for rule in RULES if rule not in section and rule not in as_tier]
    sizes = section.get("min_group_size")
    if sizes is not None:
        missing += [f"min_group_size.{kind}" for kind in GroupKind if kind not in sizes]
    return missing
