"""The way from a VCF to counts beside other tools: run by ``make bench``, and not by ``make test``.

Results are appended to ``benchmarks.jsonl`` in the working directory, a line each.
"""

from pathlib import Path

import pytest

from afpanel.stages.bench import PEERS, BenchOptions, Result, bench, to_json_line

pytestmark = pytest.mark.benchmark


def measure(samples: int, sites: int, *, rich: bool) -> dict[str, Result]:
    results = bench(BenchOptions(samples, sites, rich, tuple(PEERS), repeats=3))
    with Path("benchmarks.jsonl").open("a", encoding="utf-8") as out:
        out.writelines(to_json_line(result) + "\n" for result in results)
    for result in results:
        print(to_json_line(result))
    return {result.peer: result for result in results}


def test_genotypes_alone_are_counted_faster_than_by_the_peers_that_count_groups() -> None:
    results = measure(9_000, 20_000, rich=False)
    for peer in {"bcftools", "cyvcf2"} & results.keys():
        assert results[peer].agrees
        assert results[peer].ratio > 1, peer


def test_rich_calls_are_filtered_and_counted_faster_than_bcftools_counts_them() -> None:
    results = measure(3_000, 20_000, rich=True)
    if "bcftools" in results:
        assert results["bcftools"].ratio > 1
