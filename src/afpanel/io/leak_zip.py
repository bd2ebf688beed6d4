"""Zip files, every byte of which is accounted for.

That is: entries that are stored as they are, one after the other, the directory of them, and its end. Nothing between,
before or after, no comment, and no field of one's own.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from afpanel.io.leak_report import Spot, short

_DATE = (1980, 1, 1, 0, 0, 0)
_MODES = frozenset({0o644, stat.S_IFREG | 0o644})
_LOCAL = struct.Struct("<4s5H3I2H")
_ZIP64 = 1
_END = 22
_MOST_EXTRA = 4 << 20
_MOST_UNPACKED = 256 << 20
_UTF8 = 0x800


class Window(io.RawIOBase):
    """Part of a file, as a file of its own that can be read only.

    Parameters
    ----------
    source
        The file.
    start, size
        The part's first byte, and how many it has.
    """

    def __init__(self, source: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._source, self._start, self._size = source, start, size
        self._at = 0

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read from any place."""
        return True

    def tell(self) -> int:
        """Give the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: object) -> int:
        """Read the next bytes."""
        view = memoryview(buffer)  # type: ignore[arg-type] # typeshed has no name for it here
        wanted = max(0, min(len(view), self._size - self._at))
        self._source.seek(self._start + self._at)
        data = self._source.read(wanted)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


@dataclass(frozen=True)
class Entry:
    """An entry of a zip file: its name, and its bytes as a file, which can be read as long as that is open."""

    name: str
    source: BinaryIO
    size: int


def entries(spot: Spot, source: BinaryIO, size: int) -> Iterator[Entry]:
    """Go through a zip file's entries, noting whatever it holds besides them.

    Entries that are packed are noted, and come unpacked.
    """
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        spot.leak(f"no zip file that can be read ({type(error).__name__})")
        return
    with archive:
        listed = archive.infolist()
        _check_directory(spot, archive, listed, source, size)
        seen: set[str] = set()
        for info in listed:
            _check_entry(spot, info, seen)
            seen.add(info.filename)
            spot.report.looked["entries"] += 1
            yield from _opened(spot, archive, info, source)


def _opened(
    spot: Spot, archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: BinaryIO
) -> Iterator[Entry]:
    is_stored = info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
    start = _data_start(source, info)
    if is_stored and start is not None:
        window = io.BufferedReader(Window(source, start, info.file_size), 1 << 16)
        yield Entry(info.filename, window, info.file_size)
        return
    spot.leak(
        "an entry that is packed, or has another length than it says",
        f"entry {short(info.filename)}",
    )
    try:
        with archive.open(info) as packed:
            data = packed.read(_MOST_UNPACKED)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError):
        spot.leak("an entry that cannot be unpacked", f"entry {short(info.filename)}")
        return
    yield Entry(info.filename, io.BytesIO(data), len(data))


def _data_start(source: BinaryIO, info: zipfile.ZipInfo) -> int | None:
    source.seek(info.header_offset)
    head = source.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != b"PK\3\4":
        return None
    name, extra = _LOCAL.unpack(head)[-2:]
    return int(info.header_offset + _LOCAL.size + name + extra)


def _check_entry(spot: Spot, info: zipfile.ZipInfo, seen: set[str]) -> None:
    """Hold what the directory says of an entry against what every entry must say."""
    where = f" {short(info.filename)}"
    spot.search(info.orig_filename, f"name of entry{where}")
    parts = info.orig_filename.split("/")
    if info.orig_filename.startswith(("/", "\\")) or ".." in parts or "\\" in info.orig_filename:
        spot.leak("a name that leads out of the archive", f"name of entry{where}")
    if info.orig_filename != info.filename or "" in parts or not info.filename.isprintable():
        spot.leak("a name that is not one of a file", f"name of entry{where}")
    if info.filename in seen:
        spot.leak("a second entry of the same name", f"entry{where}")
    if info.comment:
        spot.leak("a comment", f"entry{where}")
        spot.search(info.comment, f"comment of entry{where}")
    if info.extra and not _is_zip64(info.extra):
        spot.leak("an extra field", f"entry{where}")
        spot.search(info.extra, f"extra field of entry{where}")
    if info.date_time != _DATE:
        spot.leak("a date other than the fixed one", f"entry{where}")
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        spot.leak("a symbolic link", f"entry{where}")
    elif mode not in _MODES or info.external_attr & 0xFFFF or info.internal_attr:
        spot.leak("attributes other than those of every entry", f"entry{where}")
    if info.flag_bits & ~_UTF8:
        spot.leak("flags that a stored entry has not", f"entry{where}")


def _is_zip64(extra: bytes) -> bool:
    """Tell whether an extra field holds nothing but sizes that are too large for their place."""
    if len(extra) < 4:
        return False
    kind, size = struct.unpack_from("<HH", extra)
    return kind == _ZIP64 and size in (8, 16, 24) and len(extra) == 4 + size


def _check_directory(
    spot: Spot,
    archive: zipfile.ZipFile,
    listed: list[zipfile.ZipInfo],
    source: BinaryIO,
    size: int,
) -> None:
    """Account for every byte of the file."""
    if archive.comment:
        spot.leak("a comment", "end of the archive")
        spot.search(archive.comment, "comment of the archive")
    used = []
    for info in listed:
        start = _data_start(source, info)
        if start is None:
            spot.leak("an entry without a head", f"entry {short(info.filename)}")
            continue
        used.append((info.header_offset, start + info.compress_size))
        source.seek(info.header_offset + _LOCAL.size)
        name = source.read(len(info.orig_filename.encode()))
        extra = source.read(start - info.header_offset - _LOCAL.size - len(name))
        if name != info.orig_filename.encode() or (extra and not _is_zip64(extra)):
            spot.leak("a head that says other than the directory", f"entry {short(info.filename)}")
            spot.search(name + b"\n" + extra, f"head of entry {short(info.filename)}")
        source.seek(info.header_offset)
        head = _LOCAL.unpack(source.read(_LOCAL.size))
        if head[4:6] != (0, 0x21) or head[6] != info.CRC:
            spot.leak("a head that says other than the directory", f"entry {short(info.filename)}")
    directory = sum(
        46 + len(info.orig_filename.encode()) + len(info.extra) + len(info.comment)
        for info in listed
    )
    begin = int(archive.start_dir)
    used.append((begin, begin + directory))
    used.append(_end_of(source, size, archive.comment))
    at = 0
    for start, stop in [*sorted(used), (size, size)]:
        if start > at:
            source.seek(at)
            spot.leak("bytes that belong to no entry", "byte", f" {at:,}")
            spot.search(source.read(min(start - at, _MOST_EXTRA)), "bytes between entries")
        elif start < at:
            spot.leak("entries that lie over each other", "byte", f" {start:,}")
        at = max(at, stop)


def _end_of(source: BinaryIO, size: int, comment: bytes) -> tuple[int, int]:
    """Find the end of a directory, which is commonly the end of the file, and where it ends itself."""
    first = max(0, size - (1 << 16) - _END - 20)
    source.seek(first)
    last_bytes = source.read(size - first)
    start = last_bytes.rfind(b"PK\5\6")
    stop = start + _END + len(comment)
    if last_bytes[max(start - 20, 0) :].startswith(b"PK\6\7"):
        start -= 76  # what an archive of more than four gigabytes, or 65,535 entries, has before
    return first + start, first + stop
