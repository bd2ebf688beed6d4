"""A panel of simulated genotypes, counted by scikit-allel, for tests of statistics of populations."""

from dataclasses import dataclass, field
from pathlib import Path

import allel
import numpy as np

from afpanel.constants import State
from afpanel.core.group_counts import GroupCounts
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.io.panel_store import PanelHead, create_panel, write_panel_block
from afpanel.model.arrays import COUNTS, RAW_COUNTS, SINGLE_COUNTS

SIZES = {"JP_JPT": 30, "CN_CHB": 25, "CN_CDX": 12, "VN_KHV": 20}
"""People of each population."""

DRIFT = {"JP_JPT": 0.08, "CN_CHB": 0.01, "CN_CDX": 0.02, "VN_KHV": 0.03}
"""How far each has drifted from their common ancestors: the FST of Balding and Nichols' model."""


@dataclass
class Simulated:
    """Genotypes, and which people each group holds.

    Parameters
    ----------
    genotypes
        (n, people, 2), -1 for missing.
    position, ref, alt
        Of n variants.
    groups
        By name, the columns of its people, in the order of a panel.
    masked
        (n, groups) bool: cells that the panel withholds.
    """

    genotypes: np.ndarray
    position: np.ndarray
    ref: list[str]
    alt: list[str]
    groups: dict[str, list[int]]
    masked: np.ndarray = field(default=None)

    def __post_init__(self):
        if self.masked is None:
            self.masked = np.zeros((len(self.position), len(self.groups)), bool)

    def array(self, rows=slice(None)) -> allel.GenotypeArray:
        return allel.GenotypeArray(self.genotypes[rows])

    def shown(self, *names) -> np.ndarray:
        """Variants that none of these groups withholds, and where each has two alleles called."""
        at = [list(self.groups).index(name) for name in names]
        called = np.all([self.counts(name).sum(axis=1) >= 2 for name in names], axis=0)
        return np.flatnonzero(called & ~self.masked[:, at].any(axis=1))

    def counts(self, name, rows=slice(None)) -> np.ndarray:
        """Copies of REF and ALT as scikit-allel counts them."""
        return np.asarray(
            self.array(rows).count_alleles(subpop=self.groups[name], max_allele=1), np.int64
        )

    def group_counts(self, poison=False) -> GroupCounts:
        """Counts as the gate lets them pass; poisoned, what is masked still holds its figures."""
        columns = [self.counts(name) for name in self.groups]
        hom = [self.array().take(p, axis=1).is_hom_alt().sum(axis=1) for p in self.groups.values()]
        figures = [
            np.column_stack([c[:, 1] for c in columns]),
            np.column_stack([c.sum(axis=1) for c in columns]),
            np.column_stack(hom),
            np.zeros(self.masked.shape, int),
        ]
        state = np.where(self.masked, State.MASKED, State.OBSERVED).astype(np.int8)
        if not poison:
            figures = [np.where(self.masked, -1, each) for each in figures]
        named = {name: each.astype(np.int32) for name, each in zip(COUNTS, figures, strict=True)}
        unused = {name: np.full(state.shape, -1, np.int32) for name in SINGLE_COUNTS}
        raw = {name: np.full(len(state), -1, np.int32) for name in RAW_COUNTS}
        return GroupCounts(**named, **unused, **raw, state=state)

    def write(self, path: Path, contig: str, cuts=(), poison=False) -> Path:
        """Write the contig's panel, in blocks that end at `cuts`."""
        counts = self.group_counts(poison)
        people = [[len(each), 0, 0] for each in self.groups.values()]
        head = PanelHead(contig, 200_000_000, list(self.groups), people)
        with create_panel(path, head) as writer:
            for start, stop in zip((0, *cuts), (*cuts, len(self.position)), strict=True):
                rows = slice(start, stop)
                variants = Variants(
                    self.position[rows].astype(np.int32),
                    Strings.of(self.ref[rows]),
                    Strings.of(self.alt[rows]),
                )
                write_panel_block(writer, variants, counts.take(rows))
        return path


def simulate(
    n=3_000, seed=1, spread=150_000_000, missing=0.01, masked=0.05, sizes=SIZES
) -> Simulated:
    """Draw genotypes of populations that drifted apart (Balding and Nichols 1995)."""
    rng = np.random.default_rng(seed)
    ancestral = rng.beta(0.3, 0.9, n)[:, None].clip(0.001, 0.999)
    people, parts = {}, []
    for name, size in sizes.items():
        spare = (1 - DRIFT[name]) / DRIFT[name]
        p = rng.beta(ancestral * spare, (1 - ancestral) * spare)
        people[name] = list(
            range(sum(map(len, people.values())), sum(map(len, people.values())) + size)
        )
        parts.append((rng.random((n, size, 2)) < p[:, :, None]).astype(np.int8))
    genotypes = np.concatenate(parts, axis=1)
    genotypes[rng.random(genotypes.shape[:2]) < missing] = -1
    groups = {"total": list(range(genotypes.shape[1]))}
    for country in sorted({name[:2] for name in sizes}):
        populations = sorted(name for name in sizes if name[:2] == country)
        groups[country] = [each for name in populations for each in people[name]]
        groups |= {name: people[name] for name in populations}
    groups["XX"], groups["XY"] = groups["total"][::2], groups["total"][1::2]
    bases = np.array(list("ACGT"))
    ref = rng.integers(0, 4, n)
    alt = (ref + rng.integers(1, 4, n)) % 4
    refs, alts = bases[ref].tolist(), bases[alt].tolist()
    alts[5::50] = [f"{base}TT" for base in refs[5::50]]
    hidden = rng.random((n, len(groups))) < masked
    position = np.sort(rng.integers(1, spread, n))
    return Simulated(genotypes, position, refs, alts, groups, hidden)


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a table of results."""
    header, *rows = (line.split("\t") for line in path.read_text().splitlines())
    return [dict(zip(header, row, strict=True)) for row in rows]
