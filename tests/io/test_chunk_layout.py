"""Chunks whose every byte is part of what they hold, and chunks in which something hides."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs import blosc, zstd

from afpanel.io.chunk_layout import has_spare_bytes
from afpanel.io.chunks import Packing

SECRET = b"HG00096 HG00097"


def chunk(seed: int, dtype: str, rows: int, width: int, most: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, most, (rows, width)).astype(dtype)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 1000),
    dtype=st.sampled_from(["i1", "i2", "i4", "i8", "f4"]),
    rows=st.sampled_from([1, 3, 100, 16_384]),
    width=st.sampled_from([1, 2, 20, 64]),
    most=st.sampled_from([1, 2, 5, 100, 2**31 - 1]),
)
def test_chunks_that_the_project_packs_are_filled(
    seed: int, dtype: str, rows: int, width: int, most: int
) -> None:
    values = chunk(seed, dtype, rows, width, most)
    assert not has_spare_bytes(Packing.of(values.dtype, quick=False).pack(values))


@pytest.mark.parametrize("rows", [1, 10, 16_384])
def test_chunks_of_text_are_filled(rows: int) -> None:
    rng = np.random.default_rng(1)
    values = np.array(["ACGT"[k % 4] * int(k) for k in rng.geometric(0.3, rows)], object)
    assert not has_spare_bytes(Packing.of(values.dtype, quick=False).pack(values))


def grown(packed: bytes, at: int, more: bytes) -> bytes:
    """Put bytes into a chunk, and say in its header that it is longer."""
    content = packed[:at] + more + packed[at:]
    return content[:12] + struct.pack("<I", len(content)) + content[16:]


def test_bytes_that_are_added_to_a_chunk_are_found_though_it_unpacks_to_the_same() -> None:
    values = chunk(1, "i4", 16_384, 20, 100)
    packed = Packing.of(values.dtype, quick=False).pack(values)
    altered = grown(packed, len(packed), SECRET)
    assert blosc.decompress(altered) == values.tobytes()
    assert has_spare_bytes(altered)


def of_one_stream(stream: bytes, plain: int) -> bytes:
    """A chunk of one block and one stream."""
    head = struct.pack("<4B3I", 2, 1, 0x10 | 4 << 5, 1, plain, plain, 24 + len(stream))
    return head + struct.pack("<2I", 20, len(stream)) + stream


def test_a_frame_that_is_passed_over_and_bytes_between_blocks_are_found() -> None:
    content = b"counts of people " * 100
    frame = bytes(zstd.compress(content, 3))
    good = of_one_stream(frame, len(content))
    assert blosc.decompress(good) == content
    assert not has_spare_bytes(good)
    skipped = struct.pack("<2I", 0x184D2A50, len(SECRET)) + SECRET
    for stream in (frame + skipped, skipped + frame):
        hiding = of_one_stream(stream, len(content))
        assert blosc.decompress(hiding) == content
        assert has_spare_bytes(hiding)
    before = good[:16] + struct.pack("<I", 20 + len(SECRET)) + SECRET + good[20:]
    before = grown(before, len(before), b"")
    assert blosc.decompress(before) == content
    assert has_spare_bytes(before)


def test_a_chunk_of_countless_blocks_is_refused_soon() -> None:
    """Blocks of nothing, of three bytes each; and blocks of Blosc of a few bytes."""
    content = b"counts of people " * 100
    frame = bytes(zstd.compress(content, 3))
    head = 4 + 1 + (1, 2, 4, 8)[frame[4] >> 6] + (0 if frame[4] >> 5 & 1 else 1)
    for n in (1, 100_000):
        stream = frame[:head] + bytes(3) * n + frame[head:]
        many = of_one_stream(stream, len(content))
        assert blosc.decompress(many) == content
        assert has_spare_bytes(many) == (n > 1)
    values = np.arange(100_000, dtype="i4")
    assert has_spare_bytes(blosc.compress(values.tobytes(), b"zstd", 3, 0, 256, 4))


@pytest.mark.parametrize("size", [*range(40), 100, 1000])
def test_a_chunk_that_is_cut_short_is_not_filled(size: int) -> None:
    values = chunk(2, "i4", 1000, 20, 100)
    packed = Packing.of(values.dtype, quick=False).pack(values)[:size]
    assert has_spare_bytes(packed)
    if size >= 16:
        assert has_spare_bytes(grown(packed, size, b""))
