"""What a plan says of a cohort that has genotypes: what the workflow needs to know to run its jobs."""

from typing import Any

from afpanel.model.cohort import Cohort, Sample, cells_of
from afpanel.stages.cohort_files import PlannedPartition, described_partitions
from afpanel.stages.fingerprint import digest


def describe_cohort(
    cohort: Cohort,
    samples: list[Sample],
    files: list[str],
    partitions: list[PlannedPartition],
    lift: dict[str, str | None] | None,
) -> dict[str, Any]:
    """Say what the plan says of a cohort that has genotypes.

    Parameters
    ----------
    cohort, samples
        The cohort, and its sample sheet.
    files, partitions
        Its variant files, and how they are cut.
    lift
        What it is lifted with, or None.
    """
    listed = sorted(sample.id for sample in samples)
    included = sorted(sample.id for sample in samples if sample.include)
    labels = sorted(f"{s.id}\t{s.population}\t{s.sex}" for s in samples if s.include)
    return {
        "country": cohort.country,
        "kind": cohort.kind,
        "files": files,
        "build": cohort.build,
        "lift": lift,
        "samples": str(cohort.samples),
        "callable": None if cohort.callable_file is None else str(cohort.callable_file),
        "metadata": None if cohort.metadata is None else str(cohort.metadata),
        "listed_samples": digest(listed),
        "included_samples": digest(included),
        "counted_people": digest(labels),
        "people": sum(cell.people for cell in cells_of(samples)),
        **described_partitions(partitions),
    }
