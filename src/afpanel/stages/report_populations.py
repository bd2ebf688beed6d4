"""The figures of a report on how groups differ: FST and principal components."""

import math
from collections.abc import Iterator

from afpanel.io.chart_parts import Axis
from afpanel.io.html_page import Figure
from afpanel.io.page_charts import heat, points
from afpanel.io.tsv import TextTable, as_number
from afpanel.model.groups import country_of
from afpanel.stages.report_data import ReportData

_KINDS = {"country": ("fst", "countries"), "population": ("fst_populations", "populations")}
_CAPTIONS = {
    "country": "Hudson's FST of each pair, as a ratio of sums over the variants of autosomes: 0 where two groups"
    " do not differ, about 0.001 to 0.01 between neighbours in Asia, ten times that between East and South Asia."
    " It does not depend on the sizes of groups. The table has standard errors.",
    "population": "The same for populations, of one country or of two. A little below 0 is chance.",
}


def difference_figures(data: ReportData) -> Iterator[Figure]:
    """Draw FST of countries and of populations, and the components of groups."""
    for kind, (name, many) in _KINDS.items():
        yield _differentiation(data, kind, name, many)
    yield _components(data)


def _differentiation(data: ReportData, kind: str, name: str, many: str) -> Figure:
    whole = data.tables["fst"]
    table = TextTable(whole.columns, tuple(row for row in whole.rows if row[0] == kind))
    rows = table.records()
    found = {(r["group_1"], r["group_2"]): as_number(r["fst"]) for r in rows}
    known = sorted((fst, pair) for pair, fst in found.items() if not math.isnan(fst))
    names = [g for g in data.groups if any(g in pair for pair in found)]
    if known:
        values = [[found.get((a, b), found.get((b, a), math.nan)) for b in names] for a in names]
        chart = heat(names, values, Axis("FST", ".4f"))
        least, most = known[0], known[-1]
        alt = f"FST is from {least[0]:.4f} ({' and '.join(least[1])}) to {most[0]:.4f} ({' and '.join(most[1])})."
    return Figure(
        name,
        f"Differentiation of {many} (FST)",
        chart if known else f"The release has fewer than two {many} with variants to compare.",
        alt if known else f"Fewer than two {many} can be compared.",
        _CAPTIONS[kind],
        "neighbours far apart, or a group that is far from all others. On a short piece of the genome, or with"
        " one group's cohort called in another way, FST says more of that than of people.",
        table,
    )


def _components(data: ReportData) -> Figure:
    table = data.tables["pca"]
    rows = table.records()
    first, second = (
        {r["group"]: r for r in rows if r["component"] == component} for component in ("PC1", "PC2")
    )
    units = tuple(
        f"PC{i} ({float(next(iter(of.values()))['explained_variance']):.1%} of variance)"
        if of
        else "no PC2"
        for i, of in enumerate((first, second), 1)
    )
    names = list(first)
    places = [
        (float(first[n]["coordinate"]), float(second[n]["coordinate"]) if second else 0.0)
        for n in names
    ]
    far = max(names, key=lambda n: abs(float(first[n]["coordinate"])), default="")
    return Figure(
        "pca",
        "Principal components of groups",
        points(names, [country_of(n) for n in names], places, (units[0], units[1]))
        if names
        else "No common variant at which all groups are shown tells groups apart.",
        f"{len(names)} groups; {far} is farthest from the middle on the first component."
        if names
        else "There are no components.",
        "Each point is a group, not a person: groups whose frequencies of common variants are alike stand"
        " together. The groups are populations, or a country that shows fewer than two. The sign of a component"
        " means nothing.",
        "a group far from those that it should be near. Small groups lie somewhat farther out than large ones.",
        table,
    )
