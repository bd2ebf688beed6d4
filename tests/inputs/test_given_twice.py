"""Files that are given twice: what they hold would be counted twice."""

import shutil

import pytest


@pytest.fixture
def panel(project):
    """A project with a panel in front of the gate."""
    return project.prepare("merge")


@pytest.mark.parametrize("copied", [False, True], ids=["the same file", "a copy"])
def test_counts_that_are_given_twice_are_refused(panel, copied):
    second = "counts.zarr.zip"
    if copied:
        second = "other.zarr.zip"
        shutil.copy(panel.folder / "counts.zarr.zip", panel.folder / second)
    words = panel.merge_command()
    words.insert(1, second)
    outcome = panel.run(*words)
    assert outcome.code == 3
    assert ("the same variant" if copied else "given twice") in outcome.err
    assert "Traceback" not in outcome.err


def test_a_contig_that_is_given_twice_is_refused_by_all_that_read_panels(panel):
    shutil.copy(panel.folder / "panel.zarr.zip", panel.folder / "other.zarr.zip")
    words = panel.gate_command()
    panel.try_out(words[0], "other.zarr.zip", *words[1:]).refuses("a second panel of contig chr1")
    assert panel.run(*words).code == 0
    twice = ["releasable/panel.zarr.zip"] * 2
    panel.try_out("popgen", *twice, "--out", "out").refuses("a second panel of contig chr1")
    (panel.folder / "plan.json").unlink(missing_ok=True)
    panel.run("validate", "config.yaml", "--plan", "plan.json")
    panel.try_out(
        "publish", *twice, "--decision", "decision.json", "--harmonization", "harmonization.json",
        "--plan", "plan.json", "--reference", panel.config["reference"]["fasta"], "--build", "GRCh38",
        "--name", "p", "--panel-version", "1", "--out", "release", "--summary", "summary.txt",
    ).refuses("a second panel of contig chr1")  # fmt: skip
