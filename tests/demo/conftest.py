"""The demonstration, built by the workflow and by the commands it consists of."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
import zarr

from afpanel.cli.main import main

FIGURES = ("allele_count", "allele_number", "homozygote_count", "hemizygote_count", "state")
NO_FILTER = {"min_gq": 0, "min_dp": 0, "min_dp_haploid": 0, "min_ab": 0, "half_calls": "count"}
NO_POLICY = {"policy": "config/policies/public-genotypes.yaml"}


def lay_out(root: Path, folder: Path) -> Path:
    """Make a working directory as a user has it: config to edit, and the demonstration's data."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(root / "config", folder / "config")
    (folder / "demo").symlink_to(root / "demo", target_is_directory=True)
    return folder


def change_config(folder: Path, changes: dict[str, dict[str, Any]]) -> None:
    """Change keys of the configuration, section by section."""
    path = folder / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    for section, values in changes.items():
        config[section] |= values
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def _words(option: str, values: Any) -> Iterator[str]:
    for value in values:
        yield from (option, str(value))


def build_by_commands(folder: Path) -> Path:
    """Run, in this process, the commands that the rules of the workflow consist of."""
    results = folder / "results"
    private = results / "private"

    def run(*arguments: object) -> None:
        assert main([str(argument) for argument in arguments]) == 0, arguments

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run("validate", "config/config.yaml", "--plan", private / "plan.json")
        plan = json.loads((private / "plan.json").read_text())
        config, cohorts = plan["config"], plan["cohorts"]
        reference = ("--reference", config["reference"]["fasta"])
        build = ("--build", config["reference"]["build"])
        genotypes = config["genotypes"]
        thresholds = _words_of({k: v for k, v in genotypes.items() if k != "filters"})
        for name, cohort in cohorts.items():
            own = private / name
            sheet = ("--samples", cohort["samples"])
            stores = [own / "genotypes" / f"{p['id']}.vcz.zip" for p in cohort["partitions"]]
            if all(p["indexed"] for p in cohort["partitions"]):
                for p, store in zip(cohort["partitions"], stores, strict=True):
                    region = f"{p['source_contig']}:{p['start']}-{p['end']}"
                    run("ingest", p["path"], *sheet, "--region", region, "--out", store)
            else:
                run("ingest", cohort["partitions"][0]["path"], *sheet, "--partitions",
                    own / "partitions.tsv", "--out", own / "genotypes" / "{partition}.vcz.zip")  # fmt: skip
            run("harmonize", *stores, *reference, *sheet, "--cohort", name,
                *_words("--filter", genotypes["filters"]),
                "--out", own / "alleles.zarr.zip", "--summary", own / "harmonization.json")  # fmt: skip
            for p, store in zip(cohort["partitions"], stores, strict=True):
                run("count", store, "--alleles", own / "alleles.zarr.zip", *sheet, "--cohort", name,
                    "--country", cohort["country"], *build, *thresholds,
                    "--out", own / "counts" / f"{p['id']}.zarr.zip")  # fmt: skip
            run("linkage", *sorted((own / "counts").iterdir()), *sheet, "--cohort", name,
                "--folder", own, "--out", own / "linkage.json")  # fmt: skip
        run("overlap", *_words("--cohort", (f"{name}={private / name}" for name in cohorts)),
            *_words("--samples", (f"{name}={c['samples']}" for name, c in cohorts.items())),
            "--pairs", private / "overlap.tsv", "--report", private / "overlap.json")  # fmt: skip
        beds = [f"{name}={c['callable']}" for name, c in cohorts.items() if c["callable"]]
        for contig in plan["contigs"]:
            counts = sorted(private.glob("*/counts/*.zarr.zip"))
            run("merge", *counts, "--contig", contig, *reference, *build,
                *_words("--callable", beds), "--out", results / f"panel/merged/{contig}.zarr.zip")  # fmt: skip
        every = sorted(private.glob("*/counts/*.zarr.zip"))
        run("discordance", *every, *reference, *build, *_words("--callable", beds),
            "--out", results / "panel/discordance")  # fmt: skip
        panels = [f"{contig}.zarr.zip" for contig in plan["contigs"]]
        releasable, decision = results / "panel/releasable", results / "panel/decision.json"
        run("gate", *(results / "panel/merged" / name for name in panels),
            "--policy", config["disclosure"]["policy"], "--out", releasable, "--decision", decision)  # fmt: skip
        run("risk", *(releasable / name for name in panels), "--decision", decision,
            *_words("--linkage", (private / name / "linkage.json" for name in cohorts)),
            "--out", results / "panel/risk")  # fmt: skip
        summaries = [private / name / "harmonization.json" for name in cohorts]
        run("publish", *(releasable / name for name in panels), "--decision", decision,
            *_words("--harmonization", summaries), "--plan", private / "plan.json", "--overlap", private / "overlap.json", "--risk", results / "panel/risk/risk.json",
            "--discordance", results / "panel/discordance/cohorts.tsv", *reference, *build, "--name", config["panel"]["name"], "--panel-version",
            config["panel"]["version"], "--out", release_of(folder),
            "--summary", results / "panel/summary.txt")  # fmt: skip
        run("popgen", *(releasable / name for name in panels), "--out", results / "panel/popgen")
    return folder


def _words_of(options: dict[str, Any]) -> list[str]:
    return [word for k, v in options.items() for word in (f"--{k.replace('_', '-')}", str(v))]


def release_of(folder: Path) -> Path:
    return folder / "results" / "release" / "demo-2026.1"


def read_release(folder: Path) -> SimpleNamespace:
    """Read a release's Zarr: variants as tuples, groups, and arrays over both."""
    path = release_of(folder) / "demo-2026.1.zarr.zip"
    with zarr.storage.ZipStore(path, mode="r") as store:
        arrays = {name: array[...] for name, array in zarr.open_group(store, mode="r").arrays()}
    contigs = arrays["contig_id"].tolist()
    columns = (arrays["variant_contig"], arrays["variant_position"], arrays["variant_allele"])
    variants = [
        (contigs[contig], position, ref, alt)
        for contig, position, (ref, alt) in zip(*(c.tolist() for c in columns), strict=True)
    ]
    assert len(set(variants)) == len(variants)
    return SimpleNamespace(
        variants=variants,
        row={variant: row for row, variant in enumerate(variants)},
        groups=arrays["group_id"].tolist(),
        **{name: np.asarray(arrays[name]) for name in FIGURES},
    )


@pytest.fixture(scope="session")
def demo_folder(root: Path) -> Callable[[Path], Path]:
    """Make a working directory with the configuration and the data of the demonstration."""
    return lambda folder: lay_out(root, folder)


@pytest.fixture(scope="session")
def tools() -> SimpleNamespace:
    """What tests of the demonstration share."""
    return SimpleNamespace(
        change_config=change_config,
        build=build_by_commands,
        release_of=release_of,
        read=read_release,
        bytes_of=bytes_of,
    )


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Content of every file of the release, and of the statistics of populations, by name."""
    release, panel = release_of(folder), folder / "results" / "panel"
    return {
        path.relative_to(base).as_posix(): path.read_bytes()
        for base, top in ((release, release), (panel, panel / "popgen"))
        for path in sorted(top.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def by_commands(root: Path, once: Callable[..., Path]) -> Path:
    """The demonstration as configured, built by the commands."""
    return once("by-commands", lambda folder: build_by_commands(lay_out(root, folder)))


@pytest.fixture(scope="session")
def open_panel(root: Path, once: Callable[..., Path]) -> SimpleNamespace:
    """The demonstration with nothing filtered by genotype and nothing masked."""

    def build(folder: Path) -> None:
        lay_out(root, folder)
        change_config(folder, {"genotypes": NO_FILTER, "disclosure": NO_POLICY})
        build_by_commands(folder)

    return read_release(once("open", build))


@pytest.fixture(scope="session")
def unmasked(root: Path, once: Callable[..., Path]) -> SimpleNamespace:
    """The demonstration with its genotype filter, and nothing masked."""

    def build(folder: Path) -> None:
        lay_out(root, folder)
        change_config(folder, {"disclosure": NO_POLICY})
        build_by_commands(folder)

    return read_release(once("unmasked", build))


@pytest.fixture(scope="session")
def undisturbed(once: Callable[..., Path], root: Path, snakemake: Callable[..., Any]) -> Path:
    """The demonstration as the workflow builds it, with what it said beside it."""

    def build(folder: Path) -> None:
        lay_out(root, folder)
        start = time.monotonic()
        done = snakemake(folder, "--cores", "2", afresh=True)
        (folder / "seconds").write_text(str(time.monotonic() - start))
        (folder / "stdout").write_text(done.stdout)

    return once("undisturbed", build)
