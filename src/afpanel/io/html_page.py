"""A page of HTML that stands alone: nothing is loaded, nothing runs, and every figure has its table in it.

Headings are in order, tables have headers, drawings have a title and a description, and whatever may be
wider than a narrow screen scrolls in a box of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, unquote

from afpanel.io.chart_parts import Chart, Key
from afpanel.io.page_style import CHART_STYLE, LIGHT, STYLE
from afpanel.io.tsv import TextTable

TSV_LINK = "data:text/tab-separated-values;charset=utf-8,"
"""How the address of a table begins that is in the page itself."""

METAS = (
    (("charset", "utf-8"),),
    (("name", "viewport"), ("content", "width=device-width, initial-scale=1")),
    (
        ("http-equiv", "Content-Security-Policy"),
        (
            "content",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        ),
    ),
)
"""What the head of a page says, each as attributes; the last keeps browsers from loading or running anything."""

_SAFE = "/:,;=@?!*()"
_MOST_ROWS = 150
"""Rows of a table that the page shows too; of a longer one there is the file alone."""


@dataclass(frozen=True)
class Figure:
    """A figure: what is drawn, what is said of it, and its table.

    Parameters
    ----------
    name
        Of its file, without ending.
    title
        What is shown.
    chart
        The drawing, or the reason why there is none.
    alt
        What a reader would see, in words.
    caption
        What it is, and how to read it.
    warning
        What would be a warning sign.
    table
        Its figures.
    """

    name: str
    title: str
    chart: Chart | str
    alt: str
    caption: str
    warning: str
    table: TextTable


def tsv_link(text: str) -> str:
    """Write a table as an address that is the table."""
    return TSV_LINK + quote(text, safe=_SAFE)


def tsv_of(link: str) -> str | None:
    """Read the table that an address is; None if it is not exactly one that `tsv_link` writes."""
    if not link.startswith(TSV_LINK):
        return None
    try:
        text = unquote(link.removeprefix(TSV_LINK), errors="strict")
    except UnicodeDecodeError:
        return None
    return text if tsv_link(text) == link else None


def page(title: str, body: Iterable[str]) -> str:
    """Lay out a page."""
    metas = "\n".join(
        "<meta " + " ".join(f'{name}="{escape(value)}"' for name, value in meta) + ">"
        for meta in METAS
    )
    inner = "\n".join(body)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{metas}\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{inner}\n</body>\n</html>\n"
    )


def section(name: str, title: str, parts: Iterable[str]) -> str:
    """Lay out a section, which a link `#name` leads to."""
    inner = "\n".join(part for part in parts if part)
    return (
        f'<section id="{name}" aria-labelledby="{name}-h">\n<h2 id="{name}-h">{escape(title)}</h2>\n'
        f"{inner}\n</section>"
    )


def paragraph(text: str) -> str:
    """Lay out a paragraph."""
    return f"<p>{escape(text)}</p>"


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    numeric: Sequence[int] = (),
    long: Sequence[int] = (),
) -> str:
    """Lay out a table in a box that scrolls; the first column names the rows.

    The columns in `numeric` stand to the right, those in `long` are given room.
    """

    def kind(i: int) -> str:
        return ' class="r"' if i in numeric else ' class="long"' if i in long else ""

    head = "".join(
        f'<th scope="col"{kind(i)}>{escape(name)}</th>' for i, name in enumerate(columns)
    )
    lines = []
    for first, *others in rows:
        cells = "".join(f"<td{kind(i)}>{escape(text)}</td>" for i, text in enumerate(others, 1))
        lines.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">\n<table>\n'
        f"<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(lines)
        + "\n</tbody>\n</table>\n</div>"
    )


def figure(each: Figure) -> str:
    """Lay out a figure: the drawing, what colours mean, the caption, and the table."""
    name = each.name
    file = f"{name}.tsv"
    shown = ""
    if len(each.table.rows) <= _MOST_ROWS:
        numeric = [
            i
            for i in range(1, len(each.table.columns))
            if all(
                row[i].replace(".", "").lstrip("-").isdigit() or row[i] == "."
                for row in each.table.rows
            )
        ]
        inner = table(f"{each.title}: {file}", each.table.columns, each.table.rows, numeric)
        shown = f"<details><summary>Show as a table</summary>\n{inner}\n</details>"
    return (
        f'<figure id="{name}">\n<h3>{escape(each.title)}</h3>\n{_drawing(each)}\n<figcaption>\n'
        f"{paragraph(each.caption)}\n"
        f'<p class="warn"><b>Warning sign:</b> {escape(each.warning)}</p>\n'
        f'<div class="data"><a download="{file}" href="{escape(tsv_link(each.table.text))}">Download'
        f" {file}</a>{shown}</div>\n</figcaption>\n</figure>"
    )


def _drawing(each: Figure) -> str:
    chart, name = each.chart, each.name
    if isinstance(chart, str):
        return f'<p class="none" role="img" aria-label="{escape(each.alt)}">{escape(chart)}</p>'
    least = f' style="min-width:{chart.narrow}px"' if chart.narrow else ""
    box = f' role="region" tabindex="0" aria-label="{escape(each.title)}"' if chart.narrow else ""
    return (
        f'<div class="plot"{box} style="padding:8px {chart.right}px 0 {chart.left}px">'
        f'<svg role="img" aria-labelledby="{name}-t {name}-d" height="{chart.height}"{least}>'
        f'<title id="{name}-t">{escape(each.title)}</title><desc id="{name}-d">{escape(each.alt)}</desc>'
        f"{chart.body}</svg></div>{_legend(chart.legend)}"
    )


def _legend(keys: Sequence[Key]) -> str:
    if not keys:
        return ""
    entries = "".join(
        f'<li><svg viewBox="-7 -7 14 14" aria-hidden="true">{_swatch(key)}</svg>{escape(key.label)}</li>'
        for key in keys
    )
    return f'\n<ul class="legend">{entries}</ul>'


def _swatch(key: Key) -> str:
    shape = "M-6-6H6V6H-6Z" if key.shape is None else key.shape
    return f'<path d="{shape}" fill="{key.colour}"/>'


_ALONE, _TOP, _LINE = 920, 48, 20


def drawing(each: Figure) -> str:
    """Lay out a figure as an SVG file of its own, with its title, description and legend."""
    chart = each.chart
    lines, at, body = 1, 20.0, ""
    if isinstance(chart, str):
        height, inner = _TOP + 40, f'<text class="l" x="20" y="{_TOP + 10}">{escape(chart)}</text>'
    else:
        for key in chart.legend:
            width = 34 + 6.6 * len(key.label)
            if at + width > _ALONE - 20 and at > 20:
                lines, at = lines + 1, 20.0
            y = _TOP + chart.height + _LINE * lines
            body += (
                f'<g transform="translate({at + 6:g} {y - 4:g})">{_swatch(key)}</g>'
                f'<text class="l" x="{at + 18:g}" y="{y:g}">{escape(key.label)}</text>'
            )
            at += width
        plot = _ALONE - chart.left - chart.right
        height = _TOP + chart.height + _LINE * (lines + 1)
        inner = (
            f'<svg class="o" x="{chart.left}" y="{_TOP}" width="{plot}" height="{chart.height}">'
            f"{chart.body}</svg>{body}"
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_ALONE}" height="{height}"'
        f' viewBox="0 0 {_ALONE} {height}"><title>{escape(each.title)}</title><desc>{escape(each.alt)}</desc>'
        f"<style>{LIGHT}{CHART_STYLE}.t{{font:600 15px var(--sans);fill:var(--ink)}}</style>"
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text class="t" x="20" y="28">{escape(each.title)}</text>{inner}</svg>\n'
    )
