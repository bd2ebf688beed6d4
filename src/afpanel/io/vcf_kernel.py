"""Compiled loops over the bytes of VCF text: where columns are, and what calls say.

A scan goes over whole lines of one contig and fills rows of arrays; it stops where a line cannot be
used, and says why. No object is made per variant or sample.
"""

from enum import IntEnum

import numba as nb

from afpanel.core.compiled import I4, I8, READ_I4, READ_U1, compiled, load8, trailing_zeros
from afpanel.model.region import OPEN_END

COLUMNS = 10
"""Columns whose place is noted: CHROM to FORMAT, and the first sample."""

PAD = 16
"""Bytes that must be readable after the last line."""


class Fault(IntEnum):
    """Why a scan stopped before the end."""

    NONE, FEW_COLUMNS, MANY_COLUMNS, POSITION, GENOTYPE, ALLELE, POLYPLOID = range(7)
    GT_NOT_FIRST, WIDE, NUMBER, PAST, CONTIG, EMPTY_ALLELE = range(7, 13)


# The same as plain numbers, for compiled code.
_NONE, _FEW_COLUMNS, _MANY_COLUMNS, _POSITION, _GENOTYPE, _ALLELE, _POLYPLOID = range(7)
_GT_NOT_FIRST, _WIDE, _NUMBER, _PAST, _CONTIG, _EMPTY_ALLELE = range(7, 13)

_TAB, _NEWLINE, _RETURN, _COLON, _COMMA, _DOT, _HASH, _MINUS = 9, 10, 13, 58, 44, 46, 35, 45
_SLASH, _BAR, _ZERO, _NINE = 47, 124, 48, 57
_TWO_REF_PHASED = int.from_bytes(b"0|0\t0|0\t", "little")
_TWO_REF = int.from_bytes(b"0/0\t0/0\t", "little")
_JUNK = -3
_MANY = 100_000  # an allele number past any that is true
_MOST_I2 = 32_767
_POS_DIGITS = 10
_PAIR = nb.types.UniTuple(nb.i8, 2)
_TRIPLE = nb.types.UniTuple(nb.i8, 3)
_LOW = 0x0101010101010101
_HIGH = 0x8080808080808080


@compiled(nb.i8, READ_U1, nb.i8)
def _field_end(data, at):  # type: ignore[no-untyped-def]
    """Find the next tab, newline or carriage return; one must come."""
    while True:
        word = load8(data, at)
        tab = word ^ nb.u8(_LOW * 9)
        low = word ^ nb.u8(_LOW * 10)
        found = ((tab - nb.u8(_LOW)) & ~tab | (low - nb.u8(_LOW)) & ~low) & nb.u8(_HIGH)
        if found:
            end = at + nb.i8(trailing_zeros(found) >> nb.u8(3))
            if data[end] == _NEWLINE and end > at and data[end - 1] == _RETURN:
                return end - 1
            return end
        at += 8


@compiled(nb.types.UniTuple(nb.i8, 4), READ_U1, nb.i8, nb.i8)
def _format_places(data, start, end):  # type: ignore[no-untyped-def]
    """Find where GT, GQ, DP and AD stand in FORMAT, from 0; -1 for one that it does not have."""
    gt = gq = dp = ad = -1
    number = 0
    at = start
    while at < end:
        stop = at
        while stop < end and data[stop] != _COLON:
            stop += 1
        if stop - at == 2:
            if data[at] == 71 and data[at + 1] == 84:  # GT
                gt = number
            elif data[at] == 71 and data[at + 1] == 81:  # GQ
                gq = number
            elif data[at] == 68 and data[at + 1] == 80:  # DP
                dp = number
            elif data[at] == 65 and data[at + 1] == 68:  # AD
                ad = number
        number += 1
        at = stop + 1
    return gt, gq, dp, ad


@compiled(nb.i8, READ_U1, nb.i8)
def _line_end(data, at):  # type: ignore[no-untyped-def]
    """Find the start of the next line."""
    while data[at] != _NEWLINE:
        at += 1
    return at + 1


@compiled(nb.b1, nb.u1)
def _ends_field(byte):  # type: ignore[no-untyped-def]
    """Tell whether a byte ends a field of a call."""
    return byte == _TAB or byte == _COLON or byte == _NEWLINE or byte == _RETURN


@compiled(_PAIR, READ_U1, nb.i8)
def _allele(data, at):  # type: ignore[no-untyped-def]
    """Read an allele of GT: its number, -1 for a dot or -3 for junk; and the byte after it."""
    if data[at] == _DOT:
        return -1, at + 1
    if not _ZERO <= data[at] <= _NINE:
        return _JUNK, at
    value = 0
    while _ZERO <= data[at] <= _NINE:
        value = min(value * 10 + nb.i8(data[at]) - _ZERO, _MANY)
        at += 1
    return value, at


@compiled(_PAIR, READ_U1, nb.i8)
def _whole_number(data, at):  # type: ignore[no-untyped-def]
    """Read GQ or DP: its whole part, -1 where it is missing or negative or -3 for junk; and its end."""
    first, value, whole = at, 0, True
    while not _ends_field(data[at]):
        byte = data[at]
        if _ZERO <= byte <= _NINE:
            if whole:
                value = min(value * 10 + nb.i8(byte) - _ZERO, _MOST_I2)
        elif byte == _DOT or byte == _MINUS:
            whole = False
        else:
            return _JUNK, at
        at += 1
    if at == first or data[first] == _DOT or data[first] == _MINUS:
        return -1, at
    return value, at


@compiled(_PAIR, READ_U1, nb.i8, nb.i8, nb.i8)
def _het_alt_reads(data, at, a, b):  # type: ignore[no-untyped-def]
    """Read AD of a call a/b: the reads of its least supported ALT, -1 if missing; and its end."""
    least, found, number = _MOST_I2, 0, 0
    while True:
        value = -1
        while not _ends_field(data[at]) and data[at] != _COMMA:
            byte = data[at]
            if _ZERO <= byte <= _NINE:
                value = min(max(value, 0) * 10 + nb.i8(byte) - _ZERO, _MOST_I2)
            elif byte != _DOT:
                return _JUNK, at
            at += 1
        if number > 0 and (number == a or number == b):
            least = min(least, value)
            found += 1
        if data[at] != _COMMA:
            break
        number += 1
        at += 1
    return least if found == (1 if a == 0 or b == 0 else 2) else -1, at


@compiled(nb.i8, READ_U1, nb.i8, nb.i8)
def _position(data, start, end):  # type: ignore[no-untyped-def]
    """Read POS; -1 if it is none."""
    if start == end or end - start > _POS_DIGITS:
        return -1
    value = 0
    for p in range(start, end):
        if not _ZERO <= data[p] <= _NINE:
            return -1
        value = value * 10 + nb.i8(data[p]) - _ZERO
    return value if value <= OPEN_END else -1


@compiled(nb.i8, READ_U1, nb.i8, nb.i8)
def _count_alleles(data, start, end):  # type: ignore[no-untyped-def]
    """Count the alleles of a record, REF and what ALT lists; -1 if one has no letter."""
    if end - start == 1 and data[start] == _DOT:
        return 1
    alleles = 2
    empty = True
    for p in range(start, end):
        if data[p] == _COMMA:
            if empty:
                return -1
            alleles += 1
            empty = True
        else:
            empty = False
    return -1 if empty else alleles


@compiled(nb.b1, READ_U1, nb.i8, nb.i8, READ_U1)
def _equals(data, start, end, text):  # type: ignore[no-untyped-def]
    if end - start != len(text):
        return False
    for j in range(len(text)):
        if data[start + j] != text[j]:
            return False
    return True


_FIELD_2D = nb.i2[:, ::1]
_PLACES = nb.types.UniTuple(nb.i8, 4)
_WIDTHS = (nb.i1, nb.i2)


@nb.njit(
    [
        _TRIPLE(
            READ_U1, nb.i8, READ_I4, nb.b1, nb.b1, _PLACES, nb.i8, nb.i8, nb.i8,
            allele[:, :, ::1], _FIELD_2D, _FIELD_2D, _FIELD_2D,
        )
        for allele in _WIDTHS
    ],
    cache=True,
    nogil=True,
)  # fmt: skip
def _scan_calls(  # type: ignore[no-untyped-def]
    data, at, column, everyone, gt_only, places, alleles, most_alleles, row,
    genotype, gq, dp, het_alt_ad,
):  # fmt: skip
    """Read the calls of a line; returns the start of the next line, or byte, fault and sample."""
    gt_at, gq_at, dp_at, ad_at = places
    want_gq, want_dp, want_ad = len(gq) > 0, len(dp) > 0, len(het_alt_ad) > 0
    last_field = max(gq_at if want_gq else 0, dp_at if want_dp else 0, ad_at if want_ad else 0)
    n_columns = len(column)
    s = 0
    ended = False
    while s < n_columns:
        if gt_only and everyone:
            # Most calls are 0|0: two of them are one comparison of eight bytes.
            while s + 2 < n_columns:
                word = load8(data, at)
                if word != nb.u8(_TWO_REF_PHASED) and word != nb.u8(_TWO_REF):
                    break
                genotype[row, s, 0] = genotype[row, s, 1] = 0
                genotype[row, s + 1, 0] = genotype[row, s + 1, 1] = 0
                s += 2
                at += 8
        if ended:
            return at, _FEW_COLUMNS, s
        out = column[s]
        if out < 0:
            at = _field_end(data, at)
        else:
            a = b = nb.i8(-2)
            if gt_at < 0:
                a = b = nb.i8(-1)
            else:
                a, at = _allele(data, at)
                if data[at] == _BAR or data[at] == _SLASH:
                    b, at = _allele(data, at + 1)
                    if data[at] == _BAR or data[at] == _SLASH:
                        return at, _POLYPLOID, s
                if a == _JUNK or b == _JUNK or not _ends_field(data[at]):
                    return at, _GENOTYPE, s
                if max(a, b) >= alleles:
                    return at, _ALLELE, s
                if max(a, b) >= most_alleles:
                    return at, _WIDE, s
            genotype[row, out, 0] = a
            genotype[row, out, 1] = b
            if want_gq:
                gq[row, out] = -1
            if want_dp:
                dp[row, out] = -1
            if want_ad:
                het_alt_ad[row, out] = -1
            field = 0
            while gt_at == 0 and data[at] == _COLON and field < last_field:
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
                    return at, _NUMBER, s
            if not (data[at] == _TAB or data[at] == _NEWLINE):
                at = _field_end(data, at)
        s += 1
        if data[at] == _TAB:
            at += 1
        else:
            ended = True
    if not ended:
        return at, _MANY_COLUMNS, s
    return _line_end(data, at), _NONE, s


@nb.njit(
    [
        nb.i8(
            READ_U1, nb.i8, nb.i8, READ_I4, READ_U1, nb.b1, nb.i8, nb.i8, nb.i8, nb.i8, nb.i8,
            I4, nb.i8[:, ::1], allele[:, :, ::1], _FIELD_2D, _FIELD_2D, _FIELD_2D, I8,
        )
        for allele in _WIDTHS
    ],
    cache=True,
    nogil=True,
)  # fmt: skip
def scan(  # type: ignore[no-untyped-def]
    data, start, stop, column, contig, everyone, first_position, last_position, most_alleles,
    row, rows, position, bounds, genotype, gq, dp, het_alt_ad, report,
):  # fmt: skip
    """Read whole lines of one contig; returns the row after the last that was filled.

    Parameters
    ----------
    data, start, stop
        (bytes,) uint8, and the part of it to read: whole lines, with `PAD` bytes after them.
    column
        (columns,) int32: for each sample column, the sample's place in the arrays; -1 is not read.
    contig
        (bytes,) uint8: the scan stops before a line of another contig.
    everyone
        Whether every sample column is read, in order.
    first_position, last_position
        Lines before the first are passed over; the scan stops before a line past the last.
    most_alleles
        Alleles that the dtype of `genotype` can number.
    row, rows
        First row to fill, and how many the arrays have.
    position, bounds
        (rows,) int32 POS, and (rows, `COLUMNS`) int64 where columns start.
    genotype, gq, dp, het_alt_ad
        (rows, samples, 2) int8 or int16, and (rows, samples) int16; an empty one is not filled.
    report
        (4,) int64, receives: next byte, fault, byte of the fault, sample of the fault.
    """
    report[1] = _NONE
    # A file without samples may end its lines after INFO.
    n_fixed = COLUMNS - 1 if len(column) else COLUMNS - 3
    at = start
    while at < stop and row < rows:
        line = at
        report[0] = line
        if (
            data[at] == _HASH
            or data[at] == _NEWLINE
            or (data[at] == _RETURN and data[at + 1] == _NEWLINE)
        ):
            at = _line_end(data, at)
            report[0] = at
            continue
        for c in range(n_fixed):
            bounds[row, c] = at
            at = _field_end(data, at)
            if data[at] != _TAB:
                report[1], report[2], report[3] = _FEW_COLUMNS, at, c
                return row
            at += 1
        bounds[row, n_fixed] = at
        if not _equals(data, line, bounds[row, 1] - 1, contig):
            report[1] = _CONTIG
            return row
        value = _position(data, bounds[row, 1], bounds[row, 2] - 1)
        if value < 0:
            report[1], report[2] = _POSITION, bounds[row, 1]
            return row
        if value > last_position:
            report[1] = _PAST
            return row
        if value < first_position:
            at = _line_end(data, at)
            report[0] = at
            continue
        position[row] = value
        alleles = _count_alleles(data, bounds[row, 4], bounds[row, 5] - 1)
        if alleles < 0 or bounds[row, 4] - 1 == bounds[row, 3]:
            report[1], report[2] = _EMPTY_ALLELE, bounds[row, 3]
            return row
        if len(column) == 0:
            at = _line_end(data, at)
        else:
            form, form_end = bounds[row, COLUMNS - 2], bounds[row, COLUMNS - 1] - 1
            places = _format_places(data, form, form_end)
            if places[0] > 0:
                report[1], report[2] = _GT_NOT_FIRST, form
                return row
            at, fault, sample = _scan_calls(
                data, at, column, everyone, places[0] == 0 and form_end - form == 2, places,
                alleles, most_alleles, row, genotype, gq, dp, het_alt_ad,
            )  # fmt: skip
            if fault != _NONE:
                report[1], report[2], report[3] = fault, at, sample
                return row
        row += 1
        report[0] = at
    return row
