"""The figures of a report on variants: what is known of them, how frequent they are, and of what kind."""

import math
from collections.abc import Iterator

from afpanel.io.chart_parts import CATEGORIES, HIDDEN, NEUTRAL, Axis, Part, Series, ramp
from afpanel.io.html_page import Figure
from afpanel.io.page_charts import columns, dots, stacked_bars
from afpanel.stages.report_data import KINDS, STATE_NAMES, ReportData, share

USUAL_RATIO = (2.0, 2.1)
"""Transitions for each transversion over the whole human genome."""

_NO_VARIANT = "No variant of an autosome varies in a group that is shown."
_STATE_COLOURS = dict(
    zip(STATE_NAMES.values(), ("#225ea8", "#7fcdbb", NEUTRAL, HIDDEN), strict=True)
)
_FEWEST = 100
"""Base changes of a class below which their ratio is not drawn: it would be noise."""


def callability_figures(data: ReportData) -> Iterator[Figure]:
    """Draw what is known of each group: states, and call rates."""
    yield _states(data)
    yield _call_rates(data)


def _states(data: ReportData) -> Figure:
    parts = [
        Part(state, colour, data.numbers("states", "cells", state=state))
        for state, colour in _STATE_COLOURS.items()
    ]
    of_total = {part.name: part.values[0] for part in parts}
    silent = data.numbers("states", "cells", state="not-callable")
    most = max(range(len(silent)), key=silent.__getitem__)
    whole = sum(of_total.values())
    return Figure(
        "states",
        "What is known of each group at the variants of the panel",
        stacked_bars(data.groups, parts, "share of variants", share=True),
        f"{data.groups[most]} is not callable at {share(silent[most], whole)} of the variants, more than any"
        f" other group. {share(of_total['masked'], whole)} of the total's cells are masked.",
        "Observed: calls were made there. Absent-callable: no record, but the cohorts could have seen the"
        " variant, so nobody carries it. Not-callable: nobody can tell. Masked: withheld, whatever it is. The"
        " four are never mixed: what is not known is not counted as absent.",
        "a group that is not callable at many more variants than the others. Ask its cohorts where they could"
        " call (a BED or a track), or read its frequencies as those of few places.",
        data.tables["states"],
    )


def _call_rates(data: ReportData) -> Figure:
    table = data.tables["call_rate"]
    bounds = list(dict.fromkeys((row["from"], row["below"]) for row in table.records()))
    parts = []
    for i, (low, high) in enumerate(bounds):
        name = "all called" if high == "." else f"{100 * float(low):g} to {100 * float(high):g} %"
        values = data.numbers("call_rate", "cells", **{"from": low, "below": high})
        parts.append(Part(name, ramp(i, len(bounds)), values))
    poor = sum(
        part.values[0] for part, (low, _) in zip(parts, bounds, strict=True) if float(low) < 0.9
    )
    return Figure(
        "call_rate",
        "Call rate of each group",
        stacked_bars(data.groups, parts, "share of the group's cells that are shown", share=True),
        f"{share(poor, sum(part.values[0] for part in parts))} of the total's cells have a call rate below 90 %.",
        "Of all copies that the people of a group have of a place, how many were called: missing genotypes, and"
        " those that the filter took, lower it, and so does a cohort that is not callable there. All contigs,"
        " X and Y by the copies that each sex has.",
        "long bars of low call rate in one group. Frequencies of such variants are of some of its people, and"
        " perhaps of those whose genotypes are easy to call.",
        table,
    )


def spectrum_figure(data: ReportData) -> Figure:
    """Draw the site frequency spectrum of each group."""
    rows = data.tables["sfs"].records()
    classes = [
        (r["class"], r["above"], r["up_to"])
        for r in rows
        if r["group"] == data.groups[0] and r["up_to"] != "."
    ]
    grouped: dict[str, list[float]] = {}
    for kind, above, up_to in classes:
        if kind == "minor_allele_count":
            copies = int(up_to)
            name = next(n for most, n in _COPIES if copies <= most)
        else:
            name = f"{100 * float(above):g} to {100 * float(up_to):g} %"
        values = data.numbers("sfs", "variants", **{"class": kind, "above": above, "up_to": up_to})
        before = grouped.get(name, [0.0] * len(values))
        grouped[name] = [a + b for a, b in zip(before, values, strict=True)]
    found = {name: values for name, values in grouped.items() if any(values)}
    parts = [Part(name, ramp(i, len(found)), v) for i, (name, v) in enumerate(found.items())]
    masked = data.numbers("sfs", "variants", **{"class": "masked"})
    most = max(range(len(masked)), key=masked.__getitem__)
    return Figure(
        "sfs",
        "Site frequency spectra",
        stacked_bars(data.groups, parts, "variants that vary in the group") if parts else _NO_VARIANT,
        f"The total varies at {sum(part.values[0] for part in parts):,.0f} variants of autosomes. {data.groups[most]}"
        f" has most masked ones, {masked[most]:,.0f}.",
        "How many variants are how frequent in each group, by the rarer allele, on autosomes: first by copies,"
        " beyond ten copies by frequency. Masked cells are in none of the classes, so the rare end is cut off"
        " where the policy masks few copies.",
        "a group with far fewer rare variants than others of its size (a strict filter, or low depth), or one"
        " with a bulge at one frequency, such as 50 % (paralogous sequence that is called heterozygous in"
        " everybody).",
        data.tables["sfs"],
    )  # fmt: skip


_COPIES = ((1, "1 copy"), (2, "2 copies"), (5, "3 to 5 copies"), (10, "6 to 10 copies"))
"""Copies that are drawn together: the most, and what they are called."""


def kind_figures(data: ReportData) -> Iterator[Figure]:
    """Draw what kinds of variants there are, base changes, and lengths of insertions and deletions."""
    contigs = list(dict.fromkeys(row["contig"] for row in data.tables["kinds"].records()))
    parts = [
        Part(name, CATEGORIES[i], data.numbers("kinds", "variants", kind=name))
        for i, name in enumerate(KINDS.values())
    ]
    totals = {part.name: int(sum(part.values)) for part in parts}
    yield Figure(
        "kinds",
        "Kinds of variants",
        stacked_bars(contigs, parts, "variants of the release"),
        "; ".join(f"{name}: {n:,}" for name, n in totals.items()) + ".",
        "Every row of the release by what it does to the reference: one base for another, an insertion, a"
        " deletion, several bases for as many others, or for another number of them (complex).",
        "hardly any insertions and deletions: a file of single-base variants alone. Many of several bases: a"
        " caller that writes neighbouring changes as one.",
        data.tables["kinds"],
    )
    yield _base_changes(data)
    names = [row["change"] for row in data.tables["indels"].records()]
    values = data.numbers("indels", "variants")
    half = len(names) // 2
    written = {
        i for i, name in enumerate(names) if name in ("-15", "-10", "-5", "+5", "+10", "+15")
    }
    colours = [CATEGORIES[1]] * half + [CATEGORIES[0]] * half
    deleted, inserted = sum(values[:half]), sum(values[half:])
    yield Figure(
        "indels",
        "Lengths of insertions and deletions",
        columns(names, values, colours, Axis("bases by which ALT is longer than REF"), written)
        if any(values)
        else "The release has no insertion and no deletion.",
        f"{deleted:,.0f} deletions and {inserted:,.0f} insertions; of one base {values[half - 1]:,.0f} and"
        f" {values[half]:,.0f}.",
        "Variants of the release by the number of bases that they take away (left) or add (right), every"
        " insertion and deletion once. Most are of one or a few bases, and there are somewhat more deletions.",
        "many more insertions than deletions, or the other way about; a column that stands out beyond five"
        " bases. In coding sequence multiples of three are common, elsewhere they are not.",
        data.tables["indels"],
    )


def _base_changes(data: ReportData) -> Figure:
    rows = data.tables["ti_tv"].records()
    bounds = list(dict.fromkeys((r["above"], r["up_to"]) for r in rows))
    series = []
    for low, high in bounds:
        chosen = [r for r in rows if (r["above"], r["up_to"]) == (low, high)]
        values = [
            float(r["ti_tv"])
            if r["ti_tv"] != "." and int(r["transitions"]) + int(r["transversions"]) >= _FEWEST
            else math.nan
            for r in chosen
        ]
        series.append(Series(f"{100 * float(low):g} to {100 * float(high):g} %", values))
    has_any = any(not math.isnan(v) for each in series for v in each.values)
    ti, tv = transitions_of(data, data.groups[0])
    ratio = f"{ti / tv:.2f}" if tv else "not known"
    return Figure(
        "ti_tv",
        "Transitions for each transversion, by the frequency of ALT",
        dots(data.groups, series, Axis("transitions / transversions", ".2f", band=USUAL_RATIO))
        if has_any
        else "There are too few single-base variants that vary.",
        f"Over all frequencies the total has {ti:,.0f} transitions and {tv:,.0f} transversions: {ratio}.",
        "Changes between A and G or C and T are about twice as common as all others together in true human"
        " variants, and half as common among random errors. Variants of autosomes that vary in the group, by"
        " ALT's frequency there; classes of fewer than 100 variants are in the table alone. The band is what is"
        " usual over the whole genome, 2.0 to 2.1; exomes have about 3.",
        "rare variants with a lower ratio than common ones: there are false calls among them. A group to the"
        " left of the others: so has one of its cohorts.",
        data.tables["ti_tv"],
    )


def transitions_of(data: ReportData, group: str) -> tuple[float, float]:
    """Add up the transitions and the transversions of a group."""
    return (
        sum(data.numbers("ti_tv", "transitions", group=group)),
        sum(data.numbers("ti_tv", "transversions", group=group)),
    )


def heterozygosity_figure(data: ReportData) -> Figure:
    """Draw the heterozygosity of each group."""
    series = [
        Series(name, data.numbers("heterozygosity", column))
        for name, column in (
            ("expected", "expected_heterozygosity"),
            ("expected, everybody called", "expected_heterozygosity_complete"),
            ("observed, everybody called", "observed_heterozygosity_complete"),
        )
    ]
    known = [
        (v, g) for v, g in zip(series[0].values, data.groups, strict=True) if not math.isnan(v)
    ]
    found = (
        f"Expected heterozygosity is from {min(known)[0]:.4f} ({min(known)[1]}) to {max(known)[0]:.4f}"
        f" ({max(known)[1]})."
        if known
        else "There is none to show."
    )
    return Figure(
        "heterozygosity",
        "Heterozygosity at the variants of the panel",
        dots(data.groups, series, Axis("heterozygosity, mean over variants", ".4f", low=0.0))
        if known
        else _NO_VARIANT,
        found,
        "The chance that two alleles of a group differ, mean over the variants of autosomes at which it is"
        " shown; and, where everybody was called, what is expected beside the share of people who are in truth"
        " heterozygous. Groups lack other variants each where cells are masked, so compare the last two with"
        " each other, and the first with care.",
        "observed clearly below expected in a population: lost alleles, related people, or two populations"
        " under one label. Clearly above: duplicated sequence.",
        data.tables["heterozygosity"],
    )
