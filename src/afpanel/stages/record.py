"""Record a release in the ledger: what it showed, cell by cell, of all that was merged, and of whom."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from afpanel.constants import MISSING, State
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.variants import Variants, union
from afpanel.errors import PolicyRefusalError, VerificationError
from afpanel.io.files import read_json, sha256
from afpanel.io.ledger import Entry, Ledger, described_version, digest_of
from afpanel.io.panel_store import (
    PanelRows,
    create_panel,
    read_heads,
    read_panel_sites,
    write_panel_block,
)
from afpanel.model.arrays import RAW_COUNTS
from afpanel.stages.settle import Settled, read_settled

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecordInputs:
    """What is known of a release.

    Parameters
    ----------
    release
        Its folder.
    merged, releasable
        Panel stores of each contig before and after the gate, in one order.
    decision
        The gate's decision.
    settled
        Whose counts are in it, as `settle` wrote it.
    """

    release: Path
    merged: Sequence[Path]
    releasable: Sequence[Path]
    decision: Path
    settled: Path


def record(ledger: Path, inputs: RecordInputs, *, keep_counts: bool = False) -> Entry:
    """Add a release to the ledger. The same release again changes nothing.

    Parameters
    ----------
    ledger
        Folder of the ledger.
    inputs
        See `RecordInputs`.
    keep_counts
        Whether to keep the counts of every cohort, so that they can be published again.

    Raises
    ------
    PolicyRefusalError
        If another release of this name and version was recorded.
    VerificationError
        If the release was not held against all that the ledger has.
    """
    opened = Ledger(ledger)
    manifest, settled = read_json(inputs.release / "manifest.json"), read_settled(inputs.settled)
    name = "{name}-{version}".format(**manifest["panel"])
    _check_audit(opened, name, read_json(inputs.decision))
    heads = read_heads(inputs.merged)
    contigs: list[dict[str, Any]] = []
    own = opened.of_name(name)
    number = len(opened.entries) + 1 if own is None else own.number
    for merged, releasable, head in zip(inputs.merged, inputs.releasable, heads, strict=True):
        path = opened.folder / "cells" / f"{number:06d}" / f".{head.contig}.zarr.zip"
        _write_cells(path, merged, releasable)
        found = {"name": head.contig, "length": head.contig_length, "cells": sha256(path)}
        contigs.append(found | {"counts": opened.keep(merged, ".zarr.zip")})
    people = {"cohorts": [described_version(each) for each in settled.versions]}
    content = {
        "panel": manifest["panel"],
        "build": manifest["reference"]["build"],
        "limits": {key: manifest["policy"][key] for key in ("min_group_size", "min_allele_count")},
        "groups": manifest["groups"],
        "contigs": contigs,
        "cohorts": [
            _cohort(each, settled, opened, keep_counts=keep_counts) for each in settled.versions
        ],
    }
    parts = [
        opened.folder / "cells" / f"{number:06d}" / f".{head.contig}.zarr.zip" for head in heads
    ]
    if own is not None:
        for part in parts:
            part.unlink()
        if {key: own.content[key] for key in content} != content:
            raise PolicyRefusalError(
                f"{name} was recorded before, with other content",
                where=f"entry {own.number} of {ledger}",
                expected="the same cells of the same people",
                remedy="raise panel.version, and let the gate hold the new release against the old one",
            )
        opened.seal()
        logger.info("ledger: %s is entry %s already", name, own.number)
        return own
    for part in parts:
        part.replace(part.with_name(part.name[1:]))
    entry = opened.append(content, people)
    logger.info("ledger: %s is entry %s, %s", name, entry.number, entry.digest)
    return entry


def _check_audit(ledger: Ledger, name: str, decision: dict[str, Any]) -> None:
    """Refuse a release that was not held against every entry before its own."""
    audited = [each["entry_sha256"] for each in decision.get("ledger", {}).get("releases", [])]
    needed = [entry.digest for entry in ledger.before(name)]
    if audited != needed:
        raise VerificationError(
            f"{name} was not held against all releases of the ledger",
            where=ledger.folder,
            expected=f"{len(needed)} releases, the last of them {needed[-1] if needed else 'none'}",
            found=f"{len(audited)} releases",
            remedy="let the gate run again with this ledger, and publish what it lets through",
        )


def _cohort(version: Any, settled: Settled, ledger: Ledger, *, keep_counts: bool) -> dict[str, Any]:
    """Describe a cohort: how many people, and a digest of who they are."""
    kept: list[list[str]] = []
    if keep_counts:
        kept = [
            [ledger.keep(path, ".zarr.zip"), ".zarr.zip"] for path in settled.counts[version.cohort]
        ]
        if version.cohort in settled.callable_files:
            path = settled.callable_files[version.cohort]
            suffix = "".join(path.suffixes[-2:])
            kept.append([ledger.keep(path, suffix), suffix])
    return {
        "cohort": version.cohort,
        "country": version.country,
        "people": version.people,
        "cells": [
            {"population": population, "sex": str(sex), "people": len(members)}
            for population, sex, members in version.cells
        ],
        "people_sha256": digest_of(described_version(version)),
        "kept": kept,
    }


def _write_cells(path: Path, merged: Path, releasable: Path) -> None:
    """Write what is shown of every variant that was merged; those that were dropped are masked."""
    with PanelRows(releasable) as after, create_panel(path, after.head) as writer:
        with PanelRows(merged) as before:
            place = [before.head.groups.index(name) for name in after.head.groups]
        for variants, counts in read_panel_sites(merged):
            for part in _parts(variants, counts.take(groups=place), after):
                write_panel_block(writer, *part)


def _parts(
    variants: Variants, counts: GroupCounts, after: PanelRows
) -> Iterator[tuple[Variants, GroupCounts]]:
    if not len(variants):
        return
    start, stop = int(variants.position[0]), int(variants.position[-1]) + 1
    released, shown = after.window(start, stop)
    whole, (at, found_at) = union([variants, released])
    row = np.full(len(whole), MISSING)
    row[found_at] = np.arange(len(found_at))
    row = row[at]
    there = row >= 0
    nobody = (counts.state == State.NOT_CALLABLE).all(axis=1)
    masked = ~there & ~nobody
    taken = shown.take(np.maximum(row, 0)) if len(released) else counts
    tables = {
        name: np.where(there[:, None], getattr(taken, name), np.int32(MISSING)) for name in GROUP_TABLES
    }  # fmt: skip
    state = np.where(there[:, None], taken.state, np.int8(State.NOT_CALLABLE))
    state[masked] = State.MASKED
    for name in GROUP_TABLES:
        tables[name][~there & nobody] = 0
    raw = {name: np.full(len(variants), MISSING, np.int32) for name in RAW_COUNTS}
    yield variants, replace(counts, **tables, state=state, **raw)
