"""Options that several commands share, each defined once."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from afpanel.errors import BadInputError

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Fraction(click.FloatRange):
    """A range of numbers, of which NaN is none, though it is neither below nor above any limit."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a number; refuse NaN, beside which every comparison is false."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number


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
    help="Sample sheet: tab-separated, with columns sample, population, sex and, if need be, include. Of"
    " published counts the table of cells.",
)
threads: Decorator = click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Cores to use; the results do not depend on it.",
)
cohort: Decorator = click.option("--cohort", required=True, help="Name of the cohort.")
release_name: Decorator = click.option("--name", required=True, help="Name of the panel.")
release_version: Decorator = click.option(
    "--panel-version", required=True, help="Version of the panel."
)
ledger: Decorator = click.option(
    "--ledger",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the ledger; it is made if there is none.",
)
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

CALLABLE, OF_COHORT = "--callable", "COHORT=FILE"

callable_files: Decorator = click.option(
    CALLABLE,
    "evidence",
    multiple=True,
    metavar=OF_COHORT,
    help="BED of where the whole cohort could have been called, or track of how many alleles could be;"
    " repeat for each cohort that has one.",
)

_HARMONIZING: tuple[Decorator, ...] = (
    aliases,
    click.option(
        "--filter",
        "filters",
        multiple=True,
        default=("PASS", "."),
        show_default=True,
        help="FILTER value whose records are used, '.' for none set; repeat for more. '*' is all.",
    ),
    click.option(
        "--max-ref-mismatch",
        type=Fraction(0, 1),
        default=0.01,
        show_default=True,
        help="Share of records whose REF may differ from the reference.",
    ),
    click.option(
        "--resolve",
        default="swap,strand",
        show_default=True,
        help="What to resolve in single bases that do not match the reference; '' is nothing.",
    ),
    click.option(
        "--chain",
        type=INPUT,
        help="Chain file from the cohort's build to the panel's, for a cohort on another build.",
    ),
    click.option(
        "--source-reference",
        type=INPUT,
        help="Reference FASTA of the cohort's build. Without it REF is checked on the panel's alone.",
    ),
    click.option(
        "--source-reference-index",
        type=INPUT,
        help="Folder with that FASTA's .fai (and .gzi), where they are not beside it.",
    ),
)


def harmonizing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how alleles are harmonized; `harmonize_choices` takes them."""
    for option in reversed(_HARMONIZING):
        command = option(command)
    return command


def harmonize_choices(
    aliases: Path | None,
    filters: tuple[str, ...],
    max_ref_mismatch: float,
    resolve: str,
    chain: Path | None,
    source_reference: Path | None,
    source_reference_index: Path | None,
) -> dict[str, Any]:
    """Turn the options of `harmonizing` into fields of `HarmonizeOptions`."""
    from afpanel.io.reference import ReferencePaths
    from afpanel.stages.lifter import LiftPaths

    wanted = tuple(each for each in resolve.split(",") if each)
    if set(wanted) - {"swap", "strand"}:
        raise click.UsageError(f"--resolve takes swap and strand, not '{resolve}'")
    if chain is None and source_reference is not None:
        raise click.UsageError("--source-reference belongs to a lift: give --chain too")
    fasta = None
    if source_reference is not None:
        fasta = ReferencePaths.find(source_reference, source_reference_index)
    return {
        "aliases": aliases,
        "filters": () if "*" in filters else filters,
        "max_ref_mismatch": max_ref_mismatch,
        "resolve": wanted,
        "lift": None if chain is None else LiftPaths(chain, fasta),
    }


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


def named_paths(option: str, form: str, given: tuple[str, ...]) -> dict[str, Path]:
    """Take apart what is given as `form`, NAME=PATH, to an option that is repeated for each cohort."""
    paths = {}
    for pair in given:
        name, _, path = pair.partition("=")
        if not name or not path:
            raise click.UsageError(f"{option} takes {form}, not '{pair}'")
        if name in paths:
            raise click.UsageError(f"{option} names {name} twice")
        paths[name] = Path(path)
    return paths


COLUMN_KEYS = ("contig", "position", "ref", "alt", "id", "filter")
"""What a column of a table of published counts may hold beside these."""

RAW_KEYS = ("AC", "AN")
"""What is known of everybody before the filter of genotypes."""


def named_fields(option: str, given: tuple[str, ...], keys: tuple[str, ...]) -> dict[str, str]:
    """Take apart what is given as KEY=NAME to an option that is repeated for each key."""
    fields: dict[str, str] = {}
    for pair in given:
        key, _, name = pair.partition("=")
        if key not in keys or not name or key in fields:
            raise click.UsageError(
                f"{option} takes KEY=NAME, KEY once each of {', '.join(keys)}, not '{pair}'"
            )
        fields[key] = name
    if option == "--raw" and fields and len(fields) < len(keys):
        raise click.UsageError("--raw needs both AC and AN")
    return fields
