"""Genotype calls as arrays: what readers give and counting takes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CallBlock:
    """Genotypes of consecutive records, with the fields that the filter needs.

    Parameters
    ----------
    genotype
        (records, samples, ploidy) int8 or int16; -1 missing, -2 fill.
    gq, dp, het_alt_ad
        (records, samples) int16, -1 missing; None where the file has no such field.
    """

    genotype: NDArray[np.integer]
    gq: NDArray[np.int16] | None = None
    dp: NDArray[np.int16] | None = None
    het_alt_ad: NDArray[np.int16] | None = None

    def of_people(self, samples: NDArray[np.integer]) -> "CallBlock":
        """Copy the calls of some samples, in their order."""
        return CallBlock(
            self.genotype[:, samples],
            *(None if x is None else x[:, samples] for x in (self.gq, self.dp, self.het_alt_ad)),
        )

    def take(self, records: NDArray[np.integer]) -> "CallBlock":
        """Copy the calls of some records."""
        return CallBlock(
            self.genotype[records],
            *(None if x is None else x[records] for x in (self.gq, self.dp, self.het_alt_ad)),
        )

    @classmethod
    def joined(cls, blocks: Sequence["CallBlock"]) -> "CallBlock":
        """Lay blocks of the same people and fields end to end."""
        if len(blocks) == 1:
            return blocks[0]
        names = [
            name for name in ("gq", "dp", "het_alt_ad") if getattr(blocks[0], name) is not None
        ]
        fields = {name: np.concatenate([getattr(each, name) for each in blocks]) for name in names}
        return cls(np.concatenate([each.genotype for each in blocks]), **fields)
