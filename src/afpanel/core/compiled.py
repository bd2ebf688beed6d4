"""How this project compiles loops: once, when the package is first imported, for fixed types.

Fixed signatures let every process of a run load the same cached machine code, also from a read-only
installation, and no process compiles in the middle of its work.
"""

from collections.abc import Callable
from typing import Any

import numba as nb

READ_U1 = nb.types.Array(nb.u1, 1, "C", readonly=True)
READ_BOOL = nb.types.Array(nb.b1, 1, "C", readonly=True)
READ_I4 = nb.types.Array(nb.i4, 1, "C", readonly=True)
READ_I8 = nb.types.Array(nb.i8, 1, "C", readonly=True)
U1, I4, I8 = nb.u1[::1], nb.i4[::1], nb.i8[::1]


def compiled(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile the decorated function for one signature, releasing the GIL while it runs."""
    decorate: Callable[[Callable[..., Any]], Callable[..., Any]]
    decorate = nb.njit(result(*arguments), cache=True, nogil=True)
    return decorate
