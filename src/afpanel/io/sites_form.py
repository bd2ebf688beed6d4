"""What a sites file is like, as far as its header does not say; and its counts put together, field by field."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.calls import CallBlock
from afpanel.core.published_counts import PublishedCounts
from afpanel.core.site_fields import CellFields
from afpanel.errors import BadInputError
from afpanel.io.records import MISSING_QUALITY, RecordBlock
from afpanel.io.sites_numbers import NumberFault
from afpanel.model.region import Region


@dataclass(frozen=True)
class SitesForm:
    """What the configuration says of a cohort's sites files.

    Parameters
    ----------
    columns
        Columns of a table by what they hold: contig, position, ref, alt, id, filter.
    raw
        Fields of AC and AN of everybody before the filter of genotypes.
    pvar
        Variants of a file of plink2 that has no positions; None is looked for beside it.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, str] = field(default_factory=dict)
    pvar: Path | None = None


class SitesSource(ABC):
    """A file of published counts, read as blocks of records that have counts in the place of calls.

    Attributes
    ----------
    path, further
        The file, and others that it is read with.
    index
        Its index, if it has one; else it is read from front to back.
    samples, fields
        Empty, for there are no calls.
    filters, contigs
        As those of `records.Source`.
    cells
        What each cell is called.
    used
        The fields that counts are read from, by cell.
    raw
        Those of counts before the filter of genotypes; see `SitesForm`.
    """

    path: Path
    further: tuple[Path, ...] = ()
    index: Path | None = None
    samples: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    filters: list[str]
    contigs: dict[str, int | None]
    cells: list[str]
    used: list[CellFields]
    raw: Mapping[str, str] = MappingProxyType({})

    @property
    def names_used(self) -> list[str]:
        """The fields or columns that counts are read from."""
        names = [name for each in self.used for name in each.names]
        return list(dict.fromkeys([*names, *self.raw.values()]))

    @abstractmethod
    def blocks(self, region: Region | None, size: int) -> Iterator[RecordBlock]:
        """Read records in file order; see `records.Source.blocks`."""

    def empty_block(self) -> RecordBlock:
        """Make a block without records, of the shape that this source's blocks have."""
        return without_calls(
            "",
            np.empty(0, np.int32),
            np.full((0, 2), "", object),
            np.empty(0, np.int32),
            np.empty(0, object),
            np.empty((0, len(self.filters)), np.bool_),
            no_counts(len(self.used)),
        )


def without_calls(
    contig: str,
    position: NDArray[np.int32],
    alleles: NDArray[np.object_],
    ref_length: NDArray[np.int32],
    identifier: NDArray[np.object_],
    filters: NDArray[np.bool_],
    counts: PublishedCounts,
) -> RecordBlock:
    """Make a block of n records that nobody has a call of; see `RecordBlock`."""
    n = len(position)
    return RecordBlock(
        contig,
        position,
        alleles,
        ref_length,
        identifier,
        np.full(n, MISSING_QUALITY, np.float32),
        filters,
        np.zeros(n, np.int32),
        CallBlock(np.empty((n, 0, 2), np.int8)),
        counts=counts,
    )


def no_counts(cells: int) -> PublishedCounts:
    """Make the counts of no record."""
    table, column = np.empty((0, cells), np.int32), np.empty(0, np.int32)
    return PublishedCounts(np.empty(0, np.int64), table, table, table, table, table, column, column)


Reader = Callable[[str, NDArray[np.int64]], NDArray[np.int64]]
"""Reads a field of n records, as many numbers of each as are asked for; -1 is missing."""


def counts_of_fields(
    read: Reader, used: Sequence[CellFields], raw: Mapping[str, str], n_alts: NDArray[np.int64]
) -> PublishedCounts:
    """Put together the counts of n records.

    Parameters
    ----------
    read
        See `Reader`.
    used
        The fields of each cell.
    raw
        As in `SitesForm`.
    n_alts
        (n,) int64: ALTs of each record.
    """
    one, m = np.ones(len(n_alts), np.int64), int(n_alts.sum())

    def table(names: Sequence[str | None], each: NDArray[np.int64]) -> NDArray[np.int32]:
        values = np.full((int(each.sum()), len(names)), MISSING, np.int32)
        for c, name in enumerate(names):
            if name is not None:
                values[:, c] = read(name, each)
        return values

    return PublishedCounts(
        n_alts,
        allele_count=table([f.allele_count for f in used], n_alts),
        homozygotes=table([f.homozygotes for f in used], n_alts),
        hemizygotes=table([f.hemizygotes for f in used], n_alts),
        allele_number=table([f.allele_number for f in used], one),
        haploid_number=np.full((len(one), len(used)), MISSING, np.int32),
        raw_allele_count=table([raw["AC"]], n_alts)[:, 0] if raw else np.full(m, MISSING, np.int32),
        raw_allele_number=(
            table([raw["AN"]], one)[:, 0] if raw else np.full(len(one), MISSING, np.int32)
        ),
    )


_WORDS = {
    NumberFault.NO_NUMBER: (
        "is not a whole number",
        "a whole number, or a dot where it is missing",
    ),
    NumberFault.NEGATIVE: ("is negative", "a number of at least 0, or a dot where it is missing"),
    NumberFault.LARGE: ("is too large", f"a number of at most {2**31 - 1:,}"),
    NumberFault.FEW_OR_MANY: ("does not have as many numbers as it must", ""),
}


def number_fault(
    fault: NumberFault, name: str, where: str, found: str, expected: int
) -> BadInputError:
    """Make the error for a field that cannot be read; `expected` is how many numbers it must have."""
    what, wanted = _WORDS[fault]
    return BadInputError(
        f"{name} {what}",
        where=where,
        expected=wanted or f"{expected}: one for each ALT, or one of AN",
        found=repr(found[:_SHOWN]),
        remedy="name the right fields in the table of cells, or correct the file",
    )


_SHOWN = 60
