"""The people and the variants behind the demonstration data, before any country writes them.

One coalescent simulation per contig gives haplotypes of related populations; every site becomes
an SNV, an indel, an MNV or a multiallelic site on a random reference that is built around them.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msprime
import numpy as np
from numpy.typing import NDArray

SEED = 2026
PAR1_END = 2_781_479  # GRCh38, 1-based inclusive: XY people have one copy of the X beyond it
CONTIGS = {"chr21": (400_000, 0), "chrX": (2_840_000, 2_740_000)}  # length, leading Ns
TRANSITION = dict(zip("ACGT", "GTAC", strict=True))
STAR, NONE = -1, -2  # haplotype states: base deleted by another variant; no second haplotype

Array = NDArray[Any]
Rng = np.random.Generator


class Variant(NamedTuple):
    """One ALT allele; ``pos`` is 1-based."""

    contig: str
    pos: int
    ref: str
    alt: str


@dataclass
class Site:
    """A simulated site: its canonical ALT alleles and the allele of every haplotype."""

    variants: list[Variant]
    haps: Array  # (people, 2): 0 = REF, k = variants[k - 1], STAR or NONE
    non_par: bool


@dataclass
class Country:
    """A cohort, its habits and, filled in by ``enrol``, its people in the order of the file."""

    code: str
    populations: dict[str, tuple[int, int]]  # label -> (included people, others in the file)
    file: str
    fields: str  # FORMAT
    haploid: str  # how the one X allele of an XY person is written
    chr_names: bool = False
    missing: float = 0.0  # share of genotypes without a call
    excluded: int = 0  # how many of the others the sheet lists with include = no
    unknown: int = 0  # listed people of sex "unknown"
    info: bool = False  # writes INFO/AC and AN, stale in some records
    people: list[tuple[str, str, str, str]] = field(default_factory=list)  # name pop sex include
    rows: list[int] = field(default_factory=list)  # their rows in Site.haps
    callable: list[tuple[str, int, int]] = field(default_factory=list)  # 0-based, half-open

    def name(self, contig: str) -> str:
        """Spell a contig name the country's way."""
        return contig if self.chr_names else contig.removeprefix("chr")

    def can_call(self, contig: str, pos: int, end: int) -> bool:
        """Whether a 1-based inclusive span lies in one callable interval."""
        return any(k == contig and a < pos and end <= b for k, a, b in self.callable)


ID = Country(
    "ID", {"JAV": (70, 2), "SUN": (40, 1)}, "id.vcf.gz", "GT:GQ:DP", haploid="{0}", missing=0.005
)
JP = Country("JP", {"JPT": (104, 2)}, "jp.bcf", "GT", haploid="{0}", chr_names=True, info=True)
TH = Country(
    "TH",
    {"THA": (90, 3)},
    "th.vcf.gz",
    "GT:AD:DP:GQ",
    haploid="{0}/.",
    chr_names=True,
    missing=0.015,
    unknown=3,
    info=True,
)
VN = Country(
    "VN",
    {"KHV": (80, 2), "TAY": (36, 1)},
    "vn.vcf",
    "GT",
    haploid="{0}/{0}",
    missing=0.01,
    excluded=1,
)


def enrol(cohorts: list[Country], rng: Rng) -> Array:
    """Name the people, draw their sex, shuffle each file and set its gaps; return who is XY."""
    is_xy: list[bool] = []
    for c in cohorts:
        pops = [p for p, (n, others) in c.populations.items() for _ in range(n + others)]
        include = [s for n, k in c.populations.values() for s in ["yes"] * n + ["unlisted"] * k]
        for _ in range(c.excluded):
            include[include.index("unlisted")] = "no"
        xy = rng.permutation(np.arange(len(pops)) % 2 == 1).tolist()
        sexes = ["XY" if x else "XX" for x in xy]
        listed = [k for k, s in enumerate(include) if s == "yes"]
        for k in rng.choice(listed, c.unknown, replace=False):
            sexes[k] = "unknown"
        numbers = rng.choice(4 * len(pops), len(pops), replace=False) + 1
        names = [f"{c.code}SYN{k:05d}" for k in numbers]
        order = rng.permutation(len(pops)).tolist()
        c.people = [(names[k], pops[k], sexes[k], include[k]) for k in order]
        c.rows = [len(is_xy) + k for k in order]
        is_xy += xy
        for contig, (length, start) in CONTIGS.items():
            at, n = start, 2 if contig == "chrX" else 4
            for slot in range(n if c is not TH else 0):  # one gap in every stretch of 50 or 100 kb
                low = start + slot * (length - start) // n
                gap = low + int(rng.integers(5_000, (length - start) // n - 20_000))
                c.callable.append((contig, at, gap))
                at = gap + int(rng.integers(1_500, 5_000))
            c.callable.append((contig, at, length))
    return np.array(is_xy)


def simulate(contig: str, cohorts: list[Country], seed: int) -> tuple[Array, Array]:
    """Simulate one contig: 1-based positions, and derived or not as (sites, people, 2).

    East and Southeast Asians part, each branch splits again, neighbours keep mixing.
    """
    d = msprime.Demography()
    sizes = {"JPT": 15e3, "KHV": 20e3, "TAY": 6e3, "THA": 20e3, "JAV": 25e3, "SUN": 12e3}
    sizes |= {"VIET": 8e3, "ISEA": 8e3, "EA": 6e3, "SEA": 7e3, "ANC": 12e3}
    for name, size in sizes.items():
        d.add_population(name=name, initial_size=size)
    for pair in (["JAV", "SUN"], ["KHV", "TAY"], ["KHV", "THA"]):
        d.set_symmetric_migration_rate(pair, 2e-4)
    for generations, derived, ancestral in (
        (80, ["JAV", "SUN"], "ISEA"),
        (110, ["KHV", "TAY"], "VIET"),
        (350, ["THA", "ISEA"], "SEA"),
        (450, ["JPT", "VIET"], "EA"),
        (800, ["EA", "SEA"], "ANC"),
    ):
        d.add_population_split(time=generations, derived=derived, ancestral=ancestral)
    people = {p: n + others for c in cohorts for p, (n, others) in c.populations.items()}
    length, start = CONTIGS[contig]
    ts = msprime.sim_ancestry(
        people,
        demography=d,
        sequence_length=length - start,
        recombination_rate=1.2e-8,
        random_seed=seed,
    )
    model = msprime.BinaryMutationModel()
    ts = msprime.sim_mutations(ts, rate=1.4e-8, model=model, random_seed=seed + 1)
    genotypes, pos = ts.genotype_matrix().astype(np.int8), ts.sites_position.astype(int) + start + 1
    keep = genotypes.any(axis=1) & (pos > start + 200) & (pos < length - 200)
    pos, genotypes = pos[keep], genotypes[keep]
    if contig == "chrX":  # a site on either side of the PAR boundary
        edge = int(np.searchsorted(pos, PAR1_END + 1))
        pos[edge - 1 : edge + 1] = PAR1_END, PAR1_END + 1
    return pos, genotypes.reshape(len(pos), -1, 2)


def normalise(seq: str, v: Variant) -> Variant:
    """Trim and left-align one variant (Tan, Abecasis & Kang 2015)."""
    contig, pos, ref, alt = v
    while ref[-1] == alt[-1]:
        if min(len(ref), len(alt)) == 1:
            pos -= 1
            ref, alt = seq[pos - 1] + ref, seq[pos - 1] + alt
        ref, alt = ref[:-1], alt[:-1]
    while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return Variant(contig, pos, ref, alt)


def shift_right(seq: str, v: Variant, steps: int) -> Variant:
    """Move an indel rightwards, by ``steps`` bases at most; the haplotype stays the same."""
    contig, pos, ref, alt = v
    for _ in range(steps):
        base = seq[pos - 1 + len(ref)]
        if (ref + base)[1] != (alt + base)[1]:
            break
        pos, ref, alt = pos + 1, ref[1:] + base, alt[1:] + base
    return Variant(contig, pos, ref, alt)


def joint(
    seq: str, variants: list[Variant], left: int = 0, right: int = 0
) -> tuple[int, str, list[str]]:
    """Spell alleles on one REF, padded on either side: (pos, ref, alts)."""
    start = min(v.pos for v in variants) - left
    end = max(v.pos + len(v.ref) for v in variants) + right
    tails = [seq[v.pos - 1 + len(v.ref) : end - 1] for v in variants]
    alts = [seq[start - 1 : v.pos - 1] + v.alt + t for v, t in zip(variants, tails, strict=True)]
    return start, seq[start - 1 : end - 1], alts


def random_bases(n: int, rng: Rng) -> str:
    """Draw bases, 41 % of them G or C."""
    return "".join(rng.choice(list("ACGT"), n, p=[0.295, 0.205, 0.205, 0.295]))


def tandem_repeat(rng: Rng) -> tuple[str, int]:
    """Draw a unit of 1 to 4 bases and a number of copies, 30 bases at most."""
    unit = random_bases(int(rng.choice([1, 1, 2, 2, 3, 4])), rng)
    return unit, int(rng.integers(max(3, 7 // len(unit)), 30 // len(unit) + 1))


def substitutions(base: str, rng: Rng) -> list[str]:
    """Return the three other bases, the transition first two times in three."""
    others = rng.permutation([b for b in "ACGT" if b not in (base, TRANSITION[base])]).tolist()
    return [TRANSITION[base], *others] if rng.random() < 2 / 3 else [*others, TRANSITION[base]]


def assign_roles(pos: Array, in_th: Array, rng: Rng) -> dict[int, str]:
    """Choose what each simulated site becomes; whatever has no role is an SNV.

    ``multi2`` and ``multi3`` absorb the one or two sites after them (``gone``), ``del`` deletes
    the next (``covered``). All of these, indels and MNVs too, get room around them.
    """
    far = [10**9] * 3
    before = np.diff(pos, prepend=-1000)
    one, two, three = (np.append(pos, far)[k : k + len(pos)] - pos for k in (1, 2, 3))
    clear = (before > 60) & (np.abs(pos - PAR1_END) > 150)
    pair = (one >= 3) & (one <= 15) & (two > 80) & in_th & np.append(in_th[1:], False)
    n, roles = len(pos), dict[int, str]()
    for role, number, room, absorbed in (
        ("del", n // 250, pair, ["covered"]),
        ("multi3", n // 250, three > 120, ["gone", "gone"]),
        ("multi2", n // 90, two > 100, ["gone"]),
        ("indel", n // 10, one > 60, []),
        ("mnv", n // 350, one > 60, []),
    ):
        left = number
        for i in rng.permutation(np.flatnonzero(clear & room)).tolist():
            new = dict(enumerate([role, *absorbed], start=i))
            if left and roles.keys().isdisjoint(new):
                roles |= new
                left -= 1
    return roles


def spell(role: str, p: int, seq: str, unit: str, rng: Rng) -> list[tuple[int, str, str]]:
    """Return the ALT alleles of a site at ``p`` (1-based) as (pos, ref, alt)."""
    base = seq[p - 1]
    if role == "mnv":
        ref = seq[p - 1 : p - 1 + int(rng.integers(2, 4))]
        return [(p, ref, "".join(substitutions(b, rng)[0] for b in ref))]
    n = {"multi2": 2, "multi3": 3}.get(role, 1)
    if role in ("snv", "covered") or (n > 1 and not unit):
        return [(p, base, b) for b in substitutions(base, rng)[:n]]
    if not unit:  # an indel outside the planted repeats
        k = int(rng.integers(1, 7))
        insertion = (p, base, base + random_bases(k, rng))
        return [insertion if rng.random() < 0.5 else (p, seq[p - 1 : p + k], base)]
    steps = rng.permutation([-2, -1, 1, 2])[:n].tolist()  # units lost or gained
    alleles = [(p, base + unit * -k, base + unit * k) for k in steps]
    if n > 1:  # the youngest is an SNV, beside the repeat or in it
        at = p + int(rng.integers(0, 2))
        alleles[-1] = (at, seq[at - 1], substitutions(seq[at - 1], rng)[0])
    return alleles


def build(contig: str, cohorts: list[Country], xy: Array, seed: int) -> tuple[str, list[Site]]:
    """Make one contig: its reference sequence and its sites."""
    rng = np.random.default_rng([SEED, seed])
    length, start = CONTIGS[contig]
    pos, derived = simulate(contig, cohorts, seed)
    in_th: Array = np.any(derived[:, TH.rows], axis=(1, 2))
    roles = assign_roles(pos, in_th, rng)
    # the reference: random bases, repeats anywhere, and a repeat under most of the indels
    bases = list("N" * start + random_bases(length - start, rng))
    planted = dict.fromkeys(rng.integers(start + 100, length - 300, 80).tolist(), "")
    planted |= {int(pos[i]): r for i, r in roles.items() if r in ("indel", "multi2", "multi3")}
    units: dict[int, str] = {}
    for at, role in planted.items():
        if not role or rng.random() < 0.85:
            units[at], copies = tandem_repeat(rng)
            bases[at : at + len(units[at]) * copies] = units[at] * copies
    seq = "".join(bases)

    sites: list[Site] = []
    seen: set[Variant] = set()
    for i, p in enumerate(pos.tolist()):
        role = roles.get(i, "snv")
        if role == "gone":
            continue
        haps = derived[i].copy()
        if role.startswith("multi"):  # a younger (rarer) mutation hides an older one
            group = sorted(range(i, i + int(role[-1])), key=lambda j: -int(derived[j].sum()))
            for k, j in enumerate(group, start=1):
                haps[derived[j] == 1] = k
        alleles = spell(role, p, seq, units.get(p, ""), rng)
        if role == "del":  # the next site and two bases more
            alleles = [(p, seq[p - 1 : int(pos[i + 1]) + 2], seq[p - 1])]
        above = sites[-1].variants[0] if role == "covered" else None
        if above and above.pos < p < above.pos + len(above.ref):
            haps[sites[-1].haps == 1] = STAR
        non_par = contig == "chrX" and p > PAR1_END
        if non_par:
            haps[xy, 1] = NONE
        variants = [normalise(seq, Variant(contig, *a)) for a in alleles]
        if len(seen | set(variants)) == len(seen) + len(variants):  # else the same variant twice
            seen.update(variants)
            sites.append(Site(variants, haps, non_par))
    return seq, sites
