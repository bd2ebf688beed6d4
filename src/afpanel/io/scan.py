"""Where a variant file has records, found without reading genotypes.

An index answers at once; a file without one takes a pass over its first columns.
"""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pysam

from afpanel.errors import BadInputError
from afpanel.io.sniff import Compression, FileKind

_REPAIR = "check the file with: bcftools view FILE > /dev/null"


class Site(NamedTuple):
    """Place and REF of a record."""

    contig: str
    position: int
    ref: str


class IndexedSites:
    """Look-ups of sites in an indexed file."""

    def __init__(self, path: Path, kind: FileKind) -> None:
        self._path = path
        self._file = pysam.VariantFile(str(path), drop_samples=True, index_filename=str(kind.index))
        if kind.is_bcf:
            self.contigs = list(self._file.header.contigs)
        else:
            with pysam.TabixFile(str(path), index=str(kind.index)) as tabix:
                self.contigs = list(tabix.contigs)

    def starting_in(self, contig: str, start: int, end: int) -> Iterator[Site]:
        """List the sites whose POS is in a region (1-based, inclusive), in order."""
        try:
            for record in self._file.fetch(contig, max(0, start - 1), end):
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
    number = 0
    try:
        plain = kind.compression is Compression.NONE
        with path.open("rb") if plain else gzip.open(path, "rb") as source:
            for line in source:
                number += 1
                if line.startswith(b"#") or not line.strip():
                    continue
                contig, position, _, ref, _ = line.split(b"\t", 4)
                yield Site(contig.decode(), int(position), ref.decode())
    except (EOFError, OSError, zlib.error) as error:
        raise BadInputError(
            f"truncated or damaged after line {number}: {error}", where=path, remedy=_REPAIR
        ) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise BadInputError(
            "not a line of VCF", where=f"{path}, line {number}", remedy=_REPAIR
        ) from error
