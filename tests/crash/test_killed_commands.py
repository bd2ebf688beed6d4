"""Commands that are killed at a step of theirs: what is there is whole, and the next call makes the rest."""

import json
import random
import signal

import pytest

KILLS_OF_EACH = 2


def kill_and_go_on(server, look, folder, command, points, whole):
    """Kill a command at some of its steps, one after the other, and let it work then; count the kills."""
    killed = 0
    for at in points:
        ended = server.run(folder, command, at)
        # After another kill there may be less left to do than at first.
        assert ended.code in (-signal.SIGKILL, 0), ended.said
        killed += ended.code != 0
        found = look.files_of(folder)
        wrong = [name for name, data in found.items() if whole.get(name) != data]
        assert wrong == [], (command, at)
    ended = server.run(folder, command)
    assert ended.code == 0, (command, ended.said)
    return killed


def test_commands_killed_at_40_random_steps_of_all_stages_leave_nothing_taken_for_a_result(
    server, chain, whole, lay_out, look, tmp_path
):
    expected = look.files_of(whole / "made")
    folder = lay_out(tmp_path / "killed")
    rng = random.Random(8)
    killed = 0
    for command, steps in zip(chain, json.loads((whole / "steps.json").read_text()), strict=True):
        points = [rng.randrange(steps) for _ in range(KILLS_OF_EACH)]
        killed += kill_and_go_on(server, look, folder, command, points, expected)
    assert killed >= 30
    assert look.files_of(folder) == expected
    server.run(folder, ["validate", "config.yaml", "--clean", "."])
    assert look.hidden_in(folder) == []


@pytest.mark.long
def test_commands_killed_at_every_one_of_their_steps_leave_nothing_taken_for_a_result(
    server, chain, whole, lay_out, look, tmp_path
):
    expected = look.files_of(whole / "made")
    folder = lay_out(tmp_path / "killed")
    for command, steps in zip(chain, json.loads((whole / "steps.json").read_text()), strict=True):
        kill_and_go_on(server, look, folder, command, range(steps), expected)
    assert look.files_of(folder) == expected
    server.run(folder, ["validate", "config.yaml", "--clean", "."])
    assert look.hidden_in(folder) == []
