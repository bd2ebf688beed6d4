"""Single-sample gVCFs: the list that names them, and how one is opened."""

from collections import Counter
from pathlib import Path

import numpy as np

from afpanel.errors import BadInputError
from afpanel.io.records import Wanted
from afpanel.io.sniff import Compression, sniff
from afpanel.io.text_source import TextSource


def read_list(path: Path) -> list[Path]:
    """Read a list of gVCFs, one path per line; blank lines and those that begin with # are passed over.

    Raises
    ------
    BadInputError
        If the list cannot be read, names no file, or names one twice.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error
    except UnicodeDecodeError as error:
        raise BadInputError(
            "not a list of files",
            where=path,
            expected="a text file with the path of a gVCF in each line",
            remedy="name the gVCFs in a text file, and that in the cohorts table",
        ) from error
    files = [Path(line) for line in lines if line and not line.startswith("#")]
    if not files:
        raise BadInputError("lists no file", where=path, expected="the path of a gVCF in each line")
    twice = [str(each) for each, n in Counter(files).items() if n > 1]
    if twice:
        raise BadInputError(
            f"{len(twice)} files are listed more than once", where=path, found=", ".join(twice[:5])
        )
    return files


def open_gvcf(
    path: Path, fields: tuple[str, ...] = (), *, polyploid_missing: bool = False
) -> TextSource:
    """Open a gVCF of one person, which must be compressed and indexed so that it is read by region.

    Parameters
    ----------
    path
        The file.
    fields, polyploid_missing
        See `records.Wanted`.

    Raises
    ------
    BadInputError
        If the file is none of this kind.
    """
    kind = sniff(path)
    if kind.is_bcf:
        raise BadInputError(
            "a gVCF in BCF",
            where=path,
            expected="a BGZF-compressed VCF",
            remedy=f"bcftools view -Oz -o NAME.g.vcf.gz {path.name} && tabix -p vcf NAME.g.vcf.gz",
        )
    if kind.compression is not Compression.BGZF:
        unpack = f"gunzip {path.name} && " if kind.compression is Compression.GZIP else ""
        plain = path.stem if kind.compression is Compression.GZIP else path.name
        raise BadInputError(
            "a gVCF that cannot be read by region",
            where=path,
            expected="BGZF, and an index",
            found=f"{kind.compression.value} file",
            remedy=f"{unpack}bgzip {plain} && tabix -p vcf {plain}.gz",
        )
    if kind.index is None:
        raise BadInputError(
            "the gVCF has no index",
            where=path,
            expected=f"{path.name}.tbi or {path.name}.csi beside it",
            remedy=f"tabix -p vcf {path.name}",
        )
    wanted = Wanted(None, fields, np.int16, polyploid_missing, is_gvcf=True)
    source = TextSource(path, kind, wanted)
    if len(source.samples) != 1 or not source.has_genotypes:
        raise BadInputError(
            "not a gVCF of one person",
            where=path,
            expected="one sample, and GT in its FORMAT",
            found=f"{len(source.samples)} samples" if source.has_genotypes else "no genotypes",
            remedy="list the gVCFs of single samples; a file of many is of kind vcf",
        )
    return source
