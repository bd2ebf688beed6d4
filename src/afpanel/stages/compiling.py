"""Compile all loops beforehand, so that no job does."""

import importlib
import logging
import pkgutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numba
from numba.core.dispatcher import Dispatcher

import afpanel

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

    Only modules with loops are imported: others may want packages that are not installed.

    Parameters
    ----------
    folder
        For the machine code; None is where numba keeps it by itself.
    """
    if folder is not None:
        numba.config.CACHE_DIR = str(folder.absolute())
    names = modules_with_loops()
    loops: dict[int, Dispatcher] = {}
    for number, name in enumerate(names, 1):
        logger.info("compile: %s, %d of %d", name, number, len(names))
        module = importlib.import_module(name)
        found = (each for each in vars(module).values() if isinstance(each, Dispatcher))
        # A part has no machine code of its own that is kept; a loop can be imported into several modules.
        loops |= {id(each): each for each in found if each.stats.cache_path}
    return Compiled(
        modules=len(names),
        loops=len(loops),
        anew=sum(bool(each.stats.cache_misses) for each in loops.values()),
        folders=tuple(sorted({Path(str(each.stats.cache_path)) for each in loops.values()})),
    )


def modules_with_loops() -> list[str]:
    """List the modules that compile loops when they are imported, by their source."""
    found = []
    for module in pkgutil.walk_packages(afpanel.__path__, "afpanel."):
        spec = find_spec(module.name)
        assert spec is not None
        source = None if spec.origin is None else Path(spec.origin).read_text("utf-8")
        if source is not None and f"\n{_MARK}" in source:
            found.append(module.name)
    return found
