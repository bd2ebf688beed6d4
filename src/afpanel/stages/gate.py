"""The gate between what the hub knows and what is published.

It lets through the counts of groups, and nothing else: a panel that holds any other array is refused.
Groups that are too small stay behind, and cells that would show few people are withheld, with those from
which they could be worked out.
"""

import logging
import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.contributors import Contributor, refusals, withheld_groups
from afpanel.core.group_counts import GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.masking import mask, sensitive_raw
from afpanel.core.policy import DisclosurePolicy, EffectivePolicy, effective
from afpanel.core.statistics_shown import withhold_statistics
from afpanel.core.suppression import suppress
from afpanel.core.suppression_kernel import CONTRIBUTOR, EARLIER, PRIMARY, SECONDARY, SHOWN
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

MASKED = ("masked_cells", "masked_primary", "masked_secondary", "masked_by_contributors")
"""How the decision counts masked cells of the variants that are let through: all, and by reason."""

_TALLY = (
    "variants_in",
    "variants_out",
    "variants_dropped",
    "variants_dropped_secondary",
    "variants_unknown",
    *MASKED,
)
"""What is counted. Dropped for secondary masking are variants that primary masking alone would have left."""

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
    policy = read_disclosure_policy(policy_path)
    heads = [_check_panel(path) for path in panels]
    head = heads[0]
    contributors = _contributors(policy, policy_path, head, contributors_path)
    raise_any([*refusals(policy, contributors, as_of, str(policy_path))])
    rules = effective(policy, (each.country for each in contributors))
    withheld = withheld_groups(rules, contributors, head.groups, head.people)
    allowed = [g for g, name in enumerate(head.groups) if name not in withheld]
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
    audit = None if beside is None else Audit(beside, head, allowed, rules.min_allele_count)
    progress = Progress(logger, "gate", "variants")
    per_contig = {}
    for path, contig_head in zip(panels, heads, strict=True):
        tally = _gate_contig(path, contig_head, allowed, rules, out / path.name, audit)
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
            "groups": [{"group": head.groups[g], "people": head.people[g]} for g in allowed],
            "withheld_groups": [
                {"group": name, "reason": reason} for name, reason in withheld.items()
            ],
            "totals": totals,
            "contigs": per_contig,
            **({} if audit is None else {"ledger": audit.described(earlier)}),
        },
    )
    logger.info("gate: done, %s", _words(totals))


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
    path: Path,
    head: PanelHead,
    allowed: list[int],
    rules: EffectivePolicy,
    out: Path,
    audit: Audit | None,
) -> dict[str, int]:
    """Write what may be released of one contig; count what was done."""
    tally = dict.fromkeys((*_TALLY, _EARLIER), 0)
    released = head.of_groups(allowed)
    tree = GroupTree.of(released.groups, released.people)
    with ExitStack() as stack:
        writer = stack.enter_context(create_panel(out, released))
        beside = None if audit is None else stack.enter_context(audit.on(head.contig))
        for variants, counts in read_panel_sites(path):
            shown = counts.take(groups=allowed)
            reason = suppress(variants, shown, tree, rules.min_allele_count)
            if beside is not None:
                reason = _for_earlier(reason, beside.reason(variants, counts))
            raw = sensitive_raw(shown, rules.min_allele_count)
            result = withhold_statistics(mask(shown, reason != 0, raw), rules)
            unknown = ~_known(result)
            worth = _worth_a_row(result)
            rows = np.flatnonzero(worth)
            write_panel_block(writer, variants.take(rows), result.take(rows))
            without = mask(shown, (reason != 0) & (reason != SECONDARY), raw)
            tally["variants_in"] += len(variants)
            tally["variants_out"] += len(rows)
            tally["variants_dropped"] += int((~worth & ~unknown).sum())
            tally["variants_dropped_secondary"] += int((_worth_a_row(without) & ~worth).sum())
            tally["variants_unknown"] += int(unknown.sum())
            tally["masked_cells"] += int((reason[rows] != 0).sum())
            for name, code in _REASONS.items():
                tally[name] += int((reason[rows] == code).sum())
            tally[_EARLIER] += int((reason[rows] == EARLIER).sum())
    return tally


def _for_earlier(alone: NDArray[np.int8], beside: NDArray[np.int8]) -> NDArray[np.int8]:
    """Say of each cell that is masked beside earlier releases why: for them, if it need not be otherwise."""
    own = np.where(alone == SHOWN, np.int8(EARLIER), alone)
    return np.where(beside == SHOWN, np.int8(SHOWN), own)


_EARLIER = "masked_for_earlier_releases"

_REASONS = {
    "masked_primary": PRIMARY,
    "masked_secondary": SECONDARY,
    "masked_by_contributors": CONTRIBUTOR,
}


def _worth_a_row(counts: GroupCounts) -> NDArray[np.bool_]:
    """Tell which rows say something: they show ALT somewhere, or have nothing to hide; (n,) bool.

    A row of which all that carries ALT is withheld would still tell that somebody carries it.
    """
    shows_alt = (counts.allele_count > 0).any(axis=1)
    hides = (counts.state == State.MASKED).any(axis=1)
    worth: NDArray[np.bool_] = _known(counts) & (shows_alt | ~hides)
    return worth


def _known(counts: GroupCounts) -> NDArray[np.bool_]:
    """Tell of which rows anything is known, unlike on Y in a panel of XX people; (n,) bool."""
    shows_alt = (counts.allele_count > 0).any(axis=1)
    known: NDArray[np.bool_] = (counts.state[:, 0] != State.NOT_CALLABLE) | shows_alt
    return known


def _words(tally: dict[str, int]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {n:,}" for key, n in tally.items())
