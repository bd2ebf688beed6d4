"""The group in which an allele is commonest, and the greatest filtering allele frequency."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING


def greatest(values: NDArray[np.float64], candidates: Sequence[int]) -> NDArray[np.int64]:
    """Find the group with the greatest value above 0 at each variant.

    Parameters
    ----------
    values
        (n, groups), NaN where nothing is known or shown.
    candidates
        Groups that may be the maximum.

    Returns
    -------
    (n,) int64
        The first of those with the greatest value; -1 where none is above 0.
    """
    if not len(candidates):
        return np.full(len(values), MISSING)
    chosen = np.asarray(candidates, np.int64)
    among = np.nan_to_num(values[:, chosen], nan=0.0)
    best = among.argmax(axis=1)
    above = among[np.arange(len(values)), best] > 0
    return np.where(above, chosen[best], MISSING)


def of_groups(
    values: NDArray[np.generic], groups: NDArray[np.int64], missing: float
) -> NDArray[np.generic]:
    """Take each variant's value in one group, or `missing` where the group is -1.

    Parameters
    ----------
    values
        (n, groups).
    groups
        (n,) int64.
    missing
        What to give where there is no group.
    """
    taken = values[np.arange(len(values)), np.maximum(groups, 0)]
    return np.where(groups == MISSING, values.dtype.type(missing), taken)
