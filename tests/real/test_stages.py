"""What ingest, harmonize and count make of whole real files, beside bcftools and published figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cyvcf2
import numpy as np
import pysam.bcftools
import pytest
from tests.builders import write_sheet
from tests.counts import count_file, run_stages

from afpanel.core.counting import Counts
from afpanel.core.diploid_calls import diploid_count, heterozygote_count
from afpanel.core.hardy_weinberg import exact_test
from afpanel.model.region import Region

NYGC = "grch38/1000g.nygc30x.chr1.vcf.gz"
SUPER_POPULATIONS = ("AFR", "AMR", "EAS", "EUR", "SAS")


@dataclass(frozen=True)
class Piece:
    """A piece of a file that a reference covers, and what is known of it."""

    path: str
    fasta: str
    build: str
    region: Region
    people: int
    kept: int
    rejected: Mapping[str, int]


PIECES = {
    "phase 3": Piece(
        "grch37/1000g.phase3.chr22.vcf.gz", "grch37/chr22.fa.gz", "GRCh37",
        Region("22", 1, 22_000_000), 2_504, 9_784, {"symbolic": 8},
    ),
    "GATK": Piece(
        "grch37/1000g.asia.gatk.chr22.vcf.gz", "grch37/chr22.fa.gz", "GRCh37",
        Region("22", 1, 22_000_000), 177, 1_003, {"star": 66},
    ),
    "NYGC": Piece(
        NYGC, "grch38/grch38.parts.fa.gz", "GRCh38", Region("chr1", 1, 60_000), 2_504, 667, {}
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def unrelated(test_data: Path) -> dict[str, tuple[str, str]]:
    """Super-population and sex of the people of phase 3; the panel file lists relatives besides."""
    text = (test_data / "integrated_call_samples_v3.20130502.ALL.panel").read_text()
    rows = {line.split()[0]: line.split() for line in text.splitlines()[1:]}
    sexes = {"male": "XY", "female": "XX"}
    samples = cyvcf2.VCF(str(test_data / PIECES["phase 3"].path)).samples
    assert (len(rows), len(samples)) == (2_535, 2_504)
    return {sample: (rows[sample][2], sexes[rows[sample][3]]) for sample in samples}


def write_cells(
    source: Path, people: Mapping[str, tuple[str, str]], folder: Path
) -> dict[tuple[str, str], list[str]]:
    """Write a sheet of the file's samples, and list the samples of each cell.

    GATK's file has people of whom the project tells nothing; other files' relatives are left out.
    """
    cells: dict[tuple[str, str], list[str]] = {}
    for sample in cyvcf2.VCF(str(source)).samples:
        name = sample.removeprefix("SRP150637__").removesuffix(".hs37d5")
        if name in people or name != sample:
            cells.setdefault(people.get(name, ("untold", "unknown")), []).append(sample)
    rows = [(sample, *cell) for cell, samples in cells.items() for sample in samples]
    write_sheet(folder / "sheet.tsv", rows)
    return cells


@pytest.mark.parametrize("name", PIECES)
def test_every_figure_of_every_cell_is_what_bcftools_counts(
    name, test_data, unrelated, people_of_1000g, oracle, tmp_path
):
    """Oracle: bcftools norm, then view on the people of each cell, and its calls of GT="AA"."""
    piece = PIECES[name]
    people = people_of_1000g if name == "GATK" else unrelated
    cells = write_cells(test_data / piece.path, people, tmp_path)
    assert sum(map(len, cells.values())) == piece.people
    cut, normal = tmp_path / "cut.bcf", tmp_path / "normal.bcf"
    pysam.bcftools.view(
        "--no-version", "-i", f"POS<={piece.region.end}", "-Ob1", "-o", str(cut),
        str(test_data / piece.path), catch_stdout=False,
    )  # fmt: skip
    oracle.normalize(cut, test_data / piece.fasta, normal)
    found = run_stages(
        test_data / piece.path, tmp_path / "sheet.tsv", test_data / piece.fasta, [piece.region],
        tmp_path, build=piece.build,
    )  # fmt: skip
    assert len(found.variants) == piece.kept
    rejected = {label: n for label, n in found.outcomes.items() if label in ("symbolic", "star")}
    assert rejected == piece.rejected
    assert found.outcomes.total() == piece.kept + sum(rejected.values())
    ac, an, hom, hemi = found.figures.values()
    assert not hemi.any()
    assert len(found.cells) == len(cells) >= 10
    for column, (population, sex, size) in enumerate(found.cells):
        samples = cells[population, sex]
        assert size == len(samples)
        expected = {
            key: value
            for key, value in oracle.counts(normal, samples, tmp_path).items()
            if key[3] != "*" and not key[3].startswith("<")
        }
        figures = zip(*(f[:, column].tolist() for f in (ac, an, hom)), strict=True)
        assert oracle.differences(expected, dict(zip(found.variants, figures, strict=True))) == []


# Figures that the file itself has in INFO, of its makers' counting.


def published(path: Path, suffix: str) -> dict[str, np.ndarray]:
    """Read AC, AN, AC_Hom and AC_Het of a group out of INFO; every record has one ALT."""
    rows = [
        [record.INFO[f"{tag}{suffix}"] for tag in ("AC", "AN", "AC_Hom", "AC_Het")]
        for record in cyvcf2.VCF(str(path))
    ]
    return dict(zip(("AC", "AN", "AC_Hom", "AC_Het"), np.array(rows).T, strict=True))


def assert_published(counts: Counts, column: int, figures: Mapping[str, np.ndarray]) -> None:
    ac, hom = counts.allele_count[1::2, column], counts.homozygotes[1::2, column]
    assert len(ac) == len(figures["AC"]) == 889
    np.testing.assert_array_equal(ac, figures["AC"])
    np.testing.assert_array_equal(counts.allele_number[:, column], figures["AN"])
    np.testing.assert_array_equal(2 * hom, figures["AC_Hom"])
    np.testing.assert_array_equal(ac - 2 * hom, figures["AC_Het"])


def test_the_published_counts_of_unrelated_people_come_out_at_all_889_records(test_data, unrelated):
    path = test_data / NYGC
    samples = cyvcf2.VCF(str(path)).samples
    cell = [
        SUPER_POPULATIONS.index(unrelated[name][0]) if name in unrelated else -1 for name in samples
    ]
    assert (len(samples), len(cell) - cell.count(-1)) == (3_202, 2_504)
    counts = count_file(path, np.array(cell)).figures
    for column, population in enumerate(SUPER_POPULATIONS):
        assert_published(counts, column, published(path, f"_{population}_unrel"))


def test_the_published_counts_of_everybody_come_out_at_all_889_records(test_data):
    path = test_data / NYGC
    counts = count_file(path, np.zeros(3_202)).figures
    assert_published(counts, 0, published(path, ""))


# Hardy-Weinberg tests that the same file has in INFO, of all 3,202 people by super-population.


def test_the_published_hardy_weinberg_tests_come_out_at_all_889_records(test_data):
    path = test_data / NYGC
    super_population = super_populations(test_data)
    samples = cyvcf2.VCF(str(path)).samples
    cell = [SUPER_POPULATIONS.index(super_population[name]) for name in samples]
    counts = count_file(path, np.array(cell)).figures
    of_alt = (counts.allele_count, counts.homozygotes, counts.single_allele_count)
    heterozygotes = heterozygote_count(*(table[1::2] for table in of_alt))
    people = diploid_count(counts.allele_number, counts.single_allele_number)
    found = exact_test(heterozygotes, counts.homozygotes[1::2], people)
    for tag, p_values in (("HWE", found.p_value), ("ExcHet", found.p_excess)):
        for column, population in enumerate(SUPER_POPULATIONS):
            printed = [record.INFO[f"{tag}_{population}"] for record in cyvcf2.VCF(str(path))]
            assert len(printed) == len(p_values) == 889
            # Theirs were printed with six digits of a number of four bytes, which ends at 1.4e-45.
            ours = p_values[:, column].astype(np.float32)
            np.testing.assert_allclose(ours, printed, rtol=5.1e-6, atol=2e-45)
            same = [f"{p:.6g}" == f"{q:.6g}" for p, q in zip(ours, printed, strict=True)]
            assert sum(same) >= 885


def super_populations(test_data) -> dict[str, str]:
    """The super-population of everybody: of the 2,504 as listed, of their kin by population."""
    with (test_data / "integrated_call_samples_v3.20130502.ALL.panel").open() as source:
        rows = [line.split() for line in source]
    of_population = {row[1]: row[2] for row in rows[1:] if len(row) > 2}
    with (test_data / "20130606_g1k.ped").open() as source:
        people = [line.split("\t") for line in source][1:]
    return {row[1]: of_population[row[6]] for row in people if row[6] in of_population}
