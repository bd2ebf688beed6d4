"""A real Slurm of one node, on this machine, for as long as a test needs it.

Slurm reads /etc/slurm/slurm.conf, and the plugin's jobs find no other file: so a machine that has one
that was not written here is left alone. Everything else is in a folder of its own, munge's key and
socket included, and what was started is ended by its process id.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CONFIGURATION = Path("/etc/slurm/slurm.conf")
MARK = "# Written by the tests of afpanel, which replace and delete it."
LOCK = Path("/tmp/afpanel-tests-slurm.lock")
DAEMONS = ("slurmd", "slurmctld", "munged")

TEMPLATE = """{mark}
ClusterName={name}
SlurmctldHost=localhost
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SchedulerParameters=batch_sched_delay=0,sched_interval=2
SlurmdParameters=config_overrides
MinJobAge=86400
KillWait=2
OverTimeLimit=0
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
NodeName=localhost CPUs={cpus} RealMemory=16000 State=UNKNOWN
PartitionName=tests Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str | None:
    """Tell why there can be no Slurm here; None if there can."""
    if os.geteuid() != 0:
        return "not root: a Slurm cannot be started"
    if not Path("/etc/debian_version").is_file():
        return "not Debian, whose packages slurm-wlm and munge this knows"
    missing = [name for name in (*DAEMONS, "sbatch") if shutil.which(name, path=_PATH) is None]
    if missing:
        return f"not installed (apt-get install slurm-wlm munge): {', '.join(missing)}"
    if CONFIGURATION.is_file() and MARK not in CONFIGURATION.read_text():
        return f"this machine has a Slurm of its own: {CONFIGURATION}"
    return None


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin"


@contextlib.contextmanager
def running(cpus: int = 8) -> Iterator[Path]:
    """Start Slurm, and end it; only one test of this machine has it at a time.

    Parameters
    ----------
    cpus
        Cores that the node claims to have.

    Yields
    ------
    Path
        The folder of its logs.
    """
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if CONFIGURATION.is_file():
            _end(_folder_of(CONFIGURATION.read_text()))  # of a run that was killed
        folder = Path("/tmp") / f"afpanel-slurm-{os.urandom(6).hex()}"
        folder.mkdir(mode=0o755)  # munge wants its socket within everybody's reach
        try:
            _start(folder, cpus)
            yield folder
        finally:
            CONFIGURATION.unlink(missing_ok=True)
            _end(folder)


def _start(folder: Path, cpus: int) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(0o600)
    key.write_bytes(os.urandom(128))
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.write_text(TEMPLATE.format(mark=MARK, folder=folder, name=folder.name, cpus=cpus))
    _run(
        "munged", "--force", "--key-file", key, "--socket", folder / "munge.socket",
        "--pid-file", folder / "munged.pid", "--log-file", folder / "munged.log",
        "--seed-file", folder / "munge.seed",
    )  # fmt: skip
    _run("slurmctld")
    _run("slurmd", "-N", "localhost")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        said = subprocess.run(
            ["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True, check=False
        )
        if said.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    logs = "\n".join(path.read_text() for path in folder.glob("*.log"))
    message = f"the node did not come up: {said.stdout}{said.stderr}\n{logs}"
    raise RuntimeError(message)


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    words[0] = shutil.which(words[0], path=_PATH) or words[0]
    # Daemons keep what they are given open: no pipe of the tests.
    with tempfile.TemporaryFile("w+") as said:
        code = subprocess.run(
            words, stdout=said, stderr=said, stdin=subprocess.DEVNULL, check=False
        )
        if code.returncode:
            said.seek(0)
            message = f"{words[0]} did not start: {said.read()}"
            raise RuntimeError(message)


def _folder_of(configuration: str) -> Path:
    (line,) = [ln for ln in configuration.splitlines() if ln.startswith("SlurmdSpoolDir=")]
    return Path(line.partition("=")[2]).parent


def _end(folder: Path) -> None:
    """End what was started in a folder, by its process id, and delete the folder."""
    for name in DAEMONS:
        with contextlib.suppress(OSError, ValueError):
            pid = int((folder / f"{name}.pid").read_text())
            if Path(f"/proc/{pid}/comm").read_text().strip() != name:
                continue  # the number is another's by now
            os.kill(pid, signal.SIGTERM)
            until = time.monotonic() + 10
            while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
                time.sleep(0.05)
            os.kill(pid, signal.SIGKILL)
    for pid in _jobs_of(folder):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _jobs_of(folder: Path) -> Iterator[int]:
    """List the processes of jobs that are left: Slurm tells each the name of its cluster, and their keepers."""
    told = f"SLURM_CLUSTER_NAME={folder.name}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            keeps = (process / "comm").read_text().strip() == "slurmstepd" and any(
                str(link.readlink()).startswith(f"{folder}/") for link in (process / "fd").iterdir()
            )
            if keeps or told in (process / "environ").read_bytes().split(b"\0"):
                yield int(process.name)
