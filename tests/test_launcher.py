"""Programs that are measured may print what they like."""

import pytest

from afpanel.errors import BadInputError
from afpanel.stages.bench_launch import Launcher


def test_what_a_command_prints_is_not_taken_for_its_figures():
    with Launcher() as launcher:
        for command in ("echo 0 one two three four five", "printf '0 1 2 3\\n0 1 2 3\\n'", "true"):
            run = launcher.run(command)
            assert 0 <= run.cpu <= run.seconds + 1
            assert 0 < run.peak_mb < 1_000
        with pytest.raises(BadInputError, match="exit code 3"):
            launcher.run("echo 0; exit 3")
        assert launcher.run("echo 0 0 0 0").seconds < 60
