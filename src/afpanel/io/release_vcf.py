"""The release as a sites-only VCF, bgzip-compressed and indexed: one ALT per line, figures in INFO."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.columns import put_columns
from afpanel.core.strings import Strings
from afpanel.io import vcf_text_kernel as kernel
from afpanel.io.bgzf_writer import BgzfWriter, Packed, room_after
from afpanel.io.prefetch import map_ahead
from afpanel.io.release import FILTERS, ReleaseBlock, ReleaseHead
from afpanel.io.tabix_index import LineIndex
from afpanel.model.figures import SITE_FIGURES, SLIM, Figure, SiteFigure, excluding, figures_of

_ROWS = 1024
"""Lines that are put together at a time."""

_KINDS = {"Integer": kernel.INTEGER, "Float": kernel.FLOAT, "String": kernel.NAME}


@dataclass(frozen=True)
class _Key:
    """A key of INFO.

    Parameters
    ----------
    name, doc
        As the header has them.
    figure
        What it is.
    group
        The number of the group that it is of; None of figures of variants.
    """

    name: str
    doc: str
    figure: Figure | SiteFigure
    group: int | None


class VcfReleaseWriter:
    """Writes ``.vcf.gz``, ``.vcf.gz.tbi`` and ``.vcf.gz.csi``.

    Parameters
    ----------
    path
        VCF to write; its indexes are written beside it.
    head
        What the release is.
    slim
        Whether to write those keys alone that most readers ask for (`model.figures.SLIM`).
    """

    def __init__(self, path: Path, head: ReleaseHead, *, slim: bool = False) -> None:
        self._path = path
        keys = [key for key in _keys_of(head) if not slim or key.name in SLIM]
        self._layout = _Layout.of(keys, head.groups)
        self._index = LineIndex(head.contigs)
        self._file = BgzfWriter(path)
        self._file.write_text(_header(head, keys).encode())

    def write(self, block: ReleaseBlock) -> None:
        """Write a block."""
        lengths = block.variants.ref.lengths
        # One thread packs while another puts the next lines together: this format takes longer than the others.
        for rows, packed, places in map_ahead(_pack, self._layout.lines(block), 1):
            offsets = self._file.write(packed, places)
            self._index.add(block.contig, block.variants.position[rows], lengths[rows], offsets)

    def close(self) -> None:
        """Finish the file and its indexes."""
        self._file.close()
        tabix, csi = (self._path.with_name(self._path.name + end) for end in (".tbi", ".csi"))
        self._index.write(tabix, csi)


@dataclass(frozen=True)
class _Layout:
    """How lines are put together.

    Parameters
    ----------
    keys
        Keys of INFO, in order.
    groups
        Of the release.
    texts
        The keys with what stands before and after them.
    kinds, places
        (k,) uint8 and int32: of each key the kind of its values, and in which column of these they are.
    longest_name
        Bytes that a value that is a name has at most.
    """

    keys: Sequence[_Key]
    groups: Sequence[str]
    texts: Strings
    kinds: NDArray[np.uint8]
    places: NDArray[np.int32]
    longest_name: int

    @classmethod
    def of(cls, keys: Sequence[_Key], groups: Sequence[str]) -> Self:
        """Lay out lines with some keys."""
        texts = [f";{key.name}=" for key in keys]
        texts[0] = f"\t{texts[0][1:]}"
        kinds = np.array([_KINDS[key.figure.type] for key in keys], np.uint8)
        places = np.zeros(len(keys), np.int32)
        for kind in _KINDS.values():
            places[kinds == kind] = np.arange((kinds == kind).sum())
        longest = max(len(group.encode()) for group in groups)
        return cls(keys, groups, _padded(texts), kinds, places, longest)

    def lines(self, block: ReleaseBlock) -> "Iterator[_Lines]":
        """Put lines together, some rows at a time."""
        variants, n = block.variants, len(block.variants)
        integers = self._numbers(block, kernel.INTEGER).view(np.int32)
        floats, names = self._numbers(block, kernel.FLOAT), self._names(block)
        contig = np.frombuffer(f"{block.contig}\t".encode() + bytes(7), np.uint8)
        id_contig = np.frombuffer(f"\t{block.contig}-".encode() + bytes(7), np.uint8)
        filters, filter_names = block.no_alt_left.astype(np.uint8), _padded(list(FILTERS))
        of_names = _padded(self.groups)
        before = [len(contig) - 7, len(id_contig) - 7, 1, 1]
        key_sizes = np.array([*before, *self.texts.lengths], np.int32)
        repeats = np.full(len(key_sizes), -1, np.int32)
        repeats[: kernel.BEFORE_INFO] = kernel.REPEATS
        numbers = int((self.kinds != kernel.NAME).sum())
        fixed = int(key_sizes.sum()) + 60 + numbers * kernel.LONGEST_VALUE
        fixed += (len(self.keys) - numbers) * self.longest_name
        ref, alt = (_with_room(column) for column in (variants.ref, variants.alt))
        for start in range(0, n, _ROWS):
            rows = slice(start, min(start + _ROWS, n))
            some = rows.stop - rows.start
            alleles = sum(int(c.offsets[rows.stop] - c.offsets[start]) for c in (ref, alt))
            text = np.empty(some * fixed + 2 * alleles + room_after(key_sizes), np.uint8)
            columns = np.empty((some + 1, len(key_sizes)), np.int32)
            kernel.put_lines(
                variants.position[rows],
                ref.offsets[start : rows.stop + 1],
                ref.data,
                alt.offsets[start : rows.stop + 1],
                alt.data,
                contig,
                id_contig,
                filters[rows],
                filter_names.offsets,
                filter_names.data,
                integers[rows],
                floats[rows],
                names[rows],
                self.kinds,
                self.places,
                self.texts.offsets,
                self.texts.data,
                of_names.offsets,
                of_names.data,
                text,
                columns,
            )
            yield _Lines(rows, text, columns, key_sizes, repeats)

    def _numbers(self, block: ReleaseBlock, kind: int) -> NDArray[np.uint32]:
        """Lay the numbers of some kind side by side, (n, keys of the kind): their bits."""
        table = np.empty((len(block.variants), int((self.kinds == kind).sum())), np.uint32)
        places: dict[Figure | SiteFigure, list[tuple[int, int]]] = {}
        for key, which, place in zip(self.keys, self.kinds, self.places.tolist(), strict=True):
            if which == kind:
                places.setdefault(key.figure, []).append((key.group or 0, place))
        for figure, pairs in places.items():
            if isinstance(figure, Figure):
                values: NDArray[Any] = block.values(figure)
            else:
                values = block.site_values(figure)[:, np.newaxis]
            values = np.ascontiguousarray(
                values, np.int32 if kind == kernel.INTEGER else np.float32
            )
            put_columns(values.view(np.uint32), *np.array(pairs, np.int64).T.copy(), table)
        return table

    def _names(self, block: ReleaseBlock) -> NDArray[np.int16]:
        """Lay the numbers of the groups that are values side by side, (n, keys whose values are names)."""
        groups = pa.array(self.groups)
        columns = [
            pc.index_in(pa.array(block.site[key.figure.array], pa.string()), value_set=groups)
            for key, kind in zip(self.keys, self.kinds, strict=True)
            if kind == kernel.NAME
        ]
        names = np.empty((len(block.variants), len(columns)), np.int16)
        for place, column in enumerate(columns):
            names[:, place] = column.fill_null(MISSING).to_numpy()
        return names


@dataclass(frozen=True)
class _Lines:
    """Lines put together.

    Parameters
    ----------
    rows
        Of the block.
    text, columns, key_sizes, repeats
        See `Packed.of_lines`.
    """

    rows: slice
    text: NDArray[np.uint8]
    columns: NDArray[np.int32]
    key_sizes: NDArray[np.int32]
    repeats: NDArray[np.int32]


def _pack(lines: _Lines) -> tuple[slice, Packed, NDArray[np.int32]]:
    """Pack lines; gives their rows, and where each begins, and the last ends, in their text, too."""
    packed = Packed.of_lines(lines.text, lines.columns, lines.key_sizes, lines.repeats)
    return lines.rows, packed, lines.columns[:, 0]


def _padded(texts: Sequence[str]) -> Strings:
    """Lay texts end to end, with room to copy the last eight bytes at a time."""
    return _with_room(Strings.of(list(texts)))


def _with_room(strings: Strings) -> Strings:
    return Strings(strings.offsets, np.concatenate([strings.data, np.zeros(8, np.uint8)]))


def _keys_of(head: ReleaseHead) -> list[_Key]:
    keys = []
    for g, group in enumerate(head.groups):
        for figure in figures_of(group):
            doc = f"{figure.describe(group)} (n = {head.people[g]})"
            keys.append(_Key(figure.name(group), doc, figure, g))
    return keys + [_Key(f.key, excluding(f.doc, head.excluded), f, None) for f in SITE_FIGURES]


def _header(head: ReleaseHead, keys: Sequence[_Key]) -> str:
    lines = [
        "##fileformat=VCFv4.3",
        f"##source=afpanel {head.name} {head.version}",
        f"##reference={head.build}",
    ]
    for name, doc in FILTERS.items():
        lines.append(f'##FILTER=<ID={name},Description="{doc}">')
    for contig, length in head.contigs.items():
        lines.append(f"##contig=<ID={contig},length={length},assembly={head.build}>")
    for key in keys:
        number, type_ = key.figure.number, key.figure.type
        about = f'ID={key.name},Number={number},Type={type_},Description="{key.doc}"'
        lines.append(f"##INFO=<{about}>")
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    return "\n".join(lines) + "\n"
