"""Which cohorts are compared with which, by what."""

from afpanel.constants import Sex
from afpanel.core.strata import Strata, strata_of
from afpanel.model.cohort import Cell


def cells(*labels: str) -> list[Cell]:
    return [Cell(label, sex, 10) for label in labels for sex in (Sex.XX, Sex.XY)]


def partners(strata: Strata) -> list[list[int]]:
    return [strata.partners(cohort) for cohort in range(strata.n_cohorts)]


def test_cohorts_of_any_country_meet_in_the_labels_that_they_share():
    strata = strata_of(
        [("VN", cells("KHV", "TAY")), ("LA", cells("TAY")), ("TH", cells("KHV", "THA"))]
    )
    assert strata.names == ["population KHV", "population TAY"]
    assert partners(strata) == [[1, 2], [0], [0]]
    assert [(p.cohort, p.stratum, p.cells) for p in strata.parts] == [
        (0, 0, (0, 1)), (0, 1, (2, 3)), (1, 1, (0, 1)), (2, 0, (0, 1)),
    ]  # fmt: skip


def test_cohorts_that_share_no_label_meet_in_their_country_with_all_their_people():
    strata = strata_of([("VN", cells("KHV", "TAY")), ("VN", cells("KINH")), ("LA", cells("LAO"))])
    assert strata.names == ["country VN"]
    assert partners(strata) == [[1], [0], []]
    assert [p.cells for p in strata.parts] == [(0, 1, 2, 3), (0, 1)]
    # Labels that are pooled for frequencies are not for proportions of genotypes.
    assert [(u.part, u.population) for u in strata.units] == [(0, "KHV"), (0, "TAY"), (1, "KINH")]


def test_a_country_does_not_bring_together_whom_labels_keep_apart():
    """The third shares no label, but its country's others have found theirs."""
    strata = strata_of([("MY", cells("MALAY")), ("MY", cells("CHINESE")), ("SG", cells("MALAY"))])
    assert strata.names == ["population MALAY"]
    assert partners(strata) == [[2], [], [0]]


def test_nobody_is_in_two_strata():
    cohorts = [("MY", cells("A", "B")), ("MY", cells("C")), ("MY", cells("D")), ("SG", cells("B"))]
    strata = strata_of(cohorts)
    assert strata.names == ["population B", "country MY"]
    placed = [(part.cohort, cell) for part in strata.parts for cell in part.cells]
    assert len(placed) == len(set(placed))


def test_one_cohort_has_nobody_to_be_compared_with():
    strata = strata_of([("VN", cells("KHV"))])
    assert (strata.names, strata.parts, strata.units) == ([], [], [])
