"""Export a region of a release as GA4GH's CohortAlleleFrequency results, one JSON object a line."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from afpanel.core.study_results import Figures, Study
from afpanel.errors import BadInputError, UsageError
from afpanel.io.files import read_json, whole_file
from afpanel.io.frequencies import Frequencies
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.release_reader import Panel, open_panel
from afpanel.model.region import Region

if TYPE_CHECKING:
    from afpanel.io.vrs import VrsAlleles

_ROWS = 4_096


def va_spec(
    release: Path, region: str, reference: ReferencePaths, groups: Sequence[str] | None
) -> Iterator[str]:
    """Export the variants of a region.

    Parameters
    ----------
    release
        Folder of the release, or its ``.zarr.zip``.
    region
        ``contig:start-end``, 1-based and inclusive, or a contig's name.
    reference
        The FASTA that the release is written against; where the manifest is at hand, it must be that one.
    groups
        Groups to tell of; None is all.

    Yields
    ------
    str
        A line of JSON for each variant, or each of several results where what holds them is masked; none for a
        variant of which nothing is shown.

    Raises
    ------
    UsageError
        If the package that makes VRS identifiers is not installed.
    BadInputError
        If the release, the region or the reference cannot be used.
    """
    alleles = _vrs(reference)
    with open_panel(release) as panel:
        wanted = Region.parse(region)
        _check_contig(panel, wanted.contig, alleles, release, reference.fasta)
        chosen = list(panel.groups if groups is None else groups)
        study = Study(panel.name, panel.version, panel.people)
        for block in _blocks(panel, wanted, chosen):
            yield from _lines(study, block, alleles)


def write_va_spec(lines: Iterator[str], out: Path) -> int:
    """Write the lines to a file, whole or not at all; gives their number."""
    number = 0
    with whole_file(out) as partial, partial.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(line)
            number += 1
    return number


def _vrs(reference: ReferencePaths) -> "VrsAlleles":
    try:
        from afpanel.io.vrs import VrsAlleles  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise UsageError(
            f"VRS identifiers need a package that is not installed ({error.name})",
            remedy="pip install 'afpanel[ga4gh]'",
        ) from error
    return VrsAlleles(Reference(reference))


def _check_contig(
    panel: Panel, contig: str, alleles: "VrsAlleles", release: Path, fasta: Path
) -> None:
    """Refuse a contig that the panel lacks, and a FASTA that is not the release's."""
    if contig not in panel.contigs:
        raise BadInputError(
            f"the panel has no contig '{contig}'",
            where=release,
            expected=", ".join(panel.contigs),
        )
    manifest = (release if release.is_dir() else release.parent) / "manifest.json"
    if not manifest.is_file():
        return
    contigs = read_json(manifest)["reference"]["contigs"]
    expected = next((each["refget"] for each in contigs if each["name"] == contig), None)
    found = alleles.digest(contig)
    if expected not in (None, found):
        raise BadInputError(
            f"{contig} is not the sequence that the release is written against",
            where=fasta,
            expected=f"{expected} (manifest.json)",
            found=found,
            remedy="give the FASTA that the panel was built with",
        )


def _blocks(panel: Panel, wanted: Region, groups: list[str]) -> Iterator[Frequencies]:
    """Read the region some thousands of variants at a time, each position whole."""
    positions = panel.positions(wanted.contig)
    first, last = np.searchsorted(positions, (wanted.start, wanted.end + 1)).tolist()
    while first < last:
        stop = min(first + _ROWS, last)
        end = int(positions[stop - 1])
        yield panel.region(f"{wanted.contig}:{int(positions[first])}-{end}", groups)
        first = int(np.searchsorted(positions, end + 1))


_COLUMNS = (
    "allele_count",
    "allele_number",
    "allele_frequency",
    "homozygote_count",
    "hemizygote_count",
    "filtering_frequency_95",
    "called_fraction",
)
"""Arrays of a release, in the order of `Figures`."""


def _lines(study: Study, block: Frequencies, alleles: "VrsAlleles") -> Iterator[str]:
    tables = [getattr(block, name) for name in _COLUMNS]
    for i in range(len(block)):
        contig, position = str(block.contig[i]), int(block.position[i])
        ref, alt = str(block.ref[i]), str(block.alt[i])
        figures = {
            group: Figures(*(_plain(table[i, g]) for table in tables))
            for g, group in enumerate(block.groups)
        }
        if all(each.frequency is None for each in figures.values()):
            continue
        allele = alleles.allele(contig, position, ref, alt)
        variant = f"{contig.removeprefix('chr')}-{position}-{ref}-{alt}"
        for result in study.results(variant, allele, figures, _of_total(block, i)):
            yield json.dumps(result, ensure_ascii=False) + "\n"


def _of_total(block: Frequencies, i: int) -> dict[str, Any]:
    """Give the greatest filtering frequency of a group, as gnomAD's results name it."""
    frequency = _plain(block.fafmax_95[i])
    if frequency is None:
        return {}
    return {
        "grpMaxFAF95": {
            "frequency": frequency,
            "confidenceInterval": 0.95,
            "groupId": str(block.fafmax_95_group[i]),
        }
    }


def _plain(value: Any) -> Any:
    """Give a figure as JSON has it, a frequency as it is printed; None is missing."""
    if isinstance(value, np.floating):
        return None if math.isnan(value) else float(str(value))
    return None if value < 0 else int(value)
