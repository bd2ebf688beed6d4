"""Pieces of the statistics of populations that a whole run does not show one by one."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from allel import hudson_fst
from allel.stats.misc import jackknife
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.constants import State
from afpanel.core import differentiation
from afpanel.core.differentiation import BLOCK_BASES, OccupiedBlocks, PairwiseFst, ratio_jackknife
from afpanel.core.diversity import Diversity, base_changes
from afpanel.core.frequency_spectrum import FrequencySpectrum
from afpanel.core.group_components import CommonVariants, principal_components
from afpanel.core.group_counts import GroupCounts, ReleasedCounts
from afpanel.core.sharing import Sharing
from afpanel.core.shown_counts import ShownCounts
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.model.groups import GroupKind, disjoint_groups, finest_groups

SETTINGS = settings(max_examples=100, deadline=None, derandomize=True)


def counts_of(alt, called, state=State.OBSERVED) -> ShownCounts:
    alt, called = (np.atleast_2d(np.array(each, np.int32)) for each in (alt, called))
    none = np.zeros_like(alt)
    states = np.full(alt.shape, state, np.int8)
    return ShownCounts.of(ReleasedCounts(alt, called, none, none, states))


# ---------------------------------------------------------------------------------------------
# Blocks and the jackknife


@SETTINGS
@given(
    st.lists(st.tuples(st.floats(-0.5, 1), st.floats(0.01, 2)), min_size=2, max_size=30),
)
def test_the_error_of_a_ratio_is_that_of_scikit_allel_s_jackknife(sums) -> None:
    numerator, denominator = np.array(sums).T
    ratio, error = ratio_jackknife(numerator, denominator)
    _, expected, _ = jackknife((numerator, denominator), lambda n, d: n.sum() / d.sum())
    assert ratio == pytest.approx(numerator.sum() / denominator.sum())
    assert error == pytest.approx(expected, abs=1e-9)


def test_one_block_gives_no_error_and_none_no_ratio() -> None:
    ratio, error = ratio_jackknife(np.array([0.5]), np.array([2.0]))
    assert (ratio, np.isnan(error)) == (0.25, True)
    assert np.isnan(ratio_jackknife(np.empty(0), np.empty(0))).all()


def blocks_of(places: dict[str, range]) -> int:
    occupied = OccupiedBlocks()
    for contig, positions in places.items():
        occupied.add(contig, np.array(positions, np.int32))
    return occupied.bases()


@pytest.mark.parametrize(
    ("places", "bases"),
    [
        ({"1": range(1, 100_000_001, 1_000_000)}, 5_000_000),  # 20 blocks of 5 Mb
        ({"1": range(1, 95_000_001, 1_000_000)}, 2_000_000),  # 19 of them
        ({"1": range(1, 50_000_001, 500_000), "2": range(1, 50_000_001, 500_000)}, 5_000_000),
        ({"1": range(1, 600_001, 100)}, 20_000),
        ({"1": range(1, 30_001, 100)}, 10_000),
        ({"1": range(5, 6)}, 10_000),
        ({}, 10_000),
    ],
)
def test_blocks_are_the_longest_of_which_twenty_hold_variants(places, bases) -> None:
    assert blocks_of(places) == bases


def test_every_length_of_a_block_is_a_multiple_of_the_shortest() -> None:
    assert all(bases % BLOCK_BASES[-1] == 0 for bases in BLOCK_BASES)
    assert list(BLOCK_BASES) == sorted(BLOCK_BASES, reverse=True)


def test_a_block_of_one_contig_is_not_that_of_another() -> None:
    """Both contigs have their variant in the first block, and the last of one is not the first of the next."""
    fst = PairwiseFst([(0, 1)], 1_000)
    for contig in ("1", "2", "3"):
        fst.add(contig, np.array([10], np.int32), counts_of([3, 7], [10, 10]))
    found = fst.result()
    assert found.blocks.tolist() == found.variants.tolist() == [3]
    assert found.standard_error[0] == pytest.approx(0, abs=1e-12)  # the blocks are alike


def test_large_counts_do_not_overflow() -> None:
    """AN of two million, whose pairs do not fit into 32 bits."""
    fst = PairwiseFst([(0, 1)], 1_000)
    fst.add("1", np.array([10], np.int32), counts_of([500_000, 1_500_000], [2_000_000, 2_000_000]))
    # p is 1/4 and 3/4: (1/2)^2 over 1/4 * 1/4 + 3/4 * 3/4, but for the correction of 1e-7.
    assert fst.result().fst[0] == pytest.approx(0.25 / 0.625, abs=1e-6)


@pytest.mark.parametrize("state", [State.MASKED, State.NOT_CALLABLE])
def test_what_is_not_shown_counts_as_nothing_called(state) -> None:
    counts = counts_of([3, 7], [10, 10], state)
    assert not counts.called.any()
    assert not counts.alt.any()
    assert not counts.shown.any()
    assert not counts.segregating.any()


@st.composite
def panels(draw):
    """Counts of four groups: few and many copies, all and none, nobody called, and cells that are not shown."""
    shape = (draw(st.integers(1, 40)), 4)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    called = rng.choice([0, 1, 2, 3, 40, 1_000_000], shape).astype(np.int32)
    alt = rng.integers(0, called + 1).astype(np.int32)
    alt = np.where(rng.random(shape) < 0.2, rng.choice([0, 1], shape) * called, alt)
    homozygous = np.where(rng.random(shape) < 0.1, -1, alt // 2).astype(np.int32)
    states = [State.MASKED, State.NOT_CALLABLE, State.ABSENT_CALLABLE, State.OBSERVED]
    state = rng.choice(states, shape, p=[0.1, 0.1, 0.1, 0.7]).astype(np.int8)
    position = np.sort(rng.integers(1, 5_000, shape[0])).astype(np.int32)
    counts = ReleasedCounts(alt.astype(np.int32), called, homozygous, homozygous, state)
    return position, counts


@SETTINGS
@given(panels())
def test_sums_over_pairs_are_scikit_allel_s_pair_by_pair_whatever_is_not_shown(panel) -> None:
    position, counts = panel
    fst = PairwiseFst([[0, 2, 3], [3, 1]], 1_000)
    fst.add("1", position, ShownCounts.of(counts))
    assert fst.pairs == [(0, 2), (0, 3), (2, 3), (3, 1)]
    found = fst.result()
    shown = (counts.state == State.ABSENT_CALLABLE) | (counts.state == State.OBSERVED)
    for p, pair in enumerate(fst.pairs):
        rows = shown[:, pair].all(axis=1) & (counts.allele_number[:, pair] >= 2).all(axis=1)
        alleles = [
            np.stack([counts.allele_number[rows, g] - alt, alt], axis=1)
            for g in pair
            for alt in [counts.allele_count[rows, g].astype(np.int64)]
        ]
        varies = (alleles[0] + alleles[1] > 0).all(axis=1)
        numerator, denominator = hudson_fst(*(each[varies] for each in alleles))
        block = (position[rows][varies] - 1) // 1_000
        assert found.variants[p] == varies.sum()
        assert found.blocks[p] == len(set(block.tolist()))
        if varies.any():
            expected = numerator.sum() / denominator.sum()
            assert found.fst[p] == pytest.approx(expected, abs=1e-8)


@SETTINGS
@given(panels(), st.integers(1, 9), st.integers(0, 40))
def test_sums_do_not_depend_on_how_a_panel_is_cut_or_who_adds_up_which_part(
    panel, most, cut
) -> None:
    position, counts = panel
    ref = Strings.of(["A"] * len(position))
    variants = Variants(
        position, ref, Strings.of(["G", "C", "AT"] * len(position))[: len(position)]
    )
    rows = np.arange(len(position))

    def added_up(rows):
        shown = ShownCounts.of(counts.take(rows))
        fst, sharing = PairwiseFst([range(4)], 500), Sharing(4, {GroupKind.COUNTRY: [0, 1, 3]})
        diversity, spectrum = Diversity([1, 20, 2, 500_000]), FrequencySpectrum(4)
        fst.add("1", position[rows], shown)
        diversity.add(variants.take(rows), shown, counts.take(rows))
        spectrum.add(shown, counts.take(rows))
        sharing.add(shown)
        return fst, diversity, spectrum, sharing

    whole = added_up(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differentiation, "_MOST_ROWS", most)
        parts, others = added_up(rows[:cut]), added_up(rows[cut:])
    for part, other in zip(parts, others, strict=True):
        part.include(other)
    for one, other in zip(parts, whole, strict=True):
        assert pickle.dumps(vars(one)) == pickle.dumps(vars(other))


# ---------------------------------------------------------------------------------------------
# Kinds of changes, kinds of groups


def test_transitions_and_transversions_are_of_single_bases() -> None:
    changes = ["A>G", "G>A", "C>T", "T>C", "A>C", "A>T", "G>C", "T>G", "A>AG", "AC>GT", "N>A"]
    pairs = [change.split(">") for change in changes]
    ref, alt = (Strings.of([pair[i] for pair in pairs]) for i in (0, 1))
    found = base_changes(Variants(np.arange(len(pairs), dtype=np.int32), ref, alt))
    transitions, transversions = (each.tolist() for each in found)
    assert transitions == [True] * 4 + [False] * 7
    assert transversions == [False] * 4 + [True] * 4 + [False] * 3


def test_groups_are_compared_within_their_kind_where_there_are_two() -> None:
    names = ["total", "CN", "CN_CDX", "CN_CHB", "VN", "VN_KHV", "XX", "XY"]
    assert disjoint_groups(names) == {
        GroupKind.COUNTRY: [1, 4],
        GroupKind.POPULATION: [2, 3, 5],
        GroupKind.SEX: [6, 7],
    }
    assert disjoint_groups(["total", "CN", "CN_CHB", "XX"]) == {}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["total"], []),
        (["total", "CN", "CN_CHB"], ["CN"]),
        (["total", "CN", "CN_CDX", "CN_CHB", "JP", "JP_JPT", "XX"], ["CN_CDX", "CN_CHB", "JP"]),
        # A country all of whose populations are too small to be shown.
        (["total", "CN", "JP", "JP_JPT", "JP_RYU"], ["CN", "JP_JPT", "JP_RYU"]),
    ],
)
def test_components_are_of_the_finest_groups_that_share_nobody(names, expected) -> None:
    assert [names[g] for g in finest_groups(names)] == expected


# ---------------------------------------------------------------------------------------------
# Principal components


@pytest.mark.parametrize(("n", "kept"), [(99, 99), (100, 100), (101, 51), (400, 100), (401, 51)])
@pytest.mark.parametrize("block", [1, 7, 1_000])
def test_common_variants_are_thinned_evenly_whatever_the_blocks(n, kept, block) -> None:
    frequency = np.linspace(0.1, 0.9, n)
    common = CommonVariants([0, 1], most=100)
    for start in range(0, n, block):
        alt = np.rint(frequency[start : start + block, None] * 10_000 * np.ones(2))
        common.add(counts_of(alt, np.full(alt.shape, 10_000)))
    assert len(common.frequency) == kept
    steps = np.diff(common.frequency[:, 0])
    assert steps.max() - steps.min() < 3e-4  # one in two, or in four: all at the same distance
    assert common.frequency[0, 0] == pytest.approx(0.1)


def test_a_variant_that_one_group_does_not_show_or_that_is_rare_is_not_used() -> None:
    common = CommonVariants([0, 2])
    called = [[10, 0, 10], [10, 10, 0], [100, 100, 100], [100, 100, 100], [100, 100, 100]]
    alt = [[5, 0, 5], [5, 5, 0], [5, 50, 4], [6, 0, 4], [96, 50, 95]]
    common.add(counts_of(alt, called))
    assert common.frequency.tolist() == [[0.5, 0.5], [0.06, 0.04]]


def test_the_sign_of_a_component_does_not_depend_on_that_of_the_decomposition() -> None:
    rng = np.random.default_rng(3)
    frequency = rng.uniform(0.2, 0.8, (500, 6))
    found = principal_components(frequency).coordinates
    assert found.shape == (6, 5)
    # ALT and REF exchanged: all frequencies on the other side of their mean.
    np.testing.assert_allclose(principal_components(1 - frequency).coordinates, found, atol=1e-9)
    farthest = np.abs(found).argmax(axis=0)
    assert (found[farthest, np.arange(5)] > 0).all()


def test_distances_between_groups_are_kept_by_all_components_together() -> None:
    rng = np.random.default_rng(4)
    frequency = rng.uniform(0.2, 0.8, (300, 5))
    mean = frequency.mean(axis=1, keepdims=True)
    scaled = frequency / np.sqrt(mean * (1 - mean))
    found = principal_components(frequency)
    for one in range(5):
        for other in range(one):
            expected = np.linalg.norm(scaled[:, one] - scaled[:, other])
            place = found.coordinates[one] - found.coordinates[other]
            assert np.linalg.norm(place) == pytest.approx(expected)
    assert found.explained.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "frequency", [np.empty((0, 3)), np.full((9, 1), 0.3), np.empty((0, 0)), np.full((9, 3), 0.3)]
)
def test_there_are_no_components_of_one_group_or_of_groups_that_do_not_differ(frequency) -> None:
    found = principal_components(frequency)
    assert found.coordinates.shape == (frequency.shape[1], 0)
    assert found.explained.shape == (0,)


def test_people_who_are_heterozygous_are_not_told_where_the_homozygous_ones_are_withheld():
    table = np.array([[2, 4], [3, 2]], np.int32)
    base = replace(
        GroupCounts.zeros(2, 2),
        allele_count=table,
        allele_number=np.full((2, 2), 8, np.int32),
        homozygote_count=np.array([[1, -1], [0, 1]], np.int32),
        state=np.full((2, 2), State.OBSERVED, np.int8),
    )
    variants = Variants(np.array([1, 2], np.int32), Strings.of(["A", "A"]), Strings.of(["G", "C"]))
    diversity = Diversity([4, 4])
    diversity.add(variants, ShownCounts.of(base), base)
    observed = diversity.observed_heterozygosity_complete
    assert observed[0] == (0 + 3) / (2 * 4)
    assert np.isnan(observed[1])
    assert not np.isnan(diversity.expected_heterozygosity).any()
