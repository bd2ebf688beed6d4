"""``afpanel plan``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from afpanel.cli.options import INPUT

if TYPE_CHECKING:
    from afpanel.core.cost import StageCost


@click.command("plan")
@click.argument("config", type=INPUT)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for programs.")
@click.option(
    "--coefficients",
    type=INPUT,
    help="How long things take, as `afpanel bench --coefficients` measured it on the machine that will"
    " do the work; by default as it was measured on two cores of a server.",
)
def command(config: Path, as_json: bool, coefficients: Path | None) -> None:
    """Predict what building a panel takes: jobs, core-hours, memory and disk.

    Checks the configuration as `afpanel validate` does, and reads headers and indexes; files without an
    index are gone through for their sites. Core-hours are those of one core, the longest job is what no
    number of cores makes shorter, memory is that of the largest process, and disk is what stays. What is
    done already is not left out.

    \b
    Example:
      afpanel plan config/config.yaml
    """
    import json

    from afpanel.core.cost import MEASURED
    from afpanel.stages.cost import described, predict, read_coefficients
    from afpanel.stages.summary import aligned

    rates = MEASURED if coefficients is None else read_coefficients(coefficients)
    cost = predict(config, rates)
    if as_json:
        click.echo(json.dumps(described(cost), indent=1))
        return
    header = ("stage", "jobs", "core-hours", "longest job", "peak memory", "disk")
    rows = [_row(each) for each in (*cost.stages, cost.total)]
    click.echo("\n".join(aligned(header, rows, range(1, len(header)))))
    click.echo("\nleast certain:")
    for each in cost.uncertain:
        click.echo(f"  {each}")


def _row(stage: "StageCost") -> tuple[str, ...]:
    return (
        stage.stage,
        f"{stage.jobs:,}",
        f"{stage.core_seconds / 3600:,.3f}",
        _time(stage.longest_seconds),
        f"{stage.peak_mb:,.0f} MB",
        f"{stage.disk_bytes / 1e9:,.2f} GB"
        if stage.disk_bytes >= 1e8
        else f"{stage.disk_bytes / 1e6:,.1f} MB",
    )


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"
