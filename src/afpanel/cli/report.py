"""``afpanel report``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("report")
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@click.option("--out", type=options.OUTPUT, required=True, help="The page to write (HTML).")
@click.option(
    "--figures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for every figure as a table (TSV) and as a drawing (SVG).",
)
@click.option(
    "--previous",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of an earlier release of the same tier, to say what changed.",
)
def command(release: Path, out: Path, figures: Path | None, previous: Path | None) -> None:
    """Make the report of a release, from the release alone.

    RELEASE is the folder of a release that has its Zarr. A release has its report already, as report.html;
    this makes the same page again, or one that compares it with an earlier release, and with --figures
    writes every figure as a file. The page needs no network and runs nothing.

    \b
    Example:
      afpanel report results/release/asean-2026.2 --out report.html --figures figures \\
          --previous results/release/asean-2026.1
    """
    from afpanel.stages.report import report

    report(release, out, figures, previous)
