"""Counting called alleles, homozygotes and hemizygotes per cell, in one pass over genotypes.

The semantics of every kind of call are those of `docs/definitions.md`. A call gives alleles only if
the person has a copy of the locus (`core.ploidy`) and the call passes the genotype filter.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.core.calls import CallBlock
from afpanel.core.compiled import READ_I4, READ_I8, compiled, load8
from afpanel.core.ploidy import PLOIDY


@dataclass(frozen=True)
class GenotypeFilter:
    """Thresholds that a call must reach to be counted; 0 switches one off.

    A threshold applies to a file that has its FORMAT field; there, a call that lacks the value fails,
    as a missing value fails a comparison in gnomAD's filter.

    Parameters
    ----------
    min_gq
        Genotype quality.
    min_dp, min_dp_haploid
        Read depth of diploid and of haploid calls.
    min_ab
        Share of reads that support each ALT allele of a heterozygous call, AD / DP.
    half_calls_missing
        Whether ``0/.`` is treated as missing rather than as one called allele.
    """

    min_gq: int = 0
    min_dp: int = 0
    min_dp_haploid: int = 0
    min_ab: float = 0.0
    half_calls_missing: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """FORMAT fields that the thresholds in force look at."""
        depth = self.min_dp > 0 or self.min_dp_haploid > 0
        balance = self.min_ab > 0
        wanted = {"GQ": self.min_gq > 0, "DP": depth or balance, "AD": balance}
        return tuple(name for name, needed in wanted.items() if needed)


@dataclass(frozen=True)
class Counts:
    """Counts of a block, per cell.

    Parameters
    ----------
    allele_count, homozygotes, hemizygotes
        (rows, cells) int32; record r has a row for each of its alleles, REF first, from
        ``row_offsets[r]``.
    allele_number
        (records, cells) int32: all called alleles, of whatever kind.
    """

    allele_count: NDArray[np.int32]
    homozygotes: NDArray[np.int32]
    hemizygotes: NDArray[np.int32]
    allele_number: NDArray[np.int32]


_NO_FIELD = np.empty((0, 0), np.int16)


def count_block(
    block: CallBlock,
    row_offsets: NDArray[np.int64],
    loci: NDArray[np.int8],
    sex: NDArray[np.int8],
    cell: NDArray[np.int32],
    n_cells: int,
    genotype_filter: GenotypeFilter,
) -> Counts:
    """Count a block of genotypes for all cells at once.

    Parameters
    ----------
    block
        Genotypes of n records and m samples.
    row_offsets
        (n + 1,) int64: running number of alleles, REF included; see `Counts`.
    loci
        (n,) int8, kind of place of each record.
    sex
        (m,) int8, index into `ploidy.SEXES`.
    cell
        (m,) int32, cell of each sample; -1 is not counted.
    n_cells
        Number of cells.
    genotype_filter
        What a call must reach.

    Raises
    ------
    ValueError
        If a call names an allele that its record does not have, which readers do not let through.
    """
    rows, records = int(row_offsets[-1]), len(loci)
    per_allele, per_record = (rows, n_cells), (records, n_cells)
    counts = Counts(
        allele_count=np.zeros(per_allele, np.int32),
        homozygotes=np.zeros(per_allele, np.int32),
        hemizygotes=np.zeros(per_allele, np.int32),
        allele_number=np.zeros(per_record, np.int32),
    )
    genotype = block.genotype
    if genotype.shape[2] == 1:
        genotype = np.pad(genotype, ((0, 0), (0, 0), (0, 1)), constant_values=-2)
    f = genotype_filter
    fields = (block.gq, block.dp, block.het_alt_ad)
    has = sum(1 << bit for bit, field in enumerate(fields) if field is not None)
    wrong = _count(
        np.ascontiguousarray(genotype), *(_NO_FIELD if x is None else x for x in fields), has,
        row_offsets, PLOIDY[loci], sex, cell,
        f.min_gq, f.min_dp, f.min_dp_haploid, f.min_ab, f.half_calls_missing,
        counts.allele_count, counts.homozygotes, counts.hemizygotes, counts.allele_number,
    )  # fmt: skip
    if wrong >= 0:
        raise ValueError(f"a call of record {wrong} names an allele that the record does not have")
    return counts


@compiled(nb.b1, *(nb.i8,) * 4, nb.b1, nb.i8, nb.i8, nb.f8)
def _passes(gq, dp, ad, has, heterozygous, min_gq, min_dp, min_ab):  # type: ignore[no-untyped-def]
    """Apply the genotype filter to one call; `has` has a bit per field: GQ 1, DP 2, AD 4."""
    if has & 1 and min_gq > 0 and gq < min_gq:
        return False
    if has & 2 and min_dp > 0 and dp < min_dp:
        return False
    if has & 6 == 6 and heterozygous and min_ab > 0:
        return dp > 0 and ad >= min_ab * dp
    return True


_FIELD = nb.types.Array(nb.i2, 2, "C", readonly=True)
_I1_2D = nb.types.Array(nb.i1, 2, "C", readonly=True)
_I1 = nb.types.Array(nb.i1, 1, "C", readonly=True)
_TABLE = nb.i4[:, ::1]
_SIGNATURES = [
    nb.i8(
        nb.types.Array(allele, 3, "C", readonly=True), _FIELD, _FIELD, _FIELD, nb.i8,
        READ_I8, _I1_2D, _I1, READ_I4, nb.i8, nb.i8, nb.i8, nb.f8, nb.b1, _TABLE, _TABLE, _TABLE, _TABLE,
    )
    for allele in (nb.i1, nb.i2)
]  # fmt: skip


@nb.njit(_SIGNATURES, cache=True, nogil=True)
def _count(  # type: ignore[no-untyped-def]
    genotype, gq, dp, het_alt_ad, has,
    row_offsets, ploidy, sex, cell,
    min_gq, min_dp, min_dp_haploid, min_ab, half_calls_missing,
    allele_count, homozygotes, hemizygotes, allele_number,
):  # fmt: skip
    samples, cells = genotype.shape[1], allele_number.shape[1]
    people = np.zeros(cells, np.int32)
    for c in cell:
        if c >= 0:
            people[c] += 1
    others = np.empty(cells, np.int32)
    stride = 4 // genotype.itemsize  # samples in eight bytes
    for record in range(genotype.shape[0]):
        first_row = row_offsets[record]
        calls = genotype[record].reshape(2 * samples)
        # Most calls are 0/0, and most places are diploid in everybody. There these calls are passed
        # over, and only the others counted: the rest of the people are 0/0.
        simple = not has and ploidy[record].min() == 2
        others[:] = 0
        sample = -1
        while True:
            sample += 1
            if simple:
                while sample + stride <= samples and load8(calls, 2 * sample) == 0:
                    sample += stride
            if sample >= samples:
                break
            c = cell[sample]
            if c < 0:
                continue
            a, b = calls[2 * sample], calls[2 * sample + 1]
            if simple:
                if a == 0 and b == 0:
                    continue
                others[c] += 1
            if first_row + max(a, b) >= row_offsets[record + 1]:
                return record
            copies = ploidy[record, sex[sample]]
            if copies == 0 or (a < 0 and b < 0):
                continue
            both = a >= 0 and b >= 0
            haploid = copies == 1 or b == -2
            if both and haploid and a != b:
                continue  # a heterozygote where there is one copy: an error of the caller
            if has:
                passed = _passes(
                    gq[record, sample] if has & 1 else 0,
                    dp[record, sample] if has & 2 else 0,
                    het_alt_ad[record, sample] if has & 4 else 0,
                    has, both and a != b, min_gq, min_dp_haploid if haploid else min_dp, min_ab,
                )  # fmt: skip
                if not passed:
                    continue
            if haploid:
                row = first_row + max(a, b)
                allele_count[row, c] += 1
                hemizygotes[row, c] += 1
                allele_number[record, c] += 1
            elif both:
                allele_count[first_row + a, c] += 1
                allele_count[first_row + b, c] += 1
                if a == b:
                    homozygotes[first_row + a, c] += 1
                allele_number[record, c] += 2
            elif not half_calls_missing:
                allele_count[first_row + max(a, b), c] += 1
                allele_number[record, c] += 1
        if simple:
            hom_ref = people - others
            allele_count[first_row] += 2 * hom_ref
            homozygotes[first_row] += hom_ref
            allele_number[record] += 2 * hom_ref
    return -1
