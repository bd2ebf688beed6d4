"""Lifted callable regions: whoever is silent there has the panel's reference, at every variant."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from tests.lifting import (
    Edit,
    applied,
    array,
    pieces_of,
    random_edit,
    repetitive,
    rolled,
    turned,
)

from afpanel.constants import Outcome
from afpanel.core.alleles import normalize
from afpanel.core.intervals import Intervals
from afpanel.core.lifted_regions import differences
from afpanel.core.liftover import FARTHEST, SEVERAL, Blocks, lift
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants

NOWHERE = Intervals(np.empty(0, np.int64), np.empty(0, np.int64))
WHOLE = (np.array([0]), np.array([10**6]))


@dataclass(frozen=True)
class Builds:
    """Two builds, and how a chain file aligns them.

    Parameters
    ----------
    source, panel
        One contig of each.
    blocks
        Of the source's contig.
    changes
        Edits of the panel, in order, that someone with the source's reference carries. None is across
        an end of the middle part.
    middle
        Start and end of the part of the panel that stands the other way round in the source.
    """

    source: str
    panel: str
    blocks: Blocks
    changes: list[Edit]
    middle: tuple[int, int]


Row = tuple[int, int, int, int, bool]
"""Start and end of a block, its chain, where its first base is on the panel, and whether it is turned."""


def blocks_of_rows(rows: list[Row]) -> Blocks:
    start, end, chain, first, reverse = (np.array(column) for column in zip(*rows, strict=True))
    return Blocks.of(
        start, end, chain.astype(np.int32), np.zeros(len(rows), np.int32), first, reverse
    )


def builds(panel: str, changes: list[Edit], middle: tuple[int, int]) -> Builds:
    """Make the source's build of the panel's by changes, and turn its middle."""
    low, high = middle
    parts, rows = [], []
    offset = 0
    for number, (start, end) in enumerate(((0, low), (low, high), (high, len(panel)))):
        own = [(s - start, e - start, bases) for s, e, bases in changes if start <= s and e <= end]
        part = applied(panel[start:end], own)
        for there, here, size in pieces_of(own, end - start):
            if not size:
                continue
            if number == 1:
                at = offset + len(part) - here - size
                rows.append((at, at + size, 1, start + there + size - 1, True))
            else:
                at = offset + here
                rows.append((at, at + size, 0, start + there, False))
        parts.append(turned(part) if number == 1 else part)
        offset += len(part)
    return Builds("".join(parts), panel, blocks_of_rows(rows), changes, middle)


def random_builds(rng: np.random.Generator) -> Builds:
    """Builds that differ in single bases, copies of repeats, and whole words."""
    panel = repetitive(rng, 260)
    middle = (100, 100 + int(rng.integers(20, 80)))
    changes: list[Edit] = []
    for _ in range(rng.integers(1, 12)):
        change = random_edit(rng, panel, 3, 252)
        if rng.random() < 0.2:
            start, size = change[0], int(rng.integers(1, 4))
            change = (start, start + size, repetitive(rng, int(rng.integers(1, 4))))
        if panel[change[0] : change[1]] != change[2]:
            changes.append(change)
    changes.sort()
    ends = [(end, end, "") for end in middle]
    kept: list[Edit] = []
    for change in changes:
        before, after = kept[-1:], [end for end in ends if end[0] > change[0] - 2]
        apart = all(one[1] + 1 < change[0] for one in before)
        if apart and all(change[1] + 1 < end[0] for end in after):
            kept.append(change)
    return builds(panel, kept, middle)


def callable_of(made: Builds) -> Intervals:
    """What is lifted of a BED that has all of the source."""
    lifted = lift(made.blocks, Intervals.of(*WHOLE)).get(0, NOWHERE)
    holes = differences(made.blocks, 0, array(made.source), array(made.panel))
    return lifted.without(holes)


def runs(made: Builds, length: int) -> list[Edit]:
    """Every so many neighbouring differences as one edit of the panel."""
    ends = [0, *made.middle, len(made.panel)]
    found = []
    for low, high in pairwise(ends):
        part = [c for c in made.changes if low <= c[0] and c[1] <= high]
        for first in range(len(part) - length + 1):
            chosen = part[first : first + length]
            start, end = chosen[0][0], chosen[-1][1]
            moved = [(s - start, e - start, bases) for s, e, bases in chosen]
            found.append((start, end, applied(made.panel[start:end], moved)))
    return found


def canonical(panel: str, edits: list[Edit]) -> Variants:
    """Edits as variants, trimmed and left-aligned, without those that change nothing."""
    # All with a base before, which is trimmed where it is not needed.
    refs = [panel[start - 1 : end] for start, end, _ in edits]
    alts = [panel[start - 1] + bases for start, _, bases in edits]
    position = np.array([start for start, _, _ in edits], np.int32)
    normal = normalize(position, Strings.of(refs), Strings.of(alts), array(panel))
    assert np.isin(normal.outcome, (Outcome.KEPT, Outcome.NOT_A_VARIANT)).all()
    rows = np.flatnonzero(normal.outcome == Outcome.KEPT)
    return Variants(normal.position, normal.ref, normal.alt).take(rows)


def is_indel(variants: Variants) -> np.ndarray:
    n_ref, n_alt = variants.ref.lengths, variants.alt.lengths
    return (n_ref != n_alt) & (np.minimum(n_ref, n_alt) == 1)


@pytest.mark.parametrize("seed", range(4))
def test_no_variant_of_the_silent_lies_in_a_lifted_region(seed: int) -> None:
    """Neighbouring differences may be one variant together, which may stand where none of them does."""
    rng = np.random.default_rng(seed)
    n_carried = n_callable = n_panel = 0
    for _ in range(150):
        made = random_builds(rng)
        regions = callable_of(made)
        for length in range(1, 5):
            variants = canonical(made.panel, runs(made, length))
            if length > 1:
                # What is one insertion or deletion, an alignment does not write as several changes.
                variants = variants.take(np.flatnonzero(~is_indel(variants)))
            wrong = regions.contains(variants.start, variants.end)
            assert not wrong.any(), (made, variants.position[wrong])
            n_carried += len(wrong)
        n_callable += int((regions.end - regions.start).sum())
        n_panel += len(made.panel)
    assert n_carried > 500
    assert n_callable > 0.5 * n_panel


def trimmed(panel: str, edit: Edit) -> Edit:
    start, end, bases = edit
    while start < end and bases and panel[end - 1] == bases[-1]:
        end, bases = end - 1, bases[:-1]
    while start < end and bases and panel[start] == bases[0]:
        start, bases = start + 1, bases[1:]
    return start, end, bases


@pytest.mark.parametrize("seed", range(4, 6))
def test_lifted_regions_are_all_that_the_builds_have_in_common(seed: int) -> None:
    """No more is left out than bases that differ, ends of blocks, and repeats beside gaps."""
    rng = np.random.default_rng(seed)
    for _ in range(100):
        made = random_builds(rng)
        there, panel = made.blocks, made.panel
        expected = set()
        bases: dict[int, str] = {}
        for i in range(len(there)):
            position = np.arange(there.start[i], there.end[i])
            to = there.to(np.full(len(position), i), position)
            text = made.source[there.start[i] : there.end[i]]
            text = turned(text)[::-1] if there.reverse[i] else text
            bases |= dict(zip(to.tolist(), text, strict=True))
            expected |= set(to.tolist()[1:-1])
        expected -= {at for at, base in bases.items() if panel[at] != base}
        for change in made.changes:
            edit = trimmed(panel, change)
            if (edit[0] == edit[1]) != (edit[2] == "") and change[1] - change[0] != len(change[2]):
                expected -= set(range(*rolled(panel, edit)))
        regions = callable_of(made)
        pairs = zip(regions.start.tolist(), regions.end.tolist(), strict=True)
        assert {at for span in pairs for at in range(*span)} == expected


def test_a_base_of_several_chains_speaks_of_none_of_its_places() -> None:
    rng = np.random.default_rng(6)
    panel = "".join(rng.choice(list("ACGT"), 400))
    source = panel[:200]
    rows: list[Row] = [(0, 200, 0, 0, False), (50, 80, 1, 250, False)]
    blocks = blocks_of_rows(rows)
    assert (blocks.chain == SEVERAL).any()
    regions = callable_of(Builds(source, panel, blocks, [], (0, 0)))
    assert list(zip(regions.start.tolist(), regions.end.tolist(), strict=True)) == [
        (1, 49),
        (81, 199),
    ]


def test_a_repeat_is_left_out_wherever_the_chain_puts_its_gap() -> None:
    """The panel has three copies, the source four, or two."""
    before, after = "TTGACCGATG", "GGTCATTCAG"
    panel = before + "CAT" * 3 + after
    for copies in (2, 4):
        source = before + "CAT" * copies + after
        found = set()
        for at in range(10, 17 if copies == 2 else 20):
            more, less = (0, 3) if copies == 2 else (3, 0)
            rows: list[Row] = [
                (0, at, 0, 0, False),
                (at + more, len(source), 0, at + less, False),
            ]
            made = Builds(source, panel, blocks_of_rows(rows), [], (0, 0))
            regions = callable_of(made)
            found.add((tuple(regions.start.tolist()), tuple(regions.end.tolist())))
        assert found == {((1, 20), (9, 28))}


@pytest.mark.parametrize("size", [FARTHEST, FARTHEST + 1])
def test_a_gap_of_any_length_leaves_out_the_ends_of_its_blocks(size: int) -> None:
    rng = np.random.default_rng(7)
    panel = "".join(rng.choice(list("ACGT"), size + 40))
    source = panel[:20] + panel[size + 20 :]
    rows: list[Row] = [(0, 20, 0, 0, False), (20, 40, 0, size + 20, False)]
    regions = callable_of(Builds(source, panel, blocks_of_rows(rows), [], (0, 0)))
    inside = [at for span in zip(regions.start, regions.end, strict=True) for at in range(*span)]
    assert set(inside) <= {*range(1, 19), *range(size + 21, size + 39)}
    assert len(inside) > 20


def test_what_a_chain_gap_holds_may_be_aligned_by_another_chain() -> None:
    """The source has a word twice; the second chain leads its other copy to the panel's one."""
    before, word, after = "TTGACCGATTAGTC", "CATTGGACAGTCAA", "GGTCATTCAGACCT"
    panel, source = before + word + after, before + word + word + after
    low, n = len(before), len(word)
    variants = canonical(panel, [(low, low, word)])
    # The gap stands left of the copies, or right of them.
    for gap, to in ((low, low), (low + n, low + n)):
        rows: list[Row] = [
            (0, gap, 0, 0, False),
            (gap, gap + n, 1, low, False),
            (gap + n, len(source), 0, to, False),
        ]
        made = Builds(source, panel, blocks_of_rows(rows), [], (0, 0))
        assert not callable_of(made).contains(variants.start, variants.end).any(), gap
