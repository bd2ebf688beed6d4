"""``afpanel count``."""

from pathlib import Path
from typing import Any

import click

from afpanel.cli import options


@click.command("count")
@click.argument("source", type=options.INPUT)
@click.option("--alleles", type=options.INPUT, help="Allele map of the cohort; for a store.")
@options.samples
@options.cohort
@click.option("--country", required=True, help="ISO 3166-1 alpha-2 code of the cohort's country.")
@options.build
@click.option(
    "--min-gq",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Least genotype quality; 0 is no limit.",
)
@click.option(
    "--min-dp",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="Least read depth of a diploid call; 0 is no limit.",
)
@click.option(
    "--min-dp-haploid",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="Least read depth of a haploid call; 0 is no limit.",
)
@click.option(
    "--min-ab",
    type=options.Fraction(0, 1),
    default=0.2,
    show_default=True,
    help="Least share of reads for each ALT of a heterozygous call; 0 is no limit.",
)
@click.option(
    "--half-calls",
    type=click.Choice(["count", "missing"]),
    default="count",
    show_default=True,
    help="Whether 0/. is one called allele or a missing call.",
)
@click.option(
    "--reference",
    type=options.INPUT,
    help="Reference FASTA, plain or bgzip-compressed; for a VCF or BCF file.",
)
@options.reference_index
@click.option(
    "--region", help="Only records that start in contig:start-end; for a VCF or BCF file."
)
@click.option(
    "--exclude",
    type=options.INPUT,
    help="List of samples not to count, one to a line, though the sheet includes them.",
)
@options.polyploid
@options.harmonizing
@click.option(
    "--keep",
    type=options.INPUT,
    help="Folder for the genotype store and the allele map of a VCF or BCF file; by default they"
    " are deleted.",
)
@click.option("--out", type=options.OUTPUT, required=True, help="Counts to write (.zarr.zip).")
def command(
    source: Path,
    alleles: Path | None,
    samples: Path,
    cohort: str,
    country: str,
    build: str,
    min_gq: int,
    min_dp: int,
    min_dp_haploid: int,
    min_ab: float,
    half_calls: str,
    reference: Path | None,
    index_dir: Path | None,
    region: str | None,
    exclude: Path | None,
    polyploid: str,
    keep: Path | None,
    out: Path,
    **chosen: Any,
) -> None:  # fmt: skip
    """Count alleles, homozygotes and hemizygotes of one partition, for every cell at once.

    SOURCE is a genotype store (.vcz.zip), with the cohort's allele map; a changed sample sheet or
    filter needs this command again, and no VCF. Or it is a VCF or BCF file of one contig, with the
    reference: then ingest, harmonize and count are done in one go, and the options of all three
    apply. A threshold applies only if the file has its field.

    \b
    Example:
      afpanel count genotypes/chr21.00000.vcz.zip --alleles alleles.zarr.zip \\
          --samples cohort.samples.tsv --cohort MY --country MY --build GRCh38 \\
          --out counts/chr21.00000.zarr.zip
      afpanel count cohort.vcf.gz --region chr21 --reference GRCh38.fa.gz \\
          --samples cohort.samples.tsv --cohort MY --country MY --build GRCh38 --out chr21.zarr.zip
    """
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        raise click.UsageError(f"--country takes an ISO 3166-1 alpha-2 code, not '{country}'")
    from afpanel.core.counting import GenotypeFilter
    from afpanel.io.tables import canonical_build
    from afpanel.stages.count import CountOptions, count

    genotype_filter = GenotypeFilter(
        min_gq, min_dp, min_dp_haploid, min_ab, half_calls_missing=half_calls == "missing"
    )
    count_options = CountOptions(cohort, country, canonical_build(build), genotype_filter, exclude)
    if source.suffix == ".zip":
        if alleles is None or reference is not None or region is not None or keep is not None:
            raise click.UsageError(
                "a genotype store goes with --alleles, without --reference, --region and --keep"
            )
        count(source, alleles, samples, out, count_options)
        return
    if alleles is not None or reference is None:
        raise click.UsageError("a VCF or BCF file goes with --reference, without --alleles")
    from afpanel.io.reference import ReferencePaths
    from afpanel.model.region import Region
    from afpanel.stages.direct import DirectSource, count_file

    count_file(
        DirectSource(
            source,
            ReferencePaths.find(reference, index_dir),
            None if region is None else Region.parse(region),
            keep,
            options.harmonize_choices(**chosen),
            polyploid_missing=polyploid == "missing",
        ),
        samples,
        out,
        count_options,
    )
