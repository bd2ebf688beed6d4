"""``afpanel export``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.group("export")
def command() -> None:
    """Give a part of a release in another form.

    \b
    Example:
      afpanel export va-spec results/release/demo-2026.1 --region chr21:1-20000 \\
          --reference demo/data/reference.fa.gz
    """


@command.command("va-spec")
@click.argument("release", type=options.INPUT)
@click.option("--region", required=True, metavar="CONTIG[:START-END]", help="1-based, inclusive.")
@click.option(
    "--reference",
    type=options.INPUT,
    required=True,
    help="FASTA that the release is written against, indexed beside it.",
)
@click.option(
    "--group", "groups", multiple=True, help="Group to tell of; all by default. [repeatable]"
)
@click.option("--out", type=options.OUTPUT, help="File to write; stdout by default.")
def va_spec(
    release: Path, region: str, reference: Path, groups: tuple[str, ...], out: Path | None
) -> None:
    """Write allele frequencies as GA4GH VA-Spec has them, with VRS identifiers.

    Each line is a CohortAlleleFrequencyStudyResult (JSON): the total, with countries, populations and sexes
    inside. A masked cell has no result; where the total is masked, each country has a line of its own.
    Needs the extra: pip install 'afpanel[ga4gh]'.

    \b
    Example:
      afpanel export va-spec results/release/demo-2026.1 --region chr21:1-20000 \\
          --reference demo/data/reference.fa.gz --out chr21.va-spec.jsonl
    """
    from afpanel.io.reference import ReferencePaths
    from afpanel.stages import va_spec as stage

    lines = stage.va_spec(release, region, ReferencePaths.find(reference), groups or None)
    if out is not None:
        click.echo(f"{stage.write_va_spec(lines, out):,} results written to {out}", err=True)
        return
    for line in lines:
        click.echo(line, nl=False)
