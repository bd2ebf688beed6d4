"""Draw how time and memory grow, from lines that the benchmarks wrote.

Of counting, with samples and with sites, from lines of `afpanel bench`:

for n in 1000 3000 10000 30000 100000 200000; do
    afpanel bench --samples $n --sites 2000 --peers '' --repeats 3 --json growth.jsonl
done
for n in 2000 6000 20000 60000 200000; do
    afpanel bench --samples 3000 --sites $n --peers '' --repeats 3 --json growth.jsonl
done
python tests/benchmarks/plot_growth.py count growth.jsonl docs/growth.svg

Of merging, with variants and with cohorts, from lines of `test_merging.py`:

MERGING_JSONL=merging.jsonl pytest tests/benchmarks/test_merging.py -m benchmark
python tests/benchmarks/plot_growth.py merge merging.jsonl docs/merging.svg
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

INK, LINE = "#1f3b57", "#9aa7b4"


def draw_sweep(axes, work, seconds, labels: list[str], words: tuple[str, str]) -> None:
    """Draw seconds against work in millions, with the straight line through the points.

    `words` are the title, to which the line's slope is added, and the unit of the work.
    """
    title, unit = words
    slope, start = np.polyfit(work, seconds, 1)
    axes.plot(work, start + slope * work, color=LINE, linewidth=1)
    axes.plot(work, seconds, "o", color=INK, markersize=4)
    for x, y, label in zip(work, seconds, labels, strict=True):
        if x > work.max() / 20:
            axes.annotate(
                label, (x, y), (4, -4), textcoords="offset points", fontsize=7, va="top", color=INK
            )
    axes.set_title(f"{title}: {1 / slope:.3g} M {unit}/s, {start:.2f} s to start", fontsize=9)
    axes.set_xlabel(f"million {unit}", fontsize=8)
    axes.set_ylabel("seconds", fontsize=8)
    axes.set_xlim(0, work.max() * 1.2)
    axes.set_ylim(0, seconds.max() * 1.15)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def draw_two(target: Path, left, right) -> None:
    """Write two sweeps beside each other; `left` and `right` draw each on the axes they are given."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "growth"  # the same bytes each time
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
    for draw, on in zip((left, right), axes, strict=True):
        draw(on)
    figure.savefig(target, metadata={"Date": None})


def count_sweep(lines: list[dict], fixed: str, varied: str) -> Callable:
    """Seconds against genotypes: one value of `fixed`, the commonest, and all of `varied`."""
    lines = [line for line in lines if line["peer"] == "recount"]
    values = [line[fixed] for line in lines]
    common = max(set(values), key=values.count)
    chosen = {line[varied]: line for line in lines if line[fixed] == common}
    results = [chosen[key] for key in sorted(chosen)]
    genotypes = np.array([r["samples"] * r["sites"] for r in results]) / 1e6
    seconds = np.array([r["seconds"] for r in results])
    labels = [f"{r[varied]:,} {varied}\n{r['peak_mb']:,.0f} MB" for r in results]
    words = (f"{common:,} {fixed}", "genotypes")
    return lambda axes: draw_sweep(axes, genotypes, seconds, labels, words)


def merge_sweep(lines: list[dict], fixed: str, value: int, title: str) -> Callable:
    """Seconds against variants of cohorts: one value of `fixed`."""
    varied = "variants" if fixed == "cohorts" else "cohorts"
    chosen = {line[varied]: line for line in lines if line[fixed] == value}
    results = [chosen[key] for key in sorted(chosen)]
    work = np.array([r["cohorts"] * r["variants"] for r in results]) / 1e6
    seconds = np.array([r["seconds"] for r in results])
    labels = [f"{r[varied]:,} {varied}\n{r['peak_mb']:,.0f} MB" for r in results]
    return lambda axes: draw_sweep(axes, work, seconds, labels, (title, "variants of cohorts"))


def main(what: str, source: Path, target: Path) -> None:
    """Draw two sweeps beside each other."""
    lines = [json.loads(line) for line in source.read_text().splitlines()]
    if what == "count":
        sweeps = (count_sweep(lines, "sites", "samples"), count_sweep(lines, "samples", "sites"))
    else:
        sweeps = (
            merge_sweep(lines, "cohorts", 5, "5 cohorts of 12 cells"),
            merge_sweep(lines, "variants", 250_000, "250,000 variants"),
        )
    draw_two(target, *sweeps)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
