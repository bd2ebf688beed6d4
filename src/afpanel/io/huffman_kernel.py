"""Parts of the compiled DEFLATE that choose codes: shorter ones for what occurs more often (Huffman's)."""

import numpy as np

from afpanel.core.compiled import part

SYMBOLS, DISTANCES, LENGTHS = 286, 30, 19
"""How many symbols of text and lengths there are, of distances, and of lengths of codes."""


@part
def _sort(values, n):  # type: ignore[no-untyped-def]
    """Sort the first few hundred numbers, by Shell's method."""
    gap = np.int64(121)
    while gap:
        for i in range(gap, n):
            value, at = values[i], np.int64(i)
            while at >= gap and values[at - gap] > value:
                values[at] = values[at - gap]
                at -= gap
            values[at] = value
        gap //= 3


@part
def code_lengths(counts, limit, lengths, order, weights, parents):  # type: ignore[no-untyped-def]
    """Give symbols lengths of codes by how often they occur: Huffman's, none above a limit."""
    used = np.int64(0)
    for symbol in range(len(lengths)):
        lengths[symbol] = 0
        if counts[symbol]:
            weights[used] = (counts[symbol] << 9) | symbol  # sorted by both
            used += 1
    if used == 0:
        return
    if used == 1:
        lengths[weights[0] & 511] = 1
        return
    _sort(weights, used)
    for i in range(used):
        order[i] = weights[i] & 511
        weights[i] >>= 9
    leaf, inner = np.int64(0), used
    for node in range(used, 2 * used - 1):
        weights[node] = 0
        for _ in range(2):
            if leaf < used and (inner >= node or weights[leaf] <= weights[inner]):
                chosen = leaf
                leaf += 1
            else:
                chosen = inner
                inner += 1
            weights[node] += weights[chosen]
            parents[chosen] = node
    parents[2 * used - 2] = 0  # from here on: depths
    for node in range(2 * used - 3, -1, -1):
        parents[node] = parents[parents[node]] + 1
    whole = np.int64(1) << limit
    taken = np.int64(0)
    for i in range(used):
        size = min(parents[i], np.int64(limit))
        lengths[order[i]] = size
        taken += whole >> size
    for i in range(used):
        while taken > whole and lengths[order[i]] < limit:
            lengths[order[i]] += 1
            taken -= whole >> lengths[order[i]]
    for i in range(used - 1, -1, -1):
        while taken + (whole >> lengths[order[i]]) <= whole:
            taken += whole >> lengths[order[i]]
            lengths[order[i]] -= 1


@part
def codes_of(lengths, codes, following):  # type: ignore[no-untyped-def]
    """Give symbols their codes, first bit lowest; `following` is for the work, 17 numbers."""
    following[:17] = 0
    for symbol in range(len(lengths)):
        following[lengths[symbol] + 1] += 1
    code = following[1] = np.int64(0)  # symbols without a code
    for size in range(1, 16):
        code = (code + following[size]) << 1
        following[size] = code
    for symbol in range(len(lengths)):
        size = lengths[symbol]
        if size:
            turned, rest = np.int64(0), following[size]
            following[size] += 1
            for _ in range(size):
                turned = (turned << 1) | (rest & 1)
                rest >>= 1
            codes[symbol] = turned


@part
def runs_of(lengths, n_symbols, n_distances, runs, counts):  # type: ignore[no-untyped-def]
    """Put lengths of codes as DEFLATE does: themselves, or how often the last, or none, is repeated."""
    n, total, at = np.int64(0), n_symbols + n_distances, np.int64(0)
    while at < total:
        size = lengths[at if at < n_symbols else SYMBOLS + at - n_symbols]
        run = np.int64(1)
        while (
            at + run < total
            and lengths[at + run if at + run < n_symbols else SYMBOLS + at + run - n_symbols]
            == size
        ):
            run += 1
        if size == 0 and run >= 3:
            step = min(run, np.int64(138))
            runs[n] = (17 if step <= 10 else 18) | ((step - (3 if step <= 10 else 11)) << 8)
        elif run >= 4:
            runs[n] = size
            counts[size] += 1
            n += 1
            step = min(run - 1, np.int64(6))
            runs[n] = 16 | ((step - 3) << 8)
            step = step + 1
        else:
            step = np.int64(1)
            runs[n] = size
        counts[runs[n] & 255] += 1
        n += 1
        at += step
    return n
