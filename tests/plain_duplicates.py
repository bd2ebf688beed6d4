"""Variants that several source alleles state, settled and counted slowly: a call and a person at a time.

It shares nothing with the stages but the meaning of their results.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from afpanel.constants import Sex
from afpanel.core.counting import GenotypeFilter

Variant = tuple[str, int, str, str]
Cell = tuple[str, str]
Figures = tuple[int, ...]
"""AC, AN, nhomalt, nhemialt, copies of ALT, and alleles, that are the only one of their person."""

RAW: Cell = ("everybody", "before the filter")
"""Where AC and AN of all people before the genotype filter stand."""


class Person(NamedTuple):
    """A row of the sample sheet."""

    name: str
    population: str
    sex: Sex
    include: bool


class Line(NamedTuple):
    """A record; each call has what FORMAT has."""

    contig: str
    position: int
    ref: str
    alts: tuple[str, ...]
    format: str
    calls: tuple[str, ...]


class Call(NamedTuple):
    """The alleles of a call, without those that are missing, as many as GT has, and its fields."""

    alleles: tuple[int, ...]
    size: int
    fields: dict[str, str]


class Member(NamedTuple):
    """A source allele: line, number of the ALT, of the allele that is counted, and how it is written."""

    line: int
    column: int
    index: int
    written: str


class Plain(NamedTuple):
    """What should come out.

    Parameters
    ----------
    figures
        Of each variant, in every cell.
    fates
        Of each source allele: the number of the allele that is counted, and ``kept``, ``merged`` into
        another one, ``duplicate``, ``star`` or ``symbolic``.
    reasons
        How many variants of several source alleles were settled for which reason.
    """

    figures: dict[Variant, dict[Cell, Figures]]
    fates: list[tuple[int, str]]
    reasons: Counter[str]


def read_call(line: Line, person: int) -> Call:
    fields = dict(zip(line.format.split(":"), line.calls[person].split(":"), strict=True))
    alleles = re.split(r"[/|]", fields["GT"])
    return Call(tuple(int(a) for a in alleles if a != "."), len(alleles), fields)


def canonical(position: int, ref: str, alt: str, bases: str) -> tuple[int, str, str]:
    """Normalise as Tan, Abecasis and Kang (2015) write it, base by base."""
    while not ref or not alt or ref[-1] == alt[-1]:
        if ref and alt:
            ref, alt = ref[:-1], alt[:-1]
        else:
            position -= 1
            ref, alt = bases[position - 1] + ref, bases[position - 1] + alt
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        position, ref, alt = position + 1, ref[1:], alt[1:]
    return position, ref, alt


def plain_results(
    lines: Sequence[Line],
    bases: Mapping[str, str],
    people: Sequence[Person],
    genotype_filter: GenotypeFilter,
) -> Plain:
    """Work out what becomes of all source alleles of a cohort, in the order of its file."""
    members: dict[Variant, list[Member]] = {}
    fate_of: dict[tuple[int, int], tuple[int, str]] = {}
    for number, line in enumerate(lines):
        base = bases[line.contig][line.position - 1]
        single = all(len(allele) == 1 for allele in (line.ref, *line.alts))
        is_swapped = single and line.ref != base and base in line.alts
        for column, alt in enumerate(line.alts, 1):
            if alt in ("*", "<DEL>"):
                fate_of[number, column] = (column, "star" if alt == "*" else "symbolic")
                continue
            ref, other, index = line.ref.upper(), alt.upper(), column
            if is_swapped:
                ref, other, index = (base, ref, 0) if alt == base else (base, other, column)
            form = canonical(line.position, ref, other, bases[line.contig])
            member = Member(number, column, index, f"{line.position} {line.ref} {alt}".upper())
            members.setdefault((line.contig, *form), []).append(member)
    calls = [[read_call(line, i) for i in range(len(people))] for line in lines]
    # Who is not included has no say.
    said = [[c for c, who in zip(row, people, strict=True) if who.include] for row in calls]
    figures, reasons = {}, Counter()
    for variant, rows in members.items():
        moves = len(variant[2]) != len(variant[3])
        reason = settle(rows, said, moves=moves) if len(rows) > 1 else ""
        reasons += Counter([reason] if reason else [])
        counted = rows
        if reason not in ("", "merged"):
            # Of the lines with most calls the first; max() finds it.
            best = max(rows, key=lambda m: sum(len(call.alleles) for call in said[m.line]))
            counted = [m for m in rows if m.line == best.line]
        for m in rows:
            fate = "kept" if m is counted[0] else "merged" if m in counted else "duplicate"
            fate_of[m.line, m.column] = (m.index, fate)
        figures[variant] = count_people(counted, lines, calls, people, genotype_filter)
    return Plain(figures, [fate_of[key] for key in sorted(fate_of)], reasons)


def settle(rows: Sequence[Member], calls: Sequence[Sequence[Call]], *, moves: bool) -> str:
    """Tell why source alleles of one variant are not counted together, or ``merged``.

    Records count as one with all their alleles of the variant. What moves, an insertion or deletion, a
    single carrier may have once in each of two places.
    """
    numbers = sorted({m.line for m in rows})
    if len(numbers) == 1:
        return "merged"
    copies = {n: [0] * len(calls[0]) for n in numbers}
    for m in rows:
        for person, call in enumerate(calls[m.line]):
            copies[m.line][person] += call.alleles.count(m.index)
    for person, each in enumerate(zip(*copies.values(), strict=True)):
        if sum(each) > max(len(calls[n][person].alleles) for n in numbers):
            return "too many copies"
    for m in rows:
        for other in rows:
            if m.line < other.line and m.written == other.written:
                both = zip(calls[m.line], calls[other.line], strict=True)
                if any(a.alleles and b.alleles for a, b in both):
                    return "said twice"
    first, *others = copies.values()
    if all(each == first for each in others) and sum(map(bool, first)) > moves:
        return "the same carriers"
    return "merged"


def count_people(
    counted: Sequence[Member],
    lines: Sequence[Line],
    calls: Sequence[Sequence[Call]],
    people: Sequence[Person],
    genotype_filter: GenotypeFilter,
) -> dict[Cell, Figures]:
    """Count a variant in every cell, from the alleles that are counted together."""
    cells = {(who.population, str(who.sex)): Counter() for who in people if who.include}
    everybody: Counter[str] = Counter()
    for person, who in enumerate(people):
        if not who.include:
            continue
        found, unfiltered = Counter(), Counter()
        for raw in (False, True):
            said = [(0, 0, False)]
            for m in counted:
                line, call = lines[m.line], calls[m.line][person]
                n_copies = copies_of(line.contig, who.sex)
                one_copy = n_copies == 1 or call.size == 1
                if raw or passes(call, line.format, genotype_filter, one_copy=one_copy):
                    said.append(adds(call, m.index, n_copies, genotype_filter))
            ac = sum(each[0] for each in said)
            an = max(
                min(ac, copies_of(lines[counted[0].line].contig, who.sex)),
                *(each[1] for each in said),
            )
            ac = min(ac, an)
            if raw:
                unfiltered.update(ac=ac, an=an)
            else:
                hemizygous = an == 1 and any(each[2] for each in said)
                found.update(
                    ac=ac,
                    an=an,
                    hom=ac == an == 2,
                    hemi=hemizygous,
                    single_alt=ac == an == 1,
                    single=an == 1,
                )
        cells[who.population, str(who.sex)] += found
        everybody += unfiltered
    names = ("ac", "an", "hom", "hemi", "single_alt", "single")
    figures = {cell: tuple(found[name] for name in names) for cell, found in cells.items()}
    return figures | {RAW: (everybody["ac"], everybody["an"])}


def copies_of(contig: str, sex: Sex) -> int:
    """Copies that somebody has of a contig, the pseudoautosomal regions left aside."""
    return {Sex.XX: 2, Sex.XY: 1, Sex.UNKNOWN: 0}[sex] if contig == "X" else 2


def adds(call: Call, index: int, n_copies: int, f: GenotypeFilter) -> tuple[int, int, bool]:
    """Tell what a call adds to AC and AN, and whether it is a haploid call of the allele."""
    if n_copies == 0 or not call.alleles:
        return 0, 0, False
    if n_copies == 1 or call.size == 1:
        if len(set(call.alleles)) > 1:
            return 0, 0, False
        is_it = call.alleles[0] == index
        return int(is_it), 1, is_it
    if len(call.alleles) < call.size and f.half_calls_missing:
        return 0, 0, False
    return call.alleles.count(index), len(call.alleles), False


def passes(call: Call, format_: str, f: GenotypeFilter, *, one_copy: bool) -> bool:
    """Apply the genotype filter as the documentation has it."""
    if "GQ" not in format_:
        return True
    gq, dp = (-1 if call.fields[x] == "." else int(call.fields[x]) for x in ("GQ", "DP"))
    min_dp = f.min_dp_haploid if one_copy else f.min_dp
    if (f.min_gq and gq < f.min_gq) or (min_dp and dp < min_dp):
        return False
    if f.min_ab and len(set(call.alleles)) > 1:
        reads = call.fields["AD"].split(",")
        of_alts = [reads[a] if a < len(reads) else "." for a in call.alleles if a]
        return dp > 0 and all(x != "." and int(x) >= f.min_ab * dp for x in of_alts)
    return True
