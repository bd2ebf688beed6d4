"""Lifting alleles: every haplotype that a record speaks of is the same one on the other build."""

import numpy as np

from afpanel.constants import Flag, Outcome
from afpanel.core.lifted_alleles import LiftedAlleles, LiftSites, lift_alleles, reach
from afpanel.core.liftover import Blocks, place
from afpanel.core.strings import Strings

COMPLEMENT = str.maketrans("ACGT", "TGCA")
Edit = tuple[int, int, str]
"""Start and end, 0-based and half-open, and what stands there instead."""


def apply(sequence: str, edit: Edit) -> str:
    start, end, bases = edit
    return sequence[:start] + bases + sequence[end:]


def turned(sequence: str) -> str:
    return sequence.translate(COMPLEMENT)[::-1]


def blocks_of(pieces: list[tuple[int, int, int]], length: int, *, reverse: bool) -> Blocks:
    """Blocks of one chain, from (source start, panel start, size); reversed, the panel is turned."""
    columns = np.array([piece for piece in pieces if piece[2]], np.int64).reshape(-1, 3)
    start, to, size = columns.T.copy()
    first = length - 1 - to if reverse else to
    n = len(start)
    return Blocks.of(
        start, start + size, np.zeros(n, np.int32), np.zeros(n, np.int32), first,
        np.full(n, reverse),
    )  # fmt: skip


def sites_of(position: int, ref: str, alts: list[str]) -> LiftSites:
    n = len(alts)
    return LiftSites(
        np.zeros(n, np.int64),
        np.full(n, position, np.int32),
        Strings.of([ref] * n),
        Strings.of(alts),
        np.arange(1, n + 1, dtype=np.int32),
        np.zeros(n, np.int32),
    )


def lifted(
    sites: LiftSites, blocks: Blocks, source: str, panel: str
) -> tuple[Outcome, LiftedAlleles | None]:
    bases, other = (np.frombuffer(text.encode(), np.uint8) for text in (source, panel))
    places = place(blocks, sites.start, sites.end, *reach(sites, bases))
    if (places.outcome != Outcome.KEPT).any():
        return Outcome(places.outcome[0]), None
    return Outcome.KEPT, lift_alleles(sites, places, bases, other)


def rows_of(result: LiftedAlleles) -> list[tuple[int, Edit]]:
    """Number of the source allele, and edit of the panel, of every kept allele."""
    kept = result.outcome == Outcome.KEPT
    columns = (result.index, result.position, result.ref.objects(), result.alt.objects())
    listed = zip(*(np.asarray(column)[kept].tolist() for column in columns), strict=True)
    return [(i, (pos - 1, pos - 1 + len(ref), alt)) for i, pos, ref, alt in listed]


def repetitive(rng: np.random.Generator, length: int) -> str:
    text = ""
    while len(text) < length:
        unit = "".join(rng.choice(list("ACGT"), rng.integers(1, 4)))
        text += unit * int(rng.integers(1, 6))
    return text[:length]


def random_edit(rng: np.random.Generator, sequence: str, low: int, high: int) -> Edit:
    """A substitution, insertion or deletion, often of copies of what stands there."""
    start = int(rng.integers(low, high))
    kind = rng.integers(3)
    size = int(rng.integers(1, 4))
    if kind == 0:
        return start, start + 1, str(rng.choice([b for b in "ACGT" if b != sequence[start]]))
    if kind == 1:
        return start, start + size, ""
    bases = sequence[start : start + size] if rng.random() < 0.6 else repetitive(rng, size)
    return start, start, bases


def as_record(sequence: str, edit: Edit, spare: int) -> tuple[int, str, str]:
    start, end, bases = edit
    at = start - spare
    return at + 1, sequence[at:end], sequence[at:start] + bases


def test_haplotypes_of_a_record_are_the_same_on_both_builds() -> None:
    rng = np.random.default_rng(4)
    tally = dict.fromkeys(("kept", "swapped", "new", "unmapped", "lift_ref_mismatch"), 0)
    for trial in range(6000):
        source = repetitive(rng, 60)
        change = random_edit(rng, source, 24, 36)
        variant = random_edit(rng, source, 24, 36)
        if trial % 3 == 0:  # the other build has the very allele
            variant = change
        start, end, bases = change
        panel = apply(source, change)
        if len(bases) == end - start:
            pieces = [(0, 0, len(source))]
        else:
            pieces = [(0, 0, start), (end, start + len(bases), len(source) - end)]
        reverse = bool(rng.integers(2))
        blocks = blocks_of(pieces, len(panel), reverse=reverse)
        there = turned(panel) if reverse else panel
        spare = 1 if variant[1] - variant[0] != len(variant[2]) else int(rng.integers(3) == 0)
        position, ref, alt = as_record(source, variant, spare)
        outcome, result = lifted(sites_of(position, ref, [alt]), blocks, source, there)
        if result is None:
            tally[outcome.name.lower()] += 1
            continue
        if (result.outcome != Outcome.KEPT).any():
            assert (result.outcome == Outcome.LIFT_REF_MISMATCH).all()
            tally["lift_ref_mismatch"] += 1
            continue
        edits = dict(rows_of(result))
        assert len(edits) == len(result.outcome)
        on_panel = [apply(there, edits[i]) if i in edits else there for i in (0, 1)]
        if reverse:
            on_panel = [turned(haplotype) for haplotype in on_panel]
        on_source = [source, apply(source, variant)]
        if 0 in edits:
            # What was REF is a variant: the record holds the difference of the builds.
            assert on_panel == on_source
            tally["swapped" if 1 not in edits else "new"] += 1
            assert bool(result.flags[0] & Flag.SWAPPED) == (1 not in edits)
        else:
            # The difference lies elsewhere, or is undone by the allele in part.
            assert on_panel[0] == panel
            both = on_panel[1] == on_source[1] or any(
                on_panel[1] == apply(apply(source, later), earlier)
                for later, earlier in ((change, variant), (variant, change))
                if earlier[1] <= later[0]
            )
            assert both, (source, change, variant, on_panel)
            tally["kept"] += 1
    assert min(tally.values()) > 50, tally
