"""``afpanel gate``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("gate")
@click.argument("panels", type=options.INPUT, nargs=-1, required=True)
@click.option("--policy", type=options.INPUT, required=True, help="Policy file (YAML).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the releasable panels.",
)
@click.option("--decision", type=options.OUTPUT, required=True, help="Decision to write (JSON).")
def command(panels: tuple[Path, ...], policy: Path, out: Path, decision: Path) -> None:
    """Decide what of a panel may be published, and withhold the rest.

    Nothing but counts of groups passes. Groups of too few people stay behind; cells that show few
    copies of an allele are masked; rows that have nothing left are dropped.

    \b
    Example:
      afpanel gate panel/*.zarr.zip --policy config/policies/demo.yaml \\
          --out releasable --decision decision.json
    """
    from afpanel.stages.gate import gate

    gate(panels, policy, out, decision)
