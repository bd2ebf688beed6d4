"""``afpanel verify-release``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("verify-release")
@click.argument("release", type=click.Path(path_type=Path))
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=10_000,
    show_default=True,
    help="Masked cells, drawn by lot, to bound by linear programming besides those that need it.",
)
@click.option(
    "--panel",
    "panels",
    type=options.INPUT,
    multiple=True,
    help="Panel store of a contig from before the gate (repeatable): what each country knows of itself, to attack"
    " with where the policy has insider_protection.",
)
@click.option(
    "--ledger",
    type=click.Path(path_type=Path, file_okay=False),
    help="Ledger of earlier releases, to attack the release and all of these together.",
)
@click.option(
    "--settled",
    type=click.Path(path_type=Path),
    help="What settle wrote, where the release is not recorded yet.",
)
def command(
    release: Path,
    sample: int,
    panels: tuple[Path, ...],
    ledger: Path | None,
    settled: Path | None,
) -> None:
    """Try to work out what a release masks, from its files alone.

    Reads every format in the folder, holds them against one another and against the policy that the manifest
    states, and bounds each masked cell by all sums that hold among what is shown. If one has too few
    possible values, or anything is shown that may not be, the exit code is 5. With a ledger, so it is if earlier
    releases of the same people, or of some of them, tell more together with this one.

    \b
    Example:
      afpanel verify-release results/release/demo-2026.1
    """
    from afpanel.stages.verify_release import verify_release

    for name, verdict in verify_release(release, sample, panels).items():
        click.echo(
            f"{name}: {verdict.variants:,} variants, {verdict.masked:,} masked cells,"
            f" {verdict.derivable:,} of them can be worked out"
        )
    if ledger is not None:
        from afpanel.stages.verify_beside import verify_beside

        verdict = verify_beside(release, ledger, settled)
        click.echo(f"beside the ledger: {verdict.masked:,} masked cells, none can be worked out")
