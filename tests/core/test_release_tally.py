"""What a report counts in one pass, against counting cell by cell, and however the variants are cut."""

import random
from collections import Counter

import numpy as np
import pytest

from afpanel.constants import State
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.release_tally import CALL_RATES, FREQUENCIES, LONGEST_CHANGE, ReleaseTally
from afpanel.core.strings import Strings
from afpanel.core.variant_kinds import VariantKind, kinds_of, length_changes
from afpanel.core.variants import Variants


def variants_of(alleles):
    return Variants(
        np.arange(1, len(alleles) + 1, dtype=np.int32),
        Strings.of([ref for ref, _ in alleles]),
        Strings.of([alt for _, alt in alleles]),
    )


@pytest.mark.parametrize(
    ("ref", "alt", "kind", "change"),
    [
        ("A", "G", VariantKind.SNV, 0),
        ("A", "AT", VariantKind.INSERTION, 1),
        ("ACGT", "A", VariantKind.DELETION, -3),
        ("AC", "GT", VariantKind.MNV, 0),
        ("A", "GT", VariantKind.COMPLEX, 1),
        ("AC", "G", VariantKind.COMPLEX, -1),
        ("ACG", "TA", VariantKind.COMPLEX, -1),
    ],
)
def test_a_variant_is_told_by_what_it_does(ref, alt, kind, change):
    variants = variants_of([("C", "T"), (ref, alt)])
    assert kinds_of(variants)[1] == kind
    assert length_changes(variants)[1] == change


def draw_panel(seed, n=800, groups=3):
    draw = random.Random(seed)
    alleles, cells = [], []
    for _ in range(n):
        ref = "".join(draw.choices("ACGT", k=draw.choice((1, 1, 1, 2, 30))))
        alt = "".join(draw.choices("ACGT", k=draw.choice((1, 1, 1, 3, 28))))
        alleles.append((ref, alt if alt != ref else "ACGT"["CGTA".index(alt[0])] + alt[1:]))
        row = []
        for _ in range(groups):
            state = draw.choice(list(State))
            an = (
                draw.choice((0, 1, 20, 100))
                if state in (State.OBSERVED, State.ABSENT_CALLABLE)
                else -1
            )
            ac = -1 if an < 0 else draw.choice((0, 0, an // 100, an // 20, an // 5, an // 2, an))
            rate = (
                draw.choice((0.0, 0.3, 0.5, 0.79, 0.8, 0.95, 0.98, 0.999, 1.0))
                if an >= 0
                else np.nan
            )
            row.append((ac, an, int(state), rate))
        cells.append(row)
    return alleles, cells


def add(tally, alleles, cells, **options):
    table = np.array([[cell[:3] for cell in row] for row in cells], np.int32)
    rates = np.array([[cell[3] for cell in row] for row in cells], np.float32)
    nothing = np.zeros(table.shape[:2], np.int32)
    counts = ReleasedCounts(
        table[:, :, 0], table[:, :, 1], nothing, nothing, table[:, :, 2].astype(np.int8)
    )
    tally.add("chr1", variants_of(alleles), counts, rates, **options)


def by_hand(alleles, cells):
    """Count cell by cell."""
    states, changes, rates, lengths = Counter(), Counter(), Counter(), Counter()
    for (ref, alt), row in zip(alleles, cells, strict=True):
        if ref[0] == alt[0] and min(len(ref), len(alt)) == 1:
            change = len(alt) - len(ref)
            lengths[max(-LONGEST_CHANGE - 1, min(change, LONGEST_CHANGE + 1))] += 1
        for g, (ac, an, state, rate) in enumerate(row):
            states[g, state] += 1
            if state in (State.MASKED, State.NOT_CALLABLE):
                continue
            rates[g, max(i for i, low in enumerate(CALL_RATES) if rate >= low)] += 1
            if len(ref) == len(alt) == 1 and 0 < ac < an:
                is_transversion = {ref, alt} not in ({"A", "G"}, {"C", "T"})
                (found,) = (
                    i
                    for i in range(len(FREQUENCIES) - 1)
                    if FREQUENCIES[i] < ac / an <= FREQUENCIES[i + 1]
                )
                changes[g, found, int(is_transversion)] += 1
    return states, changes, rates, lengths


@pytest.mark.parametrize("seed", range(3))
def test_every_count_is_that_of_counting_cell_by_cell(seed):
    alleles, cells = draw_panel(seed)
    tally = ReleaseTally(3)
    add(tally, alleles, cells, autosome=True)
    states, changes, rates, lengths = by_hand(alleles, cells)
    for found, expected in (
        (tally.states, states), (tally.changes, changes), (tally.call_rates, rates),
    ):  # fmt: skip
        assert {k: n for k, n in np.ndenumerate(found) if n} == {
            k: n for k, n in expected.items() if n
        }
        assert found.sum() > 50
    assert {i - LONGEST_CHANGE - 1: n for i, n in enumerate(tally.lengths.tolist()) if n} == dict(
        lengths
    )
    assert tally.kinds["chr1"].sum() == len(alleles) == tally.autosomal_variants


def test_it_does_not_matter_how_variants_are_cut():
    alleles, cells = draw_panel(7)
    whole, cut = ReleaseTally(3), ReleaseTally(3)
    add(whole, alleles, cells, autosome=True)
    for start in range(0, len(alleles), 33):
        add(cut, alleles[start : start + 33], cells[start : start + 33], autosome=True)
    for name in ("states", "lengths", "changes", "call_rates"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(whole, name))


def test_base_changes_are_of_autosomes_alone():
    alleles, cells = draw_panel(1)
    tally = ReleaseTally(3)
    add(tally, alleles, cells, autosome=False)
    assert tally.changes.sum() == 0
    assert tally.states.sum() == 3 * len(alleles)
