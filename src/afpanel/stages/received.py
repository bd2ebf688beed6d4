"""The documents in a contribution, read as what they are until they are checked: anybody's text."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from afpanel import __version__
from afpanel.constants import Sex
from afpanel.core.counting import GenotypeFilter
from afpanel.errors import BadInputError, VerificationError
from afpanel.io.files import json_text
from afpanel.io.metadata import examine_document
from afpanel.io.schemas import faults_of
from afpanel.model.groups import RESERVED_NAMES
from afpanel.stages.cell_counts import CountsHead
from afpanel.stages.contribution import (
    CONTRIBUTION_VERSION,
    HARMONIZATION,
    LINKAGE,
    MANIFEST,
    METADATA,
    README,
    counts_parts,
    head_of,
)
from afpanel.stages.contribution_pages import readme_of
from afpanel.stages.harmonize import kept_and_rejected
from afpanel.stages.linkage_summary import faults_of_linkage, impossible, summary_of

MAX_MANIFEST = 16 << 20
"""Most bytes of a manifest that are read: enough for 3,000 contigs and 60 cells."""

MAX_DOCUMENT = 1 << 20
"""Most bytes of another document."""

_MAX_FAULTS = 10
_MAX_SHOWN = 2_000
_TOO_DEEP = b"\n" + b" " * 65  # json_text has two spaces for each level
_PATH = re.compile(r"(?<![\w/:.~])(~?/[\w.-]+){2,}|\b[A-Za-z]:\\|file://")
"""What looks like a path on some machine; not a URL, nor "and/or"."""


def read_manifest(raw: bytes) -> tuple[dict[str, Any], str]:
    """Read a manifest; gives it with its SHA-256.

    Raises
    ------
    VerificationError
        If it is not laid out as afpanel lays it out, or says what no manifest says.
    """
    manifest = _parse(raw, MANIFEST)
    found = manifest.get("contribution_version") if isinstance(manifest, dict) else None
    if found != CONTRIBUTION_VERSION:
        raise VerificationError(
            "not a manifest that this version reads",
            where=MANIFEST,
            expected=f"contribution_version {CONTRIBUTION_VERSION}",
            found=str(found)[:50],
            remedy="use the version of afpanel that made it, or ask for it in this format",
        )
    _expect(manifest, "contribution", MANIFEST)
    cells = len(manifest["cells"])
    for part in counts_parts(manifest):
        if any(len(part[name]) != cells for name in ("allele_count", "allele_number")):
            raise VerificationError(
                f"sums of {part['contig']} are not those of the {cells:,} cells", where=MANIFEST
            )
    digest = hashlib.sha256(raw).hexdigest()
    return manifest, digest


def parse_part(path: Path, name: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Read metadata, linkage or the account of harmonization, and hold it against the manifest."""
    raw = path.read_bytes()
    if name == METADATA:
        return parse_metadata(raw, manifest, name)
    document: dict[str, Any] = _parse(raw, name)
    if name == LINKAGE:
        _check_linkage(document, manifest)
        return document
    _expect(document, "harmonization", name)
    _check_harmonization(document, manifest)
    return document


def parse_metadata(raw: bytes, manifest: Mapping[str, Any], name: str = METADATA) -> dict[str, Any]:
    """Read metadata with their defaults, and hold them against the manifest.

    Raises
    ------
    VerificationError
        If they have a fault, or are of others than the manifest.
    """
    return _checked_metadata(_parse(raw, name), manifest, name)


def check_readme(raw: bytes, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Hold the page in a contribution against the one that this version would write.

    Yields
    ------
    str
        What is to be told of a page that another version wrote.

    Raises
    ------
    VerificationError
        If this version wrote it and it says something else, or if it is no plain text.
    """
    if raw == readme_of(manifest).encode():
        return
    if manifest["software"]["afpanel"] == __version__:
        raise VerificationError(
            "is not the page that afpanel writes",
            where=README,
            remedy="do not edit it; package again",
        )
    if not all(byte == ord("\n") or ord(" ") <= byte <= ord("~") for byte in raw):
        raise VerificationError("is not plain text", where=README)
    yield "is the page of another version of afpanel: read it before anybody else does"


def faults_of_cells(head: CountsHead, sharing: Mapping[str, Any]) -> Iterator[str]:
    """Find what cannot be of a cohort's cells, or is against what the programme says that it shares."""
    names = [(cell.population, cell.sex) for cell in head.cells]
    withheld = list(head.withheld)
    if names != sorted(set(names)) or set(names) & set(withheld):
        yield "the cells are not in order, or named twice"
    if withheld != sorted(set(withheld)):
        yield "the cells that are withheld are not in order, or named twice"
    for population in sorted({population for population, _ in names + withheld}):
        if population.upper() in RESERVED_NAMES:
            yield f"population {population} would be taken for something else in names of figures"
    for cell in head.cells:
        own = cell.people_by_sex[list(Sex).index(cell.sex)]
        if cell.people == 0:
            yield f"cell {cell.population} {cell.sex} has no people"
        if sharing["sexes"] and own != cell.people:
            yield f"cell {cell.population} {cell.sex} has people of other sexes"
        if cell.people < sharing["min_cell_size"]:
            yield f"cell {cell.population} {cell.sex} has fewer people than sharing.min_cell_size"
    if not sharing["sexes"] and any(sex is not Sex.UNKNOWN for _, sex in names + withheld):
        yield "sexes are told apart, though sharing.sexes says that they are not"
    if withheld and sharing["everybody"]:
        yield "cells are withheld, though sharing.everybody says that all are told of"
    hides = not sharing["everybody"] or sharing["min_allele_count"] > 1
    if hides and not head.has_missing:
        yield "has_missing is false, though sharing says that counts are kept back"


def _parse(raw: bytes, name: str) -> Any:
    """Parse JSON that must be laid out in the one way that this project has."""
    if _TOO_DEEP in raw:
        raise VerificationError("is nested too deeply", where=name)
    try:
        document = json.loads(raw.decode("utf-8"), parse_constant=_no_number)
        same = json_text(document).encode() == raw
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"not JSON: {error}", where=name) from error
    if not same:
        raise VerificationError(
            "is not laid out as afpanel lays it out",
            where=name,
            expected="every key once, in the layout of afpanel package",
            remedy="do not edit it; package again",
        )
    return document


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _expect(document: Any, schema: str, name: str) -> None:
    if not isinstance(document, dict):
        raise VerificationError("holds no keys", where=name)
    _refuse(faults_of(document, schema, name, _MAX_FAULTS), name)


def _refuse(faults: Sequence[BadInputError], name: str) -> None:
    """Raise the faults of a document, if there are any, at no great length."""
    if faults:
        listed = "\n".join(f"- {str(fault)[:_MAX_SHOWN]}" for fault in faults[:_MAX_FAULTS])
        raise VerificationError(f"is not as it should be:\n{listed}", where=name)


def _check_harmonization(document: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
    """Hold the account of harmonization against what was made of the alleles."""
    if document["cohort"] != manifest["cohort"]:
        raise VerificationError(f"is of another cohort, {document['cohort']}", where=HARMONIZATION)
    if document["lift"] != manifest["source"]["lift"]:
        raise VerificationError(
            "says otherwise than the manifest how it was lifted", where=HARMONIZATION
        )
    wanted = GenotypeFilter.of(manifest["parameters"]["genotypes"])
    lacking = wanted.not_applied(document["genotypes"].get("fields", {}))
    if lacking != manifest["source"]["thresholds_not_applied"]:
        raise VerificationError(
            "says otherwise than the manifest which thresholds do not apply", where=HARMONIZATION
        )
    kept, _ = kept_and_rejected(document["outcomes"])
    added = sum(n for name, n in document["outcomes"].items() if "new_reference" in name)
    variants = sum(part["variants"] for part in counts_parts(manifest))
    if variants > kept + added:
        raise VerificationError(
            "there are more variants than alleles were kept",
            where=HARMONIZATION,
            expected=f"at most {kept + added:,}",
            found=f"{variants:,}",
        )


def _check_linkage(document: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
    """Hold a linkage summary against its schema, itself and the manifest."""
    _expect(document, "linkage", LINKAGE)
    faults = [*impossible(document)]
    summary = summary_of(document)
    faults += faults_of_linkage(summary, manifest)
    variants = sum(part["variants"] for part in counts_parts(manifest))
    for each in summary.populations:
        if max(one.variants for one in each.classes) > variants:
            faults.append(
                f"{each.population} has more variants than the {variants:,} of the counts"
            )
    if faults:
        listed = "; ".join(faults[:_MAX_FAULTS])[:_MAX_SHOWN]
        raise VerificationError("says what cannot be", where=LINKAGE, found=listed)


def _checked_metadata(document: Any, manifest: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Check the metadata by themselves, and that they are of the cells that are told of; gives them."""
    if not isinstance(document, dict):
        raise VerificationError("holds no keys", where=name)
    for text in _texts(document):
        if not all(letter.isprintable() or letter == "\n" for letter in text):
            raise VerificationError(
                "has control characters",
                where=name,
                found=ascii(text)[:80],
                remedy="write plain text",
            )
        path = _PATH.search(text)
        if path is not None:
            raise VerificationError(
                "names a path of a machine",
                where=name,
                found=path.group()[:80],
                remedy="take it out of the metadata",
            )
    document, faults = examine_document(document, name, _MAX_FAULTS)
    _refuse(faults, name)
    if document["cohort"]["country"] != manifest["country"]:
        raise VerificationError("is of another country than the manifest", where=name)
    head = head_of(manifest)
    told = {cell.population for cell in head.cells} | {label for label, _ in head.withheld}
    described = {each["label"] for each in document["populations"]}
    if told - described:
        raise VerificationError(
            f"does not describe {', '.join(sorted(told - described))}", where=name
        )
    content: dict[str, Any] = document
    return content


def _texts(value: Any) -> Iterator[str]:
    """Go through all text in a document, its keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
