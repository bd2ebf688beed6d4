"""Swapped alleles and those of the other strand, against rules written out one by one."""

import itertools

import numpy as np
import pytest

from afpanel.constants import Flag, Outcome
from afpanel.core.strand import SnvTally, Verdict, resolve, single_bases, tally

COMPLEMENT = dict(zip("ACGT", "TGCA", strict=True))
KEPT, MISMATCH, DOUBT = Outcome.KEPT, Outcome.REF_MISMATCH, Outcome.AMBIGUOUS_STRAND


def code(bases: str) -> np.ndarray:
    return np.frombuffer(bases.encode(), np.uint8)


def expected(
    ref: str, alt: str, base: str, verdict: Verdict, *, swap: bool, strand: bool
) -> tuple[Outcome, Flag, str, int]:
    """One biallelic record, by the rules: outcome, flags, ALT, and which allele is counted."""
    forward, reverse = base in (ref, alt), COMPLEMENT[base] in (ref, alt)
    if forward and reverse and strand and verdict is Verdict.MIXED:
        return DOUBT, Flag(0), "", 0
    turned = strand and (
        (forward and reverse and verdict is Verdict.REVERSE)
        or (reverse and not forward and verdict in (Verdict.REVERSE, Verdict.MIXED))
    )
    if turned:
        ref, alt = COMPLEMENT[ref], COMPLEMENT[alt]
    flag = Flag.FLIPPED if turned else Flag(0)
    if ref == base:
        return KEPT, flag, alt, 1
    if alt == base and swap and verdict is not Verdict.UNEXPLAINED:
        return KEPT, flag | Flag.SWAPPED, ref, 0
    return MISMATCH, Flag(0), "", 0


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize(("swap", "strand"), list(itertools.product([True, False], repeat=2)))
def test_every_record_of_two_alleles_is_resolved_by_the_rules(
    verdict: Verdict, swap: bool, strand: bool
) -> None:
    cases = [(r, a, b) for r, a, b in itertools.product("ACGT", repeat=3) if r != a]
    refs, alts, bases = (code("".join(column)) for column in zip(*cases, strict=True))
    snvs = single_bases(np.arange(len(cases), dtype=np.int32), refs, alts, bases)
    index = np.ones(len(cases), np.int32)
    found = resolve(snvs, index, verdict, swap=swap, strand=strand)
    for i, (ref, alt, base) in enumerate(cases):
        outcome, flags, new, counted = expected(ref, alt, base, verdict, swap=swap, strand=strand)
        assert found.outcome[i] == outcome, (ref, alt, base)
        if outcome is KEPT:
            assert found.flags[i] == flags, (ref, alt, base)
            assert chr(found.alt[i]) == new, (ref, alt, base)
            assert found.index[i] == counted, (ref, alt, base)


def test_of_several_alleles_one_may_be_the_reference_base() -> None:
    # A C,G with reference C: the source's REF is a variant, counted by allele 0, and so is G.
    record = np.array([0, 0, 1, 1], np.int32)
    snvs = single_bases(record, code("AAAA"), code("CGCG"), code("CCTT"))
    found = resolve(snvs, np.array([1, 2, 1, 2], np.int32), Verdict.FORWARD, swap=True, strand=True)
    assert found.outcome.tolist() == [KEPT, KEPT, MISMATCH, MISMATCH]
    assert [chr(b) for b in found.alt[:2]] == ["A", "G"]
    assert found.index[:2].tolist() == [0, 2]
    assert found.flags[:2].tolist() == [Flag.SWAPPED] * 2
    # The same with the other strand allowed: A C,G with reference T is T>G, T>C.
    mixed = resolve(snvs, np.array([1, 2, 1, 2], np.int32), Verdict.MIXED, swap=True, strand=True)
    assert mixed.outcome.tolist() == [DOUBT, DOUBT, KEPT, KEPT]
    assert [chr(b) for b in mixed.alt[2:]] == ["G", "C"]
    assert mixed.flags[2:].tolist() == [Flag.FLIPPED] * 2


def test_records_with_any_other_allele_are_left_alone() -> None:
    record = np.array([0, 1, 1, 2, 3], np.int32)
    refs = np.concatenate([code("aAA"), code("\0"), code("A")])
    alts = np.concatenate([code("c"), code("C"), code("\0"), code("C"), code("C")])
    bases = code("AAAA\0")
    snvs = single_bases(record, refs, alts, bases)
    assert snvs.rows.tolist() == [0]
    assert (chr(snvs.ref[0]), chr(snvs.alt[0])) == ("A", "C")


def test_records_are_tallied_by_what_they_look_like() -> None:
    looks = [
        ("A", "C", "A", "as_is"), ("A", "C", "C", "swapped"), ("A", "C", "T", "flipped"),
        ("A", "C", "G", "flipped_swapped"), ("A", "T", "A", "palindromic_match"),
        ("A", "T", "T", "palindromic_mismatch"), ("C", "G", "A", "palindromic_stray"),
    ]  # fmt: skip
    refs, alts, bases, names = zip(*looks, strict=True)
    columns = [code("".join(column)) for column in (refs, alts, bases)]
    snvs = single_bases(np.arange(len(looks), dtype=np.int32), *columns)
    assert tally(snvs, np.ones(len(looks), np.bool_)) == SnvTally(1, 1, 1, 1, 1, 1, 1)
    for i, name in enumerate(names):
        assert tally(snvs, np.arange(len(looks)) == i) == SnvTally(**{name: 1})


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (SnvTally(), Verdict.FORWARD),
        (SnvTally(as_is=5, flipped=2), Verdict.FORWARD),
        (SnvTally(as_is=5, flipped=3), Verdict.MIXED),
        (SnvTally(as_is=995, flipped=3, flipped_swapped=2), Verdict.FORWARD),
        (SnvTally(as_is=994, flipped=3, flipped_swapped=3), Verdict.MIXED),
        (SnvTally(as_is=500, swapped=500), Verdict.FORWARD),
        (SnvTally(as_is=5, flipped=995), Verdict.REVERSE),
        (SnvTally(as_is=6, flipped=994), Verdict.MIXED),
        (SnvTally(as_is=1, flipped=2), Verdict.MIXED),
        (SnvTally(as_is=900, swapped=50, palindromic_mismatch=9, palindromic_stray=1), Verdict.UNEXPLAINED),
        (SnvTally(as_is=900, swapped=50, palindromic_mismatch=10, palindromic_stray=1), Verdict.FORWARD),
    ],
)  # fmt: skip
def test_a_cohort_is_judged_by_the_records_that_tell(seen: SnvTally, verdict: Verdict) -> None:
    assert seen.verdict is verdict


def test_wrong_coordinates_are_not_taken_for_swaps() -> None:
    rng = np.random.default_rng(1)
    n = 5_000
    pairs = np.array([(a, b) for a, b in itertools.permutations("ACGT", 2)])
    chosen = pairs[rng.integers(0, len(pairs), n)]
    bases = code("".join(rng.choice(list("ACGT"), n)))
    columns = [code("".join(chosen[:, i])) for i in range(2)]
    snvs = single_bases(np.arange(n, dtype=np.int32), *columns, bases)
    seen = tally(snvs, np.ones(n, np.bool_))
    assert seen.verdict is Verdict.UNEXPLAINED
    found = resolve(snvs, np.ones(n, np.int32), seen.verdict, swap=True, strand=True)
    np.testing.assert_array_equal(found.outcome == KEPT, snvs.ref == snvs.base)
    assert not found.flags.any()
