"""Primary disclosure control: which groups may be shown, and which of their cells are withheld.

This withholds a cell for what it says itself. It does not yet withhold other cells from which it
could be worked out; `docs/privacy.md` says what that leaves open.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, State


@dataclass(frozen=True)
class Policy:
    """What a release may show.

    Parameters
    ----------
    min_group_size
        People a group must have to be published at all; 0 is no limit.
    min_allele_count
        Fewest copies of an allele, ALT or not, that a cell may show unless it shows none; 0 and 1
        are no limit.
    description
        What the policy is for, in words.
    """

    min_group_size: int
    min_allele_count: int
    description: str = ""


@dataclass(frozen=True)
class GroupCounts:
    """Counts of n variants in g groups; each (n, g) int32, `state` (n, g) int8."""

    allele_count: NDArray[np.int32]
    allele_number: NDArray[np.int32]
    homozygote_count: NDArray[np.int32]
    hemizygote_count: NDArray[np.int32]
    state: NDArray[np.int8]


def sensitive(counts: GroupCounts, min_allele_count: int) -> NDArray[np.bool_]:
    """Find the cells that show few, but some, copies of ALT or of everything else; (n, g) bool."""
    ac, an = counts.allele_count, counts.allele_number
    known = counts.state != State.NOT_CALLABLE
    few_alt = (ac > 0) & (ac < min_allele_count)
    few_other = (an - ac > 0) & (an - ac < min_allele_count)
    found: NDArray[np.bool_] = known & (few_alt | few_other)
    return found


def mask(counts: GroupCounts, masked: NDArray[np.bool_]) -> GroupCounts:
    """Withhold every figure of the cells in `masked`: -1, with state 3."""

    def hide(values: NDArray[np.int32]) -> NDArray[np.int32]:
        return np.where(masked, np.int32(MISSING), values)

    return GroupCounts(
        hide(counts.allele_count),
        hide(counts.allele_number),
        hide(counts.homozygote_count),
        hide(counts.hemizygote_count),
        np.where(masked, np.int8(State.MASKED), counts.state),
    )
