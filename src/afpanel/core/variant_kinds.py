"""What kind of change each variant is, and how many bases it adds or takes away."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from afpanel.core.variants import Variants


class VariantKind(IntEnum):
    """What a canonical variant does to the reference."""

    SNV = 0
    """One base for another."""
    INSERTION = 1
    """Bases after the one that REF is."""
    DELETION = 2
    """All bases of REF but the first are gone."""
    MNV = 3
    """Several bases for as many others."""
    COMPLEX = 4
    """Bases for others, and not for as many."""


def kinds_of(variants: Variants) -> NDArray[np.int8]:
    """Tell what kind each variant is; (n,) int8 of `VariantKind`.

    A canonical variant has no base in common at either end but the one that anchors an insertion or a
    deletion, so their first bases and lengths tell them from others.
    """
    ref, alt = variants.ref.lengths, variants.alt.lengths
    anchored = _first(variants.ref.offsets, variants.ref.data) == _first(
        variants.alt.offsets, variants.alt.data
    )
    found = np.full(len(variants), VariantKind.COMPLEX, np.int8)
    found[ref == alt] = VariantKind.MNV
    found[(ref == 1) & (alt == 1)] = VariantKind.SNV
    found[(ref == 1) & (alt > 1) & anchored] = VariantKind.INSERTION
    found[(alt == 1) & (ref > 1) & anchored] = VariantKind.DELETION
    return found


def length_changes(variants: Variants) -> NDArray[np.int64]:
    """Tell how many bases longer ALT is than REF; (n,) int64, below 0 where it is shorter."""
    change: NDArray[np.int64] = variants.alt.lengths - variants.ref.lengths
    return change


def _first(offsets: NDArray[np.int64], data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the first letter of each string; (n,) uint8. No allele is without one."""
    return data[offsets[:-1]]
