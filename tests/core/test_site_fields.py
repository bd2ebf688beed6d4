"""Which fields hold the counts of a cell."""

import pytest

from afpanel.constants import Sex
from afpanel.core.site_fields import CellFields, fields_of_cells
from afpanel.errors import BadInputError
from afpanel.model.cohort import Cell, GivenCell

EAS_XX, EAS_XY = (Cell("EAS", sex, 5) for sex in (Sex.XX, Sex.XY))
EAS, AFR = (Cell(label, Sex.UNKNOWN, 5, (3, 2, 0)) for label in ("EAS", "AFR"))
GNOMAD_4 = [
    f"{figure}{suffix}"
    for figure in ("AC", "AN", "AF", "nhomalt")
    for suffix in ("", "_XX", "_XY", "_eas", "_eas_XX", "_eas_XY", "_afr", "_raw")
]
GNOMAD_2 = [name.replace("XX", "female").replace("XY", "male") for name in GNOMAD_4]


def suffixes(cells: list[Cell], available: list[str]) -> list[str]:
    found = fields_of_cells([GivenCell(cell) for cell in cells], available, "x")
    for each in found:
        suffix = each.allele_count.removeprefix("AC")
        assert each == CellFields(f"AC{suffix}", f"AN{suffix}", f"nhomalt{suffix}", None)
    return [each.allele_count.removeprefix("AC") for each in found]


def test_the_names_of_gnomad_are_known() -> None:
    assert suffixes([EAS_XX, EAS_XY], GNOMAD_4) == ["_eas_XX", "_eas_XY"]
    assert suffixes([EAS_XX, EAS_XY], GNOMAD_2) == ["_eas_female", "_eas_male"]
    assert suffixes([EAS, AFR], GNOMAD_4) == ["_eas", "_afr"]


def test_fields_of_everybody_are_those_of_a_cell_that_is_everybody() -> None:
    plain = [name for name in GNOMAD_4 if "eas" not in name and "afr" not in name]
    assert suffixes([EAS], plain) == [""]
    assert suffixes([EAS_XX, EAS_XY], plain) == ["_XX", "_XY"]
    with pytest.raises(BadInputError, match="no AC and AN of AFR unknown"):
        suffixes([AFR, EAS], plain)


def test_fields_of_both_sexes_are_not_taken_for_those_of_one() -> None:
    both = [name for name in GNOMAD_4 if "XX" not in name and "XY" not in name]
    with pytest.raises(BadInputError, match="no AC and AN of EAS XX"):
        suffixes([EAS_XX, EAS_XY], both)


def test_what_is_named_is_taken_and_a_dot_is_none() -> None:
    fields = {"AC": "AC_XX", "AN": "AN_XX", "nhomalt": "."}
    found = fields_of_cells([GivenCell(EAS_XX, fields)], GNOMAD_4, "x")
    assert found == [CellFields("AC_XX", "AN_XX", None, None)]
    with pytest.raises(BadInputError, match="no 'AC_zz' of EAS XX"):
        fields_of_cells([GivenCell(EAS_XX, {"AC": "AC_zz"})], GNOMAD_4, "x")


def test_one_field_is_not_that_of_two_cells() -> None:
    same = {"AC": "AC", "AN": "AN"}
    with pytest.raises(BadInputError, match="'AC' would be counted twice"):
        fields_of_cells([GivenCell(EAS_XX, same), GivenCell(EAS_XY, same)], GNOMAD_4, "x")
