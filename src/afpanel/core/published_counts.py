"""Counts that somebody published, as their file has them: by record and ALT, and by cell.

They are taken as they are given, so all that is certain of them is checked: nobody has more copies of an
allele than were called, nor more homozygotes than copies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, SEXES
from afpanel.core.callability import alone_in_person, copies_per_cell
from afpanel.core.ploidy import PLOIDY
from afpanel.core.site_counts import SiteCounts, of_alleles
from afpanel.errors import BadInputError
from afpanel.model.cohort import Cell


@dataclass(frozen=True)
class PublishedCounts:
    """What n records with m ALTs in all say of k cells; int32, -1 where missing.

    Parameters
    ----------
    n_alts
        (n,) int64: ALTs of each record; theirs follow one another in what has m rows.
    allele_count, homozygotes, hemizygotes
        (m, k): AC; people homozygous for the ALT; haploid calls of it.
    allele_number, haploid_number
        (n, k): AN; haploid calls of any allele.
    raw_allele_count, raw_allele_number
        (m,) and (n,): AC and AN of everybody before the filter of genotypes.
    """

    n_alts: NDArray[np.int64]
    allele_count: NDArray[np.int32]
    homozygotes: NDArray[np.int32]
    hemizygotes: NDArray[np.int32]
    allele_number: NDArray[np.int32]
    haploid_number: NDArray[np.int32]
    raw_allele_count: NDArray[np.int32]
    raw_allele_number: NDArray[np.int32]

    @property
    def record(self) -> NDArray[np.int64]:
        """(m,) int64: the record of each ALT."""
        return np.repeat(np.arange(len(self.n_alts)), self.n_alts)

    def take(self, records: NDArray[np.integer]) -> "PublishedCounts":
        """Copy some records, in their order."""
        n_alts = self.n_alts[records]
        first = (np.cumsum(self.n_alts) - self.n_alts)[records]
        within = np.arange(n_alts.sum()) - np.repeat(np.cumsum(n_alts) - n_alts, n_alts)
        alts = np.repeat(first, n_alts) + within
        rows = {name: alts if name in _OF_ALTS else records for name in _TABLES}
        return PublishedCounts(n_alts, **{n: getattr(self, n)[rows[n]] for n in _TABLES})


_TABLES = tuple(field.name for field in fields(PublishedCounts) if field.name != "n_alts")
_OF_ALTS = ("allele_count", "homozygotes", "hemizygotes", "raw_allele_count")


def check_published(
    counts: PublishedCounts, where: str, position: NDArray[np.integer], cells: Sequence[str]
) -> None:
    """Refuse counts that cannot be.

    Parameters
    ----------
    counts
        What is said of n records.
    where
        File and contig, for messages.
    position
        (n,) int: POS.
    cells
        What each cell is called.

    Raises
    ------
    BadInputError
        At the first record of the first thing that is wrong.
    """
    record = counts.record
    count, number = counts.allele_count, counts.allele_number
    known, is_told = np.maximum(count, 0), number >= 0
    total = np.zeros(number.shape, np.int64)
    np.add.at(total, record, known)
    homozygotes, hemizygotes = np.maximum(counts.homozygotes, 0), np.maximum(counts.hemizygotes, 0)
    raw_number = counts.raw_allele_number[record]
    faults: tuple[tuple[str, NDArray[np.bool_], NDArray[np.int64]], ...] = (
        ("AC without AN", (known > 0) & ~is_told[record], record),
        ("AC is greater than AN", is_told[record] & (known > number[record]), record),
        (
            "the ACs of a record add up to more than AN",
            is_told & (total > number),
            np.arange(len(number)),
        ),
        (
            "more alleles in homozygotes and haploid calls than copies",
            (count >= 0) & (2 * homozygotes.astype(np.int64) + hemizygotes > count),
            record,
        ),
        (
            "more haploid calls than called alleles",
            is_told & (counts.haploid_number > number),
            np.arange(len(number)),
        ),
        (
            "AC before the filter is greater than AN before it",
            ((raw_number >= 0) & (counts.raw_allele_count > raw_number))[:, None],
            record,
        ),
    )
    for what, wrong, record_of_row in faults:
        found = np.argwhere(wrong)
        if len(found):
            row, cell = found[0].tolist()
            at = int(record_of_row[row])
            raise BadInputError(
                what,
                where=f"{where}:{position[at]}, {cells[cell]}",
                found=_described(counts, at, cell),
                remedy="name the fields that hold AC, AN and nhomalt of this cell, or take the record"
                " out of the file",
            )


def _described(counts: PublishedCounts, record: int, cell: int) -> str:
    """Lay out what a record says of a cell."""
    alts = counts.record == record
    tables: dict[str, Any] = {
        "AC": counts.allele_count[alts, cell],
        "AN": counts.allele_number[[record], cell],
        "nhomalt": counts.homozygotes[alts, cell],
        "nhemialt": counts.hemizygotes[alts, cell],
        "raw AC": counts.raw_allele_count[alts],
        "raw AN": counts.raw_allele_number[[record]],
    }
    return ", ".join(
        f"{name} {','.join('.' if n < 0 else str(n) for n in values.tolist())}"
        for name, values in tables.items()
    )


@dataclass(frozen=True)
class CountedAlleles:
    """Counts of m variants in k cells, int32, -1 where missing.

    Parameters
    ----------
    allele_count, allele_number, homozygotes, hemizygotes
        (m, k).
    single_allele_count, single_allele_number
        (m, k): copies, and called alleles, that are the only called one of their person.
    raw_allele_count, raw_allele_number
        (m,).
    """

    allele_count: NDArray[np.int32]
    allele_number: NDArray[np.int32]
    homozygotes: NDArray[np.int32]
    hemizygotes: NDArray[np.int32]
    single_allele_count: NDArray[np.int32]
    single_allele_number: NDArray[np.int32]
    raw_allele_count: NDArray[np.int32]
    raw_allele_number: NDArray[np.int32]


def count_published(
    counts: PublishedCounts,
    loci: NDArray[np.int8],
    cells: Sequence[Cell],
    record: NDArray[np.integer],
    index: NDArray[np.integer],
) -> CountedAlleles:
    """Give the figures of variants, of which some are the REF of their record.

    Haploid and diploid calls of a cell are told apart by the copies that its people have, or, where some
    have one and some two, by its number of haploid calls, if that is given. Of either kind the figures of
    a REF follow from those of the ALTs (`site_counts`); of both together AC alone does.

    Parameters
    ----------
    counts
        Of n records. Cells without a copy at a place are not counted there, whatever is given.
    loci
        (n,) int8, `ploidy.Loci` of each record.
    cells
        The k cells.
    record, index
        (m,) int: the record of each variant, and which of its alleles it is; 0 is REF.
    """
    shape = (len(record), len(cells))
    names = [field.name for field in fields(CountedAlleles)]
    result = {name: np.empty(shape, np.int32) for name in names if not name.startswith("raw")}
    copies = copies_per_cell(loci, cells)
    uniform = _copies_of_everybody(loci, cells)
    number = np.where(copies > 0, np.maximum(counts.allele_number, 0), 0).astype(np.int32)
    alone = alone_in_person(number, loci, cells)
    of_alt = counts.record
    for c in range(len(cells)):
        kind = uniform[:, c]
        given = counts.haploid_number[:, c]
        alts = _of_cell(counts, c, copies[:, c], kind)
        # Of how many calls there is nothing to be told where some people have one copy, some two.
        none = (kind == 2) | (number[:, c] == 0)
        haploid = np.where(none, 0, np.where(kind == 1, number[:, c], given))
        told = haploid[of_alt] >= 0
        told &= alts.hemizygotes >= 0
        whole = np.bincount(of_alt[~told], minlength=len(number)) == 0
        told = whole[of_alt]
        nothing = np.zeros(len(of_alt), np.int32)
        one = np.where(told, alts.hemizygotes, 0)
        ones = np.where(told, haploid[of_alt], 0)
        count = np.where(alts.allele_count < 0, MISSING, alts.allele_count - one)
        parts = (
            SiteCounts(
                count, number[:, c][of_alt] - ones, alts.homozygotes, np.where(told, 0, MISSING)
            ),
            SiteCounts(np.where(alts.allele_count < 0, MISSING, one), ones, nothing, one),
        )
        diploid, single = (
            of_alleles(each, of_alt, np.where(whole, ploidy, 0)[of_alt], record, index)
            for each, ploidy in zip(parts, (2, 1), strict=True)
        )
        mixed = ~whole[record]
        no_count = (diploid.allele_count < 0) | (single.allele_count < 0)
        result["allele_count"][:, c] = np.where(
            no_count, MISSING, diploid.allele_count + np.where(mixed, 0, single.allele_count)
        )
        result["allele_number"][:, c] = number[record, c]
        result["homozygotes"][:, c] = diploid.homozygotes
        unknown = no_count | mixed
        result["hemizygotes"][:, c] = np.where(unknown, MISSING, single.hemizygotes)
        result["single_allele_count"][:, c] = np.where(unknown, MISSING, single.allele_count)
        is_given = (given >= 0) & (kind == 0) & (number[:, c] > 0)
        result["single_allele_number"][:, c] = np.where(is_given, given, alone[:, c])[record]
    return CountedAlleles(**result, **_raw(counts, number, result["allele_count"], record, index))


def _of_cell(
    counts: PublishedCounts, c: int, copies: NDArray[np.int32], kind: NDArray[np.int8]
) -> SiteCounts:
    """Take what is said of one cell's ALTs, with what the number of copies alone says of them."""
    of_alt = counts.record
    number = np.maximum(counts.allele_number[:, c], 0)[of_alt]
    here = copies[of_alt] > 0
    # Where nobody was called, nobody has a copy.
    count = np.where(here & (number > 0), counts.allele_count[:, c], 0)
    homozygotes = np.where(count == 0, 0, counts.homozygotes[:, c])
    hemizygotes = np.where(count == 0, 0, counts.hemizygotes[:, c])
    of_kind = kind[of_alt]
    homozygotes = np.where(of_kind == 1, 0, homozygotes)
    hemizygotes = np.where(of_kind == 1, count, np.where(of_kind == 2, 0, hemizygotes))
    columns = (count, np.where(here, number, 0), homozygotes, hemizygotes)
    return SiteCounts(*(column.astype(np.int32) for column in columns))


def _copies_of_everybody(loci: NDArray[np.int8], cells: Sequence[Cell]) -> NDArray[np.int8]:
    """Tell how many copies everybody of a cell has who has any; 0 where people differ; (n, cells)."""
    result = np.zeros((len(PLOIDY), len(cells)), np.int8)
    for c, cell in enumerate(cells):
        some = [at for at in range(len(SEXES)) if cell.people_by_sex[at]]
        for kind, of_sex in enumerate(PLOIDY[:, some]):
            distinct = np.unique(of_sex[of_sex > 0])
            result[kind, c] = distinct[0] if len(distinct) == 1 else 0
    return result[loci]


def _raw(
    counts: PublishedCounts,
    number: NDArray[np.int32],
    allele_count: NDArray[np.int32],
    record: NDArray[np.integer],
    index: NDArray[np.integer],
) -> dict[str, NDArray[np.int32]]:
    """Give AC and AN before the filter: those that are told, or else those of all cells together."""
    alts = SiteCounts(
        counts.raw_allele_count,
        counts.raw_allele_number[counts.record],
        np.full(len(counts.raw_allele_count), MISSING, np.int32),
        np.full(len(counts.raw_allele_count), MISSING, np.int32),
    )
    unknown = np.zeros(len(counts.record), np.int8)
    told = of_alleles(alts, counts.record, unknown, record, index)
    is_told = counts.raw_allele_number[record] >= 0
    summed = np.where((allele_count < 0).any(axis=1), MISSING, allele_count.sum(axis=1))
    return {
        "raw_allele_count": np.where(is_told, told.allele_count, summed).astype(np.int32),
        "raw_allele_number": np.where(
            is_told, counts.raw_allele_number[record], number.sum(axis=1)[record]
        ).astype(np.int32),
    }
