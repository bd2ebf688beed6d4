"""``afpanel bench``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("bench")
@click.option(
    "--samples",
    type=click.IntRange(3),
    default=3000,
    show_default=True,
    help="Samples of the file.",
)
@click.option(
    "--sites", type=click.IntRange(1), default=5000, show_default=True, help="Records of the file."
)
@click.option(
    "--fields",
    type=click.Choice(["gt", "rich"]),
    default="gt",
    show_default=True,
    help="GT alone, or GT:AD:DP:GQ:PL with our genotype filter on.",
)
@click.option(
    "--peers",
    default="bgzip,bcftools,plink2,cyvcf2,vcf2zarr",
    show_default=True,
    help="Programs to measure against; those that are not installed are left out.",
)
@click.option(
    "--repeats",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Runs that count, after one that does not; medians are given.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Threads of a peer that can use several.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Of the file's random numbers."
)
@click.option("--json", "json_path", type=options.OUTPUT, help="Append the results, a line each.")
@click.option(
    "--coefficients",
    "coefficients_path",
    type=options.OUTPUT,
    help="Measure instead how long reading and counting take by genotype, record and person, and write"
    " it for `afpanel plan --coefficients` (JSON).",
)
def command(
    samples: int,
    sites: int,
    fields: str,
    peers: str,
    repeats: int,
    threads: int,
    seed: int,
    json_path: Path | None,
    coefficients_path: Path | None,
) -> None:  # fmt: skip
    """Measure the way from a VCF to counts beside other tools, on one file in one run.

    A synthetic VCF is made; `afpanel count` goes from it to a genotype store and to the counts of
    three populations, as a whole process, and each peer runs in turn with it. Their counts must be
    ours. Ratios above 1 say how many times faster ours is. Recount is counting again from the store,
    with other populations; three commands are ingest, harmonize and count, as the workflow runs them.

    \b
    Example:
      afpanel bench --samples 9000 --sites 48731 --peers bcftools,plink2 --json bench.jsonl
    """
    if coefficients_path is not None:
        from afpanel.stages.bench_costs import measure_coefficients
        from afpanel.stages.cost import coefficients_text

        text = coefficients_text(measure_coefficients(samples, sites, seed))
        coefficients_path.write_text(text, "utf-8")
        click.echo(text, nl=False)
        return
    from afpanel.stages.bench import BenchOptions, bench, to_json_line

    results = bench(
        BenchOptions(
            samples=samples,
            sites=sites,
            rich=fields == "rich",
            peers=tuple(peer for peer in peers.split(",") if peer),
            repeats=repeats,
            threads=threads,
            seed=seed,
        )
    )
    first = results[0]
    click.echo(
        f"{samples:,} samples x {sites:,} sites, {fields}: {first.seconds:.2f} s,"
        f" {first.genotypes_per_second:,} genotypes/s, peak {first.peak_mb:,.0f} MB"
    )
    click.echo(f"{'peer':<16}{'seconds':>10}{'ratio':>8}{'peak MB':>10}  counts")
    for result in results:
        agreement = {True: "agree", False: "differ", None: "-"}[result.agrees]
        click.echo(
            f"{result.peer:<16}{result.peer_seconds:>10.2f}{result.ratio:>8.2f}"
            f"{result.peer_peak_mb:>10,.0f}  {agreement}"
        )
    if json_path is not None:
        with json_path.open("a", encoding="utf-8") as out:
            out.writelines(to_json_line(result) + "\n" for result in results)
