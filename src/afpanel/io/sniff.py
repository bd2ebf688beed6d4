"""What a variant file really is, whatever it is called, and whether its end is there."""

import gzip
import os
import zlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from afpanel.errors import BadInputError

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty block that a BGZF file ends with."""

_COMPRESSED_SUFFIXES = (".gz", ".bgz", ".bgzf", ".bcf")
_REPAIR = "transfer the file again and compare its checksum with the sender's"


class Compression(Enum):
    """How the bytes of a file are packed."""

    NONE = "plain"
    GZIP = "gzip"
    BGZF = "BGZF"


@dataclass(frozen=True)
class FileKind:
    """What a variant file is; `index` is its tabix or CSI index, if there is one."""

    compression: Compression
    is_bcf: bool
    index: Path | None


def compression_of(path: Path) -> Compression:
    """Tell a file's compression by its first bytes."""
    with path.open("rb") as source:
        head = source.read(18)
    if not head.startswith(_GZIP):
        return Compression.NONE
    is_bgzf = len(head) == 18 and head[3] & 4 and head[12:14] == b"BC"
    return Compression.BGZF if is_bgzf else Compression.GZIP


def is_zip_or_folder(path: Path) -> bool:
    """Tell whether a path is a folder or a zip file: a Zarr store, if it is a variant file at all."""
    if path.is_dir():
        return True
    if not path.is_file():
        return False
    with path.open("rb") as source:
        return source.read(len(_ZIP)) == _ZIP


def sniff(path: Path) -> FileKind:
    """Tell what a VCF or BCF file is, and refuse one that is not whole.

    Raises
    ------
    BadInputError
        If the file is missing, empty, named as compressed when it is plain text, neither VCF nor
        BCF, or BGZF without its end.
    """
    try:
        if path.stat().st_size == 0:
            raise BadInputError("file is empty", where=path, remedy=_REPAIR)
        compression = compression_of(path)
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error
    if compression is Compression.NONE and path.suffix in _COMPRESSED_SUFFIXES:
        raise BadInputError(
            "named as a compressed file, but it is not compressed",
            where=path,
            expected="BGZF or gzip, or a name that ends in .vcf",
            found=f"plain bytes: {_start_of(path)!r}",
            remedy=f"compress it: bgzip {path.with_suffix('').name}",
        )
    if compression is Compression.BGZF:
        check_bgzf_end(path)
    head = _decompressed_start(path, compression)
    is_bcf = head.startswith(b"BCF\x02")
    if not is_bcf and not head.startswith(b"##fileformat=VCF"):
        raise BadInputError(
            "neither VCF nor BCF",
            where=path,
            expected="'##fileformat=VCFv4…' or BCF2 at the start",
            found=repr(head[:40]),
        )
    return FileKind(compression, is_bcf, _index_of(path, compression))


def _start_of(path: Path) -> bytes:
    with path.open("rb") as source:
        return source.read(40)


def _decompressed_start(path: Path, compression: Compression) -> bytes:
    if compression is Compression.NONE:
        return _start_of(path)
    try:
        with gzip.open(path, "rb") as source:
            return source.read(40)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInputError(f"truncated or damaged: {error}", where=path, remedy=_REPAIR) from error


def check_bgzf_end(path: Path) -> None:
    """Refuse a BGZF file without the block that ends one: it was cut short.

    Raises
    ------
    BadInputError
        If it is not there.
    """
    with path.open("rb") as source:
        source.seek(-min(len(BGZF_END), path.stat().st_size), os.SEEK_END)
        if source.read() != BGZF_END:
            raise BadInputError(
                "truncated: the file has no BGZF end-of-file block", where=path, remedy=_REPAIR
            )


def _index_of(path: Path, compression: Compression) -> Path | None:
    if compression is not Compression.BGZF:
        return None
    for suffix in (".csi", ".tbi"):
        index = path.with_name(path.name + suffix)
        if index.is_file():
            return index
    return None
