"""Metadata of a cohort beside the tables that name it, and as a page."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from afpanel.core.data_use import TERMS, words_of_term
from afpanel.errors import AfpanelError, BadInputError, FaultsError
from afpanel.io.metadata import examine_metadata
from afpanel.io.tables import raise_any, read_samples
from afpanel.model.cohort import Cohort, Sample

_WIDTH = 100
_NOT_GIVEN = "not given"


def check_files(paths: Sequence[Path], sheet: Path | None) -> None:
    """Check files of metadata, each by itself, and against the sample sheet if there is one.

    Raises
    ------
    FaultsError
        With every fault of every file, if there are several.
    """
    faults: list[AfpanelError] = []
    samples: Sequence[Sample] = ()
    if sheet is not None:
        try:
            samples = read_samples(sheet)
        except AfpanelError as fault:
            faults.extend(_faults_in(fault))
    for path in paths:
        try:
            check_metadata(path, samples)
        except AfpanelError as fault:
            faults.extend(_faults_in(fault))
    raise_any(faults)


def _faults_in(fault: AfpanelError) -> list[AfpanelError]:
    return list(fault.faults) if isinstance(fault, FaultsError) else [fault]


def check_metadata(
    path: Path, samples: Sequence[Sample], cohort: Cohort | None = None
) -> dict[str, Any]:
    """Read a cohort's metadata, and check that it says what the tables say.

    Parameters
    ----------
    path
        The metadata.
    samples
        The cohort's sample sheet: its labels must be those described. Empty if it is not known.
    cohort
        Its row in the table of cohorts: country and build must be the same. None if it is not known.

    Returns
    -------
    dict
        As `read_metadata` gives it.

    Raises
    ------
    FaultsError
        With every fault that was found, if there are several.
    """
    document, faults = examine_metadata(path)
    faulty = [str(fault.where) for fault in faults]
    if cohort is not None:
        said = {
            "cohort.country": (document["cohort"]["country"], cohort.country),
            "calling.build": (document["calling"]["build"], cohort.build),
        }
        faults.extend(
            BadInputError(
                f"not the {key.partition('.')[2]} of cohort {cohort.name}",
                where=f"{path}, {key}",
                expected=f"{expected}, as in the cohorts table",
                found=found,
                remedy="correct one of them, or name the metadata of this cohort",
            )
            for key, (found, expected) in said.items()
            if found not in ("", expected) and f"{path}, {key}" not in faulty
        )
    if samples and not any(where.startswith(f"{path}, populations") for where in faulty):
        faults.extend(_labels(document, samples, path))
    raise_any(faults)
    return document


def _labels(
    document: dict[str, Any], samples: Sequence[Sample], path: Path
) -> Iterator[BadInputError]:
    """Find labels of people who are counted that are not described, and others that nobody has."""
    described = [each["label"] for each in document["populations"]]
    where = f"{path}, populations"
    missing = sorted({sample.population for sample in samples if sample.include} - {*described})
    if missing:
        yield BadInputError(
            f"does not describe {', '.join(missing)}",
            where=where,
            expected="every label of the sample sheet",
            found=", ".join(described),
            remedy="describe them, or correct the labels",
        )
    unused = sorted({*described} - {sample.population for sample in samples})
    if unused:
        yield BadInputError(
            f"describes {', '.join(unused)}, which nobody in the sample sheet has",
            where=where,
            expected="labels of the sample sheet alone",
            remedy="take them out, or correct the labels",
        )


def page_of(document: dict[str, Any]) -> str:
    """Lay metadata out as a page of plain text, for who decides about the data.

    Parameters
    ----------
    document
        As `read_metadata` gives it.

    Returns
    -------
    str
        All keys in the schema's order, by section; what was not given says so.
    """
    title = document["cohort"]["title"]
    lines = [*textwrap.wrap(title, _WIDTH), "=" * min(len(title), _WIDTH)]
    for section, content in document.items():
        if not isinstance(content, (dict, list)):
            continue  # the version of the form is no fact about the cohort
        heading = _words(section).capitalize()
        lines.extend(("", heading, "-" * len(heading)))
        lines.extend(_rows(content, ""))
    return "\n".join(lines) + "\n"


def _words(key: str) -> str:
    return key.replace("_", " ")


def _rows(content: dict[str, Any] | list[Any], indent: str) -> Iterator[str]:
    """Lay out a section, or each entry of a list, as keys and values in two columns."""
    if isinstance(content, list):
        for n, entry in enumerate(content, 1):
            number = f"{n}. "
            rows = list(_rows(_explained(entry), indent + " " * len(number)))
            yield f"{indent}{number}{rows[0].lstrip()}"
            yield from rows[1:]
        return
    width = max(len(_words(key)) for key in content) + 2
    for key, value in content.items():
        if value and isinstance(value, list) and isinstance(value[0], dict):
            yield f"{indent}{_words(key)}"
            yield from _rows(value, indent + "  ")
            continue
        text = ", ".join(value) if isinstance(value, list) else value
        shown = _NOT_GIVEN if text in (None, "") else str(text)
        yield from textwrap.wrap(
            shown,
            _WIDTH,
            initial_indent=f"{indent}{_words(key):<{width}}",
            subsequent_indent=indent + " " * width,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _explained(entry: dict[str, Any]) -> dict[str, Any]:
    """Add to a term of use what it is called; leave out the value of one that takes none."""
    if "term" not in entry:
        return entry
    term = TERMS[entry["term"]]
    explained = {"term": f"{entry['term']}  {words_of_term(entry['term'])}"}
    return explained | ({"value": entry["value"]} if term.needs else {})
