"""The plan on the disk: itself, and beside it what single jobs read of it."""

import json
import logging
from pathlib import Path
from typing import Any

from afpanel.io.files import write_if_changed
from afpanel.stages.contributors import CONTRIBUTORS, contributors_text

logger = logging.getLogger(__name__)


def write_plan(made: dict[str, Any], path: Path) -> None:
    """Write a plan, and beside it the tables that single jobs read; unchanged ones are left alone.

    The plan is written last: where it is current, so are they.
    """
    write_if_changed(path.parent / CONTRIBUTORS, contributors_text(made))
    for name, cohort in made["cohorts"].items():
        columns = ("id", "contig", "source_contig", "start", "end", "path")
        rows = [columns, *([p[column] for column in columns] for p in cohort["partitions"])]
        table = "".join("\t".join(map(str, row)) + "\n" for row in rows)
        write_if_changed(path.parent / name / "partitions.tsv", table)
    write_if_changed(path, json.dumps(made, indent=1) + "\n")
    for left in _left_over(made, path.parent):
        logger.warning("%s: of an earlier run; delete it if somebody has been withdrawn", left)


def _left_over(made: dict[str, Any], private: Path) -> list[str]:
    """Name what earlier plans led to and this one does not: cohorts that are gone, other partitions."""
    found = []
    for table in sorted(private.glob("*/partitions.tsv")):
        cohort = made["cohorts"].get(table.parent.name)
        if cohort is None:
            found.append(f"{table.parent}, which is of no cohort of the panel")
            continue
        used = {partition["id"] for partition in cohort["partitions"]}
        for kind, ending in (("genotypes", ".vcz.zip"), ("counts", ".zarr.zip")):
            names = sorted(path.name for path in (table.parent / kind).glob(f"*{ending}"))
            left = [name for name in names if name.removesuffix(ending) not in used]
            if left:
                found.append(f"{table.parent / kind}, stores of no partition: {', '.join(left)}")
    return found
