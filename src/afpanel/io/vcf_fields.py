"""Compiled loops over one field of VCF text: where it ends, and the number that it holds."""

import numba as nb

from afpanel.core.compiled import at_most64, equal64, part, trailing_zeros

TAB, NEWLINE, RETURN, COLON, COMMA, DOT, HASH, MINUS = 9, 10, 13, 58, 44, 46, 35, 45
SLASH, BAR, ZERO, NINE = 47, 124, 48, 57

JUNK = -3
"""What stands for a field that is no number."""

NOT_USUAL = -4
"""What stands for a field that is to be read by a slower way."""

_LOWER_E, _UPPER_E, _PLUS = 101, 69, 43
_MANY = 100_000  # an allele number past any that is true
_MOST_I2 = 32_767
_LARGEST_SCALE = 300


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
def ends_field(data, at):  # type: ignore[no-untyped-def]
    """Tell whether a byte ends a field of a call: a carriage return does at the end of a line only."""
    byte = data[at]
    if byte == RETURN:
        return data[at + 1] == NEWLINE
    return byte == TAB or byte == COLON or byte == NEWLINE or byte == 0


@part
def allele(data, at):  # type: ignore[no-untyped-def]
    """Read an allele of GT: its number, -1 for a dot or -3 for junk; and the byte after it."""
    if data[at] == DOT:
        return -1, at + 1
    if not ZERO <= data[at] <= NINE:
        return JUNK, at
    value = 0
    while ZERO <= data[at] <= NINE:
        value = min(value * 10 + nb.i8(data[at]) - ZERO, _MANY)
        at += 1
    return value, at


@part
def whole_number(data, at):  # type: ignore[no-untyped-def]
    """Read GQ or DP, which may be written as a float: its whole part, and its end.

    The number is -1 where it is missing or negative, and -3 for junk.
    """
    first, minus, digits, decimals, exponent = at, False, 0, 0, 0
    number = 0.0
    if data[at] == MINUS:
        minus = True
        at += 1
    point = False
    while ZERO <= data[at] <= NINE or (data[at] == DOT and not point):
        if data[at] == DOT:
            point = True
        else:
            digits += 1
            decimals += point
            number = number * 10.0 + (nb.i8(data[at]) - ZERO)
        at += 1
    if digits and (data[at] == _LOWER_E or data[at] == _UPPER_E):
        at += 1
        down = data[at] == MINUS
        if down or data[at] == _PLUS:
            at += 1
        if not ZERO <= data[at] <= NINE:
            return JUNK, at
        while ZERO <= data[at] <= NINE:
            exponent = min(exponent * 10 + nb.i8(data[at]) - ZERO, _MANY)
            at += 1
        exponent = -exponent if down else exponent
    if not ends_field(data, at) or (digits == 0 and (minus or at - first > 1)):
        return JUNK, at
    if minus or digits == 0:
        return -1, at
    scale = min(max(exponent - decimals, -_LARGEST_SCALE), _LARGEST_SCALE)
    number = number * 10.0**scale if scale >= 0 else number / 10.0**-scale
    return nb.i8(min(number, _MOST_I2)), at


@part
def usual_number(data, start, end):  # type: ignore[no-untyped-def]
    """Read a number of one to three digits, or a dot as -1; -4 if it is something else."""
    last = nb.i8(data[end - 1]) - ZERO
    if end - start == 2:
        tens = nb.i8(data[start]) - ZERO
        usual = (nb.u8(tens) < 10) & (nb.u8(last) < 10)
        return 10 * tens + last if usual else NOT_USUAL
    if end - start == 1:
        return last if nb.u8(last) < 10 else (-1 if last == DOT - ZERO else NOT_USUAL)
    if end - start != 3:
        return NOT_USUAL
    hundreds, tens = nb.i8(data[start]) - ZERO, nb.i8(data[start + 1]) - ZERO
    usual = (nb.u8(hundreds) < 10) & (nb.u8(tens) < 10) & (nb.u8(last) < 10)
    return 100 * hundreds + 10 * tens + last if usual else NOT_USUAL


@part
def het_alt_reads(data, at, a, b):  # type: ignore[no-untyped-def]
    """Read AD of a call a/b: the reads of its least supported ALT, -1 if missing; and its end."""
    least, found, number = _MOST_I2, 0, 0
    while True:
        value, first = -1, at
        while not ends_field(data, at) and data[at] != COMMA:
            byte = data[at]
            if ZERO <= byte <= NINE and (at == first or data[first] != DOT):
                value = min(max(value, 0) * 10 + nb.i8(byte) - ZERO, _MOST_I2)
            elif byte != DOT or at > first:
                return JUNK, at
            at += 1
        if number > 0 and (number == a or number == b):
            least = min(least, value)
            found += 1
        if data[at] != COMMA:
            break
        number += 1
        at += 1
    return least if found == (1 if a == 0 or b == 0 else 2) else -1, at
