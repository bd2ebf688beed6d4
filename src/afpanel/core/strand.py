"""Alleles given the wrong way round, or by their complements: which they are, and whether one can know.

Only records of single bases are looked at. Of most, the reference base tells: it is among the alleles
as written, or among their complements. Where it is among both (A/T and C/G, in the main) the record
cannot tell, and the rest of the cohort must. Wrong coordinates can look like any of this; then records
of A/T and C/G turn up that fit in no way at all, and nothing is believed.
"""

from dataclasses import dataclass, fields
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Flag, Outcome
from afpanel.core.alleles import IS_BASE, UPPER

FORWARD_SHARE = 0.995
"""Share of telling records on the forward strand from which a cohort is taken to be on it."""

_FEW = 2  # records of the other strand that are taken for errors, however small the cohort is
_UNEXPLAINED = 0.1  # of A/T and C/G that mismatch: with more that fit in no way, none is resolved
_BASES = np.frombuffer(b"ACGT", np.uint8)
COMPLEMENT = np.zeros(256, np.uint8)
"""The base that pairs with each of A, C, G and T; 0 for all else."""
COMPLEMENT[_BASES] = _BASES[::-1]


class Verdict(Enum):
    """What a cohort's records say of its strand."""

    FORWARD = "forward"
    REVERSE = "reverse"
    MIXED = "mixed"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class SnvTally:
    """Records of single bases, by what they look like.

    Parameters
    ----------
    as_is, swapped, flipped, flipped_swapped
        Records that tell their strand.
    palindromic_match, palindromic_mismatch
        Records that do not: REF is the reference base, or another of their alleles is.
    palindromic_stray
        Such records of which no allele is the reference base, nor its complement.
    """

    as_is: int = 0
    swapped: int = 0
    flipped: int = 0
    flipped_swapped: int = 0
    palindromic_match: int = 0
    palindromic_mismatch: int = 0
    palindromic_stray: int = 0

    def __add__(self, other: "SnvTally") -> "SnvTally":
        names = [each.name for each in fields(self)]
        return SnvTally(*(getattr(self, name) + getattr(other, name) for name in names))

    @property
    def verdict(self) -> Verdict:
        """Judge the strand of the cohort.

        >>> SnvTally(as_is=990, swapped=7, flipped=3).verdict
        <Verdict.FORWARD: 'forward'>
        >>> SnvTally(as_is=700, flipped=300).verdict
        <Verdict.MIXED: 'mixed'>
        >>> SnvTally(as_is=700, flipped=300, palindromic_stray=40).verdict
        <Verdict.UNEXPLAINED: 'unexplained'>
        """
        if self.palindromic_stray > _UNEXPLAINED * self.palindromic_mismatch:
            return Verdict.UNEXPLAINED
        forward, reverse = self.as_is + self.swapped, self.flipped + self.flipped_swapped
        others = (1 - FORWARD_SHARE) * (forward + reverse)
        if reverse <= max(others, _FEW) and reverse <= forward:
            return Verdict.FORWARD
        return Verdict.REVERSE if forward <= others else Verdict.MIXED


@dataclass(frozen=True)
class Snvs:
    """The source alleles of records of single bases.

    Parameters
    ----------
    rows
        (n,) int64: which source alleles they are; those of a record come one after the other.
    record
        (n,) int64: number of the record of each, from 0.
    ref, alt, base
        (n,) uint8: alleles in upper case, and the reference base there.
    """

    rows: NDArray[np.int64]
    record: NDArray[np.int64]
    ref: NDArray[np.uint8]
    alt: NDArray[np.uint8]
    base: NDArray[np.uint8]

    def of_records(self, true_of_row: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell of each record whether something is true of any of its alleles; (records,) bool."""
        n = int(self.record[-1]) + 1 if len(self.record) else 0
        return np.bincount(self.record, true_of_row, n) > 0


def single_bases(
    record: NDArray[np.int32],
    refs: NDArray[np.uint8],
    alts: NDArray[np.uint8],
    bases: NDArray[np.uint8],
) -> Snvs:
    """Pick the source alleles of records all of whose alleles are single bases, REF not among its ALTs.

    Parameters
    ----------
    record
        (alleles,) int32, in order: the record of each source allele.
    refs, alts
        (alleles,) uint8: the only base of each allele; 0 for an allele that is not one.
    bases
        (alleles,) uint8: the reference base at its position; 0 where there is none.
    """
    refs, alts = UPPER[refs], UPPER[alts]
    good = IS_BASE[refs] & IS_BASE[alts] & IS_BASE[bases] & (refs != alts)
    number = numbered(record)
    whole = np.bincount(number, ~good) == 0
    rows = np.flatnonzero(whole[number])
    return Snvs(rows, numbered(number[rows]), refs[rows], alts[rows], bases[rows])


def numbered(record: NDArray[np.integer]) -> NDArray[np.int64]:
    """Give the records of rows, which are in their order, numbers from 0 without gaps."""
    return np.cumsum(np.diff(record, prepend=record[:1]) != 0)


@dataclass(frozen=True)
class _Looks:
    """What each record looks like; all (records,) bool."""

    forward: NDArray[np.bool_]
    reverse: NDArray[np.bool_]
    ref_is_base: NDArray[np.bool_]
    ref_is_complement: NDArray[np.bool_]
    palindromic: NDArray[np.bool_]


def _look(snvs: Snvs) -> _Looks:
    complement = COMPLEMENT[snvs.base]
    ref_is_base = snvs.of_records(snvs.ref == snvs.base)
    ref_is_complement = snvs.of_records(snvs.ref == complement)
    return _Looks(
        forward=ref_is_base | snvs.of_records(snvs.alt == snvs.base),
        reverse=ref_is_complement | snvs.of_records(snvs.alt == complement),
        ref_is_base=ref_is_base,
        ref_is_complement=ref_is_complement,
        palindromic=snvs.of_records(COMPLEMENT[snvs.ref] == snvs.alt),
    )


def tally(snvs: Snvs, used: NDArray[np.bool_]) -> SnvTally:
    """Count records by what they look like; `used` tells which count, (n,) bool by allele."""
    looks, counted = _look(snvs), snvs.of_records(used)
    telling = counted & (looks.forward ^ looks.reverse)
    silent = counted & looks.forward & looks.reverse
    stray = counted & ~looks.forward & ~looks.reverse

    def n(chosen: NDArray[np.bool_]) -> int:
        return int(np.count_nonzero(chosen))

    return SnvTally(
        as_is=n(telling & looks.ref_is_base),
        swapped=n(telling & looks.forward & ~looks.ref_is_base),
        flipped=n(telling & looks.ref_is_complement),
        flipped_swapped=n(telling & looks.reverse & ~looks.ref_is_complement),
        palindromic_match=n(silent & looks.ref_is_base),
        palindromic_mismatch=n(silent & ~looks.ref_is_base),
        palindromic_stray=n(stray & looks.palindromic),
    )


@dataclass(frozen=True)
class Resolved:
    """What becomes of each of `Snvs`.

    Parameters
    ----------
    outcome, flags
        (n,) uint8: `Outcome` and `Flag`s.
    alt
        (n,) uint8: canonical ALT, where REF is the reference base.
    index
        (n,) int32: number of the source allele whose copies are counted; 0 is the source's REF.
    ref_index
        (n,) int32: number of the source allele that is the reference base.
    """

    outcome: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    alt: NDArray[np.uint8]
    index: NDArray[np.int32]
    ref_index: NDArray[np.int32]


def resolve(
    snvs: Snvs, index: NDArray[np.int32], verdict: Verdict, *, swap: bool, strand: bool
) -> Resolved:
    """Turn alleles the right way round, as far as one can know.

    Parameters
    ----------
    snvs
        The source alleles.
    index
        (n,) int32: number of each ALT in its record, from 1.
    verdict
        Of the cohort.
    swap, strand
        Whether swapped alleles, and those of the other strand, are resolved; what is not is rejected.
    """
    looks = _look(snvs)
    believed = verdict is not Verdict.UNEXPLAINED
    silent = looks.forward & looks.reverse
    # A record that tells is on the strand it tells of; the rest of the cohort must allow for that.
    turned = looks.reverse & ~looks.forward & (verdict in (Verdict.REVERSE, Verdict.MIXED))
    turned |= silent & (verdict is Verdict.REVERSE)
    turned &= strand
    right = np.where(turned, looks.ref_is_complement, looks.ref_is_base)
    found = np.where(turned, looks.reverse, looks.forward)
    kept = right | (found & swap)
    kept &= believed | looks.ref_is_base
    doubtful = silent & strand & (verdict is Verdict.MIXED)
    outcome = np.where(kept, Outcome.KEPT, Outcome.REF_MISMATCH)
    outcome[doubtful] = Outcome.AMBIGUOUS_STRAND
    flags = np.where(turned, Flag.FLIPPED, Flag.AS_IS) | np.where(right, Flag.AS_IS, Flag.SWAPPED)
    of_row = snvs.record
    ref = np.where(turned[of_row], COMPLEMENT[snvs.ref], snvs.ref)
    alt = np.where(turned[of_row], COMPLEMENT[snvs.alt], snvs.alt)
    takes_ref = alt == snvs.base  # this ALT is the reference base: the source's REF is the variant
    ref_index = np.zeros(len(kept), np.int32)
    ref_index[of_row[takes_ref]] = index[takes_ref]
    return Resolved(
        outcome[of_row].astype(np.uint8),
        np.where(kept & ~doubtful, flags, Flag.AS_IS)[of_row].astype(np.uint8),
        np.where(takes_ref, ref, alt),
        np.where(takes_ref, 0, index).astype(np.int32),
        ref_index[of_row],
    )
