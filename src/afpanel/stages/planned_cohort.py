"""What a plan says of a cohort that has genotypes: what the workflow needs to know to run its jobs."""

from itertools import compress
from typing import Any

from afpanel.constants import SEXES
from afpanel.model.cohort import Cohort, Samples, cells_of
from afpanel.stages.cohort_files import PlannedPartition, described_partitions
from afpanel.stages.fingerprint import digest


def describe_cohort(
    cohort: Cohort,
    samples: Samples,
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
    listed, included = sorted(samples.ids), sorted(samples.included)
    label = [[f"{population}\t{sex}" for sex in SEXES] for population in samples.labels]
    rows = zip(samples.ids, samples.population.tolist(), samples.sex.tolist(), strict=True)
    counted = compress(rows, samples.include.tolist())
    labels = sorted(f"{name}\t{label[population][sex]}" for name, population, sex in counted)
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
