"""A compiled loop that writes the lines of a sites VCF, and notes where each column of each line begins."""

import numba as nb
import numpy as np

from afpanel.core.compiled import READ_I4, READ_I8, READ_U1, U1, compiled, load8, part, store8
from afpanel.core.shortest_float import LONGEST, put_float, put_integer

INTEGER, FLOAT, NAME = range(3)
"""Kinds of values."""

BEFORE_INFO = 4
"""Columns that a line has before those of INFO: the contig and the position; the same as the ID begins with them;
the alleles in the ID; the alleles, and what follows up to FILTER."""

REPEATS = (-1, 0, -1, 2)
"""Which of these a column repeats the value of, all but what stands between its parts; -1 is none."""

LONGEST_VALUE = max(LONGEST, 11)
"""Bytes that a number has at most."""

_TAB, _LINE, _DASH, _DOT = 9, 10, 45, 46
_NAN = 0x7F800000


@part
def _copy(text, at, data, start, end):  # type: ignore[no-untyped-def]
    """Copy bytes, eight at a time: both arrays have room for seven more."""
    n = end - start
    i = np.int64(0)
    while i < n:
        store8(text, at + i, load8(data, start + i))
        i += 8
    return at + n


@part
def _alleles(text, at, before, ref, ref_offsets, alt, alt_offsets, row):  # type: ignore[no-untyped-def]
    """Write REF and ALT, each with a byte before it."""
    text[at] = before
    at = _copy(text, at + 1, ref, ref_offsets[row], ref_offsets[row + 1])
    text[at] = before
    return _copy(text, at + 1, alt, alt_offsets[row], alt_offsets[row + 1])


@compiled(
    nb.i8(
        READ_I4, READ_I8, READ_U1, READ_I8, READ_U1, READ_U1, READ_U1, READ_U1, READ_I8, READ_U1,
        nb.types.Array(nb.i4, 2, "C", readonly=True), nb.types.Array(nb.u4, 2, "C", readonly=True),
        nb.types.Array(nb.i2, 2, "C", readonly=True), READ_U1, READ_I4, READ_I8, READ_U1, READ_I8,
        READ_U1, U1, nb.i4[:, ::1],
    )
)  # fmt: skip
def put_lines(  # type: ignore[no-untyped-def]
    position, ref_offsets, ref, alt_offsets, alt, contig, id_contig, filters, filter_offsets,
    filter_names, integers, floats, names, kinds, places, key_offsets, keys, name_offsets, name_texts, text,
    columns,
):  # fmt: skip
    """Write lines.

    All texts that are copied from have 7 bytes more than their offsets tell of.

    Parameters
    ----------
    position
        (n,) int32.
    ref_offsets, ref, alt_offsets, alt
        Alleles of n variants, end to end.
    contig, id_contig
        The contig's name and a tab; a tab, its name and a dash; each with 7 bytes more.
    filters, filter_offsets, filter_names
        (n,) uint8: which of some texts is FILTER.
    integers, floats, names
        (n, ...) int32, -1 missing; uint32, the bits of floats, NaN missing; int16, which of some texts, -1
        missing.
    kinds, places
        (k,) uint8 and int32: of each key of INFO which of these tables it is in, and in which column.
    key_offsets, keys
        Keys of INFO with what stands before and after them.
    name_offsets, name_texts
        The texts of `names`.
    text
        uint8, written; long enough.
    columns
        (n + 1, `BEFORE_INFO` + k) int32, written: where in `text` each column of each line begins. Of the last
        row the first alone is: the end.

    Returns
    -------
    int
        Bytes written.
    """
    at = np.int64(0)
    for row in range(len(position)):
        columns[row, 0] = at
        at = _copy(text, at, contig, np.int64(0), np.int64(len(contig) - 7))
        at = put_integer(text, at, np.uint64(position[row]))
        columns[row, 1] = at
        at = _copy(text, at, id_contig, np.int64(0), np.int64(len(id_contig) - 7))
        at = put_integer(text, at, np.uint64(position[row]))
        columns[row, 2] = at
        at = _alleles(text, at, _DASH, ref, ref_offsets, alt, alt_offsets, row)
        columns[row, 3] = at
        at = _alleles(text, at, _TAB, ref, ref_offsets, alt, alt_offsets, row)
        text[at], text[at + 1], text[at + 2] = _TAB, _DOT, _TAB
        which = filters[row]
        at = _copy(text, at + 3, filter_names, filter_offsets[which], filter_offsets[which + 1])
        for k in range(len(kinds)):
            columns[row, BEFORE_INFO + k] = at
            at = _copy(text, at, keys, key_offsets[k], key_offsets[k + 1])
            place = places[k]
            if kinds[k] == INTEGER:
                value = integers[row, place]
                if value < 0:
                    text[at] = _DOT
                    at += 1
                else:
                    at = put_integer(text, at, np.uint64(value))
            elif kinds[k] == FLOAT:
                bits = floats[row, place]
                if (bits & np.uint32(_NAN)) == np.uint32(_NAN):
                    text[at] = _DOT
                    at += 1
                else:
                    at = put_float(text, at, bits)
            else:
                name = names[row, place]
                if name < 0:
                    text[at] = _DOT
                    at += 1
                else:
                    at = _copy(text, at, name_texts, name_offsets[name], name_offsets[name + 1])
        text[at] = _LINE
        at += 1
    columns[len(position), 0] = at
    return at
