"""Two builds of a few bases, and what lifting makes of a record between them."""

import numpy as np

from afpanel.constants import Outcome
from afpanel.core.lifted_alleles import LiftedAlleles, LiftSites, lift_alleles, reach
from afpanel.core.liftover import Blocks, Places, place
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants

COMPLEMENT = str.maketrans("ACGT", "TGCA")
Edit = tuple[int, int, str]
"""Start and end, 0-based and half-open, and what stands there instead."""


def apply(sequence: str, edit: Edit) -> str:
    start, end, bases = edit
    return sequence[:start] + bases + sequence[end:]


def applied(sequence: str, edits: list[Edit]) -> str:
    """Apply edits that are apart."""
    for edit in sorted(edits, reverse=True):
        sequence = apply(sequence, edit)
    return sequence


def turned(sequence: str) -> str:
    return sequence.translate(COMPLEMENT)[::-1]


def pieces_of(changes: list[Edit], length: int) -> list[tuple[int, int, int]]:
    """Pieces of a source that has become a panel by changes that are apart, in order."""
    pieces, at, shift = [], 0, 0
    for start, end, bases in changes:
        if end - start != len(bases):
            pieces.append((at, at + shift, start - at))
            at, shift = end, shift + len(bases) - (end - start)
    return [*pieces, (at, at + shift, length - at)]


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
        Variants(np.full(n, position, np.int32), Strings.of([ref] * n), Strings.of(alts)),
        np.arange(1, n + 1, dtype=np.int32),
        np.zeros(n, np.int32),
    )


def array(sequence: str) -> np.ndarray:
    return np.frombuffer(sequence.encode(), np.uint8)


def placed(sites: LiftSites, blocks: Blocks, source: str) -> Places:
    written = sites.written
    spans = reach(written, sites.record, array(source))
    return place(blocks, written.start, written.end, *spans)


def lifted(
    sites: LiftSites, blocks: Blocks, source: str, panel: str
) -> tuple[Outcome, LiftedAlleles | None]:
    places = placed(sites, blocks, source)
    if (places.outcome != Outcome.KEPT).any():
        return Outcome(places.outcome[0]), None
    return Outcome.KEPT, lift_alleles(sites, places, array(source), array(panel))


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


def rolled(sequence: str, edit: Edit) -> tuple[int, int]:
    """Find the bases that an insertion or deletion could be moved over, and one on either side."""
    wanted = apply(sequence, edit)
    start, end, bases = edit
    size, n = end - start, len(bases)
    spans = [
        (at, at + size)
        for at in range(len(sequence) - size + 1)
        if apply(sequence, (at, at + size, wanted[at : at + n])) == wanted
    ]
    return max(spans[0][0] - 1, 0), min(spans[-1][1] + 1, len(sequence))


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
