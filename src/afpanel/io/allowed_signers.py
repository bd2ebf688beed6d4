"""Whose keys may sign for which cohort, and which keys are revoked: the two files of a hub.

Both are in formats of OpenSSH. They are read more strictly here than there: what a hub would hardly
mean, as a key for every cohort, is a fault. ``ssh-keygen`` is given what was understood, not the file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from afpanel.errors import AfpanelError, BadInputError
from afpanel.io.schemas import load_schema
from afpanel.io.ssh_keys import KEY_FIELDS, PublicKey
from afpanel.io.tables import raise_any

NAMESPACE = "afpanel-contribution"
"""What signatures of contributions are for; one that was made for anything else is refused."""

_WORD = re.compile(r'((?:[^\s"]|"[^"]*")+)(?:[ \t]+|$)')
_OPTION = r'([A-Za-z-]+)(?:="([^"]*)")?'
_OPTIONS = re.compile(f"{_OPTION}(?:,{_OPTION})*")
_KNOWN_OPTIONS = ("namespaces", "valid-after", "valid-before")
_TIME = re.compile(r"(\d{8}(?:\d{4}(?:\d\d)?)?)Z?")
_TIME_FORMATS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_WRITTEN_TIME = "%Y%m%d%H%M%S"
_KRL_MAGIC = b"SSHKRL\n\0"
_KEY_EXAMPLE = "ssh-ed25519 AAAAC3Nza…"
_EXAMPLE = f'VN-demo namespaces="{NAMESPACE}" {_KEY_EXAMPLE}'


@dataclass(frozen=True)
class AllowedSigner:
    """A line of the file: a key, and what it may sign.

    Parameters
    ----------
    line
        Number of the line.
    cohorts
        Names of the cohorts.
    key
        The key.
    after, before
        First and last moment at which the key is valid, to the second; None is no limit.
    """

    line: int
    cohorts: tuple[str, ...]
    key: PublicKey
    after: datetime | None
    before: datetime | None

    @property
    def text(self) -> str:
        """The line as ``ssh-keygen`` is given it; times without a zone are UTC for it."""
        options = [f'namespaces="{NAMESPACE}"']
        for name, time in (("valid-after", self.after), ("valid-before", self.before)):
            if time is not None:
                options.append(f'{name}="{time.strftime(_WRITTEN_TIME)}"')
        return f"{','.join(self.cohorts)} {','.join(options)} {self.key.text}\n"


@dataclass(frozen=True)
class AllowedSigners:
    """All keys that may sign."""

    path: Path
    signers: tuple[AllowedSigner, ...]

    @property
    def cohorts(self) -> set[str]:
        """Every cohort that has a key, be it valid now or not."""
        return {cohort for signer in self.signers for cohort in signer.cohorts}

    @property
    def text(self) -> str:
        """The file as ``ssh-keygen`` is given it."""
        return "".join(signer.text for signer in self.signers)

    def of_key(self, key: PublicKey) -> list[AllowedSigner]:
        """Find the lines with a key."""
        return [signer for signer in self.signers if signer.key == key]


@dataclass(frozen=True)
class RevokedKeys:
    """Keys that were taken back.

    Parameters
    ----------
    path
        The file.
    content
        What ``ssh-keygen`` is given.
    keys
        The keys; None where the file is a key revocation list, which only ``ssh-keygen`` reads.
    """

    path: Path
    content: bytes
    keys: frozenset[PublicKey] | None


def is_cohort_name(name: str) -> bool:
    """Tell whether a cohort may have this name, by the schema of the cohorts table."""
    pattern = load_schema("cohorts")["properties"]["cohort"]["pattern"]
    return re.fullmatch(pattern, name) is not None


def read_allowed_signers(path: Path) -> AllowedSigners:
    """Read the file of who may sign for which cohort.

    A line has cohorts, separated by commas; options, if there are any; the key's type and base64; and
    anything after. Empty lines and those that begin with ``#`` are passed over.

    Raises
    ------
    BadInputError
        With every fault, if there are several: a name that no cohort can have, so also ``*``; an option
        other than ``namespaces``, ``valid-after`` and ``valid-before``, so also ``cert-authority``; a
        namespace that is not ours; a time that is none; a key that is none; a key that a cohort has twice.
    """
    signers: list[AllowedSigner] = []
    faults: list[AfpanelError] = []
    first_line: dict[tuple[str, bytes], int] = {}
    for number, line in _lines(_read(path)):
        try:
            signer = _signer(number, line)
            for cohort in signer.cohorts:
                earlier = first_line.setdefault((cohort, signer.key.blob), number)
                if earlier != number:
                    raise BadInputError(  # noqa: TRY301 - gathered with the others
                        f"cohort {cohort} has this key in line {earlier} already",
                        remedy="keep one of the lines, for the wider one would decide",
                    )
            signers.append(signer)
        except BadInputError as fault:
            faults.append(_placed(fault, path, number, _EXAMPLE))
    if not signers and not faults:
        faults.append(BadInputError("lists no key", where=path, expected=_EXAMPLE))
    raise_any(faults)
    return AllowedSigners(path, tuple(signers))


def read_revoked_keys(path: Path) -> RevokedKeys:
    """Read the revoked keys: a key revocation list, or public keys, one to a line.

    Raises
    ------
    BadInputError
        With every line that holds no public key. A damaged key revocation list is found when it is used.
    """
    content = _read(path)
    if content.startswith(_KRL_MAGIC):
        return RevokedKeys(path, content, None)
    keys = []
    faults: list[AfpanelError] = []
    for number, line in _lines(content):
        kind, *rest = line.split(maxsplit=1)
        try:
            keys.append(_key(kind, "".join(rest)))
        except BadInputError as fault:
            faults.append(_placed(fault, path, number, _KEY_EXAMPLE))
    raise_any(faults)
    text = "".join(f"{key.text}\n" for key in keys)
    return RevokedKeys(path, text.encode(), frozenset(keys))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error


def _lines(content: bytes) -> Iterator[tuple[int, str]]:
    """Give the lines that say something. A comment may be in any encoding; it is not read."""
    for number, line in enumerate(content.decode("utf-8-sig", "replace").split("\n"), 1):
        text = line.strip(" \t\r")
        if text and not text.startswith("#"):
            yield number, text


def _placed(fault: BadInputError, path: Path, line: int, example: str) -> BadInputError:
    return BadInputError(
        fault.what,
        where=f"{path}, line {line}",
        expected=f"a line such as {example}" if fault.remedy is None else None,
        remedy=fault.remedy,
    )


def _word(text: str, what: str) -> tuple[str, str]:
    """Take the first word, in which quotation marks hold spaces; give it and the rest."""
    match = _WORD.match(text)
    if match is None:
        raise BadInputError(f"{what} is missing, or a quotation mark is not closed")
    return match[1], text[match.end() :]


def _signer(number: int, line: str) -> AllowedSigner:
    names, rest = _word(line, "the cohort")
    if names in KEY_FIELDS:
        raise BadInputError("names no cohort before the key")
    cohorts = tuple(names.split(","))
    for name in cohorts:
        if not is_cohort_name(name):
            raise BadInputError(
                f"{name!r} is not the name of a cohort",
                remedy="name every cohort that the key may sign for; there are no patterns",
            )
    if len(set(cohorts)) < len(cohorts):
        raise BadInputError("names a cohort twice")
    kind, rest = _word(rest, "the key")
    options: dict[str, str] = {}
    if not kind.startswith(("ssh-", "ecdsa-", "sk-")):
        options = _options(kind)
        kind, rest = _word(rest, "the key")
    after, before = (_time(options.get(name)) for name in ("valid-after", "valid-before"))
    if after is not None and before is not None and before <= after:
        raise BadInputError("the key is valid at no time: valid-before is not after valid-after")
    return AllowedSigner(number, cohorts, _key(kind, rest), after, before)


def _options(text: str) -> dict[str, str]:
    if _OPTIONS.fullmatch(text) is None:
        raise BadInputError(f"the options {text!r} cannot be read")
    found: dict[str, str] = {}
    for match in re.finditer(_OPTION, text):
        name, value = match[1].lower(), match[2]
        if name == "cert-authority":
            raise BadInputError(
                "a certificate authority could make keys for any cohort",
                remedy="list the key that signs, without cert-authority",
            )
        if name not in _KNOWN_OPTIONS:
            raise BadInputError(
                f"unknown option {match[1]!r}", remedy=f"use {', '.join(_KNOWN_OPTIONS)} alone"
            )
        if value is None:
            raise BadInputError(f"the option {name} needs a value in quotation marks")
        if name in found:
            raise BadInputError(f"the option {name} stands twice")
        found[name] = value
    names = found.get("namespaces", NAMESPACE).split(",")
    if NAMESPACE not in names or not all(re.fullmatch(r"[\w.@-]+", name) for name in names):
        raise BadInputError(
            f"with these namespaces the key signs no contribution: {found['namespaces']!r}",
            remedy=f'write namespaces="{NAMESPACE}"',
        )
    return found


def _time(text: str | None) -> datetime | None:
    """Read a time as OpenSSH writes it; without a zone it is UTC, whatever the machine's is."""
    if text is None:
        return None
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError  # noqa: TRY301 - as for digits that are no date
        return datetime.strptime(match[1], _TIME_FORMATS[len(match[1])]).replace(tzinfo=UTC)
    except ValueError:
        raise BadInputError(
            f"{text!r} is not a time", remedy="write YYYYMMDD or YYYYMMDDHHMM, which are UTC"
        ) from None


def _key(kind: str, rest: str) -> PublicKey:
    encoded = rest.split(maxsplit=1)
    try:
        return PublicKey.of_text(kind, encoded[0] if encoded else "")
    except ValueError as error:
        raise BadInputError(f"holds no public key that can be used: {error}") from None
