"""Where `open_panel` reads a release from: its Zarr, or its Parquet. Rows are those of the release, counted through."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.strings import Strings
from afpanel.errors import BadInputError
from afpanel.io.release_zarr import RELEASE, RELEASE_VERSION
from afpanel.io.store import Store
from afpanel.model.figures import STATE, Figure, SiteFigure


class PanelSource(Protocol):
    """A format of a release, opened for reading.

    Parameters
    ----------
    about
        Its `panel`, `version` and `build`.
    people
        People of each group, groups in order.
    contig_lengths
        Of each contig, in order.
    """

    about: dict[str, str]
    people: dict[str, int]
    contig_lengths: dict[str, int]

    @property
    def bounds(self) -> dict[str, tuple[int, int]]:
        """The first row of each contig, and that after its last."""

    def positions(self, start: int, stop: int) -> NDArray[np.int32]:
        """Read POS of some rows, (n,) int32."""

    def alleles(self, start: int, stop: int) -> tuple[Strings, Strings]:
        """Read REF and ALT of some rows."""

    def no_alt_left(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Tell which of some rows have the FILTER AC0, (n,) bool."""

    def figure(self, figure: Figure, groups: Sequence[str], start: int, stop: int) -> NDArray[Any]:
        """Read a figure of some groups, (n, groups): -1 or NaN where it is missing."""

    def site_figure(self, figure: SiteFigure, start: int, stop: int) -> NDArray[Any]:
        """Read a figure of variants, (n,): -1, NaN or empty text where it is missing."""

    def close(self) -> None:
        """Close the files."""


class ZarrSource:
    """A release's Zarr.

    Parameters
    ----------
    path
        The zip file.
    """

    def __init__(self, path: Path) -> None:
        self._store = Store(path, RELEASE, RELEASE_VERSION)
        self.about: dict[str, str] = self._store.attributes
        self._groups = self._store.texts("group_id")
        people = self._store.read("group_people").tolist()
        self.people = dict(zip(self._groups, people, strict=True))
        lengths = self._store.read("contig_length").tolist()
        self.contig_lengths = dict(zip(self._store.texts("contig_id"), lengths, strict=True))

    @cached_property
    def bounds(self) -> dict[str, tuple[int, int]]:
        """The first row of each contig, and that after its last."""
        of_rows = self._store.read("variant_contig")
        at = np.searchsorted(of_rows, np.arange(len(self.contig_lengths) + 1)).tolist()
        return dict(zip(self.contig_lengths, pairwise(at), strict=True))

    @cached_property
    def _position(self) -> NDArray[np.int32]:
        return self._store.read("variant_position")

    def positions(self, start: int, stop: int) -> NDArray[np.int32]:
        """Read POS of some rows, (n,) int32."""
        return self._position[start:stop]

    def alleles(self, start: int, stop: int) -> tuple[Strings, Strings]:
        """Read REF and ALT of some rows."""
        ref, alt = self._store.table_of_strings("variant_allele", start, stop)
        return ref, alt

    def no_alt_left(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Tell which of some rows have the FILTER AC0, (n,) bool."""
        ac0 = self._store.texts("filter_id").index("AC0")
        return self._store.read("variant_filter", start, stop)[:, ac0]

    def figure(self, figure: Figure, groups: Sequence[str], start: int, stop: int) -> NDArray[Any]:
        """Read a figure of some groups, (n, groups): -1 or NaN where it is missing."""
        columns = [self._groups.index(group) for group in groups]
        return self._store.read(figure.array, start, stop)[:, columns]

    def site_figure(self, figure: SiteFigure, start: int, stop: int) -> NDArray[Any]:
        """Read a figure of variants, (n,): -1, NaN or empty text where it is missing."""
        if figure.type == "String":
            return self._store.strings(figure.array, start, stop).objects()
        return self._store.read(figure.array, start, stop)

    def close(self) -> None:
        """Close the file."""
        self._store.close()


_DTYPES: dict[str, Any] = {"Integer": np.int32, "Float": np.float32, "String": object}
_NO_VALUE: dict[str, Any] = {"Integer": MISSING, "Float": np.nan, "String": ""}
_COUNTED = re.compile(r"(\S+) (\d+)(?:, |$)")


class ParquetSource:
    """A release's Parquet.

    Parameters
    ----------
    folder
        The folder of folders of contigs.
    """

    def __init__(self, folder: Path) -> None:
        found = {
            path.parent.name.removeprefix("contig="): pq.ParquetFile(path)
            for path in sorted(folder.glob("contig=*/part-0.parquet"))
        }
        if not found:
            raise BadInputError("no Parquet of a release", where=folder)
        said = next(iter(found.values())).schema_arrow.metadata or {}
        try:
            self.about = {key: said[key.encode()].decode() for key in ("panel", "version", "build")}
            self.people, self.contig_lengths = (
                {name: int(n) for name, n in _COUNTED.findall(said[key].decode())}
                for key in (b"people", b"contigs")
            )
        except KeyError as error:
            raise BadInputError(
                f"no Parquet of a release: its files lack the key {error} of metadata",
                where=folder,
                remedy="publish the release again, or read its Zarr",
            ) from error
        self._files = {name: found[name] for name in self.contig_lengths if name in found}

    @cached_property
    def bounds(self) -> dict[str, tuple[int, int]]:
        """The first row of each contig, and that after its last."""
        bounds, at = {}, 0
        for name in self.contig_lengths:
            n = self._files[name].metadata.num_rows if name in self._files else 0
            bounds[name] = (at, at + n)
            at += n
        return bounds

    def positions(self, start: int, stop: int) -> NDArray[np.int32]:
        """Read POS of some rows, (n,) int32."""
        positions: NDArray[np.int32] = self._read(["pos"], start, stop)["pos"].to_numpy()
        return positions

    def alleles(self, start: int, stop: int) -> tuple[Strings, Strings]:
        """Read REF and ALT of some rows."""
        table = self._read(["ref", "alt"], start, stop)
        ref, alt = (Strings.of_arrow(table[name].combine_chunks()) for name in ("ref", "alt"))
        return ref, alt

    def no_alt_left(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Tell which of some rows have the FILTER AC0, (n,) bool."""
        values = self._read(["filter"], start, stop)["filter"].to_numpy()
        no_alt: NDArray[np.bool_] = values == "AC0"
        return no_alt

    def figure(self, figure: Figure, groups: Sequence[str], start: int, stop: int) -> NDArray[Any]:
        """Read a figure of some groups, (n, groups): -1 or NaN where it is missing."""
        dtype = np.int8 if figure is STATE else _DTYPES[figure.type]
        values = np.full((stop - start, len(groups)), _NO_VALUE[figure.type], dtype)
        names = {g: figure.name(group) for g, group in enumerate(groups) if figure.has(group)}
        table = self._read(sorted(set(names.values())), start, stop)
        for g, name in names.items():
            values[:, g] = table[name].fill_null(_NO_VALUE[figure.type]).to_numpy()
        return values

    def site_figure(self, figure: SiteFigure, start: int, stop: int) -> NDArray[Any]:
        """Read a figure of variants, (n,): -1, NaN or empty text where it is missing."""
        column = self._read([figure.key], start, stop)[figure.key]
        values: NDArray[Any] = column.fill_null(_NO_VALUE[figure.type]).to_numpy()
        return values.astype(_DTYPES[figure.type], copy=False)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def _read(self, columns: list[str], start: int, stop: int) -> Any:
        """Read columns of some rows, from the row groups that they are in."""
        tables = []
        for name, (first, last) in self.bounds.items():
            if last <= start or first >= stop or first == last:
                continue
            file = self._files[name]
            ends = np.cumsum(
                [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
            ).tolist()
            low, high = max(start, first) - first, min(stop, last) - first
            groups = range(bisect_right(ends, low), bisect_right(ends, high - 1) + 1)
            skipped = ends[groups.start - 1] if groups.start else 0
            table = file.read_row_groups(list(groups), columns=columns)
            tables.append(table.slice(low - skipped, high - low))
        if tables:
            return pa.concat_tables(tables)
        schema = next(iter(self._files.values())).schema_arrow
        return pa.schema([schema.field(name) for name in columns]).empty_table()


def open_source(path: Path) -> PanelSource:
    """Open a release by its folder, its ``.zarr.zip`` or its ``.parquet``.

    Raises
    ------
    BadInputError
        If there is none, or more than one.
    """
    if path.is_dir() and any(path.glob("contig=*")):
        return ParquetSource(path)
    if not path.is_dir():
        return ZarrSource(path)
    stores = sorted(path.glob("*.zarr.zip"))
    tables = [] if stores else sorted(each for each in path.glob("*.parquet") if each.is_dir())
    found = stores or tables
    if len(found) != 1:
        raise BadInputError(
            "not the folder of one release",
            where=path,
            expected="one file that ends in .zarr.zip, or one folder that ends in .parquet",
            found=", ".join(file.name for file in found) or "none",
            remedy="build the release with zarr or parquet among publish.formats",
        )
    return ZarrSource(found[0]) if stores else ParquetSource(found[0])
