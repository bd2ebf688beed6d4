"""The gate between what the hub knows and what is published.

It lets through the counts of groups, and nothing else: a panel that holds any other array is refused.
Groups that are too small stay behind, and cells that would show few people are withheld.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.group_counts import GroupCounts
from afpanel.core.masking import Policy, mask, sensitive, sensitive_raw
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.files import sha256, write_json
from afpanel.io.panel_store import (
    PANEL_ARRAYS,
    PanelHead,
    array_names,
    check_once,
    create_panel,
    read_head,
    read_panel_blocks,
    write_panel_block,
)
from afpanel.io.tables import read_policy
from afpanel.model.groups import TOTAL
from afpanel.stages.progress import Progress

logger = logging.getLogger(__name__)

_GROUP = re.compile(rf"{TOTAL}|XX|XY|[A-Z]{{2}}(_[A-Za-z0-9]+)?")


def gate(panels: Sequence[Path], policy_path: Path, out: Path, decision: Path) -> None:
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

    Raises
    ------
    PolicyRefusalError
        If a panel holds anything but counts of groups, or no group may be published.
    BadInputError
        If a contig is given twice.
    """
    policy = read_policy(policy_path)
    heads = [_check_panel(path) for path in panels]
    head = heads[0]
    allowed = [g for g, n in enumerate(head.people) if n >= policy.min_group_size]
    if 0 not in allowed:
        raise PolicyRefusalError(
            f"the whole panel has {head.people[0]} people",
            where=policy_path,
            expected=f"at least {policy.min_group_size} (min_group_size)",
            remedy="wait for more cohorts; nothing can be published under this policy",
        )
    for path, contig_head in zip(panels, heads, strict=True):
        if contig_head.groups != head.groups or contig_head.people != head.people:
            raise PolicyRefusalError(
                "the contigs of the panel do not have the same groups and people",
                where=path,
                remedy="merge every contig again",
            )
    check_once(panels, heads)
    progress = Progress(logger, "gate", "variants")
    per_contig = {}
    for path, contig_head in zip(panels, heads, strict=True):
        tally = _gate_contig(path, contig_head, allowed, policy, out / path.name)
        per_contig[contig_head.contig] = tally
        progress.advance(tally["variants_in"], f"{contig_head.contig}, {_words(tally)}")
    totals = {
        key: sum(t[key] for t in per_contig.values()) for key in next(iter(per_contig.values()))
    }
    write_json(
        decision,
        {
            "policy": {
                "sha256": sha256(policy_path),
                "description": policy.description,
                "min_group_size": policy.min_group_size,
                "min_allele_count": policy.min_allele_count,
            },
            "groups": [{"group": head.groups[g], "people": head.people[g]} for g in allowed],
            "withheld_groups": [
                {"group": name, "reason": f"fewer than {policy.min_group_size} people"}
                for g, name in enumerate(head.groups)
                if g not in allowed
            ],
            "totals": totals,
            "contigs": per_contig,
        },
    )
    logger.info("gate: done, %s", _words(totals))


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
    path: Path, head: PanelHead, allowed: list[int], policy: Policy, out: Path
) -> dict[str, int]:
    """Write what may be released of one contig; count what was done."""
    names = ("variants_in", "variants_out", "variants_dropped", "variants_unknown", "masked_cells")
    tally = dict.fromkeys(names, 0)
    with create_panel(out, head.of_groups(allowed)) as writer:
        for variants, counts in read_panel_blocks(path):
            shown = counts.take(groups=allowed)
            masked = sensitive(shown, policy.min_allele_count)
            result = mask(shown, masked, sensitive_raw(shown, policy.min_allele_count))
            unknown = int(np.count_nonzero(~_known(result)))
            rows = np.flatnonzero(_worth_a_row(result))
            result = result.take(rows)
            write_panel_block(writer, variants.take(rows), result)
            tally["variants_in"] += len(variants)
            tally["variants_out"] += len(rows)
            tally["variants_dropped"] += len(variants) - len(rows) - unknown
            tally["variants_unknown"] += unknown
            tally["masked_cells"] += int((result.state == State.MASKED).sum())
    return tally


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
