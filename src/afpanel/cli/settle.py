"""``afpanel settle``."""

from pathlib import Path

import click

from afpanel.cli import options

_DROPPED, _DECLARED = "--dropped", "--declared"


@click.command("settle")
@click.argument("counts", type=options.INPUT, nargs=-1)
@options.file_list
@options.ledger
@click.option("--plan", type=options.INPUT, required=True, help="Plan of the run, from validate.")
@click.option("--policy", type=options.INPUT, required=True, help="Policy file (YAML).")
@options.callable_files
@click.option(
    _DROPPED,
    multiple=True,
    metavar=options.OF_COHORT,
    help="List of the people of a cohort who are left out, from overlap; repeat for each.",
)
@click.option(
    _DECLARED,
    multiple=True,
    metavar="COHORT=ADDED,REMOVED",
    help="How many people joined and left a cohort that comes as counts; repeat for each.",
)
@click.option(
    "--small-changes",
    type=click.Choice(["refuse", "reuse"]),
    default="refuse",
    show_default=True,
    help="What to do where few people joined or left a cohort: refuse the release, or take the cohort's"
    " counts of the last recorded release again.",
)
@options.release_name
@options.release_version
@click.option("--out", type=options.OUTPUT, required=True, help="What is settled (JSON): private.")
def command(
    counts: tuple[Path, ...],
    listed: Path | None,
    ledger: Path,
    plan: Path,
    policy: Path,
    evidence: tuple[str, ...],
    dropped: tuple[str, ...],
    declared: tuple[str, ...],
    small_changes: str,
    name: str,
    panel_version: str,
    out: Path,
) -> None:
    """Find out who joined and left each cohort since the releases of a ledger, before cohorts are merged.

    Where some people did, but fewer than the policy's least group or a tenth of the cohort, what both releases
    show together would be about these few: the release is refused (exit code 4), or the cohort's earlier
    counts are taken again.

    \b
    Example:
      afpanel settle */counts/*.zarr.zip --ledger ledger --plan plan.json \\
          --policy config/policies/demo.yaml --name asean --panel-version 2026.2 --out settled.json
    """
    from afpanel.stages.settle import SettleOptions, settle

    said = {}
    for each in declared:
        cohort, _, numbers = each.partition("=")
        added, _, removed = numbers.partition(",")
        if not (cohort and added.isdecimal() and removed.isdecimal()):
            raise click.UsageError(f"{_DECLARED} takes COHORT=ADDED,REMOVED, not '{each}'")
        said[cohort] = int(added), int(removed)
    settle(
        ledger,
        plan,
        options.paths_of(counts, listed),
        policy,
        out,
        SettleOptions(
            f"{name}-{panel_version}",
            small_changes == "reuse",
            said,
            options.named_paths(_DROPPED, options.OF_COHORT, dropped),
            options.named_paths(options.CALLABLE, options.OF_COHORT, evidence),
        ),
    )
