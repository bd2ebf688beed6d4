"""The store of a contig's panel: variants, and their counts in each group, before or after the gate."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from afpanel.core.group_counts import PANEL_COUNTS, GroupCounts, ReleasedCounts
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants, concatenate
from afpanel.errors import BadInputError
from afpanel.io.store import Store
from afpanel.io.store_writer import StoreWriter, create_store

PANEL = "panel-counts"
PANEL_VERSION = 2

PANEL_ARRAYS = frozenset(
    {
        "group_id",
        "group_people_by_sex",
        "variant_position",
        "variant_ref",
        "variant_alt",
        *PANEL_COUNTS,
    }
)
"""Everything that a panel store may hold."""

_CHUNK = 16_384


@dataclass(frozen=True)
class PanelHead:
    """What a contig's panel is about.

    Parameters
    ----------
    contig, contig_length
        The contig, and its length in the reference.
    groups
        Names of the groups, in order.
    people_by_sex
        People of each sex in each group, sexes in the order of `constants.SEXES`.
    """

    contig: str
    contig_length: int
    groups: list[str]
    people_by_sex: list[list[int]]

    @property
    def people(self) -> list[int]:
        """People in each group."""
        return [sum(by_sex) for by_sex in self.people_by_sex]

    def of_groups(self, chosen: Sequence[int]) -> "PanelHead":
        """Leave out all but some groups."""
        return replace(
            self,
            groups=[self.groups[g] for g in chosen],
            people_by_sex=[self.people_by_sex[g] for g in chosen],
        )


@contextmanager
def create_panel(path: Path, head: PanelHead) -> Iterator[StoreWriter]:
    """Write a contig's panel; blocks of it are written with `write_panel_block`."""
    with create_store(path, PANEL, PANEL_VERSION, chunk=_CHUNK, quick=True) as writer:
        writer.attributes({"contig": head.contig, "contig_length": head.contig_length})
        writer.array("group_id", head.groups)
        writer.array("group_people_by_sex", head.people_by_sex)
        # A contig without variants has its arrays all the same, without rows.
        write_panel_block(writer, *_no_variants(len(head.groups)))
        yield writer


def _no_variants(groups: int) -> tuple[Variants, GroupCounts]:
    none = Variants(np.empty(0, np.int32), Strings.of([]), Strings.of([]))
    return none, GroupCounts.zeros(0, groups)


def write_panel_block(writer: StoreWriter, variants: Variants, counts: GroupCounts) -> None:
    """Add variants, which must follow those already written, and their counts."""
    writer.append(
        {
            "variant_position": variants.position,
            "variant_ref": variants.ref.objects(),
            "variant_alt": variants.alt.objects(),
            **{name: getattr(counts, name) for name in PANEL_COUNTS},
        }
    )


def read_head(path: Path) -> PanelHead:
    """Read what a contig's panel is about."""
    with Store(path, PANEL, PANEL_VERSION) as store:
        return PanelHead(
            contig=store.attributes["contig"],
            contig_length=store.attributes["contig_length"],
            groups=store.texts("group_id"),
            people_by_sex=store.read("group_people_by_sex").tolist(),
        )


def check_once(paths: Sequence[Path], heads: Sequence[PanelHead]) -> None:
    """Refuse two stores of one contig: it would be counted twice."""
    contigs: set[str] = set()
    for path, head in zip(paths, heads, strict=True):
        if head.contig in contigs:
            raise BadInputError(
                f"a second panel of contig {head.contig}",
                where=path,
                remedy="give each contig's panel once",
            )
        contigs.add(head.contig)


def read_heads(paths: Sequence[Path]) -> list[PanelHead]:
    """Read what the contigs of one panel are about.

    Raises
    ------
    BadInputError
        If two stores are of one contig, or not of the same groups and people.
    """
    heads = [read_head(path) for path in paths]
    check_once(paths, heads)
    for path, head in zip(paths, heads, strict=True):
        if (head.groups, head.people_by_sex) != (heads[0].groups, heads[0].people_by_sex):
            raise BadInputError(
                "the contigs of the panel do not have the same groups and people",
                where=path,
                remedy="pass all contigs through the gate together",
            )
    return heads


def array_names(path: Path) -> set[str]:
    """List what a panel store holds."""
    with Store(path, PANEL, PANEL_VERSION) as store:
        return store.names()


def read_positions(path: Path) -> Iterator[NDArray[np.int32]]:
    """Read the positions of a contig's variants in order, a chunk at a time."""
    with Store(path, PANEL, PANEL_VERSION) as store:
        for start in range(0, store.rows("variant_position"), _CHUNK):
            yield store.read("variant_position", start, start + _CHUNK)


def read_panel_blocks(
    path: Path, rows: int = _CHUNK, *, always: bool = False
) -> Iterator[tuple[Variants, GroupCounts]]:
    """Read a contig's panel in order, a chunk of so many rows at a time.

    With `always` there is a block, without rows, of a contig without variants too.
    """
    with Store(path, PANEL, PANEL_VERSION) as store:
        if always and not store.rows("variant_position"):
            yield _no_variants(store.shape("state")[1])
        for start in range(0, store.rows("variant_position"), rows):
            stop = min(start + rows, store.rows("variant_position"))
            counts = {name: store.read(name, start, stop) for name in PANEL_COUNTS}
            yield _variants(store, start, stop), GroupCounts(**counts)


def read_shown_blocks(path: Path) -> Iterator[tuple[Variants, ReleasedCounts]]:
    """Read in order, a chunk at a time, what a release shows of a contig's panel: it takes fewer arrays."""
    names = [field.name for field in fields(ReleasedCounts)]
    with Store(path, PANEL, PANEL_VERSION) as store:
        for start in range(0, store.rows("variant_position"), _CHUNK):
            stop = min(start + _CHUNK, store.rows("variant_position"))
            counts = {name: store.read(name, start, stop) for name in names}
            yield _variants(store, start, stop), ReleasedCounts(**counts)


def _variants(store: Store, start: int, stop: int) -> Variants:
    return Variants(
        store.read("variant_position", start, stop),
        store.strings("variant_ref", start, stop),
        store.strings("variant_alt", start, stop),
    )


class PanelRows:
    """A contig's panel, opened for reading ranges of positions; use it in a ``with`` block.

    Parameters
    ----------
    path
        The store.

    Attributes
    ----------
    head
        What it is about.
    """

    def __init__(self, path: Path) -> None:
        self.head = read_head(path)
        self._store = Store(path, PANEL, PANEL_VERSION)
        self._position: NDArray[np.int32] = self._store.read("variant_position")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def window(self, start: int, stop: int) -> tuple[Variants, GroupCounts]:
        """Read the variants of a half-open range of positions."""
        first, last = np.searchsorted(self._position, (start, stop)).tolist()
        variants = Variants(
            self._position[first:last],
            self._store.strings("variant_ref", first, last),
            self._store.strings("variant_alt", first, last),
        )
        return variants, GroupCounts(
            **{name: self._store.read(name, first, last) for name in PANEL_COUNTS}
        )


def read_panel_sites(path: Path, rows: int = _CHUNK) -> Iterator[tuple[Variants, GroupCounts]]:
    """Read a contig's panel in order, about so many rows at a time: every variant of a position together."""
    waiting: list[tuple[Variants, GroupCounts]] = []
    for block in read_panel_blocks(path, rows):
        position = block[0].position
        last = int(np.searchsorted(position, position[-1]))
        if last == 0 and waiting and waiting[-1][0].position[-1] == position[0]:
            waiting.append(block)  # all of it is of the position that came last
            continue
        first = _rows_of(block, 0, last)
        if last:
            waiting.append(first)
        if waiting:
            yield _joined(waiting)
        waiting = [_rows_of(block, last, len(position))]
    if waiting:
        yield _joined(waiting)


def _rows_of(
    block: tuple[Variants, GroupCounts], start: int, stop: int
) -> tuple[Variants, GroupCounts]:
    rows = np.arange(start, stop)
    return block[0].take(rows), block[1].take(rows)


def _joined(blocks: Sequence[tuple[Variants, GroupCounts]]) -> tuple[Variants, GroupCounts]:
    variants, counts = zip(*blocks, strict=True)
    tables = {
        name: np.concatenate([getattr(each, name) for each in counts]) for name in PANEL_COUNTS
    }
    return concatenate(variants), GroupCounts(**tables)
