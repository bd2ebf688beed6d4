"""The release as Zarr in one zip file: VCF Zarr's site arrays, and figures over (variants, groups)."""

from concurrent.futures import Executor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from afpanel.io.release import FILTERS, ReleaseBlock, ReleaseHead
from afpanel.io.store_writer import create_store
from afpanel.model.figures import FIGURES, SITE_FIGURES, STATE

RELEASE = "release"
RELEASE_VERSION = 3

_CHUNK = 16_384
_LEVEL = 2
"""How hard to pack: half of the time of the level that other stores have, for 2 % more bytes."""


class ZarrReleaseWriter:
    """Writes ``.zarr.zip``.

    Parameters
    ----------
    path
        Zip file to write.
    head
        What the release is.
    pool
        Whose threads pack; without one the caller's does.
    """

    def __init__(self, path: Path, head: ReleaseHead, pool: Executor | None = None) -> None:
        self._contigs = list(head.contigs)
        self._stack = ExitStack()
        about = {"panel": head.name, "version": head.version, "build": head.build}
        self._store = self._stack.enter_context(
            create_store(
                path,
                RELEASE,
                RELEASE_VERSION,
                chunk=_CHUNK,
                attributes=about,
                level=_LEVEL,
                pool=pool,
            )
        )
        self._store.array("contig_id", self._contigs)
        self._store.array("contig_length", list(head.contigs.values()))
        self._store.array("filter_id", list(FILTERS))
        self._store.array("group_id", head.groups)
        self._store.array("group_people", head.people)

    def write(self, block: ReleaseBlock) -> None:
        """Write a block."""
        variants, ac0 = block.variants, block.no_alt_left
        self._store.append(
            {
                "variant_contig": np.full(len(variants), self._contigs.index(block.contig)),
                "variant_position": variants.position,
                "variant_length": variants.ref.lengths,
                "variant_allele": np.column_stack([variants.ref.objects(), variants.alt.objects()]),
                "variant_filter": np.column_stack([~ac0, ac0]),
                **{figure.array: block.values(figure) for figure in FIGURES},
                **{figure.array: block.site_values(figure) for figure in SITE_FIGURES},
                STATE.array: block.counts.state,
            }
        )

    def close(self) -> None:
        """Finish the file."""
        self._stack.close()
