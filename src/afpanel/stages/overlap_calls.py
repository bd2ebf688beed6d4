"""The calls of a cohort's people at chosen sites, read from its genotype stores chunk by chunk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.errors import BadInputError
from afpanel.io.prefetch import map_ahead
from afpanel.io.store import Store
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION
from afpanel.stages.overlap_sites import Places

_CHUNKS_AHEAD = 2


def copies_of(genotype: NDArray[np.integer], allele: NDArray[np.integer]) -> NDArray[np.int8]:
    """Count each person's copies of an allele.

    Parameters
    ----------
    genotype
        (records, samples, ploidy); negative is missing or fill.
    allele
        (records,) number of the allele in each record.

    Returns
    -------
    (records, samples) int8
        0, 1 or 2; -1 unless two alleles are called.
    """
    called = (genotype >= 0).sum(axis=2, dtype=np.int8) == 2
    copies = (genotype == allele[:, None, None]).sum(axis=2, dtype=np.int8)
    return np.where(called, copies, np.int8(MISSING))


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

    def at(self, places: Places) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int8]]]:
        """Read calls.

        Yields
        ------
        which
            (n,) int64: rows of `places`, each once in all.
        copies
            (n, people) int8: see `copies_of`.
        """
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
                read = partial(_read, store, places, columns)
                yield from map_ahead(read, np.split(rows, starts[1:]), _CHUNKS_AHEAD)

    def _columns(self, store: Store) -> NDArray[np.int64]:
        """Find the people in a store."""
        place = {name: at for at, name in enumerate(store.texts("sample_id"))}
        absent = sum(name not in place for name in self.people)
        if absent:
            raise BadInputError(
                f"{absent} samples of the sheet are not in the genotype store",
                where=store.path,
                remedy="ingest the cohort again with this sheet",
            )
        return np.array([place[name] for name in self.people], np.int64)


def _read(
    store: Store, places: Places, columns: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Read the calls of records of one chunk."""
    record = places.record[rows]
    step = store.chunk_rows("call_genotype")
    start = int(record[0]) // step * step
    stop = min(start + step, store.rows("call_genotype"))
    genotype = store.read("call_genotype", start, stop)[record - start][:, columns]
    return rows, copies_of(genotype, places.allele[rows])
