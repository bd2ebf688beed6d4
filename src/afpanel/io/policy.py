"""Policy files, YAML, in both forms: two limits for everybody, or rules by tier and country.

A file that is not laid out as its schema says is bad input. One that leaves a rule open is refused as a
policy: what is not said is not allowed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from afpanel.core.data_use import TERMS
from afpanel.core.policy import (
    Approval,
    CountryRules,
    DisclosurePolicy,
    Rules,
    Statistic,
    missing_rules,
)
from afpanel.errors import AfpanelError, BadInputError, PolicyRefusalError
from afpanel.io.schemas import days_as_text, faults_of
from afpanel.io.tables import raise_any, read_policy, read_yaml
from afpanel.model.groups import GroupKind

_SCHEMA = "tiered_policy"
_TIERED_KEYS = frozenset({"tier", "tiers", "countries"})
_OF_COUNTRY = ("verified", "review_by", "approvals", "tiers")


def read_disclosure_policy(path: Path) -> DisclosurePolicy:
    """Read a policy file of either form.

    Raises
    ------
    BadInputError
        If it is not laid out as its schema says, with every fault.
    PolicyRefusalError
        If its form is good and a rule is missing, a tier or a country's day of review; all of them are named.
    """
    content = read_yaml(path)
    if not isinstance(content, dict) or not _TIERED_KEYS & content.keys():
        limits = read_policy(path)
        rules = Rules.simple(limits.min_group_size, limits.min_allele_count)
        return DisclosurePolicy(rules, description=limits.description)
    document = days_as_text(content)
    faults: list[AfpanelError] = [*faults_of(document, _SCHEMA, str(path))]
    raise_any(faults or [*_faults_of_rules(document, path)])
    raise_any([*_missing(document, path)])
    tier = document["tier"]
    return DisclosurePolicy(
        Rules.of(f"tier {tier}", document["tiers"][tier]),
        tier,
        {name: _country(name, said) for name, said in document["countries"].items()},
        document.get("description", "").strip(),
        {
            name: Rules.of(f"tier {name}", section)
            for name, section in document["tiers"].items()
            if name != tier
        },
    )


def _country(name: str, said: Mapping[str, Any]) -> CountryRules:
    return CountryRules(
        verified=said["verified"],
        review_by=said["review_by"],
        approvals=tuple(Approval.of(each) for each in said["approvals"]),
        tiers={
            tier: Rules.of(f"country {name}", section) for tier, section in said["tiers"].items()
        },
    )


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Go through all sections of rules, by key."""
    for tier, section in document["tiers"].items():
        yield f"tiers.{tier}", section
    for name, country in document["countries"].items():
        for tier, section in country.get("tiers", {}).items():
            yield f"countries.{name}.tiers.{tier}", section


def _faults_of_rules(document: Mapping[str, Any], path: Path) -> Iterator[BadInputError]:
    """Find rules that contradict each other, and terms that there are not."""
    for key, section in _sections(document):
        where = f"{path}, {key}"
        for rule in sorted({*section} & {*section.get("as_tier", ())}):
            yield BadInputError(
                f"{rule} is given, and listed under as_tier too",
                where=where,
                remedy="leave one of them out",
            )
        groups = section.get("groups", ())
        if GroupKind.POPULATION in groups and GroupKind.COUNTRY not in groups:
            yield BadInputError(
                "populations without countries, which they add up to",
                where=f"{where}.groups",
                remedy="add country, or leave population out",
            )
        statistics = section.get("statistics", ())
        lacking = sorted({Statistic.NHOMALT, Statistic.NHEMIALT} - {*statistics})
        if Statistic.HARDY_WEINBERG in statistics and lacking:
            yield BadInputError(
                f"hardy_weinberg without {' and '.join(lacking)}, which can be worked out of it",
                where=f"{where}.statistics",
                remedy=f"add {' and '.join(lacking)}, or leave hardy_weinberg out",
            )
        for rule in ("no_populations_under", "refused_terms"):
            for name in section.get(rule, ()):
                if name not in TERMS:
                    yield BadInputError(
                        f"'{name}' is no term of DUO that can be given to data",
                        where=f"{where}.{rule}",
                        remedy="take one of those that docs/metadata.md lists",
                    )


def _missing(document: Mapping[str, Any], path: Path) -> Iterator[PolicyRefusalError]:
    """Find everything that a policy must say and does not."""

    def refusal(key: str, remedy: str) -> PolicyRefusalError:
        where = f"{path}, {key}"
        return PolicyRefusalError("nothing is said of it", where=where, remedy=remedy)

    tier = document["tier"]
    if tier not in document["tiers"]:
        yield refusal(f"tiers.{tier}", "give the rules of the tier that is to be released")
    for name, country in document["countries"].items():
        for key in _OF_COUNTRY:
            if key not in country:
                remedy = f"ask whoever answers for the data of {name} (docs/policies.md)"
                yield refusal(f"countries.{name}.{key}", remedy)
    for key, section in _sections(document):
        for rule in missing_rules(section, section.get("as_tier", ())):
            of_country = key.startswith("countries.")
            remedy = "give a value, or list it under as_tier" if of_country else "give a value"
            yield refusal(f"{key}.{rule}", remedy)
