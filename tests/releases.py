"""Releases for tests: random figures, written by the project's own writers, and read back line by line."""

import gzip
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from afpanel.core.group_counts import GroupCounts
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.io.release import ReleaseBlock, ReleaseHead
from afpanel.io.release_vcf import VcfReleaseWriter
from afpanel.io.release_zarr import ZarrReleaseWriter
from afpanel.model.arrays import COUNTS, SINGLE_COUNTS

Variant = tuple[str, int, str, str]
Cell = tuple[int, int, int, int, int]
"""AC, AN, nhomalt, nhemialt and state; -1 is missing."""

Rows = dict[Variant, list[Cell]]
NOT_CALLABLE, ABSENT, OBSERVED, MASKED = range(4)


class Made(NamedTuple):
    """A release: its folder, its groups, and its cells in the order of the groups."""

    folder: Path
    groups: list[str]
    rows: Rows


def write_release(
    folder: Path,
    rows: Rows,
    people: Mapping[str, int],
    *,
    contigs: Mapping[str, int],
    version: str = "1",
    build: str = "GRCh38",
) -> Made:
    """Write rows as Zarr and VCF; contigs come in the order given."""
    folder.mkdir(parents=True)
    head = head_of(people, contigs, version, build)
    stem = folder / f"tiny-{version}"
    writers = [
        ZarrReleaseWriter(stem.with_name(stem.name + ".zarr.zip"), head),
        VcfReleaseWriter(stem.with_name(stem.name + ".vcf.gz"), head),
    ]
    for contig in contigs:
        mine = sorted(variant for variant in rows if variant[0] == contig)
        counts, variants = counts_of(mine, rows, len(people)), variants_of(mine)
        for writer in writers:
            writer.write(ReleaseBlock.of(contig, variants, counts, head))
    for writer in writers:
        writer.close()
    return Made(folder, list(people), rows)


def head_of(
    people: Mapping[str, int], contigs: Mapping[str, int], version: str = "1", build: str = "GRCh38"
) -> ReleaseHead:
    by_sex = [[n, 0, 0] for n in people.values()]
    return ReleaseHead("tiny", version, build, dict(contigs), list(people), by_sex)


def variants_of(mine: Sequence[Variant]) -> Variants:
    return Variants(
        np.array([v[1] for v in mine], np.int32),
        Strings.of([v[2] for v in mine]),
        Strings.of([v[3] for v in mine]),
    )


def counts_of(mine: Sequence[Variant], rows: Rows, n_groups: int) -> GroupCounts:
    table = np.array([rows[v] for v in mine], np.int32).reshape(-1, n_groups, 5)
    return GroupCounts(
        **{name: table[:, :, i] for i, name in enumerate(COUNTS)},
        state=table[:, :, 4].astype(np.int8),
        **{name: np.full(table.shape[:2], -1, np.int32) for name in SINGLE_COUNTS},
        raw_allele_count=table[:, 0, 0],
        raw_allele_number=table[:, 0, 1],
    )


def random_cell(draw: random.Random) -> Cell:
    state = draw.choices(range(4), (1, 3, 8, 2))[0]
    if state == NOT_CALLABLE:
        return -1, 0, -1, -1, state
    if state == MASKED:
        return -1, -1, -1, -1, state
    an = draw.choice((0, 20, 40, 41, 200)) if state == OBSERVED else 40
    ac = draw.randint(0, an) if state == OBSERVED and draw.random() < 0.7 else 0
    return ac, an, draw.randint(0, ac // 2), ac % 2, state


def random_rows(
    draw: random.Random, contigs: Sequence[str], n_groups: int, sites: int, spread: int
) -> Rows:
    """Draw variants, several of them at one position, and their cells."""
    rows: Rows = {}
    for contig in contigs:
        for _ in range(sites):
            ref = "".join(draw.choices("ACGT", k=draw.choice((1, 1, 2, 9))))
            alt = "".join(draw.choices("ACGT", k=draw.choice((1, 1, 3))))
            if ref != alt:
                variant = (contig, draw.randint(1, spread), ref, alt)
                rows[variant] = [random_cell(draw) for _ in range(n_groups)]
    return rows


def later(draw: random.Random, rows: Rows, n_groups: int) -> Rows:
    """Change, lose and find some variants, as from one release to the next."""
    found: Rows = {}
    for variant, cells in rows.items():
        fate = draw.random()
        if fate < 0.6:
            found[variant] = list(cells)
        elif fate < 0.9:
            found[variant] = [random_cell(draw) if draw.random() < 0.5 else c for c in cells]
        if fate > 0.85:
            contig, position, ref, alt = variant
            found[contig, position, ref, alt + "A"] = [random_cell(draw) for _ in range(n_groups)]
    return found


class Line(NamedTuple):
    """A line of a release's VCF."""

    filter: str
    info: dict[str, str]


def read_lines(folder: Path) -> dict[Variant, Line]:
    """Read a release's VCF as text."""
    (path,) = folder.glob("*.vcf.gz")
    found = {}
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        if not line.startswith("#"):
            contig, position, _, ref, alt, _, filter_, info = line.split("\t")
            pairs = dict(pair.split("=", 1) for pair in info.split(";"))
            found[contig, int(position), ref, alt] = Line(filter_, pairs)
    return found
