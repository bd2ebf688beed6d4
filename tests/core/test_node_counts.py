"""How counts are laid out for the gate, and which rows are worth publishing, beside plain loops."""

import numpy as np
import pytest

from afpanel.constants import State
from afpanel.core.cell_rules import worth_a_row
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.node_counts import NodeCounts
from afpanel.errors import BadInputError

NAMES = ["total", "TH", "VN", "VN_KHV", "XX"]
PEOPLE = [100, 40, 60, 30, 50]
WHO = {
    "TH": ("th", "th of unknown sex"),
    "VN": ("khv", "others of vn"),
    "VN_KHV": ("khv",),
    "XX": ("th", "khv"),
    "rest of VN": ("others of vn",),
    "rest of the sexes": ("th of unknown sex", "others of vn"),
}
"""Who is in each group, and in the rests of VN and of the sexes, which are the nodes after the groups."""

N = 200


@pytest.fixture
def panel():
    """Counts of groups, and those of all nodes by kind of person."""
    rng = np.random.default_rng(0)
    people = {name: rng.integers(0, 9, (6, N)) for each in WHO.values() for name in each}
    members = [tuple(people), *WHO.values()]
    nodes = np.stack([sum(people[name] for name in each) for each in members], axis=2)
    het, hom_other, hom, hemi, half, single_other = nodes.astype(np.int32)
    alt = 2 * hom + het + hemi + half
    number = 2 * (hom + het + hom_other) + hemi + half + single_other
    tables = (alt, number, hom, hemi, hemi + half, hemi + half + single_other)
    groups = len(NAMES)
    state = np.full((N, groups), State.OBSERVED, np.int8)
    raw = dict.fromkeys(("raw_allele_count", "raw_allele_number"), alt[:, 0])
    counts = GroupCounts(
        **{name: table[:, :groups] for name, table in zip(GROUP_TABLES, tables, strict=True)},
        state=state,
        **raw,
    )
    return counts, np.stack([alt, number - alt, het, hom_other, hom, hemi, single_other])


def test_kinds_of_people_are_laid_out_for_groups_and_for_the_rests_of_their_sums(panel):
    counts, expected = panel
    tree = GroupTree.of(NAMES, PEOPLE)
    assert tree.nodes == 7
    np.testing.assert_array_equal(NodeCounts.of(counts, tree).counts, expected)


def test_a_withheld_group_that_its_sum_tells_is_worked_out_and_else_everything_adds_up(panel):
    counts, expected = panel
    tree = GroupTree.of(NAMES, PEOPLE)
    rng = np.random.default_rng(1)
    withheld = rng.random(counts.state.shape) < 0.3
    counts.state[withheld] = State.MASKED
    for name in GROUP_TABLES:
        getattr(counts, name)[withheld] = -1
    found = NodeCounts.of(counts, tree)
    np.testing.assert_array_equal(found.withheld, withheld)
    for row in range(N):
        known = {node for node in range(len(NAMES)) if not withheld[row, node]}
        before = -1
        while before != len(known):
            before = len(known)
            for parent, parts in tree.sums():
                lone = {parent, *parts} - known
                known |= lone if len(lone) == 1 else set()
        for node in known:
            assert found.counts[:, row, node].tolist() == expected[:, row, node].tolist()
    for parent, parts in tree.sums():
        alleles = found.counts[:2]
        np.testing.assert_array_equal(alleles[:, :, parts].sum(axis=2), alleles[:, :, parent])


@pytest.mark.parametrize("table", ["allele_count", "allele_number"])
def test_counts_that_do_not_add_up_are_refused_with_the_first_of_them(panel, table):
    counts, _ = panel
    getattr(counts, table)[[7, 20], 1] += 1
    with pytest.raises(BadInputError, match="do not add up at 2 variants") as error:
        NodeCounts.of(counts, GroupTree.of(NAMES, PEOPLE))
    assert "variant 7 " in str(error.value)


def test_a_row_is_worth_publishing_that_shows_alt_or_hides_nothing_and_says_something(panel):
    counts, _ = panel
    rng = np.random.default_rng(2)
    counts.allele_count[:] *= rng.random(counts.state.shape) < 0.2
    counts.state[:] = rng.choice([State.NOT_CALLABLE, State.OBSERVED], counts.state.shape)
    hidden = rng.random(counts.state.shape) < 0.3
    found = worth_a_row(counts, hidden)
    for row in range(N):
        shown = [g for g in range(len(NAMES)) if not hidden[row, g]]
        shows_alt = any(counts.allele_count[row, g] > 0 for g in shown)
        unknown = 0 in shown and counts.state[row, 0] == State.NOT_CALLABLE and not shows_alt
        assert found[row] == (not unknown and (shows_alt or len(shown) == len(NAMES)))
    assert 0 < found.sum() < N
