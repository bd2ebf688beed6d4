"""The merge of random cohorts, against a slow reading of docs/callability.md, one base and cell at a time."""

import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pysam
import pytest

from afpanel.constants import Sex
from afpanel.core.group_counts import GROUP_TABLES, PANEL_COUNTS
from afpanel.core.tracks import Track
from afpanel.errors import BadInputError
from afpanel.io import track_text
from afpanel.io.inflate import pieces
from afpanel.io.panel_store import read_head, read_panel_blocks
from afpanel.io.reference import ReferencePaths
from afpanel.io.store_writer import create_store
from afpanel.io.track_text import column_of
from afpanel.model.arrays import ARRAYS, ArraySpec
from afpanel.model.cohort import Cell
from afpanel.stages import cohort_counts
from afpanel.stages import merge as merge_stage
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION, CountsHead
from afpanel.stages.cohort_counts import ContigOptions
from afpanel.stages.evidence import AscendingTrack
from afpanel.stages.merge import MergeOptions, merge

CONTIGS = ["chr1", "chrX", "chrY", "chrM"]
PAR_END = 2_781_479
"""Last base of the first pseudoautosomal region, of X and of Y, on GRCh38 (gnomAD's table)."""

FIRST = PAR_END - 29
BASES = 60
"""The variants of every contig lie within these bases, so that on X and Y they lie about the boundary."""

Variant = tuple[int, str, str]
EVIDENCE = ("nothing", "bed", "text", "text", "stored", "stored")


ALWAYS = range(8)
"""Cohorts that are drawn in every run; further ones with the long tests."""


@dataclass
class Made:
    """A cohort as it was drawn; everything by contig."""

    name: str
    country: str
    cells: list[Cell]
    kind: str
    records: dict[str, dict[Variant, dict[str, list[int]]]] = field(default_factory=dict)
    refused: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    bed: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    track: dict[str, list[tuple[int, int, list[int]]]] = field(default_factory=dict)


def copies(contig: str, position: int, sex: Sex) -> int:
    """Copies of a base that a person has: the table of docs, in words."""
    if contig == "chrM":
        return 1
    if contig == "chr1" or (contig == "chrX" and (position <= PAR_END or sex is Sex.XX)):
        return 2
    if sex is not Sex.XY:
        return 0
    return 2 if position <= PAR_END else 1


def draw_variants(draw: random.Random, n: int) -> list[Variant]:
    """Draw variants of one reference: many at one position, with REFs of several lengths."""
    sequence = "".join(draw.choices("ACGT", k=BASES + 20))
    found = set()
    for _ in range(n):
        at = draw.randrange(BASES) // 2 * 2  # so that they meet
        ref = sequence[at : at + draw.choice((1, 1, 1, 2, 3, 9))]
        alt = "".join(draw.choices("ACGT", k=draw.choice((len(ref), 1, 1, 2, 4))))
        if ref != alt:
            found.add((FIRST + at, ref, alt))
    return sorted(found)


def draw_record(draw: random.Random, contig: str, position: int, cells: list[Cell]) -> dict:
    tables: dict[str, list[int]] = {name: [] for name in GROUP_TABLES}
    nobody = draw.random() < 0.1
    for cell in cells:
        most = 0 if nobody else copies(contig, position, cell.sex) * cell.people
        number = draw.choice((0, most, draw.randint(0, most)))
        count = draw.randint(0, number)
        drawn = {"allele_number": number, "allele_count": count}
        for name in GROUP_TABLES:
            tables[name].append(drawn.get(name, draw.randint(0, max(number // 2, 0))))
    tables["raw_allele_number"] = [sum(tables["allele_number"]) + draw.randint(0, 5)]
    tables["raw_allele_count"] = [sum(tables["allele_count"]) + draw.randint(0, 5)]
    return tables


def draw_spans(draw: random.Random, longest: int) -> list[tuple[int, int]]:
    """Draw disjoint spans in order, many of which touch; 0-based and half-open."""
    bounds = sorted(draw.sample(range(FIRST - 20, FIRST + BASES + 20), draw.randint(2, longest)))
    return [pair for pair in pairwise(bounds) if draw.random() < 0.85]


def draw_cohort(draw: random.Random, number: int, universe: dict[str, list[Variant]]) -> Made:
    labels = [(label, sex) for label in "AB" for sex in Sex]
    chosen = sorted(draw.sample(labels, draw.randint(1, 5)))
    cells = [Cell(label, sex, draw.randint(1, 9)) for label, sex in chosen]
    made = Made(f"C{number}", draw.choice(("JP", "VN")), cells, draw.choice(EVIDENCE))
    for contig, variants in universe.items():
        mine = [variant for variant in variants if draw.random() < 0.4]
        if draw.random() < 0.1:
            mine = []
        made.records[contig] = {v: draw_record(draw, contig, v[0], cells) for v in mine}
        made.refused[contig] = [
            (start, start + draw.choice((1, 1, 4)))
            for start in (FIRST + draw.randrange(BASES) for _ in range(draw.randint(0, 3)))
        ]
        made.bed[contig] = draw_spans(draw, 12)
        made.track[contig] = [
            (start, end, [draw.randint(0, copies(contig, end, c.sex) * c.people) for c in cells])
            for start, end in draw_spans(draw, 30)
        ]
    return made


# What the documentation says.


def silence_of(
    cohort: Made, contig: str, variant: Variant
) -> tuple[list[tuple[int, int]], int] | None:
    """Alleles, and those that are the only one of their person, of each cell that silence speaks for.

    And how many alleles those are before the genotype filter, which a record of the site knows.
    """
    position, ref, alt = variant
    bases = range(position - 1, position - 1 + len(ref))
    if any(start <= base < end for start, end in cohort.refused[contig] for base in bases):
        return None
    is_indel = len(ref) != len(alt)
    beside = [
        record
        for (p, r, a), record in sorted(cohort.records[contig].items())
        if p == position and (len(r) != len(a)) == is_indel and (is_indel or r == ref)
    ]
    if beside:
        most = max(beside, key=lambda record: sum(record["allele_number"]))
        numbers = list(zip(most["allele_number"], most["single_allele_number"], strict=True))
        return (numbers, most["raw_allele_number"][0]) if any(n for n, _ in numbers) else None
    ploidy = [copies(contig, position, cell.sex) for cell in cohort.cells]
    if cohort.kind in ("text", "stored"):
        numbers = [
            next((n for s, e, n in cohort.track[contig] if s <= base < e), [0] * len(ploidy))
            for base in bases
        ]
        least = [min(column) for column in zip(*numbers, strict=True)]
    elif cohort.kind == "bed" and all(
        any(start <= base < end for start, end in cohort.bed[contig]) for base in bases
    ):
        least = [n * cell.people for n, cell in zip(ploidy, cohort.cells, strict=True)]
    else:
        return None
    numbers = [(n, n % 2 if two == 2 else n) for n, two in zip(least, ploidy, strict=True)]
    return numbers, sum(least)


def is_member(group: str, cohort: Made, cell: Cell) -> bool:
    names = ("total", cohort.country, f"{cohort.country}_{cell.population}", str(cell.sex))
    return group in names


def expect(cohorts: list[Made], contig: str, groups: list[str]) -> dict[Variant, dict]:
    """Work out the panel: of each variant all its figures, each a list over groups, or a number."""
    everything = sorted({v for cohort in cohorts for v in cohort.records[contig]})
    expected = {}
    for variant in everything:
        figures: dict = {name: [0] * len(groups) for name in (*GROUP_TABLES, "state")}
        figures |= {"raw_allele_count": 0, "raw_allele_number": 0}
        for cohort in cohorts:
            record = cohort.records[contig].get(variant)
            silence = None if record else silence_of(cohort, contig, variant)
            if record:
                for name in ("raw_allele_count", "raw_allele_number"):
                    figures[name] += record[name][0]
            elif silence is not None:
                figures["raw_allele_number"] += silence[1]
            for c, cell in enumerate(cohort.cells):
                given, state = dict.fromkeys(GROUP_TABLES, 0), 0
                if record:
                    given = {name: record[name][c] for name in GROUP_TABLES}
                    state = 2 if copies(contig, variant[0], cell.sex) else 0
                elif silence is not None:
                    given["allele_number"], given["single_allele_number"] = silence[0][c]
                    state = int(silence[0][c][0] > 0)
                for g, group in enumerate(groups):
                    if is_member(group, cohort, cell):
                        for name, value in given.items():
                            figures[name][g] += value
                        figures["state"][g] = max(figures["state"][g], state)
        for g, state in enumerate(figures["state"]):
            if state == 0:
                assert figures["allele_number"][g] == 0
                for name in set(GROUP_TABLES) - {"allele_number"}:
                    figures[name][g] = -1
        expected[variant] = figures
    return expected


# The files.


@pytest.fixture
def with_tracks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores of counts hold a track, and read tracks in small parts."""
    specs = (
        ArraySpec("track_contig", ("track_intervals",), "i2", "Index into contig_id."),
        ArraySpec("track_start", ("track_intervals",), "i4", "Start of an interval, 0-based."),
        ArraySpec("track_end", ("track_intervals",), "i4", "Its end, exclusive."),
        ArraySpec("track_allele_number", ("track_intervals", "cells"), "i4", "Called alleles."),
    )
    for spec in specs:
        monkeypatch.setitem(ARRAYS, spec.name, ARRAYS.get(spec.name, spec))
    monkeypatch.setattr(cohort_counts, "_TRACK_ROWS", 2)
    monkeypatch.setattr(track_text, "pieces", partial(pieces, size=70))


def write_counts(folder: Path, cohort: Made, draw: random.Random) -> list[Path]:
    """Write a cohort's stores of counts, its records in any of them, its track in order."""
    n = draw.randint(1, 3)
    paths = [folder / f"{draw.random()}.{cohort.name}.zip" for _ in range(n)]
    owner = {(c, v): draw.randrange(n) for c in CONTIGS for v in cohort.records[c]}
    cuts = {c: sorted(draw.randint(0, len(cohort.track[c])) for _ in range(n - 1)) for c in CONTIGS}
    for i, path in enumerate(paths):
        about = CountsHead(cohort.name, cohort.country, cohort.cells).attributes()
        rows = [(c, v) for c in CONTIGS for v in sorted(cohort.records[c]) if owner[c, v] == i]
        tables = {
            name: np.array([cohort.records[c][v][name] for c, v in rows], np.int32).reshape(
                len(rows), -1 if rows else len(cohort.cells)
            )
            for name in GROUP_TABLES
        } | {
            name: np.array([cohort.records[c][v][name][0] for c, v in rows], np.int32)
            for name in ("raw_allele_count", "raw_allele_number")
        }
        refused = [(k, *span) for k, c in enumerate(CONTIGS) for span in cohort.refused[c][i::n]]
        with create_store(
            path, CELL_COUNTS, CELL_COUNTS_VERSION, chunk=draw.choice((1, 3, 50)), attributes=about
        ) as writer:
            writer.array("contig_id", CONTIGS)
            writer.append(
                {
                    "variant_contig": [CONTIGS.index(c) for c, _ in rows],
                    "variant_position": [v[0] for _, v in rows],
                    "variant_ref": [v[1] for _, v in rows],
                    "variant_alt": [v[2] for _, v in rows],
                    **tables,
                },
                dims=("variants", "cells"),
            )
            columns = ("contig", "start", "end")
            writer.append(
                {f"refused_{x}": [row[j] for row in refused] for j, x in enumerate(columns)}
            )
            if cohort.kind == "stored":
                parts = []
                for k, c in enumerate(CONTIGS):
                    first, last = [0, *cuts[c], len(cohort.track[c])][i : i + 2]
                    parts += [(k, *row) for row in cohort.track[c][first:last]]
                numbers = np.array([row[3] for row in parts], np.int32)
                writer.append(
                    {f"track_{x}": [row[j] for row in parts] for j, x in enumerate(columns)}
                    | {"track_allele_number": numbers.reshape(-1, len(cohort.cells))},
                    dims=("track_intervals", "cells"),
                )
    return paths


def write_callable(folder: Path, cohort: Made, draw: random.Random) -> Path | None:
    """Write a cohort's BED or track, by names of its own for the contigs."""
    names = {contig: draw.choice((contig, contig.removeprefix("chr"))) for contig in CONTIGS}
    contigs = draw.sample(CONTIGS, len(CONTIGS))
    path = folder / f"{cohort.name}.callable"
    if cohort.kind == "bed":
        spans = [(names[c], *span) for c in contigs for span in cohort.bed[c]]
        draw.shuffle(spans)
        path.write_text("".join("\t".join(map(str, span)) + "\n" for span in spans))
    elif cohort.kind == "text":
        order = draw.sample(range(len(cohort.cells)), len(cohort.cells))
        lines = [["#contig", "start", "end", "AN", *(column_of(cohort.cells[i]) for i in order)]]
        lines += [
            [names[c], start, end, sum(number), *(number[i] for i in order)]
            for c in contigs
            for start, end, number in cohort.track[c]
        ]
        text = "".join("\t".join(map(str, line)) + "\n" for line in lines)
        form = draw.choice(("plain", "gzip", "tabix"))
        if form == "tabix":
            with pysam.BGZFile(str(path), "wb") as out:
                out.write(text.encode())
            columns = {"seq_col": 0, "start_col": 1, "end_col": 2, "zerobased": True}
            pysam.tabix_index(str(path), force=True, csi=draw.random() < 0.5, **columns)
        else:
            path.write_bytes(gzip.compress(text.encode()) if form == "gzip" else text.encode())
    else:
        return None
    return path


@pytest.fixture
def reference(tmp_path: Path) -> ReferencePaths:
    """A reference of which only the index is looked at."""
    path = tmp_path / "reference.fa"
    path.write_text("".join(f">{contig}\nACGT\n" for contig in CONTIGS))
    index = (f"{c}\t{FIRST + 1_000}\t{10 * i + 6}\t4\t5\n" for i, c in enumerate(CONTIGS))
    path.with_name("reference.fa.fai").write_text("".join(index))
    return ReferencePaths.find(path)


def read_panel(path: Path) -> tuple[list[str], list[Variant], dict[str, np.ndarray]]:
    variants: list[Variant] = []
    parts: dict[str, list] = {name: [] for name in PANEL_COUNTS}
    for some, counts in read_panel_blocks(path):
        alleles = (some.ref.objects(), some.alt.objects())
        variants += zip(some.position.tolist(), *alleles, strict=True)
        for name in parts:
            parts[name] += getattr(counts, name).tolist()
    return read_head(path).groups, variants, parts


@pytest.mark.usefixtures("with_tracks")
@pytest.mark.parametrize(
    "seed", [*ALWAYS, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(8, 16))]
)
def test_a_panel_is_what_the_documentation_says(
    seed: int, tmp_path: Path, reference: ReferencePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever evidence the cohorts give, and however few rows a window has."""
    draw = random.Random(seed)
    universe = {contig: draw_variants(draw, 40) for contig in CONTIGS}
    cohorts = [draw_cohort(draw, i, universe) for i in range(draw.randint(1, 6))]
    counts = [path for cohort in cohorts for path in write_counts(tmp_path, cohort, draw)]
    draw.shuffle(counts)
    files = {c.name: path for c in cohorts if (path := write_callable(tmp_path, c, draw))}
    for contig in CONTIGS:
        first = None
        for rows in (1, 2, 7, 100_000):
            monkeypatch.setattr(
                merge_stage, "ContigOptions", partial(ContigOptions, window_rows=rows)
            )
            out = tmp_path / f"{contig}.{rows}.zip"
            merge(counts, reference, out, MergeOptions(contig, "GRCh38", files))
            first = first or out.read_bytes()
            assert out.read_bytes() == first
        groups, variants, found = read_panel(out)
        assert {"total", *(c.country for c in cohorts)} <= set(groups)
        expected = expect(cohorts, contig, groups)
        assert variants == list(expected)
        for name, values in found.items():
            wanted = dict(zip(variants, (e[name] for e in expected.values()), strict=True))
            assert dict(zip(variants, values, strict=True)) == wanted, name


@pytest.mark.parametrize(("seeds", "times"), [(range(16), 15), (ALWAYS, 5)])
def test_the_random_cohorts_meet_every_rule(seeds: range, times: int) -> None:
    """Else the test above would show little: each kind of evidence decides often, for all and for some."""
    met: dict[tuple[str, str], int] = {}
    for seed in seeds:
        draw = random.Random(seed)
        universe = {contig: draw_variants(draw, 40) for contig in CONTIGS}
        cohorts = [draw_cohort(draw, i, universe) for i in range(draw.randint(1, 6))]
        for cohort in cohorts:
            for contig, variants in universe.items():
                for variant in variants:
                    if variant not in cohort.records[contig]:
                        said = silence_of(cohort, contig, variant)
                        numbers = {number > 0 for number, _ in (said[0] if said else ())}
                        answer = (
                            "nothing" if not any(numbers) else "all" if all(numbers) else "some"
                        )
                        met[cohort.kind, answer] = met.get((cohort.kind, answer), 0) + 1
    kinds = {"nothing", "bed", "text", "stored"}
    assert set(met) == {(kind, answer) for kind in kinds for answer in ("nothing", "some", "all")}
    assert min(met.values()) > times


def a_cohort(kind: str, cells: list[Cell], contig: str, number: list[int]) -> Made:
    """Make a cohort without records, of which a number is called wherever the tests look."""
    nothing: dict = {c: [] for c in CONTIGS}
    track = nothing | {contig: [(FIRST - 20, FIRST + BASES + 20, number)]}
    return Made("Silent", "JP", cells, kind, {c: {} for c in CONTIGS}, nothing, nothing, track)


@pytest.mark.usefixtures("with_tracks")
@pytest.mark.parametrize("kind", ["text", "stored"])
@pytest.mark.parametrize(
    ("contig", "position", "sex", "most"),
    [
        ("chr1", PAR_END, Sex.UNKNOWN, 6),
        ("chrX", PAR_END, Sex.XY, 6),
        ("chrX", PAR_END + 1, Sex.XY, 3),
        ("chrX", PAR_END + 1, Sex.XX, 6),
        ("chrX", PAR_END + 1, Sex.UNKNOWN, 0),
        ("chrY", PAR_END, Sex.XX, 0),
        ("chrY", PAR_END + 1, Sex.XX, 0),
        ("chrY", PAR_END + 1, Sex.XY, 3),
        ("chrM", PAR_END, Sex.XX, 3),
    ],
)
def test_a_track_with_more_alleles_than_three_people_have_is_refused(
    kind: str,
    contig: str,
    position: int,
    sex: Sex,
    most: int,
    tmp_path: Path,
    reference: ReferencePaths,
) -> None:
    draw = random.Random(1)
    other = a_cohort("nothing", [Cell("A", Sex.XY, 4)], contig, [0])
    other.name = "Other"
    other.records[contig] = {(position, "A", "C"): draw_record(draw, contig, position, other.cells)}
    merging: Callable[[int], None]
    for number in (most, most + 1):
        silent = a_cohort(kind, [Cell("A", sex, 3)], contig, [number])
        folder = tmp_path / str(number)
        folder.mkdir()
        paths = [*write_counts(folder, silent, draw), *write_counts(folder, other, draw)]
        written = write_callable(folder, silent, draw)
        options = MergeOptions(contig, "GRCh38", {"Silent": written} if written else {})
        merging = partial(merge, paths, reference, folder / "panel.zip", options)
        if number == most:
            merging()
            _, _, found = read_panel(folder / "panel.zip")
            assert found["allele_number"][0][0] == most + sum(
                other.records[contig][position, "A", "C"]["allele_number"]
            )
            continue
        with pytest.raises(BadInputError, match=f"at most {most} of 3 people") as error:
            merging()
        assert f"{contig}:{position}, A {sex}" in str(error.value)
        assert not (folder / "panel.zip").exists()


def test_a_track_of_every_base_is_not_held_where_few_are_asked_for() -> None:
    """A window may reach over a whole contig, when few variants are known of it."""
    held = []

    def blocks() -> Iterator[Track]:
        for first in range(0, 2_000_000, 10_000):
            start = np.arange(first, first + 10_000)
            yield Track(start, start + 1, (start % 7).astype(np.int32)[:, None])

    track = AscendingTrack(blocks(), 1, "a track")
    for begin in (0, 1_000_000):
        start = np.arange(begin, begin + 1_000_000, 1_000)
        end = start + 1 + (start % 9)
        found = track.over(start, end)
        held.append(len(found))
        bases = [min(base % 7 for base in range(s, e)) for s, e in zip(start, end, strict=True)]
        assert found.least(start, end)[:, 0].tolist() == bases
    assert max(held) < 20_000
