"""Charts of a page, as SVG that fits any width: stacked bars, dots, heat maps, columns and points.

It knows nothing of what is drawn. `chart_parts` has what they consist of.
"""

import math
from collections.abc import Container, Sequence
from dataclasses import replace
from html import escape

from afpanel.io.chart_parts import (
    BAR,
    CATEGORIES,
    FOOT,
    ROW,
    SHAPES,
    Axis,
    Chart,
    Key,
    Part,
    Series,
    margin,
    mark_at,
    percent,
    pixels,
    row_name,
    shade,
    tip_of,
    x_axis,
)

_USUAL = 640
"""Pixels that a plot is wide on a usual screen."""

_MOST_VALUES = 12
"""Groups up to which the squares of a heat map have room for their figures."""


def stacked_bars(
    rows: Sequence[str], parts: Sequence[Part], unit: str, *, share: bool = False
) -> Chart:
    """Draw a bar for each row, its parts end to end; with `share` every bar is as long."""
    totals = [sum(part.values[i] for part in parts) for i in range(len(rows))]
    axis = Axis(unit, ".0%" if share else ",.6g", low=0.0, high=1.0 if share else None).over(
        [1.0] if share else totals
    )
    scale = axis.high or 1.0
    drawn = [x_axis(axis, len(rows))]
    for i, row in enumerate(rows):
        drawn.append(row_name(row, i))
        left, y = 0.0, i * ROW + (ROW - BAR) / 2
        whole = totals[i] if share else scale
        for part in parts:
            value = part.values[i]
            if not value or not whole:
                continue
            width = value / whole
            shown = f"{value:,.6g}" + (f" ({value / totals[i]:.2%})" if totals[i] else "")
            drawn.append(
                f'<rect class="b" x="{percent(left)}" y="{y:g}" width="{percent(width)}" height="{BAR}"'
                f' fill="{part.colour}">{tip_of(f"{row}, {part.name}: {shown}")}</rect>'
            )
            left += width
    keys = tuple(Key(part.colour, None, part.name) for part in parts if len(parts) > 1)
    return Chart(len(rows) * ROW + FOOT, margin(rows), 22, "".join(drawn), keys)


def dots(rows: Sequence[str], series: Sequence[Series], axis: Axis) -> Chart:
    """Draw a line of marks for each row, a mark for each series."""
    axis = axis.over([v for each in series for v in each.values])
    drawn = [x_axis(axis, len(rows))]
    for i, row in enumerate(rows):
        y = i * ROW + ROW / 2
        drawn.append(f'<line class="g" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>')
        drawn.append(row_name(row, i))
    for s, each in enumerate(series):
        colour, shape = CATEGORIES[s % len(CATEGORIES)], SHAPES[s % len(SHAPES)]
        for i, value in enumerate(each.values):
            if not math.isnan(value):
                y = i * ROW + ROW / 2
                tip = f"{rows[i]}, {each.name}: {format(value, axis.form)}"
                drawn.append(mark_at(axis.place(value), y, colour, shape, tip))
    keys = tuple(
        Key(CATEGORIES[s % len(CATEGORIES)], SHAPES[s % len(SHAPES)], each.name)
        for s, each in enumerate(series)
        if len(series) > 1
    )
    return Chart(len(rows) * ROW + FOOT, margin(rows), 22, "".join(drawn), keys)


def heat(names: Sequence[str], values: Sequence[Sequence[float]], axis: Axis) -> Chart:
    """Draw a square of coloured cells; NaN is left grey."""
    known = [v for row in values for v in row if not math.isnan(v)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    n, tall = len(names), 28 if len(names) <= _MOST_VALUES else 15
    top = round(12 + (5.6 if n <= _MOST_VALUES else 7.5) * max(map(len, names)))
    drawn = []
    for i, name in enumerate(names):
        y = top + i * tall
        drawn.append(f'<text class="n" x="-8" y="{y + tall / 2 + 4:g}">{escape(name)}</text>')
        drawn.append(
            f'<svg class="o" x="{percent((i + 0.5) / n)}" y="{top - 6}">'
            f'<text class="k" transform="rotate({-50 if n <= _MOST_VALUES else -80})">{escape(name)}</text></svg>'
        )
        for j, value in enumerate(values[i]):
            place = f'x="{percent(j / n)}" y="{y}" width="{percent(1 / n)}" height="{tall}"'
            if math.isnan(value):
                drawn.append(f'<rect class="m" {place}/>')
                continue
            share = (value - low) / (high - low) if high > low else 0.5
            tip = tip_of(f"{name} and {names[j]}: {format(value, axis.form)}")
            drawn.append(f'<rect class="b" {place} fill="{shade(share)}">{tip}</rect>')
            if n <= _MOST_VALUES:
                ink = "w" if share > 0.62 else "d"
                drawn.append(
                    f'<text class="v {ink}" x="{percent((j + 0.5) / n)}" y="{y + tall / 2 + 4:g}">'
                    f"{format(value, axis.form)}</text>"
                )
    keys = tuple(
        Key(shade(share), None, format(low + share * (high - low), axis.form))
        for share in ((0, 0.25, 0.5, 0.75, 1) if high > low else (0.5,))
    )
    narrow = (44 if n <= _MOST_VALUES else 13) * n
    return Chart(top + n * tall + 6, margin(names), 30, "".join(drawn), keys, narrow)


def columns(
    names: Sequence[str],
    values: Sequence[float],
    colours: Sequence[str],
    axis: Axis,
    written: Container[int],
) -> Chart:
    """Draw a column for each name, those in `written` below it, and all in its tip."""
    tall, n = 220, len(names)
    axis = replace(axis, low=0.0).over(values)
    drawn = []
    for mark in axis.at:
        y = 10 + tall * (1 - axis.place(mark))
        drawn.append(f'<line class="g" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>')
        drawn.append(f'<text class="n k" x="-8" y="{y + 4:g}">{format(mark, ",.6g")}</text>')
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        high = tall * axis.place(value)
        drawn.append(
            f'<rect class="b" x="{percent((i + 0.08) / n)}" y="{pixels(10 + tall - high)}" width="{percent(0.84 / n)}"'
            f' height="{pixels(high)}" fill="{colours[i]}">{tip_of(f"{name}: {value:,.6g}")}</rect>'
        )
        if i in written:
            drawn.append(
                f'<text class="k c" x="{percent((i + 0.5) / n)}" y="{tall + 28}">{escape(name)}</text>'
            )
    drawn.append(f'<text class="u" x="0" y="{tall + 46}">{escape(axis.unit)}</text>')
    left = margin([format(mark, ",.6g") for mark in axis.at])
    return Chart(tall + 52, left, 12, "".join(drawn))


def points(
    names: Sequence[str],
    families: Sequence[str],
    places: Sequence[tuple[float, float]],
    units: tuple[str, str],
) -> Chart:
    """Draw a point for each name; those of one family share a colour and a shape."""
    tall = 380
    across, up = (Axis(unit, ".3f") for unit in units)
    across, up = (axis.over([place[k] for place in places]) for k, axis in enumerate((across, up)))
    known = list(dict.fromkeys(families))
    drawn = [f'<rect class="f" x="0" y="0" width="100%" height="{tall}"/>']
    for axis, sideways in ((across, True), (up, False)):
        for mark in axis.at:
            at = axis.place(mark)
            text = f"{mark:.6g}" if mark else "0"
            if sideways:
                drawn.append(
                    f'<line class="g" x1="{percent(at)}" x2="{percent(at)}" y1="0" y2="{tall}"/>'
                )
                drawn.append(f'<text class="k c" x="{percent(at)}" y="{tall + 16}">{text}</text>')
            else:
                height = pixels(tall * (1 - at))
                drawn.append(f'<line class="g" x1="0" x2="100%" y1="{height}" y2="{height}"/>')
                drawn.append(
                    f'<text class="n k" x="-8" y="{pixels(tall * (1 - at) + 4)}">{text}</text>'
                )
    marks = [(across.place(x), tall * (1 - up.place(y))) for x, y in places]
    sides = _room([len(name) for name in names], marks)
    many = "" if len(names) <= 2 * _MOST_VALUES else " many"
    for name, family, place, (at, down), (side, shift) in zip(
        names, families, places, marks, sides, strict=True
    ):
        which = known.index(family)
        colour, shape = CATEGORIES[which % len(CATEGORIES)], SHAPES[which % len(SHAPES)]
        tip = f"{name}: {place[0]:.4f}, {place[1]:.4f}"
        drawn.append(mark_at(at, down, colour, shape, tip))
        drawn.append(
            f'<svg class="o" x="{percent(at)}" y="{pixels(down + shift)}"><text class="l{many}" x="{9 * side}"'
            f' y="4" text-anchor="{"start" if side > 0 else "end"}">{escape(name)}</text></svg>'
        )
    drawn.append(
        f'<text class="u" x="0" y="{tall + 36}">{escape(units[0])}</text>'
        f'<text class="u" x="0" y="{tall + 53}">upwards: {escape(units[1])}</text>'
    )
    keys = tuple(
        Key(CATEGORIES[i % len(CATEGORIES)], SHAPES[i % len(SHAPES)], family)
        for i, family in enumerate(known)
    )
    return Chart(tall + 60, 52, 20, "".join(drawn), keys)


def _room(letters: Sequence[int], marks: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Choose for each mark on which side its name stands, and how far down, so that few overlap.

    Places are shares of the width, and pixels down; a plot of usual width is assumed.
    """
    boxes = [(at * _USUAL - 7, at * _USUAL + 7, down) for at, down in marks]
    chosen = []
    for n, (at, down) in zip(letters, marks, strict=True):
        first = -1 if at > 0.7 else 1
        best: list[tuple[int, int, int, int, tuple[float, float, float]]] = []
        for shift in (0, -15, 15):
            for side in (first, -first):
                near, far = at * _USUAL + 9 * side, at * _USUAL + (9 + 6.6 * n) * side
                low, high = min(near, far), max(near, far)
                hits = sum(low < b and a < high and abs(down + shift - y) < 13 for a, b, y in boxes)
                outside = low < -40 or high > _USUAL + 15
                best.append((hits + 2 * outside, len(best), side, shift, (low, high, down + shift)))
        _, _, side, shift, box = min(best)
        boxes.append(box)
        chosen.append((side, shift))
    return chosen
