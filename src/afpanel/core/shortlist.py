"""Pairs of samples that may be of one person, among more people than can be compared with each other.

Two samples of one person have the same calls at nearly all sites. So people are put together by their calls
at a few sites drawn by lot, and only those who are alike at all of these are compared; and that many times, with
other sites. The sites are as many as leave a tenth of a pair of strangers for each person: some 14 for 30,000
people, 18 for a million. Work grows with people, and not with their pairs. A pair is missed with the chance that some
site of every lot differs: of 18 sites and 100 lots 1e-22 where 5 % of genotypes differ or are missing, 1e-7
where 10 % do, and 0.4 % at 15 %, beyond which kinship is below 0.35.
"""

import numpy as np
from numpy.typing import NDArray

from afpanel.core.kinship import call_counts
from afpanel.core.kinship_kernel import compare_alike, write_keys

LOTS = 100
"""Times that people are put together."""

_SEED = 20_260_101
_LOOKED_AT = 4_096
"""People by whom it is judged how alike strangers are at a site."""

_MOST_SITES = 40
"""Sites whose calls fit into one number, three to a digit."""

_STRANGERS = 0.1
"""Pairs of strangers for each person that a lot lets through."""

_AT_A_TIME = 10
"""Lots for which everybody's calls are read once."""

_BUFFER = 1 << 16


def likely_pairs(
    copies: NDArray[np.int8],
    others: NDArray[np.int8] | None,
    sites: NDArray[np.int64],
    threshold: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List pairs that can reach a kinship, as good as all of those who do.

    Parameters
    ----------
    copies
        (people, sites) int8: the people of a cohort.
    others
        The same of another cohort, at the same sites; None compares the cohort with itself.
    sites
        (n,) int64: columns of the sites that both cohorts have; nobody has a call elsewhere in both.
    threshold
        Least kinship.

    Returns
    -------
    one, other
        (pairs,) int64: rows of each pair, each pair once; within a cohort the first is the smaller.
    """
    copies = np.ascontiguousarray(copies)
    theirs = copies if others is None else np.ascontiguousarray(others)
    tables = [copies] if others is None else [copies, theirs]
    n = sum(map(len, tables))
    if n < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    # All columns are compared at: at other sites than these nobody has a call in both.
    flat, flat_theirs = (table.reshape(-1).view(np.uint8) for table in (copies, theirs))
    alike = _alike(tables, sites)
    heterozygous = np.concatenate([call_counts(table, sites)[1] for table in tables])
    one, other = np.empty((2, _BUFFER), np.int64)
    found = [np.empty((2, 0), np.int64)]
    keys = np.empty((_AT_A_TIME, n), np.uint64)
    newest = np.empty(1 << (n - 1).bit_length(), np.int32)
    before = np.empty(n, np.int32)
    for lot in range(0, LOTS, _AT_A_TIME):
        drawn = [_draw(i, sites, alike, n) for i in range(lot, lot + _AT_A_TIME)]
        bounds = np.cumsum([0, *map(len, drawn)])
        first = 0
        for table in tables:
            write_keys(table, np.concatenate(drawn), bounds, first, keys)
            first += len(table)
        for of_lot in keys:
            newest.fill(-1)
            state = np.array([0, -1], np.int64)
            while state[0] < n:
                count = compare_alike(
                    of_lot, len(copies), others is None, flat, flat_theirs, copies.shape[1],
                    heterozygous, 4 * (0.5 - threshold), newest, before, state, one, other,
                )  # fmt: skip
                found.append(np.stack([one[:count], other[:count]]))
    pairs = np.unique(np.concatenate(found, axis=1), axis=1)
    return pairs[0], pairs[1]


def _alike(tables: list[NDArray[np.int8]], sites: NDArray[np.int64]) -> NDArray[np.float64]:
    """Tell with what chance two strangers have the same call at each site."""
    step = max(1, sum(map(len, tables)) // _LOOKED_AT)
    looked_at = np.concatenate([table[::step][:, sites] for table in tables])
    shares = [(looked_at == call).mean(axis=0) for call in range(3)]
    alike: NDArray[np.float64] = np.sum(np.square(shares), axis=0)
    return alike


def _draw(
    lot: int, sites: NDArray[np.int64], alike: NDArray[np.float64], n: int
) -> NDArray[np.int64]:
    """Draw the sites of a lot, out of the half that tell most."""
    best = np.argsort(alike, kind="stable")[: max(1, len(sites) // 2)]
    drawn = np.random.default_rng([_SEED, lot]).permutation(best)[:_MOST_SITES]
    left = np.cumprod(np.maximum(alike[drawn], 1e-3))
    enough = int(np.searchsorted(-left, -2 * _STRANGERS / n)) + 1
    chosen: NDArray[np.int64] = sites[drawn[:enough]]
    return chosen
