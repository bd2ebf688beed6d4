"""``afpanel ingest``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("ingest")
@click.argument("vcf", type=options.INPUT)
@options.samples
@click.option(
    "--out",
    required=True,
    help="Store to write, as NAME.vcz.zip; with --partitions a pattern that holds {partition}.",
)
@click.option(
    "--region", help="Only records that start in contig:start-end, by the file's own contig name."
)
@click.option(
    "--partitions",
    type=options.INPUT,
    help="Table of partitions; all those of this file are written in one pass.",
)
@click.option(
    "--fields",
    default="GQ,DP,AD",
    show_default=True,
    help="FORMAT fields to keep beside GT where the file has them: those the genotype filter needs.",
)
@options.polyploid
@click.option("--chunk", type=click.IntRange(1), help="Records in a chunk of the store.")
def command(
    vcf: Path,
    samples: Path,
    out: str,
    region: str | None,
    partitions: Path | None,
    fields: str,
    polyploid: str,
    chunk: int | None,
) -> None:
    """Read the genotypes of a VCF or BCF file into VCF Zarr stores.

    The file may be plain text, gzip or BGZF, indexed or not. Only the samples of the sheet are read.
    A store holds the records of one contig, or of part of one.

    \b
    Example:
      afpanel ingest cohort.vcf.gz --samples cohort.samples.tsv \\
          --region chr21:1-10000000 --out genotypes/chr21.00000.vcz.zip
    """
    from afpanel.io.tables import read_partitions
    from afpanel.model.region import Region
    from afpanel.stages.ingest import Target, ingest

    if partitions is not None:
        if region is not None or "{partition}" not in out:
            raise click.UsageError(
                "--partitions goes with a pattern in --out, and without --region"
            )
        targets = [
            Target(part.region, Path(out.replace("{partition}", part.id)))
            for part in read_partitions(partitions, vcf)
        ]
    else:
        targets = [Target(None if region is None else Region.parse(region), Path(out))]
    wanted = tuple(field for field in fields.split(",") if field)
    unknown = set(wanted) - {"GQ", "DP", "AD"}
    if unknown:
        raise click.UsageError(f"--fields takes GQ, DP and AD, not {', '.join(sorted(unknown))}")
    missing = polyploid == "missing"
    ingest(vcf, samples, targets, fields=wanted, chunk=chunk, polyploid_missing=missing)
