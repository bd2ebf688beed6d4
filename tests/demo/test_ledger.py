"""The demonstration with a ledger: recorded once, held against itself by nobody, and refused when one person leaves."""

import json
from pathlib import Path

import pytest
import yaml

from afpanel.cli.main import main

CORES = ("--cores", "2")


def set_keys(folder: Path, section: str, **values: str) -> None:
    path = folder / "config/config.yaml"
    config = yaml.safe_load(path.read_text())
    config[section] |= values
    path.write_text(yaml.safe_dump(config, sort_keys=False))


@pytest.mark.long
def test_the_workflow_records_a_release_and_refuses_one_of_a_person_less(
    demo_folder, snakemake, tmp_path, capsys
):
    folder = demo_folder(tmp_path / "demo")
    set_keys(folder, "disclosure", ledger="ledger")
    snakemake(folder, *CORES)
    receipt = json.loads((folder / "results/private/recorded.json").read_text())
    assert (receipt["release"], receipt["entry"]) == ("demo-2026.1", 1)
    assert "Nothing to be done" in snakemake(folder, *CORES, "-n").stdout
    release = folder / "results/release/demo-2026.1"
    before = {path: path.read_bytes() for path in release.rglob("*") if path.is_file()}
    (folder / "results/panel/decision.json").unlink()
    snakemake(folder, *CORES)
    assert {path: path.read_bytes() for path in release.rglob("*") if path.is_file()} == before
    assert main(["ledger", "check", str(folder / "ledger")]) == 0
    assert main(["verify-release", str(release), "--ledger", str(folder / "ledger")]) == 0
    assert "none can be worked out" in capsys.readouterr().out

    sheet = (folder / "demo/data/vn.samples.tsv").read_text()
    assert "VNSYN00006\tTAY\tXY\tyes" in sheet
    (folder / "config/vn.samples.tsv").write_text(
        sheet.replace("VNSYN00006\tTAY\tXY\tyes", "VNSYN00006\tTAY\tXY\tno")
    )
    table = folder / "config/cohorts.tsv"
    table.write_text(table.read_text().replace("demo/data/vn.samples", "config/vn.samples"))
    set_keys(folder, "panel", version="2026.2")
    assert snakemake(folder, *CORES, check=False).returncode
    said = (folder / "results/private/logs/settle.log").read_text()
    assert "of cohort VN-demo 0 people were added and 1 removed since demo-2026.1" in said
    assert not (folder / "results/release/demo-2026.2").exists()
