"""Membership inference tried out: people are held out by lot, and an attacker tells who was.

Unrelated people are split into a pool, whose frequencies are published, others like them, and the
attacker's reference; several times, by a fixed seed. Scores of pool and others are then compared.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from afpanel.constants import MISSING
from afpanel.core.linkage import RIDGES, block_size, scaled
from afpanel.core.membership import (
    add_up,
    floored,
    homer_statistic,
    homer_weights,
    log_ratio_weights,
)

SPLITS = 10
SEED = 20_110_917

LEAST_PEOPLE = 60
"""People of whom a third is enough for a trial."""

_CONFIDENCE = 0.95
_DECIMALS = 9
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
    middle, spread = others.mean(axis=1), others.std(axis=1, ddof=1)
    spread = np.where(spread > 0, spread, 1.0)
    # Splits have scales of their own. Rounded, scores that only rounding tells apart are ties on any machine.
    scaled_members, scaled_others = (
        np.round((x - middle[:, None]) / spread[:, None], _DECIMALS) for x in (members, others)
    )
    pairs = zip(scaled_members, scaled_others, strict=True)
    auc = float(np.mean([_auc(*scores) for scores in pairs]))
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    auc_variance = auc * (1 - auc) + (m - 1) * (q1 - auc**2) + (n - 1) * (q2 - auc**2)
    lead = (members.mean(axis=1) - middle) / spread
    own = np.maximum(members.std(axis=1, ddof=1) / spread, 1e-9)
    separation = float(np.mean(lead / np.sqrt((1 + own**2) / 2)))
    power = float(np.mean(ndtr((lead + ndtri(false_positive_rate)) / own)))
    found, low, high = np.nan, np.nan, np.nan
    if splits * n * false_positive_rate >= 1:
        allowed = int(splits * n * false_positive_rate)
        limit = np.sort(scaled_others, axis=None)[-allowed - 1]
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


def _solved(matrix: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve ``(M + κ) x = b`` for each of `RIDGES`, by Cholesky; M has no eigenvalue below 0."""
    from scipy.linalg.lapack import dposv  # noqa: PLC0415 - as above

    solutions = np.empty((len(right), len(RIDGES)))
    for i, ridge in enumerate(RIDGES):
        ridged = matrix.copy()
        ridged.flat[:: len(right) + 1] += ridge
        _, solutions[:, i], failed = dposv(ridged.T, right, overwrite_a=True)
        if failed:
            raise np.linalg.LinAlgError(f"no Cholesky factor at ridge {ridge}")
    return solutions


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
        self._is_in = np.zeros((people, splits, 3))
        for split, parts in enumerate(self._parts):
            for part, members in enumerate(parts):
                self._is_in[members, split, part] = 1
        self._ratio = np.zeros((people, splits))
        self._homer = np.zeros((3, people, splits))
        self._known = np.zeros((len(RIDGES), people, splits))

    def add(self, copies: NDArray[np.int8]) -> None:
        """Add a window: (variants, people) int8, consecutive variants; -1 where there is no call."""
        self.variants += len(copies)
        frequency, is_told = self._frequencies(copies)
        pool, reference = frequency[:, :, _POOL], frequency[:, :, _REFERENCE]
        ratio = log_ratio_weights(floored(pool, self.each), floored(reference, self.each))
        distance = homer_weights(pool, reference)
        lead = np.where(is_told, pool - reference, 0)
        known = [
            self._known_weights(copies[:, parts[_REFERENCE]], lead[:, split])
            for split, parts in enumerate(self._parts)
        ]
        told = [np.where(is_told, each, 0) for each in (ratio, np.ones_like(ratio), distance)]
        # What every attack adds for everybody is one matrix product.
        weights = np.concatenate([*told, told[-1] ** 2, *known], axis=2)
        splits = len(self._parts)
        sums = add_up(copies, weights).reshape(len(self._is_in), -1, splits)
        self._ratio += sums[:, 0]
        self._homer += sums[:, 1:4].transpose(1, 0, 2)
        self._known += sums[:, 4:].reshape(-1, splits, len(RIDGES)).transpose(2, 0, 1)

    def _frequencies(
        self, copies: NDArray[np.int8]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Give the frequencies in the parts of each split, and where they tell something.

        A variant of which the pool or the reference has no call tells nothing, of whoever it is.

        Returns
        -------
        frequency
            (variants, splits, 3) float64.
        is_told
            (variants, splits) bool.
        """
        called = copies != MISSING
        members = self._is_in.reshape(len(self._is_in), -1)
        shape = (len(copies), len(self._parts), 3)
        alleles = 2 * (called.astype(np.float64) @ members).reshape(shape)
        alt = (np.where(called, copies, 0).astype(np.float64) @ members).reshape(shape)
        is_told = (alleles[:, :, _POOL] > 0) & (alleles[:, :, _REFERENCE] > 0)
        return alt / np.maximum(alleles, 1), is_told

    def _known_weights(
        self, theirs: NDArray[np.int8], lead: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Weigh copies as an attacker does who learns linkage from the reference.

        Of each block the score is ``x' (R + κ)⁻¹ (p_pool - p_ref)``, with R the correlations in the reference
        and all variants scaled as there.

        Parameters
        ----------
        theirs
            (variants, people) int8: copies that the reference has.
        lead
            (variants,) float64: frequency of the pool less that of the reference.

        Returns
        -------
        (3, variants, ridges) float64
            What 0, 1 and 2 copies add.
        """
        of = scaled(theirs)
        scale = np.where(of.varies, 1 / np.where(of.varies, of.deviation, 1), 0)
        weights = np.empty((len(theirs), len(RIDGES)))
        step = block_size(self.each)
        for start in range(0, len(theirs), step):
            rows = slice(start, start + step)
            block = of.values[rows]
            correlations = block @ block.T / theirs.shape[1]
            weights[rows] = _solved(correlations, 2 * lead[rows] * scale[rows])
        weights *= scale[:, None]
        return np.stack([(x - of.mean)[:, None] * weights for x in range(3)])

    def result(self, false_positive_rate: float) -> dict[str, Attack]:
        """Judge every attack.

        Returns
        -------
        dict
            ``likelihood_ratio``; ``homer``; and ``linkage_known``, with the ridge that separates best.
        """
        homer = homer_statistic(self._homer)
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
