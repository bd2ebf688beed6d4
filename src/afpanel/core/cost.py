"""What a run will take: jobs, core-hours, memory and disk, from how much there is to do.

It knows no file. Every number is linear in what it grows with, by coefficients that were measured: those of
reading and counting by `afpanel bench`, which can measure them anew; the others by tests/benchmarks/test_scale.py.
docs/scale.md holds predictions against what runs took.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

WINDOW = 100_000
"""Rows of all cohorts that merge and what follows hold at a time."""

LINKAGE_SITES, LINKAGE_PEOPLE = 50_000, 1_000
"""Sites, and people of a population, at which linkage looks at most."""

CHARTS = 1.5
"""Seconds to draw what popgen draws, and what the report of a release does."""

_KINSHIP_WINDOW = 20_000
_LINKAGE_READS = 5


@dataclass(frozen=True)
class Coefficients:
    """Seconds of one core, megabytes of memory, and bytes of disk, each for one of what it grows with.

    Parameters
    ----------
    start
        Seconds of a process that does nothing.
    ingest_genotype, ingest_call
        Seconds to read a genotype of GT alone, and a call that has what the genotype filter looks at.
    count_genotype, count_call
        Seconds to count it.
    person
        Seconds of a job that reads a sample sheet and a header, for each person.
    block
        Seconds to read a record or block of a gVCF.
    record
        Seconds to harmonize a record.
    pair, person_sorted
        Seconds to compare two people; to look for those who are like a person where pairs are too many.
    row_group
        Seconds to merge a variant of a cohort, for each group of the panel, and `row` beside these.
    discordance
        Seconds to compare a variant of a cohort with those of others.
    gate, publish, popgen
        Seconds for each variant of the panel and group.
    linked
        Seconds to look at a genotype for how linked variants are.
    stored_genotype, stored_call
        Bytes of a genotype store for each byte of a compressed file of GT alone, and of one with more.
    stored_panel, stored_record
        Bytes of a panel, and of a release in all formats, for each variant and group.
    """

    start: float = 0.7
    ingest_genotype: float = 6e-9
    ingest_call: float = 2.0e-8
    count_genotype: float = 2e-9
    count_call: float = 3.0e-9
    person: float = 1e-6
    block: float = 1e-6
    record: float = 8e-7
    pair: float = 2.5e-7
    person_sorted: float = 1.3e-5
    row: float = 2e-7
    row_group: float = 1e-8
    discordance: float = 3.4e-6
    gate: float = 1.2e-7
    publish: float = 3.3e-6
    popgen: float = 1e-7
    linked: float = 3e-7
    stored_genotype: float = 2.0
    stored_call: float = 0.6
    stored_panel: float = 5.0
    stored_record: float = 57.0


MEASURED = Coefficients()
"""On the two cores that docs/performance.md is about."""


@dataclass(frozen=True)
class CohortWork:
    """What there is to do for a cohort.

    Parameters
    ----------
    name, kind
        As the cohorts table has them.
    people, cells
        How many.
    has_fields
        Whether calls have what the genotype filter looks at.
    partitions, files
        How many; `files` of those that have no index and are read from one end to the other, else 0.
    records
        Of each contig.
    source_bytes
        Of its compressed files.
    is_compared
        Whether its people are looked for in other cohorts.
    """

    name: str
    kind: str
    people: int
    cells: int
    has_fields: bool
    partitions: int
    files: int
    records: dict[str, int]
    source_bytes: int
    is_compared: bool = True

    @property
    def total(self) -> int:
        """Records in all."""
        return sum(self.records.values())

    @property
    def has_calls(self) -> bool:
        """Whether it comes with genotypes of people."""
        return self.kind in ("vcf", "vcz", "gvcf")


@dataclass(frozen=True)
class PanelWork:
    """What there is to do for a panel.

    Parameters
    ----------
    cohorts
        Its cohorts.
    groups
        How many it has.
    contigs
        Length of each.
    all_pairs_up_to, most_sites
        People up to whom every pair is compared, and most sites at which they are.
    has_ledger
        Whether releases are recorded in one.
    """

    cohorts: Sequence[CohortWork]
    groups: int
    contigs: dict[str, int]
    all_pairs_up_to: int
    most_sites: int
    has_ledger: bool = False


@dataclass(frozen=True)
class StageCost:
    """What a stage takes.

    Parameters
    ----------
    stage
        Its name; jobs of one rule, or of the rules that do the same for other kinds of cohorts.
    jobs
        How many.
    core_seconds, longest_seconds
        Seconds of one core in all, and of its longest job.
    peak_mb
        Memory of its largest process.
    disk_bytes
        What stays when it is done.
    """

    stage: str
    jobs: int
    core_seconds: float
    longest_seconds: float
    peak_mb: float
    disk_bytes: float


@dataclass(frozen=True)
class Cost:
    """What a run takes, stage by stage, and what the figures hang on most."""

    stages: Sequence[StageCost]
    uncertain: Sequence[str]

    @property
    def total(self) -> StageCost:
        """All stages together: sums, and the greatest of what is a peak."""
        return StageCost(
            "total",
            sum(each.jobs for each in self.stages),
            sum(each.core_seconds for each in self.stages),
            max(each.longest_seconds for each in self.stages),
            max(each.peak_mb for each in self.stages),
            sum(each.disk_bytes for each in self.stages),
        )


def cost_of(work: PanelWork, rates: Coefficients = MEASURED) -> Cost:
    """Work out what a run takes.

    Parameters
    ----------
    work
        What there is to do.
    rates
        How long each takes.
    """
    stages = [
        *_at_home(work.cohorts, rates),
        *_compared(work, rates),
        *_at_the_hub(work, rates),
        StageCost("all", 1, 0, 0, 0, 0),  # Snakemake's own, which runs nothing
    ]
    return Cost([each for each in stages if each.jobs], _uncertain(work))


def panel_rows(work: PanelWork, contig: str | None = None) -> float:
    """Guess the variants of a panel: halfway between those of its largest cohort and of all added up."""
    sums = [
        sum(n for name, n in each.records.items() if contig in (None, name))
        for each in work.cohorts
    ]
    return (max(sums, default=0) + sum(sums)) / 2


def _at_home(cohorts: Sequence[CohortWork], rates: Coefficients) -> list[StageCost]:
    """Add up what is done for each cohort by itself."""
    nothing = StageCost("", 0, 0, 0, 0, 0)
    ingest, harmonize, count = (replace(nothing, stage=s) for s in ("ingest", "harmonize", "count"))
    receive = replace(nothing, stage="receive")
    for each in cohorts:
        if each.kind == "contribution":
            seconds = rates.start + each.total * (rates.record + each.cells * 1e-7)
            receive = _added(receive, 1, seconds, 330, each.source_bytes * 2)
            continue
        jobs = each.files or each.partitions
        calls = each.total * each.people if each.has_calls else 0
        read = rates.ingest_call if each.has_fields else rates.ingest_genotype
        counted = rates.count_call if each.has_fields else rates.count_genotype
        per_job = rates.start + each.people * rates.person
        stored = rates.stored_call if each.has_fields else rates.stored_genotype
        work = calls * read if each.kind != "gvcf" else each.source_bytes / 8 * rates.block
        memory = 240 + each.people * (2 if each.kind == "gvcf" else 300e-6)
        disk = each.source_bytes * stored + each.partitions * (20_000 + 4 * each.people)
        ingest = _added(ingest, jobs, jobs * per_job + work, memory, disk)
        seconds = per_job + each.total * rates.record
        largest = max(each.records.values(), default=0)
        memory = 230 + largest * 140e-6 + each.people * 240e-6
        harmonize = _added(harmonize, 1, seconds, memory, each.total * 20 + 10_000)
        seconds = each.partitions * per_job + calls * counted
        disk = each.total * each.cells * 1.0 + each.partitions * 15_000
        count = _added(count, each.partitions, seconds, 240 + each.people * 300e-6, disk)
    return [receive, ingest, harmonize, count]


def _added(stage: StageCost, jobs: int, seconds: float, peak_mb: float, disk: float) -> StageCost:
    """Add jobs that are alike to a stage."""
    return replace(
        stage,
        jobs=stage.jobs + jobs,
        core_seconds=stage.core_seconds + seconds,
        longest_seconds=max(stage.longest_seconds, seconds / max(jobs, 1)),
        peak_mb=max(stage.peak_mb, peak_mb),
        disk_bytes=stage.disk_bytes + disk,
    )


def _compared(work: PanelWork, rates: Coefficients) -> list[StageCost]:
    """Tell what looking for people who are there twice takes."""
    compared = [each for each in work.cohorts if each.has_calls and each.is_compared]
    if not compared:
        return []
    people = sum(each.people for each in compared)
    windows = sum(min(-(-n // _KINSHIP_WINDOW), work.most_sites) for n in work.contigs.values())
    sites = min(work.most_sites, windows, sum(each.total for each in compared))
    if people <= work.all_pairs_up_to:
        seconds = people**2 / 2 * rates.pair * min(1, sites / 3_000)
    else:
        seconds = people * len(compared) * rates.person_sorted
    read = min(64 * sites, sum(each.total for each in compared)) * people * rates.count_genotype
    snvs = sum(max(each.records.values(), default=0) for each in compared)
    memory = 240 + people * (sites * 1e-6 + 350e-6) + snvs * 50e-6
    seconds += rates.start + people * rates.person + read
    return [StageCost("overlap", 1, seconds, seconds, memory, 10_000)]


def _at_the_hub(work: PanelWork, rates: Coefficients) -> list[StageCost]:
    """Tell what is done for all cohorts together."""
    cells = sum(each.cells for each in work.cohorts)
    people = sum(each.people for each in work.cohorts if each.has_calls)
    rows = sum(each.total for each in work.cohorts)
    merge = StageCost("merge", 0, 0, 0, 0, 0)
    for contig in work.contigs:
        of_contig = sum(each.records.get(contig, 0) for each in work.cohorts)
        seconds = rates.start + of_contig * (rates.row + work.groups * rates.row_group)
        memory = 180 + of_contig * 4e-6 + cells * 2.2 * min(1, of_contig / WINDOW)
        disk = panel_rows(work, contig) * work.groups * rates.stored_panel + 20_000
        merge = _added(merge, 1, seconds, memory, disk)
    values = panel_rows(work) * work.groups
    linkage = StageCost("linkage", 0, 0, 0, 0, 0)
    for each in work.cohorts:
        if each.has_calls and each.is_compared:
            looked_at = min(each.total, LINKAGE_SITES) * min(
                each.people,
                LINKAGE_PEOPLE * -(-each.cells // 2),  # two sexes
            )
            # Every class has windows of its own, of which whole chunks are read.
            read = _LINKAGE_READS * min(each.total, LINKAGE_SITES) * each.people
            seconds = rates.start + each.people * rates.person + looked_at * rates.linked
            seconds += read * rates.count_genotype
            memory = 250 + each.people * 350e-6 + 20 * each.cells
            linkage = _added(linkage, 1, seconds, memory, 5_000)
    held = work.groups * min(1, rows / WINDOW)  # megabytes, for each figure of a group
    seconds = rates.start + (rows * rates.discordance if len(work.cohorts) > 1 else 0)
    discordance = StageCost("discordance", 1, seconds, seconds, 180 + 3.2 * held, 20 * rows / 100)
    stages = [merge, discordance, linkage]
    if work.has_ledger:
        stages.append(StageCost("settle", 2, 2 * rates.start, rates.start, 250, rows))
    published = 340 + people * 450e-6 + 4.8 * held
    for stage, rate, memory, disk in (
        ("gate", rates.gate, 200 + 4.5 * held, values * rates.stored_panel + 20_000),
        ("risk", rates.gate, 260 + 2 * held, 100_000),
        ("popgen", rates.popgen, 260 + held, 400_000),
        ("publish", rates.publish, published, values * rates.stored_record + 500_000),
    ):
        # Names of all people are looked for in a release; popgen draws its figures.
        more = {"publish": CHARTS + people * rates.person, "popgen": CHARTS}.get(stage, 0)
        seconds = rates.start + values * rate + more
        stages.append(StageCost(stage, 1, seconds, seconds, memory, disk))
    return stages


def _uncertain(work: PanelWork) -> list[str]:
    """Name what the figures hang on most, where it is not known beforehand."""
    said = []
    if len(work.cohorts) > 1:
        sums = [each.total for each in work.cohorts]
        said.append(
            f"variants of the panel: between {max(sums):,} if cohorts share all of theirs and {sum(sums):,} if"
            " they share none; taken to be halfway. Gate, publish and popgen grow with them"
        )
    said.append(
        "genotype stores: how well calls compress differs by a factor of two; told from the files' size"
    )
    if any(each.partitions > 1 and not each.files for each in work.cohorts):
        said.append(
            "longest jobs: records are taken to be spread evenly over a contig's partitions"
        )
    if any(each.kind == "gvcf" for each in work.cohorts):
        said.append("gVCFs: blocks are told from the files' size, at 8 bytes each")
    said.append(
        "processors and file systems: measured on one machine; a shared file system can be several times slower"
    )
    return said
