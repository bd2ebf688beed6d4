"""The allele map: a row for each source allele of a cohort, in the order of its partitions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, Flag, Outcome, outcome_label
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError
from afpanel.io.store import Store
from afpanel.io.store_writer import StoreWriter, create_store
from afpanel.stages.duplicates import Settled
from afpanel.stages.genotype_stores import partition_of
from afpanel.stages.source_alleles import SourceAlleles, Spans

ALLELES = "alleles"
ALLELES_VERSION = 3

_CHUNK = 65_536


@contextmanager
def create_allele_map(path: Path, cohort: str) -> Iterator["AlleleMapWriter"]:
    """Write an allele map that appears under its name when the block ends without an error."""
    attributes = {"cohort": cohort}
    with create_store(path, ALLELES, ALLELES_VERSION, chunk=_CHUNK, attributes=attributes) as store:
        yield AlleleMapWriter(store)


class AlleleMapWriter:
    """Writes an allele map; made by `create_allele_map`.

    Parameters
    ----------
    store
        What to write to.

    Attributes
    ----------
    outcomes
        Rows written, by the label of their outcome.
    """

    def __init__(self, store: StoreWriter) -> None:
        self.outcomes: Counter[str] = Counter()
        self._writer = store
        self._bounds = [0]
        self._refused_bounds = [0]
        self._merged: list[NDArray[np.int64]] = [np.empty((0, 5), np.int64)]
        self._append(_NO_ALLELES, _NOWHERE)  # a cohort without a record has these arrays too

    def write(
        self, parts: Sequence[SourceAlleles], refused: Sequence[Spans], settled: Settled
    ) -> None:
        """Write the alleles of some stores.

        Parameters
        ----------
        parts
            Source alleles of each store.
        refused
            Where each has records that were refused.
        settled
            Those that are one variant.
        """
        self._merge(parts, settled)
        for part, spans in zip(parts, refused, strict=True):
            self._append(part, spans)
            self._bounds.append(self._bounds[-1] + len(part.outcome))
            self._refused_bounds.append(self._refused_bounds[-1] + len(spans.contig))
            self.outcomes += _tally(part)

    def _append(self, part: SourceAlleles, spans: Spans) -> None:
        kept = part.outcome == Outcome.KEPT
        flags = np.where(kept, part.flags, part.flags & np.uint8(Flag.NEW_REFERENCE))
        contig = np.where(kept, part.contig, MISSING)
        for start in range(0, max(len(kept), 1), _CHUNK):
            rows = slice(start, start + _CHUNK)
            self._writer.append(
                {
                    "allele_record": part.sites.record[rows],
                    "allele_index": part.index[rows],
                    "allele_outcome": part.outcome[rows],
                    "allele_flags": flags[rows],
                    "allele_contig": contig[rows],
                    "allele_position": part.variants.position[rows],
                    "allele_ref": part.variants.ref[rows].objects(),
                    "allele_alt": part.variants.alt[rows].objects(),
                }
            )
        self._writer.append(
            {
                "refused_contig": spans.contig,
                "refused_start": spans.start,
                "refused_end": spans.end,
            }
        )

    def _merge(self, parts: Sequence[SourceAlleles], settled: Settled) -> None:
        starts = np.cumsum([0, *(len(part.outcome) for part in parts)])
        for number in np.unique(settled.part):
            part = parts[number]
            mine = np.flatnonzero((settled.part == number) & (settled.row != settled.leader))
            place = settled.row[mine] - starts[number]
            is_merged = part.outcome[place] == Outcome.KEPT
            mine, place = mine[is_merged], place[is_merged]
            columns = (
                settled.leader[mine] + self._bounds[-1],
                settled.row[mine] + self._bounds[-1],
                np.full(len(mine), len(self._bounds) - 1 + number),
                part.sites.record[place],
                part.index[place],
            )
            self._merged.append(np.column_stack(columns).astype(np.int64))

    def finish(
        self,
        panel: Sequence[str],
        source: Sequence[str],
        of_store: Sequence[int],
        stores: Sequence[Path],
        empty: Sequence[Path],
    ) -> None:
        """Write what there is one of.

        Parameters
        ----------
        panel, source
            Contigs of the panel, and of the build that the cohort is on.
        of_store, stores
            The stores that were written, and the number of each one's contig in `source`.
        empty
            Stores without a record that is wanted.
        """
        write = self._writer.array
        write("contig_id", list(panel))
        write("source_contig_id", list(source))
        write("partition_contig", [*of_store, *[MISSING] * len(empty)])
        write("partition_id", [partition_of(path) for path in (*stores, *empty)])
        write("partition_offset", [*self._bounds, *self._bounds[-1:] * len(empty)])
        write("refused_offset", [*self._refused_bounds, *self._refused_bounds[-1:] * len(empty)])
        merged = np.concatenate(self._merged)
        for name, column in zip(_MERGED, merged[np.lexsort(merged.T[1::-1])].T, strict=True):
            write(name, column)


_NOWHERE = Spans(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64))
_NO_ALLELES = SourceAlleles.none()
_MERGED = ("merged_into", "merged_row", "merged_partition", "merged_record", "merged_index")


def _tally(part: SourceAlleles) -> Counter[str]:
    """Count source alleles by the label of their outcome."""
    codes = part.outcome.astype(np.int32) << 8 | part.flags
    tally: Counter[str] = Counter()
    for code, n in zip(*np.unique(codes, return_counts=True), strict=True):
        tally[outcome_label(int(code) >> 8, int(code) & 255)] += int(n)
    return tally


@dataclass(frozen=True)
class MergedAllele:
    """A source allele whose copies are counted with those of another one.

    Parameters
    ----------
    leader
        Place of that other one among the partition's `PartitionAlleles.variants`.
    partition, record, index
        Where its calls are: partition, record in it, and number of the allele.
    """

    leader: int
    partition: str
    record: int
    index: int


@dataclass(frozen=True)
class PartitionAlleles:
    """The rows of one partition.

    Parameters
    ----------
    source_contig
        The contig of the cohort's build; None where the partition has no record.
    panel
        Names of the panel's contigs.
    n_alleles
        (records,) int64: alleles of each record that has an ALT, REF among them; 1 for the others.
    record, index, contig, variants
        Of each variant to count: the record, which of its alleles, the number of the panel's contig
        (all (n,) int32), and the canonical form.
    merged
        Source alleles that belong to one of these variants too.
    refused
        Where the partition has records that were refused.
    """

    source_contig: str | None
    panel: list[str]
    n_alleles: NDArray[np.int64]
    record: NDArray[np.int32]
    index: NDArray[np.int32]
    contig: NDArray[np.int32]
    variants: Variants
    merged: list[MergedAllele]
    refused: Spans


def read_partition(path: Path, partition: str, n_records: int) -> PartitionAlleles:
    """Read the rows of a partition that has `n_records` records from an allele map."""
    with Store(path, ALLELES, ALLELES_VERSION) as store:
        partitions = store.texts("partition_id")
        if partition not in partitions:
            raise BadInputError(
                f"the allele map has no partition '{partition}'",
                where=path,
                found=", ".join(partitions[:10]),
                remedy="harmonize the cohort's stores again",
            )
        number = partitions.index(partition)
        start, stop = store.read("partition_offset", number, number + 2).tolist()
        outcome = store.read("allele_outcome", start, stop)
        flags = store.read("allele_flags", start, stop)
        record = store.read("allele_record", start, stop)
        counted = (outcome == Outcome.KEPT) & (flags & Flag.MERGED == 0)
        # A new reference allele's row is the record's REF, which is no further allele of it.
        written = record[flags & Flag.NEW_REFERENCE == 0]
        contig = int(store.read("partition_contig", number, number + 1)[0])
        first, last = store.read("refused_offset", number, number + 2).tolist()
        refused = (store.read(f"refused_{x}", first, last) for x in ("contig", "start", "end"))
        return PartitionAlleles(
            source_contig=None if contig == MISSING else store.texts("source_contig_id")[contig],
            panel=store.texts("contig_id"),
            n_alleles=1 + np.bincount(written, minlength=n_records),
            record=record[counted],
            index=store.read("allele_index", start, stop)[counted],
            contig=store.read("allele_contig", start, stop)[counted].astype(np.int32),
            variants=Variants(
                store.read("allele_position", start, stop)[counted],
                store.strings("allele_ref", start, stop).take(np.flatnonzero(counted)),
                store.strings("allele_alt", start, stop).take(np.flatnonzero(counted)),
            ),
            merged=_read_merged(store, partitions, start, counted),
            refused=Spans(*refused),
        )


def _read_merged(
    store: Store, partitions: list[str], start: int, counted: NDArray[np.bool_]
) -> list[MergedAllele]:
    """List what is merged into a partition's rows, which begin at `start`."""
    into = store.read("merged_into")
    first, last = np.searchsorted(into, (start, start + len(counted))).tolist()
    place = np.cumsum(counted) - 1
    columns = (store.read(name, first, last) for name in _MERGED[2:])
    return [
        MergedAllele(int(place[row - start]), partitions[partition], record, index)
        for row, partition, record, index in zip(
            into[first:last].tolist(), *(column.tolist() for column in columns), strict=True
        )
    ]
