"""Compile all loops beforehand, so that no job does."""

import importlib
import logging
import multiprocessing
import pkgutil
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numba
from numba.core.dispatcher import Dispatcher

import afpanel
from afpanel.io.prefetch import cores

logger = logging.getLogger(__name__)

_MARK = "@compiled("


@dataclass(frozen=True)
class Compiled:
    """What was compiled.

    Parameters
    ----------
    modules, loops
        Modules with loops, and loops of these.
    anew
        Loops whose machine code was not there before, or not all of it.
    folders
        Where their machine code is kept.
    """

    modules: int
    loops: int
    anew: int
    folders: tuple[Path, ...]


def compile_all(folder: Path | None = None) -> Compiled:
    """Compile every loop of the package for this machine's processor, but for those that are there.

    Only modules with loops are imported, in as many processes as there are cores: others may want packages
    that are not installed.

    Parameters
    ----------
    folder
        For the machine code; None is where numba keeps it by itself.
    """
    names = modules_with_loops()
    anew: set[str] = set()
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores(), spawned, _keep_in, (folder,)) as pool:
        for number, found in enumerate(pool.map(_compile, names), 1):
            anew |= found
            logger.info("compile: %d of %d modules", number, len(names))
    _keep_in(folder)
    for name in names:
        anew |= _compile(name)
    loops = _loops()
    return Compiled(
        modules=len(names),
        loops=len(loops),
        anew=len(anew),
        folders=tuple(sorted({Path(str(each.stats.cache_path)) for each in loops.values()})),
    )


def _keep_in(folder: Path | None) -> None:
    if folder is not None:
        numba.config.CACHE_DIR = str(folder.absolute())


def _compile(name: str) -> set[str]:
    """Import a module; gives the loops that this process has compiled so far."""
    importlib.import_module(name)
    return {loop for loop, each in _loops().items() if each.stats.cache_misses}


def _loops() -> dict[str, Dispatcher]:
    """Find the loops of the modules that are imported, by their names."""
    found = [
        each
        for name, module in list(sys.modules.items())
        if name.startswith("afpanel.")
        for each in vars(module).values()
        if isinstance(each, Dispatcher)
    ]
    # A part has no machine code of its own that is kept; a loop can be imported into several modules.
    return {
        f"{each.py_func.__module__}.{each.py_func.__qualname__}": each
        for each in found
        if each.stats.cache_path
    }


def modules_with_loops() -> list[str]:
    """List the modules that compile loops when they are imported, by their source; the longest first."""
    found: list[tuple[int, str]] = []
    for module in pkgutil.walk_packages(afpanel.__path__, "afpanel."):
        spec = find_spec(module.name)
        assert spec is not None
        source = None if spec.origin is None else Path(spec.origin).read_text("utf-8")
        if source is not None and f"\n{_MARK}" in source:
            found.append((-len(source), module.name))
    return [name for _, name in sorted(found)]
