"""Outputs that appear under their final name only when whole, and digests of files."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from afpanel.errors import BadInputError

_BLOCK = 1 << 20


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name to write to beside `path`, and move the file to `path` when all went well.

    After an error nothing is left, under either name; what an earlier crash left is overwritten.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Make an empty folder for what is not to be seen before all of it is whole, and take it away again."""
    shutil.rmtree(folder, ignore_errors=True)  # what a killed run left
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to fill, and put it in the place of `out` when all went well."""
    with scratch_folder(out.with_name(f".{out.name}.partial")) as folder:
        yield folder
        if out.exists():
            shutil.rmtree(out)
        folder.replace(out)


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
