"""The store of a contig's panel: variants, and their counts in each group, before or after the gate."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from afpanel.core.masking import GroupCounts
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.io.store import Store
from afpanel.io.store_writer import StoreWriter, create_store
from afpanel.model.arrays import COUNTS

PANEL = "panel-counts"
PANEL_VERSION = 1

PANEL_ARRAYS = frozenset(
    {
        "group_id",
        "group_people",
        "variant_position",
        "variant_ref",
        "variant_alt",
        "state",
        *COUNTS,
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
    people
        People in each group.
    """

    contig: str
    contig_length: int
    groups: list[str]
    people: list[int]


@contextmanager
def create_panel(path: Path, head: PanelHead) -> Iterator[StoreWriter]:
    """Write a contig's panel; blocks of it are written with `write_panel_block`."""
    with create_store(path, PANEL, PANEL_VERSION, chunk=_CHUNK) as writer:
        writer.attributes({"contig": head.contig, "contig_length": head.contig_length})
        writer.array("group_id", head.groups)
        writer.array("group_people", head.people)
        # A contig without variants has its arrays all the same, without rows.
        none = np.empty((0, len(head.groups)), np.int32)
        no_variants = Variants(np.empty(0, np.int32), Strings.of([]), Strings.of([]))
        no_counts = GroupCounts(none, none, none, none, none.astype(np.int8))
        write_panel_block(writer, no_variants, no_counts)
        yield writer


def write_panel_block(writer: StoreWriter, variants: Variants, counts: GroupCounts) -> None:
    """Add variants, which must follow those already written, and their counts."""
    writer.append(
        {
            "variant_position": variants.position,
            "variant_ref": variants.ref.objects(),
            "variant_alt": variants.alt.objects(),
            **{name: getattr(counts, name) for name in (*COUNTS, "state")},
        }
    )


def read_head(path: Path) -> PanelHead:
    """Read what a contig's panel is about."""
    with Store(path, PANEL, PANEL_VERSION) as store:
        return PanelHead(
            contig=store.attributes["contig"],
            contig_length=store.attributes["contig_length"],
            groups=store.texts("group_id"),
            people=store.read("group_people").tolist(),
        )


def array_names(path: Path) -> set[str]:
    """List what a panel store holds."""
    with Store(path, PANEL, PANEL_VERSION) as store:
        return store.names()


def read_panel_blocks(path: Path) -> Iterator[tuple[Variants, GroupCounts]]:
    """Read a contig's panel in order, a chunk at a time."""
    with Store(path, PANEL, PANEL_VERSION) as store:
        for start in range(0, store.rows("variant_position"), _CHUNK):
            stop = min(start + _CHUNK, store.rows("variant_position"))
            variants = Variants(
                store.read("variant_position", start, stop),
                store.strings("variant_ref", start, stop),
                store.strings("variant_alt", start, stop),
            )
            ac, an, hom, hemi, state = (
                store.read(name, start, stop) for name in (*COUNTS, "state")
            )
            yield variants, GroupCounts(ac, an, hom, hemi, state)
