"""Compiled loops over the calls of a line of VCF text: genotypes, and the fields that filters need.

A call of the usual form is taken apart without a branch that depends on what it says; whatever is
not of that form is read byte by byte, and that reading alone decides what is an error.
"""

from enum import IntEnum

import numba as nb

from afpanel.core.compiled import (
    at_most64,
    count_ones,
    equal64,
    load4,
    part,
    store2,
    trailing_zeros,
)
from afpanel.io.vcf_fields import (
    BAR,
    COLON,
    DOT,
    JUNK,
    NEWLINE,
    NOT_USUAL,
    SLASH,
    TAB,
    ZERO,
    allele,
    ends_field,
    field_end,
    het_alt_reads,
    line_end,
    usual_number,
    whole_number,
)


class Fault(IntEnum):
    """Why a scan stopped before the end."""

    NONE, FEW_COLUMNS, MANY_COLUMNS, POSITION, GENOTYPE, ALLELE, POLYPLOID = range(7)
    GT_NOT_FIRST, WIDE, NUMBER, PAST, CONTIG, EMPTY_ALLELE, NUL, FIELD_TWICE = range(7, 15)
    LONG_LINE, NO_CONTIG = range(15, 17)


# The same as plain numbers, for compiled code.
NONE, FEW_COLUMNS, MANY_COLUMNS, POSITION, GENOTYPE, ALLELE, POLYPLOID = range(7)
GT_NOT_FIRST, WIDE, NUMBER, PAST, CONTIG, EMPTY_ALLELE, NUL, FIELD_TWICE = range(7, 15)

PLAIN_CALLS = 64
"""Calls of three bytes, such as 0|1, that are taken apart at a time."""

FIELDS_AT_ONCE = 64

_PLAIN_BYTES = 4  # two alleles, what is between them, and the tab


@part
def _plain_calls(data, at, alleles, target, to):  # type: ignore[no-untyped-def]
    """Take apart `PLAIN_CALLS` calls of a digit or dot, a bar or slash, and another, and a tab each.

    They go to `target`, two numbers for each from `to` on. Returns whether all are of that form and
    name alleles that the record has; if not, what was written is of no use.
    """
    dot = nb.u4(DOT)
    end = nb.u4(min(alleles, 10) + ZERO - DOT)  # from a dot, 0 is two further, and a slash between
    wrong = nb.u4(0)
    for k in range(PLAIN_CALLS):
        call = load4(data, at + _PLAIN_BYTES * k)
        a = (call & nb.u4(255)) - dot
        between = (call >> nb.u4(8)) & nb.u4(255)
        b = ((call >> nb.u4(16)) & nb.u4(255)) - dot
        wrong |= nb.u4(call >> nb.u4(24) != TAB) | nb.u4((between != BAR) & (between != SLASH))
        wrong |= nb.u4(a >= end) | nb.u4(a == 1) | nb.u4(b >= end) | nb.u4(b == 1)
        a = (a + nb.u4(a == 0) - nb.u4(2)) & nb.u4(255)
        b = (b + nb.u4(b == 0) - nb.u4(2)) & nb.u4(255)
        store2(target, to + 2 * k, nb.u2(a | (b << nb.u4(8))))
    return wrong == 0


@part
def _usual_genotype(data, at, alleles):  # type: ignore[no-untyped-def]
    """Take apart two single-digit alleles, at the end of a field; -4 as the first if it is not so."""
    call = load4(data, at)
    a, b = nb.i8(call & nb.u4(255)) - ZERO, nb.i8((call >> nb.u4(16)) & nb.u4(255)) - ZERO
    between, after = (call >> nb.u4(8)) & nb.u4(255), call >> nb.u4(24)
    last = min(alleles, 10) - 1
    usual = (between == BAR) | (between == SLASH)
    usual &= (after == COLON) | (after == TAB)
    usual &= ((a >= 0) & (a <= last)) | (a == DOT - ZERO)
    usual &= ((b >= 0) & (b <= last)) | (b == DOT - ZERO)
    return max(a, -1) if usual else NOT_USUAL, max(b, -1)


@part
def _number_at(data, place, found, ends):  # type: ignore[no-untyped-def]
    """Read the number in a field of a usual call; -1 if the call has no such field."""
    if 0 < place < found:
        return usual_number(data, ends[place - 1] + 1, ends[place])
    return nb.i8(-1)


@part
def _forget(row, out, gq, dp, het_alt_ad):  # type: ignore[no-untyped-def]
    """Set the fields of a call to missing: the rows have held other records before."""
    if len(gq):
        gq[row, out] = -1
    if len(dp):
        dp[row, out] = -1
    if len(het_alt_ad):
        het_alt_ad[row, out] = -1


@part
def _usual_calls(  # type: ignore[no-untyped-def]
    data, at, s, column, places, last_field, alleles, row, genotype, gq, dp, het_alt_ad, ends
):
    """Read calls from sample `s` on for as long as they are usual; returns the next byte and sample.

    Where columns and fields end is found for 64 bytes at a time, so that one call need not wait for
    the one before it. A call is usual if it fits in there and its genotype has single digits.
    """
    _, gq_at, dp_at, ad_at = places
    base = at
    stops = colons = nb.u8(0)
    while s < len(column):
        if stops == 0:
            base = at
            stops = at_most64(data, base, nb.u1(NEWLINE))  # tabs, and what makes a call unusual
            colons = equal64(data, base, nb.u1(COLON))
            if stops == 0:
                break
        end = base + nb.i8(trailing_zeros(stops))
        a, b = _usual_genotype(data, at, alleles)
        if a == NOT_USUAL or data[end] != TAB:
            break
        before = (stops & (~stops + nb.u8(1))) - nb.u8(1)
        within = colons & before
        found = min(last_field, count_ones(within)) + 1
        for field in range(found):
            ends[field] = base + nb.i8(trailing_zeros(within)) if within else end
            within &= within - nb.u8(1)
        out = column[s]
        if out >= 0:
            genotype[row, out, 0] = a
            genotype[row, out, 1] = b
            worst = nb.i8(0)
            if len(gq):
                gq[row, out] = value = _number_at(data, gq_at, found, ends)
                worst = min(worst, value)
            if len(dp):
                dp[row, out] = value = _number_at(data, dp_at, found, ends)
                worst = min(worst, value)
            if len(het_alt_ad):
                value = nb.i8(-1)
                if 0 < ad_at < found and a != b and a >= 0 and b >= 0:
                    value, _ = het_alt_reads(data, ends[ad_at - 1] + 1, a, b)
                het_alt_ad[row, out] = value
                worst = min(worst, value)
            if worst < -1:
                break
        colons &= ~before
        stops &= stops - nb.u8(1)
        at = end + 1
        s += 1
    return at, s


@part
def scan_calls(  # type: ignore[no-untyped-def]
    data, at, column, everyone, gt_only, places, alleles, most_alleles, polyploid_missing, row,
    genotype, gq, dp, het_alt_ad, scratch, ends, polyploid,
):  # fmt: skip
    """Read the calls of a line; returns the start of the next line, or the byte of a fault, and it."""
    gt_at, gq_at, dp_at, ad_at = places
    last_field = 0
    if len(gq):
        last_field = max(last_field, gq_at)
    if len(dp):
        last_field = max(last_field, dp_at)
    if len(het_alt_ad):
        last_field = max(last_field, ad_at)
    n_columns = len(column)
    flat = genotype.reshape(genotype.size)
    row_at = row * 2 * genotype.shape[1]
    into_place = everyone and genotype.itemsize == 1
    if gt_only:
        for out in range(genotype.shape[1]):
            _forget(row, out, gq, dp, het_alt_ad)
    singly = 0  # up to where calls are read one by one
    s = 0
    ended = False
    while s < n_columns:
        if ended:
            return at, FEW_COLUMNS
        while gt_only and s >= singly and s + PLAIN_CALLS < n_columns:
            # A line that is too short fails here, for it has newlines where tabs are to be.
            if into_place:
                plain = _plain_calls(data, at, alleles, flat, row_at + 2 * s)
            else:
                plain = _plain_calls(data, at, alleles, scratch, 0)
            if not plain:
                singly = s + PLAIN_CALLS
                break
            if not into_place:
                for k in range(PLAIN_CALLS):
                    out = column[s + k]
                    if out >= 0:
                        genotype[row, out, 0] = scratch[2 * k]
                        genotype[row, out, 1] = scratch[2 * k + 1]
            s += PLAIN_CALLS
            at += PLAIN_CALLS * _PLAIN_BYTES
        if not gt_only and gt_at == 0 and last_field < FIELDS_AT_ONCE:
            at, s = _usual_calls(
                data, at, s, column, places, last_field, alleles, row,
                genotype, gq, dp, het_alt_ad, ends,
            )  # fmt: skip
            if s == n_columns:
                break  # the last call ended in a tab
        out = column[s]
        if out < 0:
            at = field_end(data, at)
        else:
            at, fault = _any_call(
                data, at, places, last_field, alleles, most_alleles, polyploid_missing,
                row, out, genotype, gq, dp, het_alt_ad, polyploid,
            )  # fmt: skip
            if fault != NONE:
                return at, fault
        if data[at] == TAB:
            at += 1
        elif data[at] == 0:
            return at, NUL
        else:
            ended = True
        s += 1
    if not ended:
        return at, MANY_COLUMNS
    return line_end(data, at), NONE


@part
def _any_call(  # type: ignore[no-untyped-def]
    data, at, places, last_field, alleles, most_alleles, polyploid_missing,
    row, out, genotype, gq, dp, het_alt_ad, polyploid,
):  # fmt: skip
    """Read a call byte by byte; returns the end of its column and no fault, or byte and fault."""
    gt_at, gq_at, dp_at, ad_at = places
    want_gq, want_dp, want_ad = len(gq) > 0, len(dp) > 0, len(het_alt_ad) > 0
    a = b = nb.i8(-2)
    if gt_at < 0:
        a = b = nb.i8(-1)
    else:
        a, at = allele(data, at)
        highest = a
        if data[at] == BAR or data[at] == SLASH:
            b, at = allele(data, at + 1)
            highest = max(highest, b)
        is_polyploid = data[at] == BAR or data[at] == SLASH
        if is_polyploid and not polyploid_missing:
            return at, POLYPLOID
        while a != JUNK and b != JUNK and (data[at] == BAR or data[at] == SLASH):
            b, at = allele(data, at + 1)
            highest = max(highest, b)
        if a == JUNK or b == JUNK or not ends_field(data, at):
            return at, GENOTYPE
        if highest >= alleles:
            return at, ALLELE
        if is_polyploid:
            a = b = nb.i8(-1)
            polyploid[row] += 1
        elif highest >= most_alleles:
            return at, WIDE
    genotype[row, out, 0] = a
    genotype[row, out, 1] = b
    _forget(row, out, gq, dp, het_alt_ad)
    field = 0
    while gt_at == 0 and data[at] == COLON and field < last_field:
        field += 1
        at += 1
        value = nb.i8(-1)
        if (want_gq and field == gq_at) or (want_dp and field == dp_at):
            value, at = whole_number(data, at)
            if field == gq_at:
                gq[row, out] = value
            else:
                dp[row, out] = value
        elif want_ad and field == ad_at and a >= 0 and b >= 0 and a != b:
            value, at = het_alt_reads(data, at, a, b)
            het_alt_ad[row, out] = value
        else:
            while not ends_field(data, at):
                at += 1
        if value == JUNK:
            return at, NUMBER
    if not (data[at] == TAB or data[at] == NEWLINE):
        at = field_end(data, at)
    return at, NONE
