"""The benchmark command, on a file so small that only its sense is tested."""

import json
from pathlib import Path

import numpy as np
import pysam
import pytest

from afpanel.cli.main import main
from afpanel.stages import bench_costs
from afpanel.stages.bench_data import POPULATIONS, make_files
from afpanel.stages.cost import read_coefficients


def test_the_counts_of_a_peer_are_held_against_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bench.jsonl"
    size = ["--samples", "31", "--sites", "47", "--repeats", "1"]
    assert main(["-q", "bench", *size, "--peers", "cyvcf2", "--json", str(out)]) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["peer"] for line in lines] == ["recount", "three commands", "cyvcf2"]
    assert all(line["agrees"] is True for line in lines)
    for line in lines:
        assert line["samples"] == 31
        assert line["seconds"] > 0
        assert line["ratio"] == pytest.approx(line["peer_seconds"] / line["seconds"], abs=0.002)
        assert line["peak_mb"] > 10
    assert "agree" in capsys.readouterr().out


def test_an_unknown_peer_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-q", "bench", "--peers", "bcftoolz"]) == 3
    assert "bcftoolz" in capsys.readouterr().err


@pytest.mark.parametrize("rich", [False, True])
def test_the_file_is_legal_and_the_same_for_the_same_seed(tmp_path: Path, rich: bool) -> None:
    one, other = (make_files(tmp_path / name, 10, 20, rich=rich, seed=5) for name in "ab")
    assert one.vcf.read_bytes() == other.vcf.read_bytes()
    fasta = pysam.FastaFile(str(one.fasta))
    with pysam.VariantFile(str(one.vcf)) as source:
        records = list(source)
        assert len(source.header.samples) == 10
    assert len(records) == 20
    for record in records:
        assert fasta.fetch(record.contig, record.start, record.stop) == record.ref
        for call in record.samples.values():
            assert set(call["GT"]) <= {0, 1}
            if rich:
                assert sum(call["AD"]) == call["DP"]
                assert np.argmin(call["PL"]) == sum(call["GT"])
    labels = [line.split("\t")[1] for line in one.groups.read_text().splitlines()]
    assert set(labels) == set(POPULATIONS)


@pytest.mark.long
def test_coefficients_are_measured_for_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a few people and sites, so that only the sense of it is tested."""
    monkeypatch.setattr(bench_costs, "_MANY_SAMPLES", 30)
    out = tmp_path / "here.json"
    size = ["--samples", "20", "--sites", "30"]
    assert main(["-q", "bench", *size, "--coefficients", str(out)]) == 0
    rates = read_coefficients(out)
    assert 0.05 < rates.start < 60
    assert set(json.loads(out.read_text())) == {
        "ingest_genotype", "ingest_call", "count_genotype", "count_call", "record", "person", "start",
    }  # fmt: skip
