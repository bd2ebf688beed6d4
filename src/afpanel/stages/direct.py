"""From a variant file to counts in one go: ingest, harmonize and count, as the workflow does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from afpanel.io.files import scratch_folder
from afpanel.io.reference import ReferencePaths
from afpanel.model.region import Region
from afpanel.stages.count import CountOptions, count
from afpanel.stages.harmonize import HarmonizeOptions, harmonize
from afpanel.stages.ingest import Target, ingest


@dataclass(frozen=True)
class DirectSource:
    """A variant file to count.

    Parameters
    ----------
    path
        VCF or BCF; of one contig, or with a region.
    reference
        The panel's reference.
    region
        The part to count, by the file's own contig name; None is everything.
    keep
        Folder for the genotype store and the allele map; by default they are deleted.
    harmonizing
        Fields of `HarmonizeOptions`, where not their defaults.
    polyploid_missing
        Whether calls of more than two alleles are taken as missing, and not refused.
    """

    path: Path
    reference: ReferencePaths
    region: Region | None = None
    keep: Path | None = None
    harmonizing: Mapping[str, Any] = field(default_factory=dict)
    polyploid_missing: bool = False


def count_file(source: DirectSource, sheet: Path, out: Path, options: CountOptions) -> None:
    """Count a variant file; the counts are those that the three stages give.

    Parameters
    ----------
    source
        What to count.
    sheet
        Sample sheet.
    out
        Store of counts to write, as `count.count` writes it.
    options
        As for `count.count`.
    """
    with _folder(source.keep, out) as folder:
        store = folder / "genotypes.vcz.zip"
        alleles = folder / "alleles.zarr.zip"
        ingest(
            source.path,
            sheet,
            [Target(source.region, store)],
            fields=options.genotype_filter.fields,
            polyploid_missing=source.polyploid_missing,
        )
        harmonize(
            [store],
            source.reference,
            alleles,
            folder / "harmonization.json",
            HarmonizeOptions(cohort=options.cohort, samples=sheet, **source.harmonizing),
        )
        count(store, alleles, sheet, out, options)


@contextmanager
def _folder(keep: Path | None, out: Path) -> Iterator[Path]:
    """Make the folder to work in: the one to keep, or one beside the output that is deleted."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with scratch_folder(out) as folder:
        yield folder
