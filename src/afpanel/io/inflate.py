"""The bytes of a text file, plain, gzip or BGZF, in large pieces and checked against their digests."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from isal import isal_zlib

from afpanel.errors import BadInputError
from afpanel.io.sniff import Compression

LONGEST_LINE = 256 << 20
"""Bytes that a line may have: those of a call, with its fields, of each of ten million people."""

_PIECE = 2 << 20
_SMALL_PIECE = 1 << 17
_GZIP_WINDOW = 16 + 15  # a gzip header, and the largest window
_ISAL_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment] # its stubs err
_REPAIR = "transfer the file again and compare its checksum with the sender's"


class DamagedError(BadInputError):
    """The bytes of a file cannot be unpacked; who reads its text knows up to where it was good."""

    def __init__(self, path: Path, reason: str, last: str | None = None) -> None:
        self._path, self._reason = path, reason
        place = "" if last is None else f" after {last}"
        super().__init__(f"truncated or damaged{place}: {reason}", where=path, remedy=_REPAIR)

    def after(self, last: str) -> "DamagedError":
        """Say up to where the text was good."""
        return DamagedError(self._path, self._reason, last)


def pieces(
    path: Path,
    compression: Compression,
    offset: int = 0,
    size: int = _PIECE,
    end: int | None = None,
) -> Iterator[bytes]:
    """Read a file's text.

    Parameters
    ----------
    path, compression
        The file, and how it is packed.
    offset
        Where to begin: a virtual offset, as an index gives it, of a BGZF file.
    size
        Bytes of text to give out at a time, or somewhat more.
    end
        Where to stop: a virtual offset of a BGZF file.

    Raises
    ------
    DamagedError
        Where the file is cut short, or its bytes do not fit their digests.
    """
    try:
        if compression is Compression.BGZF:
            yield from _bgzf_pieces(path, offset, size, end)
        elif compression is Compression.GZIP:
            yield from _gzip_pieces(path, size)
        else:
            with path.open("rb") as source:
                while piece := source.read(size):
                    yield piece
    except (EOFError, OSError, zlib.error, _ISAL_ERROR, struct.error) as error:
        raise DamagedError(path, str(error)) from error


def check_end(path: Path, end: int) -> None:
    """Hold a BGZF file against the place where its index says that the last record ends.

    Parameters
    ----------
    path
        The file.
    end
        Virtual offset; 0 is not checked.

    Raises
    ------
    BadInputError
        If the file ends before, or has text after it: it was cut short, or changed since.
    """
    if not end:
        return
    at, within = end >> 16, end & 0xFFFF
    size = path.stat().st_size
    whole = False
    with path.open("rb") as source:
        while at < size:
            source.seek(at)
            try:
                block = _block_size(memoryview(source.read(18)), 0)
                source.seek(at + block - 4)
                (length,) = struct.unpack("<I", source.read(4))
            except (OSError, struct.error):
                break
            if length != within:
                break
            at, within = at + block, 0
            whole = at == size
    if not whole:
        raise BadInputError(
            "the file and its index do not belong together: the last record is elsewhere",
            where=path,
            remedy="if the file was copied, copy it again; if it was changed, index it again:"
            " bcftools index --force --tbi FILE, or tabix --force if it is no VCF",
        )


def bgzf_text(path: Path, offset: int) -> Iterator[bytes]:
    """Read a BGZF file's text from a virtual offset on, in small pieces: for a look at a few lines."""
    return pieces(path, Compression.BGZF, offset, size=_SMALL_PIECE)


def _gzip_pieces(path: Path, size: int) -> Iterator[bytes]:
    """Inflate a gzip file, of one member or several, giving out what there is before any error."""
    inflater = isal_zlib.decompressobj(_GZIP_WINDOW)
    with path.open("rb") as source:
        while data := source.read(min(size, _SMALL_PIECE)):
            while data:
                # What compresses well must not make large pieces: they are held several at a time.
                text = inflater.decompress(data, size)
                if text:
                    yield text
                data = inflater.unconsumed_tail
                if inflater.eof:
                    data = inflater.unused_data
                    if not data.strip(b"\0"):
                        data = b""  # padding, or nothing
                    elif data:
                        inflater = isal_zlib.decompressobj(_GZIP_WINDOW)
    if not inflater.eof:
        raise EOFError("compressed file ended before the end-of-stream marker was reached")


def _bgzf_pieces(path: Path, offset: int, size: int, stop: int | None) -> Iterator[bytes]:
    """Inflate block by block; each block holds its own size, digest and length."""
    skip = offset & 0xFFFF
    inflated: list[bytes] = []
    length = 0
    with path.open("rb") as source:
        source.seek(offset >> 16)
        begin = offset >> 16  # of what is at hand, in the file
        rest = b""
        while data := source.read(_SMALL_PIECE):
            compressed = memoryview(rest + data)
            at = 0
            while at + 18 <= len(compressed):
                end = at + _block_size(compressed, at)
                if end > len(compressed):
                    break
                text = isal_zlib.decompress(compressed[at + 18 : end - 8], -15, 65_536)
                if struct.unpack_from("<II", compressed, end - 8) != (
                    isal_zlib.crc32(text),
                    len(text),
                ):
                    raise OSError("a block does not fit its digest")
                if stop is not None and begin + at == stop >> 16:
                    yield b"".join([*inflated, text[skip : stop & 0xFFFF]])
                    return
                inflated.append(text[skip:] if skip else text)
                length += len(text)
                skip = 0
                at = end
                # What compresses well must not make large pieces: they are held several at a time.
                if length >= size:
                    yield b"".join(inflated)
                    inflated, length = [], 0
            rest = bytes(compressed[at:])
            begin += at
        if inflated:
            yield b"".join(inflated)
        if rest:
            raise EOFError("the last block is cut short")


def _block_size(data: memoryview, at: int) -> int:
    """Read the size of a BGZF block, whose extra field is the one of BGZF alone."""
    magic, extra, name, length, size = struct.unpack_from("<IxxxxxxH2sHH", data, at)
    if magic != 0x04088B1F or extra != 6 or name != b"BC" or length != 2:
        raise OSError("not a BGZF block")
    return int(size) + 1
