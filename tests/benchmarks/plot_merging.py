"""Draw how time and memory of `afpanel merge` grow, from lines that `test_merging.py` wrote.

MERGING_JSONL=merging.jsonl pytest tests/benchmarks/test_merging.py -m benchmark
python tests/benchmarks/plot_merging.py merging.jsonl docs/merging.svg
"""

import json
import sys
from pathlib import Path

import numpy as np

INK, LINE = "#1f3b57", "#9aa7b4"


def sweep(lines: list[dict], fixed: str, value: int) -> list[dict]:
    """The results with one value of `fixed`, in order of work."""
    chosen = {line["cohorts"] * line["variants"]: line for line in lines if line[fixed] == value}
    return [chosen[key] for key in sorted(chosen)]


def draw(axes, results: list[dict], varied: str, title: str) -> None:
    """One sweep: seconds against variants of cohorts, with the straight line through its points."""
    work = np.array([r["cohorts"] * r["variants"] for r in results]) / 1e6
    seconds = np.array([r["seconds"] for r in results])
    slope, start = np.polyfit(work, seconds, 1)
    axes.plot(work, start + slope * work, color=LINE, linewidth=1)
    axes.plot(work, seconds, "o", color=INK, markersize=4)
    for x, y, result in zip(work, seconds, results, strict=True):
        axes.annotate(
            f"{result[varied]:,} {varied}\n{result['peak_mb']:,.0f} MB",
            (x, y), (4, -4), textcoords="offset points", fontsize=7, va="top", color=INK,
        )  # fmt: skip
    axes.set_title(f"{title}: {1 / slope:.2f} M a second, {start:.2f} s to start", fontsize=9)
    axes.set_xlabel("million variants of cohorts", fontsize=8)
    axes.set_ylabel("seconds", fontsize=8)
    axes.set_xlim(0, work.max() * 1.25)
    axes.set_ylim(0, seconds.max() * 1.15)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def main(source: Path, target: Path) -> None:
    """Draw the sweeps over variants and over cohorts beside each other."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "merging"  # the same bytes each time
    from matplotlib import pyplot as plt

    lines = [json.loads(line) for line in source.read_text().splitlines()]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
    draw(left, sweep(lines, "cohorts", 5), "variants", "5 cohorts of 12 cells")
    draw(right, sweep(lines, "variants", 250_000), "cohorts", "250,000 variants")
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
