"""What every cohort says of the variants of a contig, by counts and by evidence for its silence.

The hub's stages that look at all cohorts side by side read them here, window by window, so that memory
does not grow with a contig's length.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.contigs import ContigNames, contig_kind
from afpanel.core.intervals import Intervals
from afpanel.core.ploidy import loci_of
from afpanel.core.tracks import Track
from afpanel.core.variants import Variants, concatenate, ranges, union
from afpanel.errors import BadInputError
from afpanel.io.store import Store
from afpanel.io.tables import read_bed
from afpanel.io.track_text import TrackText, is_track
from afpanel.model.arrays import RAW_COUNTS
from afpanel.model.cohort import Cell
from afpanel.stages.cell_counts import CELL_TABLES, CountsHead, open_cell_counts
from afpanel.stages.evidence import AscendingTrack, Evidence, Silence

_WINDOW_ROWS = 100_000  # so that what is added up stays near the processor
_TRACK_ROWS = 65_536


@dataclass(frozen=True)
class ContigOptions:
    """What reading the cohorts of a contig needs to know besides their counts.

    Parameters
    ----------
    contig
        The contig, by the reference's name.
    build
        Genome build of the panel.
    callable_files
        BED or track of allele numbers of each cohort that has one.
    window_rows
        Rows of all cohorts to hold at a time.
    """

    contig: str
    build: str
    callable_files: Mapping[str, Path]
    window_rows: int = _WINDOW_ROWS


class _CountsFile:
    """One store of counts: its rows of the contig begin at `first`, and have these positions.

    It is open from the first window that has rows of it to the last.
    """

    def __init__(self, path: Path, first: int, position: NDArray[np.int32]) -> None:
        self._path = path
        self._first = first
        self._position = position
        self._store: Store | None = None

    @property
    def position(self) -> NDArray[np.int32]:
        """(n,) POS of its variants of the contig."""
        return self._position

    def rows(self, start: int, stop: int) -> "_Rows | None":
        """Find the variants in a half-open range of positions; None if there are none."""
        first, last = np.searchsorted(self._position, (start, stop)).tolist()
        return None if first == last else _Rows(self, first, last)

    def sites(self, first: int, last: int) -> Variants:
        """Read some of the variants."""
        ref, alt = (
            self._opened().strings(f"variant_{x}", self._first + first, self._first + last)
            for x in ("ref", "alt")
        )
        return Variants(self._position[first:last], ref, alt)

    def table(self, name: str, first: int, last: int) -> NDArray[np.int32]:
        """Read counts of some of the variants."""
        return self._opened().read(name, self._first + first, self._first + last)

    def _opened(self) -> Store:
        if self._store is None:
            self._store = open_cell_counts(self._path)
        return self._store

    def close_before(self, start: int) -> None:
        """Close the store if it has no variant at a position or after it."""
        if self._position[-1] < start:
            self.close()

    def close(self) -> None:
        """Close the store, if it is open."""
        if self._store is not None:
            self._store.close()
            self._store = None


@dataclass(frozen=True)
class _Rows:
    """Consecutive variants of a store of counts."""

    file: _CountsFile
    first: int
    last: int


class Tables(Mapping[str, NDArray[np.int32]]):
    """The counts of a cohort's variants in a window, each table read when it is asked for.

    So it is added up while it is still near the processor.
    """

    def __init__(self, rows: Sequence[_Rows], cells: int) -> None:
        self._rows = rows
        self._cells = cells
        self._read: dict[str, NDArray[np.int32]] = {}

    def __getitem__(self, name: str) -> NDArray[np.int32]:
        if name not in self._read:
            parts = [part.file.table(name, part.first, part.last) for part in self._rows]
            shape = (0,) if name in RAW_COUNTS else (0, self._cells)
            one = parts[0] if len(parts) == 1 else None
            self._read[name] = (
                np.concatenate([np.empty(shape, np.int32), *parts]) if one is None else one
            )
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(CELL_TABLES)

    def __len__(self) -> int:
        return len(CELL_TABLES)


@dataclass
class CohortCounts:
    """Everything a cohort brings to a contig.

    Parameters
    ----------
    head
        Whose counts they are.
    files
        Stores of counts that have variants of the contig.
    evidence
        What is known of where it could have called others.
    """

    head: CountsHead
    files: list[_CountsFile]
    evidence: Evidence

    @property
    def name(self) -> str:
        """Name of the cohort."""
        return self.head.cohort

    @property
    def country(self) -> str:
        """Its country."""
        return self.head.country

    @property
    def cells(self) -> list[Cell]:
        """Its cells."""
        return self.head.cells


@dataclass(frozen=True)
class Said:
    """What one cohort says of the variants of a window.

    Parameters
    ----------
    cohort
        The cohort.
    rows
        (m,) int64: the variants that it has.
    tables
        Their counts by name: (m, cells) int32 for each of `GROUP_TABLES`, (m,) for each of `RAW_COUNTS`.
    silence
        What it says of those that it does not have.
    """

    cohort: CohortCounts
    rows: NDArray[np.int64]
    tables: Tables
    silence: Silence


@dataclass(frozen=True)
class Window:
    """Consecutive variants of a contig, and what the cohorts say of them.

    Parameters
    ----------
    variants
        n variants, in order: all that some cohort has.
    loci
        (n,) int8, `ploidy.Loci` of each.
    """

    variants: Variants
    loci: NDArray[np.int8]
    _read: list[tuple[CohortCounts, Tables, NDArray[np.int64]]]

    def said(self) -> Iterator[Said]:
        """Go through the cohorts; to be done once for each window, for tracks are read along."""
        while self._read:
            cohort, tables, rows = self._read.pop(0)
            names = ("allele_number", "single_allele_number", "raw_allele_number")
            called = (tables[name] for name in names)
            silence = cohort.evidence.silence(self.variants, self.loci, cohort.cells, rows, *called)
            yield Said(cohort, rows, tables, silence)


def read_cohorts(
    paths: Sequence[Path], names: ContigNames, options: ContigOptions
) -> list[CohortCounts]:
    """Look at every store of counts, and gather what belongs to each cohort, by name.

    Parameters
    ----------
    paths
        Stores of counts, in any order. Of every cohort at least one must be given, be it of another
        contig: it tells which people are silent here.
    names
        Names of the reference's contigs.
    options
        See `ContigOptions`.
    """
    found: dict[str, _CohortFiles] = {}
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        raise BadInputError("given twice", where=twice[0], remedy="give each store of counts once")
    for path in sorted(paths):
        with open_cell_counts(path) as store:
            head = CountsHead.of(store)
            cohort = found.setdefault(head.cohort, _CohortFiles(head))
            if cohort.head.attributes() != head.attributes():
                raise BadInputError(
                    f"counts of cohort {head.cohort} were made from different sample sheets",
                    where=path,
                    remedy="count every partition of the cohort again",
                )
            cohort.look_at(store, options.contig)
    unknown = sorted(set(options.callable_files) - set(found))
    if unknown:
        raise BadInputError(f"callable regions of {unknown[0]}, but no counts of that cohort")
    return [
        cohort.gathered(options.callable_files.get(name), names, options.contig)
        for name, cohort in sorted(found.items())
    ]


@dataclass(frozen=True)
class _CohortFiles:
    """What has been found of a cohort while its stores are looked at."""

    head: CountsHead
    files: list[_CountsFile] = field(default_factory=list)
    tracks: list[tuple[int, Path, int, int]] = field(default_factory=list)
    refused_start: list[NDArray[np.int32]] = field(default_factory=list)
    refused_end: list[NDArray[np.int32]] = field(default_factory=list)
    callable_parts: list[Intervals] = field(default_factory=list)
    has_track: list[bool] = field(default_factory=list)

    def look_at(self, store: Store, contig: str) -> None:
        """Note what a store has of a contig."""
        contigs = store.texts("contig_id")
        number = contigs.index(contig) if contig in contigs else MISSING
        first, last = np.searchsorted(store.read("variant_contig"), (number, number + 1)).tolist()
        if first < last:
            position = store.read("variant_position", first, last)
            self.files.append(_CountsFile(store.path, first, position))
        refused = store.read("refused_contig") == number
        self.refused_start.append(store.read("refused_start")[refused])
        self.refused_end.append(store.read("refused_end")[refused])
        if "callable_contig" in store:
            inside = store.read("callable_contig") == number
            spans = (store.read(f"callable_{side}")[inside] for side in ("start", "end"))
            self.callable_parts.append(Intervals.of(*spans))
        if "track_contig" in store:
            self.has_track.append(True)
            first, last = np.searchsorted(store.read("track_contig"), (number, number + 1)).tolist()
            if first < last:
                start = int(store.read("track_start", first, first + 1)[0])
                self.tracks.append((start, store.path, first, last))

    def gathered(self, callable_file: Path | None, names: ContigNames, contig: str) -> CohortCounts:
        """Put together what was found, with the cohort's evidence for its silence."""
        nothing = np.empty(0, np.int32)
        name, cells = self.head.cohort, self.head.cells
        regions, blocks = None, None
        where = f"{callable_file}, {contig}"
        if (self.has_track or self.callable_parts) and callable_file is not None:
            raise BadInputError(
                f"the counts of cohort {name} say themselves where it could call",
                where=callable_file,
                remedy=f"leave out --callable {name}=...",
            )
        if self.has_track:
            where = f"cohort {name}, {contig}"
            blocks = _stored_track(sorted(self.tracks))
        elif self.callable_parts:
            regions = Intervals.union(self.callable_parts)
        elif callable_file is not None and is_track(callable_file):
            blocks = TrackText(callable_file, cells).of_contig(names, contig)
        elif callable_file is not None:
            regions = read_bed(callable_file, names, contig)
        evidence = Evidence(
            regions,
            None if blocks is None else AscendingTrack(blocks, len(cells), where),
            Intervals.of(
                np.concatenate([nothing, *self.refused_start]),
                np.concatenate([nothing, *self.refused_end]),
            ),
        )
        return CohortCounts(self.head, self.files, evidence)


def _stored_track(parts: list[tuple[int, Path, int, int]]) -> Iterator[Track]:
    """Read the track of a contig from the stores of counts that hold it, in order."""
    for _, path, first, last in parts:
        for start in range(first, last, _TRACK_ROWS):
            rows = (start, min(start + _TRACK_ROWS, last))
            with open_cell_counts(path) as store:
                begin, end = (
                    store.read(f"track_{side}", *rows).astype(np.int64) for side in ("start", "end")
                )
                yield Track(begin, end, store.read("track_allele_number", *rows))


def windows(cohorts: Sequence[CohortCounts], options: ContigOptions) -> Iterator[Window]:
    """Go through a contig in windows of about as many rows of all cohorts as are to be held."""
    with ExitStack() as stack:
        for cohort in cohorts:
            for file in cohort.files:
                stack.callback(file.close)
        positions = [file.position for cohort in cohorts for file in cohort.files]
        for start, stop in ranges(positions, options.window_rows):
            read = [_read_sites(cohort, start, stop) for cohort in cohorts]
            variants, rows = union([sites for sites, _ in read])
            for cohort, of_cohort in zip(cohorts, rows, strict=True):
                _check_once(cohort.name, options.contig, variants, of_cohort)
            loci = loci_of(contig_kind(options.contig), options.build, variants.position)
            tables = [tables for _, tables in read]
            yield Window(variants, loci, list(zip(cohorts, tables, rows, strict=True)))
            for cohort in cohorts:
                for file in cohort.files:
                    file.close_before(stop)


def _check_once(cohort: str, contig: str, variants: Variants, rows: NDArray[np.int64]) -> None:
    """Refuse a variant that a cohort has twice: it would be counted twice."""
    times = np.bincount(rows, minlength=len(variants))
    if len(rows) and times.max() > 1:
        position = variants.position[int(times.argmax())]
        raise BadInputError(
            f"two stores of counts of cohort {cohort} have the same variant",
            where=f"{contig}:{position}",
            remedy="give each store once, and none of partitions that are no longer used",
        )


def _read_sites(cohort: CohortCounts, start: int, stop: int) -> tuple[Variants, Tables]:
    """Read a cohort's variants in a range of positions; their counts are read when asked for."""
    found = [rows for file in cohort.files if (rows := file.rows(start, stop)) is not None]
    sites = concatenate([rows.file.sites(rows.first, rows.last) for rows in found])
    return sites, Tables(found, len(cohort.cells))
