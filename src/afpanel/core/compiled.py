"""How this project compiles loops: once, when the package is first imported, for fixed types.

Fixed signatures let every process of a run load the same cached machine code, also from a read-only
installation, and no process compiles in the middle of its work.
"""

from collections.abc import Callable
from typing import Any

import numba as nb
from llvmlite import ir
from numba.extending import intrinsic

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


@intrinsic  # type: ignore[untyped-decorator]
def load8(typing_context: Any, data: Any, at: Any) -> Any:
    """Read eight bytes, from any element of an array on, as one little-endian number."""
    signature = nb.u8(data, at)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        array = context.make_array(sig.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def trailing_zeros(typing_context: Any, value: Any) -> Any:
    """Count the zero bits below the lowest one."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return nb.u8(nb.u8), generate
