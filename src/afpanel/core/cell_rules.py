"""All rules of a policy for cells of a panel, applied to variants: what is shown of each, and why not the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.compiled import compiled
from afpanel.core.genotype_classes import small_classes, withhold_genotypes
from afpanel.core.group_counts import GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.insiders import countries_of, known_to_insiders
from afpanel.core.masking import Sides, mask, sensitive_raw
from afpanel.core.policy import EffectivePolicy, Statistic
from afpanel.core.statistics_shown import withhold_statistics
from afpanel.core.suppression import Beside, Hiding, Masked, choose_masked
from afpanel.core.suppression_kernel import SECONDARY
from afpanel.core.variants import Variants
from afpanel.model.groups import GroupKind, kind_of

_NOT_CALLABLE = nb.i1(State.NOT_CALLABLE)


@dataclass(frozen=True)
class Decided:
    """What is decided of n variants in the g groups that are published.

    Parameters
    ----------
    shown
        What is shown of them.
    masked
        Which cells are masked, and why.
    genotypes
        (n, g) bool: cells that are shown without figures of genotypes, for a class of few people.
    raw
        (n,) bool: whether the raw counts are withheld, besides where the total is.
    published, unknown
        (n,) bool: rows that are published; rows of which nothing is known, whatever is masked.
    primary_alone
        (n,) bool: rows that primary masking alone would have left.
    """

    shown: GroupCounts
    masked: Masked
    genotypes: NDArray[np.bool_]
    raw: NDArray[np.bool_]
    published: NDArray[np.bool_]
    unknown: NDArray[np.bool_]
    primary_alone: NDArray[np.bool_]


class CellRules:
    """The rules of a release for its cells.

    Parameters
    ----------
    groups, people
        Names of all groups of the panel, and their sizes.
    allowed
        Places of those that are published.
    rules
        What holds.
    """

    def __init__(
        self,
        groups: Sequence[str],
        people: Sequence[int],
        allowed: Sequence[int],
        rules: EffectivePolicy,
    ) -> None:
        self._rules, self._published = rules, len(allowed)
        self._insiders = bool(rules.value("insider_protection"))
        # A country that stays behind knows its own figures too.
        beside = [
            g
            for g, name in enumerate(groups)
            if self._insiders and g not in allowed and kind_of(name) is GroupKind.COUNTRY
        ]
        self._taken = [*allowed, *beside]
        # Where it is all of them, in their order, nothing need be copied.
        self._columns = slice(None) if self._taken == [*range(len(groups))] else self._taken
        self.names = [groups[g] for g in self._taken]
        self.tree = GroupTree.of(self.names, [people[g] for g in self._taken])
        self._hiding = Hiding(
            Sides.of(rules),
            known_to_insiders(self.names, self.tree) if self._insiders else None,
            self._published,
        )

    @property
    def insiders(self) -> list[str]:
        """Names of the countries that may know their own figures, in the order of `Masked.against` from 1 on."""
        return [self.names[g] for g in countries_of(self.names)] if self._insiders else []

    def decide(
        self,
        variants: Variants,
        counts: GroupCounts,
        known: NDArray[np.bool_] | None = None,
        earlier: NDArray[np.bool_] | None = None,
    ) -> Decided:
        """Decide what is shown of whole sites.

        Parameters
        ----------
        variants
            n variants of a contig; all that have a position, or none of it.
        counts
            Their counts in all groups of the panel.
        known
            (n, groups of the panel) bool: cells whose counts were shown elsewhere before.
        earlier
            (n, published groups) bool: cells that are masked for earlier releases.
        """
        rules, k = self._rules, self._rules.min_allele_count
        taken = counts.take(groups=self._columns)
        before = None if known is None else known[:, self._taken]
        beside = None if earlier is None else Beside(earlier)
        masked = choose_masked(variants, taken, self.tree, k, before, self._hiding, beside)
        hidden = masked.reason != 0
        genotypes = self._small_classes(taken, hidden)
        own = taken.take(groups=slice(0, self._published))
        raw = sensitive_raw(own, k)
        shown = withhold_statistics(withhold_genotypes(mask(own, hidden, raw), genotypes), rules)
        known_rows = _known(shown.allele_count, shown.state)
        return Decided(
            shown,
            masked,
            genotypes,
            raw,
            worth_a_row(own, hidden),
            ~known_rows,
            worth_a_row(own, hidden & (masked.reason != SECONDARY)),
        )

    def _small_classes(self, counts: GroupCounts, masked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        fewest, k = self._rules.value("min_genotype_count"), self._rules.min_allele_count
        told = (Statistic.NHOMALT, Statistic.NHEMIALT, Statistic.HARDY_WEINBERG)
        if fewest <= 1 or not any(self._rules.value(f"statistics.{each}") for each in told):
            return np.zeros(masked.shape, np.bool_)
        own = countries_of(self.names) if self._insiders else []
        return small_classes(counts, self.tree, masked, fewest, k, own)


def worth_a_row(counts: GroupCounts, hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which rows say something: they show ALT somewhere, or have nothing to hide; (n,) bool.

    A row of which all that carries ALT is withheld would still tell that somebody carries it.

    Parameters
    ----------
    counts
        n variants in g groups.
    hidden
        (n, g) bool: cells that are masked.
    """
    worth = np.empty(len(counts), np.bool_)
    state, alt = (np.ascontiguousarray(t) for t in (counts.state, counts.allele_count))
    _find_worth(state, alt, np.ascontiguousarray(hidden), worth)
    return worth


@compiled(
    nb.void(
        nb.types.Array(nb.i1, 2, "C", readonly=True),
        nb.types.Array(nb.i4, 2, "C", readonly=True),
        nb.types.Array(nb.b1, 2, "C", readonly=True),
        nb.b1[::1],
    )
)
def _find_worth(state, alt, hidden, worth):  # type: ignore[no-untyped-def]
    for i in range(len(state)):
        shows_alt, hides = False, False
        for g in range(state.shape[1]):
            hides |= hidden[i, g]
            shows_alt |= alt[i, g] > 0 and not hidden[i, g]
        known = hidden[i, 0] or state[i, 0] != _NOT_CALLABLE or shows_alt
        worth[i] = known and (shows_alt or not hides)


def _known(alt: NDArray[np.int32], state: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Tell of which rows anything is known, unlike on Y in a panel of XX people; (n,) bool."""
    known: NDArray[np.bool_] = (state[:, 0] != State.NOT_CALLABLE) | (alt > 0).any(axis=1)
    return known
