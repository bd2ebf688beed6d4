"""Alleles on another build: the same haplotypes, against the bases that the other reference has.

A record is lifted before it is split, all its alleles together: which of them is the reference may
change, and then the one that was becomes a variant. An insertion or deletion can stand anywhere in its
repeat, so what counts is the repeat with a base on either side, and whether the two builds differ there.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from afpanel.constants import Flag, Outcome
from afpanel.core.alleles import normalize, room_to_the_left, trimmed
from afpanel.core.compiled import I8, READ_I4, READ_I8, READ_U1, U1, compiled
from afpanel.core.liftover import Places
from afpanel.core.strand import COMPLEMENT, numbered
from afpanel.core.strings import Strings, choose, gather
from afpanel.core.variants import Variants


@dataclass(frozen=True)
class LiftSites:
    """Source alleles that agree with the source's reference; those of a record follow one another.

    Parameters
    ----------
    record
        (n,) int64: number of the record of each, from 0 without gaps.
    written
        The n alleles as they were written, in upper case; REF is the reference's sequence.
    index
        (n,) int32: number of the source allele whose copies are ALT's; 0 is the source's REF.
    ref_index
        (n,) int32: number of the source allele that is REF.
    """

    record: NDArray[np.int64]
    written: Variants
    index: NDArray[np.int32]
    ref_index: NDArray[np.int32]

    def take(self, rows: NDArray[np.int64]) -> "LiftSites":
        """Copy some rows, of whole records, in their order."""
        return LiftSites(
            numbered(self.record[rows]),
            self.written.take(rows),
            self.index[rows],
            self.ref_index[rows],
        )

    def in_record(self, true_of_row: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell of each row whether something is true of any row of its record; (n,) bool."""
        n = int(self.record[-1]) + 1 if len(self.record) else 0
        return (np.bincount(self.record, true_of_row, n) > 0)[self.record]


@compiled(nb.void(READ_I4, READ_I8, READ_U1, READ_I8, READ_U1, READ_U1, I8, I8))
def _reach(  # type: ignore[no-untyped-def]
    position, ref_at, ref_data, alt_at, alt_data, reference, wide_start, wide_end
):
    """Find over which bases each allele could stand, and for indels one more on either side."""
    for i in range(len(position)):
        ref = ref_data[ref_at[i] : ref_at[i + 1]]
        alt = alt_data[alt_at[i] : alt_at[i + 1]]
        start = np.int64(position[i]) - 1
        first, n_ref, n_alt = trimmed(ref, alt)
        wide_start[i], wide_end[i] = start, start + len(ref)
        if n_ref > first and n_alt > first:
            continue
        ring = alt[first:n_alt] if n_ref == first else ref[first:n_ref]
        size = len(ring)
        if not size:
            continue
        left, right = start + first, start + n_ref
        left -= room_to_the_left(left, ring, reference)
        turned = 0
        while right < len(reference) and reference[right] == ring[turned % size]:
            right += 1
            turned += 1
        wide_start[i] = min(wide_start[i], max(left - 1, 0))
        wide_end[i] = max(wide_end[i], min(right + 1, len(reference)))


def reach(
    written: Variants, record: NDArray[np.int64], reference: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the span that the alleles of each record could be moved over: (n,) int64 starts and ends.

    Parameters
    ----------
    written
        n alleles, in upper case.
    record
        (n,) int64: number of the record of each, from 0 without gaps.
    reference
        (bases,) uint8: their contig.
    """
    n = len(written)
    start, end = np.empty(n, np.int64), np.empty(n, np.int64)
    ref, alt = written.ref, written.alt
    _reach(written.position, ref.offsets, ref.data, alt.offsets, alt.data, reference, start, end)
    if not n:
        return start, end
    first = np.flatnonzero(np.diff(record, prepend=-1))
    start, end = np.minimum.reduceat(start, first), np.maximum.reduceat(end, first)
    return start[record], end[record]


@compiled(nb.void(READ_I8, nb.types.Array(nb.b1, 1, "C", readonly=True), U1))
def _turn(offsets, reverse, data):  # type: ignore[no-untyped-def]
    """Put the reverse complement of some strings in their place."""
    for i in range(len(reverse)):
        if not reverse[i]:
            continue
        low, high = offsets[i], offsets[i + 1] - 1
        while low < high:
            data[low], data[high] = COMPLEMENT[data[high]], COMPLEMENT[data[low]]
            low += 1
            high -= 1
        if low == high:
            data[low] = COMPLEMENT[data[low]]


@dataclass(frozen=True)
class LiftedAlleles:
    """What became of alleles that were lifted to one contig.

    Parameters
    ----------
    row
        (n,) int64: the row of the sites that each comes from. A row more than once is a new reference
        allele's: where none of a record's alleles is what the panel's reference has, the one that was
        REF becomes a variant too, in the record's last row.
    is_ref
        (n,) bool: whether it is such a REF.
    outcome, flags
        (n,) uint8: `Outcome` and `Flag`s.
    index
        (n,) int32: number of the source allele whose copies are ALT's.
    position, ref, alt
        Canonical forms.
    differs
        (n,) bool: whether the panel's reference has something else than the source's.
    """

    row: NDArray[np.int64]
    is_ref: NDArray[np.bool_]
    outcome: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    index: NDArray[np.int32]
    position: NDArray[np.int32]
    ref: Strings
    alt: Strings
    differs: NDArray[np.bool_]


def lift_alleles(
    sites: LiftSites, places: Places, source: NDArray[np.uint8], panel: NDArray[np.uint8]
) -> LiftedAlleles:
    """Write alleles against the reference of the panel's build, and bring them to canonical form.

    Parameters
    ----------
    sites
        Alleles of one contig of the source.
    places
        Their spans on one contig of the panel's build, as `liftover.place` gives them for `reach`.
    source, panel
        (bases,) uint8: the two contigs.
    """
    position = (places.start + 1).astype(np.int32)
    base = _bases(panel, places)
    written = sites.written
    ref, alt = (_carried(x, written, places, source) for x in (written.ref, written.alt))
    same = _equal(ref, base)
    alt_is_base = _equal(alt, base)
    some_alt_is_base = sites.in_record(alt_is_base)
    single = ~sites.in_record((written.ref.lengths != 1) | (written.alt.lengths != 1))
    is_new = ~same & ~some_alt_is_base
    is_new &= single | _is_simple_indel(position, base, ref, panel, is_new)
    known = base.lengths > 0
    kept = known & (same | some_alt_is_base | is_new)
    last = np.append(np.diff(sites.record) != 0, True)[: len(same)]
    further = np.flatnonzero(is_new & known & last)
    row = np.concatenate([np.arange(len(same)), further])
    is_ref = np.arange(len(row)) >= len(same)
    # An ALT that is the reference now gives its place to the REF of before.
    takes_ref = alt_is_base[row] | is_ref
    alleles = choose(takes_ref, ref.take(row), alt.take(row))
    normal = normalize(position[row], base.take(row), alleles, panel)
    outcome = np.where(kept[row], normal.outcome, Outcome.LIFT_REF_MISMATCH)
    outcome[kept[row] & (normal.outcome == Outcome.IUPAC)] = Outcome.LIFT_REF_MISMATCH
    # Bases around a wide span were added here, and are not for the source to answer for.
    flags = np.where(places.wide[row], Flag.AS_IS, normal.flags) | Flag.LIFTED
    flags[some_alt_is_base[row]] |= Flag.SWAPPED
    flags[is_ref] |= Flag.NEW_REFERENCE
    return LiftedAlleles(
        row,
        is_ref,
        outcome.astype(np.uint8),
        flags.astype(np.uint8),
        np.where(takes_ref, sites.ref_index[row], sites.index[row]).astype(np.int32),
        normal.position,
        normal.ref,
        normal.alt,
        ~same[row],
    )


def _bases(panel: NDArray[np.uint8], places: Places) -> Strings:
    """Read what the panel's reference has at each place; nothing where it ends before."""
    inside = places.end <= len(panel)
    return gather(panel, np.where(inside, places.start, 0), np.where(inside, places.end, 0))


def _carried(
    alleles: Strings, written: Variants, places: Places, source: NDArray[np.uint8]
) -> Strings:
    """Write alleles as they are on the panel's forward strand, over the spans that were placed."""
    wide = places.wide
    if wide.any():
        before = gather(
            source, places.source_start, np.where(wide, written.start, places.source_start)
        )
        after = gather(source, np.where(wide, written.end, places.source_end), places.source_end)
        parts = (before.arrow(), alleles.arrow(), after.arrow(), pa.scalar("", pa.large_string()))
        alleles = Strings.of_arrow(pc.binary_join_element_wise(*parts))
    if not places.reverse.any():
        return alleles
    turned = Strings(alleles.offsets, alleles.data.copy())
    _turn(turned.offsets, places.reverse, turned.data)
    return turned


def _equal(one: Strings, other: Strings) -> NDArray[np.bool_]:
    """Compare strings pair by pair; (n,) bool."""
    same: NDArray[np.bool_] = pc.equal(one.arrow(), other.arrow()).to_numpy(zero_copy_only=False)
    return same.astype(np.bool_)


def _is_simple_indel(
    position: NDArray[np.int32],
    base: Strings,
    ref: Strings,
    panel: NDArray[np.uint8],
    asked: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Tell where the two references differ by one run of bases that one of them lacks; (n,) bool."""
    result = np.zeros(len(asked), np.bool_)
    rows = np.flatnonzero(asked & (base.lengths != ref.lengths))
    change = normalize(position[rows], base.take(rows), ref.take(rows), panel)
    anchored = np.minimum(change.ref.lengths, change.alt.lengths) == 1
    result[rows] = anchored & (change.outcome == Outcome.KEPT)
    return result
