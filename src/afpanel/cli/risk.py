"""``afpanel risk``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("risk")
@click.argument("panels", type=options.INPUT, nargs=-1, required=True)
@click.option("--decision", type=options.INPUT, required=True, help="The gate's decision.")
@click.option(
    "--linkage",
    "linkages",
    type=options.INPUT,
    multiple=True,
    help="Linkage summary of a cohort; repeat for each. Where one is missing, all variants count.",
)
@click.option(
    "--limit-realistic",
    type=options.Fraction(0, 1),
    help="Power above which the release is refused; by default none is.",
)
@click.option(
    "--reference-people",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="People of the realistic attacker's reference, besides those of other groups.",
)
@options.alpha
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for risk.json, risk.tsv, risk.svg and risk.txt.",
)
def command(
    panels: tuple[Path, ...],
    decision: Path,
    linkages: tuple[Path, ...],
    limit_realistic: float | None,
    reference_people: int,
    alpha: float,
    out: Path,
) -> None:
    """Work out how surely a person's genome tells that the person is in a group.

    Gives, for every group of a panel that passed the gate, the share of its people whom somebody with
    their genomes would recognize: with a realistic and a perfect reference, and without and with
    knowledge of linkage. Above the limit it refuses with exit code 4, and says what would pass.

    \b
    Example:
      afpanel risk releasable/*.zarr.zip --decision decision.json --linkage MY.linkage.json \\
          --limit-realistic 0.05 --out risk
    """
    from afpanel.stages.risk import RiskOptions, risk

    chosen = RiskOptions(limit_realistic, reference_people, alpha)
    risk(panels, decision, linkages, out, chosen)
