"""Files of a release that hold a part of its figures, held against a format that holds all: the slim VCF, and GDI's.

For `afpanel verify-release`: what they show must be what the other shows, no more and no less.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.contigs import bare_name
from afpanel.io.release_tables import ReleaseTable
from afpanel.io.vcf_figures import Key, read_figures
from afpanel.model.figures import (
    AC,
    AN,
    FIGURES,
    NHEMIALT,
    NHOMALT,
    SITE_FIGURES,
    SLIM,
    STATE,
    SiteFigure,
)
from afpanel.model.groups import TOTAL, GroupKind, kind_of

_ROWS = 65_536
_MITOCHONDRIAL = {"MT": "M"}

Columns = dict[str, NDArray[Any]]


class Companion(ABC):
    """A file that goes through the release beside its formats.

    Parameters
    ----------
    batches
        Its rows, in order.
    """

    def __init__(self, batches: Iterator[Columns]) -> None:
        self._batches = batches
        self._waiting: Columns = {}

    def difference(self, table: ReleaseTable) -> str:
        """Name what is not as in a table of variants, which follow those held against before; empty if all is."""
        expected = self._expected(table)
        found = self._take(len(next(iter(expected.values()))))
        for name, values in expected.items():
            mine = found.get(name)
            if mine is None or len(mine) != len(values):
                return "the number of rows"
            is_float = values.dtype.kind == "f"
            if not np.array_equal(mine, values, equal_nan=is_float):
                return name
        return ""

    def rest(self) -> int:
        """Count rows that are there after the last variant."""
        found = self._take(1)
        return len(next(iter(found.values()))) if found else 0

    @abstractmethod
    def _expected(self, table: ReleaseTable) -> Columns:
        """Give what it should hold of these variants."""

    def _take(self, n: int) -> Columns:
        """Take the next rows, or as many as there still are."""
        parts = [self._waiting] if self._waiting else []
        there = _length(self._waiting)
        while there < n and (batch := next(self._batches, None)) is not None:
            parts.append(batch)
            there += _length(batch)
        if not parts:
            return {}
        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        self._waiting = {name: values[n:] for name, values in whole.items()}
        return {name: values[:n] for name, values in whole.items()}


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values()))) if columns else 0


class SlimVcf(Companion):
    """The slim VCF.

    Parameters
    ----------
    path
        The file.
    contigs, groups
        Of the release.
    """

    def __init__(self, path: Path, contigs: Sequence[str], groups: Sequence[str]) -> None:
        super().__init__(_slim_batches(path, contigs, groups))

    def _expected(self, table: ReleaseTable) -> Columns:
        columns: Columns = {
            name: getattr(table, name) for name in ("contig", "position", "ref", "alt", "filter")
        }
        for key, figure in _slim_figures().items():
            is_site = isinstance(figure, SiteFigure)
            columns[key] = (
                table.site[figure.array] if is_site else table.figures[figure.array][:, 0]
            )
        return columns


def _slim_figures() -> dict[str, Any]:
    known = {figure.name(TOTAL): figure for figure in FIGURES}
    every = known | {figure.key: figure for figure in SITE_FIGURES}
    return {key: figure for key, figure in every.items() if key in SLIM}


def _slim_batches(path: Path, contigs: Sequence[str], groups: Sequence[str]) -> Iterator[Columns]:
    keys = {key: Key(figure.type, key) for key, figure in _slim_figures().items()}
    for lines in read_figures(path, keys, contigs, groups, _ROWS):
        yield {
            "contig": lines.contig,
            "position": lines.position,
            "ref": lines.ref.objects(),
            "alt": lines.alt.objects(),
            "filter": lines.filter,
            **lines.values,
        }


class GdiFiles(Companion):
    """The files of GDI's mini-node.

    Parameters
    ----------
    folder
        Where they are.
    contigs, groups
        Of the release.
    """

    def __init__(self, folder: Path, contigs: Sequence[str], groups: Sequence[str]) -> None:
        super().__init__(_gdi_batches(folder, contigs))
        self._countries = [g for g, name in enumerate(groups) if kind_of(name) is GroupKind.COUNTRY]
        self._names = np.array(groups, object)[self._countries]

    def _expected(self, table: ReleaseTable) -> Columns:
        """Work out what the files may have: a row for each cell whose counts are all shown and above nothing."""
        cells = {
            figure.key: table.figures[figure.array][:, self._countries].astype(np.int64)
            for figure in (AC, AN, NHOMALT, NHEMIALT)
        }
        has = cells["AN"] > 0
        for figure in (AC, NHOMALT, NHEMIALT):
            has &= cells[figure.key] >= 0
        has &= table.figures[STATE.array][:, self._countries] != State.MASKED
        contig, names = _distinct(table.contig)
        has &= np.array([_is_known(name) for name in names])[contig][:, None]
        row, country = np.nonzero(has)
        ac, an, hom, hemi = (cells[f.key][has] for f in (AC, AN, NHOMALT, NHEMIALT))
        return {
            "contig": np.array([_gdi_name(name) for name in names], object)[contig[row]],
            "POS": table.position[row].astype(np.int64) - 1,
            "REF": table.ref[row],
            "ALT": table.alt[row],
            "POPULATION": self._names[country],
            "AF": ac / an,
            "AC": ac,
            "AC_HET": ac - 2 * hom - hemi,
            "AC_HOM": 2 * hom,
            "AC_HEMI": hemi,
            "AN": an,
        }


def _distinct(names: NDArray[np.object_]) -> tuple[NDArray[np.int32], list[str]]:
    """Give each name's place among those that are there."""
    encoded = pa.array(names, pa.string()).dictionary_encode()
    return encoded.indices.to_numpy(), encoded.dictionary.to_pylist()


def _is_known(contig: str) -> bool:
    bare = bare_name(contig)
    return bare in ("X", "Y", "MT") or (bare.isdecimal() and 1 <= int(bare) <= 22)


def _gdi_name(contig: str) -> str:
    bare = bare_name(contig)
    return _MITOCHONDRIAL.get(bare, bare)


def _gdi_batches(folder: Path, contigs: Sequence[str]) -> Iterator[Columns]:
    """Read the files in the order of contigs and of positions; those of no contig of the release come last."""
    files: dict[str, list[tuple[int, Path]]] = {}
    for path in folder.glob("*/*.parquet"):
        contig, number = path.name.removeprefix("allele-freq-chr").split(".")[:2]
        files.setdefault(contig, []).append((int(number), path))
    order = [_gdi_name(name) for name in contigs if _is_known(name)]
    for contig in [*order, *sorted(set(files) - set(order))]:
        for _, path in sorted(files.get(contig, [])):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_ROWS):
                    yield _of_batch(contig, batch)


def _of_batch(contig: str, batch: Any) -> Columns:
    columns: Columns = {"contig": np.full(len(batch), contig, object)}
    for name in ("POS", "AC", "AC_HET", "AC_HOM", "AC_HEMI", "AN"):
        columns[name] = batch.column(name).to_numpy().astype(np.int64)
    for name in ("REF", "ALT", "POPULATION", "AF"):
        columns[name] = batch.column(name).to_numpy(zero_copy_only=False)
    return columns
