"""What a contribution consists of: its parts, and the manifest that says everything about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from afpanel.constants import Sex
from afpanel.model.cohort import Cell
from afpanel.stages.cell_counts import CountsHead

CONTRIBUTION_VERSION = 2

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
README = "README.txt"
METADATA = "metadata.json"
HARMONIZATION = "harmonization.json"
LINKAGE = "linkage.json"

MAX_ENTRIES = 20_005
"""Entries of a contribution: more contigs than any reference has, and the documents."""


def counts_part(contig: str) -> str:
    """Name the part that holds the counts of a contig.

    >>> counts_part("chr1"), counts_part("HLA*A*01:01")
    ('counts/chr1.zarr.zip', 'counts/HLA%2AA%2A01%3A01.zarr.zip')
    """
    return f"counts/{quote(contig, safe='')}.zarr.zip"


@dataclass(frozen=True)
class Totals:
    """What the counts of a contig come to; a recipient adds them up again.

    Parameters
    ----------
    variants, masked_cells
        Variants, and cells of which AC is missing at one, in all variants together.
    allele_count, allele_number
        Of each cell, the sum over all variants; what is missing counts as none.
    refused_bases, callable_bases
        Bases where silence says nothing, and where everybody could be called.
    track_runs
        Runs of bases in the track of allele numbers.
    """

    variants: int
    masked_cells: int
    allele_count: list[int]
    allele_number: list[int]
    refused_bases: int
    callable_bases: int
    track_runs: int


def described_cells(head: CountsHead) -> dict[str, Any]:
    """Lay out a cohort's cells as the manifest has them."""
    return {
        "cells": [
            {
                "population": cell.population,
                "sex": str(cell.sex),
                "people": dict(zip(map(str, Sex), cell.people_by_sex, strict=True)),
            }
            for cell in head.cells
        ],
        "withheld_cells": [
            {"population": population, "sex": str(sex)} for population, sex in head.withheld
        ],
    }


def head_of(manifest: Mapping[str, Any]) -> CountsHead:
    """Read whose counts a contribution holds from its manifest."""
    cells = []
    for cell in manifest["cells"]:
        by_sex = tuple(int(cell["people"][str(sex)]) for sex in Sex)
        cells.append(Cell(cell["population"], Sex(cell["sex"]), sum(by_sex), by_sex))
    withheld = tuple((cell["population"], Sex(cell["sex"])) for cell in manifest["withheld_cells"])
    return CountsHead(
        manifest["cohort"], manifest["country"], cells, withheld, manifest["has_missing"]
    )


def evidence_of(parts: Sequence[Mapping[str, Any]]) -> str:
    """Say what kind of evidence there is for silence, of all contigs together."""
    if any(part["track_runs"] for part in parts):
        return "track"
    return "regions" if any(part["callable_bases"] for part in parts) else "none"


def counts_parts(manifest: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """List the parts that hold counts, in order."""
    return [part for part in manifest["parts"] if "contig" in part]
