"""Kinship of two people by identity-by-state, without allele frequencies: KING-robust.

Every person is a row of copies of an allele, one column per site: 0, 1 or 2, and -1 where there is no
call. The estimator is that for people of different families (Manichaikul et al. 2010, equation 11), in
the form that plink2 --make-king computes over the sites called in both::

    kinship = 1/2 - (4 N(AA,aa) + N(Aa,hom) + N(hom,Aa)) / (4 min(N(Aa) of one, N(Aa) of the other))

The sum in the numerator is that of the squared differences of copies: the *distance* of two people.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.kinship_kernel import count_calls

_PEOPLE = 2_048
_SITES = 1_000
_FEW = 1_024
_PAIRS = 2_048


@dataclass(frozen=True)
class Pairs:
    """Pairs of people, and what their calls say of each.

    Parameters
    ----------
    one, other
        (n,) int64: row of each.
    kinship
        (n,) float64; NaN where one of the two is heterozygous nowhere.
    sites
        (n,) int64: sites called in both.
    opposite
        (n,) int64: of these, sites with no allele in common (IBS0).
    """

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    kinship: NDArray[np.float64]
    sites: NDArray[np.int64]
    opposite: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.one)

    def take(self, which: NDArray[np.integer] | NDArray[np.bool_]) -> "Pairs":
        """Copy some pairs."""
        return Pairs(
            self.one[which],
            self.other[which],
            self.kinship[which],
            self.sites[which],
            self.opposite[which],
        )

    @classmethod
    def joined(cls, parts: "list[Pairs]") -> "Pairs":
        """Lay tables of pairs end to end, in order of their rows."""
        names = (field.name for field in fields(cls))
        whole = cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
        return whole.take(np.lexsort((whole.other, whole.one)))


def kinship_of(
    copies: NDArray[np.int8],
    others: NDArray[np.int8],
    one: NDArray[np.int64],
    other: NDArray[np.int64],
) -> Pairs:
    """Work out the kinship of given pairs.

    Parameters
    ----------
    copies, others
        (people, sites) int8: the people of two cohorts, or twice those of one.
    one, other
        (n,) int64: row of each pair in the first and in the second.
    """
    counts = np.zeros((5, len(one)), np.int64)
    for start in range(0, len(one), _PAIRS):
        rows = slice(start, start + _PAIRS)
        mine, theirs = copies[one[rows]], others[other[rows]]
        both = (mine != MISSING) & (theirs != MISSING)
        counts[0, rows] = both.sum(axis=1)
        counts[1, rows] = ((mine == 1) & both).sum(axis=1)
        counts[2, rows] = ((theirs == 1) & both).sum(axis=1)
        difference = np.abs(mine - theirs)
        counts[3, rows] = ((difference == 2) & both).sum(axis=1)
        counts[4, rows] = ((difference == 1) & both).sum(axis=1)
    sites, mine_het, theirs_het, opposite, by_one = counts
    fewer = np.minimum(mine_het, theirs_het)
    kinship = np.full(len(one), np.nan)
    distance = 4 * opposite + by_one
    np.divide(distance, 4 * fewer, out=kinship, where=fewer > 0)
    return Pairs(one, other, 0.5 - kinship, sites, opposite)


def close_pairs(
    copies: NDArray[np.int8],
    others: NDArray[np.int8] | None,
    sites: NDArray[np.int64],
    threshold: float,
    min_sites: int,
    *,
    all_pairs: bool = True,
) -> Pairs:
    """Find all pairs whose kinship is at least a threshold.

    Only pairs that can reach it are worked out one by one. Which can is found with a matrix product for
    each block of pairs, of a part of the sites at first and of further parts while many pairs remain.
    That loses none. With h the homozygous calls of a person among the sites looked at, m the missing
    ones, and x the copies less one (0 where missing), the distance over these sites is at least
    ``h + h' - m - m' - 2 x·x'``, and over all sites it is no less; and the pair has no more
    heterozygous calls than each of the two has by itself. So its kinship is at most
    ``1/2 - bound / (4 min(N(Aa), N(Aa)'))``.

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
    min_sites
        Sites that have to be called in both; pairs with fewer are not found.
    all_pairs
        Whether every pair is looked at; else those of `shortlist.likely_pairs`, which are as good as all.

    Returns
    -------
    Pairs
        In order of their rows; within one cohort the first is the smaller.
    """
    within = others is None
    theirs = copies if others is None else others
    found = [kinship_of(copies, theirs, *np.zeros((2, 0), np.int64))]
    if not all_pairs:
        from afpanel.core.shortlist import likely_pairs  # noqa: PLC0415 - compiled, and seldom used

        pairs = kinship_of(copies, theirs, *likely_pairs(copies, others, sites, threshold))
        return pairs.take((pairs.kinship >= threshold) & (pairs.sites >= min_sites))
    for start in range(0, len(copies), _PEOPLE):
        mine = _Block.of(copies, start, sites)
        for at in range(start if within else 0, len(theirs), _PEOPLE):
            block = _Block.of(theirs, at, sites)
            same = within and at == start
            pairs = kinship_of(copies, theirs, *_candidates(mine, block, threshold, same=same))
            found.append(pairs.take((pairs.kinship >= threshold) & (pairs.sites >= min_sites)))
    return Pairs.joined(found)


def call_counts(copies: NDArray[np.int8], sites: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count everybody's calls at some sites, and the heterozygous ones.

    Parameters
    ----------
    copies
        (people, all sites) int8.
    sites
        (n,) int64: columns.

    Returns
    -------
    (2, people) int64
        Calls, and heterozygous ones.
    """
    counts = np.empty((2, len(copies)), np.int64)
    count_calls(np.ascontiguousarray(copies), sites, counts)
    return counts


@dataclass(frozen=True)
class _Block:
    """Consecutive people, from row `start` on."""

    start: int
    copies: NDArray[np.int8]
    heterozygous: NDArray[np.int64]

    @classmethod
    def of(cls, copies: NDArray[np.int8], start: int, sites: NDArray[np.int64]) -> "_Block":
        rows = copies[start : start + _PEOPLE][:, sites]
        return cls(start, rows, (rows == 1).sum(axis=1))

    def part(self, sites: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give x, and h - m, of some sites. Single precision holds whole numbers up to 2**24."""
        copies = self.copies[:, sites]
        missing = copies == MISSING
        x = np.where(missing, 0, copies - 1).astype(np.float32)
        return x, (x != 0).sum(axis=1, dtype=np.float32) - missing.sum(axis=1, dtype=np.float32)


def _candidates(
    mine: _Block, theirs: _Block, threshold: float, *, same: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the pairs of two blocks that can reach the threshold, by rows of the whole tables.

    Of a block and the `same` block each pair comes once.
    """
    fewer = np.minimum.outer(mine.heterozygous, theirs.heterozygous)
    limit = np.floor(4 * (0.5 - threshold) * fewer + 1e-6).astype(np.float32)
    if same:
        limit[np.tril(np.ones(limit.shape, bool))] = -1
    bound = np.zeros(limit.shape, np.float32)
    possible = np.ones(limit.shape, bool)
    for start in range(0, mine.copies.shape[1], _SITES):
        (x, own), (y, other) = (
            block.part(slice(start, start + _SITES)) for block in (mine, theirs)
        )
        # Where much is missing the bound of a part can be less than the 0 that its distance surely has.
        bound += np.maximum(own[:, None] + other[None, :] - 2 * (x @ y.T), 0)
        possible = bound <= limit
        if np.count_nonzero(possible) <= _FEW:
            break
    one, its_other = np.nonzero(possible)
    return one + mine.start, its_other + theirs.start
