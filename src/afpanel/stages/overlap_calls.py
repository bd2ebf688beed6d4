"""The calls of a cohort's people at chosen sites, read from its genotype stores chunk by chunk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.kinship_kernel import write_copies
from afpanel.errors import BadInputError
from afpanel.io.prefetch import map_ahead
from afpanel.io.store import Store
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION
from afpanel.stages.overlap_sites import Places

_CHUNKS_AHEAD = 2


def copies_of(
    genotype: NDArray[np.integer],
    allele: NDArray[np.integer],
    columns: NDArray[np.int64] | None = None,
) -> NDArray[np.int8]:
    """Count each person's copies of an allele.

    Parameters
    ----------
    genotype
        (records, samples, ploidy) int8 or int16; negative is missing or fill.
    allele
        (records,) number of the allele in each record.
    columns
        (people,) int64: sample of each person; None is all of them.

    Returns
    -------
    (records, people) int8
        0, 1 or 2; -1 unless two alleles are called.
    """
    n_records, n_samples, ploidy = genotype.shape
    columns = np.arange(n_samples) if columns is None else columns
    copies = np.full((n_records, len(columns)), MISSING, np.int8)
    if ploidy == 2:
        write_copies(np.ascontiguousarray(genotype), allele.astype(np.int32), columns, copies)
    return copies


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
        samples = store.texts("sample_id")
        if samples == self._last.get("samples"):  # as in every other store of the cohort
            known: NDArray[np.int64] = self._last["columns"]
            return known
        place = {name: at for at, name in enumerate(samples)}
        absent = sum(name not in place for name in self.people)
        if absent:
            raise BadInputError(
                f"{absent} samples of the sheet are not in the genotype store",
                where=store.path,
                remedy="ingest the cohort again with this sheet",
            )
        columns = np.fromiter((place[name] for name in self.people), np.int64, len(self.people))
        self._last.update(samples=samples, columns=columns)
        return columns


def _read(
    store: Store, places: Places, columns: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Read the calls of records of one chunk."""
    record = places.record[rows]
    step = store.chunk_rows("call_genotype")
    start = int(record[0]) // step * step
    stop = min(start + step, store.rows("call_genotype"))
    genotype = store.read("call_genotype", start, stop)[record - start]
    return rows, copies_of(genotype, places.allele[rows], columns)
