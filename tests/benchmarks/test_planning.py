"""Planning 20 cohorts of whole genomes: how many jobs and files, and how long it takes."""

import time
from pathlib import Path

import pytest
from tests.whole_genomes import GRCH38, dry_run, lay_out, plan


@pytest.mark.benchmark
def test_twenty_whole_genome_cohorts_are_planned_in_less_than_a_minute(tmp_path: Path) -> None:
    assert 3_080_000_000 < sum(GRCH38.values()) < 3_100_000_000
    lay_out(tmp_path, 20, GRCH38)
    began = time.monotonic()
    dry_run(tmp_path, "--quiet")
    first = time.monotonic() - began
    began = time.monotonic()
    dry_run(tmp_path, "--quiet")
    again = time.monotonic() - began
    planned = plan(tmp_path)
    print(f"{planned}; planned in {first:.1f} s at first, inputs checked, and {again:.1f} s again")
    assert planned.jobs < 50_000
    assert planned.files < 100_000
    assert again < 60
