"""The one spelling of a variant: which alleles are sequence, and trimming and left-alignment.

A variant is canonical when its alleles share no base they could lose and it stands as far left as
the reference allows (Tan, Abecasis and Kang 2015, "Unified representation of genetic variants").
Everything here works on bytes and integers; records of many alleles have been split before.
"""

from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Flag, Outcome
from afpanel.core.compiled import I4, I8, READ_I4, READ_I8, READ_U1, U1, compiled, part
from afpanel.core.strings import Strings

_TRIMMED = int(Flag.TRIMMED)
_LEFT_ALIGNED = int(Flag.LEFT_ALIGNED)
_KEPT = int(Outcome.KEPT)
_REF_MISMATCH = int(Outcome.REF_MISMATCH)
_SYMBOLIC = int(Outcome.SYMBOLIC)
_STAR = int(Outcome.STAR)
_IUPAC = int(Outcome.IUPAC)
_NOT_A_VARIANT = int(Outcome.NOT_A_VARIANT)

UPPER = np.arange(256, dtype=np.uint8)
UPPER[97:123] -= 32
IS_BASE = np.zeros(256, dtype=np.bool_)
IS_BASE[list(b"ACGT")] = True
_NO_ANCHOR, _ANCHOR_BEFORE, _ANCHOR_AFTER = 0, 1, 2
_STAR_BYTE, _LESS, _GREATER, _OPEN, _CLOSE, _DOT = (ord(c) for c in "*<>[].")


@dataclass(frozen=True)
class Normalized:
    """Canonical forms of n alleles.

    Parameters
    ----------
    outcome
        (n,) uint8, an `Outcome`.
    flags
        (n,) uint8, `Flag`s of the kept.
    position
        (n,) int32, 1-based; of a rejected allele the source's.
    ref, alt
        Alleles in upper case; of a rejected allele the source's.
    """

    outcome: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    position: NDArray[np.int32]
    ref: Strings
    alt: Strings


def normalize(
    position: NDArray[np.int32], ref: Strings, alt: Strings, reference: NDArray[np.uint8]
) -> Normalized:
    """Check, trim and left-align alleles of one contig, whatever their neighbours are.

    Parameters
    ----------
    position
        (n,) int32, POS, 1-based.
    ref, alt
        n source alleles.
    reference
        (bases,) uint8, the whole contig in upper case.

    Returns
    -------
    Normalized
        `REF_MISMATCH` also where the alleles lie outside the contig.
    """
    n = len(position)
    outcome = np.empty(n, np.uint8)
    flags = np.zeros(n, np.uint8)
    new_position = np.empty(n, np.int32)
    ref_offsets = np.zeros(n + 1, np.int64)
    alt_offsets = np.zeros(n + 1, np.int64)
    plan = np.empty((n, 5), np.int64)
    source = (ref.offsets, ref.data, alt.offsets, alt.data)
    _plan(
        position, *source, reference, outcome, flags, new_position, plan, ref_offsets, alt_offsets
    )
    ref_data = np.empty(ref_offsets[-1], np.uint8)
    alt_data = np.empty(alt_offsets[-1], np.uint8)
    _write(
        *source,
        reference,
        outcome,
        new_position,
        plan,
        ref_offsets,
        ref_data,
        alt_offsets,
        alt_data,
    )
    return Normalized(
        outcome, flags, new_position, Strings(ref_offsets, ref_data), Strings(alt_offsets, alt_data)
    )


def upper(text: Strings) -> Strings:
    """Copy alleles in upper case."""
    return Strings(text.offsets, UPPER[text.data])


@part
def _classify(ref, alt):  # type: ignore[no-untyped-def]
    """Say whether the alleles are sequence, before the reference is looked at."""
    if len(alt) == 1 and alt[0] == _STAR_BYTE:
        return _STAR
    for base in alt:
        if base in (_LESS, _GREATER, _OPEN, _CLOSE, _DOT):
            return _SYMBOLIC
    return _KEPT if len(ref) and len(alt) else _IUPAC


@part
def _has_other_letters(bases, start, end):  # type: ignore[no-untyped-def]
    for j in range(start, end):
        if not IS_BASE[UPPER[bases[j]]]:
            return True
    return False


@part
def _matches(start, ref, reference):  # type: ignore[no-untyped-def]
    if start < 0 or start + len(ref) > len(reference):
        return False
    for j in range(len(ref)):
        if UPPER[ref[j]] != reference[start + j]:
            return False
    return True


@part
def trimmed(ref: Any, alt: Any) -> Any:
    """Find what differs: where it begins in both, and where it ends in REF and in ALT."""
    first, end_ref, end_alt = 0, len(ref), len(alt)
    while end_ref and end_alt and UPPER[ref[end_ref - 1]] == UPPER[alt[end_alt - 1]]:
        end_ref -= 1
        end_alt -= 1
    while first < end_ref and first < end_alt and UPPER[ref[first]] == UPPER[alt[first]]:
        first += 1
    return first, end_ref, end_alt


@part
def room_to_the_left(start: Any, ring: Any, reference: Any) -> Any:
    """Count the bases by which bases that are inserted or deleted at `start` can roll left."""
    shift, size = 0, len(ring)
    while start > shift and reference[start - shift - 1] == UPPER[ring[(size - 1 - shift) % size]]:
        shift += 1
    return shift


_SOURCE = (READ_I8, READ_U1, READ_I8, READ_U1, READ_U1)  # REF, ALT and the reference


@compiled(nb.void(READ_I4, *_SOURCE, U1, U1, I4, nb.i8[:, ::1], I8, I8))
def _plan(  # type: ignore[no-untyped-def]
    position, ref_at, ref_data, alt_at, alt_data, reference,
    outcome, flags, new_position, plan, ref_offsets, alt_offsets,
):  # fmt: skip
    """Decide each allele's outcome, place and size.

    `plan` holds: bases of REF and of ALT that remain when the shared suffix and prefix are gone (the
    bases that differ), their first byte within the source allele, by how many bases they are rolled
    left, and where the anchor goes that is needed when one side has no base left.
    """
    for i in range(len(position)):
        ref = ref_data[ref_at[i] : ref_at[i + 1]]
        alt = alt_data[alt_at[i] : alt_at[i + 1]]
        start = np.int64(position[i]) - 1
        kind = _classify(ref, alt)
        n_ref, n_alt, first, shift = 0, 0, 0, 0
        if kind == _KEPT:
            first, n_ref, n_alt = trimmed(ref, alt)
            # Of a base that both share nothing is said, so an unknown one does no harm there.
            if _has_other_letters(ref, first, n_ref) or _has_other_letters(alt, first, n_alt):
                kind = _IUPAC
            elif not _matches(start, ref, reference):
                kind = _REF_MISMATCH
            elif n_ref == n_alt == first:
                kind = _NOT_A_VARIANT
            n_ref -= first
            n_alt -= first
        outcome[i] = kind
        if kind != _KEPT:
            new_position[i] = position[i]
            ref_offsets[i + 1] = ref_offsets[i] + len(ref)
            alt_offsets[i + 1] = alt_offsets[i] + len(alt)
            plan[i] = 0
            continue
        start += first
        anchor = _NO_ANCHOR
        if n_ref == 0 or n_alt == 0:
            # One side is empty: the other, as a ring of bases, rolls left over equal bases.
            ring = alt[first : first + n_alt] if n_ref == 0 else ref[first : first + n_ref]
            shift = room_to_the_left(start, ring, reference)
            start -= shift
            # At the contig's first base there is nothing to the left: the anchor follows instead.
            anchor = _ANCHOR_BEFORE if start > 0 else _ANCHOR_AFTER
        plan[i, 0], plan[i, 1], plan[i, 2], plan[i, 3], plan[i, 4] = (
            n_ref,
            n_alt,
            first,
            shift,
            anchor,
        )
        new_position[i] = start if anchor == _ANCHOR_BEFORE else start + 1
        if anchor != _NO_ANCHOR:
            n_ref += 1
            n_alt += 1
        ref_offsets[i + 1] = ref_offsets[i] + n_ref
        alt_offsets[i + 1] = alt_offsets[i] + n_alt
        if n_ref < len(ref):
            flags[i] |= _TRIMMED
        if new_position[i] < position[i]:
            flags[i] |= _LEFT_ALIGNED


@part
def _copy(bases, target):  # type: ignore[no-untyped-def]
    for j in range(len(bases)):
        target[j] = bases[j]


@part
def _copy_ring(bases, shift, anchor, target):  # type: ignore[no-untyped-def]
    """Copy the bases that differ, rolled by `shift`, leaving room for an anchor before them."""
    room = 1 if anchor == _ANCHOR_BEFORE else 0
    for j in range(len(bases)):
        target[room + j] = UPPER[bases[(j - shift) % len(bases)]]


@compiled(nb.void(*_SOURCE, U1, I4, nb.i8[:, ::1], I8, U1, I8, U1))
def _write(  # type: ignore[no-untyped-def]
    ref_at, ref_data, alt_at, alt_data, reference,
    outcome, new_position, plan, new_ref_at, new_ref, new_alt_at, new_alt,
):  # fmt: skip
    """Write out the alleles that `_plan` has laid out."""
    for i in range(len(outcome)):
        ref = ref_data[ref_at[i] : ref_at[i + 1]]
        alt = alt_data[alt_at[i] : alt_at[i + 1]]
        to_ref = new_ref[new_ref_at[i] : new_ref_at[i + 1]]
        to_alt = new_alt[new_alt_at[i] : new_alt_at[i + 1]]
        if outcome[i] != _KEPT:
            _copy(ref, to_ref)
            _copy(alt, to_alt)
            continue
        n_ref, n_alt, first, shift, anchor = plan[i]
        _copy_ring(ref[first : first + n_ref], shift, anchor, to_ref)
        _copy_ring(alt[first : first + n_alt], shift, anchor, to_alt)
        if anchor == _ANCHOR_BEFORE:
            to_ref[0] = to_alt[0] = reference[new_position[i] - 1]
        elif anchor == _ANCHOR_AFTER:
            to_ref[n_ref] = to_alt[n_alt] = reference[n_ref]
