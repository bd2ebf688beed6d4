"""Seven countries that hand over their own polymorphic sites and the region they called in.

The oracle is the panel of the full files, in which every country has a record of every site; another test
holds that one against bcftools.
"""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pysam
import pytest
import yaml
from tests.builders import write_cohorts
from tests.conftest import Once
from tests.demo.conftest import build_by_commands, release_of
from tests.real.conftest import COUNTRIES, FREQUENCIES, Figures, Panel

REGION = ("22", 16_050_000, 16_650_000)
"""Where the file has records, as BED."""

ABSENT, OBSERVED = 1, 2


def own_sites(source: Path, sheet: Path, out: Path, *options: str) -> None:
    """Write a country's people, and of the records those in which some of them carry an ALT."""
    names = out.with_suffix(".samples")
    people = [line.split("\t")[0] for line in sheet.read_text().splitlines()[1:]]
    names.write_text("\n".join(people) + "\n")
    pysam.bcftools.view(
        "--no-version", "-S", str(names), "-c1", *options, "-Oz", "-o", str(out), str(source),
        catch_stdout=False,
    )  # fmt: skip
    pysam.tabix_index(str(out), preset="vcf", force=True)


@pytest.fixture(
    scope="module",
    params=["own ALTs", pytest.param("whole records", marks=pytest.mark.long)],
)
def reduced(
    request: pytest.FixtureRequest, once: Once, seven_countries: Panel, test_data: Path, root: Path
) -> tuple[str, Panel]:
    """The panel of the reduced files: with the ALTs alone that a country has, or all of the record."""
    whole = test_data / "grch37/1000g.phase3.chr22.vcf.gz"

    def fill(folder: Path) -> None:
        (folder / "config").mkdir()
        (folder / "region.bed").write_text("\t".join(map(str, REGION)) + "\n")
        rows = []
        for country in COUNTRIES:
            sheet = seven_countries.folder / f"resources/1000g/samples/{country}.tsv"
            path = folder / f"{country}.vcf.gz"
            own_sites(whole, sheet, path, *(["-a"] if request.param == "own ALTs" else []))
            rows.append({"cohort": country, "country": country, "build": "GRCh37", "path": path,
                         "samples": sheet, "callable": folder / "region.bed"})  # fmt: skip
        config = {
            "panel": {"name": "demo", "version": "2026.1"},
            "reference": {"build": "GRCh37", "fasta": str(test_data / "grch37/chr22.fa.gz")},
            "cohorts": str(write_cohorts(folder / "cohorts.tsv", rows)),
            "disclosure": {"policy": str(root / "config/policies/public-genotypes.yaml")},
        }
        (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
        build_by_commands(folder)

    folder = once("reduced-" + request.param.replace(" ", "-"), fill)
    groups = seven_countries.groups
    return request.param, Panel(folder, folder / "results", release_of(folder), groups)


@pytest.fixture
def both(
    reduced: tuple[str, Panel],
    seven_countries: Panel,
    read_figures: Callable[[Panel, str], Figures],
) -> tuple[str, Figures, Figures, list[int]]:
    """What the reduced panel says, what the full one does, and the rows of the full one that both have."""
    kind, panel = reduced
    less, full = read_figures(panel, "zarr"), read_figures(seven_countries, "zarr")
    assert less.groups == full.groups
    row = {key: i for i, key in enumerate(full.keys)}
    return kind, less, full, [row[key] for key in less.keys]


def test_what_is_missing_is_what_nobody_has(both: tuple[str, Figures, Figures, list[int]]) -> None:
    """Of whole records the ALTs that nobody has stay too, where somebody has another ALT of the record."""
    kind, less, full, _ = both
    carried = full.values["AC"][:, 0] > 0
    polymorphic = {key for key, somebody in zip(full.keys, carried, strict=True) if somebody}
    assert 3_000 < len(polymorphic) < 6_000
    kept = set(less.keys) - polymorphic
    assert polymorphic <= set(less.keys) <= set(full.keys)
    assert (0 < len(kept) < 40) if kind == "whole records" else not kept


def test_the_variants_are_those_of_the_records_handed_over_after_bcftools_norm(
    reduced: tuple[str, Panel],
    read_figures: Callable[[Panel, str], Figures],
    oracle: SimpleNamespace,
    test_data: Path,
    tmp_path: Path,
) -> None:
    """But for symbolic alleles, which are listed as such for every country that has some, and not shown."""
    _, panel = reduced
    expected, symbolic = set(), {}
    for country in COUNTRIES:
        oracle.normalize(
            panel.folder / f"{country}.vcf.gz", test_data / "grch37/chr22.fa.gz", tmp_path / "n.bcf"
        )
        with pysam.VariantFile(str(tmp_path / "n.bcf"), drop_samples=True) as source:
            own = {(r.contig, r.pos, r.ref, r.alts[0]) for r in source}
        expected |= {key for key in own if not key[3].startswith("<")}
        symbolic[country] = sum(key[3].startswith("<") for key in own)
    assert set(read_figures(panel, "zarr").keys) == expected
    header, *rows = (panel.release / "harmonization.tsv").read_text().splitlines()
    assert header.split("\t")[:4] == ["cohort", "outcome", "kept", "source_alleles"]
    found = dict.fromkeys(COUNTRIES, 0)
    for cohort, outcome, _, number, *_ in (row.split("\t") for row in rows):
        assert outcome in ("as_is", "trimmed", "symbolic")
        found[cohort] += int(number) if outcome == "symbolic" else 0
    assert found == symbolic
    assert sum(symbolic.values()) > 0


def test_every_figure_of_every_group_is_that_of_the_full_files(
    both: tuple[str, Figures, Figures, list[int]],
) -> None:
    _, less, full, rows = both
    assert sorted(rows) == rows
    for figure, values in less.values.items():
        expected = full.values[figure][rows]
        assert not np.ma.getmaskarray(expected).any()
        assert not np.ma.getmaskarray(values).any(), figure
        assert values.dtype == (np.float32 if figure in FREQUENCIES else np.int32)
        np.testing.assert_array_equal(values.data, expected.data, err_msg=figure)


def test_the_state_tells_which_countries_handed_over_a_record(
    both: tuple[str, Figures, Figures, list[int]],
) -> None:
    """Absent and callable in a country without the variant, and in each of its populations."""
    kind, less, full, rows = both
    assert less.state is not None
    assert full.state is not None
    assert (full.state == OBSERVED).all()
    for g, group in enumerate(less.groups):
        country = group.split("_")[0]
        carried = full.values["AC"][rows, full.groups.index(country)] > 0
        if country not in COUNTRIES:
            carried[:] = True
        if kind == "own ALTs":
            assert less.state[:, g].tolist() == np.where(carried, OBSERVED, ABSENT).tolist()
        else:
            assert set(less.state[carried, g].tolist()) == {OBSERVED}
            assert set(less.state[:, g].tolist()) <= {ABSENT, OBSERVED}
        if country in COUNTRIES:
            assert (less.state[:, g] == ABSENT).sum() > 1_000
