"""A hub of five cohorts, one of each kind of source and of evidence, and what its panel must say.

`Hub` draws everybody's calls and writes the files; `truth` counts the calls, a person at a time, by what
docs/definitions.md and docs/callability.md say, and by nothing of the package.
"""

import gzip
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pysam
import yaml
from tests.builders import GT_HEADER, vcf_text, write_cohorts, write_fasta, write_sheet, write_vcf

PAR_END = 2_781_479
MEGA = PAR_END + 3_000
LENGTHS = {"chr1": 2_400_000, "chrX": MEGA, "chrY": MEGA, "chrM": 16_569}
SHIFTS = {"chr1": -1_000, "chrX": 81_959, "chrY": 131_959, "chrM": 0}
"""What leads from the other build to the panel's; the PAR ends where it does on GRCh37."""

REACH = {
    "chr1": (1_000, 2_399_000),
    "chrX": (PAR_END - 2_000, PAR_END + 2_000),
    "chrY": (PAR_END - 1_000, PAR_END + 1_500),
    "chrM": (200, 1_800),
}
"""The bases of each contig, 0-based and half-open, that are looked at by those who look."""

COMMON = 9_000
"""From here on the sites of chr1 are common, one in a window of `afpanel overlap`."""

MIN_GQ = 20
GQ_HEADER = '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">'
GVCF_HEADERS = (
    GT_HEADER,
    GQ_HEADER,
    '##ALT=<ID=NON_REF,Description="Any other allele">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="Last base">',
)
COUNTRIES = {"Bed": "VN", "Gvcf": "JP", "Lift": "MY", "Plain": "VN", "Track": "TH"}
POPULATIONS = {
    "Bed": {"KHV": 12, "CDX": 7},
    "Gvcf": {"JPT": 11},
    "Lift": {"MAL": 9, "IBA": 6},
    "Plain": {"KHV": 8, "ONE": 1},
    "Track": {"TAI": 8, "MON": 6},
}
SEXES = ("XX", "XY", "XX", "XY", "unknown")
PLANTED = {"Gvcf": 3, "Lift": 2}
"""People of these cohorts who are in Bed too: how many-th of each."""

NOT_CALLABLE, ABSENT, OBSERVED = 0, 1, 2

Variant = tuple[str, int, str, str]


@dataclass(frozen=True)
class Site:
    contig: str
    position: int
    ref: str
    alts: tuple[str, ...]

    @property
    def bases(self) -> range:
        """Those of REF, 0-based."""
        return range(self.position - 1, self.position - 1 + len(self.ref))

    def variants(self) -> list[Variant]:
        return [(self.contig, self.position, self.ref, alt) for alt in self.alts]


@dataclass(frozen=True)
class Person:
    id: str
    population: str
    sex: str


@dataclass
class Cohort:
    """A cohort, and what is called of it.

    Parameters
    ----------
    calls
        By site and ID: GT as it is written, and GQ.
    unseen
        By ID: spans of each contig at which there is no call, 0-based and half-open, but at sites with ALT.
    weak
        By ID: likewise, where GQ is too low.
    """

    name: str
    people: list[Person]
    calls: dict[Site, dict[str, tuple[str, int]]] = field(default_factory=dict)
    unseen: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)
    weak: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)

    @property
    def has_quality(self) -> bool:
        return self.name in ("Bed", "Gvcf", "Plain")

    def alts_in(self, site: Site) -> list[str]:
        """ALTs of the file's record: those that somebody's call has; of gVCFs, all of the site's."""
        said = set("".join(gt for gt, _ in self.calls[site].values()))
        if self.name == "Gvcf" and said & set("12"):
            return list(site.alts)
        return [alt for n, alt in enumerate(site.alts, 1) if str(n) in said]


def copies(contig: str, position: int, sex: str) -> int:
    if contig == "chrM":
        return 1
    in_par = 10_001 <= position <= PAR_END
    if contig == "chr1" or (contig == "chrX" and (in_par or sex == "XX")):
        return 2
    if sex != "XY":
        return 0
    return 2 if in_par else 1


def covers(spans: Sequence[tuple[str, int, int]], contig: str, base: int) -> bool:
    return any(name == contig and start <= base < end for name, start, end in spans)


class Hub:
    """Cohorts and their calls, the same each time."""

    def __init__(self, seed: int = 5) -> None:
        self.draw = random.Random(seed)
        self.sequences = {
            name: "".join(self.draw.choices("ACGT", k=size)) for name, size in LENGTHS.items()
        }
        self.sites = list(self._sites())
        self.cohorts = {name: self._cohort(name) for name in COUNTRIES}
        self._call_everybody()
        self.dropped = {
            name: self.cohorts[name].people[number].id for name, number in PLANTED.items()
        }
        # A record that the cohort's own filter refused: its silence there says nothing.
        self.refused = next(
            s for s in self.sites if s.contig == "chr1" and not self.cohorts["Bed"].alts_in(s)
        )

    def _sites(self) -> Iterator[Site]:
        places = [("chr1", 10_000 + 20_000 * i + self.draw.randint(-50, 50)) for i in range(119)]
        places += [("chr1", 3_001 + 40 * i) for i in range(60)]
        for contig, number in (("chrX", 90), ("chrY", 50), ("chrM", 35)):
            start = REACH[contig][0] + 15
            places += [(contig, start + 41 * i) for i in range(number)]
        # At the border itself.
        places += [(c, PAR_END + i) for c in ("chrX", "chrY") for i in (0, 1)]
        taken: dict[str, int] = {}
        for contig, position in sorted(places, key=lambda p: (list(LENGTHS).index(p[0]), p[1])):
            if position <= taken.get(contig, 0):
                continue
            # Of those for telling who is there twice, most are of the plainest kind.
            kind = self.draw.random() if contig != "chr1" or position < COMMON else 0.5
            base = self.sequences[contig][position - 1]
            others = [each for each in "ACGT" if each != base]
            after = self.sequences[contig][position : position + 2]
            if kind < 0.15 and PAR_END not in (position, position + 1) and after[-1] != base:
                yield Site(contig, position, base + after, (base,))
                taken[contig] = position + 2
            else:
                alts = self.draw.sample(others, 2 if kind > 0.85 else 1)
                yield Site(contig, position, base, tuple(sorted(alts)))
                taken[contig] = position

    def _cohort(self, name: str) -> Cohort:
        populations = [p for p, n in POPULATIONS[name].items() for _ in range(n)]
        # Nobody of unknown sex in gVCFs here: neither XX nor XY has none.
        sexes = SEXES[:4] if name == "Gvcf" else SEXES
        people = [
            Person(f"SECRET{name}{i:03d}", population, sexes[i % len(sexes)])
            for i, population in enumerate(populations)
        ]
        cohort = Cohort(name, people)
        for person in people:
            for spans in (cohort.unseen, cohort.weak):
                spans[person.id] = []
                for contig, (start, end) in REACH.items():
                    if name not in ("Gvcf", "Track") or (spans is cohort.weak and name == "Track"):
                        continue
                    for _ in range(self.draw.randint(0, 2)):
                        at = self.draw.randrange(start, end)
                        size = (end - start) // (100 if contig == "chr1" else 12)
                        spans[person.id].append((contig, at, min(at + size, end)))
                    if contig == "chrY" and person.sex == "XX" and spans is cohort.unseen:
                        spans[person.id].append((contig, start, end))
        return cohort

    def _call_everybody(self) -> None:
        for site in self.sites:
            common = site.contig == "chr1" and site.position > COMMON
            for name, cohort in self.cohorts.items():
                frequency = self.draw.uniform(0.2, 0.6) if common else 0.0
                if not common and self.draw.random() < 0.6:
                    frequency = self.draw.choice((0.03, 0.1, 0.4))
                cohort.calls[site] = {
                    person.id: self._call(site, cohort, person, frequency)
                    for person in cohort.people
                }
                if name in PLANTED and site.contig == "chr1":
                    again = cohort.people[PLANTED[name]].id
                    who = self.cohorts["Bed"].people[PLANTED[name]]
                    gt, _ = self.cohorts["Bed"].calls[site][who.id]
                    if "." not in gt and len(gt) == 3:
                        cohort.calls[site][again] = (gt, 50)

    def _call(
        self, site: Site, cohort: Cohort, person: Person, frequency: float
    ) -> tuple[str, int]:
        def allele() -> str:
            if self.draw.random() >= frequency:
                return "0"
            return str(self.draw.randint(1, len(site.alts)))

        number = copies(site.contig, site.position, person.sex)
        a, b = allele(), allele()
        common = site.contig == "chr1" and site.position > COMMON
        chance = self.draw.random() ** (0.3 if common else 1)
        if number == 2:
            gt = f"{a}/{b}" if chance > 0.04 else f"{a}/." if chance > 0.02 else a
        elif number == 1:
            gt = a if chance > 0.5 else f"{a}/{a}" if chance > 0.05 else f"{a}/{b}"
        else:
            gt = f"{a}/{b}" if site.contig == "chrX" else "./."
        quality = 10 if cohort.has_quality and self.draw.random() < 0.06 else 50
        if cohort.name in ("Gvcf", "Track"):
            return self._seen(site, cohort, person, gt, quality)
        return (
            ("./.", quality) if self.draw.random() < (0.002 if common else 0.03) else (gt, quality)
        )

    def _seen(
        self, site: Site, cohort: Cohort, person: Person, gt: str, quality: int
    ) -> tuple[str, int]:
        """Take away calls where somebody is not seen; of gVCFs, only REF is in blocks."""
        unseen = any(covers(cohort.unseen[person.id], site.contig, b) for b in site.bases)
        if cohort.name == "Track":
            # A track says of whole people whether they could be called.
            number = copies(site.contig, site.position, person.sex)
            if (number == 2 and len(gt) != 3) or (number == 1 and gt[0] != gt[-1]):
                gt = "0/0"
            return ("./." if unseen or "." in gt else gt), quality
        if set(gt) & set("12"):
            return gt, quality
        weak = any(covers(cohort.weak[person.id], site.contig, b) for b in site.bases)
        return ("./.", 0) if unseen else ("0/0", 10 if weak else 50)

    # Files.

    def write(
        self,
        folder: Path,
        *,
        size: int = 10_000_000,
        shuffle: int = 0,
        overlap: str = "drop",
        withdrawn: Sequence[str] = (),
    ) -> Path:
        """Write the project to a folder; `shuffle` above 0 puts cohorts and people in another order."""
        folder.mkdir(parents=True, exist_ok=True)
        write_fasta(folder / "panel.fa", self.sequences)
        self._write_other_build(folder)
        rows = []
        for name, cohort in self.cohorts.items():
            row = {"cohort": name, "country": COUNTRIES[name], "samples": f"{name}.tsv"}
            row |= getattr(self, f"_write_{name.lower()}")(folder, cohort)
            rows.append(row)
        order = random.Random(shuffle)
        if shuffle:
            order.shuffle(rows)
        write_cohorts(folder / "cohorts.tsv", rows)
        self.write_sheets(folder, withdrawn, shuffle)
        (folder / "policy.yaml").write_text("min_group_size: 5\nmin_allele_count: 3\n")
        config = {
            "panel": {"name": "hub", "version": "1"},
            "reference": {"build": "GRCh38", "fasta": "panel.fa"},
            "cohorts": "cohorts.tsv",
            "partitions": {"size": size},
            "genotypes": {"min_gq": MIN_GQ, "min_dp": 0, "min_dp_haploid": 0, "min_ab": 0},
            "harmonize": {"chains": {"GRCh37": "chain.gz"}, "source_fastas": {"GRCh37": "other.fa"}},
            "groups": {"grpmax_exclude": ["TH_MON"]},
            "overlap": {"action": overlap, "min_sites": 60},
            "disclosure": {"policy": "policy.yaml"},
        }  # fmt: skip
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        return folder

    def write_sheets(self, folder: Path, withdrawn: Sequence[str] = (), shuffle: int = 0) -> None:
        order = random.Random(shuffle)
        for name, cohort in self.cohorts.items():
            rows = [
                (p.id, p.population, p.sex, "no" if p.id in withdrawn else "yes")
                for p in cohort.people
            ]
            if shuffle:
                order.shuffle(rows)
            write_sheet(folder / f"{name}.tsv", rows, include=True)

    def _write_other_build(self, folder: Path) -> None:
        other, lines = {}, []
        for number, (name, bases) in enumerate(self.sequences.items(), 1):
            shift, size = SHIFTS[name], len(bases)
            other[name] = bases[shift:] if shift >= 0 else "N" * -shift + bases
            start, to = max(-shift, 0), max(shift, 0)
            whole = len(other[name])
            lines.append(
                f"chain 1 {name} {whole} + {start} {whole} {name} {size} + {to} {size} {number}\n"
                f"{size - to}\n\n"
            )
        write_fasta(folder / "other.fa", other)
        (folder / "chain.gz").write_bytes(gzip.compress("".join(lines).encode(), mtime=0))

    def records(self, cohort: Cohort) -> Iterator[tuple[object, ...]]:
        """Records of a joint file of a cohort, with the ALTs that somebody has alone."""
        for site in self.sites:
            kept = cohort.alts_in(site)
            filter_ = "PASS"
            if cohort.name == "Bed" and site == self.refused:
                kept, filter_ = [site.alts[0]], "LowQual"
            if not kept:
                continue
            renamed = {".": ".", "/": "/", "0": "0"}
            renamed |= {str(site.alts.index(alt) + 1): str(n) for n, alt in enumerate(kept, 1)}
            said = []
            for person in cohort.people:
                gt, quality = cohort.calls[site][person.id]
                gt = "".join(renamed[c] for c in gt)
                said.append(f"{gt}:{quality}" if cohort.has_quality else gt)
            form = "GT:GQ" if cohort.has_quality else "GT"
            yield (site.contig, site.position, site.ref, ",".join(kept), filter_, form, *said)

    def _write_joint(self, path: Path, cohort: Cohort, **names: str) -> None:
        records = list(self.records(cohort))
        shift = SHIFTS if cohort.name == "Lift" else dict.fromkeys(SHIFTS, 0)
        records = [(names.get(r[0], r[0]), r[1] - shift[r[0]], *r[2:]) for r in records]
        headers = (GT_HEADER, GQ_HEADER) if cohort.has_quality else (GT_HEADER,)
        contigs = [names.get(name, name) for name in LENGTHS]
        ids = [p.id for p in cohort.people]
        write_vcf(path, vcf_text(ids, records, contigs=contigs, headers=headers))

    def _write_bed(self, folder: Path, cohort: Cohort) -> dict[str, str]:
        short = {"chr1": "1", "chrX": "X", "chrY": "Y", "chrM": "MT"}
        self._write_joint(folder / "Bed.vcf.gz", cohort, **short)
        lines = [f"{short[c]}\t{start}\t{end}\n" for c, start, end in self.bed("Bed")]
        (folder / "Bed.bed").write_text("".join(lines))
        return {"path": "Bed.vcf.gz", "callable": "Bed.bed"}

    def _write_lift(self, folder: Path, cohort: Cohort) -> dict[str, str]:
        self._write_joint(folder / "Lift.bcf", cohort)
        lines = [f"{c}\t{s - SHIFTS[c]}\t{e - SHIFTS[c]}\n" for c, s, e in self.bed("Lift")]
        (folder / "Lift.bed").write_text("".join(lines))
        return {"path": "Lift.bcf", "callable": "Lift.bed", "build": "GRCh37"}

    def bed(self, name: str) -> list[tuple[str, int, int]]:
        """Two thirds of what is looked at, of each cohort another part."""
        third = {c: (end - start) // 3 for c, (start, end) in REACH.items()}
        if name == "Bed":
            return [(c, start, start + 2 * third[c]) for c, (start, _) in REACH.items()]
        return [(c, start + third[c], end) for c, (start, end) in REACH.items()]

    def _write_plain(self, folder: Path, cohort: Cohort) -> dict[str, str]:
        self._write_joint(folder / "Plain.plain.vcf.gz", cohort)
        return {"path": "Plain.plain.vcf.gz"}

    def _write_track(self, folder: Path, cohort: Cohort) -> dict[str, str]:
        self._write_joint(folder / "Track.vcf.gz", cohort)
        cells = sorted({(p.population, p.sex) for p in cohort.people})
        head = ["#contig", "start", "end", "AN", *(f"AN_{p}_{s}" for p, s in cells)]
        lines = ["\t".join(head)]
        for contig, (start, end) in REACH.items():
            cuts = {start, end, PAR_END} | {
                cut for spans in cohort.unseen.values() for c, *ends in spans if c == contig
                for cut in ends
            }  # fmt: skip
            inside = sorted(cut for cut in cuts if start <= cut <= end)
            for a, b in itertools.pairwise(inside):
                numbers = [self.tracked(cohort, contig, a, cell) for cell in cells]
                lines.append("\t".join(map(str, (contig, a, b, sum(numbers), *numbers))))
        (folder / "Track.txt").write_text("\n".join(lines) + "\n")
        return {"path": "Track.vcf.gz", "callable": "Track.txt"}

    def tracked(self, cohort: Cohort, contig: str, base: int, cell: tuple[str, str]) -> int:
        return sum(
            copies(contig, base + 1, p.sex)
            for p in cohort.people
            if (p.population, p.sex) == cell and not covers(cohort.unseen[p.id], contig, base)
        )

    def _write_gvcf(self, folder: Path, cohort: Cohort) -> dict[str, str]:
        for person in cohort.people:
            text = "".join(f"{line}\n" for line in self._gvcf_lines(cohort, person))
            path = folder / f"{person.id}.g.vcf.gz"
            with pysam.BGZFile(str(path), "wb") as out:
                out.write(text.encode())
            pysam.tabix_index(str(path), preset="vcf", force=True)
        names = [f"{p.id}.g.vcf.gz\n" for p in cohort.people]
        (folder / "Gvcf.txt").write_text("".join(names))
        return {"kind": "gvcf", "path": "Gvcf.txt"}

    def _gvcf_lines(self, cohort: Cohort, person: Person) -> Iterator[str]:
        yield from ("##fileformat=VCFv4.2", *GVCF_HEADERS)
        yield from (f"##contig=<ID={name},length={size}>" for name, size in LENGTHS.items())
        fixed = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
        yield "\t".join((*fixed, person.id))
        for contig, (start, end) in REACH.items():
            carried = [
                s for s in self.sites
                if s.contig == contig and set(cohort.calls[s][person.id][0]) & set("12")
            ]  # fmt: skip
            at = start
            for site in (*carried, None):
                stop = site.position - 1 if site else end
                yield from self._blocks(cohort, person, contig, at, stop)
                if site is None:
                    break
                gt, quality = cohort.calls[site][person.id]
                alts = ",".join((*site.alts, "<NON_REF>"))
                row = (contig, site.position, ".", site.ref, alts, ".", ".", ".", "GT:GQ")
                yield "\t".join(map(str, (*row, f"{gt}:{quality}")))
                at = site.bases.stop

    def _blocks(
        self, cohort: Cohort, person: Person, contig: str, start: int, stop: int
    ) -> Iterator[str]:
        ends = [
            e for kind in (cohort.unseen, cohort.weak) for c, *e in kind[person.id] if c == contig
        ]
        cuts = sorted({start, stop, *(cut for pair in ends for cut in pair if start < cut < stop)})
        for a, b in itertools.pairwise(cuts):
            if covers(cohort.unseen[person.id], contig, a):
                continue
            quality = 10 if covers(cohort.weak[person.id], contig, a) else 50
            base = self.sequences[contig][a]
            yield "\t".join(
                map(str, (contig, a + 1, ".", base, "<NON_REF>", ".", ".", f"END={b}", "GT:GQ",
                          f"0/0:{quality}"))
            )  # fmt: skip


# What the panel must say.


@dataclass
class Figures:
    """Counts of a variant in a group."""

    ac: int = 0
    an: int = 0
    hom: int = 0
    hemi: int = 0
    het: int = 0
    diploid: int = 0
    raw_ac: int = 0
    raw_an: int = 0
    state: int = NOT_CALLABLE

    def add(self, other: "Figures") -> None:
        for name in ("ac", "an", "hom", "hemi", "het", "diploid", "raw_ac", "raw_an"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.state = max(self.state, other.state)


def called(gt: str, number: int, alt: str) -> tuple[int, int, int, int, int, int]:
    """AC, AN, homozygous, hemizygous, heterozygous and diploid, of one call, by the table of the docs."""
    alleles = gt.split("/")
    known = [a for a in alleles if a != "."]
    if number == 0 or not known:
        return (0,) * 6
    if number == 1 and len(set(known)) > 1:
        return (0,) * 6
    if number == 1 or len(alleles) == 1:
        return (int(known[0] == alt), 1, 0, int(known[0] == alt), 0, 0)
    if len(known) == 1:
        return (int(known[0] == alt), 1, 0, 0, 0, 0)
    ac = known.count(alt)
    return (ac, 2, int(ac == 2), 0, int(ac == 1), 1)


def of_person(hub: Hub, cohort: Cohort, person: Person, site: Site, alt: str) -> Figures:
    """What somebody adds to a variant."""
    number = copies(site.contig, site.position, person.sex)
    if number == 0:
        return Figures()
    kept = cohort.alts_in(site)
    if cohort.name == "Bed" and site == hub.refused:
        return Figures()
    gt, quality = cohort.calls[site][person.id]
    passed = not cohort.has_quality or quality >= MIN_GQ
    # Where gVCFs have no record of anybody's, the track counts the same calls.
    if kept or cohort.name == "Gvcf":
        raw = called(gt, number, str(site.alts.index(alt) + 1))
        good = raw if passed else (0,) * 6
        before = raw if kept else good
        state = OBSERVED if alt in kept else ABSENT if good[1] else NOT_CALLABLE
        return Figures(*good, *before[:2], state=state)
    if cohort.name == "Track":
        seen = not any(covers(cohort.unseen[person.id], site.contig, b) for b in site.bases)
    else:
        spans = hub.bed(cohort.name) if cohort.name in ("Bed", "Lift") else []
        seen = all(covers(spans, site.contig, b) for b in site.bases)
    if not seen:
        return Figures()
    diploid = int(number == 2)
    return Figures(an=number, diploid=diploid, raw_an=number, state=ABSENT)


def groups_of(cohort: Cohort, person: Person) -> list[str]:
    country = COUNTRIES[cohort.name]
    groups = ["total", country, f"{country}_{person.population}"]
    return groups + ([person.sex] if person.sex != "unknown" else [])


def truth(hub: Hub, dropped: Sequence[str]) -> dict[Variant, dict[str, Figures]]:
    """Count everybody but the dropped; of variants of which some cohort has a record."""
    result: dict[Variant, dict[str, Figures]] = {}
    for site in hub.sites:
        for alt in site.alts:
            if not any(
                alt in c.alts_in(site) and not (c.name == "Bed" and site == hub.refused)
                for c in hub.cohorts.values()
            ):
                continue
            figures = result.setdefault((site.contig, site.position, site.ref, alt), {})
            for cohort in hub.cohorts.values():
                for person in cohort.people:
                    if person.id in dropped:
                        continue
                    own = of_person(hub, cohort, person, site, alt)
                    for group in groups_of(cohort, person):
                        figures.setdefault(group, Figures()).add(own)
    return result
