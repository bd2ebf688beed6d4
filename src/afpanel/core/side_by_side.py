"""Adding up the cells of a cohort for the strata in which it meets others; see `discordance.SideBySide`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.core.compiled import READ_I8, compiled
from afpanel.core.strata import Strata

_READ_TABLE = nb.types.Array(nb.i4, 2, "C", readonly=True)
_READ_LOCI = nb.types.Array(nb.i1, 1, "C", readonly=True)
_TABLE, _LONG = nb.i4[:, ::1], nb.i8[:, ::1]
_NONE = -1


@dataclass(frozen=True)
class CellSums:
    """Which cells of a cohort belong to which part of its strata, and to which unit.

    Parameters
    ----------
    parts, units
        (k,) and (u,) int64: the cohort's parts and units, by their numbers among all.
    part_of, unit_of
        (cells,) int64: place of each cell's part and unit among these; -1 if there is none.
    """

    parts: NDArray[np.int64]
    units: NDArray[np.int64]
    part_of: NDArray[np.int64]
    unit_of: NDArray[np.int64]

    @classmethod
    def of(cls, strata: Strata, cohort: int, cells: int) -> "CellSums":
        """Look up the cells of a cohort."""
        parts = strata.parts_of(cohort)
        units = [u for u, unit in enumerate(strata.units) if unit.part in parts]
        part_of, unit_of = (np.full(cells, _NONE, np.int64) for _ in range(2))
        for place, p in enumerate(parts):
            part_of[list(strata.parts[p].cells)] = place
        for place, u in enumerate(units):
            unit_of[list(strata.units[u].cells)] = place
        return cls(np.array(parts, np.int64), np.array(units, np.int64), part_of, unit_of)

    def add_records(
        self,
        rows: NDArray[np.int64],
        tables: Sequence[NDArray[np.int32]],
        copies: NDArray[np.int32],
        loci: NDArray[np.int8],
        sums: Sequence[NDArray[np.int32]],
    ) -> None:
        """Write the sums of the variants that the cohort has.

        Parameters
        ----------
        rows
            (m,) int64: these variants.
        tables
            (m, cells) int32 each: their counts, in the order of `GROUP_TABLES`; below 0 is missing.
        copies
            (kinds of places, cells) int32: copies that people have.
        loci
            (n,) int8, `ploidy.Loci` of each variant.
        sums
            Every table of `SideBySide`, in its order: (n, parts) int32 the first four, and (n, units) the others.
        """
        work = np.empty((len(self.parts), 4), np.int64), np.empty((len(self.units), 6), np.int64)
        _add_records(
            rows,
            *(np.ascontiguousarray(table) for table in tables),
            np.ascontiguousarray(copies),
            loci,
            self.parts,
            self.part_of,
            self.units,
            self.unit_of,
            *work,
            *sums,
        )

    def add_silence(
        self, rows: NDArray[np.int64], number: NDArray[np.int32], total: NDArray[np.int32]
    ) -> None:
        """Write the alleles that could be called of variants that the cohort does not have.

        Parameters
        ----------
        rows
            (m,) int64: these variants.
        number
            (m, cells) int32.
        total
            (n, parts) int32, written to.
        """
        _add_silence(rows, np.ascontiguousarray(number), self.parts, self.part_of, total)


@compiled(
    nb.void(
        READ_I8,
        *[_READ_TABLE] * 7,
        _READ_LOCI,
        *[READ_I8] * 4,
        _LONG,
        _LONG,
        *[_TABLE] * 7,
    )
)
def _add_records(  # type: ignore[no-untyped-def]
    rows, ac, an, hom, hemi, single_ac, single_an, copies_of, loci, parts, part_of, units, unit_of,
    part_sums, unit_sums, count, number, called, copies, heterozygotes, homozygotes, people,
):  # fmt: skip
    for i in range(len(rows)):
        row = rows[i]
        part_sums[:] = 0
        unit_sums[:] = 0
        for cell in range(len(part_of)):
            p, u = part_of[cell], unit_of[cell]
            if p >= 0:
                part_sums[p, 0] += ac[i, cell]
                part_sums[p, 1] += an[i, cell]
                part_sums[p, 2] += copies_of[loci[row], cell]
                part_sums[p, 3] += ac[i, cell] < 0
            if u >= 0:
                unit_sums[u, 0] += ac[i, cell]
                unit_sums[u, 1] += an[i, cell]
                unit_sums[u, 2] += hom[i, cell]
                unit_sums[u, 3] += single_ac[i, cell]
                unit_sums[u, 4] += single_an[i, cell]
                known = ac[i, cell] >= 0 and an[i, cell] >= 0 and hom[i, cell] >= 0
                known = known and hemi[i, cell] >= 0
                known = known and single_ac[i, cell] >= 0 and single_an[i, cell] >= 0
                unit_sums[u, 5] += not known
        for p in range(len(parts)):
            if part_sums[p, 3] == 0:
                count[row, parts[p]] = part_sums[p, 0]
                number[row, parts[p]] = part_sums[p, 1]
            called[row, parts[p]] = part_sums[p, 1]
            copies[row, parts[p]] = part_sums[p, 2]
        for u in range(len(units)):
            if unit_sums[u, 5] == 0:
                single = unit_sums[u, 3]
                heterozygotes[row, units[u]] = unit_sums[u, 0] - 2 * unit_sums[u, 2] - single
                homozygotes[row, units[u]] = unit_sums[u, 2]
                people[row, units[u]] = (unit_sums[u, 1] - unit_sums[u, 4]) // 2


@compiled(nb.void(READ_I8, _READ_TABLE, READ_I8, READ_I8, _TABLE))
def _add_silence(rows, number, parts, part_of, total):  # type: ignore[no-untyped-def]
    for i in range(len(rows)):
        for p in range(len(parts)):
            total[rows[i], parts[p]] = 0
        for cell in range(len(part_of)):
            if part_of[cell] >= 0:
                total[rows[i], parts[part_of[cell]]] += number[i, cell]
