"""What docs/sites.md shows can be done as it stands there."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from tests.builders import write_fasta

from afpanel.cli.main import main
from afpanel.core.published_counts import PublishedCounts
from afpanel.io.cell_table import read_cells
from afpanel.io.sites_form import SitesForm
from afpanel.io.sites_source import open_sites


@pytest.fixture
def folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, each under the name that stands before it."""
    text = (root / "docs/sites.md").read_text()
    for name, content in re.findall(
        r"`([\w.]+\.\w+)`[^`\n]*(?:`samples`[^\n]*)?:\n\n```text\n(.*?)```", text, re.DOTALL
    ):
        (tmp_path / name).write_text(content)
    config = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "config.yaml").write_text(config[1])
    (tmp_path / "policy.yaml").write_text("{min_group_size: 0, min_allele_count: 0}\n")
    write_fasta(tmp_path / "GRCh38.fa", {"chr1": "A" * 204 + "C" * 200})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def counts_of(cohort: str, folder: Path) -> PublishedCounts:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    rows = [line.split("\t") for line in (folder / "cohorts.tsv").read_text().splitlines()]
    row = dict(zip(rows[0], next(r for r in rows if r[0] == cohort), strict=False))
    said = config["sites"].get(cohort, {})
    pvar = said.get("pvar")
    form = SitesForm(said.get("columns", {}), {}, None if pvar is None else folder / pvar)
    (block,) = open_sites(folder / row["path"], read_cells(folder / row["samples"]), form).blocks(
        None, 99
    )
    assert block.counts is not None
    return block.counts


def test_the_configuration_is_valid_and_its_plan_says_who_is_left_out(folder: Path) -> None:
    assert main(["-q", "validate", "config.yaml", "--plan", "plan.json"]) == 0
    plan = json.loads((folder / "plan.json").read_text())
    assert plan["left_out"] == {"Plink": "Aggregate"}
    assert {name: each["people"] for name, each in plan["cohorts"].items()} == {
        "Aggregate": 90, "Plink": 100, "Table": 500,
    }  # fmt: skip
    assert plan["cohorts"]["Table"]["source"]["fields"] == ["copies", "called"]


def test_the_files_are_read_as_the_page_says(folder: Path) -> None:
    vcf = counts_of("Aggregate", folder)
    assert vcf.allele_count.tolist() == [[7, 5], [2, 0]]
    assert vcf.allele_number.tolist() == [[98, 80]]
    assert vcf.homozygotes.tolist() == [[1, -1], [0, -1]]
    table = counts_of("Table", folder)
    assert (table.allele_count.tolist(), table.allele_number.tolist()) == (
        [[12], [3]],
        [[1000], [996]],
    )
    plink = counts_of("Plink", folder)
    # 80 A/A, 8 A/G, 2 A/T, 3 G/G, 1 G/T: 94 people of two copies each.
    assert (plink.allele_count.tolist(), plink.allele_number.tolist()) == ([[15], [3]], [[188]])
    assert plink.homozygotes.tolist() == [[3], [0]]


def test_the_whole_page_can_be_built(folder: Path, snakemake) -> None:
    snakemake(folder, "--configfile", "config.yaml", "--cores", "1")
    release = folder / "results/release/asia-2026.1"
    manifest = json.loads((release / "manifest.json").read_text())
    assert [each["cohort"] for each in manifest["cohorts"]] == ["Aggregate", "Plink", "Table"]
    assert {each.get("left_out_for") for each in manifest["cohorts"]} == {None, "Aggregate"}
    shutil.rmtree(folder / "results")


@pytest.mark.parametrize("beside", [True, False])
def test_files_of_single_contigs_are_read_each_with_its_pvar(folder: Path, beside: bool) -> None:
    for name, text in (("gcount", "biobank.gcount"), ("pvar", "biobank.pvar")):
        stem = "counts" if beside or name == "gcount" else "variants"
        (folder / text).rename(folder / f"{stem}.1.{name}")
    table = folder / "cohorts.tsv"
    table.write_text(table.read_text().replace("biobank.gcount", "./counts.{contig}.gcount"))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["sites"]["Plink"] = {} if beside else {"pvar": "variants.{contig}.pvar"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    assert main(["-q", "validate", "config.yaml", "--plan", "plan.json"]) == 0
    plan = json.loads((folder / "plan.json").read_text())["cohorts"]["Plink"]
    pvar = "counts.1.pvar" if beside else "variants.1.pvar"
    assert plan["files"] == ["counts.1.gcount", pvar]
    assert plan["sites"]["pvar"] == {"counts.1.gcount": pvar}
    assert [p["id"] for p in plan["partitions"]] == ["chr1.00000"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sites": {"Tabel": {}}}, "Tabel is no cohort of kind sites"),
        ({"sites": {"Table": {"column": {}}}}, "unknown key 'column'"),
        ({"sites": {"Table": {"columns": {"allele": "A1"}}}}, "unknown key 'allele'"),
        ({"sites": {"Table": {"raw": {"AC": "copies"}}}}, "AC and AN before the filter belong"),
        ({"double_count": [["Table"]]}, "double_count.0"),
        ({"double_count": [["Table", "Table"]]}, "double_count.0"),
        (
            {"double_count": [["Table", "Plink"], ["Plink", "Table"]]},
            "each is better than the next",
        ),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], change: dict, reason: str
) -> None:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump(config | change))
    assert main(["-q", "validate", "config.yaml"]) == 3
    assert reason in capsys.readouterr().err


def test_sites_files_that_cannot_be_used_are_found_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, old, new in (
        ("table.tsv", "996", "2"),
        ("biobank.pvar", "rs1", "rs2"),
        ("aggregate.vcf", "ID=AC_jpt_XY", "ID=AC_other"),
    ):
        path = folder / name
        path.write_text(path.read_text().replace(old, new))
    assert main(["-q", "validate", "config.yaml"]) == 3
    said = capsys.readouterr().err
    for reason in ("AC is greater than AN", "the .pvar has", "no AC and AN of JPT XY"):
        assert reason in said
