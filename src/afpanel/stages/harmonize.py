"""Give every source allele of a cohort its canonical form on the reference, or a reason why not.

Only sites are read, never genotypes, so the cost does not grow with people. The result is the allele
map: a row for each source allele, in the order of the cohort's partitions.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from afpanel.constants import MISSING, Outcome, outcome_label
from afpanel.core.contigs import ContigNames
from afpanel.core.refcheck import looks_like, refuse_wrong_reference
from afpanel.core.strand import SnvTally, Verdict
from afpanel.errors import BadInputError
from afpanel.io.files import write_json
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.store import Store
from afpanel.io.store_writer import StoreWriter, create_store
from afpanel.io.tables import read_aliases
from afpanel.stages.ingest import GENOTYPES, GENOTYPES_VERSION
from afpanel.stages.progress import Progress
from afpanel.stages.source_alleles import (
    RefCheck,
    SourceAlleles,
    normalize_store,
    reject_duplicates,
)

logger = logging.getLogger(__name__)

ALLELES = "alleles"
ALLELES_VERSION = 2

_CHUNK = 65_536


@dataclass(frozen=True)
class HarmonizeOptions:
    """What `harmonize` needs to know besides its files.

    Parameters
    ----------
    cohort
        Name of the cohort, for messages and the summary.
    filters
        FILTER values whose records are used, ``.`` among them; empty is all.
    max_ref_mismatch
        Share of records whose REF may differ from the reference.
    aliases
        Table of contig names, or None.
    resolve
        What to resolve in the alleles of single bases that do not match the reference: ``swap``,
        ``strand``, both or neither.
    contig_records
        How many records the stores of a contig must have in all, where that is known.
    """

    cohort: str
    filters: tuple[str, ...] = ("PASS", ".")
    max_ref_mismatch: float = 0.01
    aliases: Path | None = None
    resolve: tuple[str, ...] = ("swap", "strand")
    contig_records: Mapping[str, int] = field(default_factory=dict)


def harmonize(
    stores: Sequence[Path],
    reference_paths: ReferencePaths,
    out: Path,
    summary: Path,
    options: HarmonizeOptions,
) -> None:
    """Harmonize the sites of a cohort.

    Parameters
    ----------
    stores
        The cohort's genotype stores, each named ``{partition}.vcz.zip``.
    reference_paths
        The panel's reference.
    out
        Allele map to write.
    summary
        JSON to write: number of source alleles by outcome, and what the genotypes have.
    options
        See `HarmonizeOptions`.

    Raises
    ------
    BadInputError
        If a contig is unknown to the reference, or REF alleles do not match it.
    """
    reference = Reference(reference_paths)
    aliases = read_aliases(options.aliases) if options.aliases else {}
    names = ContigNames(reference.lengths, aliases)
    known = _look_at(stores, names, reference)
    _check_whole(known.n_records, options)
    try:
        done = _harmonize(known, reference, out, options, Verdict.FORWARD)
    except _OtherVerdictError as other:
        logger.info(
            "harmonize %s: starting again, for the strand is %s: %s",
            options.cohort, other.verdict.value, other.tally,
        )  # fmt: skip
        done = _harmonize(known, reference, out, options, other.verdict)
    write_json(
        summary,
        {
            "cohort": options.cohort,
            "outcomes": dict(sorted(done.outcomes.items())),
            "strand": {"verdict": done.verdict.value, "records": asdict(done.tally)},
            "genotypes": known.described(),
        },
    )
    n = sum(done.outcomes.values())
    kept = sum(k for label, k in done.outcomes.items() if is_kept(label))
    logger.info(
        "harmonize %s: done, %s source alleles, %s kept, %s rejected",
        options.cohort, f"{n:,}", f"{kept:,}", f"{n - kept:,}",
    )  # fmt: skip


@dataclass(frozen=True)
class _Done:
    """What became of a cohort's alleles."""

    outcomes: Counter[str]
    tally: SnvTally
    verdict: Verdict


class _OtherVerdictError(Exception):
    """The cohort is not on the strand that it was taken to be on."""

    def __init__(self, verdict: Verdict, tally: SnvTally) -> None:
        super().__init__(verdict)
        self.verdict, self.tally = verdict, tally


def _harmonize(
    known: "_Stores",
    reference: Reference,
    out: Path,
    options: HarmonizeOptions,
    verdict: Verdict,
) -> _Done:
    """Write the allele map, as for a cohort of which that much is known of its strand.

    Nearly all cohorts are on the forward strand, so that is tried first; which it is one knows only when
    all records have been seen.
    """
    check = RefCheck()
    outcomes: Counter[str] = Counter()
    tally = SnvTally()
    bounds = [0]
    progress = Progress(logger, f"harmonize {options.cohort}", "source alleles")
    attributes = {"cohort": options.cohort}
    with create_store(out, ALLELES, ALLELES_VERSION, chunk=_CHUNK, attributes=attributes) as writer:
        for number, (contig, paths) in enumerate(known.ordered.items()):
            sequence = reference.sequence(contig)
            parts = []
            for path in paths:
                part, seen = normalize_store(
                    path, sequence, options.filters, options.resolve, verdict
                )
                check.look_at(part, contig, sequence)
                tally += seen
                parts.append(part)
            reject_duplicates(parts)
            for part in parts:
                _write(writer, part, number)
                bounds.append(bounds[-1] + len(part.outcome))
                outcomes += _tally(part)
                progress.advance(len(part.outcome), contig)
        wrong = refuse_wrong_reference(
            options.cohort,
            check.mismatched,
            check.checked,
            options.max_ref_mismatch,
            check.examples,
            looks_like(tally, check.fits_before, check.fits_after),
        )
        if wrong is not None:
            raise wrong
        if options.resolve and tally.verdict is not verdict:
            raise _OtherVerdictError(tally.verdict, tally)
        everything = [path for paths in known.ordered.values() for path in paths] + known.empty
        numbers = [n for n, paths in enumerate(known.ordered.values()) for _ in paths]
        writer.array("contig_id", list(known.ordered))
        writer.array("partition_contig", numbers + [MISSING] * len(known.empty))
        writer.array("partition_id", [partition_of(path) for path in everything])
        writer.array("partition_offset", bounds + [bounds[-1]] * len(known.empty))
    return _Done(outcomes, tally, verdict)


def partition_of(store: Path) -> str:
    """Name of the partition that a genotype store holds.

    >>> partition_of(Path("genotypes/chr1.00003.vcz.zip"))
    'chr1.00003'
    """
    return store.name.removesuffix(".zip").removesuffix(".vcz")


REJECTIONS = frozenset(o.name.lower() for o in Outcome if o is not Outcome.KEPT)
"""Labels of the outcomes that are reasons for rejection."""


def is_kept(label: str) -> bool:
    """Whether the label of an outcome says that the allele was kept."""
    return label not in REJECTIONS


@dataclass(frozen=True)
class _Stores:
    """The stores of a cohort.

    Parameters
    ----------
    ordered
        Those that have records: by contig, in the reference's order, and by position.
    empty
        Those that have none.
    n_records
        Records of each contig.
    fields
        FORMAT fields that the stores have, and in how many of them.
    polyploid_calls
        Calls of more than two alleles that ingest took as missing.
    """

    ordered: dict[str, list[Path]]
    empty: list[Path]
    n_records: Counter[str]
    fields: Counter[str]
    polyploid_calls: int

    def described(self) -> dict[str, Any]:
        """Say what the summary says of genotypes: it must not depend on how stores were cut."""
        n = len(self.empty) + sum(map(len, self.ordered.values()))
        return {
            "fields": {
                name: "all" if k == n else "some" for name, k in sorted(self.fields.items())
            },
            "polyploid_calls": self.polyploid_calls,
        }


def _look_at(stores: Sequence[Path], names: ContigNames, reference: Reference) -> _Stores:
    """Sort stores by contig and position, and see what they hold."""
    n_records: Counter[str] = Counter()
    fields: Counter[str] = Counter()
    polyploid_calls = 0
    placed: list[tuple[str, int, Path]] = []
    empty: list[Path] = []
    for path in stores:
        with Store(path, GENOTYPES, GENOTYPES_VERSION) as store:
            fields.update(store.attributes["fields"])
            polyploid_calls += store.attributes["polyploid_calls"]
            if not store.rows("variant_position"):
                empty.append(path)
                continue
            present = np.unique(store.read("variant_contig"))
            if len(present) > 1:
                raise BadInputError(
                    "the store has records of several contigs",
                    where=path,
                    expected="one contig in a store",
                    remedy="ingest each contig to a store of its own with --region",
                )
            source_contig = str(store.read("contig_id")[present[0]])
            first = int(store.read("variant_position", 0, 1)[0])
            n = store.rows("variant_position")
        contig = names.resolve(source_contig)
        if contig is None:
            raise BadInputError(
                f"the reference has no contig for '{source_contig}'",
                where=path,
                expected=f"one of {', '.join(list(reference.lengths)[:30])}, or an alias of one",
                remedy="add it to the table of aliases",
            )
        placed.append((contig, first, path))
        n_records[contig] += n
    ordered: dict[str, list[Path]] = {contig: [] for contig in reference.lengths}
    for contig, _, path in sorted(placed):
        ordered[contig].append(path)
    used = {contig: paths for contig, paths in ordered.items() if paths}
    return _Stores(used, sorted(empty), n_records, fields, polyploid_calls)


def _check_whole(n_records: Counter[str], options: HarmonizeOptions) -> None:
    """Hold the records of each contig against the number that the file's index gives.

    A contig of which nothing was read is among them.
    """
    for contig, expected in options.contig_records.items():
        if n_records[contig] != expected:
            raise BadInputError(
                "the stores do not hold the records that the file's index counts",
                where=f"cohort {options.cohort}, {contig}",
                expected=f"{expected:,} records",
                found=f"{n_records[contig]:,} records",
                remedy="the file is damaged, or its index is that of another file: check it with"
                " bcftools view FILE > /dev/null, and index it again",
            )


def _write(writer: StoreWriter, part: SourceAlleles, contig: int) -> None:
    kept = part.outcome == Outcome.KEPT
    writer.append(
        {
            "allele_record": part.record,
            "allele_index": part.index,
            "allele_outcome": part.outcome,
            "allele_flags": np.where(kept, part.flags, 0),
            "allele_contig": np.where(kept, contig, MISSING),
            "allele_position": part.variants.position,
            "allele_ref": part.variants.ref.objects(),
            "allele_alt": part.variants.alt.objects(),
        }
    )


def _tally(part: SourceAlleles) -> Counter[str]:
    """Count source alleles by the label of their outcome."""
    codes = part.outcome.astype(np.int32) << 8 | part.flags
    tally: Counter[str] = Counter()
    for code, n in zip(*np.unique(codes, return_counts=True), strict=True):
        tally[outcome_label(int(code) >> 8, int(code) & 255)] += int(n)
    return tally
