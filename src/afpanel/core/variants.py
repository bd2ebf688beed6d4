"""Canonical variants of one contig: their order, duplicates, and the union over cohorts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from afpanel.core.strings import Strings, joined


@dataclass(frozen=True)
class Variants:
    """Variants of one contig.

    Parameters
    ----------
    position
        (n,) int32, 1-based.
    ref, alt
        n alleles each, in upper case.
    """

    position: NDArray[np.int32]
    ref: Strings
    alt: Strings

    def __len__(self) -> int:
        return len(self.position)

    @property
    def start(self) -> NDArray[np.int64]:
        """(n,) int64: first base of REF, 0-based."""
        return self.position.astype(np.int64) - 1

    @property
    def end(self) -> NDArray[np.int64]:
        """(n,) int64: end of REF, exclusive."""
        return self.start + self.ref.lengths

    def take(self, indices: NDArray[np.int64]) -> "Variants":
        """Copy the variants at `indices`, in that order."""
        return Variants(self.position[indices], self.ref.take(indices), self.alt.take(indices))


def concatenate(tables: Sequence[Variants]) -> Variants:
    """Lay tables of variants end to end."""
    if len(tables) == 1:
        return tables[0]
    ref, alt = (joined([getattr(table, name) for table in tables]) for name in ("ref", "alt"))
    positions = [table.position for table in tables]
    position = np.concatenate(positions) if positions else np.empty(0, np.int32)
    return Variants(position, ref, alt)


def sort_keys(variants: Variants) -> NDArray[np.int64]:
    """Give every variant a number that orders the table by position, REF and ALT.

    Equal variants get equal numbers. Numbers of two tables do not compare: concatenate first.

    Returns
    -------
    (n,) int64
        Position in the upper 32 bits, rank of the alleles in the lower.
    """
    separator = pa.scalar(">", pa.large_string())
    pairs = pc.binary_join_element_wise(variants.ref.arrow(), variants.alt.arrow(), separator)
    encoded = pairs.dictionary_encode()
    distinct = encoded.dictionary
    # Bases sort after '>', so that a REF which is another's prefix comes first, as REF alone would.
    rank = np.empty(len(distinct), np.int64)
    rank[pc.sort_indices(distinct).to_numpy()] = np.arange(len(distinct))
    alleles = rank[encoded.indices.to_numpy(zero_copy_only=False)]
    keys: NDArray[np.int64] = (variants.position.astype(np.int64) << 32) | alleles
    return keys


def union(tables: Sequence[Variants]) -> tuple[Variants, list[NDArray[np.int64]]]:
    """Merge tables of variants into one without repeats, in order.

    Returns
    -------
    variants
        Every variant that some table has, by position, REF and ALT.
    rows
        For each table, (n,) int64: where its variants are in the union.
    """
    everything = concatenate(tables)
    _, index, inverse = np.unique(sort_keys(everything), return_index=True, return_inverse=True)
    bounds = np.cumsum([len(table) for table in tables])[:-1]
    return everything.take(index), [rows.astype(np.int64) for rows in np.split(inverse, bounds)]


def ranges(positions: Sequence[NDArray[np.int32]], rows: int) -> Iterator[tuple[int, int]]:
    """Cut a contig into half-open ranges of positions that hold about `rows` rows each.

    Parameters
    ----------
    positions
        Of each table, (n,) int32, in any order.
    rows
        Rows of all tables in a range; more where so many are of one position.
    """
    everything = np.sort(np.concatenate([np.empty(0, np.int32), *positions]))
    if not len(everything):
        return
    # A window begins at a position, so that all variants of one position are in one window.
    starts = np.unique(everything[::rows]).tolist()
    yield from zip(starts, [*starts[1:], int(everything[-1]) + 1], strict=True)
