"""``afpanel count``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("count")
@click.argument("store", type=options.INPUT)
@click.option("--alleles", type=options.INPUT, required=True, help="Allele map of the cohort.")
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
    type=click.FloatRange(0, 1),
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
@click.option("--out", type=options.OUTPUT, required=True, help="Counts to write (.zarr.zip).")
def command(
    store: Path,
    alleles: Path,
    samples: Path,
    cohort: str,
    country: str,
    build: str,
    min_gq: int,
    min_dp: int,
    min_dp_haploid: int,
    min_ab: float,
    half_calls: str,
    out: Path,
) -> None:  # fmt: skip
    """Count alleles, homozygotes and hemizygotes of one partition, for every cell at once.

    A threshold applies only if the store has its field. A changed sample sheet or filter needs this
    command again, and no VCF.

    \b
    Example:
      afpanel count genotypes/chr21.00000.vcz.zip --alleles alleles.zarr.zip \\
          --samples cohort.samples.tsv --cohort MY --country MY --build GRCh38 \\
          --out counts/chr21.00000.zarr.zip
    """
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        raise click.UsageError(f"--country takes an ISO 3166-1 alpha-2 code, not '{country}'")
    from afpanel.core.counting import GenotypeFilter
    from afpanel.io.tables import canonical_build
    from afpanel.stages.count import CountOptions, count

    genotype_filter = GenotypeFilter(
        min_gq, min_dp, min_dp_haploid, min_ab, half_calls_missing=half_calls == "missing"
    )
    count(
        store,
        alleles,
        samples,
        out,
        CountOptions(cohort, country, canonical_build(build), genotype_filter),
    )
