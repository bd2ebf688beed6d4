"""The ``afpanel`` command: finds the commands, sets up logging, and turns errors into exit codes."""

import importlib
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from afpanel import __version__
from afpanel.cli import process
from afpanel.cli.terminal import visible
from afpanel.errors import EXIT_DONE, EXIT_USAGE, AfpanelError

COMMANDS = (
    "metadata",
    "validate",
    "plan",
    "ingest",
    "harmonize",
    "overlap",
    "count",
    "package",
    "sign",
    "verify",
    "settle",
    "merge",
    "discordance",
    "gate",
    "linkage",
    "risk",
    "publish",
    "ledger",
    "report",
    "scan",
    "verify-release",
    "popgen",
    "diff",
    "export",
    "catalog",
    "status",
    "bench",
    "compile",
)
"""Names of the commands, in the order of the work; each is in the module of its name, `_` for `-`."""

_INTERRUPTED = 130

logger = logging.getLogger("afpanel")


class _Commands(click.Group):
    """Imports a command's module when it is asked for, so that the command line starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"afpanel.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("-v", "--verbose", is_flag=True, help="Log more, for finding faults.")
@click.option("-q", "--quiet", is_flag=True, help="Log warnings and errors only.")
@click.version_option(__version__, prog_name="afpanel", message="%(prog)s %(version)s")
def cli(verbose: bool, quiet: bool) -> None:
    """Build an aggregate-only allele frequency panel from the genomes of many countries.

    A whole panel is built by the workflow, which calls these commands in order:

    \b
      snakemake --cores all                      builds what config/config.yaml says
      afpanel validate config/config.yaml        checks every input first

    Each command takes files in and files out, and logs to stderr. Exit codes: 0 done, 2 usage,
    3 bad input, 4 refused by policy, 5 verification failed.
    """
    logging.raiseExceptions = False  # the log may be on a disk that is full
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S"
    )
    command = click.get_current_context().invoked_subcommand
    if command != "status" and process.hold_log():
        logger.info("%s: begun, afpanel %s", command, __version__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    process.prepare()
    try:
        code = cli.main(args=arguments, prog_name="afpanel", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("afpanel: interrupted", err=True)
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - what cannot be put in words is raised again
        return _tell(error)
    return code if isinstance(code, int) else EXIT_DONE


def _tell(error: Exception) -> int:
    """Say what went wrong; full disks and missing permissions are the machine's and need no trace."""
    from afpanel.io.machine_faults import machine_fault

    told = machine_fault(error) or error
    if not isinstance(told, AfpanelError):
        raise error
    message = f"afpanel: error: {visible(str(told))}"
    try:
        click.echo(message, err=True)
    except OSError:  # the log may be on the disk that is full; who began the job sees this
        with suppress(OSError):
            click.echo(message)
    return told.exit_code
