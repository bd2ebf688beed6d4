"""Public keys and signatures of OpenSSH as bytes: what they say, and whether they say it in the one way.

Nothing here is checked by cryptography; that is `io/signatures`.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_COLUMNS = 70
_MAGIC = b"SSHSIG"
_VERSION = 1
_LENGTH_BYTES = 4

MAX_SIGNATURE_BYTES = 64 << 10
"""A signature by an RSA key of 16384 bits has less than 8 KiB."""

MIN_RSA_BITS = 2048

KEY_FIELDS = {
    "ssh-ed25519": 1,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "ssh-rsa": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
"""Types of keys that may sign, and how many fields follow the type. Certificates are not among them."""


@dataclass(frozen=True)
class PublicKey:
    """A public key.

    Parameters
    ----------
    kind
        Its type, one of `KEY_FIELDS`.
    blob
        The key as RFC 4253, section 6.6, writes it; its type stands there too.
    """

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """``SHA256:`` and the digest, as ``ssh-keygen -l`` shows it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode()
        return f"SHA256:{digest.rstrip('=')}"

    @property
    def text(self) -> str:
        """Type and base64, as in a ``.pub`` file without its comment."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    @classmethod
    def of_blob(cls, blob: bytes) -> "PublicKey":
        """Take a key apart as far as needed to know that it is one.

        Raises
        ------
        ValueError
            With the reason.
        """
        name, _ = _string(blob)
        kind = name.decode("ascii", "replace")
        if kind not in KEY_FIELDS:
            raise ValueError(f"keys of type {kind!r} are not taken")
        fields = _strings(blob, 1 + KEY_FIELDS[kind])
        if kind == "ssh-rsa":
            bits = int.from_bytes(fields[2], "big").bit_length()
            if bits < MIN_RSA_BITS:
                raise ValueError(f"an RSA key of {bits} bits is too short")
        return cls(kind, blob)

    @classmethod
    def of_text(cls, kind: str, encoded: str) -> "PublicKey":
        """Read a key as a line of text has it.

        Raises
        ------
        ValueError
            With the reason.
        """
        key = cls.of_blob(_base64(encoded))
        if key.kind != kind:
            raise ValueError(f"the key is said to be {kind} and is {key.kind}")
        return key


@dataclass(frozen=True)
class Signature:
    """What a signature says of itself: by which key it is, and for which namespace."""

    key: PublicKey
    namespace: str


def parse_signature(armored: bytes) -> Signature:
    """Read an armored signature (PROTOCOL.sshsig of OpenSSH), and refuse all but the one way to write it.

    ``ssh-keygen`` passes over white space, bits of base64 that stand for nothing, a version below its
    own, and what the reserved field holds, so bytes can be changed there and it would still say good.

    Parameters
    ----------
    armored
        The signature as ``ssh-keygen -Y sign`` writes it.

    Raises
    ------
    ValueError
        With the reason.
    """
    if len(armored) > MAX_SIGNATURE_BYTES:
        raise ValueError(f"it has {len(armored)} bytes, of {MAX_SIGNATURE_BYTES} allowed")
    try:
        lines = armored.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ValueError("it is not ASCII") from None
    if lines[0] != _BEGIN or lines[-2:] != [_END, ""]:
        raise ValueError(f"it does not begin with {_BEGIN} and end with {_END}")
    blob = _base64("".join(lines[1:-2]))
    if armor(blob) != armored:
        raise ValueError(f"its lines are not {_COLUMNS} characters of base64 each")
    head = len(_MAGIC) + _LENGTH_BYTES
    if blob[:head] != _MAGIC + _VERSION.to_bytes(_LENGTH_BYTES, "big"):
        raise ValueError(f"it is not a signature of version {_VERSION}")
    key, namespace, reserved, _, _ = _strings(blob[head:], 5)
    if reserved:
        raise ValueError("its reserved field is not empty")
    return Signature(PublicKey.of_blob(key), namespace.decode("utf-8", "replace"))


def armor(blob: bytes) -> bytes:
    """Write a signature as text, as ``ssh-keygen`` does."""
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + _COLUMNS] for start in range(0, len(text), _COLUMNS)]
    return "\n".join([_BEGIN, *lines, _END, ""]).encode()


def _base64(text: str) -> bytes:
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is not base64") from None
    if base64.b64encode(blob).decode() != text:
        raise ValueError("its base64 is not written in the one way")
    return blob


def _string(blob: bytes) -> tuple[bytes, bytes]:
    """Take a string (RFC 4251, section 5) from the front; give it and the rest."""
    end = _LENGTH_BYTES + int.from_bytes(blob[:_LENGTH_BYTES], "big")
    if len(blob) < max(end, _LENGTH_BYTES):
        raise ValueError("it is cut short")
    return blob[_LENGTH_BYTES:end], blob[end:]


def _strings(blob: bytes, count: int) -> list[bytes]:
    """Take a blob apart into just so many strings."""
    found = []
    for _ in range(count):
        each, blob = _string(blob)
        found.append(each)
    if blob:
        raise ValueError("more follows where it should end")
    return found
