"""Charts as SVG, the same bytes each time: heat maps, dots, stacked bars and scatters of named things.

It knows nothing of what is drawn. Colours are told apart by those who are colour-blind: cividis for
what has an order, Okabe and Ito's for what has none, there with a marker each besides.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.io.files import whole_file

_SETTINGS = {
    "svg.hashsalt": "afpanel",  # else the names of elements are drawn by lot
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and copied
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana"],  # the first comes with matplotlib: one layout
    "font.size": 8.0,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "figure.titlesize": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
_OKABE_ITO = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#8C8C00"
)  # fmt: skip
_MARKERS = "osD^vPX"
_MAP = "cividis"
_STEPS = 40
"""Colours of a scale; of more the scale would be an image, with the bytes of another library."""

_MISSING = "#DDDDDD"
_ROW = 0.22
"""Inches of a row of names."""

_MOST_FIGURES = 15
"""Names up to which a heat map's cells have room for their figures, and a scatter is small."""

_LETTER = (0.062, 0.11)
"""Inches that a letter beside a point takes, across and up."""


@dataclass(frozen=True)
class HeatMap:
    """A square of figures, for each pair of named things; NaN is missing.

    Parameters
    ----------
    title, labels
        What is shown; the names of rows and columns.
    values
        (n, n) float64.
    unit
        What the colours measure.
    form
        Format of a figure in its cell.
    """

    title: str
    labels: Sequence[str]
    values: NDArray[np.float64]
    unit: str
    form: str


def draw_nothing(path: Path, title: str, reason: str) -> None:
    """Say in a chart's place why there is none."""
    with _figure(path, title, 6.0, 1.2) as figure:
        figure.text(0.5, 0.35, reason, ha="center", va="center")


def draw_heat_maps(path: Path, title: str, maps: Sequence[HeatMap]) -> None:
    """Draw heat maps above each other, each with a scale of its own."""
    most = max(len(each.labels) for each in maps)
    across, up = (0.48, 0.32) if most <= _MOST_FIGURES else (0.18, 0.18)
    heights = [1.1 + up * max(len(each.labels), 3) for each in maps]
    with _figure(path, title, max(2.4 + across * most, 6.5), sum(heights) + 0.4) as figure:
        every = figure.subplots(len(maps), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, each in zip(every, maps, strict=True):
            _draw_heat_map(figure, axes, each)


def _draw_heat_map(figure: Any, axes: Any, chart: HeatMap) -> None:
    from matplotlib import colormaps  # noqa: PLC0415 - only those who draw wait for matplotlib

    shown = np.ma.masked_invalid(chart.values)
    mesh = axes.pcolormesh(
        shown, cmap=colormaps[_MAP].resampled(_STEPS), edgecolors="white", linewidth=0.5
    )
    axes.set_facecolor(_MISSING)
    axes.invert_yaxis()
    places = np.arange(len(chart.labels)) + 0.5
    axes.set_xticks(places, chart.labels, rotation=90)
    axes.set_yticks(places, chart.labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(chart.title)
    figure.colorbar(mesh, ax=axes, label=chart.unit)
    if len(chart.labels) <= _MOST_FIGURES:
        low, high = mesh.get_clim()
        for row, column in np.argwhere(~np.ma.getmaskarray(shown)).tolist():
            value = float(chart.values[row, column])
            dark = value < (low + high) / 2
            axes.text(column + 0.5, row + 0.5, format(value, chart.form), ha="center",
                      va="center", fontsize=6, color="white" if dark else "black")  # fmt: skip


def draw_dots(
    path: Path, title: str, labels: Sequence[str], series: dict[str, NDArray[np.float64]], unit: str
) -> None:
    """Draw a row of dots for each name: one dot per series; NaN is left out."""
    with _figure(path, title, 6.5, _height(labels)) as figure:
        axes = _rows(figure, labels)
        for i, (name, values) in enumerate(series.items()):
            axes.plot(values, np.arange(len(labels)), linestyle="", marker=_MARKERS[i],
                      color=_OKABE_ITO[i], markersize=5, label=name,
                      fillstyle="none" if i else "full")  # fmt: skip
        axes.grid(axis="y", color=_MISSING, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(unit)
        figure.legend(loc="outside lower center", ncols=len(series))


def draw_stacked_bars(
    path: Path, title: str, labels: Sequence[str], parts: dict[str, NDArray[np.int64]], unit: str
) -> None:
    """Draw a bar for each name, its parts end to end; their colours are in order."""
    from matplotlib import colormaps  # noqa: PLC0415 - only those who draw wait for matplotlib

    colours = colormaps[_MAP](np.linspace(0, 1, len(parts)))
    with _figure(path, title, 7.5, _height(labels) + 0.3) as figure:
        axes = _rows(figure, labels)
        left = np.zeros(len(labels), np.int64)
        for colour, (name, values) in zip(colours, parts.items(), strict=True):
            axes.barh(np.arange(len(labels)), values, left=left, color=colour, label=name,
                      edgecolor="white", linewidth=0.3)  # fmt: skip
            left = left + values
        axes.set_xlabel(unit)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        figure.legend(loc="outside lower center", ncols=min(len(parts), 6))


def draw_scatter(
    path: Path,
    title: str,
    labels: Sequence[str],
    families: Sequence[str],
    places: NDArray[np.float64],
    axis_labels: tuple[str, str],
) -> None:
    """Draw a point for each name; those of one family share a colour and a marker.

    Parameters
    ----------
    labels, families
        n names, and the family of each.
    places
        (n, 2) float64.
    axis_labels
        What the axes measure.
    """
    known = list(dict.fromkeys(families))
    size = (7.0, 5.0) if len(labels) <= _MOST_FIGURES else (9.0, 7.0)
    with _figure(path, title, *size) as figure:
        axes = figure.add_subplot()
        for i, family in enumerate(known):
            members = [row for row, each in enumerate(families) if each == family]
            axes.plot(places[members, 0], places[members, 1], linestyle="", markersize=6,
                      marker=_MARKERS[i % len(_MARKERS)],
                      color=_OKABE_ITO[i % len(_OKABE_ITO)])  # fmt: skip
        for label, place, (right, up) in zip(
            labels, places.tolist(), _label_sides(labels, places, size), strict=True
        ):
            axes.annotate(label, place, (5 * right, 6 * up), textcoords="offset points",
                          fontsize=7, ha="left" if right > 0 else "right", va="center")  # fmt: skip
        axes.axhline(0, color=_MISSING, linewidth=0.6, zorder=0)
        axes.axvline(0, color=_MISSING, linewidth=0.6, zorder=0)
        axes.margins(0.15)
        axes.set_xlabel(axis_labels[0])
        axes.set_ylabel(axis_labels[1])


def _label_sides(
    labels: Sequence[str], places: NDArray[np.float64], size: tuple[float, float]
) -> list[tuple[int, int]]:
    """Choose on which side of its point each label stands, so that few overlap.

    Returns
    -------
    list of (int, int)
        1 to the right or -1 to the left; 1 above, 0 level with the point, or -1 below.
    """
    spread = np.ptp(places, axis=0)
    inches = places / np.where(spread > 0, spread, 1) * np.array(size) * 0.7
    letter, height = _LETTER
    taken = [(x - height / 2, x + height / 2, y - height / 2, y + height / 2) for x, y in inches]
    sides = [(right, up) for up in (1, -1, 0) for right in (1, -1)]
    chosen = []
    for label, (x, y) in zip(labels, inches.tolist(), strict=True):
        boxes: list[tuple[int, int, tuple[float, float, float, float]]] = []
        for right, up in sides:
            near, far = x + right * letter, x + right * letter * (1 + len(label))
            middle = y + up * height * 0.75
            box = (min(near, far), max(near, far), middle - height / 2, middle + height / 2)
            overlaps = sum(
                box[0] < b[1] and b[0] < box[1] and box[2] < b[3] and b[2] < box[3] for b in taken
            )
            boxes.append((overlaps, len(boxes), box))
        _, side, box = min(boxes)
        taken.append(box)
        chosen.append(sides[side])
    return chosen


def _height(labels: Sequence[str]) -> float:
    return 1.5 + _ROW * max(len(labels), 3)


def _rows(figure: Any, labels: Sequence[str]) -> Any:
    """Make axes with a row for each name, the first on top."""
    axes = figure.add_subplot()
    axes.set_yticks(np.arange(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    return axes


@contextmanager
def _figure(path: Path, title: str, width: float, height: float) -> Iterator[Any]:
    """Give an empty figure, inches wide and high, and write it when it is drawn."""
    from matplotlib import style  # noqa: PLC0415 - only those who draw wait for matplotlib
    from matplotlib.figure import Figure  # noqa: PLC0415

    # What users have set for their own plots must not change the bytes.
    with style.context(["default", _SETTINGS]):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.suptitle(title, x=0.02, ha="left", fontweight="bold")
        yield figure
        with whole_file(path) as partial:
            figure.savefig(
                partial, format="svg", metadata={"Date": None, "Creator": None, "Title": title}
            )
