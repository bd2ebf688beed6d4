"""The ledger on the disk: a chain of entries, one for each release, and the files that they speak of.

Each entry holds the digest of the one before it and of every file of its own, so that none can be changed or
taken out unnoticed; `head.json` says how many there are, so that the last cannot either.
"""

import hashlib
import hmac
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afpanel.constants import Sex
from afpanel.core.people_changes import CohortVersion
from afpanel.errors import AfpanelError, PolicyRefusalError, VerificationError
from afpanel.io.files import json_text, read_json, sha256, whole_file, write_json, write_text

LEDGER_VERSION = 1

FIRST = "0" * 64
"""What the first entry has in the place of a digest of the one before."""

_HEAD, _ENTRIES, _CELLS, _PRIVATE = "head.json", "entries", "cells", "private"
_DIGEST_SIZE = 32  # hexadecimal digits: 128 bits, which no two people share
_BROKEN = "restore the ledger from a copy; until then no release can be held against it"


@dataclass(frozen=True)
class Entry:
    """The record of one release.

    Parameters
    ----------
    number
        Its place in the chain, from 1.
    digest
        SHA-256 of the entry.
    content
        What it says.
    """

    number: int
    digest: str
    content: dict[str, Any]

    @property
    def name(self) -> str:
        """Name and version of the release."""
        return "{name}-{version}".format(**self.content["panel"])

    @property
    def build(self) -> str:
        """Genome build of the release."""
        return str(self.content["build"])

    @property
    def contigs(self) -> dict[str, dict[str, str]]:
        """Digests of the stores of each contig: ``cells`` that were shown, and ``counts`` of all."""
        return {each["name"]: each for each in self.content["contigs"]}


class Ledger:
    """A ledger, read whole when it is opened.

    Parameters
    ----------
    folder
        Where it is; an empty one, or none, is a ledger without entries.

    Raises
    ------
    VerificationError
        If an entry was changed, taken out or put in.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries = list(self._read())

    def _read(self) -> Iterator[Entry]:
        head: dict[str, Any] = {"ledger_version": LEDGER_VERSION, "entries": 0, "sha256": FIRST}
        if (self.folder / _HEAD).is_file():
            head = read_json(self.folder / _HEAD)
        if head.get("ledger_version") != LEDGER_VERSION:
            raise VerificationError(
                "the ledger is of another version",
                where=self.folder,
                expected=LEDGER_VERSION,
                found=head.get("ledger_version"),
                remedy="use the version of afpanel that wrote it",
            )
        paths = sorted((self.folder / _ENTRIES).glob("*.json"))
        previous = FIRST
        for number, path in enumerate(paths, 1):
            digest, content = sha256(path), read_json(path)
            if path.name != f"{number:06d}.json" or content.get("previous") != previous:
                raise VerificationError(
                    "the chain of the ledger is broken: this entry does not follow on the one before",
                    where=path,
                    expected=f"entry {number}, after {previous}",
                    found=content.get("previous"),
                    remedy=_BROKEN,
                )
            # A run that was killed may have written the entry, and not the head.
            if number == head["entries"] and digest != head["sha256"]:
                raise VerificationError(
                    "the last entry of the ledger was changed",
                    where=path,
                    expected=head["sha256"],
                    found=digest,
                    remedy=_BROKEN,
                )
            previous = digest
            yield Entry(number, digest, content)
        if len(paths) not in (head["entries"], head["entries"] + 1):
            raise VerificationError(
                "entries of the ledger are gone",
                where=self.folder,
                expected=f"{head['entries']} entries",
                found=len(paths),
                remedy=_BROKEN,
            )

    def before(self, name: str) -> list[Entry]:
        """List the entries that a release is held against: all before its own, if it has one."""
        own = [entry.number for entry in self.entries if entry.name == name]
        return self.entries if not own else self.entries[: own[0] - 1]

    def of_name(self, name: str) -> Entry | None:
        """Find the entry of a release."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def cells(self, entry: Entry, contig: str) -> Path:
        """Find the store of what a release showed of a contig, and check its digest."""
        return self._checked(
            self.folder / _CELLS / f"{entry.number:06d}" / f"{contig}.zarr.zip",
            entry.contigs[contig]["cells"],
        )

    def counts(self, entry: Entry, contig: str) -> Path:
        """Find the store of what was counted on a contig before it was masked, and check its digest."""
        return self.kept(entry.contigs[contig]["counts"], ".zarr.zip")

    def kept(self, digest: str, suffix: str) -> Path:
        """Find a file of the private part by its digest, and check it."""
        return self._checked(self._kept_path(digest, suffix), digest)

    def versions(self, entry: Entry) -> list[CohortVersion]:
        """Read who was in each cohort of a release."""
        path = self._checked(
            self.folder / _PRIVATE / f"{entry.number:06d}.json", entry.content["people_sha256"]
        )
        return [version_of(each) for each in read_json(path)["cohorts"]]

    def key(self) -> bytes:
        """Give the key that names of people are made with; make it if there is none yet."""
        path = self.folder / _PRIVATE / "key"
        if not path.is_file():
            if self.entries:
                raise VerificationError(
                    "the key of the ledger is gone, so nobody can tell who was in which release",
                    where=path,
                    remedy=_BROKEN,
                )
            write_text(path, os.urandom(32).hex() + "\n")
            path.chmod(0o600)
        return bytes.fromhex(path.read_text().strip())

    def keep(self, source: Path, suffix: str) -> str:
        """Copy a file into the private part, under its digest, which is given back."""
        digest = sha256(source)
        path = self._kept_path(digest, suffix)
        if not path.is_file():
            with whole_file(path) as partial:
                shutil.copyfile(source, partial)
        return digest

    def cells_to_write(self, contig: str) -> Path:
        """Name the store of what the next release shows of a contig."""
        return self.folder / _CELLS / f"{len(self.entries) + 1:06d}" / f"{contig}.zarr.zip"

    def append(self, content: Mapping[str, Any], people: Mapping[str, Any]) -> Entry:
        """Add an entry, whose stores are written already.

        Parameters
        ----------
        content
            What it says, but for the chain and the people.
        people
            Who was in each cohort: the private part.
        """
        number = len(self.entries) + 1
        private = self.folder / _PRIVATE / f"{number:06d}.json"
        write_json(private, people)
        previous = self.entries[-1].digest if self.entries else FIRST
        whole = {"previous": previous, **content, "people_sha256": sha256(private)}
        path = self.folder / _ENTRIES / f"{number:06d}.json"
        write_json(path, whole)
        entry = Entry(number, sha256(path), whole)
        self.entries.append(entry)
        self.seal()
        return entry

    def seal(self) -> None:
        """Write how many entries there are."""
        last = self.entries[-1].digest if self.entries else FIRST
        head = {"ledger_version": LEDGER_VERSION, "entries": len(self.entries), "sha256": last}
        write_json(self.folder / _HEAD, head)

    def check(self) -> int:
        """Check the digest of every file of every entry; gives how many there are.

        Raises
        ------
        VerificationError
            If a file is gone or was changed.
        """
        files = 0
        for entry in self.entries:
            self.versions(entry)
            for contig in entry.contigs:
                self.cells(entry, contig)
                self.counts(entry, contig)
            for cohort in entry.content["cohorts"]:
                for digest, suffix in cohort["kept"]:
                    self.kept(digest, suffix)
                    files += 1
            files += 1 + 2 * len(entry.contigs)
        return files

    def _kept_path(self, digest: str, suffix: str) -> Path:
        return self.folder / _PRIVATE / "kept" / f"{digest}{suffix}"

    def _checked(self, path: Path, digest: str) -> Path:
        found = sha256(path) if path.is_file() else "nothing"
        if found != digest:
            raise VerificationError(
                "a file of the ledger is gone, or was changed",
                where=path,
                expected=digest,
                found=found,
                remedy=_BROKEN,
            )
        return path


def name_of_person(key: bytes, sample: str) -> str:
    """Name a person so that who has the key can tell whether it is the same one, and nobody else anything."""
    return hmac.new(key, sample.encode(), hashlib.sha256).hexdigest()[:_DIGEST_SIZE]


def described_version(version: CohortVersion) -> dict[str, Any]:
    """Lay out a version of a cohort, for the private part."""
    cells = [
        {"population": population, "sex": str(sex), "people": list(members)}
        for population, sex, members in version.cells
    ]
    return {
        "cohort": version.cohort,
        "country": version.country,
        "content": version.content,
        "cells": cells,
    }


def version_of(told: Mapping[str, Any]) -> CohortVersion:
    """Read it again."""
    cells = tuple(
        (each["population"], Sex(each["sex"]), tuple(each["people"])) for each in told["cells"]
    )
    return CohortVersion(told["cohort"], told["country"], told["content"], cells)


def digest_of(told: Any) -> str:
    """Digest what JSON says."""
    return hashlib.sha256(json_text(told).encode()).hexdigest()


def refuse_other_build(entry: Entry, build: str) -> AfpanelError:
    """Say that a release on another build cannot be held against an entry."""
    return PolicyRefusalError(
        f"{entry.name}, of the same people, is on build {entry.build}, so nothing tells what both show together",
        where=f"entry {entry.number} of the ledger",
        expected=entry.build,
        found=build,
        remedy=f"release on {entry.build}; or publish nothing more on it, and begin a ledger of {build}"
        " after the data access committee has agreed",
    )
