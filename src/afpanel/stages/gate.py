"""The gate between what the hub knows and what is published.

It lets through the counts of groups, and nothing else: a panel that holds any other array is refused.
Groups that are too small stay behind, and cells that would show few people are withheld, with those from
which they could be worked out.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.core.cell_rules import CellRules, Decided, worth_a_row
from afpanel.core.contributors import (
    Contributor,
    never_shown_elsewhere,
    refusals,
    withheld_groups,
)
from afpanel.core.group_counts import GroupCounts
from afpanel.core.policy import DisclosurePolicy, EffectivePolicy, effective, more_controlled
from afpanel.core.suppression_kernel import CONTRIBUTOR, EARLIER, PRIMARY, SECONDARY, SHOWN
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.files import sha256, write_json
from afpanel.io.panel_store import (
    PANEL_ARRAYS,
    PanelHead,
    array_names,
    check_once,
    create_panel,
    read_head,
    read_panel_sites,
    write_panel_block,
)
from afpanel.io.policy import read_disclosure_policy
from afpanel.io.tables import raise_any
from afpanel.model.groups import TOTAL
from afpanel.stages.contributors import read_contributors
from afpanel.stages.ledger_audit import Audit, AuditOptions
from afpanel.stages.progress import Progress

logger = logging.getLogger(__name__)

DROPPED = ("variants_dropped", "variants_dropped_secondary")
"""How the decision counts variants that are dropped; and those of them that primary masking alone would have left."""

MASKED = (
    "masked_cells",
    "masked_primary",
    "masked_secondary",
    "masked_by_contributors",
    "cells_without_genotypes",
)
"""How it counts masked cells of the variants that are let through, all and by reason, and those without genotypes."""

ALTERNATIVES = (
    "total_alone_variants_out",
    "total_alone_masked_cells",
    "without_masked_variants_out",
)
"""How it counts what simpler rules would have left: of a variant with a masked cell the total alone, or nothing."""

_TALLY = (
    "variants_in",
    "variants_out",
    *DROPPED,
    "variants_unknown",
    *MASKED,
    *ALTERNATIVES,
)
"""What is counted."""

_EARLIER = "masked_for_earlier_releases"

_GROUP = re.compile(rf"{TOTAL}|XX|XY|[A-Z]{{2}}(_[A-Za-z0-9]+)?")


def gate(
    panels: Sequence[Path],
    policy_path: Path,
    out: Path,
    decision: Path,
    contributors_path: Path | None = None,
    as_of: str | None = None,
    beside: AuditOptions | None = None,
) -> None:
    """Decide what of a panel may be released.

    Parameters
    ----------
    panels
        Panel store of each contig.
    policy_path
        Policy file.
    out
        Folder for the releasable stores, which keep their names.
    decision
        JSON to write: the policy, what was let through and what was withheld.
    contributors_path
        Who contributes to the panel (see `stages.contributors`); a policy of two limits does without.
    as_of
        Day at which approvals, embargoes and reviews are judged, ``YYYY-MM-DD``; the same goes for it.
    beside
        What else was published, or None where nothing is to be looked at.

    Raises
    ------
    PolicyRefusalError
        If a panel holds anything but counts of groups, no group may be published, or a cohort of the
        panel may not be.
    BadInputError
        If a contig is given twice.
    """
    case = open_case(panels, policy_path, contributors_path, as_of)
    policy, rules, head, withheld = case.policy, case.rules, case.heads[0], case.withheld
    for name in never_shown_elsewhere(rules, head.groups):
        logger.warning("gate: the panel has nobody of %s, which is never shown", name)
    k = rules.min_allele_count
    audit = None if beside is None else Audit(beside, head, case.allowed, k)
    progress = Progress(logger, "gate", "variants")
    per_contig = {}
    for path, contig_head in zip(panels, case.heads, strict=True):
        tally = _gate_contig(path, contig_head, case, out / path.name, audit)
        per_contig[contig_head.contig] = tally
        progress.advance(tally["variants_in"], f"{contig_head.contig}, {_words(tally)}")
    earlier = sum(tally.pop(_EARLIER) for tally in per_contig.values())
    totals = {
        key: sum(t[key] for t in per_contig.values()) for key in next(iter(per_contig.values()))
    }
    write_json(
        decision,
        {
            "policy": {
                "sha256": sha256(policy_path),
                "description": policy.description,
                "tier": policy.tier or None,
                "as_of": as_of if policy.tier else None,
                "min_group_size": rules.min_group_size,
                "min_allele_count": rules.min_allele_count,
                "effective": rules.describe(),
            },
            "groups": [{"group": head.groups[g], "people": head.people[g]} for g in case.allowed],
            "withheld_groups": [
                {"group": name, "reason": reason} for name, reason in withheld.items()
            ],
            "more_controlled_tiers": [
                {"tier": tier, "effective": each.describe()}
                for tier, each in more_controlled(
                    policy, (each.country for each in case.contributors)
                )
            ],
            "totals": totals,
            "contigs": per_contig,
            **({} if audit is None else {"ledger": audit.described(earlier)}),
        },
    )
    logger.info("gate: done, %s", _words(totals))


@dataclass(frozen=True)
class Case:
    """A panel before the gate, and what holds for it.

    Parameters
    ----------
    policy, rules
        What the policy file says, and what of it holds.
    contributors
        Who contributes; none of a policy of two limits.
    heads
        What the panel of each contig is about.
    withheld
        Groups that stay behind, with why.
    cells
        The rules for cells.
    """

    policy: DisclosurePolicy
    rules: EffectivePolicy
    contributors: Sequence[Contributor]
    heads: Sequence[PanelHead]
    withheld: Mapping[str, str]
    cells: CellRules

    @property
    def allowed(self) -> list[int]:
        """Places of the groups that are published."""
        return [g for g, name in enumerate(self.heads[0].groups) if name not in self.withheld]


def open_case(
    panels: Sequence[Path],
    policy_path: Path,
    contributors_path: Path | None,
    as_of: str | None,
) -> Case:
    """Hold a panel against a policy, as far as it goes without its counts; as `gate`."""
    policy = read_disclosure_policy(policy_path)
    heads = [_check_panel(path) for path in panels]
    head = heads[0]
    contributors = _contributors(policy, policy_path, head, contributors_path)
    raise_any([*refusals(policy, contributors, as_of, str(policy_path))])
    rules = effective(policy, (each.country for each in contributors))
    withheld = withheld_groups(rules, contributors, head.groups, head.people)
    if TOTAL in withheld:
        raise _nothing_left(rules, head, withheld[TOTAL], policy_path)
    for path, contig_head in zip(panels, heads, strict=True):
        if contig_head.groups != head.groups or contig_head.people != head.people:
            raise PolicyRefusalError(
                "the contigs of the panel do not have the same groups and people",
                where=path,
                remedy="merge every contig again",
            )
    check_once(panels, heads)
    allowed = [g for g, name in enumerate(head.groups) if name not in withheld]
    cells = CellRules(head.groups, head.people, allowed, rules)
    return Case(policy, rules, contributors, heads, withheld, cells)


def _contributors(
    policy: DisclosurePolicy, policy_path: Path, head: PanelHead, path: Path | None
) -> Sequence[Contributor]:
    """Read who contributes, where the policy asks for it, and refuse a panel that has groups of others."""
    if not policy.tier:
        return ()
    if path is None:
        raise PolicyRefusalError(
            "nothing says who contributes to the panel, and what they agreed to",
            where=policy_path,
            remedy="give contributors.json, which afpanel validate writes beside the plan, as --contributors",
        )
    contributors = read_contributors(path)
    known = set().union(*(each.groups for each in contributors))
    strange = [name for name in head.groups if name not in known]
    if strange:
        raise PolicyRefusalError(
            f"no cohort is said to have people of {', '.join(strange)}",
            where=path,
            expected="the cohorts that the panel was merged from",
            remedy="validate and merge again",
        )
    return contributors


def _nothing_left(
    rules: EffectivePolicy, head: PanelHead, reason: str, policy_path: Path
) -> PolicyRefusalError:
    """Say why the total may not be published, and so nothing."""
    fewest = rules.ruling(f"min_group_size.{TOTAL}")
    if head.people[0] < fewest.value:
        return PolicyRefusalError(
            f"the whole panel has {head.people[0]} people",
            where=policy_path,
            expected=f"at least {fewest.value} (min_group_size), asked for by {', '.join(fewest.by)}",
            remedy="wait for more cohorts; nothing can be published under this policy",
        )
    return PolicyRefusalError(
        f"the total may not be shown: {reason}",
        where=policy_path,
        remedy="wait for more cohorts, or leave out those whose rules forbid it",
    )


def _check_panel(path: Path) -> PanelHead:
    """Refuse a panel that holds more than counts of groups."""
    names = array_names(path)
    missing = sorted(PANEL_ARRAYS - names)
    if missing:
        raise BadInputError(f"lacks {', '.join(missing)}", where=path, remedy="merge it again")
    extra = sorted(names - PANEL_ARRAYS)
    head = read_head(path)
    strange = [
        group
        for i, group in enumerate(head.groups)
        if not _GROUP.fullmatch(group) or group in head.groups[:i]
    ]
    if extra or strange or head.groups[:1] != [TOTAL]:
        raise PolicyRefusalError(
            "holds more than the counts of groups",
            where=path,
            expected="the total, countries, populations of a country, XX and XY",
            found=", ".join([*extra, *strange]) or f"groups {head.groups[:5]}",
            remedy="merge the contig again; nothing else may pass the gate",
        )
    return head


def _gate_contig(
    path: Path, head: PanelHead, case: Case, out: Path, audit: Audit | None
) -> dict[str, int]:
    """Write what may be released of one contig; count what was done."""
    tally = dict.fromkeys((*_TALLY, _EARLIER), 0)
    released = head.of_groups(case.allowed)
    whole = case.allowed == [*range(len(head.groups))]  # of which nothing need be copied
    columns = slice(None) if whole else case.allowed
    with ExitStack() as stack:
        writer = stack.enter_context(create_panel(out, released))
        beside = None if audit is None else stack.enter_context(audit.on(head.contig))
        for variants, counts in read_panel_sites(path):
            decided = case.cells.decide(variants, counts)
            if beside is not None:
                earlier = beside.reason(variants, counts) != SHOWN
                decided = decide_beside(case.cells, variants, counts, decided, earlier)
            kept, shown = variants, decided.shown
            if not decided.published.all():
                rows = np.flatnonzero(decided.published)
                kept, shown = variants.take(rows), shown.take(rows)
            write_panel_block(writer, kept, shown)
            for name, number in _count(decided).items():
                tally[name] += number
            reason = decided.masked.reason[decided.published]
            tally[_EARLIER] += int((reason == EARLIER).sum())
            alone = counts.take(groups=columns)
            for name, number in _alternatives(decided, alone).items():
                tally[name] += number
    return tally


def decide_beside(
    cells: CellRules,
    variants: Variants,
    counts: GroupCounts,
    alone: Decided,
    earlier: NDArray[np.bool_],
) -> Decided:
    """Decide what is shown beside earlier releases.

    What would be masked without them too is masked for its own reason.

    Parameters
    ----------
    cells
        The rules.
    variants, counts
        n variants, and their counts in all groups of the panel.
    alone
        What is decided of them without earlier releases.
    earlier
        (n, published groups) bool: cells that are masked for these.
    """
    decided = cells.decide(variants, counts, earlier=earlier)
    masked, by_itself = decided.masked, alone.masked
    own = (masked.reason == EARLIER) & (by_itself.reason != SHOWN)
    groups = own.shape[1]
    masked.reason[own] = by_itself.reason[own]
    for table, other in ((masked.cause, by_itself.cause), (masked.against, by_itself.against)):
        table[:, :groups][own] = other[:, :groups][own]
    return decided


def _count(decided: Decided) -> dict[str, int]:
    """Count what was decided of some variants."""
    published, unknown = decided.published, decided.unknown
    reason = decided.masked.reason[published]
    return {
        "variants_in": len(published),
        "variants_out": int(published.sum()),
        "variants_dropped": int((~published & ~unknown).sum()),
        "variants_dropped_secondary": int((decided.primary_alone & ~published).sum()),
        "variants_unknown": int(unknown.sum()),
        "masked_cells": int((reason != SHOWN).sum()),
        "masked_primary": int((reason == PRIMARY).sum()),
        "masked_secondary": int((reason == SECONDARY).sum()),
        "masked_by_contributors": int((reason == CONTRIBUTOR).sum()),
        "cells_without_genotypes": int(decided.genotypes[published].sum()),
    }


def _alternatives(decided: Decided, counts: GroupCounts) -> dict[str, int]:
    """Count what simpler rules would leave of some variants: of one with a masked cell the total alone, or nothing.

    The total alone is shown where it may be by itself, and nobody could take figures of their own away.
    """
    reason, against = decided.masked.reason, decided.masked.against
    affected = (reason != SHOWN).any(axis=1)
    total_hidden = (reason[:, 0] == PRIMARY) | (reason[:, 0] == CONTRIBUTOR)
    total_hidden |= (reason[:, 0] == SECONDARY) & (against[:, 0] > 0)
    hidden = np.repeat(affected[:, None], reason.shape[1], axis=1)
    hidden[:, 0] = total_hidden
    published = worth_a_row(counts, hidden)
    return {
        "total_alone_variants_out": int(published.sum()),
        "total_alone_masked_cells": int(hidden[published].sum()),
        "without_masked_variants_out": int((decided.published & ~affected).sum()),
    }


def _words(tally: dict[str, int]) -> str:
    said = {key: n for key, n in tally.items() if key not in ALTERNATIVES}
    return ", ".join(f"{key.replace('_', ' ')} {n:,}" for key, n in said.items())
