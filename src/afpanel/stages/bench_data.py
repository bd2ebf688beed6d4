"""Synthetic VCF files of any size, to measure on: the same bytes for the same numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

CONTIG = "1"
POPULATIONS = ("P0", "P1", "P2")

_SPACING = 10
_POOL = 2_000
_HEADER = (
    "##fileformat=VCFv4.2\n"
    '##FILTER=<ID=PASS,Description="All filters passed">\n'
    "##contig=<ID={contig},length={length}>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
)
_RICH_HEADER = (
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads of each allele">\n'
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads">\n'
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">\n'
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">\n'
)


@dataclass(frozen=True)
class BenchFiles:
    """What a benchmark runs on.

    Parameters
    ----------
    vcf, fasta, sheet, groups
        The VCF (BGZF with a tabix index), its reference, and the populations of its samples as a
        sample sheet and as bcftools' ``+fill-tags`` takes them.
    regrouped
        A sheet with the same samples in other populations.
    """

    vcf: Path
    fasta: Path
    sheet: Path
    groups: Path
    regrouped: Path


def make_files(folder: Path, samples: int, sites: int, *, rich: bool, seed: int) -> BenchFiles:
    """Write a VCF of biallelic SNVs, with frequencies as skewed as real ones, and what goes with it.

    Parameters
    ----------
    folder
        Where to write.
    samples, sites
        How many.
    rich
        Whether calls have AD, DP, GQ and PL beside GT.
    seed
        Of the random numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    files = BenchFiles(
        *(folder / name for name in ("b.vcf.gz", "b.fa", "b.tsv", "b.groups", "b2.tsv"))
    )
    names = [f"S{i:07d}" for i in range(samples)]
    population = [POPULATIONS[i % len(POPULATIONS)] for i in range(samples)]
    pairs = list(zip(names, population, strict=True))
    header = "sample\tpopulation\tsex\n"
    files.sheet.write_text(header + "".join(f"{name}\t{label}\tXX\n" for name, label in pairs))
    others = (f"{name}\tQ{i % 5}\t{'XX' if i % 2 else 'XY'}\n" for i, name in enumerate(names))
    files.regrouped.write_text(header + "".join(others))
    files.groups.write_text("".join(f"{name}\t{label}\n" for name, label in pairs))
    length = _SPACING * (sites + 1)
    bases = rng.choice(np.frombuffer(b"ACGT", np.uint8), length)
    files.fasta.write_text(f">{CONTIG}\n{bases.tobytes().decode()}\n")
    pysam.faidx(str(files.fasta))
    with pysam.BGZFile(str(files.vcf), "wb") as out:
        header = _HEADER.format(contig=CONTIG, length=length) + (_RICH_HEADER if rich else "")
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
        out.write((header + "\t".join(columns) + "\n").encode())
        calls = _rich_calls(rng, samples, sites) if rich else _plain_calls(rng, samples, sites)
        form = "GT:AD:DP:GQ:PL" if rich else "GT"
        for site, text in enumerate(calls):
            position = _SPACING * (site + 1)
            ref = chr(bases[position - 1])
            alt = "ACGT"["ACGT".index(ref) - 1]
            lead = f"{CONTIG}\t{position}\t.\t{ref}\t{alt}\t.\tPASS\t.\t{form}\t"
            out.write(lead.encode() + text + b"\n")
    pysam.tabix_index(str(files.vcf), preset="vcf", force=True)
    return files


def _carriers(rng: np.random.Generator, samples: int, sites: int) -> Iterator[NDArray[np.bool_]]:
    """Draw who carries ALT on which haplotype, site by site; each (samples, 2) bool."""
    for frequency in np.minimum(0.5, rng.beta(0.15, 2.5, sites)):
        yield rng.random((samples, 2), np.float32) < frequency


def _plain_calls(rng: np.random.Generator, samples: int, sites: int) -> Iterator[bytes]:
    line = np.empty((samples, 4), np.uint8)
    line[:, 1], line[:, 3] = ord("|"), ord("\t")
    for carried in _carriers(rng, samples, sites):
        line[:, 0] = ord("0") + carried[:, 0]
        line[:, 2] = ord("0") + carried[:, 1]
        yield line.tobytes()[:-1]


def _rich_calls(rng: np.random.Generator, samples: int, sites: int) -> Iterator[bytes]:
    """Put lines together from a pool of calls of each genotype, which keeps the writing fast."""
    pools = []
    for copies in range(3):
        depth = rng.poisson(30, _POOL)
        reads = rng.binomial(depth, copies / 2)
        quality = np.minimum(99, rng.poisson(60, _POOL))
        likely = [0 if copies == g else 45 * abs(copies - g) for g in range(3)]
        genotype = ("0/0", "0/1", "1/1")[copies]
        pools.append(
            [
                f"{genotype}:{d - r},{r}:{d}:{q}:{','.join(map(str, likely))}".encode()
                for d, r, q in zip(depth.tolist(), reads.tolist(), quality.tolist(), strict=True)
            ]
        )
    pool = np.array(pools, object)
    for carried in _carriers(rng, samples, sites):
        chosen = pool[carried.sum(axis=1), rng.integers(0, _POOL, samples)]
        yield b"\t".join(chosen.tolist())
