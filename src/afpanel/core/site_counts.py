"""Counts of canonical variants from a record's own AC, AN, nhomalt and nhemialt, without genotypes.

Where a source's ALT is counted, its figures are the record's. Where the source's REF is the variant (the
two are swapped, or the reference is a new one), they follow from those of the ALTs, as far as they do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING


@dataclass(frozen=True)
class SiteCounts:
    """Figures of n alleles; all (n,) int32, -1 where missing.

    Parameters
    ----------
    allele_count, allele_number
        AC; AN of the record.
    homozygotes, hemizygotes
        People homozygous for the allele; haploid calls of it.
    """

    allele_count: NDArray[np.int32]
    allele_number: NDArray[np.int32]
    homozygotes: NDArray[np.int32]
    hemizygotes: NDArray[np.int32]


def of_ref(
    alts: SiteCounts, record: NDArray[np.integer], ploidy: NDArray[np.integer]
) -> SiteCounts:
    """Work out the figures of each record's REF from those of its ALTs.

    Copies of REF are those of no ALT: AC' = AN - sum(AC), if the record lists every allele that was
    called. People homozygous for REF follow where there is one ALT and everybody has two copies and both
    are called: het = AC - 2 nhomalt, and nhomref = (AN - AC - het) / 2.

    Parameters
    ----------
    alts
        Of every ALT, those of a record one after another.
    record
        (n,) the record of each.
    ploidy
        (n,) copies that everybody has at the record: 1 or 2, or 0 where people differ.

    Returns
    -------
    SiteCounts
        Of each record. What does not follow, or would be negative, is missing.
    """
    first = np.flatnonzero(np.diff(record, prepend=-1))
    n_alts = np.diff(np.append(first, len(record)))
    number, copies = alts.allele_number[first], ploidy[first]
    known = np.minimum.reduceat(alts.allele_count, first) >= 0 if len(first) else np.empty(0, bool)
    known &= number >= 0
    total = np.add.reduceat(alts.allele_count, first, dtype=np.int64) if len(first) else number
    count = number - total
    known &= count >= 0
    count = np.where(known, count, MISSING)
    homozygous = alts.homozygotes[first]
    het = total - 2 * homozygous
    twice = count - het
    derived = known & (n_alts == 1) & (copies == 2) & (homozygous >= 0)
    # An odd number tells of calls of which one allele is missing; then nothing can be said.
    derived &= (het >= 0) & (twice >= 0) & (twice % 2 == 0)
    haploid = known & (copies == 1)
    homozygotes = np.where(derived, twice // 2, np.where(haploid, 0, MISSING))
    hemizygotes = np.where(haploid, count, np.where(known & (copies == 2), 0, MISSING))
    columns = (count, number, homozygotes, hemizygotes)
    return SiteCounts(*(column.astype(np.int32) for column in columns))


def of_alleles(
    alts: SiteCounts,
    record: NDArray[np.integer],
    ploidy: NDArray[np.integer],
    wanted_record: NDArray[np.integer],
    index: NDArray[np.integer],
) -> SiteCounts:
    """Give the figures of the alleles that an allele map asks for.

    Parameters
    ----------
    alts, record, ploidy
        As for `of_ref`; every record that is asked for has an ALT.
    wanted_record, index
        (m,) the record of each variant, and which of its alleles is counted; 0 is REF.
    """
    first = np.flatnonzero(np.diff(record, prepend=-1))
    at = np.searchsorted(np.asarray(record)[first], wanted_record)
    is_ref = index == 0
    row = first[at] + np.where(is_ref, 0, np.asarray(index) - 1)
    refs = of_ref(alts, record, ploidy)
    names = ("allele_count", "allele_number", "homozygotes", "hemizygotes")
    return SiteCounts(
        *(np.where(is_ref, getattr(refs, n)[at], getattr(alts, n)[row]) for n in names)
    )
