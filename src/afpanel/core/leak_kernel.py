"""Many names looked for in a text at once: a compiled pass over its bytes.

A name is found by its last bytes, six at most: a table of bits tells of nearly every place that no name ends
there, and only where one may is it compared. Of a million names six bytes are nearly any six digits: where all names
are longer, a second table tells of more of their bytes. So the time hardly grows with how many names there are.
"""

import numba as nb
import numpy as np

from afpanel.core.compiled import I8, READ_I8, READ_U1, compiled, load8, part

SUFFIX = 6
"""Last bytes of a name that it is found by; of a shorter name all."""

PLACES = 6 << 12
"""Places at which a name may end that are kept until they are looked at."""

MOST_BITS, FEWEST_BITS = 1 << 24, 1 << 15
"""Bits of a table of keys: so many that few are set, and no more than that, for a small table is at hand."""

LONGEST_TAIL = 16
"""Bytes at the end of a name that the second table tells of, at most."""

_MIX, _MIX_TOO = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
_LOWER = 0x2020202020202020
"""Makes letters lower case, and some other bytes alike."""

INSIDE, TOKEN, VALUE, NUMBER, BASES = 1, 2, 4, 8, 16
"""How a name counts: anywhere, as a word, or as a whole value; and whether it looks like a number, or like bases,
which some texts have of their own.
"""

SEPARATES, PUNCTUATION, WORD = 0, 1, 2
"""Classes of bytes: those between values, those between words of one value, and those of words."""


@part
def _slot(key, shift):  # type: ignore[no-untyped-def]
    return np.int64((np.uint64(key) * np.uint64(_MIX)) >> shift)


@part
def _is_set(bits, key, shift):  # type: ignore[no-untyped-def]
    slot = _slot(key, shift)
    return bits[slot >> 3] >> (slot & 7) & 1 != 0


@part
def _key(last, length):  # type: ignore[no-untyped-def]
    """Make the key of the last bytes read."""
    kept = last & ((np.uint64(1) << np.uint64(8 * length)) - np.uint64(1))
    return np.int64(kept) | np.int64(length) << 56


@part
def _shift_of(bits):  # type: ignore[no-untyped-def]
    """Tell by how much a mixed key is shifted to be a place in a table, which has a power of two of bits."""
    shift = np.uint64(64)
    size = 8 * len(bits)
    while size > 1:
        size >>= 1
        shift -= np.uint64(1)
    return shift


@compiled(nb.void(READ_I8, nb.u1[::1]))
def set_bits(keys, bits):  # type: ignore[no-untyped-def]
    """Note which keys there are, in a table of a power of two of bits."""
    shift = _shift_of(bits)
    for key in keys:
        slot = _slot(key, shift)
        bits[slot >> 3] |= np.uint8(1 << (slot & 7))


@part
def _tail(text, end, size, shift):  # type: ignore[no-untyped-def]
    """Mix the last bytes before a place, whatever their case; there must be eight, and as many as there are of a tail."""
    word = load8(text, end - 8) | np.uint64(_LOWER)
    if size < 8:
        word >>= np.uint64(64 - 8 * size)
        return np.int64((word * np.uint64(_MIX_TOO)) >> shift)
    first = load8(text, end - size) | np.uint64(_LOWER)
    return np.int64(((word * np.uint64(_MIX_TOO)) ^ (first * np.uint64(_MIX))) >> shift)


@compiled(nb.void(READ_U1, READ_I8, nb.i8, nb.u1[::1]))
def set_tails(names, ends, size, bits):  # type: ignore[no-untyped-def]
    """Note the last bytes of names, in a table of a power of two of bits.

    Parameters
    ----------
    names, ends
        Names end to end, eight bytes before them; where those end that are meant.
    size
        Bytes of a tail; no name is shorter.
    bits
        Set.
    """
    shift = _shift_of(bits)
    for end in ends:
        slot = _tail(names, end, size, shift)
        bits[slot >> 3] |= np.uint8(1 << (slot & 7))


@part
def _is_there(text, start, names, begin, length, fold):  # type: ignore[no-untyped-def]
    for i in range(length):
        if fold[text[start + i]] != names[begin + i]:
            return False
    return True


@part
def _stands_apart(text, start, end, sort, classes):  # type: ignore[no-untyped-def]
    if sort & INSIDE:
        return True
    most = SEPARATES if sort & VALUE else PUNCTUATION
    before = SEPARATES if start == 0 else classes[text[start - 1]]
    after = SEPARATES if end == len(text) else classes[text[end]]
    return before <= most and after <= most


@part
def _first_not_below(keys, key):  # type: ignore[no-untyped-def]
    """Find a key's place in order; `np.searchsorted` would have every process load linear algebra."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@part
def _look_up(  # type: ignore[no-untyped-def]
    key, place, text, fold, classes, keys, starts, names, offsets, sorts, ignored, shortest
):
    """Find the longest name with a key that is at a place; -1 is none."""
    at = _first_not_below(keys, key)
    if at == len(keys) or keys[at] != key:
        return np.int64(-1)
    for name in range(starts[at], starts[at + 1]):
        begin = offsets[name]
        size = offsets[name + 1] - begin
        start = place - size
        sort = sorts[name]
        if start < 0 or sort & ignored or size < shortest:
            continue
        if not _is_there(text, start, names, begin, size, fold):
            continue
        if _stands_apart(text, start, place, sort, classes):
            return np.int64(name)
    return np.int64(-1)


@compiled(
    nb.i8(
        READ_U1, nb.i8, nb.i8, READ_U1, READ_U1, READ_U1, READ_I8, READ_I8, READ_U1, READ_I8, READ_U1,
        nb.i8, nb.i8, nb.i8, READ_U1, nb.i8, nb.i8[:, ::1], I8, I8,
    )
)  # fmt: skip
def find_names(  # type: ignore[no-untyped-def]
    text, low, high, fold, classes, bits, keys, starts, names, offsets, sorts, ignored, lengths, shortest,
    tails, tail, places, ends, found
):  # fmt: skip
    """Find where names end in a text.

    Parameters
    ----------
    text
        (bytes,) uint8.
    low, high
        Names that end after `low` bytes, and after `high` at most, are told.
    fold, classes
        (256,) uint8: each byte in lower case, and its class.
    bits
        Table of keys, from `set_bits`.
    keys, starts
        (k,) and (k + 1,) int64: keys in order, and the first name of each.
    names, offsets, sorts
        Names end to end in the order of their keys, folded; where each begins; how each counts.
    ignored
        Sorts of names that are not told.
    lengths
        Bit for each number of last bytes, 1 to `SUFFIX`, that a name which is told is found by; and the lowest bit if one
        of them ends in what is no part of a word.
    shortest
        Bytes that a name must have to be told.
    tails, tail
        Table of tails, from `set_tails`, of names that may be told, and how many bytes these have; 0 if there is none.
    places
        (`PLACES`, 2) int64 to work with.
    ends, found
        Set to where names end, and to their numbers, as far as there is room.

    Returns
    -------
    int
        How many were found.
    """
    count = np.int64(0)
    last = np.uint64(0)
    n = len(text)
    high = min(n, high)
    next_is_word = n > 0 and classes[text[0]] == WORD
    shift, tail_shift = _shift_of(bits), _shift_of(tails)
    first = np.int64(0)
    while first < high:
        # Looking bits up and comparing names are two loops: the first is short, and is run for every byte.
        stop = min(first + PLACES // SUFFIX, high)
        waiting = np.int64(0)
        if lengths & ~(1 << SUFFIX) == 0:
            # All names are found by as many bytes: where words end does not matter.
            start = first
            while start < stop and (not tail or start < LONGEST_TAIL):
                last = (last << np.uint64(8)) | np.uint64(fold[text[start]])
                key = _key(last, SUFFIX)
                start += 1
                if _is_set(bits, key, shift):
                    places[waiting, 0], places[waiting, 1] = start, key
                    waiting += 1
            for end in range(start + 1, stop + 1):
                slot = _tail(text, end, tail, tail_shift)
                if tails[slot >> 3] >> (slot & 7) & 1 != 0:
                    last = np.uint64(0)
                    for k in range(end - SUFFIX, end):
                        last = (last << np.uint64(8)) | np.uint64(fold[text[k]])
                    key = _key(last, SUFFIX)
                    if _is_set(bits, key, shift):
                        places[waiting, 0], places[waiting, 1] = end, key
                        waiting += 1
            start = stop
        else:
            start = first
        for i in range(start, stop):
            last = (last << np.uint64(8)) | np.uint64(fold[text[i]])
            is_word = next_is_word
            next_is_word = i + 1 < n and classes[text[i + 1]] == WORD
            key = _key(last, SUFFIX)
            if _is_set(bits, key, shift):
                places[waiting, 0], places[waiting, 1] = i + 1, key
                waiting += 1
            if not next_is_word and (is_word or lengths & 1):
                for length in range(1, SUFFIX):
                    if lengths >> length & 1:
                        key = _key(last, length)
                        if _is_set(bits, key, shift):
                            places[waiting, 0], places[waiting, 1] = i + 1, key
                            waiting += 1
        for k in range(waiting):
            end = places[k, 0]
            if end <= low:
                continue
            name = _look_up(
                places[k, 1], end, text, fold, classes, keys, starts, names, offsets, sorts, ignored,
                shortest,
            )  # fmt: skip
            if name >= 0:
                if count < len(ends):
                    ends[count] = end
                    found[count] = name
                count += 1
        first = stop
    return count
