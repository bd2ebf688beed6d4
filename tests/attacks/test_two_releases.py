"""Attacks on two releases of nearly the same people, from their files alone.

Each finds cells of few copies, exactly, where nobody kept a ledger, and none where the second release was held
against the first. What is few is what the stricter of the two limits says.
"""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from tests.attacks.conftest import Published
from tests.two_releases import Genomes, publish, truth

from afpanel.errors import VerificationError
from afpanel.stages.verify_beside import verify_beside

SITES, K = 400, 11

Guess = tuple[int, str, float]


class Two:
    """Both releases side by side: AC by position and group, NaN where it is not shown."""

    def __init__(self, old, new) -> None:
        self.old, self.new = Published(old), Published(new)
        self.groups = [g for g in self.old.groups if g in self.new.groups]
        self.countries = [c for c in self.old.countries if c in self.new.countries]
        self.gone = [c for c in self.old.countries if c not in self.new.countries]
        self.places = sorted({*self.old["pos"], *self.new["pos"]})

    def of(self, published, group: str) -> np.ndarray:
        found = dict.fromkeys(self.places, np.nan)
        values = published["AC" if group == "total" else f"AC_{group}"]
        found.update(zip(published["pos"], values, strict=True))
        return np.array(list(found.values()))

    def either(self, group: str) -> np.ndarray:
        """What is shown in one of the two, of people who are the same in both."""
        new = self.of(self.new, group)
        return np.where(np.isnan(new), self.of(self.old, group), new)


def by_subtraction(two: Two) -> Iterator[Guess]:
    """Take what either release shows, and subtract what is known of a sum from the whole."""
    values = {group: two.either(group) for group in ("total", *two.groups)}
    sums = [("total", two.countries), ("total", ["XX", "XY"])]
    sums += [(c, [g for g in two.groups if g.startswith(f"{c}_")]) for c in two.countries]
    for whole, parts in sums:
        known = np.stack([values[part] for part in parts])
        hidden = np.isnan(known)
        for row in np.flatnonzero((hidden.sum(axis=0) == 1) & ~np.isnan(values[whole])).tolist():
            part = parts[int(hidden[:, row].argmax())]
            yield row, part, float(values[whole][row] - np.nansum(known[:, row]))


def by_reading(two: Two) -> Iterator[Guess]:
    """Read in one release what the other masks."""
    for group in ("total", *two.groups):
        old, new = two.of(two.old, group), two.of(two.new, group)
        for row in np.flatnonzero(np.isnan(old) != np.isnan(new)).tolist():
            yield row, group, float(np.nanmax([old[row], new[row]]))


def by_who_left(two: Two) -> Iterator[Guess]:
    """What the total lost is the country that is gone."""
    (country,) = two.gone
    lost = two.of(two.old, "total") - two.of(two.new, "total")
    for row in np.flatnonzero(~np.isnan(lost)).tolist():
        yield row, country, float(lost[row])


def by_who_joined(two: Two) -> Iterator[Guess]:
    """What a group gained is the genotype of the one who joined."""
    for group in ("total", *two.groups):
        gained = two.of(two.new, group) - two.of(two.old, group)
        for row in np.flatnonzero(gained > 0).tolist():
            yield row, group, float(gained[row])


def just_below(two: Two) -> Iterator[Guess]:
    """Where few copies were masked and a little more are shown of the same people, there was one less than may be."""
    for group in ("total", *two.groups):
        old, new = two.of(two.old, group), two.of(two.new, group)
        for row in np.flatnonzero(np.isnan(old) & (new >= K) & (new <= K + 1)).tolist():
            yield row, group, float(K - 1)


def successes(two: Two, attack: Callable[[Two], Iterator[Guess]], true) -> int:
    """Count the right guesses of cells of few copies."""
    right = 0
    for row, group, copies in attack(two):
        here = true[int(two.places[row])].get(group, 0)
        right += copies == here and 0 < here < K
    return right


CHANGES: dict[str, tuple[Callable[[Genomes], Genomes], int]] = {
    "grown by one": (lambda all_people: all_people, K),
    "k lowered": (lambda all_people: all_people, 3),
    "withdrawn": (lambda all_people: all_people.only(all_people.country != "DD"), K),
    "other caller": (lambda all_people: all_people.recalled("AA", 0.03), K),
}


@pytest.fixture(scope="session")
def pairs(once) -> dict[str, SimpleNamespace]:
    """Both releases of every change, without a ledger and with one, and the first one's true AC."""
    genomes = Genomes.simulate(SITES)
    newcomer = np.arange(len(genomes.ids)) == 0
    first = {name: genomes.only(~newcomer) if "one" in name else genomes for name in CHANGES}

    def fill(folder) -> None:
        for number, (name, (change, k)) in enumerate(CHANGES.items()):
            ledger = folder / f"ledger{number}"
            publish(first[name], folder / f"alone{number}", "1", K)
            publish(first[name], folder / f"with{number}", "1", K, ledger=ledger)
            # The hub refuses one person more before anything is merged (tests/test_ledger.py); here it did not look.
            publish(change(genomes), folder / f"with{number}", "2", k, ledger=ledger)
            publish(change(genomes), folder / f"alone{number}", "2", k)

    folder = once("two-releases", fill)
    return {
        name: SimpleNamespace(
            alone=Two(folder / f"alone{number}/1/release", folder / f"alone{number}/2/release"),
            beside=Two(folder / f"with{number}/1/release", folder / f"with{number}/2/release"),
            ledger=folder / f"ledger{number}",
            release=folder / f"with{number}/2/release",
            unheld=folder / f"alone{number}/2/release",
            truth=truth(genomes.only(newcomer)) if "one" in name else truth(genomes),
        )
        for number, name in enumerate(CHANGES)
    }


ATTACKS = [
    ("grown by one", by_who_joined), ("grown by one", by_subtraction),
    ("k lowered", by_reading), ("k lowered", by_subtraction),
    ("withdrawn", by_who_left), ("withdrawn", by_subtraction),
    ("other caller", just_below), ("other caller", by_subtraction),
]  # fmt: skip


@pytest.mark.parametrize(("change", "attack"), ATTACKS[::2])
def test_an_attack_on_two_releases_succeeds_where_nobody_kept_a_ledger(pairs, change, attack):
    pair = pairs[change]
    found = successes(pair.alone, attack, pair.truth)
    print(f"{change}, {attack.__name__}: {found} cells of few copies")
    assert found > 10


@pytest.mark.parametrize(("change", "attack"), ATTACKS)
def test_it_finds_no_cell_of_few_copies_in_two_releases_of_one_ledger(pairs, change, attack):
    pair = pairs[change]
    assert successes(pair.beside, attack, pair.truth) == 0
    assert len(pair.beside.new.keys) > 100


def test_the_verifier_finds_what_two_releases_tell_where_nobody_looked_and_nothing_else(pairs):
    for name, pair in pairs.items():
        verdict = verify_beside(pair.release, pair.ledger)
        assert verdict.masked > 100, name
        with pytest.raises(VerificationError, match="together give away"):
            verify_beside(pair.unheld, pair.ledger)
