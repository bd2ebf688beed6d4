"""A process that has everything imported, and forks to run a command: a hundred commands in some seconds.

It reads requests from stdin, a line of JSON each, and answers likewise. A command can be sent a signal at the
N-th of its steps: where it is about to open a file for writing, lock one, wait for one to be on the disk, or to
make, move or take away a file or folder. What is killed there is killed for good: no handler of Python runs.
"""

import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
from pathlib import Path
from typing import Any

NAMES = {"fcntl.flock", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate"}
"""Events of Python's audit that change the disk, besides "open"."""


def main() -> None:
    """Import what commands need, and serve."""
    import afpanel.cli
    import afpanel.stages

    for package in (afpanel.cli, afpanel.stages):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(json.dumps(serve(request)) + "\n")
        sys.stdout.flush()


def serve(request: dict[str, Any]) -> dict[str, Any]:
    """Run a command in a child, and say how it ended, or that it was stopped and is still there."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        run(request, writer)
    os.close(writer)
    _, status = os.waitpid(child, os.WUNTRACED)
    with os.fdopen(reader) as source:
        steps = "" if os.WIFSTOPPED(status) else source.read()
    return {
        "pid": child,
        "stopped": os.WIFSTOPPED(status),
        "code": None if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status),
        "steps": int(steps or 0),
    }


def run(request: dict[str, Any], answer: int) -> None:
    """Be the command; does not return."""
    from afpanel.cli.main import main as afpanel

    os.chdir(request["folder"])
    Path(request["log"]).parent.mkdir(parents=True, exist_ok=True)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 2)
    os.close(log)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if request["file_limit"]:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_limit"],) * 2)
    steps = 0

    def step() -> None:
        nonlocal steps
        if steps == request["at"]:
            os.kill(os.getpid(), request["signal"])
        steps += 1

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not writes or not isinstance(path, str) or path.startswith(("/dev/", "/proc/")):
                return
            step()
        elif event in NAMES:
            step()

    def fsync(descriptor: int, whole: Any = os.fsync) -> None:
        step()
        whole(descriptor)

    os.fsync = fsync
    sys.addaudithook(hook)
    try:
        code = afpanel(request["command"])
    except BaseException:  # noqa: BLE001 - a child that went on would serve too
        import traceback

        traceback.print_exc()
        code = 99
    sys.stderr.flush()
    os.write(answer, str(steps).encode())
    os._exit(code)


if __name__ == "__main__":
    main()
