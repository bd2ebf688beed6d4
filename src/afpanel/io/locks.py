"""Locks on files: of what is being written, of registers, and of the logs of jobs that are at work.

A lock is the kernel's (`flock`), so it ends with the process that holds it, however that ends. NFS hands it on
to its server, and it holds between the machines of a cluster. File systems that have no locks say so.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from afpanel.errors import MachineError

_PAUSE = 0.02
_TAKEN = (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN)
_LONGEST_HELD = 60.0


def try_lock(descriptor: int, *, shared: bool = False) -> bool | None:
    """Take the lock of an open file, without waiting.

    Parameters
    ----------
    descriptor
        The file; for a lock that is not shared it must be open for writing, where the file system is NFS.
    shared
        Whether others may have it too, if they share it.

    Returns
    -------
    bool or None
        Whether it was had; None where the file system has no locks.
    """
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _TAKEN else None
    return True


def is_locked(path: Path) -> bool | None:
    """Tell whether a process holds the lock of a file; None where that cannot be known."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        had = try_lock(descriptor, shared=True)
    finally:
        os.close(descriptor)
    return None if had is None else not had


@contextmanager
def locked(path: Path, wait: float = _LONGEST_HELD) -> Iterator[None]:
    """Hold a lock file for what takes a moment; it is gone afterwards.

    Where the file system has no locks, whoever makes the file has the lock, and one that is a minute old was
    left by somebody who was killed.

    Raises
    ------
    MachineError
        If others hold it for longer than `wait` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait
    while (descriptor := _take(path)) is None:
        if time.monotonic() > deadline:
            raise MachineError(
                f"another process has had the lock for {wait:.0f} seconds",
                where=path,
                remedy="see what it is, and run again; if there is none, delete the lock",
            )
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _take(path: Path) -> int | None:
    """Open a lock file and take its lock; None if somebody else has it."""
    made = True
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        made = False
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
    had = try_lock(descriptor)
    if had is None:
        had = made
        if not made and _age(path) > _LONGEST_HELD:
            path.unlink(missing_ok=True)  # the next try makes it anew
    elif had:
        # Whoever had it before may have taken the file away since it was opened.
        had = is_same(descriptor, path)
    if had:
        return descriptor
    os.close(descriptor)
    return None


def is_same(descriptor: int, path: Path) -> bool:
    """Tell whether an open file still is the one of a name."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _age(path: Path) -> float:
    """Seconds since a file was changed, by the clock of its file system as far as that can be had."""
    with suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0
