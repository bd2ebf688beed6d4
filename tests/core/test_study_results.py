"""How frequencies of a variant are laid out as results of a study."""

import pytest

from afpanel.core.study_results import Figures, Study

PEOPLE = {"total": 90, "ID": 40, "VN": 50, "VN_KHV": 30, "VN_CHM": 20, "XX": 45, "XY": 45}
SHOWN = Figures(3, 100, 0.03, 0, 0, 0.01, 0.9)
MASKED = Figures(None, None, None, None, None, None, None)


def nested(masked: set[str]) -> list:
    """Names of the results, each with those inside."""

    def names(result: dict) -> object:
        inside = [names(each) for each in result.get("subCohortFrequency", [])]
        group = result["cohort"]["id"]
        return (group, *inside) if inside else group

    figures = {group: MASKED if group in masked else SHOWN for group in PEOPLE}
    results = Study("p", "1", PEOPLE).results("1-5-A-C", {}, figures, {"grpMaxFAF95": 1})
    return [names(result) for result in results]


@pytest.mark.parametrize(
    ("masked", "expected"),
    [
        (set(), [("total", "ID", ("VN", "VN_KHV", "VN_CHM"), "XX", "XY")]),
        ({"VN"}, [("total", "ID", "VN_KHV", "VN_CHM", "XX", "XY")]),
        ({"total"}, ["ID", ("VN", "VN_KHV", "VN_CHM"), "XX", "XY"]),
        ({"total", "VN", "ID", "XX"}, ["VN_KHV", "VN_CHM", "XY"]),
        (set(PEOPLE), []),
    ],
)
def test_parts_are_inside_of_what_is_shown_and_stand_alone_where_it_is_masked(masked, expected):
    assert nested(masked) == expected


def test_figures_of_the_whole_panel_are_told_of_the_total_alone():
    figures = dict.fromkeys(PEOPLE, SHOWN)
    (total,) = Study("p", "1", PEOPLE).results("1-5-A-C", {}, figures, {"grpMaxFAF95": 1})
    assert total["ancillaryResults"]["grpMaxFAF95"] == 1
    assert all(
        "grpMaxFAF95" not in each["ancillaryResults"] for each in total["subCohortFrequency"]
    )


def test_what_is_missing_is_left_out():
    figures = dict.fromkeys(PEOPLE, Figures(3, 100, 0.03, None, None, None, None))
    (total,) = Study("p", "1", PEOPLE).results("1-5-A-C", {}, figures, {})
    assert total["ancillaryResults"] == {}
    assert "qualityMeasures" not in total
