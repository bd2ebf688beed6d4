# What jobs ask a scheduler for: memory (mem_mb), wall time (runtime, in minutes) and disk (disk_mb), each a
# function of what the plan knows of the job's input, and of the attempt. How often a job is tried again is
# said in the profile, never in a rule, whose retries would stay within the memory that was too little.
#
# Beside each number stands what was measured (docs/performance.md, on two cores and a local disk). Of time,
# ten times as much is asked for, and half an hour for a start, since file systems and processors of a cluster
# may be slower; of memory up to twice as much. docs/hpc.md has the table, and how to replace a number.
from collections import Counter
from math import ceil

START = 30  # minutes
GENOME_RECORDS = 100_000_000  # of a cohort whose records nothing counts
LONGEST_CONTIG = 0.08  # of a genome, for such a cohort


def growing(estimate):
    """Ask for an estimate, and for as much again at each further attempt."""
    return lambda wildcards, attempt: ceil(estimate(wildcards) * attempt)


def fixed(amount):
    """Ask for the same whatever the input, and for as much again at each further attempt."""
    return growing(lambda wildcards: amount)


def size_mb(path):
    """How large a file is; nothing where it is not on a file system of this machine."""
    return Path(path).stat().st_size / 1e6 if Path(path).is_file() else 0


def parts_of(name):
    """What a cohort is cut into: its partitions, or the parts of its contribution."""
    return COHORTS[name].get("counts") or COHORTS[name]["partitions"]


def records_by_contig(name):
    """Records of a cohort as its index counts them; else as many as its files have room for."""
    known = COHORTS[name]["contig_records"]
    contigs = {part["contig"] for part in parts_of(name)}
    if contigs <= known.keys():
        return known
    # A compressed record takes 8 bytes at the very least.
    room = sum(map(size_mb, COHORTS[name]["files"])) * 1e6 / 8
    whole = min(GENOME_RECORDS, room or GENOME_RECORDS)
    share = max(LONGEST_CONTIG, 1 / len(contigs))
    return {contig: known.get(contig, whole * share) for contig in contigs}


RECORDS = {name: records_by_contig(name) for name in COHORTS}
TOTAL = {name: sum(RECORDS[name].values()) for name in COHORTS}
LARGEST = {name: max(RECORDS[name].values(), default=0) for name in COHORTS}
CELLS = sum(len(cohort["cells"]) for cohort in COHORTS.values())
# Of all cohorts together. Variants of the panel are no more.
ALL_RECORDS = sum(TOTAL.values())
# Partitions that share the records of a contig.
PARTS = Counter((name, part["contig"]) for (name, _), part in PARTITIONS.items())


def people(wildcards):
    return COHORTS[wildcards.cohort]["people"]


def calls(wildcards):
    """Genotypes of a partition, were it three times as dense as its contig."""
    name = wildcards.cohort
    contig = PARTITIONS[name, wildcards.partition]["contig"]
    return people(wildcards) * 3 * RECORDS[name][contig] / PARTS[name, contig]


# 70 million calls/s with GQ, DP and AD (2,500 million of GT alone). Some lines of text are held, which are as
# long as there are people: 312 MB at 20,000 with all fields, 456 MB at 300,000 with GT alone.
def ingest_runtime(wildcards):
    return START + calls(wildcards) / (7e6 * 60)


def ingest_memory(wildcards):
    return 1000 + people(wildcards) * 0.004


# Where files are fetched to a disk of the node: the whole file, and what is made of a partition.
def ingest_disk(wildcards):
    source = PARTITIONS[wildcards.cohort, wildcards.partition]["path"]
    return 1000 + size_mb(source) + calls(wildcards) * 7 / 1e6


# One job reads the whole file: 1,600 MB of text/s, which is 160 MB compressed. Stores are no larger than three
# times a file of GT alone.
def stream_runtime(path):
    return lambda wildcards: START + size_mb(path) / (16 * 60)


def stream_memory(name):
    return lambda wildcards: 1000 + COHORTS[name]["people"] * 0.004


def stream_disk(path):
    return lambda wildcards: 1000 + 4 * size_mb(path)


# A million blocks/s, of some 8 compressed bytes; half a megabase of everybody's is held, 100 bytes a block.
def gvcf_runtime(wildcards):
    cohort = COHORTS[wildcards.cohort]
    whole = sum(map(size_mb, cohort["files"])) / 8
    return START + 3 * whole / len(cohort["partitions"]) / (0.1 * 60)


def gvcf_memory(wildcards):
    return 1000 + 2 * people(wildcards)


# 1.4 million records/s, and 130 bytes for each allele of the largest contig (840 MB for 3 million in all).
def harmonize_runtime(wildcards):
    return START + TOTAL[wildcards.cohort] / (0.14e6 * 60)


def harmonize_memory(wildcards):
    return 1000 + LARGEST[wildcards.cohort] * 300e-6


# 0.8 million records/s or more, and 300 bytes for each allele of all contigs.
def lifted_runtime(wildcards):
    return START + TOTAL[wildcards.cohort] / (0.08e6 * 60)


def lifted_memory(wildcards):
    return 2000 + TOTAL[wildcards.cohort] * 600e-6


# 300 million calls/s with the filter on; 374 MB at 300,000 people.
def count_runtime(wildcards):
    return START + calls(wildcards) / (30e6 * 60)


def count_memory(wildcards):
    return 1000 + people(wildcards) * 0.001


# 0.3 microseconds a pair of up to 30,000 people on two cores, of more 13 a person and cohort, here on the eight
# that it asks for; a byte a person and site, of 10,000 sites at first and 1,000 at last, 650 bytes a person beside
# (942 MB for a million people at 423 sites), and 50 for each site of all cohorts on the largest contig.
OVERLAP_SITES = min(max(2**30 // max(PEOPLE, 1), 1_000), 10_000)


def overlap_runtime(wildcards):
    pairs = min(PEOPLE, 30_000) ** 2 / 2 * 3e-6 / 60
    many = (PEOPLE > 30_000) * PEOPLE * len(OVERLAPPING) * 130e-6 / 60
    return 2 * START + pairs + many + ALL_RECORDS / (1e6 * 60)


def overlap_memory(wildcards):
    calls = PEOPLE * (OVERLAP_SITES + 1_000) * 1e-6
    return 2000 + calls + sum(LARGEST.values()) * 50e-6


# 0.44 million variants of cohorts/s with 600 cells (1.4 million with 120); 4 bytes for each, and a window of all
# cohorts: 493 MB with 120 cells, 1.6 GB with 600 and 100 million variants.
def merged_records(wildcards):
    return sum(
        TOTAL[name] if name in LIFTED else RECORDS[name].get(wildcards.contig, 0)
        for name in ADDED
    )


def merge_runtime(wildcards):
    return START + merged_records(wildcards) / (0.04e6 * 60)


def merge_memory(wildcards):
    return 1000 + merged_records(wildcards) * 8e-6 + CELLS * 2


# The same twice over, contig by contig; 446 MB with 120 cells. Comparing takes most of the time.
def discordance_runtime(wildcards):
    return 2 * START + ALL_RECORDS / (0.02e6 * 60)


def discordance_memory(wildcards):
    return 2000 + CELLS * 2


# Gate, publish, popgen and risk, in blocks of all groups: 661 MB of the gate and, with eight threads, 952 MB of
# publish with 103 groups of 240 cells. A hundred thousand variants/s would be fast for the gate, which looks for what
# gives others away; and publish takes 3.3 microseconds for each variant and group, on the eight cores that it asks
# for. There are about half as many variants as records, and groups as cells.
def panel_runtime(wildcards):
    return 2 * START + ALL_RECORDS * max(1e-4, CELLS * 1e-6) / 60


def panel_memory(wildcards):
    return 2000 + CELLS * 4


# A million variants of 20 cells: 3.2 s and 520 MB to package, 2.5 s and 323 MB to verify; a contig of the
# reference is held.
def counts_runtime(name):
    return START + TOTAL[name] / (0.03e6 * 60)


# 0.3 microseconds for each genotype that is looked at, and all counts read twice. 650 MB with 10 populations, some
# 20 MB for each of their cells; and the SNVs of the largest contig, as overlap has them.
LINKAGE_SITES, LINKAGE_PEOPLE = 50_000, 1_000  # at most; of each population


def linkage_runtime(wildcards):
    records = TOTAL[wildcards.cohort]
    populations = ceil(len(COHORTS[wildcards.cohort]["cells"]) / 2)
    looked_at = min(people(wildcards), LINKAGE_PEOPLE * populations)
    looked_at *= min(records, LINKAGE_SITES)
    return 2 * START + looked_at * 4e-6 / 60 + records / (0.02e6 * 60)


def linkage_memory(wildcards):
    cells = len(COHORTS[wildcards.cohort]["cells"])
    held = LARGEST[wildcards.cohort] * 100e-6
    return 1000 + people(wildcards) * 0.001 + cells * 40 + held
