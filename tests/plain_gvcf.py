"""gVCFs read slowly, a base and a person at a time: what is called where, and what counts.

It shares nothing with the code under test but the codes of missing and absent alleles.
"""

import gzip
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from afpanel.constants import PSEUDOAUTOSOMAL
from afpanel.core.counting import GenotypeFilter

NOT_ALTS = ("<NON_REF>", "<*>")


class Record(NamedTuple):
    """A line of a gVCF; `start` and `end` are 0-based and half-open."""

    start: int
    end: int
    ref: str
    alts: tuple[str, ...]
    filters: frozenset[str]
    genotype: tuple[int, int]
    gq: int
    dp: int
    reads: tuple[int, ...]

    @property
    def is_own(self) -> bool:
        """Whether it has an ALT that is more than a stand-in for any other."""
        return any(alt not in NOT_ALTS for alt in self.alts)

    @property
    def is_het(self) -> bool:
        a, b = self.genotype
        return a >= 0 and b >= 0 and a != b

    @property
    def het_reads(self) -> int:
        """Reads of the least supported ALT of a heterozygous call, or -1."""
        if not self.is_het or max(self.genotype) >= len(self.reads):
            return -1
        return min(self.reads[a] for a in self.genotype if a > 0)


class Person(NamedTuple):
    """A person's records on one contig, in the order of the file; where each starts, and how far those up to it reach."""

    name: str
    sex: str
    records: list[Record]
    starts: list[int]
    reach: list[int]

    def starting(self, first: int, last: int) -> list[Record]:
        """Records that start in this range, both ends of it included."""
        return self.records[bisect_left(self.starts, first) : bisect_right(self.starts, last)]


def read_gvcf(
    path: Path, sex: str, contig: str, accepted: Collection[str] = ("PASS", ".")
) -> Person:
    """Read a gVCF; calls of records whose FILTER is not accepted are missing."""
    name, records = "", []
    with gzip.open(path, "rt") as lines:
        for line in lines:
            columns = line.rstrip("\n").split("\t")
            if line.startswith("#CHROM"):
                name = columns[9]
            elif not line.startswith("#") and columns[0] == contig:
                records.append(_record(columns, accepted))
    starts = [record.start for record in records]
    assert starts == sorted(starts)
    reach = list(accumulate((record.end for record in records), max))
    return Person(name, sex, records, starts, reach)


def _number(text: str) -> int:
    return -1 if text in ("", ".") else int(text)


def _record(columns: Sequence[str], accepted: Collection[str]) -> Record:
    position, ref, alt = int(columns[1]), columns[3], columns[4]
    info = dict(item.partition("=")[::2] for item in columns[7].split(";"))
    values = dict(zip(columns[8].split(":"), columns[9].split(":"), strict=False))
    if "DP" not in columns[8].split(":"):
        values["DP"] = values.get("MIN_DP", ".")
    alleles = values["GT"].replace("|", "/").split("/")
    genotype = tuple(_number(allele) for allele in alleles)
    if len(genotype) == 1:
        genotype = (*genotype, -2)
    if accepted and not set(columns[6].split(";")) <= set(accepted):
        genotype = (-1, -1)
    return Record(
        position - 1,
        int(info["END"]) if "END" in info else position - 1 + len(ref),
        ref,
        () if alt == "." else tuple(alt.split(",")),
        frozenset(columns[6].split(";")),
        genotype,
        _number(values.get("GQ", ".")),
        _number(values.get("DP", ".")),
        tuple(_number(text) for text in values.get("AD", "").split(",") if text),
    )


def holder(person: Person, base: int) -> Record | None:
    """Find the record that speaks of a base: the first of those that cover it."""
    first = bisect_right(person.reach, base)
    if first < len(person.records) and person.starts[first] <= base:
        return person.records[first]
    return None


def copies_of(contig: str, build: str, base: int, sex: str) -> int:
    """Copies of a base that a person has; 0 where one does not know."""
    kind = contig.removeprefix("chr")
    if kind not in ("X", "Y"):
        return 2
    in_par = any(first - 1 <= base < last for first, last in PSEUDOAUTOSOMAL[build][kind])
    if kind == "X":
        return 2 if in_par or sex == "XX" else 1 if sex == "XY" else 0
    return 0 if sex != "XY" else 2 if in_par else 1


def called_alleles(
    genotype: tuple[int, int], gq: int, dp: int, het_reads: int, copies: int, f: GenotypeFilter
) -> int:
    """Count the called alleles of a call, after the genotype filter."""
    called = [allele for allele in genotype if allele >= 0]
    haploid = copies == 1 or genotype[1] == -2
    het = len(called) == 2 and called[0] != called[1]
    if not copies or not called or (haploid and het):
        return 0
    if len(called) == 1 and not haploid and f.half_calls_missing:
        return 0
    if f.min_gq and gq < f.min_gq:
        return 0
    limit = f.min_dp_haploid if haploid else f.min_dp
    if limit and dp < limit:
        return 0
    if f.min_ab and het and not (dp > 0 and het_reads >= f.min_ab * dp):
        return 0
    return 1 if haploid else len(called)


def allele_number(person: Person, contig: str, build: str, base: int, f: GenotypeFilter) -> int:
    """Count the called alleles of a person at a base."""
    record = holder(person, base)
    if record is None:
        return 0
    copies = copies_of(contig, build, base, person.sex)
    return called_alleles(record.genotype, record.gq, record.dp, record.het_reads, copies, f)


class Site(NamedTuple):
    """A record of all people: its alleles, and genotype, GQ, DP and reads of each."""

    position: int
    alleles: tuple[str, ...]
    calls: list[tuple[tuple[int, int], int, int, int]]


def unite(people: Sequence[Person]) -> list[Site]:
    """Lay the records of people together, as one file of all would have them."""
    alts: dict[tuple[int, str], set[str]] = {}
    for person in people:
        for record in person.records:
            real = {alt for alt in record.alts if alt not in (*NOT_ALTS, "*")}
            if real:
                alts.setdefault((record.start, record.ref.upper()), set()).update(
                    alt if alt.startswith("<") else alt.upper() for alt in real
                )
    sites = []
    for (start, ref), found in sorted(alts.items()):
        listed = sorted(found)
        calls = [_call(person, start, ref, listed) for person in people]
        most = max(max(genotype) for genotype, *_ in calls) - len(listed)
        sites.append(Site(start + 1, (ref, *listed, *("<NON_REF>", "*")[: max(most, 0)]), calls))
    return sites


def _call(
    person: Person, start: int, ref: str, alts: list[str]
) -> tuple[tuple[int, int], int, int, int]:
    other = len(alts) + 1
    for record in person.starting(start, start):
        if record.is_own and record.ref.upper() == ref:
            names = ["", *(a if a.startswith("<") else a.upper() for a in record.alts)]
            a, b = (
                allele if allele <= 0 else alts.index(names[allele]) + 1
                if names[allele] in alts else other
                for allele in record.genotype
            )  # fmt: skip
            if a == b == other and record.is_het:
                b += 1
            return (a, b), record.gq, record.dp, record.het_reads
    over = [holder(person, base) for base in range(start, start + len(ref))]
    if None in over:
        return (-1, -1), -1, -1, -1
    pairs = [_as_other(record.genotype) for record in over]
    a, b = (min(column) if min(column) < 0 else max(column) for column in zip(*pairs, strict=True))
    reads = [record.het_reads for record in over if record.is_het]
    is_het = a >= 0 and b >= 0 and a != b
    genotype = tuple(len(alts) + allele if allele > 0 else allele for allele in (a, b))
    return (
        genotype,
        min(record.gq for record in over),
        min(record.dp for record in over),
        min(reads) if is_het else -1,
    )


def _as_other(genotype: tuple[int, int]) -> tuple[int, int]:
    a, b = genotype
    if a > 0 and b > 0 and a != b:
        return 1, 2
    return min(a, 1), min(b, 1)


def tracks(
    people: Iterable[Person], contig: str, build: str, bases: Iterable[int], f: GenotypeFilter
) -> list[int]:
    """AN of some people together, at some bases."""
    everybody = list(people)
    return [sum(allele_number(p, contig, build, base, f) for p in everybody) for base in bases]
