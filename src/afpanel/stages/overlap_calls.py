"""The calls of a cohort's people at chosen sites, read from its genotype stores chunk by chunk."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.kinship_kernel import count_copies, turn, write_copies
from afpanel.errors import BadInputError
from afpanel.io.prefetch import map_ahead
from afpanel.io.store import Store
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION
from afpanel.stages.overlap_sites import Places

T = TypeVar("T")

_CHUNKS_AHEAD = 2
_ROWS = 32
"""Rows of sites that are turned at a time: of a chunk of a million people's calls there are few."""


def copies_of(
    genotype: NDArray[np.integer],
    rows: NDArray[np.int64],
    allele: NDArray[np.integer],
    columns: NDArray[np.int64],
) -> NDArray[np.int8]:
    """Count each person's copies of an allele.

    Parameters
    ----------
    genotype
        (all records, samples, ploidy) int8 or int16; negative is missing or fill.
    rows
        (records,) int64: rows of some records.
    allele
        (records,) number of the allele in each of them.
    columns
        (people,) int64: sample of each person.

    Returns
    -------
    (records, people) int8
        0, 1 or 2; -1 unless two alleles are called.
    """
    copies = np.full((len(rows), len(columns)), MISSING, np.int8)
    if genotype.shape[2] == 2:
        write_copies(np.ascontiguousarray(genotype), rows, allele.astype(np.int32), columns, copies)
    return copies


def counts_of(
    genotype: NDArray[np.integer],
    rows: NDArray[np.int64],
    allele: NDArray[np.integer],
    columns: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count, of what `copies_of` gives, all copies and the people with two alleles called: (records,) each."""
    copies, called = np.zeros((2, len(rows)), np.int64)
    if genotype.shape[2] == 2:
        calls = np.ascontiguousarray(genotype)
        count_copies(calls, rows, allele.astype(np.int32), columns, copies, called)
    return copies, called


@dataclass(frozen=True)
class CohortCalls:
    """Where a cohort's calls are.

    Parameters
    ----------
    folder
        Folder of its genotype stores.
    partitions
        Names of its partitions, as the allele map numbers them.
    people
        Sample IDs of the people who are compared, in the order that results have.
    """

    folder: Path
    partitions: Sequence[str]
    people: Sequence[str]
    _last: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def at(self, places: Places) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int8]]]:
        """Read calls.

        Yields
        ------
        which
            (n,) int64: rows of `places`, each once in all.
        copies
            (n, people) int8: see `copies_of`.
        """
        yield from self._chunks(places, copies_of)

    def counts(self, places: Places) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count ALT alleles, and the people who have a call: (places,) int64 each."""
        alt, called = np.zeros((2, len(places.key)), np.int64)
        for which, (its_alt, its_called) in self._chunks(places, counts_of):
            alt[which], called[which] = its_alt, its_called
        return alt, called

    def by_person(
        self, places: Places, column: NDArray[np.int64], n_columns: int
    ) -> NDArray[np.int8]:
        """Read calls into a table with a row for each person.

        Parameters
        ----------
        places
            Where they are.
        column
            (places,) int64: column of each.
        n_columns
            Columns of the table; where no place is written to there are no calls.

        Returns
        -------
        (people, columns) int8
            See `copies_of`.
        """
        table = np.full((len(self.people), n_columns), MISSING, np.int8)
        waiting: list[NDArray[np.int8]] = []
        columns: list[NDArray[np.int64]] = []
        for which, copies in self.at(places):
            waiting.append(copies)
            columns.append(column[which])
            if sum(map(len, columns)) >= _ROWS:
                turn(np.concatenate(waiting), np.concatenate(columns), table)
                waiting, columns = [], []
        if waiting:
            turn(np.concatenate(waiting), np.concatenate(columns), table)
        return table

    def _chunks(
        self, places: Places, made_of: Callable[..., T]
    ) -> Iterator[tuple[NDArray[np.int64], T]]:
        """Read the places chunk by chunk: their rows, and what is made of the genotypes there."""
        order = np.lexsort((places.record, places.partition))
        bounds = np.searchsorted(places.partition[order], np.arange(len(self.partitions) + 1))
        for number in np.flatnonzero(np.diff(bounds)).tolist():
            rows = order[bounds[number] : bounds[number + 1]]
            path = self.folder / f"{self.partitions[number]}.vcz.zip"
            with Store(path, GENOTYPES, GENOTYPES_VERSION) as store:
                columns = self._columns(store)
                step = store.chunk_rows("call_genotype")
                chunk = places.record[rows] // step
                starts = np.flatnonzero(np.diff(chunk, prepend=-1))
                read = partial(_read, store, places, columns, made_of)
                yield from map_ahead(read, np.split(rows, starts[1:]), _CHUNKS_AHEAD)

    def _columns(self, store: Store) -> NDArray[np.int64]:
        """Find the people in a store."""
        samples = store.texts("sample_id")
        if samples == self._last.get("samples"):  # as in every other store of the cohort
            known: NDArray[np.int64] = self._last["columns"]
            return known
        place = dict(zip(samples, range(len(samples)), strict=True))
        found = [place.get(name, -1) for name in self.people]
        absent = found.count(-1)
        if absent:
            raise BadInputError(
                f"{absent} samples of the sheet are not in the genotype store",
                where=store.path,
                remedy="ingest the cohort again with this sheet",
            )
        columns = np.array(found, np.int64)
        self._last.update(samples=samples, columns=columns)
        return columns


def _read(
    store: Store,
    places: Places,
    columns: NDArray[np.int64],
    made_of: Callable[..., T],
    rows: NDArray[np.int64],
) -> tuple[NDArray[np.int64], T]:
    """Read the genotypes of records of one chunk, and make something of them."""
    record = places.record[rows]
    step = store.chunk_rows("call_genotype")
    start = int(record[0]) // step * step
    stop = min(start + step, store.rows("call_genotype"))
    genotype = store.read("call_genotype", start, stop)
    of_chunk = record.astype(np.int64) - start
    return rows, made_of(genotype, of_chunk, places.allele[rows], columns)
