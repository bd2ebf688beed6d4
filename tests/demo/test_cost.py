"""What `afpanel plan` says of the demonstration, beside what Snakemake plans and what runs take."""

import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from afpanel.cli.main import main
from afpanel.stages.bench_launch import Launcher

FACTOR = 2.0
"""Within which disk and memory are predicted here."""


@pytest.fixture
def demo(demo_folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(demo_folder(tmp_path / "demo"))
    return tmp_path / "demo"


@pytest.fixture
def predicted(demo: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["-q", "plan", "config/config.yaml", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def by_stage(predicted: dict) -> dict[str, dict]:
    return {each["stage"]: each for each in predicted["stages"]}


def test_jobs_are_those_that_snakemake_plans_and_each_asks_for_the_memory_it_is_to_take(
    demo: Path, predicted: dict, snakemake
):
    said = snakemake(demo, "--dry-run").stdout
    table = said.split("Job stats:")[1].split("\n\n")[0]
    planned: Counter[str] = Counter()
    for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE):
        planned[re.sub(r"_stream_\d+$", "", rule)] += int(n)
    total = planned.pop("total")
    assert {each["stage"]: each["jobs"] for each in predicted["stages"]} == planned
    assert predicted["total"]["jobs"] == total
    asked = re.findall(r"rule (\w+):\n(?:    .+\n)*?    resources: .*?mem_mb=(\d+)", said)
    assert {rule for rule, _ in asked} >= {"ingest", "merge", "publish"}
    for rule, mem_mb in asked:
        stage = re.sub(r"_stream_\d+$", "", rule)
        assert by_stage(predicted)[stage]["peak_mb"] <= int(mem_mb), rule


def test_disk_is_predicted_within_a_factor_of_two(predicted: dict, undisturbed: Path):
    results = undisturbed / "results"
    files = [f for f in results.rglob("*") if f.is_file() and "logs" not in f.parts]
    taken = sum(path.stat().st_size for path in files)
    assert taken / FACTOR <= predicted["total"]["disk_bytes"] <= taken * FACTOR
    stores = sum(f.stat().st_size for f in files if f.parent.name == "genotypes")
    assert stores / FACTOR <= by_stage(predicted)["ingest"]["disk_bytes"] <= stores * FACTOR


def test_memory_of_processes_is_predicted_within_a_factor_of_two(
    demo: Path, predicted: dict, undisturbed: Path
):
    private = undisturbed / "results" / "private" / "JP-demo"
    sheet = "--samples demo/data/jp.samples.tsv"
    store = next((private / "genotypes").iterdir())
    commands = {
        "ingest": f"ingest demo/data/jp.bcf {sheet} --out jp.vcz.zip --region chr21",
        "count": f"count {store} --alleles {private / 'alleles.zarr.zip'} {sheet} --cohort JP-demo"
        " --country JP --build GRCh38 --out jp.zarr.zip",
    }
    with Launcher() as launcher:
        for stage, command in commands.items():
            peak = launcher.run(f"{sys.executable} -m afpanel -q {command}").peak_mb
            assert peak / FACTOR <= by_stage(predicted)[stage]["peak_mb"] <= peak * FACTOR, stage


def test_the_table_has_a_line_for_each_stage_a_total_and_what_is_least_certain(demo: Path, capsys):
    assert main(["-q", "plan", "config/config.yaml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "stage"
    assert [line.split()[0] for line in lines if line.startswith(("ingest", "publish", "total"))]
    assert "least certain:" in lines
    assert any("variants of the panel: between" in line for line in lines)


def test_coefficients_of_another_machine_are_taken_and_odd_ones_refused(demo: Path, capsys):
    Path("slow.json").write_text('{"start": 3600}')
    assert main(["-q", "plan", "config/config.yaml", "--coefficients", "slow.json", "--json"]) == 0
    slow = json.loads(capsys.readouterr().out)
    jobs = slow["total"]["jobs"] - 1  # all but Snakemake's own
    assert slow["total"]["core_seconds"] == pytest.approx(3600 * jobs, rel=0.01)
    for text, what in (('{"sart": 1}', "sart"), ('{"start": -1}', "start"), ("[]", "it")):
        Path("odd.json").write_text(text)
        assert main(["-q", "plan", "config/config.yaml", "--coefficients", "odd.json"]) == 3
        assert f"not coefficients: {what}" in capsys.readouterr().err
