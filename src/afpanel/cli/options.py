"""Options that several commands share, each defined once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from afpanel.errors import BadInputError

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

INPUT = click.Path(path_type=Path)
"""A file to read. Whether it is there and good is for the stage to say, with a remedy."""

OUTPUT = click.Path(path_type=Path, dir_okay=False)
"""A file to write."""

reference: Decorator = click.option(
    "--reference", type=INPUT, required=True, help="Reference FASTA, plain or bgzip-compressed."
)
reference_index: Decorator = click.option(
    "--reference-index",
    "index_dir",
    type=INPUT,
    help="Folder with the FASTA's .fai (and .gzi), where they are not beside it.",
)
samples: Decorator = click.option(
    "--samples",
    type=INPUT,
    required=True,
    help="Sample sheet: tab-separated, with columns sample, population, sex and, if need be, include.",
)
cohort: Decorator = click.option("--cohort", required=True, help="Name of the cohort.")
build: Decorator = click.option("--build", required=True, help="Genome build, GRCh37 or GRCh38.")
polyploid: Decorator = click.option(
    "--polyploid",
    type=click.Choice(["error", "missing"]),
    default="error",
    show_default=True,
    help="Whether a call of three alleles or more is refused, or taken as missing.",
)
aliases: Decorator = click.option(
    "--aliases", type=INPUT, help="Table of contig names: alias<tab>contig of the reference."
)
file_list: Decorator = click.option(
    "--list",
    "listed",
    type=INPUT,
    help="Text file with one input path per line, instead of or besides the arguments.",
)


def paths_of(given: tuple[Path, ...], listed: Path | None) -> list[Path]:
    """Join the paths given as arguments with those listed in a file."""
    paths = list(given)
    if listed is not None:
        if not listed.is_file():
            raise BadInputError("file does not exist", where=listed)
        paths.extend(Path(line) for line in listed.read_text("utf-8").splitlines() if line.strip())
    if not paths:
        raise click.UsageError("no input files: name them, or list them in a file with --list")
    return paths
