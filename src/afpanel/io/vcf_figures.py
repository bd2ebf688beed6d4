"""The figures of a release's VCF, read from its text by a compiled loop that takes lines of one layout alone.

For `afpanel verify-release`. What is not as the manifest says is refused, with its place; nothing is guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.strings import Strings, gather, joined
from afpanel.errors import BadInputError, VerificationError
from afpanel.io import vcf_figures_kernel as kernel
from afpanel.io.bcf_text import read_bcf
from afpanel.io.inflate import pieces
from afpanel.io.release import FILTERS
from afpanel.io.sniff import compression_of

_INFO = 7
_KINDS = {"Integer": kernel.INTEGER, "Float": kernel.FLOAT, "String": kernel.NAME}
_TYPES: dict[str, tuple[Any, Any]] = {
    "Integer": (np.int32, MISSING),
    "Float": (np.float32, np.nan),
    "String": (np.int16, MISSING),
}
_POWERS = np.array([float(10**i) for i in range(kernel.LARGEST_POWER + 1)])
_FAULTS = {
    kernel.CHROM: "CHROM is no contig of the release",
    kernel.POS: "POS is no number",
    kernel.ID: "the ID of a variant is not its contig, position, REF and ALT",
    kernel.ALLELE: "REF or ALT is empty",
    kernel.QUAL: "QUAL is not '.'",
    kernel.FILTER: f"FILTER is none of {', '.join(FILTERS)}",
    kernel.KEY: "INFO has another key than the manifest tells of",
    kernel.FIGURE: "a value of INFO is not of its type",
    kernel.END: "the line goes on after its last key",
}
_REMEDY = "publish the release again"


@dataclass(frozen=True)
class Lines:
    """Consecutive lines.

    Parameters
    ----------
    contig, filter
        (n,) text.
    position
        (n,) int32.
    ref, alt
        (n,) strings.
    values
        What the keys say, by the names that `read_figures` was given: int32, -1 missing; float32, NaN
        missing; text, empty where missing. (n, groups), or (n,).
    """

    contig: NDArray[np.object_]
    position: NDArray[np.int32]
    ref: Strings
    alt: Strings
    filter: NDArray[np.object_]
    values: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Key:
    """A key of INFO, and where its values go.

    Parameters
    ----------
    type
        As VCF headers say it.
    table
        Name of an array.
    column
        Which column of the array, if it has one for each group.
    """

    type: str
    table: str
    column: int | None = None


def read_figures(
    path: Path,
    keys: Mapping[str, Key],
    contigs: Sequence[str],
    groups: Sequence[str],
    rows: int,
) -> Iterator[Lines]:
    """Read the lines of a sites VCF or BCF.

    Parameters
    ----------
    path
        The file.
    keys
        Of INFO, in order: every line has each of them, and no other.
    contigs, groups
        Of the release; names in INFO are those of groups.
    rows
        Lines to give at a time; the last are fewer.

    Raises
    ------
    BadInputError
        At the first line that is laid out otherwise.
    VerificationError
        At the first whose ID is not its contig, position, REF and ALT, with dashes between.
    """
    layout = _Layout.of(keys, contigs, groups)
    rest, number = b"", 0
    in_header = True
    table = _Filling(layout, rows)
    for piece in _pieces(path):
        text = rest + piece
        if in_header:
            text, in_header = _after_header(text)
            if in_header:
                rest = text
                continue
            _check_keys(path, text, keys)
        end = text.rfind(b"\n") + 1
        at = 0
        padded = np.frombuffer(text + bytes(kernel.SLACK), np.uint8)
        while at < end:
            at, fault, place = table.fill(padded, at, end)
            if fault:
                line = number + table.filled + 1
                raise _wrong(path, line, fault, place, list(keys), text[at:end].split(b"\n")[0])
            if table.is_full:
                yield table.lines()
                number += rows
                table = _Filling(layout, rows)
        rest = text[end:]
    if rest:
        raise BadInputError("the last line has no end", where=path, remedy=_REMEDY)
    if table.filled:
        yield table.lines()


def _pieces(path: Path) -> Iterator[bytes]:
    return read_bcf(path) if path.suffix == ".bcf" else pieces(path, compression_of(path))


def _after_header(text: bytes) -> tuple[bytes, bool]:
    """Drop whole lines of a header; tells whether more of them may come."""
    at = 0
    while text[at : at + 1] == b"#":
        end = text.find(b"\n", at)
        if end < 0:
            return text[at:], True
        at = end + 1
    return text[at:], b"\n" not in text[at:]


def _check_keys(path: Path, text: bytes, keys: Mapping[str, Key]) -> None:
    """Refuse a file of other keys by naming them."""
    info = text.split(b"\n", 1)[0].split(b"\t")[_INFO:]
    found = [each.split(b"=")[0].decode(errors="replace") for each in b"".join(info).split(b";")]
    if len(info) != 1 or found != list(keys):
        raise BadInputError(
            "not the INFO that the manifest tells of",
            where=path,
            expected=", ".join(keys),
            found=", ".join(found),
            remedy=_REMEDY,
        )


def _wrong(
    path: Path, line: int, fault: int, place: int, keys: Sequence[str], text: bytes
) -> BadInputError | VerificationError:
    columns = text.decode(errors="replace").split("\t")
    values = columns[_INFO].split(";") if len(columns) > _INFO else []
    found = values[place] if 0 <= place < len(values) else " ".join(columns[:_INFO])
    if fault == kernel.ID:
        return VerificationError(
            _FAULTS[fault],
            where=f"{path}, variant {line} at {':'.join(columns[:2])}",
            expected="-".join([*columns[:2], *columns[3:5]])[:200],
            found=columns[2][:200],
            remedy=_REMEDY,
        )
    return BadInputError(
        _FAULTS[fault],
        where=f"{path}, variant {line} at {':'.join(columns[:2])}",
        expected=f"{keys[place]}=" if place >= 0 else None,
        found=found[:200],
        remedy=_REMEDY,
    )


@dataclass(frozen=True)
class _Layout:
    """What lines consist of, as the compiled loop takes it; `tables` are the arrays of each type."""

    contigs: Strings
    groups: Strings
    filters: Strings
    names: tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]
    words: NDArray[np.uint64]
    masks: NDArray[np.uint64]
    key_words: NDArray[np.int64]
    key_sizes: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    keys: Sequence[Key]
    tables: dict[str, dict[str, int]]

    @classmethod
    def of(
        cls, keys: Mapping[str, Key], contigs: Sequence[str], groups: Sequence[str]
    ) -> "_Layout":
        texts = [f";{name}=".encode() for name in keys]
        texts[0] = b"\t" + texts[0][1:]
        padded = [text + bytes(-len(text) % 8) for text in texts]
        counted = [b"\xff" * len(text) + bytes(-len(text) % 8) for text in texts]
        tables: dict[str, dict[str, int]] = {kind: {} for kind in _KINDS}
        for key in keys.values():
            tables[key.type][key.table] = 1 if key.column is None else len(groups)
        contigs_there, filters, named = (
            np.array(each, object) for each in (contigs, list(FILTERS), [*groups, ""])
        )
        return cls(
            contigs=Strings.of(list(contigs)),
            groups=Strings.of(list(groups)),
            filters=Strings.of(list(FILTERS)),
            names=(contigs_there, filters, named),
            words=np.frombuffer(b"".join(padded), np.uint64),
            masks=np.frombuffer(b"".join(counted), np.uint64),
            key_words=np.cumsum([0, *(len(text) // 8 for text in padded)], dtype=np.int64),
            key_sizes=np.array([len(text) for text in texts], np.int64),
            kinds=np.array([_KINDS[key.type] for key in keys.values()], np.uint8),
            keys=list(keys.values()),
            tables=tables,
        )


class _Filling:
    """Arrays that are being filled with lines."""

    def __init__(self, layout: _Layout, rows: int) -> None:
        self._layout, self._rows, self.filled = layout, rows, 0
        self._position = np.empty(rows, np.int32)
        self._contig, self._filter = np.empty(rows, np.int16), np.empty(rows, np.uint8)
        self._alleles = np.empty((rows, 4), np.int64)
        self._parts: list[tuple[Strings, Strings]] = []
        self._flat: dict[str, NDArray[Any]] = {}
        self._values: dict[str, NDArray[Any]] = {}
        starts: dict[str, int] = {}
        for type_, widths in layout.tables.items():
            dtype, missing = _TYPES[type_]
            # Groups may lack a figure, and a missing value is left as it is.
            flat = np.full(rows * sum(widths.values()), missing, dtype)
            self._flat[type_] = flat
            at = 0
            for table, width in widths.items():
                starts[table] = at
                self._values[table] = flat[at : at + rows * width].reshape(rows, width)
                at += rows * width
        self._bases = np.array([starts[k.table] + (k.column or 0) for k in layout.keys], np.int64)
        widths_of = [layout.tables[k.type][k.table] for k in layout.keys]
        self._strides = np.array(widths_of, np.int64)
        self._unsure = np.empty((16 * len(layout.keys), 3), np.int64)
        self._bits = np.empty(1)

    @property
    def is_full(self) -> bool:
        """Whether there is room for no more lines."""
        return self.filled == self._rows

    def fill(self, text: NDArray[np.uint8], at: int, end: int) -> tuple[int, int, int]:
        """Read lines of a text; gives where they end, and what is wrong with the next, and at which key."""
        layout, first = self._layout, self.filled
        progress = np.array([at, first, kernel.GOOD, -1, 0], np.int64)
        kernel.read_lines(
            text, end,
            layout.contigs.data, layout.contigs.offsets, layout.filters.data, layout.filters.offsets,
            layout.groups.data, layout.groups.offsets, layout.words, layout.masks, layout.key_words,
            layout.key_sizes, layout.kinds, self._bases, self._strides, _POWERS,
            self._position, self._contig, self._filter, self._alleles,
            *(self._flat[type_] for type_ in _KINDS), self._unsure, self._bits, progress,
        )  # fmt: skip
        self.filled = int(progress[kernel.ROW])
        fault, place = int(progress[kernel.FAULT]), int(progress[kernel.PLACE])
        floats = self._flat["Float"]
        for start, stop, to in self._unsure[: progress[kernel.UNSURE]].tolist():
            floats[to] = nearest(text[start:stop].tobytes().decode())
            if not np.isfinite(floats[to]):
                before = text[at:start].tobytes()
                self.filled = first + before.count(b"\n")
                return at + before.rfind(b"\n") + 1, kernel.FIGURE, -1
        spans = self._alleles[first : self.filled].T
        self._parts.append((gather(text, spans[0], spans[1]), gather(text, spans[2], spans[3])))
        return int(progress[kernel.AT]), fault, place

    def lines(self) -> Lines:
        """Give what was read."""
        n, layout = self.filled, self._layout
        contigs, filters, groups = layout.names
        values: dict[str, NDArray[Any]] = {}
        for type_, widths in layout.tables.items():
            for table in widths:
                found = self._values[table][:n]
                values[table] = groups[found] if type_ == "String" else found
        for key in layout.keys:
            if key.column is None:
                values[key.table] = values[key.table].reshape(n)
        ref, alt = (joined(parts) for parts in zip(*self._parts, strict=True))
        return Lines(
            contigs[self._contig[:n]],
            self._position[:n],
            ref,
            alt,
            filters[self._filter[:n]],
            values,
        )


def nearest(text: str) -> np.float32:
    """Read a fraction to the nearest number of 32 bits, by exact arithmetic: of two as near the even one.

    >>> nearest("0.1"), nearest("1.00000005960464477539062500"), nearest("1.0000000596046447753906250001")
    (np.float32(0.1), np.float32(1.0), np.float32(1.0000001))
    """
    with np.errstate(over="ignore"):
        near = np.float32(float(text))
        if not np.isfinite(near):
            return near
        exact = Fraction(text)
        about = (
            near,
            np.nextafter(near, np.float32(np.inf)),
            np.nextafter(near, np.float32(-np.inf)),
        )
    finite = [each for each in about if np.isfinite(each)]
    return min(finite, key=lambda x: (abs(Fraction(float(x)) - exact), int(x.view(np.uint32)) & 1))
