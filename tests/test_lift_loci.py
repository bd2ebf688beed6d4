"""Lifting where two places of the cohort's build are one, or a site has a line for each ALT."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tests.test_lift_stages import run
from tests.two_builds import PEOPLE, Chain, TwoBuilds, chain_text, write_files

RNG = np.random.default_rng(5)
TEXT = "".join(RNG.choice(list("ACGT"), 40)) + "GAAAAT" + "".join(RNG.choice(list("ACGT"), 54))


def copies(first: int, last: int) -> np.ndarray:
    """Some people carry the first ALT once."""
    calls = np.zeros((PEOPLE, 2), int)
    calls[first:last, 0] = 1
    return calls


@pytest.mark.parametrize(
    "spellings", [((41, "GA", "G"), (41, "GA", "G")), ((41, "GA", "G"), (44, "AA", "A"))]
)
def test_variants_of_two_places_that_are_one_on_the_panel_are_rejected(
    tmp_path: Path, spellings: tuple[tuple[int, str, str], ...]
) -> None:
    """Nobody can say which of the two places the panel's is; they are never added up."""
    chains = [Chain(name, "chr1", False, [(0, 0, 100)]) for name in "12"]
    builds = TwoBuilds({"1": TEXT, "2": TEXT}, {"chr1": TEXT}, chains, {})
    carried = (copies(0, 10), copies(5, 20))
    records = [
        (contig, position, ref, [alt], calls)
        for contig, (position, ref, alt), calls in zip("12", spellings, carried, strict=True)
    ]
    files = write_files(tmp_path, builds, records)
    assert run(tmp_path / "r", files, ["1", "2"]) == ({}, Counter({"lift_multiple": 2}))


@pytest.mark.parametrize("together", [True, False])
def test_a_line_for_each_alt_leaves_nobody_to_say_who_has_the_source_s_ref(
    tmp_path: Path, together: bool
) -> None:
    """The panel has a third base: the ALTs are known, and the source's REF is a variant if it is known."""
    base, first, second, third = "ACGT"
    source, panel = (f"{TEXT[:10]}{b}{TEXT[11:]}" for b in (base, third))
    builds = TwoBuilds(
        {"1": source}, {"chr1": panel}, [Chain("1", "chr1", False, [(0, 0, 100)])], {}
    )
    lines = [("1", 11, base, [first], copies(0, 10)), ("1", 11, base, [second], copies(10, 15))]
    if together:
        lines = [("1", 11, base, [first, second], copies(0, 10) + 2 * copies(10, 15))]
    found, outcomes = run(tmp_path / "r", write_files(tmp_path, builds, lines), ["1"])
    expected = {first: 10, second: 5, base: 2 * PEOPLE - 15} if together else {first: 10, second: 5}
    assert {alt: ac for (_, _, _, alt), (ac, _, _) in found.items()} == expected
    label, n = ("lifted", 1) if together else ("lift_ref_mismatch", 2)
    assert outcomes == {"lifted": 2, f"{label}+new_reference": n}


@pytest.mark.parametrize(
    ("spare", "knows_source", "outcome"),
    [(0, True, "lifted"), (2, True, "unmapped"), (0, False, "unmapped")],
)
def test_another_mitochondrial_genome_of_the_same_name_is_not_lifted(
    tmp_path: Path, spare: int, knows_source: bool, outcome: str
) -> None:
    """As hg19's is to that of GRCh37: a few bases longer, and most of them the same."""
    builds = TwoBuilds(
        {"MT": TEXT}, {"chrM": TEXT}, [Chain("MT", "chrM", False, [(0, 0, 100)])], {}
    )
    files = write_files(
        tmp_path, builds, [("MT", 11, TEXT[10], [base_after(TEXT[10])], copies(0, 9))]
    )
    files.chain.write_text(chain_text(builds, spare=spare))
    found, outcomes = run(tmp_path / "r", files, ["MT"], knows_source=knows_source)
    assert outcomes == {outcome: 1}
    assert len(found) == (outcome == "lifted")


def base_after(base: str) -> str:
    return "ACGTA"["ACGT".index(base) + 1]
