"""Before a run: take away what killed jobs left, and make sure that none of them is still at work."""

import logging
import time
from pathlib import Path

from afpanel.errors import MachineError
from afpanel.io.partials import clear_folder, final_name
from afpanel.stages.status import running_jobs

logger = logging.getLogger(__name__)

_PAUSE = 0.5
_NAMED = 10


def clean(results: Path, wait: float = 60.0) -> None:
    """Take away what killed jobs left in a folder of results.

    Where the workflow was killed its jobs may go on. They could give an output of theirs its name after this
    run made it anew, perhaps by another configuration. So they are waited for, a while.

    Parameters
    ----------
    results
        The folder; what is not there yet needs nothing.
    wait
        Seconds to wait for jobs that are at work.

    Raises
    ------
    MachineError
        If some still are.
    """
    deadline = time.monotonic() + wait
    told = False
    while True:
        left = clear_folder(results)
        if left.removed:
            logger.info("took away %d unfinished outputs of killed jobs", len(left.removed))
        jobs = running_jobs(results)
        if not jobs and not left.busy:
            return
        names = [f"{job.name} ({job.log})" for job in jobs] or [
            str(final_name(path)) for path in left.busy
        ]
        if time.monotonic() >= deadline:
            raise MachineError(
                f"{len(names)} jobs of an earlier run are still at work here",
                where=results,
                found="\n            ".join(names[:_NAMED]),
                remedy="wait until they end, as afpanel status tells, or end them (scancel, kill), and run"
                " again; if it is certain that there are none, delete the files named",
            )
        if not told:
            logger.info("waiting for jobs of an earlier run: %s", ", ".join(names[:_NAMED]))
            told = True
        time.sleep(_PAUSE)
