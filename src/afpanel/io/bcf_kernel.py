"""A compiled loop that writes the lines of a VCF from the records of a sites-only BCF.

Strict: each byte of a record must be the one that htslib writes for that line, so that nothing is in the file but what its
text says. Numbers have the least type that holds them, what is missing is one byte or one NaN, and there are no samples.
"""

import numba as nb
import numpy as np

from afpanel.core.compiled import I8, READ_I8, READ_U1, U1, compiled, load4, part
from afpanel.core.shortest_float import LONGEST, put_float, put_integer

INTEGER, FLOAT, TEXT, FILTER = range(4)
"""What a name of the header's dictionary is of."""

_TAB, _LINE, _SEMICOLON, _EQUALS, _DOT = 9, 10, 59, 61, 46
_INT8, _INT16, _INT32, _FLOAT, _CHAR = 1, 2, 3, 5, 7
_MISSING_FLOAT, _NAN = 0x7F800001, 0x7F800000
_HEAD = 32


@part
def _bytes_of(data, at, stop, size):  # type: ignore[no-untyped-def]
    """Read a number of 1, 2 or 4 bytes; -1 if it is not there."""
    if at + size > stop:
        return np.int64(-1)
    value = np.int64(0)
    for i in range(size):
        value |= np.int64(data[at + i]) << (8 * i)
    return value


@part
def _integer(data, at, stop):  # type: ignore[no-untyped-def]
    """Read one whole number of the least type; its value, -1 if missing, -2 if it is none, and where it ends."""
    kind = _bytes_of(data, at, stop, 1)
    if kind == (_INT8 | 16):
        value = _bytes_of(data, at + 1, stop, 1)
        if value == 128:
            return np.int64(-1), at + 2
        return (value if 0 <= value < 128 else np.int64(-2)), at + 2
    if kind == (_INT16 | 16):
        value = _bytes_of(data, at + 1, stop, 2)
        return (value if 128 <= value < 32768 else np.int64(-2)), at + 3
    if kind == (_INT32 | 16):
        value = _bytes_of(data, at + 1, stop, 4)
        return (value if 32768 <= value < 2147483648 else np.int64(-2)), at + 5
    return np.int64(-2), at


@part
def _text(data, at, stop):  # type: ignore[no-untyped-def]
    """Find a text: where it begins, and where it ends; -1 if there is none."""
    kind = _bytes_of(data, at, stop, 1)
    if kind < 0 or kind & 15 != _CHAR:
        return np.int64(-1), np.int64(-1)
    size, start = kind >> 4, at + 1
    if size == 15:
        size, start = _integer(data, start, stop)
        if size < 15:
            return np.int64(-1), np.int64(-1)
    if size < 1 or start + size > stop:
        return np.int64(-1), np.int64(-1)
    return start, start + size


@part
def _put(text, at, data, start, end):  # type: ignore[no-untyped-def]
    for i in range(start, end):
        text[at + i - start] = data[i]
    return at + end - start


@part
def _value(data, at, stop, kind, text, end):  # type: ignore[no-untyped-def]
    """Write a value of INFO; where it ends in the record, -1 if it is not as it must be, and in the text."""
    if kind == INTEGER:
        value, at = _integer(data, at, stop)
        if value == -2:
            return np.int64(-1), end
        if value >= 0:
            return at, put_integer(text, end, np.uint64(value))
    elif kind == FLOAT:
        if at + 5 > stop or data[at] != (_FLOAT | 16):
            return np.int64(-1), end
        bits = np.uint32(load4(data, at + 1))
        at += 5
        if (bits & np.uint32(_NAN)) != np.uint32(_NAN):
            return at, put_float(text, end, bits)
        if bits != np.uint32(_MISSING_FLOAT):
            return np.int64(-1), end
    elif kind == TEXT:
        first, last = _text(data, at, stop)
        if first < 0:
            return np.int64(-1), end
        return last, _put(text, end, data, first, last)
    else:
        return np.int64(-1), end
    text[end] = _DOT
    return at, end + 1


@part
def _record(data, at, stop, contigs, contig_offsets, names, name_offsets, kinds, text, end):  # type: ignore[no-untyped-def]
    """Write the line of a record; the new end of the text, -1 if the record is not as it must be."""
    bad = np.int64(-1)
    contig, position, length = (
        np.int64(np.int32(load4(data, at + 8))),
        np.int64(np.int32(load4(data, at + 12))),
        np.int64(np.int32(load4(data, at + 16))),
    )
    n_info = np.int64(data[at + 24]) | np.int64(data[at + 25]) << 8
    alleles = np.int64(data[at + 26]) | np.int64(data[at + 27]) << 8
    if load4(data, at + 4) != 0 or load4(data, at + 28) != 0 or alleles != 2 or position < 0:
        return bad
    if load4(data, at + 20) != _MISSING_FLOAT or not 0 <= contig < len(contig_offsets) - 1:
        return bad
    end = _put(text, end, contigs, contig_offsets[contig], contig_offsets[contig + 1])
    text[end] = _TAB
    end = put_integer(text, end + 1, np.uint64(position + 1))
    at += _HEAD
    for column in range(3):
        first, at = _text(data, at, stop)
        if first < 0 or (column == 1 and at - first != length):
            return bad
        text[end] = _TAB
        end = _put(text, end + 1, data, first, at)
    text[end], text[end + 1], text[end + 2] = _TAB, _DOT, _TAB
    which, at = _integer(data, at, stop)
    if not 0 <= which < len(kinds) or kinds[which] != FILTER:
        return bad
    end = _put(text, end + 3, names, name_offsets[which], name_offsets[which + 1])
    for k in range(n_info):
        text[end] = _SEMICOLON if k else _TAB
        which, at = _integer(data, at, stop)
        if not 0 <= which < len(kinds):
            return bad
        end = _put(text, end + 1, names, name_offsets[which], name_offsets[which + 1])
        text[end] = _EQUALS
        at, end = _value(data, at, stop, kinds[which], text, end + 1)
        if at < 0:
            return bad
    text[end] = _LINE
    return end + 1 if at == stop else bad


@compiled(nb.void(READ_U1, READ_U1, READ_I8, READ_U1, READ_I8, READ_U1, nb.i8, U1, I8))
def put_records(data, contigs, contig_offsets, names, name_offsets, kinds, longest, text, done):  # type: ignore[no-untyped-def]
    """Write the lines of whole records.

    Parameters
    ----------
    data
        (bytes,) uint8: records; the last may be cut short.
    contigs, contig_offsets, names, name_offsets
        Contigs of the header, and its other names, end to end.
    kinds
        (names,) uint8: what each name is of.
    longest
        Bytes of the longest contig or name.
    text
        uint8, written.
    done
        (4,) int64, written: bytes of records that were read; bytes of text; whether the next record is not as it must
        be; bytes that `text` needs for the next record, if it has no room for that.
    """
    at = end = np.int64(0)
    done[2] = done[3] = 0
    while at + _HEAD <= len(data):
        size = np.int64(load4(data, at))
        stop = at + 8 + size
        if size < _HEAD - 8:
            done[2] = 1
            break
        if stop > len(data):
            break
        n_info = np.int64(data[at + 24]) | np.int64(data[at + 25]) << 8
        needed = size + (n_info + 2) * (longest + LONGEST + 16)
        if end + needed > len(text):
            done[3] = needed
            break
        last = _record(
            data, at, stop, contigs, contig_offsets, names, name_offsets, kinds, text, end
        )
        if last < 0:
            done[2] = 1
            break
        at, end = stop, last
    done[0], done[1] = at, end
