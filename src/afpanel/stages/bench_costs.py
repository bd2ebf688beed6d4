"""The coefficients by which costs are predicted, as far as reading and counting go, measured on this machine."""

import logging
import sys
import tempfile
from pathlib import Path

from afpanel.stages.bench_data import BenchFiles, make_files
from afpanel.stages.bench_launch import Launcher

logger = logging.getLogger(__name__)

_FEW_SAMPLES, _FEW_SITES = 3, 10
_MANY_SAMPLES = 50_000
_LEAST = 1e-12


def measure_coefficients(samples: int, sites: int, seed: int) -> dict[str, float]:
    """Measure seconds of one core, by files of `sites` and of a tenth as many.

    Parameters
    ----------
    samples, sites
        Of the larger files.
    seed
        Of their random numbers.

    Returns
    -------
    dict
        Some fields of `core.cost.Coefficients`.
    """
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="afpanel-bench-") as name, Launcher() as launcher:
        folder = Path(name)
        for rich, of in ((False, "genotype"), (True, "call")):
            sizes = [sites, max(1, sites // 10)]
            taken = [
                _run(
                    launcher,
                    make_files(folder / f"{of}{n}", samples, n, rich=rich, seed=seed),
                    rich=rich,
                )
                for n in sizes
            ]
            for stage in ("ingest", "count"):
                more = taken[0][stage] - taken[1][stage]
                found[f"{stage}_{of}"] = max(more / samples / (sizes[0] - sizes[1] or 1), _LEAST)
            more = taken[0]["harmonize"] - taken[1]["harmonize"]
            found["record"] = max(more / (sizes[0] - sizes[1] or 1), _LEAST)
        few = make_files(folder / "few", _FEW_SAMPLES, _FEW_SITES, rich=False, seed=seed)
        many = make_files(folder / "many", _MANY_SAMPLES, _FEW_SITES, rich=False, seed=seed)
        start, with_people = (_run(launcher, files, rich=False) for files in (few, many))
    found["start"] = max(start.values())
    more = max(with_people[stage] - start[stage] for stage in start)
    found["person"] = max(more / _MANY_SAMPLES, _LEAST)
    return found


def _run(launcher: Launcher, files: BenchFiles, *, rich: bool) -> dict[str, float]:
    """Give the processor seconds of each command."""
    folder = files.vcf.parent
    afpanel = f"{sys.executable} -m afpanel -q"
    store, alleles = folder / "1.00000.vcz.zip", folder / "alleles.zarr.zip"
    thresholds = "" if rich else " --min-gq 0 --min-dp 0 --min-dp-haploid 0 --min-ab 0"
    commands = {
        "ingest": f"ingest {files.vcf} --samples {files.sheet} --out {store}"
        f" --fields '{'GQ,DP,AD' if rich else ''}'",
        "harmonize": f"harmonize {store} --reference {files.fasta} --cohort B --out {alleles}"
        f" --summary {folder / 'summary.json'}",
        "count": f"count {store} --alleles {alleles} --samples {files.sheet} --cohort B --country VN"
        f" --build GRCh38{thresholds} --out {folder / 'counts.zarr.zip'}",
    }
    taken = {stage: launcher.run(f"{afpanel} {command}").cpu for stage, command in commands.items()}
    logger.info("%s: %s", folder.name, ", ".join(f"{k} {v:.2f} s" for k, v in taken.items()))
    return taken
