"""Keys and signatures made by ssh-keygen itself."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NAMESPACE = "afpanel-contribution"

needs_ssh_keygen = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed"
)


def ssh_keygen(
    *arguments: str | Path, message: bytes = b"", check: bool = True
) -> subprocess.CompletedProcess[bytes]:
    """Run ssh-keygen without a terminal, in UTC."""
    done = subprocess.run(
        ["ssh-keygen", *map(str, arguments)],
        input=message,
        capture_output=True,
        check=False,
        env=os.environ | {"TZ": "UTC", "LC_ALL": "C"},
        start_new_session=True,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def make_key(folder: Path, name: str, *options: str, passphrase: str = "") -> Path:
    """Make a key; its public half has `.pub` after its name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    kind = options or ("-t", "ed25519")
    ssh_keygen("-q", *kind, "-N", passphrase, "-C", f"{name} comment", "-f", path)
    return path


def public(key: Path) -> str:
    """Type and base64 of a key, without the comment."""
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def fingerprint(key: Path) -> str:
    """What ssh-keygen says is the key's fingerprint."""
    return ssh_keygen("-l", "-f", f"{key}.pub").stdout.decode().split()[1]


def signed(message: bytes, key: Path, namespace: str = NAMESPACE) -> bytes:
    """Sign by ssh-keygen alone."""
    return ssh_keygen("-Y", "sign", "-f", key, "-n", namespace, message=message).stdout
