"""Where a variant file has records, found without reading genotypes.

An index answers at once; a file without one takes a pass over its first columns.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pysam

from afpanel.errors import BadInputError
from afpanel.io.index import Index
from afpanel.io.inflate import LONGEST_LINE, DamagedError, bgzf_text, pieces
from afpanel.io.sniff import FileKind

_REPAIR = "check the file with: bcftools view FILE > /dev/null"


class Site(NamedTuple):
    """Place and REF of a record."""

    contig: str
    position: int
    ref: str


class IndexedSites:
    """Look-ups of sites in an indexed file.

    Attributes
    ----------
    records
        Contigs that have records, and how many by the index; None where it does not say.
    """

    def __init__(self, path: Path, kind: FileKind) -> None:
        assert kind.index is not None
        index = kind.index
        self._path = path
        self._bcf: pysam.VariantFile | None = None
        if kind.is_bcf:
            self._bcf = pysam.VariantFile(str(path), drop_samples=True, index_filename=str(index))
            self._index = Index(index, list(self._bcf.header.contigs))
        else:
            self._index = Index(index)
        self.records: dict[str, int | None] = self._index.contigs

    def starting_in(self, contig: str, start: int, end: int) -> Iterator[Site]:
        """List the sites whose POS is in a region (1-based, inclusive), in order."""
        if self._bcf is not None:
            yield from self._in_bcf(self._bcf, contig, start, end)
            return
        offset = self._index.offset_of(contig, start)
        if offset is None:
            return
        for line in _lines(self._path, bgzf_text(self._path, offset)):
            if line.startswith(b"#") or not line:
                continue
            site = _parse(line, f"{self._path}, in or after {contig}:{start}")
            if site.contig != contig or site.position > end:
                return
            if site.position >= start:
                yield site

    def _in_bcf(
        self, source: pysam.VariantFile, contig: str, start: int, end: int
    ) -> Iterator[Site]:
        try:
            for record in source.fetch(contig, max(0, start - 1), end):
                if start <= record.pos <= end:
                    yield Site(contig, record.pos, record.ref or "")
        except (OSError, ValueError) as error:
            raise BadInputError(
                f"damaged near {contig}:{start}: {error}", where=self._path, remedy=_REPAIR
            ) from error


def all_sites(path: Path, kind: FileKind) -> Iterator[Site]:
    """List every site of a file, in order.

    Raises
    ------
    BadInputError
        If the file is damaged, or its records are not sorted.
    """
    seen: set[str] = set()
    contig, last = None, -1
    for site in _bcf_sites(path) if kind.is_bcf else _text_sites(path, kind):
        if site.contig != contig:
            contig, last = site.contig, -1
            if contig in seen:
                raise unsorted(path, site.contig, site.position, "contigs one after the other")
            seen.add(contig)
        if site.position < last:
            raise unsorted(path, site.contig, site.position, f"a position of at least {last}")
        last = site.position
        yield site


def unsorted(path: Path, contig: str, position: int, expected: str) -> BadInputError:
    """Make the error for a record that is out of order."""
    return BadInputError(
        "records are not sorted",
        where=f"{path}, {contig}:{position}",
        expected=expected,
        found=f"{contig}:{position}",
        remedy="sort it: bcftools sort -Oz -o SORTED.vcf.gz FILE && bcftools index SORTED.vcf.gz",
    )


def _bcf_sites(path: Path) -> Iterator[Site]:
    try:
        with pysam.VariantFile(str(path), drop_samples=True) as source:
            for record in source:
                yield Site(record.contig, record.pos, record.ref or "")
    except (OSError, ValueError) as error:
        raise BadInputError(f"damaged: {error}", where=path, remedy=_REPAIR) from error


def _text_sites(path: Path, kind: FileKind) -> Iterator[Site]:
    n_tabs, number = None, 0
    lines = _lines(path, pieces(path, kind.compression))
    while True:
        try:
            line = next(lines, None)
        except DamagedError as error:
            raise error.after(f"line {number}") from error
        if line is None:
            return
        number += 1
        if line.startswith(b"#CHROM"):
            n_tabs = line.count(b"\t")
        if line.startswith(b"#") or not line.rstrip(b"\r"):
            continue
        site = _parse(line, f"{path}, line {number}")
        if n_tabs is not None and line.count(b"\t") != n_tabs:
            raise BadInputError(
                f"not as many columns as the header names, {site.contig}:{site.position}",
                where=f"{path}, line {number}",
                expected=n_tabs + 1,
                found=line.count(b"\t") + 1,
                remedy=_REPAIR,
            )
        yield site


def _lines(path: Path, text: Iterator[bytes]) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for piece in text:
        *whole, rest = piece.split(b"\n")
        if whole:
            yield b"".join([*parts, whole[0]])
            yield from whole[1:]
            parts, size = [], 0
        parts.append(rest)
        size += len(rest)
        if size > LONGEST_LINE:
            expected = f"a line of at most {LONGEST_LINE >> 20} MB"
            raise BadInputError("the line does not end", where=path, expected=expected)
    yield b"".join(parts)


def _parse(line: bytes, where: str) -> Site:
    try:
        contig, position, _, ref, _ = line.split(b"\t", 4)
        return Site(contig.decode(), int(position), ref.decode())
    except (ValueError, UnicodeDecodeError) as error:
        raise BadInputError(
            "not a line of VCF",
            where=where,
            expected="CHROM<tab>POS<tab>ID<tab>REF<tab>ALT …",
            found=repr(line[:40].decode(errors="replace")),
            remedy=_REPAIR,
        ) from error
