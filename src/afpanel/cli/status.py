"""``afpanel status``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from afpanel.stages.status import JobStatus, StageStatus, Status

_LINES = 8
_JOBS = 10
_SOMETHING_FAILED = 1


@click.command("status")
@click.argument(
    "results", type=click.Path(path_type=Path, file_okay=False), default=Path("results")
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for programs.")
@click.option(
    "--all", "everything", is_flag=True, help="Show every stage and every message in full."
)
def command(results: Path, as_json: bool, everything: bool) -> int:
    """Show how far a run is, and what went wrong.

    For each cohort and stage: how many jobs are done, running, failed, stopped (killed, or the machine
    went down) and waiting, how fast they are, and when they are expected to end. Below it the message of
    each job that failed, and where its log is. It reads the plan, the outputs and the logs alone, so it can
    be asked at any time, on any machine that sees RESULTS. Exits with 1 if a job failed or was stopped.

    \b
    Example:
      afpanel status results
    """
    import json

    from afpanel.cli.terminal import visible
    from afpanel.stages.status import status_of

    found = status_of(results)
    if as_json:
        click.echo(json.dumps(found.describe(), indent=2, ensure_ascii=False))
    else:
        click.echo(visible("\n".join(_page(found, results, everything=everything))))
    return _SOMETHING_FAILED if found.trouble else 0


def _page(found: "Status", results: Path, *, everything: bool) -> list[str]:
    from afpanel.stages.status import State
    from afpanel.stages.summary import aligned

    total = sum(stage.total for stage in found.stages)
    counts = [f"{found.count(state):,} {state}" for state in State if found.count(state)]
    run = {
        True: "a run is going",
        False: "no run is going",
        None: "whether a run is going is not known",
    }
    header = ("cohort", "stage", *State, "rate", "expected end")
    rows = [_row(stage) for stage in _shown(found, everything=everything)]
    lines = [
        f"Panel {found.panel} in {results}: {total:,} jobs, {', '.join(counts)}; {run[found.run]}",
        "",
        *aligned(header, rows, range(2, 2 + len(State))),
    ]
    lines += _messages(found.trouble, everything=everything)
    if found.trouble and not found.run:
        lines += [
            "",
            "To go on when it is mended: the same snakemake command with --rerun-incomplete",
        ]
    return lines


def _shown(found: "Status", *, everything: bool) -> "list[StageStatus]":
    """Take a cohort of which all is done as one row."""
    from afpanel.stages.jobs import PANEL
    from afpanel.stages.status import StageStatus, State

    shown: list[StageStatus] = []
    for cohort in dict.fromkeys(stage.cohort for stage in found.stages):
        stages = [stage for stage in found.stages if stage.cohort == cohort]
        if everything or cohort == PANEL or not all(stage.is_done for stage in stages):
            shown += stages
            continue
        jobs = {state: sum(stage.jobs[state] for stage in stages) for state in State}
        shown.append(StageStatus(cohort, f"all {len(stages)}", jobs))
    return shown


def _row(stage: "StageStatus") -> tuple[str, ...]:
    from afpanel.stages.status import State

    numbers = [f"{stage.jobs[state]:,}" if stage.jobs[state] else "-" for state in State]
    rate = "" if stage.rate is None else f"{stage.rate:,.0f} {stage.unit}/s"
    return (stage.cohort, stage.stage, *numbers, rate, _end(stage))


def _end(stage: "StageStatus") -> str:
    from datetime import datetime, timedelta

    from afpanel.stages.status import State

    if stage.seconds_left is None:
        return "not known" if stage.jobs[State.RUNNING] else ""
    now = datetime.now().astimezone()
    end = now + timedelta(seconds=stage.seconds_left)
    return f"{end:%H:%M}" if end.date() == now.date() else f"{end:%Y-%m-%d %H:%M}"


def _messages(trouble: "list[JobStatus]", *, everything: bool) -> list[str]:
    """Say what went wrong with each job; the same message of many jobs once."""
    told: dict[tuple[str, str], list[JobStatus]] = {}
    for each in trouble:
        message = "" if each.log is None else each.log.message
        told.setdefault((each.state, message), []).append(each)
    lines: list[str] = []
    shown = list(told.items()) if everything else list(told.items())[:_JOBS]
    for (state, message), jobs in shown:
        first = jobs[0].job
        others = f" (and {len(jobs) - 1:,} more with the same message)" if len(jobs) > 1 else ""
        lines += ["", f"{state.upper()}  {first.name}{others}"]
        said = message.splitlines() or ["its log is empty"]
        more = [] if everything or len(said) <= _LINES else ["…"]
        ended = ["its log ends with:"] if state == "stopped" and message else []
        lines += [f"  {line}" for line in (*ended, *said[: None if everything else _LINES], *more)]
        lines.append(f"  log: {first.log}")
    if len(told) > len(shown):
        lines += ["", f"… and {len(told) - len(shown):,} other messages: --all shows them"]
    return lines
