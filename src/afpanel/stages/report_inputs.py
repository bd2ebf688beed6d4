"""The parts of a report on what was asked: who takes part, what holds, and what became of the alleles."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from afpanel.io.chart_parts import CATEGORIES, HIDDEN, Part, ramp
from afpanel.io.html_page import Figure, paragraph, table
from afpanel.io.page_charts import stacked_bars
from afpanel.io.tsv import TextTable
from afpanel.stages.report_data import ReportData, counted, listed, share

_PROVENANCE = (
    "cohort",
    "from",
    "build",
    "lifted over",
    "places where it could call",
    "limits not applied",
)


def people_figure(data: ReportData) -> Figure:
    """Draw how many people each group has."""
    people = data.people
    others = [group for group in data.groups if group != "total"]
    names = others or data.groups
    return Figure(
        "people",
        "People in each group",
        stacked_bars(names, [Part("people", CATEGORIES[0], [people[g] for g in names])], "people"),
        f"The panel counts {people[data.groups[0]]:,} people. Its groups have from"
        f" {min(people[g] for g in names):,} to {max(people[g] for g in names):,}.",
        "Every figure of the panel is a sum over one of these groups: a country, a population of a country,"
        " or a sex. Groups of one kind share nobody.",
        "a group of few people. Its frequencies are rough, more of it is masked, and a person who is in it is"
        " easier to recognize.",
        data.tables["people"],
    )


def asked(data: ReportData) -> Iterator[str]:
    """Say who takes part, and which rules hold."""
    manifest, policy = data.manifest, data.manifest["policy"]
    cohorts = manifest["cohorts"]
    countries = sorted({each["country"] for each in cohorts})
    yield paragraph(
        f"{counted(len(cohorts), 'cohort')} of {counted(len(countries), 'country', 'countries')}"
        f" ({listed(countries)}) on {manifest['reference']['build']}."
    )
    yield (
        '<div class="sources">'
        + table("Cohorts, and where each came from", _PROVENANCE, map(_source, cohorts), long=(5,))
        + "</div>"
    )
    if policy["description"]:
        yield paragraph(f"The policy, in its own words: {policy['description']}")
    if policy["tier"]:
        yield paragraph(
            f"It is a release of the tier {policy['tier']}, judged as of {policy['as_of']}."
        )
    yield table(
        "Rules of the policy that hold, and who asks for each",
        ("rule", "value", "by"),
        _rules(policy["effective"]),
        long=(1,),
    )
    withheld = manifest["decision"]["withheld_groups"]
    if withheld:
        yield table(
            "Groups that are not shown",
            ("group", "reason"),
            ((each["group"], each["reason"]) for each in withheld),
            long=(1,),
        )
    else:
        yield paragraph("Every group of the panel is shown.")
    yield table(
        "Calls that count", ("rule", "value"), _parameters(manifest["parameters"]["genotypes"])
    )


def _source(cohort: Mapping[str, Any]) -> tuple[str, ...]:
    lacking = cohort["thresholds_not_applied"]
    contribution = cohort.get("contribution")
    kind = cohort["kind"]
    if contribution is not None:
        signed = "signed" if contribution["signed_by"] else "not signed"
        kind = f"contribution, edition {contribution['edition']}, {signed}"
    if cohort.get("left_out_for"):
        kind += f"; not added, for it shares people with {cohort['left_out_for']}"
    return (
        f"{cohort['cohort']} ({cohort['country']})",
        kind,
        cohort["build"],
        "yes" if cohort["lift"] else "no",
        "given" if cohort["callable_regions"] else "not given",
        "; ".join(f"{key}: {why}" for key, why in lacking.items()) or "none",
    )


def _rules(effective: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Lay out rules, those of one name and asked for by the same in a row."""
    rows: dict[tuple[str, str], list[str]] = {}
    for each in effective:
        name, _, of = each["rule"].partition(".")
        text = f"{of} {_value(each['value'])}" if of else _value(each["value"])
        rows.setdefault((name, listed(each["by"])), []).append(text.replace("_", " "))
    return [(name, "; ".join(values), by) for (name, by), values in rows.items()]


def _parameters(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in parameters.items():
        yield key, _value(value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "any"
    return f"{value:,}" if isinstance(value, int) else str(value)


def harmonization_figures(data: ReportData) -> Iterator[Figure]:
    """Draw what became of each cohort's alleles: all of them, and those that were rejected."""
    whole = data.tables["harmonization"]
    tallies = outcomes_of(whole)
    kept = {name: sum(n for (_, k), n in t.items() if k) for name, t in tallies.items()}
    total = {name: sum(t.values()) for name, t in tallies.items()}
    labels = list(dict.fromkeys(label for t in tallies.values() for (label, k) in t if k))
    rejected = list(dict.fromkeys(label for t in tallies.values() for (label, k) in t if not k))
    rows = list(tallies)
    least = min(rows, key=lambda name: kept[name] / max(total[name], 1))
    parts = [
        Part(
            f"kept: {label}",
            ramp(i, len(labels) + 1),
            [t.get((label, True), 0) for t in tallies.values()],
        )
        for i, label in enumerate(labels)
    ]
    out = [total[name] - kept[name] for name in rows]
    parts.append(Part("rejected", HIDDEN, out))
    yield Figure(
        "harmonization",
        "What became of the alleles of each cohort",
        stacked_bars(rows, parts, "share of source alleles", share=True),
        f"{least} kept the smallest share of its alleles, {share(kept[least], total[least])}; all cohorts"
        f" together kept {sum(kept.values()):,} of {sum(total.values()):,}.",
        "Each bar is all source alleles of a cohort: every ALT of every record that was read. What is kept was"
        " brought to one spelling on the panel's reference, as the words say: trimmed, left-aligned, lifted"
        " over, swapped, and so on.",
        "a cohort that keeps clearly less than the others, or has many swapped or merged alleles where others"
        " have none. Its file was made in another way.",
        whole,
    )
    why = [
        Part(label, ramp(i, len(rejected)), [t.get((label, False), 0) for t in tallies.values()])
        for i, label in enumerate(rejected)
    ]
    table_of = TextTable(whole.columns, tuple(row for row in whole.rows if row[2] == "no"))
    yield Figure(
        "rejected",
        "Why alleles were rejected",
        stacked_bars(rows, why, "source alleles")
        if any(out)
        else "No cohort has an allele that was rejected.",
        "; ".join(f"{name}: {n:,} rejected" for name, n in zip(rows, out, strict=True)) + ".",
        "Alleles that could not be used, by reason. A place where one was rejected counts as one where the"
        " cohort cannot tell, not as one where nobody carries the allele.",
        "ref_mismatch, unmapped or duplicate in numbers: a wrong reference, build or a file that was put"
        " together twice.",
        table_of,
    )


def outcomes_of(table: TextTable) -> dict[str, dict[tuple[str, bool], int]]:
    """Read the table of harmonization: by cohort, and by outcome and whether it is kept.

    Alleles of the reference that was lifted to are further variants, and none of the source.
    """
    found: dict[str, dict[tuple[str, bool], int]] = {}
    for row in table.records():
        of_cohort = found.setdefault(row["cohort"], {})
        if "new_reference" not in row["outcome"]:
            of_cohort[row["outcome"], row["kept"] == "yes"] = int(row["source_alleles"])
    return found
