"""Outputs that appear under their final name only when whole, and digests of files."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from afpanel.errors import BadInputError
from afpanel.io.partials import partial_file, partial_folder

_BLOCK = 1 << 20


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name to write to beside `path`, and move the file to `path` when all went well.

    The file is on the disk before it has its name, and the name before this returns. After an error nothing
    is left, under either name; what a killed process left is taken away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with partial_file(path) as partial, naming(path):
        yield partial
        _to_disk(partial)
        move(partial, path)


def move(made: Path, path: Path) -> None:
    """Give a file or folder, which is on the disk, its name; the name is on the disk when this returns."""
    made.replace(path)
    _folder_to_disk(path.parent)


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """Make an empty folder beside a path for what is not to be seen before all of it is whole.

    It is taken away afterwards, and so is what a killed process left of it.
    """
    beside.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(beside) as folder, naming(beside):
        yield folder


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to fill, and put it in the place of `out` when all went well.

    What `out` held is moved aside as a whole, so there never is half of it.
    """
    with scratch_folder(out) as folder:
        yield folder
        for at, _, names in os.walk(folder, topdown=False):
            for name in names:
                _to_disk(Path(at) / name)
            _folder_to_disk(Path(at))
        aside = folder.with_name("replaced")
        with suppress(FileNotFoundError):
            out.replace(aside)
        try:
            move(folder, out)
        except OSError:
            with suppress(OSError):
                aside.replace(out)
            raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give errors of the system that name no file the name of the one that is being written.

    htslib says that it could not write, and not why; that is found by trying.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None and (reason := _why_not(path)) is not None:
            error.errno, error.strerror = reason.errno, reason.strerror
        if error.filename is None:
            error.filename = str(path)
        raise


def _why_not(path: Path) -> OSError | None:
    """Find out what prevents writing beside a file."""
    try:
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            probe.write(bytes(_BLOCK))
            os.fsync(probe.fileno())
    except OSError as error:
        return error
    return None


def _to_disk(path: Path) -> None:
    """Wait until what a file holds would survive a loss of power."""
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _folder_to_disk(folder: Path) -> None:
    """Wait likewise for the names in a folder, where the file system can be asked to."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_json(path: Path, content: Any) -> None:
    """Write JSON with a fixed layout, whole or not at all."""
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """Lay out JSON, always in the same way."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_if_changed(path: Path, text: str) -> bool:
    """Write a text file unless it already says the same, so that its age tells of real changes."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    write_text(path, text)
    return True


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInputError("file does not exist", where=path) from None
    except ValueError as error:
        raise BadInputError(f"not JSON: {error}", where=path) from error


def sha256(path: Path) -> str:
    """Hash a file's bytes; lower-case hex."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
