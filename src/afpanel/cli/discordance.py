"""``afpanel discordance``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("discordance")
@click.argument("counts", type=options.INPUT, nargs=-1)
@options.file_list
@options.reference
@options.reference_index
@options.build
@options.aliases
@options.callable_files
@click.option(
    "--alpha",
    type=options.Fraction(0, 1, min_open=True, max_open=True),
    default=0.001,
    show_default=True,
    help="Probability that chance alone flags an allele frequency or genotypes anywhere in the run.",
)
@click.option(
    "--min-alleles",
    type=click.IntRange(2),
    default=40,
    show_default=True,
    help="Alleles that a cohort and the rest must have at a variant to be compared.",
)
@click.option(
    "--max-share",
    type=options.Fraction(0, 1),
    default=0.001,
    show_default=True,
    help="Share of its variants from which a cohort as a whole is flagged, if they are five or more.",
)
@click.option(
    "--top",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="How many regions of a million bases to list of each cohort, those with most flags first.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the tables; ones of the same name are replaced.",
)
@options.threads
def command(
    counts: tuple[Path, ...],
    listed: Path | None,
    reference: Path,
    index_dir: Path | None,
    build: str,
    aliases: Path | None,
    evidence: tuple[str, ...],
    alpha: float,
    min_alleles: int,
    max_share: float,
    top: int,
    out: Path,
    threads: int,
) -> None:
    """Find the variants at which one cohort disagrees with the others of its populations.

    Compares allele frequencies, Hardy-Weinberg proportions and call rates of cohorts that have a
    population label, or a country, in common. What it writes is internal to the hub. Ends with 0
    whether or not anything is flagged; the log names the cohorts that are.

    \b
    Example:
      afpanel discordance */counts/*.zarr.zip --reference GRCh38.fa.gz --build GRCh38 \\
          --callable MY=my.callable.bed --out panel/discordance
    """
    from afpanel.io.reference import ReferencePaths
    from afpanel.io.tables import canonical_build
    from afpanel.stages.discordance import DiscordanceOptions, discordance

    discordance(
        options.paths_of(counts, listed),
        ReferencePaths.find(reference, index_dir),
        out,
        DiscordanceOptions(
            build=canonical_build(build),
            callable_files=options.named_paths(options.CALLABLE, options.OF_COHORT, evidence),
            aliases=aliases,
            alpha=alpha,
            min_alleles=min_alleles,
            max_share=max_share,
            top_regions=top,
            threads=threads,
        ),
    )
