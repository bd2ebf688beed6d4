"""Indexes that are whole files but describe what cannot be; random damage is in the module of damaged files."""

import gzip
import struct
from pathlib import Path

import pysam
import pytest
from tests.builders import bgzf, vcf_text

from afpanel.errors import BadInputError
from afpanel.io.source import open_source
from afpanel.model.region import Region

MIN_SHIFT, DEPTH, AUXILIARY = 4, 8, 12
"""Where these numbers stand in a CSI index."""


@pytest.fixture
def indexed(tmp_path: Path) -> tuple[Path, Path, bytes]:
    """A file with a CSI index; the file, the index and what is in it."""
    records = [("1", 1000 * at, "A", "C", "0/0", "0/1") for at in range(1, 50)]
    path = tmp_path / "a.vcf.gz"
    path.write_bytes(bgzf(vcf_text("ab", records, contigs=("1",)).encode(), [300]))
    pysam.tabix_index(str(path), preset="vcf", csi=True, force=True)
    index = path.with_name("a.vcf.gz.csi")
    return path, index, gzip.decompress(index.read_bytes())


def read(path: Path) -> int:
    return sum(map(len, open_source(path).blocks(Region("1", 20_000, 30_000), 10)))


def test_an_index_is_read_however_it_is_packed(indexed: tuple[Path, Path, bytes]) -> None:
    path, index, good = indexed
    index.write_bytes(gzip.compress(good))
    assert read(path) == 11


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (MIN_SHIFT, -1),
        (MIN_SHIFT, 1_000),
        (DEPTH, -1),
        (DEPTH, 40),
        (DEPTH, 9_000_000),
        (DEPTH, 2**31 - 1),
        (AUXILIARY, -1),
        (AUXILIARY, 2**31 - 1),
    ],
)
def test_a_csi_index_of_impossible_measures_is_refused(
    indexed: tuple[Path, Path, bytes], at: int, value: int
) -> None:
    path, index, good = indexed
    index.write_bytes(gzip.compress(good[:at] + struct.pack("<i", value) + good[at + 4 :]))
    with pytest.raises(BadInputError, match="not a usable index"):
        read(path)


def test_a_csi_index_whose_bins_are_empty_is_refused(indexed: tuple[Path, Path, bytes]) -> None:
    """It says that the contig has records, and of none where it is."""
    path, index, good = indexed
    (auxiliary,) = struct.unpack_from("<i", good, AUXILIARY)
    bins = 16 + auxiliary + 4  # after the number of contigs
    lowest_bin = struct.pack("<iIQi", 1, 4681, 0, 0)
    index.write_bytes(gzip.compress(good[:bins] + lowest_bin))
    with pytest.raises(BadInputError, match="not a usable index"):
        read(path)
