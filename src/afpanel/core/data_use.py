"""Terms of GA4GH's Data Use Ontology (DUO): what each is called, what value it needs, what contradicts.

The terms are those of DUO's release of 2021-02-23 that can be given to a data set.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

NO_RESTRICTION = "DUO:0000004"
ANCESTRY_ONLY = "DUO:0000011"
ANCESTRY_PROHIBITED = "DUO:0000044"


@dataclass(frozen=True)
class Term:
    """A term of DUO.

    Parameters
    ----------
    label, shorthand
        Its name, and the letters it is known by, as DUO gives them.
    permission
        Whether it is a permission; else it is a modifier of one.
    needs
        The value that it says nothing without, in words; empty where it takes none.
    """

    label: str
    shorthand: str
    permission: bool = False
    needs: str = ""


TERMS = {
    "DUO:0000004": Term("no restriction", "NRES", permission=True),
    "DUO:0000006": Term("health or medical or biomedical research", "HMB", permission=True),
    "DUO:0000007": Term(
        "disease specific research", "DS", permission=True, needs="the disease, as a term of MONDO"
    ),
    "DUO:0000011": Term("population origins or ancestry research only", "POA", permission=True),
    "DUO:0000012": Term("research specific restrictions", "RS", needs="the kind of research"),
    "DUO:0000015": Term("no general methods research", "NMDS"),
    "DUO:0000016": Term("genetic studies only", "GSO"),
    "DUO:0000018": Term("not for profit, non commercial use only", "NPUNCU"),
    "DUO:0000019": Term("publication required", "PUB"),
    "DUO:0000020": Term("collaboration required", "COL"),
    "DUO:0000021": Term("ethics approval required", "IRB"),
    "DUO:0000022": Term("geographical restriction", "GS", needs="the region"),
    "DUO:0000024": Term("publication moratorium", "MOR", needs="its last day, as YYYY-MM-DD"),
    "DUO:0000025": Term("time limit on use", "TS", needs="the number of months"),
    "DUO:0000026": Term("user specific restriction", "US", needs="the group of users"),
    "DUO:0000027": Term("project specific restriction", "PS", needs="the project"),
    "DUO:0000028": Term("institution specific restriction", "IS", needs="the institution"),
    "DUO:0000029": Term("return to database or resource", "RTN"),
    "DUO:0000042": Term("general research use", "GRU", permission=True),
    "DUO:0000043": Term("clinical care use", "CC"),
    "DUO:0000044": Term("population origins or ancestry research prohibited", "NPOA"),
    "DUO:0000045": Term("not for profit organisation use only", "NPU"),
    "DUO:0000046": Term("non-commercial use only", "NCU"),
}
"""Terms by identifier. Source: https://github.com/EBISPOT/DUO, `duo.csv`; `needs` is by their definitions."""


@dataclass(frozen=True)
class DataUseFault:
    """What is wrong with terms of use: the index of the term, or None of them all; what, and a remedy."""

    index: int | None
    what: str
    remedy: str
    found: str | None = None


def words_of_term(term: str, value: str = "", *, identified: bool = False) -> str:
    """Say a term in words: its name, the letters it is known by, and its value.

    Parameters
    ----------
    term
        Its identifier. One that is not known is said by that alone.
    value
        Its value; empty where it has none.
    identified
        Whether the identifier is said too.

    >>> words_of_term("DUO:0000042")
    'general research use (GRU)'
    >>> words_of_term("DUO:0000022", "Asia", identified=True)
    'geographical restriction (GS, DUO:0000022): Asia'
    """
    known = TERMS.get(term)
    if known is None:
        said = term
    elif identified:
        said = f"{known.label} ({known.shorthand}, {term})"
    else:
        said = f"{known.label} ({known.shorthand})"
    return f"{said}: {value}" if value else said


def letters_of_term(term: str) -> str:
    """Name a term by its identifier, and by its letters if it is known.

    >>> letters_of_term("DUO:0000042")
    'DUO:0000042 (GRU)'
    """
    return f"{term} ({TERMS[term].shorthand})" if term in TERMS else term


def faults_of_terms(given: Sequence[tuple[str, str]]) -> Iterator[DataUseFault]:
    """Find what is wrong with the terms of use of a data set.

    Parameters
    ----------
    given
        Identifier and value of each term; the value is empty where there is none.
    """
    for i, (name, value) in enumerate(given):
        term = TERMS.get(name)
        if term is None:
            yield DataUseFault(
                i,
                f"'{name}' is no term of DUO that can be given to data",
                f"take one of {', '.join(TERMS)}",
            )
            continue
        title = f"{name}, {term.label},"
        if name in [each for each, _ in given[:i]] and not term.needs:
            yield DataUseFault(i, f"{title} stands twice", "name it once")
        if term.needs and not value:
            yield DataUseFault(i, f"{title} needs a value", f"give under value: {term.needs}")
        elif value and not term.needs:
            yield DataUseFault(i, f"{title} takes no value", "leave value empty", value)
        elif value and not _fits(name, value):
            yield DataUseFault(
                i,
                f"{title} does not take this value",
                f"give under value: {term.needs}",
                found=value,
            )
    names = [name for name, _ in given]
    permissions = [name for name in names if name in TERMS and TERMS[name].permission]
    distinct = set(permissions)
    if len(distinct) != 1 and not set(names) - TERMS.keys():
        allowed = ", ".join(f"{name} ({t.label})" for name, t in TERMS.items() if t.permission)
        yield DataUseFault(
            None,
            f"{len(distinct) or 'no'} permission{'s' if len(distinct) > 1 else ''}",
            f"name one of {allowed}",
            found=", ".join(permissions) or None,
        )
    if NO_RESTRICTION in names and len(set(names)) > 1:
        yield DataUseFault(
            None, f"{NO_RESTRICTION}, no restriction, with others", "leave it, or the others, out"
        )
    if {ANCESTRY_ONLY, ANCESTRY_PROHIBITED} <= set(names):
        yield DataUseFault(
            None,
            f"{ANCESTRY_ONLY} allows research on ancestry alone, {ANCESTRY_PROHIBITED} prohibits it",
            "leave one of them out",
        )


def _fits(name: str, value: str) -> bool:
    """Tell whether a value is of the form that its term takes; most take words."""
    if name == "DUO:0000007":
        return re.fullmatch(r"MONDO:[0-9]{7}", value) is not None
    if name == "DUO:0000025":
        return re.fullmatch(r"[1-9][0-9]*", value) is not None
    if name == "DUO:0000024":
        return is_date(value)
    return True


def is_date(text: str) -> bool:
    """Tell whether a text is a day of the calendar, as YYYY-MM-DD.

    >>> is_date("2026-02-28"), is_date("2026-02-30"), is_date("20260228")
    (True, False, False)
    """
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
