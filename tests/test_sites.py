"""Published counts as a source: the panel is the one that the genotypes give of which they were made."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest
from tests.published import (
    LENGTHS,
    PLINK_NAMES,
    Cells,
    Person,
    Record,
    Source,
    cells_of,
    genotype_vcf,
    gnomad_vcf,
    panel_of,
    people_of,
    plink2,
    reference,
    sheet_of,
    simulate,
    table,
    table_columns,
    turned,
    write_cells,
)

from afpanel.io.sites_form import SitesForm
from afpanel.model.region import Region

NO_FORM = SitesForm()
COLUMNS = {"contig": "CHR", "position": "BP", "ref": "A2", "alt": "A1"}


@dataclass(frozen=True)
class Cohort:
    people: list[Person]
    records: list[Record]
    cells: Cells


@dataclass(frozen=True)
class World:
    """A reference, a cohort of genotypes, and one whose genotypes are published as counts too."""

    folder: Path
    fasta: Path
    sequences: dict[str, str]
    given: Source
    cohort: Cohort
    genotypes: Source

    def expected(self) -> dict[str, dict[str, object]]:
        return panel_of(self.folder / "expected", self.fasta, [self.given, self.genotypes])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    fasta, sequences = reference(folder)
    rng = random.Random(4)
    made = []
    for name, populations in (("a", {"KHV": 13, "CDX": 6}), ("b", {"TAI": 11, "MON": 8})):
        people = people_of(name, populations, ("XX", "XY", "XX"))
        records = simulate(rng, sequences, people)
        path = genotype_vcf(folder / f"{name}.vcf.gz", records, people)
        sheet = sheet_of(folder / f"{name}.sheet.tsv", people)
        source = Source(name, {"a": "VN", "b": "TH"}[name], path, sheet)
        made.append((source, Cohort(people, records, cells_of(people))))
    return World(folder, fasta, sequences, made[0][0], made[1][1], made[1][0])


@pytest.fixture(scope="module")
def expected(world: World) -> dict[str, dict[str, object]]:
    return world.expected()


def as_sites(world: World, path: Path, sheet: Path, form: SitesForm = NO_FORM) -> list[Source]:
    return [world.given, Source("b", "TH", path, sheet, form)]


def without(panel: dict[str, dict[str, object]], *names: str) -> dict[str, dict[str, object]]:
    return {
        contig: {name: values for name, values in arrays.items() if name not in names}
        for contig, arrays in panel.items()
    }


@pytest.mark.parametrize("ending", [".vcf", ".vcf.gz", ".plain.vcf.gz"])
def test_a_vcf_with_fields_as_gnomad_names_them_gives_the_panel_of_the_genotypes(
    tmp_path: Path, world: World, expected: dict[str, dict[str, object]], ending: str
) -> None:
    path = gnomad_vcf(tmp_path / f"sites{ending}", world.cohort.records, world.cohort.cells)
    cells = write_cells(tmp_path / "cells.tsv", world.cohort.cells)
    assert panel_of(tmp_path / "out", world.fasta, as_sites(world, path, cells)) == expected


def test_a_table_with_a_map_of_its_columns_gives_the_panel_of_the_genotypes(
    tmp_path: Path, world: World, expected: dict[str, dict[str, object]]
) -> None:
    cells = world.cohort.cells
    path = table(tmp_path / "counts.tsv", world.cohort.records, cells)
    sheet = write_cells(tmp_path / "cells.tsv", cells, table_columns(cells))
    sources = as_sites(world, path, sheet, SitesForm(COLUMNS))
    assert panel_of(tmp_path / "out", world.fasta, sources) == expected


def test_without_homozygotes_the_panel_lacks_these_alone(
    tmp_path: Path, world: World, expected: dict[str, dict[str, object]]
) -> None:
    cells = world.cohort.cells
    records = world.cohort.records
    path = gnomad_vcf(tmp_path / "sites.vcf.gz", records, cells, homozygotes=False)
    sheet = write_cells(tmp_path / "cells.tsv", cells)
    found = panel_of(tmp_path / "out", world.fasta, as_sites(world, path, sheet))
    assert without(found, "homozygote_count") == without(expected, "homozygote_count")
    known = [
        (mine, true)
        for contig in LENGTHS
        for mine, true in zip(
            chain.from_iterable(found[contig]["homozygote_count"]),  # type: ignore[call-overload]
            chain.from_iterable(expected[contig]["homozygote_count"]),  # type: ignore[call-overload]
            strict=True,
        )
        if mine >= 0
    ]
    assert known
    assert all(mine == true for mine, true in known)


def test_cells_whose_sexes_are_told_together_give_all_groups_but_those_of_sex(
    tmp_path: Path, world: World, expected: dict[str, dict[str, object]]
) -> None:
    cohort = world.cohort
    together: Cells = {}
    for (population, _), members in cohort.cells.items():
        together.setdefault((population, "unknown"), []).extend(members)
    autosomal = [record for record in cohort.records if record.contig == "chr1"]
    path = table(tmp_path / "counts.tsv", autosomal, together)
    lines = ["population\tXX\tXY\tAC\tAN\tnhomalt"]
    for population, sex in together:
        n = [len(cohort.cells[population, each]) for each in ("XX", "XY")]
        names = table_columns(together)[population, sex]
        lines.append(
            "\t".join([population, *map(str, n), *(names[k] for k in ("AC", "AN", "nhomalt"))])
        )
    sheet = tmp_path / "cells.tsv"
    sheet.write_text("\n".join(lines) + "\n")
    sources = as_sites(world, path, sheet, SitesForm(COLUMNS))
    found = panel_of(tmp_path / "out", world.fasta, sources)
    groups = expected["chr1"]["group_id"]
    assert found["chr1"]["group_id"] == groups
    of_sex = [groups.index(sex) for sex in ("XX", "XY")]  # type: ignore[attr-defined]
    for name in ("allele_count", "allele_number", "homozygote_count", "state"):
        for mine, true in zip(found["chr1"][name], expected["chr1"][name], strict=True):  # type: ignore[call-overload]
            assert [x for i, x in enumerate(mine) if i not in of_sex] == [
                x for i, x in enumerate(true) if i not in of_sex
            ]


def test_a_swapped_or_flipped_third_of_all_alleles_gives_what_is_known_of_the_genotypes(
    tmp_path: Path, world: World
) -> None:
    rng = random.Random(9)
    cohort = world.cohort
    singles = [r for r in cohort.records if all(len(a) == 1 for a in (r.ref, *r.alts))]
    records = [turned(rng, r) if rng.random() < 0.3 else r for r in singles]
    assert sum(r is not s for r, s in zip(records, singles, strict=True)) > 100
    genotypes = genotype_vcf(tmp_path / "turned.vcf.gz", records, cohort.people)
    given = [world.given, Source("b", "TH", genotypes, world.genotypes.sheet)]
    expected = panel_of(tmp_path / "genotypes", world.fasta, given, max_ref_mismatch=0.9)
    path = gnomad_vcf(tmp_path / "sites.vcf.gz", records, cohort.cells)
    sheet = write_cells(tmp_path / "cells.tsv", cohort.cells)
    sources = as_sites(world, path, sheet)
    found = panel_of(tmp_path / "out", world.fasta, sources, max_ref_mismatch=0.9)
    outcomes = [
        json.loads((tmp_path / each / "b" / "summary.json").read_text())["outcomes"]
        for each in ("genotypes", "out")
    ]
    assert outcomes[0] == outcomes[1]
    assert min(outcomes[0][key] for key in ("swapped", "flipped", "swapped+flipped")) > 20
    # Where a record with several ALTs is swapped, its REF's homozygotes do not follow from counts.
    missing = 0
    for contig in LENGTHS:
        assert (
            without(found, "homozygote_count")[contig]
            == without(expected, "homozygote_count")[contig]
        )
        columns = zip(
            found[contig]["homozygote_count"], expected[contig]["homozygote_count"], strict=True
        )  # type: ignore[call-overload]
        for mine, true in columns:
            assert all(m in (t, -1) for m, t in zip(mine, true, strict=True))
            missing += mine != true
    several = sum(len(r.alts) > 1 and r is not s for r, s in zip(records, singles, strict=True))
    assert 0 < missing <= several


@pytest.mark.parametrize("step", [pytest.param(700, marks=pytest.mark.long), 5_000])
def test_the_panel_does_not_depend_on_partitions(
    tmp_path: Path, world: World, expected: dict[str, dict[str, object]], step: int
) -> None:
    path = gnomad_vcf(tmp_path / "sites.vcf.gz", world.cohort.records, world.cohort.cells)
    cells = write_cells(tmp_path / "cells.tsv", world.cohort.cells)
    regions = [
        Region(
            contig, start, min(start + step - 1, length) if start + step <= length else 2**31 - 2
        )
        for contig, length in LENGTHS.items()
        for start in range(0 if length < 50_000 else length - 42_000, length + 1, step)
    ]
    panel_of(tmp_path / "one", world.fasta, as_sites(world, path, cells))
    found = panel_of(tmp_path / "two", world.fasta, as_sites(world, path, cells), regions)
    assert found == expected
    for contig in LENGTHS:
        one, two = (tmp_path / each / f"{contig}.panel.zip" for each in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def counted_by_plink2(
    folder: Path, records: Sequence[Record], people: Sequence[Person], *arguments: str
) -> Path:
    folder.mkdir()
    return plink2(folder, genotype_vcf(folder / "in.vcf", records, people), people, *arguments)


def is_counted_alike(record: Record) -> bool:
    """Where plink2 2.00a3 counts as we do: it loses second ALTs of haploid calls, and Y is another story."""
    return record.contig in ("chrX", "chrM") and len(record.alts) == 1


@pytest.mark.parametrize("kind", ["acount", "gcount"])
@pytest.mark.parametrize("positions", [True, pytest.param(False, marks=pytest.mark.long)])
def test_what_plink2_counts_gives_the_panel_of_the_genotypes(
    tmp_path: Path, world: World, kind: str, positions: bool
) -> None:
    cohort = world.cohort
    records = [r for r in cohort.records if r.contig == "chr1" or is_counted_alike(r)]
    option = {"acount": ["--freq", "counts"], "gcount": ["--geno-counts"]}[kind]
    cols = ["cols=+pos"] if positions else []
    sources, genotypes = [world.given], [world.given]
    for (population, sex), members in cohort.cells.items():
        people = [cohort.people[i] for i in members]
        own = [
            Record(r.contig, r.position, r.ref, r.alts, tuple(r.calls[i] for i in members))
            for r in records
        ]
        name = f"b-{population}-{sex}"
        out = counted_by_plink2(tmp_path / name, own, people, *option, *cols)
        if positions:
            out.with_suffix(".pvar").unlink()
        sheet = write_cells(tmp_path / f"{name}.tsv", {(population, sex): members})
        sources.append(Source(name, "TH", out.with_suffix(f".{kind}"), sheet, NO_FORM, PLINK_NAMES))
        vcf = genotype_vcf(tmp_path / f"{name}.vcf.gz", own, people)
        genotypes.append(Source(name, "TH", vcf, sheet_of(tmp_path / f"{name}.sheet", people)))
    expected = panel_of(tmp_path / "genotypes", world.fasta, genotypes)
    found = panel_of(tmp_path / "out", world.fasta, sources)
    left_out = () if kind == "gcount" else ("homozygote_count",)
    assert without(found, *left_out) == without(expected, *left_out)


def test_sexes_that_plink2_counts_together_are_told_apart_on_x_by_its_haploid_calls(
    tmp_path: Path, world: World
) -> None:
    cohort = world.cohort
    rng = random.Random(3)
    records = [r for r in cohort.records if r.contig == "chrX" and is_counted_alike(r)]
    records = [
        turned(rng, r) if len(r.ref + r.alts[0]) == 2 and rng.random() < 0.3 else r for r in records
    ]
    out = counted_by_plink2(tmp_path / "p", records, cohort.people, "--geno-counts")
    n = {sex: sum(p[2] == sex for p in cohort.people) for sex in ("XX", "XY")}
    sheet = tmp_path / "cells.tsv"
    sheet.write_text(f"population\tXX\tXY\nALL\t{n['XX']}\t{n['XY']}\n")
    one = [(name, "ALL", sex) for name, _, sex in cohort.people]
    vcf = genotype_vcf(tmp_path / "all.vcf.gz", records, one)
    genotypes = Source("b", "TH", vcf, sheet_of(tmp_path / "sheet.tsv", one))
    expected = panel_of(tmp_path / "genotypes", world.fasta, [genotypes], max_ref_mismatch=0.9)[
        "chrX"
    ]
    source = Source("b", "TH", out.with_suffix(".gcount"), sheet, NO_FORM, PLINK_NAMES)
    found = panel_of(tmp_path / "out", world.fasta, [source], max_ref_mismatch=0.9)["chrX"]
    groups = found["group_id"]
    assert groups == ["total", "TH", "TH_ALL"]
    of_sex = [expected["group_id"].index(sex) for sex in ("XX", "XY")]  # type: ignore[attr-defined]
    assert found["variant_position"] == expected["variant_position"]
    assert len(found["variant_position"]) > 100  # type: ignore[arg-type]
    for name in ("allele_count", "allele_number", "homozygote_count", "hemizygote_count",
                 "single_allele_count", "single_allele_number"):  # fmt: skip
        true = [[x for i, x in enumerate(row) if i not in of_sex] for row in expected[name]]  # type: ignore[attr-defined]
        assert found[name] == true, name
