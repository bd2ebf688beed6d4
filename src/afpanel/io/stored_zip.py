"""Zip files of entries that are stored as they are, and of which every byte is accounted for.

A contribution is such a file, and so are the stores in it. Whoever reads one that came from elsewhere can
then bound what it may cost before anything is unpacked, and nothing can hide between the entries.
"""

import shutil
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from afpanel.errors import VerificationError
from afpanel.io.files import whole_file

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can state
_MODE = 0o644 << 16
_BLOCK = 1 << 20

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_DATE_WORD = 1 << 5 | 1
_PLAIN, _WIDE = 20, 45  # version that is needed to read an entry: 45 where its sizes take 8 bytes
_FULL = 0xFFFFFFFF
_WIDE_FROM = 1 << 31  # bytes: from here on Python writes a size or place in 8 bytes
_MARGIN = (
    1.05  # by which an entry may grow, for all Python knows when it writes the header before it
)
_MANY = 0xFFFF
_UNIX = 3
_MAX_NAME = 400


@dataclass(frozen=True)
class Entry:
    """One entry: its name, where its bytes are in the file, how many, and their CRC-32."""

    name: str
    offset: int
    size: int
    crc: int


def write_stored_zip(path: Path, parts: Mapping[str, Path | bytes]) -> None:
    """Write a zip file of some parts, in their order; the same parts give the same bytes.

    Parameters
    ----------
    path
        File to write, whole or not at all.
    parts
        For each entry its bytes, or the file that holds them.
    """
    with whole_file(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, date_time=_DATE)
            entry.external_attr = _MODE
            entry.create_system = _UNIX
            if isinstance(content, bytes):
                archive.writestr(entry, content)
                continue
            entry.file_size = content.stat().st_size
            with content.open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, _BLOCK)


class StoredZip:
    """A zip file as `write_stored_zip` makes it, opened for reading; use it in a ``with`` block.

    Parameters
    ----------
    path
        The file.
    max_entries
        More entries than this are refused unread.

    Raises
    ------
    VerificationError
        If the file is anything else: other entries than plain stored ones, names that are given twice or
        lead elsewhere, comments, bytes that belong to no entry.
    """

    def __init__(self, path: Path, max_entries: int) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._file = path.open("rb")
        try:
            self.entries = {entry.name: entry for entry in self._directory(max_entries)}
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, name: str, limit: int) -> bytes:
        """Read an entry whole, of at most `limit` bytes, and check its CRC-32."""
        entry = self.entries[name]
        if entry.size > limit:
            raise self._fault(f"entry {name} is too large", f"at most {limit:,} bytes", entry.size)
        self._file.seek(entry.offset)
        content = self._file.read(entry.size)
        self._check_crc(entry, zlib.crc32(content))
        return content

    def start_of(self, name: str, size: int) -> bytes:
        """Read the first bytes of an entry, unchecked."""
        entry = self.entries[name]
        self._file.seek(entry.offset)
        return self._file.read(min(size, entry.size))

    def copy(self, name: str, target: BinaryIO) -> None:
        """Copy an entry's bytes to a file, and check their CRC-32."""
        entry = self.entries[name]
        self._file.seek(entry.offset)
        crc, left = 0, entry.size
        while left:
            block = self._file.read(min(_BLOCK, left))
            if not block:
                break
            crc, left = zlib.crc32(block, crc), left - len(block)
            target.write(block)
        self._check_crc(entry, crc)

    def _check_crc(self, entry: Entry, crc: int) -> None:
        if crc != entry.crc:
            raise self._fault(
                f"entry {entry.name} is damaged", f"CRC-32 {entry.crc:08x}", f"{crc:08x}"
            )

    def _fault(self, what: str, expected: object = None, found: object = None) -> VerificationError:
        return VerificationError(
            what,
            where=self.path,
            expected=expected,
            found=found,
            remedy="ask for the file again; it is not as afpanel wrote it",
        )

    def _take(self, layout: struct.Struct, at: int, magic: bytes) -> tuple[int, ...]:
        """Read a structure at a place, and check its first bytes; gives the fields after these."""
        content = b""
        if 0 <= at <= self.size - layout.size:
            self._file.seek(at)
            content = self._file.read(layout.size)
        if len(content) < layout.size or content[:4] != magic:
            raise self._fault(
                "not a whole zip file of stored entries", magic, content[:4] or "nothing"
            )
        return layout.unpack(content)[1:]

    def _directory(self, max_entries: int) -> list[Entry]:
        """Read the directory, and hold it and the entries against each other, byte by byte."""
        end = self.size - _END.size
        disk, first_disk, here, n, size, start, comment = self._take(_END, end, b"PK\5\6")
        stop = end
        if self._has_wide_end(end):
            disk_64, stop, disks = self._take(_LOCATOR, end - _LOCATOR.size, b"PK\6\7")
            wide = self._take(_END_64, stop, b"PK\6\6")
            made = *wide[:3], disk_64, disks, wide[3], wide[4]
            most = (_MANY, _MANY, _FULL, _FULL)
            short = tuple(min(*pair) for pair in zip(wide[5:], most, strict=True))
            whole = stop + _END_64.size + _LOCATOR.size == end
            if (
                made != (44, _WIDE, _WIDE, 0, 1, 0, 0)
                or not whole
                or short != (here, n, size, start)
            ):
                raise self._fault("the end of the zip file is not as it should be")
            here, n, size, start = wide[5:]
            if n <= _MANY and max(size, start) < _WIDE_FROM:
                raise self._fault("the end of the zip file is not as it should be")
        if (disk, first_disk, comment) != (0, 0, 0) or here != n or start + size != stop:
            raise self._fault("the end of the zip file is not as it should be")
        if n > max_entries:
            raise self._fault("has too many entries", f"at most {max_entries:,}", f"{n:,}")
        if size > n * (_CENTRAL.size + _MAX_NAME):
            raise self._fault("the directory of the zip file is larger than its entries")
        self._file.seek(start)
        directory = self._file.read(size)
        found: dict[str, Entry] = {}
        at = reached = 0
        for _ in range(n):
            entry, offset, versions, at = self._central(directory, at)
            if entry.name in found:
                raise self._fault(f"two entries are called {entry.name}")
            if offset != reached:
                raise self._fault(f"there are bytes before entry {entry.name} that belong to none")
            begin = self._local(entry, offset, versions)
            reached = begin + entry.size
            found[entry.name] = Entry(entry.name, begin, entry.size, entry.crc)
        if at != size or reached != start:
            raise self._fault("there are bytes that belong to no entry")
        return list(found.values())

    def _has_wide_end(self, end: int) -> bool:
        """Tell whether there is the record that has the numbers of many entries, or of a large file."""
        self._file.seek(max(end - _LOCATOR.size, 0))
        return end >= _LOCATOR.size and self._file.read(4) == b"PK\6\7"

    def _central(self, directory: bytes, at: int) -> tuple[Entry, int, set[int], int]:
        """Read a line of the directory.

        Gives the entry, where it begins, which versions its own header may need, and where the next line is.
        """
        if len(directory) < at + _CENTRAL.size or directory[at : at + 4] != b"PK\1\2":
            raise self._fault("the directory of the zip file is damaged")
        fields = _CENTRAL.unpack_from(directory, at)[1:]
        made, system, needed, reserved, flags, method, time, date, crc, packed, size, *rest = fields
        long_name, long_extra, long_comment, disk, inside, mode, offset = rest
        at += _CENTRAL.size
        name = self._name(directory[at : at + long_name])
        extra = directory[at + long_name : at + long_name + long_extra]
        wide = [value for value in (size, packed, offset) if value == _FULL]
        if extra[:4] == struct.pack("<2H", 1, 8 * len(wide)) and len(extra) == 4 + 8 * len(wide):
            values = iter(struct.unpack(f"<{len(wide)}Q", extra[4:]))
            size, packed, offset = (
                next(values) if value == _FULL else value for value in (size, packed, offset)
            )
        if extra != _wide_fields(size, packed, offset):
            raise self._fault(f"entry {name} has a field that it should not have")
        plain = (system, reserved, flags, method, time, date, long_comment, disk, inside, mode)
        # Pythons differ in what they say of an entry that has room for longer sizes than it needs.
        own = {_WIDE} if size >= _WIDE_FROM else {_PLAIN, _WIDE} if _has_room(size) else {_PLAIN}
        if (
            plain != (_UNIX, 0, 0, 0, 0, _DATE_WORD, 0, 0, 0, _MODE)
            or packed != size
            or made != needed
            or needed not in ({_WIDE} if extra else own)
        ):
            raise self._fault(
                f"entry {name} is not plain",
                "a file, stored, dated 1980-01-01, without a comment",
                self._oddity(method, flags, mode, packed, size),
            )
        # Where the entry is so far on that its place takes 8 bytes, that is no matter of its own header.
        versions = own if offset >= _WIDE_FROM else own & {needed}
        return Entry(name, 0, size, crc), offset, versions, at + long_name + long_extra

    def _oddity(self, method: int, flags: int, mode: int, packed: int, size: int) -> str:
        if method:
            ratio = f", {size:,} bytes in {packed:,}"
            return f"compressed (method {method}{ratio})"
        if mode != _MODE:
            return f"a file of mode {mode >> 16:o}, as a link or a folder has"
        return f"flags {flags:#x}"

    def _local(self, entry: Entry, offset: int, versions: set[int]) -> int:
        """Check an entry's own header against the directory; gives where its bytes begin."""
        fields = self._take(_LOCAL, offset, b"PK\3\4")
        needed, flags, method, time, date, crc, packed, size, long_name, long_extra = fields
        rest = self._file.read(long_name + long_extra)
        name, extra = rest[:long_name], rest[long_name:]
        room = _has_room(entry.size)
        if extra != (struct.pack("<2H2Q", 1, 16, entry.size, entry.size) if room else b""):
            raise self._fault(f"entry {entry.name} has a field that it should not have")
        short = _FULL if needed == _WIDE else entry.size
        stated = (flags, method, time, date, crc, packed, size, name)
        same = (0, 0, 0, _DATE_WORD, entry.crc, short, short, entry.name.encode())
        if stated != same or needed not in versions:
            raise self._fault(f"the header of entry {entry.name} is not that of the directory")
        return offset + _LOCAL.size + long_name + long_extra

    def _name(self, raw: bytes) -> str:
        """Check a name: of plain characters, leading nowhere but into the zip file."""
        name = raw.decode("ascii", errors="replace")
        steps = name.split("/")
        if len(raw) > _MAX_NAME:
            raise self._fault("an entry has a name that is too long", None, ascii(name)[:80])
        if not name.isascii() or not name.isprintable() or "\\" in name or ":" in name:
            raise self._fault("an entry has a name of strange characters", None, ascii(name)[:80])
        if any(step in ("", ".", "..") for step in steps):
            raise self._fault(
                "an entry's name leads out of the file", "a relative path", ascii(name)[:80]
            )
        return name


def _has_room(size: int) -> bool:
    """Tell whether Python makes room for sizes of 8 bytes in the header before an entry of this size."""
    return size * _MARGIN > _WIDE_FROM - 1


def _wide_fields(size: int, packed: int, offset: int) -> bytes:
    """Lay out the numbers of an entry that take 8 bytes in the directory, as Python does."""
    wide = [size, packed] if max(size, packed) >= _WIDE_FROM else []
    wide += [offset] if offset >= _WIDE_FROM else []
    return struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
