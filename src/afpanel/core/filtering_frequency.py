"""Filtering allele frequency: how common an allele is at least, by what was counted."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

_FEWEST = 2
"""Copies of which a lower bound above 0 is given: one copy alone may be an error."""


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
    # Few counts occur in many cells, and a quantile takes a thousand times as long as a look-up.
    known = (allele_number > 0) & (allele_count >= 0)
    counted = np.where(known, allele_count, 0)
    occurs = np.zeros(int(counted.max(initial=0)) + 1, np.bool_)
    occurs[counted] = True
    occurs[:_FEWEST] = False
    copies = np.zeros(len(occurs))
    copies[occurs] = gammaincinv(np.flatnonzero(occurs).astype(np.float64), 1 - confidence)
    frequency = np.full(allele_count.shape, np.nan)
    np.divide(copies[counted], allele_number, out=frequency, where=known)
    return frequency
