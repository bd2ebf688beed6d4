"""The statistics of populations of the demonstration, worked out again from its release alone.

Some of its cells are masked, and Thailand is not callable where it has no record.
"""

from collections import Counter

import allel
import numpy as np
import pytest
from tests.simulated_panel import read_table

import afpanel
from afpanel.constants import State

ROUNDING = 0.51e-6


@pytest.fixture(scope="module")
def published(by_commands, tools):
    """What the release says of its autosome."""
    with afpanel.open_panel(tools.release_of(by_commands)) as panel:
        yield panel.region("chr21")


@pytest.fixture(scope="module")
def tables(by_commands):
    folder = by_commands / "results/panel/popgen"
    return {path.stem: read_table(path) for path in folder.glob("*.tsv")}


def test_some_cells_are_masked_and_some_are_not_callable(published):
    states = Counter(published.state.ravel().tolist())
    assert all(states[state] > 100 for state in State)


def test_fst_follows_from_what_is_published(published, tables):
    """`allele_counts` hides what is masked; scikit-allel gives NaN there, which is not added."""
    # Of four countries and six populations; XY is kept back, since three people are of unknown sex.
    assert len(tables["fst"]) == 6 + 15
    for row in tables["fst"]:
        counts = (published.allele_counts(row[g]) for g in ("group_1", "group_2"))
        numerator, denominator = allel.hudson_fst(*counts)
        expected = np.nansum(numerator) / np.nansum(denominator)
        assert float(row["fst"]) == pytest.approx(expected, abs=ROUNDING)
        assert int(row["variants"]) == (denominator > 0).sum()


def test_heterozygosity_follows_from_what_is_published(published, tables):
    for row in tables["heterozygosity"]:
        counts = published.allele_counts(row["group"])
        expected = allel.mean_pairwise_difference(counts)
        assert int(row["variants"]) == (~np.isnan(expected)).sum()
        assert int(row["segregating"]) == counts.is_segregating().sum()
        figure = float(row["expected_heterozygosity"])
        assert figure == pytest.approx(np.nanmean(expected), abs=ROUNDING)


def test_the_spectrum_says_how_much_is_withheld_and_how_much_unknown(published, tables):
    for g, group in enumerate(published.groups):
        found = {r["class"]: int(r["variants"]) for r in tables["sfs"] if r["group"] == group}
        states = Counter(published.state[:, g].tolist())
        assert found["masked"] == states[State.MASKED]
        assert found["not_callable"] == states[State.NOT_CALLABLE]
        everything = (int(r["variants"]) for r in tables["sfs"] if r["group"] == group)
        assert sum(everything) == len(published)


def test_no_class_shows_fewer_copies_than_the_policy_allows(tables):
    """The demonstration's policy masks 1 and 2 copies."""
    few = [r for r in tables["sfs"] if r["class"] == "minor_allele_count" and r["up_to"] in "12"]
    assert {row["variants"] for row in few} == {"0"}


def test_neighbours_of_the_model_are_closer_than_its_two_branches(tables):
    """Oracle: the model of the demonstration, which splits Asia into ID with TH and JP with VN."""
    fst = {(r["group_1"], r["group_2"]): r for r in tables["fst"]}
    for near in (("ID", "TH"), ("JP", "VN")):
        for far in (("ID", "JP"), ("ID", "VN"), ("JP", "TH"), ("TH", "VN")):
            gap = float(fst[far]["fst"]) - float(fst[near]["fst"])
            errors = [float(fst[pair]["standard_error"]) for pair in (near, far)]
            assert gap > 3 * np.hypot(*errors)
