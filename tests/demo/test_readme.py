"""What the README shows of the demonstration is what a run of it gives."""

import contextlib
import gzip
import io
import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def shown(root: Path) -> list[str]:
    """The blocks of the README, without their fences."""
    return re.findall(
        r"^```\w*\n(.*?)^```", (root / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def block(shown: list[str], start: str) -> str:
    """The one block that starts so."""
    (found,) = [each for each in shown if each.startswith(start)]
    return found


def test_the_table_at_the_end_of_the_run(shown, undisturbed):
    summary = (undisturbed / "results/private/summary.txt").read_text()
    table, _, paths = summary.partition("\nWritten:")
    assert block(shown, "Panel demo") == table
    assert "demo-2026.1.vcf.gz" in paths


def test_lines_of_the_vcf(shown, undisturbed):
    """Shortened: columns stand apart, and figures are left out where an ellipsis is."""
    with gzip.open(undisturbed / "results/release/demo-2026.1/demo-2026.1.vcf.gz", "rt") as vcf:
        records = [line.rstrip().split("\t") for line in vcf if not line.startswith("#")]
    lines = {tuple(columns): info for *columns, info in records}
    told = block(shown, "chr21  671").splitlines()
    for line in told:
        *columns, info = line.split()
        figures = lines[tuple(columns)].split(";")
        assert [figure for figure in info.split(";") if figure != "…"] == [
            figure for figure in figures if figure in info.split(";")
        ]
    assert len(told) == 3


def test_what_became_of_alleles(shown, undisturbed):
    lines = (undisturbed / "results/release/demo-2026.1/harmonization.tsv").read_text().splitlines()
    told = block(shown, "cohort\toutcome").splitlines()
    assert told[0] == lines[0]
    assert told[1:] == [line for line in lines if line.startswith("TH-demo\t")]


def test_what_a_query_prints(shown, undisturbed, monkeypatch):
    monkeypatch.chdir(undisturbed)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(block(shown, "import pyarrow.dataset"), {})
    assert said.getvalue() == block(shown, "chr21\t887")
