"""Is a panel sound? The questions that a report asks of it, and what it finds."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from afpanel.stages.report_cohorts import REASONS, verdicts_of
from afpanel.stages.report_data import ReportData, counted, listed, share
from afpanel.stages.report_inputs import outcomes_of
from afpanel.stages.report_variants import transitions_of

LEAST_KEPT = 0.95
"""Share of its alleles that a cohort should keep."""

LEAST_CALLED = 0.9
"""Call rate below which a cell is poor; and share of cells that may be."""

_MOST_POOR = 0.1
_LEAST_RATIO = 1.7
_FEWEST_CHANGES = 1_000
_MOST_OFF = 0.1
_FEWEST_COMPLETE = 200
_SEX_FST = 0.001
_ERRORS = 5


class Answer(StrEnum):
    """What a check finds."""

    SOUND = "No warning"
    LOOK = "Look at this"
    OPEN = "Cannot be told"


@dataclass(frozen=True)
class Check:
    """A question, its answer, and why.

    Parameters
    ----------
    question
        What is asked.
    answer
        What is found.
    why
        The figures that it rests on.
    figure, seen
        Name of the figure that shows them, and what that is.
    """

    question: str
    answer: Answer
    why: str
    figure: str
    seen: str


def checks(data: ReportData) -> list[Check]:
    """Ask every question."""
    return [
        each for ask in (_kept, _agree, _ratio, _called, _proportions, _sexes) for each in ask(data)
    ]


def _kept(data: ReportData) -> Iterator[Check]:
    shares = {}
    for cohort, tally in outcomes_of(data.tables["harmonization"]).items():
        whole = sum(tally.values())
        if whole:
            shares[cohort] = sum(n for (_, kept), n in tally.items() if kept) / whole
    few = [cohort for cohort, of in shares.items() if of < LEAST_KEPT]
    least = min(shares, key=lambda cohort: shares[cohort], default=None)
    yield Check(
        "Were the cohorts' alleles usable?",
        Answer.OPEN if least is None else Answer.LOOK if few else Answer.SOUND,
        "No cohort has an allele."
        if least is None
        else f"{listed(few)} kept less than {share(LEAST_KEPT, 1)}."
        if few
        else f"Every cohort kept {share(shares[least], 1)} of its alleles or more.",
        "harmonization",
        "the alleles",
    )


def _agree(data: ReportData) -> Iterator[Check]:
    verdicts = verdicts_of(data)
    compared = [each for each in verdicts if each["verdict"] != "not compared"]
    flagged = [
        f"{each['cohort']} ({listed([REASONS[reason] for reason in each['reasons']])})"
        for each in compared
        if each["verdict"] == "flagged"
    ]
    yield Check(
        "Do cohorts of the same populations agree?",
        Answer.LOOK if flagged else Answer.SOUND if compared else Answer.OPEN,
        f"Flagged: {listed(flagged)}."
        if flagged
        else f"{counted(len(compared), 'cohort')} compared, none flagged."
        if compared
        else "No two cohorts were compared: none share a population or a country, or nobody looked.",
        "discordance",
        "the cohorts",
    )


def _ratio(data: ReportData) -> Iterator[Check]:
    ti, tv = transitions_of(data, data.groups[0])
    enough = ti + tv >= _FEWEST_CHANGES and tv > 0
    found = f"{ti / tv:.2f}, of {ti + tv:,.0f} single-base variants" if tv else "none"
    yield Check(
        "Do base changes look like those of people?",
        Answer.OPEN if not enough else Answer.LOOK if ti / tv < _LEAST_RATIO else Answer.SOUND,
        f"Transitions for each transversion: {found}. About 2.0 to 2.1 is usual, 3 in exomes; below"
        f" {_LEAST_RATIO} there are false calls among them."
        + ("" if enough else f" Fewer than {_FEWEST_CHANGES:,} say too little."),
        "ti_tv",
        "the base changes",
    )


def _called(data: ReportData) -> Iterator[Check]:
    total = data.groups[0]
    starts = data.numbers("call_rate", "from", group=total)
    cells = data.numbers("call_rate", "cells", group=total)
    poor = sum(n for start, n in zip(starts, cells, strict=True) if start < LEAST_CALLED)
    whole = sum(cells)
    yield Check(
        "Was nearly everybody called nearly everywhere?",
        Answer.OPEN if not whole else Answer.LOOK if poor > _MOST_POOR * whole else Answer.SOUND,
        f"{share(poor, whole)} of the total's variants have a call rate below {share(LEAST_CALLED, 1)}.",
        "call_rate",
        "call rates",
    )


def _proportions(data: ReportData) -> Iterator[Check]:
    odd, seen = [], 0
    for row in data.tables["heterozygosity"].records():
        values = [row[f"{kind}_heterozygosity_complete"] for kind in ("expected", "observed")]
        if (
            "_" not in row["group"]
            or "." in values
            or int(row["complete_variants"]) < _FEWEST_COMPLETE
        ):
            continue
        expected, observed = map(float, values)
        seen += 1
        if expected and abs(observed / expected - 1) > _MOST_OFF:
            odd.append(f"{row['group']} ({observed:.4f} observed, {expected:.4f} expected)")
    yield Check(
        "Are there as many heterozygous people as there should be?",
        Answer.LOOK if odd else Answer.SOUND if seen else Answer.OPEN,
        f"Not in {listed(odd)}."
        if odd
        else f"Within {share(_MOST_OFF, 1)} of what is expected in {counted(seen, 'population')}."
        if seen
        else f"No population has {_FEWEST_COMPLETE} variants at which everybody was called.",
        "heterozygosity",
        "heterozygosity",
    )


def _sexes(data: ReportData) -> Iterator[Check]:
    rows = [row for row in data.tables["fst"].records() if row["kind"] == "sex"]
    known = [float(row["fst"]) for row in rows if row["fst"] != "."]
    errors = [float(row["standard_error"]) for row in rows if row["standard_error"] != "."]
    if not known:
        yield Check(
            "Are autosomes alike in XX and XY?",
            Answer.OPEN,
            "The release does not show both XX and XY.",
            "fst",
            "the groups",
        )
        return
    far = known[0] > max(_SEX_FST, _ERRORS * (errors[0] if errors else math.inf))
    yield Check(
        "Are autosomes alike in XX and XY?",
        Answer.LOOK if far else Answer.SOUND,
        f"Their FST is {known[0]:.4f}; well above 0, reads of X or Y would lie on autosomes.",
        "fst",
        "the groups",
    )
