"""``afpanel harmonize``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("harmonize")
@click.argument("stores", type=options.INPUT, nargs=-1)
@options.file_list
@options.reference
@options.reference_index
@options.cohort
@options.aliases
@click.option(
    "--filter",
    "filters",
    multiple=True,
    default=("PASS", "."),
    show_default=True,
    help="FILTER value whose records are used, '.' for none set; repeat for more. '*' is all.",
)
@click.option(
    "--max-ref-mismatch",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="Share of records whose REF may differ from the reference.",
)
@click.option(
    "--resolve",
    default="swap,strand",
    show_default=True,
    help="What to resolve in single bases that do not match the reference; '' is nothing.",
)
@click.option(
    "--records",
    multiple=True,
    metavar="CONTIG=N",
    help="Records that a contig must have in all its stores; repeat for each that is known.",
)
@click.option("--out", type=options.OUTPUT, required=True, help="Allele map to write (.zarr.zip).")
@click.option(
    "--summary", type=options.OUTPUT, required=True, help="Number of alleles by outcome (JSON)."
)
def command(
    stores: tuple[Path, ...],
    listed: Path | None,
    reference: Path,
    index_dir: Path | None,
    cohort: str,
    aliases: Path | None,
    filters: tuple[str, ...],
    max_ref_mismatch: float,
    resolve: str,
    records: tuple[str, ...],
    out: Path,
    summary: Path,
) -> None:
    """Give every source allele of a cohort its canonical form, or the reason why it has none.

    Takes all genotype stores of the cohort, and reads their sites only. Alleles are split, checked
    against the reference, trimmed and left-aligned; symbolic alleles, '*', alleles with letters
    other than A, C, G and T, and repeats of one variant are rejected, and counted by reason.

    \b
    Example:
      afpanel harmonize genotypes/*.vcz.zip --reference GRCh38.fa.gz --cohort MY \\
          --out alleles.zarr.zip --summary harmonization.json
    """
    from afpanel.io.reference import ReferencePaths
    from afpanel.stages.harmonize import HarmonizeOptions, harmonize

    wanted = tuple(each for each in resolve.split(",") if each)
    if set(wanted) - {"swap", "strand"}:
        raise click.UsageError(f"--resolve takes swap and strand, not '{resolve}'")
    contig_records = {}
    for pair in records:
        contig, _, number = pair.rpartition("=")
        if not contig or not number.isdigit():
            raise click.UsageError(f"--records takes CONTIG=N, not '{pair}'")
        contig_records[contig] = int(number)
    harmonize(
        options.paths_of(stores, listed),
        ReferencePaths.find(reference, index_dir),
        out,
        summary,
        HarmonizeOptions(
            cohort=cohort,
            filters=() if "*" in filters else filters,
            max_ref_mismatch=max_ref_mismatch,
            aliases=aliases,
            resolve=wanted,
            contig_records=contig_records,
        ),
    )
