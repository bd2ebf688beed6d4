"""``afpanel diff``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("diff")
@click.argument("old", type=options.INPUT)
@click.argument("new", type=options.INPUT)
@click.option(
    "--top",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="How many of the largest changes of AF to list.",
)
@click.option(
    "--small",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Count the cells whose AC changed by fewer copies than this, and name the groups that changed"
    " by fewer people.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for tables of all that differs; ones of the same name are replaced.",
)
def command(old: Path, new: Path, top: int, small: int, out: Path | None) -> None:
    """Say what differs between two releases of a panel.

    OLD and NEW are folders of releases, or their .zarr.zip. Prints which variants and groups came and
    went, how many figures changed and by how much, and what the manifests say of the reasons. Ends
    with 0 whether or not the releases differ.

    \b
    Example:
      afpanel diff results/release/asean-2026.1 results/release/asean-2026.2 --out changes
    """
    from afpanel.stages.comparison import DiffOptions
    from afpanel.stages.diff import diff

    click.echo(diff(old, new, out, DiffOptions(top, small)), nl=False)
