"""What a run will take, told from its configuration: headers and indexes are read, and no genotype."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from afpanel.constants import Sex
from afpanel.core.cost import (
    MEASURED,
    Coefficients,
    CohortWork,
    Cost,
    PanelWork,
    StageCost,
    cost_of,
)
from afpanel.core.site_choice import most_sites
from afpanel.errors import BadInputError
from afpanel.io.files import read_json
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.scan import all_sites
from afpanel.io.source import open_source
from afpanel.model.cohort import Cell
from afpanel.model.groups import groups_of
from afpanel.stages.overlap import ALL_PAIRS
from afpanel.stages.plan import plan

COEFFICIENTS_VERSION = 1


def predict(config_path: Path, rates: Coefficients = MEASURED) -> Cost:
    """Predict what building a panel takes.

    Parameters
    ----------
    config_path
        Its configuration, of which everything is checked as `plan` does.
    rates
        How long each thing takes.
    """
    return cost_of(work_of(plan(config_path)), rates)


def work_of(made: Mapping[str, Any]) -> PanelWork:
    """Tell from a plan what there is to do."""
    config = made["config"]
    lengths = Reference(
        ReferencePaths.find(Path(config["reference"]["fasta"]), _indexes(made))
    ).lengths
    cohorts = [
        _cohort(name, cohort, made["fields"], name not in made["left_out"])
        for name, cohort in made["cohorts"].items()
    ]
    people = sum(each.people for each in cohorts if each.has_calls)
    cells = [
        (cohort["country"], Cell(cell["population"], Sex(cell["sex"]), 1))
        for name, cohort in made["cohorts"].items()
        if name not in made["left_out"]
        for cell in cohort["cells"]
    ]
    return PanelWork(
        cohorts=cohorts,
        groups=len(groups_of(cells)),
        contigs={name: lengths[name] for name in made["contigs"]},
        all_pairs_up_to=ALL_PAIRS,
        most_sites=most_sites(people),
        has_ledger=config["disclosure"].get("ledger") is not None,
    )


def _indexes(made: Mapping[str, Any]) -> Path:
    return Path(made["reference_index"][0]).parent


def _cohort(
    name: str, cohort: Mapping[str, Any], wanted: list[str], is_compared: bool
) -> CohortWork:
    """Tell what there is to do for a cohort."""
    parts = cohort.get("counts") or cohort["partitions"]
    files = [Path(path) for path in cohort["files"]]
    streamed = {part["path"] for part in parts if not part.get("indexed", True)}
    if any(not part.get("indexed", True) for part in parts):
        streamed = {part["path"] for part in parts}
    return CohortWork(
        name=name,
        kind=cohort["kind"],
        people=cohort["people"],
        cells=len(cohort["cells"]),
        has_fields=_has_fields(cohort["kind"], files, wanted),
        partitions=len(parts),
        files=len(streamed),
        records=_records(cohort, files),
        source_bytes=sum(_size(path) for path in files),
        is_compared=is_compared,
    )


def _has_fields(kind: str, files: list[Path], wanted: list[str]) -> bool:
    """Whether a cohort's calls have what the genotype filter looks at, by the header of its first file."""
    if kind == "gvcf":
        return True
    return kind in ("vcf", "vcz") and bool(open_source(files[0], None, tuple(wanted)).fields)


def _records(cohort: Mapping[str, Any], files: list[Path]) -> dict[str, int]:
    """Count records of each contig: as indexes do, or by going through the sites of a file that has none."""
    known: dict[str, int] = dict(cohort.get("contig_records") or {})
    contigs = {part["contig"] for part in cohort.get("counts") or cohort["partitions"]}
    if contigs <= known.keys():
        return known
    if cohort["kind"] in ("contribution", "gvcf"):
        # Neither is read here: some 30 bytes for a variant of a contribution, 8 for a block.
        each = sum(map(_size, files)) / (30 if cohort["kind"] == "contribution" else 400)
        return {contig: round(each / len(contigs)) for contig in contigs}
    named = {part["source_contig"]: part["contig"] for part in cohort["partitions"]}
    found: Counter[str] = Counter()
    for path in files:
        source = open_source(path, None)
        found.update(named[s.contig] for s in all_sites(path, source.kind) if s.contig in named)
    return dict(found)


def _size(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size if path.is_file() else 0


def described(cost: Cost) -> dict[str, Any]:
    """Lay out a prediction for JSON."""
    return {
        "cost_version": COEFFICIENTS_VERSION,
        "stages": [_rounded(each) for each in cost.stages],
        "total": _rounded(cost.total),
        "uncertain": list(cost.uncertain),
    }


def _rounded(stage: StageCost) -> dict[str, Any]:
    values = asdict(stage)
    return {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in values.items()
    }


def read_coefficients(path: Path) -> Coefficients:
    """Read coefficients that `afpanel bench` measured.

    Raises
    ------
    BadInputError
        If there are others than are known, or one is no number above 0.
    """
    content = read_json(path)
    known = {each.name for each in fields(Coefficients)}
    wrong = sorted(content.keys() - known) if isinstance(content, dict) else ["it"]
    wrong = wrong or [
        name for name, x in content.items() if not isinstance(x, int | float) or x <= 0
    ]
    if wrong:
        raise BadInputError(
            f"not coefficients: {', '.join(map(str, wrong))}",
            where=path,
            expected=f"numbers above 0 for some of {', '.join(sorted(known))}",
            remedy="measure them: afpanel bench --coefficients FILE",
        )
    return Coefficients(**content)


def coefficients_text(measured: Mapping[str, float]) -> str:
    """Lay out the file of coefficients."""
    return json.dumps({name: float(f"{x:.4g}") for name, x in measured.items()}, indent=1) + "\n"
