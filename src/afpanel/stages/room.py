"""Whether there is room for what a stage is going to write, asked before it works for hours.

What will be written is known only when it has been. So it is taken as little: what is refused could not have
been written, and what is not refused may still fill the disk, which is reported when it happens.
"""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from afpanel.errors import MachineError
from afpanel.io.machine_faults import mount_of, size_in_words
from afpanel.io.sniff import Compression, compression_of
from afpanel.model.region import Region

OF_PACKED_CALLS, OF_PLAIN_CALLS = 0.5, 0.05
"""Bytes of a genotype store for each of the part of a file that goes into it: half of the least measured."""
OF_STORES = 0.02
"""Bytes of an allele map for each of the stores that it is made of."""
OF_COUNTS = 0.5
"""Bytes of a contribution likewise."""
OF_PANELS = {"vcf": 0.5, "parquet": 0.5, "zarr": 0.5, "vcf-slim": 0.02, "bcf": 0.3, "gdi": 0.02}
"""Bytes of each format of a release likewise."""


def require_room(out: Path, needed: float, made_of: str) -> None:
    """Refuse to begin where there is not even room for the least that will be written.

    Parameters
    ----------
    out
        What is to be written.
    needed
        Bytes that it will have at least.
    made_of
        What that is told from, in words.

    Raises
    ------
    MachineError
        If the file system has less room.
    """
    folder = out.parent
    with suppress(OSError):
        mount = mount_of(folder)
        free = shutil.disk_usage(mount).free
        if free < needed:
            raise MachineError(
                "there is not enough room to begin",
                where=folder,
                expected=f"at least {size_in_words(needed)} free, told from {made_of}",
                found=f"{size_in_words(free)} free on {mount}",
                remedy="make room there, or have results on a larger file system, and run again",
            )


def room_for_calls(
    path: Path, people: float, regions: Iterable[Region | None], lengths: dict[str, int | None]
) -> float:
    """Tell the least that genotype stores of a file will have.

    Parameters
    ----------
    path
        The file.
    people
        Share of its people who are read.
    regions
        What is read of it; None is everything.
    lengths
        Its contigs, with their lengths where it says.
    """
    if path.is_dir():
        return 0.0  # a store in a folder, whose many files would take long to add up
    packed = compression_of(path) is not Compression.NONE
    size = path.stat().st_size * (OF_PACKED_CALLS if packed else OF_PLAIN_CALLS)
    return size * people * sum(_share(region, lengths) for region in regions)


def _share(region: Region | None, lengths: dict[str, int | None]) -> float:
    """Tell which share of a file a region is, as if records were spread evenly; 0 where that is not known."""
    if region is None:
        return 1.0
    known = [length for length in lengths.values() if length]
    length = lengths.get(region.contig)
    if not length or len(known) < len(lengths):
        return 0.0
    return max(0, min(region.end, length) - region.start + 1) / sum(known)


def sizes_of(paths: Iterable[Path]) -> int:
    """Add up the sizes of files; one that is missing is for others to tell of."""
    total = 0
    for path in paths:
        with suppress(OSError):
            total += path.stat().st_size
    return total
