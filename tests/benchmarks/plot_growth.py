"""Draw how time and memory grow with samples and with sites, from lines that `afpanel bench` wrote.

for n in 1000 3000 10000 30000 100000 200000; do
    afpanel bench --samples $n --sites 2000 --peers '' --repeats 3 --json growth.jsonl
done
for n in 2000 6000 20000 60000 200000; do
    afpanel bench --samples 3000 --sites $n --peers '' --repeats 3 --json growth.jsonl
done
python tests/benchmarks/plot_growth.py growth.jsonl docs/growth.svg
"""

import json
import sys
from pathlib import Path

import numpy as np

INK, LINE = "#1f3b57", "#9aa7b4"


def points(lines: list[dict], fixed: str, varied: str) -> list[dict]:
    """The results of one sweep: one value of `fixed`, the commonest, and all of `varied`."""
    values = [line[fixed] for line in lines]
    common = max(set(values), key=values.count)
    chosen = {line[varied]: line for line in lines if line[fixed] == common}
    return [chosen[key] for key in sorted(chosen)]


def draw(axes, results: list[dict], varied: str, title: str) -> None:
    """One sweep: seconds against genotypes, with the straight line through its ends."""
    genotypes = np.array([r["samples"] * r["sites"] for r in results]) / 1e6
    seconds = np.array([r["seconds"] for r in results])
    slope, start = np.polyfit(genotypes, seconds, 1)
    axes.plot(genotypes, start + slope * genotypes, color=LINE, linewidth=1)
    axes.plot(genotypes, seconds, "o", color=INK, markersize=4)
    for x, y, result in zip(genotypes, seconds, results, strict=True):
        if x > genotypes.max() / 20:
            axes.annotate(
                f"{result[varied]:,} {varied}\n{result['peak_mb']:,.0f} MB",
                (x, y), (4, -4), textcoords="offset points", fontsize=7, va="top", color=INK,
            )  # fmt: skip
    axes.set_title(f"{title}: {1 / slope:,.0f} M genotypes/s, {start:.2f} s to start", fontsize=9)
    axes.set_xlabel("million genotypes", fontsize=8)
    axes.set_ylabel("seconds", fontsize=8)
    axes.set_xlim(0, genotypes.max() * 1.15)
    axes.set_ylim(0, seconds.max() * 1.15)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def main(source: Path, target: Path) -> None:
    """Draw the sweeps over samples and over sites beside each other."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "growth"  # the same bytes each time
    from matplotlib import pyplot as plt

    lines = [json.loads(line) for line in source.read_text().splitlines()]
    lines = [line for line in lines if line["peer"] == "recount"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
    over_samples = points(lines, "sites", "samples")
    over_sites = points(lines, "samples", "sites")
    draw(left, over_samples, "samples", f"{over_samples[0]['sites']:,} sites")
    draw(right, over_sites, "sites", f"{over_sites[0]['samples']:,} samples")
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
