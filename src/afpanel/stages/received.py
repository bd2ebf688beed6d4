"""The documents in a contribution, read as what they are until they are checked: anybody's text."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from afpanel.errors import FaultsError, VerificationError
from afpanel.io.files import json_text
from afpanel.io.metadata import examine_document
from afpanel.io.schemas import faults_of
from afpanel.stages.contribution import (
    CONTRIBUTION_VERSION,
    HARMONIZATION,
    MANIFEST,
    counts_parts,
    head_of,
)
from afpanel.stages.harmonize import kept_and_rejected

MAX_MANIFEST = 64 << 20
"""Most bytes of a manifest, or of another document, that are read."""

_MAX_FAULTS = 20


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
    digest = hashlib.sha256(raw).hexdigest()
    return manifest, digest


def parse_part(path: Path, name: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Read metadata or the account of harmonization, and hold it against the manifest."""
    document = _parse(path.read_bytes(), name)
    if name == HARMONIZATION:
        _expect(document, "harmonization", name)
        _check_harmonization(document, manifest)
    else:
        _check_metadata(document, manifest, name)
    content: dict[str, Any] = document
    return content


def _parse(raw: bytes, name: str) -> Any:
    """Parse JSON that must be laid out in the one way that this project has."""
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
    faults = faults_of(document, schema, name)
    if faults:
        raise VerificationError(str(FaultsError(faults[:_MAX_FAULTS])), where=name)


def _check_harmonization(document: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
    """Hold the account of harmonization against what was made of the alleles."""
    if document["cohort"] != manifest["cohort"]:
        raise VerificationError(f"is of another cohort, {document['cohort']}", where=HARMONIZATION)
    if document["lift"] != manifest["source"]["lift"]:
        raise VerificationError(
            "says otherwise than the manifest how it was lifted", where=HARMONIZATION
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


def _check_metadata(document: Any, manifest: Mapping[str, Any], name: str) -> None:
    """Check the metadata by themselves, and that they are of the cells that are told of."""
    if not isinstance(document, dict):
        raise VerificationError("holds no keys", where=name)
    _, faults = examine_document(document, name)
    if faults:
        raise VerificationError(str(FaultsError(faults[:_MAX_FAULTS])), where=name)
    if document["cohort"]["country"] != manifest["country"]:
        raise VerificationError("is of another country than the manifest", where=name)
    head = head_of(manifest)
    told = {cell.population for cell in head.cells} | {label for label, _ in head.withheld}
    described = {each["label"] for each in document["populations"]}
    if told - described:
        raise VerificationError(
            f"does not describe {', '.join(sorted(told - described))}", where=name
        )
