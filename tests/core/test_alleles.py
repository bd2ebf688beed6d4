"""Normalisation against bcftools, against brute force, and rule by rule."""

import csv
import io
import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import write_fasta

from afpanel.constants import Flag, Outcome
from afpanel.core.alleles import Normalized, normalize
from afpanel.core.strings import Strings
from afpanel.io.source import open_source

Allele = tuple[int, str, str]
"""POS, REF and ALT."""

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True)


def run(alleles: Iterable[Allele], reference: str) -> Normalized:
    """Normalise (POS, REF, ALT) rows on one contig."""
    rows = list(alleles)
    position, ref, alt = zip(*rows, strict=True) if rows else ((), (), ())
    bases = np.frombuffer(reference.encode(), np.uint8)
    return normalize(
        np.array(position, np.int32), Strings.of(list(ref)), Strings.of(list(alt)), bases
    )


def rows_of(result: Normalized) -> list[Allele]:
    """List the alleles of a result as (POS, REF, ALT)."""
    columns = result.position.tolist(), result.ref.objects(), result.alt.objects()
    return list(zip(*columns, strict=True))


def one(allele: Allele, reference: str) -> tuple[Outcome, Flag, Allele]:
    """Normalise a single allele."""
    result = run([allele], reference)
    return Outcome(result.outcome[0]), Flag(int(result.flags[0])), rows_of(result)[0]


def haplotype(allele: Allele, reference: str) -> str:
    """The contig's sequence in somebody who carries the allele."""
    position, ref, alt = allele
    start = position - 1
    assert reference[start : start + len(ref)] == ref
    return reference[:start] + alt + reference[start + len(ref) :]


# ---------------------------------------------------------------------------------------------
# bcftools


def repetitive_sequence(rng: random.Random, length: int) -> str:
    """Make a sequence that is mostly homopolymers and short tandem repeats, where alleles shift."""
    pieces = []
    while sum(map(len, pieces)) < length:
        unit = "".join(rng.choices("ACGT", k=rng.choice([1, 1, 2, 2, 3, 4, 5])))
        pieces.append(unit * rng.randint(2, 14))
        if rng.random() < 0.5:
            pieces.append("".join(rng.choices("ACGT", k=rng.randint(1, 12))))
    return "".join(pieces)[:length]


def random_alt(rng: random.Random, reference: str, start: int, core: str) -> str:
    """Change the bases `core`, which stand at `start`, in one of the ways that callers do."""
    inserted = "".join(rng.choices("ACGT", k=rng.randint(1, 8)))
    match rng.randrange(7):
        case 0:  # substitution of every length, also one that changes nothing at its ends
            return "".join(rng.choices("ACGT", k=len(core)))
        case 1:
            return ""
        case 2:
            return core + inserted
        case 3:  # duplication of what is there, the insertion that shifts
            return core + reference[start : start + rng.randint(1, 10)]
        case 4:  # duplication of what comes before
            return reference[max(0, start - rng.randint(1, 10)) : start] + core
        case 5:
            return core[: rng.randint(0, len(core))]
        case _:
            return inserted


def random_case(rng: random.Random, bases: str) -> str:
    """Write now and then an allele in lower case, or in both."""
    chance = rng.random()
    if chance < 0.8:
        return bases
    return bases.lower() if chance < 0.9 else "".join(rng.choice((b, b.lower())) for b in bases)


def random_records(
    rng: random.Random, reference: str, count: int
) -> list[tuple[int, str, list[str]]]:
    """Make records of one to four ALTs: (POS, REF, ALTs), sorted."""
    records = []
    while len(records) < count:
        start = rng.randrange(len(reference)) if rng.random() < 0.95 else rng.randrange(6)
        core = reference[start : start + rng.choice([0, 1, 1, 1, 2, 3, 5, 9, 17])]
        left = reference[max(0, start - rng.choice([0, 0, 1, 1, 2, 6])) : start]
        right = reference[start + len(core) :][: rng.choice([0, 0, 0, 1, 2, 7])]
        ref = left + core + right
        alts = {
            left + random_alt(rng, reference, start, core) + right
            for _ in range(rng.choice([1, 1, 1, 1, 2, 4]))
        }
        alts -= {"", ref}
        if ref and alts:
            spelled = [random_case(rng, alt) for alt in sorted(alts)]
            records.append((start - len(left) + 1, random_case(rng, ref), spelled))
    return sorted(records, key=lambda record: record[0])


def bcftools_norm(
    folder: Path, reference: str, records: list[tuple[int, str, list[str]]]
) -> dict[int, list[Allele]]:
    """Split and left-align with bcftools; what became of each record, by its number."""
    rng = random.Random(7)
    soft_masked = "".join(rng.choice((base, base, base.lower())) for base in reference)
    fasta = write_fasta(folder / "reference.fa", {"c": soft_masked})
    lines = ["##fileformat=VCFv4.2", f"##contig=<ID=c,length={len(reference)}>"]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    lines += [f"c\t{p}\tr{i}\t{r}\t{','.join(a)}\t.\t.\t." for i, (p, r, a) in enumerate(records)]
    source, out = folder / "in.vcf", folder / "out.vcf"
    source.write_text("\n".join(lines) + "\n")
    pysam.bcftools.norm(
        "-m", "-", "-f", str(fasta), "-o", str(out), str(source), catch_stdout=False
    )
    result = defaultdict(list)
    for line in out.read_text().splitlines():
        if not line.startswith("#"):
            _, position, identifier, ref, alt, *_ = line.split("\t")
            result[int(identifier[1:])].append((int(position), ref.upper(), alt.upper()))
    return result


@pytest.mark.parametrize(("seed", "length"), [(1, 4_999), (2, 257), (3, 20_011)])
def test_random_alleles_are_normalized_as_bcftools_does(
    tmp_path: Path, seed: int, length: int
) -> None:
    rng = random.Random(seed)
    reference = repetitive_sequence(rng, length)
    records = random_records(rng, reference, 6_000)
    source = [(position, ref, alt) for position, ref, alts in records for alt in alts]
    assert len(source) > 8_000
    result = run(source, reference)
    assert set(result.outcome) == {Outcome.KEPT}
    ours = iter(rows_of(result))
    theirs = bcftools_norm(tmp_path, reference, records)
    different = [
        (record, expected)
        for i, record in enumerate(records)
        if sorted(next(ours) for _ in record[2]) != (expected := sorted(theirs[i]))
    ]
    assert different == []
    shifted = np.count_nonzero(result.flags & Flag.LEFT_ALIGNED)
    trimmed = np.count_nonzero(result.flags & Flag.TRIMMED)
    assert min(shifted, trimmed) > 1_000, "the alleles are too easy to say anything"


# ---------------------------------------------------------------------------------------------
# Brute force

PIECES = st.builds(
    lambda unit, copies: unit * copies, st.text("ACGT", min_size=1, max_size=3), st.integers(1, 6)
)
REFERENCES = st.lists(PIECES, min_size=1, max_size=5).map("".join).map(lambda text: text[:36])


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, str]:
    """A reference, and another sequence made from it by one change."""
    reference = draw(REFERENCES)
    start = draw(st.integers(0, len(reference)))
    end = draw(st.integers(start, min(len(reference), start + 6)))
    inserted = draw(st.one_of(st.text("ACGT", max_size=6), PIECES))
    changed = reference[:start] + inserted + reference[end:]
    if changed in ("", reference):
        changed = reference + "A"
    return reference, changed


def spellings(reference: str, changed: str) -> list[Allele]:
    """Every (POS, REF, ALT) with bases on both sides that turns one sequence into the other."""
    grown = len(changed) - len(reference)
    found = []
    for start in range(len(reference)):
        if reference[:start] != changed[:start]:
            break
        for end in range(start + 1, len(reference) + 1):
            ref, alt = reference[start:end], changed[start : max(start, end + grown)]
            if alt and changed == reference[:start] + alt + reference[end:]:
                found.append((start + 1, ref, alt))
    return found


@SETTINGS
@given(changes())
def test_every_spelling_of_a_variant_converges_on_the_shortest_and_leftmost(
    change: tuple[str, str],
) -> None:
    source = spellings(*change)
    result = run(source, change[0])
    canonical = min(source, key=lambda allele: (len(allele[1]) + len(allele[2]), allele[0]))
    assert set(result.outcome) == {Outcome.KEPT}
    assert set(rows_of(result)) == {canonical}


@SETTINGS
@given(changes())
def test_the_canonical_form_makes_the_same_haplotype_as_its_source(change: tuple[str, str]) -> None:
    reference, changed = change
    canonical = rows_of(run(spellings(reference, changed), reference))
    assert {haplotype(allele, reference) for allele in canonical} == {changed}


@SETTINGS
@given(changes())
def test_normalizing_twice_changes_nothing_more(change: tuple[str, str]) -> None:
    reference, changed = change
    once = rows_of(run(spellings(reference, changed), reference))
    twice = run(once, reference)
    assert rows_of(twice) == once
    assert set(twice.flags) == {Flag.AS_IS}


@SETTINGS
@given(changes())
def test_flags_say_how_the_canonical_form_differs_from_the_source(change: tuple[str, str]) -> None:
    source = spellings(*change)
    result = run(source, change[0])
    for before, after, flags in zip(source, rows_of(result), result.flags, strict=True):
        assert bool(flags & Flag.TRIMMED) == (len(after[1]) < len(before[1]))
        assert bool(flags & Flag.LEFT_ALIGNED) == (after[0] < before[0])
        assert (flags == Flag.AS_IS) == (after == before)


@SETTINGS
@given(changes(), st.randoms(use_true_random=False))
def test_case_of_the_alleles_means_nothing(change: tuple[str, str], rng: random.Random) -> None:
    reference, changed = change
    source = spellings(reference, changed)
    mixed = [
        (position, *("".join(rng.choice((b, b.lower())) for b in allele) for allele in alleles))
        for position, *alleles in source
    ]
    plain, spelled = run(source, reference), run(mixed, reference)
    assert rows_of(spelled) == rows_of(plain)
    assert spelled.flags.tolist() == plain.flags.tolist()


# ---------------------------------------------------------------------------------------------
# Rule by rule

REFERENCE = "AACCCGTGTGTNTTTTTTA"
#            1234567890123456789


@pytest.mark.parametrize(
    ("allele", "outcome"),
    [
        ((3, "C", "A"), Outcome.KEPT),
        ((3, "c", "a"), Outcome.KEPT),
        ((3, "G", "A"), Outcome.REF_MISMATCH),
        ((4, "CCC", "C"), Outcome.REF_MISMATCH),
        ((3, "G", "C"), Outcome.REF_MISMATCH),  # ALT is the reference's base
        ((0, "A", "C"), Outcome.REF_MISMATCH),
        ((19, "A", "C"), Outcome.KEPT),
        ((19, "AA", "A"), Outcome.REF_MISMATCH),
        ((20, "A", "C"), Outcome.REF_MISMATCH),
        ((2_000_000_000, "A", "C"), Outcome.REF_MISMATCH),
        ((3, "C", "*"), Outcome.STAR),
        ((3, "G", "*"), Outcome.STAR),
        ((3, "C", "<DEL>"), Outcome.SYMBOLIC),
        ((3, "C", "<*>"), Outcome.SYMBOLIC),
        ((3, "C", "<NON_REF>"), Outcome.SYMBOLIC),
        ((3, "C", "<INS:ME:ALU>"), Outcome.SYMBOLIC),
        ((3, "G", "<DEL>"), Outcome.SYMBOLIC),  # callers of structural variants write N, or worse
        ((3, "C", "C[2:321681["), Outcome.SYMBOLIC),
        ((3, "C", "]13:123456]C"), Outcome.SYMBOLIC),
        ((3, "C", ".A"), Outcome.SYMBOLIC),
        ((3, "C", "A."), Outcome.SYMBOLIC),
        ((3, "C", "."), Outcome.SYMBOLIC),
        ((3, "C", "N"), Outcome.IUPAC),
        ((3, "C", "R"), Outcome.IUPAC),
        ((3, "C", "CAy"), Outcome.IUPAC),
        ((3, "C", "I"), Outcome.IUPAC),
        ((3, "C", "D"), Outcome.IUPAC),
        ((3, "C", "-"), Outcome.IUPAC),
        ((3, "C", "0"), Outcome.IUPAC),
        ((3, "M", "A"), Outcome.IUPAC),
        ((12, "N", "A"), Outcome.IUPAC),
        ((11, "TNT", "T"), Outcome.IUPAC),
        ((3, "C", ""), Outcome.IUPAC),
        ((3, "C", "C"), Outcome.NOT_A_VARIANT),
        ((3, "C", "c"), Outcome.NOT_A_VARIANT),
        ((3, "CCC", "CCC"), Outcome.NOT_A_VARIANT),
        ((3, "G", "G"), Outcome.REF_MISMATCH),
    ],
)
def test_an_allele_is_kept_or_rejected_for_its_reason(allele: Allele, outcome: Outcome) -> None:
    found, flags, row = one(allele, REFERENCE)
    assert found == outcome
    if outcome != Outcome.KEPT:
        assert flags == Flag.AS_IS
        assert row == allele, "a rejected allele keeps its source's spelling"


@pytest.mark.parametrize(
    ("source", "canonical", "flags"),
    [
        ((3, "C", "T"), (3, "C", "T"), Flag.AS_IS),
        ((2, "ACC", "ATC"), (3, "C", "T"), Flag.TRIMMED),
        ((3, "CC", "TT"), (3, "CC", "TT"), Flag.AS_IS),
        ((2, "ACCC", "ATTC"), (3, "CC", "TT"), Flag.TRIMMED),
        ((2, "A", "AC"), (2, "A", "AC"), Flag.AS_IS),
        ((4, "C", "CC"), (2, "A", "AC"), Flag.LEFT_ALIGNED),
        ((4, "CC", "CCC"), (2, "A", "AC"), Flag.TRIMMED | Flag.LEFT_ALIGNED),
        ((4, "CC", "C"), (2, "AC", "A"), Flag.LEFT_ALIGNED),
        ((9, "TGT", "T"), (5, "CGT", "C"), Flag.LEFT_ALIGNED),
        ((10, "GT", "GTGT"), (5, "C", "CGT"), Flag.TRIMMED | Flag.LEFT_ALIGNED),
        ((18, "TA", "A"), (12, "NT", "N"), Flag.LEFT_ALIGNED),  # the anchor is what is there
    ],
)
def test_worked_examples_have_the_canonical_form_of_the_specification(
    source: Allele, canonical: Allele, flags: Flag
) -> None:
    assert one(source, REFERENCE) == (Outcome.KEPT, flags, canonical)


@pytest.mark.parametrize(
    ("source", "canonical"),
    [
        ((1, "GAT", "T"), (1, "GAT", "T")),  # VCF: the base after the event, where none is before
        ((1, "GATT", "TT"), (1, "GAT", "T")),
        ((1, "G", "CG"), (1, "G", "CG")),
        ((1, "GA", "TTGA"), (1, "G", "TTG")),
        ((1, "GAT", "GGAT"), (1, "G", "GG")),
        ((1, "GATT", "C"), (1, "GATT", "C")),
    ],
)
def test_at_the_first_base_of_a_contig_the_anchor_follows(
    source: Allele, canonical: Allele
) -> None:
    assert one(source, "GATTACA")[::2] == (Outcome.KEPT, canonical)


def test_the_deletion_of_a_whole_contig_but_its_last_base_is_kept() -> None:
    assert one((1, "GAT", "T"), "GAT")[::2] == (Outcome.KEPT, (1, "GAT", "T"))


def test_a_table_keeps_its_order_and_its_neighbours_do_not_matter() -> None:
    alleles = [
        (18, "T", "TT"), (3, "C", "*"), (2, "ACC", "ATC"), (3, "C", ""), (1, "AA", "A"),
        (5, "G", "A"), (3, "C", "<DEL>"), (9, "TGT", "T"), (12, "N", "A"), (3, "C", "C"),
    ]  # fmt: skip
    table = run(alleles, REFERENCE)
    alone = [one(allele, REFERENCE) for allele in alleles]
    rows = zip(table.outcome, table.flags, rows_of(table), strict=True)
    assert list(rows) == alone


def test_a_table_without_rows_is_no_error() -> None:
    result = run([], REFERENCE)
    assert rows_of(result) == []
    assert len(result.outcome) == len(result.flags) == 0


def test_a_slice_of_a_larger_column_is_read_at_its_place() -> None:
    ref = Strings.of(["GGGG", "CC", "C"]).take(np.array([1, 2]))
    alt = Strings.of(["GGGG", "C", "T"]).take(np.array([1, 2]))
    bases = np.frombuffer(REFERENCE.encode(), np.uint8)
    result = normalize(np.array([4, 3], np.int32), ref, alt, bases)
    assert rows_of(result) == [(2, "AC", "A"), (3, "C", "T")]


# ---------------------------------------------------------------------------------------------
# The test suite of bcftools itself

COMPARED = {
    "split": [
        "bcftools_L300_norm_sort_1",
        "bcftools_L301_norm_sort_2",
        "bcftools_L303_norm_split_5_1",
        "bcftools_L306_norm_split",
        "bcftools_L307_norm_split_2",
        "bcftools_L308_norm_split_3",
        "bcftools_L309_norm_split_4_1",
        "bcftools_L310_norm_split_4_2",
        "bcftools_L350_norm_5_1",
        "bcftools_L351_norm_5_2",
        "bcftools_L352_norm_m-any_1",
        "bcftools_L360_norm_string-tags_1",
    ],
    "normalized": [
        "bcftools_L299_norm_breakend_1_1",
        "bcftools_L304_norm_symbolic_3_1",
        "bcftools_L311_norm_split_and_norm",
        "bcftools_L330_norm_rmdup_3_1",
        "bcftools_L331_norm_rmdup_3_2",
        "bcftools_L355_norm_symbolic_1",
        "bcftools_L356_norm_symbolic_2",
        "bcftools_L357_norm_right-align_1",
        "bcftools_L298_norm_6_1",
    ],
    # Not split by bcftools, which trims and shifts the ALTs of a record together: what it wrote is
    # another spelling, and must have our canonical forms.
    "converging": ["bcftools_L305_norm"],
}
"""Cases by how they are compared: after splitting, after normalisation, or by convergence."""

LEFT_OUT = {
    "bcftools_L293_norm_check-ref_1": "-c s rewrites a wrong REF; ours rejects it",
    "bcftools_L316_norm_setref": "-c s rewrites a wrong REF; ours rejects it",
    "bcftools_L333_norm_iupac": "-c s rewrites an ambiguous REF; ours rejects it",
    "bcftools_L334_norm_3": "-c s rewrites an N in REF; ours rejects it",
    "bcftools_L335_norm_3_2": "-c s rewrites an N in REF; ours rejects it",
    "bcftools_L317_norm_telomere": "deletes an N; ours rejects N in alleles",
    "bcftools_L353_norm_phased-split_1": "has tetraploid calls; ours refuses them by name",
    "bcftools_L366_norm_split_merge_5": "splits only the records that an expression selects",
}
LEFT_OUT_CATEGORIES = {
    "join": "ours never joins records",
    "atomize": "ours never takes an MNV apart",
    "rightalign": "ours never aligns to the right",
    "strand": "fixref resolves strands by rules of its own",
}
"""Why the other cases say nothing of ours. Removing duplicates without a FASTA is another step."""


def suite(test_data: Path) -> dict[str, dict[str, str]]:
    with (test_data / "suites/bcftools-norm/cases.tsv").open(newline="") as table:
        return {row["name"]: row for row in csv.DictReader(table, delimiter="\t")}


def test_every_case_of_the_bcftools_suite_is_compared_or_left_out_for_a_reason(
    test_data: Path,
) -> None:
    compared = {name for names in COMPARED.values() for name in names}
    unexplained = [
        name
        for name, case in suite(test_data).items()
        if name not in compared
        and name not in LEFT_OUT
        and not any(category in case["category"] for category in LEFT_OUT_CATEGORIES)
        and case["category"] != "dedup"
    ]
    assert unexplained == []
    assert not compared & LEFT_OUT.keys()
    assert compared | LEFT_OUT.keys() <= suite(test_data).keys()


def test_every_deviation_from_bcftools_is_argued_in_the_documentation(root: Path) -> None:
    text = (root / "docs/harmonization.md").read_text()
    argued = text[text.index("## Beside bcftools norm") :]
    for name in (*LEFT_OUT, *LEFT_OUT_CATEGORIES, "dedup"):
        assert name in argued.replace("`rightalign`", "rightalign")


def split_alleles(path: Path) -> set[tuple[str, int, str, str]]:
    """Split the records of a file as they are read by this project."""
    return {
        (block.contig, int(position), alleles[0], alt)
        for block in open_source(path).blocks(None, 7)
        for position, alleles in zip(block.position, block.alleles, strict=True)
        for alt in alleles[1:]
        if alt
    }


def expected_alleles(path: Path) -> set[tuple[str, int, str, str]]:
    """Read the alleles of an expected output as text, without any of our code."""
    lines = [line.split("\t") for line in io.StringIO(path.read_text()) if line[0] != "#"]
    return {(f[0], int(f[1]), f[3], alt) for f in lines for alt in f[4].split(",") if alt != "."}


def normalized_alleles(
    alleles: set[tuple[str, int, str, str]], fasta: Path
) -> set[tuple[str, int, str, str]]:
    """Normalise alleles of several contigs; the set of those that are kept."""
    kept = set()
    with pysam.FastaFile(str(fasta)) as reference:
        for contig in sorted({allele[0] for allele in alleles}):
            rows = [allele[1:] for allele in sorted(alleles) if allele[0] == contig]
            result = run(rows, reference.fetch(contig).upper())
            for row, outcome in zip(rows_of(result), result.outcome, strict=True):
                if outcome == Outcome.KEPT:
                    kept.add((contig, *row))
    return kept


def only_sequence(alleles: set[tuple[str, int, str, str]]) -> set[tuple[str, int, str, str]]:
    """Drop what bcftools writes and a panel has no row for."""
    upper = {(contig, pos, ref.upper(), alt.upper()) for contig, pos, ref, alt in alleles}
    return {row for row in upper if set(row[2] + row[3]) <= set("ACGT")}


@pytest.mark.parametrize(
    ("how", "name"), [(how, name) for how, names in COMPARED.items() for name in names]
)
def test_the_cases_of_bcftools_own_suite_come_out_as_there(
    test_data: Path, how: str, name: str
) -> None:
    case = suite(test_data)[name]
    folder = test_data / "suites/bcftools-norm"
    ours, theirs = (
        split_alleles(folder / case["input"]),
        expected_alleles(folder / case["expected"]),
    )
    assert ours
    if how == "split":
        assert ours == theirs
        return
    fasta = folder / case["fasta"]
    expected = only_sequence(theirs)
    if how == "converging":
        expected = normalized_alleles(expected, fasta)
    assert normalized_alleles(ours, fasta) == expected
