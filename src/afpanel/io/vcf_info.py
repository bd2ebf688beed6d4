"""A compiled loop over the INFO column: where a record ends."""

import numba as nb

from afpanel.core.compiled import I8, READ_I8, READ_U1, compiled
from afpanel.io.vcf_fields import NINE, ZERO

NO_END, BAD_END = -1, -2
"""What stands for an END that is not there, and for one that is no number."""

_KEY = (69, 78, 68, 61)  # END=
_SEMICOLON = 59
_DIGITS = 10


@compiled(nb.void(READ_U1, READ_I8, I8))
def read_ends(data, offsets, ends):  # type: ignore[no-untyped-def]
    """Find END in each INFO.

    Parameters
    ----------
    data, offsets
        The column, as `core.strings.Strings` has it.
    ends
        (n,) int64, receives the number of the first END, or `NO_END` or `BAD_END`.
    """
    for i in range(len(ends)):
        ends[i] = NO_END
        at, stop = offsets[i], offsets[i + 1]
        while at + len(_KEY) <= stop:
            is_end = True
            for j in range(len(_KEY)):
                is_end &= data[at + j] == _KEY[j]
            if is_end:
                first = at + len(_KEY)
                at = first
                value = nb.i8(0)
                while at < stop and at - first < _DIGITS and ZERO <= data[at] <= NINE:
                    value = value * 10 + nb.i8(data[at]) - ZERO
                    at += 1
                whole = at > first and (at == stop or data[at] == _SEMICOLON)
                ends[i] = value if whole else BAD_END
                break
            while at < stop and data[at] != _SEMICOLON:
                at += 1
            at += 1
