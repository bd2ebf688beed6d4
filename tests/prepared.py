"""Commands that start at once: a process that has imported everything forks one for each that is asked for.

A command of the workflow works for a tenth of a second on a small cohort, after it has been importing for most
of one. Tests of what a run of the workflow writes need not wait for that. What is started is the command
as it is: `afpanel.__main__.run`, or Snakemake's, with the arguments, the environment, the working directory
and the open files of whoever asks, in a process of its own. What forks share is the seed of hashes: see `snakemake`
in `conftest.py`.
"""

import fcntl
import gc
import importlib
import marshal
import os
import pkgutil
import select
import socket
import subprocess
import sys
from pathlib import Path

# A command that asks the server; as `python`, it does so for `-m afpanel` and `-m snakemake` alone.
_CLIENT = """#!{python} -IS
import marshal, os, socket, sys
name, *words = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
if name == "python" and words[:2] in (["-m", "afpanel"], ["-m", "snakemake"]):
    _, name, *words = words
if name == "python":
    os.execv({python!r}, [{python!r}, *words])
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(marshal.dumps((name, words, os.getcwd(), dict(os.environ))))
    server.shutdown(socket.SHUT_WR)
    code = server.recv(1)
sys.exit(code[0] if code else "the process that was asked for was killed")
"""

_LATE = (
    "allel", "docutils.core", "docutils.writers.html5_polyglot", "dpath", "jsonschema", "matplotlib.backends.backend_svg",
    "matplotlib.figure", "matplotlib.style", "pygments.formatters.html", "scipy.sparse.csgraph", "scipy.stats",
    "smart_open", "snakemake.cli",
)  # fmt: skip
"""What commands import when they need it."""


class Commands:
    """A folder with the commands `afpanel`, `snakemake` and `python`, which ask a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environment(self) -> dict[str, str]:
        """Give an environment in which these commands are found before others."""
        return {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}


class Prepared(Commands):
    """A server, and the commands that ask it. They can be asked at once, and wait until it is ready.

    Parameters
    ----------
    folder
        To be made; with a short path, as sockets must have.
    seed
        Of hashes.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder)
        folder.mkdir()
        address = str(folder / "socket")
        for name in ("afpanel", "snakemake", "python"):
            command = folder / name
            command.write_text(_CLIENT.format(python=sys.executable, address=address))
            command.chmod(0o755)
        # -P: the folder of this file has modules that are named as those of Python.
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, address],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        said = self._process.stdout.readline()
        assert said == b"listening\n", f"a server of commands said {said!r}"

    def close(self) -> None:
        """End the server; it also ends with this process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _import_package() -> None:
    import afpanel

    for module in pkgutil.walk_packages(afpanel.__path__, "afpanel."):
        importlib.import_module(module.name)


def _run(connection: socket.socket, commands: str) -> None:
    """Be the command that is asked for; says how it ended, and ends the process."""
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as said:
        name, words, folder, environment = marshal.loads(said.read())
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    # When whoever asked is gone, the system sends SIGIO, which ends the process.
    fcntl.fcntl(connection, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(connection, fcntl.F_SETFL, fcntl.fcntl(connection, fcntl.F_GETFL) | os.O_ASYNC)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [name, *words]
    sys.executable = f"{commands}/python"  # for what the workflow starts as it is read

    process, leave_at_once = os.getpid(), os._exit

    def leave(code: int) -> None:
        if os.getpid() == process:
            sys.stdout.flush()
            sys.stderr.flush()
            connection.send(bytes([code & 255]))
        leave_at_once(code)

    os._exit = leave
    if name == "afpanel":
        from afpanel.__main__ import run

        run()
    from snakemake.cli import main

    try:
        main()
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else 0 if end.code is None else 1)
    leave(0)


def _serve(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("listening", flush=True)
        _import_package()
        for name in _LATE:
            importlib.import_module(name)
        # What forks have from here, their garbage collection need not look at.
        gc.collect()
        gc.freeze()
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                try:
                    _run(connection, str(Path(address).parent))
                finally:
                    sys.excepthook(*sys.exc_info())  # what nobody caught
                    os.kill(os.getpid(), 9)
            connection.close()
            while True:
                try:
                    ended, _ = os.waitpid(-1, os.WNOHANG)
                except ChildProcessError:
                    break
                if not ended:
                    break


if __name__ == "__main__":
    _serve(sys.argv[1])
