"""Indexes of pages of a Parquet file: where pages are, and the least and greatest value of each.

They lie between the pages and the footer, and Arrow does not hand out their bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from afpanel.core.leaks import Home
from afpanel.io.leak_lists import TEXT_FIGURES
from afpanel.io.leak_pages import ThriftReader
from afpanel.io.leak_report import Spot, short

_ROW_GROUPS, _COLUMNS, _ABOUT, _PATH = 4, 1, 3, 3
_OFFSETS, _VALUES = (4, 5), (6, 7)
_LEAST, _GREATEST = 2, 3
_MOST_FIELD = {"offsets": 2, "values": 7}
_PAGE_FIELDS = {1, 2, 3}
_MOST_INDEX = 64 << 20
_ALLELES = frozenset({"ref", "alt", "REF", "ALT"})
_TEXTS = TEXT_FIGURES | {"filter", "VT", "POPULATION"}


@dataclass(frozen=True)
class IndexPlace:
    """Where an index is: its kind, the column that it is of, its first byte, and how many it has."""

    kind: str
    column: str
    start: int
    size: int


def index_places(footer: bytes) -> Iterator[IndexPlace]:
    """List the indexes that a footer tells of; none if it cannot be read, which is told elsewhere."""
    try:
        groups = ThriftReader(footer).structure().get(_ROW_GROUPS, [])
        for group in groups:
            for chunk in group.get(_COLUMNS, []):
                path = chunk.get(_ABOUT, {}).get(_PATH, [b"?"])
                column = b".".join(path).decode("utf-8", "replace")
                for kind, (at, size) in (("offsets", _OFFSETS), ("values", _VALUES)):
                    if at in chunk:
                        yield IndexPlace(kind, column, int(chunk[at]), int(chunk.get(size, 0)))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        return


def scan_index(spot: Spot, source: BinaryIO, place: IndexPlace) -> None:
    """Read an index, which must be nothing else, and search the values of text."""
    area = f"index of column {short(place.column)}"
    source.seek(max(0, place.start))
    data = source.read(min(max(0, place.size), _MOST_INDEX))
    reader = ThriftReader(data)
    try:
        fields = reader.structure()
        known = max(fields, default=0) <= _MOST_FIELD[place.kind]
        if place.kind == "offsets":
            known &= all(set(page) <= _PAGE_FIELDS for page in fields.get(1, []))
    except (ValueError, IndexError, TypeError):
        fields, known = {}, False
    if not known or reader.at != len(data) or len(data) != place.size:
        spot.leak("an index of pages that has more than Parquet's", area)
        spot.search(data, area)
        return
    is_text = place.column in _TEXTS
    home = Home.VARIANTS if place.column in _ALLELES else Home.NUMBERS if is_text else Home.BINARY
    if place.kind == "values":
        for value in _texts(fields):
            spot.search(value, area, home)
    spot.search(data, area, Home.BINARY)


def _texts(fields: dict[int, Any]) -> Iterator[bytes]:
    for field in (_LEAST, _GREATEST):
        yield from (value for value in fields.get(field, []) if isinstance(value, bytes))
