"""Sites VCFs: eight columns, listed keys, and figures that are figures."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from afpanel.core.leaks import Found, Home
from afpanel.core.strings import Strings
from afpanel.io import vcf_sites_kernel as kernel
from afpanel.io.bcf_text import NotBcfError, text_of
from afpanel.io.leak_gzip import inflated
from afpanel.io.leak_lists import (
    COLUMNS,
    FILTER_VALUES,
    GROUP,
    HEADER_FIELDS,
    HEADER_KEYS,
    TEXT_FIGURES,
    is_figure,
)
from afpanel.io.leak_report import Spot, short
from afpanel.io.prefetch import InOrder

_ALWAYS = frozenset({"total", "XX", "XY"})
_PIECES_AHEAD = 8
_LONGEST_LINE = 64 << 20
_LONGEST_HEADER = 64 << 20
_FIELD = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",<>]*)(?:,|$)')
_PEOPLE = re.compile(r" \(n = [0-9]+\)\"$")
_GROUPS = re.compile(rb"[;\t](?:" + "|".join(sorted(TEXT_FIGURES)).encode() + rb")=([^;\t\n]+)")

_FAULTS = {
    kernel.NOT_EIGHT: "not eight columns",
    kernel.CHROM: "a contig that the header does not list",
    kernel.POS: "a POS that is no number",
    kernel.ID: "an ID that is not CHROM-POS-REF-ALT",
    kernel.ALLELE: "an allele that is not of bases",
    kernel.QUAL: "a QUAL",
    kernel.FILTER: "a FILTER that is not one of a release's",
    kernel.KEY: "an INFO key that is not one of the header's",
    kernel.FIGURE: "an INFO value that is neither a figure nor a group",
}


def scan_vcf(spot: Spot, source: BinaryIO) -> None:
    """Scan a BGZF-compressed sites VCF."""
    _scan(spot, inflated(spot, source))


def scan_bcf(spot: Spot, source: BinaryIO) -> None:
    """Scan a sites BCF: its text as that of a VCF, which all of its bytes must follow from."""
    _scan(spot, _text_of_bcf(spot, inflated(spot, source)))


def _text_of_bcf(spot: Spot, pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from text_of(pieces)
    except NotBcfError as error:
        spot.leak(error.what, "BCF")
        spot.search(error.data, "BCF, bytes")
        for piece in pieces:
            spot.search(piece, "BCF, bytes")


def _scan(spot: Spot, pieces: Iterator[bytes]) -> None:
    header, rest = _read_header(pieces)
    lines = header.decode("utf-8", "surrogateescape").split("\n")[:-1]
    _Lines(spot, _scan_header(spot, lines), len(lines)).scan(rest, pieces)


def _read_header(pieces: Iterator[bytes]) -> tuple[bytes, bytes]:
    """Read up to the first line that is not of the header; the lines before, and what follows."""
    text = b""
    for piece in pieces:
        text += piece
        at = 0 if not text.startswith(b"#") else -1
        match = re.search(rb"\n(?!#)", text)
        if match is not None and match.end() < len(text):
            at = match.end()
        if at >= 0 or len(text) > _LONGEST_HEADER:
            at = max(at, 0)
            return text[:at], text[at:]
    end = text.rfind(b"\n") + 1 if text.startswith(b"#") else 0
    return text[:end], text[end:]


class _Names:
    """What the header declares, for its lines to be held against."""

    def __init__(self) -> None:
        self.contigs: list[str] = []
        self.keys: list[str] = []


def _scan_header(spot: Spot, lines: list[str]) -> _Names:
    names = _Names()
    if not lines or not lines[0].startswith("##fileformat=VCFv"):
        spot.leak("no VCF that begins with its version", "header")
    for number, line in enumerate(lines, 1):
        where = f" {number:,}"
        if line.startswith("##"):
            _scan_header_line(spot, line[2:], where, names)
            continue
        spot.search(line, "header line", detail=where)
        if tuple(line.split("\t")) != COLUMNS:
            spot.leak("not the eight columns of a file without samples", "header line", where)
        if number != len(lines):
            spot.leak("a line that is not of a header", "header line", where)
    if not lines or lines[-1].startswith("##"):
        spot.leak("no line that names the columns", "header")
    return names


def _scan_header_line(spot: Spot, line: str, where: str, names: _Names) -> None:
    key, _, value = line.partition("=")
    if key not in HEADER_KEYS:
        spot.leak(
            f"a header key that is not one of a release's, {short(key)}", "header line", where
        )
        spot.search(line, "header line", detail=where)
        return
    fields = HEADER_FIELDS.get(key)
    if fields is None:
        spot.search(value, "header line", detail=where)
        return
    found = _FIELD.findall(value[1:-1])
    whole = ",".join(f"{name}={text}" for name, text in found)
    if tuple(name for name, _ in found) != fields or f"<{whole}>" != value:
        spot.leak("a header line with other fields than a release's", "header line", where)
        spot.search(value, "header line", detail=where)
        return
    said = dict(found)
    if key == "contig":
        names.contigs.append(said["ID"])
        if not said["length"].isdecimal():
            spot.leak("a length that is no number", "header line", where)
        said.pop("length")
    elif key == "INFO":
        names.keys.append(said["ID"])
        if not is_figure(said["ID"]):
            spot.leak(
                f"an INFO key that is not one of a release's, {short(said['ID'])}",
                "header line",
                where,
            )
        said["Description"] = _PEOPLE.sub("", said["Description"])
    elif said["ID"] not in FILTER_VALUES:
        spot.leak(
            f"a FILTER that is not one of a release's, {short(said['ID'])}", "header line", where
        )
    for text in said.values():
        spot.search(text.strip('"'), "header line", detail=where)


class _Lines:
    """Looks at the lines after the header."""

    def __init__(self, spot: Spot, names: _Names, header: int) -> None:
        self._spot = spot
        self._line = header + 1
        groups = set(_ALWAYS)
        for key in names.keys:
            _, _, group = key.partition("_")
            if is_figure(key) and GROUP.fullmatch(group):
                groups.add(group)
        bases = np.zeros(256, np.uint8)
        bases[list(b"ACGTN")] = 1
        lists = [names.contigs, sorted(FILTER_VALUES), names.keys]
        contigs, filters, keys = (_packed(each) for each in lists)
        is_name = np.array([key in TEXT_FIGURES for key in names.keys], np.uint8)
        self._lists = (bases, *contigs, *filters, is_name, *keys)
        # A slim VCF has no keys of groups that would name them all.
        self._groups, self._are_listed = groups, len(groups) > len(_ALWAYS)
        self._search = spot.stream(Home.VARIANTS)
        self._seen = InOrder(self._note, spot.report.pool, _PIECES_AHEAD)

    def scan(self, rest: bytes, pieces: Iterable[bytes]) -> None:
        """Scan lines, the first of which are at hand."""
        for piece in pieces:
            text = rest + piece
            end = text.rfind(b"\n") + 1
            if not end and len(text) > _LONGEST_LINE:
                self._seen.finish()
                self._spot.leak("a line longer than any of a release", "line", f" {self._line:,}")
                end = len(text)
            self._look(text[:end], last=False)
            rest = text[end:]
        self._seen.finish()
        if rest and not rest.endswith(b"\n"):
            self._spot.leak("a last line without its end", "line")
        self._look(rest, last=True)
        self._seen.finish()

    def _look(self, text: bytes, *, last: bool) -> None:
        if not self._are_listed:
            found_names = {name.decode("utf-8", "replace") for name in _GROUPS.findall(text)}
            self._groups |= {name for name in found_names if GROUP.fullmatch(name)}
        groups = _packed(sorted(self._groups))
        begin, search = self._search.offset, self._search.next(text, last=last)

        def seen() -> _Seen:
            faults = np.zeros(20, np.int64)
            lines = kernel.check_lines(np.frombuffer(text, np.uint8), *self._lists, *groups, faults)
            return _Seen(text, begin, lines, faults, search())

        self._seen.give(seen)

    def _note(self, seen: "_Seen") -> None:
        """Note what was seen in a text, which follows those before."""
        spot = self._spot
        spot.report.looked["bytes"] += len(seen.text)
        for fault, said in _FAULTS.items():
            times, first = seen.faults[2 * fault : 2 * fault + 2].tolist()
            if times:
                spot.leak(said, "line", f" {self._line + first:,}", times=times)
        for each in seen.found:
            line = self._line + seen.text[: max(each.start - seen.begin, 0)].count(b"\n")
            spot.leak(each.what, "line", f" {line:,}")
        self._line += seen.lines
        spot.report.looked["variants in VCF"] += seen.lines


@dataclass(frozen=True)
class _Seen:
    """What was seen in a text of whole lines.

    Parameters
    ----------
    text, begin
        The text, and its place in all of it.
    lines
        How many it has.
    faults
        See `kernel.check_lines`.
    found
        Names.
    """

    text: bytes
    begin: int
    lines: int
    faults: NDArray[np.int64]
    found: list[Found]


def _packed(
    names: list[str],
) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint8]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    strings = Strings.of([name.encode("utf-8", "replace").decode() for name in names])
    return np.ascontiguousarray(strings.data), np.ascontiguousarray(strings.offsets)
