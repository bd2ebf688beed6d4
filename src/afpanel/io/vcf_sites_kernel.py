"""A compiled look at every byte of the lines of a sites VCF: whether they hold anything but what such a line may."""

import numba as nb
import numpy as np

from afpanel.core.compiled import (
    I8,
    READ_I8,
    READ_U1,
    compiled,
    equal64,
    load8,
    part,
    trailing_zeros,
)

GOOD, NOT_EIGHT, CHROM, POS, ID, ALLELE, QUAL, FILTER, KEY, FIGURE = range(10)
"""What is wrong with a line, if anything is."""

_TAB, _LINE, _SEMICOLON, _EQUALS, _DOT = 9, 10, 59, 61, 46
_PLUS, _MINUS, _ZERO, _NINE, _BIG_E, _SMALL_E = 43, 45, 48, 57, 69, 101
_LONGEST_NUMBER, _LONGEST_POSITION = 24, 10


@part
def _find(text, start, end, data, offsets, guess):  # type: ignore[no-untyped-def]
    """Find a text in a list, at a guessed place first; -1 is none."""
    n = len(offsets) - 1
    for k in range(-1, n):
        which = guess if k < 0 else k
        if which >= n or offsets[which + 1] - offsets[which] != end - start:
            continue
        same = True
        for i in range(end - start):
            if text[start + i] != data[offsets[which] + i]:
                same = False
                break
        if same:
            return which
    return np.int64(-1)


@part
def _is_missing(text, start, end):  # type: ignore[no-untyped-def]
    return end - start == 1 and text[start] == _DOT


@part
def _is_number(text, start, end):  # type: ignore[no-untyped-def]
    if end - start < 1 or end - start > _LONGEST_NUMBER:
        return False
    at = start
    if text[at] == _MINUS:
        at += 1
    digits = 0
    while at < end and _ZERO <= text[at] <= _NINE:
        at += 1
        digits += 1
    if at < end and text[at] == _DOT:
        at += 1
        while at < end and _ZERO <= text[at] <= _NINE:
            at += 1
            digits += 1
    if digits and at < end and (text[at] == _SMALL_E or text[at] == _BIG_E):
        at += 1
        if at < end and (text[at] == _PLUS or text[at] == _MINUS):
            at += 1
        digits = 0
        while at < end and _ZERO <= text[at] <= _NINE:
            at += 1
            digits += 1
    return digits > 0 and at == end


@part
def _is_integer(text, start, end):  # type: ignore[no-untyped-def]
    if end - start < 1 or end - start > _LONGEST_POSITION:
        return False
    for i in range(start, end):
        if not _ZERO <= text[i] <= _NINE:
            return False
    return True


@part
def _is_allele(text, start, end, bases):  # type: ignore[no-untyped-def]
    for i in range(start, end):
        if not bases[text[i]]:
            return False
    return end > start


@part
def _is_id(text, line, start, end):  # type: ignore[no-untyped-def]
    """Tell whether an ID is the contig, the position, REF and ALT of its line, with dashes between."""
    at, column = line, 0
    i = start
    n = len(text)
    while column < 5:
        stop = at
        while stop < n and text[stop] != _TAB and text[stop] != _LINE:
            stop += 1
        if column != 2:
            if column:
                if i >= end or text[i] != _MINUS:
                    return False
                i += 1
            if i + stop - at > end:
                return False
            for k in range(stop - at):
                if text[i + k] != text[at + k]:
                    return False
            i += stop - at
        if column < 4 and (stop >= n or text[stop] != _TAB):
            return False
        at = stop + 1
        column += 1
    return i == end


@part
def _plain_number(text, start, end):  # type: ignore[no-untyped-def]
    """Give the place after digits that may have a dot among them, or after a lone dot; `_is_number` knows the others."""
    at = start
    stop = min(end, start + _LONGEST_NUMBER)
    while at < stop and _ZERO <= text[at] <= _NINE:
        at += 1
    if at < stop and text[at] == _DOT:
        at += 1
        while at < stop and _ZERO <= text[at] <= _NINE:
            at += 1
    return at


@part
def _is_key(text, at, end, data, begin, size):  # type: ignore[no-untyped-def]
    """Tell whether a key, and then an equals sign, come next."""
    if at + size >= end or text[at + size] != _EQUALS:
        return False
    i = np.int64(0)
    while i + 8 <= size:
        if load8(text, at + i) != load8(data, begin + i):
            return False
        i += 8
    while i < size:
        if text[at + i] != data[begin + i]:
            return False
        i += 1
    return True


@part
def _end_of_column(text, start, end):  # type: ignore[no-untyped-def]
    """Find the next tab or end of a line."""
    at = start
    while at + 64 <= end:
        found = equal64(text, at, nb.u1(_TAB)) | equal64(text, at, nb.u1(_LINE))
        if found:
            return at + np.int64(trailing_zeros(found))
        at += 64
    while at < end and text[at] != _TAB and text[at] != _LINE:
        at += 1
    return at


@part
def _info(text, start, end, keys, key_offsets, is_name, groups, group_offsets):  # type: ignore[no-untyped-def]
    at = start
    guess = np.int64(0)
    while True:
        if guess < len(key_offsets) - 1:
            # Most often the key after the last one, and a plain number.
            begin = key_offsets[guess]
            size = key_offsets[guess + 1] - begin
            if not is_name[guess] and _is_key(text, at, end, keys, begin, size):
                stop = _plain_number(text, at + size + 1, end)
                if stop > at + size + 1 and (stop == end or text[stop] == _SEMICOLON):
                    if stop == end:
                        return GOOD
                    at = stop + 1
                    guess += 1
                    continue
        equals = at
        while equals < end and text[equals] != _EQUALS and text[equals] != _SEMICOLON:
            equals += 1
        key = _find(text, at, equals, keys, key_offsets, guess)
        if key < 0 or equals == end or text[equals] != _EQUALS:
            return KEY
        guess = key + 1
        stop = equals + 1
        while stop < end and text[stop] != _SEMICOLON:
            stop += 1
        if not _is_missing(text, equals + 1, stop):
            if is_name[key]:
                if _find(text, equals + 1, stop, groups, group_offsets, np.int64(0)) < 0:
                    return FIGURE
            elif not _is_number(text, equals + 1, stop):
                return FIGURE
        if stop >= end:
            return GOOD
        at = stop + 1


@compiled(
    nb.i8(
        READ_U1, READ_U1, READ_U1, READ_I8, READ_U1, READ_I8, READ_U1, READ_U1, READ_I8, READ_U1,
        READ_I8, I8,
    )
)  # fmt: skip
def check_lines(  # type: ignore[no-untyped-def]
    text, bases, contigs, contig_offsets, filters, filter_offsets, is_name, keys, key_offsets,
    groups, group_offsets, faults,
):  # fmt: skip
    """Look at whole lines.

    Parameters
    ----------
    text
        (bytes,) uint8, lines with their ends.
    bases
        (256,) uint8: which bytes an allele may have.
    contigs, filters, keys, groups
        Names end to end, each with (names + 1,) int64 offsets: of contigs, of FILTER values, of INFO keys, and of
        groups.
    is_name
        (keys,) uint8: which keys have the name of a group as their value.
    faults
        (10, 2) flat int64: of each fault how many lines have it, and the first, counted from 0.

    Returns
    -------
    int
        Number of lines.
    """
    at = np.int64(0)
    line = np.int64(0)
    contig = np.int64(0)
    n = len(text)
    while at < n:
        column = 0
        begin = name = name_end = at
        fault = GOOD
        while True:
            end = _end_of_column(text, at, n)
            is_last = end >= n or text[end] == _LINE
            if fault == GOOD:
                if column == 0:
                    found = _find(text, at, end, contigs, contig_offsets, contig)
                    if found < 0:
                        fault = CHROM
                    else:
                        contig = found
                elif column == 1 and not _is_integer(text, at, end):
                    fault = POS
                elif column == 2:
                    name, name_end = at, end
                elif (column == 3 or column == 4) and not _is_allele(text, at, end, bases):
                    fault = ALLELE
                elif column == 5:
                    if not _is_id(
                        text, begin, name, name_end
                    ):  # after alleles, which it is made of
                        fault = ID
                    elif not _is_missing(text, at, end):
                        fault = QUAL
                elif column == 6:
                    if _find(text, at, end, filters, filter_offsets, np.int64(0)) < 0:
                        fault = FILTER
                elif column == 7:
                    fault = _info(text, at, end, keys, key_offsets, is_name, groups, group_offsets)
            column += 1
            at = end + 1
            if is_last:
                break
        if column != 8:
            fault = NOT_EIGHT
        if fault != GOOD:
            if faults[2 * fault] == 0:
                faults[2 * fault + 1] = line
            faults[2 * fault] += 1
        line += 1
    return line
