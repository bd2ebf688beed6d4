"""One line of progress per chunk of work: what was done so far, and how fast."""

import logging
import time


class Progress:
    """Counts work and logs it.

    Parameters
    ----------
    logger
        Where the lines go.
    task
        What is done, as ``ingest chr1:1-1000000``.
    unit
        What is counted, in the plural.
    """

    def __init__(self, logger: logging.Logger, task: str, unit: str) -> None:
        self._logger = logger
        self._task = task
        self._unit = unit
        self._start = time.monotonic()
        self.done = 0

    def advance(self, n: int, detail: str = "") -> None:
        """Report another `n` units, and where the work is."""
        self.done += n
        seconds = max(time.monotonic() - self._start, 1e-6)
        rate = self.done / seconds
        self._logger.info(
            "%s: %s %s, %s/s%s",
            self._task,
            f"{self.done:,}",
            self._unit,
            f"{rate:,.0f}",
            f"; {detail}" if detail else "",
        )
