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

    def advance(self, n: int, detail: str = "", share: float | None = None) -> None:
        """Report another `n` units.

        Parameters
        ----------
        n
            Units done since the last report.
        detail
            Where the work is.
        share
            How much of all of it is done, of 1, where that is known.
        """
        self.done += n
        seconds = max(time.monotonic() - self._start, 1e-6)
        rate = self.done / seconds
        self._logger.info(
            "%s: %s %s, %s/s%s",
            self._task,
            f"{self.done:,}",
            self._unit,
            f"{rate:,.0f}",
            "; ".join(["", *([detail] if detail else []), *_percent(share)]),
        )


def _percent(share: float | None) -> list[str]:
    """Write a share as a percentage.

    >>> _percent(0.4567), _percent(None)
    (['46%'], [])
    """
    return [] if share is None else [f"{100 * min(max(share, 0.0), 1.0):.0f}%"]
