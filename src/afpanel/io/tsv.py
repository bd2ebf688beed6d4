"""Tables of results, as tab-separated text: short ones at once, long ones as they come."""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from afpanel.io.files import whole_file, write_text

_PLAIN = arrow_csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")

MISSING_TEXT = "."
"""What stands for a missing figure. It is not NA, which is Namibia."""

Value = str | int | float
"""A value of a table; NaN is missing."""


@dataclass(frozen=True)
class TextTable:
    """A short table, its values as they are written.

    Parameters
    ----------
    columns
        Names of the columns.
    rows
        A text for each column; `MISSING_TEXT` is missing.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> "TextTable":
        """Write values as text; fractions have six decimals."""
        return cls(tuple(columns), tuple(tuple(map(_text, row)) for row in rows))

    @classmethod
    def read(cls, path: Path) -> "TextTable":
        """Read a table with a line of names."""
        rows = read_tsv(path)
        with path.open(encoding="utf-8") as source:
            columns = source.readline().rstrip("\n").split("\t")
        return cls(tuple(columns), tuple(tuple(row[name] for name in columns) for row in rows))

    @property
    def text(self) -> str:
        """The table as tab-separated text, with a line of names."""
        return "".join("\t".join(line) + "\n" for line in (self.columns, *self.rows))

    def records(self) -> list[dict[str, str]]:
        """Give each row with the names of its columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def as_number(text: str) -> float:
    """Read a value of a table; NaN where it is missing.

    >>> as_number("0.25"), as_number(".")
    (0.25, nan)
    """
    return math.nan if text == MISSING_TEXT else float(text)


def write_tsv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Write a table with a line of names, whole or not at all; fractions have six decimals."""
    write_text(path, TextTable.of(columns, rows).text)


def read_tsv(path: Path) -> list[dict[str, str]]:
    """Read a table with a line of names, a row at a time; for short ones."""
    with path.open(encoding="utf-8", newline="") as source:
        reader = csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE)
        return list(reader)


def _text(value: Value) -> str:
    """Write a value.

    >>> _text(3), _text(0.25), _text(-1e-9), _text(float("nan"))
    ('3', '0.250000', '0.000000', '.')
    """
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return MISSING_TEXT
    text = f"{value:.6f}"
    return text.removeprefix("-") if float(text) == 0 else text


class TsvWriter:
    """Writes rows, many at a time; `create_tsv` makes one."""

    def __init__(self, sink: Any, columns: Sequence[str]) -> None:
        self._sink = sink
        self._columns = list(columns)
        sink.write(("\t".join(columns) + "\n").encode())

    def write(self, *values: Any) -> None:
        """Write rows: of each column an array; where it is masked the field is empty."""
        arrays = [pa.array(each) for each in values]
        arrow_csv.write_csv(pa.table(arrays, names=self._columns), self._sink, _PLAIN)


@contextmanager
def create_tsv(path: Path, columns: Sequence[str]) -> Iterator[TsvWriter]:
    """Write a table, whole or not at all."""
    with whole_file(path) as partial, partial.open("wb") as sink:
        yield TsvWriter(sink, columns)
