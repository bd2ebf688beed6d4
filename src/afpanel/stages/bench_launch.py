"""Running programs to see how long they take, and how much memory."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Self

from afpanel.errors import BadInputError


@dataclass(frozen=True)
class Run:
    """What a command took: seconds, of the clock and of processors; the peak memory of its largest process."""

    seconds: float
    peak_mb: float
    cpu: float


_LAUNCHER = """
import json, os, subprocess, sys, time
for line in sys.stdin:
    start = time.monotonic()
    process = subprocess.Popen(["bash", "-c", "set -euo pipefail; " + json.loads(line)], stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    print(process.returncode, time.monotonic() - start, usage.ru_maxrss / 1024, cpu, flush=True)
"""


class Launcher:
    """Runs shell commands, and takes their wall time and the peak memory of their largest process.

    It is a small process of its own: the peak of a program is at least that of what it is started by. What a
    command prints goes to stderr, as figures alone come back.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-ISc", _LAUNCHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, command: str) -> Run:
        """Run a command; an error if it fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        code, seconds, peak_mb, cpu = self._process.stdout.readline().split()
        if code != "0":
            raise BadInputError(f"failed with exit code {code}: {command}")
        return Run(float(seconds), float(peak_mb), float(cpu))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
