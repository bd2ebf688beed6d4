"""Compare two releases: what the new one has, lacks and shows otherwise.

Both are walked together in order of contig, position, REF and ALT, in windows of positions. Only the
positions of all variants are held at once. Nothing but the two releases is read.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.core.changed_values import changed_values
from afpanel.core.contigs import ContigNames
from afpanel.core.release_changes import CellTally, frequency_changes, largest
from afpanel.core.variants import ranges, union
from afpanel.errors import BadInputError
from afpanel.io.files import read_json
from afpanel.io.release_reader import Panel, ReleaseWindow
from afpanel.stages.comparison import Comparison, ContigTally, DiffOptions, LargeChange
from afpanel.stages.diff_summary import summary_of
from afpanel.stages.diff_tables import VariantTables, write_tables
from afpanel.stages.progress import Progress

logger = logging.getLogger(__name__)

_NOT_COMPARED = ("files", "panel", "groups")
"""Keys of the manifest that tell no more than what is compared here anyway."""


def diff(old: Path, new: Path, out: Path | None, options: DiffOptions) -> str:
    """Compare two releases.

    Parameters
    ----------
    old, new
        Folder of each release, or its ``.zarr.zip``.
    out
        Folder for tables, or None.
    options
        See `DiffOptions`.

    Returns
    -------
    str
        The summary.

    Raises
    ------
    BadInputError
        If one of them is no release, or they are on different references.
    """
    with compare(old, new, out, options) as found:
        found.manifest = _manifest_changes(old, new)
        if out is not None:
            write_tables(found, out)
        return summary_of(found, options)


@contextmanager
def compare(old: Path, new: Path, out: Path | None, options: DiffOptions) -> Iterator[Comparison]:
    """Compare the figures of two releases, which are open as long as what was found is used.

    Tables of variants are written to the folder `out`, if there is one. See `diff`.
    """
    with ExitStack() as stack:
        before, after = (stack.enter_context(Panel(path)) for path in (old, new))
        pairs = _contigs_of(before, after, new)
        groups = [group for group in after.groups if group in before.groups]
        found = Comparison(before, after, groups, CellTally(len(groups), options.small))
        with nullcontext() if out is None else VariantTables(out) as tables:
            _Walk(found, tables, options).through(pairs)
        yield found


def _contigs_of(old: Panel, new: Panel, where: Path) -> list[tuple[str, str, str]]:
    """Pair the contigs: the name to show, the old release's and the new one's.

    A contig that one release lacks has the same name in both, under which nothing is found there.

    Raises
    ------
    BadInputError
        If the releases are on different references.
    """
    remedy = "compare releases of one reference; positions on two do not mean the same"
    if old.build != new.build:
        raise BadInputError(
            "the releases are on different builds", where=where, expected=old.build, found=new.build,
            remedy=remedy,
        )  # fmt: skip
    names = ContigNames(new.contigs)
    old_name = {names.resolve(contig) or contig: contig for contig in old.contigs}
    for contig, before in old_name.items():
        lengths = old.contig_lengths[before], new.contig_lengths.get(contig)
        if lengths[1] not in (None, lengths[0]):
            raise BadInputError(
                f"{contig} has another length than in the old release",
                where=where,
                expected=f"{lengths[0]:,} bases",
                found=f"{lengths[1]:,} bases",
                remedy=remedy,
            )
    return [
        (name, old_name.get(name, name), name) for name in dict.fromkeys((*new.contigs, *old_name))
    ]


class _Walk:
    """Goes through both releases and gathers what differs."""

    def __init__(
        self, found: Comparison, tables: VariantTables | None, options: DiffOptions
    ) -> None:
        self._found, self._tables, self._options = found, tables, options
        old, new = found.old, found.new
        self._old_groups = [old.groups.index(group) for group in found.groups]
        self._new_groups = [new.groups.index(group) for group in found.groups]

    def through(self, pairs: list[tuple[str, str, str]]) -> None:
        """Walk the contigs."""
        old, new = self._found.old, self._found.new
        progress = Progress(logger, "diff", "variants")
        for contig, old_name, new_name in pairs:
            self._found.contigs[contig] = ContigTally(
                old_name in old.contigs, new_name in new.contigs
            )
            positions = [old.positions(old_name), new.positions(new_name)]
            for start, stop in ranges(positions, self._options.window_rows):
                before = old.window(old_name, start, stop)
                after = new.window(new_name, start, stop)
                self._window(contig, before, after)
                progress.advance(len(before.variants) + len(after.variants), contig)

    def _window(self, contig: str, old: ReleaseWindow, new: ReleaseWindow) -> None:
        variants, (old_at, new_at) = union([old.variants, new.variants])
        row_in_old, row_in_new = np.full((2, len(variants)), -1)
        row_in_old[old_at] = np.arange(len(old_at))
        row_in_new[new_at] = np.arange(len(new_at))
        both = (row_in_old >= 0) & (row_in_new >= 0)
        only_old, only_new = row_in_old[~both & (row_in_old >= 0)], row_in_new[row_in_old < 0]
        tally = self._found.contigs[contig]
        tally.both += int(both.sum())
        tally.only_old += len(only_old)
        tally.only_new += len(only_new)
        self._found.new_ac0 += int(new.no_alt_left[only_new].sum())
        if self._tables is not None:
            self._tables.only_in_one("out", contig, old, only_old)
            self._tables.only_in_one("in", contig, new, only_new)
        self._common(contig, old, new, row_in_old[both], row_in_new[both])

    def _common(
        self,
        contig: str,
        old: ReleaseWindow,
        new: ReleaseWindow,
        old_rows: NDArray[np.intp],
        new_rows: NDArray[np.intp],
    ) -> None:
        """Compare the variants that both have, which are in these rows of the one and the other."""
        before = old.counts.take(old_rows, self._old_groups)
        after = new.counts.take(new_rows, self._new_groups)
        change = frequency_changes(before, after)
        self._found.cells.add(before, after, change)
        rows, groups = largest(change, self._options.top)
        sites = new.variants.take(new_rows[rows])
        columns = (
            sites.position, sites.ref.objects(), sites.alt.objects(), groups,
            before.allele_count[rows, groups], after.allele_count[rows, groups],
            before.allele_number[rows, groups], after.allele_number[rows, groups],
            change[rows, groups],
        )  # fmt: skip
        self._found.largest += [
            LargeChange(
                contig, position, ref, alt, self._found.groups[g], (ac0, ac1), (an0, an1), by
            )
            for position, ref, alt, g, ac0, ac1, an0, an1, by in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]
        # Sorting keeps those that are equal in order, which is that of the walk.
        self._found.largest.sort(key=lambda found: -abs(found.change))
        del self._found.largest[self._options.top :]
        was, is_now = old.no_alt_left[old_rows], new.no_alt_left[new_rows]
        self._found.to_ac0 += int((is_now & ~was).sum())
        self._found.from_ac0 += int((was & ~is_now).sum())
        if self._tables is not None:
            changed = np.flatnonzero(was != is_now)
            variants = new.variants.take(new_rows[changed])
            self._tables.filter_changed(contig, variants, is_now[changed])


def _manifest_changes(old: Path, new: Path) -> list[tuple[str, str, str]] | None:
    """Compare the manifests; None if a release is without one."""
    paths = [(path if path.is_dir() else path.parent) / "manifest.json" for path in (old, new)]
    if not all(path.is_file() for path in paths):
        return None
    before, after = (_compared(read_json(path)) for path in paths)
    return list(changed_values(before, after))


def _compared(manifest: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in manifest.items() if key not in _NOT_COMPARED}
