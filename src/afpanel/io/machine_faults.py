"""What the machine says when it cannot do something, in words: which file, and what to do about it."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from afpanel.errors import AfpanelError, MachineError
from afpanel.io.partials import final_name

_AGAIN = "run again; what is whole is kept"
_MEMORY = (
    "give the job more (--retries, --set-resources RULE:mem_mb=…), or the machine fewer jobs at a time"
    " (--resources mem_mb=…)"
)

_FAULTS = {
    errno.ENOSPC: (
        "there is no room left on its file system",
        f"make room there, or have results on a larger one, and {_AGAIN}",
    ),
    errno.EDQUOT: (
        "your quota of disk space, or of files, is used up",
        f"see quota -s (lfs quota on Lustre), make room or ask for more, and {_AGAIN}",
    ),
    errno.EROFS: (
        "its file system can be read only",
        "have results where you may write; if it became so by itself, its disk has a fault",
    ),
    errno.EACCES: ("permission denied", "see ls -l, of its folder too, and whose job this is"),
    errno.EPERM: ("not permitted", "see ls -l and lsattr, and whose job this is"),
    errno.EFBIG: (
        "larger than a file may be here",
        f"see ulimit -f, and what the file system allows, and {_AGAIN}",
    ),
    errno.EMFILE: ("this process may open no more files", "raise ulimit -n, and run again"),
    errno.ENFILE: ("the machine may open no more files", "wait for other jobs, and run again"),
    errno.EIO: (
        "its disk or file server reports a fault",
        f"see dmesg, or tell who runs the file server, and {_AGAIN}",
    ),
    errno.ESTALE: (
        "the file server does not know it any more",
        f"it was replaced or moved meanwhile, or the server was restarted: {_AGAIN}",
    ),
    errno.ENOMEM: ("the machine has not enough memory", _MEMORY),
}
"""Of each error of the system what is wrong, and what to do."""

_ROOM = (errno.ENOSPC, errno.EDQUOT)
_OF_WRITING = (*_ROOM, errno.EROFS, errno.EFBIG)


def machine_fault(error: BaseException) -> MachineError | None:
    """Put an error in words if it is, or was caused by, one of the machine.

    Parameters
    ----------
    error
        What was raised. Of an error that says itself what is wrong only that is looked for which comes of
        writing: an input that cannot be read is for whoever read it to tell.
    """
    if isinstance(error, MachineError):
        return None
    told = isinstance(error, AfpanelError)
    for each in _with_causes(error):
        if isinstance(each, MemoryError):
            return MachineError(
                "there is not enough memory", found=str(each) or None, remedy=_MEMORY
            )
        number = _number(each)
        if number is not None and number in (_OF_WRITING if told else _FAULTS):
            return _in_words(each, number)
    if isinstance(error, OSError):
        where = final_name(Path(error.filename)) if isinstance(error.filename, str) else None
        return MachineError(error.strerror or str(error), where=where)
    return None


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """Go through an error and those that it came of, the first cause at last."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def _number(error: BaseException) -> int | None:
    """Tell which error of the system it is; libraries say it in words alone."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    if isinstance(error, AfpanelError):
        return None
    said = str(error)
    return next((number for number in _OF_WRITING if os.strerror(number) in said), None)


def _in_words(error: BaseException, number: int) -> MachineError:
    what, remedy = _FAULTS[number]
    name = getattr(error, "filename", None)
    path = final_name(Path(os.fsdecode(name))) if isinstance(name, str | bytes) else None
    found = None
    if number in _ROOM and path is not None:
        with suppress(OSError):
            mount = mount_of(path)
            free = size_in_words(shutil.disk_usage(mount).free)
            found = f"{free} free on {mount}, with the unfinished file taken away again"
    return MachineError(what, where=path, found=found, remedy=remedy)


def mount_of(path: Path) -> Path:
    """Find the top folder of the file system that a path is, or would be, on."""
    path = path.absolute()
    while not path.exists() or not (path.is_mount() or path == path.parent):
        path = path.parent
    return path


def size_in_words(n_bytes: float) -> str:
    """Write a number of bytes.

    >>> size_in_words(999), size_in_words(1_234_567), size_in_words(5e12)
    ('999 bytes', '1.2 MB', '5.0 TB')
    """
    if n_bytes < 1000:
        return f"{n_bytes:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        n_bytes /= 1000
        if n_bytes < 1000:
            return f"{n_bytes:.1f} {unit}"
    return f"{n_bytes / 1000:.1f} TB"
