"""How many copies of a locus a person has, by place and sex.

The rules are gnomAD's: outside the pseudoautosomal regions XY people have one copy of X and Y; XX
people have none of Y anywhere; the mitochondrial genome counts as one copy. Where sex decides and is
unknown, a person is not counted.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import PSEUDOAUTOSOMAL, SEXES, ContigKind, Sex
from afpanel.errors import BadInputError


class Ploidy(IntEnum):
    """How a person's calls count at a locus; the value is the number of copies."""

    ABSENT = 0
    HAPLOID = 1
    DIPLOID = 2


class Loci(IntEnum):
    """The kinds of place that differ in ploidy."""

    EVERYBODY_DIPLOID = 0
    X_OUTSIDE_PAR = 1
    Y_OUTSIDE_PAR = 2
    Y_IN_PAR = 3
    MITOCHONDRIAL = 4


_TABLE = {
    Loci.EVERYBODY_DIPLOID: (Ploidy.DIPLOID, Ploidy.DIPLOID, Ploidy.DIPLOID),
    Loci.X_OUTSIDE_PAR: (Ploidy.DIPLOID, Ploidy.HAPLOID, Ploidy.ABSENT),
    Loci.Y_OUTSIDE_PAR: (Ploidy.ABSENT, Ploidy.HAPLOID, Ploidy.ABSENT),
    Loci.Y_IN_PAR: (Ploidy.ABSENT, Ploidy.DIPLOID, Ploidy.ABSENT),
    Loci.MITOCHONDRIAL: (Ploidy.HAPLOID, Ploidy.HAPLOID, Ploidy.HAPLOID),
}

PLOIDY = np.array([_TABLE[loci] for loci in Loci], dtype=np.int8)
"""(loci, sexes) int8: copies at each kind of place, sexes in the order of `SEXES`."""


def loci_of(kind: ContigKind, build: str, position: NDArray[np.int32]) -> NDArray[np.int8]:
    """Tell what kind of place each position of a contig is.

    Parameters
    ----------
    kind
        What the contig is.
    build
        Genome build, which places the pseudoautosomal regions.
    position
        (n,) int32, 1-based.

    Returns
    -------
    (n,) int8
        `Loci` codes.

    Raises
    ------
    BadInputError
        On X or Y, where the build's pseudoautosomal regions are not known.
    """
    if kind is ContigKind.AUTOSOME:
        return np.full(len(position), Loci.EVERYBODY_DIPLOID, np.int8)
    if kind is ContigKind.MT:
        return np.full(len(position), Loci.MITOCHONDRIAL, np.int8)
    if build not in PSEUDOAUTOSOMAL:
        raise BadInputError(
            f"the pseudoautosomal regions of build '{build}' are not known, so {kind} cannot be counted",
            where="reference.build",
            expected=" or ".join(PSEUDOAUTOSOMAL),
            found=build,
            remedy="name the build as listed, or leave X and Y out with partitions.contigs",
        )
    in_par = np.zeros(len(position), np.bool_)
    for start, end in PSEUDOAUTOSOMAL[build][kind.value]:
        in_par |= (position >= start) & (position <= end)
    if kind is ContigKind.X:
        inside, outside = Loci.EVERYBODY_DIPLOID, Loci.X_OUTSIDE_PAR
    else:
        inside, outside = Loci.Y_IN_PAR, Loci.Y_OUTSIDE_PAR
    return np.where(in_par, inside, outside).astype(np.int8)


def places_of_change(kind: ContigKind, build: str) -> list[int]:
    """List the first and last position, 1-based, of all parts of a contig that differ in ploidy.

    >>> places_of_change(ContigKind.Y, "GRCh37")
    [10000, 10001, 2649520, 2649521, 59034049, 59034050, 59363566, 59363567]
    """
    regions = PSEUDOAUTOSOMAL.get(build, {}).get(kind.value, ())
    return [place for start, end in regions for place in (start - 1, start, end, end + 1)]


def sex_codes(sexes: list[Sex]) -> NDArray[np.int8]:
    """Index sexes into the columns of `PLOIDY`."""
    return np.array([SEXES.index(sex) for sex in sexes], dtype=np.int8)
