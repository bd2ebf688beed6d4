"""Compiled DEFLATE (RFC 1951) of lines with the same columns, which says where a repetition is without searching.

A packer of any text must look everywhere for what it can repeat. In lines that have the same columns it is in the same
column of another line: the one before, or the last that had the same value there; or in a column of the same line
that is known to say the same. So it takes a tenth of the time of
zlib to get about as far as its level 6.
"""

import numba as nb
import numpy as np

from afpanel.core.compiled import (
    READ_I4,
    READ_U1,
    U1,
    compiled,
    load4,
    load8,
    part,
    store8,
    trailing_zeros,
)
from afpanel.io.huffman_kernel import DISTANCES, LENGTHS, SYMBOLS, code_lengths, codes_of, runs_of

MOST_TEXT = 0xFF00
"""Bytes of text in a block of BGZF at most, as htslib has it."""

MOST_PACKED = 0x10000 - 26
"""Bytes that they may have when they are packed."""

SLOTS = 16
"""Values of a column whose last place is kept."""

_END = 256
_LONGEST, _SHORTEST, _SHORTEST_NEAR, _FARTHEST = 258, 4, 3, 32768
_MIX = 0x9E3779B97F4A7C15
_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15], np.int64)
_FIRST_BITS = 12
WORDS = 1 << _FIRST_BITS


def _length_codes() -> tuple[np.ndarray, ...]:
    """Of each length its code, how many bits follow that, and which."""
    codes, extra, rest = (np.zeros(_LONGEST + 1, np.int64) for _ in range(3))
    base, code = 3, 257
    for bits in (0, 0, 1, 2, 3, 4, 5):
        for _ in range(4):
            for value in range(1 << bits):
                if base + value <= _LONGEST:
                    codes[base + value], extra[base + value], rest[base + value] = code, bits, value
            base += 1 << bits
            code += 1
    codes[_LONGEST], extra[_LONGEST], rest[_LONGEST] = 285, 0, 0
    return codes, extra, rest


def _distance_codes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of distances the code: up to 256 by the distance less 1, above by its upper bits; what each code begins with."""
    extra = np.array([0, 0] + [i // 2 for i in range(28)], np.int64)
    base = np.concatenate([[1], 1 + np.cumsum(1 << extra)[:-1]]).astype(np.int64)
    near = np.searchsorted(base, np.arange(1, 257), "right") - 1
    far = np.searchsorted(base, (np.arange(256) << 7) + 1, "right") - 1
    return np.concatenate([near, far]).astype(np.int64), base, extra


_LENGTH_CODE, _LENGTH_EXTRA, _LENGTH_REST = _length_codes()
_DISTANCE_CODE, _DISTANCE_BASE, _DISTANCE_EXTRA = _distance_codes()


@part
def _distance_code(distance):  # type: ignore[no-untyped-def]
    d = distance - 1
    return _DISTANCE_CODE[d] if d < 256 else _DISTANCE_CODE[256 + (d >> 7)]


@part
def _same(text, one, other, stop):  # type: ignore[no-untyped-def]
    """Count the bytes that are the same from two places on."""
    n = np.int64(0)
    while other + n + 8 <= stop:
        differ = load8(text, one + n) ^ load8(text, other + n)
        if differ:
            return n + np.int64(trailing_zeros(differ) >> np.uint64(3))
        n += 8
    while other + n < stop and text[one + n] == text[other + n]:
        n += 1
    return n


@part
def _repeat(tokens, count, counts, distances, size, distance):  # type: ignore[no-untyped-def]
    """Note a repetition, in as many parts as it takes."""
    code = _distance_code(distance)
    while size:
        step = min(size, np.int64(_LONGEST))
        if 0 < size - step < 3:
            step -= 3
        tokens[count] = (step << 16) | distance
        counts[_LENGTH_CODE[step]] += 1
        distances[code] += 1
        count += 1
        size -= step
    return count


@part
def _literals(text, start, stop, tokens, count, counts):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        tokens[count] = text[i]
        counts[text[i]] += 1
        count += 1
    return count


@part
def _first_line(text, start, stop, words, tokens, count, counts, distances):  # type: ignore[no-untyped-def]
    """Find repetitions in a line before which there is none, by its groups of four letters."""
    at = start
    while at + 8 <= stop:
        mixed = np.uint64(load4(text, at)) * np.uint64(_MIX)
        word = np.int64(mixed >> np.uint64(64 - _FIRST_BITS))
        earlier = np.int64(words[word]) - 1
        words[word] = at - start + 1
        if earlier >= 0 and at - start - earlier <= _FARTHEST:
            size = _same(text, start + earlier, at, stop)
            if size >= _SHORTEST:
                count = _repeat(tokens, count, counts, distances, size, at - start - earlier)
                at += size
                continue
        tokens[count] = text[at]
        counts[text[at]] += 1
        count += 1
        at += 1
    return _literals(text, at, stop, tokens, count, counts)


@part
def _again(text, at, stop, distance, tokens, count, counts, distances):  # type: ignore[no-untyped-def]
    """Put text that is mostly the same as so many bytes before."""
    while at < stop:
        size = np.int64(0)
        if 0 < distance <= _FARTHEST:
            size = _same(text, at - distance, at, stop)
        if size >= _SHORTEST_NEAR:
            count = _repeat(tokens, count, counts, distances, size, distance)
            at += size
        else:
            tokens[count] = text[at]
            counts[text[at]] += 1
            count += 1
            at += 1
    return count


@part
def _find(text, columns, first, end, key_sizes, repeats, last, words, tokens, counts, distances):  # type: ignore[no-untyped-def]
    """Put text of some lines as tokens: letters, and repetitions (their length and distance)."""
    start, stop = np.int64(columns[first, 0]), np.int64(columns[end, 0])
    width = columns.shape[1]
    last[:] = -1
    words[:] = 0
    at = np.int64(columns[first + 1, 0])
    count = _first_line(text, start, at, words, tokens, np.int64(0), counts, distances)
    for row in range(first, end):
        for column in range(width):
            here = np.int64(columns[row, column])
            value = load8(text, here + key_sizes[column])
            slot = column * SLOTS + np.int64((value * np.uint64(_MIX)) >> np.uint64(60))
            place = np.int64(last[slot])
            last[slot] = here
            if row == first:
                continue
            source, end_here = repeats[column], here
            if source >= 0:  # never the last column
                end_here = np.int64(columns[row, column + 1])
            if at <= here:
                count = _literals(text, at, here, tokens, count, counts)
                at = here
                before = np.int64(columns[row - 1, column])
                size, distance = np.int64(0), here - before
                if distance <= _FARTHEST:
                    size = _same(text, before, here, stop)
                if place >= 0 and place != before and here - place <= _FARTHEST:
                    other = _same(text, place, here, stop)
                    if other > size:
                        size, distance = other, here - place
                if source >= 0 and key_sizes[column] <= size < end_here - here:
                    size = np.int64(key_sizes[column])  # the rest is nearer in the same line
                if size >= _SHORTEST:
                    count = _repeat(tokens, count, counts, distances, size, distance)
                    at += size
            if source >= 0 and at < end_here:
                distance = here + key_sizes[column] - columns[row, source] - key_sizes[source]
                count = _again(text, at, end_here, distance, tokens, count, counts, distances)
                at = end_here
    count = _literals(text, at, stop, tokens, count, counts)
    counts[_END] += 1
    return count


@part
def _put(out, at, held, bits, value, size):  # type: ignore[no-untyped-def]
    """Add bits to those that wait, and write whole bytes of them."""
    held |= np.uint64(value) << np.uint64(bits)
    bits += size
    store8(out, at, held)
    at += bits >> 3
    held >>= np.uint64(bits & ~7)
    return at, held, bits & 7


@part
def _write(  # type: ignore[no-untyped-def]
    out, at, tokens, count, lengths, codes, runs, n_runs, n_symbols, n_distances, run_lengths,
    run_codes,
):  # fmt: skip
    """Write a last block of DEFLATE with codes of its own."""
    held, bits = np.uint64(0), np.int64(0)
    n_lengths = np.int64(LENGTHS)
    while n_lengths > 4 and run_lengths[_ORDER[n_lengths - 1]] == 0:
        n_lengths -= 1
    head = 5 | ((n_symbols - 257) << 3) | ((n_distances - 1) << 8) | ((n_lengths - 4) << 13)
    at, held, bits = _put(out, at, held, bits, head, np.int64(17))
    for i in range(n_lengths):
        at, held, bits = _put(out, at, held, bits, run_lengths[_ORDER[i]], np.int64(3))
    for i in range(n_runs):
        symbol, more = runs[i] & 255, runs[i] >> 8
        at, held, bits = _put(out, at, held, bits, run_codes[symbol], run_lengths[symbol])
        if symbol >= 16:
            size = np.int64(2) if symbol == 16 else np.int64(3) if symbol == 17 else np.int64(7)
            at, held, bits = _put(out, at, held, bits, more, size)
    for i in range(count):
        token = np.int64(tokens[i])
        if token < 256:
            at, held, bits = _put(out, at, held, bits, codes[token], lengths[token])
            continue
        length, distance = token >> 16, token & 0xFFFF
        symbol = _LENGTH_CODE[length]
        value = codes[symbol] | (_LENGTH_REST[length] << lengths[symbol])
        size = lengths[symbol] + _LENGTH_EXTRA[length]
        which = _distance_code(distance)
        value |= codes[SYMBOLS + which] << size
        size += lengths[SYMBOLS + which]
        value |= (distance - _DISTANCE_BASE[which]) << size
        size += _DISTANCE_EXTRA[which]
        at, held, bits = _put(out, at, held, bits, value, size)
    at, held, bits = _put(out, at, held, bits, codes[_END], lengths[_END])
    return at + 1 if bits else at


@compiled(
    nb.i8(
        READ_U1, nb.types.Array(nb.i4, 2, "C", readonly=True), READ_I4, READ_I4, nb.i4[::1],
        nb.i4[::1], nb.i4[::1], nb.i8[::1], U1, nb.i8[:, ::1],
    )
)  # fmt: skip
def pack_lines(text, columns, key_sizes, repeats, last, words, tokens, scratch, out, blocks):  # type: ignore[no-untyped-def]
    """Pack lines, as many to a block as it can have.

    Parameters
    ----------
    text
        (bytes,) uint8, with 7 bytes and the longest key more than `columns` tell of.
    columns
        (lines + 1, columns) int32: where each column of each line begins; the last row has the end of the text.
    key_sizes
        (columns,) int32: how many bytes of a column are the same in every line, before its value.
    repeats
        (columns,) int32: which column before it in the line each has the value of, or much of it; -1 is none.
    last, words, tokens, scratch
        (columns * `SLOTS`,), (`WORDS`,) and (`MOST_TEXT` + 1,) int32, and (`SCRATCH`,) int64: for the work.
    out
        uint8, written: packed text, block after block; twice as long as the text, and 1024 bytes.
    blocks
        (lines, 2) int64, written: where each block ends in the text, and in `out`. A block that does not get
        packed, being too long, has no bytes there.

    Returns
    -------
    int
        Number of blocks.
    """
    n = len(columns) - 1
    counts = scratch[: SYMBOLS + DISTANCES]
    lengths = scratch[SYMBOLS + DISTANCES : 2 * (SYMBOLS + DISTANCES)]
    codes = scratch[2 * (SYMBOLS + DISTANCES) : 3 * (SYMBOLS + DISTANCES)]
    runs = scratch[3 * (SYMBOLS + DISTANCES) : 4 * (SYMBOLS + DISTANCES)]
    order = scratch[4 * (SYMBOLS + DISTANCES) : 5 * (SYMBOLS + DISTANCES)]
    weights = scratch[5 * (SYMBOLS + DISTANCES) : 7 * (SYMBOLS + DISTANCES)]
    parents = scratch[7 * (SYMBOLS + DISTANCES) : 9 * (SYMBOLS + DISTANCES)]
    rest = scratch[9 * (SYMBOLS + DISTANCES) :]
    run_counts, run_lengths, run_codes = rest[:19], rest[19:38], rest[38:57]
    first = at = n_blocks = np.int64(0)
    while first < n:
        end = first + 1
        while end < n and columns[end + 1, 0] - columns[first, 0] <= MOST_TEXT:
            end += 1
        start = at
        if columns[end, 0] - columns[first, 0] <= MOST_TEXT:
            counts[:] = 0
            run_counts[:] = 0
            of_text, of_distances = counts[:SYMBOLS], counts[SYMBOLS:]
            count = _find(
                text, columns, first, end, key_sizes, repeats, last, words, tokens, of_text,
                of_distances,
            )  # fmt: skip
            code_lengths(of_text, 15, lengths[:SYMBOLS], order, weights, parents)
            code_lengths(of_distances, 15, lengths[SYMBOLS:], order, weights, parents)
            codes_of(lengths[:SYMBOLS], codes[:SYMBOLS], weights)
            codes_of(lengths[SYMBOLS:], codes[SYMBOLS:], weights)
            n_symbols, n_distances = np.int64(SYMBOLS), np.int64(DISTANCES)
            while lengths[n_symbols - 1] == 0:
                n_symbols -= 1
            while n_distances > 1 and lengths[SYMBOLS + n_distances - 1] == 0:
                n_distances -= 1
            n_runs = runs_of(lengths, n_symbols, n_distances, runs, run_counts)
            code_lengths(run_counts, 7, run_lengths, order, weights, parents)
            codes_of(run_lengths, run_codes, weights)
            at = _write(
                out, at, tokens, count, lengths, codes, runs, n_runs, n_symbols, n_distances,
                run_lengths, run_codes,
            )  # fmt: skip
            if at - start > MOST_PACKED:
                at = start
        blocks[n_blocks, 0] = columns[end, 0]
        blocks[n_blocks, 1] = at
        n_blocks += 1
        first = end
    return n_blocks


SCRATCH = 9 * (SYMBOLS + DISTANCES) + 3 * LENGTHS
