"""The verdict on a cohort whose REF alleles do not match the reference."""

from collections.abc import Sequence

from afpanel.errors import BadInputError

EXAMPLES = 10
"""How many mismatches an error shows."""


def refuse_wrong_reference(
    cohort: str, mismatched: int, checked: int, limit: float, examples: Sequence[str]
) -> BadInputError | None:
    """Make the error for a cohort with too many REF mismatches, or None where they are few enough.

    Parameters
    ----------
    cohort
        Name of the cohort.
    mismatched, checked
        Records whose REF differs from the reference, and records looked at.
    limit
        Greatest share that is accepted.
    examples
        Mismatches as ``contig:position REF, reference BASES``.
    """
    if not checked or mismatched <= limit * checked:
        return None
    shown = "; ".join(examples[:EXAMPLES])
    return BadInputError(
        f"REF differs from the reference at {mismatched:,} of {checked:,} records"
        f" ({mismatched / checked:.1%})",
        where=f"cohort {cohort}",
        expected=f"at most {limit:.1%} (harmonize.max_ref_mismatch)",
        found=shown,
        remedy="check that the cohort's build, its contig names and the FASTA belong together",
    )
