"""Whether a packed chunk has bytes that are part of nothing: who unpacks it would not see them.

Blosc's header (version 1 of its format) is followed by where each block begins, and the blocks by one or
more streams each, after their length. A stream is one frame of Zstandard (RFC 8878), or bytes as they are.
"""

import struct

from afpanel.io.chunks import BLOSC_HEADER

_COPIED, _WHOLE_BLOCKS = 0x02, 0x10
_MAGIC = 0xFD2FB528
_LEAST_BLOCK = 1024  # bytes of Blosc's blocks, which are tens of thousands if there are so many
_LEAST_PART = 256  # bytes on average of Zstandard's, which are thousands
_RUN = 1  # type of a block of Zstandard that is one byte, many times


def has_spare_bytes(packed: bytes) -> bool:
    """Tell whether a chunk that Blosc packed with Zstandard has bytes that nothing is made of.

    Parameters
    ----------
    packed
        A whole chunk, whose header says how long it is.

    Returns
    -------
    bool
        True also where it is not laid out as Blosc lays it out.
    """
    try:
        return not _is_filled(packed)
    except (struct.error, IndexError):
        return True


def _is_filled(packed: bytes) -> bool:
    """Go from the start of a chunk to its end, leaving nothing out; IndexError if it ends too early."""
    flags, size_of_number = packed[2], packed[3]
    plain, block, held = map(int, struct.unpack_from("<3I", packed, 4))
    if flags & _COPIED:
        return held == len(packed) == BLOSC_HEADER + plain
    n = -(-plain // block) if block >= min(plain, _LEAST_BLOCK) and size_of_number else held
    if held != len(packed) or BLOSC_HEADER + 4 * n > held:
        return False
    starts = struct.unpack_from(f"<{n}I", packed, BLOSC_HEADER)
    at = BLOSC_HEADER + 4 * n
    for number, start in enumerate(starts):
        if start != at:
            return False
        size = min(block, plain - number * block)
        whole = flags & _WHOLE_BLOCKS or size < block
        streams = 1 if whole else size_of_number
        for _ in range(streams):
            (length,) = struct.unpack_from("<I", packed, at)
            at += 4
            each = size // streams
            if length != each and _end_of_frame(packed, at, each) != at + length:
                return False
            at += length
    return at == held


def _end_of_frame(packed: bytes, at: int, plain: int) -> int:
    """Find where a frame of Zstandard ends, by its header and those of its blocks; -1 if it is none.

    It is none either if it is cut into more blocks than what it holds would be.
    """
    magic, about = struct.unpack_from("<IB", packed, at)
    if magic != _MAGIC:
        return -1
    at += 5
    single = about >> 5 & 1
    at += 0 if single else 1  # size of the window
    at += (0, 1, 2, 4)[about & 3]  # number of a dictionary
    at += (single, 2, 4, 8)[about >> 6]  # size of what is packed
    last, left = 0, 16 + plain // _LEAST_PART
    while not last:
        left -= 1
        if not left:
            return -1
        head = packed[at] | packed[at + 1] << 8 | packed[at + 2] << 16
        last, kind, size = head & 1, head >> 1 & 3, head >> 3
        at += 3 + (1 if kind == _RUN else size)
    return at + (4 if about >> 2 & 1 else 0)  # and its checksum
