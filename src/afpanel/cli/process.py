"""How a process of the command line uses its machine."""

import ctypes
import gc
import getpass
import os
import platform
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from afpanel.stages.leak_scan import Machine

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # settings of glibc's mallopt
_LARGEST_BLOCK = 1 << 30
_OBJECTS_BETWEEN_COLLECTIONS = 500_000
_STDERR = 2
_TRIES, _PAUSE = 20, 0.01


def prepare() -> None:
    """Set up the process for arrays that come and go; call it before NumPy is imported.

    Nothing here changes a result, and the peak of memory stays what it was.
    """
    _keep_freed_memory()
    # Importing makes hundreds of thousands of objects that stay, and each collection looks at all.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    # NumPy would start a thread for every core, for linear algebra that is not done here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class _NoPandas:
    """Says of pandas that it is not there."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Refuse pandas, and leave everything else to others."""
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is not used here", name=fullname)


def do_without_pandas() -> None:
    """Keep pandas out of this process, which must be one that ends with the command.

    Arrow imports it where it is installed, as it is beside Snakemake, to see whether a column is one of its own.
    None is, and the import takes longer than most jobs of a small partition.
    """
    sys.meta_path.insert(0, _NoPandas())


def _keep_freed_memory() -> None:
    """Ask the C library to reuse freed memory rather than give it back to the system at once.

    The first touch of memory that is new to the process takes longer than what is done with it: half
    of the time of a count. Does nothing where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_ARENA_MAX, 1)  # what threads allocate is kept too
    mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
    mallopt(_TRIM_THRESHOLD, 2 * _LARGEST_BLOCK - 1)


def hold_log() -> bool:
    """Lock the file that messages go to, if they go to one; tell whether they do.

    So who looks at the log knows whether the process is at work: the lock ends with it, however that ends.
    """
    from afpanel.io.locks import try_lock

    try:
        if not stat.S_ISREG(os.fstat(_STDERR).st_mode):
            return False
    except OSError:
        return False
    for _ in range(_TRIES):  # somebody may be looking
        if try_lock(_STDERR) is not False:
            break
        time.sleep(_PAUSE)
    return True


def this_machine(*names: str) -> "Machine":
    """Tell where this runs, for the leak scan: names of the user and the host, and their folders.

    Parameters
    ----------
    *names
        Further names that must not be told.
    """
    from afpanel.stages.leak_scan import Machine

    host = platform.node()
    users = {*names}
    with suppress(OSError, KeyError):  # a user that the system has no name for
        users.add(getpass.getuser())
    folders = {str(Path.home()), str(Path.cwd())}
    return Machine(
        tuple(sorted(filter(None, users))),
        tuple(sorted(filter(None, {host, host.partition(".")[0]}))),
        tuple(sorted(folders)),
    )
