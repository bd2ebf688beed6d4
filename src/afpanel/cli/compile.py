"""``afpanel compile``."""

from pathlib import Path

import click


@click.command("compile")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the machine code; it must then be in NUMBA_CACHE_DIR wherever afpanel runs."
    "  [default: NUMBA_CACHE_DIR, or beside the package]",
)
def command(folder: Path | None) -> None:
    """Compile all loops for this machine's processor, so that no job does.

    Loops are compiled when they are first used, which takes a minute of one core, and the machine code is kept.
    Run this once after an installation, on a machine with the processor of the compute nodes. What is
    there already is not compiled again.

    \b
    Example:
      afpanel compile --to /shared/afpanel-code
    """
    from afpanel.stages.compiling import compile_all

    done = compile_all(folder)
    click.echo(
        f"{done.loops:,} loops of {done.modules:,} modules are compiled, {done.anew:,} of them anew"
    )
    for each in done.folders:
        click.echo(f"  {each}")
