"""Regions of a contig, and the partitions that work is cut into."""

import re
from dataclasses import dataclass

from afpanel.errors import BadInputError

_REGION = re.compile(r"(?P<contig>.+):(?P<start>[\d,]+)-(?P<end>[\d,]+)")

OPEN_END = 2**31 - 2
"""End of a region that runs to wherever the contig ends; POS is a 32-bit integer in VCF Zarr."""


@dataclass(frozen=True, order=True)
class Region:
    """Part of one contig.

    Parameters
    ----------
    contig
        Name of the contig.
    start, end
        First and last position, 1-based and inclusive. A start of 0 takes in records at POS 0,
        which VCF uses for the telomere.
    """

    contig: str
    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> "Region":
        """Read ``contig:start-end``, or ``contig`` alone for all of it.

        >>> Region.parse("chr1:1-1,000")
        Region(contig='chr1', start=1, end=1000)
        """
        match = _REGION.fullmatch(text)
        if match is None:
            if not text or re.search(r":[^:]*-[^:]*$|:$|:[\d,]+$", text):
                raise BadInputError(
                    f"'{text}' is not a region", expected="contig or contig:start-end"
                )
            return cls(text, 0, OPEN_END)
        start, end = (int(match[key].replace(",", "")) for key in ("start", "end"))
        if end < start:
            raise BadInputError(f"region '{text}' ends before it starts")
        return cls(match["contig"], start, end)

    def __str__(self) -> str:
        return f"{self.contig}:{self.start}-{self.end}"


@dataclass(frozen=True)
class Partition:
    """A unit of work: the records of one contig whose POS lies in one tile of it."""

    id: str
    region: Region

    @classmethod
    def of_tile(cls, contig: str, tile: int, size: int, length: int) -> "Partition":
        """Make the partition of a contig's tile number `tile` (from 0), each `size` bases wide.

        The first tile takes in POS 0 and the last whatever lies past the contig's `length`, so that
        every record of a file is in exactly one partition, be its position right or wrong.
        """
        start = 0 if tile == 0 else tile * size + 1
        end = OPEN_END if (tile + 1) * size >= length else (tile + 1) * size
        return cls(f"{contig}.{tile:05d}", Region(contig, start, end))


def tile_of(position: int, size: int, length: int) -> int:
    """Find the number of the tile that holds a position; past the contig's end, the last one's."""
    last = max(0, (length - 1) // size)
    return min(max(0, (position - 1) // size), last)
