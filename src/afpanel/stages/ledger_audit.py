"""Hold a release against all that the ledger has recorded, and against what countries show elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, State
from afpanel.core.contigs import ContigNames
from afpanel.core.earlier_reasons import Notes
from afpanel.core.earlier_releases import Base, Earlier, Panel, mask_beside
from afpanel.core.group_counts import GroupCounts
from afpanel.core.people_changes import CohortVersion, Crowd, GroupChanges, bases_of
from afpanel.core.variants import Variants, union
from afpanel.errors import VerificationError
from afpanel.io.ledger import Entry, Ledger, refuse_other_build
from afpanel.io.panel_store import PanelHead, PanelRows
from afpanel.io.tables import raise_any
from afpanel.model.groups import group_named, in_order
from afpanel.stages.external_releases import ExternalRelease
from afpanel.stages.settle import read_settled

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class AuditOptions:
    """What a release is held against.

    Parameters
    ----------
    ledger, settled
        Folder of the ledger, and what `settle` wrote for this release; None where there is no ledger.
    name
        Name and version of the release.
    build
        Its genome build.
    external
        Country, and sites file or release, of what countries show elsewhere.
    """

    ledger: Path | None = None
    settled: Path | None = None
    name: str = ""
    build: str = ""
    external: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True)
class _Held:
    """An entry of the ledger that has people of the new release."""

    entry: Entry
    crowd: Crowd
    changes: GroupChanges


class Audit:
    """What a release is held against: earlier releases of its people, and what countries show elsewhere.

    Parameters
    ----------
    options
        See `AuditOptions`.
    head
        What the panel is about, before the gate.
    allowed
        Places of its groups that may be shown.
    min_allele_count
        k.

    Attributes
    ----------
    entries
        Every entry before the release's own.
    held
        Those that have people of the release.
    groups
        Groups of the panel and of these, in order.
    bases
        Places in `held` of those whose differences are looked at, and whether each is plain.

    Raises
    ------
    PolicyRefusalError
        If an earlier release of the same people is on another build.
    VerificationError
        If the ledger is damaged, or the panel is not of the people that were settled.
    """

    def __init__(
        self, options: AuditOptions, head: PanelHead, allowed: Sequence[int], min_allele_count: int
    ) -> None:
        self._options, self.head, self.k = options, head, min_allele_count
        self.ledger = None if options.ledger is None else Ledger(options.ledger)
        self.allowed = [head.groups[g] for g in allowed]
        self.external = [ExternalRelease(*each, self.allowed) for each in options.external]
        self.held: list[_Held] = []
        self.bases: list[tuple[int, bool]] = []
        self.entries: list[Entry] = []
        self.groups = list(head.groups)
        if self.ledger is not None:
            self._look_back(self.ledger)

    def _look_back(self, ledger: Ledger) -> None:
        """Find the earlier releases that have people of this one, and how its groups changed since."""
        assert self._options.settled is not None
        settled = read_settled(self._options.settled)
        self._check_people(settled.versions)
        self.entries = ledger.before(self._options.name)
        crowd = Crowd.of(settled.versions)
        versions = {entry.number: ledger.versions(entry) for entry in self.entries}
        crowds = {number: Crowd.of(each) for number, each in versions.items()}
        shared = [
            entry for entry in self.entries if np.isin(crowds[entry.number].name, crowd.name).any()
        ]
        other = [entry for entry in shared if entry.build != self._options.build]
        raise_any([refuse_other_build(entry, self._options.build) for entry in other])
        self.groups = in_order([*self.groups, *self._groups_of(ledger, shared)])
        named = [group_named(name) for name in self.groups]
        self.held = [
            _Held(entry, crowds[entry.number], GroupChanges.of(crowds[entry.number], crowd, named))
            for entry in shared
        ]
        # Those who share people with these, though not with the new release, tell of who left.
        related = [
            each
            for each in crowds.values()
            if any(np.isin(each.name, held.crowd.name).any() for held in self.held)
        ]
        self.bases = bases_of(
            [each.changes for each in self.held], [each.crowd for each in self.held], related, named
        )

    @staticmethod
    def _groups_of(ledger: Ledger, entries: Sequence[Entry]) -> list[str]:
        """Name the groups that were merged for a release, shown or not."""
        found: list[str] = []
        for entry in entries:
            for contig in list(entry.contigs)[:1]:
                with PanelRows(ledger.counts(entry, contig)) as rows:
                    found += rows.head.groups
        return found

    def _check_people(self, versions: Sequence[CohortVersion]) -> None:
        """Refuse a panel of others than those who were settled."""
        people = sum(version.people for version in versions)
        if people != self.head.people[0]:
            raise VerificationError(
                "the panel has other people than were settled",
                where=self._options.settled,
                expected=f"{people:,} people",
                found=f"{self.head.people[0]:,} people",
                remedy="settle, and merge every contig again",
            )

    def on(self, contig: str) -> "ContigAudit":
        """Begin with a contig; use it in a ``with`` block."""
        return ContigAudit(self, contig)

    def described(self, masked_cells: int) -> dict[str, Any]:
        """Say which releases were looked at, and how many cells are masked for them."""
        return {
            "releases": [
                {"release": entry.name, "entry_sha256": entry.digest} for entry in self.entries
            ],
            "external_releases": [each.described for each in self.external],
            "masked_cells": masked_cells,
        }


class ContigAudit:
    """A contig of a release beside the same contig of earlier ones."""

    def __init__(self, audit: Audit, contig: str) -> None:
        self._audit = audit
        self._contig = contig
        self._open: list[PanelRows] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for rows in self._open:
            rows.__exit__()

    @cached_property
    def _shown(self) -> list[PanelRows | None]:
        return [self._rows(each.entry, "cells") for each in self._audit.held]

    @cached_property
    def _counted(self) -> list[PanelRows | None]:
        return [self._rows(self._audit.held[i].entry, "counts") for i, _ in self._audit.bases]

    def _rows(self, entry: Entry, what: str) -> PanelRows | None:
        """Open what an entry has of the contig, whatever it calls it."""
        ledger = self._audit.ledger
        assert ledger is not None
        name = ContigNames(dict.fromkeys(entry.contigs, 0)).resolve(self._contig)
        if name is None:
            return None
        rows = PanelRows(getattr(ledger, what)(entry, name))
        self._open.append(rows)
        return rows

    def reason(
        self, variants: Variants, counts: GroupCounts, notes: Notes | None = None
    ) -> NDArray[np.int8]:
        """Decide which cells of n variants are masked; counts are of all groups of the panel."""
        audit = self._audit
        groups, head = audit.groups, audit.head
        people = dict(zip(head.groups, head.people, strict=True))
        whole = _placed(counts, np.arange(len(variants)), head.groups, groups)
        panel = Panel(
            variants, whole, groups, np.array([people.get(g, 0) for g in groups], np.int64),
            [groups.index(name) for name in audit.allowed], audit.k,
        )  # fmt: skip
        known = np.zeros((len(variants), len(audit.allowed)), np.bool_)
        for external in audit.external:
            known |= external.known(self._contig, variants)
        earlier = [
            self._earlier(held, rows, variants)
            for held, rows in zip(audit.held, self._shown, strict=True)
        ]
        bases = [
            self._base(earlier[i], audit.held[i].entry, rows, variants, plain=plain)
            for (i, plain), rows in zip(audit.bases, self._counted, strict=True)
            if rows is not None
        ]
        return mask_beside(panel, earlier, bases, known, notes)

    def _earlier(self, held: _Held, rows: PanelRows | None, variants: Variants) -> Earlier:
        """Read what an earlier release showed of some variants."""
        groups = self._audit.groups
        nothing = np.zeros((len(variants), len(groups)), np.bool_)
        if rows is None:
            return Earlier(held.changes, nothing, nothing, held.entry.name)
        at, found = _window(rows, variants)
        there = (at >= 0)[:, None]
        placed = _placed(found, at, rows.head.groups, groups)
        named = np.array([name in rows.head.groups for name in groups])
        masked = there & named & (placed.state == State.MASKED)
        shown = there & named & ~masked
        # What was shown of no variant may have been what hid the others.
        held_back = ~named & (held.changes.both + held.changes.removed > 0)
        masked |= held_back & masked.any(axis=1)[:, None]
        return Earlier(held.changes, masked, shown, held.entry.name)

    def _base(
        self, earlier: Earlier, entry: Entry, rows: PanelRows, variants: Variants, *, plain: bool
    ) -> Base:
        """Read what an earlier release counted of some variants."""
        groups = self._audit.groups
        at, found = _window(rows, variants)
        people = dict(zip(rows.head.groups, rows.head.people, strict=True))
        return Base(
            earlier,
            _placed(found, at, rows.head.groups, groups),
            np.array([people.get(g, 0) for g in groups], np.int64),
            plain,
            int(entry.content["limits"]["min_allele_count"]),
        )


def _window(rows: PanelRows, variants: Variants) -> tuple[NDArray[np.int64], GroupCounts]:
    """Read the stretch that some variants cover; (n,) int64: where each is in it, or -1."""
    start, stop = int(variants.position[0]), int(variants.position[-1]) + 1
    found, counts = rows.window(start, stop)
    whole, (at, found_at) = union([variants, found])
    row = np.full(len(whole), MISSING, np.int64)
    row[found_at] = np.arange(len(found_at))
    return row[at], counts


def _placed(
    counts: GroupCounts, at: NDArray[np.int64], names: Sequence[str], groups: Sequence[str]
) -> GroupCounts:
    """Lay out counts by the rows and groups of the new release; nobody's where there are none."""
    found = GroupCounts.zeros(len(at), len(groups))
    there = np.flatnonzero(at >= 0)
    place = {name: g for g, name in enumerate(groups)}
    own = [g for g, name in enumerate(names) if name in place]
    into = [place[names[g]] for g in own]
    taken = counts.take(at[there], own)
    for name in vars(taken):
        values, target = getattr(taken, name), getattr(found, name)
        if values.ndim == 1:
            target[there] = values
        else:
            target[there[:, None], into] = values
    return found
