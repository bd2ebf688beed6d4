"""Classes of genotypes of few people, by every whole number that is possible."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from tests.plain_derivation import Table, Vector, possible
from tests.small_people import People, apart, diploid_options, names_of

from afpanel.core.genotype_classes import GENOTYPE_TABLES, small_classes, withhold_genotypes
from afpanel.core.group_counts import GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.suppression import suppress


def classes_of(vector: Vector, people: int) -> tuple[int, int, int]:
    het, hom = vector
    return het, hom, people - het - hom


class Cell(NamedTuple):
    """A cell of a group: people by class, and whether it is masked, or shown without genotypes."""

    het: int
    hom: int
    masked: bool
    withheld: bool


def options(
    sizes: dict[str, int], cells: dict[str, Cell], genotypes: bool, node: str
) -> list[Vector]:
    """List what a node can have, by AC and AN where they are shown, and by its genotypes where they are."""
    every = diploid_options(sizes[node])
    if node not in cells or cells[node].masked:
        return every
    het, hom, _, withheld = cells[node]
    if genotypes and not withheld:
        return [(het, hom)]
    return [(one, two) for one, two in every if one + 2 * two == het + 2 * hom]


@pytest.mark.parametrize("limits", [(2, 3), (3, 3), (3, 2), (2, 2)])
def test_no_class_of_few_people_is_shown_or_can_be_worked_out_better_than_from_ac_and_an(limits):
    """Everybody is called, and the attacker knows; (fewest people of a class, fewest copies)."""
    fewest, k = limits
    rng, held, withheld_cells, shown_cells = np.random.default_rng(4), 0, 0, 0
    for _ in range(10):
        people = People(rng, 12, most=4)
        counts, tree = people.counts(), GroupTree.of(people.groups, people.people)
        masked = suppress(apart(12), counts, tree, k) != 0
        withheld = small_classes(counts, tree, masked, fewest, k)
        assert not (withheld & masked).any()
        names = names_of(tree, people.groups)
        sums = [(names[whole], [names[part] for part in parts]) for whole, parts in tree.sums()]
        sizes = dict(zip(names, tree.people.tolist(), strict=True))
        het, hom = counts.heterozygotes, counts.homozygote_count
        for row in np.flatnonzero(~masked.all(axis=1)).tolist():
            cells = [
                Cell(
                    int(het[row, g]), int(hom[row, g]), bool(masked[row, g]), bool(withheld[row, g])
                )
                for g in range(len(people.groups))
            ]
            of_group = dict(zip(people.groups, cells, strict=True))
            told, alone = (
                possible(Table(sums, sizes, {}), partial(options, sizes, of_group, genotypes))
                for genotypes in (True, False)
            )
            for node, vectors in told.items():
                n = sizes[node]
                for i in range(3):
                    values = {classes_of(vector, n)[i] for vector in vectors}
                    without = {classes_of(vector, n)[i] for vector in alone[node]}
                    if any(1 <= value < fewest for value in values):
                        held += 1
                        assert len(values) >= min(fewest, len(without)), (node, i, values, without)
            withheld_cells += int(withheld[row].sum())
            shown_cells += int((~withheld[row] & ~masked[row]).sum())
    assert min(held, withheld_cells, shown_cells) > 20


def counts_of(**people: tuple[int, int, int]) -> tuple[GroupCounts, list[str]]:
    """One variant in countries of 100 people, by heterozygotes, homozygotes and haploid calls of ALT."""
    groups = ["total", *people]
    het, hom, haploid = np.array([np.sum([*people.values()], axis=0), *people.values()]).T
    counts = GroupCounts.zeros(1, len(groups))
    for name, values in (
        ("allele_count", het + 2 * hom + haploid),
        ("allele_number", np.array([200 * len(people), *[200] * len(people)])),
        ("homozygote_count", hom),
        ("hemizygote_count", haploid),
        ("single_allele_count", haploid),
        ("single_allele_number", 2 * (haploid > 0) * (haploid // 2 + 10)),
    ):
        getattr(counts, name)[0] = values
    counts.state[:] = 2
    return counts, groups


def found(fewest: int, **people: tuple[int, int, int]) -> list[str]:
    counts, groups = counts_of(**people)
    tree = GroupTree.of(groups, [100 * len(people), *[100] * len(people)])
    masked = np.zeros((1, len(groups)), np.bool_)
    withheld = small_classes(counts, tree, masked, fewest, 3)
    return [group for group, away in zip(groups, withheld[0], strict=True) if away]


def test_one_homozygote_is_not_the_difference_of_the_others():
    assert found(3, AA=(20, 1, 0), BB=(30, 5, 0), CC=(30, 10, 0)) == ["AA", "BB", "CC"]


def test_the_total_goes_too_where_it_shows_few():
    assert found(3, AA=(20, 1, 0), BB=(30, 0, 0)) == ["total", "AA", "BB"]


def test_nothing_is_withheld_where_every_class_is_large_or_empty():
    assert found(3, AA=(20, 3, 0), BB=(30, 0, 0), CC=(30, 10, 0)) == []
    assert found(1, AA=(20, 1, 0), BB=(30, 1, 0)) == []


def test_few_heterozygotes_are_a_class_too():
    """Thirty copies in two heterozygotes and fourteen homozygotes."""
    assert "AA" in found(3, AA=(2, 14, 0), BB=(30, 5, 0), CC=(30, 10, 0))


def test_what_is_withheld_is_all_that_tells_of_genotypes_and_nothing_else():
    counts, groups = counts_of(AA=(20, 1, 4), BB=(30, 5, 6))
    cells = np.array([[False, True, False]])
    after = withhold_genotypes(counts, cells)
    for name in GENOTYPE_TABLES:
        assert getattr(after, name)[0, 1] == -1
        assert (getattr(after, name) == getattr(counts, name))[~cells].all()
    for name in ("allele_count", "allele_number", "state"):
        assert (getattr(after, name) == getattr(counts, name)).all()
    assert (after.heterozygotes[0, 1], after.diploids[0, 1], len(groups)) == (-1, -1, 3)
