"""What the log of a job says: whether it is at work, how far it is, how fast, and what went wrong."""

import re
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from afpanel.io.locks import is_locked

FRESH = 900.0
"""Seconds for which a job that wrote a line is taken to be at work, where the file system has no locks."""

_TAIL = 64 << 10
_DAY = 86_400
_EXACT = 10
_STAMP = re.compile(r"(\d\d):(\d\d):(\d\d)  ")
_PROGRESS = re.compile(
    r"\d\d:\d\d:\d\d  .+?: (?P<done>[\d,]+) (?P<unit>[a-z][a-z ]*), (?P<rate>[\d,]+)/s"
    r"(.*; (?P<percent>\d+)%$)?"
)
_DONE = re.compile(r"\d\d:\d\d:\d\d  .+: (done\b|accepted$)")
_ERROR = "afpanel: error: "
_TRACE = "Traceback (most recent call last)"
_INTERRUPTED = "afpanel: interrupted"


@dataclass(frozen=True)
class JobLog:
    """What a log says.

    Parameters
    ----------
    at_work
        Whether a process still holds it.
    ended_well
        Whether the last thing it says is that all is done.
    failed
        Whether it ends with an error.
    message
        The error, or else the last line.
    done, unit, rate
        What was done by the last line of progress, of what, and how many of that in a second; or None.
    share
        How much of it all that is, of 1, or None.
    seconds
        From the first line to the last, as far as can be told.
    silent
        Seconds since the last line.
    """

    at_work: bool
    ended_well: bool
    failed: bool
    message: str
    done: int | None
    unit: str
    rate: int | None
    share: float | None
    seconds: float
    silent: float


def read_log(path: Path) -> JobLog | None:
    """Read the log of a job; None where there is none, so the job was never begun."""
    try:
        with path.open("rb") as source:
            first = source.readline(1000).decode("utf-8", "replace")
            size = source.seek(0, 2)
            source.seek(max(0, size - _TAIL))
            lines = source.read().decode("utf-8", "replace").splitlines()
        silent = max(0.0, time.time() - path.stat().st_mtime)
    except FileNotFoundError:
        return None
    found = [match for line in lines if (match := _PROGRESS.match(line))]
    last = found[-1] if found else None
    error = _error_of(lines)
    ended_well = bool(lines) and error is None and any(map(_DONE.match, lines))
    held = is_locked(path)
    if held is None:
        held = silent < FRESH and error is None and not ended_well
    percent = None if last is None else last["percent"]
    done = None if last is None else _number(last["done"])
    rate = None if last is None else _number(last["rate"])
    seconds = _seconds([first, *lines])
    if done and rate and rate >= _EXACT:
        seconds = max(seconds, done / rate)  # a log of days is not read from its beginning
    return JobLog(
        at_work=held,
        ended_well=ended_well,
        failed=error is not None,
        message=error or next((line for line in reversed(lines) if line.strip()), ""),
        done=done,
        unit="" if last is None else last["unit"],
        rate=rate,
        share=None if percent is None else int(percent) / 100,
        seconds=seconds,
        silent=silent,
    )


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _error_of(lines: list[str]) -> str | None:
    """Find the error that a log ends with; of a trace the last line says what it was."""
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].startswith(_ERROR):
            return "\n".join([lines[at].removeprefix(_ERROR), *lines[at + 1 :]]).rstrip()
        if lines[at].startswith(_TRACE):
            return next(line for line in reversed(lines) if line.strip())
        if lines[at].startswith(_INTERRUPTED):
            return None
    return None


def _seconds(lines: list[str]) -> float:
    """Add up the time between lines, which say the hour and no date; no two are a day apart."""
    stamps = [match.groups() for line in lines if (match := _STAMP.match(line))]
    times = [int(hour) * 3600 + int(minute) * 60 + int(second) for hour, minute, second in stamps]
    return float(sum((b - a) % _DAY for a, b in pairwise(times)))
