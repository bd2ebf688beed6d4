"""Sorting people by their calls, and comparing those who are alike: compiled loops; and copies of one allele."""

import numba as nb
import numpy as np

from afpanel.constants import MISSING
from afpanel.core.compiled import I8, READ_I4, READ_I8, compiled

_CALLS = nb.types.Array(nb.i1, 2, "C", readonly=True)
_READ_U8 = nb.types.Array(nb.u8, 1, "C", readonly=True)
_NO_KEY = np.uint64(2**64 - 1)


@compiled(nb.void(_CALLS, READ_I8, READ_I8, nb.i8, nb.u8[:, ::1]))
def write_keys(copies, sites, bounds, first, keys):  # type: ignore[no-untyped-def]
    """Write the calls of some sites as one number for each person, from column `first` on, a row for each lot.

    The sites of lot i begin at ``bounds[i]``. The number is the greatest there is where a call is missing.
    """
    for person in range(len(copies)):
        for lot in range(len(bounds) - 1):
            key = np.uint64(0)
            for i in range(bounds[lot], bounds[lot + 1]):
                call = copies[person, sites[i]]
                if call == MISSING:
                    key = _NO_KEY
                    break
                key = key * np.uint64(3) + np.uint64(call)
            keys[lot, first + person] = key


@compiled(
    nb.i8(
        _READ_U8, READ_I8, nb.i8, nb.b1, _CALLS, _CALLS, READ_I8, READ_I8, nb.f8, I8, I8, I8
    )
)  # fmt: skip
def compare_alike(  # type: ignore[no-untyped-def]
    keys, order, n_first, within, copies, others, sites, heterozygous, share, state, one, other
):
    """Compare those whose keys are the same, from where `state` says on, until the pairs found fill their arrays.

    A pair is let go at the site where its distance is past what the threshold allows; see `kinship`.
    """
    count = 0
    i, j = state[0], state[1]
    while i < len(order):
        while j < len(order) and keys[j] == keys[i] and keys[i] != _NO_KEY:
            a, b = min(order[i], order[j]), max(order[i], order[j])
            if within or (a < n_first and b >= n_first):
                if count == len(one):
                    state[0], state[1] = i, j
                    return count
                limit = np.int64(share * min(heterozygous[a], heterozygous[b]) + 1e-6)
                second = b if within else b - n_first
                distance = 0
                for k in range(len(sites)):
                    mine, its = copies[a, sites[k]], others[second, sites[k]]
                    if mine >= 0 and its >= 0:
                        distance += (mine - its) * (mine - its)
                        if distance > limit:
                            break
                if distance <= limit:
                    one[count], other[count] = a, second
                    count += 1
            j += 1
        i += 1
        j = i + 1
    state[0] = i
    return count


_COPIES = [
    nb.void(nb.types.Array(calls, 3, "C", readonly=True), READ_I4, READ_I8, nb.i1[:, ::1])
    for calls in (nb.i1, nb.i2)
]


@compiled(*_COPIES)
def write_copies(genotype, allele, columns, copies):  # type: ignore[no-untyped-def]
    """Count copies of an allele.

    Parameters
    ----------
    genotype
        (records, samples, 2) int8 or int16; negative is missing or fill.
    allele
        (records,) int32: number of the allele in each record.
    columns
        (people,) int64: sample of each person.
    copies
        (records, people) int8, filled: 0, 1 or 2; -1 unless two alleles are called.
    """
    for record in range(len(allele)):
        for person in range(len(columns)):
            sample = columns[person]
            one, other = genotype[record, sample, 0], genotype[record, sample, 1]
            if one >= 0 and other >= 0:
                copies[record, person] = (one == allele[record]) + (other == allele[record])
            else:
                copies[record, person] = MISSING
