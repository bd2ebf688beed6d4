"""Membership inference tried out: people are held out by lot, and an attacker tells who was.

Unrelated people are split into a pool, whose frequencies are published, others like them, and the
attacker's reference; several times, by a fixed seed. Scores of pool and others are then compared.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from afpanel.constants import MISSING
from afpanel.core.linkage import RIDGES, block_size, standardized
from afpanel.core.membership import floored, homer_distances, homer_statistic, log_ratio

SPLITS = 10
SEED = 20_110_917

LEAST_PEOPLE = 60
"""People of whom a third is enough for a trial."""

_CONFIDENCE = 0.95
_POOL, _OTHERS, _REFERENCE = range(3)


@dataclass(frozen=True)
class Attack:
    """What an attack made of its scores.

    Parameters
    ----------
    auc, auc_error
        Chance that a member has a higher score than another, mean over splits, and its standard error
        for the people of one split.
    separation
        Difference of the mean scores over their standard deviation, mean over splits.
    separation_error
        Standard error of it, for the people of one split.
    power
        Share of members above the score that a share alpha of others exceeds, if scores are normal.
    found
        Share of members above the score that a share alpha of others did exceed, all splits together; NaN
        where the others are too few to tell.
    found_low, found_high
        Exact 95 % interval of `found`, for the people of one split.
    """

    auc: float
    auc_error: float
    separation: float
    separation_error: float
    power: float
    found: float
    found_low: float
    found_high: float

    def independent_variants(self, pool: int, reference: int) -> float:
        """Give the independent variants that would separate as well: ``s² n (1 + n/n_r)``."""
        return max(self.separation, 0.0) ** 2 * pool * (1 + pool / reference)


def judged(
    members: NDArray[np.float64], others: NDArray[np.float64], false_positive_rate: float
) -> Attack:
    """Judge the scores of members and others.

    The error of the AUC is that of Hanley and McNeil (Radiology 143:29, 1982), the interval that of
    Clopper and Pearson (Biometrika 26:404, 1934).

    Parameters
    ----------
    members, others
        (splits, people) float64: scores; the higher, the more like a member.
    false_positive_rate
        alpha.
    """
    (splits, m), n = members.shape, others.shape[1]
    auc = float(np.mean([_auc(*scores) for scores in zip(members, others, strict=True)]))
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    auc_variance = auc * (1 - auc) + (m - 1) * (q1 - auc**2) + (n - 1) * (q2 - auc**2)
    middle, spread = others.mean(axis=1), others.std(axis=1, ddof=1)
    spread = np.where(spread > 0, spread, 1.0)
    lead = (members.mean(axis=1) - middle) / spread
    own = np.maximum(members.std(axis=1, ddof=1) / spread, 1e-9)
    separation = float(np.mean(lead / np.sqrt((1 + own**2) / 2)))
    power = float(np.mean(ndtr((lead + ndtri(false_positive_rate)) / own)))
    found, low, high = np.nan, np.nan, np.nan
    if splits * n * false_positive_rate >= 1:
        # Splits have scales of their own.
        scaled_members, scaled = (
            (x - middle[:, None]) / spread[:, None] for x in (members, others)
        )
        allowed = int(splits * n * false_positive_rate)
        limit = np.sort(scaled, axis=None)[-allowed - 1]
        found = float(np.mean(scaled_members > limit))
        low, high = _interval(found, m)
    return Attack(
        auc=auc,
        auc_error=float(np.sqrt(max(auc_variance, 0.0) / (m * n))),
        separation=separation,
        separation_error=float(np.sqrt(1 / m + 1 / n + separation**2 / (2 * (m + n)))),
        power=power,
        found=found,
        found_low=low,
        found_high=high,
    )


def _auc(members: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Mann and Whitney's statistic over the number of pairs; ties count half."""
    from scipy.stats import rankdata  # noqa: PLC0415 - half a second of start-up; others read figures alone

    ranks = rankdata(np.concatenate([members, others]))[: len(members)]
    return float(
        (ranks.sum() - len(members) * (len(members) + 1) / 2) / (len(members) * len(others))
    )


def _interval(share: float, people: int) -> tuple[float, float]:
    from scipy.stats import beta  # noqa: PLC0415 - as above

    tail = (1 - _CONFIDENCE) / 2
    found = share * people
    low = float(beta.ppf(tail, found, people - found + 1)) if found else 0.0
    high = float(beta.ppf(1 - tail, found + 1, people - found)) if found < people else 1.0
    return low, high


class MembershipTrial:
    """Scores everybody by every attack, window by window.

    Parameters
    ----------
    people
        How many unrelated people there are; `LEAST_PEOPLE` or more.
    splits
        How often they are split.

    Attributes
    ----------
    each
        People in the pool; as many are others, and as many the reference. One or two may be left.
    """

    def __init__(self, people: int, splits: int = SPLITS) -> None:
        draw = np.random.default_rng(SEED)
        self.each = people // 3
        self.variants = 0
        self._parts = np.array(
            [draw.permutation(people)[: 3 * self.each].reshape(3, -1) for _ in range(splits)]
        )
        self._ratio = np.zeros((people, splits))
        self._homer = np.zeros((splits, 3, people))
        self._known = np.zeros((len(RIDGES), people, splits))

    def add(self, copies: NDArray[np.int8]) -> None:
        """Add a window: (variants, people) int8, consecutive variants; -1 where there is no call."""
        called = copies != MISSING
        present = np.where(called, copies, 0)
        chosen = np.zeros((copies.shape[1], len(self._parts), 3))
        for split, parts in enumerate(self._parts):
            for part, members in enumerate(parts):
                chosen[members, split, part] = 1
        shape = (len(copies), len(self._parts), 3)
        alleles = 2 * (called @ chosen.reshape(len(chosen), -1)).reshape(shape)
        alt = (present @ chosen.reshape(len(chosen), -1)).reshape(shape)
        frequency = alt / np.maximum(alleles, 1)
        # A variant of which the pool or the reference has no call tells nothing, of whoever it is.
        is_told = (alleles[:, :, _POOL] > 0) & (alleles[:, :, _REFERENCE] > 0)
        pool, reference = (
            np.where(is_told, floored(frequency[:, :, part], self.each), 0.5)
            for part in (_POOL, _REFERENCE)
        )
        self.variants += len(copies)
        self._ratio += log_ratio(copies.T, pool, reference)
        for split, parts in enumerate(self._parts):
            rows = np.flatnonzero(is_told[:, split])
            self._homer[split] += homer_distances(
                copies[rows].T, frequency[rows, split, _POOL], frequency[rows, split, _REFERENCE]
            )
            lead = frequency[:, split, _POOL] - frequency[:, split, _REFERENCE]
            self._weigh(copies, split, parts, np.where(is_told[:, split], lead, 0))

    def _weigh(
        self,
        copies: NDArray[np.int8],
        split: int,
        parts: NDArray[np.int64],
        lead_of_pool: NDArray[np.float64],
    ) -> None:
        """Add the scores of an attacker who learns linkage from the reference.

        Of each block ``x' (R + κ)⁻¹ (p_pool - p_ref)``, with R the correlations in the reference and all
        variants scaled as there.
        """
        step = block_size(self.each)
        reference = parts[_REFERENCE]
        for start in range(0, len(copies), step):
            block = copies[start : start + step]
            theirs = block[:, reference]
            called = theirs != MISSING
            mean = np.where(called, theirs, 0).sum(axis=1) / np.maximum(called.sum(axis=1), 1)
            variance = np.where(called, theirs - mean[:, None], 0.0).var(axis=1)
            rows = np.flatnonzero(variance > 0)
            if not len(rows):
                continue
            deviation = np.sqrt(variance[rows])[:, None]
            scaled = standardized(theirs)
            values, vectors = np.linalg.eigh(scaled @ scaled.T / len(reference))
            lead = 2 * lead_of_pool[start + rows]
            along = vectors.T @ (lead / deviation[:, 0])
            own = np.where(
                block[rows] != MISSING, (block[rows] - mean[rows, None]) / deviation, 0.0
            )
            seen = own.T @ vectors
            weights = along[:, None] / (np.maximum(values, 0)[:, None] + np.array(RIDGES))
            self._known[:, :, split] += (seen @ weights).T

    def result(self, false_positive_rate: float) -> dict[str, Attack]:
        """Judge every attack.

        Returns
        -------
        dict
            ``likelihood_ratio``; ``homer``; and ``linkage_known``, with the ridge that separates best.
        """
        homer = np.stack([homer_statistic(sums) for sums in self._homer], axis=1)
        known = [self._judged(scores, false_positive_rate) for scores in self._known]
        return {
            "likelihood_ratio": self._judged(self._ratio, false_positive_rate),
            "homer": self._judged(np.nan_to_num(homer), false_positive_rate),
            "linkage_known": max(known, key=lambda attack: attack.separation),
        }

    def _judged(self, scores: NDArray[np.float64], false_positive_rate: float) -> Attack:
        """Judge scores of everybody, (people, splits)."""
        members, others = (
            np.stack([scores[parts[part], split] for split, parts in enumerate(self._parts)])
            for part in (_POOL, _OTHERS)
        )
        return judged(members, others, false_positive_rate)
