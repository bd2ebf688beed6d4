"""``afpanel linkage``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("linkage")
@click.argument("panels", type=options.INPUT, nargs=-1)
@options.cohort
@click.option("--country", required=True, help="Country of the cohort, ISO 3166-1 alpha-2.")
@click.option(
    "--folder",
    type=options.INPUT,
    required=True,
    help="Folder with the cohort's alleles.zarr.zip and genotypes/*.vcz.zip.",
)
@options.samples
@click.option(
    "--exclude",
    type=options.INPUT,
    help="List of samples not to count, one to a line, though the sheet includes them.",
)
@click.option(
    "--min-allele-count",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Without PANELS: copies that a population must have of a variant that counts.",
)
@options.alpha
@click.option("--out", type=options.OUTPUT, required=True, help="Linkage summary to write (JSON).")
def command(
    panels: tuple[Path, ...],
    cohort: str,
    country: str,
    folder: Path,
    samples: Path,
    exclude: Path | None,
    min_allele_count: int,
    alpha: float,
    out: Path,
) -> None:
    """Tell from a cohort's genotypes how many independent variants a release shows of it.

    With PANELS, the stores that the gate let through, it looks at the variants that they show; without,
    at all of the cohort. Of each population it sums up how linked they are; and it holds people out by
    lot, and tries to recognize them. The summary has no figure of a person and may be handed over.

    \b
    Example:
      afpanel linkage releasable/*.zarr.zip --cohort MY --country MY --folder private/MY \\
          --samples my.samples.tsv --out MY.linkage.json
    """
    from afpanel.stages.linkage import LinkageInputs, LinkageOptions, linkage

    inputs = LinkageInputs(cohort, country, folder, samples, panels or None, exclude)
    linkage(inputs, out, LinkageOptions(min_allele_count, alpha))
