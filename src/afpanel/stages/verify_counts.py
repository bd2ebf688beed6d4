"""Whether a contribution's counts of a contig are what they claim: every variant, every count, every sum."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Outcome
from afpanel.core.alleles import normalize
from afpanel.core.callability import copies_per_cell, people_by_copies
from afpanel.core.contigs import contig_kind
from afpanel.core.count_checks import Promise, impossible, unkept
from afpanel.core.ploidy import loci_of, places_of_change
from afpanel.core.variants import Variants, sort_keys
from afpanel.io.store import Store
from afpanel.io.store_check import Layout, check_store
from afpanel.model.arrays import RAW_COUNTS
from afpanel.stages.cell_counts import (
    CELL_COUNTS,
    CELL_COUNTS_VERSION,
    CELL_TABLES,
    CHUNK,
    CountsHead,
    open_cell_counts,
)
from afpanel.stages.contribution import Totals
from afpanel.stages.verdict import Finding

_ROWS = CHUNK
_MAX_COUNTS = 1 << 20  # of a table in a window
_MAX_LETTERS = 1 << 23  # in a window, of REF and of ALT, if it has more than one variant
_MAX_ENTRIES = 500_000
_LOW_CALL_RATE = 0.5
_MUCH = 0.5  # of the counts that are missing, or of the contig that is refused
_LETTERS = np.zeros(256, np.bool_)
_LETTERS[list(b"ACGTN")] = True


@dataclass(frozen=True)
class Expected:
    """What the counts of a contig are held against.

    Parameters
    ----------
    contig, build
        The contig, and the panel's build.
    head
        Whose counts they are to be.
    totals
        Their sums, as the manifest has them.
    sequence
        (bases,) uint8: the contig in the recipient's reference, or None where it has no such contig.
    same_build
        Whether the cohort was called on the panel's build: else places of one copy may have moved.
    sharing
        What the manifest says that was kept back.
    """

    contig: str
    build: str
    head: CountsHead
    totals: Totals
    sequence: NDArray[np.uint8] | None
    same_build: bool
    sharing: Mapping[str, Any]


def check_counts(path: Path, part: str, expected: Expected) -> Iterator[Finding]:
    """Check a store of counts that came from elsewhere.

    Parameters
    ----------
    path
        The store.
    part
        What it is called in the contribution.
    expected
        What it is held against.

    Yields
    ------
    Finding
        Everything that is otherwise; after one that makes the rest meaningless, no more.

    Raises
    ------
    VerificationError
        If it is not laid out as such a store is.
    """
    head = expected.head
    check_store(path, layout_of(head), _MAX_ENTRIES)
    with open_cell_counts(path) as store:
        if store.strings("contig_id").data.tobytes() != expected.contig.encode():
            yield Finding(True, part, f"is not of contig {expected.contig}")
            return
        check = _CountsCheck(store, part, expected)
        yield from check.variants()
        if not check.broken:
            yield from check.evidence()
            yield from check.sums()


def layout_of(head: CountsHead) -> Layout:
    """Say what a store of counts of one contig looks like."""
    rows = ("variants",)
    attributes = {"afpanel_kind": CELL_COUNTS, "afpanel_format_version": CELL_COUNTS_VERSION}
    return Layout(
        attributes=attributes | head.attributes(),
        dims={
            "contig_id": ("contigs",),
            **{f"variant_{name}": rows for name in ("contig", "position", "ref", "alt")},
            **{name: rows if name in RAW_COUNTS else (*rows, "cells") for name in CELL_TABLES},
            **_spans("refused", "refusals"),
        },
        optional=(
            _spans("callable", "intervals"),
            {**_spans("track", "runs"), "track_allele_number": ("runs", "cells")},
        ),
        sizes={"contigs": 1, "cells": len(head.cells)},
        chunk=CHUNK,
        always_stored={
            "variants": "variant_position",
            "refusals": "refused_end",
            "intervals": "callable_end",
            "runs": "track_end",
        },
        whole=frozenset({"contig_id"}),
    )


def _spans(kind: str, dim: str) -> dict[str, tuple[str, ...]]:
    return {f"{kind}_{name}": (dim,) for name in ("contig", "start", "end")}


def _pieces(letters: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut rows into ranges of few enough letters, or of a single row."""
    reached = np.concatenate([[0], np.cumsum(letters)])
    first = 0
    while first < len(letters):
        last = int(np.searchsorted(reached, reached[first] + _MAX_LETTERS, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


class _CountsCheck:
    """Goes through a store of counts, some rows at a time."""

    def __init__(self, store: Store, part: str, expected: Expected) -> None:
        self._store, self._part, self._expected = store, part, expected
        self._cells = expected.head.cells
        self._kind = contig_kind(expected.contig)
        self._length = None if expected.sequence is None else len(expected.sequence)
        self._rows = max(1, min(_ROWS, _MAX_COUNTS // max(1, len(self._cells))))
        self._promise = Promise(
            expected.sharing["min_allele_count"],
            expected.sharing["min_variant_count"],
            expected.sharing["everybody"],
        )
        self._called = np.zeros(len(self._cells), np.int64)
        self._copies = np.zeros(len(self._cells), np.int64)
        self._count = np.zeros(len(self._cells), np.int64)
        self._variants = self._masked = 0
        self._refused = self._callable = self._runs = 0
        self.broken = False

    def _finding(self, what: str, broken: Any, position: NDArray[np.integer]) -> Finding:
        """Say that something is fatal, where it is first, and how often."""
        rows = np.flatnonzero(broken)
        place = f"{self._part}, {self._expected.contig}:{position[rows[0]]}"
        more = f", and at {len(rows) - 1:,} others near it" if len(rows) > 1 else ""
        return Finding(True, place, f"{what}{more}")

    def variants(self) -> Iterator[Finding]:
        """Check order, spelling and counts of all variants."""
        n = self._store.rows("variant_position")
        for first in range(0, n, self._rows):
            last = min(first + self._rows, n)
            found = list(self._window(first, last))
            yield from found
            if found:
                self.broken = True
                return  # one such window is enough to refuse it, and the rest may be as bad

    def _window(self, first: int, last: int) -> Iterator[Finding]:
        """Check some rows; the one before them is read again, for the order of the first."""
        before = max(0, first - 1)
        position = self._store.read("variant_position", before, last)
        if np.any(self._store.read("variant_contig", first, last)):
            yield Finding(True, self._part, "has variants of another contig")
            return
        ref, alt = (self._store.strings(f"variant_{x}", before, last) for x in ("ref", "alt"))
        for name, alleles in (("REF", ref), ("ALT", alt)):
            begun = alleles.data[alleles.offsets[0] : alleles.offsets[-1]]
            if not _LETTERS[begun].all() or not (alleles.lengths > 0).all():
                place = f"{self._part}, {self._expected.contig}:{position[0]}"
                yield Finding(
                    True, place, f"a {name} near there is no sequence of A, C, G, T and N"
                )
                return
        for begin, end in _pieces(ref.lengths + alt.lengths):
            some = slice(max(0, begin - 1), end)
            yield from self._order(Variants(position[some], ref[some], alt[some]))
            if self._expected.sequence is not None:
                own = slice(max(begin, first - before), end)
                yield from self._spelling(Variants(position[own], ref[own], alt[own]))
        tables = {name: self._store.read(name, first, last) for name in CELL_TABLES}
        yield from self._counts(position[first - before :], tables)

    def _order(self, variants: Variants) -> Iterator[Finding]:
        """Check that each variant comes after the one before it, which no variant does that is given twice."""
        wrong = np.append(False, np.diff(sort_keys(variants)) <= 0)
        if wrong.any():
            yield self._finding(
                "a variant is given twice, or out of order", wrong, variants.position
            )

    def _spelling(self, variants: Variants) -> Iterator[Finding]:
        """Hold REF against the reference, and each variant against its one spelling."""
        sequence = self._expected.sequence
        assert sequence is not None
        spelled = normalize(variants.position, variants.ref, variants.alt, sequence)
        mismatch = spelled.outcome == Outcome.REF_MISMATCH
        if mismatch.any():
            yield self._finding("REF is not what the reference has", mismatch, variants.position)
        other = ~mismatch & ((spelled.outcome != Outcome.KEPT) | (spelled.flags != 0))
        if other.any():
            what = "the variant is not in its canonical form (trimmed, left-aligned)"
            yield self._finding(what, other, variants.position)

    def _counts(
        self, position: NDArray[np.int32], tables: Mapping[str, NDArray[np.int32]]
    ) -> Iterator[Finding]:
        loci = loci_of(self._kind, self._expected.build, position)
        copies = copies_per_cell(loci, self._cells)
        people = people_by_copies(loci, self._cells)
        if not self._expected.same_build:
            everybody = np.broadcast_to(self._people(), copies.shape)
            people = everybody, everybody
        rules = chain(
            impossible(tables, *people, has_missing=self._expected.head.has_missing),
            unkept(tables, self._promise),
        )
        for rule, broken in rules:
            if broken.any():
                yield self._finding(rule, broken, position)
        count, number = tables["allele_count"], tables["allele_number"]
        self._variants += len(position)
        self._masked += int((count < 0).sum())
        self._count += np.maximum(count, 0).sum(axis=0, dtype=np.int64)
        self._called += number.sum(axis=0, dtype=np.int64)
        self._copies += copies.sum(axis=0, dtype=np.int64)

    def _people(self) -> NDArray[np.int32]:
        return np.array([cell.people for cell in self._cells], np.int32)

    def evidence(self) -> Iterator[Finding]:
        """Check the places where silence says nothing, and those where it says something."""
        self._refused, findings = self._bases("refused")
        yield from findings
        if "callable_contig" in self._store:
            self._callable, findings = self._bases("callable")
            yield from findings
        if "track_contig" in self._store:
            _, findings = self._bases("track")
            yield from findings
            self._runs = self._store.rows("track_start")
            if not findings:
                yield from self._track()

    def _bases(self, kind: str) -> tuple[int, list[Finding]]:
        """Check that spans are in order, apart and on the contig; gives their bases."""
        length = np.iinfo(np.int32).max if self._length is None else self._length
        gap = 0 if kind == "track" else 1  # runs of other numbers may follow each other
        reached, bases = -gap, 0
        n = self._store.rows(f"{kind}_start")
        for first in range(0, n, _ROWS):
            rows = (first, min(first + _ROWS, n))
            contig, start, end = (
                self._store.read(f"{kind}_{x}", *rows).astype(np.int64)
                for x in ("contig", "start", "end")
            )
            wrong = (contig != 0) | (start < 0) | (start >= end) | (end > length)
            wrong |= start < np.append(reached, end[:-1]) + gap
            if wrong.any():
                what = f"the {kind} spans are not in order, or not on it"
                return 0, [self._finding(what, wrong, start)]
            reached = int(end[-1])
            bases += int((end - start).sum())
        return bases, []

    def _track(self) -> Iterator[Finding]:
        for first in range(0, self._runs, self._rows):
            rows = (first, min(first + self._rows, self._runs))
            start, end = (self._store.read(f"track_{x}", *rows) for x in ("start", "end"))
            number = self._store.read("track_allele_number", *rows)
            wrong = ((number < 0) | (number > self._fewest_copies(start, end))).any(axis=1)
            wrong |= ~number.any(axis=1)
            if wrong.any():
                yield self._finding("the track has numbers that no people can have", wrong, start)
                return

    def _fewest_copies(self, start: NDArray[np.int32], end: NDArray[np.int32]) -> NDArray[np.int32]:
        """Count the copies that the people of each cell have at all bases of a run; (runs, cells) int32."""

        def copies(position: NDArray[np.int32]) -> NDArray[np.int32]:
            loci = loci_of(self._kind, self._expected.build, position)
            return copies_per_cell(loci, self._cells)

        fewest = np.minimum(copies(start + 1), copies(end))
        for edge in places_of_change(self._kind, self._expected.build):
            inside = (start < edge) & (edge <= end)
            here = copies(np.array([edge], np.int32))
            fewest = np.where(inside[:, None], np.minimum(fewest, here), fewest)
        return fewest

    def sums(self) -> Iterator[Finding]:
        """Hold the sums against those of the manifest; see whether call rates are plausible."""
        added = Totals(
            self._variants,
            self._masked,
            self._count.tolist(),
            self._called.tolist(),
            self._refused,
            self._callable,
            self._runs,
        )
        stated = asdict(self._expected.totals)
        for name, value in asdict(added).items():
            if stated[name] != value:
                what = f"{name} adds up to something else than the manifest says"
                yield Finding(True, self._part, what)
        all_counts = self._variants * len(self._cells)
        if self._masked > _MUCH * all_counts:
            share = self._masked / all_counts
            yield Finding(False, self._part, f"{share:.0%} of the allele counts are missing")
        if self._length is not None and self._refused > _MUCH * self._length:
            share = self._refused / self._length
            what = f"its silence says nothing at {share:.0%} of {self._expected.contig}"
            yield Finding(False, self._part, what)
        for cell, called, copies in zip(self._cells, self._called, self._copies, strict=True):
            if copies and called < _LOW_CALL_RATE * copies:
                what = (
                    f"{cell.population} {cell.sex}: {called / copies:.0%} of its copies are called,"
                    " over all variants"
                )
                yield Finding(False, self._part, what)
