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
    help="Power above which the release is refused, if the policy has no lower one; by default none is.",
)
@click.option(
    "--reference-people",
    type=click.IntRange(1),
    help="People of the realistic attacker's reference, besides those of other groups, if the policy does"
    " not say more; by default 500.",
)
@click.option(
    "--alpha",
    type=options.Fraction(0, 0.5, min_open=True),
    help="Share of others whom the attacker may take for members, if the policy does not say more; by"
    " default 0.001.",
)
@click.option("--signed-off-by", metavar="ROLE", help="Who has signed the worst case off: a role.")
@click.option("--signed-off-reference", metavar="TEXT", help="Number of that decision.")
@click.option(
    "--signed-off-power",
    type=options.Fraction(0, 1),
    help="Power of the worst case that was signed.",
)
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
    reference_people: int | None,
    alpha: float | None,
    signed_off_by: str | None,
    signed_off_reference: str | None,
    signed_off_power: float | None,
    out: Path,
) -> None:
    """Work out how surely a person's genome tells that the person is in a group.

    Gives, for every group of a panel that passed the gate, the share of its people whom somebody with
    their genomes would recognize: with a realistic and a perfect reference, and without and with
    knowledge of linkage. Above the limit of the policy or of --limit-realistic it refuses with exit code
    4, and says what would pass; so it does where the policy wants the worst case signed off, and it is not.

    \b
    Example:
      afpanel risk releasable/*.zarr.zip --decision decision.json --linkage MY.linkage.json \\
          --limit-realistic 0.05 --out risk
    """
    from afpanel.core.membership_limits import SignOff
    from afpanel.stages.risk import RiskOptions, risk

    sign_off = None
    if (
        signed_off_by is not None
        and signed_off_reference is not None
        and signed_off_power is not None
    ):
        sign_off = SignOff(signed_off_by, signed_off_reference, signed_off_power)
    elif (signed_off_by, signed_off_reference, signed_off_power) != (None, None, None):
        raise click.UsageError("give all of --signed-off-by, -reference and -power, or none")
    chosen = RiskOptions(limit_realistic, reference_people, alpha, sign_off)
    risk(panels, decision, linkages, out, chosen)
