"""BGZF files, every byte of which is looked at: no block says more than that it is one, and nothing follows the last.

What else a gzip file can hold (the name of a file, a comment, further fields, bytes after its end) is a leak by
itself, and is searched for names all the same.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from isal import isal_zlib

from afpanel.io.leak_report import Spot
from afpanel.io.sniff import BGZF_END

_PIECE = 2 << 20
_READ = 1 << 20
_MOST_EXTRA = 4 << 20
"""Bytes after the last block, or of a field of a header, that are searched; they are a leak in any case."""

_HEAD = bytes.fromhex("1f8b08040000000000ff060042430200")
"""What every block of a BGZF file begins with; its size follows."""

_CRC, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16
_RAW_DEFLATE = -15
_ISAL_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment] # its stubs err


def inflated(spot: Spot, source: BinaryIO) -> Iterator[bytes]:
    """Inflate a BGZF file, noting whatever it holds besides text.

    Parameters
    ----------
    spot
        The file.
    source
        Its bytes, from the first on.

    Yields
    ------
    bytes
        The text, in pieces of two megabytes or somewhat more.
    """
    waiting: list[bytes] = []
    length = number = 0
    last = b""
    while head := source.read(18):
        if not head.startswith(_HEAD):
            source.seek(-len(head), 1)
            yield b"".join(waiting)
            waiting, length, last = [], 0, b""
            yield from _not_bgzf(spot, source, number)
            continue
        number += 1
        size = struct.unpack_from("<H", head, 16)[0] + 1 - len(head)
        last = head + source.read(max(size, 0))
        text = _text_of(spot, last, number)
        waiting.append(text)
        length += len(text)
        if length >= _PIECE:
            yield b"".join(waiting)
            waiting, length = [], 0
    yield b"".join(waiting)
    if last != BGZF_END:
        spot.leak("no end-of-file block of BGZF: it is cut short", "block", f" {number:,}")


def _text_of(spot: Spot, block: bytes, number: int) -> bytes:
    """Inflate a block, which must be nothing but deflated text, its digest and its length."""
    try:
        inflater = isal_zlib.decompressobj(_RAW_DEFLATE)
        text: bytes = inflater.decompress(block[18:])
    except _ISAL_ERROR:
        spot.leak("a block that cannot be inflated", "block", f" {number:,}")
        return b""
    after = inflater.unused_data
    if len(after) != 8 or struct.unpack("<II", after) != (isal_zlib.crc32(text), len(text)):
        spot.leak("a block that does not fit its digest, or holds more", "block", f" {number:,}")
        spot.search(after, "block", detail=f" {number:,}, after its text")
    return text


def _not_bgzf(spot: Spot, source: BinaryIO, number: int) -> Iterator[bytes]:
    """Go on where a file stops being BGZF: with a gzip member, or with other bytes."""
    start = source.read(2)
    source.seek(-len(start), 1)
    if start != b"\x1f\x8b":
        spot.leak(
            "bytes after the last block" if number else "not a BGZF file", "block", f" {number:,}"
        )
        spot.search(source.read(_MOST_EXTRA), "bytes after the last block")
        return
    spot.leak("a gzip member that is no block of BGZF", "member", f" {number + 1:,}")
    _search_header(spot, source, number + 1)
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    rest = b""
    while not inflater.eof:
        data = rest or source.read(_READ)
        if not data:
            return
        try:
            yield inflater.decompress(data, _PIECE)
        except zlib.error:
            spot.leak("a gzip member that cannot be inflated", "member", f" {number + 1:,}")
            source.seek(0, 2)
            return
        rest = inflater.unconsumed_tail
    source.seek(8 - len(inflater.unused_data), 1)  # past its digest and its length


def _search_header(spot: Spot, source: BinaryIO, number: int) -> None:
    """Read a gzip header up to its end, and search its fields."""
    where = f" {number:,}"
    head = source.read(10)
    flags = head[3] if len(head) == 10 else 0
    if flags & _EXTRA:
        size = int.from_bytes(source.read(2), "little")
        _search_field(spot, source.read(size), "extra field of member", where)
    for flag, field in ((_NAME, "file name of member"), (_COMMENT, "comment of member")):
        if flags & flag:
            _search_field(spot, _up_to_zero(source), field, where)
    if flags & _CRC:
        source.read(2)


def _search_field(spot: Spot, data: bytes, field: str, where: str) -> None:
    spot.leak("a field that gzip does not need", field, where)
    spot.search(data, field, detail=where)


def _up_to_zero(source: BinaryIO) -> bytes:
    data = bytearray()
    while (byte := source.read(1)) and byte != b"\0" and len(data) < _MOST_EXTRA:
        data += byte
    return bytes(data)
