"""Opening a file of published counts with the reader that suits it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from afpanel.core.site_fields import called, fields_of_cells
from afpanel.errors import BadInputError
from afpanel.io.inflate import pieces
from afpanel.io.sites_form import SitesForm, SitesSource
from afpanel.io.sites_plink import PlinkSites, find_pvar, is_plink
from afpanel.io.sites_table import SitesTable
from afpanel.io.sites_vcf import SitesVcf
from afpanel.io.sniff import compression_of, sniff
from afpanel.io.text_table import TextTable
from afpanel.model.cohort import GivenCell

_VCF = (b"##fileformat=VCF", b"BCF\x02")
_LONGEST_MARK = max(map(len, _VCF))
_HEAD = 1 << 12

COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "contig": ("contig", "chrom", "chr", "chromosome"),
    "position": ("position", "pos", "bp", "base_pair_location"),
    "ref": ("ref", "reference", "reference_allele", "ref_allele"),
    "alt": ("alt", "alternate", "alternate_allele", "alt_allele"),
    "id": ("id", "rsid", "variant_id", "snp"),
    "filter": ("filter", "filters"),
}
"""Columns of tables by what they hold, and names that they are known by, whatever their case."""

_NEEDED = ("contig", "position", "ref", "alt")


def open_sites(path: Path, cells: Sequence[GivenCell], form: SitesForm) -> SitesSource:
    """Open VCF with counts in INFO, a table of counts, or what plink2 counted.

    Parameters
    ----------
    path
        The file, plain, gzip or BGZF.
    cells
        The cells that it has counts of.
    form
        What is known of the file.

    Raises
    ------
    BadInputError
        If the file is damaged or its header cannot be read, or it has no counts of a cell.
    """
    if _is_vcf(path):
        return SitesVcf(path, sniff(path), cells, form)
    table = TextTable(path)
    names = [called(each.cell) for each in cells]
    if is_plink(table.header) and not form.columns:
        if len(cells) > 1 or any(each.fields for each in cells) or form.raw:
            raise BadInputError(
                "a file of plink2 has counts of one cell, in columns of known names",
                where=path,
                expected="a table of cells with one row, and no names of columns",
                found=", ".join(names),
                remedy="give the counts of each population and sex as a cohort of its own",
            )
        pvar = None
        if "POS" not in table.header:
            pvar = TextTable(form.pvar or find_pvar(path))
        return PlinkSites(table, names[0], pvar)
    if form.pvar is not None:
        raise BadInputError(
            "a .pvar goes with a file of plink2", where=path, found=", ".join(table.header[:30])
        )
    columns = _columns(table, form)
    used = fields_of_cells(cells, table.header, f"{path}, columns")
    for name in form.raw.values():
        if name not in table.header:
            raise BadInputError(f"no column '{name}'", where=path, remedy="correct sites.raw")
    return SitesTable(table, columns, used, names, form.raw)


def _is_vcf(path: Path) -> bool:
    """Tell VCF and BCF from other text."""
    try:
        head = b""
        for piece in pieces(path, compression_of(path), size=_HEAD):
            head += piece
            if len(head) >= _LONGEST_MARK:
                break
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error
    return head.startswith(_VCF)


def _columns(table: TextTable, form: SitesForm) -> dict[str, str]:
    """Find what the columns of a table hold: as it is configured, or else by their names."""
    for key, name in form.columns.items():
        if name not in table.header:
            raise BadInputError(
                f"no column '{name}', which is to hold {key}",
                where=table.path,
                found=", ".join(table.header[:30]),
                remedy="correct sites.columns",
            )
    folded = {name.strip().casefold(): name for name in reversed(table.header)}
    columns = dict(form.columns)
    for key, names in COLUMN_NAMES.items():
        usual = [folded[name] for name in names if name in folded]
        free = [name for name in usual if name not in columns.values()]
        if key not in columns and free:
            columns[key] = free[0]
    missing = [key for key in _NEEDED if key not in columns]
    if missing:
        raise BadInputError(
            f"no column of {', '.join(missing)}",
            where=table.path,
            expected="columns such as CHROM, POS, REF and ALT, or those that sites.columns names",
            found=", ".join(table.header[:30]),
            remedy="name them under sites.columns",
        )
    return columns
