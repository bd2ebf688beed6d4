"""A large panel of drawn counts, as the gate hands it to publish: 12 groups, a tenth of the cells masked or not-callable."""

from pathlib import Path

import numpy as np

from afpanel.constants import State
from afpanel.core.group_counts import GroupCounts
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.io.panel_store import PanelHead, create_panel, write_panel_block

POPULATIONS = {"ID_JAV": 1_900, "ID_SUN": 800, "TH_CTH": 2_400, "TH_NTH": 700, "VN_CDX": 150, "VN_KHV": 3_050}  # fmt: skip
"""Groups that add up to all others, and their people."""

GROUPS = ["total", "ID", "ID_JAV", "ID_SUN", "TH", "TH_CTH", "TH_NTH", "VN", "VN_CDX", "VN_KHV", "XX", "XY"]  # fmt: skip
_BLOCK = 16_384


def people_by_sex() -> list[list[int]]:
    """People of each sex in each group; half of a population is XX."""
    people = []
    for group in GROUPS:
        members = [n for name, n in POPULATIONS.items() if name.startswith(group)]
        half = sum(members or POPULATIONS.values()) // 2
        people.append([half * (group != "XY"), half * (group != "XX"), 0])
    return people


def draw_variants(n: int, length: int, rng: np.random.Generator) -> Variants:
    """Draw variants in order: nine in ten SNVs, one in a hundred at the position of the one before."""
    position = np.sort(rng.choice(length - 100, n, replace=False)).astype(np.int32) + 1
    again = np.flatnonzero(rng.random(n) < 0.01)
    again = again[again > 0]
    position[again] = position[again - 1]
    base = np.array(list("ACGT"), object)
    ref = base[position * 7 // 3 % 4]
    alt = np.array([{"A": "C", "C": "T", "G": "A", "T": "G"}[each] for each in ref], object)
    other = np.array([{"A": "G", "C": "A", "G": "T", "T": "C"}[each] for each in ref], object)
    third = np.array([{"A": "T", "C": "G", "G": "C", "T": "A"}[each] for each in ref], object)
    turn = np.zeros(n, int)
    for i in again.tolist():
        turn[i] = min(turn[i - 1] + 1, 2)
    alt = np.where(turn == 1, other, np.where(turn == 2, third, alt))
    longer = rng.random(n) < 0.1
    alt[longer] = ref[longer] + base[rng.integers(4, size=longer.sum())] + "TT"
    order = np.lexsort([alt.astype(str), ref.astype(str), position])
    return Variants(position[order], Strings.of(ref[order]), Strings.of(alt[order]))


def draw_counts(n: int, rng: np.random.Generator) -> GroupCounts:
    """Draw counts of diploid calls: most variants rare, calls missing here and there, sums that add up."""
    frequency = rng.beta(0.08, 2.5, n)
    tables = {name: np.zeros((n, len(GROUPS)), np.int32) for name in ("ac", "an", "hom")}
    for population, size in POPULATIONS.items():
        local = np.clip(frequency * rng.uniform(0.3, 1.7, n), 0, 1)
        people = rng.binomial(size, np.minimum(1, rng.beta(60, 1, n))).astype(np.int32)
        half = people // 2
        of_sexes = []
        for called in (half, people - half):
            hom = rng.binomial(called, local**2)
            odds = np.minimum(1, 2 * local * (1 - local) / np.maximum(1 - local**2, 1e-12))
            het = rng.binomial(called - hom, odds)
            of_sexes.append({"ac": 2 * hom + het, "an": 2 * called, "hom": hom})
        groups = ["total", population[:2], population]
        for name, table in tables.items():
            for group in groups:
                table[:, GROUPS.index(group)] += sum(each[name] for each in of_sexes)
            for sex, each in zip(("XX", "XY"), of_sexes, strict=True):
                table[:, GROUPS.index(sex)] += each[name]
    state = np.full((n, len(GROUPS)), State.OBSERVED, np.int8)
    drawn = rng.random(state.shape)
    state[drawn < 0.05] = State.MASKED
    state[(drawn > 0.95) & (tables["ac"] == 0)] = State.ABSENT_CALLABLE
    nobody = drawn > 0.99
    nobody[:, 0] = False
    state[nobody] = State.NOT_CALLABLE
    tables["an"][nobody] = 0
    shape = state.shape
    return GroupCounts(
        allele_count=tables["ac"],
        allele_number=tables["an"],
        homozygote_count=tables["hom"],
        hemizygote_count=np.zeros(shape, np.int32),
        single_allele_count=np.zeros(shape, np.int32),
        single_allele_number=np.zeros(shape, np.int32),
        raw_allele_count=tables["ac"][:, 0] + 1,
        raw_allele_number=np.full(n, 2 * sum(POPULATIONS.values()), np.int32),
        state=state,
    ).with_missing()


def write_panel(folder: Path, variants: int, contigs: int = 3) -> list[Path]:
    """Write a store for each of some contigs of a third of chr1's length, with so many variants in all."""
    rng = np.random.default_rng(12)
    paths = []
    for number in range(1, contigs + 1):
        head = PanelHead(f"chr{number}", 80_000_000, GROUPS, people_by_sex())
        drawn = draw_variants(variants // contigs, head.contig_length, rng)
        paths.append(folder / f"{head.contig}.zarr.zip")
        with create_panel(paths[-1], head) as writer:
            for start in range(0, len(drawn), _BLOCK):
                rows = np.arange(start, min(start + _BLOCK, len(drawn)))
                write_panel_block(writer, drawn.take(rows), draw_counts(len(rows), rng))
    return paths
