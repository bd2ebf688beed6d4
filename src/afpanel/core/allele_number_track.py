"""AN at every base: called alleles of each cell, as runs of bases where they are the same."""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.core.compiled import I4, READ_I4, compiled
from afpanel.core.tracks import Track

WINDOW = 1 << 19
"""Bases that are swept at a time. No span of a store of genotypes goes over a multiple of it."""


def split_at(
    start: NDArray[np.int32], end: NDArray[np.int32], cuts: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Cut spans where a border lies inside of them.

    Parameters
    ----------
    start, end
        (n,) int32, 0-based and half-open.
    cuts
        (m,) borders, sorted: a border c is between the bases c - 1 and c.

    Returns
    -------
    row, start, end
        (k,) of each piece, in order: the span that it is of, and where it is.
    """
    low = np.searchsorted(cuts, start, side="right")
    inside = np.maximum(np.searchsorted(cuts, end, side="left") - low, 0)
    row = np.repeat(np.arange(len(start)), inside + 1)
    number = np.arange(len(row)) - np.repeat(np.cumsum(inside + 1) - (inside + 1), inside + 1)
    if not len(cuts):
        return row, start, end
    cut = low[row] + number
    last = len(cuts) - 1
    begins = np.where(number == 0, start[row], cuts[np.clip(cut - 1, 0, last)])
    ends = np.where(number == inside[row], end[row], cuts[np.clip(cut, 0, last)])
    return row, begins.astype(np.int32), ends.astype(np.int32)


class Sweep:
    """Adds up spans over one window after another, and gives the runs.

    Parameters
    ----------
    n_cells
        Number of cells.
    window
        Bases in a window; spans do not go over a multiple of it.
    """

    def __init__(self, n_cells: int, window: int = WINDOW) -> None:
        self._window = window
        self._change = np.zeros((window + 1, n_cells), np.int32)
        self._changed = np.zeros(window + 1, np.uint8)
        self._first = 0
        self._last: Track | None = None

    def empty(self) -> Track:
        """Make a track without a run."""
        nowhere = np.empty(0, np.int32)
        return Track(nowhere, nowhere, np.empty((0, self._change.shape[1]), np.int32))

    def add(
        self,
        start: NDArray[np.int32],
        end: NDArray[np.int32],
        cell: NDArray[np.int32],
        allele_number: NDArray[np.int32],
    ) -> list[Track]:
        """Take in spans; gives the runs of the windows that are behind.

        Parameters
        ----------
        start, end
            (n,) int32: spans whose windows come in order, in any order within a window.
        cell, allele_number
            (n,) int32: what each adds to.
        """
        done = []
        window = start // self._window
        for number in np.unique(window).tolist():
            low, high = np.searchsorted(window, (number, number + 1)).tolist()
            if number * self._window != self._first:
                done += self._runs()
                self._first = number * self._window
            part = slice(low, high)
            _add_spans(
                start[part], end[part], cell[part], allele_number[part],
                self._first, self._change, self._changed,
            )  # fmt: skip
        return done

    def finish(self) -> list[Track]:
        """Give the runs that are left."""
        done = self._runs()
        if self._last is not None:
            done.append(self._last)
        return done

    def _runs(self) -> list[Track]:
        """Give the runs of the window; the last of them waits, for it may go on in the next."""
        n = int(np.count_nonzero(self._changed))
        starts, ends = np.empty(n, np.int32), np.empty(n, np.int32)
        numbers = np.empty((n, self._change.shape[1]), np.int32)
        found = _take_runs(self._first, self._change, self._changed, starts, ends, numbers)
        runs = [Track(starts[:found], ends[:found], numbers[:found])] if found else []
        if self._last is not None and runs:
            last, this = self._last, runs[0]
            if last.end[0] == this.start[0] and (last.number == this.number[0]).all():
                this.start[0] = last.start[0]
            else:
                runs.insert(0, last)
            self._last = None
        if runs:
            *_, whole = runs
            runs[-1] = Track(whole.start[:-1], whole.end[:-1], whole.number[:-1])
            self._last = Track(whole.start[-1:], whole.end[-1:], whole.number[-1:])
        return [run for run in runs if len(run)]


_TABLE = nb.i4[:, ::1]


@compiled(nb.void(READ_I4, READ_I4, READ_I4, READ_I4, nb.i8, _TABLE, nb.u1[::1]))
def _add_spans(start, end, cell, allele_number, first, change, changed):  # type: ignore[no-untyped-def]
    """Note by how much the AN of each cell changes, and where."""
    for i in range(len(start)):
        if allele_number[i]:
            low, high = start[i] - first, end[i] - first
            change[low, cell[i]] += allele_number[i]
            change[high, cell[i]] -= allele_number[i]
            changed[low] = changed[high] = 1


@compiled(nb.i8(nb.i8, _TABLE, nb.u1[::1], I4, I4, _TABLE))
def _take_runs(first, change, changed, start, end, allele_number):  # type: ignore[no-untyped-def]
    """Turn changes into runs, setting them back to 0; returns how many there are."""
    cells = change.shape[1]
    n = nb.i8(0)
    is_open = False
    # What counts up at a base is kept in the row of the base before it, and put to 0 after use.
    at = nb.i8(0)
    before = nb.i8(-1)
    for at in range(len(changed)):
        if not changed[at]:
            continue
        changed[at] = 0
        same = True
        empty = True
        for c in range(cells):
            if change[at, c]:
                same = False
            if before >= 0:
                change[at, c] += change[before, c]
                change[before, c] = 0
            if change[at, c]:
                empty = False
        before = at
        if same:
            continue
        if is_open:
            end[n - 1] = first + at
        is_open = not empty
        if is_open:
            start[n] = first + at
            for c in range(cells):
                allele_number[n, c] = change[at, c]
            n += 1
    if before >= 0:
        for c in range(cells):
            change[before, c] = 0
    return n
