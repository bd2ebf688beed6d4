"""How many people have two called alleles, and how many of these are heterozygous.

Nearly every call has two alleles. So what is stored beside the copies of ALT is the calls that have one,
which are nearly always none, and these numbers are worked out of them.
"""

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING


def heterozygote_count(
    allele_count: NDArray[np.int32],
    homozygotes: NDArray[np.int32],
    single_alleles: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Count people who have one copy of an allele, and another allele called.

    Parameters
    ----------
    allele_count, homozygotes
        Copies of the allele, and people with two; of any shape.
    single_alleles
        Copies that are the only called allele of their person.

    Returns
    -------
    int32, of the shape of the counts
        -1 where one of them is missing (negative).
    """
    unknown = (allele_count < 0) | (homozygotes < 0) | (single_alleles < 0)
    count = allele_count - 2 * homozygotes - single_alleles
    return np.where(unknown, np.int32(MISSING), count).astype(np.int32)


def diploid_count(
    allele_number: NDArray[np.int32], single_alleles: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Count people who have two called alleles.

    Parameters
    ----------
    allele_number
        Called alleles, of any shape.
    single_alleles
        Those of them that are the only one called of their person.

    Returns
    -------
    int32, of the shape of the counts
        -1 where either is missing (negative).
    """
    unknown = (allele_number < 0) | (single_alleles < 0)
    count = (allele_number - single_alleles) // 2
    return np.where(unknown, np.int32(MISSING), count).astype(np.int32)
