"""Cohorts with a record in every partition of a whole genome, to see how a plan grows: nothing is computed."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pysam
import yaml

GRCH38 = {
    "chr1": 248_956_422, "chr2": 242_193_529, "chr3": 198_295_559, "chr4": 190_214_555,
    "chr5": 181_538_259, "chr6": 170_805_979, "chr7": 159_345_973, "chr8": 145_138_636,
    "chr9": 138_394_717, "chr10": 133_797_422, "chr11": 135_086_622, "chr12": 133_275_309,
    "chr13": 114_364_328, "chr14": 107_043_718, "chr15": 101_991_189, "chr16": 90_338_345,
    "chr17": 83_257_441, "chr18": 80_373_285, "chr19": 58_617_616, "chr20": 64_444_167,
    "chr21": 46_709_983, "chr22": 50_818_468, "chrX": 156_040_895, "chrY": 57_227_415,
    "chrM": 16_569,
}  # fmt: skip
"""Lengths of the contigs, as the assembly has them."""

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Planned:
    """How many jobs a dry run lists, and how many files they and Snakemake would write."""

    jobs: int
    files: int


def lay_out(folder: Path, cohorts: int, contigs: dict[str, int], every: int = 1_000_000) -> None:
    """Write a configuration of some cohorts, each with a record in every so many bases.

    REF is N, which no base of the reference speaks against, so that the FASTA may be a hole of its length.
    """
    start, index = 0, []
    for name, length in contigs.items():
        header = f">{name}\n"
        start += len(header)
        index.append(f"{name}\t{length}\t{start}\t{length}\t{length + 1}\n")
        start += length + 1
    with (folder / "reference.fa").open("wb") as fasta:
        fasta.truncate(start)
    (folder / "reference.fa.fai").write_text("".join(index))
    meta = ["##fileformat=VCFv4.3", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    meta += [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
    body = "".join(
        f"{name}\t{position}\t.\tN\tA\t.\tPASS\t.\tGT\t0/1\n"
        for name, length in contigs.items()
        for position in range(1000, length, every)
    )
    table = ["cohort\tcountry\tkind\tpath\tbuild\tsamples\tcallable\tmetadata"]
    for number in range(cohorts):
        path = folder / f"c{number}.vcf"
        path.write_text("\n".join([*meta, f"{columns}\tS{number}\n"]) + body)
        pysam.tabix_index(str(path), preset="vcf", force=True)
        (folder / f"c{number}.tsv").write_text(
            f"sample\tpopulation\tsex\nS{number}\tP{number}\tXX\n"
        )
        table.append(f"C{number}\tTH\tvcf\tc{number}.vcf.gz\tGRCh38\tc{number}.tsv\t\t")
    (folder / "cohorts.tsv").write_text("\n".join(table) + "\n")
    (folder / "policy.yaml").write_text("min_group_size: 0\nmin_allele_count: 0\n")
    config = {
        "panel": {"name": "many", "version": "1"},
        "reference": {"build": "GRCh38", "fasta": "reference.fa"},
        "cohorts": "cohorts.tsv",
        "disclosure": {"policy": "policy.yaml"},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def dry_run(folder: Path, *arguments: str) -> str:
    """Plan all jobs without running any; what was said."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(ROOT / "Snakefile"),
        "--dry-run",
    ]
    command += ["--configfile", "config.yaml", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


def plan(folder: Path, size: int = 10_000_000) -> Planned:
    """Count the jobs of a plan with partitions of some size, the default one unless told, and their files."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["partitions"] = {"size": size}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    said = dry_run(folder)
    (jobs,) = {int(n) for n in re.findall(r"^total +(\d+)$", said, re.MULTILINE)}
    outputs = re.findall(r"^    output: (.+)$", said, re.MULTILINE)
    logs = re.findall(r"^    log: \S+", said, re.MULTILINE)
    # Of each output Snakemake keeps a file of its own in .snakemake/metadata.
    return Planned(jobs, 2 * sum(line.count(", ") + 1 for line in outputs) + len(logs))
