"""The tables of docs/definitions.md that set our counts beside bcftools', row by row, both ways."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.bcftools import TAGS, fill_tags, tally
from tests.builders import vcf_text, write_fasta, write_sheet, write_vcf
from tests.counts import run_stages

from afpanel.model.region import OPEN_END, Region

Figures = dict[str, tuple[int, ...]]

WORDS = {"XX": "XX", "XY": "XY", "unknown sex": "unknown"}
"""The table's words for people, and the sex of each."""

PEOPLE = {sex: f"sample-{sex}" for sex in WORDS.values()}
"""One sample of each sex."""

CONTIGS = {"autosome": "chr1", "X": "chrX", "Y": "chrY", "MT": "chrM"}
PAR_START = 10_001
"""Of GRCh38, on X and on Y."""

REGIONS = [Region(contig, 0, OPEN_END) for contig in CONTIGS.values()]
SEQUENCE = "A" * 60 + "CACACACACATG" + "A" * 60
"""Of the autosome: from position 61 a repeat, in which indels can be shifted."""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    others = dict.fromkeys(("chrX", "chrY", "chrM"), "A" * (PAR_START + 99))
    path = tmp_path_factory.mktemp("reference") / "reference.fa"
    return write_fasta(path, {"chr1": SEQUENCE, **others})


# The table of calls.


@dataclass(frozen=True)
class Row:
    """A call of a row of the table, and the record that shows it."""

    contig: str
    position: int
    people: tuple[str, ...]
    call: str
    here: Figures
    theirs: Figures

    @property
    def n_alts(self) -> int:
        return max([1, *(int(allele) for allele in re.findall(r"\d", self.call))])


def table_rows(root: Path, first_column: str) -> list[list[str]]:
    """Read a table of the section, by the name of its first column."""
    text = (root / "docs/definitions.md").read_text().split("\n## Beside bcftools\n")[1]
    lines = iter(text.split("\n## ")[0].splitlines())
    assert any(line.startswith(f"| {first_column} |") for line in lines)
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
        rows.append([cell.strip().replace("\\|", "|") for cell in cells])
    return rows


def figures_of(text: str) -> Figures:
    """Read figures such as ``AN 2, AC 1,1``; what is not named is 0."""
    if text == "nothing":
        return {}
    pairs = (part.split(" ") for part in text.split(", "))
    return {name: tuple(map(int, values.split(","))) for name, values in pairs}


def nonzero(figures: Mapping[str, Iterable[int]]) -> Figures:
    """Leave out figures that are 0 for all alleles."""
    listed = {name: tuple(int(v) for v in values) for name, values in figures.items()}
    return {name: values for name, values in listed.items() if any(values)}


@pytest.fixture(scope="module")
def rows(root: Path) -> list[Row]:
    """The rows of the table of calls, one for each call."""
    found = []
    for place, person, calls, here, theirs, _ in table_rows(root, "place"):
        contig, _, par = place.partition(", ")
        words = list(WORDS) if person == "anybody" else person.split(", ")
        people = tuple(WORDS[word] for word in words)
        for call in calls.split(", "):
            start = PAR_START if par else 1
            position = start + sum(row.contig == CONTIGS[contig] for row in found)
            figures = figures_of(here), figures_of(theirs)
            found.append(Row(CONTIGS[contig], position, people, call.strip("`"), *figures))
    order = list(CONTIGS.values())
    return sorted(found, key=lambda row: (order.index(row.contig), row.position))


@pytest.fixture(scope="module")
def handmade(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VCF with a record for every row, in which everybody has the row's call."""
    records = [
        (row.contig, row.position, "A", ",".join("CGT"[: row.n_alts]), *[row.call] * len(PEOPLE))
        for row in rows
    ]
    folder = tmp_path_factory.mktemp("calls")
    return write_vcf(
        folder / "calls.vcf", vcf_text(list(PEOPLE.values()), records, contigs=CONTIGS.values())
    )


def wanted(rows: Sequence[Row], side: str) -> dict[tuple[str, int, str, str], Figures]:
    """What a side of the table says, by place, call and person."""
    return {
        (row.contig, row.position, row.call, person): dict(getattr(row, side))
        for row in rows
        for person in row.people
    }


def test_the_table_shows_every_kind_of_place_person_and_call(rows: list[Row]) -> None:
    assert len(rows) > 40
    assert {row.contig for row in rows} == set(CONTIGS.values())
    assert {(row.contig, row.position >= PAR_START) for row in rows} >= {
        ("chrX", True), ("chrY", True)
    }  # fmt: skip
    assert {person for row in rows for person in row.people} == set(PEOPLE)


def test_every_call_counts_here_as_the_table_says(
    rows: list[Row], handmade: Path, reference: Path, tmp_path: Path
) -> None:
    sheet = write_sheet(tmp_path / "sheet.tsv", [(name, "P", sex) for sex, name in PEOPLE.items()])
    found = run_stages(handmade, sheet, reference, REGIONS, tmp_path)
    alleles = {variant: row for row, variant in enumerate(found.variants)}
    cells = [sex for _, sex, _ in found.cells]
    figures = {}
    for row in rows:
        at = [alleles[row.contig, row.position, "A", alt] for alt in "CGT"[: row.n_alts]]
        for person in row.people:
            column = cells.index(person)
            ac, an, hom, hemi = (values[at, column] for values in found.figures.values())
            assert len(set(an)) == 1
            named = {"AC": ac, "AN": an[:1], "nhomalt": hom, "nhemialt": hemi}
            figures[row.contig, row.position, row.call, person] = nonzero(named)
    assert figures == wanted(rows, "here")


def test_every_call_counts_with_bcftools_as_the_table_says(
    rows: list[Row], handmade: Path, tmp_path: Path
) -> None:
    """Of `view` and expressions of GT; the plugin's AC_Hemi is haploid calls and half calls."""
    figures = {}
    for person, sample in PEOPLE.items():
        counted = tally(handmade, [sample], tmp_path)
        at = 0
        for row, an in zip(rows, counted.allele_number, strict=True):
            alts = slice(at + 1, at + 1 + row.n_alts)
            at = alts.stop
            if person in row.people:
                figures[row.contig, row.position, row.call, person] = nonzero(
                    {
                        "AN": [an],
                        "AC": counted.allele_count[alts],
                        "AC_Hom": 2 * counted.hom[alts],
                        "AC_Het": counted.het[alts],
                        "AC_Hemi": counted.hemi[alts] + counted.half[alts],
                    }
                )
    assert figures == wanted(rows, "theirs")


@pytest.mark.parametrize("drop_missing", [False, True])
def test_every_call_counts_with_fill_tags_as_the_table_says(
    rows: list[Row], handmade: Path, tmp_path: Path, drop_missing: bool
) -> None:
    """And --drop-missing takes half calls out of AC_Hemi, and nothing else."""
    options = ["--drop-missing"] if drop_missing else []
    counted = fill_tags(handmade, {sex: [name] for sex, name in PEOPLE.items()}, tmp_path, *options)
    expected = wanted(rows, "theirs")
    figures = {}
    for person in PEOPLE:
        tags = counted[person]
        at = 0
        for row, an in zip(rows, tags["AN"], strict=True):
            alts = slice(at, at + row.n_alts)
            at = alts.stop
            key = (row.contig, row.position, row.call, person)
            if person not in row.people:
                continue
            figures[key] = nonzero({"AN": [an], **{tag: tags[tag][alts] for tag in TAGS}})
            if drop_missing and "." in row.call:
                expected[key].pop("AC_Hemi", None)
    assert figures == expected
