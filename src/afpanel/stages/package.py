"""Package a cohort's counts as a contribution: one file, made to be read through and handed over.

Everything in it is written fresh from the counts and what the programme chose to share. What the manifest
does not name is not in the file.
"""

import logging
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from afpanel import __version__
from afpanel.core.contigs import ContigNames
from afpanel.core.counting import THRESHOLDS, GenotypeFilter
from afpanel.core.intervals import Intervals
from afpanel.core.withholding import Sharing, told_cells
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.files import json_text, move, read_json, scratch_folder, sha256, write_text
from afpanel.io.leak_walk import CONTRIBUTION
from afpanel.io.metadata import read_metadata
from afpanel.io.reference import Reference, ReferencePaths, refget_digest, seqcol_digest
from afpanel.io.signatures import sign
from afpanel.io.stored_zip import write_stored_zip
from afpanel.io.tables import read_aliases, read_beds
from afpanel.io.track_text import TrackText, is_track
from afpanel.stages.cell_counts import CountsHead, contigs_in, open_cell_counts
from afpanel.stages.cohort_counts import ContigOptions, read_cohorts
from afpanel.stages.contribution import (
    CONTRIBUTION_VERSION,
    HARMONIZATION,
    MANIFEST,
    METADATA,
    README,
    SIGNATURE,
    counts_part,
    described_cells,
    evidence_of,
)
from afpanel.stages.contribution_pages import preview_of, readme_of
from afpanel.stages.contribution_sizes import Sizes
from afpanel.stages.leak_scan import NOWHERE, Forbidden, Machine, refuse_leaks
from afpanel.stages.package_counts import package_contig, told_head
from afpanel.stages.progress import Progress
from afpanel.stages.room import OF_COUNTS, require_room, sizes_of
from afpanel.stages.told_metadata import told_metadata

logger = logging.getLogger(__name__)

_LIBRARIES = ("numpy", "zarr")
_HARMONIZATION_KEYS = ("cohort", "outcomes", "strand", "lift", "ignored_contigs", "genotypes")


@dataclass(frozen=True)
class PackageInputs:
    """The files that a contribution is made of.

    Parameters
    ----------
    counts
        All stores of counts of the cohort.
    plan
        The plan of the run: the cohort, parameters, and what is to be shared.
    harmonization
        Harmonization summary of the cohort.
    callable_file
        BED or track of allele numbers of the cohort, on the panel's build; or None.
    reference
        The panel's reference.
    """

    counts: Sequence[Path]
    plan: Path
    harmonization: Path
    callable_file: Path | None
    reference: ReferencePaths


def package(
    inputs: PackageInputs,
    cohort: str,
    out: Path | None,
    preview: Path | None = None,
    machine: Machine = NOWHERE,
) -> str:
    """Package a cohort's counts.

    Parameters
    ----------
    inputs
        See `PackageInputs`.
    cohort
        Name of the cohort.
    out
        Contribution to write, or None to write none and only show what would be in it.
    preview
        Text to write that shows what is in it, or None.
    machine
        Where this runs, which must not be told.

    Returns
    -------
    str
        The text of the preview.

    Raises
    ------
    BadInputError
        If the inputs do not fit together.
    PolicyRefusalError
        If nothing is left to tell.
    VerificationError
        If something is in it that must not leave.
    """
    made = _Packager(inputs, cohort)
    beside = out or inputs.plan
    require_room(beside, OF_COUNTS * sizes_of(inputs.counts), "the size of the counts")
    with scratch_folder(beside.with_name(f"{cohort}.parts")) as folder:
        parts, manifest, page = made.write(folder)
        if out is not None:
            key = made.config["sharing"]["signing_key"]
            if key is not None:
                parts[SIGNATURE] = sign((folder / MANIFEST).read_bytes(), Path(key))
            whole = folder / f"{cohort}{CONTRIBUTION}"
            write_stored_zip(whole, parts)
            logger.info("package %s: %s", cohort, refuse_leaks([whole], made.forbidden(machine)))
            move(whole, out)
            logger.info(
                "package %s: done, %s variants in %d cells of %s people; %s bytes, %s",
                cohort, f"{sum(p.get('variants', 0) for p in manifest['parts']):,}",
                len(manifest["cells"]), f"{made.people:,}", f"{out.stat().st_size:,}",
                "signed" if key is not None else "not signed",
            )  # fmt: skip
    if preview is not None:
        write_text(preview, page)
    return page


class _Packager:
    """Knows a cohort and what is shared of it, and writes the parts."""

    def __init__(self, inputs: PackageInputs, cohort: str) -> None:
        self._inputs = inputs
        self._cohort = cohort
        self._plan = plan = read_json(inputs.plan)
        self.config = plan["config"]
        if cohort not in plan["cohorts"]:
            raise BadInputError(
                f"no cohort is called '{cohort}'",
                where=inputs.plan,
                expected=f"one of {', '.join(plan['cohorts'])}",
            )
        self._about = plan["cohorts"][cohort]
        self._build = self.config["reference"]["build"]
        self._reference = Reference(inputs.reference)
        aliases = self.config["harmonize"]["aliases"]
        self._names = ContigNames(
            self._reference.lengths, read_aliases(Path(aliases) if aliases else None)
        )
        self._of_contig, self._head = self._look_at()
        self._sharing = Sharing.of(self.config["sharing"])
        populations = {cell.population for cell in self._head.cells}
        self._sharing.check_labels(populations, f"sharing.populations, cohort {cohort}")
        self._told = told_cells(self._head.cells, self._sharing)
        self._told_head = told_head(self._head, self._told, self._sharing)
        self._harmonized = self._read_harmonization()
        if not self._told.cells:
            raise PolicyRefusalError(
                f"nothing is left of cohort {cohort} to tell",
                where="sharing",
                expected=f"a cell of at least {self._sharing.min_cell_size} people",
                remedy="merge populations or sexes",
            )
        self.people = sum(cell.people for cell in self._told.cells)

    def forbidden(self, machine: Machine) -> Forbidden:
        """Gather what must not leave: samples of all cohorts, paths, and where this runs."""
        found = Forbidden(machine)
        found.add_plan(self._plan)
        found.allow(self._reference.lengths)
        told = self._told_head
        found.allow(cell.population for cell in (*told.cells, *told.withheld_cells))
        return found

    def _look_at(self) -> tuple[dict[str, list[Path]], CountsHead]:
        """Find the stores of each contig."""
        found: dict[str, list[Path]] = {}
        head = None
        for path in sorted(self._inputs.counts):
            with open_cell_counts(path) as store:
                head = CountsHead.of(store)
                if head.cohort != self._cohort:
                    raise BadInputError(
                        f"counts of another cohort, {head.cohort}",
                        where=path,
                        expected=f"counts of {self._cohort}",
                    )
                for contig in contigs_in(store):
                    found.setdefault(contig, []).append(path)
        if head is None:
            raise BadInputError(f"no counts of cohort {self._cohort} are given")
        return found, head

    def write(self, folder: Path) -> tuple[dict[str, Path | bytes], dict[str, Any], str]:
        """Write the parts to a folder; gives them by name, the manifest, and the preview."""
        sizes = Sizes.none(len(self._told.cells))
        described: list[dict[str, Any]] = []
        parts: dict[str, Path | bytes] = {}
        dropped = 0
        contigs = self._contigs()
        left_out = self._left_out(contigs)
        progress = Progress(logger, f"package {self._cohort}", "variants")
        for contig in contigs:
            files = self._of_contig.get(contig) or [min(self._inputs.counts)]
            evidence = self._inputs.callable_file
            options = ContigOptions(
                contig, self._build, {} if evidence is None else {self._cohort: evidence}
            )
            counts = read_cohorts(files, self._names, options)[0]
            path = folder / f"{len(described)}.zip"
            told = package_contig(
                counts, self._told, self._sharing, left_out[contig], options, path, sizes
            )
            totals = asdict(told.totals)
            dropped += told.dropped
            parts[counts_part(contig)] = path
            described.append(_described(counts_part(contig), path) | {"contig": contig} | totals)
            progress.advance(told.totals.variants, contig)
        metadata = self._metadata()
        texts = {} if metadata is None else {METADATA: json_text(metadata)}
        texts[HARMONIZATION] = json_text(self._harmonized)
        manifest = self._manifest(contigs, described)
        texts = {README: readme_of(manifest)} | texts
        for name, text in texts.items():
            write_text(folder / name, text)
        written = {name: folder / name for name in texts}
        manifest["parts"] = [*(_described(*part) for part in written.items()), *described]
        write_text(folder / MANIFEST, json_text(manifest))
        page = preview_of(manifest, self._harmonized, sizes, dropped, metadata)
        return {MANIFEST: folder / MANIFEST, **written, **parts}, manifest, page

    def _contigs(self) -> list[str]:
        """List the contigs that the cohort says anything of, in the order of the reference."""
        said = set(self._of_contig) | set(self._planned())
        path = self._inputs.callable_file
        if path is not None and is_track(path):
            said |= TrackText(path, self._head.cells).contigs(self._names)
        elif path is not None:
            said |= set(read_beds(path, self._names, list(self._reference.lengths)))
        return [contig for contig in self._reference.lengths if contig in said]

    def _planned(self) -> list[str]:
        """List the panel's contigs that the cohort has records of."""
        found = {self._names.resolve(part["contig"]) for part in self._about["partitions"]}
        return [contig for contig in self._reference.lengths if contig in found]

    def _left_out(self, contigs: Sequence[str]) -> dict[str, Intervals]:
        """Read the regions of which nothing is told."""
        path = self.config["sharing"]["leave_out_regions"]
        regions = {} if path is None else read_beds(Path(path), self._names, contigs)
        return {contig: regions.get(contig, Intervals.none()) for contig in contigs}

    def _metadata(self) -> dict[str, Any] | None:
        path = self._about["metadata"]
        return None if path is None else told_metadata(read_metadata(Path(path)), self._sharing)

    def _read_harmonization(self) -> dict[str, Any]:
        found = read_json(self._inputs.harmonization)
        if found["cohort"] != self._cohort:
            raise BadInputError(
                f"of another cohort, {found['cohort']}", where=self._inputs.harmonization
            )
        return {key: found[key] for key in _HARMONIZATION_KEYS}

    def _manifest(
        self, contigs: Sequence[str], described: Sequence[dict[str, Any]]
    ) -> dict[str, Any]:
        """Describe the contribution. What is not named here does not leave."""
        genotypes, harmonize = self.config["genotypes"], self.config["harmonize"]
        sharing = self.config["sharing"]
        lengths = self._reference.lengths
        digests = {name: refget_digest(self._reference.letters(name)) for name in contigs}
        head = self._told_head
        fields = self._harmonized["genotypes"]["fields"]
        return {
            "contribution_version": CONTRIBUTION_VERSION,
            "cohort": self._cohort,
            "country": self._head.country,
            "edition": sharing["edition"],
            "people": self.people,
            **described_cells(head),
            "has_missing": head.has_missing,
            "reference": {
                "build": self._build,
                "seqcol": seqcol_digest(list(digests), list(digests.values())),
                "contigs": [
                    {"name": name, "length": lengths[name], "refget": digest}
                    for name, digest in digests.items()
                ],
            },
            "contigs": self._planned(),
            "source": {
                "kind": self._about["kind"],
                "build": self._about["build"],
                "lift": self._harmonized["lift"],
                "thresholds_not_applied": GenotypeFilter.of(genotypes).not_applied(fields),
            },
            "evidence": evidence_of(described),
            "parameters": {
                "genotypes": {
                    key: genotypes[key]
                    for key in (*THRESHOLDS, "half_calls", "polyploid", "filters")
                },
                "harmonize": {key: harmonize[key] for key in ("max_ref_mismatch", "resolve")},
                "overlap": self.config["overlap"],
            },
            "sharing": {
                "populations_merged": bool(self._sharing.merge),
                "everybody": self._told.whole,
                "regions_left_out": sharing["leave_out_regions"] is not None,
                **{
                    key: sharing[key]
                    for key in ("sexes", "min_cell_size", "min_allele_count", "min_variant_count")
                },
            },
            "software": {
                "afpanel": __version__,
                "python": ".".join(platform.python_version_tuple()[:2]),
                **{name: version(name) for name in _LIBRARIES},
            },
            "parts": list(described),
        }


def _described(name: str, path: Path) -> dict[str, Any]:
    return {"path": name, "bytes": path.stat().st_size, "sha256": sha256(path)}
