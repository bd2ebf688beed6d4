"""What is being written, under names of its own: telling the work of living processes from what killed ones left.

A file or folder in the making is called ``.NAME.MACHINE-RANDOM.partial``, so two processes never write to one,
and none is ever taken for a result. Who makes it holds its lock. What nobody holds is left over: on this
machine it is taken away at once, and what another machine began when it has not changed for an hour.
"""

import hashlib
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from afpanel.io.locks import is_same, try_lock

_NAME = re.compile(r"\.(?P<name>.+?)(\.(?P<machine>[0-9a-f]{8})-[0-9a-f]{8})?\.partial")
_LOCK = "lock"
_WHOLE = "whole"
_QUIET = 3600.0


@dataclass
class Leftovers:
    """What was found in the making: by nobody any more, and by processes that are at work.

    Parameters
    ----------
    removed
        What was left over, and taken away.
    busy
        What somebody writes, or may write on another machine.
    """

    removed: list[Path] = field(default_factory=list)
    busy: list[Path] = field(default_factory=list)


@cache
def _machine() -> str:
    """Tell this machine from others, since it was started; a digest, for names may be seen."""
    try:
        name = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        name = platform.node()
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _new_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{_machine()}-{secrets.token_hex(4)}.partial")


def final_name(path: Path) -> Path:
    """Say what a file in the making is to be called, be it in a folder that is in the making.

    >>> final_name(Path("out/.a.vcf.gz.0123abcd-4567cdef.partial/whole/part")).as_posix()
    'out/a.vcf.gz'
    >>> final_name(Path("out/a.vcf.gz")).as_posix()
    'out/a.vcf.gz'
    """
    for whole in (*reversed(path.parents), path):
        if found := _NAME.fullmatch(whole.name):
            return whole.with_name(found["name"])
    return path


@contextmanager
def partial_file(path: Path) -> Iterator[Path]:
    """Make an empty file beside `path`, and hold its lock; it is gone afterwards unless it was moved."""
    clear_partials(path)
    while True:
        partial = _new_name(path)
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        # Somebody who clears may have had it before the lock, and taken it away.
        if try_lock(descriptor) is not False and is_same(descriptor, partial):
            break
        os.close(descriptor)
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def partial_folder(path: Path) -> Iterator[Path]:
    """Make an empty folder beside `path` likewise; what is in it is gone afterwards."""
    clear_partials(path)
    while True:
        outer = _new_name(path)
        outer.mkdir()
        lock = outer / _LOCK
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:
            continue
        if try_lock(descriptor) is not False and is_same(descriptor, lock):
            break
        os.close(descriptor)
    try:
        whole = outer / _WHOLE
        whole.mkdir()
        yield whole
    finally:
        shutil.rmtree(whole, ignore_errors=True)
        os.close(descriptor)  # NFS keeps an open file, and its folder
        shutil.rmtree(outer, ignore_errors=True)


def clear_partials(path: Path) -> None:
    """Take away what processes that are gone left of `path`."""
    with os.scandir(path.parent) as entries:
        names = [entry.name for entry in entries if entry.name.endswith(".partial")]
    for name in names:
        found = _NAME.fullmatch(name)
        if found is not None and found["name"] == path.name:
            _clear(path.with_name(name), found["machine"])


def clear_folder(folder: Path) -> Leftovers:
    """Take away what processes that are gone left anywhere in a folder."""
    left = Leftovers()
    for at, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            found = _NAME.fullmatch(name)
            if found is None:
                continue
            path = Path(at) / name
            (left.removed if _clear(path, found["machine"]) else left.busy).append(path)
        folders[:] = sorted(name for name in folders if not _NAME.fullmatch(name))
    return left


def _clear(path: Path, machine: str | None) -> bool:
    """Take away a file or folder in the making if nobody makes it any more; tell whether that was so."""
    descriptor = None
    try:
        lock = path / _LOCK if path.is_dir() else path
        with suppress(FileNotFoundError):
            descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        if descriptor is not None:
            had = try_lock(descriptor)
            # Between machines a lock may not be seen, or not be there.
            if had is False or ((had is None or machine != _machine()) and not _is_quiet(path)):
                return False
        if not path.is_dir():
            path.unlink(missing_ok=True)
            return True
        shutil.rmtree(path / _WHOLE, ignore_errors=True)
    except PermissionError:
        return False
    finally:
        if descriptor is not None:
            os.close(descriptor)
    shutil.rmtree(path, ignore_errors=True)
    return True


def _is_quiet(path: Path) -> bool:
    """Tell whether nothing in a file or folder has changed for an hour."""
    latest = 0.0
    for each in (path, *(path.rglob("*") if path.is_dir() else ())):
        with suppress(OSError):
            latest = max(latest, each.stat().st_mtime)
    return time.time() - latest > _QUIET
