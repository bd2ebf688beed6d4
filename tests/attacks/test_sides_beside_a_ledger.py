"""Why both sides count beside a ledger, whatever a policy's `sides` says: a difference may be of one person.

A group that is published has as many people as the policy wants. Those of it who joined between two releases may be
one: a cohort that grew by sixty, of whom one is of another population, is no small change. With one side alone such a
difference would be masked where the person carries ALT and shown where not, so that the mask itself tells the genome.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.attacks.test_two_releases import SITES, K, Two
from tests.explained import taken_apart
from tests.tiered import AS_OF
from tests.two_releases import CONTIG, Genomes, publish

from afpanel.core.masking import Sides, sensitive
from afpanel.core.people_changes import small_changes
from afpanel.stages.explain import Site, explain
from afpanel.stages.ledger_audit import AuditOptions

GROUP = "AA_Q"


@pytest.fixture(scope="module")
def sided(once) -> SimpleNamespace:
    """Two releases that count the side of ALT alone, without a ledger and with one; one joined AA_Q."""
    everybody = Genomes.simulate(SITES)
    one = np.flatnonzero(everybody.population == GROUP)[0]
    first = everybody.only(
        (everybody.population != "AA_P") & (np.arange(len(everybody.ids)) != one)
    )

    def fill(folder) -> None:
        for name, ledger in (("alone", None), ("beside", folder / "ledger")):
            for version, people in (("1", first), ("2", everybody)):
                publish(people, folder / name, version, K, 50, ledger, sides=["alt"])

    folder = once("sides-beside-a-ledger", fill)
    pairs = {
        name: Two(folder / f"{name}/1/release", folder / f"{name}/2/release")
        for name in ("alone", "beside")
    }
    own = everybody.calls[:, one]
    return SimpleNamespace(**pairs, folder=folder, first=first, everybody=everybody, own=own)


def genotype(two: Two) -> dict[int, int]:
    """Read the genotype of who joined the group off both releases: [row of the site]."""
    gained = two.of(two.new, GROUP) - two.of(two.old, GROUP)
    rows = np.flatnonzero(~np.isnan(gained))
    return {(int(two.places[row]) - 1_000) // 10: int(gained[row]) for row in rows}


def test_such_a_change_is_no_small_one(sided):
    old, new = (people.versions(b"key") for people in (sided.first, sided.everybody))
    assert small_changes(old, new, 50, 0.1) == []


def test_one_persons_genome_is_the_difference_without_a_ledger_and_nothing_of_it_is_with_one(sided):
    told = genotype(sided.alone)
    assert len(told) > 100
    assert all(sided.own[row] == copies for row, copies in told.items())
    assert genotype(sided.beside) == {}
    assert (sided.beside.of(sided.beside.new, "BB") >= K).sum() > 50


def test_with_one_side_alone_the_mask_would_tell_who_carries_the_allele(sided):
    alt, other = sided.own, 2 - sided.own
    carries = alt > 0
    assert 0 < carries.sum() < len(carries)
    assert (sensitive(alt, other, K, Sides(other=False)) == carries).all()
    assert sensitive(alt, other, K).all()


def test_the_explanation_says_that_both_sides_count(sided):
    folder = sided.folder / "beside"
    beside = AuditOptions(sided.folder / "ledger", folder / "2/settled.json", "p-2", "GRCh38")
    lacks = np.flatnonzero((sided.own == 0) & (sided.everybody.copies("BB") > 2 * K))
    rules = []
    for row in lacks[:10].tolist():
        text = explain(
            [folder / f"2/merged/{CONTIG}.zarr.zip"], folder / "2/policy.yaml",
            Site(CONTIG, 1_000 + 10 * row, "A", "C"), folder / "2/contributors.json", AS_OF, beside,
        )  # fmt: skip
        line = taken_apart(text)[1][GROUP]
        assert line.cell == "masked"
        rules += [
            r for w, r in zip(line.why, line.rule, strict=True) if "of the other alleles" in w
        ]
    assert rules
    assert all("both sides count, whatever sides says" in rule for rule in rules)
