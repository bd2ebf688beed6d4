"""Signing and verifying, beside what ssh-keygen alone makes and says."""

import base64
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.ssh import fingerprint, make_key, needs_ssh_keygen, public, signed, ssh_keygen

from afpanel.errors import BadInputError, FaultsError, VerificationError
from afpanel.io import signatures
from afpanel.io.signatures import check_integrity, sign, verify
from afpanel.io.ssh_keys import MAX_SIGNATURE_BYTES, PublicKey, armor, parse_signature

pytestmark = needs_ssh_keygen

MESSAGE = b'{"parts": {"counts": "0123456789abcdef"}}\n'
KINDS = {
    "ed25519": ("-t", "ed25519"),
    "rsa": ("-t", "rsa", "-b", "2048"),
    "ecdsa-256": ("-t", "ecdsa", "-b", "256"),
    "ecdsa-384": ("-t", "ecdsa", "-b", "384"),
    "ecdsa-521": ("-t", "ecdsa", "-b", "521"),
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    made = {name: make_key(folder, name, *options) for name, options in KINDS.items()}
    return made | {name: make_key(folder, name) for name in ("TH", "stranger")}


@pytest.fixture
def hub(tmp_path: Path, keys: dict[str, Path]) -> Path:
    """A file of allowed signers: VN has the ed25519 key, TH another."""
    path = tmp_path / "allowed_signers"
    path.write_text(f"VN {public(keys['ed25519'])}\nTH {public(keys['TH'])}\n")
    return path


# ---------------------------------------------------------------------------------------------
# What is good


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_signed_is_verified_here_and_by_ssh_keygen_alone(
    kind: str, keys: dict[str, Path], tmp_path: Path
) -> None:
    key = keys[kind]
    allowed = tmp_path / "allowed"
    allowed.write_text(f"VN {public(key)}\n")
    made = sign(MESSAGE, key)
    assert verify(MESSAGE, made, "VN", allowed) == fingerprint(key)
    assert check_integrity(MESSAGE, made) == fingerprint(key)
    (tmp_path / "made").write_bytes(made)
    arguments = ("-f", allowed, "-I", "VN", "-n", "afpanel-contribution", "-s", tmp_path / "made")
    ssh_keygen("-Y", "verify", *arguments, message=MESSAGE)


@pytest.mark.parametrize("kind", KINDS)
def test_what_ssh_keygen_alone_has_signed_is_verified(
    kind: str, keys: dict[str, Path], tmp_path: Path
) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text(f"VN {public(keys[kind])}\n")
    found = verify(MESSAGE, signed(MESSAGE, keys[kind]), "VN", allowed)
    assert found == fingerprint(keys[kind])


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_the_same_message_has_the_same_signature(kind: str, keys: dict[str, Path]) -> None:
    assert sign(MESSAGE, keys[kind]) == sign(MESSAGE, keys[kind]) == signed(MESSAGE, keys[kind])


@pytest.mark.parametrize("message", [b"", b"\0", b"-----\n", bytes(range(256)) * 40_000])
def test_a_message_may_be_any_bytes(message: bytes, keys: dict[str, Path], hub: Path) -> None:
    assert verify(message, sign(message, keys["ed25519"]), "VN", hub)


def test_each_cohort_is_verified_by_its_own_key(keys: dict[str, Path], hub: Path) -> None:
    for cohort, key in (("VN", keys["ed25519"]), ("TH", keys["TH"])):
        assert verify(MESSAGE, sign(MESSAGE, key), cohort, hub) == fingerprint(key)


def test_a_key_may_sign_for_two_cohorts_and_a_cohort_have_two_keys(
    keys: dict[str, Path], tmp_path: Path
) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text(f"VN-a,VN-b {public(keys['ed25519'])}\nVN-b {public(keys['rsa'])}\n")
    for cohort, name in (("VN-a", "ed25519"), ("VN-b", "ed25519"), ("VN-b", "rsa")):
        assert verify(MESSAGE, sign(MESSAGE, keys[name]), cohort, allowed)
    with pytest.raises(VerificationError, match="a key of cohort VN-b, not of VN-a"):
        verify(MESSAGE, sign(MESSAGE, keys["rsa"]), "VN-a", allowed)


@pytest.mark.parametrize("length", range(1, 40))
def test_signatures_of_any_length_are_read_as_ssh_keygen_writes_them(
    length: int, keys: dict[str, Path]
) -> None:
    made = signed(MESSAGE, keys["ed25519"], "n" * length)
    assert parse_signature(made).namespace == "n" * length


# ---------------------------------------------------------------------------------------------
# What is refused


def test_another_message_is_refused(keys: dict[str, Path], hub: Path) -> None:
    made = sign(MESSAGE, keys["ed25519"])
    for other in (b"", MESSAGE + b"\n", MESSAGE[:-1], MESSAGE.replace(b"0", b"1")):
        with pytest.raises(VerificationError, match="altered") as refused:
            verify(other, made, "VN", hub)
        assert fingerprint(keys["ed25519"]) in str(refused.value)
        with pytest.raises(VerificationError, match="altered"):
            check_integrity(other, made)


def test_the_key_of_another_cohort_is_refused_and_the_cohort_named(
    keys: dict[str, Path], hub: Path
) -> None:
    with pytest.raises(VerificationError, match="a key of cohort TH, not of VN") as refused:
        verify(MESSAGE, sign(MESSAGE, keys["TH"]), "VN", hub)
    assert f"found:    {fingerprint(keys['TH'])}" in str(refused.value)
    assert f"a key of cohort VN: {fingerprint(keys['ed25519'])}" in str(refused.value)


def test_the_key_of_nobody_is_refused(keys: dict[str, Path], hub: Path) -> None:
    made = sign(MESSAGE, keys["stranger"])
    with pytest.raises(
        VerificationError, match="a key that is nobody's, where cohort VN"
    ) as refused:
        verify(MESSAGE, made, "VN", hub)
    assert fingerprint(keys["stranger"]) in str(refused.value)
    assert refused.value.exit_code == 5
    assert check_integrity(MESSAGE, made) == fingerprint(keys["stranger"])


def test_a_cohort_without_a_key_is_told_so(keys: dict[str, Path], hub: Path) -> None:
    with pytest.raises(VerificationError, match="a key of cohort LA: it has none"):
        verify(MESSAGE, sign(MESSAGE, keys["TH"]), "LA", hub)


def test_names_of_cohorts_are_compared_letter_for_letter(keys: dict[str, Path], hub: Path) -> None:
    with pytest.raises(VerificationError, match="a key of cohort VN, not of vn"):
        verify(MESSAGE, sign(MESSAGE, keys["ed25519"]), "vn", hub)


@pytest.mark.parametrize(
    "name", ["", "-f", "*", "VN,TH", "VN ", "VN\n", "!VN", "V?", "Việt", "../VN"]
)
def test_what_is_no_name_of_a_cohort_is_refused(
    name: str, keys: dict[str, Path], hub: Path
) -> None:
    with pytest.raises(BadInputError, match="not the name of a cohort"):
        verify(MESSAGE, sign(MESSAGE, keys["ed25519"]), name, hub)


@pytest.mark.parametrize(
    "namespace", ["file", "git", "afpanel-contribution2", "AFPANEL-CONTRIBUTION"]
)
def test_a_signature_for_something_else_is_refused(
    namespace: str, keys: dict[str, Path], hub: Path
) -> None:
    made = signed(MESSAGE, keys["ed25519"], namespace)
    for check in (lambda: verify(MESSAGE, made, "VN", hub), lambda: check_integrity(MESSAGE, made)):
        with pytest.raises(VerificationError, match="for something else") as refused:
            check()
        assert repr(namespace) in str(refused.value)


def test_no_changed_byte_of_message_or_signature_is_accepted(
    keys: dict[str, Path], hub: Path
) -> None:
    rng = np.random.default_rng(20)
    made = sign(MESSAGE, keys["ed25519"])
    verify(MESSAGE, made, "VN", hub)
    for turn in range(2000):
        message, signature = bytearray(MESSAGE), bytearray(made)
        changed = message if turn % 4 == 0 else signature
        changed[rng.integers(len(changed))] ^= int(rng.integers(1, 256))
        with pytest.raises(VerificationError):
            verify(bytes(message), bytes(signature), "VN", hub)


@pytest.mark.parametrize("kind", KINDS)
def test_no_changed_byte_under_the_base64_is_accepted(kind: str, keys: dict[str, Path]) -> None:
    made = sign(MESSAGE, keys[kind])
    blob = base64.b64decode(b"".join(made.split(b"\n")[1:-2]))
    for place in range(len(blob)):
        changed = bytearray(blob)
        changed[place] ^= 1
        with pytest.raises(VerificationError):
            check_integrity(MESSAGE, armor(bytes(changed)))


def changed_text(made: bytes) -> Iterator[tuple[str, bytes]]:
    """Give the same signature written in other ways, most of which ssh-keygen takes."""
    lines = made.decode().split("\n")
    blob = base64.b64decode("".join(lines[1:-2]))
    yield "one long line", "\n".join([lines[0], "".join(lines[1:-2]), *lines[-2:]]).encode()
    yield "CR", made.replace(b"\n", b"\r\n")
    yield "space at the end", made + b" "
    yield "line at the end", made + b"\n"
    yield "no line at the end", made[:-1]
    yield "line before", b"\n" + made
    yield "space in base64", made.replace(b"\nU1", b"\n U1", 1)
    yield "twice", made + made
    yield "version 0", armor(blob[:9] + b"\0" + blob[10:])
    yield "version 2", armor(blob[:9] + b"\2" + blob[10:])
    yield "more after", armor(blob + b"\0")
    yield "less", armor(blob[:-1])
    yield "not ASCII", made.replace(b"A", "À".encode(), 1)
    yield "empty", b""
    yield "only the frame", armor(b"")
    yield "zip", b"PK\x03\x04"
    yield "huge", made[:32] + b"A" * MAX_SIGNATURE_BYTES + made[32:]
    reserved = blob.index(b"sha512") - 8
    yield "reserved", armor(blob[:reserved] + b"\0\0\0\1x" + blob[reserved + 4 :])
    yield "length beyond the end", armor(blob[:10] + b"\xff\xff\xff\xff" + blob[14:])


@pytest.mark.parametrize("case", range(19))
def test_a_signature_that_is_not_written_in_the_one_way_is_malformed(
    case: int, keys: dict[str, Path], hub: Path
) -> None:
    cases = list(changed_text(sign(MESSAGE, keys["ed25519"])))
    assert len(cases) == 19
    with pytest.raises(VerificationError, match="malformed"):
        verify(MESSAGE, cases[case][1], "VN", hub)


def test_bits_of_base64_that_stand_for_nothing_cannot_be_changed(
    keys: dict[str, Path], hub: Path
) -> None:
    made = sign(MESSAGE, keys["ed25519"]).decode()
    spare = re.search(r"([A-Za-z0-9+/])(=+\n)", made)
    assert spare is not None
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = letters[letters.index(spare[1]) ^ 1]
    changed = made[: spare.start()] + other + made[spare.start() + 1 :]
    with pytest.raises(VerificationError, match="one way"):
        verify(MESSAGE, changed.encode(), "VN", hub)


def test_a_huge_signature_is_refused_before_anything_runs(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("something ran"))
    with pytest.raises(VerificationError, match="of 65536 allowed"):
        verify(MESSAGE, b"x" * (MAX_SIGNATURE_BYTES + 1), "VN", hub)


def test_a_certificate_signs_nothing(keys: dict[str, Path], tmp_path: Path) -> None:
    authority, key = make_key(tmp_path, "authority"), make_key(tmp_path, "key")
    ssh_keygen("-q", "-s", authority, "-I", "VN", "-n", "VN", f"{key}.pub")
    (tmp_path / "key-cert").write_bytes(key.read_bytes())
    (tmp_path / "key-cert").chmod(0o600)
    made = signed(MESSAGE, tmp_path / "key-cert.pub")
    allowed = tmp_path / "allowed"
    allowed.write_text(f"VN {public(key)}\n")
    with pytest.raises(
        VerificationError, match=r"keys of type .ssh-ed25519-cert-v01@openssh\.com. are not taken"
    ):
        verify(MESSAGE, made, "VN", allowed)


def test_a_short_rsa_key_is_refused_when_signing_and_when_verifying(tmp_path: Path) -> None:
    key = make_key(tmp_path, "short", "-t", "rsa", "-b", "1024")
    with pytest.raises(BadInputError, match="RSA key of 1024 bits is too short"):
        sign(MESSAGE, key)
    with pytest.raises(VerificationError, match="RSA key of 1024 bits is too short"):
        check_integrity(MESSAGE, signed(MESSAGE, key))


# ---------------------------------------------------------------------------------------------
# Validity and revocation

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("options", "good", "early", "late"),
    [
        ('valid-before="20260101"', [NEW_YEAR - SECOND, NEW_YEAR], [], [NEW_YEAR + SECOND]),
        ('valid-after="20260101"', [NEW_YEAR, NEW_YEAR + SECOND], [NEW_YEAR - SECOND], []),
        (
            'valid-after="202601010000",valid-before="20260101000005Z"',
            [NEW_YEAR, NEW_YEAR + 5 * SECOND],
            [NEW_YEAR - SECOND],
            [NEW_YEAR + 6 * SECOND],
        ),
    ],
)
def test_a_key_is_valid_within_its_times_alone(
    options: str,
    good: list[datetime],
    early: list[datetime],
    late: list[datetime],
    keys: dict[str, Path],
    hub: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    hub.write_text(f"VN {options} {public(keys['ed25519'])}\n")
    made = sign(MESSAGE, keys["ed25519"])
    for at in good:
        assert verify(MESSAGE, made, "VN", hub, at=at) == fingerprint(keys["ed25519"])
    for times, said in ((early, "not valid yet"), (late, "no longer valid")):
        for at in times:
            with pytest.raises(VerificationError, match=said) as refused:
                verify(MESSAGE, made, "VN", hub, at=at)
            assert at.isoformat() in str(refused.value)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Lima"])
def test_without_a_time_validity_is_judged_now_whatever_the_zone(
    zone: str, keys: dict[str, Path], hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    made = sign(MESSAGE, keys["ed25519"])
    now = datetime.now(UTC)
    before, after = (f"{now + timedelta(hours=hours):%Y%m%d%H%M}" for hours in (-1, 1))
    key = public(keys["ed25519"])
    hub.write_text(f'VN valid-after="{before}",valid-before="{after}" {key}\n')
    assert verify(MESSAGE, made, "VN", hub)
    for options, said in (
        (f'valid-before="{before}"', "no longer valid"),
        (f'valid-after="{after}"', "not valid yet"),
    ):
        hub.write_text(f"VN {options} {key}\n")
        with pytest.raises(VerificationError, match=said):
            verify(MESSAGE, made, "VN", hub)


@pytest.mark.parametrize("form", ["list", "list with comments", "KRL", "KRL of digests"])
def test_a_revoked_key_is_refused_and_the_others_are_not(
    form: str, keys: dict[str, Path], hub: Path, tmp_path: Path
) -> None:
    revoked = tmp_path / "revoked"
    lost = f"{keys['ed25519']}.pub"
    if form == "KRL":
        ssh_keygen("-q", "-k", "-f", revoked, lost)
    elif form == "KRL of digests":
        spec = tmp_path / "spec"
        spec.write_text(f"sha256: {public(keys['ed25519'])}\n")
        ssh_keygen("-q", "-k", "-f", revoked, spec)
    elif form == "list":
        revoked.write_text(Path(lost).read_text())
    else:
        revoked.write_bytes(b"# lost in Hu\xe9\r\n\r\n\t" + Path(lost).read_bytes())
    with pytest.raises(VerificationError, match="VN that signed is revoked") as refused:
        verify(MESSAGE, sign(MESSAGE, keys["ed25519"]), "VN", hub, revoked)
    assert fingerprint(keys["ed25519"]) in str(refused.value)
    assert verify(MESSAGE, sign(MESSAGE, keys["TH"]), "TH", hub, revoked)


def test_an_empty_list_revokes_nothing(keys: dict[str, Path], hub: Path, tmp_path: Path) -> None:
    (tmp_path / "revoked").write_text("# none so far\n")
    made = sign(MESSAGE, keys["ed25519"])
    assert verify(MESSAGE, made, "VN", hub, tmp_path / "revoked")


def test_a_damaged_revocation_list_is_refused_rather_than_passed_over(
    keys: dict[str, Path], hub: Path, tmp_path: Path
) -> None:
    revoked = tmp_path / "revoked"
    ssh_keygen("-q", "-k", "-f", revoked, f"{keys['stranger']}.pub")
    revoked.write_bytes(revoked.read_bytes()[:60])
    with pytest.raises(BadInputError, match="revocation list cannot be used") as refused:
        verify(MESSAGE, sign(MESSAGE, keys["ed25519"]), "VN", hub, revoked)
    assert str(revoked) in str(refused.value)


def test_a_list_of_revoked_keys_with_other_lines_is_refused(
    keys: dict[str, Path], hub: Path, tmp_path: Path
) -> None:
    revoked = tmp_path / "revoked"
    key = public(keys["TH"])
    revoked.write_text(f"{key}\nVN {key}\nssh-ed25519\nssh-ed25519 AAAA\n")
    with pytest.raises(FaultsError) as refused:
        verify(MESSAGE, sign(MESSAGE, keys["ed25519"]), "VN", hub, revoked)
    assert [
        f"line {n}" in str(f) for n, f in zip((2, 3, 4), refused.value.faults, strict=True)
    ] == [True] * 3


@pytest.mark.parametrize("missing", ["allowed_signers", "revoked"])
def test_a_missing_file_of_the_hub_is_refused(
    missing: str, keys: dict[str, Path], hub: Path, tmp_path: Path
) -> None:
    allowed = tmp_path / "none" if missing == "allowed_signers" else hub
    with pytest.raises(BadInputError, match="none: cannot be read"):
        verify(MESSAGE, sign(MESSAGE, keys["ed25519"]), "VN", allowed, tmp_path / "none")


# ---------------------------------------------------------------------------------------------
# Signing


def test_a_key_with_a_passphrase_is_refused_at_once_though_there_is_a_terminal(
    tmp_path: Path,
) -> None:
    key = make_key(tmp_path, "locked", passphrase="secret words")
    code = f"""
import os
from pathlib import Path
from afpanel.errors import BadInputError
from afpanel.io.signatures import sign
os.open(os.ttyname(0), os.O_RDWR)  # the first terminal that a session's leader opens is its own
os.close(os.open("/dev/tty", os.O_RDWR))
try:
    sign(b"secret words\\n", Path({str(key)!r}))
except BadInputError as refused:
    print(refused)
"""
    controller, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdin=terminal,
            capture_output=True,
            start_new_session=True,
            timeout=50,
            check=True,
        )
    finally:
        os.close(controller)
        os.close(terminal)
    assert b"the key has a passphrase, and no ssh-agent holds it" in done.stdout
    assert f"ssh-add {key}".encode() in done.stdout


def test_no_helper_is_asked_for_a_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(tmp_path, "locked", passphrase="secret")
    helper = tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\necho secret\n")
    helper.chmod(0o700)
    for name, value in (
        ("SSH_ASKPASS", helper),
        ("DISPLAY", ":0"),
        ("SSH_ASKPASS_REQUIRE", "force"),
    ):
        monkeypatch.setenv(name, str(value))
    with pytest.raises(BadInputError, match="passphrase"):
        sign(MESSAGE, key)
    assert not (tmp_path / "asked").exists()


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"(SSH_\w+)=([^;]+);", said))
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    yield
    subprocess.run(["ssh-agent", "-k"], env=os.environ | found, capture_output=True, check=True)


def test_a_key_with_a_passphrase_signs_from_an_agent(
    agent: None, tmp_path: Path, keys: dict[str, Path]
) -> None:
    key = make_key(tmp_path, "key")
    subprocess.run(["ssh-add", "-q", str(key)], check=True)
    ssh_keygen("-q", "-p", "-N", "secret", "-f", key)
    alone = tmp_path / "elsewhere" / "only.pub"
    alone.parent.mkdir()
    alone.write_text(Path(f"{key}.pub").read_text())
    for given in (key, alone):
        assert check_integrity(MESSAGE, sign(MESSAGE, given)) == fingerprint(key)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda key: key.unlink(), "no such key"),
        (lambda key: key.chmod(0o644), "others can read the private key"),
        (lambda key: key.write_text("nonsense\n"), "cannot sign with it|no private key"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_with_the_reason(
    make, said: str, tmp_path: Path
) -> None:
    key = make_key(tmp_path, "key")
    make(key)
    with pytest.raises(BadInputError, match=said) as refused:
        sign(MESSAGE, key)
    assert str(refused.value).startswith(str(key))
    assert refused.value.remedy or said == "no such key"


def test_a_public_key_without_its_private_half_cannot_sign(tmp_path: Path) -> None:
    key = make_key(tmp_path, "key")
    key.unlink()
    with pytest.raises(BadInputError, match="no private key beside this public one"):
        sign(MESSAGE, Path(f"{key}.pub"))


def test_a_path_is_never_taken_for_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(tmp_path / "a b;c", "key")
    key.rename(tmp_path / "-n")
    Path(f"{key}.pub").rename(tmp_path / "-n.pub")
    monkeypatch.chdir(tmp_path)
    assert check_integrity(MESSAGE, sign(MESSAGE, Path("-n"))) == fingerprint(Path(tmp_path / "-n"))


def test_signing_leaves_nothing_behind(
    keys: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(keys["ed25519"].parent.iterdir())
    monkeypatch.setattr(signatures.tempfile, "tempdir", str(tmp_path))
    sign(MESSAGE, keys["ed25519"])
    assert list(tmp_path.iterdir()) == []
    assert sorted(keys["ed25519"].parent.iterdir()) == before


# ---------------------------------------------------------------------------------------------
# ssh-keygen itself


def pretend(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program called ssh-keygen before the real one."""
    folder.mkdir()
    program = folder / "ssh-keygen"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_without_ssh_keygen_the_remedy_is_to_install_it(
    keys: dict[str, Path], hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sign(MESSAGE, keys["ed25519"])
    monkeypatch.setenv("PATH", str(tmp_path))
    calls = (
        lambda: sign(MESSAGE, keys["ed25519"]),
        lambda: check_integrity(MESSAGE, made),
        lambda: verify(MESSAGE, made, "VN", hub),
    )
    for call in calls:
        with pytest.raises(BadInputError, match="not installed") as refused:
            call()
        assert "OpenSSH" in str(refused.value.remedy)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'unknown option -- Y' >&2; echo 'usage: ssh-keygen' >&2; exit 1", "no signatures"),
        ("echo 'No user exists for uid 4711' >&2; exit 255", "No user exists for uid 4711"),
        ("exec sleep 30", "did not answer within 1 seconds"),
    ],
)
def test_an_ssh_keygen_that_does_not_work_is_no_fault_of_the_signature(
    script: str,
    said: str,
    keys: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = sign(MESSAGE, keys["ed25519"])
    monkeypatch.setattr(signatures, "_PATIENCE", 1.0)
    pretend(tmp_path / "bin", monkeypatch, script)
    with pytest.raises(BadInputError, match=said):
        check_integrity(MESSAGE, made)


@pytest.mark.parametrize("script", ["exit 0", "echo Good", "echo Good key SHA256:other", "exit 1"])
def test_only_the_whole_answer_is_taken_for_good(
    script: str, keys: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sign(MESSAGE, keys["ed25519"])
    pretend(tmp_path / "bin", monkeypatch, script)
    with pytest.raises(VerificationError, match="does not accept"):
        check_integrity(MESSAGE, made)


def test_what_ssh_keygen_refuses_is_refused_though_our_own_reading_allows_it(
    keys: dict[str, Path], hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sign(MESSAGE, keys["ed25519"])
    good = f'echo Good "x" signature with ED25519 key {fingerprint(keys["ed25519"])}'
    script = f'if [ "$2" = verify ]; then echo no >&2; exit 255; else {good}; fi'
    pretend(tmp_path / "bin", monkeypatch, script)
    check_integrity(MESSAGE, made)
    with pytest.raises(VerificationError, match="does not accept the signature: no"):
        verify(MESSAGE, made, "VN", hub)


def string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def test_keys_on_devices_have_the_fingerprint_that_ssh_keygen_shows(tmp_path: Path) -> None:
    kind = "sk-ssh-ed25519@openssh.com"
    key = PublicKey.of_blob(string(kind.encode()) + string(bytes(range(32))) + string(b"ssh:"))
    path = tmp_path / "key"
    Path(f"{path}.pub").write_text(f"{key.text} on a device\n")
    assert key.fingerprint == fingerprint(path)
