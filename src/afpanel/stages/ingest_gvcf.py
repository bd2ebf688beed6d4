"""Read the single-sample gVCFs of a cohort into the genotype store of one partition.

The store has the records that somebody has, with a call of everybody, as one file of all would have
them; and beside these what was called of every base, as spans, of which `count` makes AN everywhere.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.core.allele_number_track import WINDOW, split_at
from afpanel.core.calls import CallBlock
from afpanel.core.gvcf import (
    CallSpans,
    OwnCalls,
    PersonRecords,
    UnionRecords,
    called_over,
    unite,
)
from afpanel.core.intervals import Intervals
from afpanel.errors import BadInputError
from afpanel.io.gvcf import read_list
from afpanel.io.records import MISSING_QUALITY, Dtype, RecordBlock, WideGenotypeError
from afpanel.io.tables import read_samples
from afpanel.model.region import OPEN_END, Region
from afpanel.stages.genotype_writer import GenotypeWriter, chunk_rows, create_genotypes
from afpanel.stages.gvcf_people import Person, open_people
from afpanel.stages.progress import Progress
from afpanel.stages.room import require_room, room_for_calls

logger = logging.getLogger(__name__)

_SPANS_IN_CHUNK = 1 << 18
_FILTERS = ("PASS",)  # which no record has: FILTERs are those of a person's calls


@dataclass(frozen=True)
class GvcfOptions:
    """What `ingest_gvcf` needs to know besides its files.

    Parameters
    ----------
    fields
        FORMAT fields to keep beside GT, where the files have them: GQ, DP, AD.
    filters
        FILTER values whose records are used, ``.`` among them; empty is all.
    chunk
        Records in a chunk; by default as many as make a chunk of about 16 MB.
    polyploid_missing
        Whether calls of more than two alleles are taken as missing, and not refused.
    window
        Bases that are read at a time, of everybody; a divisor of `WINDOW`.
    """

    fields: tuple[str, ...] = ()
    filters: tuple[str, ...] = ("PASS", ".")
    chunk: int | None = None
    polyploid_missing: bool = False
    window: int = WINDOW


def ingest_gvcf(
    list_path: Path, sheet: Path, region: Region, out: Path, options: GvcfOptions
) -> None:
    """Read one partition of a cohort.

    Parameters
    ----------
    list_path
        Text file that lists the gVCFs.
    sheet
        Sample sheet; only the samples it lists are read.
    region
        The partition, by the files' own contig name.
    out
        Store to write.
    options
        See `GvcfOptions`.

    Raises
    ------
    BadInputError
        If a file, the list or the sheet cannot be used.
    """
    samples = read_samples(sheet).ids
    files = read_list(list_path)

    def run(dtype: Dtype) -> None:
        people, _ = open_people(
            files,
            samples,
            options.fields,
            options.filters,
            polyploid_missing=options.polyploid_missing,
            contig=region.contig,
        )
        _Partition(people, region, dtype, options).write(out)

    try:
        run(np.int8)
    except WideGenotypeError as wide:
        logger.info("ingest %s: starting again with wide genotypes: %s", list_path.name, wide)
        run(np.int16)


class _Partition:
    """Goes through a partition, window by window, and writes its store."""

    def __init__(
        self, people: list[Person], region: Region, dtype: Dtype, options: GvcfOptions
    ) -> None:
        self._people, self._region = people, region
        self._dtype, self._options = dtype, options
        self._fields = people[0].source.fields
        self._chunk = options.chunk or chunk_rows(len(people), len(self._fields))

    def write(self, out: Path) -> None:
        contig, people = self._region.contig, self._people
        task = f"ingest {self._region}"
        files = [person.source for person in people]
        needed = sum(room_for_calls(f.path, 1, [self._region], f.contigs) for f in files) / 50
        require_room(out, needed, f"the size of {len(files)} gVCFs")
        progress = Progress(logger, task, "records")
        with create_genotypes(out, self._fields, self._chunk) as writer:
            for window in self._windows():
                n = self._write_window(writer, window)
                at = f"at {contig}:{window.start:,}, {len(people):,} samples"
                progress.advance(n, at, self._share_read(window))
            lengths = (person.source.contigs.get(contig) for person in people)
            writer.polyploid_calls = sum(person.polyploid_calls for person in people)
            filtered = sum(person.filtered_calls for person in people)
            writer.store.attributes({"filtered_calls": filtered})
            length = max((each for each in lengths if each), default=None)
            writer.finish({contig: length}, _FILTERS, [person.name for person in people])
        for n, reason in (
            (writer.polyploid_calls, "of more than two alleles"),
            (filtered, "in records of FILTERs that are not accepted"),
        ):
            if n:
                logger.warning("%s: %s calls %s are taken as missing", task, f"{n:,}", reason)
        logger.info("%s: done, %s records of %d people", task, f"{progress.done:,}", len(people))

    def _share_read(self, window: Region) -> float | None:
        """Tell how far into the region a window reaches, where it is known how long that is."""
        region = self._region
        length = self._people[0].source.contigs.get(region.contig)
        if not length:
            return None
        end = min(region.end, length)
        return (min(window.end, end) - region.start + 1) / (end - region.start + 1)

    def _windows(self) -> Iterator[Region]:
        """Cut the region at multiples of the window; those without a record may be left out.

        The last one takes in whatever lies beyond the contig's end.
        """
        region, window = self._region, self._options.window
        contig = region.contig
        covered = Intervals.union([person.source.covered(contig) for person in self._people])
        lengths = [person.source.contigs.get(contig) for person in self._people]
        length = max((each for each in lengths if each), default=OPEN_END)
        reach = min(region.end, length, int(covered.end.max(initial=0)))
        first = max(region.start - 1, 0) // window + 1
        cuts = (cut * window + 1 for cut in range(first, (reach - 1) // window + 1))
        starts = np.array([region.start, *cuts])
        ends = np.array([*starts[1:] - 1, region.end])
        wanted = covered.touches(np.maximum(starts - 1, 0), ends)
        wanted[0] = True  # so that there always is one
        for start, end in zip(starts[wanted].tolist(), ends[wanted].tolist(), strict=True):
            yield Region(contig, start, end)

    def _write_window(self, writer: GenotypeWriter, window: Region) -> int:
        """Read a window of everybody, and write its records and spans; returns how many records."""
        start, end = window.start - 1, window.end
        records = [person.read(window) for person in self._people]
        union, own = unite(records, start, end)
        spans = [each.spans(max(start, 0), end) for each in records]
        reach = int(union.end.max(initial=end))
        over = self._beyond(spans, end, reach) if reach > end else spans
        for at in range(0, len(union) or 1, self._chunk):
            rows = slice(at, min(at + self._chunk, len(union)))
            writer.append(self._block(rows, (union, own, over, records)), 0)
        self._append_spans(writer, spans)
        return len(union)

    def _beyond(self, spans: list[CallSpans], end: int, reach: int) -> list[CallSpans]:
        """Add to spans that end with a window those up to where a REF reaches."""
        further = Region(self._region.contig, end + 1, reach)
        result = []
        for person, mine in zip(self._people, spans, strict=True):
            tallies = person.filtered_calls, person.polyploid_calls
            next_to = person.read(further).spans(end, reach)
            person.filtered_calls, person.polyploid_calls = (
                tallies  # they are those of another window
            )
            result.append(CallSpans.joined([mine, next_to]))
        return result

    def _block(
        self,
        rows: slice,
        found: tuple[UnionRecords, OwnCalls, list[CallSpans], list[PersonRecords]],
    ) -> RecordBlock:
        """Call everybody at some of a window's records."""
        union, own, spans, records = found
        n, people = rows.stop - rows.start, len(self._people)
        genotype = np.empty((n, people, 2), np.int16)
        fields = {
            name: np.empty((n, people), np.int16)
            for name, field in (("gq", "GQ"), ("dp", "DP"), ("het_alt_ad", "AD"))
            if field in self._fields
        }
        for at, mine in enumerate(spans):
            genotype[:, at], called = called_over(mine, union, rows)
            for name, values in called.items():
                fields[name][:, at] = values
        self._put_own(genotype, fields, rows, own, records)
        n_alts = union.n_alts[rows]
        most = genotype.max(axis=(1, 2), initial=0)
        others = np.maximum(most - n_alts, 0)
        self._check_width(union.position[rows], n_alts + others)
        return RecordBlock(
            self._region.contig,
            union.position[rows],
            union.alleles(rows, others),
            union.ref[rows].lengths.astype(np.int32),
            np.full(n, ".", object),
            np.full(n, MISSING_QUALITY, np.float32),
            np.zeros((n, len(_FILTERS)), np.bool_),
            np.zeros(n, np.int32),
            CallBlock(genotype.astype(self._dtype), **fields),
        )

    def _put_own(
        self,
        genotype: NDArray[np.int16],
        fields: dict[str, NDArray[np.int16]],
        rows: slice,
        own: OwnCalls,
        records: list[PersonRecords],
    ) -> None:
        """Put calls of people who have the record themselves in the place of what covers it."""
        first, last = np.searchsorted(own.site, (rows.start, rows.stop)).tolist()
        site, person = own.site[first:last] - rows.start, own.person[first:last]
        record = own.record[first:last]
        genotype[site, person] = own.genotype[first:last]
        order = np.argsort(person, kind="stable")
        whose, begins = np.unique(person[order], return_index=True)
        for who, mine in zip(whose.tolist(), np.split(order, begins)[1:], strict=True):
            calls = records[who].calls
            for name, values in fields.items():
                values[site[mine], who] = getattr(calls, name)[record[mine], 0]

    def _check_width(self, position: NDArray[np.int32], most: NDArray[np.int64]) -> None:
        wide = np.flatnonzero(most > np.iinfo(self._dtype).max)
        if not len(wide):
            return
        place = f"{self._region.contig}:{position[wide[0]]}"
        if self._dtype is np.int8:
            raise WideGenotypeError(f"{place} has {most[wide[0]] + 1} alleles")
        raise BadInputError(
            "more alleles than can be numbered",
            where=place,
            expected=f"at most {np.iinfo(np.int16).max:,} ALT alleles of all people together",
            found=f"{most[wide[0]]:,}",
        )

    def _append_spans(self, writer: GenotypeWriter, spans: Sequence[CallSpans]) -> None:
        """Write the spans of what was read at a time: by `WINDOW`, and person by person."""
        pieces = [split_at(mine.start, mine.end, _cuts(mine)) for mine in spans]
        # Only what lies past the end of the contig is of several windows.
        windows = {int(each) for _, start, _ in pieces for each in np.unique(start // WINDOW)}
        for window in sorted(windows) or [0]:
            borders = (window * WINDOW, (window + 1) * WINDOW)
            for number, (mine, (row, start, end)) in enumerate(zip(spans, pieces, strict=True)):
                part = slice(*np.searchsorted(start, borders))
                calls = mine.calls.take(row[part])
                fields = {"GQ": calls.gq, "DP": calls.dp, "het_alt_AD": calls.het_alt_ad}
                writer.store.append(
                    {
                        "span_sample": np.full(part.stop - part.start, number, np.int32),
                        "span_start": start[part],
                        "span_end": end[part],
                        "span_genotype": calls.genotype[:, 0],
                        **{f"span_{key}": f[:, 0] for key, f in fields.items() if f is not None},
                    },
                    chunk=_SPANS_IN_CHUNK,
                )


def _cuts(spans: CallSpans) -> NDArray[np.int64]:
    """List the multiples of `WINDOW` among some spans."""
    if not len(spans):
        return np.empty(0, np.int64)
    return np.arange(spans.start[0] // WINDOW + 1, spans.end[-1] // WINDOW + 1) * WINDOW
