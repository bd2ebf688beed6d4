"""A compiled loop that reads the figures of a release's VCF: lines of one layout, byte by byte, and nothing else."""

import numba as nb
import numpy as np

from afpanel.core.compiled import READ_I8, READ_U1, U1, compiled, load8, part

INTEGER, FLOAT, NAME = range(3)
"""Kinds of values."""

GOOD, CHROM, POS, ID, ALLELE, QUAL, FILTER, KEY, FIGURE, END = range(10)
"""What is wrong with a line, if anything is."""

AT, ROW, FAULT, PLACE, UNSURE = range(5)
"""What `progress` holds: where to go on in the text; rows that are filled; what is wrong; the number of the key
where it is; how many fractions are left to be read otherwise."""

SLACK = 64
"""Bytes that must follow the lines: several are read at a time."""

_TAB, _LINE, _SEMICOLON, _DOT, _MINUS, _PLUS = 9, 10, 59, 46, 45, 43
_DASH = _MINUS
_ZERO, _NINE, _SMALL_E = 48, 57, 101
_MOST = np.uint64(2**31 - 1)
_EXACT_DIGITS, _LONGEST, _EXPONENT_DIGITS = 19, 40, 3
LARGEST_POWER = 64
_LEAST_NORMAL, _GREATEST = 1.1754943508222875e-38, 3.4e38
_LOW_BITS, _MIDDLE, _NEAR = np.uint64(2**29 - 1), np.int64(2**28), np.int64(8)


@part
def _is(text, at, names, start, size):  # type: ignore[no-untyped-def]
    for i in range(size):
        if text[at + i] != names[start + i]:
            return False
    return True


@part
def _name(text, at, end, names, offsets, guess):  # type: ignore[no-untyped-def]
    """Find a text in a list, at a guessed place first; -1 is none."""
    n = len(offsets) - 1
    for k in range(-1, n):
        which = guess if k < 0 else k
        if offsets[which + 1] - offsets[which] == end - at and _is(
            text, at, names, offsets[which], end - at
        ):
            return which
    return np.int64(-1)


@part
def _end_of(text, at, separator):  # type: ignore[no-untyped-def]
    """Go on to a separator, or to the end of the line."""
    while text[at] != separator and text[at] != _LINE:
        at += 1
    return at


@part
def _matches(text, at, words, masks, first, last):  # type: ignore[no-untyped-def]
    """Tell whether a key stands here, eight bytes at a time."""
    for i in range(first, last):
        if load8(text, at) & masks[i] != words[i]:
            return False
        at += 8
    return True


@part
def _is_id(text, at, end, start, stop, alleles):  # type: ignore[no-untyped-def]
    """Tell whether an ID is what stands from `start` to `stop`, CHROM and POS, and REF and ALT, with dashes between."""
    sizes = stop - start, alleles[1] - alleles[0], alleles[3] - alleles[2]
    if end - at != sizes[0] + sizes[1] + sizes[2] + 2:
        return False
    for i in range(sizes[0]):
        letter = text[start + i]
        if text[at + i] != (_DASH if letter == _TAB else letter):
            return False
    at += sizes[0]
    for i in range(2):
        if text[at] != _DASH or not _is(text, at + 1, text, alleles[2 * i], sizes[i + 1]):
            return False
        at += 1 + sizes[i + 1]
    return True


@part
def _whole_number(text, at):  # type: ignore[no-untyped-def]
    """Read digits; gives the number and where they end, or -1 if they are none of 32 bits."""
    value = np.uint64(0)
    start = at
    while _ZERO <= text[at] <= _NINE:
        value = value * np.uint64(10) + np.uint64(text[at] - _ZERO)
        at += 1
    if at == start or at - start > 10 or value > _MOST:
        return np.int64(-1), at
    return np.int64(value), at


@part
def _fraction(text, at, powers, bits_of):  # type: ignore[no-untyped-def]
    """Read a fraction to the nearest number of 32 bits.

    It is worked out in 64 bits, which is off by less than three units of their last place: enough unless it is
    next to the middle between two numbers of 32 bits. `bits_of` is a number of 64 bits and its bits.

    Returns
    -------
    float, int, int
        The number; where it ends; 1 if it is sure, 0 if it has to be read otherwise, -1 if it is none.
    """
    start = at
    is_negative = text[at] == _MINUS
    if is_negative:
        at += 1
    mantissa = np.uint64(0)
    digits, power = np.int64(0), np.int64(0)
    first = at
    while _ZERO <= text[at] <= _NINE:
        mantissa = mantissa * np.uint64(10) + np.uint64(text[at] - _ZERO)
        at += 1
    digits = at - first
    if text[at] == _DOT and digits:
        at += 1
        first = at
        while _ZERO <= text[at] <= _NINE:
            mantissa = mantissa * np.uint64(10) + np.uint64(text[at] - _ZERO)
            at += 1
        power = first - at
        digits -= power
    good = digits > 0
    if text[at] == _SMALL_E and good:
        at += 1
        below = text[at] == _MINUS
        if below or text[at] == _PLUS:
            at += 1
        first = at
        exponent = np.int64(0)
        while _ZERO <= text[at] <= _NINE and at - first <= _EXPONENT_DIGITS:
            exponent = exponent * 10 + np.int64(text[at] - _ZERO)
            at += 1
        good = 0 < at - first <= _EXPONENT_DIGITS
        power += -exponent if below else exponent
    if not good or at - start > _LONGEST:
        return np.float32(0), at, np.int64(-1)
    if mantissa == np.uint64(0) and digits <= _EXACT_DIGITS:
        return np.float32(-0.0) if is_negative else np.float32(0), at, np.int64(1)
    if digits > _EXACT_DIGITS or abs(power) > LARGEST_POWER:
        return np.float32(0), at, np.int64(0)
    value = np.float64(mantissa)
    value = value / powers[-power] if power < 0 else value * powers[power]
    value = -value if is_negative else value
    bits_of[0] = value
    low = np.int64(bits_of.view(np.uint64)[0] & _LOW_BITS)
    sure = _LEAST_NORMAL < abs(value) < _GREATEST and abs(low - _MIDDLE) > _NEAR
    return np.float32(value), at, np.int64(sure)


@compiled(
    nb.void(
        READ_U1, nb.i8, READ_U1, READ_I8, READ_U1, READ_I8, READ_U1, READ_I8,
        nb.types.Array(nb.u8, 1, "C", readonly=True), nb.types.Array(nb.u8, 1, "C", readonly=True),
        READ_I8, READ_I8, READ_U1, READ_I8, READ_I8, nb.types.Array(nb.f8, 1, "C", readonly=True),
        nb.i4[::1], nb.i2[::1], U1, nb.i8[:, ::1], nb.i4[::1], nb.f4[::1], nb.i2[::1], nb.i8[:, ::1],
        nb.f8[::1], nb.i8[::1],
    )
)  # fmt: skip
def read_lines(  # type: ignore[no-untyped-def]
    text, end, contigs, contig_offsets, filters, filter_offsets, names, name_offsets, words, masks,
    key_words, key_sizes, kinds, bases, strides, powers, position, contig, filter_, alleles,
    integers, floats, codes, unsure, bits_of, progress,
):  # fmt: skip
    """Read whole lines until they end, or the rows are full, or something is wrong.

    Parameters
    ----------
    text, end
        (bytes,) uint8; where the last whole line ends. `SLACK` bytes follow.
    contigs, contig_offsets, filters, filter_offsets, names, name_offsets
        Names end to end, each with (names + 1,) int64 offsets: of contigs, of FILTER values, and of those that
        values of INFO can be.
    words, masks, key_words, key_sizes
        The keys of INFO, each with what stands before and after it: as numbers of eight bytes, and which bits of
        these count; (k + 1,) int64, the first number of each; (k,) int64, their bytes.
    kinds, bases, strides
        (k,) each: the kind of a key's values, and where they go in the flat `integers`, `floats` or `codes`: that of
        row r to base + r * stride.
    powers
        Powers of ten from 0 to `LARGEST_POWER`, (powers,) float64.
    position, contig, filter_
        (n,) int32, int16 and uint8, written: POS, and which name CHROM and FILTER are.
    alleles
        (n, 4) int64, written: where REF and ALT begin and end in this text.
    integers, floats, codes
        Written; -1, what was there before, and -1 where a value is missing.
    unsure
        (m, 3) int64, written: fractions that are left to be read otherwise, by where they begin and end in this
        text and where they go in `floats`. If there is room for no more, it stops before that line.
    bits_of
        (1,) float64: to look at the bits of a number.
    progress
        (5,) int64, changed: see `AT` and those after it.
    """
    at, row, n_keys = progress[AT], progress[ROW], len(kinds)
    found = progress[UNSURE]
    guess, group = np.int64(0), np.int64(0)
    while at < end and row < len(position):
        if found + n_keys > len(unsure):
            break
        start = at
        fault, place = GOOD, np.int64(-1)
        stop = _end_of(text, at, _TAB)
        guess = _name(text, at, stop, contigs, contig_offsets, guess)
        if guess < 0:
            fault, guess = CHROM, np.int64(0)
        contig[row] = guess
        if text[stop] == _TAB:
            value, stop = _whole_number(text, stop + 1)
            position[row] = value
            if (value < 0 or text[stop] != _TAB) and fault == GOOD:
                fault = POS
        elif fault == GOOD:
            fault = POS
        before_id = after_id = stop
        if fault == GOOD:
            stop = after_id = _end_of(text, stop + 1, _TAB)
            if text[stop] != _TAB:
                fault = ALLELE
        if fault == GOOD:
            for i in range(2):
                first = stop + 1
                stop = _end_of(text, first, _TAB)
                alleles[row, 2 * i] = first
                alleles[row, 2 * i + 1] = stop
                if stop == first or text[stop] != _TAB:
                    fault = ALLELE
                    break
        if fault == GOOD and not _is_id(
            text, before_id + 1, after_id, start, before_id, alleles[row]
        ):
            fault = ID
        if fault == GOOD and not (text[stop + 1] == _DOT and text[stop + 2] == _TAB):
            fault = QUAL
        if fault == GOOD:
            first = stop + 3
            stop = _end_of(text, first, _TAB)
            which = _name(text, first, stop, filters, filter_offsets, np.int64(0))
            if which < 0:
                fault = FILTER
            filter_[row] = max(which, np.int64(0))
        if fault != GOOD:
            progress[FAULT], progress[PLACE] = fault, place
            at = start
            break
        at = stop
        for k in range(n_keys):
            if not _matches(text, at, words, masks, key_words[k], key_words[k + 1]):
                fault, place = KEY, np.int64(k)
                break
            at += key_sizes[k]
            to = bases[k] + row * strides[k]
            is_missing = text[at] == _DOT
            if kinds[k] == INTEGER:
                if is_missing:
                    integers[to] = -1
                    at += 1
                else:
                    value, at = _whole_number(text, at)
                    if value < 0:
                        fault, place = FIGURE, np.int64(k)
                        break
                    integers[to] = value
            elif is_missing:
                at += 1
            elif kinds[k] == FLOAT:
                first = at
                number, at, sure = _fraction(text, first, powers, bits_of)
                if sure < 0:
                    fault, place = FIGURE, np.int64(k)
                    break
                floats[to] = number
                if sure == 0:
                    unsure[found, 0], unsure[found, 1], unsure[found, 2] = first, at, to
                    found += 1
            else:
                stop = _end_of(text, at, _SEMICOLON)
                which = _name(text, at, stop, names, name_offsets, group)
                if which < 0:
                    fault, place = FIGURE, np.int64(k)
                    break
                codes[to] = group = which
                at = stop
        if fault == GOOD and text[at] != _LINE:
            fault = END
        if fault != GOOD:
            progress[FAULT], progress[PLACE] = fault, place
            at = start
            break
        at += 1
        row += 1
    progress[AT], progress[ROW], progress[UNSURE] = at, row, found
