"""The gate as it would be with primary masking alone: what the attacks of the tests succeed against."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from afpanel.constants import State
from afpanel.core.masking import mask, sensitive, sensitive_raw
from afpanel.io.files import write_json
from afpanel.io.panel_store import create_panel, read_head, read_panel_blocks, write_panel_block


def gate_without_secondary_masking(
    panels: Sequence[Path], decision: Path, out: Path, decision_out: Path
) -> None:
    """Mask the cells of few copies and no others, in the groups that the gate's own decision lets through."""
    said = json.loads(decision.read_text())
    groups = [each["group"] for each in said["groups"]]
    limit = said["policy"]["min_allele_count"]
    rows_out = cells = 0
    for path in panels:
        head = read_head(path)
        chosen = [head.groups.index(group) for group in groups]
        with create_panel(out / path.name, head.of_groups(chosen)) as writer:
            for variants, counts in read_panel_blocks(path):
                shown = counts.take(groups=chosen)
                known = shown.state != State.NOT_CALLABLE
                ac, an = shown.allele_count, shown.allele_number
                masked = known & sensitive(ac, an - ac, limit)
                result = mask(shown, masked, sensitive_raw(shown, limit))
                shows_alt = (result.allele_count > 0).any(axis=1)
                known_total = (result.state[:, 0] != State.NOT_CALLABLE) | shows_alt
                rows = np.flatnonzero(known_total & (shows_alt | ~masked.any(axis=1)))
                write_panel_block(writer, variants.take(rows), result.take(rows))
                rows_out += len(rows)
                cells += int(masked[rows].sum())
    said["totals"] |= {"variants_out": rows_out, "masked_cells": cells, "masked_primary": cells}
    said["totals"] |= {"masked_secondary": 0}
    write_json(decision_out, said)
