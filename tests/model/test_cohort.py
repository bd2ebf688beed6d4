"""Cells and groups."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.constants import Flag, Outcome, Sex, outcome_label
from afpanel.model.cohort import Cell, Sample, cell_index, cells_of
from afpanel.model.groups import groups_of

SETTINGS = settings(max_examples=100, deadline=None, derandomize=True)
PEOPLE = st.lists(
    st.builds(
        Sample,
        st.integers(0, 30).map(lambda number: f"S{number}"),
        st.sampled_from(["CHB", "CHS", "KHV"]),
        st.sampled_from(list(Sex)),
        st.booleans(),
    ),
    max_size=20,
    unique_by=lambda sample: sample.id,
)
COHORTS = st.lists(st.tuples(st.sampled_from(["CN", "VN", "IN"]), PEOPLE), max_size=4)


@SETTINGS
@given(PEOPLE)
def test_every_included_sample_is_in_exactly_one_cell(samples: list[Sample]) -> None:
    cells = cells_of(samples)
    assert cells == sorted(cells)
    assert len({(cell.population, cell.sex) for cell in cells}) == len(cells)
    assert sum(cell.people for cell in cells) == sum(sample.include for sample in samples)
    index = cell_index([sample.id for sample in samples], samples, cells)
    for sample, at in zip(samples, index, strict=True):
        if sample.include:
            assert (cells[at].population, cells[at].sex) == (sample.population, sample.sex)
        else:
            assert at == -1
    people = Counter(at for at in index.tolist() if at >= 0)
    assert [people[i] for i in range(len(cells))] == [cell.people for cell in cells]


def test_a_sample_that_has_left_the_sheet_is_in_no_cell() -> None:
    sheet = [Sample("here", "KHV", Sex.XX)]
    index = cell_index(["gone", "here", "gone too"], sheet, cells_of(sheet))
    assert index.tolist() == [-1, 0, -1]


@SETTINGS
@given(COHORTS)
def test_groups_of_each_kind_hold_everybody_once(cohorts: list[tuple[str, list[Sample]]]) -> None:
    pairs = [(country, cell) for country, people in cohorts for cell in cells_of(people)]
    groups = groups_of(pairs)
    assert groups[0].name == "total"
    assert len({group.name for group in groups}) == len(groups)
    for country, cell in pairs:
        holding = [group for group in groups if group.holds(country, cell)]
        names = {group.name for group in holding}
        sexes = {cell.sex.value} & {"XX", "XY"}
        assert names == {"total", country, f"{country}_{cell.population}", *sexes}


@SETTINGS
@given(COHORTS, st.randoms(use_true_random=False))
def test_the_order_of_groups_does_not_depend_on_that_of_cohorts(
    cohorts: list[tuple[str, list[Sample]]], rng: object
) -> None:
    pairs = [(country, cell) for country, people in cohorts for cell in cells_of(people)]
    shuffled = list(pairs)
    rng.shuffle(shuffled)
    assert groups_of(shuffled) == groups_of(pairs)


def test_the_order_of_groups_is_total_then_countries_with_populations_then_sexes() -> None:
    pairs = [
        ("VN", Cell("KHV", Sex.XY, 1)),
        ("CN", Cell("CHS", Sex.XX, 1)),
        ("CN", Cell("CHB", Sex.UNKNOWN, 1)),
    ]
    names = [group.name for group in groups_of(pairs)]
    assert names == ["total", "CN", "CN_CHB", "CN_CHS", "VN", "VN_KHV", "XX", "XY"]


def test_people_of_unknown_sex_alone_make_no_group_of_sex() -> None:
    names = [group.name for group in groups_of([("VN", Cell("KHV", Sex.UNKNOWN, 4))])]
    assert names == ["total", "VN", "VN_KHV"]


def test_every_outcome_and_flag_has_a_label_of_its_own() -> None:
    flags = [Flag.AS_IS, Flag.TRIMMED, Flag.LEFT_ALIGNED, Flag.TRIMMED | Flag.LEFT_ALIGNED]
    labels = [outcome_label(Outcome.KEPT, flag) for flag in flags]
    labels += [outcome_label(outcome, 0) for outcome in Outcome if outcome != Outcome.KEPT]
    assert len(set(labels)) == len(labels)
    assert labels[:4] == ["as_is", "trimmed", "left_aligned", "trimmed+left_aligned"]
