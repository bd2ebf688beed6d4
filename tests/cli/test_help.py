"""What the command line says of itself."""

import importlib.metadata
import shlex
import subprocess
import sys

import click
import pytest

from afpanel.cli.main import COMMANDS, cli, main


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "afpanel", *arguments], capture_output=True, text=True, check=False
    )


def command(name: str) -> click.Command:
    return cli.get_command(click.Context(cli), name)


def examples_of(help_text: str) -> list[list[str]]:
    """The words of each call of a help text's example, its lines joined."""
    lines = (
        help_text.split("Example:", 1)[1]
        .split("Options:", maxsplit=1)[0]
        .split("\n\n", maxsplit=1)[0]
    )
    return [shlex.split(line) for line in lines.replace("\\\n", " ").splitlines() if line.strip()]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_teaches_by_an_example(name, capsys):
    assert main([name, "--help"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert f"Usage: afpanel {name} " in said.out
    assert f"afpanel {name} " in said.out.split("Example:", 1)[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_every_command_is_a_call_that_it_understands(name, capsys):
    main([name, "--help"])
    for words in examples_of(capsys.readouterr().out):
        assert words[:2] == ["afpanel", name]
        command(name).make_context(name, words[2:])  # raises where an option is unknown or missing


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name):
    options = [p for p in command(name).params if isinstance(p, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_the_help_lists_every_command_and_the_exit_codes(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    listed = said.split("Commands:")[1].split()
    assert set(COMMANDS) <= set(listed)
    for meaning in ("0 done", "2 usage", "3 bad input", "4 refused", "5 verification"):
        assert meaning in " ".join(said.split())


def test_without_arguments_the_help_is_shown(capsys):
    code = main([])
    said = capsys.readouterr()
    assert code in (0, 2)
    assert "Usage: afpanel" in said.out + said.err
    assert "validate" in said.out + said.err


def test_python_dash_m_tells_the_version_that_is_installed():
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.split() == ["afpanel", importlib.metadata.version("afpanel")]
    assert done.stderr == ""


def test_help_starts_without_what_only_the_work_needs():
    """Importing these takes longer than all the rest of ``afpanel --help``."""
    code = (
        "import sys; from afpanel.cli.main import main; main(['--help']);"
        "heavy = {'numba', 'zarr', 'pyarrow', 'numpy', 'pysam', 'cyvcf2', 'allel', 'jsonschema'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_starts_without_numba_zarr_and_pyarrow(name):
    code = (
        f"import sys; from afpanel.cli.main import main; main(['{name}', '--help']);"
        "print(sorted({'numba', 'zarr', 'pyarrow'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_a_job_does_not_wait_for_what_it_does_not_use() -> None:
    """Arrow would import pandas, which is beside Snakemake, and SciPy's statistics take longer than most jobs."""
    stages = ("ingest", "harmonize", "count", "merge", "discordance", "gate", "publish", "verify")
    code = (
        "import sys; from afpanel.cli import process; process.do_without_pandas();"
        f"[__import__(f'afpanel.stages.{{name}}') for name in {stages}];"
        "import pyarrow; pyarrow.array(['a']);"
        "print(*({'pandas', 'scipy.stats', 'matplotlib', 'allel'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
