"""Lifting alleles: every haplotype that a record speaks of is the same one on the other build."""

import numpy as np
import pytest
from tests.lifting import (
    apply,
    as_record,
    blocks_of,
    lifted,
    pieces_of,
    random_edit,
    repetitive,
    rows_of,
    sites_of,
    turned,
)

from afpanel.constants import Flag, Outcome


@pytest.mark.parametrize(
    ("trials", "least"), [(2400, 20), pytest.param(6000, 50, marks=pytest.mark.long)]
)
def test_haplotypes_of_a_record_are_the_same_on_both_builds(trials: int, least: int) -> None:
    rng = np.random.default_rng(4)
    tally = dict.fromkeys(("kept", "swapped", "new", "unmapped", "lift_ref_mismatch"), 0)
    for trial in range(trials):
        source = repetitive(rng, 60)
        change = random_edit(rng, source, 24, 36)
        variant = random_edit(rng, source, 24, 36)
        if trial % 3 == 0:  # the other build has the very allele
            variant = change
        panel = apply(source, change)
        reverse = bool(rng.integers(2))
        blocks = blocks_of(pieces_of([change], len(source)), len(panel), reverse=reverse)
        there = turned(panel) if reverse else panel
        spare = 1 if variant[1] - variant[0] != len(variant[2]) else int(rng.integers(3) == 0)
        position, ref, alt = as_record(source, variant, spare)
        outcome, result = lifted(sites_of(position, ref, [alt]), blocks, source, there)
        if result is None:
            tally[outcome.name.lower()] += 1
            continue
        if (result.outcome != Outcome.KEPT).any():
            assert (result.outcome == Outcome.LIFT_REF_MISMATCH).all()
            tally["lift_ref_mismatch"] += 1
            continue
        edits = dict(rows_of(result))
        assert len(edits) == len(result.outcome)
        on_panel = [apply(there, edits[i]) if i in edits else there for i in (0, 1)]
        if reverse:
            on_panel = [turned(haplotype) for haplotype in on_panel]
        on_source = [source, apply(source, variant)]
        if 0 in edits:
            # What was REF is a variant: the record holds the difference of the builds.
            assert on_panel == on_source
            tally["swapped" if 1 not in edits else "new"] += 1
            assert bool(result.flags[0] & Flag.SWAPPED) == (1 not in edits)
        else:
            # The difference lies elsewhere, or is undone by the allele in part.
            assert on_panel[0] == panel
            both = on_panel[1] == on_source[1] or any(
                on_panel[1] == apply(apply(source, later), earlier)
                for later, earlier in ((change, variant), (variant, change))
                if earlier[1] <= later[0]
            )
            assert both, (source, change, variant, on_panel)
            tally["kept"] += 1
    assert min(tally.values()) > least, tally
