"""Synthetic cohorts of national size, the whole workflow on them, and what each of its processes takes.

Files are written a line at a time, with as little work as a line of a million calls allows; who carries ALT
is known, so counts are held against what was written and not against another program.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
import yaml

ROOT = Path(__file__).parents[2]
CONTIG, LENGTH = "chr1", 20_000_000
POPULATIONS, SEXES = 10, ("XX", "XY")
CELLS = POPULATIONS * len(SEXES)
HEADER = (
    "##fileformat=VCFv4.2\n"
    f"##contig=<ID={CONTIG},length={LENGTH}>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
)
POLICY = "min_group_size: 30\nmin_allele_count: 0\n"

_SHIM = """#!{python} -IS
import json, os, subprocess, sys, time
start = time.monotonic()
process = subprocess.Popen([{python!r}, "-m", "afpanel", *sys.argv[1:]])
_, status, usage = os.wait4(process.pid, 0)
line = dict(command=sys.argv[1], cpu=usage.ru_utime + usage.ru_stime, peak_mb=usage.ru_maxrss / 1024,
            seconds=time.monotonic() - start)
with open({log!r}, "a") as out:
    out.write(json.dumps(line) + "\\n")
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True)
class Step:
    """All processes of one command in a run: how many, their seconds of processors, and the largest peak."""

    jobs: int
    cpu: float
    peak_mb: float


def write_reference(folder: Path, seed: int = 1) -> np.ndarray:
    """Write a reference of one contig; returns its bases."""
    rng = np.random.default_rng(seed)
    bases = rng.choice(np.frombuffer(b"ACGT", np.uint8), LENGTH)
    (folder / "ref.fa").write_bytes(b">" + CONTIG.encode() + b"\n" + bases.tobytes() + b"\n")
    pysam.faidx(str(folder / "ref.fa"))
    return bases


def frequencies(sites: int, rng: np.random.Generator) -> np.ndarray:
    """As skewed as real ones, but every fourth site is common: kinship is told from these."""
    f = np.minimum(0.5, rng.beta(0.15, 2.5, sites))
    f[::4] = rng.uniform(0.1, 0.5, len(f[::4]))
    return f


def write_cohort(
    folder: Path,
    name: str,
    bases: np.ndarray,
    samples: int,
    sites: int,
    *,
    seed: int,
    twins: int = 0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Write a cohort's indexed VCF and its sample sheet.

    The last `twins` samples are the first ones once more.

    Returns
    -------
    positions
        (sites,) 1-based.
    carried, people
        (sites, cells) copies of ALT, and (cells,) people.
    """
    rng = np.random.default_rng(seed)
    number = np.arange(samples)
    cell = number % CELLS
    ids = [f"{name}{i:07d}" for i in range(samples)]
    sheet = (
        f"{each}\tP{c // 2}\t{SEXES[c % 2]}\n" for each, c in zip(ids, cell.tolist(), strict=True)
    )
    (folder / f"{name}.tsv").write_text("sample\tpopulation\tsex\n" + "".join(sheet))
    positions = (np.arange(sites) * (LENGTH // sites) + LENGTH // sites // 2).astype(int) + 1
    carried = np.empty((sites, CELLS), np.int64)
    path = folder / f"{name}.vcf.gz"
    line = np.empty((samples, 4), np.uint8)
    with pysam.BGZFile(str(path), "wb1") as out:
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *ids]
        out.write((HEADER + "\t".join(columns) + "\n").encode())
        for site, f in enumerate(frequencies(sites, rng)):
            haplotypes = np.zeros(2 * samples, np.uint8)
            haplotypes[rng.integers(0, 2 * samples, rng.binomial(2 * samples, f))] = 1
            both = haplotypes.reshape(samples, 2)
            if twins:
                both[-twins:] = both[:twins]
            line[:, 0], line[:, 2] = both[:, 0] + 48, both[:, 1] + 48
            line[:, 1], line[:, 3] = ord("/"), ord("\t")
            carried[site] = np.bincount(cell, both.sum(axis=1), CELLS)
            ref = chr(bases[positions[site] - 1])
            alt = "ACGT"["ACGT".index(ref) - 1]
            head = f"{CONTIG}\t{positions[site]}\t.\t{ref}\t{alt}\t.\tPASS\t.\tGT\t".encode()
            out.write(head + line.tobytes()[:-1] + b"\n")
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return positions, carried, np.bincount(cell, minlength=CELLS)


def write_config(folder: Path, cohorts: dict[str, str], **more) -> Path:
    """Write the configuration of a panel of cohorts, given with their countries."""
    rows = [["cohort", "country", "kind", "path", "build", "samples", "callable", "metadata"]]
    for name, country in cohorts.items():
        rows.append([name, country, "vcf", f"{name}.vcf.gz", "GRCh38", f"{name}.tsv", "", ""])
    (folder / "cohorts.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    (folder / "policy.yaml").write_text(POLICY)
    config = {
        "panel": {"name": "scale", "version": "1"},
        "reference": {"build": "GRCh38", "fasta": "ref.fa"},
        "cohorts": "cohorts.tsv",
        "disclosure": {"policy": "policy.yaml"},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config | more))
    return folder / "config.yaml"


def run_workflow(folder: Path, *targets: str, cores: int = 1) -> dict[str, Step]:
    """Run the workflow, and give what the processes of each command took."""
    log = folder / "processes.jsonl"
    log.unlink(missing_ok=True)
    shim = folder / "bin" / "afpanel"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(_SHIM.format(python=sys.executable, log=str(log)))
    shim.chmod(0o755)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--configfile", "config.yaml", "--cores", str(cores), *targets]
    environment = os.environ | {"PATH": f"{shim.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = defaultdict(list)
    for line in log.read_text().splitlines():
        process = json.loads(line)
        found[process["command"]].append(process)
    return {
        name: Step(len(each), sum(p["cpu"] for p in each), max(p["peak_mb"] for p in each))
        for name, each in found.items()
    }
