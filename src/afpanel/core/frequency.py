"""Allele frequencies from counts."""

import numpy as np
from numpy.typing import NDArray


def allele_frequency(
    allele_count: NDArray[np.int32], allele_number: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Divide AC by AN.

    Single precision is what BCF and every reader of VCF keep, so that all formats of a release can
    hold one and the same figure.

    Returns
    -------
    float32, of the shape of the counts
        NaN where AN is 0, or where either count is missing (negative).
    """
    known = (allele_number > 0) & (allele_count >= 0)
    frequency = np.full(allele_count.shape, np.nan, np.float64)
    np.divide(allele_count, allele_number, out=frequency, where=known)
    return frequency.astype(np.float32)
