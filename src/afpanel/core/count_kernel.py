"""Compiled loops that count the genotypes of a block, for all cells at once.

Nearly all calls are plain: both alleles are REF or the first ALT, of a person who has two copies.
These are counted 32 people at a time, as bits of a word: bits 2i and 2i + 1 are the alleles of
person i. What is not plain is looked at call by call.
"""

import numba as nb

from afpanel.core.compiled import (
    READ_I4,
    READ_I8,
    at_least32,
    compiled,
    count_ones,
    equal64,
    part,
    trailing_zeros,
)

PEOPLE_IN_WORD = 32

HAS_GQ, HAS_DP, HAS_AD = 1, 2, 4
"""Bits of `has`: which fields a block of calls has."""

_FIRST_ALLELES = 0x5555555555555555  # the lower of each pair of bits
_MOST_I2 = 32_767


@part
def _spread(bits):  # type: ignore[no-untyped-def]
    """Move bit i of 32 to bit 2i."""
    bits = (bits | (bits << nb.u8(16))) & nb.u8(0x0000FFFF0000FFFF)
    bits = (bits | (bits << nb.u8(8))) & nb.u8(0x00FF00FF00FF00FF)
    bits = (bits | (bits << nb.u8(4))) & nb.u8(0x0F0F0F0F0F0F0F0F)
    bits = (bits | (bits << nb.u8(2))) & nb.u8(0x3333333333333333)
    return (bits | (bits << nb.u8(1))) & nb.u8(_FIRST_ALLELES)


@part
def _balanced(reads, depth, min_ab):  # type: ignore[no-untyped-def]
    """Tell whether enough of a heterozygous call's reads are those of its least supported ALT."""
    return depth > 0 and reads >= min_ab * depth


@part
def _passes(gq, dp, ad, has, heterozygous, min_gq, min_dp, min_ab):  # type: ignore[no-untyped-def]
    """Apply the genotype filter to one call."""
    if has & HAS_GQ and min_gq > 0 and gq < min_gq:
        return False
    if has & HAS_DP and min_dp > 0 and dp < min_dp:
        return False
    if has & HAS_DP and has & HAS_AD and heterozygous and min_ab > 0:
        return _balanced(ad, dp, min_ab)
    return True


_FIELD = nb.types.Array(nb.i2, 2, "C", readonly=True)
_I1_2D = nb.types.Array(nb.i1, 2, "C", readonly=True)
_I1 = nb.types.Array(nb.i1, 1, "C", readonly=True)
_READ_U8 = nb.types.Array(nb.u8, 1, "C", readonly=True)
_TABLE = nb.i4[:, ::1]
_SIGNATURES = [
    nb.i8(
        nb.types.Array(allele, 3, "C", readonly=True), _FIELD, _FIELD, _FIELD, nb.i8,
        READ_I8, _I1_2D, _I1, READ_I4, READ_I8, READ_I4, _READ_U8,
        nb.i8, nb.i8, nb.i8, nb.f8, nb.b1, *(_TABLE,) * 7, nb.i8[:, ::1],
    )
    for allele in (nb.i1, nb.i2)
]  # fmt: skip


@part
def _count_one(  # type: ignore[no-untyped-def]
    genotype, gq, dp, het_alt_ad, has, row, n_alleles, copies, record, sample, c,
    min_gq, min_dp, min_dp_haploid, min_ab, half_calls_missing,
    allele_count, homozygotes, hemizygotes, half_calls, allele_number, failed_count, failed_number,
):  # fmt: skip
    """Add one call of whatever kind; False if it names an allele that its record does not have."""
    a, b = nb.i8(genotype[record, sample, 0]), nb.i8(genotype[record, sample, 1])
    if max(a, b) >= n_alleles:
        return False
    if c < 0 or copies == 0 or (a < 0 and b < 0):
        return True
    both = a >= 0 and b >= 0
    haploid = copies == 1 or b == -2
    if both and haploid and a != b:
        return True  # a heterozygote where there is one copy: an error of the caller
    if not (both or haploid) and half_calls_missing:
        return True
    passed = not has or _passes(
        gq[record, sample] if has & HAS_GQ else 0,
        dp[record, sample] if has & HAS_DP else 0,
        het_alt_ad[record, sample] if has & HAS_AD else 0,
        has, both and a != b, min_gq, min_dp_haploid if haploid else min_dp, min_ab,
    )  # fmt: skip
    count = allele_count if passed else failed_count
    number = allele_number if passed else failed_number
    if both and not haploid:
        count[row + a, c] += 1
        count[row + b, c] += 1
        number[record, c] += 2
        if passed and a == b:
            homozygotes[row + a, c] += 1
    else:
        count[row + max(a, b), c] += 1
        number[record, c] += 1
        if passed and haploid:
            hemizygotes[row + max(a, b), c] += 1
        elif passed:
            half_calls[row + max(a, b), c] += 1
    return True


@compiled(*_SIGNATURES)
def count_calls(  # type: ignore[no-untyped-def]
    genotype, gq, dp, het_alt_ad, has,
    row_offsets, ploidy, sex, cell, pair_offsets, pair_cell, pair_mask,
    min_gq, min_dp, min_dp_haploid, min_ab, half_calls_missing,
    allele_count, homozygotes, hemizygotes, half_calls, allele_number,
    failed_count, failed_number, workspace,
):  # fmt: skip
    """Add up a block; returns the first record with an allele that it does not have, or -1.

    Parameters
    ----------
    genotype, gq, dp, het_alt_ad, has
        A `calls.CallBlock`, and which of its fields there are; the others are empty.
    row_offsets, sex, cell
        As `counting.count_block` has them.
    ploidy
        (records, sexes) int8: copies that people have.
    pair_offsets, pair_cell, pair_mask
        For each word of `PEOPLE_IN_WORD` people, the cells that they are in, and for each of these
        its people: bit 2i is person i of the word.
    min_gq, min_dp, min_dp_haploid, min_ab, half_calls_missing
        The `counting.GenotypeFilter`.
    allele_count, homozygotes, hemizygotes, allele_number
        Tables to add to, as `counting.Counts` has them.
    half_calls
        The same of half-calls, by the allele that is called.
    failed_count, failed_number
        The same as AC and AN, of calls that did not pass the filter.
    workspace
        (4, cells) int64, overwritten.
    """
    samples, cells = genotype.shape[1], allele_number.shape[1]
    words = len(pair_offsets) - 1 if genotype.itemsize == 1 and min_gq <= _MOST_I2 else 0
    people, plain, alts, pairs_of_alts = workspace[0], workspace[1], workspace[2], workspace[3]
    for c in range(cells):
        people[c] = 0
    for s in range(words * PEOPLE_IN_WORD):
        if cell[s] >= 0:
            people[cell[s]] += 1
    first = nb.u8(_FIRST_ALLELES)
    flat, flat_gq, flat_dp = (
        genotype.reshape(genotype.size),
        gq.reshape(gq.size),
        dp.reshape(dp.size),
    )
    for record in range(len(genotype)):
        row = row_offsets[record]
        n_alleles = row_offsets[record + 1] - row
        in_words = words if min_dp <= _MOST_I2 else 0
        for sex_code in range(ploidy.shape[1]):
            if ploidy[record, sex_code] != 2:
                in_words = 0
        for c in range(cells):
            plain[c] = people[c]
            alts[c] = pairs_of_alts[c] = 0
        for w in range(in_words):
            at = 2 * samples * record + 2 * PEOPLE_IN_WORD * w
            alt = equal64(flat, at, nb.u1(1))
            if alt and n_alleles < 2:
                return record  # there is no row to add to
            known = alt | equal64(flat, at, nb.u1(0))
            passed = known & (known >> nb.u8(1)) & first
            others = ~passed & first
            if has:
                failed = passed
                start = PEOPLE_IN_WORD * w
                call_at = samples * record + start
                if has & HAS_GQ and min_gq > 0:
                    passed &= _spread(at_least32(flat_gq, call_at, nb.i2(min_gq)))
                if has & HAS_DP and min_dp > 0:
                    passed &= _spread(at_least32(flat_dp, call_at, nb.i2(min_dp)))
                if has & HAS_DP and has & HAS_AD and min_ab > 0:
                    left = passed & (alt ^ (alt >> nb.u8(1)))
                    while left:
                        s = start + nb.i8(trailing_zeros(left) >> nb.u8(1))
                        if not _balanced(het_alt_ad[record, s], dp[record, s], min_ab):
                            passed &= ~(left & (~left + nb.u8(1)))
                        left &= left - nb.u8(1)
                failed &= ~passed
                if failed:
                    for p in range(pair_offsets[w], pair_offsets[w + 1]):
                        some = failed & pair_mask[p]
                        n = count_ones(some)
                        n_alts = count_ones(alt & (some | (some << nb.u8(1))))
                        plain[pair_cell[p]] -= n
                        failed_number[record, pair_cell[p]] += 2 * n
                        failed_count[row, pair_cell[p]] += 2 * n - n_alts
                        if n_alts:
                            failed_count[row + 1, pair_cell[p]] += n_alts
            carriers = passed & (alt | (alt >> nb.u8(1)))
            if carriers:
                both = alt & (alt >> nb.u8(1))
                for p in range(pair_offsets[w], pair_offsets[w + 1]):
                    some = carriers & pair_mask[p]
                    alts[pair_cell[p]] += count_ones(alt & (some | (some << nb.u8(1))))
                    pairs_of_alts[pair_cell[p]] += count_ones(both & some)
            while others:
                s = PEOPLE_IN_WORD * w + nb.i8(trailing_zeros(others) >> nb.u8(1))
                others &= others - nb.u8(1)
                if cell[s] >= 0:
                    plain[cell[s]] -= 1
                if not _count_one(
                    genotype, gq, dp, het_alt_ad, has, row, n_alleles, 2, record, s, cell[s],
                    min_gq, min_dp, min_dp_haploid, min_ab, half_calls_missing,
                    allele_count, homozygotes, hemizygotes, half_calls, allele_number,
                    failed_count, failed_number,
                ):  # fmt: skip
                    return record
        for s in range(in_words * PEOPLE_IN_WORD, samples):
            if not _count_one(
                genotype, gq, dp, het_alt_ad, has, row, n_alleles, ploidy[record, sex[s]],
                record, s, cell[s],
                min_gq, min_dp, min_dp_haploid, min_ab, half_calls_missing,
                allele_count, homozygotes, hemizygotes, half_calls, allele_number,
                failed_count, failed_number,
            ):  # fmt: skip
                return record
        if in_words:
            for c in range(cells):
                allele_number[record, c] += 2 * plain[c]
                allele_count[row, c] += 2 * plain[c] - alts[c]
                homozygotes[row, c] += plain[c] - alts[c] + pairs_of_alts[c]
                if n_alleles > 1:
                    allele_count[row + 1, c] += alts[c]
                    homozygotes[row + 1, c] += pairs_of_alts[c]
    return -1
