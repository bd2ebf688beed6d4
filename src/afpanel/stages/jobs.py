"""Which jobs a plan leads to, where each writes its log, and by which files it is known to be done.

The rules of the workflow say so too, in `workflow/rules`; a test holds this against a run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PANEL = "(panel)"
"""What stands for a cohort where a job is of all of them; no cohort can be called that."""


@dataclass(frozen=True)
class Job:
    """A job of the workflow.

    Parameters
    ----------
    cohort, stage
        Whose it is, or `PANEL`; and what is done.
    part
        Which of the jobs of that stage: a partition, a contig, or "".
    log
        Where its messages go.
    outputs
        Files that are there when it is done.
    asked
        Whether every run does it, or only one that is asked to.
    """

    cohort: str
    stage: str
    part: str
    log: Path
    outputs: tuple[Path, ...]
    asked: bool = True

    @property
    def name(self) -> str:
        """What it is called, in words."""
        words = [self.stage, *([] if self.cohort == PANEL else ["of", self.cohort])]
        return " ".join(words) + (f", {self.part}" if self.part else "")


def jobs_of(plan: dict[str, Any], results: Path) -> list[Job]:
    """List the jobs of a plan, in the order of the work.

    Parameters
    ----------
    plan
        The plan, as `afpanel validate` writes it.
    results
        Folder of the results, as seen from here.
    """
    found: list[Job] = []
    numbers = {each: number for number, each in enumerate(_streams(plan))}
    for name in sorted(plan["cohorts"]):
        found += _of_cohort(name, plan["cohorts"][name], results, numbers)
        if name in _with_genotypes(plan):
            own = results / "private" / name
            linked = (own / "linkage.json",)
            found.append(Job(name, "linkage", "", own / "logs" / "linkage.log", linked))
    return [*found, *_of_panel(plan, results)]


def _streams(plan: dict[str, Any]) -> list[tuple[str, str]]:
    """List the files that are read front to back, with their cohorts, as the workflow numbers them."""
    streamed = {
        name
        for name, cohort in plan["cohorts"].items()
        if not all(part["indexed"] for part in cohort["partitions"])
    }
    return sorted(
        {(name, part["path"]) for name in streamed for part in plan["cohorts"][name]["partitions"]}
    )


def _of_cohort(
    name: str, cohort: dict[str, Any], results: Path, streams: dict[tuple[str, str], int]
) -> Iterator[Job]:
    own = results / "private" / name
    logs = own / "logs"
    if cohort["kind"] == "contribution":
        yield Job(name, "verify", "", logs / "verify.log", (own / "received" / "received.json",))
        return
    parts = [part["id"] for part in cohort["partitions"]]
    files = {part["path"] for part in cohort["partitions"]}
    stores = {part: own / "genotypes" / f"{part}.vcz.zip" for part in parts}
    if any((name, path) in streams for path in files):
        for path in sorted(files):
            number = streams[name, path]
            of_file = [part["id"] for part in cohort["partitions"] if part["path"] == path]
            outputs = tuple(stores[part] for part in of_file)
            log = logs / f"ingest.stream-{number}.log"
            yield Job(name, "ingest", Path(path).name, log, outputs)
    else:
        for part, store in stores.items():
            yield Job(name, "ingest", part, logs / f"ingest.{part}.log", (store,))
    made = (own / "alleles.zarr.zip", own / "harmonization.json", own / "duplicates.tsv")
    yield Job(name, "harmonize", "", logs / "harmonize.log", made)
    for part in parts:
        counts = own / "counts" / f"{part}.zarr.zip"
        yield Job(name, "count", part, logs / f"count.{part}.log", (counts,))
    contribution = results / "contributions" / f"{name}.afc.zip"
    yield Job(name, "package", "", logs / "package.log", (contribution,), asked=False)


def _with_genotypes(plan: dict[str, Any]) -> list[str]:
    """List the cohorts of the panel that have genotypes."""
    return [
        name
        for name, cohort in plan["cohorts"].items()
        if cohort["kind"] not in ("sites", "contribution") and name not in plan["left_out"]
    ]


def _of_panel(plan: dict[str, Any], results: Path) -> Iterator[Job]:
    private, panel = results / "private", results / "panel"
    logs = private / "logs"
    release = "{name}-{version}".format(**plan["config"]["panel"])
    has_ledger = plan["config"]["disclosure"]["ledger"] is not None
    if _with_genotypes(plan):
        yield Job(PANEL, "overlap", "", logs / "overlap.log", (private / "overlap.json",))
    if has_ledger:
        yield Job(PANEL, "settle", "", logs / "settle.log", (private / "settled.json",))
    for contig in plan["contigs"]:
        merged = panel / "merged" / f"{contig}.zarr.zip"
        yield Job(PANEL, "merge", contig, logs / f"merge.{contig}.log", (merged,))
    tables = [f"{name}.tsv" for name in ("variants", "cohorts", "regions", "quantiles")]
    gated = [panel / "releasable" / f"{contig}.zarr.zip" for contig in plan["contigs"]]
    manifest = results / "release" / release / "manifest.json"
    outputs: dict[str, tuple[Path, ...]] = {
        "discordance": tuple(panel / "discordance" / table for table in tables),
        "gate": (*gated, panel / "decision.json"),
        "risk": (panel / "risk" / "risk.json",),
        "popgen": (panel / "popgen" / "fst.tsv", panel / "popgen" / "pca.svg"),
        "publish": (manifest, private / "summary.txt"),
    }
    if has_ledger:
        outputs["record"] = (private / "recorded.json",)
    for stage, made in outputs.items():
        yield Job(PANEL, stage, "", logs / f"{stage}.log", made)
