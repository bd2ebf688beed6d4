"""Attacks on a release on GRCh37 and one of the same people on GRCh38, after their calls were lifted over.

Which cell is masked for another is chosen by copies of ALT, and by the position where they are equal: so the same
counts are not masked alike on both builds, and each release shows what the other one hides. Where a country's people
were called anew on the other build, calls differ besides.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.attacks.conftest import Published
from tests.attacks.test_two_releases import SITES, K, Two, by_subtraction, just_below, successes
from tests.two_releases import CONTIG, Genomes, publish, truth

from afpanel.cli.main import main
from afpanel.errors import PolicyRefusalError
from afpanel.io.ledger import Ledger
from afpanel.stages.verify_beside import verify_beside

SHIFT, EVERY = 12_345, 8


class LiftedBack(Published):
    """A release on GRCh38 as it is on GRCh37: places, and copies of what is ALT there."""

    def __getitem__(self, name: str) -> np.ndarray:
        values = super().__getitem__(name)
        if name == "pos":
            return values - SHIFT
        if name.startswith("AC"):
            other = super().__getitem__("ref") == "C"
            return np.where(
                other, super().__getitem__(name.replace("AC", "AN", 1)) - values, values
            )
        return values


@pytest.fixture(scope="module")
def builds(once) -> SimpleNamespace:
    """Both releases without a ledger; and the first one with a ledger, and the second one as it would be merged."""
    genomes = Genomes.simulate(SITES)
    lifted = genomes.lifted("GRCh38", SHIFT, EVERY)
    anew = genomes.recalled("AA", 0.03).lifted("GRCh38", SHIFT, EVERY)
    old = genomes.lifted("GRCh37", 0, SITES + 1)

    def fill(folder) -> None:
        publish(old, folder / "alone", "1", K)
        publish(lifted, folder / "alone", "2", K)
        publish(anew, folder / "alone", "3", K)
        publish(old, folder / "with", "1", K, ledger=folder / "ledger")

    folder = once("two-builds", fill)
    return SimpleNamespace(folder=folder, old=old, lifted=lifted)


class TwoBuilds(Two):
    """Both releases side by side, in places and alleles of GRCh37."""

    def __init__(self, builds, version: str) -> None:
        self.old = Published(builds.folder / "alone/1/release")
        self.new = LiftedBack(builds.folder / f"alone/{version}/release")
        self.groups, self.countries = self.old.groups, self.old.countries
        self.places = sorted({*self.old["pos"], *self.new["pos"]})


class One(TwoBuilds):
    """One of them alone."""

    def either(self, group: str) -> np.ndarray:
        return self.of(self.new, group)


@pytest.mark.parametrize(
    ("version", "attack", "fewest"), [("2", by_subtraction, 1), ("3", just_below, 10)]
)
def test_two_builds_without_a_ledger_give_away_cells_of_few_copies(builds, version, attack, fewest):
    found = successes(TwoBuilds(builds, version), attack, truth(builds.old))
    print(f"GRCh37 and GRCh38, {attack.__name__}: {found} cells of few copies")
    assert found >= fewest


def test_neither_of_the_two_does_by_itself(builds):
    one = One(builds, "2")
    assert successes(one, by_subtraction, truth(builds.old)) == 0
    one.new = one.old
    assert successes(one, by_subtraction, truth(builds.old)) == 0


def test_beside_the_ledger_the_release_on_the_other_build_is_refused_with_what_to_do(
    builds, tmp_path, capsys
):
    ledger = builds.folder / "ledger"
    with pytest.raises(PolicyRefusalError, match=r"p-1, of the same people, is on build GRCh37"):
        publish(builds.lifted, tmp_path, "2", K, ledger=ledger)
    made = tmp_path / "2"
    command = [
        "gate",
        str(made / f"merged/{CONTIG}.zarr.zip"),
        "--policy",
        str(made / "policy.yaml"),
    ]
    command += ["--ledger", str(ledger), "--settled", str(made / "settled.json"), "--name", "p"]
    command += ["--panel-version", "2", "--build", "GRCh38"]
    out = ["--out", str(made / "out"), "--decision", str(made / "decision.json")]
    for rest in (out, ["--explain", f"{CONTIG}:{1_010 + SHIFT}:A:C"]):
        assert main([*command, *rest]) == 4
        said = capsys.readouterr().err
        assert "release on GRCh37; or publish nothing more on it" in said
    assert not list(made.glob("out/*.zip"))
    assert not (made / "decision.json").exists()
    assert [entry.name for entry in Ledger(ledger).entries] == ["p-1"]


def test_the_verifier_does_not_pass_a_release_that_was_made_without_looking(builds, tmp_path):
    with pytest.raises(PolicyRefusalError):
        publish(builds.lifted, tmp_path, "2", K, ledger=builds.folder / "ledger")
    with pytest.raises(PolicyRefusalError, match="is on build GRCh37, so nothing tells"):
        verify_beside(
            builds.folder / "alone/2/release",
            builds.folder / "ledger",
            tmp_path / "2/settled.json",
        )
