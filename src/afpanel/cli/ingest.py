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
@click.option(
    "--gvcfs",
    is_flag=True,
    help="The file is a list of single-sample gVCFs, one path per line: those of the people of the"
    " sheet go into one store. Goes with --region.",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    default=("PASS", "."),
    show_default=True,
    help="FILTER value whose records are used, '.' for none set; repeat for more. '*' is all. For"
    " --gvcfs: of other files the FILTERs are kept, and harmonize looks at them.",
)
@click.option(
    "--sites",
    is_flag=True,
    help="The file has counts and no genotypes that are wanted: VCF with AC and AN in INFO, a table with"
    " columns of them, or .acount or .gcount of plink2. --samples is then a table of cells.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="KEY=NAME",
    help="For --sites: column of a table that holds contig, position, ref, alt, id or filter; repeat for"
    " more. By default they are known by usual names.",
)
@click.option(
    "--raw",
    multiple=True,
    metavar="KEY=NAME",
    help="For --sites: field of AC, and of AN, of everybody before any filter of genotypes.",
)
@click.option(
    "--pvar",
    type=options.INPUT,
    help="For --sites: variants of a file of plink2 without positions. By default that beside it.",
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
    gvcfs: bool,
    filters: tuple[str, ...],
    sites: bool,
    columns: tuple[str, ...],
    raw: tuple[str, ...],
    pvar: Path | None,
    polyploid: str,
    chunk: int | None,
) -> None:  # fmt: skip
    """Read the genotypes of a VCF or BCF file into VCF Zarr stores.

    The file may be plain text, gzip or BGZF, indexed or not. Only the samples of the sheet are read.
    A store holds the records of one contig, or of part of one. Of a list of gVCFs it holds a record
    for each site at which somebody has an ALT, with everybody's call there, and what was called at
    all other bases. Of a file of published counts it holds these, in the place of calls.

    \b
    Example:
      afpanel ingest cohort.vcf.gz --samples cohort.samples.tsv \\
          --region chr21:1-10000000 --out genotypes/chr21.00000.vcz.zip
      afpanel ingest cohort.gvcfs.txt --gvcfs --samples cohort.samples.tsv \\
          --region chr21:1-10000000 --out genotypes/chr21.00000.vcz.zip
      afpanel ingest counts.tsv.gz --sites --samples cells.tsv --column position=BP \
          --region chr21 --out genotypes/chr21.00000.vcz.zip
    """
    from afpanel.io.tables import read_partitions
    from afpanel.model.region import Region
    from afpanel.stages.ingest import Target, ingest

    wanted = tuple(field for field in fields.split(",") if field)
    unknown = set(wanted) - {"GQ", "DP", "AD"}
    if unknown:
        raise click.UsageError(f"--fields takes GQ, DP and AD, not {', '.join(sorted(unknown))}")
    missing = polyploid == "missing"
    if not sites and (columns or raw or pvar):
        raise click.UsageError("--column, --raw and --pvar go with --sites")
    if sites and gvcfs:
        raise click.UsageError("--sites and --gvcfs do not go together")
    if gvcfs:
        from afpanel.stages.ingest_gvcf import GvcfOptions, ingest_gvcf

        if partitions is not None or region is None:
            raise click.UsageError("--gvcfs goes with --region, and without --partitions")
        accepted = () if "*" in filters else filters
        choices = GvcfOptions(wanted, accepted, chunk, polyploid_missing=missing)
        ingest_gvcf(vcf, samples, Region.parse(region), Path(out), choices)
        return
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
    if sites:
        from afpanel.io.sites_form import SitesForm
        from afpanel.stages.ingest_sites import ingest_sites

        form = SitesForm(
            options.named_fields("--column", columns, options.COLUMN_KEYS),
            options.named_fields("--raw", raw, options.RAW_KEYS),
            pvar,
        )
        ingest_sites(vcf, samples, targets, form, chunk=chunk)
        return
    ingest(vcf, samples, targets, fields=wanted, chunk=chunk, polyploid_missing=missing)
