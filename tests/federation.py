"""Hubs that get their cohorts as contributions, and the same hubs with everybody's genotypes."""

import csv
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.builders import write_cohorts

from afpanel.cli.main import main
from afpanel.io.reference import ReferencePaths
from afpanel.stages.merge import MergeOptions, merge

Snakemake = Callable[..., Any]


@dataclass(frozen=True)
class Pooled:
    """A project whose genotypes are all in one place, built.

    Parameters
    ----------
    folder
        Its working directory.
    config
        Its configuration, by a path from there.
    """

    folder: Path
    config: str

    @property
    def settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = yaml.safe_load((self.folder / self.config).read_text())
        return settings

    @property
    def results(self) -> Path:
        return self.folder / self.settings.get("results", "results")

    @property
    def rows(self) -> dict[str, dict[str, str]]:
        """The table of cohorts, by name."""
        with (self.folder / self.settings["cohorts"]).open() as table:
            return {row["cohort"]: row for row in csv.DictReader(table, delimiter="\t")}

    @property
    def plan(self) -> dict[str, Any]:
        plan: dict[str, Any] = json.loads((self.results / "private/plan.json").read_text())
        return plan

    def contribution(self, cohort: str) -> Path:
        return self.results / "contributions" / f"{cohort}.afc.zip"

    def write_hub(self, folder: Path, contributed: Collection[str]) -> "Pooled":
        """Lay out the same project in a folder, with some cohorts as contributions."""
        made = {".snakemake", self.results.relative_to(self.folder).parts[0]}
        for path in self.folder.iterdir():
            if path.name not in made:
                (folder / path.name).symlink_to(path)
        rows = []
        for cohort, row in self.rows.items():
            kept = {key: value for key, value in row.items() if value}
            if cohort in contributed:
                build = self.plan["config"]["reference"]["build"]
                kept = {key: row[key] for key in ("cohort", "country")} | {"build": build}
                kept |= {"kind": "contribution", "path": str(self.contribution(cohort))}
            rows.append(kept)
        write_cohorts(folder / "hub.tsv", rows)
        settings = {"cohorts": "hub.tsv", "results": "results", "signatures": "optional"}
        (folder / "hub.yaml").write_text(yaml.safe_dump(self.settings | settings))
        return Pooled(folder, "hub.yaml")

    def build(self, snakemake: Snakemake, *targets: str, check: bool = True) -> Any:
        """Run the workflow."""
        return snakemake(
            self.folder, *targets, "--configfile", self.config, "--cores", "2", check=check
        )


def differing(one: Path, other: Path) -> list[str]:
    """Names of the files of two results' releases and statistics that are not the same.

    The manifest and the report say where each cohort came from, and must say the same of all else.
    """

    def files(results: Path) -> dict[str, bytes]:
        return {
            path.relative_to(results).as_posix(): without_sources(path)
            for top in (
                "release",
                "panel/popgen",
                "panel/merged",
                "panel/discordance",
                "panel/risk",
            )
            for path in sorted((results / top).rglob("*"))
            if path.is_file() and path.name != "manifest.json"
        }

    def manifest(results: Path) -> dict[str, Any]:
        (path,) = (results / "release").rglob("manifest.json")
        content: dict[str, Any] = json.loads(path.read_text())
        # The report is compared above, without the table of sources that its digest is of too.
        of_report = next(file for file in content["files"] if file["path"] == "report.html")
        del of_report["sha256"], of_report["bytes"]
        return {key: value for key, value in content.items() if key != "cohorts"}

    a, b = files(one), files(other)
    names = sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))
    return names + ([] if manifest(one) == manifest(other) else ["manifest.json"])


def without_sources(path: Path) -> bytes:
    """Content of a file; of a report without the table that says where each cohort came from."""
    content = path.read_bytes()
    if path.suffix != ".html":
        return content
    rest, n = re.subn(
        rb'<div class="sources">.*?</table>\n</div></div>', b"", content, flags=re.DOTALL
    )
    assert n == 1
    return rest


def receive(pooled: Pooled, cohort: str, out: Path) -> Path:
    """Verify a contribution as a hub does; gives the folder of its parts."""
    reference = pooled.folder / pooled.settings["reference"]["fasta"]
    index = pooled.results / "private/reference"
    more = ("--reference-index", str(index)) if index.is_dir() else ()
    build = ("--build", pooled.plan["config"]["reference"]["build"], "--cohort", cohort)
    path = str(pooled.contribution(cohort))
    assert (
        main(["verify", path, "--reference", str(reference), *more, *build, "--out", str(out)]) == 0
    )
    return out


def merged(
    pooled: Pooled, received: dict[str, Path], contributed: Collection[str], contig: str, out: Path
) -> bytes:
    """Merge a contig with some cohorts as contributions and the others' counts; gives the panel's bytes."""
    plan = pooled.plan
    counts: list[Path] = []
    evidence: dict[str, Path] = {}
    for name, cohort in plan["cohorts"].items():
        if name in contributed:
            counts += sorted((received[name] / "counts").glob("*.zarr.zip"))
            continue
        private = pooled.results / "private" / name
        counts += sorted((private / "counts").glob("*.zarr.zip"))
        if cohort["callable"] is not None:
            lifted = cohort["lift"] is not None
            path = private / "callable.bed" if lifted else pooled.folder / cohort["callable"]
            evidence[name] = path
    reference = pooled.folder / plan["config"]["reference"]["fasta"]
    paths = ReferencePaths.find(reference, pooled.results / "private/reference")
    options = MergeOptions(contig, plan["config"]["reference"]["build"], evidence)
    merge(counts, paths, out, options)
    return out.read_bytes()
