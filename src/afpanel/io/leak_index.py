"""Indexes of VCFs, tabix and CSI: their head, the names of contigs, and nothing else but numbers."""

import struct
from typing import BinaryIO

from afpanel.core.leaks import Home
from afpanel.io.leak_gzip import inflated
from afpanel.io.leak_report import Spot

_TABIX = struct.Struct("<4s8i")
_BARE_CSI = struct.Struct("<4s4i")
_CSI = struct.Struct("<4s3i7i")
_PRESET = [2, 1, 2, 0, 35, 0]
"""What an index of a VCF says of it."""

_MOST_INDEX = 1 << 30
_BIN, _CSI_BIN, _CHUNK, _WINDOW = 8, 16, 16, 8


def scan_tabix(spot: Spot, source: BinaryIO) -> None:
    """Scan a tabix index."""
    text = _text_of(spot, source)
    if len(text) < _TABIX.size:
        spot.leak("no tabix index")
        spot.search(text, "text")
        return
    magic, n_contigs, *preset, length = _TABIX.unpack_from(text)
    if magic != b"TBI\1" or preset != _PRESET:
        spot.leak("no tabix index of a VCF", "head")
    names = text[_TABIX.size : _TABIX.size + length]
    _scan_names(spot, names, n_contigs)
    _scan_bins(spot, text, _TABIX.size + length, n_contigs, windows=True)


def scan_csi(spot: Spot, source: BinaryIO) -> None:
    """Scan a CSI index."""
    text = _text_of(spot, source)
    if len(text) < _CSI.size:
        spot.leak("no CSI index")
        spot.search(text, "text")
        return
    magic, _, _, about, *preset, length = _CSI.unpack_from(text)
    end = _CSI.size + length
    n_contigs = int.from_bytes(text[end : end + 4], "little", signed=True)
    if magic != b"CSI\1" or preset != _PRESET or about != 28 + length:
        spot.leak("no CSI index of a VCF", "head")
    _scan_names(spot, text[_CSI.size : end], n_contigs)
    _scan_bins(spot, text, end + 4, n_contigs, windows=False)


def scan_csi_of_bcf(spot: Spot, source: BinaryIO) -> None:
    """Scan a CSI index of a BCF, which has no names: they are in the BCF."""
    text = _text_of(spot, source)
    if len(text) < _BARE_CSI.size:
        spot.leak("no CSI index")
        spot.search(text, "text")
        return
    magic, _, _, about, n_contigs = _BARE_CSI.unpack_from(text)
    if magic != b"CSI\1" or about:
        spot.leak("no CSI index of a BCF", "head")
        spot.search(text, "head")
        return
    _scan_bins(spot, text, _BARE_CSI.size, n_contigs, windows=False)


def _text_of(spot: Spot, source: BinaryIO) -> bytes:
    text = b""
    for piece in inflated(spot, source):
        text += piece
        if len(text) > _MOST_INDEX:
            spot.leak("larger than any index")
            break
    return text


def _scan_names(spot: Spot, names: bytes, n_contigs: int) -> None:
    for name in names.split(b"\0"):
        spot.search(name, "names of contigs")
    if names.count(b"\0") != n_contigs or (n_contigs and not names.endswith(b"\0")):
        spot.leak("an index whose parts do not fit together", "names of contigs")


def _scan_bins(spot: Spot, text: bytes, start: int, n_contigs: int, *, windows: bool) -> None:
    end = _end_of_bins(text, start, n_contigs, windows=windows)
    if end < 0:
        spot.leak("an index whose parts do not fit together", "bins")
        end = start
    if len(text) - end not in (0, 8):
        spot.leak("bytes after the end of the index", "end")
        spot.search(text[end:], "bytes after the end of the index")
    spot.search(text, "bins", Home.BINARY)


def _end_of_bins(text: bytes, at: int, n_contigs: int, *, windows: bool) -> int:
    """Find where an index ends by its own numbers; -1 if they lead out of it."""
    head = _BIN if windows else _CSI_BIN
    try:
        for _ in range(n_contigs):
            (n_bins,) = struct.unpack_from("<i", text, at)
            at += 4
            for _ in range(n_bins):
                (n_chunks,) = struct.unpack_from("<i", text, at + head - 4)
                at += head + _CHUNK * n_chunks
            if windows:
                (n_windows,) = struct.unpack_from("<i", text, at)
                at += 4 + _WINDOW * n_windows
    except struct.error:
        return -1
    return at if at <= len(text) else -1
