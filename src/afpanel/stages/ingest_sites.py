"""Read published counts into stores: what genotype stores have of sites, and counts in the place of calls."""

from collections.abc import Sequence
from pathlib import Path

from afpanel.io.cell_table import read_cells
from afpanel.io.sites_form import SitesForm
from afpanel.io.sites_source import open_sites
from afpanel.stages.ingest import Target, write_stores


def ingest_sites(
    source_path: Path,
    table: Path,
    targets: Sequence[Target],
    form: SitesForm,
    *,
    chunk: int | None = None,
) -> None:
    """Read a sites file, in one pass.

    Parameters
    ----------
    source_path
        The file.
    table
        Table of the cells that it has counts of.
    targets
        Stores to write, in the order of the file. All appear together, when the file is read.
    form
        What is known of the file.
    chunk
        Records in a chunk.

    Raises
    ------
    BadInputError
        If the file or the table cannot be used.
    """
    cells = read_cells(table)
    write_stores(open_sites(source_path, cells, form), targets, chunk)
