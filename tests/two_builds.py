"""A cohort on one build, and the true counts of its people on another.

A build is made of parts, and a part of stretches: loci, at each of which people carry some sequence, and
between them bases that all people have. The other build has the same parts in another order, one of
them turned, one twice and one not at all; in some stretches it has another sequence.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tests.builders import vcf_text, write_fasta, write_vcf
from tests.lifting import array, turned

from afpanel.constants import Outcome
from afpanel.core.alleles import normalize
from afpanel.core.strings import Strings

PEOPLE = 40
SPACE = 14
Variant = tuple[str, int, str, str]
Figures = tuple[int, int, int]
"""Copies of an allele, called alleles, and people with two copies."""


@dataclass
class Stretch:
    """What two builds have at one place.

    Parameters
    ----------
    source, panel
        The bases of each; where one has more, its first `gap` bases are aligned, and the last.
    alleles
        What people carry: the source's own sequence first. None where nothing varies.
    kind
        What sort of locus it is.
    """

    source: str
    panel: str
    gap: int = 0
    alleles: list[str] = field(default_factory=list)
    kind: str = ""
    start: int = -1  # on the source's contig
    to: tuple[str, int, bool] | None = None  # contig of the panel, first base, and whether turned

    @property
    def blocks(self) -> list[tuple[int, int, int]]:
        """Where both are aligned: start in each, and size."""
        n, m = len(self.source), len(self.panel)
        if n == m:
            return [(0, 0, n)]
        rest = min(n, m) - self.gap
        return [(0, 0, self.gap), (n - rest, m - rest, rest)]


def other_base(rng: np.random.Generator, *bases: str) -> str:
    return str(rng.choice([base for base in "ACGT" if base not in bases]))


def word(rng: np.random.Generator, n: int) -> str:
    return "".join(rng.choice(list("ACGT"), n))


def locus(rng: np.random.Generator) -> Stretch:
    """A locus of a random kind; at every third the panel has something else than the source."""
    kind = str(
        rng.choice(
            ["single", "several", "words", "repeat", "mixed"], p=[0.35, 0.15, 0.1, 0.25, 0.15]
        )
    )
    differs = rng.random() < 0.35
    if kind in ("single", "several"):
        bases = list(rng.permutation(list("ACGT")))
        alleles = bases[: 2 if kind == "single" else 3]
        return Stretch(
            alleles[0], str(rng.choice(bases[1:] if differs else alleles[:1])), 0, alleles, kind
        )
    if kind == "words":
        first = word(rng, 3)
        second = "".join(other_base(rng, base) for base in first)
        panel = str(rng.choice([second, first[:2] + second[2]])) if differs else first
        return Stretch(first, panel, 0, [first, second], kind)
    unit = "".join(rng.choice(list("ACGT"), rng.integers(1, 4), replace=False))
    copies = list(rng.permutation(range(2, 8)))
    alleles = [unit * n for n in copies[: rng.integers(2, 4)]]
    panel = unit * int(rng.choice(copies[1:])) if differs else alleles[0]
    if kind == "mixed":
        alleles.append(other_base(rng, unit[0]) + alleles[0][1:])
    gap = int(rng.integers(min(len(alleles[0]), len(panel)) + 1))
    return Stretch(alleles[0], panel, gap, alleles, kind)


def part(rng: np.random.Generator, n_loci: int) -> list[Stretch]:
    """Loci and what is between them, where now and then a base differs, or one is missing."""
    found: list[Stretch] = []
    for _ in range(n_loci):
        chosen = locus(rng)
        before, after = word(rng, SPACE), word(rng, SPACE)
        # The repeat shall end where the locus does.
        before = before[:-1] + other_base(rng, chosen.source[-1], chosen.source[0])
        after = other_base(rng, chosen.source[0], chosen.source[-1]) + after[1:]
        found += [spacer(rng, before), chosen, spacer(rng, after)]
    return found


def spacer(rng: np.random.Generator, bases: str) -> Stretch:
    middle, chance = SPACE // 2, rng.random()
    if chance < 0.05:
        return Stretch(bases, bases[:middle] + other_base(rng, bases[middle]) + bases[middle + 1 :])
    if chance < 0.08:
        return Stretch(bases, bases[:middle] + bases[middle + 1 :], middle)
    return Stretch(bases, bases)


Block = tuple[int, int, int]
"""Start on the source's contig, start on the panel's strand, size."""


@dataclass
class Chain:
    """A chain between two contigs; on the reverse strand the panel is counted from its end."""

    source: str
    panel: str
    reverse: bool
    blocks: list[Block]


@dataclass
class TwoBuilds:
    """Both builds, their chains, and the loci in the order of the source's build."""

    source: dict[str, str]
    panel: dict[str, str]
    chains: list[Chain]
    parts: dict[str, list[Stretch]]

    @property
    def placed(self) -> list[Stretch]:
        """Every stretch that has one place on the panel's build."""
        return [each for part in self.parts.values() for each in part if each.to is not None]


PARTS = {"a": 22, "turned": 10, "b": 16, "lost": 4, "c": 14, "d": 10, "moved": 10, "e": 8,
         "twice": 5, "f": 8, "other": 4}  # fmt: skip
SOURCE = {"1": ["a", "turned", "b", "lost", "c"], "2": ["d", "moved", "e", "twice", "f", "other"]}
PANEL = {"chr1": ["", "a", "turned", "b", "c", "moved"], "chr2": ["", "d", "e", "twice", "f", "", "twice"],
         "chrX": ["", "other"]}  # fmt: skip
CHAINS = [("1", "chr1", ["a", "b", "c"]), ("1", "chr1", ["turned"]), ("2", "chr1", ["moved"]),
          ("2", "chr2", ["d", "e", "twice", "f"]), ("2", "chr2", ["twice"]), ("2", "chrX", ["other"])]  # fmt: skip


def two_builds(rng: np.random.Generator) -> TwoBuilds:
    parts = {name: part(rng, n) for name, n in PARTS.items()}
    source: dict[str, str] = {}
    begins: dict[str, int] = {}
    for contig, names in SOURCE.items():
        text = ""
        for name in names:
            begins[name] = len(text)
            for each in parts[name]:
                each.start = len(text)
                text += each.source
        source[contig] = text
    panel: dict[str, str] = {}
    places: dict[str, list[tuple[str, int]]] = {}
    for contig, names in PANEL.items():
        text = ""
        for name in names:
            places.setdefault(name, []).append((contig, len(text)))
            bases = "".join(each.panel for each in parts[name]) if name else word(rng, 45)
            text += turned(bases) if name == "turned" else bases
        panel[contig] = text
    for name, stretches in parts.items():
        if name in ("lost", "twice", "other"):
            continue
        ((contig, at),) = places[name]
        total = sum(len(each.panel) for each in stretches)
        for each in stretches:
            first = (
                at if name != "turned" else 2 * places[name][0][1] + total - at - len(each.panel)
            )
            each.to = (contig, first, name == "turned")
            at += len(each.panel)
    chains = []
    seen: dict[str, int] = {}
    for from_contig, to_contig, names in CHAINS:
        blocks: list[Block] = []
        for name in names:
            contig, at = places[name][seen.get(name, 0)]
            assert contig == to_contig
            seen[name] = seen.get(name, 0) + 1
            if name == "turned":
                at = len(panel[contig]) - at - sum(len(each.panel) for each in parts[name])
            for each in parts[name]:
                blocks += [(each.start + s, at + p, n) for s, p, n in each.blocks if n]
                at += len(each.panel)
        chains.append(Chain(from_contig, to_contig, names == ["turned"], blocks))
    return TwoBuilds(source, panel, chains, parts)


def chain_text(builds: TwoBuilds, *, back: bool = False, spare: int = 0) -> str:
    """The chain file from the source's build to the panel's, or back, as UCSC names contigs.

    With spare bases it is of contigs that go on behind what the FASTAs have.
    """
    lines = []
    for number, chain in enumerate(builds.chains):
        lengths = (len(builds.source[chain.source]), len(builds.panel[chain.panel]))
        names = (f"chr{chain.source}", chain.panel)
        blocks = chain.blocks
        if back:
            lengths, names = lengths[::-1], names[::-1]
            blocks = [(p, s, n) for s, p, n in blocks]
            if chain.reverse:
                blocks = [(lengths[0] - p - n, lengths[1] - s - n, n) for p, s, n in blocks][::-1]
        # On the reverse strand the format counts from the contig's end.
        blocks = [(s, p + spare * chain.reverse, n) for s, p, n in blocks]
        lengths = (lengths[0] + spare, lengths[1] + spare)
        (first, there, _), (last, last_there, size) = blocks[0], blocks[-1]
        lines.append(
            f"chain 1000 {names[0]} {lengths[0]} + {first} {last + size}"
            f" {names[1]} {lengths[1]} {'-' if chain.reverse else '+'} {there} {last_there + size} {number}"
        )
        for (s, p, n), (s2, p2, _) in itertools.pairwise(blocks):
            lines.append(f"{n}\t{s2 - s - n}\t{p2 - p - n}")
        lines += [str(size), ""]
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------
# People


Record = tuple[str, int, str, list[str], np.ndarray]
"""Contig, POS, REF, ALTs, and the number of the allele that each person's two copies are; -1 is missing."""


def record_of(rng: np.random.Generator, contig: str, text: str, each: Stretch) -> Record:
    """Write a locus as programmes may: its indels anywhere in their repeat, with bases to spare."""
    shares = rng.dirichlet(np.ones(len(each.alleles)))
    calls = rng.choice(len(each.alleles), (PEOPLE, 2), p=shares)
    calls[rng.random(PEOPLE) < 0.04] = -1
    start, end = each.start, each.start + len(each.source)
    alleles = each.alleles
    if each.kind in ("repeat", "mixed"):
        before, after = int(rng.integers(1, 3)), int(rng.integers(3))
        if len(alleles) == 2 and each.kind == "repeat" and rng.random() < 0.7:
            before, after = 1, 0
            longer = max(alleles, key=len)
            size = abs(len(alleles[0]) - len(alleles[1]))
            at = int(rng.integers(len(longer) - size + 1))
            start += at
            end = start + size if longer == each.source else start
            words = ["", longer[at : at + size]]
            alleles = words[::-1] if longer == each.source else words
        start, end = start - before, end + after
        alleles = [text[start : start + before] + a + text[end - after : end] for a in alleles]
    assert alleles[0] == text[start:end]
    return contig, start + 1, alleles[0], alleles[1:], calls


def records_of(rng: np.random.Generator, builds: TwoBuilds) -> list[tuple[str, Stretch, Record]]:
    """Records of all loci, with the parts that they are in."""
    found = []
    for contig, names in SOURCE.items():
        for name in names:
            found += [
                (name, each, record_of(rng, contig, builds.source[contig], each))
                for each in builds.parts[name]
                if each.alleles
            ]
    return found


def variant_of(builds: TwoBuilds, each: Stretch, carried: str) -> Variant | None:
    """Find what variant of the panel someone has who carries some bases at a stretch; None: its own."""
    assert each.to is not None
    contig, first, reverse = each.to
    text = builds.panel[contig]
    here = text[first - 1 : first + len(each.panel)]
    theirs = here[0] + (turned(carried) if reverse else carried)
    if theirs == here:
        return None
    normal = normalize(
        np.array([first], np.int32), Strings.of([here]), Strings.of([theirs]), array(text)
    )
    assert normal.outcome[0] == Outcome.KEPT
    return contig, int(normal.position[0]), normal.ref.objects()[0], normal.alt.objects()[0]


def truth(builds: TwoBuilds, each: Stretch, calls: np.ndarray) -> dict[Variant, Figures]:
    """Count what people carry at a locus as variants of the panel, by their haplotypes."""
    found = {}
    for number, allele in enumerate(each.alleles):
        variant = variant_of(builds, each, allele)
        if variant is not None:
            copies = (calls == number).sum(axis=1)
            figures = (int(copies.sum()), int((calls >= 0).sum()), int((copies == 2).sum()))
            found[variant] = figures
    return found


# ---------------------------------------------------------------------------------------------
# Files


@dataclass
class Files:
    """A cohort on disk."""

    vcf: Path
    sheet: Path
    source: Path
    panel: Path
    chain: Path
    back: Path


def write_files(folder: Path, builds: TwoBuilds, records: Sequence[Record]) -> Files:
    names = [f"p{i}" for i in range(PEOPLE)]
    lines = []
    for contig, position, ref, alts, calls in records:
        texts = ["/".join("." if a < 0 else str(a) for a in pair) for pair in calls.tolist()]
        lines.append((contig, position, ref, ",".join(alts), *texts))
    rows = [f"{name}\t{'PQ'[i % 2]}\t{('XX', 'XY')[i % 3 == 0]}" for i, name in enumerate(names)]
    sheet, chain, back = (folder / name for name in ("sheet.tsv", "to.chain", "back.chain"))
    sheet.write_text("\n".join(["sample\tpopulation\tsex", *rows, ""]))
    chain.write_text(chain_text(builds))
    back.write_text(chain_text(builds, back=True))
    return Files(
        write_vcf(folder / "cohort.vcf.gz", vcf_text(names, lines, contigs=builds.source)),
        sheet,
        write_fasta(folder / "source.fa", builds.source),
        write_fasta(folder / "panel.fa", builds.panel),
        chain,
        back,
    )
