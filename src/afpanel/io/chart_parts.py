"""What charts of a page consist of: colours, shapes, axes, and marks that are placed by percent.

The drawing is as wide as its plot; names stand left of it, in the margin of the box that it is in. Text
keeps its size on a narrow screen. Nothing is measured and nothing random, so the same figures give the same
bytes. Colours are told apart by those who are colour-blind, and marks differ in shape besides.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import NamedTuple

RAMP = ("#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#253494")
"""Colours of what has an order, from little to much."""

CATEGORIES = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#e69f00",
    "#8c8c00",
    "#7a5195",
)
"""Okabe and Ito's colours, for what has no order."""

NEUTRAL, HIDDEN = "#b4b9c2", "#d55e00"
"""Of what is not known; of what is withheld."""

SHAPES = (
    "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z", "M-4.5-4.5H4.5V4.5H-4.5Z", "M0-6 6 0 0 6-6 0Z",
    "M0-6 5.5 4.5H-5.5Z", "M0 6 5.5-4.5H-5.5Z", "M-2-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z",
    "M-4.5-6 0-1.5 4.5-6 6-4.5 1.5 0 6 4.5 4.5 6 0 1.5-4.5 6-6 4.5-1.5 0-6-4.5Z", "M-6-3H6V3H-6Z",
)  # fmt: skip
"""Marks: each is a path about its middle."""

ROW, BAR = 25, 15
_LETTER = 8.4
FOOT = 40
"""Pixels below a plot, for its axis."""


class Key(NamedTuple):
    """An entry of a legend: its colour, its shape or none for a box, and what it says."""

    colour: str
    shape: str | None
    label: str


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Parameters
    ----------
    height
        In pixels.
    left, right
        Pixels beside the plot, for names.
    body
        SVG within the plot, whose width is 100 %.
    legend
        What colours and shapes mean.
    narrow
        Pixels below which the plot is not squeezed; it scrolls in its box instead.
    """

    height: int
    left: int
    right: int
    body: str
    legend: tuple[Key, ...] = ()
    narrow: int = 0


@dataclass(frozen=True)
class Part:
    """A part of stacked bars: what it is, its colour, and a value for each bar."""

    name: str
    colour: str
    values: Sequence[float]


@dataclass(frozen=True)
class Series:
    """Marks of one kind, a value for each row; NaN is left out."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Axis:
    """What is measured along an axis.

    Parameters
    ----------
    unit
        What it measures.
    form
        Format of a value.
    log
        Whether it goes by powers of ten.
    low, high
        Where it begins and ends; None is where the values do.
    band
        Where values are to be expected, or None.
    """

    unit: str
    form: str = ",.6g"
    log: bool = False
    low: float | None = None
    high: float | None = None
    band: tuple[float, float] | None = None
    at: list[float] = field(default_factory=list)

    def over(self, values: Sequence[float]) -> "Axis":
        """Choose where it begins and ends, and its marks."""
        known = [v for v in values if not math.isnan(v)] + list(self.band or ())
        low = min(known, default=0.0) if self.low is None else self.low
        high = max(known, default=1.0) if self.high is None else self.high
        if self.log:
            low, high = math.floor(math.log10(low)), math.ceil(math.log10(high))
            return replace(self, low=low, high=high, at=[10.0**n for n in range(low, high + 1)])
        step = nice_step((high - low) or abs(high) or 1.0)
        low = math.floor(low / step + 1e-9) * step if self.low is None else low
        high = math.ceil(high / step - 1e-9) * step if self.high is None else high
        high = high if high > low else low + step
        marks = [low + i * step for i in range(round((high - low) / step) + 1)]
        return replace(self, low=low, high=high, at=marks)

    def place(self, value: float) -> float:
        """Tell how far along the axis a value is; 0 to 1."""
        assert self.low is not None
        assert self.high is not None
        at = math.log10(max(value, 10.0**self.low)) if self.log else value
        return min(max((at - self.low) / (self.high - self.low), 0.0), 1.0)


def nice_step(span: float) -> float:
    """Choose a step of 1, 2 or 5 times a power of ten, of which a span has three to seven.

    >>> nice_step(1.0), nice_step(730)
    (0.2, 200.0)
    """
    power = 10.0 ** math.floor(math.log10(span / 4))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= span / 5)


def ramp(i: int, n: int) -> str:
    """Give the i-th of n colours in order."""
    return shade(i / (n - 1) if n > 1 else 0.6)


def shade(share: float) -> str:
    """Give the colour of a share of 1 along the ramp."""
    at = min(max(share, 0.0), 1.0) * (len(RAMP) - 1)
    i = min(int(at), len(RAMP) - 2)
    one, other = ([int(RAMP[k][j : j + 2], 16) for j in (1, 3, 5)] for k in (i, i + 1))
    mixed = (round(a + (b - a) * (at - i)) for a, b in zip(one, other, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def x_axis(axis: Axis, rows: int) -> str:
    """Draw the lines, marks and unit of an axis below so many rows."""
    tall = rows * ROW
    drawn = []
    if axis.band is not None:
        low, high = (axis.place(value) for value in axis.band)
        drawn.append(
            f'<rect class="z" x="{percent(low)}" y="0" width="{percent(high - low)}" height="{tall}"/>'
        )
    for mark in axis.at:
        at = percent(axis.place(mark))
        drawn.append(f'<line class="g" x1="{at}" x2="{at}" y1="0" y2="{tall}"/>')
        text = format(round(mark, 12), axis.form if axis.form.endswith("%") else ",.6g")
        drawn.append(f'<text class="k c" x="{at}" y="{tall + 15}">{text}</text>')
    drawn.append(f'<text class="u" x="0" y="{tall + 34}">{escape(axis.unit)}</text>')
    return "".join(drawn)


def row_name(name: str, i: int) -> str:
    """Write the name of the i-th row, left of the plot."""
    return f'<text class="n" x="-8" y="{i * ROW + ROW / 2 + 4:g}">{escape(name)}</text>'


def mark_at(at: float, y: float, colour: str, shape: str, tip: str) -> str:
    """Draw a mark at a share of the width and so many pixels down, with what is told of it."""
    return (
        f'<svg class="o" x="{percent(at)}" y="{pixels(y)}"><path class="p" d="{shape}" fill="{colour}">'
        f"{tip_of(tip)}</path></svg>"
    )


def tip_of(text: str) -> str:
    """Give an element its tip."""
    return f"<title>{escape(text)}</title>"


def margin(names: Sequence[str]) -> int:
    """Tell how many pixels names take beside a plot."""
    return round(16 + _LETTER * max(map(len, names), default=0))


def percent(share: float) -> str:
    """Write a share of 1 as a percentage.

    >>> percent(0.25), percent(1 / 3)
    ('25%', '33.333%')
    """
    return f"{pixels(100 * share)}%"


def pixels(value: float) -> str:
    """Write a length, to a thousandth of a pixel."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
