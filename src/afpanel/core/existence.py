"""What the mere existence of a panel's rows tells of membership: the question that Beacons answer.

Shringarpure and Bustamante (American Journal of Human Genetics 97:631, 2015) ask a Beacon, which
answers yes where anybody has the allele, for alleles that a person carries. A panel whose rows need k
copies answers yes where there are k or more. Somebody in it brings the first copy along.
"""

from dataclasses import dataclass

import numpy as np

_STEPS = 2_000


@dataclass(frozen=True)
class Answers:
    """Chance that a row is there for an allele that a person carries once.

    Parameters
    ----------
    member, other
        Where the person is among those counted, and where not.
    """

    member: float
    other: float


def chance_of_row(
    people: int, fewest: int, most_frequent: float = 0.01, errors: float = 1e-6
) -> Answers:
    """Give the chance of a row for a rare allele that somebody carries.

    Of neutral alleles, those that a person carries are as likely to have any frequency f as any other,
    so the chance is the mean over f from 0 to `most_frequent`. It is ``P(Bin(2N, f) >= k)`` of others,
    and ``P(Bin(2N - 2, f) >= k - 1)`` of members, unless the person's allele was missed.

    Parameters
    ----------
    people
        N, those counted.
    fewest
        k, copies that a row needs; below 1 as 1.
    most_frequent
        Frequency below which alleles are asked for.
    errors
        Share of a member's alleles that the panel missed.
    """
    from scipy.stats import binom  # noqa: PLC0415 - half a second of start-up that most commands do not need

    k = max(fewest, 1)
    frequency = (np.arange(_STEPS) + 0.5) / _STEPS * most_frequent
    others = 2 * people - 2
    found, missed = binom.sf(k - 2, others, frequency), binom.sf(k - 1, others, frequency)
    member = (1 - errors) * found + errors * missed
    return Answers(float(member.mean()), float(binom.sf(k - 1, 2 * people, frequency).mean()))


def existence_power(answers: Answers, queries: int, false_positive_rate: float) -> float:
    """Give the power of the test that counts how many alleles have a row.

    The most powerful test of two binomial distributions, which takes members by lot at the limit so
    that the false positive rate is exactly alpha.

    Parameters
    ----------
    answers
        See `chance_of_row`.
    queries
        Alleles asked for, as independent ones.
    false_positive_rate
        alpha.
    """
    from scipy.stats import binom  # noqa: PLC0415 - as above

    limit = int(binom.isf(false_positive_rate, queries, answers.other))
    above, at = binom.sf(limit, queries, answers.other), binom.pmf(limit, queries, answers.other)
    lot = 0.0 if at == 0 else (false_positive_rate - above) / at
    found = binom.sf(limit, queries, answers.member) + lot * binom.pmf(
        limit, queries, answers.member
    )
    return float(found)
