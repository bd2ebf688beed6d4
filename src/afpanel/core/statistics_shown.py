"""Withholding whole statistics, of every group and variant, that a policy does not let be shown."""

from dataclasses import replace

import numpy as np

from afpanel.constants import MISSING
from afpanel.core.group_counts import GroupCounts
from afpanel.core.policy import EffectivePolicy, Statistic
from afpanel.model.arrays import RAW_COUNTS, SINGLE_COUNTS

ARRAYS_OF = {
    Statistic.NHOMALT: ("homozygote_count",),
    Statistic.NHEMIALT: ("hemizygote_count",),
    Statistic.HARDY_WEINBERG: SINGLE_COUNTS,
    Statistic.RAW: RAW_COUNTS,
}
"""The counts without which a statistic cannot be worked out, and that serve no other."""


def withhold_statistics(counts: GroupCounts, rules: EffectivePolicy) -> GroupCounts:
    """Set what statistics are worked out from to missing (-1), where they may not be shown.

    The states stay as they are: AC and AN are shown.
    """
    hidden = [
        array
        for statistic, arrays in ARRAYS_OF.items()
        if not rules.value(f"statistics.{statistic}")
        for array in arrays
    ]
    missing = {name: np.full_like(getattr(counts, name), MISSING) for name in hidden}
    return replace(counts, **missing)
