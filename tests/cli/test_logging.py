"""What the commands say while they work."""

import re
import subprocess

import pytest

from afpanel.cli.main import main

LINE = re.compile(r"\d\d:\d\d:\d\d  (?P<task>[^:]+): (?P<done>[\d,]+) (?P<unit>[a-z ]+), [\d,]+/s")


@pytest.fixture(scope="module")
def run(prepared):
    """Run a command in a process of its own: run(working_directory, arguments)."""
    command = str(next(prepared).folder / "afpanel")

    def start(folder, arguments):
        return subprocess.run(
            [command, *arguments], cwd=folder, capture_output=True, text=True, check=False
        )

    return start


def progress(text):
    return [match for line in text.splitlines() if (match := LINE.match(line))]


@pytest.fixture(scope="module")
def said(tmp_path_factory, by_hand_module, run):
    """How the first call of each command ended, and the call; the others only do their work."""
    folder = tmp_path_factory.mktemp("logging")
    by_hand_module.write_inputs(folder)
    done = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in by_hand_module.commands():
            if command[0] in done:
                assert main(command) == 0
                continue
            chunk = ["--chunk", "3"] if command[0] == "ingest" else []
            done[command[0]] = (command, run(folder, [*command, *chunk]))
            assert done[command[0]][1].returncode == 0, done[command[0]][1].stderr
    return list(done.values())


def test_no_command_writes_to_stdout(said):
    assert [command for command, done in said if done.stdout] == []


def test_every_stage_says_in_the_end_that_it_is_done(said):
    for command, done in said:
        if command[0] != "validate":
            assert re.search(r"\d\d:\d\d:\d\d  .*: done", done.stderr), command


def test_ingest_and_count_say_a_line_for_each_chunk_with_what_was_done_and_how_fast(said):
    """Viet Nam has eight records on chromosome 1, in chunks of three."""
    for stage in ("ingest", "count"):
        _, done = next(x for x in said if x[0][0] == stage)
        lines = progress(done.stderr)
        assert [line["unit"] for line in lines] == ["records"] * 3
        assert [line["done"] for line in lines] == ["3", "6", "8"]


@pytest.mark.parametrize(
    ("stage", "unit"),
    [("harmonize", "source alleles"), ("merge", "variants"), ("gate", "variants"),
     ("publish", "variants"), ("popgen", "variants")],
)  # fmt: skip
def test_the_other_stages_count_what_they_have_done(said, stage, unit):
    for command, done in said:
        if command[0] == stage:
            lines = progress(done.stderr)
            assert lines, done.stderr
            assert {line["unit"] for line in lines} == {unit}


def test_validate_says_who_takes_part(said):
    _, done = said[0]
    assert "Viet-1 (VN): 4 people" in done.stderr
    assert "Thai-1 (TH): 4 people" in done.stderr
    assert "chr1, chrX" in done.stderr


def test_quiet_says_nothing_but_errors(tiny, by_hand, run):
    command = list(by_hand())[1]
    done = run(tiny, ["--quiet", *command])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = run(tiny, ["--quiet", *command[:-1], "/dev/null/x.vcz.zip"])
    assert done.returncode != 0
    assert done.stderr.startswith("afpanel: error: ")
    assert "Traceback" not in done.stderr


def test_no_line_of_the_log_names_a_person(said):
    for _, done in said:
        assert not re.search(r"\b[vt][1-4]\b", done.stderr)
