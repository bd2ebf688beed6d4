"""``afpanel popgen``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("popgen")
@click.argument("panels", type=options.INPUT, nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the tables (TSV) and figures (SVG).",
)
@options.threads
def command(panels: tuple[Path, ...], out: Path, threads: int) -> None:
    """Work out the population genetics of what may be published.

    From the counts of a panel that passed the gate: FST of pairs of groups, heterozygosity, site
    frequency spectra, shared and private variants, and principal components, each as a table and as
    a figure. Cells that are masked are not used.

    \b
    Example:
      afpanel popgen releasable/*.zarr.zip --out popgen
    """
    from afpanel.stages.popgen import popgen

    popgen(panels, out, threads)
