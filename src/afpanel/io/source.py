"""Opening a variant file with the reader that suits it."""

from pathlib import Path

import numpy as np

from afpanel.io.records import Dtype, Source
from afpanel.io.sniff import sniff
from afpanel.io.text_source import TextSource


def open_source(
    path: Path,
    samples: list[str] | None = None,
    fields: tuple[str, ...] = (),
    dtype: Dtype = np.int8,
) -> Source:
    """Open a VCF or BCF file, plain or compressed, indexed or not.

    Parameters
    ----------
    path
        The file.
    samples
        IDs of the samples to read, in any order; None is all of them.
    fields
        Which of GQ, DP and AD to read, where the file has them.
    dtype
        Of genotypes: int8 for up to 128 alleles in a record, int16 for more.

    Raises
    ------
    BadInputError
        If the file is damaged or its header cannot be read, or a sample is not in it.
    """
    kind = sniff(path)
    if not kind.is_bcf:
        return TextSource(path, kind, samples, fields, dtype)
    from afpanel.io.htslib_source import HtslibSource  # noqa: PLC0415 - slow to import

    return HtslibSource(path, kind, samples, fields, dtype)
