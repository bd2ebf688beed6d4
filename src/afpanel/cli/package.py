"""``afpanel package``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("package")
@click.argument("counts", type=options.INPUT, nargs=-1)
@options.file_list
@click.option("--cohort", required=True, help="Cohort to package.")
@click.option(
    "--plan",
    type=options.INPUT,
    required=True,
    help="Plan of the run, which `afpanel validate --plan` writes: it says what is shared.",
)
@click.option(
    "--harmonization",
    type=options.INPUT,
    required=True,
    help="Harmonization summary of the cohort (JSON).",
)
@click.option(
    "--callable",
    "callable_file",
    type=options.INPUT,
    help="BED or track of allele numbers of the cohort, on the panel's build.",
)
@click.option(
    "--linkage",
    type=options.INPUT,
    help="Linkage summary of the cohort, which `afpanel linkage --plan` writes; needed for a contribution"
    " unless sharing.linkage is false.",
)
@options.reference
@options.reference_index
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Contribution to write, such as VN1.afc.zip.",
)
@click.option(
    "--preview", is_flag=True, help="Print what would be in it, and write no contribution."
)
@click.option(
    "--preview-out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Text file to write that shows what is in it.",
)
def command(
    counts: tuple[Path, ...],
    listed: Path | None,
    cohort: str,
    plan: Path,
    harmonization: Path,
    callable_file: Path | None,
    linkage: Path | None,
    reference: Path,
    index_dir: Path | None,
    out: Path | None,
    preview: bool,
    preview_out: Path | None,
) -> None:
    """Package a cohort's counts as a contribution: one file to read through, and hand over.

    What is told, and what is kept back, is the section `sharing` of the configuration. `snakemake
    contributions` calls this for every cohort that has genotypes, after it has counted them.

    \b
    Example:
      afpanel package results/private/VN1/counts/*.zarr.zip --cohort VN1 \\
          --plan results/private/plan.json \\
          --harmonization results/private/VN1/harmonization.json \\
          --linkage results/private/VN1/told_linkage.json \\
          --reference GRCh38.fa.gz --preview
    """
    from afpanel.cli.process import this_machine
    from afpanel.errors import UsageError
    from afpanel.io.reference import ReferencePaths
    from afpanel.stages.package import PackageInputs, package

    if preview == (out is not None):
        raise UsageError("give --out, or --preview to see what it would hold, and not both")
    inputs = PackageInputs(
        options.paths_of(counts, listed),
        plan,
        harmonization,
        callable_file,
        ReferencePaths.find(reference, index_dir),
        linkage,
    )
    page = package(inputs, cohort, out, preview_out, this_machine())
    if preview:
        click.echo(page, nl=False)
