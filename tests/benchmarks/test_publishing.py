"""How fast a release of 3 million variants and 12 groups is written, how large it is, and how soon DuckDB answers.

Run with ``pytest tests/benchmarks/test_publishing.py -m benchmark -s`` on a quiet machine. The files are written by a
process of its own on two cores; a line of JSON for each figure goes to the file that ``PUBLISHING_JSONL`` names.
``PUBLISHING_VARIANTS`` asks for another number of variants.
"""

import json
import os
import random
import shlex
import statistics
import sys
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from tests.large_panel import GROUPS, write_panel

from afpanel.io.panel_store import read_heads
from afpanel.stages.bench_launch import Launcher

VARIANTS = int(os.environ.get("PUBLISHING_VARIANTS", "3000000"))
WRITE = """
import sys
from pathlib import Path
from afpanel.io.panel_store import read_heads
from afpanel.io.release import ReleaseHead
from afpanel.stages.publish_formats import write_formats
paths = [Path(name) for name in sys.argv[3:]]
heads = read_heads(paths)
contigs = {head.contig: head.contig_length for head in heads}
head = ReleaseHead("bench", "1", "GRCh38", contigs, heads[0].groups, heads[0].people_by_sex)
write_formats(Path(sys.argv[1]), head, paths, sys.argv[2].split(","))
"""
FULL_INFO = 2_000
"""Bytes of a line of text with full INFO in the manner of gnomAD, at least, for 12 groups: more than 140 keys."""


def tell(**figures: object) -> None:
    line = json.dumps(figures)
    print(line)
    if "PUBLISHING_JSONL" in os.environ:
        with Path(os.environ["PUBLISHING_JSONL"]).open("a") as lines:
            lines.write(line + "\n")


def size_of(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)


@pytest.fixture(scope="module")
def panels(tmp_path_factory):
    return write_panel(tmp_path_factory.mktemp("large"), VARIANTS)


@pytest.fixture(scope="module")
def published(panels, tmp_path_factory):
    """The release, and the seconds that each choice of formats took."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "write.py").write_text(WRITE)
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:2]))
    seconds = {}
    for formats in ("vcf,parquet,zarr", "vcf-slim", "gdi"):
        command = ["taskset", "-c", cores, sys.executable, str(folder / "write.py")]
        command += [str(folder / "bench-1"), formats, *map(str, panels)]
        with Launcher() as launcher:
            run = launcher.run(shlex.join(command))
        seconds[formats] = run.seconds
        tell(formats=formats, variants=VARIANTS, groups=len(GROUPS), seconds=round(run.seconds, 1),
             per_second=round(VARIANTS / run.seconds), peak_mb=round(run.peak_mb))  # fmt: skip
    return folder, seconds


@pytest.mark.benchmark
def test_three_formats_are_written_at_a_hundred_thousand_variants_a_second(published):
    _, seconds = published
    assert VARIANTS / seconds["vcf,parquet,zarr"] >= 100_000


@pytest.mark.benchmark
def test_the_slim_vcf_has_a_tenth_of_the_size(published):
    folder, _ = published
    sizes = {
        path.name.removeprefix("bench-1."): size_of(path) / VARIANTS
        for path in sorted(folder.glob("bench-1.*"))
    }
    tell(bytes_per_variant={name: round(size, 1) for name, size in sizes.items()})
    assert sizes["slim.vcf.gz"] <= sizes["vcf.gz"] / 10
    assert max(sizes[name] for name in ("vcf.gz", "parquet", "zarr.zip")) < FULL_INFO / 5


@pytest.mark.benchmark
def test_duckdb_answers_within_milliseconds(published, panels):
    """The median of 30 queries each, of 4 figures and of all columns."""
    folder, _ = published
    head = read_heads(panels)[1]
    file = folder / f"bench-1.parquet/contig={head.contig}/part-0.parquet"
    keys = pq.read_table(file, columns=["pos", "ref", "alt"]).to_pylist()
    db = duckdb.connect()
    db.execute("SET threads = 2")
    source = f"read_parquet('{folder}/bench-1.parquet/*/*.parquet', hive_partitioning = true)"
    draw = random.Random(1)
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(30):
        key = draw.choice(keys)
        conditions = {
            "point": f"pos = {key['pos']} AND ref = '{key['ref']}' AND alt = '{key['alt']}'",
            "window": f"pos BETWEEN {key['pos']} AND {key['pos'] + 50_000}",
        }
        for kind, condition in conditions.items():
            for columns in ("AC, AN, AF, AF_VN_KHV", "*"):
                query = (
                    f"SELECT {columns} FROM {source} WHERE contig = '{head.contig}' AND {condition}"
                )
                start = time.perf_counter()
                rows = db.execute(query).fetchnumpy()
                found.setdefault((kind, columns), []).append(time.perf_counter() - start)
                assert len(rows["AC"]) >= 1
    medians = {name: 1000 * statistics.median(times) for name, times in found.items()}
    for (kind, columns), milliseconds in medians.items():
        tell(query=kind, columns=columns, milliseconds=round(milliseconds, 1))
    assert medians["point", "AC, AN, AF, AF_VN_KHV"] <= 20
    assert medians["window", "AC, AN, AF, AF_VN_KHV"] <= 50
