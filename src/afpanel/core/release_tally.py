"""What a release's report counts in one pass: states, kinds of variants, lengths, base changes, call rates.

Everything is of cells that are shown, and of rows that are published: it tells nothing that the release
does not.
"""

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.diversity import base_changes
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.shown_counts import ShownCounts
from afpanel.core.variant_kinds import VariantKind, kinds_of, length_changes
from afpanel.core.variants import Variants

LONGEST_CHANGE = 20
"""Bases up to which insertions and deletions are counted by their length; longer ones together."""

FREQUENCIES = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)
"""Bounds of the classes of ALT's frequency: above one bound, up to and with the next."""

CALL_RATES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.0)
"""Bounds of the classes of call rate: from one bound on, below the next; a call rate of 1 is a class of its own."""


class ReleaseTally:
    """Adds up what the variants of a release are, for g groups.

    Parameters
    ----------
    groups
        How many groups there are.

    Attributes
    ----------
    states
        (g, 4) int64: cells by `State`.
    kinds
        Of each contig (5,) int64: variants by `VariantKind`.
    lengths
        (2 * `LONGEST_CHANGE` + 3,) int64: insertions and deletions by the change of length, from longer
        deletions than those counted to longer insertions; the one in the middle, of no change, is empty.
    changes
        (g, classes, 2) int64: segregating single-base variants of autosomes, by the class of ALT's
        frequency in the group; transitions, then transversions.
    call_rates
        (g, classes) int64: cells that are shown and have a call rate, by its class; the last is of 1.
    autosomal_variants
        Variants of autosomes.
    """

    def __init__(self, groups: int) -> None:
        self.states: NDArray[np.int64] = np.zeros((groups, len(State)), np.int64)
        self.kinds: dict[str, NDArray[np.int64]] = {}
        self.lengths: NDArray[np.int64] = np.zeros(2 * LONGEST_CHANGE + 3, np.int64)
        self.changes: NDArray[np.int64] = np.zeros((groups, len(FREQUENCIES) - 1, 2), np.int64)
        self.call_rates: NDArray[np.int64] = np.zeros((groups, len(CALL_RATES)), np.int64)
        self.autosomal_variants = 0

    def add(
        self,
        contig: str,
        variants: Variants,
        counts: ReleasedCounts,
        call_rate: NDArray[np.float32],
        *,
        autosome: bool,
    ) -> None:
        """Add variants of a contig.

        Parameters
        ----------
        contig
            Its name.
        variants, counts
            n variants, and their counts in g groups.
        call_rate
            (n, g) float32: AN as a share of the copies that people have; NaN where it is not known.
        autosome
            Whether the contig is one.
        """
        for state in State:
            self.states[:, state] += (counts.state == state).sum(axis=0)
        kinds = kinds_of(variants)
        of_contig = self.kinds.setdefault(contig, np.zeros(len(VariantKind), np.int64))
        of_contig += np.bincount(kinds, minlength=len(VariantKind))
        beyond = LONGEST_CHANGE + 1
        indels = (kinds == VariantKind.INSERTION) | (kinds == VariantKind.DELETION)
        change = np.clip(length_changes(variants)[indels], -beyond, beyond)
        self.lengths += np.bincount(change + beyond, minlength=len(self.lengths))
        shown = (counts.state == State.OBSERVED) | (counts.state == State.ABSENT_CALLABLE)
        self._add_call_rates(shown, call_rate)
        if autosome:
            self.autosomal_variants += len(variants)
            self._add_changes(variants, ShownCounts.of(counts))

    def _add_call_rates(self, shown: NDArray[np.bool_], call_rate: NDArray[np.float32]) -> None:
        known = shown & ~np.isnan(call_rate)
        _, group = np.nonzero(known)
        bounds = np.array(CALL_RATES, np.float32)
        found = np.searchsorted(bounds, call_rate[known], side="right") - 1
        self.call_rates += _counted(group, found, self.call_rates.shape)

    def _add_changes(self, variants: Variants, counts: ShownCounts) -> None:
        transition, transversion = base_changes(variants)
        segregating = counts.segregating & (transition | transversion)[:, None]
        row, group = np.nonzero(segregating)
        frequency = counts.alt[segregating] / counts.called[segregating]
        found = np.searchsorted(FREQUENCIES, frequency, side="left") - 1
        self.changes += _counted(group, 2 * found + transversion[row], self.changes.shape)


def _counted(
    group: NDArray[np.intp], found: NDArray[np.intp], shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Count what was found, by group; `shape` is that of the counts."""
    classes = int(np.prod(shape[1:]))
    return np.bincount(group * classes + found, minlength=shape[0] * classes).reshape(shape)
