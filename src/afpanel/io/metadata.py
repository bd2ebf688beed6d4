"""Metadata of a cohort, YAML: reading it, and finding all that is wrong with it.

The schema is the one description of every key; what is here relates keys to one another.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from afpanel.constants import BUILD_ALIASES
from afpanel.core.data_use import faults_of_terms, is_date
from afpanel.errors import BadInputError
from afpanel.io.schemas import faults_of, load_schema, with_defaults
from afpanel.io.tables import canonical_build, raise_any, read_yaml
from afpanel.model.groups import RESERVED_NAMES

BUILDS = (*dict.fromkeys(BUILD_ALIASES.values()), "T2T-CHM13v2.0")
"""Genome builds whose names are known."""

_SCHEMA = "metadata"
_TERM = re.compile("DUO:[0-9]{7}")
# It begins where a word does: else a long word without an @ is gone through from each of its letters.
_MAILBOX = re.compile(r"(?<![^\s@<>])[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")


def read_metadata(path: Path) -> dict[str, Any]:
    """Read metadata, check it, and fill in the defaults.

    Returns
    -------
    dict
        All keys of the schema, in its order; what was not given has its default. Days are text, and
        the build has its one name.

    Raises
    ------
    FaultsError
        With every fault that was found, if there are several.
    """
    document, faults = examine_metadata(path)
    raise_any(faults)
    return document


def examine_metadata(path: Path) -> tuple[dict[str, Any], list[BadInputError]]:
    """Read metadata as `read_metadata` does, and list what is wrong instead of raising it.

    Returns
    -------
    document
        Where there are faults it still has every key: with '' for text that is missing or is none,
        None for other values, and lists without what is no entry.
    faults
        All that is wrong with the file by itself.

    Raises
    ------
    BadInputError
        If the file cannot be read as keys and values at all.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise BadInputError(
            "holds no keys",
            where=path,
            expected="a mapping of keys to values",
            remedy="begin with the form that afpanel metadata init writes",
        )
    return examine_document(content, str(path))


def examine_document(
    content: dict[str, Any], where: str, most: int | None = None
) -> tuple[dict[str, Any], list[BadInputError]]:
    """Do the same with metadata that have been read, called `where` in messages.

    After `most` faults of form, if that is not None, no more of them are looked for.
    """
    given = _given(content, load_schema(_SCHEMA))
    faults = faults_of(given, _SCHEMA, where, most)
    faults.extend(_mailboxes(given, where, ""))
    # Keys are related to one another where each of them is good.
    faulty = {fault.where for fault in faults}
    document = _lenient(given) if faults else with_defaults(given, _SCHEMA)
    faults.extend(fault for fault in _across(document, where) if fault.where not in faulty)
    document["calling"]["build"] = canonical_build(document["calling"]["build"])
    return document, faults


def _given(value: Any, described: dict[str, Any]) -> Any:
    """Leave out known keys without a value, so that they count as not given; make days text."""
    if isinstance(value, dict):
        known = described.get("properties", {})
        kept = {key: _given(each, known.get(key, {})) for key, each in value.items()}
        return {k: v for k, v in kept.items() if k not in known or v not in (None, "", [])}
    if isinstance(value, list):
        return [_given(each, described.get("items", {})) for each in value]
    if isinstance(value, date):
        return value.isoformat()
    return value.strip() if isinstance(value, str) else value


def _lenient(document: dict[str, Any]) -> dict[str, Any]:
    """Take of a faulty document what has the form of the schema, with '' for all other text."""

    def take(value: Any, described: dict[str, Any]) -> Any:
        kind = described.get("type", "string")
        if kind == "object":
            given = value if isinstance(value, dict) else {}
            return {k: take(given.get(k), d) for k, d in described["properties"].items()}
        if kind == "array":
            listed = value if isinstance(value, list) else []
            return [take(each, described["items"]) for each in listed]
        if kind == "string":
            return value if isinstance(value, str) else ""
        return value

    taken: dict[str, Any] = take(document, load_schema(_SCHEMA))
    return taken


def _mailboxes(value: Any, where: str, key: str) -> Iterator[BadInputError]:
    """Find mail addresses in other places than the one for them: they are likely to be of people."""
    inner: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    elif isinstance(value, str) and key != "contact.address":
        for found in _MAILBOX.findall(value):
            yield BadInputError(
                "a mail address",
                where=f"{where}, {key}",
                expected="no personal data",
                found=found,
                remedy="take it out; the mailbox of the role that answers goes under contact.address",
            )
    for name, each in inner:
        yield from _mailboxes(each, where, f"{key}.{name}".lstrip("."))


def _across(document: dict[str, Any], where: str) -> Iterator[BadInputError]:
    """Find what does not fit together, of keys that are each good."""

    def fault(key: str, what: str, **more: Any) -> BadInputError:
        return BadInputError(what, where=f"{where}, {key}", **more)

    build = document["calling"]["build"]
    if build and canonical_build(build) not in BUILDS:
        yield fault(
            "calling.build",
            f"unknown genome build '{build}'",
            expected=f"one of {', '.join(BUILDS)}",
            found=build,
            remedy="write it as in the cohorts table",
        )
    sequencing = document["sequencing"]
    if sequencing["assay"] in ("WGS", "WES") and sequencing["depth"] is None:
        yield fault(
            "sequencing.depth",
            f"missing, though the assay is {sequencing['assay']}",
            expected="mean depth over people",
            remedy="write, for example, 31.5",
        )
    yield from _order_of_days(document, fault)
    terms = [(each["term"], each["value"]) for each in document["data_use"]]
    if terms and all(_TERM.fullmatch(name) for name, _ in terms):
        for wrong in faults_of_terms(terms):
            key = "data_use" if wrong.index is None else f"data_use.{wrong.index}"
            yield fault(key, wrong.what, found=wrong.found, remedy=wrong.remedy)
    relatedness = document["relatedness"]
    if relatedness["handling"] == "removed" and not relatedness["method"]:
        yield fault(
            "relatedness.method",
            "missing, though relatives were removed",
            expected="how they were found, and up to which degree",
            remedy="say it, or write unknown under relatedness.handling",
        )
    yield from _labels(document["populations"], fault)


def _order_of_days(document: dict[str, Any], fault: Any) -> Iterator[BadInputError]:
    """Find days and months that come before those they should follow."""
    people, issued = document["people"], document["cohort"]["issued"]
    pairs = [("people.recruited_to", people["recruited_from"], people["recruited_to"])]
    if all(not day or is_date(day) for day in (issued, document["legal"]["embargo_until"])):
        pairs.append(("legal.embargo_until", issued, document["legal"]["embargo_until"]))
    for i, approval in enumerate(document["legal"]["approvals"]):
        if is_date(approval["approved"]) and is_date(approval["expires"]):
            pairs.append(
                (f"legal.approvals.{i}.expires", approval["approved"], approval["expires"])
            )
    follows = {"people.recruited_to": "recruited_from", "legal.embargo_until": "cohort.issued"}
    for key, first, last in pairs:
        shorter = min(len(first), len(last))  # a year is compared with a month by its year
        if last[:shorter] < first[:shorter]:
            yield fault(
                key,
                f"is before {follows.get(key, 'approved')}",
                expected=f"{first} or later",
                found=last,
                remedy="correct one of them",
            )


def _labels(populations: list[dict[str, Any]], fault: Any) -> Iterator[BadInputError]:
    """Find labels that stand twice or cannot be used, and ways of labelling that say too little."""
    times = Counter(each["label"] for each in populations if each["label"])
    for i, each in enumerate(populations):
        label, assignment = each["label"], each["assignment"]
        if times[label] > 1:
            del times[label]  # said once
            yield fault(
                "populations", f"label '{label}' is described twice", remedy="describe it once"
            )
        if label.upper() in RESERVED_NAMES:
            yield fault(
                f"populations.{i}.label",
                f"'{label}' would be taken for something else in the names of figures",
                expected=f"none of {', '.join(sorted(RESERVED_NAMES))}",
                remedy="rename the population, in the sample sheet too",
            )
        if assignment in ("genetic", "other") and not each["method"]:
            yield fault(
                f"populations.{i}.method",
                f"missing, though assignment is {assignment}",
                expected="how people were given the label",
                remedy="say by what data and rule",
            )
