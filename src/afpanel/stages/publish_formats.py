"""Writing the data files of a release: which formats there are, and how all are written at once from the same blocks."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from afpanel.core.group_counts import GroupCounts
from afpanel.core.policy import Statistic
from afpanel.core.variants import Variants
from afpanel.io.panel_store import read_panel_blocks
from afpanel.io.prefetch import Behind, InOrder, cores
from afpanel.io.release import ReleaseBlock, ReleaseHead, ReleaseWriter
from afpanel.io.release_bcf import BcfReleaseWriter
from afpanel.io.release_gdi import GdiReleaseWriter
from afpanel.io.release_parquet import ParquetReleaseWriter
from afpanel.io.release_vcf import VcfReleaseWriter
from afpanel.io.release_zarr import ZarrReleaseWriter
from afpanel.stages.progress import Progress

logger = logging.getLogger(__name__)

_BLOCKS_WAITING = 1

_ROWS, _FEWEST_ROWS, _CELLS = 16_384, 1_024, 1 << 18
"""Variants of a block, at most and at least, and about how many cells of groups it has: what is held grows with these."""


@dataclass(frozen=True)
class Format:
    """A format of the release.

    Parameters
    ----------
    suffix
        What the name of its file or folder ends in.
    maker
        Opens it for writing, with a pool of threads to pack in.
    needs
        Statistics that it cannot do without.
    """

    suffix: str
    maker: Callable[[Path, ReleaseHead, Executor], ReleaseWriter]
    needs: tuple[Statistic, ...] = ()


FORMATS = {
    "vcf": Format(".vcf.gz", VcfReleaseWriter),
    "parquet": Format(".parquet", ParquetReleaseWriter),
    "zarr": Format(".zarr.zip", ZarrReleaseWriter),
    "vcf-slim": Format(".slim.vcf.gz", partial(VcfReleaseWriter, slim=True)),
    "bcf": Format(".bcf", BcfReleaseWriter),
    "gdi": Format(".gdi", GdiReleaseWriter, (Statistic.NHOMALT, Statistic.NHEMIALT)),
}
"""Formats by their names in the configuration."""


def write_formats(
    stem: Path,
    head: ReleaseHead,
    panels: Sequence[Path],
    formats: Sequence[str],
    also: Callable[[str, ReleaseBlock], None] | None = None,
    threads: int | None = None,
) -> None:
    """Write a release's data files, each format in a thread of its own, all from the same blocks.

    What takes long, figures, texts and packing, is shared out to a pool of threads; results are put together in their
    order, so that the files are the same whatever the number of threads.

    Parameters
    ----------
    stem
        What the names of the files begin with.
    head
        What the release is.
    panels
        Releasable store of each contig, in order.
    formats
        Names of `FORMATS`.
    also
        Is given each contig's name and block, too, in order, in a thread of its own.
    threads
        How many threads work; None is as many as there are cores.
    """
    threads = threads or cores()
    makers = [FORMATS[name] for name in formats]
    behind: list[Behind[ReleaseBlock]] = []

    def hand_out(block: ReleaseBlock) -> None:
        for each in behind:
            each.give(block)

    with ThreadPoolExecutor(threads) as pool:
        writers = [
            each.maker(stem.with_name(stem.name + each.suffix), head, pool) for each in makers
        ]
        try:
            behind += [Behind(writer.write, _BLOCKS_WAITING) for writer in writers]
            if also is not None:
                behind.append(Behind(lambda block: also(block.contig, block), _BLOCKS_WAITING))
            blocks = InOrder(hand_out, pool, threads)
            for contig, variants, counts in _read_blocks(head, panels):
                blocks.give(ReleaseBlock.of, contig, variants, counts, head)
            blocks.finish()
            for each in behind:
                each.finish()
        finally:
            for each in behind:
                each.stop()
        for writer in writers:
            writer.close()


def _read_blocks(
    head: ReleaseHead, panels: Sequence[Path]
) -> Iterator[tuple[str, Variants, GroupCounts]]:
    """Read the contigs' variants and counts, block by block, and tell how far it is."""
    progress = Progress(logger, "publish", "variants")
    genome, before = sum(head.contigs.values()), 0
    rows = _ROWS
    while rows > _FEWEST_ROWS and rows * len(head.groups) > _CELLS:
        rows //= 2
    for path, contig in zip(panels, head.contigs, strict=True):
        for variants, counts in read_panel_blocks(path, rows, always=True):
            yield contig, variants, counts
            at = int(variants.position[-1]) if len(variants) else 0
            progress.advance(len(variants), contig, (before + at) / genome)
        before += head.contigs[contig]
