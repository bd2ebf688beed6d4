"""The leak scan of files: which kind each is by its name, and who scans it."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import BinaryIO

from afpanel.errors import BadInputError
from afpanel.io.leak_index import scan_csi, scan_csi_of_bcf, scan_tabix
from afpanel.io.leak_lists import JSON_KEYS
from afpanel.io.leak_parquet import scan_parquet
from afpanel.io.leak_png import scan_png
from afpanel.io.leak_report import Report, Spot
from afpanel.io.leak_text import (
    scan_json,
    scan_markup,
    scan_signature,
    scan_table,
    scan_text,
)
from afpanel.io.leak_vcf import scan_bcf, scan_vcf
from afpanel.io.leak_zarr import scan_store
from afpanel.io.leak_zip import entries
from afpanel.io.prefetch import InOrder

CONTRIBUTION = ".afc.zip"

_TEXTS = frozenset({"README.txt"})
_MOST_UNKNOWN = 64 << 20


_FILES_AHEAD = 3


def scan_path(report: Report, path: Path, pool: Executor | None = None) -> None:
    """Scan a file, or all files of a folder.

    Parameters
    ----------
    report
        Where leaks go.
    path
        The file or folder.
    pool
        Whose threads scan files, some at a time; not that of the report, for which they wait.

    Raises
    ------
    BadInputError
        If there is nothing at the path, or it cannot be read.
    """
    if not path.is_symlink() and path.is_dir():
        _scan_folder(report, path, pool)
    elif path.exists() or path.is_symlink():
        _scan_entry(report, path, path.name)
    else:
        raise BadInputError("file does not exist", where=path)


def _scan_folder(report: Report, folder: Path, pool: Executor | None) -> None:
    """Scan all files of a folder, several at a time; what is found is told in the order of their names."""
    parts = InOrder(report.join, pool, _FILES_AHEAD)
    for path in _everything(folder):
        parts.give(_scan_part, report.part(), path, path.relative_to(folder).as_posix())
    parts.finish()


def _scan_part(report: Report, path: Path, name: str) -> Report:
    if stat.S_ISDIR(path.lstat().st_mode):
        Spot(report, f"{name}/").search(name, "name of the folder")
        _check_attributes(Spot(report, f"{name}/"), path)
    else:
        _scan_entry(report, path, name)
    return report


def _everything(folder: Path) -> Iterator[Path]:
    """Go through folders and files in the order of their names; links are not followed."""
    for path in sorted(folder.iterdir()):
        yield path
        if stat.S_ISDIR(path.lstat().st_mode):
            yield from _everything(path)


def _scan_entry(report: Report, path: Path, name: str) -> None:
    spot = Spot(report, name)
    spot.search(name, "name of the file")
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        spot.leak("a link or special file")
        if stat.S_ISLNK(status.st_mode):
            spot.search(os.fsencode(path.readlink()), "target of the link")
        return
    report.looked["files"] += 1
    _check_attributes(spot, path)
    try:
        with path.open("rb") as source:
            scan_file(spot, path.name, source, status.st_size)
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror or error}", where=path) from error


def _check_attributes(spot: Spot, path: Path) -> None:
    """Look for attributes that somebody has given a file, which some ways of copying keep."""
    if not hasattr(os, "listxattr"):
        return
    try:
        names = [name for name in os.listxattr(path) if name.startswith("user.")]
    except OSError:  # a file system that has none
        return
    for name in names:
        spot.leak("an attribute of the file", "attribute", f" {name}")
        spot.search(os.getxattr(path, name), "attribute", detail=f" {name}")


def scan_file(spot: Spot, name: str, source: BinaryIO, size: int) -> None:
    """Scan a file of a kind that its name tells; other kinds are leaks by themselves.

    Parameters
    ----------
    spot
        The file, for what is said of it.
    name
        Its name, without folders.
    source
        Its bytes, which can be read from any place.
    size
        How many.
    """
    if name.endswith(".vcf.gz"):
        scan_vcf(spot, source)
    elif name.endswith(".vcf.gz.tbi"):
        scan_tabix(spot, source)
    elif name.endswith(".vcf.gz.csi"):
        scan_csi(spot, source)
    elif name.endswith(".bcf"):
        scan_bcf(spot, source)
    elif name.endswith(".bcf.csi"):
        scan_csi_of_bcf(spot, source)
    elif name.endswith(".parquet"):
        scan_parquet(spot, source, size)
    elif name.endswith(".zarr.zip"):
        scan_store(spot, source, size)
    elif name.endswith(CONTRIBUTION):
        _scan_contribution(spot, source, size)
    elif name in JSON_KEYS:
        scan_json(spot, source, name)
    elif name.endswith(".tsv"):
        scan_table(spot, source)
    elif name.endswith((".svg", ".html")):
        scan_markup(spot, source)
    elif name.endswith(".png"):
        scan_png(spot, source)
    elif name.endswith(".json.sig"):
        scan_signature(spot, source)
    elif name in _TEXTS:
        scan_text(spot, source)
    else:
        spot.leak("a kind of file that is not one of a release or a contribution")
        spot.search(source.read(_MOST_UNKNOWN), "bytes")


def _scan_contribution(spot: Spot, source: BinaryIO, size: int) -> None:
    """Scan a contribution: a zip file of files."""
    for entry in entries(spot, source, size):
        folder, _, name = entry.name.rpartition("/")
        inside = spot.inside(entry.name)
        is_counts = folder == "counts" and name.endswith(".zarr.zip")
        is_about = not folder and (
            name in JSON_KEYS or name in _TEXTS or name == "manifest.json.sig"
        )
        if not is_counts and not is_about:
            inside.leak("an entry that is not one of a contribution")
        scan_file(inside, name, entry.source, entry.size)
