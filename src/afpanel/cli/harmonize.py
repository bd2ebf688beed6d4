"""``afpanel harmonize``."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from afpanel.cli import options


@click.command("harmonize")
@click.argument("stores", type=options.INPUT, nargs=-1)
@options.file_list
@options.reference
@options.reference_index
@options.cohort
@options.harmonizing
@click.option(
    "--samples",
    type=options.INPUT,
    help="Sample sheet: of records that are one variant, the calls of those it includes are looked at."
    " By default everybody's are.",
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
    samples: Path | None,
    callable_bed: Path | None,
    callable_out: Path | None,
    contigs: tuple[str, ...],
    ignored: tuple[str, ...],
    records: tuple[str, ...],
    duplicates: Path | None,
    out: Path,
    summary: Path,
    **chosen: Any,
) -> None:
    """Give every source allele of a cohort its canonical form, or the reason why it has none.

    Takes all genotype stores of the cohort, and reads their sites only. Alleles are split, checked
    against the reference, trimmed and left-aligned, and lifted over if the cohort is on another
    build. Symbolic alleles, '*', alleles with letters other than A, C, G and T, what cannot be lifted,
    and repeats of one variant are rejected, and counted by reason.

    \b
    Example:
      afpanel harmonize genotypes/*.vcz.zip --reference GRCh38.fa.gz --cohort MY \\
          --samples MY.samples.tsv --out alleles.zarr.zip --summary harmonization.json

    \b
    A cohort on GRCh37, for a panel on GRCh38:
      afpanel harmonize genotypes/*.vcz.zip --reference GRCh38.fa.gz --cohort TH \\
          --chain hg19ToHg38.over.chain.gz --source-reference GRCh37.fa.gz \\
          --out alleles.zarr.zip --summary harmonization.json
    """
    from afpanel.io.reference import ReferencePaths
    from afpanel.stages.harmonize import HarmonizeOptions, harmonize

    choices = options.harmonize_choices(**chosen)
    lift = choices.pop("lift")
    if lift is None and contigs:
        raise click.UsageError("--contig belongs to a lift: give --chain too")
    if (callable_bed is None) != (callable_out is None) or (callable_bed and lift is None):
        raise click.UsageError("--callable and --callable-out go together, and with --chain")
    if callable_bed is not None:
        lift = replace(lift, callable_bed=callable_bed, callable_out=callable_out)
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
            contig_records=contig_records,
            lift=lift,
            contigs=contigs,
            ignored_contigs=ignored,
            duplicates=duplicates,
            samples=samples,
            **choices,
        ),
    )
