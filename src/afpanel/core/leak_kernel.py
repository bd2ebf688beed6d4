"""Many names looked for in a text at once: a compiled pass over its bytes.

A name is found by its last bytes, six at most: a table of bits tells of nearly every place that no name ends
there, and only where one may is it compared. So the time does not grow with how many names there are.
"""

import numba as nb
import numpy as np

from afpanel.core.compiled import I8, READ_I8, READ_U1, compiled, part

SUFFIX = 6
"""Last bytes of a name that it is found by; of a shorter name all."""

PLACES = 6 << 12
"""Places at which a name may end that are kept until they are looked at."""

BITS = 1 << 24
_SHIFT = 64 - 24
_MIX = 0x9E3779B97F4A7C15

INSIDE, TOKEN, VALUE, NUMBER, BASES = 1, 2, 4, 8, 16
"""How a name counts: anywhere, as a word, or as a whole value; and whether it looks like a number, or like bases,
which some texts have of their own.
"""

SEPARATES, PUNCTUATION, WORD = 0, 1, 2
"""Classes of bytes: those between values, those between words of one value, and those of words."""


@part
def _slot(key):  # type: ignore[no-untyped-def]
    return np.int64((np.uint64(key) * np.uint64(_MIX)) >> np.uint64(_SHIFT))


@part
def _is_set(bits, key):  # type: ignore[no-untyped-def]
    slot = _slot(key)
    return bits[slot >> 3] >> (slot & 7) & 1 != 0


@part
def _key(last, length):  # type: ignore[no-untyped-def]
    """Make the key of the last bytes read."""
    kept = last & ((np.uint64(1) << np.uint64(8 * length)) - np.uint64(1))
    return np.int64(kept) | np.int64(length) << 56


@compiled(nb.void(READ_I8, nb.u1[::1]))
def set_bits(keys, bits):  # type: ignore[no-untyped-def]
    """Note which keys there are, in a table of `BITS` bits."""
    for key in keys:
        slot = _slot(key)
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
        nb.i8, nb.i8, nb.i8, nb.i8[:, ::1], I8, I8,
    )
)  # fmt: skip
def find_names(  # type: ignore[no-untyped-def]
    text, low, high, fold, classes, bits, keys, starts, names, offsets, sorts, ignored, lengths, shortest,
    places, ends, found
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
    first = np.int64(0)
    while first < high:
        # Looking bits up and comparing names are two loops: the first is short, and is run for every byte.
        stop = min(first + PLACES // SUFFIX, high)
        waiting = np.int64(0)
        for i in range(first, stop):
            last = (last << np.uint64(8)) | np.uint64(fold[text[i]])
            is_word = next_is_word
            next_is_word = i + 1 < n and classes[text[i + 1]] == WORD
            key = _key(last, SUFFIX)
            if _is_set(bits, key):
                places[waiting, 0], places[waiting, 1] = i + 1, key
                waiting += 1
            if not next_is_word and (is_word or lengths & 1):
                for length in range(1, SUFFIX):
                    if lengths >> length & 1:
                        key = _key(last, length)
                        if _is_set(bits, key):
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
