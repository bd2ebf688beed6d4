"""The source alleles of a genotype store: what becomes of each, on a reference."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, REFUSED_EVIDENCE, Outcome
from afpanel.core.alleles import Normalized, normalize, upper
from afpanel.core.intervals import Intervals
from afpanel.core.strand import Resolved, Snvs, SnvTally, Verdict, resolve, single_bases
from afpanel.core.strand import tally as tally_of
from afpanel.core.strings import Strings, joined
from afpanel.core.variants import Variants
from afpanel.io.store import Store
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION


@dataclass(frozen=True)
class Spans:
    """Spans of the panel's contigs.

    Parameters
    ----------
    contig
        (n,) int32: number of the contig.
    start, end
        (n,) int64, 0-based and half-open.
    """

    contig: NDArray[np.int32]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


@dataclass(frozen=True)
class SourceSites:
    """Source alleles as a store has them, one for each ALT, those of a record one after another.

    Parameters
    ----------
    record, column
        (n,) int32: the record of each in the store, and its number there, from 1.
    position
        (n,) int32: POS.
    ref, alt
        Alleles as they were written.
    used
        (n,) bool: whether the record's FILTER is accepted.
    """

    record: NDArray[np.int32]
    column: NDArray[np.int32]
    position: NDArray[np.int32]
    ref: Strings
    alt: Strings
    used: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> "SourceSites":
        """Copy some rows, in their order."""
        return SourceSites(
            self.record[rows],
            self.column[rows],
            self.position[rows],
            self.ref.take(rows),
            self.alt.take(rows),
            self.used[rows],
        )


@dataclass(frozen=True)
class SourceAlleles:
    """Source alleles of one store, and what became of them.

    Parameters
    ----------
    sites
        The alleles as they were written; of a row that is a new reference allele's, the record's last.
    index
        (n,) int32: which of the record's alleles is counted; 0 is REF.
    ref_index
        (n,) int32: which of them is the reference's.
    outcome, flags
        (n,) uint8: `Outcome` and `Flag`s.
    contig
        (n,) int32: number of the panel's contig; -1 where rejected.
    variants
        Canonical forms; of a rejected allele the source's.
    mismatched
        (n,) bool: whether REF, as it was written, differs from the reference, in a record that is used.
    locus
        (n,) int64: of alleles that were lifted, contig and position on their own build; else 0.
    """

    sites: SourceSites
    index: NDArray[np.int32]
    ref_index: NDArray[np.int32]
    outcome: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    contig: NDArray[np.int32]
    variants: Variants
    mismatched: NDArray[np.bool_]
    locus: NDArray[np.int64]

    @classmethod
    def none(cls) -> "SourceAlleles":
        """Make a table without rows."""
        n, byte, no = np.empty(0, np.int32), np.empty(0, np.uint8), np.empty(0, np.bool_)
        text = Strings.of([])
        sites = SourceSites(n, n, n, text, text, no)
        nowhere = np.empty(0, np.int64)
        return cls(sites, n, n, byte, byte, n, Variants(n, text, text), no, nowhere)


def read_sites(path: Path, filters: tuple[str, ...]) -> SourceSites:
    """Read the source alleles of a genotype store.

    Parameters
    ----------
    path
        Genotype store.
    filters
        FILTER values whose records are used; empty is all.
    """
    with Store(path, GENOTYPES, GENOTYPES_VERSION) as store:
        position = store.read("variant_position")
        used = passing(store.read("variant_filter"), store.texts("filter_id"), filters)
        records, columns, alts, refs = [], [], [], Strings.empty(0)
        for first, width, cells in store.columns_of_strings("variant_allele"):
            is_alt = cells.lengths > 0
            if first == 0:
                is_alt[::width] = False
                refs = cells.take(np.arange(0, len(cells), width))
            at = np.flatnonzero(is_alt)
            record, column = np.divmod(at, width)
            records.append(record)
            columns.append(first + column)
            alts.append(cells.take(at))
    record, column, alt = np.concatenate(records), np.concatenate(columns), joined(alts)
    if len(alts) > 1:  # a table with many columns comes in parts
        order = np.lexsort((column, record))
        record, column, alt = record[order], column[order], alt.take(order)
    return SourceSites(
        record.astype(np.int32),
        column.astype(np.int32),
        position[record],
        refs.take(record),
        alt,
        used[record],
    )


def judge(
    sites: SourceSites,
    sequence: NDArray[np.uint8],
    contig: int,
    resolving: Collection[str],
    verdict: Verdict,
) -> tuple[SourceAlleles, SnvTally]:
    """Hold source alleles against a reference; also tell what their single bases look like.

    Parameters
    ----------
    sites
        Source alleles of one contig.
    sequence
        (bases,) uint8: that contig of the reference.
    contig
        Its number.
    resolving
        What to resolve: ``swap``, ``strand``.
    verdict
        What is known of the cohort's strand.
    """
    normal = normalize(sites.position, sites.ref, sites.alt, sequence)
    outcome, index = normal.outcome, sites.column.copy()
    judged = np.isin(outcome, _JUDGED)
    mismatched = (outcome == Outcome.REF_MISMATCH) & sites.used
    bases = reference_bases(sites.position, sequence)
    snvs = single_bases(sites.record, sites.ref.only, sites.alt.only, bases)
    resolution = resolve(
        snvs, index[snvs.rows], verdict,
        swap="swap" in resolving, strand="strand" in resolving,
    )  # fmt: skip
    _overwrite(normal, snvs, resolution)
    index[snvs.rows] = resolution.index
    ref_index = np.zeros(len(index), np.int32)
    ref_index[snvs.rows] = resolution.ref_index
    outcome[judged & ~sites.used] = Outcome.FILTERED
    part = SourceAlleles(
        sites=sites,
        index=index,
        ref_index=ref_index,
        outcome=outcome,
        flags=normal.flags,
        contig=np.where(outcome == Outcome.KEPT, contig, MISSING).astype(np.int32),
        variants=Variants(normal.position, normal.ref, normal.alt),
        mismatched=mismatched,
        locus=np.broadcast_to(np.int64(0), len(outcome)),
    )
    reject_unlisted(part, Outcome.REF_MISMATCH)
    return part, tally_of(snvs, sites.used[snvs.rows])


_JUDGED = (Outcome.KEPT, Outcome.REF_MISMATCH, Outcome.NOT_A_VARIANT)
"""Outcomes that a record's FILTER comes before."""


def reject_unlisted(part: SourceAlleles, reason: Outcome) -> None:
    """Reject a source's REF as a variant where its record does not list every ALT of the site.

    Where a file gives each ALT of a site a line of its own, who carries another line's ALT has REF, or
    nothing, in this one: nobody knows how many have REF.
    """
    rows = np.flatnonzero((part.index == 0) & (part.outcome == Outcome.KEPT))
    if not len(rows):
        return
    sites = part.sites
    near = np.flatnonzero(np.isin(sites.position, sites.position[rows]))
    ref, alt = (_numbered(text.take(near)) for text in (sites.ref, sites.alt))
    _, site = np.unique(np.column_stack([sites.position[near], ref]), axis=0, return_inverse=True)
    record = sites.record[near]
    of_site = np.unique(np.column_stack([site, alt]), axis=0)[:, 0]
    of_record = np.unique(np.column_stack([record, alt]), axis=0)[:, 0]
    n_site, n_record = np.bincount(of_site), np.bincount(of_record)
    unlisted = near[n_record[record] < n_site[site]]
    chosen = rows[np.isin(rows, unlisted)]
    part.outcome[chosen] = reason
    part.contig[chosen] = MISSING


def _numbered(text: Strings) -> NDArray[np.int64]:
    """Give equal strings, whatever their case, equal numbers; (n,) int64."""
    numbers = upper(text).arrow().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return np.asarray(numbers, np.int64)


def refused_intervals(part: SourceAlleles) -> Intervals:
    """Find where a store has records that were refused, on the build that they are written on.

    There the cohort's silence about other variants says nothing: nobody looked in a way that can be
    used.
    """
    rows = np.isin(part.outcome, REFUSED_EVIDENCE)
    start = part.sites.position[rows].astype(np.int64) - 1
    return Intervals.of(start, start + part.sites.ref.lengths[rows])


def refused_spans(part: SourceAlleles, contig: int) -> Spans:
    """Find the same for a store of a contig of the panel, of that number."""
    found = refused_intervals(part)
    return Spans(np.full(len(found.start), contig, np.int32), found.start, found.end)


def reference_bases(
    position: NDArray[np.integer], sequence: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Find the reference base at each position, 1-based; 0 outside the contig."""
    start = position.astype(np.int64) - 1
    inside = (start >= 0) & (start < len(sequence))
    base = np.zeros(len(start), np.uint8)
    base[inside] = sequence[start[inside]]
    return base


def _overwrite(normal: Normalized, snvs: Snvs, resolution: Resolved) -> None:
    """Put the alleles of single bases the right way round; each stays one base long."""
    normal.outcome[snvs.rows] = resolution.outcome
    normal.flags[snvs.rows] = resolution.flags
    kept = resolution.outcome == Outcome.KEPT
    rows = snvs.rows[kept]
    normal.ref.data[normal.ref.offsets[rows]] = snvs.base[kept]
    normal.alt.data[normal.alt.offsets[rows]] = resolution.alt[kept]


def passing(
    is_set: NDArray[np.bool_], filter_id: list[str], filters: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Tell which records are used: those with no FILTER but the ones listed; (records,) bool."""
    if not filters:
        return np.ones(len(is_set), np.bool_)
    listed = np.isin(filter_id[: is_set.shape[1]], filters)
    used: NDArray[np.bool_] = np.logical_not(np.any(is_set[:, ~listed], axis=1))
    return used if "." in filters else used & np.any(is_set, axis=1)
