"""What the examples in docstrings read: a release of four variants, of which some cells are masked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import afpanel
from afpanel.constants import State
from afpanel.core.group_counts import GroupCounts
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.io.release import ReleaseBlock, ReleaseHead
from afpanel.io.release_zarr import ZarrReleaseWriter

_PEOPLE = {"total": 60, "VN": 60, "VN_CDX": 20, "VN_KHV": 40}
_CONTIGS = {"chr1": 1_000, "chrX": 156_040_895}
_ROWS = {
    "chr1": [
        (100, "A", "C", [(12, 120), (12, 120), (4, 40), (8, 80)]),
        (100, "A", "T", [(9, 120), (9, 120), (-1, -1), (-1, -1)]),
        (250, "A", "G", [(30, 120), (30, 120), (20, 40), (10, 80)]),
    ],
    "chrX": [(5_000_000, "C", "T", [(6, 90), (6, 90), (1, 30), (5, 60)])],
}
"""Variants, and AC and AN of each group; -1 is masked."""


@pytest.fixture(scope="session", autouse=True)
def _example(doctest_namespace: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give docstrings `afpanel`, and `release`, the folder of a release."""
    folder = tmp_path_factory.mktemp("example")
    _write(folder)
    doctest_namespace.update(afpanel=afpanel, release=folder)


def _write(folder: Path) -> None:
    by_sex = [[n, 0, 0] for n in _PEOPLE.values()]
    head = ReleaseHead("tiny", "1", "GRCh38", _CONTIGS, list(_PEOPLE), by_sex)
    writer = ZarrReleaseWriter(folder / "tiny-1.zarr.zip", head)
    for contig, rows in _ROWS.items():
        position, ref, alt, cells = zip(*rows, strict=True)
        variants = Variants(np.array(position, np.int32), Strings.of(ref), Strings.of(alt))
        writer.write(ReleaseBlock.of(contig, variants, _counts(np.array(cells, np.int32)), head))
    writer.close()


def _counts(cells: np.ndarray[Any, np.dtype[np.int32]]) -> GroupCounts:
    ac, an = cells[..., 0], cells[..., 1]
    return GroupCounts(
        allele_count=ac,
        allele_number=an,
        homozygote_count=np.where(ac < 0, -1, 0).astype(np.int32),
        hemizygote_count=np.where(ac < 0, -1, 0).astype(np.int32),
        single_allele_count=np.zeros_like(ac),
        single_allele_number=np.zeros_like(ac),
        raw_allele_count=ac[:, 0],
        raw_allele_number=an[:, 0],
        state=np.where(ac < 0, State.MASKED, State.OBSERVED).astype(np.int8),
    )
