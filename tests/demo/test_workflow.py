"""The demonstration through Snakemake, as a user runs it."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest

CORES = ("--cores", "2")


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Names of the files that are not the same; short to read where contents are long."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def test_the_run_ends_with_the_summary_and_the_paths_of_what_was_written(undisturbed):
    said = (undisturbed / "stdout").read_text()
    end = said[said.rindex("Panel demo 2026.1 on GRCh38") :]
    for cohort, people in {"ID-demo": 110, "JP-demo": 104, "TH-demo": 90, "VN-demo": 116}.items():
        assert re.search(rf"^{cohort} +{cohort[:2]} +{people} ", end, re.MULTILINE)
    paths = end.split("Written:")[1].split()
    assert len(paths) >= 6
    assert all((undisturbed / path).exists() for path in paths)
    (summary,) = (undisturbed / "results").rglob("summary.txt")
    assert end.strip() == summary.read_text().strip()
    assert "release" not in summary.parts  # it names paths


def test_the_run_is_short_enough_to_wait_for(undisturbed):
    assert float((undisturbed / "seconds").read_text()) < 90


def test_the_release_has_the_files_that_are_promised(undisturbed, tools):
    names = set(tools.bytes_of(undisturbed))
    assert {
        "demo-2026.1.vcf.gz", "demo-2026.1.vcf.gz.csi", "demo-2026.1.vcf.gz.tbi",
        "demo-2026.1.zarr.zip",
        "demo-2026.1.parquet/contig=chr21/part-0.parquet",
        "demo-2026.1.parquet/contig=chrX/part-0.parquet",
        "harmonization.tsv", "manifest.json", "popgen/fst.tsv", "popgen/pca.svg",
    } <= names  # fmt: skip


def test_cohorts_with_no_population_in_common_are_compared_with_nobody(undisturbed):
    folder = undisturbed / "results/panel/discordance"
    heads = {path.name: path.read_text().splitlines() for path in folder.iterdir()}
    assert set(heads) == {"variants.tsv", "cohorts.tsv", "regions.tsv", "quantiles.tsv"}
    assert {len(lines) for name, lines in heads.items() if name != "cohorts.tsv"} == {1}
    assert [line.split("\t")[0] for line in heads["cohorts.tsv"][1:]] == [
        "ID-demo", "JP-demo", "TH-demo", "VN-demo",
    ]  # fmt: skip
    assert all("not compared" in line for line in heads["cohorts.tsv"][1:])


def test_the_manifest_says_which_thresholds_did_not_apply_to_whom(undisturbed, tools):
    manifest = json.loads(tools.bytes_of(undisturbed)["manifest.json"])
    lacking = {each["cohort"][:2]: each["thresholds_not_applied"] for each in manifest["cohorts"]}
    genotypes_alone = {
        "min_gq": "all files lack GQ",
        "min_dp": "all files lack DP",
        "min_dp_haploid": "all files lack DP",
        "min_ab": "all files lack DP and AD",
    }
    assert lacking == {
        "ID": {"min_ab": "all files lack AD"},
        "JP": genotypes_alone,
        "TH": {},
        "VN": genotypes_alone,
    }
    assert manifest["parameters"]["genotypes"]["polyploid"] == "error"
    assert manifest["parameters"]["harmonize"]["resolve"] == ["swap", "strand"]


def test_nothing_is_left_to_do_after_a_run(undisturbed, snakemake):
    done = snakemake(undisturbed, *CORES, "--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_no_half_written_file_is_left_after_a_run(undisturbed):
    hidden = [p for p in (undisturbed / "results").rglob(".*") if p.name != ".snakemake_timestamp"]
    assert hidden == []


def test_nothing_that_names_a_person_or_a_machine_is_outside_private(undisturbed, root):
    """Sample IDs of the demonstration are two letters, SYN and a number."""
    import gzip
    import zipfile

    pattern = re.compile(rb"(ID|JP|TH|VN)SYN\d{5}")
    machine = [os.uname().nodename.encode(), str(undisturbed).encode(), str(root).encode()]
    for folder in ("release", "panel"):
        for path in (undisturbed / "results" / folder).rglob("*"):
            if not path.is_file():
                continue
            data = [path.read_bytes()]
            if path.name.endswith(".gz"):
                data = [gzip.decompress(data[0])]
            elif path.name.endswith(".zip"):
                with zipfile.ZipFile(path) as store:
                    data = [store.read(name) for name in store.namelist()]
                    assert not [n for n in store.namelist() if "sample" in n or "call_" in n]
            for piece in data:
                assert not pattern.search(piece), path
                if folder == "release":
                    assert not [name for name in machine if len(name) > 3 and name in piece], path


def test_the_commands_by_hand_give_the_bytes_of_the_workflow(undisturbed, by_commands, tools):
    assert differing(tools.bytes_of(by_commands), tools.bytes_of(undisturbed)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "pattern", "size"),
    [
        (signal.SIGKILL, "private/*/genotypes/*.vcz.zip", 10_000_000),
        (signal.SIGTERM, "private/*/counts/*.zip", 200_000),
    ],
    ids=["killed while reading", "terminated while counting many partitions"],
)
def test_a_run_that_was_stopped_and_resumed_gives_the_same_bytes(
    undisturbed, demo_folder, snakemake, tools, tmp_path, root, number, pattern, size
):
    folder = demo_folder(tmp_path / "stopped")
    tools.change_config(folder, {"partitions": {"size": size}})
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile"), *CORES]
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
        try:
            deadline = time.monotonic() + 120
            while not list((folder / "results").glob(pattern)):
                assert running.poll() is None, "ended before it was stopped"
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, number)
            try:
                running.wait(60)
            finally:
                running.kill()
    assert running.returncode != 0
    assert not tools.release_of(folder).exists()
    snakemake(folder, "--unlock", *CORES)
    snakemake(folder, *CORES, "--rerun-incomplete")
    assert differing(tools.bytes_of(folder), tools.bytes_of(undisturbed)) == []
    hidden = [p for p in (folder / "results").rglob(".*") if p.name != ".snakemake_timestamp"]
    assert hidden == []


@pytest.mark.parametrize("size", [pytest.param(100_000, marks=pytest.mark.long), 50_001])
def test_the_size_of_partitions_does_not_matter(by_commands, demo_folder, tools, tmp_path, size):
    folder = demo_folder(tmp_path / "parts")
    tools.change_config(folder, {"partitions": {"size": size}})
    tools.build(folder)
    stores = list(folder.glob("results/private/JP-demo/genotypes/*"))
    assert len(stores) == -(-400_000 // size) + (2 if size == 100_000 else 3)
    assert differing(tools.bytes_of(folder), tools.bytes_of(by_commands)) == []


def shuffle_rows(path, seed: int) -> None:
    header, *rows = path.read_text().splitlines(keepends=True)
    before = list(rows)
    random.Random(seed).shuffle(rows)
    assert rows != before
    path.write_text("".join([header, *rows]))


def test_the_order_of_cohorts_and_of_people_in_the_sheets_does_not_matter(
    by_commands, demo_folder, tools, tmp_path, root
):
    folder = demo_folder(tmp_path / "shuffled")
    table = folder / "config/cohorts.tsv"
    shuffle_rows(table, 1)
    for country in ("id", "jp", "th", "vn"):
        sheet = folder / "config" / f"{country}.samples.tsv"
        sheet.write_text((root / "demo/data" / sheet.name).read_text())
        shuffle_rows(sheet, 2)
        table.write_text(
            table.read_text().replace(f"demo/data/{sheet.name}", f"config/{sheet.name}")
        )
    tools.build(folder)
    assert differing(tools.bytes_of(folder), tools.bytes_of(by_commands)) == []
