"""``afpanel scan``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("scan")
@click.argument("paths", type=options.INPUT, nargs=-1, required=True)
@click.option(
    "--samples",
    "sheets",
    multiple=True,
    metavar="[COHORT=]SHEET",
    help="Sample sheet of a cohort, none of whose samples may be named; repeat for each.",
)
@click.option(
    "--plan",
    type=options.INPUT,
    help="Plan of a run, from validate: the sheets and paths that it names, and what its panel is called.",
)
@click.option(
    "--hashes",
    type=options.INPUT,
    multiple=True,
    help='Hashed sample IDs of a cohort, as JSON: {"cohort": NAME, "salt": TEXT, "sha256": [HEX, ...]}, each'
    " the SHA-256 of the salt and the ID in folded case; repeat for more.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="Name of a user, a host or anything else that may not be named; repeat for more.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    help="Name that may be said, such as the panel's, be it that of a sample too; repeat for more.",
)
def command(
    paths: tuple[Path, ...],
    sheets: tuple[str, ...],
    plan: Path | None,
    hashes: tuple[Path, ...],
    names: tuple[str, ...],
    labels: tuple[str, ...],
) -> None:
    """Look for anything in releases and contributions that must not leave.

    PATHS are folders of releases, contributions (.afc.zip), or single files of them. Every byte of a file
    is accounted for by what files of its kind may hold, and everything is searched, unpacked, for
    sample IDs, absolute paths, e-mail addresses, and the names of this user and host. Ends with 5, and a list
    of what was found and where, if there is anything; no sample ID is printed in full.

    \b
    Example:
      afpanel scan results/release/asean-2026.1 --samples VN=vn.samples.tsv --samples TH=th.samples.tsv
    """
    from afpanel.cli.process import this_machine
    from afpanel.io.files import read_json
    from afpanel.stages.leak_scan import Forbidden, refuse_leaks

    forbidden = Forbidden(this_machine(*names))
    if plan is not None:
        forbidden.add_plan(read_json(plan))
    for given in sheets:
        cohort, _, sheet = given.rpartition("=")
        forbidden.add_sheet(cohort or Path(sheet).name.partition(".")[0], Path(sheet))
    for path in hashes:
        forbidden.add_hashes(path)
    forbidden.allow(labels)
    click.echo(refuse_leaks(paths, forbidden), nl=False)
