"""``afpanel publish``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("publish")
@click.argument("panels", type=options.INPUT, nargs=-1, required=True)
@click.option("--decision", type=options.INPUT, required=True, help="The gate's decision.")
@click.option(
    "--harmonization",
    type=options.INPUT,
    multiple=True,
    required=True,
    help="Harmonization summary of a cohort; repeat for each.",
)
@click.option("--plan", type=options.INPUT, required=True, help="Plan of the run, from validate.")
@click.option(
    "--received",
    type=options.INPUT,
    multiple=True,
    help="What `afpanel verify` wrote of a contribution (received.json); repeat for each.",
)
@click.option("--overlap", type=options.INPUT, help="Report of overlap, for the summary.")
@click.option(
    "--discordance",
    type=options.INPUT,
    help="cohorts.tsv of discordance, for the summary and the report; the other tables are beside it.",
)
@click.option("--risk", type=options.INPUT, help="risk.json of risk, for the manifest.")
@click.option(
    "--popgen",
    type=options.INPUT,
    help="Folder that popgen wrote, for the report; else worked out again.",
)
@click.option(
    "--previous",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of an earlier release of the same tier, with which the report compares this one.",
)
@click.option(
    "--hub-report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the hub's own report, which must stay there, and for every figure as TSV and SVG.",
)
@options.reference
@options.reference_index
@options.build
@options.release_name
@options.release_version
@click.option(
    "--format",
    "formats",
    type=click.Choice(["vcf", "parquet", "zarr", "vcf-slim", "bcf", "gdi"]),
    multiple=True,
    default=("vcf", "parquet", "zarr"),
    show_default=True,
    help="Format to write; repeat for more.",
)
@click.option(
    "--grpmax-exclude",
    multiple=True,
    metavar="GROUP",
    help="Group that is never the one with the greatest frequency, or country with all its"
    " populations; repeat for more.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the release; an older one is replaced when the new one is whole.",
)
@click.option("--summary", type=options.OUTPUT, required=True, help="Summary of the run (text).")
def command(
    panels: tuple[Path, ...],
    decision: Path,
    harmonization: tuple[Path, ...],
    plan: Path,
    received: tuple[Path, ...],
    overlap: Path | None,
    discordance: Path | None,
    risk: Path | None,
    popgen: Path | None,
    previous: Path | None,
    hub_report: Path | None,
    reference: Path,
    index_dir: Path | None,
    build: str,
    name: str,
    panel_version: str,
    formats: tuple[str, ...],
    grpmax_exclude: tuple[str, ...],
    out: Path,
    summary: Path,
) -> None:
    """Write a release from what passed the gate.

    The release holds the panel as VCF, Parquet and Zarr, all with the same figures, the account of
    harmonization, a report for people, and a manifest with the checksum of every file. Before it appears it is scanned, as
    `afpanel scan` does: for the samples of all sheets that the plan names, for paths, and for whatever has
    no place in a release. If anything is found there is no release, and the exit code is 5.

    \b
    Example:
      afpanel publish releasable/*.zarr.zip --decision decision.json \\
          --harmonization MY/harmonization.json --harmonization VN/harmonization.json \\
          --plan plan.json --reference GRCh38.fa.gz --build GRCh38 \\
          --name asean --panel-version 2026.1 --out release --summary summary.txt
    """
    from afpanel.cli.process import this_machine
    from afpanel.io.reference import ReferencePaths
    from afpanel.io.tables import canonical_build
    from afpanel.stages.publish import PublishInputs, PublishOptions, publish

    paths = ReferencePaths.find(reference, index_dir)
    publish(
        PublishInputs(
            panels,
            decision,
            harmonization,
            plan,
            paths,
            received,
            overlap,
            discordance,
            risk,
            popgen,
            previous,
        ),
        out,
        summary,
        PublishOptions(name, panel_version, canonical_build(build), formats, grpmax_exclude),
        this_machine(),
        hub_report,
    )
