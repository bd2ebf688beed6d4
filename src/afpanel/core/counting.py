"""Counting called alleles, homozygotes and hemizygotes per cell, in one pass over genotypes.

The semantics of every kind of call are those of `docs/definitions.md`. A call gives alleles only if
the person has a copy of the locus (`core.ploidy`) and the call passes the genotype filter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.core.calls import CallBlock
from afpanel.core.count_kernel import PEOPLE_IN_WORD, count_calls
from afpanel.core.ploidy import PLOIDY

THRESHOLDS = {
    "min_gq": ("GQ",),
    "min_dp": ("DP",),
    "min_dp_haploid": ("DP",),
    "min_ab": ("DP", "AD"),
}
"""The thresholds of the genotype filter, and the FORMAT fields that each looks at."""


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

    @classmethod
    def of(cls, genotypes: Mapping[str, Any]) -> "GenotypeFilter":
        """Take the thresholds from the section `genotypes` of a configuration."""
        thresholds: dict[str, Any] = {key: genotypes[key] for key in THRESHOLDS}
        return cls(**thresholds, half_calls_missing=genotypes["half_calls"] == "missing")

    @property
    def fields(self) -> tuple[str, ...]:
        """FORMAT fields that the thresholds in force look at."""
        used = {
            name for key, names in THRESHOLDS.items() if getattr(self, key) > 0 for name in names
        }
        return tuple(name for name in ("GQ", "DP", "AD") if name in used)

    def not_applied(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Tell which thresholds do not apply to a cohort, for want of a field, and to how much of it.

        Parameters
        ----------
        fields
            FORMAT fields that the cohort's files have: in ``all`` or in ``some``.

        >>> GenotypeFilter(min_gq=20, min_ab=0.2).not_applied({"GQ": "some", "DP": "all"})
        {'min_gq': 'some files lack GQ', 'min_ab': 'all files lack AD'}
        """
        lacking = {}
        for key, names in THRESHOLDS.items():
            nowhere = [name for name in names if name not in fields]
            in_part = [name for name in names if fields.get(name) == "some"]
            if getattr(self, key) > 0 and (nowhere or in_part):
                which = "all" if nowhere else "some"
                lacking[key] = f"{which} files lack {' and '.join(nowhere or in_part)}"
        return lacking


@dataclass(frozen=True)
class Counts:
    """Counts of a block, per cell.

    Parameters
    ----------
    allele_count, homozygotes, hemizygotes, single_allele_count
        (rows, cells) int32; record r has a row for each of its alleles, REF first, from
        ``row_offsets[r]``. The last are copies that are the only called allele of their person.
    allele_number, single_allele_number
        (records, cells) int32: all called alleles, of whatever kind, and those that are the only one.
    raw_allele_count, raw_allele_number
        The same as `allele_count` and `allele_number`, before the genotype filter.
    """

    allele_count: NDArray[np.int32]
    homozygotes: NDArray[np.int32]
    hemizygotes: NDArray[np.int32]
    single_allele_count: NDArray[np.int32]
    allele_number: NDArray[np.int32]
    single_allele_number: NDArray[np.int32]
    raw_allele_count: NDArray[np.int32]
    raw_allele_number: NDArray[np.int32]


CellWords = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint64]]
"""Who of each word of samples is in which cell; see `cell_words`."""

_NO_FIELD = np.empty((0, 0), np.int16)


def count_block(
    block: CallBlock,
    row_offsets: NDArray[np.int64],
    loci: NDArray[np.int8],
    sex: NDArray[np.int8],
    cell: NDArray[np.int32],
    n_cells: int,
    genotype_filter: GenotypeFilter,
    words: CellWords | None = None,
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
        (m,) int8, index into `constants.SEXES`.
    cell
        (m,) int32, cell of each sample; -1 is not counted.
    n_cells
        Number of cells.
    genotype_filter
        What a call must reach.
    words
        What `cell_words` makes of `cell`, for who counts many blocks; None makes it.

    Raises
    ------
    ValueError
        If a call names an allele that its record does not have, which readers do not let through.
    """
    rows, records = int(row_offsets[-1]), len(loci)
    of_alleles = np.zeros((5, rows, n_cells), np.int32)
    of_records = np.zeros((2, records, n_cells), np.int32)
    allele_count, homozygotes, hemizygotes, half_calls, failed_count = of_alleles
    allele_number, failed_number = of_records
    genotype = block.genotype
    if genotype.shape[2] == 1:
        genotype = np.pad(genotype, ((0, 0), (0, 0), (0, 1)), constant_values=-2)
    f = genotype_filter
    fields = (block.gq, block.dp, block.het_alt_ad)
    has = sum(1 << bit for bit, field in enumerate(fields) if field is not None)
    wrong = count_calls(
        np.ascontiguousarray(genotype),
        *(_NO_FIELD if x is None else np.ascontiguousarray(x) for x in fields),
        has, row_offsets, PLOIDY[loci], sex, cell, *(cell_words(cell, n_cells) if words is None else words),
        f.min_gq, f.min_dp, f.min_dp_haploid, f.min_ab, f.half_calls_missing,
        allele_count, homozygotes, hemizygotes, half_calls, allele_number,
        failed_count, failed_number,
        np.empty((4, n_cells), np.int64),
    )  # fmt: skip
    if wrong >= 0:
        raise ValueError(f"a call of record {wrong} names an allele that the record does not have")
    starts = row_offsets[:-1]
    single = hemizygotes + half_calls
    singles = np.add.reduceat(single, starts, axis=0, dtype=np.int32) if records else allele_number
    return Counts(
        allele_count,
        homozygotes,
        hemizygotes,
        single,
        allele_number,
        singles,
        failed_count + allele_count,
        failed_number + allele_number,
    )


def cell_words(cell: NDArray[np.int32], n_cells: int) -> CellWords:
    """Lay out who of each word of samples is in which cell, as `count_kernel.count_calls` takes it."""
    words = len(cell) // PEOPLE_IN_WORD
    counted = np.flatnonzero(cell[: words * PEOPLE_IN_WORD] >= 0)
    word, place = np.divmod(counted, PEOPLE_IN_WORD)
    pair = word * n_cells + cell[counted]
    order = np.argsort(pair, kind="stable")
    pairs, starts = np.unique(pair[order], return_index=True)
    bits = np.left_shift(np.uint64(1), (2 * place[order]).astype(np.uint64))
    masks = np.bitwise_or.reduceat(bits, starts) if len(starts) else bits
    offsets = np.searchsorted(pairs, np.arange(words + 1) * n_cells)
    return offsets.astype(np.int64), (pairs % n_cells).astype(np.int32), masks
