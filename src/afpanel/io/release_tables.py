"""A release as anybody reads it, format by format: every figure that is written, in tables of equal size.

`afpanel verify-release` holds what the files say against one another and against the policy. So nothing is
taken from one format for another, and the text of the VCF is read as text.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from afpanel.constants import MISSING, State
from afpanel.errors import BadInputError, VerificationError
from afpanel.io.bcf_text import open_lines
from afpanel.io.prefetch import prefetch
from afpanel.io.release_zarr import RELEASE, RELEASE_VERSION
from afpanel.io.store import Store
from afpanel.model.figures import AN, FIGURES, SITE_FIGURES, STATE, Figure, SiteFigure, figures_of

_ROWS = 16_384
_TEXT_BLOCK = 1 << 25

_TYPES = {"Integer": pa.int32(), "Float": pa.float32(), "String": pa.string()}


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
        for start in range(0, rows, _ROWS):
            stop = min(start + _ROWS, rows)
            alleles = store.read("variant_allele", start, stop).astype(object)
            yield ReleaseTable(
                names[store.read("variant_contig", start, stop)],
                store.read("variant_position", start, stop),
                alleles[:, 0],
                alleles[:, 1],
                filters[store.read("variant_filter", start, stop).argmax(axis=1)],
                {each.array: store.read(each.array, start, stop) for each in (*FIGURES, STATE)},
                {each.array: _site(store.read(each.array, start, stop)) for each in SITE_FIGURES},
            )


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
                for batch in file.iter_batches(_ROWS):
                    yield _of_columns(batch.column, np.full(len(batch), contig, object), groups)


def _of_columns(
    column: Callable[[str], Any],
    contig: NDArray[np.object_],
    groups: Sequence[str],
    state: NDArray[np.int8] | None = None,
) -> ReleaseTable:
    """Make a table of Arrow columns with the names that INFO and Parquet give them.

    Parameters
    ----------
    column
        Gives a column by its name.
    contig
        (n,) names.
    groups
        Of the release, in order.
    state
        States, where there are no columns of them.
    """

    def of_figure(figure: Figure) -> NDArray[Any]:
        kind = np.float32 if figure.is_frequency else np.int32
        missing = np.full(len(contig), _NO_VALUE[figure.type], kind)
        columns = [
            values_of(column(figure.name(group)), figure) if figure.has(group) else missing
            for group in groups
        ]
        return np.column_stack(columns)

    figures = {figure.array: of_figure(figure) for figure in FIGURES}
    figures[STATE.array] = of_figure(STATE).astype(np.int8) if state is None else state
    ref, alt, filters = (
        column(name).cast(pa.string()).to_numpy(zero_copy_only=False)
        for name in ("ref", "alt", "filter")
    )
    site = {each.array: values_of(column(each.key), each) for each in SITE_FIGURES}
    return ReleaseTable(contig, column("pos").to_numpy(), ref, alt, filters, figures, site)


_NO_VALUE: dict[str, Any] = {"Integer": MISSING, "Float": np.nan, "String": ""}


def values_of(column: Any, figure: Figure | SiteFigure) -> NDArray[Any]:
    """Give a figure's column as an array: -1, NaN or empty text where it is missing."""
    values: NDArray[Any] = column.fill_null(_NO_VALUE[figure.type]).to_numpy(zero_copy_only=False)
    return values


class _Fields:
    """The lines of a VCF with keys and values of INFO as fields of their own: a file for Arrow to read."""

    closed = False
    _SEPARATORS = bytes.maketrans(b"\t=", b";;")

    def __init__(self, lines: Any, first: bytes) -> None:
        self._lines, self._waiting = lines, first

    def read(self, size: int) -> bytes:
        """Read about so many bytes; none at the end."""
        text: bytes = self._waiting or self._lines.read(size)
        self._waiting = b""
        return text.translate(self._SEPARATORS)


_BEFORE_INFO = 7
_PLACES = {"contig": 0, "pos": 1, "id": 2, "ref": 3, "alt": 4, "filter": 6}
_CONSTANT = pa.dictionary(pa.int32(), pa.string())


def _read_vcf(path: Path, contigs: Sequence[str], groups: Sequence[str]) -> Iterator[ReleaseTable]:
    keys = {figure.name(group): figure.type for group in groups for figure in figures_of(group)}
    keys |= {each.key: each.type for each in SITE_FIGURES}
    for column in vcf_columns(path, keys, contigs):
        yield _of_vcf(column, groups)


def vcf_columns(
    path: Path, keys: Mapping[str, str], contigs: Sequence[str]
) -> Iterator[Callable[[str], Any]]:
    """Read the lines of a sites VCF or BCF, whose keys of INFO must be these, in this order.

    Parameters
    ----------
    path
        The file.
    keys
        Their types.
    contigs
        Of the release.

    Yields
    ------
    callable
        Gives a column of some lines: a key's, contig, pos, id, ref, alt or filter.

    Raises
    ------
    VerificationError
        If an ID is not the contig, the position, REF and ALT of its line, with dashes between.
    """
    types = {i: pa.string() for i in range(_BEFORE_INFO)}
    types |= {_PLACES["contig"]: _CONSTANT, _PLACES["pos"]: pa.int32()}
    places = dict(_PLACES)
    for i, (key, kind) in enumerate(keys.items()):
        places[key] = _BEFORE_INFO + 2 * i + 1
        types |= {places[key] - 1: _CONSTANT, places[key]: _TYPES[kind]}
    with open_lines(path) as lines:
        line = lines.readline()
        while line.startswith(b"#"):
            line = lines.readline()
        if not line:
            return
        info = line.split(b"\t")[_BEFORE_INFO:]
        found = [each.split(b"=")[0].decode() for each in b"".join(info).split(b";")]
        if len(info) != 1 or found != list(keys):
            raise _differs(path, "INFO", keys, found)
        options = pa_csv.ConvertOptions(
            column_types={f"f{i}": kind for i, kind in types.items()},
            null_values=["."],
            strings_can_be_null=True,
        )
        reader = pa_csv.open_csv(
            pa.PythonFile(_Fields(lines, line), mode="r"),
            read_options=pa_csv.ReadOptions(autogenerate_column_names=True, block_size=_TEXT_BLOCK),
            parse_options=pa_csv.ParseOptions(delimiter=";", quote_char=False),
            convert_options=options,
        )
        for batch in reader:
            for key in keys:
                said = batch.column(places[key] - 1).dictionary.to_pylist()
                if said != [key]:
                    raise _differs(path, "INFO keys", [key], said)
            _check_ids(path, batch)
            named = batch.column(places["contig"]).dictionary.to_pylist()
            if not set(named) <= set(contigs):
                raise _differs(path, "contigs", contigs, named)
            yield partial(_column, batch, places)


def _check_ids(path: Path, batch: Any) -> None:
    """Refuse an ID that is not the contig, the position, REF and ALT."""
    parts = [
        batch.column(_PLACES[name]).cast(pa.string()) for name in ("contig", "pos", "ref", "alt")
    ]
    found, expected = batch.column(_PLACES["id"]), pc.binary_join_element_wise(*parts, "-")
    if not found.equals(expected):
        at = pc.index(pc.fill_null(pc.equal(found, expected), False), False).as_py()
        raise VerificationError(
            "the ID of a variant is not its contig, position, REF and ALT",
            where=path,
            expected=str(expected[at]),
            found="." if found[at].as_py() is None else str(found[at]),
            remedy="publish the release again",
        )


def _column(batch: Any, places: Mapping[str, int], name: str) -> Any:
    return batch.column(places[name])


def _of_vcf(column: Callable[[str], Any], groups: Sequence[str]) -> ReleaseTable:
    number = np.column_stack([values_of(column(AN.name(group)), AN) for group in groups])
    state = np.where(number < 0, State.MASKED, State.OBSERVED)
    state = np.where(number == 0, State.NOT_CALLABLE, state).astype(np.int8)
    contig = column("contig").cast(pa.string()).to_numpy(zero_copy_only=False)
    return _of_columns(column, contig, groups, state)


def _differs(path: Path, what: str, expected: Iterable[str], found: Iterable[str]) -> BadInputError:
    return BadInputError(
        f"not the {what} that the manifest tells of",
        where=path,
        expected=", ".join(expected),
        found=", ".join(found),
        remedy="publish the release again",
    )
