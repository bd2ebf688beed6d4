"""Draw how time and memory of `afpanel merge` grow, from lines that `test_merging.py` wrote.

MERGING_JSONL=merging.jsonl pytest tests/benchmarks/test_merging.py -m benchmark
python tests/benchmarks/plot_merging.py merging.jsonl docs/merging.svg
"""

import json
import sys
from pathlib import Path

import numpy as np
from plotting import draw_sweep, draw_two


def draw(axes, lines: list[dict], fixed: str, value: int, title: str) -> None:
    """The results with one value of `fixed`: seconds against variants of cohorts."""
    varied = "variants" if fixed == "cohorts" else "cohorts"
    chosen = {line[varied]: line for line in lines if line[fixed] == value}
    results = [chosen[key] for key in sorted(chosen)]
    work = np.array([r["cohorts"] * r["variants"] for r in results]) / 1e6
    seconds = np.array([r["seconds"] for r in results])
    labels = [f"{r[varied]:,} {varied}\n{r['peak_mb']:,.0f} MB" for r in results]
    draw_sweep(axes, work, seconds, labels, (title, "variants of cohorts"))


def main(source: Path, target: Path) -> None:
    """Draw the sweeps over variants and over cohorts beside each other."""
    lines = [json.loads(line) for line in source.read_text().splitlines()]
    draw_two(
        target,
        lambda axes: draw(axes, lines, "cohorts", 5, "5 cohorts of 12 cells"),
        lambda axes: draw(axes, lines, "variants", 250_000, "250,000 variants"),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
