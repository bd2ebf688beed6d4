"""Which flagged variants a release may name: those of which it shows every count that the flag is from."""

import csv
import random

import numpy as np
import pytest

from afpanel.constants import State
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.io.tsv import TextTable
from afpanel.stages.worst_variants import NamedFlags, verdicts_to_publish, worst_flags

COLUMNS = (
    "contig", "position", "ref", "alt", "cohort", "kind", "population", "allele_count",
    "allele_number", "observed", "expected", "effect", "p", "others",
)  # fmt: skip
GROUPS = ["total", "TH", "TH_KHV", "VN", "VN_KHV", "VN_TAY", "LA", "XX"]
COUNTRIES = {"Thai": "TH", "Viet": "VN", "Lao": "LA"}


def flag(position, cohort="Viet", kind="frequency", alt="G", p="1e-12", effect="0.3"):
    return (
        "chr1",
        str(position),
        "A",
        alt,
        cohort,
        kind,
        "",
        "30",
        "100",
        "0.3",
        "0.6",
        effect,
        p,
        "1",
    )


def named(flags, states, *, partners=("Thai",), countries=COUNTRIES, withheld=(), homozygotes=5):
    """What may be named of flags at positions 1 and on, the states of whose cells are given by group."""
    n = len(states)
    state = np.array(
        [[row.get(group, State.OBSERVED) for group in GROUPS] for row in states], np.int8
    )
    shown = np.isin(state, (State.OBSERVED, State.ABSENT_CALLABLE))
    count = np.where(shown, 10 + np.arange(len(GROUPS)), -1).astype(np.int32)
    number = np.where(shown, 100, np.where(state == State.NOT_CALLABLE, 0, -1)).astype(np.int32)
    counts = ReleasedCounts(count, number, np.full_like(count, homozygotes), count * 0, state)
    variants = Variants(
        np.arange(1, n + 1, dtype=np.int32), Strings.of(["A"] * n), Strings.of(["G"] * n)
    )
    table = TextTable(COLUMNS, tuple(flags))
    found = NamedFlags(table, {"Viet": partners, "Thai": ("Viet",)}, countries, GROUPS, withheld)
    found.look("chr1", variants, counts)
    return found.named()


def test_a_variant_that_is_shown_in_full_is_named_with_what_the_release_shows():
    (found,) = named([flag(1)], [{}])
    assert (found["contig"], found["position"], found["ref"], found["alt"]) == ("chr1", 1, "A", "G")
    assert (found["cohort"], found["kind"]) == ("Viet", "frequency")
    assert found["frequencies"] == [
        {"group": "TH", "AC": 11, "AN": 100},
        {"group": "VN", "AC": 13, "AN": 100},
    ]


@pytest.mark.parametrize("group", ["total", "TH", "TH_KHV", "VN", "VN_KHV", "VN_TAY"])
def test_a_masked_cell_of_those_compared_keeps_a_variant_unnamed(group):
    assert named([flag(1)], [{group: State.MASKED}]) == []


@pytest.mark.parametrize("group", ["LA", "XX"])
def test_a_masked_cell_of_others_does_not_matter(group):
    assert len(named([flag(1)], [{group: State.MASKED}])) == 1


def test_a_group_that_is_withheld_keeps_all_of_its_country_unnamed():
    assert named([flag(1)], [{}], withheld=["VN_MUONG"]) == []
    assert len(named([flag(1)], [{}], withheld=["LA_KHMU"])) == 1


def test_a_cohort_that_is_not_alone_in_its_country_is_not_spoken_of():
    assert named([flag(1)], [{}], countries=COUNTRIES | {"Viet-2": "VN"}) == []
    assert named([flag(1)], [{}], countries=COUNTRIES | {"Thai-2": "TH"}) == []
    assert len(named([flag(1)], [{}], countries=COUNTRIES | {"Lao-2": "LA"})) == 1


def test_a_partner_whose_country_is_not_shown_keeps_a_variant_unnamed():
    assert (
        named([flag(1)], [{}], partners=("Thai", "Kim"), countries=COUNTRIES | {"Kim": "KR"}) == []
    )


def test_genotypes_that_are_withheld_are_not_spoken_of():
    assert named([flag(1, kind="hwe")], [{}], homozygotes=-1) == []
    assert len(named([flag(1, kind="hwe")], [{}])) == 1


def test_a_row_that_the_release_does_not_have_is_not_named():
    assert named([flag(7)], [{}]) == []
    assert named([flag(1, alt="T")], [{}]) == []


def test_the_worst_come_first_and_no_more_than_ten():
    flags = [flag(n) for n in range(15, 0, -1)]
    assert [each["position"] for each in named(flags, [{}] * 15)] == list(range(15, 5, -1))


def test_the_worst_flags_are_those_of_the_least_p_and_then_the_greatest_effect(tmp_path):
    draw = random.Random(1)
    flags = [
        flag(
            n, p=draw.choice(("1e-40", "2e-9", "3.5e-12", "")), effect=f"{draw.uniform(-1, 1):.4g}"
        )
        for n in range(500)
    ]
    path = tmp_path / "variants.tsv"
    path.write_text("\n".join("\t".join(line) for line in (COLUMNS, *flags)) + "\n")
    with path.open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    rows.sort(key=lambda row: (float(row["p"] or 0), -abs(float(row["effect"]))))
    found = worst_flags(path, 40).records()
    assert [each["position"] for each in found] == [row["position"] for row in rows[:40]]


def test_a_table_without_a_flag_has_none(tmp_path):
    path = tmp_path / "variants.tsv"
    path.write_text("\t".join(COLUMNS) + "\n")
    assert worst_flags(path).rows == ()


@pytest.mark.parametrize(
    ("share", "told"),
    [("0", 0.0001), ("0.00002", 0.0001), ("0.0004", 0.001), ("0.02", 0.1), ("0.7", 1.0)],
)
def test_a_share_is_told_as_the_next_power_of_ten_and_never_as_none(share, told):
    row = {
        "cohort": "A",
        "verdict": "passed",
        "reasons": "",
        "partners": "B;C",
        "share_flagged": share,
    }
    (found,) = verdicts_to_publish([row])
    assert found == {
        "cohort": "A", "verdict": "passed", "reasons": [], "compared_with": ["B", "C"], "flagged_at_most": told,
    }  # fmt: skip


def test_of_a_cohort_that_was_not_compared_no_share_is_told():
    row = {
        "cohort": "A",
        "verdict": "not compared",
        "reasons": "",
        "partners": "",
        "share_flagged": "0",
    }
    assert verdicts_to_publish([row])[0]["flagged_at_most"] is None
