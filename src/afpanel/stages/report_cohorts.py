"""The part of a report on whether cohorts agree: verdicts, and the variants at which they differ most."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from afpanel.io.chart_parts import Axis, Series
from afpanel.io.html_page import Figure, paragraph, table
from afpanel.io.page_charts import dots
from afpanel.io.tsv import TextTable
from afpanel.stages.report_data import Findings, ReportData, counted, listed

REASONS = {
    "frequency": "other frequencies",
    "swapped": "REF and ALT exchanged",
    "hwe": "genotypes out of proportion",
    "callability": "calls missing",
}
_NOT_LOOKED = "Nobody held the cohorts against each other, or the verdicts were not handed on."
_NONE_COMPARED = "No two cohorts share a population or a country with enough people, so none could be held against another."
_MOST = 25
"""Variants that the hub's report lists."""


def verdicts_of(data: ReportData) -> list[Mapping[str, Any]]:
    """Give the verdict on each cohort, as the manifest has it."""
    return list(data.manifest.get("discordance", {}).get("cohorts", ()))


def agreement_figures(data: ReportData) -> Iterator[Figure]:
    """Draw how often each cohort disagrees, and the worst variants that the release shows."""
    verdicts = verdicts_of(data)
    compared = [each for each in verdicts if each["verdict"] != "not compared"]
    flagged = [each for each in compared if each["verdict"] == "flagged"]
    why = _NOT_LOOKED if not verdicts else _NONE_COMPARED
    shares = [
        math.nan if each["flagged_at_most"] is None else each["flagged_at_most"]
        for each in verdicts
    ]
    said = [
        f"{each['cohort']} ({listed([REASONS[r] for r in each['reasons']])})" for each in flagged
    ]
    yield Figure(
        "discordance",
        "Cohorts held against others of the same populations",
        dots(
            [f"{each['cohort']}: {each['verdict']}" for each in verdicts],
            [Series("flagged variants", shares)],
            Axis("flagged, at most this share of variants", ".3g", log=True, low=0.0001, high=1.0),
        )
        if compared
        else why,
        f"Of {counted(len(compared), 'cohort')} compared, {len(flagged)} flagged: {listed(said)}."
        if compared
        else why,
        "Where cohorts have people of one population, or of one country, they should say much the same. Flagged"
        " are variants at which one does not, beyond what chance and the usual difference between the cohorts"
        " explain; a cohort is flagged if such variants are at least 5, and at least one in a thousand. Shares"
        " are told roughly, as exact ones would count variants that are withheld.",
        "a flagged cohort: read the reason, and do not trust differences between it and others before it is"
        " settled. With one partner alone either may be the odd one.",
        TextTable.of(
            ("cohort", "verdict", "reasons", "compared_with", "flagged_at_most"),
            (
                (e["cohort"], e["verdict"], ";".join(e["reasons"]), ";".join(e["compared_with"]), s)
                for e, s in zip(verdicts, shares, strict=True)
            ),
        ),
    )  # fmt: skip
    yield _worst(data, compared)


def _worst(data: ReportData, compared: list[Mapping[str, Any]]) -> Figure:
    worst = data.manifest.get("discordance", {}).get("variants", [])
    names = [f"{v['contig']}:{v['position']}" for v in worst]
    groups = sorted({f["group"] for v in worst for f in v["frequencies"]})
    series = [Series(g, [_frequency(v, g) for v in worst]) for g in groups]
    rows = (
        (v["contig"], v["position"], v["ref"], v["alt"], v["cohort"], v["kind"], f["group"], f["AC"], f["AN"],
         f["AC"] / f["AN"])
        for v in worst
        for f in v["frequencies"]
    )  # fmt: skip
    none = (
        "No flagged variant is shown in full, so none is named."
        if compared
        else "Nothing is flagged: no cohort was compared."
    )
    return Figure(
        "worst_variants",
        "The worst of the flagged variants that the release shows in full",
        dots(names, series, Axis("frequency of ALT", ".4f", low=0.0, high=1.0)) if worst else none,
        "; ".join(
            f"{name}: {v['cohort']}, {REASONS[v['kind']]}"
            for name, v in zip(names, worst, strict=True)
        )
        + "."
        if worst
        else none,
        "Flagged variants, the least likely first, and the frequencies of the countries that were compared. Only"
        " those are named of which the release shows every count that the flag is from; the hub has the others.",
        "marks far apart in a line, most of all where one is about as far from 0 as the others are from 1: REF"
        " and ALT are exchanged.",
        TextTable.of(
            ("contig", "position", "ref", "alt", "cohort", "kind", "group", "AC", "AN", "AF"), rows
        ),
    )


def _frequency(variant: Mapping[str, Any], group: str) -> float:
    return next(
        (f["AC"] / f["AN"] for f in variant["frequencies"] if f["group"] == group), math.nan
    )


def for_the_hub(findings: Findings) -> Iterator[str]:
    """Lay out what the hub alone may see: it is from counts that no gate has seen."""
    yield paragraph(
        "From here on figures are from counts before the gate. They are for those who run the hub, and must not"
        " be passed on."
    )
    decision = findings.decision["totals"]
    yield table(
        "What the gate let through",
        ("", "number"),
        ((key.replace("_", " "), f"{n:,}") for key, n in decision.items()),
        numeric=(1,),
    )
    verdicts = findings.verdicts
    yield table(
        "Cohorts: tests, flags and verdicts (cohorts.tsv)",
        verdicts.columns,
        verdicts.rows,
        numeric=[
            i for i, name in enumerate(verdicts.columns) if name.startswith(("lambda", "share"))
        ],
    )
    if findings.variants.rows:
        yield table(
            f"The worst {min(_MOST, len(findings.variants.rows))} flags (variants.tsv)",
            findings.variants.columns,
            findings.variants.rows[:_MOST],
        )
        yield table(
            "Regions with most flagged variants (regions.tsv)",
            findings.regions.columns,
            findings.regions.rows[:_MOST],
        )
    else:
        yield paragraph("No variant is flagged.")
    if findings.overlap is not None:
        compared = findings.overlap["comparisons"]
        told = sum(each["told"] for each in compared)
        yield paragraph(
            f"People who are in two cohorts: {counted(findings.overlap['pairs'], 'pair')} found; it could be told"
            f" in {told} of {counted(len(compared), 'comparison')}."
        )
