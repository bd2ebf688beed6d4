"""Two releases of a small simulated panel, for attacks: people with calls, who stay, join or leave.

Both are made as the hub makes them: counts of the groups, the gate, the files; with a ledger, or without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml
from tests.published_files import release
from tests.tiered import AS_OF, write_policy

from afpanel.constants import Sex, State
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.people_changes import CohortVersion
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.io.files import read_json, write_json
from afpanel.io.ledger import Ledger, name_of_person
from afpanel.io.panel_store import PanelHead, create_panel, write_panel_block
from afpanel.stages.gate import gate
from afpanel.stages.ledger_audit import AuditOptions
from afpanel.stages.record import RecordInputs, record
from afpanel.stages.settle import Settled, write_settled

CONTIG, LENGTH = "chr21", 46_709_983
POPULATIONS = {"AA_P": 60, "AA_Q": 70, "BB_P": 80, "CC_P": 60, "CC_Q": 70, "DD_P": 75}


@dataclass(frozen=True)
class Genomes:
    """People of a few cohorts, one to a country, and their copies of ALT.

    Parameters
    ----------
    population, sex, ids
        Of each person.
    calls
        (sites, people): copies of ALT.
    build, shift
        The genome build, and how many bases further on everything is there.
    swapped
        (sites,) bool: sites at which this build has the other allele as REF, so that ALT is what was REF; None
        where there is no such.
    """

    population: np.ndarray
    sex: np.ndarray
    ids: np.ndarray
    calls: np.ndarray
    build: str = "GRCh38"
    shift: int = 0
    swapped: np.ndarray | None = None

    @classmethod
    def simulate(cls, sites: int, seed: int = 3) -> "Genomes":
        """Draw calls of all frequencies, that differ between populations."""
        rng = np.random.default_rng(seed)
        population = np.repeat(list(POPULATIONS), list(POPULATIONS.values()))
        share = 10 ** rng.uniform(-2.5, -0.05, (sites, 1)) * rng.uniform(0, 2, (sites, 6))
        of_person = np.minimum(share, 0.95)[:, [list(POPULATIONS).index(p) for p in population]]
        calls = (rng.random((2, *of_person.shape)) < of_person).sum(axis=0)
        sex = rng.choice(["XX", "XY"], len(population))
        ids = np.array([f"{p[:2]}{i:05d}" for i, p in enumerate(population)])
        return cls(population, sex, ids, calls)

    def only(self, chosen: np.ndarray) -> "Genomes":
        """Take some people."""
        return replace(
            self,
            population=self.population[chosen],
            sex=self.sex[chosen],
            ids=self.ids[chosen],
            calls=self.calls[:, chosen],
        )

    @property
    def country(self) -> np.ndarray:
        return np.array([name[:2] for name in self.population])

    def recalled(self, country: str, rate: float, seed: int = 1) -> "Genomes":
        """Call a country's people again, as another caller would: some calls are not the same."""
        rng = np.random.default_rng(seed)
        other = (rng.random(self.calls.shape) < rate) & (self.country == country)
        changed = np.where(self.calls == 0, 1, self.calls - 1)
        return replace(self, calls=np.where(other, changed, self.calls))

    def lifted(self, build: str, shift: int, every: int) -> "Genomes":
        """Lift everybody's calls to another build, which has the other allele as REF at each so many sites."""
        swapped = np.arange(len(self.calls)) % every == 0
        calls = np.where(swapped[:, None], 2 - self.calls, self.calls)
        return replace(self, calls=calls, build=build, shift=shift, swapped=swapped)

    def copies(self, group: str) -> np.ndarray:
        """(sites,): AC of a group."""
        return self.calls[:, self.holds(group)].sum(axis=1)

    def holds(self, group: str) -> np.ndarray:
        columns = (self.population, self.country, self.sex)
        return np.logical_or.reduce([column == group for column in columns]) | (group == "total")

    @property
    def groups(self) -> list[str]:
        found = ["total"]
        for country in np.unique(self.country).tolist():
            of_country = self.population[self.country == country]
            found += [country, *np.unique(of_country).tolist()]
        return [*found, "XX", "XY"]

    def merged(self, path: Path) -> Path:
        """Write the panel as it is before the gate."""
        groups = self.groups
        holds = np.array([self.holds(group) for group in groups])
        by_sex = [[int((row & (self.sex == s)).sum()) for s in ("XX", "XY")] + [0] for row in holds]
        n, member = len(self.calls), holds.T.astype(np.int64)
        table = {name: np.zeros((n, len(groups)), np.int32) for name in GROUP_TABLES}
        table["allele_count"][:] = self.calls @ member
        table["allele_number"][:] = 2 * holds.sum(axis=1)
        table["homozygote_count"][:] = (self.calls == 2) @ member
        raw = {
            f"raw_{name}": table[name][:, 0].copy() for name in ("allele_count", "allele_number")
        }
        state = np.full((n, len(groups)), State.OBSERVED, np.int8)
        # A variant that nobody has is in no cohort's file, and so not in the panel.
        rows = np.flatnonzero(table["allele_count"][:, 0])
        position = np.int32(1_000 + self.shift) + 10 * np.arange(n, dtype=np.int32)
        swapped = np.zeros(n, np.bool_) if self.swapped is None else self.swapped
        ref, alt = (Strings.of(np.where(swapped, *pair).tolist()) for pair in ("CA", "AC"))
        variants = Variants(position, ref, alt)
        with create_panel(path, PanelHead(CONTIG, LENGTH, groups, by_sex)) as writer:
            counts = GroupCounts(**table, state=state, **raw)
            write_panel_block(writer, variants.take(rows), counts.take(rows))
        return path

    def versions(self, key: bytes) -> list[CohortVersion]:
        """Say who is in each cohort, as the ledger does."""
        found = []
        for country in np.unique(self.country).tolist():
            cells = []
            for population in np.unique(self.population[self.country == country]).tolist():
                for sex in ("XX", "XY"):
                    here = (self.population == population) & (self.sex == sex)
                    names = sorted(name_of_person(key, each) for each in self.ids[here].tolist())
                    cells.append((population.partition("_")[2], Sex(sex), tuple(names)))
            found.append(CohortVersion(country, country, "", tuple(cells)))
        return found


def publish(
    genomes: Genomes,
    folder: Path,
    version: str,
    k: int = 11,
    fewest: int = 50,
    ledger: Path | None = None,
    external: Sequence[tuple[str, Path]] = (),
    sides: Sequence[str] = (),
) -> Path:
    """Make a release; with a ledger it is held against it, and recorded. A policy of tiers says the sides, if any."""
    folder = folder / version
    merged = genomes.merged(folder / "merged" / f"{CONTIG}.zarr.zip")
    policy, decision = folder / "policy.yaml", folder / "decision.json"
    policy.write_text(yaml.safe_dump({"min_group_size": fewest, "min_allele_count": k}))
    contributors = None
    if sides:
        least = dict.fromkeys(("total", "country", "population", "sex"), fewest)
        rules = {"min_group_size": least, "min_allele_count": k, "sides": [*sides]}
        populations = np.unique(genomes.population).tolist()
        policy, contributors = write_policy(folder, populations, **rules)
    settled = folder / "settled.json"
    beside = None
    if ledger is not None:
        write_settled(Settled(genomes.versions(Ledger(ledger).key()), {}, {}, {}), settled)
        beside = AuditOptions(ledger, settled, f"p-{version}", genomes.build, tuple(external))
    as_of = AS_OF if sides else None
    gate([merged], policy, folder / "releasable", decision, contributors, as_of, beside)
    releasable = folder / "releasable" / merged.name
    made = release([releasable], decision, folder / "release", genomes.build)
    manifest = read_json(made / "manifest.json")
    manifest["panel"]["version"] = version
    for path in made.glob("p-1*"):
        path.rename(path.with_name(path.name.replace("p-1", f"p-{version}", 1)))
    write_json(made / "manifest.json", manifest)
    if ledger is not None:
        record(ledger, RecordInputs(made, [merged], [releasable], decision, settled))
    return made


def truth(genomes: Genomes) -> Mapping[int, Mapping[str, int]]:
    """AC of every group, by position."""
    copies = {group: genomes.copies(group).tolist() for group in genomes.groups}
    return {
        1_000 + 10 * row: {group: values[row] for group, values in copies.items()}
        for row in range(len(genomes.calls))
    }
