"""Lifting records of several alleles, in any spelling, between builds that differ in several places."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lifting import (
    Edit,
    applied,
    apply,
    array,
    blocks_of,
    lifted,
    pieces_of,
    placed,
    random_edit,
    repetitive,
    rolled,
    rows_of,
    sites_of,
    turned,
)

from afpanel.constants import Flag, Outcome
from afpanel.core.lifted_alleles import LiftedAlleles, LiftSites, lift_alleles
from afpanel.core.liftover import Blocks
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants, concatenate

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True)


# ---------------------------------------------------------------------------------------------
# Single bases

BASES = "ACGT"
RECORDS = [
    (ref, alts)
    for ref in BASES
    for n in (1, 2, 3)
    for alts in combinations([base for base in BASES if base != ref], n)
]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("base", BASES)
def test_single_bases_are_held_against_the_base_that_the_panel_has(
    base: str, *, reverse: bool
) -> None:
    for ref, alts in RECORDS:
        before, after = "TTGAC", "GATCC"
        source, panel = before + ref + after, before + base + after
        there = turned(panel) if reverse else panel
        blocks = blocks_of([(0, 0, 11)], 11, reverse=reverse)
        outcome, result = lifted(sites_of(6, ref, list(alts)), blocks, source, there)
        assert outcome is Outcome.KEPT
        carried = {0: ref} | dict(enumerate(alts, 1))
        expected = {i: allele for i, allele in carried.items() if allele != base}
        found = {i: edit[2] if not reverse else turned(edit[2]) for i, edit in rows_of(result)}
        assert found == expected
        assert len(result.row) == len(expected)
        assert set(result.position.tolist()) == {6}
        assert set(result.ref.objects()) == {there[5]}
        assert (result.differs == (base != ref)).all()
        swapped = (result.flags & Flag.SWAPPED) > 0
        assert swapped.all() if base in alts else not swapped.any()
        new = (result.flags & Flag.NEW_REFERENCE) > 0
        assert new.tolist() == result.is_ref.tolist()
        assert int(new.sum()) == (base != ref and base not in alts)
        assert (result.index[new] == 0).all()
        assert ((result.flags & Flag.LIFTED) > 0).all()


@pytest.mark.parametrize(
    ("there", "alts", "expected"),
    [
        ("ACG", ["GTT", "A"], {1: "GTT", 2: "A"}),
        ("GTT", ["GTT", "A"], {0: "ACG", 2: "A"}),
        ("GTT", ["ACC", "GTT", "GCG"], {0: "ACG", 1: "ACC", 3: "GCG"}),
        ("ATG", ["GTT", "A"], None),
        ("GCG", ["GTT", "CTT"], None),
    ],
)
@pytest.mark.parametrize("reverse", [False, True])
def test_several_bases_are_swapped_or_rejected_where_the_panel_has_others(
    there: str, alts: list[str], expected: dict[int, str] | None, *, reverse: bool
) -> None:
    """One base off says nothing of the record's haplotypes, unless one of them is the panel's."""
    source, panel = "TTCATACGCATCC", f"TTCAT{there}CATCC"
    blocks = blocks_of([(0, 0, 13)], 13, reverse=reverse)
    on_panel = turned(panel) if reverse else panel
    _, result = lifted(sites_of(6, "ACG", alts), blocks, source, on_panel)
    if expected is None:
        assert (result.outcome == Outcome.LIFT_REF_MISMATCH).all()
        assert len(result.row) == len(alts)
        return
    found = {i: apply(on_panel, edit) for i, edit in rows_of(result)}
    wanted = {i: f"TTCAT{allele}CATCC" for i, allele in expected.items()}
    assert found == ({i: turned(text) for i, text in wanted.items()} if reverse else wanted)


def test_an_unknown_base_of_the_panel_is_no_reference() -> None:
    blocks = blocks_of([(0, 0, 9)], 9, reverse=False)
    for position, ref, alts in ((5, "A", ["C", "G"]), (4, "CA", ["C", "CAA"])):
        _, result = lifted(sites_of(position, ref, alts), blocks, "TTGCAGGTT", "TTGCNGGTT")
        assert (result.outcome == Outcome.LIFT_REF_MISMATCH).all()


# ---------------------------------------------------------------------------------------------
# Haplotypes

Record = tuple[int, str, list[str], list[Edit]]
"""POS, REF, the ALTs, and the edit that each of them is."""


def random_changes(rng: np.random.Generator, source: str) -> list[Edit]:
    """One to three changes between the builds, in order and apart."""
    changes = sorted(random_edit(rng, source, 6, 44) for _ in range(rng.integers(1, 4)))
    if any(one[1] + 1 >= other[0] for one, other in pairwise(changes)):
        return random_changes(rng, source)
    return changes


def random_record(rng: np.random.Generator, source: str, changes: list[Edit]) -> Record:
    """A record of one to four ALTs of any kind; one of them may be a change of the builds."""
    middle = int(rng.integers(16, 34))
    edits = [random_edit(rng, source, middle, middle + 4) for _ in range(rng.integers(1, 5))]
    if rng.random() < 0.4:
        edits[-1] = changes[int(rng.integers(len(changes)))]
    start, end = min(e[0] for e in edits), max(e[1] for e in edits)
    single = all(e[1] - e[0] == len(e[2]) == end - start == 1 for e in edits)
    if not single:
        # Something has to be left of every allele, and programmes write more than they must.
        start -= int(rng.integers(1, 3))
    end = max(end + int(rng.integers(3)) * (not single), start + 1)
    alts = {source[start : e[0]] + e[2] + source[e[1] : end]: e for e in edits}
    alts.pop(source[start:end], None)
    if not alts:
        return random_record(rng, source, changes)
    return start + 1, source[start:end], list(alts), list(alts.values())


@pytest.mark.parametrize(
    ("trials", "least"), [(2000, 40), pytest.param(5000, 100, marks=pytest.mark.long)]
)
def test_every_allele_has_its_haplotype_whatever_the_record_and_the_builds(
    trials: int, least: int
) -> None:
    rng = np.random.default_rng(12)
    tally = dict.fromkeys(("kept", "swapped", "new", "unmapped", "lift_ref_mismatch"), 0)
    for _ in range(trials):
        source = repetitive(rng, 50)
        changes = random_changes(rng, source)
        position, ref, alts, edits = random_record(rng, source, changes)
        panel = applied(source, changes)
        reverse = bool(rng.integers(2))
        blocks = blocks_of(pieces_of(changes, len(source)), len(panel), reverse=reverse)
        there = turned(panel) if reverse else panel
        sites = sites_of(position, ref, alts)
        outcome, result = lifted(sites, blocks, source, there)
        if result is None:
            tally[outcome.name.lower()] += 1
            continue
        if (result.outcome != Outcome.KEPT).any():
            # A record is rejected as a whole.
            assert (result.outcome == Outcome.LIFT_REF_MISMATCH).all()
            assert len(result.row) == len(alts)
            tally["lift_ref_mismatch"] += 1
            continue
        places = placed(sites, blocks, source)
        low, high = int(places.source_start[0]), int(places.source_end[0])
        inside = [c for c in changes if low <= c[0] and c[1] <= high]
        inside = [c for c in inside if c[0] < c[1] or low < c[0] < high]
        outside = [c for c in changes if c not in inside]
        for edit in edits:
            if edit[1] - edit[0] != len(edit[2]):
                # Bases that are missing within the repeat of any ALT are the record's to tell.
                first, last = rolled(source, edit)
                gaps = [c for c in outside if c[1] - c[0] != len(c[2])]
                assert not any(first < c[0] and c[1] < last for c in gaps)
        rows = dict(rows_of(result))
        assert len(rows) == len(result.row)
        # An allele without a row is the panel's reference.
        found = [apply(there, rows[i]) if i in rows else there for i in range(len(alts) + 1)]
        found = [turned(haplotype) for haplotype in found] if reverse else found
        own = [[], *([edit] for edit in edits)]
        assert found == [applied(source, [*outside, *edit]) for edit in own], (
            source, changes, position, ref, alts,
        )  # fmt: skip
        assert (result.differs == (applied(source, inside) != source)).all()
        missing = set(range(len(alts) + 1)) - set(rows)
        assert len(missing) == (0 if result.is_ref.any() else 1)
        tally["new" if not missing else "kept" if missing == {0} else "swapped"] += 1
    assert min(tally.values()) > least, tally


def test_records_do_not_depend_on_their_neighbours() -> None:
    rng = np.random.default_rng(13)
    for trial in range(150):
        source = repetitive(rng, 50)
        changes = random_changes(rng, source)
        panel = applied(source, changes)
        blocks = blocks_of(pieces_of(changes, len(source)), len(panel), reverse=trial % 2 == 0)
        there = turned(panel) if trial % 2 == 0 else panel
        every = [sites_of(*random_record(rng, source, changes)[:3]) for _ in range(8)]
        kept = [s for s in every if (placed(s, blocks, source).outcome == Outcome.KEPT).all()]
        if not kept:
            continue
        together = LiftSites(
            np.concatenate([np.full(len(s.record), i) for i, s in enumerate(kept)]),
            concatenate([s.written for s in kept]),
            np.concatenate([s.index for s in kept]),
            np.concatenate([s.ref_index for s in kept]),
        )
        places = placed(together, blocks, source)
        found = listed(lift_alleles(together, places, array(source), array(there)))
        expected, first = [], 0
        for sites in kept:
            _, result = lifted(sites, blocks, source, there)
            expected += [(first + row, *rest) for row, *rest in listed(result)]
            first += len(sites.record)
        assert sorted(found) == sorted(expected)


def listed(result: LiftedAlleles) -> list[tuple]:
    columns = [result.row, result.is_ref, result.outcome, result.flags, result.index]
    texts = [result.position, result.ref.objects(), result.alt.objects(), result.differs]
    return list(zip(*(np.asarray(c).tolist() for c in (*columns, *texts)), strict=True))


# ---------------------------------------------------------------------------------------------
# Spellings

SEQUENCE = st.text(BASES, min_size=6, max_size=8)
UNIT = st.text(BASES, min_size=1, max_size=3)


def spellings(source: str, edit: Edit) -> list[tuple[int, str, str]]:
    """Every way to write an insertion or deletion between the bases around its repeat."""
    wanted, size = apply(source, edit), edit[1] - edit[0]
    n = len(edit[2])
    rolled = [
        (at, at + size, bases)
        for at in range(1, len(source) - size)
        for bases in {wanted[at : at + n]}
        if apply(source, (at, at + size, bases)) == wanted
    ]
    low, high = rolled[0][0] - 1, rolled[-1][1] + 1
    return [
        (start + 1, source[start:end], source[start:at] + bases + source[until:end])
        for at, until, bases in rolled
        for start in range(low, at + 1)
        for end in range(max(until, start + 1), high + 1)
        if start < at or end > until
    ]


def forms(written: list[tuple[int, str, str]], blocks: Blocks, source: str, there: str) -> set:
    """Lift every spelling; gives what must not depend on it, which is all but what was trimmed."""
    position, ref, alt = zip(*written, strict=True)
    n = len(written)
    one = np.ones(n, np.int32)
    variants = Variants(np.array(position, np.int32), Strings.of(ref), Strings.of(alt))
    sites = LiftSites(np.arange(n), variants, one, 0 * one)
    places = placed(sites, blocks, source)
    kept = np.flatnonzero(places.outcome == Outcome.KEPT)
    result = lift_alleles(sites.take(kept), places.take(kept), array(source), array(there))
    found = {i: [] for i in range(len(kept))}
    for each in listed(result):
        found[each[0]].append((*each[1:3], *each[4:]))
    others = {Outcome(code).name for code in places.outcome.tolist()} - {"KEPT"}
    return {repr(sorted(set(each))) for each in found.values()} | others


@SETTINGS
@given(SEQUENCE, SEQUENCE, UNIT, st.integers(3, 6), st.integers(-2, 2),
       st.sampled_from([-2, -1, 1, 2]), st.booleans())  # fmt: skip
def test_a_copy_more_or_less_is_lifted_alike_however_it_and_the_gap_are_written(
    before: str, after: str, unit: str, copies: int, change: int, variant: int, reverse: bool
) -> None:
    """Two builds may differ by copies of one repeat, and a chain puts their gap anywhere in it."""
    source = before + unit * copies + after
    at, n = len(before), len(unit)
    edit = (at, at, unit * variant) if variant > 0 else (at, at - n * variant, "")
    written = spellings(source, edit)
    panel = before + unit * (copies + change) + after
    there = turned(panel) if reverse else panel
    more, less = n * max(change, 0), n * max(-change, 0)
    results = set()
    for gap in range(at, at + n * copies - less + 1) if change else [at]:
        pieces = [(0, 0, gap), (gap + less, gap + more, len(source) - gap - less)]
        if not change:
            pieces = [(0, 0, len(source))]
        blocks = blocks_of(pieces, len(panel), reverse=reverse)
        results |= forms(written, blocks, source, there)
    assert len(results) == 1, results


def test_every_spelling_of_an_indel_is_lifted_alike() -> None:
    """The builds differ by some bases, in the repeat or elsewhere."""
    rng = np.random.default_rng(14)
    n_several = 0
    for _ in range(600):
        source = repetitive(rng, 40)
        edit = random_edit(rng, source, 12, 26)
        if edit[1] - edit[0] == len(edit[2]):
            continue
        written = spellings(source, edit)
        changes = [c for c in random_changes(rng, source + "A" * 10) if c[1] < 38]
        panel = applied(source, changes)
        reverse = bool(rng.integers(2))
        blocks = blocks_of(pieces_of(changes, len(source)), len(panel), reverse=reverse)
        there = turned(panel) if reverse else panel
        assert len(forms(written, blocks, source, there)) == 1, (source, changes, edit)
        n_several += len(written) > 10
    assert n_several > 100
