"""Cohorts that state each variant in several records, at random: in a repeat, by people of all kinds."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.builders import RICH_HEADERS, vcf_text, write_fasta, write_sheet, write_vcf
from tests.plain_duplicates import Line, Person

from afpanel.constants import Sex

LAYOUTS = {
    "disjoint": 3, "within": 3, "halves": 3, "same": 3, "one": 2, "exceeding": 1, "random": 1,
}  # fmt: skip
"""Who carries a variant, and which records say so; and how often."""

_EXACT = ("same", "one")
_PEOPLE = 28
_SITE = 60
_UNITS = ("A", "C", "AT", "CAG", "TTC", "ACGT")


class Cohort(NamedTuple):
    """A cohort and its reference; the file has a sample more, who is not on the sheet."""

    bases: dict[str, str]
    people: list[Person]
    lines: list[Line]


class Spelling(NamedTuple):
    """A way to write a variant; `start` counts from 0."""

    start: int
    ref: str
    alt: str


def people_of(draw: random.Random, n: int = _PEOPLE) -> list[Person]:
    sexes = [Sex.XX, Sex.XY, Sex.XX, Sex.XY, Sex.UNKNOWN]
    return [
        Person(f"P{i}", draw.choice("ABC"), draw.choice(sexes), draw.random() > 0.1)
        for i in range(n)
    ]


def cohort(seed: int, sites: int, contigs: Iterable[str] = ("chr1", "X")) -> Cohort:
    """Make a cohort whose variants have one to four records each."""
    draw = random.Random(seed)
    people = people_of(draw)
    bases, lines = {}, []
    for contig in contigs:
        pieces, spans = [], []
        for _ in range(sites):
            unit = draw.choice(_UNITS)
            repeat = (unit * 12)[: 12 // len(unit) * len(unit)]
            pieces += ["".join(draw.choices("ACGT", k=_SITE)), repeat]
            spans.append((sum(map(len, pieces[:-1])), unit, len(repeat)))
        whole = bases[contig] = "".join([*pieces, "G" * 20])
        found = []
        for span in spans:
            found += _site(draw, contig, whole, span, people)
        # Records of one position stay in the order in which they were drawn.
        lines += sorted(found, key=lambda line: line.position)
    return Cohort(bases, people, lines)


def write(cohort: Cohort, folder: Path) -> tuple[Path, Path, Path]:
    """Write the file, the sheet and the reference of a cohort."""
    draw = random.Random(0)
    rows = [(p.name, p.population, str(p.sex), "yes" if p.include else "no") for p in cohort.people]
    sheet = write_sheet(folder / "sheet.tsv", rows, include=True)
    fasta = write_fasta(folder / "ref.fa", cohort.bases)
    stranger = len(cohort.people) // 2
    names = [p.name for p in cohort.people]
    names.insert(stranger, "stranger")
    records = []
    for line in cohort.lines:
        calls = list(line.calls)
        calls.insert(stranger, draw.choice(calls))
        records.append(
            (line.contig, line.position, line.ref, ",".join(line.alts), "PASS", line.format, *calls)
        )
    text = vcf_text(names, records, contigs=cohort.bases, headers=RICH_HEADERS)
    return write_vcf(folder / "a.vcf", text), sheet, fasta


def _site(
    draw: random.Random,
    contig: str,
    bases: str,
    span: tuple[int, str, int],
    people: Sequence[Person],
) -> list[Line]:
    """Make the records of one variant, in or just before the repeat that starts at `span`."""
    kind = draw.choice(("deletion", "insertion", "deletion", "insertion", "snv", "mnv"))
    n = draw.choice((1, 2, 2, 2, 3, 4))
    spellings: list[Spelling] = []
    place = span[0] - draw.randint(10, 20)
    change = "".join(draw.choice("ACGT".replace(b, "")) for b in bases[place : place + 2])
    units = draw.randint(1, 2) * len(span[1])
    for _ in range(n):
        if spellings and draw.random() < 0.3:
            spellings.append(draw.choice(spellings))
            continue
        offset = draw.randint(0, span[2] - units)
        start = span[0] + offset
        ring = bases[start : start + units]
        spelling = {
            "deletion": Spelling(start, ring, ""),
            "insertion": Spelling(start, "", ring),
            "snv": Spelling(place, bases[place], change[0]),
            "mnv": Spelling(place, bases[place : place + 2], change),
        }[kind]
        spellings.append(_with_spare_bases(draw, spelling, bases))
    (layout,) = draw.choices([*LAYOUTS], [*LAYOUTS.values()])
    if layout == "halves" and draw.random() < 0.5:
        spellings = spellings[:1] * n
    writer = _Writer(draw, contig, people, in_both_cases=n == 1, noisy=layout not in _EXACT)
    dealt = _copies(draw, layout, n, len(people))
    return [writer.line(*each) for each in zip(spellings, dealt, strict=True)]


def _with_spare_bases(draw: random.Random, spelling: Spelling, bases: str) -> Spelling:
    start, ref, alt = spelling
    left, right = draw.choice(((1, 0), (1, 0), (0, 1), (2, 3), (0, 0)))
    if not (ref and alt) and left + right == 0:
        left = 1
    end = start + len(ref)
    before, after = bases[start - left : start], bases[end : end + right]
    return Spelling(start - left, before + ref + after, before + alt + after)


def _copies(draw: random.Random, layout: str, n: int, people: int) -> list[list[int | None]]:
    """Deal out the copies that each record says each person has; None is not called."""
    table: list[list[int | None]] = [[0] * people for _ in range(n)]
    carriers = draw.sample(range(people), draw.randint(2, people // 3))
    if layout == "one":
        carriers = carriers[:1]
    for person in range(people):
        if layout == "halves":
            for number in range(n):
                table[number][person] = 0 if person % n == number else None
    for person in carriers:
        copies = draw.choice((1, 1, 2))
        if layout in _EXACT:
            for record in table:
                record[person] = 1
        elif layout in ("disjoint", "halves"):
            number = person % n if layout == "halves" else draw.randrange(n)
            table[number][person] = copies
        elif layout == "random":
            for record in table:
                record[person] = draw.choice((0, 1, 2))
        else:
            for _ in range(copies):
                record = draw.choice(table)
                record[person] = (record[person] or 0) + 1
    if layout == "exceeding":
        for record in table:
            record[carriers[0]] = draw.choice((1, 2))
    return table


class _Writer(NamedTuple):
    """Writes the records of a variant: some with other ALTs, or swapped.

    An ALT may stand in a record twice, in upper and lower case; and calls that are not to be exact may
    lack alleles.
    """

    draw: random.Random
    contig: str
    people: Sequence[Person]
    in_both_cases: bool
    noisy: bool

    def line(self, spelling: Spelling, copies: Sequence[int | None]) -> Line:
        draw = self.draw
        start, ref, alt = spelling
        alts, own, reference, others = [alt], [1], 0, []
        if len(ref) == len(alt) == 1 and draw.random() < 0.4:
            ref, alts, own, reference = alt, [ref], [0], 1
        elif draw.random() < 0.4:
            sibling = ref[:-1] + draw.choice("ACGT".replace(ref[-1], ""))
            extra = draw.choice(("*", "<DEL>", sibling))
            if extra != alt:
                alts.insert(draw.randint(0, 1), extra)
                own, others = [alts.index(alt) + 1], [alts.index(extra) + 1]
        elif self.in_both_cases and draw.random() < 0.7:
            alts, own = [alt, alt.lower()], [1, 2]
        calls = []
        for who, n in zip(self.people, copies, strict=True):
            alleles = _alleles(draw, n, own, reference, others)
            if self.contig == "X" and who.sex is Sex.XY:
                carried = [a for a in alleles if a in own]
                alleles = self._of_one_copy(who, alleles, (carried or [reference])[0])
            elif self.noisy and n is not None and draw.random() < 0.03:
                one, other = alleles
                alleles = draw.choice(([one], [one, None], [None, other], [None, None]))
            text = draw.choice("/|").join("." if a is None else str(a) for a in alleles)
            calls.append(":".join((text, *_fields(draw, 1 + len(alts)))))
        return Line(self.contig, start + 1, ref, tuple(alts), "GT:AD:DP:GQ", tuple(calls))

    def _of_one_copy(self, who: Person, alleles: list[int | None], one: int) -> list[int | None]:
        """Write it with one allele, or with the same one twice; rarely with two, which is an error."""
        first, second = alleles
        if first is None or (first != second and self.draw.random() < 0.1):
            return alleles
        return [one] * (1 if int(who.name[1:]) % 3 else 2)


def _alleles(
    draw: random.Random, n: int | None, own: list[int], reference: int, others: list[int]
) -> list[int | None]:
    if n is None:
        return [None, None]
    rest = [
        draw.choice(others) if others and draw.random() < 0.1 else reference for _ in range(2 - n)
    ]
    alleles = [*(draw.choice(own) for _ in range(n)), *rest]
    draw.shuffle(alleles)
    return alleles


def _fields(draw: random.Random, n_alleles: int) -> tuple[str, str, str]:
    """Draw AD, DP and GQ about the thresholds, some of them missing."""
    reads = ",".join(str(draw.randint(2, 15)) for _ in range(n_alleles))
    depth, quality = str(draw.randint(6, 40)), str(draw.choice((10, 19, 20, 50, 99)))
    return tuple("." if draw.random() < 0.02 else x for x in (reads, depth, quality))
