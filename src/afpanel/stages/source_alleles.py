"""The source alleles of a genotype store: what becomes of each, on the reference."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Outcome
from afpanel.core.alleles import Normalized, normalize
from afpanel.core.refcheck import EXAMPLES
from afpanel.core.strand import Resolved, Snvs, SnvTally, Verdict, resolve, single_bases
from afpanel.core.strand import tally as tally_of
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants, concatenate, first_of_each, sort_keys
from afpanel.io.store import Store
from afpanel.stages.ingest import GENOTYPES, GENOTYPES_VERSION


@dataclass(frozen=True)
class SourceAlleles:
    """Source alleles of one store, and what became of them.

    Parameters
    ----------
    record, index
        (n,) int32: the record of each in the store, and which of its alleles is counted; 0 is REF.
    outcome, flags
        (n,) uint8: `Outcome` and `Flag`s.
    variants
        Canonical forms; of a rejected allele the source's.
    mismatched
        (n,) bool: whether REF, as it was written, differs from the reference, in a record that is used.
    source_position, source_ref
        POS and REF as they were written.
    """

    record: NDArray[np.int32]
    index: NDArray[np.int32]
    outcome: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    variants: Variants
    mismatched: NDArray[np.bool_]
    source_position: NDArray[np.int32]
    source_ref: Strings


def normalize_store(
    path: Path,
    sequence: NDArray[np.uint8],
    filters: tuple[str, ...],
    resolving: Collection[str],
    verdict: Verdict,
) -> tuple[SourceAlleles, SnvTally]:
    """Normalize every source allele of one store; also tell what its single bases look like.

    Parameters
    ----------
    path
        Genotype store.
    sequence
        (bases,) uint8: the store's contig on the reference.
    filters
        FILTER values whose records are used; empty is all.
    resolving
        What to resolve: ``swap``, ``strand``.
    verdict
        What is known of the cohort's strand.
    """
    with Store(path, GENOTYPES, GENOTYPES_VERSION) as store:
        position = store.read("variant_position")
        alleles = store.read("variant_allele")
        used = _passing(store.read("variant_filter"), store.texts("filter_id"), filters)
    rows, column = np.nonzero(alleles[:, 1:] != "")
    ref, alt = Strings.of(alleles[rows, 0]), Strings.of(alleles[rows, column + 1])
    record, position, used = rows.astype(np.int32), position[rows], used[rows]
    normal = normalize(position, ref, alt, sequence)
    outcome, flags, index = normal.outcome, normal.flags, (column + 1).astype(np.int32)
    judged = np.isin(outcome, _JUDGED)
    mismatched = (outcome == Outcome.REF_MISMATCH) & used
    snvs = single_bases(record, ref.only, alt.only, _reference_bases(position, sequence))
    resolution = resolve(
        snvs, index[snvs.rows], verdict,
        swap="swap" in resolving, strand="strand" in resolving,
    )  # fmt: skip
    _overwrite(normal, snvs, resolution)
    index[snvs.rows] = resolution.index
    outcome[judged & ~used] = Outcome.FILTERED
    part = SourceAlleles(
        record=record,
        index=index,
        outcome=outcome,
        flags=flags,
        variants=Variants(normal.position, normal.ref, normal.alt),
        mismatched=mismatched,
        source_position=position,
        source_ref=ref,
    )
    return part, tally_of(snvs, used[snvs.rows])


_JUDGED = (Outcome.KEPT, Outcome.REF_MISMATCH, Outcome.NOT_A_VARIANT)
"""Outcomes that a record's FILTER comes before."""


def _reference_bases(position: NDArray[np.int32], sequence: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Find the reference base at each position; 0 outside the contig."""
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


def _passing(
    is_set: NDArray[np.bool_], filter_id: list[str], filters: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Tell which records are used: those with no FILTER but the ones listed; (records,) bool."""
    if not filters:
        return np.ones(len(is_set), np.bool_)
    listed = np.isin(filter_id[: is_set.shape[1]], filters)
    used: NDArray[np.bool_] = np.logical_not(np.any(is_set[:, ~listed], axis=1))
    return used if "." in filters else used & np.any(is_set, axis=1)


def reject_duplicates(parts: list[SourceAlleles]) -> None:
    """Of source alleles with one canonical form, keep the first, and reject the others by reason."""
    kept = [part.outcome == Outcome.KEPT for part in parts]
    variants = [part.variants.take(np.flatnonzero(k)) for part, k in zip(parts, kept, strict=True)]
    first = first_of_each(sort_keys(concatenate(variants)))
    bounds = np.cumsum([len(v) for v in variants])[:-1]
    for part, k, is_first in zip(parts, kept, np.split(first, bounds), strict=True):
        part.outcome[np.flatnonzero(k)[~is_first]] = Outcome.DUPLICATE


class RefCheck:
    """Counts the records of a cohort whose REF differs from the reference."""

    def __init__(self) -> None:
        self.checked = 0
        self.mismatched = 0
        self.examples: list[str] = []
        self.fits_before = 0
        self.fits_after = 0

    def look_at(self, part: SourceAlleles, contig: str, sequence: NDArray[np.uint8]) -> None:
        """Take in the alleles of one store."""
        wrong = part.mismatched
        judged = wrong | np.isin(part.outcome, (Outcome.KEPT, Outcome.AMBIGUOUS_STRAND))
        self.checked += len(np.unique(part.record[judged]))
        single = part.source_ref.lengths == 1
        base, position = part.source_ref.only[single], part.source_position[single]
        before, after = (_reference_bases(position + step, sequence) for step in (-1, 1))
        self.fits_before += int(np.count_nonzero(before == base))
        self.fits_after += int(np.count_nonzero(after == base))
        records, first = np.unique(part.record[wrong], return_index=True)
        self.mismatched += len(records)
        room = EXAMPLES - len(self.examples)
        for row in np.flatnonzero(wrong)[first][: max(0, room)]:
            ref = part.source_ref.take(np.array([row])).objects()[0]
            position = int(part.source_position[row])
            start = max(0, position - 1)
            there = sequence[start : start + len(ref)].tobytes().decode()
            self.examples.append(
                f"{contig}:{position} REF {ref[:EXAMPLES]},"
                f" reference {there[:EXAMPLES] or 'has ended'}"
            )
