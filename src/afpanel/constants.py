"""Facts of the field and codes of the file formats that more than one module needs."""

from enum import IntEnum, IntFlag, StrEnum

MISSING = -1
"""Missing integer in every array, as in VCF Zarr."""

FILL = -2
"""Fill of `call_genotype` where a call has fewer alleles than the array is wide, as in VCF Zarr."""

BUILD_ALIASES = {
    "grch37": "GRCh37",
    "hg19": "GRCh37",
    "b37": "GRCh37",
    "hs37d5": "GRCh37",
    "grch38": "GRCh38",
    "hg38": "GRCh38",
    "b38": "GRCh38",
}
"""Lower-case names of a genome build, and the one name this project uses for each."""

PSEUDOAUTOSOMAL = {
    "GRCh37": {
        "X": ((60_001, 2_699_520), (154_931_044, 155_260_560)),
        "Y": ((10_001, 2_649_520), (59_034_050, 59_363_566)),
    },
    "GRCh38": {
        "X": ((10_001, 2_781_479), (155_701_383, 156_030_895)),
        "Y": ((10_001, 2_781_479), (56_887_903, 57_217_415)),
    },
}
"""Pseudoautosomal regions by build and sex chromosome; 1-based, inclusive."""


REVISED_CAMBRIDGE_LENGTH = 16_569
"""Bases of the mitochondrial genome of GRCh37 and GRCh38; UCSC's hg19 had another one, of 16,571."""


class Sex(StrEnum):
    """Sex of a sample as its sheet gives it."""

    XX = "XX"
    XY = "XY"
    UNKNOWN = "unknown"


SEXES = tuple(Sex)
"""Order of the sexes in tables of ploidy, and in columns of codes."""


class ContigKind(StrEnum):
    """What a contig is to the rules of ploidy."""

    AUTOSOME = "autosome"
    X = "X"
    Y = "Y"
    MT = "MT"


class State(IntEnum):
    """What is known of a group at a variant. Ordered: of several cohorts, the greatest holds."""

    NOT_CALLABLE = 0
    ABSENT_CALLABLE = 1
    OBSERVED = 2
    MASKED = 3


class Flag(IntFlag):
    """How a kept allele's canonical form differs from its source."""

    AS_IS = 0
    TRIMMED = 1
    LEFT_ALIGNED = 2
    SWAPPED = 4
    FLIPPED = 8
    LIFTED = 16
    MERGED = 32
    NEW_REFERENCE = 64


class Outcome(IntEnum):
    """What became of a source allele. Everything but `KEPT` is a reason for rejection."""

    KEPT = 0
    REF_MISMATCH = 1
    AMBIGUOUS_STRAND = 2
    SYMBOLIC = 3
    STAR = 4
    IUPAC = 5
    DUPLICATE = 6
    UNMAPPED = 7
    LIFT_REF_MISMATCH = 8
    LIFT_MULTIPLE = 9
    FILTERED = 10
    NOT_A_VARIANT = 11


REFUSED_EVIDENCE = (
    Outcome.REF_MISMATCH,
    Outcome.AMBIGUOUS_STRAND,
    Outcome.IUPAC,
    Outcome.UNMAPPED,
    Outcome.LIFT_REF_MISMATCH,
    Outcome.LIFT_MULTIPLE,
    Outcome.FILTERED,
    Outcome.NOT_A_VARIANT,
)
"""Reasons after which a cohort's silence at the site is no evidence of the reference allele."""


def outcome_label(outcome: int, flags: int) -> str:
    """Name an outcome as `harmonization.tsv` lists it.

    >>> outcome_label(Outcome.KEPT, Flag.TRIMMED | Flag.LEFT_ALIGNED)
    'trimmed+left_aligned'
    >>> outcome_label(Outcome.STAR, 0)
    'star'
    >>> outcome_label(Outcome.DUPLICATE, Flag.LIFTED | Flag.NEW_REFERENCE)
    'duplicate+new_reference'
    """
    if outcome != Outcome.KEPT:
        reason = Outcome(outcome).name.lower()
        return f"{reason}+new_reference" if flags & Flag.NEW_REFERENCE else reason
    if not flags:
        return "as_is"
    return "+".join(str(flag.name).lower() for flag in Flag if flag and flag & flags)
