"""Small panels of people drawn at random, whose tables can be tried number by number."""

import numpy as np
from tests.plain_derivation import Vector

from afpanel.constants import State
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants


class People:
    """A small panel of people with diploid calls, drawn at random, and its groups' counts."""

    def __init__(self, rng: np.random.Generator, variants: int, most: int = 3) -> None:
        self.groups, members = ["total"], []
        for country in ("AA", "BB", "CC")[: rng.integers(1, 4)]:
            self.groups.append(country)
            populations = [f"{country}_{p}" for p in "PQ"[: rng.integers(1, 3)]]
            self.groups += populations
            for population in populations:
                members += [population] * rng.integers(1, most + 1)
        sex = rng.choice(["XX", "XY", "unknown"], len(members), p=[0.45, 0.45, 0.1])
        self.groups += [each for each in ("XX", "XY") if each in sex]
        self.holds = np.array(
            [
                [
                    group in ("total", place, place[:2], s)
                    for place, s in zip(members, sex, strict=True)
                ]
                for group in self.groups
            ]
        )
        self.people = self.holds.sum(axis=1).tolist()
        frequency = rng.uniform(0, 1, (variants, 1, 1)) ** 2
        self.calls = (rng.random((variants, len(members), 2)) < frequency).sum(axis=2)

    def counts(self, called: np.ndarray | None = None) -> GroupCounts:
        """Counts of the groups; `called` tells whose calls are there."""
        called = np.ones(self.calls.shape, np.bool_) if called is None else called
        table = {
            name: np.zeros((len(self.calls), len(self.groups)), np.int32) for name in GROUP_TABLES
        }
        member = self.holds.T.astype(np.int32)
        table["allele_count"][:] = (self.calls * called) @ member
        table["allele_number"][:] = (2 * called) @ member
        table["homozygote_count"][:] = ((self.calls == 2) & called) @ member
        state = np.full((len(self.calls), len(self.groups)), State.OBSERVED, np.int8)
        raw = {
            f"raw_{name}": table[name][:, 0].copy() for name in ("allele_count", "allele_number")
        }
        return GroupCounts(**table, state=state, **raw)


def at(
    positions: list[int], refs: list[str] | None = None, alts: list[str] | None = None
) -> Variants:
    n = len(positions)
    return Variants(
        np.array(positions, np.int32), Strings.of(refs or ["A"] * n), Strings.of(alts or ["C"] * n)
    )


def apart(n: int) -> Variants:
    return at(list(range(1, n + 1)))


def names_of(tree: GroupTree, groups: list[str]) -> list[str]:
    return [*groups, *(f"rest {i}" for i in range(tree.nodes - len(groups)))]


def diploid_options(people: int) -> list[Vector]:
    """Heterozygotes and homozygotes of ALT among so many people."""
    return [(het, hom) for het in range(people + 1) for hom in range(people + 1 - het)]


def is_published(counts: GroupCounts, reason: np.ndarray, row: int) -> bool:
    shown = reason[row] == 0
    return bool((counts.allele_count[row][shown] > 0).any() or shown.all())
