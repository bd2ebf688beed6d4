"""Where a cohort's silence on its own build speaks of the panel's reference.

Somebody without a record is like the reference of his own build. Where the panel's reference has another
base, or bases more or fewer, that is no statement about the panel's, and such places are left out.
"""

import numpy as np
from numpy.typing import NDArray

from afpanel.core.intervals import Intervals
from afpanel.core.lifted_alleles import LiftSites, reach
from afpanel.core.liftover import FARTHEST, SEVERAL, Blocks
from afpanel.core.strand import COMPLEMENT
from afpanel.core.strings import Strings


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
    at = [np.empty(0, np.int64)]
    for i in mine.tolist():
        low, high, bases = _block(blocks, i, source)
        there = panel[low:high]
        at.append(low + np.flatnonzero(there != bases[: len(there)]))
        at.append(np.array([low, high - 1]))
    position = np.concatenate(at)
    start, end = _gaps(blocks, mine, source, panel)
    return Intervals.of(np.concatenate([position, start]), np.concatenate([position + 1, end]))


def _block(blocks: Blocks, i: int, source: NDArray[np.uint8]) -> tuple[int, int, NDArray[np.uint8]]:
    """Find a block on the panel's contig, and what the source's reference has there."""
    start, end, first = int(blocks.start[i]), int(blocks.end[i]), int(blocks.first[i])
    bases = np.zeros(
        end - start, np.uint8
    )  # of which nothing is known where the sequence has ended
    bases[: max(0, len(source) - start)] = source[start:end]
    if not blocks.reverse[i]:
        return first, first + end - start, bases
    return first - (end - start) + 1, first + 1, COMPLEMENT[bases][::-1]


def _gaps(
    blocks: Blocks, mine: NDArray[np.int64], source: NDArray[np.uint8], panel: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the spans over which the gaps between the blocks of each chain could be moved."""
    positions, refs, alts = [], [], []
    # Of what one chain leaves out another may have a part, and its blocks stand between.
    by_chain = mine[np.argsort(blocks.chain[mine], kind="stable")]
    for one, other in zip(by_chain[:-1].tolist(), by_chain[1:].tolist(), strict=True):
        if blocks.chain[one] != blocks.chain[other]:
            continue
        between = source[blocks.end[one] : blocks.start[other]]
        if blocks.reverse[one]:
            one, other = other, one  # noqa: PLW2901 - in the panel's order
            between = COMPLEMENT[between][::-1]
        _, start, _ = _block(blocks, one, source)
        end, _, _ = _block(blocks, other, source)
        if max(len(between), end - start) > FARTHEST or not 0 < start <= end <= len(panel):
            continue
        anchor = panel[start - 1 : start].tobytes()
        positions.append(start)
        refs.append((anchor + panel[start:end].tobytes()).decode())
        alts.append((anchor + between.tobytes()).decode("latin-1"))
    n = len(positions)
    index = np.zeros(n, np.int32)
    sites = LiftSites(
        np.arange(n),
        np.array(positions, np.int32),
        Strings.of(refs),
        Strings.of(alts),
        index,
        index,
    )
    low, high = reach(sites, panel)
    # Where both have bases of their own nothing can be moved, and there is no block of this chain.
    moved = np.flatnonzero((low < sites.start) | (high > sites.end))
    return low[moved], high[moved]
