"""The pages that go with a contribution: one in it for who opens it, one for who decides about it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from afpanel.model.arrays import COUNTS
from afpanel.model.cohort import Cell
from afpanel.stages.contribution import LINKAGE, METADATA, counts_parts, head_of
from afpanel.stages.contribution_sizes import SIZES, Example, Sizes
from afpanel.stages.harmonize import kept_and_rejected
from afpanel.stages.linkage_summary import LinkageSummary
from afpanel.stages.metadata import page_of
from afpanel.stages.summary import aligned

_WIDTH = 100

_WHOSE = (
    "This file holds numbers about {people} people together, and nothing about one of them: no genotype, no"
    " name or ID of a sample, no list of people. It was made by afpanel {made_by} from genotypes that stay"
    " where they are, so that they can be part of a panel of allele frequencies."
)
_WHAT = (
    "For each variant it says of each group of people (those of one {sexes}) how many copies of the allele they"
    " have, among how many that could be read, and how many people have it twice. It also says where the"
    " cohort could have seen a variant, and where it could not tell."
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
        LINKAGE: "how linked variants are, by population, and what attacks on people held out came to",
        METADATA: "who the cohort is, consent and terms of use, how it was sequenced and called",
        "counts/": "the counts, a Zarr store for each contig; docs/contribution-format.md has its arrays",
        "manifest.json.sig": "the signature of the manifest, where there is one (ssh-keygen -Y verify)",
    }
    lines += [f"  {name:<20}{text}" for name, text in parts.items()]
    lines += [
        "",
        "To check all that it claims, and to read what it holds as tables:",
        "",
        "  afpanel verify FILE.afc.zip --reference REFERENCE.fa.gz --show",
    ]
    return "\n".join(lines) + "\n"


def preview_of(
    manifest: Mapping[str, Any],
    harmonization: Mapping[str, Any],
    sizes: Sizes | None,
    dropped: int | None,
    metadata: dict[str, Any] | None,
    linkage: LinkageSummary | None = None,
) -> str:
    """Lay out what a contribution tells, for who answers for the data.

    Parameters
    ----------
    manifest, harmonization, metadata, linkage
        What is in it.
    sizes
        How small the counts are, and examples, or None where nobody looked.
    dropped
        Variants that were left out, or None where that is not known.
    """
    lines = _preview(manifest, harmonization, sizes, dropped, metadata, linkage)
    return "\n".join(lines) + "\n"


def _preview(
    manifest: Mapping[str, Any],
    harmonization: Mapping[str, Any],
    sizes: Sizes | None,
    dropped: int | None,
    metadata: dict[str, Any] | None,
    linkage: LinkageSummary | None,
) -> Iterator[str]:
    head = head_of(manifest)
    yield f"Contribution of cohort {head.cohort} ({head.country}), edition {manifest['edition']}"
    yield ""
    yield from textwrap.wrap(_PURPOSE, _WIDTH)
    yield ""
    yield from _whole(manifest, dropped)
    yield from _heading("People, and all copies of all variants, group by group")
    yield from aligned(_CELL_COLUMNS, list(_cell_rows(manifest)), range(2, 6))
    if head.withheld:
        named = ", ".join(f"{population} {sex}" for population, sex in head.withheld)
        yield ""
        yield f"Named, and nothing told of them, for they have too few people: {named}"
    if sizes is not None:
        yield from _small_counts(head.cells, sizes)
        yield from _heading("Variants as they leave: the first of each size, in words")
        for at in sorted(sizes.examples):
            yield from _in_words(at, sizes.examples[at], head.cells)
    yield from _heading("Where it tells of variants, and of places without one")
    yield from aligned(_CONTIG_COLUMNS, list(_contig_rows(counts_parts(manifest))), range(1, 6))
    yield ""
    yield from textwrap.wrap(_PLACES, _WIDTH)
    yield from _heading("Alleles of the source files")
    kept, rejected = kept_and_rejected(harmonization["outcomes"])
    yield f"{kept:,} kept, {rejected:,} rejected"
    yield ""
    yield from aligned(
        ("outcome", "source alleles"),
        [(name, f"{n:,}") for name, n in sorted(harmonization["outcomes"].items())],
        (1,),
    )
    yield from _heading("How linked the variants are (linkage.json)")
    yield from _linkage(linkage, manifest["sharing"]["linkage"])
    yield from _heading("What else is in it, and what is not")
    yield from textwrap.wrap(_BESIDE, _WIDTH)
    yield ""
    yield "Not in it: genotypes, IDs of samples, lists of people, paths, logs."
    yield ""
    if metadata is None:
        yield "No metadata: the cohort is not described."
    else:
        yield "The metadata, all of them:"
        yield ""
        yield page_of(metadata).rstrip("\n")


_PURPOSE = (
    "For whoever decides whether the file may leave: what it tells, worked out from the same counts. Everything"
    " here is of groups of people; a group is those of one population and, where it is told, one sex."
)
_PLACES = (
    "Refused bases are places where the cohort says that it cannot tell: records that could not be used, and"
    " variants and regions that are left out. They show that something is there, and how long it is."
)
_BESIDE = (
    "Besides these counts: the parameters of the genotype filter, what was kept back, versions of software, and"
    " digests of the reference and of every part (manifest.json); the table of alleles above (harmonization.json);"
    " and the metadata below (metadata.json)."
)
_LINKED = (
    "From this the hub works out how surely a person's genome would tell that the person is in a group"
    " (docs/membership-risk.md). Each figure is a sum over hundreds of variants and at least 20 people, with"
    " five digits: how many variants have so many copies, how alike neighbours are, and how well people who"
    " were held out by lot could be told from others. Left out as relatives are people of whom another is a"
    " close relative; how many they are is told, and not who."
)
_NO_LINKAGE = (
    "There is none, so the hub takes every variant for independent when it works out how surely somebody could"
    " be recognized, which is the most there can be."
)
_LINKAGE_COLUMNS = (
    "population", "people", "relatives left out", "variants", "of these independent", "recognized, AUC",
)  # fmt: skip
_ALONE = "Variants that one person alone carries, of all who are told of: {n:,}."
_FEW = (
    "Who knows that somebody is in the cohort, and has that person's genome, can find the person in counts; the"
    " smaller a count and its group, the more easily. What may be kept back is in docs/contributing-data.md."
)
_EVIDENCE = {
    "none": "where it lists no variant, it says nothing",
    "regions": "regions where everybody could be called",
    "track": "how many could be called at each base",
}
_CELL_COLUMNS = ("population", "sex", "people", "copies of ALT", "called alleles", "frequency")
_CONTIG_COLUMNS = ("contig", "variants", "masked", "refused bases", "callable bases", "track runs")
_LONGEST = 20
"""Letters of an allele that are written out."""


def _heading(text: str) -> Iterator[str]:
    yield from ("", text, "-" * len(text))


def _linkage(linkage: LinkageSummary | None, is_shared: bool) -> Iterator[str]:
    """Say what the linkage summary tells."""
    if linkage is None and is_shared:
        yield from textwrap.wrap(_LINKED, _WIDTH)
        yield "It is not shown here, for it was not given (--linkage)."
        return
    if linkage is None:
        yield from textwrap.wrap(_NO_LINKAGE, _WIDTH)
        return
    yield from textwrap.wrap(_LINKED, _WIDTH)
    yield ""
    rows = []
    for each in linkage.populations:
        of = each.classes[0]
        worth = "too few people"
        if of.linkage is not None:
            worth = f"{of.linkage.effective(of.variants):,.0f}"
        auc = "not tried" if of.trial is None else f"{of.trial.attacks['likelihood_ratio'].auc:.2f}"
        left = "unknown" if each.relatives is None else f"{each.relatives:,}"
        people, variants = f"{each.people:,}", f"{of.variants:,}"
        rows.append((each.population, people, left, variants, worth, auc))
    yield from aligned(_LINKAGE_COLUMNS, rows, range(1, 6))


def _whole(manifest: Mapping[str, Any], dropped: int | None) -> Iterator[str]:
    """Sum the contribution up, one line for each thing."""
    parts = counts_parts(manifest)
    sharing = manifest["sharing"]
    smallest = min(head_of(manifest).cells, key=lambda cell: cell.people)
    rows = [
        ("people", f"{manifest['people']:,}", "in all groups together"),
        ("smallest group", f"{smallest.people:,}", f"{smallest.population} {smallest.sex}"),
        _told("everybody", sharing["everybody"], "some populations or groups are kept back"),
        _told("told by sex", sharing["sexes"], "the groups are populations"),
        ("populations merged", _yes(sharing["populations_merged"]), ""),
        ("regions left out", _yes(sharing["regions_left_out"]), ""),
        ("variants", f"{sum(part['variants'] for part in parts):,}", ""),
    ]
    if dropped is not None:
        rows.append(("variants left out", f"{dropped:,}", _left_out(sharing)))
    masked = sum(part["masked_cells"] for part in parts)
    limit = sharing["min_allele_count"]
    why = f"fewer than {limit} copies of an allele" if limit > 1 else "no limit is set"
    rows.append(("counts masked", f"{masked:,}", why))
    rows.append(("evidence of silence", manifest["evidence"], _EVIDENCE[manifest["evidence"]]))
    reference = manifest["reference"]
    rows.append(("reference", reference["build"], f"sequence collection {reference['seqcol']}"))
    for name, value, note in rows:
        yield f"{name:<20}{value:>12}{f'  ({note})' if note else ''}"


def _told(name: str, told: bool, else_note: str) -> tuple[str, str, str]:
    return name, _yes(told), "" if told else else_note


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _left_out(sharing: Mapping[str, Any]) -> str:
    """Say why variants are left out."""
    limit = sharing["min_variant_count"]
    reasons = [f"fewer than {limit} copies in all"] if limit > 1 else []
    reasons += ["in regions left out"] if sharing["regions_left_out"] else []
    return " or ".join(reasons) or "no limit is set"


def _small_counts(cells: Sequence[Cell], sizes: Sizes) -> Iterator[str]:
    yield from _heading("How small the counts are: variants at which a group has so many copies")
    rows = [
        (cell.population, _sex_of(cell), *(f"{n:,}" for n in row))
        for cell, row in zip(cells, sizes.cells.tolist(), strict=True)
    ]
    yield from aligned(("population", "sex", *SIZES), rows, range(2, 2 + len(SIZES)))
    yield ""
    yield _ALONE.format(n=sizes.one_person)
    yield from textwrap.wrap(_FEW, _WIDTH)


def _in_words(size: int, example: Example, cells: Sequence[Cell]) -> Iterator[str]:
    """Say what one variant tells of each group."""
    ref, alt = (_shortened(allele) for allele in (example.ref, example.alt))
    told = example.counts["allele_count"]
    together = f"{_copies(int(told[told > 0].sum()))} in all"
    if SIZES[size] == "masked":
        together = "some of it masked"
    yield f"{example.contig}:{example.position} {ref} to {alt}, {together}"
    for column, cell in enumerate(cells):
        count, number, twice, alone = (int(example.counts[n][column]) for n in COUNTS)
        group = f"  {cell.population} {_sex_of(cell)}, {cell.people:,} people:"
        if number == 0:
            yield f"{group} nobody could be read"
        elif count < 0:
            yield f"{group} masked, {number:,} copies read"
        elif count == 0:
            yield f"{group} none of {number:,} copies read"
        else:
            carriers = count - twice
            who = "1 person" if carriers == 1 else f"{carriers:,} people"
            having = f", {twice:,} of whom twice" if twice else ""
            single = f", {alone:,} of whom on a single chromosome" if alone else ""
            yield f"{group} {count:,} of {number:,} copies read, in {who}{having}{single}"


def _copies(n: int) -> str:
    return "1 copy" if n == 1 else f"{n:,} copies"


def _shortened(allele: str) -> str:
    """Write a long allele as its beginning and its length."""
    if len(allele) <= _LONGEST:
        return allele
    return f"{allele[:_LONGEST]}... ({len(allele):,} letters)"


def _sex_of(cell: Cell) -> str:
    """Name a cell's sex; where people of several are told of together, how many of each."""
    if max(cell.people_by_sex) == cell.people:
        return str(cell.sex)
    return "+".join(
        f"{n} {sex}" for n, sex in zip(cell.people_by_sex, ("XX", "XY", "?"), strict=True) if n
    )


def _cell_rows(manifest: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    parts = counts_parts(manifest)
    for at, cell in enumerate(head_of(manifest).cells):
        count, number = (
            sum(part[name][at] for part in parts) for name in ("allele_count", "allele_number")
        )
        frequency = f"{count / number:.4f}" if number else "-"
        people = f"{cell.people:,}"
        yield cell.population, _sex_of(cell), people, f"{count:,}", f"{number:,}", frequency


def _contig_rows(parts: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[str]]:
    columns = ("variants", "masked_cells", "refused_bases", "callable_bases", "track_runs")
    for part in parts:
        yield part["contig"], *(f"{part[name]:,}" for name in columns)
