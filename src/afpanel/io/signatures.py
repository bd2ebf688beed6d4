"""Signatures of contributions, made and checked by ``ssh-keygen -Y``.

A signature says that whoever holds a key has seen these bytes. Whether the key is a cohort's is said by
the hub's file of allowed signers. A signature is accepted only if ``ssh-keygen`` accepts it *and* it is
written in the one way (`io/ssh_keys`), by a key that our own reading of the hub's files allows.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from afpanel.errors import BadInputError, VerificationError
from afpanel.io.allowed_signers import (
    NAMESPACE,
    AllowedSigner,
    AllowedSigners,
    RevokedKeys,
    is_cohort_name,
    read_allowed_signers,
    read_revoked_keys,
)
from afpanel.io.ssh_keys import PublicKey, Signature, parse_signature

_PATIENCE = 60.0
"""Seconds: enough to touch a security key."""

_ANOTHER_COPY = "ask the programme for another copy, and compare its digest by a second channel"


def sign(message: bytes, key: Path) -> bytes:
    """Sign a message.

    The same message and key give the same signature with ed25519 and RSA keys, not with the others.

    Parameters
    ----------
    message
        What is signed.
    key
        A private key, or a public one whose private half is in an ``ssh-agent``. A key with a passphrase
        must be in one: nobody is asked.

    Returns
    -------
    bytes
        The armored signature.

    Raises
    ------
    BadInputError
        The key cannot be used, or ``ssh-keygen`` is missing, too old or silent.
    """
    if not key.is_file():
        raise BadInputError("there is no such key", where=key)
    with _folder({"message": message}) as folder:
        done = _ssh_keygen(
            folder,
            ["-Y", "sign", "-f", str(key.absolute()), "-n", NAMESPACE, "message"],
            agent=True,
        )
        if done.returncode != 0:
            raise _cannot_sign(_said(done), key)
        signature = (folder / "message.sig").read_bytes()
    try:
        check_integrity(message, signature)
    except VerificationError as error:
        raise BadInputError(
            f"the signature by this key would not be accepted: {error.what}",
            where=key,
            remedy="sign with a key that ssh-keygen -t ed25519 makes",
        ) from error
    return signature


def check_integrity(message: bytes, signature: bytes) -> str:
    """Check that a signature is of this message, for contributions, by the key that it holds.

    It does not tell whose the key is: who alters a message can sign it anew with a key of their own.

    Parameters
    ----------
    message, signature
        What was signed, and the armored signature.

    Returns
    -------
    str
        SHA256 fingerprint of the key.

    Raises
    ------
    VerificationError
        The signature is malformed, for another namespace, or not of this message.
    BadInputError
        ``ssh-keygen`` is missing, too old or silent.
    """
    return _intact(message, signature).key.fingerprint


def verify(
    message: bytes,
    signature: bytes,
    cohort: str,
    allowed_signers: Path,
    revoked: Path | None = None,
    *,
    at: datetime | None = None,
) -> str:
    """Check that a signature is of this message, and by a key that may sign for a cohort.

    Parameters
    ----------
    message, signature
        What was signed, and the armored signature.
    cohort
        Name of the cohort.
    allowed_signers, revoked
        The hub's files (`io/allowed_signers`).
    at
        Moment for which the key's validity is judged, with its zone; None is now.

    Returns
    -------
    str
        SHA256 fingerprint of the key.

    Raises
    ------
    VerificationError
        As in `check_integrity`, or the key is unknown, of another cohort, revoked, or not valid at the time.
    BadInputError
        A file of the hub is at fault; the cohort cannot have such a name; or as in `check_integrity`.
    """
    if not is_cohort_name(cohort):
        raise BadInputError(f"{cohort!r} is not the name of a cohort")
    signers = read_allowed_signers(allowed_signers)
    taken_back = None if revoked is None else read_revoked_keys(revoked)
    key = _intact(message, signature).key
    signer = _signer_of(key, cohort, signers)
    if taken_back is not None and _is_revoked(key, taken_back):
        raise VerificationError(
            f"the key of cohort {cohort} that signed is revoked",
            where=taken_back.path,
            found=key.fingerprint,
            remedy="ask the programme for a contribution that is signed with its new key",
        )
    _check_time(signer, cohort, signers.path, at)
    files = {"signature": signature, "signers": signers.text.encode()}
    arguments = ["-Y", "verify", "-f", "signers", "-I", cohort, "-n", NAMESPACE, "-s", "signature"]
    if taken_back is not None:
        files["revoked"] = taken_back.content
        arguments += ["-r", "revoked"]
    if at is not None:
        arguments.append(f"-Overify-time={at.astimezone(UTC):%Y%m%d%H%M%S}")
    with _folder(files) as folder:
        _expect_good(_ssh_keygen(folder, arguments, message), key)
    return key.fingerprint


def _intact(message: bytes, signature: bytes) -> Signature:
    """Check that a signature is of this message, by the key it holds, and give what it says."""
    try:
        parsed = parse_signature(signature)
    except ValueError as error:
        raise VerificationError(
            f"the signature is malformed: {error}", remedy=_ANOTHER_COPY
        ) from None
    if parsed.namespace != NAMESPACE:
        raise VerificationError(
            "the signature was made for something else than a contribution",
            expected=f"the namespace {NAMESPACE}",
            found=repr(parsed.namespace),
            remedy=f"sign with ssh-keygen -Y sign -n {NAMESPACE}",
        )
    with _folder({"signature": signature}) as folder:
        arguments = ["-Y", "check-novalidate", "-n", NAMESPACE, "-s", "signature"]
        _expect_good(_ssh_keygen(folder, arguments, message), parsed.key)
    return parsed


def _signer_of(key: PublicKey, cohort: str, signers: AllowedSigners) -> AllowedSigner:
    found = signers.of_key(key)
    for signer in found:
        if cohort in signer.cohorts:
            return signer
    own = [signer.key.fingerprint for signer in signers.signers if cohort in signer.cohorts]
    expected = f"a key of cohort {cohort}: {', '.join(own) or 'it has none'}"
    if found:
        others = sorted({name for signer in found for name in signer.cohorts})
        raise VerificationError(
            f"signed with a key of cohort {', '.join(others)}, not of {cohort}",
            where=signers.path,
            expected=expected,
            found=key.fingerprint,
            remedy="check that contributions of two cohorts have not been mixed up",
        )
    raise VerificationError(
        f"signed with a key that is nobody's, where cohort {cohort} should have signed",
        where=signers.path,
        expected=expected,
        found=key.fingerprint,
        remedy="ask the programme, by a second channel, whether this is its key; if so, list it",
    )


def _is_revoked(key: PublicKey, revoked: RevokedKeys) -> bool:
    if revoked.keys is not None:
        return key in revoked.keys
    with _folder({"key.pub": f"{key.text}\n".encode(), "revoked": revoked.content}) as folder:
        done = _ssh_keygen(folder, ["-Q", "-f", "revoked", "key.pub"])
    if done.returncode == 1 and done.stdout.rstrip().endswith(b"REVOKED"):
        return True
    if done.returncode != 0:
        raise BadInputError(
            f"the key revocation list cannot be used: {_said(done)}",
            where=revoked.path,
            remedy="make it again with ssh-keygen -k",
        )
    return False


def _check_time(signer: AllowedSigner, cohort: str, path: Path, at: datetime | None) -> None:
    time = (at or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    where = f"{path}, line {signer.line}"
    if signer.after is not None and time < signer.after:
        raise VerificationError(
            f"the key of cohort {cohort} that signed is not valid yet",
            where=where,
            expected=f"a time from {signer.after.isoformat()} on",
            found=time.isoformat(),
        )
    if signer.before is not None and time > signer.before:
        raise VerificationError(
            f"the key of cohort {cohort} that signed is no longer valid",
            where=where,
            expected=f"a time until {signer.before.isoformat()}",
            found=time.isoformat(),
            remedy="ask the programme for a contribution that is signed with its new key",
        )


def _expect_good(done: subprocess.CompletedProcess[bytes], key: PublicKey) -> None:
    words = done.stdout.decode("utf-8", "replace").split()
    if done.returncode == 0 and words[:1] == ["Good"] and words[-1] == key.fingerprint:
        return
    said = _said(done)
    if "incorrect signature" in said:
        raise VerificationError(
            "what was signed is not what is here: it or the signature was altered",
            found=f"a signature by {key.fingerprint}",
            remedy=_ANOTHER_COPY,
        )
    raise VerificationError(f"ssh-keygen does not accept the signature: {said}")


def _cannot_sign(said: str, key: Path) -> BadInputError:
    if "passphrase" in said:
        return BadInputError(
            "the key has a passphrase, and no ssh-agent holds it",
            where=key,
            remedy=f"run ssh-add {key} first, and sign from the same session",
        )
    if "too open" in said:
        return BadInputError(
            "others can read the private key",
            where=key,
            remedy=f"chmod 600 {key}, and consider whether it is still yours alone",
        )
    if "No private key found" in said:
        return BadInputError(
            "there is no private key beside this public one, nor does an ssh-agent hold it",
            where=key,
            remedy="run ssh-add with the private key first, or give that",
        )
    return BadInputError(
        f"ssh-keygen cannot sign with it: {said}",
        where=key,
        expected="a private key of OpenSSH, or a public one whose private half an ssh-agent holds",
        remedy="make a key with ssh-keygen -t ed25519",
    )


@contextmanager
def _folder(files: dict[str, bytes]) -> Iterator[Path]:
    """Give a folder of one's own with some files in it."""
    with tempfile.TemporaryDirectory(prefix="afpanel-") as name:
        folder = Path(name)
        for each, content in files.items():
            (folder / each).write_bytes(content)
        yield folder


def _ssh_keygen(
    folder: Path, arguments: list[str], message: bytes = b"", *, agent: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run ``ssh-keygen`` in a folder, so that it can ask nobody, and no setting of the user matters.

    It has no terminal and no helper to ask with, so a passphrase is an error at once. Times without a
    zone are UTC. Only `agent` lets it see an ``ssh-agent``.
    """
    program = shutil.which("ssh-keygen")
    remedy = "install the OpenSSH client, version 8.8 or later"
    if program is None:
        raise BadInputError("signatures need ssh-keygen, which is not installed", remedy=remedy)
    hidden = {"SSH_ASKPASS", "DISPLAY", "WAYLAND_DISPLAY", *(() if agent else ("SSH_AUTH_SOCK",))}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and names that are checked
            [program, *arguments],
            cwd=folder,
            env=environment | {"LC_ALL": "C", "TZ": "UTC", "SSH_ASKPASS_REQUIRE": "never"},
            input=message,
            capture_output=True,
            start_new_session=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BadInputError(
            f"ssh-keygen did not answer within {_PATIENCE:.0f} seconds",
            remedy="if the key is on a device, touch it when asked; else run ssh-add first",
        ) from None
    said = _said(done)
    if done.returncode != 0 and ("usage:" in said or "unknown option" in said.lower()):
        raise BadInputError("this ssh-keygen knows no signatures", where=program, remedy=remedy)
    if done.returncode != 0 and "No user exists" in said:
        raise BadInputError(
            f"ssh-keygen does not run: {said}",
            where=program,
            remedy="give the user an entry in the machine's (or container's) list of users",
        )
    return done


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """Give what a program said on its way, in one line."""
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    return "; ".join(line.strip() for line in lines if line.strip(" @")) or "it said nothing"
