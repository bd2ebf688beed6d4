"""A cohort's genotypes, and the counts that somebody could publish of them, a person at a time.

Nothing of the package counts here: copies, calls and homozygotes are added up call by call, by the
definitions of docs/definitions.md.
"""

import random
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pysam
import pytest
from tests.builders import vcf_text, write_fasta, write_sheet, write_vcf

from afpanel.core.counting import GenotypeFilter
from afpanel.io.panel_store import PANEL, PANEL_COUNTS, PANEL_VERSION
from afpanel.io.reference import ReferencePaths
from afpanel.io.sites_form import SitesForm
from afpanel.io.store import Store
from afpanel.model.region import Region
from afpanel.stages.count import CountOptions, count
from afpanel.stages.harmonize import HarmonizeOptions, harmonize
from afpanel.stages.ingest import Target, ingest
from afpanel.stages.ingest_sites import ingest_sites
from afpanel.stages.lifter import LiftPaths
from afpanel.stages.merge import MergeOptions, merge

PAR_END = 2_781_479
LENGTHS = {"chr1": 40_000, "chrX": PAR_END + 30_000, "chrY": PAR_END + 30_000, "chrM": 9_000}
WITHIN = {
    "chr1": (20, 39_900),
    "chrX": (PAR_END - 9_000, PAR_END + 29_000),
    "chrY": (PAR_END - 2_000, PAR_END + 9_000),
    "chrM": (20, 8_900),
}
SITES = {"chr1": 400, "chrX": 200, "chrY": 30, "chrM": 20}
NO_FILTER = GenotypeFilter(0, 0, 0, 0.0)
COMPLEMENT = str.maketrans("ACGT", "TGCA")

Person = tuple[str, str, str]
"""ID, population and sex."""


@dataclass(frozen=True)
class Record:
    """A line of a file: everybody's call, as numbers of alleles; None is not called."""

    contig: str
    position: int
    ref: str
    alts: tuple[str, ...]
    calls: tuple[tuple[int | None, ...], ...]

    def gt(self, person: int) -> str:
        return "/".join("." if a is None else str(a) for a in self.calls[person])


def copies_of(contig: str, position: int, sex: str) -> int:
    if contig == "chrM":
        return 1
    in_par = 10_001 <= position <= PAR_END
    if contig == "chr1" or (contig == "chrX" and (in_par or sex == "XX")):
        return 2
    if sex == "unknown" or (contig == "chrY" and sex == "XX"):
        return 0
    return 2 if in_par else 1


def people_of(name: str, populations: Mapping[str, int], sexes: Sequence[str]) -> list[Person]:
    labels = [label for label, n in populations.items() for _ in range(n)]
    return [(f"{name}{i}", label, sexes[i % len(sexes)]) for i, label in enumerate(labels)]


def simulate(
    rng: random.Random, sequences: Mapping[str, str], people: Sequence[Person]
) -> list[Record]:
    """Records of SNVs, some with several ALTs, and of insertions and deletions; some calls are missing."""
    records = []
    for contig, sequence in sequences.items():
        low, high = WITHIN[contig]
        step = (high - low) // SITES[contig]
        for number in range(SITES[contig]):
            position = low + number * step + rng.randrange(step - 8)
            base = sequence[position - 1]
            others = [x for x in "ACGT" if x != base]
            kind = rng.random()
            if kind < 0.7:
                ref, alts = base, (rng.choice(others),)
            elif kind < 0.85:
                ref, alts = base, tuple(rng.sample(others, rng.choice([2, 3])))
            elif kind < 0.93:
                ref, alts = sequence[position - 1 : position + 2], (base,)
            else:
                ref, alts = base, (base + rng.choice(others) + "G",)
            weights = [rng.betavariate(0.5, 1) for _ in alts]
            calls = []
            for _, _, sex in people:
                n = copies_of(contig, position, sex)
                drawn = [
                    next((a for a, w in enumerate(weights, 1) if rng.random() < w), 0)
                    for _ in range(n)
                ]
                called = n and rng.random() > 0.06
                calls.append(tuple(drawn) if called else (None,) * max(n, 1))
            records.append(Record(contig, position, ref, alts, tuple(calls)))
    return records


def reference(folder: Path, seed: int = 1) -> tuple[Path, dict[str, str]]:
    rng = np.random.default_rng(seed)
    sequences = {
        name: "".join(np.array(list("ACGT"))[rng.integers(0, 4, n)]) for name, n in LENGTHS.items()
    }
    return write_fasta(folder / "ref.fa", sequences), sequences


@dataclass(frozen=True)
class Figures:
    """What is counted of some people at a record, a number for each ALT where it is a tuple."""

    ac: tuple[int, ...]
    an: int
    nhomalt: tuple[int, ...]
    nhemialt: tuple[int, ...]


def figures(record: Record, chosen: Iterable[int]) -> Figures:
    alts = range(1, len(record.alts) + 1)
    calls = [[a for a in record.calls[i] if a is not None] for i in chosen]
    return Figures(
        tuple(sum(call.count(alt) for call in calls) for alt in alts),
        sum(map(len, calls)),
        tuple(sum(call == [alt, alt] for call in calls) for alt in alts),
        tuple(sum(call == [alt] for call in calls) for alt in alts),
    )


Cells = dict[tuple[str, str], list[int]]


def cells_of(people: Sequence[Person]) -> Cells:
    found: Cells = {}
    for i, (_, population, sex) in enumerate(people):
        found.setdefault((population, sex), []).append(i)
    return dict(sorted(found.items()))


def write_cells(
    path: Path, cells: Cells, columns: Mapping[tuple[str, str], Mapping[str, str]] | None = None
) -> Path:
    names = ["AC", "AN", "nhomalt", "nhemialt"] if columns else []
    lines = ["\t".join(["population", "sex", "people", *names])]
    for key, members in cells.items():
        given = [columns[key].get(name, "") for name in names] if columns else []
        lines.append("\t".join([*key, str(len(members)), *given]))
    path.write_text("\n".join(lines) + "\n")
    return path


def gnomad_vcf(
    path: Path,
    records: Sequence[Record],
    cells: Cells,
    *,
    homozygotes: bool = True,
    contigs: Iterable[str] = LENGTHS,
) -> Path:
    """Write VCF with fields as gnomAD names them, labels of populations in lower case."""
    names = {key: f"{key[0].lower()}_{key[1]}" for key in cells}
    header = ["##fileformat=VCFv4.2", '##FILTER=<ID=AC0,Description="x">']
    header += [f"##contig=<ID={name}>" for name in contigs]
    for suffix in ["", *(f"_{name}" for name in names.values())]:
        header += [
            f'##INFO=<ID=AC{suffix},Number=A,Type=Integer,Description="x">',
            f'##INFO=<ID=AN{suffix},Number=1,Type=Integer,Description="x">',
        ]
        if homozygotes:
            header.append(f'##INFO=<ID=nhomalt{suffix},Number=A,Type=Integer,Description="x">')
    lines = ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    for record in records:
        info = ["DB", "vep=C|AC=3|x"]
        for key, suffix in [(None, ""), *((key, f"_{name}") for key, name in names.items())]:
            members = range(len(record.calls)) if key is None else cells[key]
            said = figures(record, members)
            info += [f"AC{suffix}={join(said.ac)}", f"AN{suffix}={said.an}"]
            if homozygotes:
                info.append(f"nhomalt{suffix}={join(said.nhomalt)}")
        site = (record.contig, record.position, ".", record.ref, join(record.alts), ".", "PASS")
        lines.append("\t".join([*map(str, site), ";".join(info)]))
    return write_vcf(path, "\n".join([*header, *lines]) + "\n")


def table(path: Path, records: Sequence[Record], cells: Cells) -> Path:
    """Write a table with columns of names of its own, and a line for each record."""
    head = ["CHR", "BP", "A2", "A1"]
    head += [f"{name}.{p}.{s}" for p, s in cells for name in ("copies", "called", "hom", "hemi")]
    lines = ["\t".join(head)]
    for record in records:
        fields = [record.contig, str(record.position), record.ref, join(record.alts)]
        for members in cells.values():
            said = figures(record, members)
            fields += [join(said.ac), str(said.an), join(said.nhomalt), join(said.nhemialt)]
        lines.append("\t".join(fields))
    path.write_text("\n".join(lines) + "\n")
    return path


def table_columns(cells: Cells) -> dict[tuple[str, str], dict[str, str]]:
    words = {"AC": "copies", "AN": "called", "nhomalt": "hom", "nhemialt": "hemi"}
    return {key: {k: f"{w}.{key[0]}.{key[1]}" for k, w in words.items()} for key in cells}


def join(values: Iterable[object]) -> str:
    return ",".join(map(str, values))


def genotype_vcf(path: Path, records: Sequence[Record], people: Sequence[Person]) -> Path:
    lines = [
        (r.contig, r.position, r.ref, join(r.alts), *(r.gt(i) for i in range(len(people))))
        for r in records
    ]
    return write_vcf(path, vcf_text([p[0] for p in people], lines, contigs=LENGTHS))


def read_vcf(path: Path) -> tuple[list[str], list[Record]]:
    """Read everybody's calls with htslib: sample IDs, and records."""
    with pysam.VariantFile(str(path)) as vcf:
        names = list(vcf.header.samples)
        records = [
            Record(
                r.contig,
                r.pos,
                r.ref or "",
                r.alts or (),
                tuple(r.samples[name].allele_indices or (None,) for name in names),
            )
            for r in vcf
        ]
    return names, records


PLINK_NAMES = {"chr1": "1", "chrX": "X", "chrY": "Y", "chrM": "MT"}


def plink2(folder: Path, vcf: Path, people: Sequence[Person], *arguments: str) -> Path:
    """Count with plink2 itself; returns the path that its outputs begin with."""
    if shutil.which("plink2") is None:
        pytest.skip("plink2 is not installed")
    sexes = folder / "sexes.txt"
    code = {"XX": "2", "XY": "1", "unknown": "0"}
    sexes.write_text("#IID\tSEX\n" + "".join(f"{p[0]}\t{code[p[2]]}\n" for p in people))
    out = folder / "counted"
    made = [
        "plink2", "--vcf", str(vcf), "--update-sex", str(sexes), "--split-par", "hg38",
        "--threads", "1", "--out", str(out),
    ]  # fmt: skip
    subprocess.run([*made, "--make-pgen"], check=True, capture_output=True)
    data = ["plink2", "--pfile", str(out), "--threads", "1", "--out", str(out), "--nonfounders"]
    subprocess.run([*data, *arguments], check=True, capture_output=True)
    return out


def turned(rng: random.Random, record: Record) -> Record:
    """Swap or flip the alleles of a record of single bases, or do both."""
    ref, alts, calls = record.ref, record.alts, record.calls
    if rng.random() < 0.6:
        last = len(alts) if len(alts) > 1 and rng.random() < 0.5 else 1
        number = {0: last, last: 0}
        ref, alts = alts[last - 1], (*alts[: last - 1], ref, *alts[last:])
        calls = tuple(tuple(number.get(a, a) for a in call) for call in calls)  # type: ignore[arg-type]
    if rng.random() < 0.5:
        ref, alts = ref.translate(COMPLEMENT), tuple(a.translate(COMPLEMENT) for a in alts)
    return replace(record, ref=ref, alts=alts, calls=calls)


@dataclass(frozen=True)
class Source:
    """A cohort and its file; of published counts the sheet is a table of cells.

    Names are the file's of contigs, where they are others.
    """

    name: str
    country: str
    path: Path
    sheet: Path
    form: SitesForm | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    build: str = "GRCh38"
    lift: LiftPaths | None = None


def panel_of(
    folder: Path,
    fasta: Path,
    sources: Sequence[Source],
    regions: Sequence[Region] | None = None,
    max_ref_mismatch: float = 0.01,
) -> dict[str, dict[str, object]]:
    """Build the merged panel of each contig, and read it: all arrays as lists."""
    reference_paths = ReferencePaths.find(fasta)
    whole = [Region(contig, 0, 2**31 - 2) for contig in LENGTHS]
    every = []
    for source in sources:
        own = folder / source.name
        targets = [
            Target(
                replace(region, contig=source.names.get(region.contig, region.contig)),
                own / f"{region.contig}.{i:03}.vcz.zip",
            )
            for i, region in enumerate(regions or whole)
        ]
        if source.form is None:
            ingest(source.path, source.sheet, targets)
        else:
            ingest_sites(source.path, source.sheet, targets, source.form)
        stores = [target.path for target in targets]
        alleles = own / "alleles.zip"
        options = HarmonizeOptions(
            source.name,
            lift=source.lift,
            samples=source.sheet,
            max_ref_mismatch=max_ref_mismatch,
            duplicates=own / "duplicates.tsv",
        )
        harmonize(stores, reference_paths, alleles, own / "summary.json", options)
        counting = CountOptions(source.name, source.country, source.build, NO_FILTER)
        for store in stores:
            out = own / "counts" / store.name
            count(store, alleles, source.sheet, out, counting)
            every.append(out)
    result = {}
    for contig in LENGTHS:
        out = folder / f"{contig}.panel.zip"
        merge(every, reference_paths, out, MergeOptions(contig, "GRCh38", {}))
        with Store(out, PANEL, PANEL_VERSION) as store:
            names = ["variant_position", *PANEL_COUNTS, "group_people_by_sex"]
            result[contig] = {name: store.read(name).tolist() for name in names}
            for name in ("variant_ref", "variant_alt", "group_id"):
                result[contig][name] = store.texts(name)
    return result


Sources = Callable[..., list[Source]]


def sheet_of(path: Path, people: Sequence[Person]) -> Path:
    return write_sheet(path, people)
