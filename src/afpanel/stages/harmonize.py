"""Give every source allele of a cohort its canonical form on the reference, or a reason why not.

Sites are read, and genotypes of duplicates alone, so the cost does not grow with people. The result is
the allele map: a row for each source allele, in the order of the cohort's partitions.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from afpanel.constants import MISSING, Flag, Outcome, outcome_label
from afpanel.core.contigs import ContigNames
from afpanel.core.strand import SnvTally, Verdict
from afpanel.errors import BadInputError
from afpanel.io.files import write_json, write_text
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.tables import read_aliases, read_samples
from afpanel.stages.allele_map import AlleleMapWriter, create_allele_map
from afpanel.stages.duplicates import COLUMNS, list_duplicates, settle_duplicates, with_several_loci
from afpanel.stages.genotype_stores import Stores, look_at
from afpanel.stages.lift import lift_sites, reject_unknown
from afpanel.stages.lift_callable import lift_callable
from afpanel.stages.lifter import Lifter, LiftPaths
from afpanel.stages.progress import Progress
from afpanel.stages.published_duplicates import settle_published, with_contradictions
from afpanel.stages.ref_check import LiftCheck, RefCheck
from afpanel.stages.room import OF_STORES, require_room, sizes_of
from afpanel.stages.source_alleles import SourceAlleles, Spans, judge, read_sites, refused_spans

logger = logging.getLogger(__name__)


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
    lift
        What to lift the cohort with that is on another build than the panel, or None.
    contigs
        The panel's contigs that alleles may be lifted to; empty is all.
    ignored_contigs
        Contigs of the cohort that are left out if the reference does not have them.
    duplicates
        Table to write of source alleles that are one variant, or None.
    samples
        Sample sheet: duplicates are settled by the genotypes of the people it includes. None is all. Of
        published counts it is not read.
    """

    cohort: str
    filters: tuple[str, ...] = ("PASS", ".")
    max_ref_mismatch: float = 0.01
    aliases: Path | None = None
    resolve: tuple[str, ...] = ("swap", "strand")
    contig_records: Mapping[str, int] = field(default_factory=dict)
    lift: LiftPaths | None = None
    contigs: tuple[str, ...] = ()
    ignored_contigs: tuple[str, ...] = ()
    duplicates: Path | None = None
    samples: Path | None = None


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
    aliases = read_aliases(options.aliases)
    names = ContigNames(reference.lengths, aliases)
    lifter = None
    if options.lift is not None:
        lifter = Lifter(options.lift, reference, options.contigs, aliases)
        names = lifter.names
    known = look_at(stores, names, options.ignored_contigs)
    _check_whole(known.n_records, options)
    require_room(out, OF_STORES * sizes_of(stores), "the size of the genotype stores")
    run = _Run(known, reference, lifter, options)
    try:
        done = run.write(out, Verdict.FORWARD)
    except _OtherVerdictError as other:
        logger.info(
            "harmonize %s: starting again, for the strand is %s: %s",
            options.cohort, other.verdict.value, other.tally,
        )  # fmt: skip
        done = run.write(out, other.verdict)
    if options.duplicates is not None:
        write_text(options.duplicates, "".join(f"{line}\n" for line in run.duplicates))
    if lifter is not None and options.lift is not None:
        bed, lifted_bed = options.lift.callable_bed, options.lift.callable_out
        if bed is not None and lifted_bed is not None:
            lift_callable(bed, lifter, lifted_bed)
    write_json(
        summary,
        {
            "cohort": options.cohort,
            "outcomes": dict(sorted(done.outcomes.items())),
            "strand": {"verdict": done.verdict.value, "records": asdict(done.tally)},
            "lift": None if options.lift is None else options.lift.described(),
            "ignored_contigs": known.ignored,
            "genotypes": known.described(),
        },
    )
    kept, rejected = kept_and_rejected(done.outcomes)
    logger.info(
        "harmonize %s: done, %s source alleles, %s kept, %s rejected",
        options.cohort, f"{kept + rejected:,}", f"{kept:,}", f"{rejected:,}",
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


class _Run:
    """Goes through the stores of a cohort and writes its allele map."""

    def __init__(
        self, known: Stores, reference: Reference, lifter: Lifter | None, options: HarmonizeOptions
    ) -> None:
        self._known, self._reference, self._lifter = known, reference, lifter
        self._options = options
        self._panel = list(reference.lengths)
        # Published counts are nobody's: there is no sheet of samples.
        self._counted = None if known.published else _counted(options.samples)
        self.duplicates: list[str] = []

    def write(self, out: Path, verdict: Verdict) -> _Done:
        """Write the allele map, as for a cohort of which that much is known of its strand.

        Nearly all cohorts are on the forward strand, so that is tried first; which it is one knows only
        when all records have been seen.
        """
        options = self._options
        self.duplicates = ["\t".join(COLUMNS)]
        check, lift_check = RefCheck(), LiftCheck()
        tally = SnvTally()
        with create_allele_map(out, options.cohort) as writer:
            progress = Progress(logger, f"harmonize {options.cohort}", "source alleles")
            seen_stores, n_stores = 0, sum(map(len, self._known.ordered.values()))
            waiting: list[SourceAlleles] = []
            refused: list[Spans] = []
            for contig, paths in self._known.ordered.items():
                sequence = (self._lifter or self._reference).sequence(contig)
                number = MISSING if self._lifter else self._panel.index(contig)
                parts = []
                for path in paths:
                    sites = read_sites(path, options.filters)
                    part, seen = judge(sites, sequence, number, options.resolve, verdict)
                    if self._lifter is not None and not self._lifter.knows_source:
                        reject_unknown(part, sequence)
                    check.look_at(part, contig, sequence)
                    tally += seen
                    parts.append(part)
                    seen_stores += 1
                    progress.advance(len(part.outcome), contig, seen_stores / n_stores)
                if self._lifter is None:
                    spans = [refused_spans(part, number) for part in parts]
                    self._settle(writer, parts, paths, spans)
                    continue
                # Alleles of several contigs may come to lie on one.
                lifted, spans = lift_sites(self._lifter, contig, sequence, parts)
                for part in lifted:
                    lift_check.look_at(part, contig, self._panel)
                waiting += lifted
                refused += spans
            everything = [path for paths in self._known.ordered.values() for path in paths]
            if waiting:
                self._settle(writer, waiting, everything, refused)
            self._judge(check, lift_check, tally, verdict)
            source = list(self._known.ordered)
            of_store = [n for n, paths in enumerate(self._known.ordered.values()) for _ in paths]
            writer.finish(self._panel, source, of_store, everything, self._known.empty)
        return _Done(writer.outcomes, tally, verdict)

    def _settle(
        self,
        writer: AlleleMapWriter,
        parts: Sequence[SourceAlleles],
        stores: Sequence[Path],
        refused: Sequence[Spans],
    ) -> None:
        """Settle the duplicates among some stores, and write what became of their alleles."""
        if self._known.published:
            settled = settle_published(parts, stores)
            refused = with_contradictions(refused, parts, settled)
        else:
            settled = settle_duplicates(parts, stores, self._counted)
        refused = [
            with_several_loci(spans, part) for spans, part in zip(refused, parts, strict=True)
        ]
        self.duplicates += list_duplicates(parts, stores, settled, self._panel)
        writer.write(parts, refused, settled)

    def _judge(
        self, check: RefCheck, lift_check: LiftCheck, tally: SnvTally, verdict: Verdict
    ) -> None:
        options = self._options
        wrong = check.verdict(options.cohort, options.max_ref_mismatch, tally)
        if wrong is not None:
            raise wrong
        if options.resolve and tally.verdict is not verdict:
            raise _OtherVerdictError(tally.verdict, tally)
        wrong = lift_check.verdict(options.cohort, options.max_ref_mismatch)
        if wrong is not None:
            raise wrong


def _counted(sheet: Path | None) -> frozenset[str] | None:
    """Read who is counted; None is everybody."""
    if sheet is None:
        return None
    return frozenset(read_samples(sheet).included)


REJECTIONS = frozenset(o.name.lower() for o in Outcome if o is not Outcome.KEPT)
"""Labels of the outcomes that are reasons for rejection."""


def is_kept(label: str) -> bool:
    """Whether the label of an outcome says that the allele was kept."""
    return label.split("+", maxsplit=1)[0] not in REJECTIONS


def kept_and_rejected(outcomes: Mapping[str, int]) -> tuple[int, int]:
    """Add up source alleles by outcome; REFs that a lift made variants are none of them.

    >>> kept_and_rejected({"lifted": 5, "lifted+new_reference": 1, "unmapped": 2})
    (5, 2)
    """
    further = outcome_label(Outcome.KEPT, Flag.NEW_REFERENCE)
    source = {label: n for label, n in outcomes.items() if further not in label.split("+")}
    kept = sum(n for label, n in source.items() if is_kept(label))
    return kept, sum(source.values()) - kept


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
