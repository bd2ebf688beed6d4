"""Compiled loops over the lines of VCF text: where columns are, and what they say.

A scan goes over whole lines of one contig and fills rows of arrays; it stops where a line cannot be
used, and says why. No object is made per variant or sample.
"""

import numba as nb

from afpanel.core.compiled import I4, I8, READ_I4, READ_U1, compiled, part
from afpanel.io.vcf_calls import (
    CONTIG,
    EMPTY_ALLELE,
    FEW_COLUMNS,
    FIELD_TWICE,
    GT_NOT_FIRST,
    NONE,
    NUL,
    PAST,
    POSITION,
    scan_calls,
)
from afpanel.io.vcf_fields import (
    COLON,
    COMMA,
    DOT,
    HASH,
    NEWLINE,
    NINE,
    RETURN,
    TAB,
    ZERO,
    field_end,
    line_end,
)
from afpanel.model.region import OPEN_END

COLUMNS = 10
"""Columns whose place is noted: CHROM to FORMAT, and the first sample."""

PAD = 320
"""Bytes that must be readable after the last line."""

_POS_DIGITS = 10
_MIN_DP = (77, 73, 78, 95, 68, 80)
_TWICE = -2


@part
def _format_places(data, start, end, min_dp_for_dp):  # type: ignore[no-untyped-def]
    """Find where GT, GQ, DP and AD stand in FORMAT, from 0; -1 for one that it does not have.

    Where asked for, MIN_DP stands for DP if there is no DP, as in reference blocks of a gVCF.
    """
    gt = gq = dp = ad = min_dp = -1
    number = 0
    at = start
    while at < end:
        stop = at
        while stop < end and data[stop] != COLON:
            stop += 1
        if stop - at == 2:
            # GT, GQ, DP or AD; one that comes a second time is an error.
            if data[at] == 71 and data[at + 1] == 84:
                gt = _TWICE if gt != -1 else number
            elif data[at] == 71 and data[at + 1] == 81:
                gq = _TWICE if gq != -1 else number
            elif data[at] == 68 and data[at + 1] == 80:
                dp = _TWICE if dp != -1 else number
            elif data[at] == 65 and data[at + 1] == 68:
                ad = _TWICE if ad != -1 else number
        elif min_dp_for_dp and stop - at == len(_MIN_DP):
            is_min_dp = True
            for j in range(len(_MIN_DP)):
                is_min_dp &= data[at + j] == _MIN_DP[j]
            if is_min_dp:
                min_dp = _TWICE if min_dp != -1 else number
        number += 1
        at = stop + 1
    if dp == -1:
        dp = min_dp
    return gt, gq, dp, ad


@part
def _position(data, start, end):  # type: ignore[no-untyped-def]
    """Read POS; -1 if it is none."""
    if start == end or end - start > _POS_DIGITS:
        return -1
    value = 0
    for p in range(start, end):
        if not ZERO <= data[p] <= NINE:
            return -1
        value = value * 10 + nb.i8(data[p]) - ZERO
    return value if value <= OPEN_END else -1


@part
def _count_alleles(data, start, end):  # type: ignore[no-untyped-def]
    """Count the alleles of a record, REF and what ALT lists; -1 if one is empty, or a dot of several."""
    if end - start == 1 and data[start] == DOT:
        return 1
    alleles = 2
    first = start
    for p in range(start, end + 1):
        if p == end or data[p] == COMMA:
            if p == first or (p == first + 1 and data[first] == DOT):
                return -1
            alleles += p < end
            first = p + 1
    return alleles


@part
def _equals(data, start, end, text):  # type: ignore[no-untyped-def]
    if end - start != len(text):
        return False
    for j in range(len(text)):
        if data[start + j] != text[j]:
            return False
    return True


_FIELD_2D = nb.i2[:, ::1]


@compiled(
    *(
        nb.i8(
            READ_U1, nb.i8, nb.i8, READ_I4, READ_U1, nb.b1, nb.i8, nb.i8, nb.i8, nb.b1, nb.b1,
            nb.i8, nb.i8, I4, nb.i8[:, ::1], I4, allele[:, :, ::1], _FIELD_2D, _FIELD_2D, _FIELD_2D, I8, nb.i1[::1], I8,
        )
        for allele in (nb.i1, nb.i2)
    )
)  # fmt: skip
def scan(  # type: ignore[no-untyped-def]
    data, start, stop, column, contig, everyone, first_position, last_position, most_alleles,
    polyploid_missing, min_dp_for_dp, row, rows, position, bounds, polyploid, genotype, gq, dp, het_alt_ad,
    report, scratch, ends,
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
    polyploid_missing
        Whether a call of more than two alleles is taken as missing, and not refused.
    min_dp_for_dp
        Whether MIN_DP is read for DP where a record has no DP.
    row, rows
        First row to fill, and how many the arrays have.
    position, bounds
        (rows,) int32 POS, and (rows, `COLUMNS`) int64 where columns start.
    polyploid
        (rows,) int32: polyploid calls taken as missing.
    genotype, gq, dp, het_alt_ad
        (rows, samples, 2) int8 or int16, and (rows, samples) int16; an empty one is not filled.
    report
        (4,) int64, receives: next byte, fault, byte of the fault; lines gone through are added.
    scratch, ends
        (2 * `PLAIN_CALLS`,) int8 and (`FIELDS_AT_ONCE`,) int64, overwritten.
    """
    report[0], report[1] = start, NONE
    # A file without samples may end its lines after INFO.
    n_fixed = COLUMNS - 1 if len(column) else COLUMNS - 3
    at = start
    while at < stop and row < rows:
        line = at
        report[0] = line
        if (
            data[at] == HASH
            or data[at] == NEWLINE
            or (data[at] == RETURN and data[at + 1] == NEWLINE)
        ):
            at = line_end(data, at)
            report[0] = at
            report[3] += 1
            continue
        for c in range(n_fixed):
            bounds[row, c] = at
            at = field_end(data, at)
            if data[at] != TAB:
                report[1], report[2] = NUL if data[at] == 0 else FEW_COLUMNS, at
                return row
            at += 1
        bounds[row, n_fixed] = at
        if len(column) == 0:
            end = field_end(data, at)
            if data[end] == 0:
                report[1], report[2] = NUL, end
                return row
            bounds[row, n_fixed + 1] = end + 1
        if not _equals(data, line, bounds[row, 1] - 1, contig):
            report[1] = CONTIG
            return row
        value = _position(data, bounds[row, 1], bounds[row, 2] - 1)
        if value < 0:
            report[1], report[2] = POSITION, bounds[row, 1]
            return row
        if value > last_position:
            report[1] = PAST
            return row
        if value < first_position:
            at = line_end(data, at)
            report[0] = at
            report[3] += 1
            continue
        position[row] = value
        alleles = _count_alleles(data, bounds[row, 4], bounds[row, 5] - 1)
        no_ref = bounds[row, 4] - 1 == bounds[row, 3]
        if alleles < 0 or no_ref:
            report[1], report[2] = EMPTY_ALLELE, bounds[row, 3 if no_ref else 4]
            return row
        if len(column) == 0:
            at = line_end(data, at)
        else:
            form, form_end = bounds[row, COLUMNS - 2], bounds[row, COLUMNS - 1] - 1
            places = _format_places(data, form, form_end, min_dp_for_dp)
            if min(places) == _TWICE:
                report[1], report[2] = FIELD_TWICE, form
                return row
            if places[0] > 0:
                report[1], report[2] = GT_NOT_FIRST, form
                return row
            polyploid[row] = 0
            at, fault = scan_calls(
                data, at, column, everyone, places[0] == 0 and form_end - form == 2, places,
                alleles, most_alleles, polyploid_missing, row, genotype, gq, dp, het_alt_ad,
                scratch, ends, polyploid,
            )  # fmt: skip
            if fault != NONE:
                report[1], report[2] = fault, at
                return row
        row += 1
        report[0] = at
        report[3] += 1
    return row
