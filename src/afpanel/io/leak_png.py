"""PNG pictures: the chunks that a picture needs, and no text, date or further bytes."""

import struct
import zlib
from typing import BinaryIO

from afpanel.io.leak_report import Spot

_MAGIC = b"\x89PNG\r\n\x1a\n"
_NEEDED = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"pHYs", b"gAMA", b"sRGB", b"sBIT"}
)
_SIZES = {b"IHDR": 13, b"IEND": 0, b"pHYs": 9, b"gAMA": 4, b"sRGB": 1}
_MOST_CHUNK = 64 << 20
_MOST_ROWS = 1 << 30
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def scan_png(spot: Spot, source: BinaryIO) -> None:
    """Scan a PNG; what its pixels show cannot be searched."""
    if source.read(8) != _MAGIC:
        spot.leak("no PNG")
        return
    packed = bytearray()
    expected = -1
    while True:
        head = source.read(8)
        if len(head) < 8:
            spot.leak("cut short", "chunk")
            return
        size, kind = struct.unpack(">I4s", head)
        where = f" {kind.decode('latin-1')}"
        data = source.read(min(size, _MOST_CHUNK) + 4)
        content, digest = data[:-4], data[-4:]
        if kind not in _NEEDED:
            spot.leak("a chunk that a picture does not need", "chunk", where)
            _search(spot, kind, content, where)
        elif len(content) != size or digest != struct.pack(">I", zlib.crc32(kind + content)):
            spot.leak("a chunk that does not fit its digest", "chunk", where)
            return
        elif _SIZES.get(kind, size) != size:
            spot.leak("a chunk of another length than such a one has", "chunk", where)
            spot.search(content, "chunk", detail=where)
        if kind == b"IHDR" and size == 13:
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content)
            if interlaced == 0 and colour in _CHANNELS:
                expected = height * (1 + (width * depth * _CHANNELS[colour] + 7) // 8)
        if kind == b"IDAT":
            packed += content
        if kind == b"IEND":
            break
    rest = source.read(_MOST_CHUNK)
    if rest:
        spot.leak("bytes after the end of the picture", "end")
        spot.search(rest, "bytes after the end of the picture")
    _check_rows(spot, bytes(packed), expected)


def _search(spot: Spot, kind: bytes, content: bytes, where: str) -> None:
    spot.search(content, "chunk", detail=where)
    if kind in (b"zTXt", b"iTXt", b"iCCP"):
        start = content.find(b"\x78")  # where a packed text begins
        while start >= 0:
            try:
                spot.search(
                    zlib.decompressobj().decompress(content[start:], _MOST_CHUNK),
                    "chunk",
                    detail=where,
                )
            except zlib.error:
                start = content.find(b"\x78", start + 1)
                continue
            return


def _check_rows(spot: Spot, packed: bytes, expected: int) -> None:
    inflater = zlib.decompressobj()
    try:
        rows = inflater.decompress(packed, _MOST_ROWS)
    except zlib.error:
        spot.leak("pixels that cannot be unpacked", "chunk", " IDAT")
        return
    if not inflater.eof or inflater.unused_data or len(rows) != expected:
        spot.leak("more or fewer bytes than its pixels take", "chunk", " IDAT")
        spot.search(inflater.unused_data, "bytes after the pixels")
