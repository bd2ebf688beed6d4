"""``afpanel overlap``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("overlap")
@click.option(
    "--cohort",
    "folders",
    multiple=True,
    required=True,
    metavar="NAME=FOLDER",
    help="Folder with a cohort's alleles.zarr.zip and genotypes/*.vcz.zip; repeat for each cohort.",
)
@click.option(
    "--samples",
    "sheets",
    multiple=True,
    required=True,
    metavar="NAME=SHEET",
    help="Sample sheet of a cohort; only who is included is compared. Repeat for each cohort.",
)
@click.option(
    "--action",
    type=click.Choice(["fail", "drop", "report"]),
    default="fail",
    show_default=True,
    help="What becomes of people who are found twice.",
)
@click.option(
    "--kinship",
    type=options.Fraction(0.177, 0.5),
    default=0.354,
    show_default=True,
    help="Least kinship of two samples that are taken for one person.",
)
@click.option(
    "--min-sites",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="Least sites to tell by.",
)
@click.option(
    "--pairs", type=options.OUTPUT, required=True, help="Table of pairs to write; private (.tsv)."
)
@click.option(
    "--report", type=options.OUTPUT, required=True, help="Numbers to write, without IDs (JSON)."
)
@click.option(
    "--dropped",
    metavar="PATTERN",
    help="With drop: path with {cohort} of each cohort's list of samples not to count.",
)
@options.callable_files
def command(
    folders: tuple[str, ...],
    sheets: tuple[str, ...],
    action: str,
    kinship: float,
    min_sites: int,
    pairs: Path,
    report: Path,
    dropped: str | None,
    evidence: tuple[str, ...],
) -> None:
    """Find people who are in two cohorts, or twice in one.

    Compares everybody with everybody at up to 10,000 common sites, by KING-robust kinship. Where
    somebody is found twice, `fail` refuses with exit code 4, `drop` lists whom to leave out so that
    each person is counted once, and `report` goes on. Nobody is dropped from a cohort with a track of
    allele numbers, which counts everybody: that is refused. Sample IDs are in PAIRS and in the lists alone.

    \b
    Example:
      afpanel overlap --cohort MY=private/MY --samples MY=my.samples.tsv \\
          --cohort TH=private/TH --samples TH=th.samples.tsv \\
          --action drop --dropped 'private/{cohort}/dropped.txt' \\
          --pairs private/overlap.tsv --report private/overlap.json
    """
    if (action == "drop") != (dropped is not None):
        raise click.UsageError("--dropped goes with --action drop, and is needed there")
    if dropped is not None and "{cohort}" not in dropped:
        raise click.UsageError("--dropped has no {cohort}: every cohort has a list of its own")
    folder_of = options.named_paths("--cohort", "NAME=FOLDER", folders)
    sheet_of = options.named_paths("--samples", "NAME=SHEET", sheets)
    if folder_of.keys() != sheet_of.keys():
        raise click.UsageError("--cohort and --samples name different cohorts")
    callable_of = options.named_paths(options.CALLABLE, options.OF_COHORT, evidence)
    from afpanel.stages.overlap import OverlapCohort, OverlapOptions, OverlapOutputs, overlap

    overlap(
        [
            OverlapCohort(name, folder, sheet_of[name], callable_of.get(name))
            for name, folder in folder_of.items()
        ],
        OverlapOutputs(pairs, report, dropped),
        OverlapOptions(action, kinship, min_sites),
    )
