"""Membership risk: how surely someone who holds a person's genome learns that they are in a group.

It looks at what passed the gate, as an attacker would, and at linkage summaries of cohorts. Above a
limit it refuses, and says what would pass.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from afpanel.core.membership_risk import Attacker, Known, group_risk, remedy
from afpanel.core.released_cells import CellTally
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.files import read_json
from afpanel.io.panel_store import read_heads, read_panel_blocks
from afpanel.model.groups import TOTAL, GroupKind, country_of, kind_of
from afpanel.stages.linkage_summary import LinkageSummary, PopulationLinkage, read_summary
from afpanel.stages.progress import Progress
from afpanel.stages.risk_outputs import Assessed, Assessment, write_risk

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RiskOptions:
    """What `risk` needs to know besides its files.

    Parameters
    ----------
    limit_realistic
        Power above which a release is refused; None is no limit.
    reference_people
        People of the realistic attacker's reference, besides those of other groups of the panel.
    alpha
        Share of others whom the attacker may take for members.
    """

    limit_realistic: float | None = None
    reference_people: int = 500
    alpha: float = 1e-3


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
        The gate's decision.
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
        If a group is above the limit. The files are written before.
    BadInputError
        If a contig or a cohort is given twice, or a summary cannot be used.
    """
    heads = read_heads(panels)
    if not heads:
        raise BadInputError("there is no contig to look at")
    groups, people = heads[0].groups, heads[0].people
    min_allele_count = read_json(decision)["policy"]["min_allele_count"]
    summaries = _read_summaries(linkages)
    tally = CellTally(len(groups))
    progress = Progress(logger, "risk", "variants")
    for path, head in zip(panels, heads, strict=True):
        for variants, counts in read_panel_blocks(path):
            tally.add(counts)
            progress.advance(len(variants), head.contig)
    assessed = []
    for g, group in enumerate(groups):
        # Counts of other groups are a reference too, if one that matches less.
        reference = options.reference_people + people[0] - people[g]
        attacker = Attacker(options.alpha, reference, options.reference_people)
        cells = tally.of(g)
        known = known_of(group, people[g], summaries)
        found = group_risk(max(people[g], 1), cells, known, attacker, min_allele_count)
        limit = options.limit_realistic
        passing = None
        if limit is not None and found.judged > limit:
            passing = remedy(limit, max(people[g], 1), cells, known, attacker)
        assessed.append(
            Assessed(group, people[g], cells, bool(known.linkages), attacker, found, passing)
        )
    assessment = Assessment(
        options.alpha,
        options.limit_realistic,
        options.reference_people,
        min_allele_count,
        progress.done,
        assessed,
    )
    write_risk(out, assessment)
    most = max(assessed, key=lambda each: each.risk.judged)
    logger.info(
        "risk: done, %s variants, %d groups; greatest realistic power %.3f (%s)",
        f"{progress.done:,}", len(groups), most.risk.judged, most.group,
    )  # fmt: skip
    _refuse(assessment)


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


def known_of(group: str, people: int, summaries: Sequence[LinkageSummary]) -> Known:
    """Tell what summaries say of a group: something where all its people are in them, else nothing.

    Of several populations the least linked counts, which is the worst.
    """
    kind = kind_of(group)
    members = [
        each
        for summary in summaries
        for each in summary.populations
        if kind in (GroupKind.TOTAL, GroupKind.SEX) or group in (each.group, country_of(each.group))
    ]
    # XX and XY are not told apart in summaries; together they are no more than everybody.
    has_all = sum(each.people for each in members) >= people
    with_linkage = [each.linkage for each in members if each.linkage is not None]
    complete = has_all and len(with_linkage) == len(members)
    return Known(
        [each for each in with_linkage if each.variants] if complete else [],
        _share(members, "likelihood_ratio"),
        _share(members, "linkage_known"),
    )


def _share(members: Sequence[PopulationLinkage], attack: str) -> float | None:
    """Give the greatest share that an attack came to, of those that were tried."""
    shares = [each.trial.share(attack) for each in members if each.trial is not None]
    return max(shares) if shares else None


def _refuse(assessment: Assessment) -> None:
    above = [each for each in assessment.groups if each.remedy is not None]
    if not above:
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
    ways += ["publish a curated set of so few variants", "release under a more controlled tier"]
    raise PolicyRefusalError(
        "who holds a person's genome could tell that they are in the panel",
        where="risk",
        expected=f"power of at most {assessment.limit} at a false positive rate of"
        f" {assessment.alpha:g}, with a reference of {assessment.reference_people:,} people",
        found="; ".join(lines),
        remedy=", or ".join(ways),
    )
