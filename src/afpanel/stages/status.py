"""How far a run is: per cohort and stage, from the plan, the outputs that there are, and the logs of jobs.

Nothing has to run for it, and nothing is written, so it can be asked on any machine that sees the folder. It
cannot know whether an output that is there is still current, nor see a job before its first line.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from statistics import fmean
from typing import Any

from afpanel.errors import BadInputError
from afpanel.io.files import read_json
from afpanel.io.locks import is_locked
from afpanel.stages.job_logs import JobLog, read_log
from afpanel.stages.jobs import PANEL, Job, jobs_of

RUN_LOCK = "run.lock"
"""What a run of the workflow holds the lock of, beside the plan."""

_LOGS_OF_DONE = 20


class State(StrEnum):
    """What became of a job."""

    DONE = "done"
    RUNNING = "running"
    FAILED = "failed"
    STOPPED = "stopped"
    """It was killed, or its machine went down: its log ends in the middle."""
    WAITING = "waiting"


@dataclass(frozen=True)
class JobStatus:
    """A job, what became of it, and what its log says; None where that was not read."""

    job: Job
    state: State
    log: JobLog | None


@dataclass
class StageStatus:
    """The jobs of one stage of a cohort.

    Parameters
    ----------
    cohort, stage
        Which.
    jobs
        How many there are of each state.
    rate, unit
        Of those that run, how many of what they do in a second together, or else of those that are done
        how many each did; None where no log says.
    seconds_left
        Until all are done, if as many run as now; None where that cannot be told.
    """

    cohort: str
    stage: str
    jobs: dict[State, int]
    rate: float | None = None
    unit: str = ""
    seconds_left: float | None = None

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.jobs.values())

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.jobs[State.DONE] == self.total


@dataclass
class Status:
    """How far a run is.

    Parameters
    ----------
    panel
        Name and version.
    run
        Whether the workflow is running; None where that cannot be known.
    stages
        In the order of the work.
    trouble
        Jobs that failed or were stopped.
    """

    panel: str
    run: bool | None
    stages: list[StageStatus] = field(default_factory=list)
    trouble: list[JobStatus] = field(default_factory=list)

    def count(self, state: State) -> int:
        """Count the jobs of a state."""
        return sum(stage.jobs[state] for stage in self.stages)

    def describe(self) -> dict[str, Any]:
        """Lay it out for JSON."""
        return {
            "panel": self.panel,
            "run": self.run,
            "jobs": {state.value: self.count(state) for state in State},
            "stages": [
                {
                    "cohort": None if each.cohort == PANEL else each.cohort,
                    "stage": each.stage,
                    **{state.value: each.jobs[state] for state in State},
                    "rate": each.rate,
                    "unit": each.unit or None,
                    "seconds_left": each.seconds_left,
                }
                for each in self.stages
            ],
            "trouble": [
                {
                    "cohort": None if each.job.cohort == PANEL else each.job.cohort,
                    "stage": each.job.stage,
                    "part": each.job.part or None,
                    "state": each.state.value,
                    "message": "" if each.log is None else each.log.message,
                    "log": str(each.job.log),
                }
                for each in self.trouble
            ],
        }


def status_of(results: Path) -> Status:
    """Look how far the run in a folder of results is.

    Parameters
    ----------
    results
        The folder, as `results` of the configuration names it.

    Raises
    ------
    BadInputError
        If no run was ever begun there.
    """
    plan = read_plan(results)
    panel = "{name} {version}".format(**plan["config"]["panel"])
    seen = [_look_at(job) for job in jobs_of(plan, results)]
    found = Status(panel, is_locked(results / "private" / RUN_LOCK))
    wanted = _wanted(seen)
    of_stage: dict[tuple[str, str], list[JobStatus]] = {}
    for each in wanted:
        of_stage.setdefault((each.job.cohort, each.job.stage), []).append(each)
    usual = _usual_seconds(of_stage)
    for (cohort, stage), jobs in of_stage.items():
        found.stages.append(_stage_of(cohort, stage, jobs, usual))
    found.trouble = [each for each in wanted if each.state in (State.FAILED, State.STOPPED)]
    return found


def running_jobs(results: Path) -> list[Job]:
    """List the jobs that are at work in a folder of results, whoever began them."""
    try:
        plan = read_plan(results)
        jobs = jobs_of(plan, results)
    except (BadInputError, KeyError, TypeError):
        return []  # no plan, or one of another version
    return [job for job in jobs if _look_at(job).state is State.RUNNING]


def read_plan(results: Path) -> dict[str, Any]:
    """Read the plan of the last run in a folder of results."""
    path = results / "private" / "plan.json"
    if not path.is_file():
        raise BadInputError(
            "no run was begun here",
            where=results,
            expected=f"{path}, which the workflow writes as it begins",
            remedy="name the folder that the configuration calls results",
        )
    plan: dict[str, Any] = read_json(path)
    return plan


def _look_at(job: Job) -> JobStatus:
    if all(path.exists() for path in job.outputs):
        return JobStatus(job, State.DONE, None)
    log = read_log(job.log)
    if log is None:
        return JobStatus(job, State.WAITING, None)
    if log.at_work:
        state = State.RUNNING
    elif log.failed:
        state = State.FAILED
    else:
        # What was done once and is gone was taken away, to be made again.
        state = State.WAITING if log.ended_well else State.STOPPED
    return JobStatus(job, state, log)


def _wanted(seen: list[JobStatus]) -> list[JobStatus]:
    """Leave out what nobody asked for, as far as one can see.

    A run that only packages contributions makes no panel.
    """
    begun = [each for each in seen if each.state is not State.WAITING]
    packaged = any(each.job.stage == "package" for each in begun)
    panel = any(each.job.cohort == PANEL for each in begun) or not packaged
    chosen = {(each.job.cohort, each.job.stage) for each in begun}
    return [
        each
        for each in seen
        if (panel if each.job.cohort == PANEL and each.job.asked else each.job.asked)
        or (each.job.cohort, each.job.stage) in chosen
    ]


def _usual_seconds(of_stage: dict[tuple[str, str], list[JobStatus]]) -> dict[str, float]:
    """Tell how long a job of each stage took so far, over all cohorts; where some still wait for that."""
    usual = {}
    waiting = {stage for (_, stage), jobs in of_stage.items() if any(_waits(job) for job in jobs)}
    for stage in waiting:
        logs = [log for (_, of), jobs in of_stage.items() if of == stage for log in _logs(jobs)]
        took = [log.seconds for log in logs if log.seconds]
        if took:
            usual[stage] = fmean(took)
    return usual


def _waits(each: JobStatus) -> bool:
    return each.state is not State.DONE


def _logs(jobs: Iterable[JobStatus]) -> list[JobLog]:
    """Read logs of some jobs that are done, of which there may be very many."""
    done = [each.job for each in jobs if each.state is State.DONE]
    return [log for job in done[-_LOGS_OF_DONE:] if (log := read_log(job.log)) is not None]


def _stage_of(
    cohort: str, stage: str, jobs: list[JobStatus], usual: dict[str, float]
) -> StageStatus:
    found = StageStatus(cohort, stage, dict.fromkeys(State, 0))
    for each in jobs:
        found.jobs[each.state] += 1
    running = [each.log for each in jobs if each.state is State.RUNNING and each.log is not None]
    rates = [log for log in running if log.rate is not None]
    if rates:
        found.rate, found.unit = float(sum(log.rate or 0 for log in rates)), rates[0].unit
    elif not running:
        done = [log for log in _logs(jobs) if log.done is not None and log.rate is not None]
        if done:
            found.rate, found.unit = fmean(log.rate or 0 for log in done), done[0].unit
    left = [_seconds_left(log, usual.get(stage)) for log in running]
    waiting = found.total - found.jobs[State.DONE] - len(running)
    if running and None not in left and (not waiting or stage in usual):
        work = sum(each or 0.0 for each in left) + waiting * usual.get(stage, 0.0)
        found.seconds_left = max(work / len(running), *(each or 0.0 for each in left), 0.0)
    return found


def _seconds_left(log: JobLog, usual: float | None) -> float | None:
    """Tell how long a job that runs will go on, by its own pace or else by that of others."""
    if log.share:
        return max(0.0, log.seconds * (1 - log.share) / log.share - log.silent)
    return None if usual is None else max(0.0, usual - log.seconds - log.silent)
