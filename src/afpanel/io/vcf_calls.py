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


class Fault(IntEnum):
    """Why a scan stopped before the end."""

    NONE, FEW_COLUMNS, MANY_COLUMNS, POSITION, GENOTYPE, ALLELE, POLYPLOID = range(7)
    GT_NOT_FIRST, WIDE, NUMBER, PAST, CONTIG, EMPTY_ALLELE, NUL, FIELD_TWICE = range(7, 15)
    LONG_LINE, NO_CONTIG = range(15, 17)


# The same as plain numbers, for compiled code.
NONE, FEW_COLUMNS, MANY_COLUMNS, POSITION, GENOTYPE, ALLELE, POLYPLOID = range(7)
GT_NOT_FIRST, WIDE, NUMBER, PAST, CONTIG, EMPTY_ALLELE, NUL, FIELD_TWICE = range(7, 15)

TAB, NEWLINE, RETURN, COLON, COMMA, DOT, HASH, MINUS = 9, 10, 13, 58, 44, 46, 35, 45
SLASH, BAR, ZERO, NINE = 47, 124, 48, 57

PLAIN_CALLS = 64
"""Calls of three bytes, such as 0|1, that are taken apart at a time."""

FIELDS_AT_ONCE = 64

_PLAIN_BYTES = 4  # two alleles, what is between them, and the tab
_JUNK = -3
_NOT_USUAL = -4
_MANY = 100_000  # an allele number past any that is true
_MOST_I2 = 32_767


@part
def field_end(data, at):  # type: ignore[no-untyped-def]
    """Find the next tab or end of line, or a NUL, which has no place in text; one must come."""
    start = at
    while True:
        found = at_most64(data, at, nb.u1(NEWLINE))  # all of these are, and other control codes
        while found:
            end = at + nb.i8(trailing_zeros(found))
            if data[end] == TAB or data[end] == 0:
                return end
            if data[end] == NEWLINE:
                return end - 1 if end > start and data[end - 1] == RETURN else end
            found &= found - nb.u8(1)
        at += 64


@part
def line_end(data, at):  # type: ignore[no-untyped-def]
    """Find the start of the next line."""
    while True:
        found = equal64(data, at, nb.u1(NEWLINE))
        if found:
            return at + nb.i8(trailing_zeros(found)) + 1
        at += 64


@part
def _ends_field(byte):  # type: ignore[no-untyped-def]
    """Tell whether a byte ends a field of a call."""
    return byte == TAB or byte == COLON or byte == NEWLINE or byte == RETURN or byte == 0


@part
def _allele(data, at):  # type: ignore[no-untyped-def]
    """Read an allele of GT: its number, -1 for a dot or -3 for junk; and the byte after it."""
    if data[at] == DOT:
        return -1, at + 1
    if not ZERO <= data[at] <= NINE:
        return _JUNK, at
    value = 0
    while ZERO <= data[at] <= NINE:
        value = min(value * 10 + nb.i8(data[at]) - ZERO, _MANY)
        at += 1
    return value, at


@part
def _whole_number(data, at):  # type: ignore[no-untyped-def]
    """Read GQ or DP: its whole part, -1 where it is missing or negative or -3 for junk; and its end.

    A minus comes first only, and there is one point.
    """
    first, value, whole = at, 0, True
    while not _ends_field(data[at]):
        byte = data[at]
        if ZERO <= byte <= NINE:
            if whole:
                value = min(value * 10 + nb.i8(byte) - ZERO, _MOST_I2)
        elif (byte == DOT and whole) or (byte == MINUS and at == first):
            whole = whole and byte == MINUS
        else:
            return _JUNK, at
        at += 1
    if at == first or data[first] == DOT or data[first] == MINUS:
        return -1, at
    return value, at


@part
def _het_alt_reads(data, at, a, b):  # type: ignore[no-untyped-def]
    """Read AD of a call a/b: the reads of its least supported ALT, -1 if missing; and its end."""
    least, found, number = _MOST_I2, 0, 0
    while True:
        value, first = -1, at
        while not _ends_field(data[at]) and data[at] != COMMA:
            byte = data[at]
            if ZERO <= byte <= NINE and (at == first or data[first] != DOT):
                value = min(max(value, 0) * 10 + nb.i8(byte) - ZERO, _MOST_I2)
            elif byte != DOT or at > first:
                return _JUNK, at
            at += 1
        if number > 0 and (number == a or number == b):
            least = min(least, value)
            found += 1
        if data[at] != COMMA:
            break
        number += 1
        at += 1
    return least if found == (1 if a == 0 or b == 0 else 2) else -1, at


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
    return max(a, -1) if usual else _NOT_USUAL, max(b, -1)


@part
def _usual_number(data, start, end):  # type: ignore[no-untyped-def]
    """Read a number of one to three digits, or a dot as -1; -4 if it is something else."""
    last = nb.i8(data[end - 1]) - ZERO
    if end - start == 2:
        tens = nb.i8(data[start]) - ZERO
        usual = (nb.u8(tens) < 10) & (nb.u8(last) < 10)
        return 10 * tens + last if usual else _NOT_USUAL
    if end - start == 1:
        return last if nb.u8(last) < 10 else (-1 if last == DOT - ZERO else _NOT_USUAL)
    if end - start != 3:
        return _NOT_USUAL
    hundreds, tens = nb.i8(data[start]) - ZERO, nb.i8(data[start + 1]) - ZERO
    usual = (nb.u8(hundreds) < 10) & (nb.u8(tens) < 10) & (nb.u8(last) < 10)
    return 100 * hundreds + 10 * tens + last if usual else _NOT_USUAL


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
        if a == _NOT_USUAL or data[end] != TAB:
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
                value = nb.i8(-1)
                if 0 < gq_at < found:
                    value = _usual_number(data, ends[gq_at - 1] + 1, ends[gq_at])
                gq[row, out] = value
                worst = min(worst, value)
            if len(dp):
                value = nb.i8(-1)
                if 0 < dp_at < found:
                    value = _usual_number(data, ends[dp_at - 1] + 1, ends[dp_at])
                dp[row, out] = value
                worst = min(worst, value)
            if len(het_alt_ad):
                value = nb.i8(-1)
                if 0 < ad_at < found and a != b and a >= 0 and b >= 0:
                    value, _ = _het_alt_reads(data, ends[ad_at - 1] + 1, a, b)
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
        a, at = _allele(data, at)
        highest = a
        if data[at] == BAR or data[at] == SLASH:
            b, at = _allele(data, at + 1)
            highest = max(highest, b)
        is_polyploid = data[at] == BAR or data[at] == SLASH
        if is_polyploid and not polyploid_missing:
            return at, POLYPLOID
        while a != _JUNK and b != _JUNK and (data[at] == BAR or data[at] == SLASH):
            b, at = _allele(data, at + 1)
            highest = max(highest, b)
        if a == _JUNK or b == _JUNK or not _ends_field(data[at]):
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
    if want_gq:
        gq[row, out] = -1
    if want_dp:
        dp[row, out] = -1
    if want_ad:
        het_alt_ad[row, out] = -1
    field = 0
    while gt_at == 0 and data[at] == COLON and field < last_field:
        field += 1
        at += 1
        value = nb.i8(-1)
        if (want_gq and field == gq_at) or (want_dp and field == dp_at):
            value, at = _whole_number(data, at)
            if field == gq_at:
                gq[row, out] = value
            else:
                dp[row, out] = value
        elif want_ad and field == ad_at and a >= 0 and b >= 0 and a != b:
            value, at = _het_alt_reads(data, at, a, b)
            het_alt_ad[row, out] = value
        else:
            while not _ends_field(data[at]):
                at += 1
        if value == _JUNK:
            return at, NUMBER
    if not (data[at] == TAB or data[at] == NEWLINE):
        at = field_end(data, at)
    return at, NONE
