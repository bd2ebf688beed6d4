"""Charts of how time and memory grow, for the benchmarks that measure it."""

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
