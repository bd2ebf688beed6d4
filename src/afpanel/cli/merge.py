"""``afpanel merge``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("merge")
@click.argument("counts", type=options.INPUT, nargs=-1)
@options.file_list
@click.option("--contig", required=True, help="Contig to merge, by the reference's name.")
@options.reference
@options.reference_index
@options.build
@options.aliases
@options.callable_files
@click.option(
    "--settled",
    type=options.INPUT,
    help="What settle wrote: cohorts whose earlier counts are taken again come with these.",
)
@click.option("--out", type=options.OUTPUT, required=True, help="Panel of the contig (.zarr.zip).")
def command(
    counts: tuple[Path, ...],
    listed: Path | None,
    contig: str,
    reference: Path,
    index_dir: Path | None,
    build: str,
    aliases: Path | None,
    evidence: tuple[str, ...],
    settled: Path | None,
    out: Path,
) -> None:
    """Merge the counts of all cohorts on one contig into sums for each group.

    Where a cohort has no record of a variant, it adds AN where its BED or track says that it could have
    been called, and nothing where that is not known. Give at least one store of every cohort.

    \b
    Example:
      afpanel merge */counts/chr21.*.zarr.zip --contig chr21 --reference GRCh38.fa.gz \\
          --build GRCh38 --callable MY=my.callable.bed --out panel/chr21.zarr.zip
    """
    from afpanel.io.reference import ReferencePaths
    from afpanel.io.tables import canonical_build
    from afpanel.stages.merge import MergeOptions, merge
    from afpanel.stages.settle import as_settled

    stores, callable_files = as_settled(
        settled,
        options.paths_of(counts, listed),
        options.named_paths(options.CALLABLE, options.OF_COHORT, evidence),
    )
    merge(
        stores,
        ReferencePaths.find(reference, index_dir),
        out,
        MergeOptions(
            contig,
            canonical_build(build),
            callable_files,
            aliases,
        ),
    )
