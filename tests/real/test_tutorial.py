"""docs/tutorial.md: its commands run as they stand there, and print what it shows.

The panels that take long are those that the other tests build from the page's commands and from
config/1000g/README.md; all else is run here.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.shims import write_bcftools
from tests.tutorial import PAGE, Step, steps

STEPS = steps()

DOWNLOADS = "bcftools view -r 22:"
"""In the one block that is not run: it needs the whole files as they are published."""


@pytest.fixture(scope="module")
def run(tmp_path_factory, prepared):
    """Run a step that is not the workflow; returns all that it prints."""
    shims = tmp_path_factory.mktemp("shims")
    write_bcftools(shims)
    venv = Path(sys.executable).parent
    path = f"{shims}:{next(prepared).folder}:{venv}:{os.environ['PATH']}"

    def do(step: Step, folder: Path) -> str:
        command = ["bash", "-euc"] if step.language == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*command, step.code],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step.code}\n{done.stdout}"
        return done.stdout

    return do


def follow(step, folder, said, build, run):
    """Run a step, or take what an earlier run of the same command said, and hold it against the page."""
    if step.workflow:
        printed = said.get(tuple(step.workflow)) or build(folder, *step.workflow)
    else:
        printed = run(step, folder)
    assert not step.shown or step.fits(printed), (
        f"{step.code}\nprints\n{printed}\nand {PAGE.name} shows\n{step.shown}"
    )


def of_sections(*numbers):
    return [step for step in STEPS if step.section in numbers and DOWNLOADS not in step.code]


def test_the_page_has_steps_with_output():
    assert {step.section for step in STEPS} == set(range(1, 9))
    assert sum(bool(step.shown) for step in STEPS) > 15
    assert sum(DOWNLOADS in step.code for step in STEPS) == 1


def test_another_figure_or_line_is_not_what_the_page_shows():
    step = Step(1, "bash", "", "…\nAC …\n65 of 1,986\n")
    assert step.fits("logged\nAC 1\n65 of 1,986\n")
    assert step.fits("AC 1\n65 of 1,986")
    for printed in (
        "AC 1\n64 of 1,986\n",
        "AC 1\n65 of 1,986\nmore\n",
        "AC 1\nx\n65 of 1,986\n",
        "",
    ):
        assert not step.fits(printed)


def test_a_first_panel_is_as_the_tutorial_shows_it(seven_countries, build, run, tmp_path):
    panel = seven_countries.moved(tmp_path / "seven")
    workflow = [step for step in of_sections(4) if step.workflow]
    assert len(workflow) == 1
    said = {tuple(workflow[0].workflow): (panel.folder / "said.txt").read_text()}
    for step in of_sections(1, 2, 3, 4, 5, 6):
        follow(step, panel.folder, said, build, run)


def test_a_second_release_is_as_the_tutorial_shows_it(masked_panel, build, run, tmp_path):
    panel = masked_panel.moved(tmp_path / "limits")
    workflow = [step for step in of_sections(7) if step.workflow]
    assert len(workflow) == 1
    said = {tuple(workflow[0].workflow): (panel.folder / "said.txt").read_text()}
    for step in of_sections(7):
        follow(step, panel.folder, said, build, run)


def test_a_contribution_and_its_panel_are_as_the_tutorial_shows_them(
    seven_contributed, build, run, tmp_path
):
    folder = tmp_path / "contributed"
    shutil.copytree(seven_contributed, folder, symlinks=True)
    (folder / "my").mkdir()
    for step in of_sections(8):
        follow(step, folder, {}, build, run)


def test_the_tutorial_s_charts_are_those_of_the_panel_s_report(seven_countries):
    shown = re.findall(r"\]\((tutorial-(\w+)\.svg)\)", PAGE.read_text())
    assert [name for _, name in shown] == ["fst", "pca"]
    for file, name in shown:
        made = seven_countries.results / f"panel/report/{name}.svg"
        assert (PAGE.parent / file).read_bytes() == made.read_bytes()
