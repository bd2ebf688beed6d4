"""VCF Zarr stores as bio2zarr and others write them: their arrays, and where they have records.

Format 2 and 3 of Zarr are read, as a folder or as one zip file. Writers leave out chunks that hold nothing but
fill, and a chunk that was lost looks the same: Zarr would read calls of REF. So chunks of calls, positions and
alleles must be there, and contigs are held against the store's own index of regions.
"""

import zipfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.storage import LocalStore, ZipStore

from afpanel.errors import BadInputError
from afpanel.io.chunks import BLOSC_HEADER, plain_size
from afpanel.io.scan import Site, unsorted

REPAIR = "write the store again, and see that it was finished and copied whole"
"""What to do about a store that is not whole."""

_NEEDED = ("sample_id", "contig_id", "variant_contig", "variant_position", "variant_allele")
_MAY_LACK_CHUNKS = (
    "variant_contig",
    "variant_filter",
    "variant_id",
    "variant_quality",
    "contig_length",
)
"""Arrays that may well be 0, False or empty throughout a chunk."""

_INDEX_FIELDS = 6
_PROBED_ROWS = 1_000


class VczStore:
    """The arrays of a VCF Zarr store, opened for reading.

    Parameters
    ----------
    path
        Folder or zip file.

    Attributes
    ----------
    contigs, samples, filters
        As the store lists them.
    contig
        (n,) int64: number of the contig of each record.
    position
        (n,) int32: POS.

    Raises
    ------
    BadInputError
        If it is no VCF Zarr store, is not whole, or its records are not sorted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = None if path.is_dir() else ZipStore(path, mode="r")
        try:
            self._root = zarr.open_group(self._zip or LocalStore(path, read_only=True), mode="r")
        except (FileNotFoundError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise self._no_store(f"{error}") from error
        if "vcf_zarr_version" not in self._root.attrs:
            raise self._no_store("no attribute vcf_zarr_version")
        missing = [name for name in _NEEDED if name not in self._root]
        if missing:
            raise self._no_store(f"no {', '.join(missing)}")
        self._names = None if self._zip is None else set(self._zip._zf.namelist())  # noqa: SLF001
        self.contigs = self._texts("contig_id")
        self.samples = self._texts("sample_id")
        self.filters = self._texts("filter_id") if "filter_id" in self._root else []
        self.contig = self.read("variant_contig").astype(np.int64)
        self.position = self.read("variant_position").astype(np.int32)
        self._check_sites()

    def __contains__(self, name: str) -> bool:
        return name in self._root

    def __len__(self) -> int:
        """Count the records."""
        return len(self.position)

    def array(self, name: str) -> Any:
        """Find an array."""
        return self._root[name]

    def lengths(self) -> dict[str, int | None]:
        """Give each contig's length, where the store has them."""
        if "contig_length" not in self._root:
            return dict.fromkeys(self.contigs)
        return dict(zip(self.contigs, self.read("contig_length").tolist(), strict=True))

    def rows_of(self, contig: str, start: int, end: int) -> tuple[int, int]:
        """Find the records of a contig whose POS is in a range, 1-based and inclusive."""
        if contig not in self.contigs:
            return 0, 0
        number = self.contigs.index(contig)
        first, last = np.searchsorted(self.contig, (number, number + 1), sorter=self._order)
        of_contig = self._order[first:last] if self._order is not None else np.arange(first, last)
        if not len(of_contig):
            return 0, 0
        at = int(of_contig[0])
        positions = self.position[at : at + len(of_contig)]
        return (
            at + int(np.searchsorted(positions, start, side="left")),
            at + int(np.searchsorted(positions, end, side="right")),
        )

    def read(
        self, name: str, start: int = 0, stop: int | None = None, columns: slice = slice(None)
    ) -> NDArray[Any]:
        """Read rows of an array, of some samples; every chunk of it must be there."""
        array = self.array(name)
        stop = array.shape[0] if stop is None else stop
        self._check_chunks(array, name, start, stop)
        try:
            values = array[start:stop, columns] if array.ndim > 1 else array[start:stop]
        except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise BadInputError(
                f"{name} cannot be read: {error}", where=self.path, remedy=REPAIR
            ) from error
        return np.asarray(values)

    def chunk_rows(self, name: str) -> int:
        """Rows in a chunk of an array."""
        return int(self.array(name).chunks[0])

    def _texts(self, name: str) -> list[str]:
        return [str(each) for each in self.read(name)]

    def _check_chunks(self, array: Any, name: str, start: int, stop: int) -> None:
        """Refuse rows of which a chunk is missing: Zarr would make up its values."""
        if start >= stop or name in _MAY_LACK_CHUNKS:
            return
        sizes = array.shards or array.chunks
        ranges = [range(start // sizes[0], -(-stop // sizes[0]))]
        ranges += [range(-(-n // size)) for n, size in zip(array.shape[1:], sizes[1:], strict=True)]
        for place in product(*ranges):
            key = f"{array.path}/{array.metadata.encode_chunk_key(place)}"
            if self._names is None and (self.path / key).is_file():
                self._check_whole(self.path / key, array)
            elif self._names is None or key not in self._names:
                raise BadInputError(
                    f"a chunk of {name} is missing",
                    where=f"{self.path}/{key}",
                    expected="every chunk: one that was lost cannot be told from one of nothing but 0",
                    remedy=REPAIR,
                )

    def _check_whole(self, chunk: Path, array: Any) -> None:
        """Refuse a chunk that was cut short, which Blosc would unpack all the same; zip has digests."""
        codec = array.compressors[-1] if array.compressors else None
        if array.shards is not None or "blosc" not in type(codec).__name__.lower():
            return
        with chunk.open("rb") as source:
            if plain_size(source.read(BLOSC_HEADER), chunk.stat().st_size) < 0:
                raise BadInputError("a chunk was cut short", where=chunk, remedy=REPAIR)

    def _check_sites(self) -> None:
        """Check that records are of known contigs, contig by contig, and sorted in each."""
        n = len(self)
        if n and not (self.contig.min() >= 0 and self.contig.max() < len(self.contigs)):
            raise self._no_store("variant_contig names contigs that contig_id lacks")
        if len(self.contig) != n:
            raise self._no_store("variant_contig and variant_position differ in length")
        changes = np.flatnonzero(np.diff(self.contig)) + 1
        firsts = self.contig[np.concatenate([[0], changes])] if n else np.empty(0, np.int64)
        seen, counts = np.unique(firsts, return_counts=True)
        if (counts > 1).any():
            contig = self.contigs[int(seen[counts > 1][0])]
            again = int(changes[np.flatnonzero(firsts[1:] == seen[counts > 1][0])[-1]])
            expected = "contigs one after the other"
            raise unsorted(self.path, contig, int(self.position[again]), expected)
        falls = np.flatnonzero((np.diff(self.position) < 0) & (np.diff(self.contig) == 0))
        if len(falls):
            i = int(falls[0]) + 1
            contig, least = self.contigs[int(self.contig[i])], int(self.position[i - 1])
            expected = f"a position of at least {least}"
            raise unsorted(self.path, contig, int(self.position[i]), expected)
        self._check_index()
        # Contigs may come in another order than contig_id lists them.
        in_order = bool((np.diff(self.contig) >= 0).all())
        self._order = None if in_order else np.argsort(self.contig, kind="stable")

    def _check_index(self) -> None:
        """Hold contigs and positions against the index of regions, where there is one."""
        if "region_index" not in self._root or not len(self):
            return
        index = self.read("region_index").astype(np.int64)
        if index.ndim != 2 or index.shape[1] != _INDEX_FIELDS:
            raise self._no_store(f"a region_index of shape {index.shape}")
        _, contig, first, last, _, records = index.T
        ends = np.cumsum(records)
        wrong = ends[-1:].tolist() != [len(self)] or (records < 1).any()
        if not wrong:
            starts = ends - records
            wrong = bool(
                (self.contig != np.repeat(contig, records)).any()
                or (self.position[starts] != first).any()
                or (self.position[ends - 1] != last).any()
            )
        if wrong:
            raise BadInputError(
                "contigs and positions are not those of the store's region_index",
                where=self.path,
                remedy=REPAIR,
            )

    def _no_store(self, found: str) -> BadInputError:
        return BadInputError(
            "not a VCF Zarr store",
            where=self.path,
            expected="vcf_zarr_version, and arrays such as call_genotype and variant_position",
            found=found,
            remedy="make one with vcf2zarr of bio2zarr, or give the VCF as kind vcf",
        )


class VczSites:
    """Look-ups of sites in a store; see `scan.IndexedSites`."""

    def __init__(self, path: Path) -> None:
        self._store = VczStore(path)
        numbers, counts = np.unique(self._store.contig, return_counts=True)
        self.records: dict[str, int | None] = {
            self._store.contigs[number]: n
            for number, n in zip(numbers.tolist(), counts.tolist(), strict=True)
        }

    def starting_in(self, contig: str, start: int, end: int) -> Iterator[Site]:
        """List the sites whose POS is in a region (1-based, inclusive), in order."""
        first, last = self._store.rows_of(contig, start, end)
        for at in range(first, last, _PROBED_ROWS):
            stop = min(at + _PROBED_ROWS, last)
            refs = self._store.read("variant_allele", at, stop)[:, 0]
            positions = self._store.position[at:stop].tolist()
            for position, ref in zip(positions, refs, strict=True):
                yield Site(contig, position, str(ref))
