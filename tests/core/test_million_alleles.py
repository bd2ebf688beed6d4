"""A million alleles among repeats: against two other normalisers, and against their other spellings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pysam.bcftools
import pytest
from bioutils.normalize import NormalizationMode
from bioutils.normalize import normalize as normalize_with_bioutils
from numpy.random import Generator
from numpy.typing import NDArray
from pyarrow import csv
from tests.builders import write_fasta

from afpanel.constants import Flag, Outcome
from afpanel.core.alleles import Normalized, normalize
from afpanel.core.strings import Strings, gather

MILLION = 1_000_000
BASES = 700_000
LONG = 400
"""What an allele removes or inserts is shorter, in bases."""

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]
Columns = tuple[NDArray[np.int32], Strings, Strings]
"""POS, REF and ALT."""
Slices = tuple[Integers, Integers]
"""Where in a text the slice for each allele begins, and how long it is."""


# ---------------------------------------------------------------------------------------------
# Making alleles


@dataclass(frozen=True)
class Changes:
    """From `start` of a contig, counted from 0, so many bases are removed and others put there.

    What is put there are slices of `text`, one after the other. The text begins with the contig,
    which has so many `bases`.
    """

    text: Bytes
    bases: int
    start: Integers
    removed: Integers
    inserted: list[Slices]

    def spelled(self, left: Integers, right: Integers) -> Columns:
        """Write alleles with so many shared bases on both sides, as far as the contig reaches."""
        left = np.minimum(left, self.start)
        end = self.start + self.removed
        right = np.minimum(right, self.bases - end)
        begin = self.start - left
        ref = joined(self.text, [(begin, end + right - begin)])
        alt = joined(self.text, [(begin, left), *self.inserted, (end, right)])
        return (begin + 1).astype(np.int32), ref, alt


def joined(text: Bytes, slices: list[Slices]) -> Strings:
    """Join slices of a text, for each of many strings."""
    starts, lengths = (np.column_stack(column).ravel() for column in zip(*slices, strict=True))
    pieces = gather(text, starts, starts + lengths)
    return Strings(np.ascontiguousarray(pieces.offsets[:: len(slices)]), pieces.data)


def taken(columns: Columns, rows: Integers) -> Columns:
    position, ref, alt = columns
    return position[rows], ref.take(rows), alt.take(rows)


def can_be_written(ref: Strings, alt: Strings) -> NDArray[np.bool_]:
    """Tell the alleles of VCF from those that lack a base on one side, for want of shared ones."""
    return (ref.lengths > 0) & (alt.lengths > 0)


def differ(some: Strings, others: Strings) -> NDArray[np.bool_]:
    return pc.not_equal(some.arrow(), others.arrow()).to_numpy(zero_copy_only=False)


def random_bases(rng: Generator, count: int) -> Bytes:
    return np.frombuffer(b"ACGT", np.uint8)[rng.integers(4, size=count)]


def repetitive_reference(rng: Generator, bases: int) -> tuple[Bytes, Integers]:
    """Lay repeats of one to six bases end to end; the sequence, and the length of the unit at each base.

    Half of them have one copy only, so that there is something between repeats. Some are broken by
    other bases, and a few have fifty copies or many more.
    """
    count = bases // 4
    unit = rng.integers(1, 7, count)
    copies = np.where(rng.random(count) < 0.5, 1, 1 + rng.geometric(0.1, count))
    copies[rng.random(count) < 0.001] *= 50
    ends = np.cumsum(unit * copies)
    repeat = np.searchsorted(ends, np.arange(bases), side="right")
    inside = np.arange(bases) - (ends - unit * copies)[repeat]
    reference = random_bases(rng, 6 * count).reshape(count, 6)[repeat, inside % unit[repeat]]
    broken = rng.random(bases) < rng.choice([0, 0, 0, 0.02, 0.1], count)[repeat]
    reference[broken] = random_bases(rng, np.count_nonzero(broken))
    return reference, unit[repeat]


def random_alleles(rng: Generator, reference: Bytes, unit: Integers, count: int) -> Columns:
    """Make alleles of all kinds, sorted by POS."""
    n, bases = count * 3 // 2, len(reference)
    start = rng.integers(bases, size=n)
    near_an_end = rng.random(n) < 0.01
    start[near_an_end] = rng.integers(-25, 25, np.count_nonzero(near_an_end)) % bases
    few, others = rng.integers(1, 9, (2, n))
    copies = unit[start] * rng.integers(1, 9, n)
    many, more = rng.integers(LONG, size=(2, n)) * rng.integers(2, size=(2, n))
    shares = {  # what is removed, what is inserted, and where in the text that is from
        "SNV": (0.15, 1, 1, 0),
        "MNV": (0.1, few, few, 0),
        "insertion": (0.15, 0, few, 0),
        "more copies of a repeat": (0.2, 0, copies, 1),
        "deletion": (0.13, few, 0, 0),
        "fewer copies of a repeat": (0.15, copies, 0, 0),
        "both": (0.1, few, others, 0),
        "both, and much": (0.02, many, more, 2),
    }
    share, removed, inserted, origin = zip(*shares.values(), strict=True)
    kind = rng.choice(len(share), n, p=share)
    elsewhere = rng.integers(bases - LONG, size=n)
    origins = [bases + elsewhere, np.minimum(start, bases - copies), elsewhere]
    changes = Changes(
        np.concatenate([reference, random_bases(rng, bases)]),
        bases,
        start,
        np.minimum(np.choose(kind, removed), bases - start),
        [(np.choose(np.array(origin)[kind], origins), np.choose(kind, inserted))],
    )
    shared = rng.integers(1, 9, (2, n)) * (rng.random((2, n)) < [[0.6], [0.4]])
    position, ref, alt = changes.spelled(*shared)
    rows = np.flatnonzero(can_be_written(ref, alt) & differ(ref, alt))[:count]
    assert len(rows) == count
    return taken((position, ref, alt), rows[np.argsort(position[rows], kind="stable")])


@dataclass(frozen=True)
class Case:
    """Alleles on a contig, and what they are normalised to."""

    reference: Bytes
    source: Columns
    result: Normalized
    canonical: Columns


def normalized(reference: Bytes, source: Columns) -> Case:
    result = normalize(*source, reference)
    assert np.all(result.outcome == Outcome.KEPT)
    return Case(reference, source, result, (result.position, result.ref, result.alt))


@pytest.fixture(scope="module")
def million() -> Case:
    """A million alleles; the same for every test."""
    rng = np.random.default_rng(20_150_219)
    reference, unit = repetitive_reference(rng, BASES)
    return normalized(reference, random_alleles(rng, reference, unit, MILLION))


def differences(source: Columns, ours: Columns, theirs: Columns) -> list[list[tuple]]:
    """Show the first alleles of which two normalisers make something else: source, ours and theirs."""
    wrong = (ours[0] != theirs[0]) | differ(ours[1], theirs[1]) | differ(ours[2], theirs[2])
    first = np.flatnonzero(wrong)[:5]
    shown = [taken(columns, first) for columns in (source, ours, theirs)]
    lists = [zip(p.tolist(), ref.objects(), alt.objects(), strict=True) for p, ref, alt in shown]
    return [list(rows) for rows in zip(*lists, strict=True)]


def test_the_million_alleles_are_of_every_kind_and_hard_enough(million: Case) -> None:
    position, ref, alt = million.canonical
    n_ref, n_alt = ref.lengths, alt.lengths
    anchored = ref.data[ref.offsets[:-1]] == alt.data[alt.offsets[:-1]]
    kinds = {
        "SNV": (n_ref == 1) & (n_alt == 1),
        "MNV": (n_ref == n_alt) & (n_ref > 1),
        "insertion": (n_ref == 1) & anchored,
        "deletion": (n_alt == 1) & anchored,
        "delins": (n_ref != n_alt) & ~anchored,
    }
    sizes = {name: np.count_nonzero(kind) for name, kind in kinds.items()}
    assert min(sizes.values()) > 50_000, sizes
    assert sum(sizes.values()) == MILLION
    shift = million.source[0] - position
    flags = million.result.flags
    assert np.bincount(flags, minlength=4).min() > 20_000
    assert np.count_nonzero(shift > 1_000) > 2_000
    assert np.count_nonzero(np.maximum(n_ref, n_alt) > 100) > 5_000
    assert np.count_nonzero(position == 1) > 100
    assert len(np.unique(position)) > 200_000


# ---------------------------------------------------------------------------------------------
# Other normalisers


def write_alleles(path: Path, columns: Columns, bases: int) -> None:
    """Write VCF text whose ID is the number of the allele."""
    position, ref, alt = columns
    contig, dot = (pa.repeat(value, len(position)) for value in ("c", "."))
    values = [contig, position, np.arange(len(position)), ref.arrow(), alt.arrow(), dot, dot, dot]
    names = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
    header = f"##fileformat=VCFv4.2\n##contig=<ID=c,length={bases}>\n" + "\t".join(names) + "\n"
    how = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    with path.open("wb") as out:
        out.write(header.encode())
        csv.write_csv(pa.table(values, names), out, how)


def read_alleles(path: Path) -> Columns:
    """Read the alleles of VCF text by the numbers in ID."""
    text = path.read_bytes()
    table = csv.read_csv(
        pa.BufferReader(text[text.index(b"#CHROM") + 1 :]),
        parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
        convert_options=csv.ConvertOptions(include_columns=["ID", "POS", "REF", "ALT"]),
    )
    number = table["ID"].to_numpy()
    order = np.argsort(number)
    assert np.array_equal(number[order], np.arange(len(number)))
    ref, alt = (Strings.of_arrow(table[name].combine_chunks()) for name in ("REF", "ALT"))
    return taken((table["POS"].to_numpy(), ref, alt), order)


def test_a_million_alleles_are_normalized_as_bcftools_does(tmp_path: Path, million: Case) -> None:
    fasta = write_fasta(tmp_path / "reference.fa", {"c": million.reference.tobytes().decode()})
    source, out = tmp_path / "in.vcf", tmp_path / "out.vcf"
    write_alleles(source, million.source, len(million.reference))
    # Records wait in a window of sites to be sorted again, and are the same in any order: without
    # the window it takes a tenth of the time.
    pysam.bcftools.norm(
        *("--no-version", "--site-win", "1", "-f", str(fasta), "-o", str(out), str(source)),
        catch_stdout=False,
    )
    theirs = read_alleles(out)
    assert len(theirs[0]) == MILLION
    assert differences(million.source, million.canonical, theirs) == []


def with_bioutils(sequence: str, position: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Normalise with bioutils, and say it in our words.

    Its mode for VCF puts the base before every event, where the contig has one: also before SNVs and
    others that have bases left in both alleles, which need none in VCF. Trimmed alleles that both
    have bases begin with different ones, so that a first base in common is that anchor; it goes. At
    the contig's first base it leaves an allele empty; VCF asks for the base after the event there.
    """
    start = position - 1
    (start, end), (ref, alt) = normalize_with_bioutils(
        sequence, (start, start + len(ref)), (None, alt), mode=NormalizationMode.VCF
    )
    if not (ref and alt):
        assert start == 0
        ref, alt = ref + sequence[end], alt + sequence[end]
    elif min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
        start, ref, alt = start + 1, ref[1:], alt[1:]
    return start + 1, ref, alt


def assert_bioutils_agrees(case: Case, rows: Integers) -> None:
    sequence = case.reference.tobytes().decode()
    source = taken(case.source, rows)
    position, ref, alt = source
    alleles = zip(position.tolist(), ref.objects(), alt.objects(), strict=True)
    theirs = zip(*(with_bioutils(sequence, *allele) for allele in alleles), strict=True)
    new_position, *new_alleles = map(list, theirs)
    columns = np.array(new_position), *map(Strings.of, new_alleles)
    assert differences(source, taken(case.canonical, rows), columns) == []


def test_alleles_are_normalized_as_bioutils_does(million: Case) -> None:
    rng = np.random.default_rng(1)
    assert_bioutils_agrees(million, rng.choice(MILLION, 20_000, replace=False))


@pytest.mark.fuzz
def test_a_million_alleles_are_normalized_as_bioutils_does(million: Case) -> None:
    for rows in np.array_split(np.arange(MILLION), 20):
        assert_bioutils_agrees(million, rows)


# ---------------------------------------------------------------------------------------------
# Other spellings


def test_normalizing_a_million_canonical_alleles_changes_nothing(million: Case) -> None:
    again = normalized(million.reference, million.canonical)
    assert differences(million.canonical, again.canonical, million.canonical) == []
    assert np.all(again.result.flags == Flag.AS_IS)


def changes_of(canonical: Columns, reference: Bytes) -> Changes:
    """Read what canonical alleles change; a first base that both have is the anchor."""
    position, ref, alt = canonical
    anchor = (ref.data[ref.offsets[:-1]] == alt.data[alt.offsets[:-1]]).astype(np.int64)
    text = np.concatenate([reference, alt.data])
    inserted = (len(reference) + alt.offsets[:-1] + anchor, alt.lengths - anchor)
    return Changes(text, len(reference), position - 1 + anchor, ref.lengths - anchor, [inserted])


def rolled_right(changes: Changes, rng: Generator) -> Changes:
    """Roll insertions and deletions right, each by a random number of the bases it can pass.

    An event passes the base after it when its own first base is the same, which then is its last.
    """
    text, start, removed = changes.text, changes.start, changes.removed
    [(origin, inserted)] = changes.inserted
    ring = np.where(removed == 0, origin, start)
    size = np.where(removed == 0, inserted, np.where(inserted == 0, removed, 0))
    after = start + removed
    room = np.zeros(len(start), np.int64)
    rolling = np.flatnonzero(size)
    step = 0
    while len(rolling):
        rolling = rolling[after[rolling] + step < changes.bases]
        passes = text[after[rolling] + step] == text[ring[rolling] + step % size[rolling]]
        rolling = rolling[passes]
        step += 1
        room[rolling] = step
    steps = rng.integers(room + 1)
    turn = np.where(removed == 0, steps % np.maximum(size, 1), 0)
    slices = [(origin + turn, inserted - turn), (origin, turn)]
    return Changes(text, changes.bases, start + steps, removed, slices)


def test_many_spellings_of_a_variant_converge(million: Case) -> None:
    rng = np.random.default_rng(2)
    variants = np.repeat(rng.choice(MILLION, 70_000, replace=False), 5)
    shortest = changes_of(taken(million.canonical, variants), million.reference)
    rolled = rolled_right(shortest, rng)
    spellings = rolled.spelled(*rng.integers(40, size=(2, len(variants))))
    rows = np.flatnonzero(can_be_written(*spellings[1:]))
    assert len(rows) > 300_000
    source, canonical = taken(spellings, rows), taken(million.canonical, variants[rows])
    ours = normalized(million.reference, source).canonical
    assert differences(source, ours, canonical) == []
    steps = rolled.start - shortest.start
    assert np.count_nonzero(steps) > 100_000
    assert np.count_nonzero(steps > 100) > 5_000
