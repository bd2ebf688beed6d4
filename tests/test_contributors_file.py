"""What the gate reads of who contributes is what the plan found, without those who are not added."""

from pathlib import Path

import pytest
import yaml
from tests.contributions import COHORT, Programme, random_genome

from afpanel.constants import Sex
from afpanel.core.contigs import ContigNames
from afpanel.core.contributors import Contributor, Permission
from afpanel.errors import VerificationError
from afpanel.io.metadata import read_metadata
from afpanel.model.cohort import Cell, Cohort
from afpanel.stages.cohort_files import Grid
from afpanel.stages.contributors import (
    contributors_of,
    contributors_text,
    described_contributor,
    read_contributors,
)
from afpanel.stages.plan_contribution import plan_contribution

EXAMPLE = Path(__file__).parents[1] / "config" / "metadata.example.yaml"
CELLS = [Cell("KHV", Sex.XX, 10), Cell("TAY", Sex.UNKNOWN, 5)]


def plan_of(**cohorts):
    return {"cohorts": cohorts, "left_out": {"Copy": "Best"}}


def test_what_is_read_is_what_the_metadata_say(tmp_path):
    metadata = read_metadata(EXAMPLE)
    written = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    told = plan_of(
        Worst=described_contributor("TH", [CELLS[0]], None),
        Copy=described_contributor("VN", CELLS, metadata),
        Best=described_contributor("VN", CELLS, metadata),
    )
    (tmp_path / "contributors.json").write_text(contributors_text(told))
    best, worst = read_contributors(tmp_path / "contributors.json")
    assert worst == Contributor("Worst", "TH", (("KHV", Sex.XX),), None)
    assert (best.cohort, best.country) == ("Best", "VN")
    assert best.cells == (("KHV", Sex.XX), ("TAY", Sex.UNKNOWN))
    assert best.permission == Permission.of(metadata)
    assert best.permission.widest_release == written["consent"]["widest_release"]
    assert best.permission.embargo_until == str(written["legal"]["embargo_until"])
    assert [term for term, _ in best.permission.terms] == [t["term"] for t in written["data_use"]]
    (approval,) = best.permission.approvals
    assert approval.reference == written["legal"]["approvals"][0]["reference"]


def test_the_order_of_cohorts_makes_no_difference():
    one, other = described_contributor("TH", CELLS, None), described_contributor("VN", CELLS, None)
    assert contributors_text(plan_of(A=one, B=other)) == contributors_text(plan_of(B=other, A=one))


def test_how_many_people_there_are_is_not_told():
    few = described_contributor("TH", [Cell("KHV", Sex.XX, 3)], None)
    assert few == described_contributor("TH", [Cell("KHV", Sex.XX, 300)], None)


def planned(programme, path):
    """What the plan says of a contribution."""
    country = read_metadata(programme.metadata)["cohort"]["country"]
    row = Cohort(COHORT, country, "contribution", str(path), programme.build, None, None, None)
    lengths = {name: len(bases) for name, bases in programme.contigs.items()}
    grid = Grid(lengths, ContigNames(lengths, {}), (), (), 10_000, None)
    described, cells = plan_contribution(row, programme.build, grid)
    return described, cells, country


@pytest.fixture
def programme(tmp_path):
    return Programme(tmp_path, {"chr1": random_genome(2000)}, {"chr1": 20})


def test_a_contribution_says_itself_who_may_see_it(programme):
    described, cells, country = planned(programme, programme.path)
    (contributor,) = contributors_of({COHORT: described})
    assert contributor.country == country
    assert contributor.cells == tuple((cell.population, cell.sex) for cell in cells)
    assert contributor.permission == Permission.of(read_metadata(programme.metadata))


def test_a_contribution_whose_metadata_have_a_fault_is_refused_before_the_work(programme):
    opened = programme.opened()
    opened.edit_json("metadata.json", lambda d: d["consent"].update(widest_release="everybody"))
    with pytest.raises(VerificationError, match="everybody"):
        planned(programme, opened.resent())
