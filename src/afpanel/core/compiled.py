"""How this project compiles loops: once, when the package is first imported, for fixed types.

Fixed signatures let every process of a run load the same cached machine code, also from a read-only
installation, and no process compiles in the middle of its work.
"""

from collections.abc import Callable
from typing import Any

import numba as nb
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from afpanel.core.code_cache import CodeCache

READ_U1 = nb.types.Array(nb.u1, 1, "C", readonly=True)
READ_I4 = nb.types.Array(nb.i4, 1, "C", readonly=True)
READ_I8 = nb.types.Array(nb.i8, 1, "C", readonly=True)
U1, I4, I8 = nb.u1[::1], nb.i4[::1], nb.i8[::1]

_NO_REFERENCE_COUNTS = {"_nrt": False}
"""An option of numba that spares every call of a part two atomic writes for each array it is given,
which take longer than what most parts do. Compiled functions cannot make arrays then: callers do.
"""


def compiled(*signatures: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile the decorated function for some signatures, releasing the GIL while it runs."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        dispatcher = nb.njit(function, nogil=True, **_NO_REFERENCE_COUNTS)
        dispatcher._cache = CodeCache(function)  # noqa: SLF001 - what njit(cache=True) does
        for signature in signatures:
            dispatcher.compile(signature)
        dispatcher.disable_compile()
        return dispatcher  # type: ignore[no-any-return] # numba has no types

    return decorate


def part(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function into those that call it, with no machine code of its own to load."""
    decorated: Callable[..., Any] = nb.njit(
        function, nogil=True, forceinline=True, **_NO_REFERENCE_COUNTS
    )
    return decorated


def _load(context: Any, builder: Any, to: ir.Type, kind: Any, array: Any, at: Any) -> Any:
    """Read bytes of an array, from an element on, as something else, wherever they start."""
    place = builder.gep(context.make_array(kind)(context, builder, array).data, [at])
    return builder.load(builder.bitcast(place, to.as_pointer()), align=1)


@intrinsic  # type: ignore[untyped-decorator]
def load4(typing_context: Any, data: Any, at: Any) -> Any:
    """Read four bytes, from any element of an array on, as one little-endian number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _load(context, builder, ir.IntType(32), signature.args[0], *arguments)

    return nb.u4(data, at), generate


@intrinsic  # type: ignore[untyped-decorator]
def load8(typing_context: Any, data: Any, at: Any) -> Any:
    """Read eight bytes, from any element of an array on, as one little-endian number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _load(context, builder, ir.IntType(64), signature.args[0], *arguments)

    return nb.u8(data, at), generate


@intrinsic  # type: ignore[untyped-decorator]
def store2(typing_context: Any, data: Any, at: Any, value: Any) -> Any:
    """Write two bytes, from any element of an array on, as one little-endian number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        builder.store(arguments[2], builder.bitcast(place, ir.IntType(16).as_pointer()), align=1)
        return context.get_dummy_value()

    return nb.void(data, at, nb.u2), generate


@intrinsic  # type: ignore[untyped-decorator]
def store8(typing_context: Any, data: Any, at: Any, value: Any) -> Any:
    """Write eight bytes, from any element of an array on, as one little-endian number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        builder.store(arguments[2], builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return nb.void(data, at, nb.u8), generate


def _comparing(count: int, bits: int, limit: Any, comparison: str, *, signed: bool = False) -> Any:
    """Make an intrinsic (data, at, value) that compares numbers of an array with one.

    It reads `count` numbers of `bits` bits, from any element on; bit i of the result tells of number i.
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def compare(typing_context: Any, data: Any, at: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            vector = ir.VectorType(ir.IntType(bits), count)
            found = _load(context, builder, vector, signature.args[0], *arguments[:2])
            same = _repeated(builder, arguments[2], count)
            with_sign, without = builder.icmp_signed, builder.icmp_unsigned
            answers = (with_sign if signed else without)(comparison, found, same)
            mask = builder.bitcast(answers, ir.IntType(count))
            return mask if count == _MASK_BITS else builder.zext(mask, ir.IntType(_MASK_BITS))

        return nb.u8(data, at, limit), generate

    return compare


def _repeated(builder: Any, value: Any, count: int) -> Any:
    """Make a vector of one value."""
    one = ir.VectorType(value.type, count)
    lane = builder.insert_element(ir.Constant(one, ir.Undefined), value, ir.IntType(32)(0))
    every = ir.Constant(ir.VectorType(ir.IntType(32), count), None)
    return builder.shuffle_vector(lane, ir.Constant(one, ir.Undefined), every)


_MASK_BITS = 64

equal64 = _comparing(64, 8, nb.u1, "==")
"""Tell which of 64 bytes are one."""

at_most64 = _comparing(64, 8, nb.u1, "<=")
"""Tell which of 64 bytes are not above a limit."""

at_least32 = _comparing(32, 16, nb.i2, ">=", signed=True)
"""Tell which of 32 numbers of two bytes reach a limit."""


LANES = 8
"""Numbers of four bytes that `masked_sums` adds side by side: those of a vector."""


@intrinsic  # type: ignore[untyped-decorator]
def masked_sums(
    typing_context: Any, values: Any, start: Any, count: Any, masks: Any, first: Any, sums: Any
) -> Any:
    """Add up numbers of four bytes in `LANES` ways at once, each with masks of its own.

    ``sums[k]`` becomes the sum of ``values[start + i] & masks[first + LANES * i + k]`` over i below `count`.
    The compiler would not make a vector of it by itself.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        data, at, n, mask_data, mask_at, target = arguments
        vector = ir.VectorType(ir.IntType(32), LANES)
        total = cgutils.alloca_once_value(builder, ir.Constant(vector, None))
        with cgutils.for_range(builder, n) as loop:
            value = _load(
                context, builder, ir.IntType(32), kinds[0], data, builder.add(at, loop.index)
            )
            place = builder.add(mask_at, builder.mul(loop.index, ir.IntType(64)(LANES)))
            mask = _load(context, builder, vector, kinds[3], mask_data, place)
            chosen = builder.and_(_repeated(builder, value, LANES), mask)
            builder.store(builder.add(builder.load(total), chosen), total)
        place = context.make_array(kinds[5])(context, builder, target).data
        builder.store(builder.load(total), builder.bitcast(place, vector.as_pointer()), align=1)
        return context.get_dummy_value()

    return nb.void(values, nb.i8, nb.i8, masks, nb.i8, sums), generate


@intrinsic  # type: ignore[untyped-decorator]
def trailing_zeros(typing_context: Any, value: Any) -> Any:
    """Count the zero bits below the lowest one."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return nb.u8(nb.u8), generate


@intrinsic  # type: ignore[untyped-decorator]
def count_ones(typing_context: Any, value: Any) -> Any:
    """Count the bits that are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return nb.i8(nb.u8), generate
