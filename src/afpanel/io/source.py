"""Opening a variant file with the reader that suits it."""

from pathlib import Path

import numpy as np

from afpanel.io.records import Dtype, Source, Wanted
from afpanel.io.sniff import is_zip_or_folder, sniff
from afpanel.io.text_source import TextSource


def open_source(
    path: Path,
    samples: list[str] | None = None,
    fields: tuple[str, ...] = (),
    dtype: Dtype = np.int8,
    *,
    polyploid_missing: bool = False,
) -> Source:
    """Open a VCF or BCF file, plain or compressed, indexed or not; or a VCF Zarr store.

    Parameters
    ----------
    path
        The file; of a VCF Zarr store its folder or zip file.
    samples, fields, dtype, polyploid_missing
        See `records.Wanted`.

    Raises
    ------
    BadInputError
        If the file is damaged or its header cannot be read, or a sample is not in it.
    """
    wanted = Wanted(samples, fields, dtype, polyploid_missing)
    if is_zip_or_folder(path):
        from afpanel.io.vcz_source import VczSource  # noqa: PLC0415 - slow to import

        return VczSource(path, wanted)
    kind = sniff(path)
    if not kind.is_bcf:
        return TextSource(path, kind, wanted)
    from afpanel.io.htslib_source import HtslibSource  # noqa: PLC0415 - slow to import

    return HtslibSource(path, kind, wanted)
