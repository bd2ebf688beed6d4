"""The speed of counting a variant file beside the tools one would use instead, on one file in one run.

Every program is timed as a whole process, in turn, and its counts are compared with ours: a fast wrong
answer is no answer. A peer that is not installed is left out, by name.
"""

import json
import logging
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from afpanel.errors import BadInputError, VerificationError
from afpanel.io.store import foreign_blocks
from afpanel.stages.bench_data import CONTIG, POPULATIONS, BenchFiles, make_files
from afpanel.stages.bench_launch import Launcher, Run
from afpanel.stages.cell_counts import open_cell_counts

logger = logging.getLogger(__name__)

OURS = "afpanel"
_OUTPUTS = {
    OURS: "counts.zarr.zip",
    "recount": "recounts.zarr.zip",
    "three commands": "staged.zarr.zip",
}
"""What our ways to the counts write."""

Counts = NDArray[np.int64]
"""AC and AN of each population, (sites, 2 x populations); of everybody, (sites, 2)."""


@dataclass(frozen=True)
class BenchOptions:
    """What to measure.

    Parameters
    ----------
    samples, sites
        Size of the file.
    rich
        Whether calls have AD, DP, GQ and PL; our path then filters on them, the peers do not.
    peers
        Names of peers, of `PEERS`.
    repeats
        How often each is run; medians are reported.
    threads
        Threads that a peer may use which can use several.
    seed
        Of the file's random numbers.
    """

    samples: int
    sites: int
    rich: bool
    peers: tuple[str, ...]
    repeats: int = 5
    threads: int = 2
    seed: int = 1


@dataclass(frozen=True)
class Result:
    """Medians of our path and of one peer; a ratio above 1 says how much faster ours is."""

    peer: str
    samples: int
    sites: int
    fields: str
    seconds: float
    peer_seconds: float
    ratio: float
    genotypes_per_second: float
    peak_mb: float
    peer_peak_mb: float
    agrees: bool | None


@dataclass(frozen=True)
class _Peer:
    """A program to measure against.

    Parameters
    ----------
    program
        What must be installed for it.
    command
        Shell command for files, an output path and a number of threads.
    counts
        How to read its counts from the output; None where it has none.
    """

    program: str
    command: Callable[[BenchFiles, Path, int], str]
    counts: Callable[[Path], Counts] | None


def _tsv(path: Path, columns: list[int]) -> Counts:
    table = pa_csv.read_csv(
        path,
        pa_csv.ReadOptions(autogenerate_column_names=True),
        pa_csv.ParseOptions(delimiter="\t"),
    )
    return np.column_stack([table.column(i).to_numpy() for i in columns]).astype(np.int64)


def _acount(path: Path) -> Counts:
    """Read plink2's ``.acount``: ALT_CTS and OBS_CT are its last columns."""
    text = Path(f"{path}.acount").read_text().splitlines()
    rows = [line.split("\t")[-2:] for line in text if not line.startswith("#")]
    return np.array(rows, np.int64)


def _vcz(path: Path) -> Counts:
    pairs = [
        np.column_stack([(block > 0).sum(axis=(1, 2)), (block >= 0).sum(axis=(1, 2))])
        for block in foreign_blocks(path, "call_genotype", 1000)
    ]
    return np.concatenate(pairs).astype(np.int64)


_CYVCF2 = """
import sys, cyvcf2, numpy as np
vcf = cyvcf2.VCF(sys.argv[1])
rows = []
for record in vcf:
    genotype = record.genotype.array()[:, :2]
    row = []
    for start in range(3):
        part = genotype[start::3]
        row += [(part == 1).sum(), (part >= 0).sum()]
    rows.append(row)
np.savetxt(sys.argv[2], np.array(rows), fmt="%d", delimiter="\\t")
"""

_TAGS = "".join(f"\\t%AC_{p}\\t%AN_{p}" for p in POPULATIONS)

PEERS = {
    "bgzip": _Peer("bgzip", lambda f, out, n: f"bgzip -dc {f.vcf} > /dev/null", None),
    "bcftools": _Peer(
        "bcftools",
        lambda f, out, n: (
            f"bcftools +fill-tags {f.vcf} -Ou -- -S {f.groups} -t AC,AN"
            f" | bcftools query -f '%POS{_TAGS}\\n' > {out}"
        ),
        lambda out: _tsv(out, [1, 2, 3, 4, 5, 6]),
    ),
    "plink2": _Peer(
        "plink2",
        lambda f, out, n: (
            f"plink2 --vcf {f.vcf} --freq counts --geno-counts --threads {n} --out {out} > /dev/null"
        ),
        _acount,
    ),
    "cyvcf2": _Peer(
        "python3",
        lambda f, out, n: f"{sys.executable} -c '{_CYVCF2}' {f.vcf} {out}",
        lambda out: _tsv(out, [0, 1, 2, 3, 4, 5]),
    ),
    "vcf2zarr": _Peer(
        "vcf2zarr", lambda f, out, n: f"vcf2zarr convert -Q -f -p {n} {f.vcf} {out}", _vcz
    ),
}
"""The peers by name."""


def bench(options: BenchOptions) -> list[Result]:
    """Make a file, run our path and each installed peer on it in turn, and compare.

    Raises
    ------
    VerificationError
        If a peer's counts are not ours.
    """
    unknown = set(options.peers) - PEERS.keys()
    if unknown:
        raise BadInputError(f"no peer '{min(unknown)}'", expected=", ".join(PEERS))
    with tempfile.TemporaryDirectory(prefix="afpanel-bench-") as name:
        folder = Path(name)
        logger.info("making %s samples x %s sites", f"{options.samples:,}", f"{options.sites:,}")
        files = make_files(
            folder, options.samples, options.sites, rich=options.rich, seed=options.seed
        )
        installed = [peer for peer in options.peers if _find(PEERS[peer].program)]
        for peer in sorted(set(options.peers) - set(installed)):
            logger.warning("%s is not installed: left out", peer)
        return _measure(options, files, folder, installed)


def _measure(
    options: BenchOptions, files: BenchFiles, folder: Path, installed: list[str]
) -> list[Result]:
    runs: dict[str, list[Run]] = defaultdict(list)
    with Launcher() as launcher:
        for repeat in range(options.repeats + 1):  # the first, which warms caches, is not counted
            round_of = _run_ours(launcher, files, folder, options)
            for peer in installed:
                command = PEERS[peer].command(files, folder / peer, options.threads)
                round_of[peer] = launcher.run(command)
            took = round_of[OURS].seconds
            logger.info("run %d of %d: %.2f s", repeat, options.repeats, took)
            if repeat:
                for name, run in round_of.items():
                    runs[name].append(run)
    counts = _our_counts(folder / _OUTPUTS[OURS])
    results = []
    for name, theirs in runs.items():
        if name == OURS:
            continue
        found = _counts_of(name, folder, options)
        agrees = None if found is None else _same(counts, found)
        if agrees is False:
            raise VerificationError(f"the counts of {name} are not ours", where=files.vcf)
        results.append(_result(name, options, runs[OURS], theirs, agrees))
    return results


def _result(
    peer: str, options: BenchOptions, ours: list[Run], theirs: list[Run], agrees: bool | None
) -> Result:
    seconds = statistics.median(run.seconds for run in ours)
    peer_seconds = statistics.median(run.seconds for run in theirs)
    # Runs taken in turn drift together, so each is held against its neighbour.
    ratio = statistics.median(b.seconds / a.seconds for a, b in zip(ours, theirs, strict=True))
    return Result(
        peer=peer,
        samples=options.samples,
        sites=options.sites,
        fields="rich" if options.rich else "gt",
        seconds=round(seconds, 6),
        peer_seconds=round(peer_seconds, 6),
        ratio=round(ratio, 3),
        genotypes_per_second=round(options.samples * options.sites / seconds),
        peak_mb=round(max(run.peak_mb for run in ours), 1),
        peer_peak_mb=round(max(run.peak_mb for run in theirs), 1),
        agrees=agrees,
    )


def _run_ours(
    launcher: Launcher, files: BenchFiles, folder: Path, options: BenchOptions
) -> dict[str, Run]:
    """Count the file by one command, again from its store with other groups, and by three commands."""
    kept, staged = folder / "kept", folder / f"{CONTIG}.00000.vcz.zip"
    afpanel = f"{sys.executable} -m afpanel -q"
    fields = "GQ,DP,AD" if options.rich else ""
    no_filter = "" if options.rich else " --min-gq 0 --min-dp 0 --min-dp-haploid 0 --min-ab 0"
    of_cohort = f"--cohort B --country VN --build GRCh38{no_filter}"
    first = (
        f"{afpanel} count {files.vcf} --reference {files.fasta} --samples {files.sheet} {of_cohort}"
        f" --keep {kept} --out {folder / _OUTPUTS[OURS]}"
    )
    recount = (
        f"{afpanel} count {kept / 'genotypes.vcz.zip'} --alleles {kept / 'alleles.zarr.zip'}"
        f" --samples {files.regrouped} {of_cohort} --out {folder / _OUTPUTS['recount']}"
    )
    alleles = folder / "alleles.zarr.zip"
    three = (
        f"{afpanel} ingest {files.vcf} --samples {files.sheet} --out {staged} --fields '{fields}'",
        (
            f"{afpanel} harmonize {staged} --reference {files.fasta} --cohort B --out {alleles}"
            f" --summary {folder / 'summary.json'}"
        ),
        (
            f"{afpanel} count {staged} --alleles {alleles} --samples {files.sheet} {of_cohort}"
            f" --out {folder / _OUTPUTS['three commands']}"
        ),
    )
    return {
        OURS: launcher.run(first),
        "recount": launcher.run(recount),
        "three commands": launcher.run(" && ".join(three)),
    }


def _our_counts(path: Path) -> Counts:
    with open_cell_counts(path) as store:
        ac, an = store.read("allele_count"), store.read("allele_number")
    return np.stack([ac, an], axis=2).reshape(len(ac), -1).astype(np.int64)


def _everybody(counts: Counts) -> Counts:
    return np.column_stack([counts[:, 0::2].sum(axis=1), counts[:, 1::2].sum(axis=1)])


def _counts_of(name: str, folder: Path, options: BenchOptions) -> Counts | None:
    """Read what a run counted; None if that cannot be held against ours."""
    if name in _OUTPUTS:
        return _our_counts(folder / _OUTPUTS[name])
    read = PEERS[name].counts
    # Our path filters calls of a rich file, and the peers do not: their counts differ by right.
    return None if read is None or options.rich else read(folder / name)


def _same(ours: Counts, theirs: Counts) -> bool:
    """Compare counts per population, or of everybody where the other's populations are not ours."""
    if theirs.shape != ours.shape:
        ours, theirs = _everybody(ours), _everybody(theirs)
    return bool(np.array_equal(ours, theirs))


def _find(program: str) -> str | None:
    """Find a program on the path, or beside the interpreter."""
    beside = Path(sys.executable).parent / program
    return str(beside) if beside.is_file() else shutil.which(program)


def to_json_line(result: Result) -> str:
    """Write a result as one line of JSON."""
    return json.dumps(asdict(result))
