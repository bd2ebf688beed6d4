"""Tables of results, as tab-separated text: short ones at once, long ones as they come."""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
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


def write_tsv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Write a table with a line of names, whole or not at all; fractions have six decimals."""
    lines = [columns, *([_text(value) for value in row] for row in rows)]
    write_text(path, "".join("\t".join(line) + "\n" for line in lines))


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
