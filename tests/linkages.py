"""Linkage summaries of people who are made up."""

from collections.abc import Mapping

import numpy as np

from afpanel.core.linkage import LinkageSums
from afpanel.core.membership_trial import LEAST_PEOPLE, SPLITS, MembershipTrial
from afpanel.stages.linkage import FALSE_POSITIVE_RATE, THRESHOLDS
from afpanel.stages.linkage_summary import (
    FEWEST_PEOPLE,
    LinkageSummary,
    PopulationLinkage,
    Trial,
    VariantClass,
)


def summary_of_people(
    cohort: str, country: str, people: Mapping[str, int], variants: int, least: int = 0
) -> LinkageSummary:
    """The summary of a cohort that has so many people of each population, and these variants.

    Nothing is told of variants with fewer copies than `least`.
    """
    thresholds = sorted({max(each, least) for each in THRESHOLDS})
    populations = [
        PopulationLinkage(
            label, n, None, [_class(label, n, fewest, variants) for fewest in thresholds]
        )
        for label, n in sorted(people.items())
    ]
    return LinkageSummary(cohort, country, populations)


def _class(label: str, people: int, fewest: int, variants: int) -> VariantClass:
    draw = np.random.default_rng(sum(map(ord, label)))
    frequency = draw.uniform(0.02, 0.9, (variants, 1))
    copies = draw.binomial(2, frequency, (variants, people)).astype(np.int8)
    alt = copies.sum(axis=1, dtype=int)
    rows = np.flatnonzero(np.minimum(alt, 2 * people - alt) >= fewest)
    if people < FEWEST_PEOPLE:
        return VariantClass(fewest, len(rows), None, None)
    sums = LinkageSums(people)
    sums.add(copies[rows])
    trial = None
    if people >= LEAST_PEOPLE:
        tried = MembershipTrial(people)
        tried.add(copies[rows])
        attacks = tried.result(FALSE_POSITIVE_RATE)
        trial = Trial(tried.each, SPLITS, tried.variants, FALSE_POSITIVE_RATE, attacks)
    return VariantClass(fewest, len(rows), sums.result(), trial)
