"""What is inside of a Parquet file's pages and footer, read without Arrow, which passes over what it does not need.

Both are described by structures of Thrift's compact protocol, of which fields have numbers: those of Parquet's format.
"""

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from afpanel.core.leaks import Home
from afpanel.io.leak_report import Spot

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS = (4, 5, 6)
_DEEPEST = 16

_KEY_VALUES, _LAST_FIELD = 5, 7
_UNPACKED, _PACKED, _DATA_PAGE, _DICTIONARY = 2, 3, 5, 7
_MOST_HEAD = 1 << 16
_MOST_PAGE = 1 << 30


class ThriftReader:
    """Reads Thrift's compact protocol; a ValueError or IndexError where it is none."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def structure(self, depth: int = 0) -> dict[int, Any]:
        """Read a structure: values by the number of their field."""
        if depth > _DEEPEST:
            raise ValueError("too deep")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step = head >> 4
            number = number + step if step else self._signed()
            kind = head & 15
            fields[number] = kind == _TRUE if kind <= _FALSE else self._value(kind, depth)
        return fields

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def _signed(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)

    def _take(self, size: int) -> bytes:
        taken = self._data[self.at : self.at + size]
        if len(taken) != size:
            raise ValueError("cut short")
        self.at += size
        return taken

    def _value(self, kind: int, depth: int) -> Any:
        if kind in _INTEGERS:
            return self._signed()
        if kind <= _BYTE:
            return self._byte()
        if kind == _DOUBLE:
            return self._take(8)
        if kind == _BINARY:
            return self._take(self._unsigned())
        if kind in (_LIST, _SET):
            head = self._byte()
            size = head >> 4 if head >> 4 < 15 else self._unsigned()
            return [self._value(head & 15, depth + 1) for _ in range(size)]
        if kind == _STRUCT:
            return self.structure(depth + 1)
        raise ValueError(f"no kind of value: {kind}")


def key_values(spot: Spot, footer: bytes) -> list[tuple[bytes, bytes]]:
    """Read the metadata of a file, with keys that stand twice; notes what the footer has besides."""
    reader = ThriftReader(footer)
    try:
        fields = reader.structure()
        pairs = [(each[1], each.get(2, b"")) for each in fields.get(_KEY_VALUES, [])]
    except (ValueError, IndexError, KeyError):
        spot.leak("a footer that cannot be read", "footer")
        return []
    if reader.at != len(footer) or max(fields) > _LAST_FIELD:
        spot.leak("a footer that has more than Parquet's", "footer")
        spot.search(footer[reader.at :], "bytes after the footer")
    if len(dict(pairs)) != len(pairs):
        spot.leak("a metadata key that stands twice", "footer")
    return pairs


def scan_pages(
    spot: Spot, source: BinaryIO, start: int, size: int, codec: str, column: str
) -> None:
    """Unpack each page of a column's chunk, and search it.

    Parameters
    ----------
    source
        The file.
    start, size
        The first byte of the chunk, and how many it has.
    codec
        How pages are packed, as Parquet names it.
    column
        Name of the column, to be told.
    """
    area = f"pages of column {column}"
    try:
        for head, data in _pages(source, start, size):
            if not {_DATA_PAGE, _DICTIONARY} & set(head):
                spot.leak("a page that is neither of values nor a dictionary", area)
            plain = data
            if codec != "UNCOMPRESSED":
                length = min(head[_UNPACKED], _MOST_PAGE)
                plain = pa.decompress(data, length, codec=codec.lower(), asbytes=True)
            spot.search(plain, area, Home.BINARY)
    except (ValueError, IndexError, KeyError, OSError, pa.ArrowException, struct.error):
        spot.leak("a page that cannot be read", area)


def _pages(source: BinaryIO, start: int, size: int) -> Iterator[tuple[dict[int, Any], bytes]]:
    at = start
    while at < start + size:
        source.seek(at)
        reader = ThriftReader(source.read(min(_MOST_HEAD, start + size - at)))
        head = reader.structure()
        at += reader.at + int(head[_PACKED])
        if at > start + size or head[_PACKED] < 0:
            raise ValueError("a page that leads out of its column")
        source.seek(at - head[_PACKED])
        yield head, source.read(head[_PACKED])
