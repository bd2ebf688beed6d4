"""Which spans have one place on another build, and alleles at the ends of what has."""

import numpy as np
import pytest
from tests.lifting import (
    apply,
    array,
    blocks_of,
    lifted,
    placed,
    repetitive,
    rows_of,
    sites_of,
    turned,
)

from afpanel.constants import Outcome
from afpanel.core.lifted_alleles import LiftSites, lift_alleles
from afpanel.core.liftover import FARTHEST, SEVERAL, Blocks, place
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants


def chains(*rows: tuple[int, int, int, int]) -> Blocks:
    """Blocks from (start, end, chain, first), all on one contig."""
    start, end, chain, first = np.array(rows, np.int64).T.copy()
    n = len(rows)
    no = np.zeros(n, np.bool_)
    return Blocks.of(start, end, chain.astype(np.int32), np.zeros(n, np.int32), first, no)


def outcome_of(blocks: Blocks, start: int, end: int, low: int, high: int) -> str:
    spans = (np.array([value], np.int64) for value in (start, end, low, high))
    return Outcome(place(blocks, *spans).outcome[0]).name


@pytest.mark.parametrize(
    ("span", "wide", "expected"),
    [
        ((10, 11), (10, 11), "KEPT"),
        ((49, 50), (49, 50), "KEPT"),
        ((50, 51), (50, 51), "LIFT_MULTIPLE"),
        ((69, 70), (69, 70), "LIFT_MULTIPLE"),
        ((70, 71), (70, 71), "KEPT"),
        ((48, 49), (47, 51), "LIFT_MULTIPLE"),
        ((70, 71), (69, 73), "LIFT_MULTIPLE"),
        ((40, 55), (40, 55), "LIFT_MULTIPLE"),
        ((55, 110), (55, 110), "LIFT_MULTIPLE"),
        ((100, 101), (100, 101), "UNMAPPED"),
        ((99, 100), (98, 102), "UNMAPPED"),
        ((130, 131), (128, 133), "KEPT"),
        ((129, 131), (129, 131), "KEPT"),
        ((90, 150), (90, 150), "UNMAPPED"),
    ],
)
def test_a_span_needs_one_chain_at_both_its_ends(
    span: tuple[int, int], wide: tuple[int, int], expected: str
) -> None:
    """Two chains overlap from 50 to 70; of the third, a gap on the panel's side is at 130."""
    blocks = chains((0, 70, 0, 1000), (50, 100, 1, 5000), (120, 130, 2, 900), (130, 200, 2, 920))
    assert (blocks.chain == SEVERAL).sum() == 1
    assert outcome_of(blocks, *span, *wide) == expected


@pytest.mark.parametrize("gap", [1, FARTHEST - 1, FARTHEST, FARTHEST + 1, 10 * FARTHEST])
def test_ends_that_are_far_apart_are_not_one_place(gap: int) -> None:
    expected = "KEPT" if gap <= FARTHEST else "UNMAPPED"
    longer = chains((0, 100, 0, 0), (100, 200, 0, 100 + gap))
    assert outcome_of(longer, 99, 101, 99, 101) == expected
    shorter = chains((0, 100, 0, 0), (100 + gap, 200 + gap, 0, 100))
    assert outcome_of(shorter, 99, 101 + gap, 99, 101 + gap) == expected


def test_an_indel_beside_bases_of_several_chains_has_no_one_place() -> None:
    source = "TGCAAAAACGTTGCA"
    sites = sites_of(3, "CA", ["C"])
    for several, outcome in (
        (9, Outcome.KEPT),
        (8, Outcome.LIFT_MULTIPLE),
        (5, Outcome.LIFT_MULTIPLE),
    ):
        blocks = chains((0, 15, 0, 0), (several, 15, 1, 500))
        found, result = lifted(sites, blocks, source, source)
        assert found is outcome
        assert (result is None) == (outcome is not Outcome.KEPT)


@pytest.mark.parametrize("reverse", [False, True])
def test_alleles_at_either_end_of_a_contig_are_lifted(*, reverse: bool) -> None:
    rng = np.random.default_rng(15)
    for _ in range(200):
        source = repetitive(rng, 12)
        for position, ref, alt in ((1, source[:2], source[1]), (1, source[0], source[0] * 2),
                                   (11, source[-2:], source[-2]), (12, source[-1], source[-1] + "A")):  # fmt: skip
            blocks = blocks_of([(0, 0, 12)], 12, reverse=reverse)
            there = turned(source) if reverse else source
            _, result = lifted(sites_of(position, ref, [alt]), blocks, source, there)
            ((index, edit),) = rows_of(result)
            haplotype = apply(there, edit)
            expected = apply(source, (position - 1, position - 1 + len(ref), alt))
            assert (index, haplotype) == (1, turned(expected) if reverse else expected)


def test_of_nothing_nothing_is_lifted() -> None:
    none = np.empty(0, np.int32)
    variants = Variants(none, Strings.of([]), Strings.of([]))
    nothing = LiftSites(np.empty(0, np.int64), variants, none, none)
    places = placed(nothing, chains((0, 5, 0, 0)), "ACGTA")
    result = lift_alleles(nothing, places, array("ACGTA"), array("ACGTA"))
    assert not len(result.row)
