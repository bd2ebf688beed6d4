"""``afpanel ledger``: the record of every release that was published."""

from pathlib import Path

import click

from afpanel.cli import options

_FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.group("ledger")
def command() -> None:
    """Keep the record of what releases have shown, which the gate holds new ones against.

    \b
    Example:
      afpanel ledger check ledger
    """


@command.command("show")
@_FOLDER
def show(folder: Path) -> None:
    """List the releases that are recorded: their entries, digests, people and variants."""
    from afpanel.stages.ledger import describe

    click.echo(describe(folder), nl=False)


@command.command("check")
@_FOLDER
@click.option(
    "--head",
    metavar="SHA256",
    help="Digest of an entry, as somebody noted it or a manifest has it, that must be in the chain.",
)
def check(folder: Path, head: str | None) -> None:
    """Check the chain, and the digest of every file; exit code 5 if anything was changed or is gone."""
    from afpanel.stages.ledger import check

    click.echo(check(folder, head))


@command.command("record")
@_FOLDER
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--merged", type=options.INPUT, multiple=True, required=True,
    help="Panel of a contig before the gate; repeat for each, in the order of the release.",
)  # fmt: skip
@click.option(
    "--releasable", type=options.INPUT, multiple=True, required=True,
    help="Panel of the contig after the gate; repeat for each.",
)  # fmt: skip
@click.option("--decision", type=options.INPUT, required=True, help="The gate's decision.")
@click.option("--settled", type=options.INPUT, required=True, help="What settle wrote.")
@click.option(
    "--keep-counts",
    is_flag=True,
    help="Keep the counts of every cohort too, so that they can be taken again.",
)
@click.option(
    "--out", type=options.OUTPUT, help="Receipt to write (JSON): the entry and its digest."
)
def record(
    folder: Path,
    release: Path,
    merged: tuple[Path, ...],
    releasable: tuple[Path, ...],
    decision: Path,
    settled: Path,
    keep_counts: bool,
    out: Path | None,
) -> None:
    """Record a release. The same one again changes nothing; another of its name is refused."""
    from afpanel.io.files import write_json
    from afpanel.stages.record import RecordInputs, record

    entry = record(
        folder,
        RecordInputs(release, merged, releasable, decision, settled),
        keep_counts=keep_counts,
    )
    if out is not None:
        write_json(out, {"release": entry.name, "entry": entry.number, "sha256": entry.digest})
