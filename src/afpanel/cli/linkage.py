"""``afpanel linkage``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("linkage")
@click.argument("counts", type=options.INPUT, nargs=-1)
@options.file_list
@options.cohort
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
    "--plan",
    type=options.INPUT,
    help="Plan of the run: tell of what its section `sharing` shares, as `afpanel package` does; by default"
    " of everybody.",
)
@click.option("--out", type=options.OUTPUT, required=True, help="Linkage summary to write (JSON).")
def command(
    counts: tuple[Path, ...],
    listed: Path | None,
    cohort: str,
    folder: Path,
    samples: Path,
    exclude: Path | None,
    plan: Path | None,
    out: Path,
) -> None:
    """Tell from a cohort's genotypes how many independent variants its variants are worth.

    Of each population it sums up how linked the variants are of which it has 1, 3, 5 and 11 copies or more,
    as COUNTS, the cohort's counts, say; and it holds people out by lot, and tries to recognize them. The
    summary has no figure of a person and may be handed over: with --plan it tells of no population, cell
    or region that the contribution does not tell of.

    \b
    Example:
      afpanel linkage private/MY/counts/*.zarr.zip --cohort MY --folder private/MY \\
          --samples my.samples.tsv --out MY.linkage.json
    """
    from afpanel.stages.linkage import LinkageInputs, linkage

    paths = options.paths_of(counts, listed)
    linkage(LinkageInputs(cohort, paths, folder, samples, exclude, plan), out)
