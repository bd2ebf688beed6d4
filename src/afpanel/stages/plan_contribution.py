"""What a plan says of a cohort that comes as a contribution: what its manifest says, if it fits the panel."""

from pathlib import Path
from typing import Any

from afpanel.errors import BadInputError, VerificationError
from afpanel.io.stored_zip import StoredZip
from afpanel.model.cohort import Cell, Cohort
from afpanel.stages.cohort_files import Grid
from afpanel.stages.contribution import MANIFEST, MAX_ENTRIES, METADATA, counts_parts, head_of
from afpanel.stages.contributors import described_contributor
from afpanel.stages.received import MAX_MANIFEST, parse_metadata, read_manifest


def plan_contribution(cohort: Cohort, build: str, grid: Grid) -> tuple[dict[str, Any], list[Cell]]:
    """Read a contribution's manifest and metadata, and hold them against its row in the table of cohorts.

    The rest of the file is looked at when it is verified, before a number of it is used.

    Parameters
    ----------
    cohort
        The row.
    build
        The panel's build.
    grid
        The contigs of its reference.

    Returns
    -------
    described, cells
        What the plan says of the cohort, and its cells, those that nothing is told of among them.
    """
    path = Path(cohort.path)
    if not path.is_file():
        raise BadInputError("file does not exist", where=f"cohort {cohort.name}, {path}")
    with StoredZip(path, MAX_ENTRIES) as archive:
        if MANIFEST not in archive.entries:
            raise VerificationError("not a contribution: there is no manifest.json", where=path)
        manifest, digest = read_manifest(archive.read(MANIFEST, MAX_MANIFEST))
        metadata = None
        if METADATA in archive.entries:
            metadata = parse_metadata(archive.read(METADATA, MAX_MANIFEST), manifest)
    where = f"cohort {cohort.name}, {path}"
    said = {
        "cohort": (manifest["cohort"], cohort.name),
        "country": (manifest["country"], cohort.country),
        "build": (manifest["reference"]["build"], build),
    }
    for key, (found, expected) in said.items():
        if found != expected:
            raise BadInputError(
                f"the contribution is of another {key}",
                where=where,
                expected=expected,
                found=found,
                remedy="correct the table of cohorts, or ask for the right file",
            )
    if cohort.build != build:
        raise BadInputError(
            "the counts of a contribution are on the panel's build",
            where=where,
            expected=build,
            found=cohort.build,
            remedy=f"write {build} in the column build: lifting over was done at home",
        )
    parts = counts_parts(manifest)
    unknown = sorted({part["contig"] for part in parts} - set(grid.lengths))
    if unknown:
        raise BadInputError(
            f"the reference has no contig '{unknown[0]}', of which there are counts",
            where=where,
            remedy="the contribution was made on another reference",
        )
    head = head_of(manifest)
    cells = [*head.cells, *head.withheld_cells]
    described = {
        **described_contributor(cohort.country, cells, metadata),
        "kind": cohort.kind,
        "files": [str(path)],
        "build": cohort.build,
        "lift": None,
        "samples": None,
        "callable": None,
        "metadata": None,
        "edition": manifest["edition"],
        "manifest": digest,
        "people": manifest["people"],
        "contig_records": {},
        "partitions": [],
        "linkage": manifest["sharing"]["linkage"],
        "counts": [{"contig": part["contig"], "path": part["path"]} for part in parts],
        "contigs": [contig for contig in manifest["contigs"] if contig in grid.wanted],
    }
    return described, cells
