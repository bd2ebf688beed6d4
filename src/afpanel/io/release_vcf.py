"""The release as a sites-only VCF, bgzip-compressed and indexed: one ALT per line, all figures in INFO."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pysam

from afpanel.core.strings import Strings
from afpanel.io.files import naming
from afpanel.io.release import FILTERS, ReleaseBlock, ReleaseHead, is_missing
from afpanel.model.figures import (
    FIGURES,
    SITE_FIGURES,
    Figure,
    SiteFigure,
    excluding,
    figures_of,
)

_TEXT = pa.large_string()


class VcfReleaseWriter:
    """Writes ``.vcf.gz`` and ``.vcf.gz.tbi``.

    Parameters
    ----------
    path
        VCF to write; its index is written beside it.
    head
        What the release is.
    """

    def __init__(self, path: Path, head: ReleaseHead) -> None:
        self._path = path
        self._groups = head.groups
        self._file = pysam.BGZFile(str(path), "wb")
        self._file.write(_header(head).encode())

    def write(self, block: ReleaseBlock) -> None:
        """Write a block; its lines are put together column by column."""
        n = len(block.variants)
        if not n:
            return
        variants = block.variants
        filters = pc.if_else(pa.array(block.no_alt_left), _text("AC0"), _text("PASS"))
        pieces: list[Any] = [
            _text(f"{block.contig}\t"),
            pc.cast(pa.array(variants.position), _TEXT),
            _text("\t.\t"),
            variants.ref.arrow(),
            _text("\t"),
            variants.alt.arrow(),
            _text("\t.\t"),
            filters,
            _text("\t"),
        ]
        for g, group in enumerate(self._groups):
            for figure in figures_of(group):
                lead = "" if g == 0 and figure is FIGURES[0] else ";"
                values = pa.array(block.values(figure)[:, g], mask=block.missing(figure)[:, g])
                pieces.append(_text(f"{lead}{figure.name(group)}="))
                pieces.append(pc.fill_null(pc.cast(values, _TEXT), _text(".")))
        for of_site in SITE_FIGURES:
            found = block.site_values(of_site)
            values = pc.cast(pa.array(found, mask=is_missing(found)), _TEXT)
            pieces += [_text(f";{of_site.key}="), pc.fill_null(values, _text("."))]
        lines = pc.binary_join_element_wise(*pieces, _text("\n"), _text(""))
        with self._writing():
            self._file.write(Strings.of_arrow(lines).data.tobytes())

    def close(self) -> None:
        """Finish the file and index it."""
        with self._writing():
            self._file.close()
            pysam.tabix_index(str(self._path), preset="vcf", force=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Give the file up where it cannot be written.

        htslib would try again to write what is left when the file goes out of use, so it gets the room.
        """
        try:
            with naming(self._path):
                yield
        except OSError:
            with suppress(OSError):
                os.truncate(self._path, 0)
                self._file.close()
            raise


def _text(value: str) -> Any:
    return pa.scalar(value, _TEXT)


def _info(name: str, figure: Figure | SiteFigure, doc: str) -> str:
    return f'##INFO=<ID={name},Number={figure.number},Type={figure.type},Description="{doc}">'


def _header(head: ReleaseHead) -> str:
    lines = [
        "##fileformat=VCFv4.3",
        f"##source=afpanel {head.name} {head.version}",
        f"##reference={head.build}",
    ]
    for name, doc in FILTERS.items():
        lines.append(f'##FILTER=<ID={name},Description="{doc}">')
    for contig, length in head.contigs.items():
        lines.append(f"##contig=<ID={contig},length={length},assembly={head.build}>")
    for group, people in zip(head.groups, head.people, strict=True):
        for figure in figures_of(group):
            doc = f"{figure.describe(group)} (n = {people})"
            lines.append(_info(figure.name(group), figure, doc))
    lines += [_info(each.key, each, excluding(each.doc, head.excluded)) for each in SITE_FIGURES]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    return "\n".join(lines) + "\n"
