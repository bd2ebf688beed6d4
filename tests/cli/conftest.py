"""Two tiny cohorts of two countries, and the panel that they give, worked out slowly."""

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from afpanel.cli.main import main

#              1         2         3         4         5         6         7         8
#     12345678901234567890123456789012345678901234567890123456789012345678901234567890
CHR1 = "GATTACAGGCAAAAAGTCCTGACGTACGTTTGCACACACATCGGATCCTAGCTTGACCATGCAAGTCGATTCCGGAATACG"
CHRX = "CCGTAGATCGGCTAAGTTCACCGATGTGCATTGACCTAGGTCATGCAATG"
"""All of it lies before position 10,001, where GRCh38's first pseudoautosomal region begins."""

Call = tuple[int | None, ...]


@dataclass(frozen=True)
class TinyCohort:
    """What a cohort's files say, and what its people are."""

    name: str
    country: str
    people: dict[str, tuple[str, str]]  # sample: (population, sex)
    records: list[tuple]  # contig, position, REF, ALTs, FILTER, calls
    contig_names: dict[str, str]
    callable_spans: list[tuple[str, int, int]] | None  # panel contig, 0-based half-open
    missing_from_sheet: list[str] = field(default_factory=list)


VIET_NAM = TinyCohort(
    "Viet-1",
    "VN",
    {"v1": ("K", "XX"), "v2": ("K", "XY"), "v3": ("T", "XX"), "v4": ("T", "XY")},
    [
        ("1", 3, "T", "C", "PASS", "0/0", "0/1", "1/1", "./."),
        # Two ALTs in one record, and a half-call.
        ("1", 8, "G", "A,T", ".", "0/1", "1/2", "2/2", "0/."),
        # The last A of AAAAA at 11-15 is deleted: left-aligned it is CA>C at 10.
        ("1", 14, "AA", "A", "PASS", "0/1", "0/0", "1/1", "0/1"),
        # An SNV in padding: T>A at 17.
        ("1", 16, "GTC", "GAC", "PASS", "0/1", "0/1", "0/0", "0/0"),
        # Rejected by its FILTER; the other cohort has the site.
        ("1", 22, "A", "G", "LowQual", "0/1", "1/1", "0/0", "0/0"),
        # One repeat unit (CA) less, written at the right end of CACACACA at 33-40.
        ("1", 38, "ACA", "A", "PASS", "0/1", "0/1", "0/1", "0/0"),
        # Symbolic: no variant comes of it.
        ("1", 45, "A", "<DEL>", "PASS", "0/1", "0/0", "0/0", "0/0"),
        ("1", 75, "G", "A", "PASS", "0/1", "0/0", "0/0", "0/0"),
        ("X", 5, "A", "G", "PASS", "0/1", "1", "1/1", "0"),
        ("X", 20, "A", "T", "PASS", "0/0", "0", "0/1", "."),
    ],
    {"1": "chr1", "X": "chrX"},
    [("chr1", 0, 30), ("chr1", 31, 60), ("chrX", 0, 30)],
)
THAILAND = TinyCohort(
    "Thai-1",
    "TH",
    {"t1": ("H", "XX"), "t2": ("H", "XY"), "t3": ("H", "XY"), "t4": ("H", "unknown")},
    [
        # The same site as in Viet Nam, ALTs the other way round and one more.
        ("chr1", 8, "G", "T,C,A", "PASS", "0/1", "0/2", "3/3", "0/0"),
        # The same deletion, written left-aligned.
        ("chr1", 10, "CA", "C", "PASS", "0|1", "0|0", "0|0", "1|1"),
        ("chr1", 22, "A", "G", "PASS", "0/1", "1/1", "0/0", "0/0"),
        # An insertion: absent from Viet Nam, inside its BED.
        ("chr1", 27, "C", "CTT", "PASS", "0/1", "0/0", "0/0", "0/0"),
        # Spans the one base that is not in Viet Nam's BED: not callable there.
        ("chr1", 30, "TTG", "T", "PASS", "0/1", "0/0", "0/0", "0/0"),
        # A place beyond Viet Nam's BED.
        ("chr1", 70, "T", "G", "PASS", "0/0", "0/0", "0/0", "./."),
        # XY people written as diploid: the heterozygote is missing, the homozygote is one copy.
        ("chrX", 5, "A", "G", "PASS", "0/1", "1/1", "0/1", "0/1"),
        ("chrX", 12, "C", "A", "PASS", "0/0", "1/1", "0/0", "0/0"),
        ("chrX", 40, "G", "A", "PASS", "0/1", "1/.", "0/0", "1/1"),
    ],
    {"chr1": "chr1", "chrX": "chrX"},
    None,
)
COHORTS = (VIET_NAM, THAILAND)
REFERENCE = {"chr1": CHR1, "chrX": CHRX}
NOT_CALLABLE, ABSENT, OBSERVED = 0, 1, 2

Figures = tuple[int, int, int, int, int]
"""AC, AN, homozygotes, hemizygotes and state; -1 is missing."""


def left_align(sequence: str, position: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Trim and shift one variant a base at a time (Tan, Abecasis and Kang 2015)."""
    while True:
        if ref[-1] == alt[-1]:
            ref, alt = ref[:-1], alt[:-1]
        elif len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
            position, ref, alt = position + 1, ref[1:], alt[1:]
            continue
        else:
            return position, ref, alt
        if not ref or not alt:
            position -= 1
            base = sequence[position - 1]
            ref, alt = base + ref, base + alt


def called(text: str, contig: str, sex: str) -> tuple[list[int], bool]:
    """Alleles that a call gives, and whether it is of one copy; nothing of it where it cannot be."""
    alleles = [int(a) for a in text.replace("|", "/").split("/") if a != "."]
    one_copy = contig == "chrX" and sex == "XY"
    if contig == "chrX" and sex == "unknown":
        return [], False
    if not one_copy:
        return alleles, False
    return (alleles[:1], True) if len(set(alleles)) == 1 else ([], True)


def groups_of(country: str, population: str, sex: str) -> list[str]:
    """Names of the groups a person is in."""
    return ["total", country, f"{country}_{population}", *([sex] if sex != "unknown" else [])]


def slow_panel() -> dict[tuple, dict[str, Figures]]:
    """Work the panel out: variant (contig, position, REF, ALT) to group to figures."""
    found: dict[tuple, dict[str, tuple]] = {}  # variant: cohort: (ALT number, record)
    rejected: dict[str, list[tuple[str, int, int]]] = {cohort.name: [] for cohort in COHORTS}
    for cohort in COHORTS:
        for record in cohort.records:
            name, position, ref, alts, filter_, *_ = record
            contig = cohort.contig_names[name]
            for number, alt in enumerate(alts.split(","), 1):
                if filter_ not in ("PASS", "."):
                    rejected[cohort.name].append((contig, position - 1, position - 1 + len(ref)))
                elif not alt.startswith("<"):
                    variant = (contig, *left_align(REFERENCE[contig], position, ref, alt))
                    found.setdefault(variant, {})[cohort.name] = (number, record)
    return {
        variant: figures_of(variant, records, rejected, found) for variant, records in found.items()
    }


def record_beside(variant: tuple, cohort: TinyCohort, found: dict) -> tuple | None:
    """The record of a cohort's other variant of the site, that with most called alleles."""
    moves = len(variant[2]) != len(variant[3])
    records = [
        there[cohort.name][1]
        for other, there in found.items()
        if cohort.name in there
        and other[:2] == variant[:2]
        and moves == (len(other[2]) != len(other[3]))
        and (moves or other[2] == variant[2])
    ]

    def n_called(record: tuple) -> int:
        people = zip(record[5:], cohort.people.values(), strict=True)
        return sum(len(called(call, variant[0], sex)[0]) for call, (_, sex) in people)

    return max(records, key=n_called, default=None)


def figures_of(
    variant: tuple,
    records: dict[str, tuple],
    rejected: dict[str, list[tuple[str, int, int]]],
    found: dict,
) -> dict[str, Figures]:
    """Work out one variant."""
    contig, position, ref, _ = variant
    start, end = position - 1, position - 1 + len(ref)
    sums: dict[str, list[int]] = {}
    for cohort in COHORTS:
        refused = any(c == contig and s < end and start < e for c, s, e in rejected[cohort.name])
        spans = cohort.callable_spans or []
        covered = any(c == contig and s <= start and end <= e for c, s, e in spans)
        beside = record_beside(variant, cohort, found)
        for at, (population, sex) in enumerate(cohort.people.values()):
            copies = 2 if contig != "chrX" or sex == "XX" else 1 if sex == "XY" else 0
            ac = an = hom = hemi = 0
            state = NOT_CALLABLE
            if cohort.name in records and copies:
                number, record = records[cohort.name]
                alleles, one_copy = called(record[5 + at], contig, sex)
                state, an, ac = OBSERVED, len(alleles), alleles.count(number)
                hom = int(not one_copy and alleles == [number, number])
                hemi = int(one_copy and alleles == [number])
            elif cohort.name not in records and copies and beside is not None and not refused:
                an = len(called(beside[5 + at], contig, sex)[0])
                state = ABSENT if an else NOT_CALLABLE
            elif cohort.name not in records and copies and covered and not refused:
                state, an = ABSENT, copies
            for group in groups_of(cohort.country, population, sex):
                old = sums.setdefault(group, [0, 0, 0, 0, NOT_CALLABLE])
                values = (ac, an, hom, hemi)
                sums[group] = [*(a + b for a, b in zip(old, values, strict=False)),
                               max(old[4], state)]  # fmt: skip
    return {
        group: (-1, 0, -1, -1, NOT_CALLABLE) if state == NOT_CALLABLE else (*counts, state)
        for group, (*counts, state) in sums.items()
    }


def _load_builders() -> ModuleType:
    path = Path(__file__).parents[1] / "builders.py"
    spec = importlib.util.spec_from_file_location("cli_builders", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_inputs(folder: Path) -> None:
    """Write the files of both cohorts, the reference, the configuration and a policy."""
    builders = _load_builders()
    builders.write_fasta(folder / "reference.fa.gz", REFERENCE)
    rows = []
    for cohort in COHORTS:
        low = cohort.name.lower()
        records = [
            (c, p, ref, alts, filter_, "GT", *calls)
            for c, p, ref, alts, filter_, *calls in cohort.records
        ]
        text = builders.vcf_text(list(cohort.people), records, contigs=tuple(cohort.contig_names))
        suffix = "vcf" if cohort is VIET_NAM else "vcf.gz"
        builders.write_vcf(folder / f"{low}.{suffix}", text)
        sheet = [(sample, *about) for sample, about in cohort.people.items()]
        builders.write_sheet(folder / f"{low}.samples.tsv", sheet)
        row = {"cohort": cohort.name, "country": cohort.country, "path": f"{low}.{suffix}",
               "samples": f"{low}.samples.tsv"}  # fmt: skip
        if cohort.callable_spans is not None:
            names = {panel: own for own, panel in cohort.contig_names.items()}
            bed = "".join(f"{names[c]}\t{s}\t{e}\n" for c, s, e in cohort.callable_spans)
            (folder / f"{low}.callable.bed").write_text(bed)
            row["callable"] = f"{low}.callable.bed"
        rows.append(row)
    builders.write_cohorts(folder / "cohorts.tsv", rows)
    (folder / "policy.yaml").write_text("min_group_size: 0\nmin_allele_count: 0\n")
    (folder / "config.yaml").write_text(
        "panel: {name: tiny, version: '1'}\n"
        "reference: {build: GRCh38, fasta: reference.fa.gz}\n"
        "cohorts: cohorts.tsv\n"
        "disclosure: {policy: policy.yaml}\n"
    )


def commands() -> Iterator[list[str]]:
    """The commands that build the panel, one after the other."""
    reference = ["--reference", "reference.fa.gz"]
    yield ["validate", "config.yaml", "--plan", "plan.json"]
    for cohort in COHORTS:
        low = cohort.name.lower()
        source = f"{low}.vcf" if cohort is VIET_NAM else f"{low}.vcf.gz"
        sheet = ["--samples", f"{low}.samples.tsv"]
        stores = []
        for own, panel in cohort.contig_names.items():
            stores.append(f"{low}/genotypes/{panel}.vcz.zip")
            yield ["ingest", source, *sheet, "--region", f"{own}:1-1000", "--out", stores[-1]]
        yield ["harmonize", *stores, *reference, "--cohort", cohort.name,
               "--out", f"{low}/alleles.zarr.zip", "--summary", f"{low}/harmonization.json"]  # fmt: skip
        for panel, store in zip(cohort.contig_names.values(), stores, strict=True):
            yield ["count", store, "--alleles", f"{low}/alleles.zarr.zip", *sheet,
                   "--cohort", cohort.name, "--country", cohort.country, "--build", "GRCh38",
                   "--out", f"{low}/counts/{panel}.zarr.zip"]  # fmt: skip
    for contig in REFERENCE:
        counts = [f"{cohort.name.lower()}/counts/{contig}.zarr.zip" for cohort in COHORTS]
        yield ["merge", *counts, "--contig", contig, *reference, "--build", "GRCh38",
               "--callable", "Viet-1=viet-1.callable.bed", "--out", f"panel/{contig}.zarr.zip"]  # fmt: skip
    panels = [f"{contig}.zarr.zip" for contig in REFERENCE]
    yield ["gate", *(f"panel/{name}" for name in panels), "--policy", "policy.yaml",
           "--out", "releasable", "--decision", "decision.json"]  # fmt: skip
    yield ["publish", *(f"releasable/{name}" for name in panels), "--decision", "decision.json",
           "--harmonization", "viet-1/harmonization.json",
           "--harmonization", "thai-1/harmonization.json", "--plan", "plan.json", *reference,
           "--build", "GRCh38", "--name", "tiny", "--panel-version", "1",
           "--out", "release", "--summary", "summary.txt"]  # fmt: skip
    yield ["popgen", *(f"releasable/{name}" for name in panels), "--out", "popgen"]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the inputs of both cohorts."""
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    return tmp_path


@pytest.fixture
def by_hand() -> Callable[[], Iterator[list[str]]]:
    """The commands to run, in order."""
    return commands


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release that the commands build."""
    folder = tmp_path_factory.mktemp("by-hand")
    write_inputs(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in commands():
            assert main(command) == 0, command
    return folder / "release"


@pytest.fixture(scope="session")
def worked_out() -> dict[tuple, dict[str, Figures]]:
    """The panel, worked out slowly."""
    return slow_panel()


@pytest.fixture(scope="session")
def by_hand_module() -> ModuleType:
    """`write_inputs` and `commands`, for fixtures that make a folder of their own."""
    module = ModuleType("by_hand")
    module.write_inputs, module.commands = write_inputs, commands
    return module
