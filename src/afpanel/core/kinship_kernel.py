"""Compiled loops of `overlap`: copies of one allele, and comparing people who are alike at some sites."""

import numba as nb
import numpy as np

from afpanel.constants import MISSING
from afpanel.core.compiled import (
    I4,
    I8,
    READ_I4,
    READ_I8,
    READ_U1,
    compiled,
    count_ones,
    equal64,
    part,
)

_CALLS = nb.types.Array(nb.i1, 2, "C", readonly=True)
_READ_U8 = nb.types.Array(nb.u8, 1, "C", readonly=True)
_NO_KEY = np.uint64(2**64 - 1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: the highest bits of its multiples are even (Knuth 1973, section 6.4)."""

_BLOCK = 512
_SIDE_BY_SIDE = 64
_NONE, _ONE, _TWO = np.uint8(0), np.uint8(1), np.uint8(2)


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


@part
def _distance(mine, at, theirs, its_at, width, limit):  # type: ignore[no-untyped-def]
    """Add up the squared differences of the copies of two rows, both called, until they are past a limit.

    Unsigned bytes; a missing call is none of 0, 1 and 2.
    """
    distance = 0
    whole = width - width % _SIDE_BY_SIDE
    for k in range(0, whole, _SIDE_BY_SIDE):
        none, its_none = equal64(mine, at + k, _NONE), equal64(theirs, its_at + k, _NONE)
        two, its_two = equal64(mine, at + k, _TWO), equal64(theirs, its_at + k, _TWO)
        one, its_one = equal64(mine, at + k, _ONE), equal64(theirs, its_at + k, _ONE)
        by_one = (one & (its_none | its_two)) | (its_one & (none | two))
        by_two = (none & its_two) | (two & its_none)
        distance += count_ones(by_one) + 4 * count_ones(by_two)
        if distance > limit:
            return distance
    for k in range(whole, width):
        x, y = np.int64(mine[at + k]), np.int64(theirs[its_at + k])
        if x <= 2 and y <= 2:
            distance += int((x - y) * (x - y))
    return distance


@compiled(
    nb.i8(
        _READ_U8, nb.i8, nb.b1, READ_U1, READ_U1, nb.i8, READ_I8, nb.f8, I4, I4, I8, I8, I8
    )
)  # fmt: skip
def compare_alike(  # type: ignore[no-untyped-def]
    keys,
    n_first,
    within,
    copies,
    others,
    width,
    heterozygous,
    share,
    newest,
    before,
    state,
    one,
    other,
):
    """Compare those whose keys are the same, from where `state` says on, until the pairs found fill their arrays.

    A pair is let go where its distance is past what the threshold allows; see `kinship`.

    Parameters
    ----------
    keys
        (people,) uint64; those of the first table come before those of the second.
    n_first, within
        People of the first table; whether it is compared with itself.
    copies, others, width
        Calls of both tables, as unsigned bytes row by row, and the bytes of a row.
    heterozygous, share
        Everybody's heterozygous calls, and the distance that is allowed for each of who has fewer.
    newest, before
        (power of two,) and (people,) int32. People are put into as many heaps, two or more, by their keys:
        who came to each heap last, and before each person; -1 is nobody, as everywhere in `newest` at first.
    state
        (2,) int64: the next person, and with whom to go on; -1 is to begin with that person.
    one, other
        Rows of the pairs found.

    Returns
    -------
    int
        How many pairs were found; all people are done if `state` says so.
    """
    bits = 0
    while 1 << bits < len(newest):
        bits += 1
    down = np.uint64(64 - bits)
    count = 0
    person, its = state[0], state[1]
    while person < len(keys):
        key = keys[person]
        if key != _NO_KEY:
            heap = np.int64(key * _SPREAD >> down)
            if its < 0:
                its = newest[heap]
            while its >= 0:
                if keys[its] == key and (within or (its < n_first and person >= n_first)):
                    if count == len(one):
                        state[0], state[1] = person, its
                        return count
                    limit = np.int64(share * min(heterozygous[its], heterozygous[person]) + 1e-6)
                    second = person if within else person - n_first
                    if (
                        _distance(copies, its * width, others, second * width, width, limit)
                        <= limit
                    ):
                        one[count], other[count] = its, second
                        count += 1
                its = before[its]
            before[person] = newest[heap]
            newest[heap] = person
        person += 1
        its = -1
    state[0], state[1] = person, -1
    return count


@compiled(nb.void(_CALLS, READ_I8, nb.i8[:, ::1]))
def count_calls(copies, sites, counts):  # type: ignore[no-untyped-def]
    """Count everybody's calls at some sites, and the heterozygous ones: the two rows of `counts`."""
    for person in range(len(copies)):
        called, heterozygous = 0, 0
        for site in sites:
            call = copies[person, site]
            called += call != MISSING
            heterozygous += call == 1
        counts[0, person], counts[1, person] = called, heterozygous


@compiled(nb.void(_CALLS, READ_I8, nb.i1[:, ::1]))
def turn(rows, columns, turned):  # type: ignore[no-untyped-def]
    """Write rows of calls, one for each site, into some columns of a table with a row for each person."""
    for start in range(0, rows.shape[1], _BLOCK):
        stop = min(start + _BLOCK, rows.shape[1])
        for row in range(len(rows)):
            column = columns[row]
            for person in range(start, stop):
                turned[person, column] = rows[row, person]


_GENOTYPES = [nb.types.Array(calls, 3, "C", readonly=True) for calls in (nb.i1, nb.i2)]


@compiled(*(nb.void(genotype, READ_I8, READ_I4, READ_I8, nb.i1[:, ::1]) for genotype in _GENOTYPES))
def write_copies(genotype, rows, allele, columns, copies):  # type: ignore[no-untyped-def]
    """Count copies of an allele.

    Parameters
    ----------
    genotype
        (all records, samples, 2) int8 or int16; negative is missing or fill.
    rows, allele
        (records,) int64 and int32: rows of some records, and the number of the allele in each.
    columns
        (people,) int64: sample of each person.
    copies
        (records, people) int8, filled: 0, 1 or 2; -1 unless two alleles are called.
    """
    for record in range(len(allele)):
        row = rows[record]
        for person in range(len(columns)):
            sample = columns[person]
            one, other = genotype[row, sample, 0], genotype[row, sample, 1]
            if one >= 0 and other >= 0:
                copies[record, person] = (one == allele[record]) + (other == allele[record])
            else:
                copies[record, person] = MISSING


@compiled(*(nb.void(genotype, READ_I8, READ_I4, READ_I8, I8, I8) for genotype in _GENOTYPES))
def count_copies(genotype, rows, allele, columns, copies, people):  # type: ignore[no-untyped-def]
    """Add up, for each record, what `write_copies` would write, and the people of whom it is known."""
    for record in range(len(allele)):
        row, of_record, called = rows[record], 0, 0
        for person in range(len(columns)):
            sample = columns[person]
            one, other = genotype[row, sample, 0], genotype[row, sample, 1]
            if one >= 0 and other >= 0:
                of_record += (one == allele[record]) + (other == allele[record])
                called += 1
        copies[record], people[record] = of_record, called
