"""Many names looked for in a text at once: a compiled pass over its bytes.

A name is found by its last bytes, six at most: a table of bits tells of nearly every place that no name ends
there, and only where one may is it compared. So the time does not grow with how many names there are.
"""

import numba as nb
import numpy as np

from afpanel.core.compiled import I8, READ_I8, READ_U1, compiled, part

SUFFIX = 6
"""Last bytes of a name that it is found by; of a shorter name all."""

BITS = 1 << 22
_SHIFT = 64 - 22
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


@compiled(
    nb.i8(
        READ_U1, nb.i8, nb.i8, READ_U1, READ_U1, READ_U1, READ_I8, READ_I8, READ_U1, READ_I8, READ_U1,
        nb.i8, nb.i8, I8, I8,
    )
)  # fmt: skip
def find_names(  # type: ignore[no-untyped-def]
    text, low, high, fold, classes, bits, keys, starts, names, offsets, sorts, ignored, shortest, ends, found
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
    shortest
        Bytes that a name must have to be told.
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
    for i in range(n):
        byte = text[i]
        last = (last << np.uint64(8)) | np.uint64(fold[byte])
        if i < low or i >= high:
            continue
        word_ends = classes[byte] != WORD or i + 1 == n or classes[text[i + 1]] != WORD
        for length in range(1 if word_ends else SUFFIX, SUFFIX + 1):
            key = np.int64(last & ((np.uint64(1) << np.uint64(8 * length)) - np.uint64(1)))
            key |= np.int64(length) << 56
            slot = _slot(key)
            if not bits[slot >> 3] >> (slot & 7) & 1:
                continue
            at = np.searchsorted(keys, key)
            if at == len(keys) or keys[at] != key:
                continue
            for name in range(starts[at], starts[at + 1]):
                begin = offsets[name]
                size = offsets[name + 1] - begin
                start = i + 1 - size
                sort = sorts[name]
                if start < 0 or sort & ignored or size < shortest:
                    continue
                if not _is_there(text, start, names, begin, size, fold):
                    continue
                if _stands_apart(text, start, i + 1, sort, classes):
                    if count < len(ends):
                        ends[count] = i + 1
                        found[count] = name
                    count += 1
                    break
    return count
