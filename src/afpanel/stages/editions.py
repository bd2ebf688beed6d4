"""What a hub has accepted of each cohort, so that nothing older comes in its place."""

from pathlib import Path
from typing import Any

from afpanel.errors import VerificationError
from afpanel.io.files import read_json, write_json
from afpanel.io.locks import locked
from afpanel.stages.verdict import Verdict


def check_edition(verdict: Verdict, register: Path) -> None:
    """Note a contribution that is accepted, and refuse one that is older than what was accepted before.

    Parameters
    ----------
    verdict
        What was found of it.
    register
        Folder with a JSON for each cohort: the editions that were accepted, and their digests.

    Raises
    ------
    VerificationError
        If a later edition was accepted, or this one with other content.
    """
    assert verdict.manifest is not None
    # Another verification of the cohort may be at the same point.
    with locked(register / f".{verdict.manifest['cohort']}.lock"):
        _check_edition(verdict.manifest, verdict.manifest_sha256, register)


def _check_edition(manifest: dict[str, Any], digest: str, register: Path) -> None:
    """Do so while nobody else reads or writes the register of the cohort."""
    cohort, edition = manifest["cohort"], manifest["edition"]
    path = register / f"{cohort}.json"
    editions: list[dict[str, Any]] = read_json(path)["editions"] if path.is_file() else []
    last = editions[-1] if editions else {"edition": 0, "manifest_sha256": ""}
    if edition < last["edition"]:
        raise VerificationError(
            f"edition {edition} of cohort {cohort} is older than what was accepted before",
            where=path,
            expected=f"edition {last['edition']}, or a later one",
            remedy="use the newer file; if it is to be taken back, ask for it as a new edition",
        )
    if edition == last["edition"] and digest != last["manifest_sha256"]:
        raise VerificationError(
            f"edition {edition} of cohort {cohort} was accepted before, with other content",
            where=path,
            expected=f"a manifest of SHA-256 {last['manifest_sha256']}",
            found=digest,
            remedy="the programme raises sharing.edition when it packages anew",
        )
    if edition > last["edition"]:
        accepted = {"edition": edition, "manifest_sha256": digest}
        write_json(path, {"cohort": cohort, "editions": [*editions, accepted]})
