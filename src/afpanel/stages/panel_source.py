"""Where statistics of a panel read it: stores that passed the gate, or a release. Both show the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.variants import Variants, ranges
from afpanel.io.panel_store import read_heads, read_positions, read_shown_blocks
from afpanel.io.release_reader import Panel

_ROWS = 16_384
"""Variants of a release to hold at a time."""


class PanelSource(Protocol):
    """A panel that passed the gate, contig by contig."""

    @property
    def groups(self) -> list[str]:
        """Names of the groups, in order."""

    @property
    def people(self) -> list[int]:
        """People in each group."""

    @property
    def contigs(self) -> list[str]:
        """Names of the contigs, in order."""

    def positions(self, contig: str) -> Iterator[NDArray[np.int32]]:
        """Read the positions of a contig's variants in order, a part at a time."""

    def blocks(self, contig: str) -> Iterator[tuple[Variants, ReleasedCounts]]:
        """Read a contig's variants in order, and their counts, a part at a time."""


@dataclass(frozen=True)
class StoresOfPanel:
    """The releasable store of each contig.

    Parameters
    ----------
    groups, people
        Names of the groups, and people in each.
    paths
        Store of each contig, by its name.
    """

    groups: list[str]
    people: list[int]
    paths: dict[str, Path]

    @classmethod
    def of(cls, panels: Sequence[Path]) -> "StoresOfPanel":
        """Read what the stores are about."""
        heads = read_heads(panels)
        paths = {head.contig: path for path, head in zip(panels, heads, strict=True)}
        return cls(heads[0].groups, heads[0].people, paths)

    @property
    def contigs(self) -> list[str]:
        """Names of the contigs, in order."""
        return list(self.paths)

    def positions(self, contig: str) -> Iterator[NDArray[np.int32]]:
        """Read the positions of a contig's variants in order, a chunk at a time."""
        return read_positions(self.paths[contig])

    def blocks(self, contig: str) -> Iterator[tuple[Variants, ReleasedCounts]]:
        """Read a contig's variants in order, and their counts, a chunk at a time."""
        return read_shown_blocks(self.paths[contig])


@dataclass(frozen=True)
class OpenRelease:
    """A release that is open for reading."""

    panel: Panel

    @property
    def groups(self) -> list[str]:
        """Names of the groups, in order."""
        return list(self.panel.groups)

    @property
    def people(self) -> list[int]:
        """People in each group."""
        return [self.panel.people[group] for group in self.panel.groups]

    @property
    def contigs(self) -> list[str]:
        """Names of the contigs, in order."""
        return list(self.panel.contigs)

    def windows(self, contig: str) -> Iterator[tuple[int, int]]:
        """Cut a contig into ranges of positions, half-open, of so many variants or few more."""
        yield from ranges([self.panel.positions(contig)], _ROWS)

    def positions(self, contig: str) -> Iterator[NDArray[np.int32]]:
        """Read the positions of a contig's variants."""
        yield self.panel.positions(contig)

    def blocks(self, contig: str) -> Iterator[tuple[Variants, ReleasedCounts]]:
        """Read a contig's variants in order, and their counts, a range of positions at a time."""
        for start, stop in self.windows(contig):
            window = self.panel.window(contig, start, stop)
            yield window.variants, window.counts
