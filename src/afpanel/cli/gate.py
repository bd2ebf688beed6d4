"""``afpanel gate``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("gate")
@click.argument("panels", type=options.INPUT, nargs=-1, required=True)
@click.option("--policy", type=options.INPUT, required=True, help="Policy file (YAML).")
@click.option(
    "--contributors",
    type=options.INPUT,
    help="Who contributes and what they agreed to (contributors.json, from validate); needed with a policy"
    " of tiers and countries.",
)
@click.option(
    "--as-of",
    metavar="YYYY-MM-DD",
    help="Day at which approvals, embargoes and reviews are judged; needed with such a policy.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the releasable panels.",
)
@click.option("--decision", type=options.OUTPUT, required=True, help="Decision to write (JSON).")
def command(
    panels: tuple[Path, ...],
    policy: Path,
    contributors: Path | None,
    as_of: str | None,
    out: Path,
    decision: Path,
) -> None:
    """Decide what of a panel may be published, and withhold the rest.

    Nothing but counts of groups passes. Groups of too few people stay behind; cells that show few
    copies of an allele are masked; rows that have nothing left are dropped. A policy of tiers and
    countries also says which cohorts may be in the release at all, and which kinds of groups and
    statistics are shown; what it does not allow ends with exit code 4.

    \b
    Example:
      afpanel gate panel/*.zarr.zip --policy config/policies/demo.yaml \\
          --out releasable --decision decision.json
    """
    from afpanel.core.data_use import is_date
    from afpanel.stages.gate import gate

    if as_of is not None and not is_date(as_of):
        raise click.UsageError(f"--as-of takes a day, as YYYY-MM-DD, not '{as_of}'")
    gate(panels, policy, out, decision, contributors, as_of)
