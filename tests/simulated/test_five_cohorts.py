"""Five cohorts whose genotypes are known everywhere, each of which hands over its own polymorphic sites only.

What the merge says of every group at every variant is held against counts of all the people who could be
called, a person at a time: of those cohorts too that have no record there.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pysam
import pytest
import yaml
from tests.builders import vcf_text, write_cohorts, write_fasta, write_sheet, write_vcf
from tests.demo.conftest import build_by_commands, bytes_of, release_of

import afpanel

SEED = 20_260_101
PAR_START, PAR_END = 10_001, 2_781_479
LENGTHS = {"chr1": 6_000, "chrX": PAR_END + 2_600, "chrY": PAR_END + 1_600, "chrM": 16_569}
SITES = {
    "chr1": [(200, 160)],
    "chrX": [(PAR_END - 2_000, 70), (PAR_END + 50, 80)],
    "chrY": [(PAR_END - 1_000, 20), (PAR_END + 50, 50)],
    "chrM": [(300, 40)],
}
"""Of each contig the places where sites begin, and how many there are, `STEP` bases apart."""

STEP = 25
NOT_CALLABLE, ABSENT, OBSERVED = 0, 1, 2

Variant = tuple[str, int, str, str]
Figures = tuple[int, int, int, int]
"""AC, AN, and people homozygous and hemizygous for ALT."""


@dataclass(frozen=True)
class Person:
    id: str
    population: str
    sex: str
    rank: int
    """Place in the cell: where somebody of a cell cannot be called, so cannot those who come before."""


@dataclass(frozen=True)
class Site:
    """A site, as a record of all its alleles has it; ALTs are written with the same REF."""

    contig: str
    position: int
    alleles: tuple[str, ...]

    @property
    def end(self) -> int:
        return self.position + len(self.alleles[0])

    def variant(self, number: int) -> Variant:
        """An allele alone: shorn of the bases at the end that it shares with REF."""
        ref, alt = self.alleles[0], self.alleles[number]
        shared = 0
        while min(len(ref), len(alt)) - shared > 1 and ref[-1 - shared] == alt[-1 - shared]:
            shared += 1
        return (self.contig, self.position, ref[: len(ref) - shared], alt[: len(alt) - shared])


@dataclass(frozen=True)
class Gap:
    """Bases, 1-based and half-open, and how many of each cell cannot be called there."""

    contig: str
    start: int
    end: int
    uncalled: dict[tuple[str, str], int]


@dataclass(frozen=True)
class Cohort:
    """A cohort: its people, their true genotypes at each site, and where they cannot be called."""

    name: str
    evidence: str
    people: list[Person]
    genotypes: dict[Site, list[tuple[int, ...]]]
    gaps: list[Gap]
    prefix: str

    def can_be_called(self, person: Person, contig: str, start: int, end: int) -> bool:
        cell = (person.population, person.sex)
        return not any(
            gap.contig == contig and gap.start < end and start < gap.end
            and person.rank < gap.uncalled[cell]
            for gap in self.gaps
        )  # fmt: skip

    def named(self, contig: str) -> str:
        return contig if self.prefix else {"chrM": "MT"}.get(contig, contig[3:])


COHORTS = {
    # name: evidence, populations and how many of each sex
    "JP": ("bed", {"JPA": {"XX": 9, "XY": 8}, "JPB": {"XX": 5, "XY": 7}}),
    "VN": ("bed with holes", {"KHV": {"XX": 8, "XY": 9}, "CDX": {"XX": 6, "XY": 4}}),
    "TH": ("track", {"TAI": {"XX": 7, "XY": 7}, "MON": {"XX": 6, "XY": 5, "unknown": 3},
                     "LAO": {"XX": 3, "XY": 4}}),
    "ID": ("track on X", {"JAV": {"XX": 10, "XY": 9}, "BAL": {"XX": 5, "XY": 6}}),
    "MY": ("nothing", {"MAL": {"XX": 8, "XY": 8}, "IBA": {"XX": 6, "XY": 5}, "SEM": {"XX": 2, "XY": 2}}),
}  # fmt: skip


def copies(contig: str, position: int, sex: str) -> int:
    if contig == "chrM":
        return 1
    in_par = PAR_START <= position <= PAR_END
    if contig == "chr1" or (contig == "chrX" and (in_par or sex == "XX")):
        return 2
    if sex != "XY":
        return 0
    return 2 if in_par else 1


# The simulation.


def draw_sites(draw: random.Random, sequences: dict[str, str]) -> Iterator[Site]:
    """Draw SNVs, insertions and deletions, of one ALT or several, none of which can be moved left."""
    for contig, places in SITES.items():
        for position in (first + STEP * i for first, n in places for i in range(n)):
            k = draw.choice((1, 1, 1, 2, 4, 7))
            ref = sequences[contig][position - 1 : position - 1 + k]
            anchor, rest = ref[0], ref[1:]
            others = [base for base in "ACGT" if base != anchor]
            inserted = ["".join(draw.choices("ACGT", k=draw.randint(0, 2))) + draw.choice(others)
                        for _ in range(2)]  # fmt: skip
            possible = [base + rest for base in others]
            possible += [anchor + each + rest for each in sorted(set(inserted))]
            if k > 1 and ref[-1] != anchor:
                yield Site(
                    contig,
                    position,
                    (ref, anchor, *draw.sample(possible, draw.choice((0, 0, 1, 2)))),
                )
            else:
                yield Site(
                    contig, position, (ref, *draw.sample(possible, draw.choice((1, 1, 1, 2, 3))))
                )


def draw_gaps(draw: random.Random, evidence: str, cells: dict[tuple[str, str], int], sites: list[Site]) -> list[Gap]:  # fmt: skip
    """Draw where people cannot be called: from between two sites, or within a lone deletion, to another."""
    bounds: dict[str, list[int]] = {contig: [1] for contig in LENGTHS}
    for site in sites:
        lone = len(site.alleles) == 2 and len(site.alleles[0]) > len(site.alleles[1])
        if draw.random() < 0.25:
            bounds[site.contig].append(site.position + (draw.randint(1, 2) if lone else -5))
    gaps = []
    for contig, starts in bounds.items():
        starts.append(LENGTHS[contig] + 1)
        for start, end in pairwise(starts):
            if evidence == "bed with holes" and draw.random() < 0.3:
                gaps.append(Gap(contig, start, end, cells))
            elif evidence == "track" and draw.random() < 0.8:
                # Whole populations, whole sexes, and some people of each.
                uncalled = {cell: draw.choice((0, 0, 1, n // 2, n)) for cell, n in cells.items()}
                gaps.append(Gap(contig, start, end, uncalled))
            elif evidence == "track on X" and contig == "chrX" and draw.random() < 0.8:
                lost = draw.choice((("XX",), ("XY",), ("XX", "XY")))
                uncalled = {
                    cell: draw.randint(0, n) if cell[1] in lost else 0 for cell, n in cells.items()
                }
                gaps.append(Gap(contig, start, end, uncalled))
    return gaps


def draw_cohort(
    draw: random.Random, name: str, sites: list[Site], common: dict[Site, list[float]]
) -> Cohort:
    evidence, populations = COHORTS[name]
    cells = {(label, sex): n for label, sexes in populations.items() for sex, n in sexes.items()}
    people = [Person(f"{name}{label}{sex}{i}", label, sex, i)
              for (label, sex), n in cells.items() for i in range(n)]  # fmt: skip
    draw.shuffle(people)
    genotypes = {}
    for site in sites:
        weights = {}
        for label in populations:
            own = [frequency * draw.choice((0, 0.3, 1, 2)) for frequency in common[site]]
            weights[label] = [1.0, *own]
        genotypes[site] = [
            tuple(draw.choices(range(len(site.alleles)), weights[p.population],
                               k=copies(site.contig, site.position, p.sex)))
            for p in people
        ]  # fmt: skip
    gaps = draw_gaps(draw, evidence, cells, sites)
    return Cohort(
        name, evidence, people, genotypes, gaps, "chr" if name in ("JP", "TH", "MY") else ""
    )


class Simulation:
    """The people, what they carry, and what each cohort makes known of it."""

    def __init__(self) -> None:
        draw = random.Random(SEED)
        self.sequences = {c: "".join(draw.choices("ACGT", k=n)) for c, n in LENGTHS.items()}
        sites = list(draw_sites(draw, self.sequences))
        common = {
            site: [draw.choice((0.005, 0.01, 0.02, 0.2, 0.6)) for _ in site.alleles[1:]]
            for site in sites
        }
        self.cohorts = [draw_cohort(draw, name, sites, common) for name in COHORTS]
        self.records = {
            cohort.name: dict(self._records(draw, cohort, sites)) for cohort in self.cohorts
        }
        self.site_of = {
            site.variant(number): (site, number)
            for site in sites
            for number in range(1, len(site.alleles))
        }
        self.variants = sorted(
            {site.variant(number) for own in self.records.values() for site, kept in own.items() for number in kept},
            key=lambda v: (list(LENGTHS).index(v[0]), v[1:]),
        )  # fmt: skip

    def calls(self, cohort: Cohort, site: Site) -> list[tuple[int, ...] | None]:
        """What is called at a site; None of whoever cannot be called at a base of it."""
        return [
            genotype if cohort.can_be_called(person, site.contig, site.position, site.end) else None
            for person, genotype in zip(cohort.people, cohort.genotypes[site], strict=True)
        ]

    def _records(
        self, draw: random.Random, cohort: Cohort, sites: list[Site]
    ) -> Iterator[tuple[Site, list[int]]]:
        """List the sites at which somebody is seen to vary, and the ALTs that the record has."""
        for site in sites:
            seen = {allele for call in self.calls(cohort, site) for allele in call or ()} - {0}
            if seen:
                whole = draw.random() < 0.3
                yield site, list(range(1, len(site.alleles))) if whole else sorted(seen)

    def write(self, folder: Path, root: Path, *, evidence_of_all: bool, size: int) -> None:
        """Write what the cohorts hand over, and a configuration without limits."""
        (folder / "config").mkdir(parents=True)
        write_fasta(folder / "reference.fa", self.sequences)
        rows = []
        for cohort, ending in zip(
            self.cohorts, (".vcf.gz", ".bcf", ".vcf", ".vcf.gz", ".plain.vcf.gz"), strict=True
        ):
            path = folder / f"{cohort.name}{ending}"
            write_vcf(path, self._vcf(cohort))
            sheet = [(p.id, p.population, p.sex) for p in cohort.people]
            row = {"cohort": cohort.name, "country": cohort.name, "path": path.name,
                   "samples": write_sheet(folder / f"{cohort.name}.tsv", sheet).name}  # fmt: skip
            if cohort.evidence != "nothing" or evidence_of_all:
                row["callable"] = self._write_callable(folder, cohort).name
            rows.append(row)
        write_cohorts(folder / "cohorts.tsv", rows)
        config = {
            "panel": {"name": "demo", "version": "2026.1"},
            "reference": {"build": "GRCh38", "fasta": "reference.fa"},
            "cohorts": "cohorts.tsv",
            "partitions": {"size": size},
            "disclosure": {"policy": str(root / "config/policies/public-genotypes.yaml")},
        }
        (folder / "config/config.yaml").write_text(yaml.safe_dump(config))

    def _vcf(self, cohort: Cohort) -> str:
        records = []
        for site, kept in self.records[cohort.name].items():
            numbers = {0: 0} | {number: i for i, number in enumerate(kept, 1)}
            calls = []
            for person, call in zip(cohort.people, self.calls(cohort, site), strict=True):
                if not call:  # whoever has no copy is written as missing too
                    text = "." if cohort.name == "JP" else "./."
                elif len(call) == 1 and cohort.name in ("JP", "VN", "ID"):
                    text = str(numbers[call[0]])
                elif len(call) == 1:
                    text = f"{numbers[call[0]]}/{numbers[call[0]]}"
                else:
                    text = "/".join(str(numbers[allele]) for allele in call)
                # Of people of unknown sex a caller sees something on X that cannot be counted.
                unknown = person.sex == "unknown" and site.contig == "chrX"
                calls.append("0/0" if unknown and call == () else text)
            alts = ",".join(site.alleles[number] for number in kept)
            contig = cohort.named(site.contig)
            records.append((contig, site.position, site.alleles[0], alts, *calls))
        samples = [person.id for person in cohort.people]
        return vcf_text(samples, records, contigs=[cohort.named(contig) for contig in LENGTHS])

    def _write_callable(self, folder: Path, cohort: Cohort) -> Path:
        cells = sorted({(p.population, p.sex) for p in cohort.people})
        is_track = cohort.evidence.startswith("track")
        lines = []
        if is_track:
            lines.append(["#contig", "start", "end", "AN", *(f"AN_{a}_{b}" for a, b in cells)])
        for contig, length in LENGTHS.items():
            gaps = [gap for gap in cohort.gaps if gap.contig == contig]
            bounds = {1, length + 1} | {at for gap in gaps for at in (gap.start, gap.end)}
            if contig in ("chrX", "chrY"):
                bounds |= {PAR_START, PAR_END + 1}
            for start, end in pairwise(sorted(bounds)):
                called = dict.fromkeys(cells, 0)
                everybody = True
                for p in cohort.people:
                    if cohort.can_be_called(p, contig, start, end):
                        called[p.population, p.sex] += copies(contig, start, p.sex)
                    else:
                        everybody = False
                place = [cohort.named(contig), start - 1, end - 1]
                if is_track:
                    lines.append([*place, sum(called.values()), *called.values()])
                elif everybody:
                    lines.append(place)
        text = "".join("\t".join(map(str, line)) + "\n" for line in lines)
        path = folder / f"{cohort.name}.callable.{'tsv' if is_track else 'bed'}"
        if cohort.name != "ID":
            path.write_text(text)
            return path
        packed = path.with_suffix(".tsv.gz")
        with pysam.BGZFile(str(packed), "wb") as out:
            out.write(text.encode())
        pysam.tabix_index(
            str(packed), force=True, seq_col=0, start_col=1, end_col=2, zerobased=True
        )
        return packed

    def has_record_of(self, cohort: Cohort, variant: Variant) -> bool:
        """Whether a cohort wrote a record of the site: one that has an ALT of the same kind, and REF."""
        site, _ = self.site_of[variant]
        kinds = [kind_of(site.variant(n)) for n in self.records[cohort.name].get(site, ())]
        return kind_of(variant) in kinds

    def truth(self, cohort: Cohort, variant: Variant) -> list[tuple[Person, Figures]]:
        """Count each person who can be called at every base of REF."""
        contig, position, ref, _ = variant
        site, number = self.site_of[variant]
        counted = []
        for person, genotype in zip(cohort.people, cohort.genotypes[site], strict=True):
            figures = (0, 0, 0, 0)
            if cohort.can_be_called(person, contig, position, position + len(ref)):
                n, all_alt = genotype.count(number), set(genotype) == {number}
                homozygous, hemizygous = (
                    all_alt and len(genotype) == 2,
                    all_alt and len(genotype) == 1,
                )
                figures = (n, len(genotype), int(homozygous), int(hemizygous))
            counted.append((person, figures))
        return counted


def kind_of(variant: Variant) -> str:
    _, _, ref, alt = variant
    return "indel" if len(ref) != len(alt) else ref


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return Simulation()


def read(folder: Path) -> dict[tuple[Variant, str], tuple[int, ...]]:
    """Read AC, AN, nhomalt, nhemialt and state of every variant and group."""
    with afpanel.open_panel(release_of(folder)) as panel:
        all_ = panel.variants()
        keys = list(zip(all_.contig, all_.position.tolist(), all_.ref, all_.alt, strict=True))
        assert len(set(keys)) == len(keys)
        tables = (all_.allele_count, all_.allele_number, all_.homozygote_count,
                  all_.hemizygote_count, all_.state)  # fmt: skip
        return {
            (key, group): tuple(int(table[v, g]) for table in tables)
            for v, key in enumerate(keys)
            for g, group in enumerate(all_.groups)
        }


@pytest.fixture(scope="module")
def built(
    simulation: Simulation, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Build a panel of the cohorts once: built(evidence_of_all, size) -> folder."""
    made: dict[tuple[bool, int], Path] = {}

    def build(*, evidence_of_all: bool, size: int = 10_000_000) -> Path:
        if (evidence_of_all, size) not in made:
            folder = tmp_path_factory.mktemp("five") / "cohorts"
            simulation.write(folder, root, evidence_of_all=evidence_of_all, size=size)
            made[evidence_of_all, size] = build_by_commands(folder)
        return made[evidence_of_all, size]

    return build


def expect(
    simulation: Simulation, silent: str | None
) -> dict[tuple[Variant, str], tuple[int, ...]]:
    """Work out what the panel must say, where one cohort gives no evidence for its silence."""
    expected: dict[tuple[Variant, str], list[int]] = {}
    for variant in simulation.variants:
        site, number = simulation.site_of[variant]
        for cohort in simulation.cohorts:
            kept = simulation.records[cohort.name].get(site, ())
            unknown = cohort.name == silent and not simulation.has_record_of(cohort, variant)
            for person, figures in simulation.truth(cohort, variant):
                state = NOT_CALLABLE
                if number in kept and copies(variant[0], variant[1], person.sex):
                    state = OBSERVED
                elif figures[1] and not unknown:
                    state = ABSENT
                groups = ["total", cohort.name, f"{cohort.name}_{person.population}"]
                groups += [person.sex] if person.sex != "unknown" else []
                for group in groups:
                    sums = expected.setdefault((variant, group), [0, 0, 0, 0, NOT_CALLABLE])
                    for i, figure in enumerate(figures):
                        sums[i] += 0 if unknown else figure
                    sums[4] = max(sums[4], state)
    return {
        key: (ac, an, hom, hemi, state) if state else (-1, 0, -1, -1, NOT_CALLABLE)
        for key, (ac, an, hom, hemi, state) in expected.items()
    }


def test_the_cohorts_differ_in_what_they_make_known(simulation: Simulation) -> None:
    """Else equal figures would show little."""
    assert len(simulation.variants) > 400
    contigs = {variant[0] for variant in simulation.variants}
    assert contigs == set(LENGTHS)
    for cohort in simulation.cohorts:
        own = {
            site.variant(n) for site, kept in simulation.records[cohort.name].items() for n in kept
        }
        assert 100 < len(own) < 0.8 * len(simulation.variants)
        trimmed = [
            len(kept) < len(site.alleles) - 1
            for site, kept in simulation.records[cohort.name].items()
        ]
        assert sum(trimmed) > 20
        people, copies_called = len(cohort.people), 0
        for variant in simulation.variants:
            copies_called += sum(figures[1] for _, figures in simulation.truth(cohort, variant))
        everything = sum(
            copies(v[0], v[1], p.sex) for v in simulation.variants for p in cohort.people
        )
        assert people > 20
        if cohort.gaps:
            assert 0.4 * everything < copies_called < 0.97 * everything
        else:
            assert copies_called == everything
    silent = simulation.cohorts[-1]
    assert silent.evidence == "nothing"
    known = [simulation.has_record_of(silent, variant) for variant in simulation.variants]
    assert min(known.count(True), known.count(False)) > 100


def test_with_evidence_of_all_every_group_has_the_true_counts_at_every_variant(
    simulation: Simulation, built: Callable[..., Path]
) -> None:
    found = read(built(evidence_of_all=True))
    expected = expect(simulation, silent=None)
    assert list(dict.fromkeys(key for key, _ in found)) == simulation.variants
    different = {
        k: (expected.get(k), found.get(k))
        for k in expected | found
        if expected.get(k) != found.get(k)
    }
    assert different == {}
    total = [
        sum(f[1] for c in simulation.cohorts for _, f in simulation.truth(c, v))
        for v in simulation.variants
    ]
    assert [found[variant, "total"][1] for variant in simulation.variants] == total


def test_a_cohort_without_evidence_is_flagged_and_never_wrong(
    simulation: Simulation, built: Callable[..., Path]
) -> None:
    """Where it has no record of the site it is not-callable, and adds nothing to any group."""
    found = read(built(evidence_of_all=False))
    expected = expect(simulation, silent="MY")
    different = {
        k: (expected.get(k), found.get(k))
        for k in expected | found
        if expected.get(k) != found.get(k)
    }
    assert different == {}
    silent = simulation.cohorts[-1]
    for variant in simulation.variants:
        if not simulation.has_record_of(silent, variant):
            assert found[variant, "MY"] == (-1, 0, -1, -1, NOT_CALLABLE)
        elif copies(*variant[:2], "XY"):
            true = [figures for _, figures in simulation.truth(silent, variant)]
            assert found[variant, "MY"][:4] == tuple(map(sum, zip(*true, strict=True)))


@pytest.mark.parametrize("size", [pytest.param(1_009, marks=pytest.mark.long), 1_390_751])
def test_partitions_of_awkward_sizes_make_the_same_files(
    size: int, built: Callable[..., Path]
) -> None:
    once, again = (bytes_of(built(evidence_of_all=False, size=n)) for n in (10_000_000, size))
    assert once.keys() == again.keys()
    assert [name for name in once if once[name] != again[name]] == []
