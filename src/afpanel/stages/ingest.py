"""Read genotypes once, into VCF Zarr stores: one for each partition of a cohort.

A store holds what the file has, raw: nothing is normalised, filtered or counted here.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from afpanel.errors import BadInputError
from afpanel.io.files import move, scratch_folder
from afpanel.io.prefetch import prefetch
from afpanel.io.records import BLOCKS_IN_USE, RecordBlock, Source, WideGenotypeError
from afpanel.io.sites_form import SitesSource
from afpanel.io.source import open_source
from afpanel.io.tables import read_samples
from afpanel.model.region import Region
from afpanel.stages.genotype_writer import GenotypeWriter, chunk_rows, create_genotypes
from afpanel.stages.progress import Progress
from afpanel.stages.room import require_room, room_for_calls

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """A store to write, and the region whose records go into it, by the file's contig names."""

    region: Region | None
    path: Path


def ingest(
    source_path: Path,
    sheet: Path,
    targets: Sequence[Target],
    *,
    fields: tuple[str, ...] = (),
    chunk: int | None = None,
    polyploid_missing: bool = False,
) -> None:
    """Read a VCF or BCF file into genotype stores, in one pass.

    Parameters
    ----------
    source_path
        The file.
    sheet
        Sample sheet; only the samples it lists are read.
    targets
        Stores to write, in the order of the file. All appear together, when the file is read.
    fields
        FORMAT fields to keep beside GT, where the file has them: GQ, DP, AD.
    chunk
        Records in a chunk; by default as many as make a chunk of about 16 MB.
    polyploid_missing
        Whether calls of more than two alleles are taken as missing, and not refused.

    Raises
    ------
    BadInputError
        If the file or the sheet cannot be used.
    """
    samples = read_samples(sheet).ids
    open_as = partial(
        open_source, source_path, samples, fields, polyploid_missing=polyploid_missing
    )
    try:
        _ingest(open_as(dtype=np.int8), targets, chunk)
    except WideGenotypeError as wide:
        logger.info("ingest %s: starting again with wide genotypes: %s", source_path.name, wide)
        try:
            _ingest(open_as(dtype=np.int16), targets, chunk)
        except WideGenotypeError as wider:
            raise BadInputError(
                str(wider),
                where=source_path,
                expected=f"records of at most {np.iinfo(np.int16).max:,} ALT alleles",
                remedy="split such records: bcftools norm -m -",
            ) from wider


def _ingest(source: Source, targets: Sequence[Target], chunk: int | None) -> None:
    if not source.has_genotypes:
        raise BadInputError(
            "the file has no genotypes",
            where=source.path,
            expected="samples, and GT in their FORMAT",
            remedy="if INFO has AC and AN, give it as kind sites",
        )
    share = len(source.samples) / source.n_people
    regions = [target.region for target in targets]
    needed = room_for_calls(source.path, share, regions, source.contigs)
    require_room(targets[0].path, needed, f"the size of {source.path.name}")
    write_stores(source, targets, chunk)


def write_stores(
    source: Source | SitesSource, targets: Sequence[Target], chunk: int | None
) -> None:
    """Write the records of a file to stores, in one pass.

    Parameters
    ----------
    source
        The file.
    targets, chunk
        As for `ingest`.
    """
    if chunk is None:
        chunk = chunk_rows(len(source.samples), len(source.fields))
    task = f"ingest {source.path.name}"
    first = targets[0].path
    with (
        scratch_folder(first) as folder,
        _OpenStores(source, targets, folder, chunk) as stores,
    ):
        progress = Progress(logger, task, "records")
        blocks = source.blocks(targets[0].region if len(targets) == 1 else None, chunk)
        for block in prefetch(blocks, BLOCKS_IN_USE - 2):
            stores.write(block)
            people = "" if block.counts is not None else f", {len(source.samples):,} samples"
            progress.advance(
                len(block),
                f"at {block.contig}:{block.position[-1]:,}{people}",
                _share_read(targets, block, source.contigs),
            )
        stores.finish()
    if stores.polyploid_calls:
        logger.warning(
            "%s: %s calls of more than two alleles are taken as missing",
            task, f"{stores.polyploid_calls:,}",
        )  # fmt: skip
    stores_written = "1 store" if len(targets) == 1 else f"{len(targets)} stores"
    logger.info("%s: done, %s records into %s", task, f"{progress.done:,}", stores_written)


def _share_read(
    targets: Sequence[Target], block: RecordBlock, lengths: Mapping[str, int | None]
) -> float | None:
    """Tell how far into its region a block reaches, where there is one and it is known how long it is."""
    region = targets[0].region
    length = lengths.get(block.contig)
    if len(targets) > 1 or region is None or not length:
        return None
    end = min(region.end, length)
    return (int(block.position[-1]) - region.start + 1) / (end - region.start + 1)


class _OpenStores:
    """Hands each record to the store whose region it is in.

    Records come sorted, so a store is opened at its first record and closed once they are past it.
    """

    def __init__(
        self,
        source: Source | SitesSource,
        targets: Sequence[Target],
        folder: Path,
        chunk: int,
    ) -> None:
        self._source = source
        self._targets = targets
        self._folder = folder
        self._chunk = chunk
        self._contig_at = {name: i for i, name in enumerate(source.contigs)}
        self._open: dict[int, tuple[ExitStack, GenotypeWriter]] = {}
        self._closed: set[int] = set()
        self.polyploid_calls = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give up the stores that are still open, which happens after an error alone."""
        for stack, _ in self._open.values():
            stack.__exit__(kind, error, trace)

    def write(self, block: RecordBlock) -> None:
        """Write the records of a block to the stores they belong to."""
        for number, target in enumerate(self._targets):
            region = target.region
            if region is None:
                self._append(number, block)
            elif region.contig == block.contig:
                start = int(np.searchsorted(block.position, region.start, side="left"))
                end = int(np.searchsorted(block.position, region.end, side="right"))
                if start < end:
                    self._append(number, block.rows(start, end))
        for number in list(self._open):
            region = self._targets[number].region
            past = region is not None and (
                region.contig != block.contig or region.end < block.position[-1]
            )
            if past:
                self._close(number)

    def finish(self) -> None:
        """Close every store, those without records too, and put all in place."""
        for number in range(len(self._targets)):
            if number not in self._open and number not in self._closed:
                self._append(number, self._source.empty_block())
            if number in self._open:
                self._close(number)
        for number, target in enumerate(self._targets):
            target.path.parent.mkdir(parents=True, exist_ok=True)
            move(self._staged(number), target.path)

    def _staged(self, number: int) -> Path:
        return self._folder / f"{number}.zip"

    def _start(self, number: int) -> GenotypeWriter:
        stack = ExitStack()
        writer = stack.enter_context(
            create_genotypes(self._staged(number), self._source.fields, self._chunk)
        )
        self._open[number] = (stack, writer)
        return writer

    def _append(self, number: int, block: RecordBlock) -> None:
        writer = self._open[number][1] if number in self._open else self._start(number)
        writer.append(block, self._contig_at.setdefault(block.contig, len(self._contig_at)))

    def _close(self, number: int) -> None:
        stack, writer = self._open.pop(number)
        lengths = {name: self._source.contigs.get(name) for name in self._contig_at}
        writer.finish(lengths, self._source.filters, self._source.samples)
        if isinstance(self._source, SitesSource):
            writer.store.attributes({"cells": self._source.cells})
        self.polyploid_calls += writer.polyploid_calls
        stack.close()
        self._closed.add(number)
