"""The shortest decimal text of a float of single precision, in compiled code.

That is: the fewest digits that read back as the same number, and of those the nearest to it. The method is
Ryu (Adams 2018, PLDI), which needs integers alone, in the layout that Arrow's casts to text have.
"""

import numba as nb
import numpy as np

from afpanel.core.compiled import U1, compiled, part, store8, trailing_zeros

_INVERSE_BITS, _POWER_BITS = 59, 61
_DOT, _PLUS, _MINUS, _ZERO, _SMALL_E = 46, 43, 45, 48, 101
_LEAST_EXPONENT = -6
"""The least decimal exponent of a number that is written without one."""

LONGEST = 17
"""Bytes that a text has at most."""

_ZEROS = 0x3030303030303030
_FRACTION = int.from_bytes(b"0.000000", "little")


def _inverse(i: int) -> int:
    power: int = 5**i
    return (1 << power.bit_length() - 1 + _INVERSE_BITS) // power + 1


def _power(i: int) -> int:
    power: int = 5**i
    shift = power.bit_length() - _POWER_BITS
    return power >> shift if shift > 0 else power << -shift


_INVERSES = np.array([_inverse(i) for i in range(31)], np.uint64)
_POWERS = np.array([_power(i) for i in range(48)], np.uint64)


@part
def _bits_of_power(i):  # type: ignore[no-untyped-def]
    return np.int64(((i * 1217359) >> 19) + 1)


@part
def _scaled(mantissa, factor, shift):  # type: ignore[no-untyped-def]
    """Give ``mantissa * factor >> shift``, of 32 and 64 bits."""
    low = mantissa * (factor & np.uint64(0xFFFFFFFF))
    high = mantissa * (factor >> np.uint64(32))
    return ((low >> np.uint64(32)) + high) >> np.uint64(shift - 32)


@part
def _divides(value, base, times):  # type: ignore[no-untyped-def]
    """Tell whether a number above 0 can be divided so often."""
    n = value
    for _ in range(times):
        if n % base != np.uint64(0):
            return False
        n //= base
    return True


@part
def _digits(bits):  # type: ignore[no-untyped-def]
    """Give the shortest digits, as a number, and the power of ten to multiply them by."""
    ten, five, two = np.uint64(10), np.uint64(5), np.uint64(2)
    fraction = np.uint64(bits & np.uint32(0x7FFFFF))
    exponent = np.int64((bits >> np.uint32(23)) & np.uint32(0xFF))
    e2 = (exponent or np.int64(1)) - 152
    m2 = fraction | (np.uint64(1 << 23) if exponent else np.uint64(0))
    even = m2 & np.uint64(1) == np.uint64(0)
    mv = m2 << two
    mp = mv + two
    below = np.uint64(1) if fraction != np.uint64(0) or exponent <= 1 else np.uint64(0)
    mm = mv - np.uint64(1) - below
    vm_zeros = vr_zeros = False
    last = np.uint64(0)
    if e2 >= 0:
        q = (e2 * 78913) >> 18
        e10 = q
        shift = -e2 + q + _INVERSE_BITS + _bits_of_power(q) - 1
        factor = _INVERSES[q]
        vr, vp, vm = (
            _scaled(mv, factor, shift),
            _scaled(mp, factor, shift),
            _scaled(mm, factor, shift),
        )
        if q != 0 and (vp - np.uint64(1)) // ten <= vm // ten:
            shift = -e2 + q - 1 + _INVERSE_BITS + _bits_of_power(q - 1) - 1
            last = _scaled(mv, _INVERSES[q - 1], shift) % ten
        if q <= 9:
            if mv % five == np.uint64(0):
                vr_zeros = _divides(mv, five, q)
            elif even:
                vm_zeros = _divides(mm, five, q)
            elif _divides(mp, five, q):
                vp -= np.uint64(1)
    else:
        q = (-e2 * 732923) >> 20
        e10 = q + e2
        i = -e2 - q
        shift = q - (_bits_of_power(i) - _POWER_BITS)
        factor = _POWERS[i]
        vr, vp, vm = (
            _scaled(mv, factor, shift),
            _scaled(mp, factor, shift),
            _scaled(mm, factor, shift),
        )
        if q != 0 and (vp - np.uint64(1)) // ten <= vm // ten:
            shift = q - 1 - (_bits_of_power(i + 1) - _POWER_BITS)
            last = _scaled(mv, _POWERS[i + 1], shift) % ten
        if q <= 1:
            vr_zeros = True
            if even:
                vm_zeros = below == np.uint64(1)
            else:
                vp -= np.uint64(1)
        elif q < 31:
            vr_zeros = _divides(mv, two, q - 1)
    while vp // ten > vm // ten:
        vm_zeros &= vm % ten == np.uint64(0)
        vr_zeros &= last == np.uint64(0)
        last = vr % ten
        vr, vp, vm = vr // ten, vp // ten, vm // ten
        e10 += 1
    if vm_zeros:
        while vm % ten == np.uint64(0):
            vr_zeros &= last == np.uint64(0)
            last = vr % ten
            vr, vm = vr // ten, vm // ten
            e10 += 1
    if vr_zeros and last == five and vr % two == np.uint64(0):
        last = np.uint64(4)
    if (vr == vm and not (even and vm_zeros)) or last >= five:
        vr += np.uint64(1)
    return vr, e10


@part
def _eight(value):  # type: ignore[no-untyped-def]
    """Give the eight digits of a number below 10^8, one to a byte, the first lowest: each worked out beside the others."""
    upper = value // np.uint64(10_000)
    fours = upper | ((value - upper * np.uint64(10_000)) << np.uint64(32))
    tops = ((fours * np.uint64(10_486)) >> np.uint64(20)) & np.uint64(0x7F_0000007F)
    twos = tops + ((fours - np.uint64(100) * tops) << np.uint64(16))
    tens = ((twos * np.uint64(103)) >> np.uint64(10)) & np.uint64(0x000F000F000F000F)
    return tens + ((twos - np.uint64(10) * tens) << np.uint64(8))


@part
def _without_zeros(digits):  # type: ignore[no-untyped-def]
    """Give text of eight digits without the zeros that it begins with, and how many digits are left."""
    lead = trailing_zeros(digits | np.uint64(1 << 56)) & np.uint64(56)
    return (digits | np.uint64(_ZEROS)) >> lead, np.int64(8) - np.int64(lead >> np.uint64(3))


@part
def put_integer(text, at, value):  # type: ignore[no-untyped-def]
    """Write a number of 0 or more, below 10^16; gives the place after it.

    Of `text` there must be 8 bytes from there on, and 16 for a number of more than eight digits.
    """
    if value >= np.uint64(10**8):
        upper = value // np.uint64(10**8)
        first, size = _without_zeros(_eight(upper))
        store8(text, at, first)
        at += size
        store8(text, at, _eight(value - upper * np.uint64(10**8)) | np.uint64(_ZEROS))
        return at + 8
    word, size = _without_zeros(_eight(value))
    store8(text, at, word)
    return at + size


@part
def put_float(text, at, bits):  # type: ignore[no-untyped-def]
    """Write a finite number of single precision, given by its bits; gives the place after it.

    Of `text` there must be `LONGEST` bytes from there on.
    """
    if bits >> np.uint32(31):
        text[at] = _MINUS
        at += 1
    if bits & np.uint32(0x7FFFFFFF) == np.uint32(0):
        text[at] = _ZERO
        return at + 1
    digits, e10 = _digits(bits)
    upper, last = digits, np.uint8(0)
    if digits >= np.uint64(10**8):
        upper = digits // np.uint64(10)
        last = np.uint8(_ZERO + np.int64(digits - upper * np.uint64(10)))
    word, size = _without_zeros(_eight(upper))
    size += np.int64(last != 0)
    exponent = e10 + size - 1
    # The digits are written where they belong, and what comes before a fraction before them.
    lead = np.int64(0)
    if _LEAST_EXPONENT <= exponent < 0:
        lead = 1 - exponent
        store8(text, at, np.uint64(_FRACTION))
    store8(text, at + lead, word)
    text[at + lead + 8] = last
    end = at + lead + size
    if lead or e10 == 0:
        return end
    if exponent < _LEAST_EXPONENT or e10 > 0:
        if e10 > 0 and 0 <= exponent < 10:
            # A whole number: its zeros are written out.
            for _ in range(e10):
                text[end] = _ZERO
                end += 1
            return end
        if size > 1:
            for i in range(end, at + 1, -1):
                text[i] = text[i - 1]
            text[at + 1] = _DOT
            end += 1
        text[end] = _SMALL_E
        text[end + 1] = _MINUS if exponent < 0 else _PLUS
        end += 2
        tens, ones = divmod(abs(exponent), 10)
        if tens:
            text[end] = _ZERO + tens
            end += 1
        text[end] = _ZERO + ones
        return end + 1
    whole = at + exponent + 1
    for i in range(end, whole, -1):
        text[i] = text[i - 1]
    text[whole] = _DOT
    return end + 1


@compiled(nb.void(nb.types.Array(nb.u4, 1, "C", readonly=True), nb.i8[::1], U1))
def put_floats(bits, ends, text):  # type: ignore[no-untyped-def]
    """Write many numbers end to end.

    Parameters
    ----------
    bits
        (n,) uint32: finite numbers of single precision.
    ends
        (n,) int64, written: where each ends.
    text
        (n * `LONGEST`,) uint8, written.
    """
    at = np.int64(0)
    for i in range(len(bits)):
        at = put_float(text, at, bits[i])
        ends[i] = at
