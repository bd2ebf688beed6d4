"""Where a cohort's silence on its own build speaks of the panel's reference.

Somebody without a record is like the reference of his own build. Where the panel's reference has another
base, or bases more or fewer, that is no statement about the panel's, and such places are left out.
"""

import numpy as np
from numpy.typing import NDArray

from afpanel.core.intervals import Intervals
from afpanel.core.lifted_alleles import reach
from afpanel.core.liftover import FARTHEST, SEVERAL, Blocks
from afpanel.core.strand import COMPLEMENT
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants


def differences(
    blocks: Blocks, contig: int, source: NDArray[np.uint8], panel: NDArray[np.uint8]
) -> Intervals:
    """Find where two references differ, on one contig of the panel's build.

    Parameters
    ----------
    blocks
        Of the source's contig.
    contig
        Number of the panel's.
    source, panel
        (bases,) uint8: the two contigs.

    Returns
    -------
    Intervals
        Bases that differ; the ends of blocks; and where one has bases that the other lacks, all that
        such an insertion or deletion could be moved over.
    """
    mine = np.flatnonzero((blocks.contig == contig) & (blocks.chain != SEVERAL))
    low, high = blocks.spans
    at = [low[mine], high[mine] - 1]
    for i in mine.tolist():
        there = panel[low[i] : high[i]]
        at.append(low[i] + np.flatnonzero(there != _source_of(blocks, i, source)[: len(there)]))
    position = np.concatenate(at)
    start, end = _gaps(blocks, mine, source, panel)
    return Intervals.of(np.concatenate([position, start]), np.concatenate([position + 1, end]))


def _source_of(blocks: Blocks, i: int, source: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Read what the source's reference has in a block, in the panel's order; 0 where it has ended."""
    start, end = int(blocks.start[i]), int(blocks.end[i])
    bases = np.zeros(end - start, np.uint8)
    bases[: max(0, len(source) - start)] = source[start:end]
    return COMPLEMENT[bases][::-1] if blocks.reverse[i] else bases


def _gaps(
    blocks: Blocks, mine: NDArray[np.int64], source: NDArray[np.uint8], panel: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the spans over which the gaps between the blocks of each chain could be moved."""
    positions, refs, alts = [], [], []
    low, high = (each.tolist() for each in blocks.spans)
    # Of what one chain leaves out another may have a part, and its blocks stand between.
    by_chain = mine[np.argsort(blocks.chain[mine], kind="stable")]
    for one, other in zip(by_chain[:-1].tolist(), by_chain[1:].tolist(), strict=True):
        if blocks.chain[one] != blocks.chain[other]:
            continue
        between = source[blocks.end[one] : blocks.start[other]]
        start, end = high[one], low[other]
        if blocks.reverse[one]:
            start, end = high[other], low[one]
            between = COMPLEMENT[between][::-1]
        if max(len(between), end - start) > FARTHEST or not 0 < start <= end <= len(panel):
            continue
        anchor = panel[start - 1 : start].tobytes()
        positions.append(start)
        refs.append((anchor + panel[start:end].tobytes()).decode())
        alts.append((anchor + between.tobytes()).decode("latin-1"))
    gaps = Variants(np.array(positions, np.int32), Strings.of(refs), Strings.of(alts))
    first, last = reach(gaps, np.arange(len(gaps)), panel)
    # Where both have bases of their own nothing can be moved, and there is no block of this chain.
    moved = np.flatnonzero((first < gaps.start) | (last > gaps.end))
    return first[moved], last[moved]
