"""Check every input before any work, and lay out the work: which partitions each cohort has.

Everything that is wrong is found in one go. What comes out is a plan that the workflow follows; it
stays with the private results.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from afpanel.constants import ContigKind
from afpanel.core.contigs import ContigNames, contig_kind
from afpanel.core.counting import GenotypeFilter
from afpanel.core.ploidy import loci_of
from afpanel.errors import AfpanelError, BadInputError, FaultsError
from afpanel.io.files import write_if_changed
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.sniff import sniff
from afpanel.io.tables import (
    canonical_build,
    check_bed,
    raise_any,
    read_aliases,
    read_cohorts,
    read_config,
    read_policy,
    read_samples,
)
from afpanel.model.cohort import Cohort, cells_of
from afpanel.stages.cohort_files import Grid, PlannedPartition, files_of, partitions_of
from afpanel.stages.fingerprint import PLAN_VERSION, fingerprint

logger = logging.getLogger(__name__)


def plan(config_path: Path) -> dict[str, Any]:
    """Check a configuration and everything it names, and lay out the work.

    Parameters
    ----------
    config_path
        The configuration, YAML or JSON.

    Returns
    -------
    dict
        The plan, ready for JSON: the configuration with its defaults, the panel's contigs, and of
        each cohort its cells, files and partitions.

    Raises
    ------
    FaultsError
        With every fault that was found, if there are several.
    """
    return _Planner(config_path).plan()


def write_plan(made: dict[str, Any], path: Path) -> None:
    """Write a plan, and beside it the tables that single jobs read; unchanged ones are left alone."""
    write_if_changed(path, json.dumps(made, indent=1) + "\n")
    for name, cohort in made["cohorts"].items():
        columns = ("id", "contig", "source_contig", "start", "end", "path")
        rows = [columns, *([p[column] for column in columns] for p in cohort["partitions"])]
        table = "".join("\t".join(map(str, row)) + "\n" for row in rows)
        write_if_changed(path.parent / name / "partitions.tsv", table)


class _Planner:
    """Goes through the inputs, gathering faults, until the plan is whole."""

    def __init__(self, config_path: Path) -> None:
        self._config_path = config_path
        self._faults: list[AfpanelError] = []
        self._inputs: dict[str, None] = {}

    @contextmanager
    def _gathering(self) -> Iterator[None]:
        try:
            yield
        except FaultsError as several:
            self._faults.extend(several.faults)
        except AfpanelError as fault:
            self._faults.append(fault)

    def _input(self, path: str | Path) -> Path:
        """Note a file as an input."""
        self._inputs[str(path)] = None
        return Path(path)

    def plan(self) -> dict[str, Any]:
        config = read_config(self._config_path)
        build = canonical_build(config["reference"]["build"])
        cohorts: list[Cohort] = []
        with self._gathering():
            cohorts = read_cohorts(self._input(config["cohorts"]))
        with self._gathering():
            read_policy(self._input(config["disclosure"]["policy"]))
        paths = grid = None
        with self._gathering():
            fasta = self._input(config["reference"]["fasta"])
            paths = ReferencePaths.find(fasta, Path(config["results"]) / "private" / "reference")
            if paths.build():
                logger.info("indexed the reference: %s", paths.fai)
            grid = self._grid(config, Reference(paths))
        planned = {}
        for cohort in sorted(cohorts, key=lambda cohort: cohort.name):
            planned[cohort.name] = self._cohort(cohort, grid, build, config)
        raise_any(self._faults)
        assert grid is not None  # else there was a fault, and the same for the paths
        assert paths is not None
        used = {p["contig"] for cohort in planned.values() for p in cohort["partitions"]}
        contigs = [name for name in grid.reference.lengths if name in used]
        with self._gathering():
            self._check_sex_contigs(contigs, build)
        raise_any(self._faults)
        return {
            "plan_version": PLAN_VERSION,
            "fingerprint": fingerprint(self._config_path, list(self._inputs)),
            "inputs": list(self._inputs),
            "config": config | {"reference": config["reference"] | {"build": build}},
            "reference_index": [str(path) for path in (paths.fai, paths.gzi) if path is not None],
            "contigs": contigs,
            "fields": list(self._fields(config["genotypes"])),
            "cohorts": planned,
        }

    def _grid(self, config: dict[str, Any], reference: Reference) -> Grid:
        aliases = config["harmonize"]["aliases"]
        table = read_aliases(self._input(aliases)) if aliases else {}
        names = ContigNames(reference.lengths, table)
        contigs = []
        for wanted in config["partitions"]["contigs"]:
            name = names.resolve(wanted)
            if name is None:
                self._faults.append(
                    BadInputError(
                        f"the reference has no contig '{wanted}'",
                        where="partitions.contigs",
                        expected=f"one of {', '.join(list(reference.lengths)[:30])}",
                        remedy="correct the name, or use the FASTA that has it",
                    )
                )
            else:
                contigs.append(name)
        return Grid(reference, names, tuple(contigs), config["partitions"]["size"])

    def _cohort(
        self, cohort: Cohort, grid: Grid | None, build: str, config: dict[str, Any]
    ) -> dict[str, Any]:
        if cohort.build != build:
            self._faults.append(
                BadInputError(
                    f"on build {cohort.build}",
                    where=f"cohort {cohort.name}",
                    expected=build,
                    remedy=f"give the cohort's variants on {build}; lifting over is not part of this"
                    " version",
                )
            )
        samples = []
        with self._gathering():
            assert cohort.samples is not None
            samples = read_samples(self._input(cohort.samples))
        if cohort.callable_bed is not None and grid is not None:
            with self._gathering():
                bed = self._input(cohort.callable_bed)
                check_bed(bed, grid.names, list(grid.reference.lengths))
        if cohort.metadata is not None and not self._input(cohort.metadata).is_file():
            self._faults.append(BadInputError("file does not exist", where=cohort.metadata))
        partitions: list[PlannedPartition] = []
        limit = config["harmonize"]["max_ref_mismatch"]
        if grid is None and "{contig}" not in cohort.path:
            with self._gathering():
                sniff(Path(cohort.path))  # all that can be said without a reference
        with self._gathering():
            for path, contig in files_of(cohort, grid).items() if grid else ():
                logger.info("checking %s: %s", cohort.name, path)
                with self._gathering():
                    for suffix in ("", ".csi", ".tbi"):
                        self._input(f"{path}{suffix}")
                    assert grid is not None
                    found = partitions_of(cohort, samples, path, contig, grid, limit)
                    partitions.extend(found)
            if not partitions and not self._faults:
                raise BadInputError(
                    "no records on the panel's contigs", where=f"cohort {cohort.name}"
                )
        return self._describe(cohort, samples, partitions)

    def _describe(
        self, cohort: Cohort, samples: list[Any], partitions: list[PlannedPartition]
    ) -> dict[str, Any]:
        listed = "\n".join(sorted(sample.id for sample in samples))
        return {
            "country": cohort.country,
            "samples": str(cohort.samples),
            "callable": None if cohort.callable_bed is None else str(cohort.callable_bed),
            "listed_samples": hashlib.sha256(listed.encode()).hexdigest(),
            "people": sum(cell.people for cell in cells_of(samples)),
            "contig_records": {
                p.partition.region.contig: p.contig_records
                for p in partitions
                if p.contig_records is not None
            },
            "partitions": [
                {
                    "id": p.partition.id,
                    "contig": p.partition.region.contig,
                    "source_contig": p.source_contig,
                    "start": p.partition.region.start,
                    "end": p.partition.region.end,
                    "path": p.path,
                    "indexed": p.indexed,
                }
                for p in partitions
            ],
        }

    def _fields(self, genotypes: dict[str, Any]) -> tuple[str, ...]:
        """List the FORMAT fields that ingest must keep for the genotype filter."""
        return GenotypeFilter.of(genotypes).fields

    def _check_sex_contigs(self, contigs: list[str], build: str) -> None:
        for contig in contigs:
            if contig_kind(contig) in (ContigKind.X, ContigKind.Y):
                loci_of(contig_kind(contig), build, np.empty(0, np.int32))
