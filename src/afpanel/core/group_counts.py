"""Counts of groups at variants: what a panel holds, and how it adds up from cells."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, State
from afpanel.core.callability import copies_per_cell
from afpanel.core.compiled import I4, LANES, READ_I8, compiled, masked_sums, part
from afpanel.core.diploid_calls import diploid_count, heterozygote_count
from afpanel.core.ploidy import Loci
from afpanel.model.arrays import COUNTS, RAW_COUNTS, SINGLE_COUNTS
from afpanel.model.cohort import Cell
from afpanel.model.groups import Group

GROUP_TABLES = (*COUNTS, *SINGLE_COUNTS)
"""Everything that is summed for each group."""

PANEL_COUNTS = (*GROUP_TABLES, "state", *RAW_COUNTS)
"""Every array of `GroupCounts`."""

_ALL = slice(None)


@dataclass(frozen=True)
class ReleasedCounts:
    """What a release shows of n variants in g groups; -1 is missing.

    Parameters
    ----------
    allele_count, allele_number, homozygote_count, hemizygote_count
        (n, g) int32.
    state
        (n, g) int8, of `State`.
    """

    allele_count: NDArray[np.int32]
    allele_number: NDArray[np.int32]
    homozygote_count: NDArray[np.int32]
    hemizygote_count: NDArray[np.int32]
    state: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.state)

    def take(
        self, rows: NDArray[np.intp] | slice = _ALL, groups: Sequence[int] | slice = _ALL
    ) -> Self:
        """Take some variants, and some groups, in the order given."""
        tables = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        return type(self)(**{name: t[:, groups] if t.ndim > 1 else t for name, t in tables.items()})


@dataclass(frozen=True)
class GroupCounts(ReleasedCounts):
    """Everything that a panel holds of n variants in g groups; -1 is missing.

    Parameters
    ----------
    single_allele_count, single_allele_number
        (n, g) int32: copies of ALT, and called alleles, that are the only called one of their person.
    raw_allele_count, raw_allele_number
        (n,) int32: of all people, before the genotype filter.
    """

    single_allele_count: NDArray[np.int32]
    single_allele_number: NDArray[np.int32]
    raw_allele_count: NDArray[np.int32]
    raw_allele_number: NDArray[np.int32]

    @classmethod
    def zeros(cls, variants: int, groups: int) -> "GroupCounts":
        """Make counts of nobody, not-callable everywhere."""
        tables = {name: np.zeros((variants, groups), np.int32) for name in GROUP_TABLES}
        raw = {name: np.zeros(variants, np.int32) for name in RAW_COUNTS}
        state = np.full((variants, groups), State.NOT_CALLABLE, np.int8)
        return cls(**tables, **raw, state=state)

    @property
    def heterozygotes(self) -> NDArray[np.int32]:
        """(n, g) int32: people with one copy of ALT and another allele called; -1 is missing."""
        return heterozygote_count(
            self.allele_count, self.homozygote_count, self.single_allele_count
        )

    @property
    def diploids(self) -> NDArray[np.int32]:
        """(n, g) int32: people with two called alleles; -1 is missing."""
        return diploid_count(self.allele_number, self.single_allele_number)

    def with_missing(self) -> "GroupCounts":
        """Set all but AN to missing where nobody of a group could be called; where it is masked, all."""
        unknown = self.state == State.NOT_CALLABLE
        masked = self.state == State.MASKED
        for name in GROUP_TABLES:
            table = getattr(self, name)
            table[masked] = MISSING
            if name != "allele_number":
                table[unknown] = MISSING
        return self


@dataclass(frozen=True)
class Membership:
    """Which groups the cells of a cohort are in.

    Parameters
    ----------
    groups
        (k,) int64: the groups that hold a cell of the cohort.
    holds
        (blocks, cells, `LANES`) int32: whether a group, `LANES` to a block, holds a cell; all bits or none.
    has_copies
        (loci, k) bool: whether anybody in a group has a copy of that kind of place.
    """

    groups: NDArray[np.int64]
    holds: NDArray[np.int32]
    has_copies: NDArray[np.bool_]

    @classmethod
    def of(cls, country: str, cells: Sequence[Cell], groups: Sequence[Group]) -> "Membership":
        """Look up the groups of a cohort's cells."""
        holds = np.array([[group.holds(country, cell) for cell in cells] for group in groups])
        members = np.flatnonzero(holds.any(axis=1))
        blocks = -(-len(members) // LANES)
        padded = np.zeros((blocks * LANES, len(cells)), np.int32)
        padded[: len(members)] = -holds[members].astype(np.int32)
        copies = copies_per_cell(np.arange(len(Loci), dtype=np.int8), cells) > 0
        return cls(
            members.astype(np.int64),
            np.ascontiguousarray(padded.reshape(blocks, LANES, len(cells)).swapaxes(1, 2)),
            copies @ holds[members].T,
        )

    def add(
        self, total: NDArray[np.int32], rows: NDArray[np.int64], values: NDArray[np.int32]
    ) -> None:
        """Add counts of cells to those of their groups.

        Parameters
        ----------
        total
            (n, groups) int32, added to.
        rows
            (m,) int64: the variants that are counted.
        values
            (m, cells) int32.
        """
        sums = np.empty(LANES, np.int32)
        _add(np.ascontiguousarray(values), rows, self.groups, self.holds, total, sums)

    def observe(
        self, state: NDArray[np.int8], rows: NDArray[np.int64], loci: NDArray[np.int8]
    ) -> None:
        """Mark variants as observed in the groups that have a copy of the place.

        Parameters
        ----------
        state
            (n, groups) int8, raised.
        rows
            (m,) int64: the variants that the cohort has.
        loci
            (n,) int8, `ploidy.Loci` of each variant.
        """
        _observe(rows, loci, self.groups, self.has_copies, state)

    def find_missing(
        self, rows: NDArray[np.int64], values: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find the groups whose sum is not known, for the count of a cell of theirs is missing.

        Parameters
        ----------
        rows
            (m,) int64: the variants that are counted.
        values
            (m, cells) int32; below 0 is missing.

        Returns
        -------
        rows, groups
            (j,) int64 each: variant and group of every such sum.
        """
        at, cell = np.nonzero(values < 0)
        of_group = self.holds.swapaxes(1, 2).reshape(-1, values.shape[1])[: len(self.groups)] != 0
        pair, member = np.nonzero(of_group.T[cell])
        return rows[at[pair]], self.groups[member]

    def find_absent(
        self, state: NDArray[np.int8], rows: NDArray[np.int64], number: NDArray[np.int32]
    ) -> None:
        """Mark variants as absent-callable in the groups of which somebody could be called.

        Parameters
        ----------
        state
            (n, groups) int8, raised.
        rows
            (m,) int64: variants that the cohort does not have.
        number
            (m, cells) int32: alleles that could be called.
        """
        sums = np.empty(LANES, np.int32)
        _find_absent(np.ascontiguousarray(number), rows, self.groups, self.holds, state, sums)


_READ_TABLE = nb.types.Array(nb.i4, 2, "C", readonly=True)
_READ_FLAGS = nb.types.Array(nb.b1, 2, "C", readonly=True)
_READ_CUBE = nb.types.Array(nb.i4, 3, "C", readonly=True)
_READ_LOCI = nb.types.Array(nb.i1, 1, "C", readonly=True)
_OBSERVED, _ABSENT = nb.i1(State.OBSERVED), nb.i1(State.ABSENT_CALLABLE)


@part
def _has_any(values, i):  # type: ignore[no-untyped-def]
    bits = nb.i4(0)
    for cell in range(values.shape[1]):
        bits |= values[i, cell]
    return bits != 0


@compiled(nb.void(_READ_TABLE, READ_I8, READ_I8, _READ_CUBE, nb.i4[:, ::1], I4))
def _add(values, rows, groups, holds, total, sums):  # type: ignore[no-untyped-def]
    flat, masks = values.reshape(values.size), holds.reshape(holds.size)
    cells = values.shape[1]
    for i in range(len(rows)):
        if not _has_any(values, i):
            continue
        for block in range(len(holds)):
            masked_sums(flat, cells * i, cells, masks, block * cells * LANES, sums)
            first = block * LANES
            for lane in range(min(LANES, len(groups) - first)):
                total[rows[i], groups[first + lane]] += sums[lane]


@compiled(nb.void(READ_I8, _READ_LOCI, READ_I8, _READ_FLAGS, nb.i1[:, ::1]))
def _observe(rows, loci, groups, has_copies, state):  # type: ignore[no-untyped-def]
    for i in range(len(rows)):
        for g in range(len(groups)):
            if has_copies[loci[rows[i]], g]:
                state[rows[i], groups[g]] = _OBSERVED


@compiled(nb.void(_READ_TABLE, READ_I8, READ_I8, _READ_CUBE, nb.i1[:, ::1], I4))
def _find_absent(number, rows, groups, holds, state, sums):  # type: ignore[no-untyped-def]
    flat, masks = number.reshape(number.size), holds.reshape(holds.size)
    cells = number.shape[1]
    for i in range(len(rows)):
        for block in range(len(holds)):
            masked_sums(flat, cells * i, cells, masks, block * cells * LANES, sums)
            first = block * LANES
            for lane in range(min(LANES, len(groups) - first)):
                if sums[lane] > 0:
                    at = groups[first + lane]
                    state[rows[i], at] = max(state[rows[i], at], _ABSENT)
