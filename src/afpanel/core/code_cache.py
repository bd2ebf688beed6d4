"""Where the machine code of compiled loops is kept, and when it is out of date.

Numba keeps it in the first folder that it can write to: that of NUMBA_CACHE_DIR, that of the package, or one
of the user's home. Here it is also read from those before, which cannot be written to, as in an installation
that is shared or in a container. And it is kept under all the sources that it was made from.
"""

import functools
import hashlib
import inspect
import logging
import sys
from collections.abc import Callable
from typing import Any

from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

logger = logging.getLogger(__name__)

_COMPILING = {"afpanel.core.compiled", __name__}
"""What says how loops are compiled and kept."""


def _anywhere(locator: Any) -> Any:
    """Make a kind of folder that is taken whether or not it can be written to."""
    return type(locator.__name__, (locator,), {"ensure_cache_path": lambda _: None})


_FILES = FunctionCache._impl_class  # noqa: SLF001 - numba has no other way to name it
_FOLDERS = _FILES._locator_classes  # noqa: SLF001 - as above
_READ = tuple(map(_anywhere, _FOLDERS))


class _Files(_FILES):  # type: ignore[misc, valid-type] # numba has no types
    """Numba's files; where no folder can be written to, nothing is kept, and that is no error."""

    _locator_classes = (*_FOLDERS, *_READ)


class CodeCache(FunctionCache):  # type: ignore[misc] # numba has no types
    """A cache of machine code that is out of date when any source of the code has changed.

    Numba looks at the module of the function alone, and would go on with old parts of others.
    """

    _impl_class = _Files

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load machine code for a signature, or give None."""
        # Numba would first get ready to compile, which takes longer than the rest of a start; code that
        # is loaded does not need it, and what has to be compiled sees to it itself.
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(sig, target_context)
            return found or self._load_from_others(sig, target_context)

    def _load_from_others(self, sig: Any, target_context: Any) -> Any:
        """Look into the folders that come before the one that can be written to."""
        source, own = inspect.getfile(self._py_func), self._impl.locator
        for folder in _READ:
            found = folder.from_function(self._py_func, source)
            if found is None:
                continue
            path = found.get_cache_path()
            if path == own.get_cache_path() and type(own) not in _READ:
                break
            files = type(self._cache_file)(path, self._impl.filename_base, found.get_source_stamp())
            data = files.load(self._index_key(sig, target_context.codegen()))
            if data is not None:
                self._cache_path = path
                return self._impl.rebuild(target_context, data)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep machine code for a signature, where there is a folder that can be written to."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _warn(error.strerror or str(error))

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        digest = hashlib.sha256()
        for module in sorted(modules_of(self._py_func) | _COMPILING):
            digest.update(inspect.getsource(sys.modules[module]).encode())
        return (*super()._index_key(sig, codegen), digest.hexdigest())


@functools.cache
def _warn(why: str) -> None:
    logger.warning(
        "machine code cannot be kept (%s), so every process compiles its loops again, which takes a minute:"
        " run 'afpanel compile --to FOLDER' once, and set NUMBA_CACHE_DIR to that folder",
        why,
    )


def modules_of(function: Callable[..., Any]) -> set[str]:
    """List the modules of a function and of the parts that it is compiled with."""
    names = function.__code__.co_names
    called = [function.__globals__.get(name) for name in names]
    parts = [value.py_func for value in called if isinstance(value, Dispatcher)]
    return {function.__module__}.union(*map(modules_of, parts))
