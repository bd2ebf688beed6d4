"""Tables that are written as they come: tab-separated text with a line of names."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv

from afpanel.io.files import whole_file

_PLAIN = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")


class TsvWriter:
    """Writes rows, many at a time; `create_tsv` makes one."""

    def __init__(self, sink: Any, columns: Sequence[str]) -> None:
        self._sink = sink
        self._columns = list(columns)
        sink.write(("\t".join(columns) + "\n").encode())

    def write(self, *values: Any) -> None:
        """Write rows: of each column an array; where it is masked the field is empty."""
        arrays = [pa.array(each) for each in values]
        csv.write_csv(pa.table(arrays, names=self._columns), self._sink, _PLAIN)


@contextmanager
def create_tsv(path: Path, columns: Sequence[str]) -> Iterator[TsvWriter]:
    """Write a table, whole or not at all."""
    with whole_file(path) as partial, partial.open("wb") as sink:
        yield TsvWriter(sink, columns)
