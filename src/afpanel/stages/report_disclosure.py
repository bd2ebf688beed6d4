"""The figures of a report on what is withheld and what is at risk: masking, and membership."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from afpanel.io.chart_parts import CATEGORIES, HIDDEN, Axis, Part, Series
from afpanel.io.html_page import Figure
from afpanel.io.page_charts import dots, stacked_bars
from afpanel.io.tsv import TextTable
from afpanel.stages.report_data import ReportData, share

_REASONS = {
    "masked_primary": "few copies",
    "masked_secondary": "would give others away",
    "masked_by_contributors": "withheld by contributors",
}
_ATTACKS = {
    "realistic": "realistic",
    "realistic_known": "realistic, linkage known",
    "worst": "worst case",
    "worst_known": "worst case, linkage known",
    "measured": "measured",
}
NO_RISK = (
    "Nobody worked out the membership risk of this release, or its figures were not handed on: see afpanel"
    " risk."
)


def masking_figures(data: ReportData) -> Iterator[Figure]:
    """Draw how many cells are masked, for which reason, and what of each group."""
    decision = data.manifest["decision"]
    reasons = {name: decision.get(key, 0) for key, name in _REASONS.items()}
    cells = sum(data.numbers("states", "cells"))
    masked = data.numbers("states", "cells", state="masked")
    parts = [
        Part(name, colour, [n])
        for (name, n), colour in zip(
            reasons.items(), (HIDDEN, CATEGORIES[5], CATEGORIES[7]), strict=True
        )
    ]
    yield Figure(
        "masking",
        "Why cells are masked",
        stacked_bars(["cells"], parts, "masked cells")
        if any(reasons.values())
        else "No cell is masked.",
        f"{decision['masked_cells']:,} of {cells:,.0f} cells are masked ({share(decision['masked_cells'], cells)}): "
        + "; ".join(f"{n:,} {name}" for name, n in reasons.items())
        + ".",
        "A cell is a group at a variant. Cells of few copies are masked first; then further cells until none of"
        " those can be worked out by adding and subtracting others, which is the price of showing sums. In the"
        " files all are alike: nobody can tell why a cell is masked.",
        "more cells masked for others than for few copies: then fewer or larger groups would show more.",
        TextTable.of(("reason", "cells"), list(reasons.items())),
    )
    people = data.people
    costs = [m / n if n else math.nan for m, n in zip(masked, _cells_of(data), strict=True)]
    most = max(range(len(costs)), key=lambda g: -1.0 if math.isnan(costs[g]) else costs[g])
    yield Figure(
        "masking_cost",
        "What masking costs each group",
        dots(data.groups, [Series("masked", costs)], Axis("share of variants masked", ".1%", low=0.0)),
        f"{data.groups[most]} loses most, {share(masked[most], _cells_of(data)[most])} of its cells.",
        "The share of the panel's variants at which a group shows nothing. Nearly all are rare in the group:"
        " a missing figure means that the allele is rare or that it would give another one away, never that it"
        " is absent.",
        "a group that loses a large part of its variants. Its rare variants should be asked for under an"
        " agreement, or the group merged with another.",
        TextTable.of(
            ("group", "people", "masked_cells", "share"),
            (
                (g, people[g], int(m), c)
                for g, m, c in zip(data.groups, masked, costs, strict=True)
            ),
        ),
    )  # fmt: skip


def _cells_of(data: ReportData) -> list[float]:
    return [sum(data.numbers("states", "cells", group=group)) for group in data.groups]


def risk_figure(data: ReportData) -> Figure:
    """Draw how surely somebody who holds a person's genome can tell that the person is in a group."""
    risk: Mapping[str, Any] | None = data.manifest.get("risk")
    rows = [] if risk is None else risk["groups"]
    attacks = {
        key: name
        for key, name in _ATTACKS.items()
        if any(each.get(key) is not None for each in rows)
    }
    columns = ("group", "linkage", "effective", *_ATTACKS)
    table = TextTable.of(
        columns,
        (
            tuple(_known(each.get(column)) for column in columns)
            for each in rows
        ),
    )  # fmt: skip
    names = [each["group"] for each in rows]
    worst = highest_risk(data)
    alpha = "" if risk is None else f"{risk['false_positive_rate']:g}"
    return Figure(
        "risk",
        "Membership risk: the share of a group's people whom an attacker recognizes",
        dots(
            names,
            [Series(name, [_number(each.get(key)) for each in rows]) for key, name in attacks.items()],
            Axis(f"power, at a false positive rate of {alpha}", ".3g", log=True, low=0.001, high=1.0),
        )
        if rows
        else NO_RISK,
        f"A realistic attacker recognizes most of {worst[1]}: {share(worst[0], 1)}." if worst else NO_RISK,
        "Somebody holds a person's genome and asks whether the person is in a group. The realistic attacker has"
        " frequencies of some hundred other people; the worst case is an upper bound, with perfect ones. Measured"
        " is what attacks on people held out came to. By powers of ten: at the left edge the attacker is"
        " guessing, at the right edge everybody is recognized.",
        "a realistic power above the limit of your committee; a group of few people with many variants."
        " Masking rare alleles hardly lowers it, fewer variants and larger groups do.",
        table,
    )  # fmt: skip


def highest_risk(data: ReportData) -> tuple[float, str] | None:
    """Find the group of which a realistic attacker recognizes most, or what was measured if that is more."""
    risk = data.manifest.get("risk")
    if risk is None:
        return None
    powers = [
        (max(_number(each.get("realistic")), each.get("measured") or 0.0), each["group"])
        for each in risk["groups"]
        if each.get("realistic") is not None
    ]
    return max(powers, default=None)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _known(value: Any) -> Any:
    return math.nan if value is None else value
