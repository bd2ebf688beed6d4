"""Membership risk: how surely someone who holds a person's genome learns that they are in a group.

It looks at what passed the gate, as an attacker would, and at linkage summaries of cohorts. Above a
limit it refuses, and says what would pass.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afpanel.core.membership_limits import RiskLimits, SignOff
from afpanel.core.membership_risk import Attacker, Known, group_risk, remedy
from afpanel.core.policy import SIGNED_OFF
from afpanel.core.released_cells import CellTally, ShownCells
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.files import read_json
from afpanel.io.panel_store import read_heads, read_panel_blocks
from afpanel.model.groups import TOTAL, GroupKind, country_of, kind_of
from afpanel.stages.assessment import Assessed, Assessment
from afpanel.stages.linkage_summary import LinkageSummary, Trial, VariantClass, read_summary
from afpanel.stages.progress import Progress
from afpanel.stages.risk_outputs import write_risk

logger = logging.getLogger(__name__)

_ENOUGH = 0.9
"""Share of a group's people whose linkage is taken for that of all, if the others are in summaries too."""


@dataclass(frozen=True)
class RiskOptions:
    """What `risk` needs to know besides its files; of limits, the policy's hold too if they are stricter.

    Parameters
    ----------
    limit_realistic
        Power above which a release is refused; None leaves it to the policy.
    reference_people
        People of the realistic attacker's reference, besides those of other groups of the panel; None
        leaves it to the policy, and is 500 where it says nothing.
    alpha
        Share of others whom the attacker may take for members; likewise, and 0.001.
    sign_off
        Who has signed the worst case, or None.
    """

    limit_realistic: float | None = None
    reference_people: int | None = None
    alpha: float | None = None
    sign_off: SignOff | None = None

    def lines(self) -> dict[str, float]:
        """Give the limits that are set, by the names that policies have for them."""
        said = {
            "max_realistic_power": self.limit_realistic,
            "reference_people": self.reference_people,
            "false_positive_rate": self.alpha,
        }
        return {name: value for name, value in said.items() if value is not None}


def risk(
    panels: Sequence[Path],
    decision: Path,
    linkages: Sequence[Path],
    out: Path,
    options: RiskOptions,
) -> None:
    """Work out the membership risk of a release, and refuse it above the limit.

    Parameters
    ----------
    panels
        Releasable panel store of each contig.
    decision
        The gate's decision, which has the limits of the policy.
    linkages
        Linkage summaries of cohorts; of groups whose people are not all in these, every variant is
        taken for independent.
    out
        Folder for ``risk.json``, ``risk.tsv``, ``risk.svg`` and ``risk.txt``.
    options
        See `RiskOptions`.

    Raises
    ------
    PolicyRefusalError
        If a group is above the limit, or the worst case has to be signed off and is not. The files are
        written before.
    BadInputError
        If a contig or a cohort is given twice, or a summary cannot be used.
    """
    heads = read_heads(panels)
    if not heads:
        raise BadInputError("there is no contig to look at")
    decided = read_json(decision)
    min_allele_count = decided["policy"]["min_allele_count"]
    limits = RiskLimits.of(decided["policy"]["effective"], options.lines())
    summaries = _read_summaries(linkages)
    tally = CellTally(len(heads[0].groups))
    progress = Progress(logger, "risk", "variants")
    for path, head in zip(panels, heads, strict=True):
        for variants, counts in read_panel_blocks(path):
            tally.add(counts)
            progress.advance(len(variants), head.contig)
    shown = [
        Shown(group, people, tally.of(g), *known_of(group, people, min_allele_count, summaries))
        for g, (group, people) in enumerate(zip(heads[0].groups, heads[0].people, strict=True))
    ]
    assessment = Assessment(
        limits,
        options.sign_off,
        min_allele_count,
        progress.done,
        assess(shown, limits, min_allele_count),
    )
    write_risk(out, assessment)
    most = max(assessment.groups, key=lambda each: each.risk.judged)
    logger.info(
        "risk: done, %s variants, %d groups; greatest realistic power %.3f (%s)",
        f"{progress.done:,}", len(shown), most.risk.judged, most.group,
    )  # fmt: skip
    _refuse(assessment, _passing_tiers(decided, shown, min_allele_count))


@dataclass(frozen=True)
class Shown:
    """What a panel shows of a group, and what is known of its people."""

    group: str
    people: int
    cells: ShownCells
    known: Known
    trial: Trial | None


def assess(shown: Sequence[Shown], limits: RiskLimits, min_allele_count: int) -> list[Assessed]:
    """Work out the figures of every group, the total first, and what would pass a limit."""
    total = shown[0].people
    assessed = []
    for each in shown:
        # Counts of other groups are a reference too, if one that matches less.
        reference = limits.reference_people + total - each.people
        attacker = Attacker(limits.false_positive_rate, reference, limits.reference_people)
        n = max(each.people, 1)
        found = group_risk(n, each.cells, each.known, attacker, min_allele_count)
        passing = None
        if limits.limit is not None and found.judged > limits.limit:
            passing = remedy(limits.limit, n, each.cells, each.known, attacker)
        assessed.append(
            Assessed(
                each.group,
                each.people,
                each.cells,
                each.known.complete,
                attacker,
                found,
                each.trial,
                passing,
            )
        )
    return assessed


def _passing_tiers(
    decided: Mapping[str, Any], shown: Sequence[Shown], min_allele_count: int
) -> list[str]:
    """Name the more controlled tiers of the policy in which nothing that is shown now would be refused."""
    passing = []
    for tier in decided.get("more_controlled_tiers", ()):
        limits = RiskLimits.of(tier["effective"], {})
        if all(each.remedy is None for each in assess(shown, limits, min_allele_count)):
            passing.append(str(tier["tier"]))
    return passing


def _read_summaries(paths: Sequence[Path]) -> list[LinkageSummary]:
    summaries: dict[str, LinkageSummary] = {}
    for path in paths:
        summary = read_summary(path)
        if summary.cohort in summaries:
            raise BadInputError(
                f"a second linkage summary of cohort {summary.cohort}",
                where=path,
                remedy="give each cohort's once",
            )
        summaries[summary.cohort] = summary
    return [summaries[name] for name in sorted(summaries)]


def known_of(
    group: str, people: int, min_allele_count: int, summaries: Sequence[LinkageSummary]
) -> tuple[Known, Trial | None]:
    """Tell what summaries say of a group, and the trial that found most of its people.

    Of several populations the least linked counts, which is the worst. A population has its part of the
    copies of which the group shows as many as the policy asks for. Those that are too small for linkage
    to be known may be a tenth of the group.
    """
    kind = kind_of(group)
    members: list[VariantClass] = []
    held, linked = 0, 0
    for summary in summaries:
        for each in summary.populations:
            own = summary.group_of(each)
            if kind in (GroupKind.TOTAL, GroupKind.SEX) or group in (own, country_of(own)):
                of = each.at(min_allele_count * min(each.people / max(people, 1), 1.0))
                members.append(of)
                held += each.people
                linked += each.people if of.is_linked else 0
    known = [each.known() for each in members]
    # XX and XY are not told apart in summaries; together they are no more than everybody.
    complete = bool(known) and held >= people and linked >= _ENOUGH * people
    trials = [each.trial for each in members if each.trial is not None]
    best = max(trials, key=lambda trial: trial.share("likelihood_ratio"), default=None)
    return Known(known, complete), best


def _refuse(assessment: Assessment, passing_tiers: Sequence[str]) -> None:
    above = [each for each in assessment.groups if each.remedy is not None]
    if not above:
        _refuse_unsigned(assessment)
        return
    names = [each.group for each in above]
    lines = []
    for each in above:
        assert each.remedy is not None
        fewest = each.remedy.min_allele_count
        larger = f", or min_allele_count {fewest}" if fewest else ""
        lines.append(
            f"{each.group}: power {each.risk.judged:.3f} with {each.cells.varying:,} variants;"
            f" at most {each.remedy.variants:,} would pass{larger}"
        )
    of_others = [name for name in names if name != TOTAL]
    ways = []
    if of_others and TOTAL not in names:
        ways.append(f"withhold {', '.join(of_others)} (raise min_group_size)")
    k = [each.remedy.min_allele_count for each in above if each.remedy is not None]
    if all(k):
        ways.append(f"set min_allele_count to {max(each or 0 for each in k)}")
    ways.append("publish a curated set of so few variants")
    tiers = " or ".join(passing_tiers)
    ways.append(
        f"release it under tier {tiers}, in which it would pass"
        if tiers
        else "release under a more controlled tier"
    )
    limits = assessment.limits
    asked_by = limits.asked_by("max_realistic_power")
    raise PolicyRefusalError(
        "who holds a person's genome could tell that they are in the panel",
        where="risk",
        expected=f"power of at most {limits.limit} (asked for by {asked_by}) at a false positive rate of"
        f" {limits.false_positive_rate:g}, with a reference of {limits.reference_people:,} people",
        found="; ".join(lines),
        remedy=", or ".join(ways),
    )


def _refuse_unsigned(assessment: Assessment) -> None:
    """Refuse where the worst case has to be signed off, and is not."""
    if assessment.is_signed:
        return
    worst, group = assessment.worst_case
    signed = assessment.sign_off
    raise PolicyRefusalError(
        "the worst case has to be signed off by who answers for the release",
        where="risk",
        expected=f"a signed-off power of {worst:.3f} or more, asked for by"
        f" {assessment.limits.asked_by(f'worst_case.{SIGNED_OFF}')}",
        found="none" if signed is None else f"{signed.power} ({signed.by}, {signed.reference})",
        remedy=f"have risk.txt read: with a perfect reference {worst:.1%} of {group} can be recognized; then"
        " give risk.sign_off in the configuration: by (a role), reference (of the decision) and power",
    )
