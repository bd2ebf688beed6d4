"""The count of a cohort's records whose REF differs from a reference, and examples of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Outcome
from afpanel.core.refcheck import EXAMPLES, looks_like, mismatch, refuse_wrong_reference
from afpanel.core.strand import SnvTally
from afpanel.errors import BadInputError
from afpanel.stages.source_alleles import SourceAlleles, reference_bases

_CHECKED = (Outcome.KEPT, Outcome.AMBIGUOUS_STRAND)


class RefCheck:
    """Takes in the alleles of a cohort, store by store."""

    def __init__(self) -> None:
        self._checked = 0
        self._mismatched = 0
        self._examples: list[str] = []
        self._fits_before = 0
        self._fits_after = 0

    def look_at(self, part: SourceAlleles, contig: str, sequence: NDArray[np.uint8]) -> None:
        """Take in the alleles of one store, on the reference that they are written on."""
        wrong = part.mismatched
        judged = wrong | np.isin(part.outcome, _CHECKED)
        self._checked += _n_records(part, judged)
        base = part.sites.ref.only
        single = base != 0
        base, position = base[single], part.sites.position[single]
        before, after = (reference_bases(position + step, sequence) for step in (-1, 1))
        self._fits_before += int(np.count_nonzero(before == base))
        self._fits_after += int(np.count_nonzero(after == base))
        records, first = np.unique(part.sites.record[wrong], return_index=True)
        self._mismatched += len(records)
        for row in np.flatnonzero(wrong)[first][: self._room]:
            ref = part.sites.ref.take(np.array([row])).objects()[0]
            position = int(part.sites.position[row])
            start = position - 1
            there = sequence[start : start + len(ref)].tobytes().decode() if start >= 0 else ""
            self._examples.append(mismatch(contig, position, ref, there))

    @property
    def _room(self) -> int:
        return max(0, EXAMPLES - len(self._examples))

    def verdict(self, cohort: str, limit: float, tally: SnvTally) -> BadInputError | None:
        """Make the error for a cohort with too many mismatches, or None."""
        return refuse_wrong_reference(
            cohort,
            self._mismatched,
            self._checked,
            limit,
            self._examples,
            looks_like(tally, self._fits_before, self._fits_after),
        )


def _n_records(part: SourceAlleles, chosen: NDArray[np.bool_]) -> int:
    """Count the records that some rows are of."""
    return int(np.count_nonzero(np.diff(part.sites.record[chosen], prepend=-1)))


class LiftCheck:
    """Counts the lifted records of a cohort where the panel's reference differs from the cohort's.

    Two builds differ at one base in a thousand; much more than that is another pair of builds.
    """

    def __init__(self) -> None:
        self._lifted = 0
        self._differing = 0
        self._examples: list[str] = []

    def look_at(self, part: SourceAlleles, contig: str, panel: Sequence[str]) -> None:
        """Take in the lifted alleles of one store; `panel` has the names of the panel's contigs."""
        judged = np.isin(part.outcome, (Outcome.KEPT, Outcome.LIFT_REF_MISMATCH))
        self._lifted += _n_records(part, judged)
        records, first = np.unique(part.sites.record[part.mismatched], return_index=True)
        self._differing += len(records)
        rows = np.flatnonzero(part.mismatched)[first]
        rows = rows[part.outcome[rows] == Outcome.KEPT][: max(0, EXAMPLES - len(self._examples))]
        refs, bases = part.sites.ref.take(rows).objects(), part.variants.ref.take(rows).objects()
        for row, ref, base in zip(rows.tolist(), refs, bases, strict=True):
            self._examples.append(
                f"{contig}:{part.sites.position[row]} REF {ref[:EXAMPLES]} is"
                f" {panel[part.contig[row]]}:{part.variants.position[row]} {base[:EXAMPLES]}"
            )

    def verdict(self, cohort: str, limit: float) -> BadInputError | None:
        """Make the error for a cohort with too many differences, or None."""
        if self._differing <= limit * self._lifted:
            return None
        return BadInputError(
            f"the panel's reference differs from the cohort's at {self._differing:,} of"
            f" {self._lifted:,} lifted records ({self._differing / self._lifted:.1%})",
            where=f"cohort {cohort}",
            expected=f"at most {limit:.1%} (harmonize.max_ref_mismatch)",
            found="; ".join(self._examples) or "no allele that the panel's reference has",
            remedy="check that the chain file leads from the cohort's build to the panel's, and that"
            " both FASTAs are those of its two builds",
        )
