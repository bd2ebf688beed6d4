"""The tables of `afpanel popgen`; `docs/population-genetics.md` describes every column."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from afpanel.core.frequency_spectrum import FREQUENCIES, MOST_COPIES, STATES
from afpanel.io.files import write_text
from afpanel.io.tsv import MISSING_TEXT, TextTable, Value
from afpanel.stages.popgen_results import PopulationGenetics

Row = tuple[Value, ...]


def write_tables(results: PopulationGenetics, out: Path) -> None:
    """Write every table; where there is nothing to compare, its header alone."""
    for name, table in tables_of(results).items():
        write_text(out / f"{name}.tsv", table.text)


def tables_of(results: PopulationGenetics) -> dict[str, TextTable]:
    """Lay out every table, by the name of its file."""
    tables = {
        "fst": (
            ("kind", "group_1", "group_2", "fst", "standard_error", "variants", "blocks",
             "block_bases"),
            _fst(results),
        ),
        "heterozygosity": (
            ("group", "people", "variants", "segregating", "expected_heterozygosity",
             "complete_variants", "expected_heterozygosity_complete",
             "observed_heterozygosity_complete", "transitions", "transversions", "ti_tv"),
            _heterozygosity(results),
        ),
        "sfs": (("group", "class", "above", "up_to", "variants"), _spectrum(results)),
        "sharing": (
            ("kind", "group_1", "group_2", "both_shown", "alt_in_1", "alt_in_2", "alt_in_both"),
            _sharing(results),
        ),
        "private": (("kind", "group", "private", "undetermined"), _private(results)),
        "pca": (
            ("group", "component", "coordinate", "explained_variance", "variants"),
            _components(results),
        ),
    }  # fmt: skip
    return {name: TextTable.of(columns, rows) for name, (columns, rows) in tables.items()}


def _fst(results: PopulationGenetics) -> Iterator[Row]:
    found = results.differentiation
    columns = (found.fst, found.standard_error, found.variants, found.blocks)
    figures = zip(*(column.tolist() for column in columns), strict=True)
    for kind, pair, row in zip(results.pair_kinds, results.pairs, figures, strict=True):
        yield kind.value, *(results.groups[g] for g in pair), *row, results.block_bases


def _heterozygosity(results: PopulationGenetics) -> Iterator[Row]:
    found = results.diversity
    columns = (
        found.variants, found.segregating, found.expected_heterozygosity, found.complete,
        found.expected_heterozygosity_complete, found.observed_heterozygosity_complete,
        found.transitions, found.transversions, found.transition_ratio,
    )  # fmt: skip
    figures = zip(*(column.tolist() for column in columns), strict=True)
    for group, people, row in zip(results.groups, results.people, figures, strict=True):
        yield group, people, *row


def _spectrum(results: PopulationGenetics) -> Iterator[Row]:
    classes = [
        *((name, MISSING_TEXT, MISSING_TEXT) for name in STATES),
        *(("minor_allele_count", str(n - 1), str(n)) for n in range(1, MOST_COPIES + 1)),
        *(
            ("minor_allele_frequency", f"{low:g}", f"{high:g}")
            for low, high in pairwise(FREQUENCIES)
        ),
    ]
    for group, tally in zip(results.groups, results.spectrum.variants.tolist(), strict=True):
        for words, variants in zip(classes, tally, strict=True):
            yield group, *words, variants


def _sharing(results: PopulationGenetics) -> Iterator[Row]:
    found = results.sharing
    for kind, (one, other) in zip(results.pair_kinds, results.pairs, strict=True):
        tally = (
            found.both_shown[one, other], found.alt_here[one, other],
            found.alt_here[other, one], found.alt_in_both[one, other],
        )  # fmt: skip
        yield kind.value, results.groups[one], results.groups[other], *map(int, tally)


def _private(results: PopulationGenetics) -> Iterator[Row]:
    found = results.sharing
    for kind, members in results.kinds.items():
        columns = (found.private[kind].tolist(), found.undetermined[kind].tolist())
        for g, *tally in zip(members, *columns, strict=True):
            yield kind.value, results.groups[g], *tally


def _components(results: PopulationGenetics) -> Iterator[Row]:
    found = results.components
    for g, row in zip(results.component_groups, found.coordinates.tolist(), strict=True):
        for i, (place, explained) in enumerate(zip(row, found.explained.tolist(), strict=True)):
            yield results.groups[g], f"PC{i + 1}", place, explained, results.component_variants
