"""Filtering allele frequency: how common an allele is at least, by what was counted."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

_FEWEST = 2
"""Copies of which a lower bound above 0 is given: one copy alone may be an error."""

_KEPT = 1 << 17
"""Counts below which quantiles are kept from call to call: 1 MB for each level."""


def filtering_frequency(
    allele_count: NDArray[np.int32], allele_number: NDArray[np.int32], confidence: float
) -> NDArray[np.float64]:
    """Give the greatest frequency at which this many copies or more are still surprising.

    The expected number of copies at which a Poisson variable is below AC with probability `confidence`
    is the ``1 - confidence`` quantile of the gamma distribution of shape AC; divided by AN it is the
    filtering allele frequency of Whiffin et al. (2017), exact, where gnomAD and Hail step by 1e-6.

    Parameters
    ----------
    allele_count, allele_number
        AC and AN, of any shape.
    confidence
        Between 0 and 1: 0.95 for faf95.

    Returns
    -------
    float64, of the shape of the counts
        0 where AC is 0 or 1, as Hail has it; NaN where AN is 0, or either count is missing (negative).
    """
    known = (allele_number > 0) & (allele_count >= 0)
    counted = np.where(known, allele_count, 0)
    copies = _quantiles(counted, 1 - confidence)
    frequency = np.full(allele_count.shape, np.nan)
    np.divide(copies, allele_number, out=frequency, where=known)
    return frequency


def _quantiles(counts: NDArray[np.int32], level: float) -> NDArray[np.float64]:
    """Look up how many copies are expected, of the shape of the counts; what was never asked for is worked out."""
    # Few counts occur in many cells, and a quantile takes a thousand times as long as a look-up.
    table = _table(level)
    if counts.max(initial=0) >= len(table):
        table = np.concatenate([table, np.full(int(counts.max()) + 1 - len(table), np.nan)])
    found = table[counts]
    lacking = np.isnan(found)
    if lacking.any():
        new = np.unique(counts[lacking])
        table[new] = gammaincinv(new.astype(np.float64), level)
        found = table[counts]
    return found


@lru_cache(maxsize=8)
def _table(level: float) -> NDArray[np.float64]:  # noqa: ARG001 - one for each level
    """Make the table that keeps quantiles of small counts from call to call; NaN where not worked out yet."""
    table = np.full(_KEPT, np.nan)
    table[:_FEWEST] = 0
    return table
