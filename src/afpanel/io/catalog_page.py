"""The page of a data catalogue: one file of HTML that needs no script, no network and no other file."""

from collections.abc import Sequence
from html import escape

from afpanel.core.data_use import words_of_term
from afpanel.core.dataset import Dataset, told_groups

_STYLE = """
:root{color-scheme:light dark;--line:#8884}
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:auto;padding:1rem}
h1{line-height:1.2}article{border-top:1px solid var(--line);padding:.5rem 0 1rem}
h2{margin:.5rem 0}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}
dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}
.kind{border:1px solid var(--line);border-radius:1rem;padding:.1rem .6rem;font-size:.85rem;white-space:nowrap}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
.wide{overflow-x:auto}.number{text-align:right}
@media(max-width:30rem){dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}}
"""


def catalog_page(title: str, description: str, datasets: Sequence[Dataset]) -> str:
    """Lay out a catalogue of several data sets."""
    rows = "".join(
        f'<tr><td><a href="#{_anchor(each)}">{escape(each.title)}</a></td><td>{escape(each.version)}</td>'
        f"<td>{escape(', '.join(each.countries))}</td><td class=number>{each.people:,}</td>"
        f"<td>{escape(each.build)}</td><td>{escape(each.access)}</td></tr>\n"
        for each in datasets
    )
    heads = "".join(
        f"<th scope=col>{head}</th>"
        for head in ("Title", "Version", "Countries", "People", "Build", "Access")
    )
    body = (
        f"<p>{escape(description)}</p>\n<div class=wide><table>\n<caption>{len(datasets)} data sets</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
        + "".join(map(_article, datasets))
    )
    return _page(title, body)


def landing_page(dataset: Dataset) -> str:
    """Lay out the page of one data set."""
    return _page(dataset.title, _article(dataset))


def _page(title: str, body: str) -> str:
    return (
        "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
        '<meta name=viewport content="width=device-width,initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{body}</main>\n</body>\n</html>\n"
    )


def _article(of: Dataset) -> str:
    about = of.about
    rows = [
        ("Identifier", _linked(of.identifier)),
        ("Publisher", _named(of.publisher["name"], of.publisher.get("url"))),
        ("People", f"{of.people:,}"),
        ("Variants", "" if of.variants is None else f"{of.variants:,}"),
        ("Countries", escape(", ".join(of.countries))),
        ("Groups", escape(told_groups(of))),
        ("Reference", escape(of.build)),
        ("Published", escape(of.issued)),
        ("Access", escape(of.access)),
        ("Terms of use", "<br>".join(_term(*each) for each in of.terms)),
        ("Licence", _linked(about.get("license", ""))),
        ("Where", _linked(about.get("landing_page", ""))),
        ("Questions", _contact(of)),
        ("Files", "<br>".join(_file(each.name, each.path, each.size) for each in of.formats)),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>\n" for name, value in rows if value)
    return (
        f'<article id="{_anchor(of)}">\n<h2>{escape(of.title)} <span class=kind>{of.kind},'
        f" {escape(of.version)}</span></h2>\n<p>{escape(of.description)}</p>\n<dl>\n{listed}</dl>\n</article>\n"
    )


def _anchor(of: Dataset) -> str:
    return escape(f"{of.kind}-{of.name}-{of.version}".replace(" ", "-"))


def _linked(address: str) -> str:
    return _named(address, address)


def _named(name: str, address: str | None) -> str:
    """Link to pages of the web and to nothing else, such as code in an address."""
    if address is None or not address.startswith("https://"):
        return escape(name)
    return f'<a href="{escape(address)}">{escape(name)}</a>'


def _contact(of: Dataset) -> str:
    contact = of.about.get("contact")
    return _named(contact["role"], contact["url"]) if contact else ""


def _term(identifier: str, value: str) -> str:
    return escape(words_of_term(identifier, value))


def _file(name: str, path: str, size: int) -> str:
    return f"{escape(name)}: {escape(path)}, {size:,} bytes"
