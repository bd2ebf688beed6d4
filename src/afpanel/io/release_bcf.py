"""The release as BCF: what htslib makes of the VCF, with a CSI index."""

from concurrent.futures import Executor
from pathlib import Path

import pysam.bcftools

from afpanel.io.release import ReleaseBlock, ReleaseHead
from afpanel.io.release_vcf import VcfReleaseWriter


class BcfReleaseWriter:
    """Writes ``.bcf`` and ``.bcf.csi``.

    The VCF is written first, under a name of its own, and taken away again.

    Parameters
    ----------
    path
        BCF to write; its index is written beside it.
    head
        What the release is.
    pool
        See `VcfReleaseWriter`.
    """

    def __init__(self, path: Path, head: ReleaseHead, pool: Executor | None = None) -> None:
        self._path = path
        self._text = path.with_name(f"{path.name}.vcf.gz")
        self._vcf = VcfReleaseWriter(self._text, head, pool)

    def write(self, block: ReleaseBlock) -> None:
        """Write a block."""
        self._vcf.write(block)

    def close(self) -> None:
        """Finish the file and its index."""
        self._vcf.close()
        path, text = str(self._path), str(self._text)
        pysam.bcftools.view("--no-version", "-Ob", "-o", path, text, catch_stdout=False)
        pysam.bcftools.index("-f", "-c", path, catch_stdout=False)
        for end in ("", ".tbi", ".csi"):
            self._text.with_name(self._text.name + end).unlink()
