"""How much larger a cohort's chi-squares are than chance makes them: genomic inflation, and quantiles.

What is held is how many statistics are how large, so memory does not grow with variants, and the result
depends neither on their order nor on how they are cut.
"""

import numpy as np
from numpy.typing import NDArray

from afpanel.core.allele_tests import chi_square_below

_WIDTH = 0.01  # of a bin, in standard deviations
_BINS = 10_000  # the last has all that are larger
_FEWEST = 100  # statistics whose median says anything


class Inflation:
    """Collects chi-squares, with one degree of freedom each, of several cohorts."""

    def __init__(self, n_cohorts: int) -> None:
        self._bins = np.zeros((n_cohorts, _BINS), np.int64)

    def add(self, cohort: int, statistic: NDArray[np.float64]) -> None:
        """Take in statistics of a cohort, (m,)."""
        places = np.minimum(np.sqrt(statistic) / _WIDTH, _BINS - 1).astype(np.int64)
        self._bins[cohort] += np.bincount(places, minlength=_BINS)

    def quantile(self, cohort: int, share: float) -> float:
        """Give the statistic that a share of a cohort's are below; NaN where there are too few.

        It is read off between the bounds of a bin, a hundredth of a standard deviation wide.
        """
        upto = np.cumsum(self._bins[cohort])
        if upto[-1] < _FEWEST:
            return float("nan")
        wanted = share * float(upto[-1])
        at = int(np.searchsorted(upto, wanted))
        below = float(upto[at - 1]) if at else 0.0
        within = (wanted - below) / max(float(upto[at]) - below, 1.0)
        return float(((at + within) * _WIDTH) ** 2)

    def factors(self) -> NDArray[np.float64]:
        """(cohorts,) the genomic inflation factor of Devlin and Roeder (1999); NaN where unknown.

        The median chi-square, divided by that of chance.
        """
        medians = [self.quantile(cohort, 0.5) for cohort in range(len(self._bins))]
        return np.array(medians) / float(chi_square_below(0.5, 1))

    def divisors(self) -> NDArray[np.float64]:
        """(cohorts,) what statistics are divided by: the factor where it is above 1."""
        divisors: NDArray[np.float64] = np.fmax(self.factors(), 1.0)
        return divisors
