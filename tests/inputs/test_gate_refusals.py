"""What the gate refuses outright; exit code 4."""

import json
import shutil

import numpy as np
import pytest

from afpanel.io import store as stores
from afpanel.io.panel_store import PANEL, PANEL_VERSION
from afpanel.io.store_writer import create_store


def rewrite(path, *, extra=None, groups=None, drop=()):
    """Write a panel store again, with further arrays, other groups, or some arrays left out."""
    with stores.Store(path, PANEL, PANEL_VERSION) as old:
        arrays = {name: old.read(name) for name in old.names()}
        about = {k: v for k, v in old.attributes.items() if not k.startswith("afpanel_")}
    if groups is not None:
        arrays["group_id"] = np.array(groups, object)
    arrays |= extra or {}
    with create_store(path, PANEL, PANEL_VERSION, chunk=100, attributes=about) as new:
        for name, values in arrays.items():
            if name not in drop:
                dims = tuple(f"d{i}" for i in range(values.ndim))
                new.array(name, values, dims=dims)


@pytest.fixture
def panel(project):
    """A project with a panel in front of the gate."""
    project.prepare("merge")
    return project


def test_the_gate_lets_a_panel_of_counts_through(panel):
    rewrite(panel.folder / "panel.zarr.zip")
    assert panel.run(*panel.gate_command()).code == 0
    assert (panel.folder / "releasable" / "panel.zarr.zip").is_file()


def test_the_gate_refuses_when_the_whole_panel_is_too_small(panel):
    panel.write_policy(min_group_size=5, min_allele_count=0)
    panel.try_out(*panel.gate_command()).refuses(
        "policy.yaml", "4 people", "at least 5 (min_group_size)", code=4
    )


def test_four_people_are_enough_where_four_are_asked_for(panel):
    panel.write_policy(min_group_size=4, min_allele_count=0)
    assert panel.run(*panel.gate_command()).code == 0


SMUGGLED = {
    "sample_id": np.array(["P1", "P2", "P3", "P4"], object),
    "call_genotype": np.zeros((30, 4, 2), np.int8),
    "variant_id": np.array(["rs1"] * 30, object),
    "allele_frequency": np.zeros((30, 6), np.float32),
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_the_gate_refuses_a_panel_that_holds_another_array(panel, name):
    rewrite(panel.folder / "panel.zarr.zip", extra={name: SMUGGLED[name]})
    panel.try_out(*panel.gate_command()).refuses(
        "panel.zarr.zip", "more than the counts of groups", name, code=4
    )


def test_the_gate_refuses_an_array_hidden_in_a_folder_of_the_store(panel, tmp_path):
    """An array under a group has no name that the list of arrays would show by itself."""
    import zarr

    rewrite(panel.folder / "panel.zarr.zip")
    hidden = zarr.storage.ZipStore(panel.folder / "panel.zarr.zip", mode="a")
    group = zarr.open_group(hidden, mode="a")
    group.create_group("extra").create_array("sample_id", data=np.arange(4))
    hidden.close()
    panel.try_out(*panel.gate_command()).refuses("panel.zarr.zip", "extra", code=4)


@pytest.mark.parametrize("strange", ["P1", "VN_AAA_XX_P1", "Tiny", "VN_", "AAA", ""])
def test_the_gate_refuses_groups_that_are_none(panel, strange):
    groups = ["total", "VN", "VN_AAA", "VN_BBB", "XX", strange]
    rewrite(panel.folder / "panel.zarr.zip", groups=groups)
    panel.try_out(*panel.gate_command()).refuses("panel.zarr.zip", "expected", strange, code=4)


def test_the_gate_refuses_a_panel_whose_first_group_is_not_the_total(panel):
    groups = ["VN", "total", "VN_AAA", "VN_BBB", "XX", "XY"]
    rewrite(panel.folder / "panel.zarr.zip", groups=groups)
    panel.try_out(*panel.gate_command()).refuses("panel.zarr.zip", code=4)


def test_the_gate_refuses_a_panel_that_names_a_group_twice(panel):
    groups = ["total", "VN", "VN_AAA", "VN_AAA", "XX", "XY"]
    rewrite(panel.folder / "panel.zarr.zip", groups=groups)
    panel.try_out(*panel.gate_command()).refuses("panel.zarr.zip", "VN_AAA", code=4)


def test_a_panel_that_lacks_an_array_is_bad_input(panel):
    rewrite(panel.folder / "panel.zarr.zip", drop=("state",))
    panel.try_out(*panel.gate_command()).refuses("panel.zarr.zip", "state")


def test_variants_at_which_nobody_is_counted_are_not_said_to_be_withheld(panel):
    """As on X, outside the PARs, in a panel of people of unknown sex."""
    path = panel.folder / "panel.zarr.zip"
    with stores.Store(path, PANEL, PANEL_VERSION) as old:
        state = old.read("state")
        tables = {name: old.read(name) for name in ("allele_count", "allele_number")}
    state[:3], tables["allele_count"][:3], tables["allele_number"][:3] = 0, -1, 0
    rewrite(path, extra={"state": state, **tables})
    assert panel.run(*panel.gate_command()).code == 0
    totals = json.loads((panel.folder / "decision.json").read_text())["totals"]
    assert (totals["variants_dropped"], totals["variants_unknown"]) == (0, 3)
    assert totals["variants_out"] == totals["variants_in"] - 3


def test_the_gate_refuses_contigs_that_differ_in_their_groups(panel):
    other = panel.folder / "other.zarr.zip"
    shutil.copy(panel.folder / "panel.zarr.zip", other)
    rewrite(other, groups=["total", "VN", "VN_AAA", "VN_CCC", "XX", "XY"])
    command = panel.gate_command()
    panel.try_out(command[0], command[1], "other.zarr.zip", *command[2:]).refuses(
        "other.zarr.zip", "same groups", code=4
    )


def test_attributes_of_a_panel_do_not_pass_the_gate(panel):
    """What is written behind the gate is made afresh; nothing is copied that is not asked for."""
    path = panel.folder / "panel.zarr.zip"
    with stores.Store(path, PANEL, PANEL_VERSION) as old:
        arrays = {name: old.read(name) for name in old.names()}
        about = {k: v for k, v in old.attributes.items() if not k.startswith("afpanel_")}
    about["made_by"] = "someone@host"
    with create_store(path, PANEL, PANEL_VERSION, chunk=100, attributes=about) as new:
        for name, values in arrays.items():
            new.array(name, values)
    outcome = panel.run(*panel.gate_command())
    if outcome.code == 0:
        with stores.Store(
            panel.folder / "releasable" / "panel.zarr.zip", PANEL, PANEL_VERSION
        ) as released:
            assert "someone@host" not in str(released.attributes)
    else:
        assert outcome.code == 4
