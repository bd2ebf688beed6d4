"""Regions, and the tiles that work is cut into."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.errors import BadInputError
from afpanel.model.region import OPEN_END, Partition, Region, tile_of

SETTINGS = settings(max_examples=300, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("chr1:1-100", Region("chr1", 1, 100)),
        ("chr1:1,000-2,000,000", Region("chr1", 1_000, 2_000_000)),
        ("22:5-5", Region("22", 5, 5)),
        ("22:0-5", Region("22", 0, 5)),
        ("chr1", Region("chr1", 0, OPEN_END)),
        ("HLA-A*01:01:01:01", None),
        ("HLA-A*01:01:01:01:1-50", Region("HLA-A*01:01:01:01", 1, 50)),
        ("HLA:x", Region("HLA:x", 0, OPEN_END)),
    ],
)
def test_a_region_is_read_as_bioinformaticians_write_it(text: str, region: Region | None) -> None:
    if region is None:  # such a name alone is not to be told from a region gone wrong
        with pytest.raises(BadInputError):
            Region.parse(text)
    else:
        assert Region.parse(text) == region


@pytest.mark.parametrize(
    "text", ["chr1:", "chr1:5", "chr1:5-", "chr1:-5", "chr1:10-9", "chr1:1-2-3"]
)
def test_what_is_nearly_a_region_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadInputError, match=text):
        Region.parse(text)


@SETTINGS
@given(
    st.sampled_from(["1", "chrX", "HLA-A*01:01"]),
    st.integers(0, OPEN_END),
    st.integers(0, OPEN_END),
)
def test_a_region_reads_what_it_writes(contig: str, one: int, other: int) -> None:
    region = Region(contig, min(one, other), max(one, other))
    assert Region.parse(str(region)) == region


LENGTHS = st.integers(1, 400) | st.integers(1, 250_000_000)
SIZES = st.integers(1, 150) | st.integers(1_000, 20_000_000)


@SETTINGS
@given(st.integers(1, 400), st.integers(1, 150), st.integers(0, 500))
def test_every_position_is_in_exactly_one_tile(length: int, size: int, position: int) -> None:
    tiles = [
        Partition.of_tile("c", tile, size, length)
        for tile in range(tile_of(length, size, length) + 1)
    ]
    holding = [
        number
        for number, tile in enumerate(tiles)
        if tile.region.start <= position <= tile.region.end
    ]
    assert holding == [tile_of(position, size, length)]


@SETTINGS
@given(LENGTHS, SIZES, st.integers(0, OPEN_END))
def test_a_position_is_in_the_tile_that_is_named_for_it(
    length: int, size: int, position: int
) -> None:
    tile = tile_of(position, size, length)
    region = Partition.of_tile("c", tile, size, length).region
    assert region.start <= position <= region.end


@SETTINGS
@given(LENGTHS, SIZES)
def test_tiles_touch_and_leave_no_gap_from_position_zero_to_the_end(length: int, size: int) -> None:
    last = tile_of(length, size, length)
    regions = [
        Partition.of_tile("c", tile, size, length).region for tile in range(min(last, 300) + 1)
    ]
    assert regions[0].start == 0
    for before, after in itertools.pairwise(regions):
        assert after.start == before.end + 1
    assert Partition.of_tile("c", last, size, length).region.end == OPEN_END


def test_ids_of_partitions_sort_as_their_positions_do() -> None:
    ids = [
        Partition.of_tile("chr1", tile, 10_000, 250_000_000).id for tile in range(0, 25_000, 999)
    ]
    assert ids == sorted(ids)
