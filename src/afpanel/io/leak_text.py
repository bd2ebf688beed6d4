"""Text files: JSON, tables, plain text, and pages and pictures in markup."""

import base64
import binascii
import html.parser
import json
import re
from typing import Any, BinaryIO
from urllib.parse import unquote

from afpanel.core.leaks import MAIL, Home
from afpanel.io.html_page import METAS, TSV_LINK, tsv_of
from afpanel.io.leak_lists import DIGEST_KEYS, JSON_KEYS, MAIL_KEYS, TABLES
from afpanel.io.leak_report import Spot, short

_MOST = 256 << 20
"""Bytes of a text that is read at once."""

_MOST_SIGNATURE = 4096
_ARMORED = re.compile(
    rb"-----BEGIN SSH SIGNATURE-----\n((?:[A-Za-z0-9+/]+={0,2}\n)+)-----END SSH SIGNATURE-----\n"
)
_INNER = re.compile(r"on\w+|srcdoc|formaction|ping", re.IGNORECASE)
_ACTIVE = frozenset(
    [
        "script",
        "iframe",
        "object",
        "embed",
        "applet",
        "link",
        "meta",
        "base",
        "form",
        "foreignobject",
        "image",
        "img",
        "video",
        "audio",
        "set",
        "animate",
    ]
)
_LINKS = frozenset({"href", "xlink:href", "src", "data", "action", "poster", "srcset"})
_DRAWN = {
    "fill": re.compile(r"#[0-9a-f]{6}"),
    "d": re.compile(r"[MHVAZ0-9 .-]{1,120}"),
    "style": re.compile(r"(?:padding|min-width):[0-9px ]{1,40}"),
}
"""Attributes of charts whose values are colours, shapes and lengths, in which short names stand by chance."""

_KNOWN_DECLARATIONS = re.compile(
    r'doctype (?:html|svg public "-//w3c//dtd svg 1\.1//en"\s+"http://www\.w3\.org/graphics/svg/1\.1/dtd/svg11\.dtd")'
    r'|\?xml version="1\.0" encoding="utf-8"(?: standalone="no")?\?',
    re.IGNORECASE,
)


def _read(spot: Spot, source: BinaryIO) -> str | None:
    """Read a text in UTF-8; None if it is none, which is noted."""
    data = source.read(_MOST + 1)
    spot.report.looked["bytes"] += len(data)
    if len(data) > _MOST:
        spot.leak("larger than any such file")
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        spot.leak("not a text in UTF-8")
        spot.search(data, "bytes", Home.BINARY)
        return None
    odd = next(
        (i for i, letter in enumerate(text) if not (letter.isprintable() or letter in "\n\t")), -1
    )
    if odd >= 0:
        spot.leak("a letter that cannot be seen", "line", f" {text.count(chr(10), 0, odd) + 1:,}")
    return text


class _Repeated:
    """Gathers keys that stand twice in one object, of which `json` would keep the last alone."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, Any]] = []

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in pairs:
            if key in made:
                self.pairs.append((key, made[key]))
            made[key] = value
        return made


def scan_json(spot: Spot, source: BinaryIO, name: str) -> None:
    """Scan a JSON file: the keys at its top, and every key and string of it."""
    text = _read(spot, source)
    content = None if text is None else json_object(spot, text)
    if content is not None:
        spot.names(content, JSON_KEYS[name], "key", "a key that is not one of such a file")


def json_object(spot: Spot, text: str) -> dict[str, Any] | None:
    """Read a JSON object, and search every key and string of it; None if it is none, which is noted."""
    repeated = _Repeated()
    try:
        content = json.loads(text, object_pairs_hook=repeated)
    except (ValueError, RecursionError):
        spot.leak("no JSON")
        spot.search(text, "text")
        return None
    for key, value in repeated.pairs:
        spot.leak("a key that stands twice", f"key {short(key)}")
        _scan_values(spot, {key: value})
    _scan_values(spot, content)
    if not isinstance(content, dict):
        spot.leak("no JSON object")
        return None
    return content


def _scan_values(spot: Spot, content: Any) -> None:
    waiting: list[tuple[Any, tuple[str, ...]]] = [(content, ())]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, dict):
            for key, of_key in value.items():
                inner = (*path, key)
                spot.search(key, f"key {short('.'.join(inner))}")
                waiting.append((of_key, inner))
        elif isinstance(value, list):
            waiting += [(each, path) for each in value]
        elif isinstance(value, str):
            _search_string(spot, value, path)


def _search_string(spot: Spot, value: str, path: tuple[str, ...]) -> None:
    digest = DIGEST_KEYS.get(path[-1]) if path else None
    if digest is not None and digest.fullmatch(value):
        return
    for found in spot.report.searcher.find(value.encode("utf-8", "surrogatepass"), Home.PROSE):
        if found.what != MAIL or path[0] not in MAIL_KEYS:
            spot.leak(found.what, f"key {short('.'.join(path))}")


def scan_table(spot: Spot, source: BinaryIO) -> None:
    """Scan a tab-separated table: a known first line, as many cells in every other, and what they say."""
    text = _read(spot, source)
    if text is not None:
        table_text(spot, text)


def table_text(spot: Spot, text: str) -> None:
    """Scan a table's text."""
    lines = text.split("\n")
    header = tuple(lines[0].split("\t"))
    if header not in TABLES:
        spot.leak("a table with other columns than those that may leave", "line", " 1")
    for number, line in enumerate(lines[1:-1], 2):
        if line.count("\t") != len(header) - 1:
            spot.leak("a line with other cells than the first", "line", f" {number:,}")
    if lines[-1]:
        spot.leak("a last line without its end", "line", f" {len(lines):,}")
    _search_lines(spot, text, Home.NUMBERS)


def scan_text(spot: Spot, source: BinaryIO) -> None:
    """Scan a plain text."""
    text = _read(spot, source)
    if text is not None:
        _search_lines(spot, text, Home.PROSE)


def scan_signature(spot: Spot, source: BinaryIO) -> None:
    """Scan a signature, which is short. Letters of its base64 stand by chance, `/` and short names too."""
    data = source.read(_MOST_SIGNATURE + 1)
    if len(data) > _MOST_SIGNATURE:
        spot.leak("longer than any signature")
    try:
        data.decode("ascii")
    except UnicodeDecodeError:
        spot.search(data, "bytes", Home.BINARY)
    else:
        content = _unarmored(data)
        spot.search(data, "text", Home.PROSE if content is None else Home.BINARY)
        if content is not None:
            spot.search(content, "text, unpacked", Home.BINARY)


def _unarmored(data: bytes) -> bytes | None:
    """Give what an armored signature holds; None if it is not written as one."""
    armored = _ARMORED.fullmatch(data)
    if armored is None:
        return None
    try:
        return base64.b64decode(armored[1].replace(b"\n", b""), validate=True)
    except binascii.Error:
        return None


def _search_lines(spot: Spot, text: str, home: Home) -> None:
    data = text.encode()
    for found in spot.report.searcher.find(data, home):
        spot.leak(found.what, "line", f" {data.count(10, 0, found.start) + 1:,}")


class _Markup(html.parser.HTMLParser):
    """Goes through markup: every text, attribute, comment and declaration of it."""

    def __init__(self, spot: Spot) -> None:
        super().__init__(convert_charrefs=True)
        self._spot = spot
        self._clean: set[str] = set()

    def _where(self) -> str:
        return f" {self.getpos()[0]:,}"

    def _search(self, text: str, kind: str) -> None:
        """Search a text, but for one that is there again and had nothing: most are, of thousands of elements."""
        if text in self._clean:
            self._spot.report.looked["bytes"] += len(text.encode("utf-8", "surrogateescape"))
        elif not self._spot.search(text, f"{kind} in line", Home.NUMBERS, self._where()):
            self._clean.add(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._search(tag, "element")
        if tag in _ACTIVE and not (tag == "meta" and tuple(attrs) in METAS):
            self._spot.leak(
                f"an element that can do or hold more than text, {short(tag)}",
                "element in line",
                self._where(),
            )
        for name, value in attrs:
            self._search(name, "attribute")
            if tag == "a" and name == "href" and (value or "").startswith(TSV_LINK):
                self._table(value or "")
                continue
            if name not in _DRAWN or not _DRAWN[name].fullmatch(value or ""):
                self._search(value or "", "attribute")
            is_outward = name in _LINKS and not (value or "").startswith("#")
            styled = re.search(
                r"url\(\s*['\"]?(?!#)|@import|expression\(", value or "", re.IGNORECASE
            )
            if _INNER.fullmatch(name) or is_outward or styled:
                self._spot.leak(
                    "an attribute that runs or loads something", "attribute in line", self._where()
                )

    def _table(self, link: str) -> None:
        """Scan a table that is in a link, as one that is a file."""
        text = tsv_of(link)
        if text is None:
            self._spot.leak(
                "a table that is not written as tables are", "attribute in line", self._where()
            )
            self._search(unquote(link), "attribute")
        elif any(not (letter.isprintable() or letter in "\n\t") for letter in text):
            self._spot.leak("a letter that cannot be seen", "attribute in line", self._where())
        else:
            table_text(
                Spot(self._spot.report, f"{self._spot.file}, table in line{self._where()}"), text
            )

    def handle_data(self, data: str) -> None:
        self._search(data, "text")
        if (
            re.search(r"url\(\s*['\"]?(?!#)|@import", data, re.IGNORECASE)
            and self.cdata_elem == "style"
        ):
            self._spot.leak("a style that loads something", "text in line", self._where())

    def handle_comment(self, data: str) -> None:
        self._search(data, "comment")

    def handle_decl(self, decl: str) -> None:
        self._declared(decl)

    def handle_pi(self, data: str) -> None:
        self._declared(f"?{data}")

    def unknown_decl(self, data: str) -> None:
        self._declared(data)

    def _declared(self, text: str) -> None:
        self._search(text, "declaration")
        if not _KNOWN_DECLARATIONS.fullmatch(" ".join(text.split())):
            self._spot.leak(
                "a declaration that is not of such a file", "declaration in line", self._where()
            )


def scan_markup(spot: Spot, source: BinaryIO) -> None:
    """Scan HTML or SVG: no scripts, nothing embedded or loaded, and what all texts, attributes and comments say."""
    text = _read(spot, source)
    if text is None:
        return
    parser = _Markup(spot)
    parser.feed(text)
    parser.close()
