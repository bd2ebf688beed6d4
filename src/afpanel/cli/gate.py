"""``afpanel gate``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from afpanel.cli import options

if TYPE_CHECKING:
    from afpanel.stages.ledger_audit import AuditOptions

_EXTERNAL = "--external-release"


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
    help="Folder for the releasable panels.",
)
@click.option("--decision", type=options.OUTPUT, help="Decision to write (JSON).")
@click.option(
    "--explain",
    metavar="CONTIG:POS:REF:ALT",
    help="Say of one variant why each cell is shown or masked, and by whose rule or for which earlier release,"
    " and write nothing. It tells the counts themselves, so it is for the hub alone.",
)
@click.option(
    "--ledger",
    type=click.Path(path_type=Path, file_okay=False),
    help="Ledger of what was published before; goes with --settled, --name, --panel-version and --build.",
)
@click.option("--settled", type=options.INPUT, help="What settle wrote for this release.")
@click.option("--name", default="", help="Name of the panel.")
@click.option("--panel-version", default="", help="Version of the panel.")
@click.option("--build", default="", help="Genome build, GRCh37 or GRCh38.")
@click.option(
    _EXTERNAL,
    "external",
    multiple=True,
    metavar="COUNTRY=PATH",
    help="What a country shows elsewhere: a sites file with AC and AN, or the folder of a release; repeat"
    " for more.",
)
def command(
    panels: tuple[Path, ...],
    policy: Path,
    contributors: Path | None,
    as_of: str | None,
    out: Path | None,
    decision: Path | None,
    explain: str | None,
    ledger: Path | None,
    settled: Path | None,
    name: str,
    panel_version: str,
    build: str,
    external: tuple[str, ...],
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
      afpanel gate panel/*.zarr.zip --policy config/policies/demo.yaml --explain chr21:5030081:A:G
    """
    from afpanel.core.data_use import is_date

    if as_of is not None and not is_date(as_of):
        raise click.UsageError(f"--as-of takes a day, as YYYY-MM-DD, not '{as_of}'")
    if explain is None and (out is None or decision is None):
        raise click.UsageError("--out and --decision are needed, or --explain")
    from afpanel.io.tables import canonical_build
    from afpanel.stages.ledger_audit import AuditOptions

    if ledger is not None and not (settled and name and panel_version and build):
        raise click.UsageError("--ledger goes with --settled, --name, --panel-version and --build")
    shown = []
    for each in external:
        country, _, path = each.partition("=")
        if not (country and path):
            raise click.UsageError(f"{_EXTERNAL} takes COUNTRY=PATH, not '{each}'")
        shown.append((country, Path(path)))
    beside = None
    if ledger is not None or shown:
        on = canonical_build(build) if build else ""
        beside = AuditOptions(ledger, settled, f"{name}-{panel_version}", on, tuple(shown))
    if explain is not None:
        _explain(panels, policy, explain, contributors, as_of, beside)
        return
    from afpanel.stages.gate import gate

    assert out is not None
    assert decision is not None
    gate(panels, policy, out, decision, contributors, as_of, beside)


def _explain(
    panels: tuple[Path, ...],
    policy: Path,
    variant: str,
    contributors: Path | None,
    as_of: str | None,
    beside: "AuditOptions | None",
) -> None:
    from afpanel.stages.explain import Site, explain

    try:
        site = Site.of(variant)
    except ValueError:
        raise click.UsageError(
            f"--explain takes contig:pos:ref:alt, as chr1:10000:A:G, not '{variant}'"
        ) from None
    click.echo(explain(panels, policy, site, contributors, as_of, beside))
