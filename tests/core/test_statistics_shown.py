"""Statistics that a policy withholds are missing from every figure of a release, and so is what tells them."""

import numpy as np
import pytest

from afpanel.constants import State
from afpanel.core.group_counts import GroupCounts
from afpanel.core.policy import Rules, Statistic, strictest
from afpanel.core.statistics_shown import withhold_statistics
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.io.release import ReleaseBlock, ReleaseHead, is_missing
from afpanel.model.figures import FIGURES, SITE_FIGURES

GROUPS = ["total", "VN", "VN_KHV", "XX"]
ROWS = 40
TOLD_BY = {
    Statistic.NHOMALT: {"nhomalt", "nhomalt_grpmax"},
    Statistic.NHEMIALT: {"nhemialt"},
    Statistic.HARDY_WEINBERG: {"hwe", "ExcHet", "inbreeding_coeff"},
    Statistic.RAW: {"AC_raw", "AN_raw", "AF_raw"},
}
SUBSETS = [
    [],
    ["nhomalt"],
    ["nhemialt"],
    ["raw"],
    ["nhomalt", "nhemialt", "raw"],
    ["nhomalt", "nhemialt", "hardy_weinberg"],
    list(Statistic),
]


def counts():
    """Forty variants in people who all have two called alleles, and a few who have one."""
    rng = np.random.default_rng(3)
    shape = (ROWS, len(GROUPS))
    homozygotes = rng.integers(1, 10, shape, np.int32)
    heterozygotes = rng.integers(1, 10, shape, np.int32)
    alone = rng.integers(1, 3, shape, np.int32)
    raw = rng.integers(1, 9, ROWS, np.int32)
    count = 2 * homozygotes + heterozygotes + alone
    return GroupCounts(
        allele_count=count,
        allele_number=np.full(shape, 120, np.int32),
        homozygote_count=homozygotes,
        hemizygote_count=alone,
        state=np.full(shape, State.OBSERVED, np.int8),
        single_allele_count=alone,
        single_allele_number=np.full(shape, 2, np.int32),
        raw_allele_count=count[:, 0] + raw,
        raw_allele_number=np.full(ROWS, 140, np.int32),
    )


def shown_figures(given):
    """Names of the figures that have a value somewhere."""
    variants = Variants(
        np.arange(1, ROWS + 1, dtype=np.int32), Strings.of(["A"] * ROWS), Strings.of(["C"] * ROWS)
    )
    people = [[30, 31, 0]] * len(GROUPS)
    head = ReleaseHead("panel", "1", "GRCh38", {"chr1": 1000}, GROUPS, people)
    block = ReleaseBlock.of("chr1", variants, given, head)
    found = {figure.key for figure in FIGURES if not is_missing(block.values(figure)).all()}
    for figure in SITE_FIGURES:
        values = block.site_values(figure)
        known = values != "" if values.dtype == object else np.nan_to_num(values, nan=-1) != -1
        if known.any():
            found.add(figure.key)
    return found


@pytest.mark.parametrize("allowed", SUBSETS, ids=",".join)
def test_what_is_withheld_is_in_no_figure_and_everything_else_is_as_it_was(allowed):
    rules = strictest([Rules.of("tier", {"statistics": allowed})])
    everything = shown_figures(counts())
    assert set().union(*TOLD_BY.values()) <= everything
    hidden = set().union(*(TOLD_BY[each] for each in Statistic if each not in allowed))
    assert shown_figures(withhold_statistics(counts(), rules)) == everything - hidden


def test_neither_counts_of_alleles_nor_states_change():
    rules = strictest([Rules.of("tier", {"statistics": []})])
    before, after = counts(), withhold_statistics(counts(), rules)
    for name in ("allele_count", "allele_number", "state"):
        assert (getattr(before, name) == getattr(after, name)).all()
    for name in ("homozygote_count", "hemizygote_count", "raw_allele_count"):
        values = getattr(after, name)
        assert (values == -1).all()
        assert values.dtype == np.int32
