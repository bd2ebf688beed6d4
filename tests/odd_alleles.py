"""Files of odd records among good ones, counted by the command; each allele held against its fate."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import pysam.bcftools

from afpanel.constants import Flag, Outcome
from afpanel.io.store import Store
from afpanel.stages.allele_map import ALLELES, ALLELES_VERSION
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION

FORMATS = ["odd.vcf", "odd.bgzf.vcf.gz", "odd.bcf"]
TEXT = FORMATS[:2]
COMMAND = [
    "--samples", "sheet.tsv", "--cohort", "Tiny", "--country", "VN", "--build", "GRCh38",
    "--reference", "reference.fa", "--out", "counts.zarr.zip",
]  # fmt: skip

Allele = tuple[int, str, str]
"""POS, REF and ALT."""

Fate = str | Allele
"""What becomes of an ALT: `KEPT` as it is written, kept in this form, or rejected for this reason."""

KEPT = "kept"
CALLS = ("0/1", "1|1", "./.", "0/.")
TWO_ALTS = ("0/1", "1|2", "2/2", "0/.")
"""One copy of either ALT is beside a copy of something else."""


def record_at(position: int, ref: str, alt: str, calls: Iterable[str] = CALLS) -> tuple:
    return ("chr1", position, ref, alt, *calls)


def alt_of(ref: str) -> str:
    return {"A": "G", "C": "T", "G": "A", "T": "C"}[ref]


def good(project) -> list[tuple[tuple, list[Fate]]]:
    """So many good records that a few mismatches among them are within the limit of one per cent."""
    bases = project.sequences["chr1"]
    places = range(1001, 1601)
    return [(record_at(p, bases[p - 1], alt_of(bases[p - 1])), [KEPT]) for p in places]


def plain_count(members: Iterable[tuple[str, Sequence[str]]]) -> tuple[int, int, int]:
    """Count the copies of a variant, the called alleles and the homozygotes, person by person.

    A member is the number of an allele, and the calls of its record; its copies add up with those of
    the other members.
    """
    numbers, calls_of = zip(*members, strict=True)
    counted = Counter()
    for calls in zip(*calls_of, strict=True):
        alleles = [[a for a in re.split(r"[/|]", call) if a != "."] for call in calls]
        copies = sum(each.count(n) for n, each in zip(numbers, alleles, strict=True))
        called = max(len(each) for each in alleles)
        counted.update(copies=copies, called=called, homozygotes=copies == called == 2)
    return counted["copies"], counted["called"], counted["homozygotes"]


def in_order(pairs: Iterable[tuple[tuple, list[Fate]]]) -> list[tuple[tuple, list[Fate]]]:
    return sorted(pairs, key=lambda pair: pair[0][1])


def count_each(project, name: str, odd: Sequence[tuple[tuple, list[Fate]]]) -> None:
    """Count a file of odd records among good ones; hold every allele against its fate and its copies."""
    pairs = in_order([*odd, *good(project)])
    project.write_vcf(name, project.text([record for record, _ in pairs]))
    check_each(project, name, pairs)


def check_each(project, name: str, pairs: Sequence[tuple[tuple, list[Fate]]]) -> None:
    """Count a file of records on an autosome. Alleles that are kept in one form are counted as one."""
    outcome = project.run("count", name, "--keep", "kept", *COMMAND)
    assert outcome.code == 0, outcome.err
    expected, members, reasons = [], {}, Counter()
    for number, ((_, position, ref, alts, *calls), fates) in enumerate(pairs):
        alleles = alts.split(",") if fates else []
        for index, (alt, fate) in enumerate(zip(alleles, fates, strict=True), 1):
            became = (position, ref.upper(), alt.upper()) if fate == KEPT else fate
            expected.append((number, index, became))
            if isinstance(became, tuple):
                members.setdefault(became, []).append((str(index), calls))
            else:
                reasons[became] += 1
    assert fates_of_all(project) == expected
    assert counts(project) == {form: plain_count(each) for form, each in members.items()}
    n_merged = sum(map(len, members.values())) - len(members)
    assert sum(is_merged for *_, is_merged in allele_map(project)) == n_merged
    summary = outcomes(project)
    names = {each.name.lower() for each in Outcome}
    assert {label: n for label, n in summary.items() if label in names} == reasons
    assert sum(n for label, n in summary.items() if "merged" in label.split("+")) == n_merged
    assert sum(summary.values()) == len(expected)


def outcomes(project) -> dict[str, int]:
    """Source alleles by outcome, as the summary has them."""
    return json.loads((project.folder / "kept/harmonization.json").read_text())["outcomes"]


def allele_map(project) -> list[tuple[int, int, str, Allele, bool]]:
    """Every source allele: record, number in it, outcome, form, and whether another one leads it."""
    path = project.folder / "kept/alleles.zarr.zip"
    with Store(path, ALLELES, ALLELES_VERSION) as store:
        names = ("record", "index", "outcome", "flags", "position", "ref", "alt")
        columns = [store.read(f"allele_{name}").tolist() for name in names]
    return [
        (record, index, Outcome(code).name.lower(), tuple(form), bool(flags & Flag.MERGED))
        for record, index, code, flags, *form in zip(*columns, strict=True)
    ]


def fates_of_all(project) -> list[tuple[int, int, Fate]]:
    """Record, number in it and fate of every source allele."""
    return [
        (record, index, form if outcome == "kept" else outcome)
        for record, index, outcome, form, _ in allele_map(project)
    ]


def counts(project) -> dict[Allele, tuple[int, int, int]]:
    """AC, AN and homozygotes of every variant, of all people."""
    path = project.folder / "counts.zarr.zip"
    names = ("allele_count", "allele_number", "homozygote_count")
    with Store(path, CELL_COUNTS, CELL_COUNTS_VERSION) as store:
        sites = [store.read(f"variant_{name}").tolist() for name in ("position", "ref", "alt")]
        figures = [store.read(name).sum(axis=1).tolist() for name in names]
    rows = list(zip(*sites, strict=True))
    assert len(set(rows)) == len(rows)
    return dict(zip(rows, zip(*figures, strict=True), strict=True))


def by_bcftools(project, record: tuple) -> list[Fate]:
    """The form that `bcftools norm` gives each ALT of a record."""
    _, position, ref, alts, *_ = record
    path, forms = project.folder / "one.vcf", []
    for alt in alts.split(","):
        path.write_text(project.text([record_at(position, ref, alt)]))
        (line,) = pysam.bcftools.norm("-f", "reference.fa", str(path)).splitlines()[-1:]
        _, found, _, *alleles = line.split("\t")[:5]
        forms.append((int(found), *(bases.upper() for bases in alleles)))
    return forms
