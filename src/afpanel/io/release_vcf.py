"""The release as a sites-only VCF, bgzip-compressed and indexed: one ALT per line, figures in INFO."""

from collections.abc import Sequence
from concurrent.futures import Executor
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
from afpanel.io.prefetch import InOrder
from afpanel.io.release import FILTERS, ReleaseBlock, ReleaseHead
from afpanel.io.tabix_index import LineIndex
from afpanel.model.figures import SITE_FIGURES, SLIM, Figure, SiteFigure, excluding, figures_of

_ROWS, _FEWEST_ROWS, _VALUES = 1024, 64, 1 << 17
"""Lines that are put together and packed at a time, at most and at least, and about how many values these have.

What is packed at a time shows in the file: the numbers hang on its keys alone, and are powers of two, so that blocks of a
release begin with the same lines whatever their size.
"""

_LINES_AHEAD = 8

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
    pool
        Whose threads put lines together and pack them; without one the caller's does.
    slim
        Whether to write those keys alone that most readers ask for (`model.figures.SLIM`).
    """

    def __init__(
        self, path: Path, head: ReleaseHead, pool: Executor | None = None, *, slim: bool = False
    ) -> None:
        self._path = path
        keys = [key for key in _keys_of(head) if not slim or key.name in SLIM]
        self._layout = _Layout.of(keys, head.groups)
        self._index = LineIndex(head.contigs)
        self._file = BgzfWriter(path)
        self._file.write_text(_header(head, keys).encode())
        self._packed = InOrder(self._put, pool, _LINES_AHEAD)

    def write(self, block: ReleaseBlock) -> None:
        """Write a block."""
        table, step = self._layout.table(block), self._layout.rows
        for start in range(0, len(block.variants), step):
            rows = slice(start, min(start + step, len(block.variants)))
            self._packed.give(self._layout.pack, table, rows)

    def _put(self, lines: "_Lines") -> None:
        """Write lines that are packed, the next ones."""
        offsets = self._file.write(lines.packed, lines.places)
        self._index.add(lines.contig, lines.position, lines.lengths, offsets)

    def close(self) -> None:
        """Finish the file and its indexes."""
        self._packed.finish()
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

    @property
    def rows(self) -> int:
        """Lines that are put together at a time."""
        rows = _ROWS
        while rows > _FEWEST_ROWS and rows * len(self.keys) > _VALUES:
            rows //= 2
        return rows

    def table(self, block: ReleaseBlock) -> "_Table":
        """Lay out the values of a block."""
        return _Table(
            block,
            self._numbers(block, kernel.INTEGER).view(np.int32),
            self._numbers(block, kernel.FLOAT),
            self._names(block),
            block.no_alt_left.astype(np.uint8),
            _with_room(block.variants.ref),
            _with_room(block.variants.alt),
        )

    def pack(self, table: "_Table", rows: slice) -> "_Lines":
        """Put lines together, and pack them."""
        block, ref, alt = table.block, table.ref, table.alt
        contig = np.frombuffer(f"{block.contig}\t".encode() + bytes(7), np.uint8)
        id_contig = np.frombuffer(f"\t{block.contig}-".encode() + bytes(7), np.uint8)
        filter_names, of_names = _padded(list(FILTERS)), _padded(self.groups)
        before = [len(contig) - 7, len(id_contig) - 7, 1, 1]
        key_sizes = np.array([*before, *self.texts.lengths], np.int32)
        repeats = np.full(len(key_sizes), -1, np.int32)
        repeats[: kernel.BEFORE_INFO] = kernel.REPEATS
        numbers = int((self.kinds != kernel.NAME).sum())
        fixed = int(key_sizes.sum()) + 60 + numbers * kernel.LONGEST_VALUE
        fixed += (len(self.keys) - numbers) * self.longest_name
        some = rows.stop - rows.start
        alleles = sum(int(c.offsets[rows.stop] - c.offsets[rows.start]) for c in (ref, alt))
        text = np.empty(some * fixed + 2 * alleles + room_after(key_sizes), np.uint8)
        columns = np.empty((some + 1, len(key_sizes)), np.int32)
        kernel.put_lines(
            block.variants.position[rows],
            ref.offsets[rows.start : rows.stop + 1],
            ref.data,
            alt.offsets[rows.start : rows.stop + 1],
            alt.data,
            contig,
            id_contig,
            table.filters[rows],
            filter_names.offsets,
            filter_names.data,
            table.integers[rows],
            table.floats[rows],
            table.names[rows],
            self.kinds,
            self.places,
            self.texts.offsets,
            self.texts.data,
            of_names.offsets,
            of_names.data,
            text,
            columns,
        )
        return _Lines(
            block.contig,
            block.variants.position[rows],
            np.diff(ref.offsets[rows.start : rows.stop + 1]),
            Packed.of_lines(text, columns, key_sizes, repeats),
            columns[:, 0].copy(),
        )

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
class _Table:
    """The values of a block, side by side.

    Parameters
    ----------
    block
        The block.
    integers, floats, names
        See `kernel.put_lines`.
    filters
        (n,) uint8: which of `FILTERS` each line has.
    ref, alt
        Alleles, with room after them.
    """

    block: ReleaseBlock
    integers: NDArray[np.int32]
    floats: NDArray[np.uint32]
    names: NDArray[np.int16]
    filters: NDArray[np.uint8]
    ref: Strings
    alt: Strings


@dataclass(frozen=True)
class _Lines:
    """Lines of a contig, packed.

    Parameters
    ----------
    contig
        The contig.
    position, lengths
        (n,) int32 and int64: POS, and bases of REF.
    packed
        Their text.
    places
        (n + 1,) int32: where in it each begins, and the last ends.
    """

    contig: str
    position: NDArray[np.int32]
    lengths: NDArray[np.int64]
    packed: Packed
    places: NDArray[np.int32]


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
