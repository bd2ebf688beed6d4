"""Harmonizing sites beside bcftools norm: run by ``make bench``, and not by ``make test``.

Results are appended to ``benchmarks.jsonl`` in the working directory, a line each.
"""

import json
import shutil
import statistics
import sys
from collections import Counter
from pathlib import Path
from shlex import quote

import numpy as np
import pysam
import pytest

from afpanel.io.store import Store
from afpanel.stages.allele_map import ALLELES, ALLELES_VERSION
from afpanel.stages.bench_launch import Launcher, Run

pytestmark = pytest.mark.benchmark

REPEATS = 5
RATES = {"snv": 1_000_000, "indel": 100_000}
"""Records a second that are wanted of one core."""

TIMES_BCFTOOLS = 20
PEOPLE = 3_000


def repetitive(rng: np.random.Generator, length: int) -> str:
    """A reference with a short tandem repeat every 400 bases."""
    codes = rng.integers(0, 4, length)
    for at in range(0, length - 200, 400):
        unit, size = rng.integers(1, 4), int(rng.integers(5, 40))
        codes[at : at + size] = np.resize(codes[at : at + unit], size)
    return np.frombuffer(b"ACGT", np.uint8)[codes].tobytes().decode()


def alleles_of(
    rng: np.random.Generator, kind: str, sequence: str, position: int
) -> tuple[str, str]:
    base = sequence[position - 1]
    others = [other for other in "ACGT" if other != base]
    if kind == "mixed":
        kind = rng.choice(["snv", "indel", "several"], p=[0.85, 0.12, 0.03])
    if kind == "snv":
        return base, str(rng.choice(others))
    if kind == "several":
        return base, f"{others[0]},{base}{sequence[position : position + 2]}"
    size = int(rng.integers(1, 6))
    longer = sequence[position - 1 : position + size]
    return (longer, base) if rng.random() < 0.5 else (base, longer)


def make(folder: Path, kind: str, records: int, people: int) -> tuple[Path, Path, Path]:
    """A FASTA, an indexed VCF of one contig, and its sample sheet."""
    rng = np.random.default_rng(17)
    sequence = repetitive(rng, records * 20 + 2_000)
    fasta, vcf, sheet = (folder / f"{kind}.{end}" for end in ("fa", "vcf.gz", "tsv"))
    fasta.write_text(f">chr1\n{sequence}\n")
    pysam.faidx(str(fasta))
    names = [f"p{i}" for i in range(people)]
    rows = [f"{name}\tP\tunknown" for name in names]
    sheet.write_text("\n".join(["sample\tpopulation\tsex", *rows]) + "\n")
    calls = np.array(["0|0", "0|1", "1|1"])
    drawn = [
        "\t".join(calls[rng.binomial(2, frequency, people)]) for frequency in rng.beta(0.2, 2, 64)
    ]
    positions = np.sort(rng.choice(np.arange(100, len(sequence) - 100), records, replace=False))
    with pysam.BGZFile(str(vcf), "wb") as out:
        head = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n##contig=<ID=chr1>\n'
        columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
        out.write(("##fileformat=VCFv4.2\n" + head + columns + "\t".join(names) + "\n").encode())
        for i, position in enumerate(positions.tolist()):
            ref, alt = alleles_of(rng, kind, sequence, position)
            line = f"chr1\t{position}\t.\t{ref}\t{alt}\t.\tPASS\t.\tGT\t{drawn[i % len(drawn)]}\n"
            out.write(line.encode())
    pysam.tabix_index(str(vcf), preset="vcf", force=True)
    return fasta, vcf, sheet


def commands(folder: Path, kind: str, records: int, people: int) -> tuple[str, str, str]:
    """Make the files; gives the commands that ingest, harmonize and, with bcftools, normalize."""
    fasta, vcf, sheet = make(folder, kind, records, people)
    afpanel = f"{quote(sys.executable)} -m afpanel -q"
    store, alleles = folder / f"{kind}.vcz.zip", folder / f"{kind}.alleles.zip"
    ingest = f"{afpanel} ingest {vcf} --samples {sheet} --region chr1 --out {store}"
    harmonize = (
        f"{afpanel} harmonize {store} --reference {fasta} --cohort X --out {alleles}"
        f" --summary {folder}/summary.json"
    )
    program = shutil.which("bcftools")
    if program is None:
        code = "import sys, pysam.bcftools as b; b.norm(*sys.argv[1:], catch_stdout=False)"
        program = f"{quote(sys.executable)} -c {quote(code)}"
    else:
        program = f"{program} norm"
    normalize = f"{program} -m - -f {fasta} -Ou -o {folder}/{kind}.norm.bcf {vcf} 2> /dev/null"
    return ingest, harmonize, normalize


def note(**what: object) -> None:
    print(json.dumps(what))
    with Path("benchmarks.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps(what) + "\n")


def median(runs: list[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


@pytest.mark.parametrize(("kind", "records"), [("snv", 3_000_000), ("indel", 1_000_000)])
def test_sites_are_harmonized_as_fast_as_we_want(tmp_path: Path, kind: str, records: int) -> None:
    ingest, harmonize, _ = commands(tmp_path, kind, records, 1)
    with Launcher() as launcher:
        launcher.run(ingest)
        runs = [launcher.run(f"taskset -c 0 {harmonize}") for _ in range(REPEATS)]
    rate = records / median(runs)
    peak = max(run.peak_mb for run in runs)
    note(what="harmonize", kind=kind, records=records, per_second=round(rate), peak_mb=round(peak))
    assert rate >= RATES[kind]


def test_harmonizing_takes_a_twentieth_of_normalizing_with_bcftools(tmp_path: Path) -> None:
    records = 200_000
    ingest, harmonize, normalize = commands(tmp_path, "mixed", records, PEOPLE)
    ours, theirs = [], []
    with Launcher() as launcher:
        launcher.run(ingest)
        for _ in range(3):
            ours.append(launcher.run(harmonize))
            theirs.append(launcher.run(normalize))
    ratio = statistics.median(b.seconds / a.seconds for a, b in zip(ours, theirs, strict=True))
    note(
        what="harmonize beside bcftools norm", samples=PEOPLE, records=records,
        seconds=median(ours), bcftools_seconds=median(theirs), ratio=round(ratio, 2),
        peak_mb=round(max(run.peak_mb for run in ours)),
    )  # fmt: skip
    with Store(tmp_path / "mixed.alleles.zip", ALLELES, ALLELES_VERSION) as store:
        columns = [store.read(f"allele_{name}").tolist() for name in ("position", "ref", "alt")]
    with pysam.VariantFile(str(tmp_path / "mixed.norm.bcf")) as normal:
        expected = Counter((record.pos, record.ref, record.alts[0]) for record in normal)
    assert Counter(zip(*columns, strict=True)) == expected
    assert ratio >= TIMES_BCFTOOLS
