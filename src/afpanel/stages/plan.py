"""Check every input before any work, and lay out the work: which partitions each cohort has.

Everything that is wrong is found in one go. What comes out is a plan that the workflow follows; it
stays with the private results.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from afpanel.constants import ContigKind
from afpanel.core.contigs import ContigNames, contig_kind
from afpanel.core.contributors import refusals
from afpanel.core.counting import GenotypeFilter
from afpanel.core.ploidy import loci_of
from afpanel.errors import AfpanelError, BadInputError, FaultsError
from afpanel.io.cell_table import read_cells
from afpanel.io.policy import read_disclosure_policy
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.sniff import sniff
from afpanel.io.tables import (
    canonical_build,
    raise_any,
    read_aliases,
    read_cohorts,
    read_config,
    read_samples,
)
from afpanel.model.cohort import Cell, Cohort, GivenCell, Sample, Samples, cells_of
from afpanel.model.groups import groups_of
from afpanel.stages.cohort_files import (
    Grid,
    PlannedPartition,
    files_of,
    inputs_of,
    partitions_of,
)
from afpanel.stages.contributors import contributors_of, described_contributor
from afpanel.stages.double_count import left_out_of_panel
from afpanel.stages.fingerprint import PLAN_VERSION, fingerprint
from afpanel.stages.gvcf_files import check_build, gvcf_partitions, input_paths
from afpanel.stages.lifter import Lifter, LiftPaths
from afpanel.stages.metadata import check_metadata
from afpanel.stages.plan_checks import (
    check_callable,
    check_people,
    check_sharing,
    faults_of_exclusions,
    faults_of_signatures,
)
from afpanel.stages.plan_contribution import plan_contribution
from afpanel.stages.planned_cohort import describe_cohort
from afpanel.stages.sites_files import check_sites_section, plan_sites, samples_of_cells

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


@dataclass(frozen=True)
class _OnBuild:
    """How cohorts of one build are read, and what they are lifted with; None where a fault prevents it."""

    grid: Grid | None
    lift: dict[str, str | None] | None


class _Planner:
    """Goes through the inputs, gathering faults, until the plan is whole."""

    def __init__(self, config_path: Path) -> None:
        self._config_path = config_path
        self._faults: list[AfpanelError] = []
        self._inputs: dict[str, None] = {}
        self._cells: dict[str, list[tuple[str, Cell]]] = {}
        self._metadata: dict[str, dict[str, Any]] = {}

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
            check_sites_section(config["sites"], cohorts)
        left_out: dict[str, str] = {}
        with self._gathering():
            left_out = left_out_of_panel(config["double_count"], [c.name for c in cohorts])
        policy = None
        with self._gathering():
            policy = read_disclosure_policy(self._input(config["disclosure"]["policy"]))
        paths = grid = reference = None
        with self._gathering():
            fasta = self._input(config["reference"]["fasta"])
            paths = ReferencePaths.find(fasta, self._index_folder(config))
            if paths.build():
                logger.info("indexed the reference: %s", paths.fai)
            reference = Reference(paths)
            grid = self._grid(config, reference)
        builds = {build: _OnBuild(grid, None)}
        for cohort in cohorts:
            if cohort.kind == "gvcf":
                with self._gathering():
                    check_build(cohort, build)
        lifted = {c.build for c in cohorts if c.kind not in ("gvcf", "contribution")} - {build}
        for other in sorted(lifted):
            # Where it cannot be lifted, all but its REF is checked as if it were on the panel's build.
            builds[other] = _OnBuild(grid and replace(grid, bases=None), None)
            with self._gathering():
                names = sorted(cohort.name for cohort in cohorts if cohort.build == other)
                builds[other] = self._other_build(other, names, config, grid, reference)
        planned: dict[str, dict[str, Any]] = {}
        for cohort in sorted(cohorts, key=lambda cohort: cohort.name):
            if cohort.kind == "contribution":
                with self._gathering():
                    self._input(cohort.path)
                    if grid is not None:
                        planned[cohort.name], cells = plan_contribution(cohort, build, grid)
                        self._cells[cohort.name] = [(cohort.country, cell) for cell in cells]
                continue
            on_build = builds.get(cohort.build, _OnBuild(None, None))
            planned[cohort.name] = self._cohort(cohort, on_build, config)
            cells = [cell for _, cell in self._cells[cohort.name]]
            metadata = self._metadata.get(cohort.name)
            planned[cohort.name] |= described_contributor(cohort.country, cells, metadata)
        if not self._faults:  # else groups may be missing for want of a cohort
            excluded = config["groups"]["grpmax_exclude"]
            told = planned.keys() - left_out.keys()
            groups = [g.name for g in groups_of(pair for n in told for pair in self._cells[n])]
            where = "groups.grpmax_exclude"
            self._faults.extend(faults_of_exclusions(excluded, groups, where))
        if policy is not None and len(planned) == len(cohorts):
            chosen = config["disclosure"]
            unread = {c.name for c in cohorts if c.metadata} - self._metadata.keys()
            judged = contributors_of(planned, without={*left_out, *unread})
            self._faults += refusals(policy, judged, chosen["as_of"], chosen["policy"])
        with self._gathering():
            everybody = [pair for pairs in self._cells.values() for pair in pairs]
            check_people(everybody)
            check_sharing(config["sharing"], everybody)
        for each in config["disclosure"]["external_releases"]:
            path = Path(each["path"])
            self._input(path / "manifest.json" if path.is_dir() else path)
        for path in (config["allowed_signers"], config["revoked_keys"]):
            if path is not None:
                self._input(path)
        self._faults.extend(faults_of_signatures(config, cohorts))
        raise_any(self._faults)
        assert grid is not None  # else there was a fault, and the same for the paths
        assert paths is not None
        added = [cohort for name, cohort in planned.items() if name not in left_out]
        used = {grid.names.resolve(p["contig"]) for c in added for p in c["partitions"]}
        used |= {contig for c in added for contig in c.get("contigs", ())}
        contigs = [name for name in grid.lengths if name in used]
        with self._gathering():
            if not contigs:
                raise BadInputError(
                    "no cohort has records on a contig of the reference",
                    where=config["reference"]["fasta"],
                    expected=f"contigs such as {', '.join(list(grid.lengths)[:5])}",
                )
            for each in builds:
                self._check_sex_contigs(contigs, each)
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
            "left_out": left_out,
        }

    def _grid(self, config: dict[str, Any], reference: Reference) -> Grid:
        names = ContigNames(reference.lengths, self._aliases(config))
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
        return Grid(
            lengths=reference.lengths,
            names=names,
            contigs=tuple(contigs),
            ignored=tuple(config["harmonize"]["ignore_contigs"]),
            size=config["partitions"]["size"],
            bases=reference.bases,
        )

    def _other_build(
        self,
        build: str,
        cohorts: list[str],
        config: dict[str, Any],
        panel: Grid | None,
        reference: Reference | None,
    ) -> "_OnBuild":
        """Find what cohorts on another build are lifted with."""
        panel_build = canonical_build(config["reference"]["build"])
        chains, fastas = (
            {canonical_build(name): path for name, path in config["harmonize"][key].items()}
            for key in ("chains", "source_fastas")
        )
        if build not in chains:
            raise BadInputError(
                f"on build {build}, and there is no chain file for it",
                where=f"cohort {', '.join(cohorts)}",
                expected=f"a chain file from {build} to {panel_build} under harmonize.chains",
                remedy=f"name one there, and under harmonize.source_fastas the FASTA of {build}; or give"
                " the cohorts' variants on the panel's build",
            )
        fasta = None
        if build in fastas:
            found = self._input(fastas[build])
            fasta = ReferencePaths.find(found, self._index_folder(config))
            if fasta.build():
                logger.info("indexed the reference of %s: %s", build, fasta.fai)
        else:
            logger.warning(
                "%s: there is no FASTA of %s under harmonize.source_fastas, so REF is checked on the"
                " panel's reference alone",
                ", ".join(cohorts), build,
            )  # fmt: skip
        chain = self._input(chains[build])
        if panel is None or reference is None:
            return _OnBuild(None, None)
        lifter = Lifter(LiftPaths(chain, fasta), reference, panel.contigs, self._aliases(config))
        wanted = [name for name in lifter.lengths if panel.names.resolve(name) in panel.contigs]
        if panel.contigs and not wanted:
            raise BadInputError(
                "lifts from none of the contigs wanted",
                where=chain,
                expected=", ".join(panel.contigs),
                found=", ".join(list(lifter.lengths)[:10]),
                remedy="take another chain file, or other partitions.contigs",
            )
        grid = Grid(
            lengths=lifter.lengths,
            names=lifter.names,
            contigs=tuple(wanted),
            ignored=panel.ignored,
            size=panel.size,
            bases=lifter.bases if fasta is not None else None,
        )
        return _OnBuild(
            grid,
            {
                "chain": str(chain),
                "fasta": None if fasta is None else str(fasta.fasta),
                "index": None if fasta is None else str(fasta.fai.parent),
            },
        )

    def _aliases(self, config: dict[str, Any]) -> dict[str, str]:
        aliases = config["harmonize"]["aliases"]
        return read_aliases(self._input(aliases) if aliases else None)

    def _index_folder(self, config: dict[str, Any]) -> Path:
        return Path(config["results"]) / "private" / "reference"

    def _cohort(
        self, cohort: Cohort, on_build: "_OnBuild", config: dict[str, Any]
    ) -> dict[str, Any]:
        grid, lift = on_build.grid, on_build.lift
        samples: Sequence[Sample] = ()
        given: list[GivenCell] = []
        with self._gathering():
            assert cohort.samples is not None
            if cohort.kind == "sites":
                given = read_cells(self._input(cohort.samples))
                samples = samples_of_cells(given)
            else:
                samples = read_samples(self._input(cohort.samples))
        cells = [each.cell for each in given] or cells_of(samples)
        self._cells[cohort.name] = [(cohort.country, cell) for cell in cells]
        if cohort.callable_file is not None and grid is not None:
            with self._gathering():
                self._input(cohort.callable_file)
                check_callable(cohort, cells, grid, lift)
        if cohort.metadata is not None:
            with self._gathering():
                document = check_metadata(self._input(cohort.metadata), samples, cohort)
                self._metadata[cohort.name] = document
        sample_ids = Samples.of(samples).ids
        partitions: list[PlannedPartition] = []
        files: list[str] = []
        limit = config["harmonize"]["max_ref_mismatch"]
        if cohort.kind == "sites":
            described: dict[str, Any] = {}
            with self._gathering():
                section = config["sites"].get(cohort.name, {})
                if grid is not None and given:
                    described = plan_sites(cohort, given, section, grid, limit, self._input)
            return described | {"lift": lift}
        if cohort.kind == "gvcf":
            with self._gathering():
                for path in input_paths(cohort):
                    self._input(path)
                if grid is not None and samples:
                    logger.info("checking %s: gVCFs of %s", cohort.name, cohort.path)
                    fields = self._fields(config["genotypes"])
                    gvcfs = gvcf_partitions(cohort, list(samples), fields, grid, limit)
                    partitions, files = gvcfs.partitions, gvcfs.files
        elif grid is None and cohort.kind == "vcf" and "{contig}" not in cohort.path:
            with self._gathering():
                sniff(Path(cohort.path))  # all that can be said without a reference
        with self._gathering():
            for path, contig in files_of(cohort, grid).items() if grid else ():
                files.append(str(path))
                logger.info("checking %s: %s", cohort.name, path)
                with self._gathering():
                    for each in inputs_of(cohort, path):
                        self._input(each)
                    assert grid is not None
                    found = partitions_of(cohort, sample_ids, path, contig, grid, limit)
                    partitions.extend(found)
            if not partitions and not self._faults:
                raise BadInputError(
                    "no records on the panel's contigs", where=f"cohort {cohort.name}"
                )
        return describe_cohort(cohort, Samples.of(samples), files, partitions, lift)

    def _fields(self, genotypes: dict[str, Any]) -> tuple[str, ...]:
        """List the FORMAT fields that ingest must keep for the genotype filter."""
        return GenotypeFilter.of(genotypes).fields

    def _check_sex_contigs(self, contigs: list[str], build: str) -> None:
        for contig in contigs:
            if contig_kind(contig) in (ContigKind.X, ContigKind.Y):
                loci_of(contig_kind(contig), build, np.empty(0, np.int32))
