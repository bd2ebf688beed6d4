"""Compiled loops over the bytes of VCF text: where columns are, and what calls say.

A scan goes over whole lines of one contig and fills rows of arrays; it stops where a line cannot be
used, and says why. No object is made per variant or sample.
"""

from enum import IntEnum

import numba as nb

from afpanel.core.compiled import I4, I8, READ_I4, READ_U1, compiled, load8, trailing_zeros

COLUMNS = 10
"""Columns whose place is noted: CHROM to FORMAT, and the first sample."""

PAD = 16
"""Bytes that must be readable after the last line."""


class Fault(IntEnum):
    """Why a scan stopped before the end."""

    NONE = 0
    FEW_COLUMNS = 1
    MANY_COLUMNS = 2
    POSITION = 3
    GENOTYPE = 4
    ALLELE = 5
    POLYPLOID = 6
    GT_NOT_FIRST = 7
    WIDE = 8
    NUMBER = 9
    PAST = 10
    CONTIG = 11


_NONE = 0
_FEW_COLUMNS, _MANY_COLUMNS, _POSITION, _GENOTYPE = 1, 2, 3, 4
_ALLELE, _POLYPLOID, _GT_NOT_FIRST, _WIDE, _NUMBER, _PAST, _CONTIG = 5, 6, 7, 8, 9, 10, 11

_TAB, _NEWLINE, _RETURN, _COLON, _COMMA, _DOT, _HASH, _MINUS = 9, 10, 13, 58, 44, 46, 35, 45
_SLASH, _BAR, _ZERO, _NINE = 47, 124, 48, 57
_TWO_REF_PHASED = int.from_bytes(b"0|0\t0|0\t", "little")
_TWO_REF = int.from_bytes(b"0/0\t0/0\t", "little")
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


_I2_2D = nb.i2[:, ::1]


_SIGNATURES = [
    nb.i8(
        READ_U1, nb.i8, nb.i8, READ_I4, READ_U1, nb.b1, nb.i8, nb.i8, nb.i8, nb.i8, nb.i8,
        I4, nb.i8[:, ::1], allele[:, :, ::1], _I2_2D, _I2_2D, _I2_2D, I8,
    )
    for allele in (nb.i1, nb.i2)
]  # fmt: skip


@nb.njit(_SIGNATURES, cache=True, nogil=True)
def scan(  # type: ignore[no-untyped-def]
    data, start, stop, column, contig, all_samples, first_position, last_position, most_alleles, row, rows,
    position, bounds, genotype, gq, dp, het_alt_ad, report,
):  # fmt: skip
    """Read whole lines of one contig from `start` to `stop`; returns the row after the last filled.

    `report` receives: next byte, fault, byte of the fault, sample of the fault.
    """
    report[1] = _NONE
    n_columns = len(column)
    want_gq, want_dp, want_ad = len(gq) > 0, len(dp) > 0, len(het_alt_ad) > 0
    at = start
    while at < stop and row < rows:
        line = at
        report[0] = line
        if data[at] == _HASH or data[at] == _NEWLINE:
            while data[at] != _NEWLINE:
                at += 1
            at += 1
            report[0] = at
            continue
        # A file without samples may end its lines after INFO.
        for c in range(COLUMNS - 1 if n_columns else COLUMNS - 3):
            bounds[row, c] = at
            at = _field_end(data, at)
            if data[at] != _TAB:
                report[1], report[2], report[3] = _FEW_COLUMNS, at, c
                return row
            at += 1
        bounds[row, COLUMNS - 1 if n_columns else COLUMNS - 3] = at
        # CHROM
        size = bounds[row, 1] - 1 - line
        same = size == len(contig)
        if same:
            for j in range(size):
                if data[line + j] != contig[j]:
                    same = False
                    break
        if not same:
            report[1] = _CONTIG
            return row
        # POS
        p = bounds[row, 1]
        value = 0
        end = bounds[row, 2] - 1
        if p == end or end - p > 10:
            report[1], report[2] = _POSITION, p
            return row
        while p < end:
            digit = nb.i8(data[p]) - _ZERO
            if digit < 0 or digit > 9:
                report[1], report[2] = _POSITION, p
                return row
            value = value * 10 + digit
            p += 1
        if value > 2147483646:
            report[1], report[2] = _POSITION, bounds[row, 1]
            return row
        if value > last_position:
            report[1] = _PAST
            return row
        if value < first_position:
            while data[at] != _NEWLINE:
                at += 1
            at += 1
            report[0] = at
            continue
        position[row] = value
        if n_columns == 0:
            while data[at] != _NEWLINE:
                at += 1
            at += 1
            row += 1
            report[0] = at
            continue
        # ALT
        p, end = bounds[row, 4], bounds[row, 5] - 1
        alleles = 1
        if not (end - p == 1 and data[p] == _DOT):
            alleles = 2
            while p < end:
                if data[p] == _COMMA:
                    alleles += 1
                p += 1
        # FORMAT
        p, end = bounds[row, 8], bounds[row, 9] - 1
        gt_at, gq_at, dp_at, ad_at = _format_places(data, p, end)
        if gt_at > 0:
            report[1], report[2] = _GT_NOT_FIRST, p
            return row
        gt_only = gt_at == 0 and end - p == 2
        last_field = 0
        if want_gq:
            last_field = max(last_field, gq_at)
        if want_dp:
            last_field = max(last_field, dp_at)
        if want_ad:
            last_field = max(last_field, ad_at)
        # samples
        s = 0
        ended = False
        while s < n_columns:
            if gt_only and all_samples:
                while s + 2 < n_columns:
                    word = load8(data, at)
                    if word != nb.u8(_TWO_REF_PHASED) and word != nb.u8(_TWO_REF):
                        break
                    genotype[row, s, 0] = 0
                    genotype[row, s, 1] = 0
                    genotype[row, s + 1, 0] = 0
                    genotype[row, s + 1, 1] = 0
                    s += 2
                    at += 8
            if ended:
                report[1], report[2], report[3] = _FEW_COLUMNS, at, s
                return row
            out = column[s]
            if out < 0:
                at = _field_end(data, at)
            elif gt_at < 0:
                genotype[row, out, 0] = -1
                genotype[row, out, 1] = -1
                if want_gq:
                    gq[row, out] = -1
                if want_dp:
                    dp[row, out] = -1
                if want_ad:
                    het_alt_ad[row, out] = -1
                at = _field_end(data, at)
            else:
                # first allele
                byte = data[at]
                a = b = -2
                if byte == _DOT:
                    a = -1
                    at += 1
                elif _ZERO <= byte <= _NINE:
                    a = nb.i8(byte) - _ZERO
                    at += 1
                    while _ZERO <= data[at] <= _NINE:
                        a = min(a * 10 + nb.i8(data[at]) - _ZERO, 100000)
                        at += 1
                else:
                    report[1], report[2], report[3] = _GENOTYPE, at, s
                    return row
                byte = data[at]
                if byte == _BAR or byte == _SLASH:
                    at += 1
                    byte = data[at]
                    if byte == _DOT:
                        b = -1
                        at += 1
                    elif _ZERO <= byte <= _NINE:
                        b = nb.i8(byte) - _ZERO
                        at += 1
                        while _ZERO <= data[at] <= _NINE:
                            b = min(b * 10 + nb.i8(data[at]) - _ZERO, 100000)
                            at += 1
                    else:
                        report[1], report[2], report[3] = _GENOTYPE, at, s
                        return row
                    byte = data[at]
                    if byte == _BAR or byte == _SLASH:
                        report[1], report[2], report[3] = _POLYPLOID, at, s
                        return row
                if byte != _TAB and byte != _COLON and byte != _NEWLINE and byte != _RETURN:
                    report[1], report[2], report[3] = _GENOTYPE, at, s
                    return row
                if a >= alleles or b >= alleles:
                    report[1], report[2], report[3] = _ALLELE, at, s
                    return row
                if a >= most_alleles or b >= most_alleles:
                    report[1], report[2], report[3] = _WIDE, at, s
                    return row
                genotype[row, out, 0] = a
                genotype[row, out, 1] = b
                if want_gq:
                    gq[row, out] = -1
                if want_dp:
                    dp[row, out] = -1
                if want_ad:
                    het_alt_ad[row, out] = -1
                field = 0
                while byte == _COLON and field < last_field:
                    field += 1
                    at += 1
                    if (want_gq and field == gq_at) or (want_dp and field == dp_at):
                        value = 0
                        first = at
                        whole = True
                        while True:
                            byte = data[at]
                            if _ZERO <= byte <= _NINE:
                                if whole:
                                    value = min(value * 10 + nb.i8(byte) - _ZERO, 32767)
                            elif byte == _DOT or byte == _MINUS:
                                whole = False
                            else:
                                break
                            at += 1
                        if byte != _TAB and byte != _COLON and byte != _NEWLINE and byte != _RETURN:
                            report[1], report[2], report[3] = _NUMBER, at, s
                            return row
                        if at == first or data[first] == _DOT or data[first] == _MINUS:
                            value = -1
                        if field == gq_at:
                            gq[row, out] = value
                        else:
                            dp[row, out] = value
                    elif want_ad and field == ad_at and a >= 0 and b >= 0 and a != b:
                        number = 0
                        least = 32767
                        found = 0
                        while True:
                            value = -1
                            while True:
                                byte = data[at]
                                if _ZERO <= byte <= _NINE:
                                    value = min(max(value, 0) * 10 + nb.i8(byte) - _ZERO, 32767)
                                elif byte != _DOT:
                                    break
                                at += 1
                            if number > 0 and (number == a or number == b):
                                least = min(least, value)
                                found += 1
                            if byte != _COMMA:
                                break
                            number += 1
                            at += 1
                        if found == (1 if a == 0 or b == 0 else 2):
                            het_alt_ad[row, out] = least
                    else:
                        while True:
                            byte = data[at]
                            if (
                                byte == _TAB
                                or byte == _COLON
                                or byte == _NEWLINE
                                or byte == _RETURN
                            ):
                                break
                            at += 1
                    byte = data[at]
                if byte == _COLON:
                    at = _field_end(data, at)
            s += 1
            if data[at] == _TAB:
                at += 1
            else:
                ended = True
        if not ended:
            report[1], report[2], report[3] = _MANY_COLUMNS, at, s
            return row
        if data[at] == _RETURN:
            at += 1
        at += 1
        row += 1
        report[0] = at
    return row
