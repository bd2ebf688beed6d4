"""How fast a million variants of 20 groups are masked, and how fast what is written of them is attacked.

Run with ``pytest tests/benchmarks/test_disclosure.py -m benchmark -s``. Sites have one to three alleles, of
all frequencies; countries differ as drifted populations do. ``DISCLOSURE_VARIANTS`` sets another number.
"""

import os
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.published_files import release
from tests.tiered import RULES

from afpanel.constants import State
from afpanel.core.cell_rules import CellRules
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.policy import Rules, strictest
from afpanel.core.strings import Strings
from afpanel.core.suppression import suppress
from afpanel.core.variants import Variants
from afpanel.io.panel_store import PanelHead, create_panel, read_panel_sites, write_panel_block
from afpanel.stages.bench_launch import Launcher
from afpanel.stages.gate import gate

VARIANTS = int(os.environ.get("DISCLOSURE_VARIANTS", "1000000"))
K = 11
POPULATIONS = {
    "AA": (400, 350), "BB": (300, 300, 200), "CC": (500, 60), "DD": (700,), "EE": (500, 80), "FF": (900,),
}  # fmt: skip
GROUPS = [
    "total",
    *(name for c, sizes in POPULATIONS.items() for name in (c, *(f"{c}_P{i}" for i in range(len(sizes))))),
    "XX",
    "XY",
]  # fmt: skip
CELLS = [
    (country, f"{country}_P{i}", sex, size // 2)
    for country, sizes in POPULATIONS.items()
    for i, size in enumerate(sizes)
    for sex in ("XX", "XY")
]
HOLDS = np.array(
    [
        [g in ("total", country, population, sex) for g in GROUPS]
        for country, population, sex, _ in CELLS
    ]
)
PEOPLE = np.array([size for *_, size in CELLS])
ROWS = 20_000
DRIFT = 60.0


def test_there_are_20_groups():
    assert len(GROUPS) == 20


def write_panel(path: Path, variants: int) -> None:
    rng = np.random.default_rng(11)
    by_sex = [
        [int((PEOPLE * HOLDS[:, g])[[c[2] == sex for c in CELLS]].sum()) for sex in ("XX", "XY")]
        + [0]
        for g in range(len(GROUPS))
    ]
    head = PanelHead("chr1", 248_956_422, GROUPS, by_sex)
    with create_panel(path, head) as writer:
        at = 0
        for start in range(0, variants, ROWS):
            n = min(ROWS, variants - start)
            alleles = np.repeat(
                np.arange(n), rng.choice([1, 2, 3], n, p=[0.93, 0.06, 0.01])
            )[:n]  # fmt: skip
            position = (at + 1 + alleles).astype(np.int32)
            at += int(alleles[-1]) + 1
            rank = np.arange(n) - np.searchsorted(alleles, alleles)
            write_panel_block(
                writer,
                Variants(
                    position,
                    Strings.of(np.full(n, "A", object)),
                    Strings.of(np.array(["C", "G", "T"], object)[rank]),
                ),
                _counts(rng, n),
            )


def _counts(rng: np.random.Generator, n: int) -> GroupCounts:
    common = np.minimum(10 ** rng.uniform(-4.5, -0.05, n), 0.3)
    of_country = {
        c: rng.beta(common * DRIFT, (1 - common) * DRIFT) for c in POPULATIONS
    }  # fmt: skip
    f = np.column_stack([of_country[country] for country, *_ in CELLS])
    people = np.broadcast_to(PEOPLE, f.shape)
    hom = rng.binomial(people, f**2)
    het = rng.binomial(people - hom, np.minimum(1, 2 * f * (1 - f) / (1 - f**2)))
    # Alleles of a site share their AN: everybody is called.
    cells = {
        "allele_count": 2 * hom + het,
        "allele_number": 2 * people,
        "homozygote_count": hom,
    }
    tables = {
        name: (cells.get(name, np.zeros_like(hom)) @ HOLDS).astype(np.int32)
        for name in GROUP_TABLES
    }
    raw = {f"raw_{name}": tables[name][:, 0].copy() for name in ("allele_count", "allele_number")}
    state = np.full((n, len(GROUPS)), State.OBSERVED, np.int8)
    return GroupCounts(**tables, **raw, state=state)


@pytest.fixture(scope="module")
def panel(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("panel") / "chr1.zarr.zip"
    write_panel(path, VARIANTS)
    return path


@pytest.mark.benchmark
def test_masking_takes_at_most_5_seconds_for_a_million_variants(panel):
    seconds, masked, rows = 0.0, 0, 0
    for variants, counts in read_panel_sites(panel):
        tree = GroupTree.of(GROUPS, [int((PEOPLE * HOLDS[:, g]).sum()) for g in range(20)])
        start = time.process_time()
        reason = suppress(variants, counts, tree, K)
        seconds += time.process_time() - start
        masked += int((reason != 0).sum())
        rows += len(variants)
    each = seconds / rows * 1e6
    print(f"\nmasking: {each:.2f} s per million variants x 20 groups, {masked:,} cells masked")
    assert each <= 5


@pytest.mark.benchmark
@pytest.mark.parametrize(
    "rules",
    [{}, {"insider_protection": True}, {"min_genotype_count": 11}, {"zeros": "masked"}],
    ids=["none of them", "insiders", "genotypes", "zeros"],
)
def test_what_further_rules_of_a_policy_cost(panel, rules):
    """All that the gate decides of a block, beside what reading and writing take; XX and XY not with insiders."""
    people = [int((PEOPLE * HOLDS[:, g]).sum()) for g in range(len(GROUPS))]
    effective = strictest([Rules.of("policy", RULES | rules)])
    shown = [g for g in range(len(GROUPS)) if g < 18 or "insider_protection" not in rules]
    cells = CellRules(GROUPS, people, shown, effective)
    seconds, rows, without = 0.0, 0, 0
    for variants, counts in read_panel_sites(panel):
        start = time.process_time()
        decided = cells.decide(variants, counts)
        seconds += time.process_time() - start
        rows += len(variants)
        without += int(decided.genotypes.sum())
    print(
        f"\n{rules}: {seconds / rows * 1e6:.2f} s per million variants, {without:,} without genotypes"
    )


@pytest.mark.benchmark
def test_verifying_a_million_variants_takes_at_most_60_seconds(panel, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"min_group_size: 50\nmin_allele_count: {K}\n")
    gate([panel], policy, tmp_path / "out", tmp_path / "decision.json")
    made = release([tmp_path / "out" / panel.name], tmp_path / "decision.json", tmp_path / "r")
    command = [sys.executable, "-m", "afpanel", "verify-release", str(made)]
    with Launcher() as launcher:
        run = launcher.run(shlex.join(command))
    each = run.seconds / VARIANTS * 1e6
    print(
        f"\nverifying: {each:.1f} s per million variants in three formats, of processors"
        f" {run.cpu / VARIANTS * 1e6:.1f} s, {run.peak_mb:.0f} MB"
    )
    assert each <= 60
    assert run.peak_mb <= 2_000
