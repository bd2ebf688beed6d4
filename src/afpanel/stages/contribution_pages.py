"""The pages that go with a contribution: one in it for who opens it, one for who decides about it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from afpanel.stages.contribution import METADATA, counts_parts, head_of
from afpanel.stages.harmonize import kept_and_rejected
from afpanel.stages.metadata import page_of
from afpanel.stages.package_counts import Sizes
from afpanel.stages.summary import aligned

_WIDTH = 100

_WHOSE = (
    "This file holds numbers about {people} people together, and nothing about one of them: no genotype, no"
    " name or ID of a sample, no list of people. It was made by afpanel {made_by} from genotypes that stay"
    " where they are, so that they can be part of a panel of allele frequencies."
)
_WHAT = (
    "For each variant it says how many copies of the allele each group of people has (a group is those of"
    " one {sexes}), of how many that could be read, how many people have it twice, and how many of the"
    " copies are the only one of their person. It also says where the cohort could have seen a variant, and"
    " where it could not tell."
)
_CARE = (
    "Counts can still give somebody away to who knows that person's genome. This file is for the hub that it"
    " was made for, which decides with you what of it is published. Do not pass it on."
)


def readme_of(manifest: Mapping[str, Any]) -> str:
    """Say in plain words what a contribution is, what it holds and what it does not."""
    sexes = "population and sex" if manifest["sharing"]["sexes"] else "population"
    cohort, country, edition = (manifest[key] for key in ("cohort", "country", "edition"))
    made_by = manifest["software"]["afpanel"]
    paragraphs = (
        f"Allele counts of cohort {cohort} ({country}), edition {edition}",
        _WHOSE.format(people=f"{manifest['people']:,}", made_by=made_by),
        _WHAT.format(sexes=sexes),
        _CARE,
        "The parts:",
    )
    lines = [line for text in paragraphs for line in (*textwrap.wrap(text, _WIDTH), "")]
    parts = {
        "manifest.json": "what this is: people, reference, parameters, and the SHA-256 of every part",
        "harmonization.json": "how many alleles of the source were kept, and why others were not",
        METADATA: "who the cohort is, consent and terms of use, how it was sequenced and called",
        "counts/": "the counts, a Zarr store for each contig; afpanel verify --show lists them",
        "manifest.json.sig": "the signature of the manifest, where there is one (ssh-keygen -Y verify)",
    }
    lines += [f"  {name:<20}{text}" for name, text in parts.items()]
    lines += [
        "",
        "To check all it says, on either side:",
        "",
        "  afpanel verify FILE.afc.zip --reference REFERENCE.fa.gz",
    ]
    return "\n".join(lines) + "\n"


def preview_of(
    manifest: Mapping[str, Any],
    harmonization: Mapping[str, Any],
    sizes: Sizes | None,
    dropped: int | None,
    metadata: dict[str, Any] | None,
) -> str:
    """Lay out what a contribution tells, for who answers for the data.

    Parameters
    ----------
    manifest, harmonization, metadata
        What is in it.
    sizes
        How many cells tell of how few copies, or None where nobody counted.
    dropped
        Variants that were left out, or None where that is not known.
    """
    return "\n".join(_preview(manifest, harmonization, sizes, dropped, metadata)) + "\n"


def _preview(
    manifest: Mapping[str, Any],
    harmonization: Mapping[str, Any],
    sizes: Sizes | None,
    dropped: int | None,
    metadata: dict[str, Any] | None,
) -> Iterator[str]:
    head = head_of(manifest)
    parts = counts_parts(manifest)
    sharing = manifest["sharing"]
    yield f"Contribution of cohort {head.cohort} ({head.country}), edition {manifest['edition']}"
    yield ""
    yield f"people told of      {manifest['people']:>14,}"
    kept_back = "" if sharing["everybody"] else "  (some populations or cells are kept back)"
    yield f"everybody           {_yes(sharing['everybody']):>14}{kept_back}"
    yield f"told by sex         {_yes(sharing['sexes']):>14}"
    yield f"reference           {manifest['reference']['build']:>14}  ({manifest['reference']['seqcol']})"
    yield f"variants            {sum(part['variants'] for part in parts):>14,}"
    if dropped is not None:
        yield f"variants left out   {dropped:>14,}  (too few copies, or in regions left out)"
    masked = sum(part["masked_cells"] for part in parts)
    limit = sharing["min_allele_count"]
    yield f"counts masked       {masked:>14,}  (fewer than {limit} copies of an allele)"
    yield f"evidence of silence {manifest['evidence']:>14}  ({_EVIDENCE[manifest['evidence']]})"
    yield ""
    yield "People, and all copies of all variants, cell by cell:"
    yield ""
    yield from aligned(_CELL_COLUMNS, list(_cell_rows(manifest)), range(2, 6))
    if head.withheld:
        named = ", ".join(f"{population} {sex}" for population, sex in head.withheld)
        yield ""
        yield f"Named, and nothing told of them, for they have too few people: {named}"
    yield ""
    yield from aligned(_CONTIG_COLUMNS, list(_contig_rows(parts)), range(1, 6))
    if sizes is not None:
        yield ""
        yield "How many copies a cell tells of at a variant; few may be one person, or a family:"
        yield ""
        rows = [(label, f"{n:,}") for label, n in zip(sizes.LABELS, sizes.cells, strict=True)]
        yield from aligned(("copies of ALT", "cells x variants"), rows, (1,))
    yield ""
    kept, rejected = kept_and_rejected(harmonization["outcomes"])
    yield f"Source alleles: {kept:,} kept, {rejected:,} rejected"
    yield ""
    yield from aligned(
        ("outcome", "source alleles"),
        [(name, f"{n:,}") for name, n in sorted(harmonization["outcomes"].items())],
        (1,),
    )
    yield ""
    yield "Not in it: genotypes, IDs of samples, lists of people, paths, logs."
    if metadata is not None:
        yield ""
        yield page_of(metadata).rstrip("\n")


_EVIDENCE = {
    "none": "where it lists no variant, it says nothing",
    "regions": "regions where everybody could be called",
    "track": "how many could be called at each base",
}
_CELL_COLUMNS = ("population", "sex", "people", "copies of ALT", "called alleles", "frequency")
_CONTIG_COLUMNS = ("contig", "variants", "masked", "refused bases", "callable bases", "track runs")


def _cell_rows(manifest: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    parts = counts_parts(manifest)
    for at, cell in enumerate(head_of(manifest).cells):
        count, number = (
            sum(part[name][at] for part in parts) for name in ("allele_count", "allele_number")
        )
        sex = str(cell.sex)
        if cell.by_sex is not None and max(cell.by_sex) < cell.people:
            sex = "+".join(
                f"{n} {s}" for n, s in zip(cell.by_sex, ("XX", "XY", "?"), strict=True) if n
            )
        frequency = f"{count / number:.4f}" if number else "-"
        yield cell.population, sex, f"{cell.people:,}", f"{count:,}", f"{number:,}", frequency


def _contig_rows(parts: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[str]]:
    columns = ("variants", "masked_cells", "refused_bases", "callable_bases", "track_runs")
    for part in parts:
        yield part["contig"], *(f"{part[name]:,}" for name in columns)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
