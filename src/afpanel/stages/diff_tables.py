"""Tables of a comparison of two releases, each written whole."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, State
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.variants import Variants
from afpanel.io.release_reader import ReleaseWindow
from afpanel.io.tsv import Value, create_tsv, write_tsv
from afpanel.stages.comparison import Comparison

VARIANT = ("contig", "position", "ref", "alt")


class VariantTables:
    """Tables with a line per variant, written as the releases are walked; use it in a ``with`` block.

    ``variants_in.tsv`` and ``variants_out.tsv`` have the variants of one release alone, with the
    total's figures there; ``filters.tsv`` those of both whose FILTER changed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        figures = (*VARIANT, "filter", "AC", "AN")
        columns = {"in": figures, "out": figures, "filters": (*VARIANT, "old_filter", "new_filter")}
        names = {"in": "variants_in", "out": "variants_out", "filters": "filters"}
        self._tables = {
            name: self._stack.enter_context(create_tsv(self._folder / f"{names[name]}.tsv", of))
            for name, of in columns.items()
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def only_in_one(
        self, side: str, contig: str, window: ReleaseWindow, rows: NDArray[np.intp]
    ) -> None:
        """Write variants of one release alone; `side` is ``in`` or ``out``."""
        if len(rows):
            counts = window.counts.take(rows, [0])
            filters = _filter_names(window.no_alt_left[rows])
            variant = _variant(contig, window.variants.take(rows))
            self._tables[side].write(*variant, filters, *_shown(counts))

    def filter_changed(
        self, contig: str, variants: Variants, no_alt_left: NDArray[np.bool_]
    ) -> None:
        """Write variants whose FILTER changed; `no_alt_left`, (n,), is that of the new release."""
        if len(variants):
            names = (_filter_names(~no_alt_left), _filter_names(no_alt_left))
            self._tables["filters"].write(*_variant(contig, variants), *names)


def _variant(contig: str, variants: Variants) -> list[Any]:
    return [
        np.full(len(variants), contig, object),
        variants.position,
        variants.ref.objects(),
        variants.alt.objects(),
    ]


def _filter_names(no_alt_left: NDArray[np.bool_]) -> NDArray[np.object_]:
    return np.where(no_alt_left, "AC0", "PASS").astype(object)


def _shown(counts: ReleasedCounts) -> list[Any]:
    """AC and AN of the first group, masked where they are missing."""
    columns = (counts.allele_count[:, 0], counts.allele_number[:, 0])
    return [np.ma.masked_equal(values, MISSING) for values in columns]


def write_tables(found: Comparison, folder: Path) -> None:
    """Write the tables that are short: contigs, groups, states, largest changes, manifest."""
    contigs = [(name, t.both, t.only_old, t.only_new) for name, t in found.contigs.items()]
    write_tsv(folder / "contigs.tsv", ("contig", "both", "only_old", "only_new"), contigs)
    write_tsv(
        folder / "groups.tsv",
        ("group", "old_people", "new_people", "cells", "changed", "small_changes", "cells_with_af",
         "largest_af_change", "mean_af_change"),
        _group_rows(found),
    )  # fmt: skip
    states = [
        (state_name(old), state_name(new), int(found.cells.states[old, new]))
        for old in State
        for new in State
    ]
    write_tsv(folder / "states.tsv", ("old_state", "new_state", "cells"), states)
    changes = [
        (c.contig, c.position, c.ref, c.alt, c.group, c.allele_count[0], c.allele_number[0],
         c.allele_count[1], c.allele_number[1], f"{c.change:.6g}")
        for c in found.largest
    ]  # fmt: skip
    columns = (*VARIANT, "group", "old_AC", "old_AN", "new_AC", "new_AN", "af_change")
    write_tsv(folder / "largest_changes.tsv", columns, changes)
    write_tsv(folder / "manifest.tsv", ("key", "old", "new"), found.manifest or [])


def _group_rows(found: Comparison) -> list[tuple[Value, ...]]:
    cells, mean = found.cells, found.cells.mean
    rows: list[tuple[Value, ...]] = []
    for name, old, new in found.all_groups():
        row: tuple[Value, ...] = ("",) * 6
        if name in found.groups:
            g = found.groups.index(name)
            has_af = cells.compared[g] > 0
            row = (
                found.total.both,
                cells.changed[g],
                cells.n_small[g],
                cells.compared[g],
                f"{cells.greatest[g]:.6g}" if has_af else "",
                f"{mean[g]:.6g}" if has_af else "",
            )
        rows.append((name, "" if old is None else old, "" if new is None else new, *row))
    return rows


def state_name(state: State) -> str:
    """Name a state as the documentation does.

    >>> state_name(State.NOT_CALLABLE)
    'not-callable'
    """
    return state.name.lower().replace("_", "-")
