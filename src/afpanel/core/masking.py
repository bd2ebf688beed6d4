"""Primary disclosure control: what a policy limits, and which cells are withheld for what they say themselves.

Those from which they could be worked out are withheld too: `core/suppression` finds them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, State
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.policy import EffectivePolicy
from afpanel.model.arrays import RAW_COUNTS


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
class Sides:
    """Of which copies few are too few, besides the limit itself.

    Parameters
    ----------
    alt, other
        Copies of ALT; of all other alleles together.
    zeros
        Whether none is too few as well: that a cell has none is masked too.
    """

    alt: bool = True
    other: bool = True
    zeros: bool = False

    @classmethod
    def of(cls, rules: EffectivePolicy) -> "Sides":
        """Take them from what holds."""
        lines = ("sides.alt", "sides.other", "zeros.masked")
        return cls(*(bool(rules.value(line)) for line in lines))


BOTH_SIDES = Sides()


def sensitive(
    alt: NDArray[np.int32],
    other: NDArray[np.int32],
    min_allele_count: int,
    sides: Sides = BOTH_SIDES,
) -> NDArray[np.bool_]:
    """Find the cells that have few, but some, copies of ALT or of everything else.

    Parameters
    ----------
    alt, other
        Copies, of any shape: AC, and AN - AC.
    min_allele_count
        Fewest copies that may be shown.
    sides
        Of which copies, and whether none is few.
    """
    found = np.zeros(alt.shape, np.bool_)
    for matters, copies in ((sides.alt, alt), (sides.other, other)):
        if matters:
            found |= few(copies, min_allele_count)
            if sides.zeros and min_allele_count > 0:
                found |= (copies == 0) & (alt + other > 0)
    return found


def few(copies: NDArray[np.int32], min_allele_count: int) -> NDArray[np.bool_]:
    """Tell which numbers are more than none and fewer than may be shown."""
    found: NDArray[np.bool_] = (copies > 0) & (copies < min_allele_count)
    return found


def sensitive_raw(counts: GroupCounts, min_allele_count: int) -> NDArray[np.bool_]:
    """Find the raw counts that show few copies of an allele, or few that the filter took away; (n,) bool.

    People whose calls failed are a group like any other: AC of all calls less AC of good ones is theirs.
    """
    ac, an = counts.raw_allele_count, counts.raw_allele_number
    found = np.zeros(len(counts), np.bool_)
    for copies in (ac, an - ac, ac - counts.allele_count[:, 0]):
        found |= few(copies, min_allele_count)
    return found


def mask(
    counts: GroupCounts, masked: NDArray[np.bool_], masked_raw: NDArray[np.bool_]
) -> GroupCounts:
    """Withhold every figure of some cells, and the raw counts of some variants: -1, with state 3.

    Parameters
    ----------
    counts
        n variants in g groups.
    masked
        (n, g) bool: the cells to withhold.
    masked_raw
        (n,) bool: the raw counts to withhold, besides those of variants whose total is withheld.
    """
    missing = np.int32(MISSING)
    tables = {name: np.where(masked, missing, getattr(counts, name)) for name in GROUP_TABLES}
    hidden = masked_raw | masked[:, 0]
    raw = {name: np.where(hidden, missing, getattr(counts, name)) for name in RAW_COUNTS}
    state = np.where(masked, np.int8(State.MASKED), counts.state)
    return GroupCounts(**tables, state=state, **raw)
