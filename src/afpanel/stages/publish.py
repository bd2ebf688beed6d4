"""Publish a release: its formats, the account of harmonization, and the manifest.

Everything here is written fresh from what passed the gate. The release appears as a whole.
"""

import logging
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from afpanel import __version__
from afpanel.core.counting import THRESHOLDS, GenotypeFilter
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.files import read_json, sha256, whole_folder, write_json, write_text
from afpanel.io.panel_store import read_heads
from afpanel.io.reference import Reference, ReferencePaths, refget_digest, seqcol_digest
from afpanel.io.release import ReleaseHead
from afpanel.io.tables import raise_any
from afpanel.io.tsv import read_tsv
from afpanel.stages.gate import ALTERNATIVES, DROPPED, MASKED
from afpanel.stages.leak_scan import NOWHERE, Forbidden, Machine, refuse_leaks
from afpanel.stages.plan_checks import faults_of_exclusions
from afpanel.stages.publish_formats import FORMATS, write_formats
from afpanel.stages.publish_report import ReleaseReport
from afpanel.stages.report import REPORT
from afpanel.stages.report_data import harmonization_rows
from afpanel.stages.risk_outputs import read_risk
from afpanel.stages.room import OF_PANELS, require_room, sizes_of
from afpanel.stages.summary import summarize

logger = logging.getLogger(__name__)

MANIFEST_VERSION = 5

_LIBRARIES = ("numpy", "pyarrow", "pysam", "zarr")


@dataclass(frozen=True)
class PublishOptions:
    """What `publish` needs to know besides its files.

    Parameters
    ----------
    name, version
        Of the panel.
    build
        Genome build.
    formats
        Names of `FORMATS`: those to write.
    grpmax_exclude
        Groups that are never the one with the greatest frequency.
    """

    name: str
    version: str
    build: str
    formats: tuple[str, ...] = ("vcf", "parquet", "zarr")
    grpmax_exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishInputs:
    """The files that a release is made of.

    Parameters
    ----------
    panels
        Releasable store of each contig, in the order of the release.
    decision
        The gate's decision.
    harmonization
        Harmonization summary of each cohort.
    plan
        The plan of the run: cohorts and parameters.
    reference
        The panel's reference.
    discordance
        What discordance says of each cohort, or None.
    received
        What was accepted of each contribution.
    overlap
        What was found of people who are in two cohorts, or None where nobody looked.
    risk
        The membership risk of these stores, or None where nobody worked it out; the workflow does.
    popgen
        Folder of the statistics of populations of these stores, or None: then they are worked out again.
    previous
        Folder of an earlier release, for what the report says of changes, or None.
    """

    panels: Sequence[Path]
    decision: Path
    harmonization: Sequence[Path]
    plan: Path
    reference: ReferencePaths
    received: Sequence[Path] = ()
    overlap: Path | None = None
    discordance: Path | None = None
    risk: Path | None = None
    popgen: Path | None = None
    previous: Path | None = None


def publish(
    inputs: PublishInputs,
    out: Path,
    summary: Path,
    options: PublishOptions,
    machine: Machine = NOWHERE,
    hub_report: Path | None = None,
) -> None:
    """Write a release.

    Parameters
    ----------
    inputs
        See `PublishInputs`.
    out
        Folder of the release; what it held is replaced when the new release is whole.
    summary
        Text to write that sums up the run. It stays with the hub.
    options
        See `PublishOptions`.
    machine
        Where this runs, which the release must not tell.
    hub_report
        Folder for the hub's own report and for its figures, or None. It stays with the hub.

    Raises
    ------
    VerificationError
        If anything is in the release that must not leave; no release appears then.
    """
    heads = read_heads(inputs.panels)
    if not heads:
        raise BadInputError("there is no contig to publish")
    decision = read_json(inputs.decision)
    _refuse_formats(options.formats, decision["policy"])
    withheld = [each["group"] for each in decision["withheld_groups"]]
    excluded, groups = options.grpmax_exclude, [*heads[0].groups, *withheld]
    raise_any([*faults_of_exclusions(excluded, groups, "--grpmax-exclude")])
    head = ReleaseHead(
        name=options.name,
        version=options.version,
        build=options.build,
        contigs={h.contig: h.contig_length for h in heads},
        groups=heads[0].groups,
        people_by_sex=heads[0].people_by_sex,
        excluded=options.grpmax_exclude,
    )
    stem = f"{options.name}-{options.version}"
    room = sum(OF_PANELS[name] for name in options.formats) * sizes_of(inputs.panels)
    require_room(out, room, "the size of the releasable panels")
    plan = read_json(inputs.plan)
    report = ReleaseReport(head, plan, decision, inputs.discordance)
    with whole_folder(out) as folder:
        write_formats(folder / stem, head, inputs.panels, options.formats, report.add)
        outcomes = _read_outcomes(inputs.harmonization)
        write_text(folder / "harmonization.tsv", harmonization_table(outcomes))
        manifest = _manifest(folder, head, inputs, options) | report.manifest_part()
        report.write(folder, manifest, outcomes, inputs.panels, inputs.popgen, inputs.previous)
        files = [*manifest["files"], _file(folder, folder / REPORT)]
        manifest["files"] = sorted(files, key=lambda file: Path(file["path"]))
        write_json(folder / "manifest.json", manifest)
        forbidden = Forbidden(machine)
        forbidden.add_plan(plan)
        forbidden.allow_panel(options.name, options.version)
        logger.info("publish: %s", refuse_leaks([folder], forbidden))
    overlap = None if inputs.overlap is None else read_json(inputs.overlap)
    verdicts = None if inputs.discordance is None else read_tsv(inputs.discordance)
    if hub_report is not None:
        report.write_for_hub(hub_report, inputs.overlap)
    text = summarize(plan, outcomes, decision, head, out, overlap, verdicts)
    write_text(summary, text)
    logger.info("publish: done\n%s", text)


def _refuse_formats(formats: Sequence[str], policy: Mapping[str, Any]) -> None:
    """Refuse formats that consist of counts which the policy withholds."""
    shown = {each["rule"]: each["value"] for each in policy["effective"]}
    for name in formats:
        lacking = [each for each in FORMATS[name].needs if shown.get(f"statistics.{each}") is False]
        if lacking:
            raise PolicyRefusalError(
                f"the format {name} consists of counts that the policy withholds",
                where="publish.formats",
                expected=" and ".join(FORMATS[name].needs),
                found=f"a policy without {' and '.join(lacking)}",
                remedy=f"leave {name} out of publish.formats",
            )


def _read_outcomes(summaries: Sequence[Path]) -> dict[str, dict[str, int]]:
    """Read each cohort's number of source alleles by outcome, cohorts in order of name."""
    read = [read_json(path) for path in summaries]
    return {each["cohort"]: each["outcomes"] for each in sorted(read, key=lambda e: e["cohort"])}


def harmonization_table(outcomes: dict[str, dict[str, int]]) -> str:
    """Lay out ``harmonization.tsv``: one line per cohort and outcome, kept ones first."""
    return harmonization_rows(outcomes).text


def _file(folder: Path, path: Path) -> dict[str, Any]:
    """Describe a file of a release."""
    return {
        "path": path.relative_to(folder).as_posix(),
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
    }


def _manifest(
    folder: Path, head: ReleaseHead, inputs: PublishInputs, options: PublishOptions
) -> dict[str, Any]:
    """Describe the release. What is not named here does not leave."""
    plan = read_json(inputs.plan)
    decision = read_json(inputs.decision)
    reference = Reference(inputs.reference)
    digests = {name: refget_digest(reference.letters(name)) for name in head.contigs}
    harmonized = {each["cohort"]: each for each in map(read_json, inputs.harmonization)}
    received = {each["cohort"]: each for each in map(read_json, inputs.received)}
    genotype_filter = GenotypeFilter.of(plan["config"]["genotypes"])
    genotypes = plan["config"]["genotypes"]
    harmonize = plan["config"]["harmonize"]
    return {
        "manifest_version": MANIFEST_VERSION,
        "panel": {"name": options.name, "version": options.version},
        "files": [_file(folder, path) for path in sorted(folder.rglob("*")) if path.is_file()],
        "reference": {
            "build": options.build,
            "seqcol": seqcol_digest(list(digests), list(digests.values())),
            "contigs": [
                {"name": name, "length": length, "refget": digests[name]}
                for name, length in head.contigs.items()
            ],
        },
        "parameters": {
            "genotypes": {
                key: genotypes[key] for key in (*THRESHOLDS, "half_calls", "polyploid", "filters")
            },
            "harmonize": {key: harmonize[key] for key in ("max_ref_mismatch", "resolve")},
            "overlap": plan["config"]["overlap"],
            "double_count": plan["config"]["double_count"],
            "groups": {"grpmax_exclude": sorted(options.grpmax_exclude)},
        },
        "software": {
            "afpanel": __version__,
            "python": ".".join(platform.python_version_tuple()[:2]),
            **{name: version(name) for name in _LIBRARIES},
        },
        "cohorts": [
            _cohort(name, cohort, harmonized[name], genotype_filter, received.get(name))
            | _provenance(name, plan)
            for name, cohort in sorted(plan["cohorts"].items())
        ],
        "groups": decision["groups"],
        "policy": decision["policy"],
        "decision": {
            "withheld_groups": decision["withheld_groups"],
            "variants": decision["totals"]["variants_out"],
            **{name: decision["totals"][name] for name in (*DROPPED, *MASKED, *ALTERNATIVES)},
            "disclosure_control": "primary and secondary masking",
            **({"ledger": decision["ledger"]} if "ledger" in decision else {}),
        },
        **({} if inputs.risk is None else {"risk": read_risk(inputs.risk, decision)}),
    }


def _provenance(name: str, plan: dict[str, Any]) -> dict[str, Any]:
    """Say of published counts which files and fields they are from; and for whom a cohort is left out."""
    source = plan["cohorts"][name].get("source")
    instead = plan.get("left_out", {}).get(name)
    return {
        **({} if source is None else {"source": source}),
        **({} if instead is None else {"left_out_for": instead}),
    }


def _cohort(
    name: str,
    cohort: dict[str, Any],
    harmonized: dict[str, Any],
    genotype_filter: GenotypeFilter,
    received: dict[str, Any] | None,
) -> dict[str, Any]:
    """Describe a cohort: where it came from, and what was known of it."""
    described = {
        "cohort": name,
        "country": cohort["country"],
        "kind": cohort["kind"],
        "build": cohort["build"],
        "lift": harmonized["lift"],
    }
    if received is None:
        fields = harmonized["genotypes"]["fields"]
        return described | {
            "callable_regions": cohort["callable"] is not None,
            "thresholds_not_applied": genotype_filter.not_applied(fields),
        }
    source = received["source"]
    told = ("edition", "manifest_sha256", "signed_by", "parameters", "sharing")
    return described | {
        "build": source["build"],
        "callable_regions": received["evidence"] != "none",
        "thresholds_not_applied": source["thresholds_not_applied"],
        "contribution": {key: received[key] for key in told},
    }
