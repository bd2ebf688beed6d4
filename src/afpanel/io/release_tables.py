"""A release as anybody reads it, format by format: every figure that is written, in tables of equal size.

`afpanel verify-release` holds what the files say against one another and against the policy. So nothing is
taken from one format for another, and the text of the VCF is read as text (`io/vcf_figures`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from afpanel.constants import MISSING, State
from afpanel.errors import BadInputError
from afpanel.io.prefetch import prefetch
from afpanel.io.release_parquet import TYPES
from afpanel.io.release_zarr import RELEASE, RELEASE_VERSION
from afpanel.io.store import Store
from afpanel.io.vcf_figures import Key, read_figures
from afpanel.model.figures import AN, FIGURES, SITE_FIGURES, STATE, Figure, SiteFigure, figures_of

_ROWS = 16_384

WITH_STATES = ("parquet", "zarr")
"""Formats that say the state of each cell. Of the others it is told from AN, as far as that tells it."""


@dataclass(frozen=True)
class ReleaseTable:
    """Consecutive variants of a release, as one format has them.

    Parameters
    ----------
    contig, ref, alt, filter
        (n,) text.
    position
        (n,) int32, 1-based.
    figures
        (n, groups) by the name of the figure's array, `state` too: int32, -1 missing; float32, NaN missing.
    site
        (n,) by the name of the figure's array; missing text is empty.
    """

    contig: NDArray[np.object_]
    position: NDArray[np.int32]
    ref: NDArray[np.object_]
    alt: NDArray[np.object_]
    filter: NDArray[np.object_]
    figures: dict[str, NDArray[Any]]
    site: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.position)

    def columns(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Give every array by name."""
        for name in ("contig", "position", "ref", "alt", "filter"):
            yield name, getattr(self, name)
        yield from self.figures.items()
        yield from self.site.items()

    def rows(self, start: int, stop: int) -> "ReleaseTable":
        """Take some consecutive variants."""
        return self._changed(lambda values: values[start:stop])

    def _changed(self, change: Any) -> "ReleaseTable":
        return ReleaseTable(
            change(self.contig),
            change(self.position),
            change(self.ref),
            change(self.alt),
            change(self.filter),
            {name: change(values) for name, values in self.figures.items()},
            {name: change(values) for name, values in self.site.items()},
        )

    def followed_by(self, other: "ReleaseTable") -> "ReleaseTable":
        """Put another table's variants after these."""
        theirs = dict(other.columns())
        names = iter([name for name, _ in self.columns()])
        return self._changed(lambda values: np.concatenate([values, theirs[next(names)]]))


def read_release(
    folder: Path, stem: str, contigs: Sequence[str], groups: Sequence[str]
) -> dict[str, Iterator[ReleaseTable]]:
    """Open every format that a folder holds; tables of all have the same number of variants.

    Parameters
    ----------
    folder, stem
        Where the release is, and how its files are named.
    contigs, groups
        Of the release, in order.
    """
    readers = {
        ".vcf.gz": _read_vcf,
        ".parquet": _read_parquet,
        ".zarr.zip": _read_zarr,
        ".bcf": _read_vcf,
    }
    found = {}
    for suffix, read in readers.items():
        path = folder / f"{stem}{suffix}"
        if path.exists():
            tables = _of_equal_size(read(path, contigs, groups))
            # Each format in a thread of its own: unpacking and parsing leave the interpreter to others.
            found[suffix.split(".")[1]] = prefetch(tables, 1)
    return found


def _of_equal_size(tables: Iterable[ReleaseTable]) -> Iterator[ReleaseTable]:
    waiting: ReleaseTable | None = None
    for table in tables:
        waiting = table if waiting is None else waiting.followed_by(table)
        whole = len(waiting) - len(waiting) % _ROWS
        for start in range(0, whole, _ROWS):
            yield waiting.rows(start, start + _ROWS)
        waiting = waiting.rows(whole, len(waiting))
    if waiting is not None and len(waiting):
        yield waiting


def _read_zarr(path: Path, contigs: Sequence[str], groups: Sequence[str]) -> Iterator[ReleaseTable]:
    with Store(path, RELEASE, RELEASE_VERSION) as store:
        named = store.texts("contig_id"), store.texts("group_id")
        if named != (list(contigs), list(groups)):
            raise _differs(path, "contigs and groups", [*contigs, *groups], [*named[0], *named[1]])
        names = np.array(named[0], object)
        filters = np.array(store.texts("filter_id"), object)
        rows = store.rows("variant_position")
        _check_arrays(path, store, rows, len(groups))
        for start in range(0, rows, _ROWS):
            stop = min(start + _ROWS, rows)
            alleles = store.read("variant_allele", start, stop).astype(object)
            lengths = np.array([len(ref) for ref in alleles[:, 0]])
            passed = store.read("variant_filter", start, stop)
            if not np.array_equal(store.read("variant_length", start, stop), lengths):
                raise _differs(path, "variant_length", ["the length of REF"], ["another"])
            if not (passed.sum(axis=1) == 1).all():
                raise _differs(path, "variant_filter", ["one FILTER of each variant"], ["others"])
            yield ReleaseTable(
                names[store.read("variant_contig", start, stop)],
                store.read("variant_position", start, stop),
                alleles[:, 0],
                alleles[:, 1],
                filters[passed.argmax(axis=1)],
                {each.array: store.read(each.array, start, stop) for each in (*FIGURES, STATE)},
                {each.array: _site(store.read(each.array, start, stop)) for each in SITE_FIGURES},
            )


_OF_HEAD = ("contig_id", "contig_length", "filter_id", "group_id", "group_people")
_OF_SITES = ("variant_contig", "variant_position", "variant_length")


def _check_arrays(path: Path, store: Store, rows: int, groups: int) -> None:
    """Refuse a store with arrays, rows or columns that nothing here would read."""
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(_OF_SITES, (rows,))
    shapes |= dict.fromkeys(("variant_allele", "variant_filter"), (rows, 2))
    shapes |= dict.fromkeys((each.array for each in (*FIGURES, STATE)), (rows, groups))
    shapes |= dict.fromkeys((each.array for each in SITE_FIGURES), (rows,))
    if store.names() != {*_OF_HEAD, *shapes}:
        raise _differs(path, "arrays", sorted([*_OF_HEAD, *shapes]), sorted(store.names()))
    for name, shape in shapes.items():
        if store.shape(name) != shape:
            raise _differs(path, f"shape of {name}", map(str, shape), map(str, store.shape(name)))


def _site(values: NDArray[Any]) -> NDArray[Any]:
    return values if values.dtype.kind in "if" else values.astype(object)


def _read_parquet(
    path: Path, contigs: Sequence[str], groups: Sequence[str]
) -> Iterator[ReleaseTable]:
    found = {each.name.removeprefix("contig=") for each in path.iterdir()}
    if not found <= set(contigs):
        raise _differs(path, "folders of contigs", contigs, sorted(found))
    for contig in contigs:
        for part in sorted((path / f"contig={contig}").glob("*.parquet")):
            with pq.ParquetFile(part) as file:
                _check_columns(part, file.schema_arrow, groups)
                for batch in file.iter_batches(_ROWS):
                    yield _of_columns(batch.column, np.full(len(batch), contig, object), groups)


def _check_columns(path: Path, schema: Any, groups: Sequence[str]) -> None:
    """Refuse a file with columns that nothing here would read, or of other types."""
    expected = {"pos": pa.int32(), **dict.fromkeys(("ref", "alt", "filter"), pa.string())}
    for group in groups:
        expected |= {figure.name(group): TYPES[figure.type] for figure in figures_of(group)}
        expected[STATE.name(group)] = pa.int8()
    expected |= {each.key: TYPES[each.type] for each in SITE_FIGURES}
    found = list(zip(schema.names, schema.types, strict=True))
    if found != list(expected.items()):
        wanted = [f"{name} {kind}" for name, kind in expected.items()]
        raise _differs(path, "columns", wanted, [f"{name} {kind}" for name, kind in found])


def _of_columns(
    column: Callable[[str], Any], contig: NDArray[np.object_], groups: Sequence[str]
) -> ReleaseTable:
    """Make a table of Arrow columns, given by their names; `contig` is (n,) names."""

    def of_figure(figure: Figure) -> NDArray[Any]:
        kind = np.float32 if figure.is_frequency else np.int32
        missing = np.full(len(contig), _NO_VALUE[figure.type], kind)
        columns = [
            values_of(column(figure.name(group)), figure) if figure.has(group) else missing
            for group in groups
        ]
        return np.column_stack(columns)

    figures = {figure.array: of_figure(figure) for figure in FIGURES}
    figures[STATE.array] = of_figure(STATE).astype(np.int8)
    ref, alt, filters = (
        column(name).to_numpy(zero_copy_only=False) for name in ("ref", "alt", "filter")
    )
    site = {each.array: values_of(column(each.key), each) for each in SITE_FIGURES}
    return ReleaseTable(contig, column("pos").to_numpy(), ref, alt, filters, figures, site)


_NO_VALUE: dict[str, Any] = {"Integer": MISSING, "Float": np.nan, "String": ""}


def values_of(column: Any, figure: Figure | SiteFigure) -> NDArray[Any]:
    """Give a figure's column as an array: -1, NaN or empty text where it is missing."""
    values: NDArray[Any] = column.fill_null(_NO_VALUE[figure.type]).to_numpy(zero_copy_only=False)
    return values


def _read_vcf(path: Path, contigs: Sequence[str], groups: Sequence[str]) -> Iterator[ReleaseTable]:
    keys = {
        figure.name(group): Key(figure.type, figure.array, g)
        for g, group in enumerate(groups)
        for figure in figures_of(group)
    }
    keys |= {each.key: Key(each.type, each.array) for each in SITE_FIGURES}
    for lines in read_figures(path, keys, contigs, groups, _ROWS):
        shape = len(lines.position), len(groups)
        figures = {
            # A figure of populations is in no key where none is published.
            each.array: lines.values[each.array]
            if each.array in lines.values
            else np.full(shape, np.nan, np.float32)
            for each in FIGURES
        }
        number = figures[AN.array]
        state = np.where(number < 0, State.MASKED, State.OBSERVED)
        state = np.where(number == 0, State.NOT_CALLABLE, state).astype(np.int8)
        yield ReleaseTable(
            lines.contig,
            lines.position,
            lines.ref.objects(),
            lines.alt.objects(),
            lines.filter,
            figures | {STATE.array: state},
            {each.array: lines.values[each.array] for each in SITE_FIGURES},
        )


def _differs(path: Path, what: str, expected: Iterable[str], found: Iterable[str]) -> BadInputError:
    return BadInputError(
        f"not the {what} that the manifest tells of",
        where=path,
        expected=", ".join(expected),
        found=", ".join(found),
        remedy="publish the release again",
    )
