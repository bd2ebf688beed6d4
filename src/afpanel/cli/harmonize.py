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
    "--chain",
    type=options.INPUT,
    help="Chain file from the cohort's build to the panel's, for a cohort on another build.",
)
@click.option(
    "--source-reference",
    type=options.INPUT,
    help="Reference FASTA of the cohort's build. Without it REF is checked on the panel's alone.",
)
@click.option(
    "--source-reference-index",
    "source_index_dir",
    type=options.INPUT,
    help="Folder with that FASTA's .fai (and .gzi), where they are not beside it.",
)
@click.option(
    "--callable",
    "callable_bed",
    type=options.INPUT,
    help="BED of where the cohort is callable, on its own build; lifted with it.",
)
@click.option("--callable-out", type=options.OUTPUT, help="Lifted BED to write.")
@click.option(
    "--contig",
    "contigs",
    multiple=True,
    help="Contig of the panel that alleles may be lifted to; repeat for each. By default all are.",
)
@click.option(
    "--ignore-contig",
    "ignored",
    multiple=True,
    help="Contig of the cohort to leave out where the reference does not have it; repeat for more.",
)
@click.option(
    "--records",
    multiple=True,
    metavar="CONTIG=N",
    help="Records that a contig must have in all its stores; repeat for each that is known.",
)
@click.option(
    "--duplicates",
    type=options.OUTPUT,
    help="Table to write of source alleles that are one variant, and what became of each (.tsv).",
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
    chain: Path | None,
    source_reference: Path | None,
    source_index_dir: Path | None,
    callable_bed: Path | None,
    callable_out: Path | None,
    contigs: tuple[str, ...],
    ignored: tuple[str, ...],
    records: tuple[str, ...],
    duplicates: Path | None,
    out: Path,
    summary: Path,
) -> None:
    """Give every source allele of a cohort its canonical form, or the reason why it has none.

    Takes all genotype stores of the cohort, and reads their sites only. Alleles are split, checked
    against the reference, trimmed and left-aligned, and lifted over if the cohort is on another
    build. Symbolic alleles, '*', alleles with letters other than A, C, G and T, what cannot be lifted,
    and repeats of one variant are rejected, and counted by reason.

    \b
    Example:
      afpanel harmonize genotypes/*.vcz.zip --reference GRCh38.fa.gz --cohort MY \\
          --out alleles.zarr.zip --summary harmonization.json

    \b
    A cohort on GRCh37, for a panel on GRCh38:
      afpanel harmonize genotypes/*.vcz.zip --reference GRCh38.fa.gz --cohort TH \\
          --chain hg19ToHg38.over.chain.gz --source-reference GRCh37.fa.gz \\
          --out alleles.zarr.zip --summary harmonization.json
    """
    from afpanel.io.reference import ReferencePaths
    from afpanel.stages.harmonize import HarmonizeOptions, harmonize
    from afpanel.stages.lift import LiftPaths

    wanted = tuple(each for each in resolve.split(",") if each)
    if set(wanted) - {"swap", "strand"}:
        raise click.UsageError(f"--resolve takes swap and strand, not '{resolve}'")
    contig_records = {}
    for pair in records:
        contig, _, number = pair.rpartition("=")
        if not contig or not number.isdigit():
            raise click.UsageError(f"--records takes CONTIG=N, not '{pair}'")
        contig_records[contig] = int(number)
    if chain is None and (source_reference is not None or contigs):
        raise click.UsageError("--source-reference and --contig belong to a lift: give --chain too")
    if (callable_bed is None) != (callable_out is None) or (callable_bed and chain is None):
        raise click.UsageError("--callable and --callable-out go together, and with --chain")
    fasta = None
    if source_reference is not None:
        fasta = ReferencePaths.find(source_reference, source_index_dir)
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
            lift=None if chain is None else LiftPaths(chain, fasta, callable_bed, callable_out),
            contigs=contigs,
            ignored_contigs=ignored,
            duplicates=duplicates,
        ),
    )
