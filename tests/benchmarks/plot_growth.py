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
from plotting import draw_sweep, draw_two


def points(lines: list[dict], fixed: str, varied: str) -> list[dict]:
    """The results of one sweep: one value of `fixed`, the commonest, and all of `varied`."""
    values = [line[fixed] for line in lines]
    common = max(set(values), key=values.count)
    chosen = {line[varied]: line for line in lines if line[fixed] == common}
    return [chosen[key] for key in sorted(chosen)]


def draw(axes, lines: list[dict], fixed: str, varied: str) -> None:
    """One sweep: seconds against genotypes."""
    results = points(lines, fixed, varied)
    genotypes = np.array([r["samples"] * r["sites"] for r in results]) / 1e6
    seconds = np.array([r["seconds"] for r in results])
    labels = [f"{r[varied]:,} {varied}\n{r['peak_mb']:,.0f} MB" for r in results]
    draw_sweep(axes, genotypes, seconds, labels, (f"{results[0][fixed]:,} {fixed}", "genotypes"))


def main(source: Path, target: Path) -> None:
    """Draw the sweeps over samples and over sites beside each other."""
    lines = [json.loads(line) for line in source.read_text().splitlines()]
    lines = [line for line in lines if line["peer"] == "recount"]
    draw_two(
        target,
        lambda axes: draw(axes, lines, "sites", "samples"),
        lambda axes: draw(axes, lines, "samples", "sites"),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
