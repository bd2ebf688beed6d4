"""Allele frequencies of countries as the mini-node of the European Genomic Data Infrastructure (GDI) reads them.

Of each ten million bases of a contig there is a Parquet file, with a row for each variant and country. What is
withheld has no row, and neither has what nobody could have called: there is nothing to tell missing from 0 by. A
position is VCF's less 1.
"""

from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from afpanel.core.contigs import bare_name
from afpanel.core.strings import Strings
from afpanel.errors import BadInputError
from afpanel.io.release import ReleaseBlock, ReleaseHead
from afpanel.io.release_parquet import open_parquet
from afpanel.model.groups import GroupKind, kind_of

BUILDS = ("GRCh37", "GRCh38")
"""Builds that the mini-node knows."""

VARIANT_TYPES = ("SNP", "MNP", "INDEL")
"""Values of VT."""

BASES = 10_000_000
"""Bases of a file."""

_ROW_GROUP = 100_000
_PAGE = 4_096

_COLUMNS = {
    "POS": (pa.int32(), "VCF position - 1"),
    "REF": (pa.string(), "Reference allele"),
    "ALT": (pa.string(), "Alternative allele"),
    "VT": (pa.string(), "Kind of variant"),
    "POPULATION": (pa.string(), "Country, ISO 3166-1 alpha-2"),
    "AF": (pa.float64(), "Frequency of the ALT allele, AC / AN"),
    "AC": (pa.int32(), "Copies of the ALT allele"),
    "AC_HET": (pa.int32(), "Copies of the ALT allele that are neither homozygous nor hemizygous"),
    "AC_HOM": (pa.int32(), "Copies of the ALT allele in homozygous people, two of each"),
    "AC_HEMI": (pa.int32(), "Copies of the ALT allele in hemizygous people"),
    "AN": (pa.int32(), "Called alleles, of whatever kind"),
}

COLUMNS = {name: kind for name, (kind, _) in _COLUMNS.items()}
"""Types of the columns, in order."""


class GdiReleaseWriter:
    """Writes ``BUILD/allele-freq-chrCONTIG.NUMBER.parquet``.

    Parameters
    ----------
    folder
        Folder to write to: of the data set, as the mini-node calls it.
    head
        What the release is.
    pool
        Not used, as for Parquet.

    Raises
    ------
    BadInputError
        If the mini-node does not know the build.
    """

    def __init__(
        self,
        folder: Path,
        head: ReleaseHead,
        pool: Executor | None = None,  # noqa: ARG002 - as the other formats have it
    ) -> None:
        if head.build not in BUILDS:
            raise BadInputError(
                "a build that GDI's mini-node does not know",
                expected=" or ".join(BUILDS),
                found=head.build,
                remedy="leave gdi out of publish.formats",
            )
        self._folder = folder / head.build
        self._folder.mkdir(parents=True)
        self._countries = [
            g for g, name in enumerate(head.groups) if kind_of(name) is GroupKind.COUNTRY
        ]
        self._names = pa.array([head.groups[g] for g in self._countries], pa.string())
        fields = [
            pa.field(name, kind, nullable=False, metadata={"description": doc})
            for name, (kind, doc) in _COLUMNS.items()
        ]
        about = {"panel": head.name, "version": head.version, "build": head.build}
        self._schema = pa.schema(fields, metadata=about)
        self._file: Path | None = None
        self._writer: Any = None

    def write(self, block: ReleaseBlock) -> None:
        """Write a block; contigs that the mini-node has no name for are left out."""
        contig = gdi_contig(block.contig)
        if contig is None:
            return
        position = block.variants.position.astype(np.int64) - 1
        for number in np.unique(position // BASES).tolist():
            rows = np.searchsorted(position, [number * BASES, (number + 1) * BASES])
            self._open(self._folder / f"allele-freq-chr{contig}.{number}.parquet")
            table = self._table(block, slice(*rows.tolist()))
            self._writer.write_table(table, row_group_size=_ROW_GROUP)

    def close(self) -> None:
        """Finish the last file."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def _open(self, path: Path) -> None:
        if path != self._file:
            self.close()
            self._file = path
            self._writer = open_parquet(path, self._schema, ("POS", "REF", "ALT"), _PAGE)

    def _table(self, block: ReleaseBlock, rows: slice) -> Any:
        counts = block.counts
        ac, an, people, hemizygous = (
            table[rows][:, self._countries].astype(np.int64)
            for table in (
                counts.allele_count,
                counts.allele_number,
                counts.homozygote_count,
                counts.hemizygote_count,
            )
        )
        shown = (ac >= 0) & (an > 0) & (people >= 0) & (hemizygous >= 0)
        variant, country = np.nonzero(shown)
        ac, an, people, hemizygous = (table[shown] for table in (ac, an, people, hemizygous))
        of_block = block.variants.take(np.arange(rows.start, rows.stop)[variant])
        kind = variant_types(of_block.ref, of_block.alt)
        columns = [
            pa.array(of_block.position - 1, pa.int32()),
            of_block.ref.arrow().cast(pa.string()),
            of_block.alt.arrow().cast(pa.string()),
            pa.array(list(VARIANT_TYPES), pa.string()).take(pa.array(kind)),
            self._names.take(pa.array(country)),
            pa.array(ac / an),
            *(
                pa.array(each.astype(np.int32))
                for each in (ac, ac - 2 * people - hemizygous, 2 * people, hemizygous, an)
            ),
        ]
        return pa.Table.from_arrays(columns, schema=self._schema)


def variant_types(ref: Strings, alt: Strings) -> NDArray[np.int64]:
    """Tell which of `VARIANT_TYPES` each variant is, (n,) int64."""
    same = ref.lengths == alt.lengths
    kinds: NDArray[np.int64] = np.where(same, np.where(ref.lengths == 1, 0, 1), 2)
    return kinds


def gdi_contig(name: str) -> str | None:
    """Name a contig as the mini-node's files do; None if it has no name there.

    >>> gdi_contig("chr1"), gdi_contig("MT"), gdi_contig("chrUn_KI270302v1")
    ('1', 'M', None)
    """
    bare = bare_name(name)
    if bare == "MT":
        return "M"
    return bare if bare in {*map(str, range(1, 23)), "X", "Y"} else None
